"""The page of each entry with its files for machines, and the pages of entries that are no longer there."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from mulu_site import dcat, package, preview, structured
from mulu_site.entry_view import LIMITS, Known, entry_view
from mulu_site.machine import Withdrawn
from mulu_site.place import Site
from mulu_site.release import BuildError, Writer
from mulu_site.render import Renderer, readable, script_json
from mulu_site.row import Row
from mulu_site.snapshot import Entry, SnapshotError, entry_of
from mulu_site.text import clean, digest, one_line, slug
from mulu_site.work import Work

PAGE_BYTES = 60_000
_GONE = ("id", "title", "provider_title", "on", "reason")
Gone = dict[str, dict[str, str]]


def make(work: Work) -> None:
    """All entries' pages."""
    template = work.renderer.fingerprint("entry.html") + work.site_key
    codes = {row.code: (row.page, row.title) for row in work.rows if row.code}
    outcomes = work.ledger.outcomes()
    with work.source.path.open("rb") as stream:
        for n, row in enumerate(work.rows):
            told = outcomes.get(row.id, ())

            def write_entry(write: Writer, n: int = n, row: Row = row, told: Any = told) -> None:
                stream.seek(work.catalogue.offsets[n])
                _entry(work, entry_of(stream.readline()), row, codes, told, write)

            # A page links to related entries and shows the outcome of re-reviews, so it changes when these come or go.
            related = digest([codes.get(code) for code in row.related]) if row.related else ""
            shown = "".join(digest(one, one.label) for one in told)
            key = sha256(f"{work.catalogue.digests[n]}{template}{related}{shown}".encode()).hexdigest()
            note = {"id": row.id, "title": row.title, "provider_title": row.provider_title}
            work.release.unit(f"entry/{row.page}", key, write_entry, note)
            if n % 50 == 0:
                work.progress(n, len(work.rows))
    work.progress(len(work.rows), len(work.rows))


def _entry(work: Work, entry: Entry, row: Row, codes: Known, told: Any, write: Writer) -> None:
    folder, site = f"entry/{row.page}/", work.site
    write(folder + "index.html", page_of(work.renderer, entry, row, site, codes, told))
    write(folder + "entry.json", readable(structured.public(entry, row, site)))
    node = dcat.dataset(entry, row, site)
    write(folder + "dcat.ttl", dcat.turtle([node]))
    write(folder + "dcat.jsonld", dcat.json_ld([node]))
    if described := package.descriptor(entry, row, site):
        write(folder + "datapackage.json", readable(described))
    if checked := preview.report(entry):
        write(folder + "quality.json", readable(checked))


def page_of(renderer: Renderer, entry: Entry, row: Row, site: Site, codes: Known, told: Any = ()) -> bytes:
    """An entry's page, at most PAGE_BYTES whatever the entry holds."""
    for limits in LIMITS:
        about = script_json(structured.schema_org(entry, row, site, limits.resources))
        page = renderer.page("entry.html", f"entry/{row.page}/", e=entry_view(entry, row, site, limits, codes, told) | {"schema_org": about})
        if len(page) <= PAGE_BYTES:
            break
    return page


def gone(work: Work, allow_withdrawal: bool) -> Gone:
    """Pages that were published and have no entry now: from the release before, and from what the snapshot tells.

    Raises `BuildError` where more than half of the published entries are gone and nobody has said that this is so.
    """
    now = {row.page for row in work.rows}
    found: Gone = {}
    before = lost = 0
    told = _told(work.source.header)
    for name, unit in work.release.current.items():
        kind, _, page = name.partition("/")
        if kind in ("entry", "gone"):
            before += kind == "entry"
            if page not in now:
                lost += kind == "entry" and page not in told
                found[page] = {"on": work.today, **unit.note}
    if lost > 20 and lost * 2 > before and not allow_withdrawal:
        raise BuildError(
            f"快照缺少已发布的 {before} 条中的 {lost} 条，超过一半，可能不完整；确认无误后，请指定允许撤下再生成。"
        )
    found |= {page: note for page, note in told.items() if page not in now}
    found |= {page: {"id": entry_id} for page, entry_id in work.catalogue.former.items()}
    return {page: dict.fromkeys(_GONE, "") | note for page, note in sorted(found.items())}


def make_gone(work: Work, pages: Gone) -> None:
    """A page for each that tells when it was withdrawn, or leads on to where the entry is now."""
    rows = {row.id: row for row in work.rows}
    for page, note in pages.items():
        row = rows.get(note["id"])
        shown = {"title": row.title} if row else note
        work.page("withdrawn.html", f"entry/{page}/", unit=f"gone/{page}", note=note, gone=shown, moved=row.page if row else "")


def withdrawn(work: Work, pages: Gone) -> list[Withdrawn]:
    """What the feed of changes tells of them: those whose entry has no other page now."""
    gone = ((page, note) for page, note in pages.items() if note["on"] and note["title"] and note["id"] not in work.page_of_id)
    return [Withdrawn(page, note["title"], note["provider_title"], note["on"], note["reason"]) for page, note in gone]


def _told(header: Mapping[str, Any]) -> Gone:
    """What the snapshot says of withdrawn entries: `withdrawn: [{id, name, title, provider_title, on, reason}]`."""
    given = clean(header.get("withdrawn", []))
    if not isinstance(given, list) or not all(isinstance(one, dict) and one.get("name") for one in given):
        raise SnapshotError("快照写明的已撤下条目（withdrawn）应是列表，每条都有 name，请重新生成快照。")
    return {slug(str(one["name"]).strip()): {key: one_line(one.get(key)) for key in _GONE} for one in given}
