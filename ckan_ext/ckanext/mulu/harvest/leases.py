"""Who runs what. A running run belongs to one worker as long as its lease lasts; the worker lengthens it while the run moves.

A worker that is killed, or hangs, lets its lease lapse, and the run goes to whoever asks next, from where it was noted. The
database's clock counts, so that machines need not agree on the time. Every write of a run asks whether it is still the worker's
(``memory``, and ``require`` for the catalogue): one that comes back after its lease is over writes nothing.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import Connection, create_engine, func, or_, select, update
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import NullPool

from ckanext.mulu.model.tables import harvest_run
from mulu_harvest.port import Interrupted, Unavailable

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
BEAT = 3.0
"""Seconds between two looks at the run's row: a stop is seen within them."""
STALL = timedelta(minutes=15)
"""A run that notes nothing for so long is given up to the next worker."""
ATTEMPTS = 5
BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
FRESH_MARK = timedelta(minutes=10)
"""After a longer break reading begins anew: the source may be another by then, and what moved between two pages would be missed."""
_AWAY = ("08", "57P01", "57P02", "57P03")
"""SQLSTATE of connections that broke, and of a server that shuts down, crashed, or is not up yet."""
_RUN = harvest_run.c


@dataclass(frozen=True)
class Lease:
    """``worker``: made anew for each taking, so that nobody's older lease is taken for it."""

    run: str
    worker: str


@contextmanager
def reaching() -> Iterator[None]:
    """Whatever says that the database is away is ``Unavailable``: it is worth waiting for. What the database refuses to do, for want
    of time, disk or memory, it would refuse again, and stays the error that it is."""
    try:
        yield
    except DBAPIError as error:
        if _away(error):
            raise Unavailable(str(error.orig).strip()) from error
        raise


def _away(error: DBAPIError) -> bool:
    """The connection was lost or refused."""
    if error.connection_invalidated:
        return True
    state = str(getattr(error.orig, "pgcode", "") or "")
    return isinstance(error, OperationalError | InterfaceError) and (not state or state.startswith(_AWAY))


def claim(run_id: str = "", *, name: str = "") -> Lease | None:
    """The next run that waits or whose lease is over, or this one; None where there is none. Two who ask get two."""
    with reaching(), model.meta.engine.begin() as connection:
        due = or_(
            (_RUN.state == "waiting") & ((_RUN.not_before <= func.now()) | (_RUN.id == run_id)),
            (_RUN.state == "running") & (_RUN.lease_until < func.now()),
        )
        query = select(harvest_run).where(due).order_by(_RUN.not_before, _RUN.asked_at).limit(1).with_for_update(skip_locked=True)
        while row := connection.execute(query.where(_RUN.id == run_id) if run_id else query).first():
            if row.state == "running" and row.attempt >= ATTEMPTS:
                message = f"运行中断了 {row.attempt} 次，没有办成；请查看日志"
                connection.execute(_change(row.id, state="failed", error=message, finished_at=func.now(), lease_until=None))
            elif row.stop_asked:
                connection.execute(_change(row.id, state="stopped", finished_at=func.now(), lease_until=None))
            else:
                return _take(connection, row, name)
            if run_id:
                return None
    return None


def _take(connection: Connection, row: Any, name: str) -> Lease:
    lease = Lease(row.id, f"{name}/{uuid.uuid4().hex[:12]}")
    old = row.phase == "reading" and row.lease_until is not None and datetime.now(UTC) - row.lease_until > FRESH_MARK
    taken = _change(
        row.id, state="running", worker=lease.worker, lease_until=func.now() + LEASE, attempt=row.attempt + 1, error="",
        started_at=func.coalesce(_RUN.started_at, func.now()), mark="" if old else row.mark,
    )  # fmt: skip
    connection.execute(taken)
    return lease


def end(lease: Lease, state: str, error: str = "", *, also: Sequence[Any] = ()) -> bool:
    """The run is over: done, failed or stopped. False where it is no longer this worker's.

    also: statements of the same transaction.
    """
    return _mine(lease, also, state=state, error=error, finished_at=func.now(), lease_until=None)


def retry(lease: Lease, error: str) -> bool:
    """The run waits for its next attempt, longer each time; False where there were enough of them, and it has failed."""
    with reaching(), model.meta.engine.begin() as connection:
        attempt = connection.execute(select(_RUN.attempt).where(_RUN.id == lease.run)).scalar() or 0
        if attempt > len(BACK_OFF):
            return False
        # the lease stays as the moment of the break
        values = {"state": "waiting", "not_before": func.now() + BACK_OFF[attempt - 1], "lease_until": func.now(), "error": error}
        connection.execute(_change(lease.run, **values).where(_RUN.worker == lease.worker, _RUN.state == "running"))
        return True


def release(lease: Lease) -> bool:
    """The worker ends and the run does not: another takes it up at once."""
    return _mine(lease, state="waiting", not_before=func.now(), lease_until=func.now(), attempt=_RUN.attempt - 1)


def require(lease: Lease) -> None:
    """In the session's transaction: the run is still this worker's. Ask where nobody else loads beside (``identities.alone``): a
    successor then either waits until this transaction ends, or has ended its own, and been seen here.

    The row is not locked: the heartbeat goes on lengthening the lease meanwhile.

    :raises Interrupted: it is another's by now, or over
    """
    mine = select(_RUN.id).where(_RUN.id == lease.run, _RUN.worker == lease.worker, _RUN.state == "running")
    if model.Session.execute(mine).first() is None:
        raise Interrupted


def _mine(lease: Lease, also: Sequence[Any] = (), **values: Any) -> bool:
    with reaching(), model.meta.engine.begin() as connection:
        changed = _change(lease.run, **values).where(_RUN.worker == lease.worker, _RUN.state == "running")
        if connection.execute(changed).rowcount != 1:
            return False
        for statement in also:
            connection.execute(statement)
        return True


def _change(run_id: str, **values: Any) -> Any:
    return update(harvest_run).where(_RUN.id == run_id).values(**values)


class Heartbeat(threading.Thread):
    """Lengthens a lease while the run moves, and learns whether it has to stop. ``why``: "", stop, lost, stalled or ended.

    With connections of its own, each for one look: what the run's own connection waits for does not hold it up, and a database
    that was away is found again.
    """

    def __init__(self, lease: Lease, beat: float = BEAT) -> None:
        super().__init__(name=f"heartbeat {lease.run}", daemon=True)
        self.lease = lease
        self.beat = beat
        self.why = ""
        self.moved_at = time.monotonic()
        self._over = threading.Event()
        self._engine = create_engine(tk.config["sqlalchemy.url"], poolclass=NullPool, connect_args={"connect_timeout": 5})

    def moved(self) -> None:
        """The run noted something."""
        self.moved_at = time.monotonic()

    def stopped(self) -> bool:
        return bool(self.why)

    def run(self) -> None:
        while not self._over.wait(self.beat):
            if time.monotonic() - self.moved_at > STALL.total_seconds():
                self.why = self.why or "stalled"
                return
            try:
                self._look()
            except DBAPIError as error:
                log.warning("run %s: %s", self.lease.run, str(error.orig).strip())

    def _look(self) -> None:
        mine = (_RUN.worker == self.lease.worker) & (_RUN.state == "running")
        lengthen = _change(self.lease.run, lease_until=func.now() + LEASE).where(mine).returning(_RUN.stop_asked)
        with self._engine.begin() as connection:
            row = connection.execute(lengthen).first()
        if row is None and not self._over.is_set():
            self.why = self.why or "lost"
        elif row is not None and row.stop_asked:
            self.why = self.why or "stop"

    def __enter__(self) -> Heartbeat:
        self.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._over.set()
        self.join(10)
        self._engine.dispose()
