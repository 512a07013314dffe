"""公开台账: what the public asked for, what came of it, and how long it took; never who asked, never their own words.

The shape is that of the snapshot's ``ledger`` (mulu_site.ledger).
"""

from __future__ import annotations

from statistics import median
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import ColumnElement, func, select

from ckanext.mulu import cases, entries
from ckanext.mulu.logic import refusal
from ckanext.mulu.model.tables import case as table
from ckanext.mulu.public_requests.intake import procedures
from mulu.case import SHANGHAI, Case
from mulu.codes import CODE_LISTS

Row = dict[str, Any]
PAGE = 50
WITHDRAWN = "withdrawn"
CLASSES = ("open_type", "share_type")


def page(procedure: str, number: int) -> dict[str, Any]:
    """``{procedure, page, pages, count, rows, counts}``; ValidationError's problem for a procedure whose cases are not listed.

    :param procedure: rereview or demand; "" for the counts alone
    """
    if procedure not in (*LISTED, ""):
        raise refusal.one("procedure", "not_in_list", tk._("公开台账列出复核申请（rereview）和数据需求（demand）"), value=procedure)
    count = model.Session.execute(select(func.count()).select_from(table).where(_of(procedure))).scalar_one() if procedure else 0
    number = max(1, number)
    rows = _rows(procedure, PAGE, (number - 1) * PAGE) if procedure else []
    return {"procedure": procedure, "page": number, "pages": max(1, -(-count // PAGE)), "count": count, "rows": rows, "counts": counts()}


def whole() -> dict[str, Any]:
    """All of it, as the snapshot carries it: {rereviews, demands, counts}."""
    return {"rereviews": _rows("rereview"), "demands": _rows("demand"), "counts": counts()}


def counts() -> dict[str, Row]:
    """Of each public procedure: {filed, open, answered, overdue, days}; days: median of working days until the answer, or None.

    A withdrawn request is filed and not answered.
    """
    calendar = entries.calendar()
    found: dict[str, Row] = {one.id: {"filed": 0, "open": 0, "answered": 0, "overdue": 0, "days": None} for one in procedures()}
    taken: dict[str, list[int]] = {name: [] for name in found}
    today = cases.now().astimezone(SHANGHAI).date()
    columns = (table.c.procedure, table.c.state, table.c.is_open, table.c.due_on, table.c.opened_at, table.c.updated_at)
    for row in model.Session.execute(select(*columns).where(table.c.procedure.in_(found))):
        one = found[row.procedure]
        one["filed"] += 1
        if row.is_open:
            one["open"] += 1
            one["overdue"] += bool(row.due_on and row.due_on < today)
        elif row.state != WITHDRAWN:
            one["answered"] += 1
            taken[row.procedure].append(calendar.between(row.opened_at.astimezone(SHANGHAI).date(), row.updated_at.astimezone(SHANGHAI).date()))
    for name, days in taken.items():
        found[name]["days"] = median(days) if days else None
    return found


def _of(procedure: str) -> ColumnElement[bool]:
    return table.c.procedure == procedure


def _rows(procedure: str, limit: int | None = None, offset: int = 0) -> list[Row]:
    query = select(table.c.body).where(_of(procedure)).order_by(table.c.opened_at.desc(), table.c.id).limit(limit).offset(offset)
    return [LISTED[procedure](Case.from_dict(body)) for body in model.Session.execute(query).scalars()]


def _rereview(case: Case) -> Row:
    state = cases.procedure_of(case).states[case.state]
    filed, closed = case.opened_at.astimezone(SHANGHAI).date(), case.updated_at.astimezone(SHANGHAI).date()
    decided = state.final and state.key != WITHDRAWN
    return {
        "entry": case.subject["id"],
        "title": case.subject["title"],
        "filed_on": filed.isoformat(),
        "decided_on": closed.isoformat() if decided else "",
        "state": case.state,
        "result": _change(case.data.get("before") or {}, case.data.get("after") or {}) if decided else "",
        "outcome": case.data.get("outcome", "") if decided else "",
        "days": entries.calendar().between(filed, closed) if decided else None,
    }


def _change(before: Row, after: Row) -> str:
    changed = [key for key in CLASSES if after.get(key) and after[key] != before.get(key)]
    label = {key: {code.key: code.label for code in CODE_LISTS[key]} for key in CLASSES}
    return "；".join(
        f"{CODE_LISTS[key].title}：{label[key].get(before.get(key), '—')} → {label[key].get(after[key], after[key])}" for key in changed
    )


def _demand(case: Case) -> Row:
    """What an anonymous person wrote is not published by a government before somebody looked at it: by the dispatch."""
    looked_at = bool(case.data.get("department"))
    return {
        "title": case.subject["title"] if looked_at else tk._("（主管部门尚未审看的需求）"),
        "count": int(case.data.get("count") or 1),
        "state": case.state,
        "filed_on": case.opened_at.astimezone(SHANGHAI).date().isoformat(),
    }


LISTED = {"rereview": _rereview, "demand": _demand}
