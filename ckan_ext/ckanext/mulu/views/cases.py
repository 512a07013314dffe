"""事项: the ledger of cases with its export, and the one page of a case with the events that this person may press."""

from __future__ import annotations

import csv
import io
from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response
from openpyxl import Workbook
from werkzeug.wrappers import Response as BaseResponse

from ckanext.mulu import helpers, offers
from ckanext.mulu.views import case_view, event_form, related, uploads
from ckanext.mulu.views.common import (
    anchored,
    by_field,
    call,
    named,
    on_entry_form,
    problems_of,
    require_login,
)

mulu_case = Blueprint("mulu_case", __name__, url_prefix="/mulu")
mulu_case.before_request(require_login)

PAGE = 25
#: rows of an export; a ledger longer than this is narrowed by its filters first
EXPORT_LIMIT = 20_000
FILTERS = ("q", "procedure", "state", "org", "party", "turn", "since", "until")
FLAGS = ("mine", "open", "overdue", "provisional")


def _query() -> dict[str, Any]:
    return {key: tk.request.args.get(key, "").strip() for key in FILTERS + FLAGS}


def _list(query: dict[str, Any], limit: int, offset: int) -> dict[str, Any]:
    wanted = {key: True if key in FLAGS else value for key, value in query.items() if value}
    return call("mulu_case_list", {**wanted, "limit": limit, "offset": offset})


@mulu_case.get("/cases")
def index() -> str:
    query = _query()
    page = max(1, tk.h.get_page_number(tk.request.args))
    wrong = ""
    try:
        found = _list(query, PAGE, (page - 1) * PAGE)
    except tk.ValidationError as error:
        found, wrong = {"results": [], "count": 0}, "；".join(one["message"] for one in problems_of(error))
    procedures = call("mulu_procedure_list")
    states = {
        state["id"]: state["label"]
        for procedure in procedures
        if query["procedure"] in ("", procedure["id"])
        for state in procedure.get("states", [])
    }
    args = {key: value for key, value in query.items() if value}
    return tk.render(
        "mulu/cases.html",
        {
            "rows": found["results"],
            "count": found["count"],
            "query": query,
            "wrong": wrong,
            "filtered": any(query.values()),
            "turn_title": case_view.departments().get(query["turn"], query["turn"]),
            "procedures": procedures,
            "states": states,
            "organisations": helpers.mulu_departments(),
            "page": page,
            "pages": -(-found["count"] // PAGE),
            "export_url": lambda kind: tk.h.url_for("mulu_case.export", kind=kind, **args),
        },
    )


COLUMNS = (
    ("编号", "id"),
    ("事项类型", "procedure_title"),
    ("名称", "title"),
    ("机构", "org_title"),
    ("环节", "state_label"),
    ("有关部门", "party_titles"),
    ("轮到谁", "turn_titles"),
    ("发起时间", "opened_at"),
    ("最近办理", "updated_at"),
    ("办理期限", "due_on"),
    ("剩余工作日", "days_left"),
    ("逾期", "overdue"),
    ("期限暂定", "provisional"),
)


@mulu_case.get("/cases/export.<any(csv, xlsx):kind>")
def export(kind: str) -> Response:
    rows = [[name for name, _ in COLUMNS]]
    query, titles = _query(), case_view.departments()
    while len(rows) <= EXPORT_LIMIT:
        part = _list(query, 1000, len(rows) - 1)["results"]
        for row in part:
            row["turn_titles"] = "、".join(case_view.turns(row["turn"]))
            row["party_titles"] = "、".join(titles.get(one, one) for one in row["parties"] if one != row["org"])
        rows += [[_cell(row.get(key)) for _, key in COLUMNS] for row in part]
        if len(part) < 1000:
            break
    if kind == "csv":
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        # The byte order mark is what makes Excel read Chinese in a CSV.
        body, mimetype = text.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8"
    else:
        book = Workbook(write_only=True)
        sheet = book.create_sheet("事项台账")
        for row in rows:
            sheet.append(row)
        binary = io.BytesIO()
        book.save(binary)
        body, mimetype = binary.getvalue(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    response = Response(body, mimetype=mimetype)
    response.headers["Content-Disposition"] = f"attachment; filename=cases.{kind}; filename*=UTF-8''%E4%BA%8B%E9%A1%B9%E5%8F%B0%E8%B4%A6.{kind}"
    return response


def _cell(value: Any) -> Any:
    """A value for a spreadsheet. Text that a spreadsheet would run as a formula is kept as text."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if value is None:
        return ""
    if isinstance(value, (int, float)):
        return value
    text = helpers.mulu_time(value) if "T" in str(value)[10:11] else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


@mulu_case.get("/case/<id>")
def show(id: str) -> str:
    return _page(id)


@mulu_case.post("/case/<id>")
def event(id: str) -> BaseResponse | tuple[str, int]:
    form = tk.request.form
    name = form.get("event", "")
    before = call("mulu_case_show", {"id": id})
    possible = next((one for one in before["available"] if one["event"] == name), None)
    if possible is None:
        return tk.abort(400, tk._("没有这项操作，请刷新页面后再试。"))
    data = event_form.read(possible["fields"], form)
    try:
        for field in possible["fields"]:
            if field["kind"] == "files":
                data[field["key"]] += uploads.kept(field["key"], id)
        request = {"id": id, "event": name, "data": data}
        if form.get("version", "").isdigit():
            request["version"] = int(form["version"])
        call("mulu_case_event", request)
    except tk.ValidationError as error:
        return _page(id, tried=name, values=data, problems=problems_of(error)), 409 if _stale(error) else 422
    tk.h.flash_success(tk._("已办理：{event}").format(event=possible["label"]))
    return tk.redirect_to("mulu_case.show", id=id)


def _stale(error: tk.ValidationError) -> bool:
    return any(one.get("rule") == "stale_version" for one in problems_of(error))


def _page(id: str, tried: str = "", values: dict[str, Any] | None = None, problems: list[dict[str, Any]] | None = None) -> str:
    shown = call("mulu_case_show", {"id": id})
    case = shown["case"]
    rows, others = case_view.asked_rows(case), related.of(case)
    found = named([anchored({**one, "field": f"{tried}-{one.get('field') or ''}"}) for one in problems or []], rows)
    events = [
        {**one, "form": event_form.describe(one["fields"], case)} for one in shown["available"] if not on_entry_form(one)
    ]
    return tk.render(
        "mulu/case.html",
        {
            "case": case,
            "shown": shown,
            "clocks": case_view.clocks(case),
            "events": case_view.timeline(case, shown["events"]),
            "open_events": [one for one in events if one["allowed"]],
            "closed_events": [one for one in events if not one["allowed"]],
            "editable": any(one["allowed"] and on_entry_form(one) for one in shown["available"]),
            "tried": tried,
            "values": values or {},
            "refused": found,
            "refused_by": by_field(found),
            "diff": case_view.changes(shown["diff"]),
            "is_new": not any(change["before"] for change in shown["diff"]),
            "facts": case_view.facts(case),
            "asked": rows,
            "turn": case_view.turn(case),
            "next": case_view.next_steps(case),
            "related": others,
            "grants": related.grants(case),
            "offers": offers.on_case(case, others, shown["overdue"]),
            "letter": case_view.promise(case) if rows else "",
            "problems": [anchored(one) for one in shown["problems"]],
        },
    )
