"""Cases in the database: load, lock, ask the engine, store what it says, all in the caller's transaction.

The engine (mulu.case) decides; here is only memory. Nothing in this module commits: see ``transaction.py``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert

import mulu.profile
from ckanext.mulu import effects, entries
from ckanext.mulu.model import history
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.model.tables import entry_version, outbox, procedure_version
from ckanext.mulu.transaction import Touched
from mulu.case import Case, Outcome, Procedure, apply, available, load_procedure, open_case, tick, who_acts
from mulu.entry import with_class
from mulu.people import Person, Role
from mulu.procedure import parse
from mulu.profile import Profile

_parsed: dict[str, Procedure] = {}


def now() -> datetime:
    return datetime.now(UTC)


def get(case_id: str, *, lock: bool = False) -> Case:
    """The case; ObjectNotFound if there is none. ``lock``: until the transaction ends nobody else may change it."""
    query = select(case_table.c.body).where(case_table.c.id == case_id)
    body = model.Session.execute(query.with_for_update() if lock else query).scalar()
    if body is None:
        raise tk.ObjectNotFound(tk._("没有这个事项。"))
    return Case.from_dict(body)


def open_case_of(subject_id: str, procedure: str) -> Case | None:
    """The open case of this procedure about a subject. There is at most one of a review and of a class change."""
    query = select(case_table.c.body).where(
        case_table.c.subject_id == subject_id, case_table.c.procedure == procedure, case_table.c.is_open
    )
    body = model.Session.execute(query).scalars().first()
    return Case.from_dict(body) if body else None


def procedure_of(case: Case) -> Procedure:
    """The procedure as it stood when the case was opened."""
    current = load_procedure(case.procedure)
    if current.version == case.procedure_version:
        return current
    if case.procedure_version not in _parsed:
        query = select(procedure_version.c.source).where(procedure_version.c.version == case.procedure_version)
        _parsed[case.procedure_version] = parse(model.Session.execute(query).scalar_one())
    return _parsed[case.procedure_version]


def profile_of(case: Case) -> Profile:
    current = entries.profile()
    return current if current.id == case.profile else mulu.profile.load(case.profile)


def open_(
    procedure_id: str, subject: Mapping[str, Any], actor: Person, data: Mapping[str, Any], touched: Touched,
    *, entry: dict[str, Any] | None = None,
) -> Case:  # fmt: skip
    """Open a case; Refused says every reason. ``entry``: the subject in wire form, where the caller has it at hand."""
    procedure = load_procedure(procedure_id)
    facts = _facts(procedure_id, subject, data, entry)
    outcome = open_case(
        procedure, entries.profile(), entries.calendar(), id=str(uuid.uuid4()), subject=subject, actor=actor, data=data,
        now=now(), facts=facts,
    )  # fmt: skip
    stored = pg_insert(procedure_version).values(version=procedure.version, procedure=procedure.id, source=procedure.source)
    model.Session.execute(stored.on_conflict_do_nothing())
    return _store(procedure, outcome, touched, new=True)


def act(
    case: Case, event: str, actor: Person, data: Mapping[str, Any], touched: Touched, *, version: int | None = None,
    entry: dict[str, Any] | None = None,
) -> Case:  # fmt: skip
    """Apply an event to a case that is locked; Refused says every reason. Effects are carried out at once.

    ``entry``: the draft in wire form, where the caller has it at hand.
    """
    procedure = procedure_of(case)
    facts = _facts(case.procedure, case.subject, {**case.data, **data}, entry)
    outcome = apply(
        procedure, profile_of(case), entries.calendar(), case, event, actor, data, now(), version=version, facts=facts
    )
    return _store(procedure, outcome, touched)


def tick_all(touched: Touched, moment: datetime | None = None) -> int:
    """Let time pass for every open case with a clock; gives how many steps followed. Twice at once changes nothing twice."""
    steps = 0
    waiting = select(case_table.c.id).where(case_table.c.is_open, case_table.c.due_on.isnot(None))
    for case_id in model.Session.execute(waiting).scalars().all():
        case = get(case_id, lock=True)
        procedure = procedure_of(case)
        for outcome in tick(procedure, profile_of(case), entries.calendar(), case, moment or now()):
            _store(procedure, outcome, touched)
            steps += 1
    return steps


def possible(case: Case, actor: Person) -> list[dict[str, Any]]:
    """The events that lead on from here, each with whether this person may press it now."""
    return [
        one.to_dict() for one in available(procedure_of(case), profile_of(case), entries.calendar(), case, actor, now())
    ]


def proposed_entry(case: Case) -> dict[str, Any]:
    """What the case would make of its entry: the proposal, or the draft itself, or the entry with its new class."""
    if case.procedure == "catalogue_review" and case.data.get("proposed"):
        return dict(case.data["proposed"])
    entry = entries.to_entry(entries.show(case.subject["id"]))
    return with_class(entry, case.data.get("after") or {}) if case.procedure == "classification_change" else entry


def expected(package_id: str) -> dict[str, Any] | None:
    """The published entry as it will be if all that waits for a decision is agreed to; None if nothing waits."""
    review, change = open_case_of(package_id, "catalogue_review"), open_case_of(package_id, "classification_change")
    proposed = review.data.get("proposed") if review else None
    if not proposed and not change:
        return None
    entry = proposed or entries.to_entry(entries.show(package_id))
    return with_class(entry, change.data.get("after") or {}) if change else dict(entry)


def published(package_id: str) -> tuple[int | None, dict[str, Any] | None]:
    """(version, entry) that the public sees; (None, None) before the first publication."""
    query = (
        select(entry_version.c.version, entry_version.c.entry)
        .where(entry_version.c.package_id == package_id)
        .order_by(entry_version.c.version.desc())
        .limit(1)
    )
    row = model.Session.execute(query).first()
    return (row.version, row.entry) if row else (None, None)


def turn_of(role: Role) -> str:
    """A role as the column ``turn`` holds it."""
    return f"{role.name}@{role.org}" if role.org else role.name


def _facts(
    procedure_id: str, subject: Mapping[str, Any], data: Mapping[str, Any], entry: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What the rules want to know of the world outside the case."""
    if subject["type"] != "entry":
        return {}
    version, before = published(subject["id"])
    if procedure_id == "catalogue_review":
        after = data.get("proposed") or entry or entries.to_entry(entries.show(subject["id"]))
    else:
        after = with_class(entry or entries.to_entry(entries.show(subject["id"])), data.get("after") or {})
    problems = [problem.to_dict() for problem in entries.problems_of(after)]
    return {"entry_problems": problems, "published_entry": before, "published_version": version}


def _store(procedure: Procedure, outcome: Outcome, touched: Touched, *, new: bool = False) -> Case:
    case, record = outcome.case, outcome.event
    due = case.due
    row = {
        "procedure": case.procedure,
        "state": case.state,
        "is_open": not procedure.states[case.state].final,
        "subject_type": case.subject["type"],
        "subject_id": case.subject["id"],
        "title": case.subject["title"],
        "org": case.subject["org"],
        "filed_by": case.filed_by,
        "turn": sorted(turn_of(role) for role in who_acts(procedure, case)),
        "due_on": due.due_on if due else None,
        "overdue": any(clock.running and clock.overdue_since for clock in case.clocks),
        "provisional": bool(due and due.provisional),
        "opened_at": case.opened_at,
        "updated_at": case.updated_at,
        "version": case.version,
        "body": case.to_dict(),
    }
    if new:
        model.Session.execute(insert(case_table).values(id=case.id, **row))
    else:
        model.Session.execute(update(case_table).where(case_table.c.id == case.id).values(**row))
    history.append(case.id, record.seq, record.at, record.to_dict())
    for notice in outcome.notices:
        to = [turn_of(role) for role in notice.to_roles]
        values = {"case_id": case.id, "seq": record.seq, "template": notice.template, "to": to, "args": dict(notice.args)}
        model.Session.execute(insert(outbox).values(**values, created_at=func.now(), attempts=0, last_error=""))
    for effect in outcome.effects:
        effects.carry_out(effect, case, record, touched)
    return case


def proposing(resource_id: str) -> str | None:
    """The id of the entry for which an open review proposes this resource."""
    holds = case_table.c.body[("data", "proposed", "resources")].contains([{"id": resource_id}])  # as ix_mulu_case_proposed_resources
    query = select(case_table.c.subject_id).where(case_table.c.is_open, case_table.c.procedure == "catalogue_review", holds)
    return model.Session.execute(query).scalars().first()
