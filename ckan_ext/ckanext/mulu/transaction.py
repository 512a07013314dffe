"""One transaction for state, event, effect and notice; the index only after it holds (a failed commit leaves nothing there).

What has to be indexed is noted in the transaction itself and the note taken away once it is done: an index that is away, or a
process that is killed in between, loses nothing. ``catch_up`` makes up for it; the clockwork calls it every minute.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from ckan import model
from ckan.lib.search import SearchError, SearchIndexError
from redis.exceptions import RedisError
from sqlalchemy import delete, func, insert, select

from ckanext.mulu import documents
from ckanext.mulu.grants import tables
from ckanext.mulu.model.tables import index_note

log = logging.getLogger(__name__)

GRACE = timedelta(minutes=1)
"""How long a note is left to the process that wrote it."""
AT_ONCE = 500
AWAY = (SearchIndexError, SearchError, RedisError, OSError)


class Touched:
    """The datasets to index once the transaction holds, in the order in which they were touched; ``notes``: id of a note → dataset."""

    def __init__(self) -> None:
        self.ids: dict[str, None] = {}
        self.notes: dict[int, str] = {}

    def add(self, package_id: str) -> None:
        self.ids[package_id] = None


@contextmanager
def transaction(context: dict[str, Any], *, later: Touched | None = None) -> Iterator[Touched]:
    """Everything inside is committed together and then indexed, or rolled back together.

    Within a caller's own transaction (``context["mulu_touched"]``) it joins that one: the outermost commits.
    later: the caller indexes several transactions at once, with ``settle``.
    """
    if outer := context.get("mulu_touched"):
        yield outer
        return
    touched = Touched()
    context["mulu_touched"] = touched
    try:
        yield touched
        _note(touched)
        model.Session.commit()
    except BaseException:
        model.Session.rollback()
        raise
    finally:
        context.pop("mulu_touched", None)
    if later is None:
        settle(touched)
    else:
        later.ids |= touched.ids
        later.notes |= touched.notes


def _note(touched: Touched) -> None:
    if touched.ids:
        rows = [{"package_id": one} for one in touched.ids]
        noted = model.Session.execute(insert(index_note).returning(index_note.c.id, index_note.c.package_id), rows)
        touched.notes = {row.id: row.package_id for row in noted}


def settle(touched: Touched) -> None:
    """Index what was committed. An index that is away stops nobody: the notes stay for ``catch_up``."""
    try:
        _settle(list(touched.ids), touched.notes)
    except AWAY:
        model.Session.rollback()
        log.exception("%d datasets wait to be indexed", len(touched.ids))


def catch_up(grace: timedelta = GRACE) -> int:
    """Index what was noted longer ago than ``grace`` and still waits; gives how many datasets.

    :raises SearchIndexError: the index is away; all goes on waiting.
    """
    done, seen = 0, 0
    while True:
        waiting = select(index_note).where(index_note.c.id > seen, index_note.c.at <= func.now() - grace)
        notes = {row.id: row.package_id for row in model.Session.execute(waiting.order_by(index_note.c.id).limit(AT_ONCE))}
        if not notes:
            return done
        seen = max(notes)
        done += _settle(list(dict.fromkeys(notes.values())), notes)


def _settle(package_ids: list[str], notes: dict[int, str]) -> int:
    refused = index(package_ids)
    if done := [note for note, package_id in notes.items() if package_id not in refused]:
        model.Session.execute(delete(index_note).where(index_note.c.id.in_(done)))
        model.Session.commit()
    return len(package_ids) - len(refused)


def index(package_ids: Sequence[str]) -> set[str]:
    """Bring the index, and the tables made of files, up to date for these datasets; gives those that the index refuses.

    :raises SearchIndexError: the index is away.
    """
    if not package_ids:
        return set()
    refused = documents.update(package_ids)
    tables.enqueue(list(package_ids))
    return refused
