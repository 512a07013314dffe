"""Templates: one environment that escapes everything, and a digest per template that changes when it or anything it uses does."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mulu_site import words
from mulu_site.text import digest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates" / "site"
PAGES = ROOT / "site" / "pages"
_QUOTED = re.compile(r"""["']([\w./-]+\.(?:html|svg|xml|js))["']""")


def page_numbers(page: int, pages: int) -> list[int | None]:
    """1 … 4 5 [6] 7 8 … 90; None stands for a gap."""
    wanted = sorted({1, pages, *range(max(1, page - 2), min(pages, page + 2) + 1)})
    shown: list[int | None] = []
    for number in wanted:
        if shown and shown[-1] is not None and number - shown[-1] > 1:
            shown.append(None)
        shown.append(number)
    return shown


def script_json(value: Any) -> Markup:
    """JSON that may stand inside a <script>: nothing in it can end the element or open a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)


def readable(value: Any) -> bytes:
    """JSON with a line for each value."""
    try:
        return msgspec.json.format(msgspec.json.encode(value), indent=1)
    except (OverflowError, ValueError, msgspec.MsgspecError):  # numbers that only Python's own writer takes
        return json.dumps(value, ensure_ascii=False, indent=1).encode()


class Renderer:
    """Renders pages of one site; `fingerprint(template)` goes into the key of every unit made from it."""

    def __init__(self, **shared: Any) -> None:
        self.env = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.env.globals.update(words=words, page_numbers=page_numbers, here="", **shared)

    def page(self, template: str, path: str, **context: Any) -> bytes:
        """`path` is the page's own (a folder ending in "/" or a file): it tells how far up the site's top is."""
        return self.env.get_template(template).render({"root": "../" * path.count("/"), **context}).encode()

    @lru_cache  # noqa: B019 - one renderer a build
    def fingerprint(self, template: str) -> str:
        sources, open_ = {}, {template}
        while open_:
            name = open_.pop()
            sources[name], used = self._source(name)
            open_ |= used - sources.keys()
        return digest(sources, code_digest())

    @lru_cache  # noqa: B019
    def _source(self, name: str) -> tuple[str, frozenset[str]]:
        """A template's text and the templates that it names; to look for quoted names is quicker than to read it as Jinja does."""
        text = (TEMPLATES / name).read_text()
        return text, frozenset(n for n in _QUOTED.findall(text) if (TEMPLATES / n).exists())


@lru_cache
def code_digest() -> str:
    """Changes with the programs that shape a page and with the words of the rules core."""
    import mulu

    rules = Path(mulu.__file__).parent
    files = [*Path(__file__).parent.glob("*.py"), rules / "entry.py", *rules.glob("*.yml")]
    return digest({f.name: f.read_text() for f in sorted(files) if f.exists()})
