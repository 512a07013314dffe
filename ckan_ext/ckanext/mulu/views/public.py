"""The public's door without an account: a small JSON API for the public site's forms, and a page for looking up a receipt.

``GET  /mulu/public/challenge``   a proof of work (ALTCHA) to be solved
``GET  /mulu/public/procedures``  what may be asked for, with its fields
``POST /mulu/public/requests``    multipart or JSON: procedure, entry, data, altcha, files → 201 with receipt and query code
``POST /mulu/public/status``      {receipt, code}
``POST /mulu/public/supplement``  {receipt, code, supplement}, files as above
``POST /mulu/public/withdraw``    {receipt, code, reason}
``GET  /mulu/public/ledger``      procedure, page

A request may bear a number of its own (``request``): sent again because its receipt was lost, it is not a second one.

What is refused is ``{"problems": [{field, rule, message, article}]}``: 422, 403 (proof of work), 404, 413, 415, 429.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.config.middleware.flask_app import csrf
from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from ckanext.mulu.attachments import MOST_BYTES_IN_ALL
from ckanext.mulu.logic import refusal
from ckanext.mulu.public_requests import challenge, client, intake, ledger, lookup
from mulu.errors import Problem

mulu_public = Blueprint("mulu_public", __name__, url_prefix="/mulu/public")
csrf.exempt(mulu_public)
MOST_BYTES = MOST_BYTES_IN_ALL + 2**20
MOST_BYTES_OF_JSON = 2**20
STATUS = {"file_too_large": 413, "files_too_large": 413, "file_type": 415, "file_active": 415, "file_bomb": 415, "file_broken": 415}
"""What a problem's rule makes of the answer; any other: 422."""
WITH_FILES = ("mulu_public.requests", "mulu_public.supplement")
View = Callable[[], Any]


@mulu_public.before_request
def sized() -> Response | None:
    request.max_content_length = MOST_BYTES if request.endpoint in WITH_FILES and not request.is_json else MOST_BYTES_OF_JSON
    request.max_form_memory_size = MOST_BYTES_OF_JSON
    request.environ["__no_cache__"] = True  # else CKAN calls the answer public
    if request.method == "POST" and not client.may_call():
        return told(403, Problem("", "foreign_origin", tk._("只能从本地的公共网站或者门户提交")))
    return None


@mulu_public.after_request
def cross_origin(response: Response) -> Response:
    """Readable by the pages of the public site, without cookies; by nobody else's."""
    response.headers["Vary"] = "Origin"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    for name in [name for name, _ in response.headers if name.lower().startswith("access-control-")]:
        del response.headers[name]
    if (origin := request.headers.get("Origin")) and origin == client.site_origin():
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Allow-Headers"] = "Content-Type"
            response.headers["Access-Control-Max-Age"] = "600"
    return response


def told(status: int, *problems: Problem, wait: int = 0) -> Response:
    """A refusal: every problem with its rule and article."""
    keys = ("field", "rule", "message", "article")
    rows = [{key: problem.to_dict()[key] for key in keys} for problem in problems]
    return answered({"problems": rows}, status, {"Retry-After": str(wait)} if wait else {})


def answered(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, headers, content_type="application/json; charset=utf-8")


def refusals(view: View) -> View:
    """Whatever the view refuses, as JSON."""

    @wraps(view)
    def guarded() -> Any:
        try:
            return view()
        except tk.ValidationError as error:
            problems = refusal.problems_of(error)
            return told(status_of(problems), *problems)
        except tk.ObjectNotFound as error:
            return told(404, Problem("", "not_found", str(error.message)))
        except client.TooMany as error:
            return told(429, Problem("", "too_many", str(error)), wait=error.seconds)
        except RequestEntityTooLarge:
            return told(413, Problem("attachments", "files_too_large", too_large()))
        except BadRequest:
            return told(422, Problem("", "not_readable", tk._("提交的内容不完整，无法读取")))

    return guarded


def status_of(problems: list[Problem]) -> int:
    return next((STATUS[one.rule] for one in problems if one.rule in STATUS), 422)


def too_large() -> str:
    return str(tk._("提交的内容过大，附件合计最大 {most} MB").format(most=MOST_BYTES_IN_ALL >> 20))


@mulu_public.get("/challenge")
@refusals
def challenged() -> Response:
    client.require("challenge", client.address())
    return answered(challenge.make())


@mulu_public.get("/procedures")
@refusals
def procedures() -> Response:
    return answered({"procedures": [intake.described(one) for one in intake.procedures()]})


@mulu_public.post("/requests")
@refusals
def requests() -> Response:
    client.require("request", client.address())
    given = sent()
    if given.get("website"):
        return told(422, Problem("website", "must_be_empty", tk._("请不要填写这一栏")))
    if not challenge.solved(given.get("altcha")):
        return told(403, Problem("altcha", "not_solved", tk._("安全校验没有通过或者已经过期，请再提交一次")))
    done = intake.file(
        given.get("procedure"), given.get("entry"), given.get("data"), files(), sent=intake.Sent(given.get("request") or ""),
        about_to=lambda subject: client.require("entry", subject["id"]) if subject["type"] == "entry" else None,
    )  # fmt: skip
    return answered({**done, "status_url": status_url(done["receipt"])}, 201)


def files() -> list[Any]:
    return [file for name in ("files", "files[]") for file in request.files.getlist(name) if file.filename]


@mulu_public.get("/status")
def look_up() -> str:
    return tk.render("mulu/public_status.html", {"receipt": request.args.get("receipt", "")[:60]})


@mulu_public.post("/status")
def status() -> Any:
    return show() if request.is_json else page(lambda given: lookup.show(given.get("receipt"), given.get("code")))


@refusals
def show() -> Response:
    given = sent()
    return answered(lookup.show(given.get("receipt"), given.get("code")))


@mulu_public.post("/supplement")
def supplement() -> Any:
    if request.is_json or "text/html" not in request.headers.get("Accept", ""):
        return supplemented()
    return page(said)


@refusals
def supplemented() -> Response:
    return answered(said(sent()))


def said(given: dict[str, Any]) -> dict[str, Any]:
    client.require("request", client.address())
    return lookup.supplement(given.get("receipt"), given.get("code"), given.get("supplement"), files())


@mulu_public.post("/withdraw")
def withdraw() -> Any:
    return withdrawn() if request.is_json else page(lambda given: lookup.withdraw(given.get("receipt"), given.get("code")))


@refusals
def withdrawn() -> Response:
    given = sent()
    return answered(lookup.withdraw(given.get("receipt"), given.get("code"), given.get("reason") or ""))


@mulu_public.get("/ledger")
@refusals
def register() -> Response:
    number = request.args.get("page", "1")
    procedure = request.args.get("procedure", "")
    return answered(ledger.page(procedure, int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1))


def page(act: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """The look-up page with what came of its form; after a refusal with what had been typed, under the problems."""
    given: dict[str, Any] = {}
    case, problems, status, wait = None, [], 200, 0
    try:
        given = sent()
        case = act(given)
    except tk.ObjectNotFound as error:
        problems, status = [str(error.message)], 404
    except client.TooMany as error:
        problems, status, wait = [str(error)], 429, error.seconds
    except RequestEntityTooLarge:
        problems, status = [too_large()], 413
    except tk.ValidationError as error:
        found = refusal.problems_of(error)
        problems, status, case = [str(one) for one in found], status_of(found), again(given)
    typed = str(given.get("supplement") or "") if problems else ""
    shown = {
        "case": case, "problems": problems, "typed": typed, "receipt": str(given.get("receipt") or "")[:60],
        "code": str(given.get("code") or "")[:20] if case or typed else "",
    }  # fmt: skip
    return tk.render("mulu/public_status.html", shown), status, {"Retry-After": str(wait)} if wait else {}


def again(given: dict[str, Any]) -> dict[str, Any] | None:
    """The case once more, to who has its code."""
    try:
        return lookup.show(given.get("receipt"), given.get("code"))
    except (tk.ObjectNotFound, client.TooMany):
        return None


def sent() -> dict[str, Any]:
    """What came with the request, as JSON or as a form; ``data`` of a form is JSON itself."""
    if request.is_json:
        given = loads(request.get_data(cache=False, as_text=False), "")
        if not isinstance(given, dict):
            raise refusal.one("", "wrong_type", tk._("提交的内容须为一组字段"))
        return given
    given = request.form.to_dict()
    if "data" in given:
        given["data"] = loads(given["data"], "data")
    return given


def loads(text: str | bytes, field: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise refusal.one(field, "not_json", tk._("提交的内容不是 JSON，无法读取")) from None


def status_url(number: str) -> str:
    """Where the receipt is looked up: on the public site, else here."""
    if site := tk.config["mulu.site_url"].rstrip("/"):
        return f"{site}/ask/status/#{number}"
    return str(tk.h.url_for("mulu_public.look_up", receipt=number, _external=True))
