"""CKAN's own way to write a dataset, turned into the review: a draft first, a proposal beside what is published.

The package holds what the public may see, or a draft that it may not (``private``). An edit of a published entry never touches it.
"""

from __future__ import annotations

from typing import Any

import ckan.authz as authz
import ckan.model as model
import ckan.plugins.toolkit as tk

from ckanext.mulu import cases, entries, identities, marks, roles, steps
from ckanext.mulu.logic import access, content, refusal
from ckanext.mulu.model import versions
from ckanext.mulu.transaction import Touched, transaction
from mulu.entry import CLASS_FIELDS, ITEM_CLASS_FIELDS, class_of, diff, with_class
from mulu.people import Person
from mulu.visibility import can_see

Context = dict[str, Any]
Package = dict[str, Any]
REVIEW, CLASS_CHANGE = "catalogue_review", "classification_change"


@tk.chained_action
def package_create(next_: Any, context: Context, data: Package) -> Any:
    """A new entry: a draft under review from its first moment, seen by its department and the reviewers only (requirements C3)."""
    refusal.require_dataset(data)
    tk.check_access("package_create", context, data)
    actor = roles.person(context)
    with refusal.refusals(), transaction(context) as touched:
        package_id = _insert(next_, context, data)
        entry = entries.typed(data)
        subject = {"type": "entry", "id": package_id, "org": entry["provider"], "title": entry.get("title") or data["name"]}
        steps.open_(REVIEW, subject, actor, {"kind": "new"}, touched, entry=entries.to_entry(data))
        identities.register(package_id, entry)
        touched.add(package_id)
    if context.get("return_id_only"):
        return package_id
    return tk.get_action("package_show")({**_asker(context)}, {"id": package_id})


def _insert(next_: Any, context: Context, data: Package) -> str:
    """CKAN's own insert within our transaction, with the code and name that the portal gives."""
    data |= {"private": True, "state": "active", "type": "dataset"}
    entry = entries.typed(data)
    if problem := identities.taken(entry):
        raise refusal.error([problem])
    if not entry.get("resource_code"):
        data["resource_code"] = entry["resource_code"] = identities.give_code(entry)
    data["name"] = identities.name_of(entry)
    return str(next_({**context, "defer_commit": True, "return_id_only": True}, data))


@tk.chained_action
def package_update(next_: Any, context: Context, data: Package) -> Any:
    """A draft is changed in place; a change of a published entry waits in its case, and the published version is returned."""
    if context.get("mulu_decided"):
        return next_(context, data)
    refusal.require_dataset(data)
    package = model.Package.get(data.get("id") or data.get("name") or "")
    if package is None:
        raise tk.ObjectNotFound(tk._("没有这个条目。"))
    tk.check_access("package_update", context, {**data, "id": package.id})
    if package.state == "deleted":
        raise refusal.one("", "entry_withdrawn", f"《{package.title}》已经撤回或者撤销，不能再修改", entries.profile().cite("update_catalogue"))
    actor = roles.person(context)
    data = {**data, "id": package.id, "name": package.name, "private": package.private, "state": package.state}
    data["owner_org"] = package.owner_org
    with refusal.refusals(), transaction(context) as touched:
        if package.private:
            _change_draft(next_, context, data, actor, touched)
        else:
            propose(context, data, actor, touched)
    if context.get("return_id_only"):
        return package.id
    return tk.get_action("package_show")({**_asker(context)}, {"id": package.id})


def _change_draft(next_: Any, context: Context, data: Package, actor: Person, touched: Touched) -> None:
    entry = entries.typed(data)
    before = entries.to_entry(entries.show(data["id"]))
    data["resource_code"] = entry["resource_code"] = identities.follow_class(before, entry)
    if entry["resource_code"] != before.get("resource_code"):
        data["name"] = identities.name_of(entry)
    if problem := identities.taken(entry, data["id"]):
        raise refusal.error([problem])
    case = cases.open_case_of(data["id"], REVIEW)
    if case is not None:
        steps.act(cases.get(case.id, lock=True), "edit", actor, {}, touched)
    next_({**context, "defer_commit": True, "return_id_only": True}, data)
    model.Session.flush()
    identities.register(data["id"], entry)
    touched.add(data["id"])


def propose(context: Context, data: Package, actor: Person, touched: Touched) -> None:
    """Put a change of a published entry before those who decide: its class in one case, all else in another."""
    current = entries.show(data["id"])
    before, after = entries.to_entry(current), entries.typed({**data, "organization": current["organization"]})
    for key in ("resource_code", "published_on", "secrecy_review", "privacy_review", "source"):
        if before.get(key):
            after[key] = before[key]
    subject = {"type": "entry", "id": data["id"], "org": before["provider"], "title": before["title"]}
    changed_class = class_difference(before, after)
    resources = content.restored(data.get("resources", current["resources"]), current["resources"])
    kept = with_class({**after, "resources": resources}, class_of(before))
    kept = {key: value for key, value in kept.items() if value not in (None, "", [], {})}
    if diff(before, kept):
        _propose_review(subject, kept, actor, touched)
    if changed_class:
        _propose_class(subject, before, changed_class, data, actor, touched)
    touched.add(data["id"])


def class_difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What of the class differs, as classification_change wants it: only what changes, items by name."""
    old, new = class_of(before), class_of(after)
    found: dict[str, Any] = {key: new[key] for key in CLASS_FIELDS if old[key] != new[key]}
    items = {
        name: {key: value[key] for key in ITEM_CLASS_FIELDS if value[key] != old["items"][name][key]}
        for name, value in new["items"].items()
        if name in old["items"] and value != old["items"][name]
    }
    return {**found, "items": items} if items else found


def _propose_review(subject: dict[str, str], proposed: dict[str, Any], actor: Person, touched: Touched) -> None:
    case = cases.open_case_of(subject["id"], REVIEW)
    version, _ = versions.last(subject["id"])
    data = {"proposed": proposed, "base_version": version}
    if case is None:
        steps.open_(REVIEW, subject, actor, {"kind": "change", **data}, touched)
    else:
        steps.act(cases.get(case.id, lock=True), "edit", actor, data, touched)


def _propose_class(
    subject: dict[str, str], before: dict[str, Any], after: dict[str, Any], data: Package, actor: Person, touched: Touched
) -> None:
    if cases.open_case_of(subject["id"], CLASS_CHANGE):
        raise refusal.one("share_type", "class_change_open", "这一条目已有一件属性变更在办理，办结后才能再次提起")
    basis = data.get("class_change_basis") or after.get("share_basis") or after.get("open_basis") or ""
    reason = data.get("class_change_reason") or ""
    filed = {"before": class_of(before), "after": after, "basis": basis, "reason": reason}
    steps.open_(CLASS_CHANGE, subject, actor, filed, touched)


@tk.chained_action
@tk.side_effect_free
def package_show(next_: Any, context: Context, data: dict[str, Any]) -> Package:
    """CKAN's, without what only its department or a grant may have (``logic/content.py``), and for those who review:
    ``mulu_status`` and the open review's id ``mulu_case``.

    An entry that somebody may not see is not there for them: CKAN's refusal would tell that it is, and its id.
    Who is about to change a published entry (``for_update``: package_patch, package_revise) goes on from the change that waits.
    """
    asker = roles.person(context)
    trusted = context.get("ignore_auth") or (context.get("for_update") and _may_update(context, data))
    if trusted or access.departments_of(asker):
        context["use_cache"] = False  # the index holds what everybody may have, no more
    try:
        package: Package = next_(context, data)
    except tk.NotAuthorized:
        raise tk.ObjectNotFound(tk._("没有这个条目。")) from None
    if context.get("ignore_auth") or package.get("type") != "dataset" or "resources" not in package:
        return package
    provider = entries.provider_name(package)
    stored = context["package"]
    if not trusted and not content.readable(asker, stored):
        package = content.without_content(package, content.entry_of(stored))
    if not context.get("for_update"):
        package["mulu_objection"] = bool(marks.objected([package["id"]]))
        package["mulu_sources"] = marks.sources([package["id"]]).get(package["id"], [])
    if can_see(asker, "unpublished", provider):
        if context.get("for_update") and not package["private"]:
            package = waiting(package)
        package |= review_facts(package)
    return package


def _may_update(context: Context, data: dict[str, Any]) -> bool:
    return authz.is_authorized_boolean("package_update", _asker(context), {"id": data.get("id")})


def waiting(package: Package) -> Package:
    """The published package with the change that waits for its decision; as it is, if there is none."""
    case = cases.open_case_of(package["id"], REVIEW)
    proposed = case.data.get("proposed") if case else None
    return entries.with_proposal(package, proposed) if proposed else package


def review_facts(package: Package) -> Package:
    """What reviewers are told of an entry beside its content."""
    case = cases.open_case_of(package["id"], REVIEW)
    editing = case is not None and case.state in ("draft", "returned")
    if package["state"] == "deleted" and not package["private"]:
        status = "archived"
    elif package["private"]:
        status = "withdrawn" if package["state"] == "deleted" else "draft" if editing or case is None else "under_review"
    else:
        status = "published_pending" if case else "published"
    facts: Package = {"mulu_status": status}
    if case:
        facts["mulu_case"] = case.id
    if change := cases.open_case_of(package["id"], CLASS_CHANGE):
        facts["mulu_class_case"] = change.id
    return facts


@tk.chained_action
@tk.side_effect_free
def member_list(next_: Any, context: Context, data: dict[str, Any]) -> list[tuple[str, str, str]]:
    """CKAN's, without the entries that the asker may not see."""
    asker = roles.person(context)
    members: list[tuple[str, str, str]] = next_(context, data)
    packages = model.Session.query(model.Package).filter(
        model.Package.id.in_([key for key, table, _ in members if table == "package"])
    )
    seen = {package.id for package in packages if access.sees_package(asker, package)}
    return [member for member in members if member[1] != "package" or member[0] in seen]


@tk.chained_action
def package_delete(next_: Any, context: Context, data: dict[str, Any]) -> None:
    """Only what the auth function lets through (``package_delete``): never a published entry."""
    tk.check_access("package_delete", context, data)
    package = model.Package.get(data["id"])
    next_(context, data)
    if package is not None:
        identities.forget(package.id)
        model.Session.commit()


def _asker(context: Context) -> Context:
    return {key: context[key] for key in ("user", "auth_user_obj", "ignore_auth") if key in context}
