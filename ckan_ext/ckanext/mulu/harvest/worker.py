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
import uuid
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from types import FrameType

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from ckanext.mulu.harvest import leases, sources
from ckanext.mulu.harvest.leases import Lease, reaching
from ckanext.mulu.model.tables import harvest_run, harvest_source
from mulu_harvest.port import Unavailable

log = logging.getLogger(__name__)

PAUSE = 2.0
"""Seconds between two looks at what is due."""
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
        except Unavailable as error:
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
        """Children that are over, and those whose lease lapsed or went to another: they hang."""
        lost = _lost(list(self.children))
        for lease, process in list(self.children.items()):
            if lease in lost and process.is_alive():
                log.error("run %s: no progress, its process %s is killed", lease.run, process.pid)
                process.kill()
            process.join(5 if lease in lost else 0)
            if not process.is_alive():
                del self.children[lease]

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


def _lost(held: list[Lease]) -> set[Lease]:
    if not held:
        return set()
    run = harvest_run.c
    query = select(run.id, run.worker).where(run.id.in_([lease.run for lease in held]), run.state == "running", run.lease_until > func.now())
    with reaching(), model.meta.engine.connect() as connection:
        alive = {Lease(*row) for row in connection.execute(query)}
    return set(held) - alive


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
