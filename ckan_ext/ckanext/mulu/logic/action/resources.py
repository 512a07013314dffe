"""Files and addresses of a published entry: a change is proposed with the rest, and a new file never replaces a published one.

CKAN stores an upload under the resource's id at once. So a new or replaced file gets a new resource id: it lies there, reached by
nobody but the reviewers, until the proposal that names it is published.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import ckan.lib.uploader as uploader
import ckan.model as model
import ckan.plugins.toolkit as tk

from ckanext.mulu import cases, entries, roles
from ckanext.mulu.logic import refusal
from ckanext.mulu.logic.action.packages import REVIEW, propose
from ckanext.mulu.transaction import transaction

Resource = dict[str, Any]


@tk.chained_action
def resource_create(next_: Any, context: dict[str, Any], data: Resource) -> Resource:
    """On a draft as CKAN does it; on a published entry a proposal. Returns the resource as proposed."""
    package = _package(data.get("package_id"))
    if package is None or package.private:
        return next_(context, data)
    tk.check_access("resource_create", context, data)
    added = _uploaded({key: value for key, value in data.items() if key != "package_id"})
    return _propose(context, package, lambda resources: [*resources, added], added)


@tk.chained_action
def resource_update(next_: Any, context: dict[str, Any], data: Resource) -> Resource:
    """On a published entry a proposal; a replaced file or address is a new resource in the place of the old one."""
    package = _package_of(data.get("id"))
    if package is None or package.private:
        return next_(context, data)
    tk.check_access("resource_update", context, data)
    now = next((one for one in _resources(package.id) if one["id"] == data["id"]), None)
    if now is None:
        raise tk.ObjectNotFound(tk._("没有这个资源。"))
    changed = _uploaded(data) if data.get("upload") else {**data, "url": data.get("url") or now["url"]}
    if not data.get("upload") and now.get("url_type") == "upload" and changed["url"] == now["url"]:
        changed["url_type"] = "upload"
    return _propose(context, package, lambda rows: [changed if one["id"] == data["id"] else one for one in rows], changed)


@tk.chained_action
def resource_delete(next_: Any, context: dict[str, Any], data: Resource) -> None:
    """On a published entry a proposal."""
    package = _package_of(data.get("id"))
    if package is None or package.private:
        next_(context, data)
        return
    tk.check_access("resource_delete", context, data)
    _propose(context, package, lambda rows: [one for one in rows if one["id"] != data["id"]], {})


def _propose(context: dict[str, Any], package: Any, change: Any, shown: Resource) -> Resource:
    with refusal.refusals(), transaction(context) as touched:
        current = entries.show(package.id)
        waiting = cases.open_case_of(package.id, REVIEW)
        base = {**current, **(entries.to_package(waiting.data["proposed"]) if waiting and waiting.data.get("proposed") else {})}
        base["owner_org"] = current["owner_org"]
        proposal = {**base, "id": package.id, "resources": change(list(base.get("resources") or []))}
        propose(context, proposal, roles.person(context), touched)
    return shown | {"package_id": package.id, "mulu_proposed": True}


def _uploaded(data: Resource) -> Resource:
    """The resource with a new id, its file stored under that id."""
    fresh = {**data, "id": str(uuid.uuid4())}
    upload = uploader.get_resource_uploader(fresh)
    if hasattr(upload, "mimetype"):
        fresh.setdefault("mimetype", upload.mimetype)
    if getattr(upload, "filesize", 0):
        fresh["size"] = upload.filesize
    upload.upload(fresh["id"], uploader.get_max_resource_size())
    fresh.pop("upload", None)
    if isinstance(fresh.get("last_modified"), datetime):
        fresh["last_modified"] = fresh["last_modified"].isoformat()  # a proposal is kept as JSON
    return fresh


def _resources(package_id: str) -> list[Resource]:
    """The published resources, with those that a waiting change proposes."""
    published = list(entries.show(package_id)["resources"])
    waiting = cases.open_case_of(package_id, REVIEW)
    proposed = (waiting.data.get("proposed") or {}).get("resources") if waiting else None
    return list(proposed) if proposed is not None else published


def _package(id_or_name: str | None) -> Any:
    return model.Package.get(id_or_name or "")


def _package_of(resource_id: str | None) -> Any:
    """The package of a published resource, or of one that a proposal names."""
    resource = model.Resource.get(resource_id or "")
    if resource is not None:
        return model.Package.get(resource.package_id)
    owner = cases.proposing(resource_id or "")
    return model.Package.get(owner) if owner else None
