"""By what a list of cases is narrowed: the ledger, its export and the overview's links filter alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import ckan.plugins.toolkit as tk
from sqlalchemy import ColumnElement, or_

from ckanext.mulu.logic import access, refusal
from ckanext.mulu.model.tables import case as case_table
from mulu.case import SHANGHAI
from mulu.people import Person

DAYS = {"since": "起始日期", "until": "截止日期"}


def today() -> date:
    return datetime.now(SHANGHAI).date()


def is_late() -> ColumnElement[bool]:
    """Open and past its nearest deadline, whether or not the clockwork has marked it yet."""
    return case_table.c.is_open & or_(case_table.c.overdue, case_table.c.due_on < today())


def where(data: Mapping[str, Any], actor: Person) -> list[ColumnElement[bool]]:
    """Conditions for what this person may see and has asked for. ValidationError for what is no day."""
    found = [access.visible_cases(actor)]
    found += [case_table.c[key] == data[key] for key in ("procedure", "state", "org", "subject_id") if data.get(key)]
    if data.get("party"):
        found.append(case_table.c.parties.contains([data["party"]]))
    if data.get("turn"):
        found.append(case_table.c.turn.overlap([f"{role}@{data['turn']}" for role in ("editor", "head")]))
    for flag, condition in (("open", case_table.c.is_open), ("overdue", is_late()), ("provisional", case_table.c.provisional & case_table.c.is_open)):
        if isinstance(data.get(flag), bool):
            found.append(condition if data[flag] else ~condition)
    if data.get("q"):
        found.append(case_table.c.title.contains(data["q"], autoescape=True))
    if data.get("mine"):
        found.append(or_(case_table.c.filed_by == actor.id, access.turn_is_of(actor)))
    if data.get("since"):
        found.append(case_table.c.opened_at >= _midnight("since", data["since"]))
    if data.get("until"):
        found.append(case_table.c.opened_at < _midnight("until", data["until"]) + timedelta(days=1))
    return found


def _midnight(key: str, text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(), SHANGHAI)
    except ValueError:
        raise refusal.one(key, "not_a_date", tk._("{label}应为形如 2026-01-31 的日期").format(label=DAYS[key]), value=text) from None
