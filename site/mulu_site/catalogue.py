"""The whole catalogue in memory: of each entry its row and where it stands in the snapshot, not the entry itself."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from mulu_site.memory import Memory
from mulu_site.row import Row
from mulu_site.snapshot import Snapshot
from mulu_site.text import web_address

# Of these there are few different values: rows share them.
_SHARED = ("provider", "provider_title", "kind", "theme", "share", "open", "frequency", "formats", "updated", "published", "related", "since")
_FEW = tuple(map(Row._fields.index, _SHARED))


@dataclass
class Catalogue:
    """All rows in pinyin order, and of each: where its line begins, the line's digest, the row's own (`marks`) and its text's.

    `former` leads from an entry's earlier page to its id.
    """

    rows: list[Row]
    offsets: array[int]
    digests: list[str]
    marks: list[bytes]
    text_digests: list[str]
    sources: list[tuple[str, str]]
    former: dict[str, str]

    @classmethod
    def read(cls, source: Snapshot, memory: Memory) -> Catalogue:
        found: list[tuple[Row, int, str, str]] = []
        sources: dict[str, str] = {}
        former: dict[str, str] = {}
        shared: dict[Any, Any] = {}
        for line in source.lines():
            known = memory.known(line.digest) or memory.learn(line.digest, line.entry())
            values = list(known.row)
            for n in _FEW:
                values[n] = shared.setdefault(values[n], values[n])
            row = Row._make(values)
            if known.source[0] and known.source[0] not in sources:
                url = urlsplit(web_address(known.source[1]))
                sources[known.source[0]] = f"{url.scheme}://{url.netloc}" if url.netloc else ""
            former.update(dict.fromkeys(known.former, row.id))
            found.append((row, line.offset, line.digest, known.text))
        found.sort(key=lambda f: (f[0].order, f[0].page))
        rows, digests = [f[0] for f in found], [f[2] for f in found]
        for page in (row.page for row in rows):
            former.pop(page, None)
        marks = [hashlib.blake2b(msgspec.json.encode(row), digest_size=12).digest() for row in rows]
        return cls(
            rows, array("Q", (f[1] for f in found)), digests, marks, [f[3] for f in found],
            list(sources.items()), former,
        )  # fmt: skip
