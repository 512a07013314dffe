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
from ckanext.mulu.logic import content, refusal
from ckanext.mulu.logic.action.packages import propose, waiting
from ckanext.mulu.transaction import transaction

Resource = dict[str, Any]


@tk.chained_action
def resource_create(next_: Any, context: dict[str, Any], data: Resource) -> Resource:
    """On a draft as CKAN does it; on a published entry a proposal. Returns the resource as proposed."""
    package = _package(data.get("package_id"))
    if package is None or package.private:
        return next_(context, data)
    tk.check_access("resource_create", context, data)
    added = _uploaded({key: value for key, value in data.items() if key != "package_id"}, package)
    return _propose(context, package, lambda resources: [*resources, added], added)


@tk.chained_action
def resource_update(next_: Any, context: dict[str, Any], data: Resource) -> Resource:
    """On a published entry a proposal; a replaced file or address is a new resource in the place of the old one."""
    package = _package_of(data.get("id"))
    if package is None or package.private:
        return next_(context, data)
    tk.check_access("resource_update", context, data)
    now = next((one for one in waiting(entries.show(package.id))["resources"] if one["id"] == data["id"]), None)
    if now is None:
        raise tk.ObjectNotFound(tk._("没有这个资源。"))
    changed = _uploaded(data, package) if data.get("upload") else {**data, "url": data.get("url") or now["url"]}
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


@tk.chained_action
@tk.side_effect_free
def resource_show(next_: Any, context: dict[str, Any], data: Resource) -> Resource:
    """CKAN's, and for those who review, a file or address that is only proposed: they must see what they decide on."""
    proposed_for = "" if model.Resource.get(data.get("id") or "") else cases.proposing(data.get("id") or "")
    if not proposed_for:
        return next_(context, data)
    tk.check_access("resource_show", context, data)
    proposed = waiting(entries.show(proposed_for))["resources"]
    return next(one for one in proposed if one["id"] == data["id"]) | {"package_id": proposed_for}


SEARCHED = ("name", "description", "format", "mimetype")


@tk.chained_action
@tk.side_effect_free
def resource_search(next_: Any, context: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """CKAN's, by what is described to everybody: a search by address or hash would tell what it is of a resource that is closed."""
    asked = data.get("query") or []
    by = {pair.partition(":")[0] for pair in ([asked] if isinstance(asked, str) else asked) if isinstance(pair, str)}
    if closed := sorted((by | {data.get("order_by") or "name"}) - set(SEARCHED)):
        raise refusal.one("query", "not_searched", f"不能按“{'、'.join(closed)}”查找资源，可以用：{'、'.join(SEARCHED)}")
    found = next_(context, data)
    asker = roles.person(context)
    rows = [row if content.may_read(asker, row["id"]) else content.without_content({"resources": [row]})["resources"][0] for row in found["results"]]
    return {**found, "results": rows}


def _propose(context: dict[str, Any], package: Any, change: Any, shown: Resource) -> Resource:
    with refusal.refusals(), transaction(context) as touched:
        base = waiting(entries.show(package.id))
        proposal = {**base, "resources": change(list(base.get("resources") or []))}
        propose(context, proposal, roles.person(context), touched)
    return shown | {"package_id": package.id, "mulu_proposed": True}


def _uploaded(data: Resource, package: model.Package) -> Resource:
    """The resource with a new id, its file stored under that id, at the address where it will be downloaded."""
    fresh = {**data, "id": str(uuid.uuid4())}
    upload = uploader.get_resource_uploader(fresh)
    if hasattr(upload, "mimetype"):
        fresh.setdefault("mimetype", upload.mimetype)
    if getattr(upload, "filesize", 0):
        fresh["size"] = upload.filesize
    upload.upload(fresh["id"], uploader.get_max_resource_size())
    fresh.pop("upload", None)
    if fresh.get("url_type") == "upload":
        route = {"id": package.id, "resource_id": fresh["id"], "filename": fresh["url"]}
        fresh["url"] = tk.url_for("dataset_resource.download", **route, qualified=True)
    if isinstance(fresh.get("last_modified"), datetime):
        fresh["last_modified"] = fresh["last_modified"].isoformat()  # a proposal is kept as JSON
    return fresh


def _package(id_or_name: str | None) -> Any:
    return model.Package.get(id_or_name or "")


def _package_of(resource_id: str | None) -> Any:
    """The package of a published resource, or of one that a proposal names."""
    resource = model.Resource.get(resource_id or "")
    if resource is not None:
        return model.Package.get(resource.package_id)
    owner = cases.proposing(resource_id or "")
    return model.Package.get(owner) if owner else None
