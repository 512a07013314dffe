"""One decision on many cases of the inbox: choose them, fill in the event's form once, see what became of each."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint
from werkzeug.wrappers import Response as BaseResponse

from ckanext.mulu import helpers
from ckanext.mulu.views import event_form
from ckanext.mulu.views.common import anchored, by_field, call, on_entry_form, problems_of, require_login

mulu_batch = Blueprint("mulu_batch", __name__)
mulu_batch.before_request(require_login)

#: kinds of fields that each case fills in its own way: such a step is done on the case's page
PER_CASE = {"decisions", "asked", "entry_link"}


@mulu_batch.post("/mulu/batch")
def decide() -> str | BaseResponse | tuple[str, int]:
    form = tk.request.form
    chosen = set(form.getlist("ids"))
    rows = [row for row in helpers.mulu_inbox()["results"] if row["id"] in chosen]
    if not rows:
        tk.h.flash_error(tk._("请先勾选要一起办理的事项。"))
        return tk.redirect_to("mulu_inbox.index")
    if len({(row["procedure"], row["state"]) for row in rows}) > 1:
        tk.h.flash_error(tk._("一起办理的事项须在同一环节，请先按类型筛选。"))
        return tk.redirect_to("mulu_inbox.index")
    shown = call("mulu_case_show", {"id": rows[0]["id"]})
    possible = {one["event"]: one for one in shown["available"] if one["allowed"] and not on_entry_form(one) and not PER_CASE & {f["kind"] for f in one["fields"]}}
    event = possible.get(form.get("event", ""))
    if event is None:
        return _page(rows, shown, possible)
    event = {**event, "fields": [one for one in event["fields"] if one["kind"] != "files"]}
    data = event_form.read(event["fields"], form)
    missing = [one["label"] for one in event["fields"] if one["required"] and not _filled(data.get(one["key"]))]
    if missing:
        problems = [{"field": "", "message": tk._("请填写“{label}”。").format(label=label)} for label in missing]
        return _page(rows, shown, possible, event["event"], data, problems), 422
    try:
        results = call("mulu_case_batch", {"ids": [row["id"] for row in rows], "event": event["event"], "data": data})["results"]
    except tk.ValidationError as error:
        return _page(rows, shown, possible, event["event"], data, problems_of(error)), 422
    return tk.render("mulu/batch_done.html", {"event": event, "results": results, "done": [one for one in results if one["ok"]]})


def _filled(value: Any) -> bool:
    return all(value.values()) if isinstance(value, dict) else bool(value)


def _page(
    rows: list[dict[str, Any]],
    shown: dict[str, Any],
    possible: dict[str, Any],
    tried: str = "",
    values: dict[str, Any] | None = None,
    problems: list[dict[str, Any]] | None = None,
) -> str:
    found = [anchored({**one, "field": f"{tried}-{one.get('field') or ''}"}) for one in problems or []]
    return tk.render(
        "mulu/batch.html",
        {
            "rows": rows,
            "events": [{**one, "form": event_form.describe([f for f in one["fields"] if f["kind"] != "files"], {"data": {}, "subject": {"org": ""}})} for one in possible.values()],
            "tried": tried,
            "values": values or {},
            "refused": found,
            "refused_by": by_field(found),
            "shown": shown,
        },
    )
