"""Who may see which case and which entry; the predicate itself is mulu.visibility."""

from __future__ import annotations

from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk
from sqlalchemy import ColumnElement, false, or_, true

from ckanext.mulu import cases, entries
from ckanext.mulu.model.tables import case as case_table
from mulu.case import Case, who_acts
from mulu.people import Person
from mulu.visibility import REVIEW, can_see, labels, viewer


def sees_package(person: Person, package: model.Package) -> bool:
    """The predicate, asked of a CKAN package."""
    return bool(package_labels(package) & viewer(person))


def package_labels(package: Any) -> frozenset[str]:
    """What an entry bears: published is what is active and not private."""
    organisation = entries.organisation(package.owner_org)
    status = "published" if package.state == "active" and not package.private else "unpublished"
    return labels(status, organisation.name if organisation else "")


def sees_case(person: Person, case: Case) -> bool:
    """Its department's reviewers, those who review for the whole place, who filed it, and whoever's turn it is."""
    if person.id and person.id == case.filed_by:
        return True
    if person.id and {cases.turn_of(role) for role in person.roles} & {cases.turn_of(r) for r in who_acts(cases.procedure_of(case), case)}:
        return True
    return can_see(person, "unpublished", case.subject["org"])


def require_seen(person: Person, case: Case) -> None:
    """A case that somebody may not see is not there for them."""
    if not sees_case(person, case):
        raise tk.ObjectNotFound(tk._("没有这个事项。"))


def visible_cases(person: Person) -> ColumnElement[bool]:
    """``sees_case`` as a condition of a query."""
    if not person.id:
        return false()
    if REVIEW in viewer(person):
        return true()
    departments = [role.org for role in person.roles if role.name in ("editor", "head") and role.org]
    return or_(case_table.c.org.in_(departments), case_table.c.filed_by == person.id, turn_is_of(person))


def turn_is_of(person: Person) -> ColumnElement[bool]:
    return case_table.c.turn.overlap(sorted(cases.turn_of(role) for role in person.roles)) if person.roles else false()
