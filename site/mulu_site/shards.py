"""The second stage of search brought up to date: where a few entries are new or say something else, only their files change.

The result is what `search.word_shards` and `search.text_pieces` make of the whole catalogue, byte for byte; a test holds them together.
"""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from mulu_site.search import TEXTS, contents_of, pairs_of, shard, text_piece

FEW = 200
"""So many changed entries touch nearly every file: more are made anew."""


class Change(NamedTuple):
    """The entry with this number said `before` ("": nothing, it is new) and says `now`."""

    number: int
    before: str
    now: str


def brought_up(published: Sequence[Path], changes: Sequence[Change]) -> Iterator[bytes]:
    """The content of every file of the second stage, in order, from the published ones."""
    wanted: defaultdict[int, list[tuple[str, int, bool]]] = defaultdict(list)
    for change in changes:
        before, now = pairs_of(change.before), pairs_of(change.now)
        for pair in before ^ now:
            wanted[shard(pair, len(published))].append((pair, change.number, pair in now))
    for number, file in enumerate(published):
        yield _changed(file.read_bytes(), wanted[number]) if number in wanted else file.read_bytes()


def _changed(content: bytes, changes: list[tuple[str, int, bool]]) -> bytes:
    held = {pair: list(accumulate(int(step, 36) for step in steps.split())) for pair, steps in json.loads(content).items()}
    for pair, number, is_there in changes:
        numbers = held.setdefault(pair, [])
        if is_there:
            insort(numbers, number)
        else:
            del numbers[bisect_left(numbers, number)]
    return contents_of({pair: numbers for pair, numbers in held.items() if numbers})


def texts_brought_up(published: Sequence[Path], changed: Collection[int], texts: Sequence[str]) -> Iterator[bytes]:
    """The content of every file of texts: those without a changed or new number are the published ones."""
    touched = {number // TEXTS for number in changed}
    for piece, start in enumerate(range(0, len(texts), TEXTS)):
        if piece in touched:
            yield text_piece(texts[start : start + TEXTS])
        else:
            yield published[piece].read_bytes()
