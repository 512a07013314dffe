"""What a case is about, and what the portal itself fills in when one is opened (fields that are ``given``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model

from ckanext.mulu import cases, duplicates, entries
from ckanext.mulu.harvest import sources
from ckanext.mulu.logic import access, refusal
from ckanext.mulu.model import versions
from mulu import asking
from mulu.case import load_procedure
from mulu.entry import class_of
from mulu.people import Person
from mulu.procedure import Procedure

Subject = dict[str, str]
Data = Mapping[str, Any]
LABELS = {"entry": "目录条目", "department": "部门", "case": "事项", "place": "本地", "source": "汇聚来源"}


def of(procedure: Procedure, given: Mapping[str, Any], actor: Person, data: Data) -> Subject:
    """The subject as the engine wants it, from ``{"type", "id"}``; what this person may not see is not there (ObjectNotFound)."""
    kind, name = given.get("type"), str(given.get("id") or "")
    if kind not in procedure.about:
        wanted = "或者".join(LABELS[one] for one in procedure.about)
        raise refusal.one("subject.type", "not_in_list", f"{procedure.title}的对象须为{wanted}")
    return _KINDS[kind](procedure, name, actor, data)


def _entry(procedure: Procedure, name: str, actor: Person, data: Data) -> Subject:
    package = model.Package.get(name)
    if package is None or package.state != "active" or not access.sees_package(actor, package):
        raise tk.ObjectNotFound(tk._("没有这个条目。"))
    organisation = entries.organisation(package.owner_org)
    return {"type": "entry", "id": package.id, "org": organisation.name if organisation else "", "title": package.title}


def _department(procedure: Procedure, name: str, actor: Person, data: Data) -> Subject:
    organisation = entries.organisation(name)
    if organisation is None or not organisation.is_organization or organisation.state != "active":
        raise tk.ObjectNotFound(tk._("没有这个部门。"))
    return {"type": "department", "id": organisation.name, "org": organisation.name, "title": _titled(organisation, data)}


def _titled(organisation: Any, data: Data) -> str:
    """What is asked names the case; without entries the department does."""
    asked = [one["id"] for one in _rows(data.get("asked")) if isinstance(one.get("id"), str)]
    titles = [entry["title"] for entry in versions.last_of(asked).values()]
    if not titles:
        return str(organisation.title or organisation.name)
    return titles[0] if len(titles) == 1 else f"{titles[0]}等{len(titles)}个条目"


def _case(procedure: Procedure, name: str, actor: Person, data: Data) -> Subject:
    other = cases.get(name, lock=True)  # what it is now, it is until this one is opened
    access.require_seen(actor, other)
    if procedure.concerns and other.state not in procedure.concerns.get(other.procedure, ()):
        label = cases.procedure_of(other).states[other.state].label
        message = f"《{other.subject['title']}》（{cases.procedure_of(other).title}，{label}）现在不能提起{procedure.title}"
        raise refusal.one("subject", "does_not_fit", message, entries.profile().cite(procedure.opening.cite))
    return {"type": "case", "id": other.id, "org": other.subject["org"], "title": other.subject["title"]}


def _place(procedure: Procedure, name: str, actor: Person, data: Data) -> Subject:
    place = entries.profile()
    title = data.get("title")
    return {"type": "place", "id": place.id, "org": "", "title": title[:200] if isinstance(title, str) and title.strip() else procedure.title}


def _source(procedure: Procedure, name: str, actor: Person, data: Data) -> Subject:
    settings = sources.get(name, actor).settings
    return {"type": "source", "id": name, "org": settings.get("organization", ""), "title": settings.get("title", name)}


_KINDS: dict[str, Callable[[Procedure, str, Person, Data], Subject]] = {
    "entry": _entry, "department": _department, "case": _case, "place": _place, "source": _source,
}  # fmt: skip


def given(procedure_id: str, subject: Mapping[str, Any], data: Data, actor: Person) -> dict[str, Any]:
    """The data with the portal's own fields: whatever somebody sent for them counts only where it is true."""
    procedure = load_procedure(procedure_id)
    filled = dict(data)
    for field in procedure.opening.fields:
        if field.given:
            value = _GIVEN[field.key](subject, data, actor)
            filled.pop(field.key, None)
            if value not in (None, "", [], {}):
                filled[field.key] = value
    return filled


def _own_department(subject: Mapping[str, Any], data: Data, actor: Person) -> str | None:
    """The department for which this person asks: the one that they name if it is theirs, else their only one."""
    own = sorted({str(role.org) for role in actor.roles if role.name in ("editor", "head")})
    named = data.get("consumer") or data.get("asking")
    if named in own:
        return str(named)
    return own[0] if len(own) == 1 and not named else None


def _asking(subject: Mapping[str, Any], data: Data, actor: Person) -> str | None:
    """For which department this person speaks; of another case's two sides, where it is about one."""
    if subject["type"] != "case":
        return _own_department(subject, data, actor)
    sides = {subject["org"], cases.get(subject["id"]).data.get("consumer")} & access.departments_of(actor)
    return str(data["asking"]) if data.get("asking") in sides else min(sides, default=None)


def _consumer(subject: Mapping[str, Any], data: Data, actor: Person) -> str | None:
    """Of another case, that case's; else the department of who asks."""
    if subject["type"] == "case":
        return cases.get(subject["id"]).data.get("consumer")
    return _own_department(subject, data, actor)


def _grantee(subject: Mapping[str, Any], data: Data, actor: Person) -> str | None:
    other = cases.get(subject["id"])
    return other.filed_by if other.procedure == "open_application" else None


def _rows(given: object) -> list[dict[str, Any]]:
    """What was sent as a list of rows, as far as it is one; the form says what is wrong with the rest."""
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _share_class(subject: Mapping[str, Any], data: Data, actor: Person) -> str | None:
    asked = data.get("asked")
    if not asking.well_formed(asked):
        return None  # the form says so itself
    found = versions.last_of(one["id"] for one in asked)
    return next((asking.needed(one, found[one["id"]], "sharing") for one in asked if one["id"] in found), None)


def _class_now(subject: Mapping[str, Any], data: Data, actor: Person) -> dict[str, Any]:
    return class_of(versions.last(subject["id"])[1] or {})


def _twins(subject: Mapping[str, Any], data: Data, actor: Person) -> list[duplicates.Twin]:
    item = data.get("item")
    return duplicates.of_item(subject["id"], item) if isinstance(item, str) else []


_GIVEN: dict[str, Callable[[Mapping[str, Any], Data, Person], Any]] = {
    "consumer": _consumer,
    "asking": _asking,
    "grantee": _grantee,
    "share_class": _share_class,
    "before": _class_now,
    "count": lambda subject, data, actor: 1,
    "entries": lambda subject, data, actor: [subject["id"], *(twin.package_id for twin in _twins(subject, data, actor))],
    "others": lambda subject, data, actor: sorted({twin.org for twin in _twins(subject, data, actor)} - {subject["org"]}),
}
