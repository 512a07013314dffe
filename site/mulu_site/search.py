"""The search index, in pieces that a browser fetches when somebody begins to search.

First stage, `search/rows-*.json`: title, department, classes, formats, date and pinyin initials of every entry, PIECE rows a file.
Second stage, `search/words-*.json`: for every pair of neighbouring characters in abstracts and item names, the entries that hold it;
a query fetches only the files of its own pairs. `search/index.json` names the files (by digest, so that a release never mixes
with another one in a cache), the values of the facets and the words that mean the same (synonyms.yml). search.js reads all
this; its `fold` and `shard` must match ours.
"""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from itertools import chain
from pathlib import Path

import yaml

from mulu_site.lists import Group
from mulu_site.row import Row
from mulu_site.text import fold, sound

PIECE = 5000
SYNONYMS = Path(__file__).with_name("synonyms.yml")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def word_shards(texts: Collection[str]) -> Iterator[bytes]:
    """The second stage: pair of characters → positions of the entries that hold it. More files for more entries, so that each stays small."""
    pairs: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
    for position, text in enumerate(texts):
        for pair in pairs_of(text):
            pairs[pair].append(position)
    count = 64 if len(texts) < 5000 else 256 if len(texts) < 50000 else 1024
    by_shard: list[list[str]] = [[] for _ in range(count)]
    for pair in pairs:
        by_shard[shard(pair, count)].append(pair)
    for held in by_shard:
        yield contents_of({pair: pairs[pair] for pair in held})


def pairs_of(text: str) -> set[str]:
    """All pairs of neighbouring characters in the lines of a text."""
    return {line[i : i + 2] for line in text.split("\n") for i in range(len(line) - 1)}


def contents_of(held: Mapping[str, Sequence[int]]) -> bytes:
    """A file of the second stage: pairs in order, each with its rising positions."""
    return _json({pair: _deltas(held[pair]) for pair in sorted(held)})


def shard(pair: str, count: int) -> int:
    """By UTF-16 units, as a script sees them."""
    units = pair.encode("utf-16-le")
    value = 0
    for i in range(0, len(units), 2):
        value = (value * 31 + units[i] + 256 * units[i + 1]) % 65521
    return value % count


def _deltas(positions: Sequence[int]) -> str:
    """Rising numbers as their differences in base 36, parted by blanks: 3 7 8 → "3 4 1"."""
    return " ".join([_base36(b - a) for a, b in zip(chain((0,), positions), positions, strict=False)])


@cache  # few differ: most steps are short
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
                "api": [n for n, r in enumerate(part) if r.api],
                "objection": [n for n, r in enumerate(part) if r.objection],
            }
        )


def index(rows: Sequence[Row], groups: dict[str, list[Group]], piece_files: list[str], shard_files: list[str]) -> bytes:
    """What search.js reads first."""
    facets = {d: [[g.key, g.label] for g in found] for d, found in groups.items()}
    facets["department"] = [[*pair, sound(pair[1]).initials] for pair in facets["department"]]
    facets |= {"format": [[f, f] for f in format_values(rows)], "api": [["1", "提供接口"]]}
    labels = {g.dimension.id: g.dimension.label for found in groups.values() for g in found}
    return _json(
        {
            "total": len(rows),
            "piece": PIECE,
            "rows": piece_files,
            "words": shard_files,
            "facets": facets,
            "labels": labels | {"format": "格式", "api": "接口"},
            "synonyms": synonyms(),
        }
    )


@cache
def synonyms() -> list[list[str]]:
    """Groups of words that mean the same, folded as search compares them."""
    return [[fold(word) for word in group] for group in yaml.safe_load(SYNONYMS.read_text())]


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
