"""What every part of a build works with: the catalogue, whose site it is, and the release under construction.

A part makes its pages with `page()`, its files with `file()`; larger ones are units of their own (`release.unit`). So that one
changed entry costs little among 100,000, a unit's key is made of digests that are there already (of rows: `entries=`), and what
goes through all entries keeps its parts (`wholes.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from mulu_site import lists
from mulu_site.catalogue import Catalogue
from mulu_site.days import day_of
from mulu_site.ledger import Ledger
from mulu_site.lists import Group
from mulu_site.memory import Memory
from mulu_site.place import Site
from mulu_site.release import Release
from mulu_site.render import Renderer
from mulu_site.row import Row
from mulu_site.snapshot import Entry, Snapshot
from mulu_site.text import clean, digest

Progress = Callable[[int, int], None]


@dataclass
class Work:
    """`pages`: the hand-written Markdown, None without it."""

    source: Snapshot
    catalogue: Catalogue
    memory: Memory
    ledger: Ledger
    site: Site
    release: Release
    progress: Progress
    pages: Path | None

    def __post_init__(self) -> None:
        self.rows: Sequence[Row] = self.catalogue.rows
        self.renderer = Renderer(site=self.site)
        self.site_key = digest(self.site.to_dict())
        self.today = day_of(self.source.header.get("generated_at"))
        self.page_of_id = {row.id: row.page for row in self.rows}

    @cached_property
    def groups(self) -> dict[str, list[Group]]:
        return lists.group(self.rows, lists.department_titles(clean(self.source.departments)))

    @cached_property
    def by_page(self) -> list[int]:
        """Positions of the entries in the order of their pages: one whose title changes does not move."""
        return sorted(range(len(self.rows)), key=lambda n: self.rows[n].page)

    def read(self, positions: Iterable[int]) -> Iterator[tuple[Entry, Row]]:
        positions = list(positions)
        entries = self.source.read(self.catalogue.offsets[n] for n in positions)
        return zip(entries, (self.rows[n] for n in positions), strict=True)

    def page(
        self, template: str, path: str, *, entries: Sequence[int] | None = None, unit: str = "", note: Any = None, **context: Any
    ) -> None:
        """One page as a unit: made anew when what it shows, its template or its site changes. `entries`: positions of those whose rows it lists (as `rows`)."""
        file = path if path.endswith(".html") else path + "index.html"
        marks = b"".join(self.catalogue.marks[n] for n in entries or ()).hex()
        key = digest(self.renderer.fingerprint(template), self.site_key, marks, context)

        def make(write: Any) -> None:
            listed = {} if entries is None else {"rows": [self.rows[n] for n in entries]}
            write(file, self.renderer.page(template, path, **listed, **context))

        self.release.unit(unit or f"page/{file}", key, make, note)

    def file(self, path: str, content: bytes) -> None:
        self.release.unit(f"file/{path}", sha256(content).hexdigest(), lambda write: write(path, content))
