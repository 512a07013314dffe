"""The whole catalogue in memory: of each entry its row and where it stands in the snapshot, not the entry itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from mulu_site.row import Row, full_text, row_of
from mulu_site.snapshot import Snapshot
from mulu_site.text import Sound, one_line, web_address


@dataclass
class Catalogue:
    """All rows in pinyin order, with where each entry stands in the file and what the second stage of search looks through."""

    rows: list[Row]
    offsets: list[int]
    digests: list[str]
    texts: list[str]
    sources: list[tuple[str, str]]

    @classmethod
    def read(cls, source: Snapshot, sounds: Mapping[str, Sound]) -> Catalogue:
        found: list[tuple[Row, int, str, str]] = []
        sources: dict[str, str] = {}
        for line in source.lines():
            entry = line.entry()
            origin = entry.get("source")
            if isinstance(origin, dict) and origin.get("name"):
                url = urlsplit(web_address(origin.get("url")))
                sources.setdefault(one_line(origin["name"]), f"{url.scheme}://{url.netloc}" if url.netloc else "")
            found.append((row_of(entry, sounds), line.offset, line.digest, full_text(entry)))
        found.sort(key=lambda f: (f[0].order, f[0].page))
        rows, offsets, digests, texts = ([f[i] for f in found] for i in range(4))
        return cls(rows, offsets, digests, texts, list(sources.items()))
