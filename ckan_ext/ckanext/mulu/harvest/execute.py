"""One run from where it stands to its end, in this process: in the foreground (``ckan mulu harvest execute``) or a worker's child."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from importlib.metadata import version
from types import FrameType
from typing import Any, Literal

from ckan import model
from sqlalchemy import delete, func, select, text, update

from ckanext.mulu import entries
from ckanext.mulu.harvest import hooks, leases, sources
from ckanext.mulu.harvest.catalogue import PortalCatalogue
from ckanext.mulu.harvest.leases import Heartbeat, Lease, reaching
from ckanext.mulu.harvest.memory import TableMemory
from ckanext.mulu.model.tables import harvest_record, harvest_run, harvest_source, harvest_step
from mulu.files import digest
from mulu_harvest.fetch import HttpFetch, Stopping
from mulu_harvest.port import Interrupted, Unavailable
from mulu_harvest.readers import reader_of
from mulu_harvest.run import Run
from mulu_harvest.source import Source, SourceError, parse

log = logging.getLogger(__name__)

KEPT_RUNS = 20
"""Of so many real runs of a source all steps are kept; of older ones those that were done, which are the catalogue's change log."""
KEPT_DRY_RUNS = 5
"""Of so many dry runs of a source the steps are kept."""
PATIENCE = 600.0
"""Seconds that a run waits for a database that is away, from where it noted nothing more, before it is left to whoever takes it up
later."""
_OPEN = ("waiting", "running", "held")
_CHANGED = ("added", "changed", "removed", "restored")


class Busy(Exception):
    """Another worker has this run, or it is not one that waits."""


def execute(run_id: str, *, lease: Lease | None = None, patient: bool = False) -> dict[str, Any]:
    """Carry a run out; gives its row as it then is.

    lease: of a worker who claimed it before. patient: where the source fails, the run waits for its next attempt; else it has
    failed, as whoever looks on would rather know.

    :raises Busy: it cannot be taken up.
    """
    lease = lease or leases.claim(run_id, name=f"{socket.gethostname()}:{os.getpid()}")
    if lease is None:
        raise Busy(f"汇聚 {run_id} 不在等待，或者正由另一个进程执行")
    with Heartbeat(lease) as beat, _asked_to_end(beat):
        ended = _carry_out(lease, beat, patient)
    if ended:
        _tell(ended, run_id)
    with reaching(), model.meta.engine.connect() as connection:
        return dict(connection.execute(select(harvest_run).where(harvest_run.c.id == run_id)).mappings().one())


def _carry_out(lease: Lease, beat: Heartbeat, patient: bool) -> Literal["held", "over", ""]:
    """``over``: for good; "": it waits, or is another's."""
    moved_at, until = None, 0.0
    while True:
        try:
            return _interrupted(lease, beat) if beat.stopped() else _attempt(lease, beat, patient)
        except Unavailable as error:
            log.warning("run %s: %s", lease.run, error)
            model.Session.remove()
            if beat.moved_at != moved_at:  # it came further since the last time
                moved_at, until = beat.moved_at, time.monotonic() + PATIENCE
            if not _comes_back(beat, until):
                return ""


def _attempt(lease: Lease, beat: Heartbeat, patient: bool) -> Literal["held", "over", ""]:
    with reaching(), model.meta.engine.connect() as connection:
        run = connection.execute(select(harvest_run).where(harvest_run.c.id == lease.run)).one()
    try:
        source = parse(run.source, run.settings)
    except SourceError as error:  # the next attempt would find the same settings
        return _over(lease, "failed", str(error))
    try:
        fetch = HttpFetch(source, validators=_validators(run), stopped=beat.stopped, folders=sources.folders())
        memory = TableMemory(lease, beat.moved)
        from_the_start = memory.phase in ("", "reading") and not memory.mark
        engine = Run(
            source, lambda mark: reader_of(source)(source, fetch, mark), memory, PortalCatalogue(source, lease), entries.profile(),
            stopped=beat.stopped, dry_run=run.dry_run,
        )  # fmt: skip
        if engine.execute() == "held":
            return "held"
        return _done(lease, run, source, engine.counts, fetch.validators_seen if from_the_start else {})
    except (Interrupted, Stopping):
        return _interrupted(lease, beat)
    except Unavailable:
        raise
    except SourceError as error:
        return _failed(lease, str(error), patient)
    except Exception as error:
        log.exception("run %s of %s", lease.run, run.source)
        return _failed(lease, f"程序出错，已记入日志：{type(error).__name__}：{error}"[:500], patient)


def _done(lease: Lease, run: Any, source: Source, counts: dict[str, int], validators: dict[str, Any]) -> Literal["over", ""]:
    """The run is over, and what it learned of the source is kept with it: only a run that was wholly applied may spare the next."""
    also = [_forget_entries(run)]
    if not run.dry_run:
        kept = {"of": _version(run), "kept": validators} if validators and not _still_there(run) else {}
        values: dict[str, Any] = {"succeeded_at": func.now(), "validators": kept}
        if any(counts[key] for key in _CHANGED):
            values["content_changed_at"] = func.now()
        also.append(update(harvest_source).where(harvest_source.c.name == run.source).values(**values))
    return "over" if leases.end(lease, "done", also=[*also, *_forget_steps(run.source)]) else ""


def _still_there(run: Any) -> bool:
    """Whether something that the source has no longer could not be removed: "unchanged" next time would be taken for its being back."""
    step = harvest_step.c
    refused = select(step.source_id).where(step.run == run.id, step.kind == "remove", step.state == "refused").limit(1)
    with reaching(), model.meta.engine.connect() as connection:
        return connection.execute(refused).first() is not None


def _forget_entries(run: Any) -> Any:
    """What earlier runs planned and did not do: its differences stay, the entries themselves go."""
    over = select(harvest_run.c.id).where(
        harvest_run.c.source == run.source, harvest_run.c.id != run.id, harvest_run.c.state.notin_(_OPEN)
    )
    return update(harvest_step).where(harvest_step.c.run.in_(over), harvest_step.c.entry.isnot(None)).values(entry=None)


def _forget_steps(source: str) -> list[Any]:
    """Steps of old dry runs, and those of old real runs that came to nothing. A held run's stay: it may still be applied."""
    over = select(harvest_run.c.id).where(harvest_run.c.source == source, harvest_run.c.state.notin_(_OPEN)).order_by(harvest_run.c.asked_at.desc())
    dry, real = over.where(harvest_run.c.dry_run).offset(KEPT_DRY_RUNS), over.where(harvest_run.c.dry_run.is_(False)).offset(KEPT_RUNS)
    return [
        delete(harvest_step).where(harvest_step.c.run.in_(dry)),
        delete(harvest_step).where(harvest_step.c.run.in_(real), harvest_step.c.state != "done"),
    ]


def _validators(run: Any) -> dict[str, Any]:
    """What conditional requests may send: kept under the same settings and rules, and while no record waits in quarantine, which
    is tried again in every run and so has to be read."""
    record, source = harvest_record.c, harvest_source.c
    waiting = select(record.source_id).where(record.source == run.source, record.state == "quarantined").limit(1)
    with reaching(), model.meta.engine.connect() as connection:
        kept = connection.execute(select(source.validators).where(source.name == run.source)).scalar() or {}
        if kept.get("of") != _version(run) or connection.execute(waiting).first():
            return {}
    return dict(kept["kept"])


def _version(run: Any) -> str:
    """Changes with anything that may read the same words another way."""
    return digest([run.settings, entries.profile().version, os.environ.get("MULU_SOURCE", version("mulu"))])


def _interrupted(lease: Lease, beat: Heartbeat) -> Literal["over", ""]:
    match beat.why:
        case "stop":
            return _over(lease, "stopped")
        case "ended":
            leases.release(lease)
    return ""


def _failed(lease: Lease, error: str, patient: bool) -> Literal["over", ""]:
    if patient and leases.retry(lease, error):
        return ""
    return _over(lease, "failed", error)


def _over(lease: Lease, state: str, error: str = "") -> Literal["over", ""]:
    return "over" if leases.end(lease, state, error) else ""


def _tell(ended: str, run_id: str) -> None:
    """What goes wrong in telling people is no fault of the run; ``hooks.look`` makes up for it."""
    try:
        hooks.on_held(run_id) if ended == "held" else hooks.on_finished(run_id)
    except Exception:
        log.exception("run %s: hooks", run_id)
    finally:
        model.Session.remove()


def _comes_back(beat: Heartbeat, until: float) -> bool:
    """Wait for the database, while the run is this worker's to carry out."""
    while time.monotonic() < until:
        time.sleep(2)
        try:
            with reaching(), model.meta.engine.connect() as connection:
                connection.execute(text("select 1"))
            return True
        except Unavailable:
            if beat.stopped():
                return False
    return False


class _asked_to_end:
    """SIGTERM ends the worker, not the run: it is given back where it stands. Only the main thread may say so."""

    def __init__(self, beat: Heartbeat) -> None:
        self.beat = beat
        self.before: Callable[..., Any] | int | None = None

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.beat.why = self.beat.why or "ended"

    def __enter__(self) -> None:
        try:
            self.before = signal.signal(signal.SIGTERM, self._end)
        except ValueError:
            self.before = None

    def __exit__(self, *failure: object) -> None:
        if self.before is not None:
            signal.signal(signal.SIGTERM, self.before)
