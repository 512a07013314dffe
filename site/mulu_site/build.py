"""Builds the site: a snapshot in, a published release out. Gathers everything first, then makes what has changed, then switches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mulu_site import apis, asking, dashboard, entries, ledger_files, machine, pages, shell, wholes, workbook
from mulu_site.catalogue import Catalogue
from mulu_site.ledger import read_ledger
from mulu_site.memory import Memory, remember
from mulu_site.place import site_of
from mulu_site.release import Release, start
from mulu_site.render import PAGES, code_digest
from mulu_site.snapshot import Snapshot, open_snapshot
from mulu_site.work import Progress, Work


@dataclass(frozen=True)
class Report:
    """What a build did: `made` names the units it had to make, the others were as they are."""

    release: Path
    entries: int
    withdrawn: int
    units: int
    made: tuple[str, ...]


def build(
    snapshot: str | Path,
    out: str | Path,
    *,
    portal_url: str = "",
    site_url: str = "",
    pages: Path | None = PAGES,
    allow_withdrawal: bool = False,
    wait: float = 0,
    progress: Progress | None = None,
) -> Report:
    """Builds the site of a snapshot into `out` and publishes it at `out/current`.

    `portal_url` and `site_url` override the snapshot's header. `pages` holds the hand-written Markdown (None leaves it out).
    A snapshot that lacks more than half of the published entries is refused unless `allow_withdrawal`. One build at a time: another
    one is waited for `wait` seconds.
    Raises `SnapshotError` or `BuildError` with one sentence; the published site is then as it was.
    """
    source = open_snapshot(snapshot)
    with start(out, wait=wait) as release, remember(Path(out) / "releases" / "memory.db", code_digest()) as memory:
        return _publish(_gather(source, memory, release, progress, pages, portal_url, site_url), allow_withdrawal)


def _publish(work: Work, allow_withdrawal: bool) -> Report:
    gone = entries.gone(work, allow_withdrawal)
    facts = _make(work, gone)
    folder = work.release.publish(datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f"))
    work.memory.keep(work.catalogue.digests, facts)
    return Report(folder, len(work.rows), len(gone), len(work.release.units), tuple(work.release.made))


def _gather(
    source: Snapshot, memory: Memory, release: Release, progress: Progress | None, pages: Path | None, portal_url: str, site_url: str
) -> Work:
    ledger, catalogue = read_ledger(source.header), Catalogue.read(source, memory)
    site = site_of(source, catalogue.sources, portal_url=portal_url, site_url=site_url)
    return Work(source, catalogue, memory, ledger, site, release, progress or (lambda done, total: None), pages)


def _make(work: Work, gone: entries.Gone) -> dict[str, str]:
    """All parts of the site in turn; gives what the next build should know of this one."""
    entries.make(work)
    entries.make_gone(work, gone)
    pages.overview(work)
    asked = list(asking.pages(work.site, work.ledger, work.page_of_id))
    for template, path, context in asked:
        work.page(template, path, **context)
    pages.registers(work)
    own = [dashboard.make(work), apis.make(work)]
    facts = wholes.search_index(work) | wholes.bulk(work)
    workbook.make(work, facts["bulk"])
    work.file("atom.xml", machine.atom(work.site, work.site.title, "atom.xml", work.rows, entries.withdrawn(work, gone)))
    wholes.dcat_pages(work)
    wholes.sitemaps(work, [*own, *(path for _, path, _ in asked)])
    work.file("robots.txt", machine.robots(work.site))
    for path, content in ledger_files.files(work.site, work.ledger, work.page_of_id):
        work.file(path, content)
    shell.make(work)
    return facts
