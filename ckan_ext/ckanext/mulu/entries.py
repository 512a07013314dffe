"""A CKAN dataset ↔ a catalogue entry in wire form, and what the rules say of it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import yaml
from ckan import model
from sqlalchemy import select

import mulu.profile
from ckanext.mulu.model.tables import resource_code
from mulu.checks import check
from mulu.entry import FIELDS, Entry, class_of, with_class
from mulu.errors import Problem
from mulu.profile import Profile
from mulu.workdays import CALENDARS, Calendar

log = logging.getLogger(__name__)
_calendars: dict[str, Calendar] = {}

RESOURCE_KEYS = ("id", "name", "url", "format", "size", "hash", "description")
KEYS = tuple(field.key for field in FIELDS if field.key not in ("provider", "resources"))


def profile() -> Profile:
    """The place's rules, as ``mulu.profile`` and ``mulu.stricter`` name them."""
    return mulu.profile.load(tk.config["mulu.profile"], stricter=tk.asbool(tk.config["mulu.stricter"]))


def calendar() -> Calendar:
    """The announced years: ours, or those in the folder ``mulu.calendars``; a new file counts from its first moment.

    While a file there cannot be read, as in the middle of being written, the years known before go on to count.
    """
    folder = tk.config["mulu.calendars"] or str(CALENDARS)
    try:
        _calendars[folder] = Calendar.load(Path(folder))
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        if folder not in _calendars:
            raise
        log.error("calendar %s: %s", folder, error)
    return _calendars[folder]


def to_entry(package: dict[str, Any]) -> dict[str, Any]:
    """The wire form of a dataset as ``package_show`` gives it, or as somebody sends it to ``package_create``.

    The provider is the organisation's name; keys that are CKAN's own are left out, and so are empty values.
    """
    entry = {key: package[key] for key in KEYS if package.get(key) not in (None, "", [], {})}
    entry["provider"] = provider_name(package)
    given = package.get("resources") or []
    resources = [{key: str(one[key]) for key in RESOURCE_KEYS if one.get(key)} for one in given]
    if resources:
        entry["resources"] = resources
    return entry


def typed(package: dict[str, Any]) -> dict[str, Any]:
    """As ``to_entry``, without the values of a wrong type that somebody sent; the rules report them."""
    return Entry.from_dict(to_entry(package)).to_dict()


def to_package(entry: dict[str, Any]) -> dict[str, Any]:
    """What ``package_create`` takes for an entry in wire form."""
    package = {key: value for key, value in entry.items() if key in KEYS}
    return package | {"owner_org": entry.get("provider", ""), "type": "dataset", "resources": entry.get("resources", [])}


def with_proposal(package: dict[str, Any], proposed: dict[str, Any]) -> dict[str, Any]:
    """The package as a proposal (wire form) would have it. A field that the proposal leaves out is emptied; its class stays what is
    published, which only classification_change changes."""
    new = to_package(with_class(proposed, class_of(to_entry(package))))
    emptied = {key: "" for key in KEYS if package.get(key) and key not in new}
    return {**package, **emptied, **new, "owner_org": package["owner_org"], "name": package["name"]}


def provider_name(package: dict[str, Any]) -> str:
    given = package.get("organization")
    if isinstance(given, dict) and given.get("id") == package.get("owner_org", given.get("id")):
        return str(given["name"])
    found = organisation(package.get("owner_org"))
    return str(found.name) if found else ""


def organisation(id_or_name: Any) -> Any:
    """The organisation or None. By id without a query, where the session knows it: ``Group.get`` asks the database each time."""
    if not id_or_name or not isinstance(id_or_name, str):
        return None
    return model.Session.get(model.Group, id_or_name) or model.Group.by_name(id_or_name)


def known_code(code: str) -> bool:
    """Whether a resource code was ever given here."""
    return bool(model.Session.execute(select(resource_code.c.code).where(resource_code.c.code == code)).first())


def problems_of(entry: dict[str, Any]) -> list[Problem]:
    """All problems of an entry under the place's rules."""
    return check(entry, profile(), known_codes=known_code)


def show(id_or_name: str) -> dict[str, Any]:
    """The dataset as it stands in the database, whoever asks: for the portal's own work, never to be handed on as it is."""
    return tk.get_action("package_show")({"ignore_auth": True, "use_cache": False}, {"id": id_or_name})
