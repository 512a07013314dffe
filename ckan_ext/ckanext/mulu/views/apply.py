"""申请: the basket of entries, the sharing application made of it, and the application of a citizen or an enterprise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.common import current_user, session
from flask import Blueprint
from werkzeug.wrappers import Response as BaseResponse

from ckanext.mulu import basket, entries, helpers, offers
from ckanext.mulu.views import asked, case_view, event_form, uploads
from ckanext.mulu.views.common import anchored, by_field, call, named, problems_of, require_login
from mulu import forms
from mulu.case import load_procedure

mulu_apply = Blueprint("mulu_apply", __name__, url_prefix="/mulu/apply")
CAME_FOR = "mulu_came_for"
"""In the session: the application for which somebody went to register, who lands elsewhere afterwards."""

SHARING = "sharing_application"
OPENING = "open_application"
Answer = str | BaseResponse | tuple[str, int]


@mulu_apply.before_request
def known() -> Any:
    """Before the log-in only what an application needs is told."""
    return None if tk.request.endpoint == "mulu_apply.open_data" and tk.request.method == "GET" else require_login()


@mulu_apply.before_app_request
def back_from_registering() -> Any:
    """CKAN sends who has registered to their own page; who came for an entry goes on with it."""
    if tk.request.endpoint == "user.me" and current_user.is_authenticated and (path := session.pop(CAME_FOR, "")):
        return tk.h.redirect_to(path)
    return None


def _fields(procedure: str, event: str = "") -> list[dict[str, Any]]:
    """The fields that a person fills in, of the opening or of an event."""
    spec = load_procedure(procedure)
    of = spec.events[event] if event else spec.opening
    return [field.to_dict() for field in forms.in_place(of.fields, entries.profile()) if not field.given]


def _short_first(fields: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Short fields side by side, then the long ones; the promise stands on its own."""
    return sorted((one for one in fields if one["key"] not in ("promise", "reason")), key=lambda one: bool(one["wide"]))


@mulu_apply.post("/basket")
def put() -> BaseResponse:
    """Into the basket or out of it, and back to where it was pressed."""
    form = tk.request.form
    entry = call("package_show", {"id": form.get("id", "")})
    me = offers.person().id
    if form.get("do") == "remove":
        basket.remove(me, entry["id"])
        tk.h.flash_notice(tk._("已从申请清单移出《{title}》。").format(title=entry["title"]))
    elif basket.add(me, entry["id"]):
        tk.h.flash_success(tk._("《{title}》已加入申请清单。").format(title=entry["title"]))
    else:
        tk.h.flash_error(tk._("申请清单已满 {n} 个条目，请先提交或者移出一些。").format(n=basket.MOST))
    if form.get("then") == "apply":
        return tk.redirect_to("mulu_apply.sharing")
    return tk.redirect_to("dataset.read", id=entry["name"])


@mulu_apply.route("", methods=["GET", "POST"])
def sharing() -> Answer:
    me, own = offers.person().id, offers.own_departments("editor")
    if not own:
        return tk.abort(403, tk._("只有部门编目人员可以代表本部门提出共享申请。"))
    if tk.request.method == "GET":
        return _sharing_page(own, [{"id": one, "items": []} for one in basket.ids(me)], {}, own[0] if len(own) == 1 else "")
    form = tk.request.form
    wanted, consumer = asked.read(form), form.get("consumer") or (own[0] if len(own) == 1 else "")
    if form.get("do", "").startswith("remove:"):
        gone = form["do"].removeprefix("remove:")
        basket.remove(me, gone)
        wanted = [one for one in wanted if one["id"] != gone]
    data = event_form.read(_fields(SHARING, "submit"), form)
    if form.get("do") not in ("submit", "draft"):
        return _sharing_page(own, wanted, data, consumer, promise=form.get("do") == "promise")
    try:
        data["attachments"] += uploads.kept("attachments")
        done = call("mulu_sharing_apply", {"consumer": consumer, "asked": wanted, "data": data, "submit": form["do"] == "submit"})
    except tk.ValidationError as error:
        return _sharing_page(own, wanted, data, consumer, problems_of(error)), 422
    basket.remove(me, *(one["id"] for one in wanted))
    return tk.redirect_to("mulu_apply.done", ids=",".join(done["cases"]))


def _sharing_page(
    own: list[str], wanted: list[dict[str, Any]], data: dict[str, Any], consumer: str,
    problems: list[dict[str, Any]] | None = None, promise: bool = False,
) -> str:  # fmt: skip
    rows = asked.rows(wanted, SHARING)
    found = named([anchored(one) for one in problems or []], rows)
    titles = {one["name"]: one["title"] for one in helpers.mulu_departments()}
    fields = event_form.describe(_fields(SHARING, "submit"), {"procedure": SHARING, "data": data})
    needed = {name for guard in load_procedure(SHARING).events["submit"].refuse for name in guard.get("needs", ())} | {"promise"}
    return tk.render(
        "mulu/apply.html",
        {
            "places": [{"id": row["id"], "n": n} for n, row in enumerate(rows)],
            "parts": asked.departments([{**row, "n": n} for n, row in enumerate(rows)]),
            "count": len(rows),
            "fields": _short_first({**one, "required": one["key"] in needed} for one in fields),
            "promise": next(one for one in fields if one["key"] == "promise"),
            "promise_open": promise,
            "letter": case_view.promise({"procedure": SHARING, "data": {**data, "asked": wanted, "consumer": consumer}}),
            "consumers": [{"value": name, "label": titles.get(name, name)} for name in own],
            "consumer": consumer,
            "data": data,
            "errors": found,
            "by_field": by_field(found),
            "article": entries.profile().cite("apply_share"),
        },
    )


@mulu_apply.get("/done")
def done() -> str:
    """Of each part: where it is, whose turn it is, by when, and what comes next."""
    ids = [one for one in tk.request.args.get("ids", "").split(",") if one][: basket.MOST]
    shown = [call("mulu_case_show", {"id": one}) for one in ids]
    return tk.render("mulu/apply_done.html", {"rows": [{**one, "turn": case_view.turn(one["case"]), "next": case_view.next_steps(one["case"])} for one in shown]})


@mulu_apply.route("/open/<id>", methods=["GET", "POST"])
def open_data(id: str) -> Answer:
    entry = call("package_show", {"id": id})
    form = tk.request.form
    if not current_user.is_authenticated:
        return _before_login(entry)
    session.pop(CAME_FOR, None)
    if tk.request.method == "GET":
        return _open_page(entry, {"asked": [{"id": entry["id"], "items": []}]})
    fields = _fields(OPENING)
    data = event_form.read(fields, form)
    if form.get("do") == "promise":
        return _open_page(entry, data, promise=True)
    try:
        data["attachments"] += uploads.kept("attachments")
        sent = {key: value for key, value in data.items() if value not in ("", [], None)}
        case = call("mulu_case_open", {"procedure": OPENING, "subject": {"type": "entry", "id": entry["id"]}, "data": sent})
    except tk.ValidationError as error:
        return _open_page(entry, data, problems_of(error)), 422
    return tk.redirect_to("mulu_apply.done", ids=case["id"])


def _before_login(entry: dict[str, Any]) -> str:
    """What is needed, by when it is answered and under which article; then the log-in, which leads back here."""
    place, procedure = entries.profile(), load_procedure(OPENING)
    clock = place.clock(procedure.clocks["answer_open"].profile)
    session[CAME_FOR] = here = tk.h.url_for("mulu_apply.open_data", id=entry["name"])
    shown = {
        "entry": entry, "here": here, "clock": clock, "authority": place.authority_name, "article": place.cite(procedure.opening.cite), "open": entry.get("open_type") == "conditional",
        "fields": [field for field in _fields(OPENING) if field["key"] != "reason"],
    }  # fmt: skip
    return tk.render("mulu/apply_before.html", shown)


def _open_page(entry: dict[str, Any], data: dict[str, Any], problems: list[dict[str, Any]] | None = None, promise: bool = False) -> str:
    fields = event_form.describe(_fields(OPENING), {"procedure": OPENING, "data": data, "subject": {"org": ""}})
    rows = asked.rows(data["asked"], OPENING)
    found = named([anchored(one) for one in problems or []], rows)
    return tk.render(
        "mulu/apply_open.html",
        {
            "entry": entry,
            "fields": fields[:1] + _short_first(fields[1:]),
            "promise": next(one for one in fields if one["key"] == "promise"),
            "promise_open": promise,
            "letter": case_view.promise({"procedure": OPENING, "data": data, "subject": {"org": entry["organization"]["name"]}}),
            "data": data,
            "errors": found,
            "by_field": by_field(found),
            "open": entry.get("open_type") == "conditional",
            "article": entries.profile().cite("apply_open"),
        },
    )
