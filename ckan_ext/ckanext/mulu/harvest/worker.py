"""Who carries runs out: a process that starts those that are due and gives each a child of its own.

A slow source, or one that hangs or takes its process down, holds up no other. Several workers, on several machines, share the work:
each run is claimed by one (``leases``). Whatever is killed is taken up again by whoever is left.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from ckanext.mulu.harvest import leases, sources
from ckanext.mulu.harvest.leases import Lease, reaching
from ckanext.mulu.model.tables import harvest_run, harvest_source
from mulu.case import SHANGHAI
from mulu_harvest.port import Unavailable

log = logging.getLogger(__name__)

PAUSE = 2.0
"""Seconds between two looks at what is due."""
LINGER = 60.0
"""Seconds that a child may go on after its run is over: it tells people of it."""
LATE = timedelta(minutes=5)
"""What waits for longer with nobody at work waits for a worker that is not there."""
_FORK = multiprocessing.get_context("fork")


def loop(*, once: bool = False) -> None:
    """Until told to stop (SIGTERM, SIGINT); with ``once`` until nothing that is due is left."""
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    worker = Worker(int(tk.config["mulu.harvest_at_once"]))
    while not stop.is_set():
        try:
            started = worker.look()
        except (Unavailable, DBAPIError) as error:  # whatever it is, the next look may find it mended
            log.warning("harvest: %s", error)
            started = 1
        if once and not started and not worker.children:
            break
        stop.wait(0.2 if once else PAUSE)
    worker.end()


class Worker:
    """``children``: lease → process, at most ``at_once``."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.children: dict[Lease, BaseProcess] = {}
        self._over: dict[Lease, float] = {}
        """Since when, by time.monotonic, the run of a child is over."""

    def look(self) -> int:
        """Bury the dead, ask for what the schedules want, start what waits; gives how many were started."""
        self._bury()
        enqueue_due()
        started = 0
        while len(self.children) < self.at_once and (lease := leases.claim(name=self.name)):
            self.children[lease] = self._start(lease)
            started += 1
        return started

    def _start(self, lease: Lease) -> BaseProcess:
        process = _FORK.Process(target=_child, args=(lease,), name=f"harvest {lease.run}")
        process.start()
        return process

    def _bury(self) -> None:
        """Children that are over, and those whose lease lapsed or went to another, or who do not end: they hang."""
        lost, over = _standing(list(self.children))
        for lease, process in list(self.children.items()):
            since = self._over.setdefault(lease, time.monotonic()) if lease in over else None
            hangs = lease in lost or (since is not None and time.monotonic() - since >= LINGER)
            if hangs and process.is_alive():
                log.error("run %s: no progress, its process %s is killed", lease.run, process.pid)
                process.kill()
            process.join(5 if hangs else 0)
            if not process.is_alive():
                del self.children[lease]
                self._over.pop(lease, None)

    def end(self) -> None:
        """Children give their runs back where they stand; who does not within a while is killed, and its lease lapses."""
        for process in self.children.values():
            process.terminate()
        for process in self.children.values():
            process.join(15)
            if process.is_alive():
                process.kill()
                process.join(5)
        self.children.clear()
        self._over.clear()


def _standing(held: list[Lease]) -> tuple[set[Lease], set[Lease]]:
    """(leases of runs that go on without them: lapsed, or another's; leases of runs that do not run any more)."""
    if not held:
        return set(), set()
    run = harvest_run.c
    lasts = func.coalesce(run.lease_until > func.now(), False).label("lasts")
    query = select(run.id, run.worker, lasts).where(run.id.in_([lease.run for lease in held]), run.state == "running")
    with reaching(), model.meta.engine.connect() as connection:
        running = {row.id: row for row in connection.execute(query)}
    over = {lease for lease in held if lease.run not in running}
    mine = {lease for lease in held if (row := running.get(lease.run)) and row.worker == lease.worker and row.lasts}
    return set(held) - over - mine, over


def _child(lease: Lease) -> None:
    """In the forked process: connections of the parent are the parent's."""
    from ckanext.mulu.harvest.execute import execute

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    model.Session.remove()
    model.meta.engine.dispose(close=False)
    try:
        execute(lease.run, lease=lease, patient=True)
    except Unavailable as error:
        log.warning("run %s: %s", lease.run, error)


def enqueue_due() -> int:
    """A run for each source whose time has come and that has none open or held; gives how many."""
    source, run, asked = harvest_source.c, harvest_run.c, 0
    busy = select(run.id).where(run.source == source.name, run.state.in_(("waiting", "running", "held"))).exists()
    with reaching(), model.meta.engine.begin() as connection:
        due = select(source.name, source.settings, busy.label("busy")).where(source.enabled, source.next_run_at <= func.now())
        for row in connection.execute(due.with_for_update(skip_locked=True, of=harvest_source)).all():
            now = datetime.now(UTC)
            following = sources.next_run(str(row.settings.get("schedule", "")), now)
            connection.execute(update(harvest_source).where(source.name == row.name).values(next_run_at=following))
            if row.busy:
                continue
            values = {
                "id": str(uuid.uuid4()), "source": row.name, "state": "waiting", "dry_run": False, "cause": "schedule", "asked_by": "",
                "asked_at": now, "not_before": now, "settings": row.settings,
            }  # fmt: skip
            asked += connection.execute(insert(harvest_run).values(**values).on_conflict_do_nothing()).rowcount
    return asked


def status() -> dict[str, Any]:
    """{enabled, running, due, waiting, left, since, late}: how many sources are switched on, how many runs somebody is at, and what has
    waited for longer than ``LATE``: sources whose time has come, runs, runs whose worker is gone. since: the first of these, "" for none.

    late: no worker can be there, on whichever machine: it would have seen to one of these within seconds. What waits while somebody is at
    a run waits for its turn: all that a worker does at once may be in hand.
    """
    source, run, before = harvest_source.c, harvest_run.c, func.now() - LATE
    at_it = (run.state == "running") & (run.lease_until >= func.now())
    waits, left = (run.state == "waiting") & (run.not_before < before), (run.state == "running") & (run.lease_until < before)
    come = source.enabled & (source.next_run_at < before)
    of_sources = select(func.count().filter(source.enabled), func.count().filter(come), func.min(source.next_run_at).filter(come))
    of_runs = select(
        func.count().filter(at_it), func.count().filter(waits), func.count().filter(left),
        func.least(func.min(run.not_before).filter(waits), func.min(run.lease_until).filter(left)),
    )  # fmt: skip
    with reaching(), model.meta.engine.connect() as connection:
        enabled, due, due_since = connection.execute(of_sources).one()
        running, waiting, gone, runs_since = connection.execute(of_runs).one()
    since = min(filter(None, (due_since, runs_since)), default=None)
    told = {"enabled": enabled, "running": running, "due": due, "waiting": waiting, "left": gone}
    return told | {"since": since.astimezone(SHANGHAI).isoformat(timespec="seconds") if since else "", "late": bool((due or gone or waiting) and not running)}
