"""The second stage of search brought up to date: where a few entries say something else, only the files of their words change.

The result is what `search.word_shards` makes of the whole catalogue, byte for byte; a test holds the two together.
"""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from mulu_site.search import contents_of, pairs_of, shard

FEW = 200
"""So many changed entries touch nearly every file: more are made anew."""


class Change(NamedTuple):
    """The entry at `position` said `before` and says `now`."""

    position: int
    before: str
    now: str


def brought_up(published: Sequence[Path], changes: Sequence[Change]) -> Iterator[bytes]:
    """The content of every file of the second stage, in order, from the published ones."""
    wanted: defaultdict[int, list[tuple[str, int, bool]]] = defaultdict(list)
    for change in changes:
        before, now = pairs_of(change.before), pairs_of(change.now)
        for pair in before ^ now:
            wanted[shard(pair, len(published))].append((pair, change.position, pair in now))
    for number, file in enumerate(published):
        yield _changed(file.read_bytes(), wanted[number]) if number in wanted else file.read_bytes()


def _changed(content: bytes, changes: list[tuple[str, int, bool]]) -> bytes:
    held = {pair: list(accumulate(int(step, 36) for step in steps.split())) for pair, steps in json.loads(content).items()}
    for pair, position, is_there in changes:
        positions = held.setdefault(pair, [])
        if is_there:
            insort(positions, position)
        else:
            del positions[bisect_left(positions, position)]
    return contents_of({pair: positions for pair, positions in held.items() if positions})
