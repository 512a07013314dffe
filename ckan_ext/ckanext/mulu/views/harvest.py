"""汇聚: the sources with what ails them, one source with its history and its quarantine, one run with its differences."""

from __future__ import annotations

from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk
import yaml
from flask import Blueprint, jsonify
from werkzeug.wrappers import Response as BaseResponse

from ckanext.mulu import entries
from ckanext.mulu.harvest import words
from ckanext.mulu.views import case_view, harvest_chart, harvest_form
from ckanext.mulu.views.common import by_field, call, problems_of, require_login
from mulu_harvest.plan import COUNTS

mulu_harvest = Blueprint("mulu_harvest", __name__, url_prefix="/mulu/harvest")
mulu_harvest.before_request(require_login)

HISTORY = 10
PROBLEMS = 20
STEPS = 20
CITED = {"closed": "reclassify", "moved": "harvest_check", "too_many_removed": "harvest_check"}
"""Why a run is held → what cites it; how many entries a source should have is its own setting."""
Answer = str | BaseResponse | tuple[str, int]


@mulu_harvest.get("")
def index() -> str:
    found = call("mulu_harvest_source_list")
    titles = case_view.departments()
    return tk.render("mulu/harvest/list.html", {
        "sources": [{**one, "chart": harvest_chart.small(one["runs"])} for one in found],
        "words": words, "titles": titles, "trouble": sum(one["state"] in ("failed", "held", "refused") for one in found),
        "may_add": harvest_form.may_manage(),
    })  # fmt: skip


@mulu_harvest.route("/new", methods=["GET", "POST"])
def new() -> Answer:
    harvest_form.require_manager()
    if tk.request.method == "GET":
        return _form(None, harvest_form.blank())
    return _sent(None)


@mulu_harvest.route("/source/<name>/edit", methods=["GET", "POST"])
def edit(name: str) -> Answer:
    harvest_form.require_manager()
    source = call("mulu_harvest_source_show", {"name": name})
    if tk.request.method == "GET":
        return _form(source, harvest_form.values(source["name"], source["settings"]))
    return _sent(source)


def _sent(source: dict[str, Any] | None) -> Answer:
    """The form: tried out, or saved. What was filled in stays in it, whatever comes of it."""
    values, problems = harvest_form.read(tk.request.form)
    name = source["name"] if source else values["name"]
    shown = None
    if not problems:
        request = {"name": name, "settings": harvest_form.settings(values)}
        try:
            if tk.request.form.get("do") == "preview":
                shown = call("mulu_harvest_preview", request)
            else:
                call("mulu_harvest_source_update" if source else "mulu_harvest_source_create", request)
                tk.h.flash_success(tk._("已保存来源“{title}”。").format(title=values["title"]))
                return tk.redirect_to("mulu_harvest.source", name=name)
        except tk.ValidationError as error:
            problems = problems_of(error)
    page = _form(source, values, problems, shown)
    return page if shown else (page, 422)


def _form(source: dict[str, Any] | None, values: dict[str, Any], problems: list[dict[str, Any]] | None = None, shown: Any = None) -> str:
    problems = harvest_form.placed(problems or [])
    return tk.render("mulu/harvest/form.html", {
        "source": source, "values": values, "sections": harvest_form.sections(source, values), "problems": problems,
        "errors": by_field(problems), "preview": shown, "preview_bad": sum(1 for one in (shown or {}).get("entries", []) if harvest_form.bad(one)),
        "bad": harvest_form.bad,
    })  # fmt: skip


@mulu_harvest.get("/source/<name>")
def source(name: str) -> str:
    found = call("mulu_harvest_source_show", {"name": name})
    page, at = max(1, tk.h.get_page_number(tk.request.args)), _whole(tk.request.args.get("at"))
    history = call("mulu_harvest_run_list", {"name": name, "limit": HISTORY, "offset": (page - 1) * HISTORY})
    quarantine = call("mulu_harvest_problem_list", {"name": name, "limit": PROBLEMS, "offset": (at - 1) * PROBLEMS})
    recent = history["results"] if page == 1 else call("mulu_harvest_run_list", {"name": name, "limit": 5})["results"]
    return tk.render("mulu/harvest/source.html", {
        "source": found, "words": words, "counts": COUNTS, "chart": harvest_chart.large(found["runs"]),
        "history": history["results"], "page": page, "pages": -(-history["count"] // HISTORY),
        "problems": quarantine["results"], "problem_count": quarantine["count"], "at": at, "problem_pages": -(-quarantine["count"] // PROBLEMS),
        "open_run": next((run for run in recent if run["state"] in ("waiting", "running")), None),
        "held_run": next((run for run in recent if run["state"] == "held"), None),
        "settings": yaml.safe_dump(found["settings"], allow_unicode=True, sort_keys=False, width=100),
        "facts": harvest_form.facts(found), "named": _who_changed(found["changed_by"]),
    })  # fmt: skip


@mulu_harvest.post("/source/<name>")
def act(name: str) -> BaseResponse:
    """Run, try, stop, disable, enable."""
    wanted = tk.request.form.get("do", "")
    try:
        match wanted:
            case "run" | "dry_run":
                run = call("mulu_harvest_run_create", {"name": name, "dry_run": wanted == "dry_run"})
                return tk.redirect_to("mulu_harvest.run", id=run["id"])
            case "disable":
                call("mulu_harvest_source_delete", {"name": name})
                tk.h.flash_success(tk._("已停用。已经收下的条目和汇聚的历史都保留。"))
            case "enable":
                call("mulu_harvest_source_update", {"name": name, "enabled": True})
                tk.h.flash_success(tk._("已启用。"))
            case _:
                return tk.abort(400, tk._("没有这项操作，请刷新页面后再试。"))
    except tk.ValidationError as error:
        tk.h.flash_error("；".join(one["message"] for one in problems_of(error)))
    return tk.redirect_to("mulu_harvest.source", name=name)


@mulu_harvest.get("/run/<id>")
def run(id: str) -> str:
    found = call("mulu_harvest_run_show", {"id": id})
    kind, held = tk.request.args.get("kind", ""), bool(tk.request.args.get("held"))
    page = max(1, tk.h.get_page_number(tk.request.args))
    wanted = {"kind": kind} if kind in words.KINDS else {}
    steps = call("mulu_harvest_step_list", {"run": id, "held": held, "limit": STEPS, "offset": (page - 1) * STEPS, **wanted})
    return tk.render("mulu/harvest/run.html", {
        "run": found, "words": words, "counts": COUNTS, "live": found["state"] in ("waiting", "running"), "steps": steps["results"], "count": steps["count"],
        "kind": wanted.get("kind", ""), "held": held, "page": page, "pages": -(-steps["count"] // STEPS), "titles": case_view.departments(),
        "citations": {rule: entries.profile().cite(key) for rule, key in CITED.items()},
        "total": sum(found["kinds"].get(one, 0) for one in words.KINDS), "may": call("mulu_harvest_source_show", {"name": found["source"]})["may"],
    })  # fmt: skip


@mulu_harvest.get("/run/<id>/progress")
def progress(id: str) -> BaseResponse:
    """What the page of a run asks for while it runs."""
    found = call("mulu_harvest_run_show", {"id": id})
    answer = jsonify({
        "live": found["state"] in ("waiting", "running"), "counts": found["counts"], "seconds": found["seconds"],
        "state": tk._(words.RUN_STATES[found["state"]][0]), "phase": tk._(words.PHASES.get(found["phase"], found["phase"])),
    })  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


@mulu_harvest.post("/run/<id>/stop")
def stop(id: str) -> BaseResponse:
    try:
        told = call("mulu_harvest_run_stop", {"id": id})
        tk.h.flash_success(tk._("已停止。") if told["state"] == "stopped" else tk._("已请它停止，几秒内会停下；已经写入的保留。"))
    except tk.ValidationError as error:
        tk.h.flash_error("；".join(one["message"] for one in problems_of(error)))
    return tk.redirect_to("mulu_harvest.run", id=id)


def _whole(text: str | None) -> int:
    return max(1, int(text)) if text and text.isdecimal() and len(text) < 7 else 1


def _who_changed(user_id: str) -> str:
    user = model.User.get(user_id)
    return (user.fullname or user.name) if user else tk._("系统")
