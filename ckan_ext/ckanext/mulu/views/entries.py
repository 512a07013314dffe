"""The entry: its form (saved in one step, straight to the entry's page) and its published versions."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint
from werkzeug.wrappers import Response as BaseResponse

from ckanext.mulu.views import entry_form
from ckanext.mulu.views.common import (
    anchored,
    by_field,
    call,
    errors_only,
    problems_of,
    require_login,
)
from mulu.entry import CLASS_FIELDS, ITEM_CLASS_FIELDS

mulu_entry = Blueprint("mulu_entry", __name__)

#: once published, the class is changed by its own procedure only
PUBLISHED = ("published", "published_pending")

Answer = str | BaseResponse | tuple[str, int]


@mulu_entry.route("/dataset/new", methods=["GET", "POST"])
def new() -> Answer:
    if answer := require_login():
        return answer
    organisations = _organisations()
    if tk.request.method == "GET":
        chosen = tk.request.args.get("group", "")
        return _render({"owner_org": chosen or (organisations[0]["id"] if len(organisations) == 1 else "")}, organisations)
    return _save({}, organisations, "package_create")


@mulu_entry.route("/dataset/edit/<id>", methods=["GET", "POST"])
def edit(id: str) -> Answer:
    if answer := require_login():
        return answer
    package = call("package_show", {"id": id})
    call_access("package_update", package["id"])
    base = {**package, **_proposed(package)}
    organisations = _organisations(package)
    if tk.request.method == "GET":
        return _render(base, organisations)
    return _save(base, organisations, "package_update")


@mulu_entry.get("/mulu/entry/<id>/history")
def history(id: str) -> str:
    package = call("package_show", {"id": id})
    return tk.render("mulu/history.html", {"pkg": package, "versions": call("mulu_entry_history", {"id": package["id"]})})


def call_access(action: str, id: str) -> None:
    try:
        tk.check_access(action, {"user": tk.current_user.name}, {"id": id})
    except tk.NotAuthorized:
        tk.abort(403, tk._("只有本部门的编目员可以修改这个条目。"))


def _proposed(package: dict[str, Any]) -> dict[str, Any]:
    """What a waiting change proposes, so that editing goes on from there and not from the published version."""
    if not package.get("mulu_case"):
        return {}
    case = call("mulu_case_show", {"id": package["mulu_case"]})["case"]
    return case["data"].get("proposed") or {}


def _organisations(package: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Departments for which this person may enter, the entry's own among them."""
    found = {one["id"]: one for one in call("organization_list_for_user", {"permission": "create_dataset"})}
    if package and package.get("organization"):
        found.setdefault(package["owner_org"], package["organization"])
    return sorted(found.values(), key=lambda one: one.get("title") or one["name"])


def _save(base: dict[str, Any], organisations: list[dict[str, Any]], action: str) -> Answer:
    form = tk.request.form
    entry = {**base, **entry_form.read(form)}
    if form.get("save") == "rows":
        return _render(entry, organisations, blank=entry_form.BLANK_ROWS * 2)
    problems = [anchored(one) for one in _check(entry, organisations)]
    if errors_only(problems) and form.get("save") != "draft":
        return _render(entry, organisations, problems), 422
    try:
        saved = call(action, {**entry, "type": "dataset"} if base else {**entry, "type": "dataset", "private": True})
    except tk.ValidationError as error:
        return _render(entry, organisations, problems_of(error)), 422
    tk.h.flash_success(tk._("已保存。") if not errors_only(problems) else tk._("已存为草稿，还有问题待补齐。"))
    return tk.redirect_to("dataset.read", id=saved["name"])


def _check(entry: dict[str, Any], organisations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = {one["id"]: one["name"] for one in organisations}
    provider = names.get(entry.get("owner_org", ""), "")
    return call("mulu_entry_check", {"entry": {**entry, "provider": provider}})["problems"]


def _render(entry: dict[str, Any], organisations: list[dict[str, Any]], problems: list[dict[str, Any]] | None = None, blank: int = 0) -> str:
    shown = [anchored({**one, "field": _form_name(one)}) for one in problems or []]
    rows = len(entry.get("items") or [])
    return tk.render(
        "mulu/entry_form.html",
        {
            "entry": entry,
            "sections": entry_form.sections(organisations),
            "organisations": organisations,
            "errors": errors_only(shown),
            "warnings": [one for one in shown if one not in errors_only(shown)],
            "by_field": by_field(shown),
            "item_rows": rows + (blank or (1 if rows else entry_form.BLANK_ROWS)),
            "is_new": not entry.get("id"),
            "locked": CLASS_FIELDS + ITEM_CLASS_FIELDS if entry.get("mulu_status") in PUBLISHED else (),
        },
    )


def _form_name(problem: dict[str, Any]) -> str:
    field = str(problem.get("field") or "")
    return "owner_org" if field == "provider" else field
