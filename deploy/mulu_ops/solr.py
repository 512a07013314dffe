"""Solr's home folder: CKAN's own schema with our Chinese field types, one core for the demo and one for tests.

The schema keeps CKAN's version name, which CKAN checks. In production the official Solr image takes the same ``conf`` folder.
"""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from mulu_ops.errors import Missing
from mulu_ops.settings import ROOT, Settings

SOURCE = ROOT / "deploy" / "local" / "solr"


@cache
def schema() -> str:
    """CKAN's schema.xml with ``text`` replaced and our types and fields added; text of an XML document."""
    ckan = find_spec("ckan")
    assert ckan and ckan.origin
    own = (Path(ckan.origin).parent / "config" / "solr" / "schema.xml").read_text(encoding="utf-8")
    chinese = (SOURCE / "chinese.xml").read_text(encoding="utf-8")
    types, fields = (re.search(rf"<{tag}>(.*?)</{tag}>", chinese, re.DOTALL) for tag in ("types", "fields"))
    assert types and fields
    own, replaced = re.subn(r'<fieldType name="text" class.*?</fieldType>', lambda _: types[1].strip(), own, flags=re.DOTALL)
    own, added = re.subn(r"</fields>", lambda _: f"{fields[1].rstrip()}\n</fields>", own)
    if (replaced, added) != (1, 1):
        raise RuntimeError("CKAN 的 Solr schema.xml 与预期不同：找不到字段类型 text 或 </fields>")
    return own


def width_mapping() -> str:
    """Full-width letters, figures and signs to their half-width ones, as a Solr mapping file."""
    pairs = [(chr(code), chr(code - 0xFEE0)) for code in range(0xFF01, 0xFF5F)] + [("\u3000", " ")]
    escape = {'"': '\\"', "\\": "\\\\"}
    return "".join(f'"{wide}" => "{escape.get(half, half)}"\n' for wide, half in pairs)


def jars(settings: Settings) -> Path:
    """Where bootstrap.sh has put Solr's jars: a folder for each version of pom.xml, so that none changes under a running Solr."""
    folder = settings.var / "solr" / f"lib-{sha256((SOURCE / 'pom.xml').read_bytes()).hexdigest()[:12]}"
    if not folder.is_dir():
        raise Missing("没有 Solr 的程序包：请运行 deploy/local/bootstrap.sh（make demo 会自动运行），或用 CKAN_SOLR_URL 指定已有的 Solr。")
    return folder


def conf() -> dict[str, str]:
    """The ``conf`` folder of a core: file name → text."""
    return {
        "schema.xml": schema(),
        "solrconfig.xml": (SOURCE / "solrconfig.xml").read_text(encoding="utf-8"),
        "width.txt": width_mapping(),
        "synonyms.txt": "",
        "protwords.txt": "",
        "stopwords.txt": "",
    }


def fingerprint() -> str:
    """Changes with the conf folder: Solr is then started anew, and what it holds is indexed again."""
    return sha256("\0".join(conf().values()).encode()).hexdigest()[:16]


def home(settings: Settings) -> Path:
    return settings.var / "solr" / "home"


def write_home(settings: Settings) -> None:
    """Write Solr's home with all cores; a file is written only when its content is new."""
    _write(home(settings) / "solr.xml", "<solr></solr>\n")
    for core in settings.cores:
        _write(home(settings) / core / "core.properties", f"name={core}\n")
        write_conf(settings, core)


def write_conf(settings: Settings, core: str) -> None:
    for name, text in conf().items():
        _write(home(settings) / core / "conf" / name, text)


def _write(file: Path, text: str) -> None:
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
