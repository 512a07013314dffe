"""What a person may start from a page: procedures whose opening is theirs, about the entry, case or department that is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.common import current_user

from ckanext.mulu import basket, entries, roles
from mulu.case import PROCEDURES, load_procedure
from mulu.people import ORG_ROLES, OWN_ROLES, Person
from mulu.procedure import Procedure, RoleSpec

Row = dict[str, Any]
Test = Callable[[Mapping[str, Any]], bool]

#: started on pages of their own, or by the portal itself
ELSEWHERE = {"catalogue_review", "classification_change", "sharing_application", "open_application", "harvest_check"}
OWN_DEPARTMENT = {"consumer", "asking"}
"""Paths at which an opening names the department of who opens, where the subject is no case."""
#: an entry with which the procedure makes sense; the engine refuses the rest with its reasons
FITS: dict[str, Test] = {
    "rereview": lambda entry: entry.get("open_type") in ("conditional", "none"),
    "reevaluation": lambda entry: entry.get("open_type") in ("conditional", "none"),
    "demand": lambda entry: "none" in (entry.get("share_type"), entry.get("open_type")),
}


def person() -> Person:
    """Who is on the line, asked once a request."""
    if "mulu_person" not in tk.g:
        tk.g.mulu_person = roles.person({"user": current_user.name} if current_user.is_authenticated else {})
    return tk.g.mulu_person


def own_departments(role: str = "") -> list[str]:
    """Departments (organisation names) for which this person works, or holds the role."""
    return sorted({str(one.org) for one in person().roles if one.name in ORG_ROLES and role in ("", one.name)})


def is_official() -> bool:
    return any(role.name not in OWN_ROLES for role in person().roles)


def may_open(procedure: Procedure, org: str, consumer: str = "") -> bool:
    """Whether one of this person's roles opens the procedure about something of the department ``org``."""
    return any(_holds(spec, org, consumer) for specs in procedure.opening.by.values() for spec in specs)


def _holds(spec: RoleSpec, org: str, consumer: str) -> bool:
    if spec.name in OWN_ROLES:
        return current_user.is_authenticated and not is_official()
    if spec.name not in ORG_ROLES:
        return person().has(spec.name)
    if spec.path in OWN_DEPARTMENT and not consumer:
        return any(one != org for one in own_departments(spec.name))
    return person().has(spec.name, consumer if spec.path else org)


def on_entry(package: Mapping[str, Any]) -> dict[str, Any]:
    """{basket: "add"|"in"|"", apply, offers: [{label, url}]} for a published entry."""
    org = (package.get("organization") or {}).get("name", "")
    if not current_user.is_authenticated or package.get("private"):
        return {"basket": "", "apply": "", "offers": []}
    found = {
        "basket": "",
        "apply": "",
        "offers": _offers("entry", package["id"], org, lambda procedure: FITS.get(procedure.id, lambda entry: True)(package)),
    }
    asks = any(one != org for one in own_departments("editor"))
    if asks and package.get("share_type") in ("unconditional", "conditional"):
        found["basket"] = "in" if package["id"] in basket.ids(person().id) else "add"
    if not is_official() and package.get("open_type") == "conditional":
        found["apply"] = tk.h.url_for("mulu_apply.open_data", id=package["name"])
    return found


def on_case(case: Mapping[str, Any], related: Iterable[Mapping[str, Any]] = (), overdue: bool = False) -> list[Row]:
    """What may be started about a case; nothing of which there is an open one already, a rectification only when it is late."""
    running = {one["procedure"] for one in related if one.get("is_open") and one.get("subject_id") == case["id"]}

    def fits(procedure: Procedure) -> bool:
        if procedure.concerns:
            return case["state"] in procedure.concerns.get(case["procedure"], ()) and procedure.id not in running
        return overdue

    return _offers("case", case["id"], case["subject"]["org"], fits, str((case.get("data") or {}).get("consumer") or ""))


def on_department(name: str) -> list[Row]:
    return _offers("department", name, name, lambda procedure: True)


def at_large() -> list[Row]:
    """What is about no entry, case or department: about the place."""
    return _offers("place", "", "", lambda procedure: True)


def _offers(kind: str, id: str, org: str, fits: Callable[[Procedure], bool], consumer: str = "") -> list[Row]:
    place = entries.profile()
    return [
        {
            "procedure": procedure.id,
            "label": procedure.opening.label,
            "article": place.cite(procedure.opening.cite),
            "url": tk.h.url_for("mulu_open.ask", procedure=procedure.id, type=kind, id=id or None),
        }
        for procedure in map(load_procedure, PROCEDURES)
        if kind in procedure.about and procedure.id not in ELSEWHERE and fits(procedure) and may_open(procedure, org, consumer)
    ]
