"""A case in words for its page: clocks with the days left, events with who and whither, what was filled in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from ckanext.mulu import entries
from ckanext.mulu.helpers import SHANGHAI, mulu_departments
from mulu.case import load_procedure
from mulu.entry import CLASS_FIELDS, FIELD, shown
from mulu.forms import FormField
from mulu.people import ROLE_LABELS

Row = dict[str, Any]
#: shown on their own or too long for a line
NOT_A_FACT = {"kind", "proposed", "base_version", "reason"}


def clocks(case: Mapping[str, Any]) -> list[Row]:
    """The case's clocks with `days_left` (working days, below 0 when late)."""
    today = datetime.now(SHANGHAI).date()
    return [
        {**clock, "days_left": entries.calendar().between(today, date.fromisoformat(clock["due_on"]))}
        for clock in case["clocks"]
    ]


def timeline(case: Mapping[str, Any], events: list[Row]) -> list[Row]:
    """The case's events with `role_label`, `to_state_label` and `facts` (what was filled in, as label and value)."""
    states = load_procedure(case["procedure"]).states
    return [
        {
            **one,
            "role_label": ROLE_LABELS.get(one["role"], ""),
            "to_state_label": states[one["to_state"]].label
            if one["to_state"] in states and one["to_state"] != one["from_state"]
            else "",
            "facts": _facts(case, one["data"]),
        }
        for one in events
    ]


def changes(diff: list[Row]) -> list[Row]:
    """The differences with departments by their titles; the address that the portal gives says nothing to a reviewer."""
    titles = {one["name"]: one["title"] for one in mulu_departments()}
    departments = {key for key, field in FIELD.items() if field.kind == "org"}
    return [
        {**one, **{side: titles.get(one[side], one[side]) for side in ("before", "after") if one["field"] in departments}}
        for one in diff
        if one["field"] != "name"
    ]


def facts(case: Mapping[str, Any]) -> list[Row]:
    """What the case asks for, as label and value."""
    return _facts(case, case["data"])


def _facts(case: Mapping[str, Any], data: Mapping[str, Any]) -> list[Row]:
    fields = load_procedure(case["procedure"]).fields
    found = []
    for key, value in data.items():
        if key in fields and key not in NOT_A_FACT and (text := _text(fields[key], value)):
            found.append({"label": fields[key].label, "value": text})
    return found


def _text(field: FormField, value: Any) -> str:
    if field.kind == "class" and isinstance(value, dict):
        own = [f"{FIELD[key].label}：{shown(FIELD[key], value[key])}" for key in CLASS_FIELDS if value.get(key)]
        items = [name for name, row in (value.get("items") or {}).items() if any(row.values())]
        return "；".join(own + ([f"另有属性的信息项：{'、'.join(items)}"] if items else []))
    if isinstance(value, dict):
        return "，".join(str(part) for part in (value.get("by"), value.get("on"), value.get("conclusion")) if part)
    if isinstance(value, list):
        return "、".join(field.options.get(one, one) if isinstance(one, str) else "" for one in value)
    return field.options.get(str(value), str(value)) if value not in (None, "") else ""
