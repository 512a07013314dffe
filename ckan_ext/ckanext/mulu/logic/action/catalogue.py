"""What the rules and the catalogue's history say: procedures, profiles, an entry's problems, its published versions."""

from __future__ import annotations

from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk
from sqlalchemy import select

import mulu.profile
from ckanext.mulu import entries, roles
from ckanext.mulu.logic import content, refusal, schema
from ckanext.mulu.model.tables import entry_version
from mulu.case import PROCEDURES, load_procedure
from mulu.procedure import Procedure
from mulu.profile import PROFILES, Profile
from mulu.visibility import is_open, works_for

Context = dict[str, Any]


@tk.side_effect_free
def mulu_entry_check(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """All problems of an entry under the place's rules, without saving anything.

    :param entry: wire form (or a dataset with ``owner_org``)
    :returns: ``{"problems": [{field, rule, message, value, article, where, severity}]}``
    """
    tk.check_access("mulu_entry_check", context, data)
    given = data.get("entry")
    if not isinstance(given, dict):
        raise refusal.one("entry", "required", "缺少 entry：请给出目录条目（JSON 对象）")
    entry = {**given, "provider": given.get("provider") or entries.provider_name(given)}
    return {"problems": [problem.to_dict() for problem in entries.problems_of(entry)]}


@tk.side_effect_free
@tk.validate_action_data(schema.by_id)
def mulu_entry_history(context: Context, data: dict[str, Any]) -> list[dict[str, Any]]:
    """The versions of an entry that were published, the newest first, to everybody who may see the entry.

    Addresses of files are in a version that was open, of an entry that still is; and for its own department.

    :param id: of the dataset, or its name
    :returns: ``[{version, published_at, summary, withdrawn, case_id, entry}]``; withdrawn: with it the entry left the catalogue
    """
    package = model.Package.get(data["id"])
    if package is None:
        raise tk.ObjectNotFound(tk._("没有这个条目。"))
    tk.check_access("package_show", context, {"id": package.id})
    asker = roles.person(context)
    whole, own = content.readable(asker, package), works_for(asker, entries.organisation(package.owner_org).name)
    query = select(entry_version).where(entry_version.c.package_id == package.id).order_by(entry_version.c.version.desc())
    return [
        {
            "version": row.version,
            "published_at": row.published_at.isoformat(),
            "summary": row.summary,
            "withdrawn": row.withdrawn,
            "case_id": row.case_id,
            "entry": row.entry if whole and (own or is_open(row.entry)) else content.without_content(row.entry),
        }
        for row in model.Session.execute(query)
    ]


@tk.side_effect_free
def mulu_procedure_list(context: Context, data: dict[str, Any]) -> list[dict[str, Any]]:
    """All procedures: ``[{id, title, version, states: [{id, label, public, final}]}]``."""
    tk.check_access("mulu_procedure_list", context, data)
    return [_procedure(load_procedure(name)) for name in PROCEDURES]


@tk.side_effect_free
@tk.validate_action_data(schema.by_id)
def mulu_procedure_show(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """One procedure with its events and its JSON Schema.

    :param id: of the procedure
    """
    tk.check_access("mulu_procedure_show", context, data)
    try:
        procedure = load_procedure(data["id"])
    except KeyError as unknown:
        raise tk.ObjectNotFound(str(unknown.args[0])) from None
    events = [{"id": event.key, "label": event.label, "from": sorted(event.by)} for event in procedure.events.values()]
    return _procedure(procedure) | {"events": events, "schema": procedure.json_schema(entries.profile())}


@tk.side_effect_free
def mulu_profile_list(context: Context, data: dict[str, Any]) -> list[dict[str, Any]]:
    """All places: ``[{id, name, regulation, level, parent, current}]``."""
    tk.check_access("mulu_profile_list", context, data)
    return [_profile(mulu.profile.load(name)) for name in PROFILES]


@tk.side_effect_free
@tk.validate_action_data(schema.by_id)
def mulu_profile_show(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """One place with all its deadlines: ``clocks: [{name, label, length, unit, text, article, note, why}]``.

    :param id: of the place; without it, this portal's
    """
    tk.check_access("mulu_profile_show", context, data)
    try:
        profile = mulu.profile.load(data["id"]) if data.get("id") else entries.profile()
    except KeyError as unknown:
        raise tk.ObjectNotFound(str(unknown.args[0])) from None
    names = ("name", "label", "length", "unit", "text", "article", "note", "why")
    clocks = [{name: getattr(clock, name) for name in names} for clock in profile.clocks.values()]
    values = {key: {"value": value.value, "article": value.article} for key, value in profile.values.items()}
    return _profile(profile) | {"clocks": clocks, "values": values, "stricter": profile.stricter}


def _procedure(procedure: Procedure) -> dict[str, Any]:
    states = [
        {"id": state.key, "label": state.label, "public": state.public, "final": state.final}
        for state in procedure.states.values()
    ]
    return {"id": procedure.id, "title": procedure.title, "version": procedure.version, "states": states}


def _profile(profile: Profile) -> dict[str, Any]:
    names = ("id", "name", "regulation", "level", "parent", "authority_name", "platform_name")
    return {name: getattr(profile, name) for name in names} | {"current": profile.id == entries.profile().id}
