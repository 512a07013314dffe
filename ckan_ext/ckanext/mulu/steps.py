"""What changes a case: ask the engine, store what it says, carry out what follows; all in the caller's transaction.

The engine (mulu.case) decides; here is only memory. Nothing in this module commits: see ``transaction.py``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from ckan import model
from sqlalchemy import insert, update
from sqlalchemy.dialects.postgresql import insert as pg_insert

from ckanext.mulu import cases, effects, entries
from ckanext.mulu.facts import Facts
from ckanext.mulu.model import history
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.model.tables import outbox, procedure_version, profile_version
from ckanext.mulu.transaction import Touched
from mulu.case import Case, Outcome, Procedure, apply, load_procedure, open_case, parties, tick, who_acts
from mulu.people import Person
from mulu.profile import Profile


def open_(
    procedure_id: str, subject: Mapping[str, Any], actor: Person, data: Mapping[str, Any], touched: Touched,
    *, entry: dict[str, Any] | None = None, since: date | None = None,
) -> Case:  # fmt: skip
    """Open a case; Refused says every reason. ``entry``: the subject in wire form, where the caller has it at hand.

    since: the day on which it was handed in, where it is entered later.
    """
    procedure = load_procedure(procedure_id)
    place = entries.profile()
    outcome = open_case(
        procedure, place, entries.calendar(), id=str(uuid.uuid4()), subject=subject, actor=actor, data=data, now=cases.now(),
        facts=Facts(procedure_id, subject, data, place, entry), since=since,
    )  # fmt: skip  # fmt: skip
    keep_rules(procedure, place)
    return _store(procedure, outcome, touched, new=True)


def act(
    case: Case, event: str, actor: Person, data: Mapping[str, Any], touched: Touched, *, version: int | None = None,
    entry: dict[str, Any] | None = None,
) -> Case:  # fmt: skip
    """Apply an event to a case that is locked; Refused says every reason. Effects are carried out at once.

    ``entry``: the draft in wire form, where the caller has it at hand.
    """
    procedure, place = cases.procedure_of(case), cases.profile_of(case)
    asked = {field.key for field in procedure.events[event].fields} if event in procedure.events else set()
    known = {key: value for key, value in data.items() if key in asked}
    facts = Facts(case.procedure, case.subject, {**case.data, **known}, place, entry, case.authors)
    outcome = apply(procedure, place, entries.calendar(), case, event, actor, data, cases.now(), version=version, facts=facts)
    return _store(procedure, outcome, touched)


def tick_one(case_id: str, touched: Touched, moment: datetime | None = None) -> int:
    """Let time pass for one case, which is locked; gives how many steps followed. Twice at once changes nothing twice."""
    case = cases.get(case_id, lock=True)
    procedure = cases.procedure_of(case)
    outcomes = tick(procedure, cases.profile_of(case), entries.calendar(), case, moment or cases.now())
    for outcome in outcomes:
        _store(procedure, outcome, touched)
    return len(outcomes)


def keep_rules(procedure: Procedure, place: Profile) -> None:
    """The rules under which a case is opened stay, as they are now."""
    for table, row in (
        (procedure_version, {"version": procedure.version, "procedure": procedure.id, "source": procedure.source}),
        (profile_version, {"version": place.version, "profile": place.id, "source": place.source}),
    ):
        model.Session.execute(pg_insert(table).values(**row).on_conflict_do_nothing())


def _store(procedure: Procedure, outcome: Outcome, touched: Touched, *, new: bool = False) -> Case:
    case, record = outcome.case, outcome.event
    row = row_of(procedure, case)
    if new:
        model.Session.execute(insert(case_table).values(**row))
    else:
        model.Session.execute(update(case_table).where(case_table.c.id == case.id).values(**row))
    history.append(case.id, record.seq, record.at, record.to_dict())
    if notices := notices_of(outcome):
        model.Session.execute(insert(outbox), notices)
    for effect in outcome.effects:
        effects.carry_out(effect, case, record, touched)
    return case


def row_of(procedure: Procedure, case: Case) -> dict[str, Any]:
    """A case as its table holds it."""
    due = case.due
    return {
        "id": case.id,
        "procedure": case.procedure,
        "state": case.state,
        "is_open": not procedure.states[case.state].final,
        "subject_type": case.subject["type"],
        "subject_id": case.subject["id"],
        "title": case.subject["title"],
        "org": case.subject["org"],
        "filed_by": case.filed_by,
        "parties": sorted(parties(procedure, case)),
        "turn": sorted(cases.turn_of(role) for role in who_acts(procedure, case)),
        "due_on": due.due_on if due else None,
        "overdue": any(clock.overdue_since and clock.running for clock in case.clocks),
        "provisional": bool(due and due.provisional),
        "opened_at": case.opened_at,
        "updated_at": case.updated_at,
        "version": case.version,
        "body": case.to_dict(),
    }


def notices_of(outcome: Outcome) -> list[dict[str, Any]]:
    """What a step has to tell, as rows of the outbox; nothing to a role that nobody holds in this case: no department, no applicant."""
    return [
        {
            "case_id": outcome.case.id, "seq": outcome.event.seq, "template": notice.template, "to": to, "args": dict(notice.args),
            "created_at": outcome.event.at, "attempts": 0, "last_error": "",
        }
        for notice in outcome.notices
        if (to := [cases.turn_of(role) for role in notice.to_roles])
    ]  # fmt: skip
