"""The search index, in pieces that a browser fetches when somebody begins to search.

First stage, `search/rows-*.json`: title, department, classes, formats, date and pinyin initials of every entry, PIECE rows a file.
Second stage, `search/words-*.json`: for every pair of neighbouring characters in abstracts and item names, the entries that hold it;
a query fetches only the files of its own pairs. `search/index.json` names the files (by digest, so that a release never mixes
with another one in a cache) and the values of the facets. search.js reads all this; its `fold` and `shard` must match ours.
"""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from mulu_site import words
from mulu_site.lists import Group
from mulu_site.row import Row

PIECE = 5000
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass
class WordIndex:
    """Collects the second stage: pair of characters → positions of the entries, in rising order."""

    pairs: defaultdict[str, array[int]] = field(default_factory=lambda: defaultdict(lambda: array("I")))

    def add(self, position: int, text: str) -> None:
        for line in text.split("\n"):
            for pair in {line[i : i + 2] for i in range(len(line) - 1)}:
                held = self.pairs[pair]
                if not held or held[-1] != position:
                    held.append(position)

    def shards(self, entries: int) -> tuple[int, Iterator[tuple[int, bytes]]]:
        """Their number, and (number, content) of each; more of them for a larger catalogue, so that each stays small."""
        count = 64 if entries < 5000 else 256 if entries < 50000 else 1024
        by_shard: defaultdict[int, list[str]] = defaultdict(list)
        for pair in self.pairs:
            by_shard[shard(pair, count)].append(pair)

        def files() -> Iterator[tuple[int, bytes]]:
            for number in range(count):
                content = {pair: _deltas(self.pairs[pair]) for pair in sorted(by_shard.get(number, ()))}
                yield number, _json(content)

        return count, files()


def shard(pair: str, count: int) -> int:
    """By UTF-16 units, as a script sees them."""
    units = pair.encode("utf-16-le")
    value = 0
    for i in range(0, len(units), 2):
        value = (value * 31 + units[i] + 256 * units[i + 1]) % 65521
    return value % count


def _deltas(positions: Iterable[int]) -> str:
    """Rising numbers as their differences in base 36, parted by blanks: 3 7 8 → "3 4 1"."""
    parts, last = [], 0
    for position in positions:
        parts.append(_base36(position - last))
        last = position
    return " ".join(parts)


def _base36(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
        if not number:
            return text


def pieces(rows: Sequence[Row], groups: dict[str, list[Group]]) -> Iterator[bytes]:
    """The first stage. Columns, not records: half the size, and parsed in a few milliseconds."""
    place = {d: {g.key: n for n, g in enumerate(found)} for d, found in groups.items()}
    formats = format_values(rows)
    format_place = {f: n for n, f in enumerate(formats)}
    for start in range(0, len(rows), PIECE):
        part = rows[start : start + PIECE]
        yield _json(
            {
                "title": "\n".join(r.title for r in part),
                "page": "\n".join(r.page for r in part),
                "code": "\n".join(r.code for r in part),
                "initials": "\n".join(r.initials for r in part),
                "date": "\n".join(r.changed for r in part),
                "department": [place["department"].get(r.provider, -1) for r in part],
                "theme": [place["theme"].get(r.theme, -1) for r in part],
                "kind": [place["kind"].get(r.kind, -1) for r in part],
                "open": [place["open"].get(r.open, -1) for r in part],
                "share": [place["share"].get(r.share, -1) for r in part],
                "frequency": [place["frequency"].get(r.frequency, -1) for r in part],
                "format": [[format_place[f] for f in r.formats] for r in part],
                "objection": [n for n, r in enumerate(part) if r.objection],
            }
        )


def index(
    total: int, piece_files: list[str], shard_files: list[str], rows: Sequence[Row], groups: dict[str, list[Group]]
) -> bytes:
    """What search.js reads first."""
    facets = {d: [[g.key, g.label] for g in found] for d, found in groups.items()}
    facets["format"] = [[f, f] for f in format_values(rows)]
    labels = {g.dimension.id: g.dimension.label for found in groups.values() for g in found} | {"format": "格式"}
    return _json(
        {
            "total": total,
            "piece": PIECE,
            "rows": piece_files,
            "words": shard_files,
            "facets": facets,
            "labels": labels,
            "none": {"open": words.label("open_type", "none"), "share": words.label("share_type", "none")},
        }
    )


def format_values(rows: Sequence[Row]) -> list[str]:
    counts: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        for name in row.formats:
            counts[name] += 1
    return sorted(counts, key=lambda f: (-counts[f], f))


def file_name(stage: str, number: int, content: bytes) -> str:
    return f"search/{stage}-{number}-{sha256(content).hexdigest()[:10]}.json"


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
