"""公开台账: what the public asked for, what came of it, and how long it took; never who asked, never their own words.

The shape is that of the snapshot's ``ledger`` (mulu_site.ledger). An answer is where the case's clock stopped for good: for a demand
that a department has taken up, that day, though the case goes on until the data is in the catalogue.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import date
from statistics import median
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import ColumnElement, func, select

from ckanext.mulu import cases, entries
from ckanext.mulu.logic import refusal
from ckanext.mulu.model.tables import case as table
from ckanext.mulu.public_requests.intake import procedures
from mulu.case import Case
from mulu.codes import CODE_LISTS

Row = dict[str, Any]
PAGE = 50
WITHDRAWN = "withdrawn"
CLASSES = ("open_type", "share_type")


def page(procedure: str, number: int) -> dict[str, Any]:
    """``{procedure, page, pages, count, rows, counts}``; ValidationError's problem for a procedure whose cases are not listed.

    :param procedure: rereview, demand or suggestion; "" for the counts alone
    """
    if procedure not in (*LISTED, ""):
        raise refusal.one("procedure", "not_in_list", tk._("公开台账列出复核申请（rereview）、数据需求（demand）和公开答复的意见建议（suggestion）"), value=procedure)
    count = model.Session.execute(select(func.count()).select_from(table).where(_of(procedure))).scalar_one() if procedure else 0
    number = max(1, number)
    rows = _rows(procedure, PAGE, (number - 1) * PAGE) if procedure else []
    return {"procedure": procedure, "page": number, "pages": max(1, -(-count // PAGE)), "count": count, "rows": rows, "counts": counts()}


def whole() -> dict[str, Any]:
    """All of it, as the snapshot carries it: {rereviews, demands, suggestions, counts}."""
    return {"rereviews": _rows("rereview"), "demands": _rows("demand"), "suggestions": _rows("suggestion"), "counts": counts()}


def counts() -> dict[str, Row]:
    """Of each public procedure: {filed, open, answered, withdrawn, overdue, in_time, days, longest, ends}.

    filed = open + answered + withdrawn, where open means not answered; overdue: open past the date; in_time: answered by it; days,
    longest: median and most working days until the answer, None while there is none; ends: {final state: how many ended so}.
    Nothing is told by person, entry or month, so that a small number points at nobody.
    """
    found: dict[str, Row] = {
        one.id: {"filed": 0, "open": 0, "answered": 0, "withdrawn": 0, "overdue": 0, "in_time": 0, "days": None, "longest": None, "ends": Counter()}
        for one in procedures()
    }
    taken: dict[str, list[int]] = {name: [] for name in found}
    today = cases.day(cases.now())
    query = select(table.c.body, table.c.is_open).where(table.c.procedure.in_(found))
    for row in model.Session.execute(query.execution_options(yield_per=500)):
        case = Case.from_dict(row.body)
        one, answered = found[case.procedure], _answered_on(case, row.is_open)
        one["filed"] += 1
        if not row.is_open:
            one["ends"][case.state] += 1
        if case.state == WITHDRAWN:
            one["withdrawn"] += 1
        elif answered:
            one["answered"] += 1
            one["in_time"] += all(clock.due_on >= answered for clock in case.clocks)
            taken[case.procedure].append(_days(case, answered))
        else:
            one["open"] += 1
            one["overdue"] += bool(case.due and case.due.due_on < today)
    for name, days in taken.items():
        found[name] |= {"days": median(days) if days else None, "longest": max(days, default=None), "ends": dict(found[name]["ends"])}
    return found


def _answered_on(case: Case, is_open: bool) -> date | None:
    """The day of the answer; None where there is none yet."""
    stopped = [clock.stopped_at for clock in case.clocks]
    if stopped and all(stopped):
        return max(day for day in stopped if day)
    return None if is_open else cases.day(case.updated_at)


def _days(case: Case, until: date) -> int:
    """Working days from the day on which it was handed in."""
    return entries.calendar().between(cases.day(case.opened_at), until)


def _of(procedure: str) -> ColumnElement[bool]:
    if procedure != "suggestion":
        return table.c.procedure == procedure
    summed_up = func.coalesce(table.c.body[("data", "summary")].astext, "") != ""  # the authority's word that it is public
    return (table.c.procedure == procedure) & ~table.c.is_open & summed_up


def _rows(procedure: str, limit: int | None = None, offset: int = 0) -> list[Row]:
    query = select(table.c.body, table.c.is_open).where(_of(procedure)).order_by(table.c.opened_at.desc(), table.c.id)
    return [LISTED[procedure](Case.from_dict(row.body), row.is_open) for row in model.Session.execute(query.limit(limit).offset(offset))]


def _told(case: Case, is_open: bool) -> Row:
    """{id, filed_on, decided_on, days}; id: stays the same while all else may change, and opens no case; decided_on, days: "" and None while it is not answered, or where it was taken back."""
    answered = None if case.state == WITHDRAWN else _answered_on(case, is_open)
    return {
        "id": hashlib.sha256(f"mulu ledger {case.id}".encode()).hexdigest()[:20],
        "filed_on": cases.day(case.opened_at).isoformat(),
        "decided_on": answered.isoformat() if answered else "",
        "days": _days(case, answered) if answered else None,
    }


def _rereview(case: Case, is_open: bool) -> Row:
    told = _told(case, is_open)
    decided = bool(told["decided_on"])
    return {
        "entry": case.subject["id"],
        "title": case.subject["title"],
        "state": case.state,
        "result": _change(case.data.get("before") or {}, case.data.get("after") or {}) if decided else "",
        "outcome": case.data.get("outcome", "") if decided else "",
        **told,
    }


def _change(before: Row, after: Row) -> str:
    changed = [key for key in CLASSES if after.get(key) and after[key] != before.get(key)]
    label = {key: {code.key: code.label for code in CODE_LISTS[key]} for key in CLASSES}
    return "；".join(
        f"{CODE_LISTS[key].title}：{label[key].get(before.get(key), '—')} → {label[key].get(after[key], after[key])}" for key in changed
    )


def _demand(case: Case, is_open: bool) -> Row:
    """What an anonymous person wrote is not published by a government before somebody looked at it: by the dispatch."""
    looked_at = bool(case.data.get("department"))
    untold = tk._("（主管部门尚未审看的需求）") if is_open else tk._("（未公开内容的需求）")
    return {
        "title": case.subject["title"] if looked_at else untold,
        "count": int(case.data.get("count") or 1),
        "state": case.state,
        "entry": case.data.get("entry") or "",
        **_told(case, is_open),
    }


def _suggestion(case: Case, is_open: bool) -> Row:
    """Only what the authority has summed up and answered in public."""
    return {"title": case.data["summary"], "kind": case.data["kind"], "outcome": case.data["outcome"], **_told(case, is_open)}


LISTED = {"rereview": _rereview, "demand": _demand, "suggestion": _suggestion}
