"""What happens by itself: time passes for every case, what is due is found, what waits is sent.

Running twice does nothing twice; after a standstill the first run makes up for what was missed. Each case has a transaction of
its own, so that a broken one stops no other. One run at a time: an advisory lock of PostgreSQL holds off the second.
"""

from __future__ import annotations

import json
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib.redis import connect_to_redis
from sqlalchemy import select, text

from ckanext.mulu import attachments, cases, finders, steps
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.notices import outbox
from ckanext.mulu.transaction import catch_up, transaction
from mulu.case import SHANGHAI

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
"""How often time passes for the cases; the outbox is emptied every ``PAUSE`` seconds."""
PAUSE = 60
_LOCK = 0x6D756C75
"""``mulu``: the number of the advisory lock."""


def run(moment: datetime | None = None) -> dict[str, Any]:
    """One whole run: ticks, finders, outbox. Gives what ``status`` shows; ``skipped`` where another run is under way."""
    now = moment or cases.now()
    report: dict[str, Any] = {"started": now.astimezone(SHANGHAI).isoformat(), "skipped": False, "steps": 0, "opened": 0, "failed": []}
    with _alone() as alone:
        if alone:
            report["steps"], report["failed"] = let_time_pass(now)
            report["opened"] = _find(now, report["failed"])
            _sweep(report["failed"])
        else:
            report["skipped"] = True
    report["mail"] = outbox.deliver(now)
    report["finished"] = cases.now().astimezone(SHANGHAI).isoformat()
    if not report["skipped"]:
        connect_to_redis().set(_key(), json.dumps(report, ensure_ascii=False))
    return report


def let_time_pass(now: datetime) -> tuple[int, list[str]]:
    """Reminders, overdue marks, escalations and recomputed dates of all open cases: (steps taken, ids of cases that failed)."""
    taken, failed = 0, []
    waiting = select(case_table.c.id).where(case_table.c.is_open, case_table.c.due_on.isnot(None)).order_by(case_table.c.due_on)
    for case_id in list(model.Session.execute(waiting).scalars()):
        try:
            with transaction({}) as touched:
                taken += steps.tick_one(case_id, touched, now)
        except Exception:
            log.exception("case %s", case_id)
            failed.append(case_id)
    return taken, failed


def _find(now: datetime, failed: list[str]) -> int:
    try:
        return finders.run(now)
    except Exception:
        log.exception("finders")
        model.Session.rollback()
        failed.append("finders")
        return 0


def _sweep(failed: list[str]) -> None:
    """Files that no case names go."""
    try:
        attachments.sweep()
    except Exception:
        log.exception("attachments")
        failed.append("attachments")


@contextmanager
def _alone() -> Iterator[bool]:
    """Inside, no other run is; False where there is one. The lock has a connection of its own: it outlives transactions."""
    with model.meta.engine.connect() as connection:
        held = bool(connection.execute(text("select pg_try_advisory_lock(:key)"), {"key": _LOCK}).scalar())
        try:
            yield held
        finally:
            if held:
                connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _LOCK})


def last() -> dict[str, Any] | None:
    """The last whole run, as ``run`` gave it; None before the first."""
    kept = connect_to_redis().get(_key())
    return json.loads(kept) if kept else None


def status() -> dict[str, Any]:
    """{last, late, mail}; late: the last run is longer ago than it should be; mail: as ``outbox.counts``."""
    before = last()
    late = before is None or cases.now() - datetime.fromisoformat(before["started"]) > 2 * EVERY
    return {"last": before, "late": late, "mail": outbox.counts()}


def loop() -> None:
    """Until told to stop (SIGTERM, SIGINT): a whole run every hour, at once where one was missed; in between the outbox."""
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    while not stop.is_set():
        try:
            before = last()
            if before is None or cases.now() - datetime.fromisoformat(before["started"]) >= EVERY:
                run()
            else:
                outbox.deliver()
            catch_up()
        except Exception:
            log.exception("clockwork")
        finally:
            model.Session.remove()
        stop.wait(PAUSE)


def _key() -> str:
    return f"mulu:clockwork:{tk.config['ckan.site_id']}"
