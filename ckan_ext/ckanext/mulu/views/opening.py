"""One page from which any procedure is started: its form is made of what its opening asks for."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint
from werkzeug.wrappers import Response as BaseResponse

from ckanext.mulu import entries, helpers, offers
from ckanext.mulu.views import event_form, uploads
from ckanext.mulu.views.common import anchored, by_field, call, problems_of, require_login
from mulu import forms
from mulu.case import PROCEDURES, load_procedure
from mulu.procedure import Procedure

mulu_open = Blueprint("mulu_open", __name__)
mulu_open.before_request(require_login)


@mulu_open.route("/mulu/open/<procedure>", methods=["GET", "POST"])
def ask(procedure: str) -> str | BaseResponse | tuple[str, int]:
    if procedure not in PROCEDURES or procedure in offers.ELSEWHERE:
        return tk.abort(404, tk._("没有这类事项，或者它不从这里提起。"))
    spec = load_procedure(procedure)
    kind = tk.request.args.get("type", "")
    if kind not in spec.about:
        kind = spec.about[0]
    subject = {"type": kind, "id": tk.request.args.get("id", ""), **_known(kind, tk.request.args.get("id", ""))}
    fields = _fields(spec)
    if tk.request.method == "GET":
        given = {field["key"]: tk.request.args[field["key"]] for field in fields if tk.request.args.get(field["key"])}
        return _page(spec, subject, fields, {**_prefilled(spec, subject), **given})
    form = tk.request.form
    data = event_form.read(fields, form)
    own = {key: form[key] for key in offers.OWN_DEPARTMENT if form.get(key)}
    try:
        for field in fields:
            if field["kind"] == "files":
                data[field["key"]] += uploads.kept(field["key"])
        sent = {key: value for key, value in data.items() if value not in ("", [], None)}
        case = call("mulu_case_open", {"procedure": spec.id, "subject": {"type": kind, "id": subject["id"]}, "data": {**sent, **own}})
    except tk.ValidationError as error:
        return _page(spec, subject, fields, {**data, **own}, problems_of(error)), 422
    tk.h.flash_success(tk._("已办理：{event}").format(event=spec.opening.label))
    return tk.redirect_to("mulu_case.show", id=case["id"])


def _fields(spec: Procedure) -> list[dict[str, Any]]:
    return [field.to_dict() for field in forms.in_place(spec.opening.fields, entries.profile()) if not field.given]


def _known(kind: str, id: str) -> dict[str, Any]:
    """What is shown of the subject: {id, title, url, org, org_title, items, late}; what may not be seen is a 404."""
    if kind == "entry":
        entry = call("package_show", {"id": id})
        organisation = entry["organization"]
        items = [item["name"] for item in entry.get("items") or [] if item.get("name")]
        url = tk.h.url_for("dataset.read", id=entry["name"])
        return {"id": entry["id"], "title": entry["title"], "url": url, "org": organisation["name"], "org_title": organisation["title"], "items": items}
    if kind == "department":
        organisation = call("organization_show", {"id": id})
        url = tk.h.url_for("organization.read", id=organisation["name"])
        return {"id": organisation["name"], "title": organisation["title"], "url": url, "org": organisation["name"], "org_title": ""}
    if kind == "case":
        case = call("mulu_case_show", {"id": id})
        return {
            "title": f"{case['title']}（{case['procedure_title']}，{case['state_label']}）", "url": tk.h.url_for("mulu_case.show", id=id),
            "org": case["org"], "org_title": case["org_title"], "late": case if case["overdue"] else None,
        }  # fmt: skip
    return {"id": "", "title": helpers.mulu_place(), "url": "", "org": "", "org_title": ""}


def _prefilled(spec: Procedure, subject: dict[str, Any]) -> dict[str, Any]:
    """A notice about a case that is late says so by itself."""
    late = subject.get("late")
    if spec.id != "rectification" or not late:
        return {}
    days = abs(late["days_left"] or 0)
    facts = tk._("《{title}》（{procedure}）应于 {due} 办结，已逾期 {n} 个工作日，仍在“{state}”环节。")
    filled = facts.format(title=late["title"], procedure=late["procedure_title"], due=late["due_on"], n=days, state=late["state_label"])
    return {"facts": filled, "measure": tk._("请在整改期限内办结，并书面报告逾期原因和整改情况。")}


def _page(
    spec: Procedure, subject: dict[str, Any], fields: list[dict[str, Any]], data: dict[str, Any], problems: list[dict[str, Any]] | None = None
) -> str:
    found = [anchored(one) for one in problems or []]
    controls = event_form.describe(fields, {"procedure": spec.id, "subject": subject, "data": data})
    for control in controls:
        if control["key"] == "item" and subject.get("items"):
            control |= {"kind": "choice", "choices": [{"value": name, "label": name} for name in subject["items"]]}
    optional_reason = [one for one in controls if one["key"] != "reason" or one["required"]]
    own = offers.own_departments()
    titles = {one["name"]: one["title"] for one in helpers.mulu_departments()}
    acting = next((field.key for field in spec.opening.fields if field.key in offers.OWN_DEPARTMENT), "")
    if acting and subject["type"] != "case" and len(own) > 1:
        choices = [{"value": name, "label": titles.get(name, name)} for name in own]
        optional_reason.insert(0, {"key": acting, "label": tk._("以哪个部门的名义"), "kind": "choice", "required": True, "choices": choices, "value": data.get(acting)})
    return tk.render(
        "mulu/open.html",
        {
            "spec": spec,
            "subject": subject,
            "fields": optional_reason,
            "errors": found,
            "by_field": by_field(found),
            "article": entries.profile().cite(spec.opening.cite),
            "may": offers.may_open(spec, subject["org"]) or subject["type"] == "case",
            "back": subject["url"] or tk.h.url_for("mulu_case.index"),
        },
    )
