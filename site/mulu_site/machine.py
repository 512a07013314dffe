"""Files for machines that cover the whole catalogue: data.json, entries.json, entries.csv, Atom feeds, sitemaps, robots.txt.

All of them are written as streams: at 100,000 entries some are larger than one would like to hold in memory.
"""

from __future__ import annotations

import csv
import heapq
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from mulu_site import words
from mulu_site.place import Site
from mulu_site.row import Row
from mulu_site.snapshot import Entry
from mulu_site.structured import dcat_us, public
from mulu_site.text import one_line

SITEMAP_SIZE = 40_000  # the protocol allows 50,000 addresses a file
FEED_SIZE = 50
_CSV = (
    ("resource_code", ""), ("title", ""), ("provider_title", ""), ("catalogue_kind", "catalogue_kind"), ("theme", "theme"), ("notes", ""),
    ("format_class", "format_class"), ("format_type", "format_type"), ("share_type", "share_type"), ("share_condition", ""),
    ("share_basis", ""), ("open_type", "open_type"), ("open_condition", ""), ("open_ground", "open_ground"), ("open_basis", ""),
    ("open_review_on", ""), ("update_frequency", "update_frequency"), ("published_on", ""), ("data_updated_on", ""),
)  # fmt: skip


_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
FILES = ("data.json", "entries.json", "entries.csv")
BETWEEN, ENDS = (b",\n", b",\n", b""), (b"\n]}", b"\n]", b"")
Parts = tuple[bytes, bytes, bytes]


def whole(site: Site, parts: Iterable[Parts]) -> Iterator[tuple[str, bytes]]:
    """(path, next part of its content) of the files that hold the whole catalogue, from what each entry adds to them.

    entries.json holds one entry a line: small programs can read it line by line. The CSV is UTF-8 with a byte order mark, for Excel;
    a cell that a spreadsheet would run as a formula gets an apostrophe.
    """
    yield from zip(FILES, heads(site), strict=True)
    before = (b"", b"", b"")
    for part in parts:
        for path, gap, content in zip(FILES, before, part, strict=True):
            yield path, gap + content
        before = BETWEEN
    yield from zip(FILES, ENDS, strict=True)


def heads(site: Site) -> Parts:
    """With what each of FILES begins."""
    labels = {f.key: f.label for f in words.FIELDS} | {"provider_title": "信息资源提供方"}
    header = [*(labels.get(key, key) for key, _ in _CSV), "信息项", "页面"]
    return _data_json_head(site) + b"\n", b"[\n", csv_table([header])


def parts(entry: Entry, row: Row, site: Site) -> Parts:
    """What an entry adds to each of FILES."""
    return _dump(dcat_us(entry, row, site)), _dump(public(entry, row, site)), csv_row(_cells(entry, row, site))


def data_json(site: Site, entries: Iterable[tuple[Entry, Row]]) -> Iterator[bytes]:
    """data.json alone, in pieces."""
    yield _data_json_head(site)
    before = b"\n"
    for entry, row in entries:
        yield before + _dump(dcat_us(entry, row, site))
        before = b",\n"
    yield b"\n]}"


def _data_json_head(site: Site) -> bytes:
    head = {"@context": "https://project-open-data.cio.gov/v1.1/schema/catalog.jsonld", "@type": "dcat:Catalog"}
    head |= {"@id": site.url("data.json"), "conformsTo": "https://project-open-data.cio.gov/v1.1/schema"}
    return _dump(head)[:-1] + b',"dataset":['


def _cells(entry: Entry, row: Row, site: Site) -> list[str]:
    items = "、".join(one_line(i.get("name")) for i in entry.get("items") or [] if isinstance(i, dict))
    cells = [words.label(code_list, str(entry.get(key) or "").strip()) for key, code_list in _CSV]
    return [*cells, items, site.url(f"entry/{row.page}/")]


class Withdrawn(NamedTuple):
    """An entry that is no longer there, as a feed tells it; `on` is the day."""

    page: str
    title: str
    provider_title: str
    on: str
    reason: str


def atom(site: Site, title: str, path: str, rows: Sequence[Row], withdrawn: Iterable[Withdrawn] = ()) -> bytes:
    """The newest entries and the newest withdrawals first; `path` is the feed's own. An entry keeps its atom:id when it is withdrawn."""
    told = [
        (row.changed, row.page, row.title, "，".join(x for x in (row.provider_title, words.label("open_type", row.open)) if x))
        for row in heapq.nlargest(FEED_SIZE, rows, key=lambda row: (row.changed, row.page))
    ]
    told += [
        (one.on, one.page, f"已撤下：{one.title}", "，".join(x for x in (one.provider_title, f"撤下原因：{one.reason}" if one.reason else "") if x))
        for one in withdrawn
    ]
    told.sort(key=lambda one: (one[0], one[1]), reverse=True)
    links = (
        f'<link rel="self" type="application/atom+xml" href={quoteattr(site.url(path))}/>'
        f'<link rel="alternate" type="text/html" href={quoteattr(site.url(path.removesuffix("atom.xml")))}/>'
    )
    entries = []
    for day, page, shown, summary in told[:FEED_SIZE]:
        address = site.url(f"entry/{page}/")
        entries.append(FeedEntry(day, shown, address, address, summary))
    return feed(site, title, path, links, entries)


class FeedEntry(NamedTuple):
    """`day`: of its last change, ISO; `id`: its atom:id; `page`: the address that it leads to."""

    day: str
    title: str
    id: str
    page: str
    summary: str


def feed(site: Site, title: str, path: str, links: str, told: Sequence[FeedEntry]) -> bytes:
    """An Atom feed in the order given, the newest first; `path` is its own, `links` its link elements."""
    parts = [
        f'{_XML}<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-CN">',
        f"<title>{escape(title)}</title><id>{escape(site.url(path))}</id><updated>{_instant(told[0].day if told else '')}</updated>",
        f"{links}<author><name>{escape(site.authority or site.place)}</name></author>",
    ]
    for one in told:
        parts.append(
            f"<entry><title>{escape(one.title)}</title><id>{escape(one.id)}</id><link href={quoteattr(one.page)}/>"
            f"<updated>{_instant(one.day)}</updated><summary>{escape(one.summary)}</summary></entry>"
        )
    return "\n".join([*parts, "</feed>\n"]).encode()


def sitemap(addresses: Iterable[tuple[str, str]]) -> bytes:
    """(address, ISO date or "") of pages."""
    body = "".join(
        f"<url><loc>{escape(url)}</loc>{f'<lastmod>{day}</lastmod>' if _DAY.fullmatch(day) else ''}</url>\n" for url, day in addresses
    )
    return f'{_XML}<urlset xmlns="{_SITEMAP}">\n{body}</urlset>\n'.encode()


def sitemap_index(addresses: Iterable[str]) -> bytes:
    body = "".join(f"<sitemap><loc>{escape(url)}</loc></sitemap>\n" for url in addresses)
    return f'{_XML}<sitemapindex xmlns="{_SITEMAP}">\n{body}</sitemapindex>\n'.encode()


def robots(site: Site) -> bytes:
    lines = ["User-agent: *", "Allow: /", "Disallow: /search/"]
    if site.site_url:
        lines.append(f"Sitemap: {site.url('sitemap.xml')}")
    return ("\n".join(lines) + "\n").encode()


_XML = '<?xml version="1.0" encoding="utf-8"?>\n'
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


def _instant(day: str) -> str:
    """Midnight in China; a day that is none counts as never."""
    try:
        date.fromisoformat(day)
    except ValueError:
        day = "1970-01-01"
    return f"{day}T00:00:00+08:00"


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def csv_row(cells: list[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(["'" + c if c[:1] in ("=", "+", "-", "@", "\t") else c for c in cells])
    return line.getvalue().encode()


def csv_table(rows: Iterable[Sequence[Any]]) -> bytes:
    """UTF-8 with a byte order mark, for Excel; a cell of nothing is empty."""
    return "\ufeff".encode() + b"".join(csv_row(["" if cell is None else str(cell) for cell in row]) for row in rows)
