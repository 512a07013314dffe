"""属性变更: the page from which a department asks that a published entry's sharing or opening class be changed."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint
from werkzeug.wrappers import Response as BaseResponse

from ckanext.mulu.helpers import mulu_choices
from ckanext.mulu.views import event_form
from ckanext.mulu.views.common import anchored, by_field, call, problems_of, require_login
from mulu.entry import CLASS_FIELDS, ITEM_CLASS_FIELDS, class_of

mulu_class = Blueprint("mulu_class", __name__)
mulu_class.before_request(require_login)

PROCEDURE = "classification_change"


def changed(before: dict[str, Any], form: Any) -> dict[str, Any]:
    """What the form changes of a class (mulu.entry.class_of), in the same shape: only fields and items that differ."""
    after: dict[str, Any] = {}
    for key in CLASS_FIELDS:
        value = form.get(f"after.{key}", before.get(key, "")).replace("\r\n", "\n").strip()
        if value != before.get(key, ""):
            after[key] = value
    items: dict[str, dict[str, str]] = {}
    for number, name in enumerate(form.getlist("item")):
        for key in ITEM_CLASS_FIELDS:
            value = form.get(f"item-{number}.{key}", "")
            if value != before.get("items", {}).get(name, {}).get(key, ""):
                items.setdefault(name, {})[key] = value
    return {**after, "items": items} if items else after


@mulu_class.route("/mulu/entry/<id>/class", methods=["GET", "POST"])
def ask(id: str) -> str | BaseResponse | tuple[str, int]:
    entry = call("package_show", {"id": id})
    before = class_of(entry)
    if tk.request.method == "GET":
        return _page(entry, before, {}, [])
    form = tk.request.form
    data = {
        "before": before,
        "after": changed(before, form),
        "basis": form.get("basis", "").strip(),
        "reason": form.get("reason", "").strip(),
    }
    try:
        case = call("mulu_case_open", {"procedure": PROCEDURE, "subject": {"type": "entry", "id": entry["id"]}, "data": data})
    except tk.ValidationError as error:
        return _page(entry, before, data, problems_of(error)), 422
    tk.h.flash_success(tk._("已提起属性变更，等待主管部门决定。"))
    return tk.redirect_to("mulu_case.show", id=case["id"])


def _page(entry: dict[str, Any], before: dict[str, Any], data: dict[str, Any], problems: list[dict[str, Any]]) -> str:
    after = data.get("after", {})
    names = [item["name"] for item in entry.get("items") or [] if item.get("name")]
    own = {name: {**before.get("items", {}).get(name, {}), **after.get("items", {}).get(name, {})} for name in names}
    shown = [anchored(one) for one in problems]
    return tk.render(
        "mulu/class_change.html",
        {
            "pkg": entry,
            "field": {"key": "after", "label": tk._("拟变更的属性"), "kind": "class", "subfields": event_form.class_controls()},
            "value": {**before, **{key: value for key, value in after.items() if key != "items"}},
            "item_fields": [{"key": key, "choices": mulu_choices({"code_list": key})} for key in ITEM_CLASS_FIELDS],
            "items": own,
            "data": data,
            "errors": shown,
            "by_field": by_field(shown),
        },
    )
