"""One large site for all tests of the public site: the real catalogues, 20,000 made-up entries and a few odd ones, built once per run.

``MULU_LARGE_SITE=<folder>`` keeps it from run to run, so that only what changed is built again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mulu_harvest.normalise import normalise
from mulu_harvest.readers.portal import read_portal
from mulu_harvest.source import load_source, source_names
from mulu_site import generate, words
from mulu_site.build import build
from mulu_site.row import row_of
from mulu_site.snapshot import Entry, write_snapshot
from mulu_site.text import fold

MADE_UP = 20_000
SITE_URL, PORTAL_URL = "https://catalogue.example", "https://portal.example"
SHARED = Path(os.environ.get("MULU_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "portals"
WITHDRAWN = {"id": "gone", "name": "gone", "title": "已经撤下的条目（虚构）", "provider_title": "县民政局", "on": "2026-02-01", "reason": "机构撤并（虚构）"}


@dataclass(frozen=True)
class Searched:
    """What search may find an entry by. ``name``: its folder under entry/. ``texts`` as search compares them: title, abstract, items,
    department, code; ``classes``: the labels of what it is filed under."""

    name: str
    title: str
    provider: str
    code: str
    changed: str
    texts: tuple[str, ...]
    classes: tuple[str, ...]
    interface: bool
    real: bool

    @property
    def whole(self) -> str:
        return "\n".join(self.texts)


@dataclass
class LargeSite:
    """``folder`` is what a web server would serve; ``url`` ends with a slash; ``real``: entries of each real catalogue, none where they are
    not on this machine; ``paths``: entries with something to them, by what that is."""

    folder: Path
    url: str = ""
    entries: list[Searched] = field(default_factory=list)
    real: dict[str, int] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)

    def take(self, entry: Entry, real: bool) -> Entry:
        row = row_of(entry)
        labels = (words.label(f"{axis}_type", key) for axis, key in (("share", row.share), ("open", row.open)))
        filed = (*labels, words.label("theme", row.theme), words.label("catalogue_kind", row.kind), words.label("update_frequency", row.frequency), *row.formats,
                 *(("提供接口",) if row.api else ()))  # fmt: skip
        texts = (row.title, str(entry.get("notes") or ""), *(str(item.get("name") or "") for item in entry.get("items") or ()), row.provider_title, row.code)
        folded = tuple(fold(" ".join(text.split())) for text in texts)
        self.entries.append(Searched(row.page, row.title, row.provider_title, row.code, row.changed, folded, tuple(map(fold, filed)), row.api, real))
        self._remember(entry, row.page)
        return entry

    def _remember(self, entry: Entry, page: str) -> None:
        """The first of its class, and what is the longest or the barest of all."""
        self.paths.setdefault({"unconditional": "open", "conditional": "apply", "none": "closed"}.get(entry.get("open_type", ""), "unstated"), page)
        sizes = {"longest title": len(entry.get("title") or ""), "most items": len(entry.get("items") or ()), "longest abstract": len(entry.get("notes") or ""),
                 "barest": -len(entry)}  # fmt: skip
        for what, size in sizes.items():
            if size > self._sizes.get(what, -10_000):
                self._sizes[what], self.paths[what] = size, page

    def __post_init__(self) -> None:
        self._sizes: dict[str, int] = {}


def build_large(folder: Path) -> LargeSite:
    """Writes the snapshot and builds the site into the folder."""
    site = LargeSite(folder / "out" / "current")
    departments = [{"name": f"d{i:02d}", "title": f"县{title}"} for i, title in enumerate(generate.DEPARTMENTS)]
    header = {"profile": "huarong", "place": generate.PLACE, "demo": True, "withdrawn": [WITHDRAWN],
              "generated_at": "2026-03-02T08:00:00+08:00", "ledger": generate.ledger(list(generate.entries(40)))}  # fmt: skip
    real, of_sources = _real(site)
    header["departments"] = departments + [{"name": slug, "title": title} for slug, title in of_sources.items()]
    write_snapshot(folder / "snapshot.jsonl", header, _all(site, real))
    build(folder / "snapshot.jsonl", folder / "out", site_url=SITE_URL, portal_url=PORTAL_URL, allow_withdrawal=True)
    return site


def _all(site: LargeSite, real: list[Entry]) -> Iterator[Entry]:
    first = {}
    for entry in generate.entries(MADE_UP, portal_url=PORTAL_URL):
        first.setdefault(entry["open_type"], entry)
        yield site.take(entry, real=False)
    yield site.take(full(first["unconditional"]), real=False)
    yield site.take(previewed(first["unconditional"]), real=False)
    for entry in real:
        yield site.take(entry, real=True)


def _real(site: LargeSite) -> tuple[list[Entry], dict[str, str]]:
    """Every distinct entry of the real portals as its source states it, and the departments by their slugs. What is not stated stays so."""
    found: list[Entry] = []
    departments: dict[str, str] = {}
    for name in source_names() if SHARED.is_dir() else ():
        source = load_source(name)
        reading = read_portal(source, SHARED / source.file)
        departments |= reading.departments
        for record in reading.records:
            entry = normalise(record, lookups=source.lookups).entry
            found.append({**entry, "id": entry["name"], "provider_title": reading.departments.get(entry.get("provider", ""), "")})
        site.real[name] = len(reading.records)
    return found, departments


def full(entry: Mapping[str, Any]) -> Entry:
    """An entry with every odd thing that a page must bear."""
    long = "很长的没有空格的名称" * 12
    items = [{"name": f"信息项{i}{'长' * (i % 40)}", "data_type": "C", "length": "50", "sensitive": i % 2 == 0, "description": "说明" * 30,
              "share_type": "conditional", "open_type": "none"} for i in range(90)]  # fmt: skip
    resources = [{"name": long, "url": "https://x.example/" + "a" * 200, "format": "CSV", "size": 5, "hash": "f" * 64},
                 {"name": "接口", "url": "javascript:1", "format": "API"}]  # fmt: skip
    return {**entry, "id": "full", "name": "full", "title": long + "A" * 60, "items": items, "objection": True, "contact": "0730-" + "8" * 80,
            "resources": resources, "source": {"name": "来源", "url": "https://y.example/"}, "provider_title": "很长的部门名称" * 5,
            "resource_code": "", "related_codes": []}  # fmt: skip


def previewed(entry: Mapping[str, Any]) -> Entry:
    """An open entry with an interface and a file that the portal has read: wide, with numbers, places and something wrong."""
    number = {"kind": "number", "filled": 9, "min": 0.5, "max": 123456.7, "mean": 5321.2, "bins": [9, 3, 1, 0, 2]}
    columns = [{"name": "名称", "kind": "text", "filled": 9}, *({"name": f"数值{'长' * n}", **number} for n in range(14))]
    preview = {
        "columns": columns, "rows": [[f"示例{n}", *["1234.5"] * 14] for n in range(10)], "total": 1200, "points": [[112.5 + n / 90, 29.5 + n % 7 / 40] for n in range(90)],
        "checked": True, "valid": False, "problems": [{"code": "type-error", "count": 7, "text": "有的内容与登记的数据类型不符"}],
    }  # fmt: skip
    file = {"id": "r1", "name": "公园名录", "url": "/dataset/x/resource/r1/download/a.csv", "format": "CSV", "size": 48_211, "hash": "sha256:" + "3f" * 32}
    api = {"id": "r2", "name": "公园查询接口", "url": f"{PORTAL_URL}/api/parks", "format": "API"}
    more = {"open_type": "unconditional", "share_type": "unconditional", "license_id": "cc-by", "business_items": ["公园绿地养护"], "resource_code": ""}
    return {**entry, **more, "id": "previewed", "name": "previewed", "title": "有预览的条目", "resources": [{**file, "preview": preview}, api]}
