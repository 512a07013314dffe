"""Runs as people ask for them, look at them and decide on them. What a run does is the engine's (``execute``, ``worker``)."""

from __future__ import annotations

import uuid
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import ColumnElement, func, insert, null, select, update

from ckanext.mulu import cases, identities
from ckanext.mulu.harvest import hooks, sources, theirs
from ckanext.mulu.logic import refusal
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.model.tables import harvest_record, harvest_run, harvest_source, harvest_step
from ckanext.mulu.transaction import Touched
from mulu.people import Person

OPEN = ("waiting", "running")
TIMES = ("asked_at", "not_before", "started_at", "finished_at", "decided_at")
PLAIN = (
    "id", "source", "state", "dry_run", "cause", "asked_by", "attempt", "phase", "counts", "seconds", "reasons", "problems", "error",
    "stop_asked", "decided_by",
)  # fmt: skip
SUPERSEDED = "已有新的一次汇聚，这一次的结果不再写入。"


def get(run_id: str, person: Person, *, lock: bool = False) -> Any:
    """The row of a run; ObjectNotFound where there is none, or its source is not this person's to see."""
    query = select(harvest_run).where(harvest_run.c.id == run_id)
    row = model.Session.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise tk.ObjectNotFound(tk._("没有这次汇聚。"))
    sources.get(row.source, person)
    return row


def ask(source: Any, person: Person, touched: Touched, *, dry_run: bool = False, cause: str = "person") -> str:
    """A run that a worker takes up; gives its id. A real one takes the place of one that is held, which is told in its case.

    :raises tk.ValidationError: the source is disabled, or has a run that waits or runs
    """
    if not source.enabled:
        raise refusal.one("source", "disabled", f"来源“{source.settings['title']}”已停用，请先启用")
    identities.alone(f"harvest {source.name}")
    if open_run := _open_of(source.name):
        raise refusal.one("source", "already_running", f"来源“{source.settings['title']}”已有一次汇聚在{'等待' if open_run.state == 'waiting' else '进行'}，请待其结束", value=open_run.id)
    if not dry_run:
        for held in _held_of(source.name):
            discard(held, person.id)
            hooks.settle(source, SUPERSEDED, touched, run=held)
    now, run_id = cases.now(), str(uuid.uuid4())
    values = {
        "id": run_id, "source": source.name, "state": "waiting", "dry_run": dry_run, "cause": cause, "asked_by": person.id,
        "asked_at": now, "not_before": now, "settings": source.settings,
    }  # fmt: skip
    model.Session.execute(insert(harvest_run).values(**values))
    return run_id


def stop(run: Any) -> None:
    """One that waits is over at once; one that runs is asked to stop, which it does within seconds."""
    now = cases.now()
    waiting = update(harvest_run).where(harvest_run.c.id == run.id, harvest_run.c.state == "waiting")
    if model.Session.execute(waiting.values(state="stopped", finished_at=now, stop_asked=True)).rowcount:
        return
    running = update(harvest_run).where(harvest_run.c.id == run.id, harvest_run.c.state == "running")
    if not model.Session.execute(running.values(stop_asked=True)).rowcount:
        raise refusal.one("id", "not_running", "这次汇聚没有在等待或者进行，不能停止", value=run.id)


def close(source: Any, person: Person, touched: Touched) -> None:
    """The source was disabled: nothing of it runs or waits for a decision any more; what came and how is kept."""
    identities.alone(f"harvest {source.name}")
    if run := _open_of(source.name):
        stop(run)
    for held in _held_of(source.name):
        discard(held, person.id)
    hooks.settle(source, "来源已经停用。", touched)


def release(run_id: str, person_id: str) -> None:
    """A held run goes on: its steps are loaded as they were planned and shown."""
    row = model.Session.execute(select(harvest_run.c.source).where(harvest_run.c.id == run_id)).first()
    if row is None:
        raise refusal.one("run", "not_held", "这次汇聚的结果已经不在了，不能写入", value=run_id)
    identities.alone(f"harvest {row.source}")
    if busy := _open_of(row.source):
        raise refusal.one("run", "already_running", "这一来源正有一次汇聚在进行，请待其结束后再同意写入", value=busy.id)
    now = cases.now()
    held = update(harvest_run).where(harvest_run.c.id == run_id, harvest_run.c.state == "held")
    decided = {"decided_by": person_id, "decided_at": now}
    if not model.Session.execute(held.values(state="waiting", not_before=now, finished_at=None, attempt=0, **decided)).rowcount:
        raise refusal.one("run", "not_held", "这次汇聚已经不在待核对的状态，不能写入", value=run_id)


def discard(run_id: str, person_id: str) -> None:
    """A held run is not loaded. What it would have changed stays to be read; the entries themselves are emptied."""
    now = cases.now()
    held = update(harvest_run).where(harvest_run.c.id == run_id, harvest_run.c.state == "held")
    if model.Session.execute(held.values(state="dropped", finished_at=now, decided_by=person_id, decided_at=now)).rowcount:
        model.Session.execute(update(harvest_step).where(harvest_step.c.run == run_id).values(entry=null()))


def shown(row: Any) -> dict[str, Any]:
    """A run for people: the columns, times in ISO 8601, source_title, asked_by and decided_by by name, case_id of its check."""
    names = _names({row.asked_by, row.decided_by})
    source = model.Session.execute(select(harvest_source.c.settings).where(harvest_source.c.name == row.source)).scalar() or row.settings
    return {
        **{key: getattr(row, key) for key in PLAIN},
        **{key: moment.isoformat(timespec="seconds") if (moment := getattr(row, key)) else None for key in TIMES},
        "source_title": source.get("title", row.source),
        "asked_by_name": names.get(row.asked_by, ""),
        "decided_by_name": names.get(row.decided_by, ""),
        "case_id": case_of(row.id),
    }


def listed(source: str, limit: int, offset: int, *, dry: bool = True) -> tuple[int, list[dict[str, Any]]]:
    """(how many, rows as ``shown``) of a source's runs, the newest first."""
    where = [harvest_run.c.source == source] + ([] if dry else [harvest_run.c.dry_run.is_(False)])
    query = select(harvest_run).where(*where).order_by(harvest_run.c.asked_at.desc(), harvest_run.c.id).limit(limit).offset(offset)
    return _count(harvest_run, where), [shown(row) for row in model.Session.execute(query).all()]


def steps(
    run_id: str, person: Person, limit: int, offset: int, *, kind: str = "", held: bool = False, state: str = ""
) -> tuple[int, list[dict[str, Any]]]:
    """(how many, rows) of what a run would do or did, in the source's order, as far as this person may see it.

    :param held: only those for which it waits for a person
    """
    where: list[ColumnElement[bool]] = [harvest_step.c.run == run_id, theirs.steps(person)]
    where += [harvest_step.c.kind == kind] if kind else []
    where += [harvest_step.c.state == state] if state else []
    where += [func.jsonb_array_length(harvest_step.c.reasons) > 0] if held else []
    keys = ("source_id", "kind", "state", "package_id", "case_id", "title", "provider", "changes", "problems", "reasons", "where")
    query = select(*[harvest_step.c[key] for key in keys]).where(*where).order_by(harvest_step.c.seq).limit(limit).offset(offset)
    return _count(harvest_step, where), [dict(row._mapping) for row in model.Session.execute(query)]


def kinds(run_id: str) -> dict[str, int]:
    """How many steps of each kind; ``held``: those for which it waits."""
    query = select(harvest_step.c.kind, func.count(), func.count().filter(func.jsonb_array_length(harvest_step.c.reasons) > 0))
    found = {kind: (count, held) for kind, count, held in model.Session.execute(query.where(harvest_step.c.run == run_id).group_by(harvest_step.c.kind))}
    return {kind: count for kind, (count, _) in found.items()} | {"held": sum(held for _, held in found.values())}


def problems(source: str, person: Person, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """(how many, rows) of a source's records in quarantine that this person may see: what is wrong and where; tried again in each run."""
    where = [harvest_record.c.source == source, harvest_record.c.state == "quarantined", theirs.records(person)]
    keys = ("source_id", "where", "problems", "tries", "first_seen_at", "changed_at", "package_id", "entry")
    query = select(*[harvest_record.c[key] for key in keys]).where(*where).order_by(harvest_record.c.changed_at.desc(), harvest_record.c.source_id)
    found = []
    for row in model.Session.execute(query.limit(limit).offset(offset)):
        times = {key: row._mapping[key].isoformat(timespec="seconds") for key in ("first_seen_at", "changed_at")}
        found.append({**{key: row._mapping[key] for key in keys if key != "entry"}, **times, "title": (row.entry or {}).get("title", "")})
    return _count(harvest_record, where), found


def case_of(run_id: str) -> str:
    """The id of the last case about a run, "" where there was none."""
    named = case_table.c.body[("data", "run")].astext == run_id
    query = select(case_table.c.id).where(case_table.c.procedure == hooks.PROCEDURE, named).order_by(case_table.c.opened_at.desc())
    return model.Session.execute(query.limit(1)).scalar() or ""


def _open_of(source: str) -> Any:
    return model.Session.execute(select(harvest_run.c.id, harvest_run.c.state).where(harvest_run.c.source == source, harvest_run.c.state.in_(OPEN))).first()


def _held_of(source: str) -> list[str]:
    return list(model.Session.execute(select(harvest_run.c.id).where(harvest_run.c.source == source, harvest_run.c.state == "held")).scalars())


def _names(ids: set[str]) -> dict[str, str]:
    users = {user.id: user.fullname or user.name for user in model.Session.execute(select(model.User).where(model.User.id.in_(ids - {""}))).scalars()}
    return {one: users.get(one, tk._("系统") if one == "system" else one) for one in ids if one}


def _count(table: Any, where: list[Any]) -> int:
    return int(model.Session.execute(select(func.count()).select_from(table).where(*where)).scalar_one())
