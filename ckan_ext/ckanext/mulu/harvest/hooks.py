"""What people are told of runs: the case 汇聚核对 about a source, opened and closed by the portal.

Called by the engine after the run's new state is committed; each opens its own transaction. Called again for the same run (the
engine may die between the commit and the call) nothing happens a second time, and ``look`` makes up for a call that never came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from ckan import model
from sqlalchemy import ColumnElement, exists, func, select

from ckanext.mulu import cases, identities
from ckanext.mulu.harvest import words
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.model.tables import harvest_run, harvest_source
from ckanext.mulu.transaction import Touched, transaction
from mulu.case import SHANGHAI, Case
from mulu.people import SYSTEM
from mulu_harvest.plan import COUNTS

PROCEDURE = "harvest_check"
CHANGES = ("added", "changed", "removed", "restored")


def on_held(run_id: str) -> None:
    """A run waits for a person, who sees its steps and applies or drops them."""
    with transaction({}) as touched:
        run, source = _of(run_id)
        if run is None or run.state != "held" or _about(run_id, "held"):
            return
        _open(source, "held", "\n".join(one["message"] for one in run.reasons), run, touched)


def on_finished(run_id: str) -> None:
    """A run is over: done, failed (for good) or stopped. A dry run concerns nobody but who asked for it."""
    with transaction({}) as touched:
        run, source = _of(run_id)
        if run is None or run.dry_run:
            return
        if run.state == "failed" and not _about(run_id, "failed") and not list(_open_cases(source.name, ["failed"])):
            _open(source, "failed", run.error or "汇聚没有成功。", run, touched)
        if run.state == "done":
            settle(source, "之后的一次汇聚已经成功。", touched, kinds=["failed"])
            if any(run.counts.get(one) for one in CHANGES):
                settle(source, "来源又有了变化。", touched, kinds=["quiet"])


def look(moment: datetime | None = None) -> int:
    """What no run tells of itself: a source that has gone quiet, a case that was not opened or closed; gives how many were opened."""
    before = _number()
    for run_id, state in [*_untold(), *_mended()]:
        (on_held if state == "held" else on_finished)(run_id)
    for name in _quiet(moment or cases.now()):
        _gone_quiet(name, moment or cases.now())
    return _number() - before


def settle(source: Any, reason: str, touched: Touched, *, kinds: Iterable[str] = ("held", "failed", "quiet"), run: str = "") -> None:
    """The portal closes a source's open cases, or only the one about a run; in the caller's transaction."""
    from ckanext.mulu import steps

    for case in _open_cases(source.name, kinds):
        if run in ("", case.data.get("run")):
            steps.act(case, "settle", SYSTEM, {"reason": reason}, touched)


def counted(counts: dict[str, int]) -> str:
    """「读取2000、新增3」: what is not 0."""
    return "、".join(f"{words.COUNTS[one]}{counts[one]}" for one in COUNTS if counts.get(one))


def _open(source: Any, kind: str, reason: str, run: Any, touched: Touched) -> None:
    from ckanext.mulu import steps  # whose effects come back here

    settings = source.settings
    subject = {"type": "source", "id": source.name, "org": settings.get("organization", ""), "title": settings.get("title", source.name)}
    data = {"kind": kind, "reason": reason[:4000]}
    if run is not None:
        data |= {"run": run.id, "counts": counted(run.counts)}
    steps.open_(PROCEDURE, subject, SYSTEM, data, touched)


def _gone_quiet(name: str, now: datetime) -> None:
    with transaction({}) as touched:
        source = _alone(name)
        if name not in _quiet(now):
            return
        since = source.content_changed_at or source.created_at
        days = (now - since).days
        _open(source, "quiet", f"自{since.astimezone(SHANGHAI):%Y-%m-%d}起已有{days}天没有变化（超过{source.settings['quiet_days']}天须核实）：请核实来源是否仍在更新、地址是否改变。", None, touched)


def _quiet(now: datetime) -> list[str]:
    """Sources without a change for longer than they say, of which nobody was told within that time."""
    days = harvest_source.c.settings["quiet_days"].as_integer()
    since = func.coalesce(harvest_source.c.content_changed_at, harvest_source.c.created_at)
    query = select(harvest_source.c.name, days.label("days"), since.label("since")).where(harvest_source.c.enabled, days > 0)
    return [row.name for row in model.Session.execute(query).all() if now - row.since > timedelta(row.days) and not _told(row.name, now - timedelta(row.days))]


def _told(source: str, since: datetime) -> bool:
    where = [case_table.c.subject_id == source, case_table.c.procedure == PROCEDURE, _data("kind") == "quiet"]
    return bool(model.Session.execute(select(case_table.c.id).where(*where, case_table.c.is_open | (case_table.c.updated_at > since)).limit(1)).first())


def _untold() -> list[tuple[str, str]]:
    """Runs that wait for a person or failed last, and of which there is no case that says so."""
    about = exists().where(case_table.c.procedure == PROCEDURE, _data("run") == harvest_run.c.id, _data("kind") == harvest_run.c.state)
    return _last(harvest_run.c.state.in_(("held", "failed")), ~about)


def _mended() -> list[tuple[str, str]]:
    """Runs that were done last, of sources with an open case about a failure."""
    open_ = [case_table.c.procedure == PROCEDURE, case_table.c.is_open, case_table.c.subject_id == harvest_run.c.source, _data("kind") == "failed"]
    return _last(harvest_run.c.state == "done", exists().where(*open_))


def _last(*where: ColumnElement[bool]) -> list[tuple[str, str]]:
    """(id, state) of the newest real run of each source, where it is so."""
    later = harvest_run.alias()
    newer = exists().where(later.c.source == harvest_run.c.source, later.c.dry_run.is_(False), later.c.asked_at > harvest_run.c.asked_at)
    query = select(harvest_run.c.id, harvest_run.c.state).where(harvest_run.c.dry_run.is_(False), ~newer, *where)
    return [(row.id, row.state) for row in model.Session.execute(query)]


def _of(run_id: str) -> tuple[Any, Any]:
    """A run and its source, with nobody else at that source's cases; (None, None) where it is gone."""
    source = model.Session.execute(select(harvest_run.c.source).where(harvest_run.c.id == run_id)).scalar()
    if source is None:
        return None, None
    row = _alone(source)
    return model.Session.execute(select(harvest_run).where(harvest_run.c.id == run_id)).first(), row


def _alone(source: str) -> Any:
    identities.alone(f"harvest {source}")
    return model.Session.execute(select(harvest_source).where(harvest_source.c.name == source)).first()


def _about(run_id: str, kind: str) -> bool:
    where = [case_table.c.procedure == PROCEDURE, _data("run") == run_id, _data("kind") == kind]
    return bool(model.Session.execute(select(case_table.c.id).where(*where).limit(1)).first())


def _open_cases(source: str, kinds: Iterable[str]) -> Iterator[Case]:
    where = [case_table.c.subject_id == source, case_table.c.procedure == PROCEDURE, case_table.c.is_open, _data("kind").in_(list(kinds))]
    for case_id in list(model.Session.execute(select(case_table.c.id).where(*where)).scalars()):
        case = cases.get(case_id, lock=True)
        if case.state in cases.procedure_of(case).events["settle"].by:
            yield case


def _data(key: str) -> Any:
    return case_table.c.body[("data", key)].astext


def _number() -> int:
    query = select(func.count()).select_from(case_table).where(case_table.c.procedure == PROCEDURE)
    return int(model.Session.execute(query).scalar_one())
