"""Cases in the database: load, lock, and what a case is about to change. What changes a case is in ``steps.py``."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import select

import mulu.profile
from ckanext.mulu import entries
from ckanext.mulu.facts import Facts
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.model.tables import procedure_version, profile_version
from mulu.case import SHANGHAI, Case, Procedure, available, load_procedure
from mulu.entry import class_of, with_class
from mulu.people import Person, Role
from mulu.procedure import parse
from mulu.profile import Profile, build

CHANGES = ("catalogue_review", "classification_change")
"""Procedures that are about to change their entry."""

_parsed: dict[str, Procedure] = {}
_built: dict[str, Profile] = {}


def now() -> datetime:
    return datetime.now(UTC)


def day(at: datetime) -> date:
    """The day in China of an instant: as deadlines count and as the public reads it."""
    return at.astimezone(SHANGHAI).date()


def get(case_id: str, *, lock: bool = False) -> Case:
    """The case; ObjectNotFound if there is none. ``lock``: until the transaction ends nobody else may change it."""
    query = select(case_table.c.body).where(case_table.c.id == case_id)
    body = model.Session.execute(query.with_for_update() if lock else query).scalar()
    if body is None:
        raise tk.ObjectNotFound(tk._("没有这个事项。"))
    return Case.from_dict(body)


def open_case_of(subject_id: str, procedure: str) -> Case | None:
    """An open case of this procedure about a subject; at most one where the procedure has ``one_open``."""
    query = select(case_table.c.body).where(
        case_table.c.subject_id == subject_id, case_table.c.procedure == procedure, case_table.c.is_open
    )
    body = model.Session.execute(query).scalars().first()
    return Case.from_dict(body) if body else None


def procedure_of(case: Case) -> Procedure:
    """The procedure as it stood when the case was opened."""
    current = load_procedure(case.procedure)
    if current.version == case.procedure_version:
        return current
    if case.procedure_version not in _parsed:
        query = select(procedure_version.c.source).where(procedure_version.c.version == case.procedure_version)
        _parsed[case.procedure_version] = parse(model.Session.execute(query).scalar_one())
    return _parsed[case.procedure_version]


def profile_of(case: Case) -> Profile:
    """The place's rules as they stood when the case was opened; as they are now for a case older than the keeping of rules."""
    current = entries.profile()
    if current.version == case.profile_version:
        return current
    if case.profile_version not in _built:
        query = select(profile_version.c.source).where(profile_version.c.version == case.profile_version)
        source = model.Session.execute(query).scalar()
        if source is None:
            return current if current.id == case.profile else mulu.profile.load(case.profile)
        _built[case.profile_version] = build(source["layers"], stricter=source["stricter"])
    return _built[case.profile_version]


def possible(case: Case, actor: Person) -> list[dict[str, Any]]:
    """The events that lead on from here, each with whether this person may press it now; not what the portal does by itself."""
    place = profile_of(case)
    facts = Facts(case.procedure, case.subject, case.data, place, authors=case.authors)
    procedure = procedure_of(case)
    found = available(procedure, place, entries.calendar(), case, actor, now(), facts=facts)
    return [one.to_dict() for one in found if one.allowed or not _by_the_portal(procedure, one.event, case.state)]


def _by_the_portal(procedure: Procedure, event: str, state: str) -> bool:
    """What nobody ever presses: telling a person that it is not theirs would only puzzle them."""
    return [spec.name for spec in procedure.events[event].by[state]] == ["system"]


def proposed_entry(case: Case) -> dict[str, Any]:
    """What the case would make of its entry: the proposal, or the entry with its new class, or the entry as it is."""
    if case.procedure == "catalogue_review" and case.data.get("proposed"):
        return dict(case.data["proposed"])
    entry = entries.to_entry(entries.show(case.subject["id"]))
    return with_class(entry, case.data.get("after") or {}) if case.procedure == "classification_change" else entry


def expected(package_id: str) -> dict[str, Any] | None:
    """The published entry as it will be if all that waits for a decision is agreed to; None if nothing waits."""
    review, change = open_case_of(package_id, "catalogue_review"), open_case_of(package_id, "classification_change")
    if not change and not (review and review.data.get("proposed")):
        return None
    return about_to_be(entries.to_entry(entries.show(package_id)), review, change)


def about_to_be(published: dict[str, Any], review: Case | None, change: Case | None) -> dict[str, Any]:
    """The published entry with its open review and its open change of class agreed to.

    A review decides on all but the class. What it proposes holds the class of the day on which it was proposed, and the authority
    may have agreed to another since: that of the published entry counts.
    """
    entry = dict(published)
    if proposed := review.data.get("proposed") if review else None:
        entry = _kept(with_class(proposed, class_of(published)))
    return with_class(entry, change.data.get("after") or {}) if change else entry


def _kept(entry: dict[str, Any]) -> dict[str, Any]:
    """Without what ``with_class`` put in empty."""
    stated = {key: value for key, value in entry.items() if value not in (None, "", [], {})}
    if "items" in stated:
        stated["items"] = [{key: value for key, value in item.items() if value not in (None, "")} for item in stated["items"]]
    return stated


def turn_of(role: Role) -> str:
    """A role as the column ``turn`` holds it: ``role``, ``role@organisation`` or ``applicant@person``."""
    return f"{role.name}@{role.org}" if role.org else role.name


def proposing(resource_id: str) -> str | None:
    """The id of the entry for which an open review proposes this resource."""
    holds = case_table.c.body[("data", "proposed", "resources")].contains([{"id": resource_id}])  # as ix_mulu_case_proposed_resources
    query = select(case_table.c.subject_id).where(case_table.c.is_open, case_table.c.procedure == "catalogue_review", holds)
    return model.Session.execute(query).scalars().first()
