"""Cases by API: open, act, show, list; the contract of every procedure, now and later."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk
from sqlalchemy import ColumnElement, func, or_, select

from ckanext.mulu import cases, entries, identities, roles, steps, subjects
from ckanext.mulu.logic import access, content, refusal, schema
from ckanext.mulu.logic.action import case_filters
from ckanext.mulu.model import history, versions
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.transaction import transaction
from mulu.case import SHANGHAI, Case, load_procedure
from mulu.entry import diff
from mulu.people import Person

Context = dict[str, Any]


@tk.validate_action_data(schema.case_open)
def mulu_case_open(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """Open a case.

    :param procedure: id, e.g. ``classification_change``
    :param subject: ``{"type", "id"}``: entry (dataset id or name), department (organisation name), case (its id), place ("")
    :param data: the fields that the procedure's opening asks for (``mulu_procedure_show`` gives its JSON Schema)
    :returns: as ``mulu_case_show``
    """
    refusal.require_storable(data)
    tk.check_access("mulu_case_open", context, data)
    actor = roles.person(context)
    try:
        procedure = load_procedure(data["procedure"])
    except KeyError as unknown:
        raise refusal.one("procedure", "not_in_list", str(unknown.args[0])) from None
    filled = data.get("data") or {}
    with refusal.refusals(), transaction(context) as touched:
        subject = subjects.of(procedure, data["subject"], actor, filled)
        if procedure.one_open:
            identities.alone(f"{procedure.id} {subject['id']}")
        if procedure.one_open and cases.open_case_of(subject["id"], procedure.id):
            raise refusal.one("subject", "already_open", f"《{subject['title']}》已有一件同类事项在办理，请在原件上继续")
        filled = subjects.given(procedure.id, subject, filled, actor)
        case = steps.open_(procedure.id, subject, actor, filled, touched)
    return _show(case.id, actor)


@tk.validate_action_data(schema.case_event)
def mulu_case_event(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """Do something in a case: submit, agree, publish, return … A refusal names every reason with its article.

    :param id: of the case
    :param event: id of the event
    :param data: the event's fields
    :param version: the version that the person saw; an older one than the case's is refused (rule ``stale_version``)
    :returns: as ``mulu_case_show``
    """
    tk.check_access("mulu_case_event", context, data)
    refusal.require_storable(data)
    actor = roles.person(context)
    with refusal.refusals(), transaction(context) as touched:
        case = cases.get(data["id"], lock=True)
        access.require_seen(actor, case)
        steps.act(case, data["event"], actor, data.get("data") or {}, touched, version=data.get("version") or None)
    return _show(data["id"], actor)


@tk.side_effect_free
@tk.validate_action_data(schema.by_id)
def mulu_case_show(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """A case with its events, what this person may do now (and why not), the difference to what is published, all problems.

    :returns: ``{id, procedure, …, case, events, available, diff, problems}``
    """
    tk.check_access("mulu_case_show", context, data)
    return _show(data["id"], roles.person(context))


@tk.side_effect_free
@tk.validate_action_data(schema.case_list)
def mulu_case_list(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """The cases that this person may see, the last changed first.

    :param procedure, state, org: only these; ``mine``: filed by this person or waiting for them; ``q``: part of the title
    :param party: a department that it concerns; ``turn``: whose turn it is; ``open``, ``overdue``, ``provisional``: booleans
    :param since, until: first and last day of filing (YYYY-MM-DD)
    :returns: ``{count, results}``; a result is as in ``row_of``
    """
    tk.check_access("mulu_case_list", context, data)
    actor = roles.person(context)
    where = case_filters.where(data, actor)
    count = model.Session.execute(select(func.count()).select_from(case_table).where(*where)).scalar_one()
    limit = min(data.get("limit") or 20, tk.config["mulu.case_list_max"])
    found = _rows(where, case_table.c.updated_at.desc(), limit, data.get("offset") or 0)
    return {"count": count, "results": rows_of(found, actor)}


@tk.side_effect_free
def mulu_inbox(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """我的待办: the open cases in which it is this person's turn, the earliest deadline first.

    :returns: ``{counts: {procedure: {turn, overdue}}, results}``; at most 500 results, the counts are of all
    """
    tk.check_access("mulu_inbox", context, data)
    actor = roles.person(context)
    where = [case_table.c.is_open, access.turn_is_of(actor)]
    late = func.count().filter(or_(case_table.c.overdue, case_table.c.due_on < datetime.now(SHANGHAI).date()))
    counted = select(case_table.c.procedure, func.count(), late).where(*where).group_by(case_table.c.procedure)
    counts = {name: {"turn": turn, "overdue": overdue} for name, turn, overdue in model.Session.execute(counted)}
    found = _rows(where, case_table.c.due_on.asc().nulls_last(), 500, 0)
    return {"counts": counts, "results": rows_of(found, actor)}


def _rows(where: list[ColumnElement[bool]], order: Any, limit: int, offset: int) -> list[Any]:
    columns = [column for column in case_table.c if column.name != "body"]
    query = select(*columns).where(*where).order_by(order, case_table.c.opened_at).limit(limit).offset(offset)
    return list(model.Session.execute(query))


def rows_of(rows: list[Any], actor: Person) -> list[dict[str, Any]]:
    """Cases of a list, the names of their departments looked up at once."""
    group = model.Group
    wanted = select(group.name, group.title).where(group.name.in_({row.org for row in rows}))
    titles = {name: title or name for name, title in model.Session.execute(wanted)}
    return [row_of(row, actor, titles.get(row.org, row.org)) for row in rows]


def row_of(row: Any, actor: Person, org_title: str) -> dict[str, Any]:
    """A case in a list: {id, procedure, procedure_title, title, org, org_title, state, state_label, due_on, days_left, …}."""
    procedure = load_procedure(row.procedure)
    state = procedure.states.get(row.state)
    today = datetime.now(SHANGHAI).date()
    left = entries.calendar().between(today, row.due_on) if row.due_on else None
    return {
        "id": row.id,
        "procedure": row.procedure,
        "procedure_title": procedure.title,
        "title": row.title,
        "subject_type": row.subject_type,
        "subject_id": row.subject_id,
        "org": row.org,
        "org_title": org_title,
        "state": row.state,
        "state_label": state.label if state else row.state,
        "is_open": row.is_open,
        "due_on": row.due_on.isoformat() if row.due_on else None,
        "days_left": left,
        "overdue": row.overdue or (left is not None and left < 0),
        "turn": list(row.turn),
        "parties": list(row.parties or ()),
        "provisional": row.provisional,
        "my_turn": row.is_open and bool(set(row.turn) & {cases.turn_of(role) for role in actor.roles}),
        "opened_at": row.opened_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
        "version": row.version,
    }


def _show(case_id: str, actor: Person) -> dict[str, Any]:
    row = model.Session.execute(select(case_table).where(case_table.c.id == case_id)).first()
    if row is None:
        raise tk.ObjectNotFound(tk._("没有这个事项。"))
    case = Case.from_dict(row.body)
    access.require_seen(actor, case)
    [listed] = rows_of([row], actor)
    shown = listed | {
        "case": case.to_dict() | {"state_label": listed["state_label"]},
        "events": history.events(case_id),
        "available": cases.possible(case, actor),
        "diff": [],
        "problems": [],
    }
    package = model.Package.get(case.subject["id"]) if case.subject["type"] == "entry" else None
    if package is not None:
        _, before = versions.last(case.subject["id"])
        after = cases.proposed_entry(case)
        shown["entry"] = after
        if row.is_open and case.procedure in cases.CHANGES:
            shown["diff"] = [vars(change) for change in diff(before, after)]
            shown["problems"] = [problem.to_dict() for problem in entries.problems_of(after)]
        shown = content.case_shown(shown, actor, package)
    return shown
