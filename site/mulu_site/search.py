"""The search index, in pieces that a browser fetches when somebody begins to search.

First stage, `search/rows-*.json`: title, department, classes, formats, date of some two thousand entries each, in the order of
the lists. Second stage, `search/words-*.json`: for every pair of neighbouring characters in abstracts and item names, the entries
that hold it; a query fetches only the files of its own pairs. `search/texts-*.json`: these texts themselves, to show where a hit
is and to tell a hit from entries that hold all pairs of a word but not the word. `search/index.json` names the files (by digest,
so that a release never mixes with another one in a cache), the values of the facets, the characters' sounds and the words that
mean the same (synonyms.yml). The scripts search-*.js read all this; their `fold` and `shardOf` must match ours.

What one entry changes stays small. A piece of the first stage depends on its own entries alone, and where a piece ends is told by
an entry, so that a new one moves no other piece. The second stage knows entries by a number in the order of their first
publication: a new entry is the last.
"""

from __future__ import annotations

import json
import re
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from zlib import crc32

import yaml
from pypinyin import lazy_pinyin

from mulu_site.lists import Group
from mulu_site.row import Row
from mulu_site.text import fold, sound

LEAST, MEAN, MOST = 1000, 1500, 4000
"""Entries in a piece of the first stage: at least, until it ends on average after that, at most."""
TEXTS = 100
LONGEST = 4000
"""Characters of an entry's text in `texts-*.json`; one that was cut ends with CUT."""
CUT = "\n…"
SYNONYMS = Path(__file__).with_name("synonyms.yml")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_THREE_DIGITS = re.compile(r"(?=([0-9]{3}))")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def numbers(rows: Sequence[Row]) -> list[int]:
    """The number of each row in the second stage: by the day of its first publication."""
    found = [0] * len(rows)
    for number, position in enumerate(sorted(range(len(rows)), key=lambda n: (rows[n].since, rows[n].page))):
        found[position] = number
    return found


def shard_count(entries: int) -> int:
    """More files for more entries, so that each stays small."""
    return 64 if entries < 5000 else 256 if entries < 50000 else 1024


def word_shards(texts: Collection[str]) -> Iterator[bytes]:
    """The second stage, from the texts in the order of the entries' numbers: pair of characters → numbers of the entries that hold it."""
    pairs: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
    for number, text in enumerate(texts):
        for pair in pairs_of(text):
            pairs[pair].append(number)
    count = shard_count(len(texts))
    by_shard: list[list[str]] = [[] for _ in range(count)]
    for pair in pairs:
        by_shard[shard(pair, count)].append(pair)
    for held in by_shard:
        yield contents_of({pair: pairs[pair] for pair in held})


def text_pieces(texts: Iterable[str]) -> Iterator[bytes]:
    """The texts in the order of the entries' numbers, TEXTS a file: lists of strings, first line the abstract, then the items."""
    rest = iter(texts)
    while piece := list(islice(rest, TEXTS)):
        yield text_piece(piece)


def text_piece(texts: Iterable[str]) -> bytes:
    return _json([text if len(text) <= LONGEST else text[:LONGEST] + CUT for text in texts])


def pairs_of(text: str) -> set[str]:
    """All pairs of neighbouring characters in the lines of a text, folded; of numbers, whose pairs are but a hundred, all threes
    of digits as well."""
    folded = fold(text)
    return {line[i : i + 2] for line in folded.split("\n") for i in range(len(line) - 1)} | set(_THREE_DIGITS.findall(folded))


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


def parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The rows of each piece of the first stage."""
    start = 0
    for end, row in enumerate(rows, 1):
        if end - start >= MOST or (end - start >= LEAST and crc32(row.page.encode()) % MEAN == 0) or end == len(rows):
            yield rows[start:end]
            start = end


def pieces(rows: Sequence[Row], numbers: Sequence[int]) -> Iterator[bytes]:
    """The first stage. Columns, not records: half the size, and parsed in a few milliseconds. A column of few values holds the
    values (`keys`) and the place in them of each entry's own (`at`)."""
    start = 0
    for part in parts(rows):
        yield _json(
            {
                "title": "\n".join(r.title for r in part),
                "page": "\n".join(r.page for r in part),
                "code": "\n".join(r.code for r in part) if any(r.code for r in part) else "",
                "initials": {n: r.initials for n, r in enumerate(part) if r.initials != _initials(r.title)},
                "date": [int(r.changed.replace("-", "")) if _DAY.match(r.changed) else 0 for r in part],
                "number": numbers[start : start + len(part)],
                "department": _column([r.provider for r in part]),
                "theme": _column([r.theme for r in part]),
                "kind": _column([r.kind for r in part]),
                "open": _column([r.open for r in part]),
                "share": _column([r.share for r in part]),
                "frequency": _column([r.frequency for r in part]),
                "format": _column([r.formats for r in part]),
                "api": [n for n, r in enumerate(part) if r.api],
                "objection": [n for n, r in enumerate(part) if r.objection],
            }
        )
        start += len(part)


def _column(values: Sequence[object]) -> dict[str, list[object]]:
    keys = {value: n for n, value in enumerate(dict.fromkeys(values))}
    return {"keys": list(keys), "at": [keys[value] for value in values]}


def index(rows: Sequence[Row], groups: dict[str, list[Group]], files: Mapping[str, Sequence[str]]) -> bytes:
    """What a search reads first. `files`: the names of the files of `rows`, `words` and `texts`."""
    facets: dict[str, list[list[str]]] = {d: [[g.key, g.label] for g in found] for d, found in groups.items()}
    facets["department"] = [[*pair, sound(pair[1]).initials] for pair in facets["department"]]
    facets |= {"format": [[f, f] for f in format_values(rows)], "api": [["1", "提供接口"]]}
    labels = {g.dimension.id: g.dimension.label for found in groups.values() for g in found}
    return _json(
        {
            "total": len(rows),
            "lengths": [len(part) for part in parts(rows)],
            **files,
            "texts_a_file": TEXTS,
            "facets": facets,
            "labels": labels | {"format": "格式", "api": "接口"},
            "sounds": _sounds(rows),
            "synonyms": synonyms(),
        }
    )


def _sounds(rows: Sequence[Row]) -> dict[str, str]:
    """Syllable → the characters of the titles that sound so by themselves: for initials, and for what is typed as full pinyin."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for char in sorted(set().union(*(fold(row.title) for row in rows))):
        if syllable := _sound(char):
            found[syllable].append(char)
    return {syllable: "".join(found[syllable]) for syllable in sorted(found)}


@cache
def _sound(char: str) -> str:
    """The sound of one character by itself; "" where it has none, or where a script counts it as two."""
    return lazy_pinyin(char, errors="ignore")[0] if "\u3400" <= char <= "\uffff" and lazy_pinyin(char, errors="ignore") else ""


def _initials(title: str) -> str:
    """What a browser makes of the sounds: right but for characters that sound otherwise in a word (银行 yh)."""
    return "".join(c if c.isascii() and c.isalnum() else _sound(c)[:1] for c in fold(title))


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
