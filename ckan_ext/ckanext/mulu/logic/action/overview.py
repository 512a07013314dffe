"""总览: how many cases are open and late, of what and at whom; and the demands that are waiting. For lists of cases see cases.py."""

from __future__ import annotations

from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk
from sqlalchemy import func, select

from ckanext.mulu import roles
from ckanext.mulu.logic import access
from ckanext.mulu.logic.action import case_filters
from ckanext.mulu.logic.action.cases import rows_of
from ckanext.mulu.model.tables import case as case_table
from mulu.case import load_procedure
from mulu.people import ORG_ROLES

OLDEST = 20
Context = dict[str, Any]


@tk.side_effect_free
def mulu_case_overview(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """Open cases that this person may see: counts, and the latest of them. The authority sees all (政务数据共享条例 第四条).

    :returns: ``{total, procedures: [{id, title, open, late, provisional}], departments: [{name, title, open, late}], late, extensions}``;
        a department's are those in which it is its turn; late, extensions: rows as in ``mulu_case_list``, the oldest deadline first
    """
    tk.check_access("mulu_case_list", context, data)
    actor = roles.person(context)
    seen = [case_table.c.is_open, access.visible_cases(actor)]
    late = func.count().filter(case_filters.is_late())
    provisional = func.count().filter(case_table.c.provisional)
    query = select(case_table.c.procedure, func.count(), late, provisional).where(*seen).group_by(case_table.c.procedure)
    procedures = [
        {"id": name, "title": load_procedure(name).title, "open": count, "late": over, "provisional": unsure}
        for name, count, over, unsure in model.Session.execute(query)
    ]
    whose = func.unnest(case_table.c.turn).label("whose")
    turns = select(case_table.c.id, whose, case_filters.is_late().label("late")).where(*seen).subquery()
    department = func.split_part(turns.c.whose, "@", 2)
    each = select(turns.c.id, department.label("name"), turns.c.late).where(func.split_part(turns.c.whose, "@", 1).in_(ORG_ROLES)).distinct().subquery()
    group = model.Group
    counted = (
        select(each.c.name, group.title, func.count(), func.count().filter(each.c.late))
        .join(group, group.name == each.c.name)
        .group_by(each.c.name, group.title)
    )
    departments = [{"name": name, "title": title or name, "open": count, "late": over} for name, title, count, over in model.Session.execute(counted)]
    return {
        "total": {key: sum(row[key] for row in procedures) for key in ("open", "late", "provisional")},
        "procedures": sorted(procedures, key=lambda row: (-row["late"], -row["open"])),
        "departments": sorted(departments, key=lambda row: (-row["late"], -row["open"])),
        "late": rows_of(_rows([*seen, case_filters.is_late()]), actor),
        "extensions": rows_of(_rows([*seen, case_table.c.state == "extension_asked"]), actor),
    }


def _rows(where: list[Any]) -> list[Any]:
    columns = [column for column in case_table.c if column.name != "body"]
    query = select(*columns).where(*where).order_by(case_table.c.due_on.asc().nulls_last(), case_table.c.opened_at).limit(OLDEST)
    return list(model.Session.execute(query))


@tk.side_effect_free
def mulu_demand_list(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """供需对接: what departments and the public need and do not find (政务数据共享条例 第二十条), the most wanted first.

    Every official sees all of them, so that the same need is not told twice; who asked is not told.

    :returns: ``{"results": [{id, title, wish, count, state_label, is_open, opened_at, department, entry, seen}]}``; seen: whether this person
        may open the case
    """
    tk.check_access("mulu_case_list", context, data)
    actor = roles.person(context)
    official = any(role.name != "applicant" for role in actor.roles)
    condition = case_table.c.procedure == "demand" if official else (case_table.c.procedure == "demand") & access.visible_cases(actor)
    mine = access.visible_cases(actor).label("seen")
    body = case_table.c.body["data"]
    count = func.coalesce(body["count"].as_integer(), 1)
    query = select(case_table, mine).where(condition).order_by(case_table.c.is_open.desc(), count.desc(), case_table.c.opened_at.desc()).limit(500)
    states, found = load_procedure("demand").states, []
    for row in model.Session.execute(query):
        filled = row.body["data"]
        found.append({
            "id": row.id, "title": filled.get("title") or row.title, "wish": filled.get("wish"), "count": filled.get("count") or 1,
            "state_label": states[row.state].label if row.state in states else row.state, "is_open": row.is_open, "opened_at": row.opened_at.isoformat(),
            "department": filled.get("department") or "", "entry": filled.get("entry") or "", "seen": bool(row.seen),
        })  # fmt: skip
    return {"results": found}
