"""Who may see which case and which entry; the predicate itself is mulu.visibility."""

from __future__ import annotations

from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk
from sqlalchemy import ColumnElement, false, or_, true

from ckanext.mulu import cases, entries
from ckanext.mulu.model.tables import case as case_table
from mulu.case import Case, parties, who_acts
from mulu.people import ORG_ROLES, SYSTEM, Person
from mulu.visibility import REVIEW, labels, viewer


def sees_package(person: Person, package: model.Package) -> bool:
    """The predicate, asked of a CKAN package."""
    return bool(package_labels(package) & viewer(person))


def package_labels(package: Any) -> frozenset[str]:
    """What an entry bears: published is what is active and not private."""
    organisation = entries.organisation(package.owner_org)
    status = "published" if package.state == "active" and not package.private else "unpublished"
    return labels(status, organisation.name if organisation else "")


def sees_case(person: Person, case: Case) -> bool:
    """Those who review for the whole place, editors and heads of the departments it concerns, who filed it, whose turn it is;
    and the portal itself."""
    if person == SYSTEM:
        return True
    if not person.id:
        return False
    procedure = cases.procedure_of(case)
    return (
        REVIEW in viewer(person)
        or person.id == case.filed_by
        or bool(departments_of(person) & parties(procedure, case))
        or bool(turns_of(person) & {cases.turn_of(role) for role in who_acts(procedure, case)})
    )


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
    concerned = case_table.c.parties.overlap(sorted(departments_of(person)))
    return or_(concerned, case_table.c.filed_by == person.id, turn_is_of(person))


def turn_is_of(person: Person) -> ColumnElement[bool]:
    return case_table.c.turn.overlap(sorted(turns_of(person))) if person.roles else false()


def departments_of(person: Person) -> set[str]:
    """Names of the organisations in which the person is editor or head."""
    return {role.org for role in person.roles if role.name in ORG_ROLES and role.org}


def turns_of(person: Person) -> set[str]:
    return {cases.turn_of(role) for role in person.roles}
