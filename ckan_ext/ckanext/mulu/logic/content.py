"""What an entry's resources hold — files, tables, addresses — and who may have it. The predicate is mulu.visibility's."""

from __future__ import annotations

import json
import re
from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk

from ckanext.mulu import entries
from mulu.people import Person
from mulu.visibility import can_read, is_open, open_items

SHOWN = ("id", "package_id", "name", "description", "format", "mimetype", "position", "state", "created", "last_modified", "metadata_modified")
"""Of a resource that somebody may not have, what is described to them all the same."""
_OPEN_COLUMNS = re.compile(r"https?://[^/?#]+(?:/[\w-]+)*/mulu/data/open/[0-9a-f-]+(?:\?format=\w+)?", re.ASCII)
"""The address of a table's open columns, on this portal or on another installation: whoever asks there gets these columns and no others."""


def entry_of(package: model.Package) -> dict[str, Any]:
    """Of an entry in the database what decides who may have its data: ``share_type``, ``open_type``, ``items``; one look, no validation."""
    extras = package.extras
    items = json.loads(extras.get("items") or "[]")
    return {"share_type": extras.get("share_type", ""), "open_type": extras.get("open_type", ""), "items": items}


def readable(person: Person, package: model.Package) -> bool:
    """The predicate, asked of a CKAN package: whether a person may have its files and addresses as they are."""
    if package.state != "active":
        return False
    organisation = entries.organisation(package.owner_org)
    status = "unpublished" if package.private else "published"
    return can_read(person, status, organisation.name if organisation else "", entry_of(package))


def may_read(person: Person, resource_id: str) -> bool:
    """As ``readable``, of a resource that stands in the catalogue; one that is not there may be read by nobody."""
    resource = model.Resource.get(resource_id)
    package = model.Package.get(resource.package_id) if resource is not None and resource.state == "active" else None
    return package is not None and readable(person, package)


def without_content(package: dict[str, Any], entry: dict[str, Any] | None = None) -> dict[str, Any]:
    """A package (or an entry in wire form) whose resources tell what there is, not where; ``mulu_restricted`` marks them.

    The open columns of a table in an entry of mixed classes have an address on the portal; those of an entry that was harvested, on
    the portal that it comes from. entry: its classes, where the package does not bear them.
    """
    some = bool(open_items(entry or package))
    return {**package, "resources": [_described(row, some) for row in package.get("resources") or ()]}


def _described(resource: dict[str, Any], some_open: bool) -> dict[str, Any]:
    row = {key: resource[key] for key in SHOWN if resource.get(key, tk.missing) is not tk.missing} | {"mulu_restricted": True}
    if some_open and _OPEN_COLUMNS.fullmatch(str(resource.get("url"))):
        row["url"] = resource["url"]
    elif some_open and is_uploaded_table(resource):
        address = f"{tk.config['ckan.site_url'].rstrip('/')}/mulu/data/open/{resource.get('id')}"
        row["url"] = f"{address}?format={table_format(resource)}"
    return row


def public_package(package: dict[str, Any]) -> dict[str, Any]:
    """A package as everybody may have it: what waits for its publication is kept from them by its labels, not here."""
    if package.get("private") or is_open(package) or not package.get("resources"):
        return package
    return without_content(package)


def restored(resources: list[dict[str, Any]], current: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Resources as somebody sends them back who was shown them without their content: it is kept as it is."""
    known = {row["id"]: row for row in current}
    told = ("name", "description", "format")
    return [
        {**known[row["id"]], **{key: row[key] for key in told if key in row}} if row.get("mulu_restricted") and row.get("id") in known else row
        for row in resources
    ]


def case_shown(shown: dict[str, Any], person: Person, package: model.Package) -> dict[str, Any]:
    """A case about an entry as ``mulu_case_show`` gives it: files and addresses are there while a review decides on them, and for
    whoever may have them anyway."""
    if (shown["is_open"] and shown["procedure"] == "catalogue_review") or readable(person, package):
        return shown

    def without(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "proposed": without_content(data["proposed"])} if isinstance(data.get("proposed"), dict) else data

    events = [{**event, "data": without(event["data"])} for event in shown["events"]]
    case = {**shown["case"], "data": without(shown["case"]["data"])}
    return {**shown, "case": case, "events": events, "entry": without_content(shown["entry"])}


def is_uploaded_table(resource: dict[str, Any]) -> bool:
    """Whether the portal can read a resource as a table: a file that lies here, of a format that has rows and columns."""
    lies_here = resource.get("url_type") == "upload" or f"/resource/{resource.get('id')}/download/" in (resource.get("url") or "")
    return lies_here and table_format(resource) in ("csv", "xlsx")


def table_format(resource: dict[str, Any]) -> str:
    """``csv``, ``xlsx`` … by the file's name, else by its stated format, in small letters."""
    suffix = (resource.get("url") or "").rpartition("/")[2].rpartition(".")[2].lower()
    return suffix if suffix in ("csv", "xlsx") else (resource.get("format") or "").lower()
