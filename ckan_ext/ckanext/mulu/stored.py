"""An entry in wire form as CKAN's rows hold it, and back: what ``package_create`` converts on its way, converted the same.

No validation: whether an entry is right is asked of ``mulu.checks``, long before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import ckan.plugins.toolkit as tk
from ckan import model

from ckanext.mulu.entries import KEYS, RESOURCE_KEYS
from mulu.entry import FIELDS, Entry
from mulu.errors import Problem

COLUMNS = ("title", "notes", "license_id")
"""Fields of an entry that are columns of CKAN's own; ``name`` and the department are given elsewhere, the rest are extras."""
LISTS = tuple(field.key for field in FIELDS if field.kind in ("list", "choices"))
EXTRAS = tuple(field.key for field in FIELDS if field.key not in (*COLUMNS, "name", "provider", "resources"))
BIGGEST = 2**63 - 1


def columns(entry: dict[str, Any]) -> dict[str, Any]:
    """Values of the package's columns for a typed entry: title, notes, license_id, extras."""
    extras = {key: _text(key, entry[key]) for key in EXTRAS if entry.get(key)}
    empty = dict.fromkeys((key for key in LISTS if key not in extras), "[]")
    return {**{key: entry.get(key) or None for key in COLUMNS}, "extras": extras | empty}


def _text(key: str, value: Any) -> str:
    if key in LISTS:
        return json.dumps([part for part in value if part])
    if key == "items":
        return json.dumps(value, sort_keys=True)
    return json.dumps(value) if isinstance(value, dict) else str(value)


def resource_columns(resource: dict[str, Any]) -> dict[str, Any]:
    """Values of a resource's columns; the formats' names are CKAN's."""
    row: dict[str, Any] = {"url": resource.get("url", "").strip(), "hash": resource.get("hash", "")}
    row["format"] = _format(resource)
    row |= {key: resource.get(key) or None for key in ("name", "description")}
    return row | {"size": int(resource["size"]) if resource.get("size") else None}


def _format(resource: dict[str, Any]) -> str:
    """As stated, else as the address ends."""
    key, data = ("format",), {("format",): resource.get("format", ""), ("url",): resource.get("url", "")}
    if not data[key] and data["url",]:
        tk.get_validator("if_empty_guess_format")(key, data, {}, {})
    return str(tk.get_validator("clean_format")(data[key])) if data[key] else ""


def unfit(entry: dict[str, Any]) -> list[Problem]:
    """What of a typed entry no column can hold."""
    found = []
    for number, resource in enumerate(entry.get("resources", ())):
        size = resource.get("size", "")
        try:
            fits = not size or abs(int(size)) <= BIGGEST
        except ValueError:
            fits = False
        if not fits:
            message = f"文件大小“{size}”须为字节数（整数），请改正或者留空"
            found.append(Problem(f"resources[{number}].size", "not_valid", message, size))
    return found


def normal(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry as it is read again once it was stored: to be compared with what is there."""
    typed = Entry.from_dict(entry).to_dict()
    for key in LISTS:
        if key in typed:
            typed[key] = [part for part in typed[key] if part]
    if "resources" in typed:
        typed["resources"] = [_shown(one) for one in typed["resources"]]
    return {key: value for key, value in typed.items() if value not in ("", [], {})}


def _shown(resource: dict[str, Any]) -> dict[str, Any]:
    row = resource_columns(resource) | ({"id": resource["id"]} if resource.get("id") else {})
    if row["url"] and not urlsplit(row["url"]).scheme:
        row["url"] = f"http://{row['url'].lstrip('/')}"  # as CKAN shows an address without a scheme
    return {key: str(row[key]) for key in RESOURCE_KEYS if row.get(key)}


def entry_of(package: Any, resources: list[dict[str, Any]], provider: str) -> dict[str, Any]:
    """The wire form of a dataset, as ``entries.to_entry`` of ``package_show`` gives it; resources: as CKAN shows them."""
    held = {**{key: getattr(package, key) for key in (*COLUMNS, "name")}, **(package.extras or {})}
    held["title"] = (held["title"] or "").strip()
    entry = {key: json.loads(held[key]) if _is_json(key) else held[key] for key in KEYS if held.get(key)}
    entry = {key: value for key, value in entry.items() if value not in ("", [], {})} | {"provider": provider}
    if rows := [{key: str(one[key]) for key in RESOURCE_KEYS if one.get(key)} for one in resources]:
        entry["resources"] = rows
    return entry


def _is_json(key: str) -> bool:
    return key in LISTS or key in ("items", "source", "secrecy_review", "privacy_review")


def with_known_resources(entry: dict[str, Any], current: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The entry whose resources bear our ids where they are known again: by id, else address, else name. Others' ids are dropped."""
    left = {row["id"]: row for row in current}
    rows = []
    for row in entry.get("resources", ()):
        known = row["id"] if row.get("id") in left else None
        for key in ("url", "name"):
            known = known or next((id for id, one in left.items() if row.get(key) and one.get(key) == row[key]), None)
        left.pop(known, None)
        rows.append({**{key: value for key, value in row.items() if key != "id"}, **({"id": known} if known else {})})
    return {**entry, "resources": rows} if rows else entry


def write(package: Any, entry: dict[str, Any]) -> None:
    """Change a dataset in place into the entry (typed, resources with the ids that they have): as ``package_update`` would.

    A file that was uploaded here stays the file that it is; one that the entry has no longer is kept as deleted, as CKAN does.
    """
    for key, value in columns(entry).items():
        setattr(package, key, value)
    resource_class, held = model.Resource, {one.id: one for one in package.resources}
    listed = []
    for row in entry.get("resources", ()):
        values, known = resource_columns(row), held.pop(row.get("id"), None)
        if known is None:
            known = resource_class(package_id=package.id, **values)
        else:
            own = {"url", "size", "hash"} if known.url_type == "upload" else set[str]()
            changed = {key: value for key, value in values.items() if key not in own and getattr(known, key) != value}
            for key, value in changed.items():
                setattr(known, key, value)
            if changed:
                known.metadata_modified = datetime.utcnow()
        listed.append(known)
    for gone in held.values():
        gone.state = "deleted"
    before = [one for one in package.resources_all if one.state == "deleted" and one not in listed]
    package.resources_all[:] = [*listed, *before]
    package.metadata_modified = datetime.utcnow()
