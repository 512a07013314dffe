"""导入: upload → dry run with every problem by sheet and cell → confirm → drafts → submit them all to the head."""

from __future__ import annotations

import csv
import io
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.common import current_user
from flask import Blueprint, Response
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from ckanext.mulu import helpers
from ckanext.mulu.views import import_job
from ckanext.mulu.views.common import call, errors_only, problems_of, require_login
from mulu_harvest.form import read_form
from mulu_harvest.limits import MIB, Limits
from mulu_harvest.report import to_dict
from mulu_harvest.template import write_template

mulu_import = Blueprint("mulu_import", __name__, url_prefix="/mulu/import")
mulu_import.before_request(require_login)

#: entries loaded by one request: a few seconds of work, so that progress is seen and a stop loses nothing
CHUNK = 50
#: entries checked by one dry-run call
CHECK_CHUNK = 500
#: refused or incomplete rows shown on the page; the downloaded list has all
SHOWN = 200


@mulu_import.before_app_request
def _bound_upload() -> None:
    """The body is refused before it is read; CSRF protection would read it first."""
    if tk.request.endpoint == "mulu_import.check":
        tk.request.max_content_length = Limits.from_environment().max_bytes + MIB


@mulu_import.errorhandler(RequestEntityTooLarge)
def _too_large(_: RequestEntityTooLarge) -> tuple[str, int]:
    most = Limits.from_environment().max_bytes // MIB
    return _upload_page([{"message": f"文件超过 {most} MB，没有上传。请按处室或年度拆分成几个文件再导入。"}]), 413


@mulu_import.get("")
def index() -> str:
    return _upload_page()


def _upload_page(problems: list[dict[str, Any]] | None = None) -> str:
    organisations = call("organization_list_for_user", {"permission": "create_dataset"})
    return tk.render(
        "mulu/import.html",
        {
            "problems": problems or [],
            "organisations": sorted(organisations, key=lambda one: one["title"]),
            "chosen": "" if problems is None else tk.request.args.get("organization", ""),
            "limit_mb": Limits.from_environment().max_bytes // MIB,
            "accept": ".xlsx,.xls,.csv",
        },
    )


@mulu_import.get("/template.xlsx")
def template() -> Response:
    binary = io.BytesIO()
    write_template(binary, helpers.mulu_profile())
    response = Response(binary.getvalue(), mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    response.headers["Content-Disposition"] = (
        "attachment; filename=template.xlsx; filename*=UTF-8''%E6%94%BF%E5%8A%A1%E6%95%B0%E6%8D%AE%E7%9B%AE%E5%BD%95%E5%A1%AB%E6%8A%A5%E6%A8%A1%E6%9D%BF.xlsx"
    )
    return response


@mulu_import.post("")
def check() -> BaseResponse | tuple[str, int]:
    upload = tk.request.files.get("file")
    if upload is None or not upload.filename:
        return _upload_page([{"message": "请先选择要导入的文件。"}]), 422
    organization = tk.request.form.get("organization", "")
    report = to_dict(
        read_form(
            upload.stream,
            upload.filename,
            profile=helpers.mulu_profile(),
            organization=organization,
            departments={one["title"]: one["name"] for one in helpers.mulu_departments()},
        )
    )
    if not report["entries"]:
        return _upload_page(report["problems"] or [{"message": f"文件《{upload.filename}》里没有找到目录条目。"}]), 422
    entries = [{key: draft[key] for key in ("entry", "where", "problems")} for draft in report["entries"]]
    found = {draft["where"]: list(draft["problems"]) for draft in report["entries"]}
    try:
        plan = _dry_run(entries, organization)
    except tk.ValidationError as error:
        return _upload_page(problems_of(error)), 422
    job = import_job.new(
        user=current_user.name,
        filename=upload.filename,
        organization=organization,
        problems=report["problems"],
        sheets=report["sheets"],
        entries=entries,
        rows=_rows(entries, found, plan),
        incomplete="draft",
    )
    return tk.redirect_to("mulu_import.show", id=job["id"])


def _dry_run(entries: list[dict[str, Any]], organization: str) -> dict[str, Any]:
    plan: dict[str, Any] = {}
    for start in range(0, len(entries), CHECK_CHUNK):
        import_job.merge(plan, _import(entries[start : start + CHECK_CHUNK], organization, "draft", dry_run=True))
    return plan


def _import(entries: list[dict[str, Any]], organization: str, incomplete: str, filename: str = "", dry_run: bool = False) -> dict[str, Any]:
    request: dict[str, Any] = {"entries": entries, "incomplete": incomplete, "dry_run": dry_run, "submit": False}
    if organization:
        request["organization"] = organization
    if filename:
        request["source"] = {"name": filename, "url": ""}
    return call("mulu_entry_import", request)


def _rows(entries: list[dict[str, Any]], found: dict[str, list[dict[str, Any]]], plan: dict[str, Any]) -> list[dict[str, Any]]:
    """One row per entry of the file, with what will become of it: create, update, unchanged, draft (incomplete) or refused."""
    outcome: dict[str, str] = {}
    for name, word in (("created", "create"), ("updated", "update"), ("unchanged", "unchanged"), ("drafts_with_problems", "draft"), ("refused", "refused")):
        for one in plan.get(name, []):
            outcome[one.get("where", "")] = word
            for problem in one.get("problems") or []:
                known = found.setdefault(one["where"], [])
                if problem["message"] not in {each["message"] for each in known}:
                    known.append(problem)
    rows = []
    for one in entries:
        where, problems = one["where"], found.get(one["where"], [])
        word = outcome.get(where, "create")
        if word in ("create", "update") and errors_only(problems):
            word = "draft"
        rows.append({"where": where, "title": one["entry"].get("title") or "", "outcome": word, "problems": problems})
    return rows


def _job(id: str) -> import_job.Job:
    job = import_job.load(id, current_user.name)
    return job or tk.abort(404, tk._("这次上传已过期，或者不是您上传的。请重新上传文件。"))


@mulu_import.get("/<id>")
def show(id: str) -> str:
    job = _job(id)
    counts = {word: sum(1 for row in job["rows"] if row["outcome"] == word) for word in ("create", "update", "unchanged", "draft", "refused")}
    with_problems = [row for row in job["rows"] if row["problems"]]
    done = job["next"] >= len(job["entries"])
    return tk.render(
        "mulu/import_job.html",
        {
            "job": job,
            "stage": "done" if done else "loading" if job["next"] else "checked",
            "total": len(job["entries"]),
            "counts": counts,
            "with_problems": with_problems[:SHOWN],
            "problem_count": len(with_problems),
            "shown": SHOWN,
            "sound": _cases(job),
            "to_submit": len(_cases(job)) - len(job["submitted"]),
        },
    )


@mulu_import.post("/<id>")
def go_on(id: str) -> BaseResponse:
    """Load the next part. Pressed again (or by the page itself) until all are in; what is in stays in."""
    lock = import_job.lock(id)
    if lock.acquire():
        try:
            job = _job(id)
            if job["next"] == 0 and tk.request.form.get("incomplete") in ("draft", "refuse"):
                job["incomplete"] = tk.request.form["incomplete"]
            part = job["entries"][job["next"] : job["next"] + CHUNK]
            if part:
                import_job.merge(job["result"], _import(part, job["organization"], job["incomplete"], job["filename"]))
                job["next"] += len(part)
                import_job.save(job)
        except tk.ValidationError as error:
            tk.h.flash_error("；".join(one["message"] for one in problems_of(error)))
        finally:
            lock.release()
    return tk.redirect_to("mulu_import.show", id=id)


def _cases(job: import_job.Job) -> list[dict[str, Any]]:
    """The drafts without problems, which can be submitted, as the import action gives them: {name, title, where, case_id}."""
    incomplete = {one["name"] for one in job["result"].get("drafts_with_problems", [])}
    both = job["result"].get("created", []) + job["result"].get("updated", [])
    return [one for one in both if one.get("case_id") and one["name"] not in incomplete]


@mulu_import.post("/<id>/submit")
def submit(id: str) -> BaseResponse:
    """提交全部: the head is asked for each; one that is refused does not keep the others back."""
    lock = import_job.lock(id)
    if lock.acquire():
        try:
            job = _job(id)
            job["submitting"] = True
            part = _cases(job)[len(job["submitted"]) : len(job["submitted"]) + CHUNK]
            if part:
                answer = call("mulu_case_batch", {"ids": [case["case_id"] for case in part], "event": "submit", "data": {}})
                job["submitted"] += answer["results"]
            import_job.save(job)
        finally:
            lock.release()
    return tk.redirect_to("mulu_import.show", id=id)


@mulu_import.post("/<id>/cancel")
def cancel(id: str) -> BaseResponse:
    import_job.forget(_job(id))
    tk.h.flash_notice(tk._("已放弃这次上传，没有写入任何条目。"))
    return tk.redirect_to("mulu_import.index")


@mulu_import.get("/<id>/problems.csv")
def problems(id: str) -> Response:
    """Every problem of the file, one a row, to be worked through beside the form in Excel."""
    job = _job(id)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["位置", "信息资源名称", "程度", "问题", "依据"])
    for row in [{"where": "文件", "title": "", "problems": job["problems"]}, *job["rows"]]:
        for one in row["problems"]:
            level = "提醒" if one.get("severity") == "warning" else "须改正"
            cells = [one.get("where") or row["where"], row["title"], level, one["message"], one.get("article", "")]
            writer.writerow([f"'{cell}" if cell[:1] in "=+-@" and cell else cell for cell in cells])
    response = Response(text.getvalue().encode("utf-8-sig"), mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = "attachment; filename=problems.csv; filename*=UTF-8''%E9%97%AE%E9%A2%98%E6%B8%85%E5%8D%95.csv"
    return response
