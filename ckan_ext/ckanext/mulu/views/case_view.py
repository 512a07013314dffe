"""A case in words for its page: clocks with the days left, whose turn it is, what was asked and filled in, what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.mulu import cases, entries
from ckanext.mulu.helpers import SHANGHAI, mulu_date, mulu_departments
from ckanext.mulu.model import versions
from ckanext.mulu.notices import letters
from ckanext.mulu.views import asked
from mulu import forms
from mulu.case import Case, load_procedure, who_acts
from mulu.entry import CLASS_FIELDS, FIELD, shown
from mulu.forms import FormField
from mulu.people import ORG_ROLES, ROLE_LABELS, Role
from mulu.procedure import Event, Procedure, RoleSpec

Row = dict[str, Any]
#: shown on their own or too long for a line
NOT_A_FACT = {"kind", "proposed", "base_version", "reason", "asked", "decisions", "promise", "grantee"}


def clocks(case: Mapping[str, Any]) -> list[Row]:
    """The case's clocks with `days_left` (working days, below 0 when late)."""
    today = datetime.now(SHANGHAI).date()
    return [
        {**clock, "days_left": entries.calendar().between(today, date.fromisoformat(clock["due_on"]))}
        for clock in case["clocks"]
    ]


def timeline(case: Mapping[str, Any], events: list[Row]) -> list[Row]:
    """The case's events with `role_label`, `to_state_label` and `facts` (what was filled in, as label and value)."""
    states = cases.procedure_of(_case(case)).states
    return [
        {
            **one,
            "role_label": ROLE_LABELS.get(one["role"], ""),
            "to_state_label": states[one["to_state"]].label
            if one["to_state"] in states and one["to_state"] != one["from_state"]
            else "",
            "facts": _facts(case, one["data"]) if number else [],
        }
        for number, one in enumerate(events)
    ]


def changes(diff: list[Row]) -> list[Row]:
    """The differences with departments by their titles; the address that the portal gives says nothing to a reviewer."""
    titles = departments()
    own = {key for key, field in FIELD.items() if field.kind == "org"}
    return [
        {**one, **{side: titles.get(one[side], one[side]) for side in ("before", "after") if one["field"] in own}}
        for one in diff
        if one["field"] != "name"
    ]


def facts(case: Mapping[str, Any]) -> list[Row]:
    """What the case asks for, as label, value and, where it is somewhere, its links [{title, url}]."""
    return _facts(case, case["data"])


def asked_rows(case: Mapping[str, Any]) -> list[Row]:
    """The entries and items that an application asks for, with what was decided on each."""
    data = case["data"]
    return asked.rows(data.get("asked") or (), case["procedure"], data.get("decisions") or ())


def turn(case: Mapping[str, Any]) -> list[str]:
    """Whose turn it is, each as 「县教育局 部门负责人」; nobody's where the case rests or has ended."""
    now = _case(case)
    return people(who_acts(cases.procedure_of(now), now))


def people(roles: Iterable[Role]) -> list[str]:
    """Roles in words, those of one department together: 「县教育局（部门编目人员、部门负责人）」."""
    titles, found = departments(), dict[str, list[str]]()
    for role in sorted(roles, key=lambda role: (role.name in ORG_ROLES, role.org or "", role.name)):
        found.setdefault(role.org or "" if role.name in ORG_ROLES else "", []).append(role.label)
    return [f"{titles.get(org, org)}（{'、'.join(labels)}）" if org else "、".join(dict.fromkeys(labels)) for org, labels in found.items()]


def next_steps(case: Mapping[str, Any]) -> list[Row]:
    """What may come next, the step that leads on first: {label, by, to, deadline, article}; steps of the portal itself left out."""
    now = _case(case)
    procedure, place = cases.procedure_of(now), cases.profile_of(now)
    found = []
    for event in procedure.events.values():
        specs = event.by.get(now.state, ())
        leads_on = event.style == "primary"
        if not specs or [spec.name for spec in specs] == ["system"] or not leads_on:
            continue
        targets = _targets(event, now)
        found.append({
            "label": event.label,
            "by": "、".join(people(_roles(specs, case))),
            "to": " / ".join(dict.fromkeys(procedure.states[one].label for one in targets)),
            "deadline": _deadline(procedure, now, targets),
            "article": place.cite(event.cite),
        })  # fmt: skip
    return found


def _targets(event: Event, case: Case) -> list[str]:
    """The states to which a step may lead, as far as it is not decided yet."""
    place, found = cases.profile_of(case), []
    for route in event.routes:
        wanted = route.when.get("data") or {}
        open_ = set(route.when) - {"switch", "data"} or not set(wanted) <= set(case.data)
        if not open_:
            held = ("switch" not in route.when or place.switches[route.when["switch"]]) and all(case.data[key] == one for key, one in wanted.items())
            if not held:
                continue
        found += [route.state] if route.state != "=" else []
        if not open_:
            break
    return found


def _deadline(procedure: Procedure, case: Case, states: list[str]) -> str:
    """The time that the state reached will have, as the place sets it."""
    place = cases.profile_of(case)
    for clock in procedure.clocks.values():
        if clock.runs_in & set(states) and clock.profile in place.clocks:
            wanted = (clock.when or {}).get("data") or {}
            if all(case.data.get(key) == value for key, value in wanted.items()):
                return f"{clock.label}：{place.clock(clock.profile).text}"
    return ""


def _roles(specs: Iterable[RoleSpec], case: Mapping[str, Any]) -> list[Role]:
    """The roles of a step, of the departments that the case names."""
    found = []
    for spec in specs:
        named = (case["data"].get(spec.path) if spec.path else case["subject"]["org"]) if spec.name in ORG_ROLES else None
        found += [Role(spec.name, org) for org in _list(named)] or [Role(spec.name)]
    return found


def departments() -> dict[str, str]:
    """Titles of the departments by their names."""
    return {one["name"]: one["title"] for one in mulu_departments()}


def promise(case: Mapping[str, Any]) -> str:
    """The promise letter (承诺书) as it will be, in HTML, from an application's data that may not be complete yet."""
    return letters.promise(case)


def _case(shown: Mapping[str, Any]) -> Case:
    return Case.from_dict({key: value for key, value in shown.items() if key != "state_label"})


def _facts(case: Mapping[str, Any], data: Mapping[str, Any]) -> list[Row]:
    now = _case(case)
    spec = cases.procedure_of(now).fields
    fields = dict(zip(spec, forms.in_place(tuple(spec.values()), cases.profile_of(now)), strict=True))
    found = []
    for key in fields:
        if key not in data or key in NOT_A_FACT:
            continue
        value = data[key]
        links = _links(case, fields[key], value)
        text = "" if links else _text(fields[key], value)
        if text or links:
            found.append({"label": fields[key].label, "value": text, "links": links})
    return found


def _links(case: Mapping[str, Any], field: FormField, value: Any) -> list[Row]:
    """Entries, cases and files by their names, each where it is."""
    if field.kind == "files":
        return [{"title": one["name"], "url": tk.h.url_for(f"/mulu/case/{case['id']}/attachment/{one['id']}")} for one in value or ()]
    if field.kind == "entry_link" or field.key == "entries":
        found = versions.last_of(_list(value))
        return [{"title": found.get(one, {}).get("title", one), "url": tk.h.url_for("dataset.read", id=one)} for one in _list(value)]
    if field.key == "run":
        return [{"title": tk._("查看这次汇聚和它的差异"), "url": tk.h.url_for("mulu_harvest.run", id=value)}]
    if field.key == "dispute":
        return [{"title": tk._("查看争议协调事项"), "url": tk.h.url_for("mulu_case.show", id=value)}]
    return []


def _text(field: FormField, value: Any) -> str:
    if field.kind == "class" and isinstance(value, dict):
        own = [f"{FIELD[key].label}：{shown(FIELD[key], value[key])}" for key in CLASS_FIELDS if value.get(key)]
        items = [name for name, row in (value.get("items") or {}).items() if any(row.values())]
        return "；".join(own + ([f"另有属性的信息项：{'、'.join(items)}"] if items else []))
    if field.kind == "department" or field.key in ("consumer", "asking", "others"):
        titles = departments()
        return "、".join(titles.get(one, one) for one in _list(value))
    if field.kind == "flag":
        return tk._("是") if value else tk._("否")
    if field.kind == "date":
        return mulu_date(value)
    if isinstance(value, dict):
        return "，".join(str(part) for part in (value.get("by"), value.get("on"), value.get("conclusion")) if part)
    if isinstance(value, list):
        return "、".join(field.options.get(one, one) if isinstance(one, str) else "" for one in value)
    return field.options.get(str(value), str(value)) if value not in (None, "") else ""


def _list(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []


def turns(texts: Iterable[str]) -> list[str]:
    """Whose turn it is, from the roles of a list's row (``role`` or ``role@organisation``)."""
    pairs = [text.partition("@") for text in texts]
    return people(Role(name, org or None) for name, _, org in pairs)


def options(procedure: str, field: str) -> dict[str, str]:
    """key → label of what a field of a procedure offers."""
    return load_procedure(procedure).fields[field].options
