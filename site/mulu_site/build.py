"""Builds the site: a snapshot in, a published release out. Gathers everything first, then makes what has changed, then switches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import yaml

from mulu_site import asking, dcat, lists, machine, offline, package, search
from mulu_site.catalogue import Catalogue
from mulu_site.entry_view import LIMITS, entry_view
from mulu_site.ledger import Ledger, read_ledger
from mulu_site.lists import Group, page_path, pages_of
from mulu_site.place import Site, site_of
from mulu_site.release import BuildError, Release, Writer, start
from mulu_site.render import PAGES, TEMPLATES, Renderer, code_digest, script_json
from mulu_site.row import Row
from mulu_site.snapshot import Entry, Snapshot, entry_of, open_snapshot
from mulu_site.text import Sound, clean, digest, one_line

PAGE_BYTES = 60_000
DCAT_PAGE = 100
HOME_LATEST, HOME_GROUPS, SIDE_GROUPS, GROUPS_PER_PAGE = 10, 48, 12, 240
Progress = Callable[[int, int], None]


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
    progress: Progress | None = None,
) -> Report:
    """Builds the site of a snapshot into `out` and publishes it at `out/current`.

    `portal_url` and `site_url` override the snapshot's header. `pages` holds the hand-written Markdown (None leaves it out).
    A snapshot that lacks more than half of the published entries is refused unless `allow_withdrawal`.
    Raises `SnapshotError` or `BuildError` with one sentence; the published site is then as it was.
    """
    source = open_snapshot(snapshot)
    ledger = read_ledger(source.header)
    with start(out) as release:
        catalogue = Catalogue.read(source, _sounds(release))
        site = site_of(source, catalogue.sources, portal_url=portal_url, site_url=site_url)
        job = _Job(source, catalogue, ledger, site, release, progress or (lambda done, total: None), pages)
        job.guard(allow_withdrawal)
        job.run()
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        folder = release.publish(stamp)
    return Report(folder, len(catalogue.rows), len(job.gone), len(release.units), tuple(release.made))


def _sounds(release: Release) -> dict[str, Sound]:
    """How the published titles sound: an earlier build has worked it out."""
    notes = (unit.note or {} for name, unit in release.current.items() if name.startswith("entry/"))
    return {note["title"]: Sound(*note["sound"]) for note in notes if "sound" in note}


@dataclass
class _Job:
    source: Snapshot
    catalogue: Catalogue
    ledger: Ledger
    site: Site
    release: Release
    progress: Progress
    pages: Path | None
    gone: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows: Sequence[Row] = self.catalogue.rows
        self.renderer = Renderer(site=self.site)
        self.site_key = digest(self.site.to_dict())
        self.outcomes = self.ledger.outcomes()
        self.asked = list(asking.pages(self.site, self.ledger, {row.id: row.page for row in self.rows}))
        self.today = str(self.source.header.get("generated_at") or "")[:10]
        self.groups = lists.group(self.rows, lists.department_titles(clean(self.source.departments)))

    def guard(self, allow_withdrawal: bool) -> None:
        """Finds the entries that were published and no longer are."""
        now = {row.page for row in self.rows}
        before = 0
        for name, unit in self.release.current.items():
            kind, _, page = name.partition("/")
            before += kind == "entry"
            if kind in ("entry", "gone") and page not in now:
                self.gone[page] = {"on": self.today, **unit.note}
        lost = before - sum(1 for page in now if f"entry/{page}" in self.release.current)
        if lost > 20 and lost * 2 > before and not allow_withdrawal:
            raise BuildError(
                f"快照缺少已发布的 {before} 条中的 {lost} 条，超过一半，可能不完整；确认无误后，请指定允许撤下再生成。"
            )

    def run(self) -> None:
        self.entries()
        self.withdrawn()
        self.overview()
        for page, path, context in self.asked:
            self._page(page, path, **context)
        self.registers()
        self.search_index()
        self.machine_files()
        self.shell_files()

    # Pages

    def entries(self) -> None:
        template = self.renderer.fingerprint("entry.html") + self.site_key
        codes = {row.code: row.page for row in self.rows if row.code}
        with self.source.path.open("rb") as stream:
            for n, row in enumerate(self.rows):
                offset = self.catalogue.offsets[n]

                def make(write: Writer, row: Row = row, offset: int = offset) -> None:
                    stream.seek(offset)
                    self._entry(entry_of(stream.readline()), row, codes, write)

                # A page links to related entries and shows the outcome of re-reviews, so it changes when these come or go.
                related = "".join(codes.get(code, "-") for code in row.related)
                told = "".join(digest(one, one.label) for one in self.outcomes.get(row.id, ()))
                key = sha256(f"{self.catalogue.digests[n]}{template}{related}{told}".encode()).hexdigest()
                note = {
                    "id": row.id,
                    "title": row.title,
                    "provider_title": row.provider_title,
                    "sound": [row.initials, row.order],
                }
                self.release.unit(f"entry/{row.page}", key, make, note)
                if n % 50 == 0:
                    self.progress(n, len(self.rows))
        self.progress(len(self.rows), len(self.rows))

    def _entry(self, entry: Entry, row: Row, codes: dict[str, str], write: Writer) -> None:
        folder = f"entry/{row.page}/"
        structured = script_json(dcat.schema_org(entry, row, self.site))
        for limits in LIMITS:
            view = entry_view(entry, row, self.site, limits, codes, self.outcomes.get(row.id, ())) | {"schema_org": structured}
            page = self.renderer.page("entry.html", folder, e=view)
            if len(page) <= PAGE_BYTES:
                break
        write(folder + "index.html", page)
        write(
            folder + "entry.json", json.dumps(dcat.public(entry, row, self.site), ensure_ascii=False, indent=1).encode()
        )
        node = dcat.dataset(entry, row, self.site)
        write(folder + "dcat.ttl", dcat.turtle([node]))
        write(folder + "dcat.jsonld", dcat.json_ld([node]))
        if described := package.descriptor(entry, row, self.site):
            write(folder + "datapackage.json", json.dumps(described, ensure_ascii=False, indent=1).encode())

    def withdrawn(self) -> None:
        by_id = {row.id: row.page for row in self.rows}
        for page, note in self.gone.items():
            moved = by_id.get(note.get("id", ""), "")
            self._page("withdrawn.html", f"entry/{page}/", f"gone/{page}", note, gone=note, moved=moved)

    def overview(self) -> None:
        newest = sorted(self.rows, key=lambda r: (r.changed, r.id), reverse=True)[:HOME_LATEST]
        opens = self.groups["open"]
        departments, themes = self.groups["department"], self.groups["theme"]
        self._page(
            "home.html",
            "",
            total=len(self.rows),
            open_groups=[g.shown() for g in opens],
            departments=[g.shown() for g in departments[:HOME_GROUPS]],
            department_total=len(departments),
            themes=[g.shown() for g in themes[:HOME_GROUPS]],
            latest=newest,
        )
        self._page(
            "browse.html",
            "browse/",
            heading="分类",
            trail=[("分类", "")],
            dimensions=self._dimensions(HOME_GROUPS),
            pages=1,
        )
        for dimension in lists.DIMENSIONS:
            self._dimension(dimension)

    def _dimension(self, dimension: lists.Dimension) -> None:
        """All groups of a dimension; beyond GROUPS_PER_PAGE on further pages ("-" can begin no group's own address)."""
        groups, base = self.groups[dimension.id], f"browse/{dimension.id}/"
        pages = max(1, -(-len(groups) // GROUPS_PER_PAGE))
        for page in range(1, pages + 1):
            shown = [g.shown() for g in groups[(page - 1) * GROUPS_PER_PAGE : page * GROUPS_PER_PAGE]]
            path = base if page == 1 else f"{base}-/{page}/"
            self._page(
                "browse.html",
                path,
                heading=dimension.label,
                trail=[("分类", "browse/"), (dimension.label, "")],
                dimensions=[{"id": dimension.id, "label": f"全部{dimension.label}", "groups": shown, "more": False}],
                page=page,
                pages=pages,
                first=base,
                base=base + "-/",
            )

    def _dimensions(self, most: int) -> list[dict[str, Any]]:
        return [
            {
                "id": d.id,
                "label": d.label,
                "groups": [g.shown() for g in self.groups[d.id][:most]],
                "more": len(self.groups[d.id]) > most,
            }
            for d in lists.DIMENSIONS
        ]

    def registers(self) -> None:
        facts = {str(d["name"]): self._facts(d) for d in clean(self.source.departments)}
        for groups in self.groups.values():
            for group in groups:
                self._register(group, facts.get(group.key, []) if group.dimension.id == "department" else [])
        everything = Group(lists.DIMENSIONS[0], "", "", tuple(range(len(self.rows))))
        sides = sorted(
            self._dimensions(SIDE_GROUPS), key=lambda d: d["id"] != "open"
        )  # what one may use comes first, as in search.js
        for page, rows in self._paged(everything):
            self._page(
                "catalogue.html",
                page_path("catalogue/", page),
                rows=rows,
                page=page,
                pages=pages_of(len(self.rows)),
                base="catalogue/",
                total=len(self.rows),
                dimensions=sides,
            )

    def _register(self, group: Group, facts: list[tuple[str, str]]) -> None:
        dimension = group.dimension
        feed = f"{group.path}atom.xml" if dimension.id in ("department", "theme") else ""
        for page, rows in self._paged(group):
            self._page(
                "list.html",
                page_path(group.path, page),
                heading=group.label,
                dimension_label=dimension.label,
                trail=[("分类", "browse/"), (dimension.label, f"browse/{dimension.id}/"), (group.label, "")],
                rows=rows,
                page=page,
                pages=pages_of(group.count),
                base=group.path,
                total=group.count,
                facts=facts if page == 1 else [],
                feed=feed,
                search_link=f"{dimension.id}={quote(group.key)}",
                show_provider=dimension.id != "department",
            )
        if feed:
            rows = [self.rows[n] for n in group.rows]
            self._file(feed, machine.atom(self.site, f"{group.label} - {self.site.title}", feed, rows))

    def _paged(self, group: Group) -> Iterator[tuple[int, list[Row]]]:
        for page in range(1, pages_of(group.count) + 1):
            yield page, [self.rows[n] for n in group.rows[(page - 1) * lists.PER_PAGE : page * lists.PER_PAGE]]

    @staticmethod
    def _facts(department: dict[str, Any]) -> list[tuple[str, str]]:
        facts = [("统一社会信用代码", department.get("code")), ("首席数据官", department.get("chief_data_officer"))]
        return [(label, one_line(value)) for label, value in facts if one_line(value)]

    # Search, data files, shell

    def search_index(self) -> None:
        files: dict[str, list[str]] = {}

        def stage(name: str, key: str, contents: Callable[[], Iterable[bytes]]) -> None:
            def make(write: Writer) -> None:
                for number, content in enumerate(contents()):
                    write(search.file_name(name, number, content), content)

            files[name] = self.release.unit(f"search/{name}", digest(key, code_digest()), make).files

        labels = [[(g.key, g.label) for g in groups] for groups in self.groups.values()]
        stage("rows", digest(self.rows, labels), lambda: search.pieces(self.rows, self.groups))
        stage("words", digest(self.catalogue.texts), lambda: search.word_shards(self.catalogue.texts))
        self._file("search/index.json", search.index(self.rows, self.groups, files["rows"], files["words"]))

    def machine_files(self) -> None:
        by_page = sorted(range(len(self.rows)), key=lambda n: self.rows[n].page)
        every = digest(self.site_key, code_digest(), [self.catalogue.digests[n] for n in by_page])
        self.release.unit("bulk", every, lambda write: write.streams(machine.whole(self.site, self._read(by_page))))
        self._file("atom.xml", machine.atom(self.site, self.site.title, "atom.xml", self.rows))
        self._dcat_pages(by_page)
        maps = []
        for number, start_at in enumerate(range(0, len(by_page), machine.SITEMAP_SIZE), start=1):
            part = [self.rows[n] for n in by_page[start_at : start_at + machine.SITEMAP_SIZE]]
            maps.append(f"sitemap-{number}.xml")
            self._file(maps[-1], machine.sitemap((self.site.url(f"entry/{r.page}/"), r.changed) for r in part))
        own = ["", "catalogue/", *(path for _, path, _ in self.asked), *self._group_paths()]
        self._file("sitemap-0.xml", machine.sitemap((self.site.url(p), "") for p in own))
        self._file("sitemap.xml", machine.sitemap_index(self.site.url(p) for p in ["sitemap-0.xml", *maps]))
        self._file("robots.txt", machine.robots(self.site))
        self._file("ledger.json", json.dumps(self.ledger.to_dict(), ensure_ascii=False, indent=1).encode())

    def _group_paths(self) -> Iterator[str]:
        for groups in self.groups.values():
            yield from (g.path for g in groups)

    def _dcat_pages(self, by_page: list[int]) -> None:
        """Entries go to pages by a digest of their name: one that comes or goes changes one page, not all that follow."""
        count = 1
        while count * DCAT_PAGE < len(by_page):
            count *= 2
        buckets: list[list[int]] = [[] for _ in range(count)]
        for n in by_page:
            buckets[int(sha256(self.rows[n].page.encode()).hexdigest()[:8], 16) % count].append(n)
        for number, bucket in enumerate(buckets, start=1):
            total = len(by_page) if number == 1 else 0
            key = digest(
                self.site_key, code_digest(), number, count, total, [self.catalogue.digests[n] for n in bucket]
            )

            def make(write: Writer, number: int = number, bucket: list[int] = bucket, total: int = total) -> None:
                datasets = [dcat.dataset(entry, row, self.site) for entry, row in self._read(bucket)]
                nodes = dcat.catalogue_page(self.site, number, count, total, datasets)
                write(f"dcat/catalog-{number}.ttl", dcat.turtle(nodes))
                write(f"dcat/catalog-{number}.jsonld", dcat.json_ld(nodes))

            self.release.unit(f"dcat/{number}", key, make)

    def shell_files(self) -> None:
        prefix = urlsplit(self.site.site_url).path.rstrip("/") + "/"
        self._page("404.html", "404.html", root=prefix)
        self._page("offline.html", "offline.html")
        assets = {f"assets/{file.name}": file.read_bytes() for file in sorted((TEMPLATES / "assets").iterdir())}
        english = yaml.safe_load((Path(__file__).parent / "i18n" / "en.yml").read_text())
        assets["assets/en.json"] = json.dumps(english, ensure_ascii=False, separators=(",", ":")).encode()
        for path, content in (assets | {"sw.js": offline.worker(assets, self.site)}).items():
            self._file(path, content)
        if self.pages:
            from mulu_site import docs  # only the hand-written pages need mkdocs

            docs.unit(self.release, self.pages, self.site, self.renderer)

    def _read(self, positions: Iterable[int]) -> Iterator[tuple[Entry, Row]]:
        positions = list(positions)
        entries = self.source.read(self.catalogue.offsets[n] for n in positions)
        return zip(entries, (self.rows[n] for n in positions), strict=True)

    def _page(self, template: str, path: str, unit: str = "", note: Any = None, **context: Any) -> None:
        """One page as a unit: made anew when what it shows, its template or its site changes."""
        file = path if path.endswith(".html") else path + "index.html"
        key = digest(self.renderer.fingerprint(template), self.site_key, context)
        self.release.unit(
            unit or f"page/{file}", key, lambda write: write(file, self.renderer.page(template, path, **context)), note
        )

    def _file(self, path: str, content: bytes) -> None:
        self.release.unit(f"file/{path}", sha256(content).hexdigest(), lambda write: write(path, content))
