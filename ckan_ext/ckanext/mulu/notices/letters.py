"""Letters as HTML, text and PDF, in the form of official documents (GB/T 9704-2012) as far as it fits an unsealed notice.

A letter is never stored: it is made of the notice in the outbox and of the case as its events had left it then, so that it
says the same whenever it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import jinja2
import yaml
from ckan import model
from markupsafe import Markup
from sqlalchemy import select

from ckanext.mulu import cases, entries
from ckanext.mulu.model import history
from ckanext.mulu.model.tables import outbox
from ckanext.mulu.notices import wording
from mulu import citations
from mulu.case import SHANGHAI, Case, load_procedure
from mulu.profile import Profile

FOLDER = Path(__file__).resolve().parents[4] / "templates" / "notices"
PROMISE = "promise"
"""The one letter that somebody else writes: it comes with the event in which it was confirmed."""

_PROMISED = ("purpose", "scenario", "basis", "scope", "security", "way", "until")
_ENV = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FOLDER), autoescape=jinja2.select_autoescape(["html"]), undefined=jinja2.StrictUndefined
)


@dataclass(frozen=True)
class Letter:
    """title: of the letter, not of its case; html: a whole page; text: for mail ("" for a promise)."""

    title: str
    html: str
    text: str

    def pdf(self) -> bytes:
        """A4. Nothing is fetched from anywhere: a letter holds no images."""
        from weasyprint import HTML

        return bytes(HTML(string=self.html, url_fetcher=_fetch_nothing).write_pdf())


def of_notice(row: Any, to: Sequence[str] = ()) -> Letter:
    """The letter of a row of the outbox; ObjectNotFound if its case is gone. to: who is addressed, where it is not whom the row names."""
    case, events = _as_it_stood(row.case_id, row.seq)
    return render(row.template, _context(case, events, row.template, to or row.to, row.args))


def of_event(case_id: str, seq: int, template: str) -> Letter:
    """The letter that went out with an event; ObjectNotFound for one that this event does not have."""
    if template == PROMISE:
        case, events = _as_it_stood(case_id, seq)
        if events[-1]["data"].get(PROMISE):
            return _promise_letter(case, events)
        raise tk.ObjectNotFound(tk._("这一步没有这份文书。"))
    where = (outbox.c.case_id == case_id, outbox.c.seq == seq, outbox.c.template == template)
    row = model.Session.execute(select(outbox).where(*where).order_by(outbox.c.id)).first()
    if row is None:
        raise tk.ObjectNotFound(tk._("这一步没有这份文书。"))
    return of_notice(row)


def of_case(case_id: str) -> list[dict[str, Any]]:
    """The letters that a case has, the newest first: [{seq, template, title, at}]; work notices to colleagues are left out."""
    found = []
    for event in history.events(case_id):
        if event["data"].get(PROMISE):
            found.append({"seq": event["seq"], "template": PROMISE, "at": event["at"]})
    query = select(outbox.c.seq, outbox.c.template, outbox.c.created_at).where(outbox.c.case_id == case_id, outbox.c.template != "turn")
    found += [{"seq": row.seq, "template": row.template, "at": row.created_at.isoformat()} for row in model.Session.execute(query.distinct())]
    titled = [{**one, "title": _plain_title(one["template"])} for one in found]
    return sorted(titled, key=lambda one: (-one["seq"], one["template"]))


def promise(case: Mapping[str, Any]) -> str:
    """The promise of an application as HTML to stand in a page, also before it is filed: {procedure, data, subject?, …}."""
    place = cases.profile_of(Case.from_dict(_engine_keys(case))) if case.get("profile_version") else entries.profile()
    context = _promise_context(case["procedure"], case.get("data") or {}, place)
    body = _ENV.get_template("_promise.html").render(context)
    return Markup("<h3>{}</h3>").format(context["name"]) + Markup(body)


def render(template: str, context: Mapping[str, Any]) -> Letter:
    """A letter from its template and all that it needs (templates/notices/README.md)."""
    html = _ENV.get_template(f"{template}.html")
    text = "" if template == PROMISE else _ENV.get_template(f"{template}.txt").render(context)
    title = "".join(html.blocks["title"](html.new_context(dict(context)))).strip()
    return Letter(title, html.render(context), text)


def objection(case: Case, place: Profile, template: str) -> str:
    """How an answer of this kind is objected to, as its letter says; "" where no regulation names a way."""
    way = wording.objection(case, place, [], template)
    return str(_ENV.get_template("_words.jinja").module.objection(way, place.authority_name)).strip() if way else ""


def _plain_title(template: str) -> str:
    if template == PROMISE:
        return str(entries.profile().value("promise_letter").value)
    html = _ENV.get_template(f"{template}.html")
    return "".join(html.blocks["title"](html.new_context())).strip()


def _as_it_stood(case_id: str, seq: int) -> tuple[Case, Sequence[Mapping[str, Any]]]:
    """The case with what was filled in up to an event, and its events up to that one."""
    case, events = cases.get(case_id), history.events(case_id)[:seq]
    if not events or events[-1]["seq"] != seq:
        raise tk.ObjectNotFound(tk._("没有这一步。"))
    data: dict[str, Any] = {}
    for event in events:
        data |= event["data"]
    return replace(case, data=data, state=events[-1]["to_state"]), events


def _context(case: Case, events: Sequence[Mapping[str, Any]], template: str, to: Sequence[str], args: Mapping[str, Any]) -> dict[str, Any]:
    procedure, place, record = cases.procedure_of(case), cases.profile_of(case), events[-1]
    rows = wording.decided(procedure, case.data) if "decisions" in record["data"] else []
    receipts = [text.removeprefix("public@public:") for text in to if text.startswith("public@public:")]
    return {
        "reason": "", "due_on": "", "provisional": False, "clock_label": "", **args,
        **_frame(case, place, record["at"]),
        "sender": wording.signer(procedure, case, record, place),
        "recipient": wording.addressees(to, case, place),
        "url": wording.link(case, to),
        "number": receipts[0] if receipts else case.id,
        "by_receipt": bool(receipts),
        "authority": place.authority_name,
        "state": wording.state(procedure, record["to_state"], to),
        "data": case.data,
        "facts": wording.facts(procedure, place, record["data"]),
        "entries": rows,
        "objection": wording.objection(case, place, rows, template),
    }  # fmt: skip


def _frame(case: Case, place: Profile, at: str) -> dict[str, Any]:
    return {
        "place": place.name,
        "date": datetime.fromisoformat(at).astimezone(SHANGHAI).date().isoformat(),
        "case": {"id": case.id, "title": case.subject["title"], "procedure_title": cases.procedure_of(case).title},
    }


def _promise_letter(case: Case, events: Sequence[Mapping[str, Any]]) -> Letter:
    place = cases.profile_of(case)
    context = _promise_context(case.procedure, case.data, place)
    signed = context["promiser"] if context["promiser"] != _WHO else wording.addressees([f"applicant@{case.filed_by}"], case, place)
    return render(PROMISE, {
        **context, **_frame(case, place, events[-1]["at"]), "promiser": signed, "sender": signed, "number": case.id, "url": "",
        "recipient": "、".join(dict.fromkeys(one["provider"] for one in context["entries"])) or wording.department(case.subject["org"]),
    })  # fmt: skip


_WHO = "申请人"


def _promise_context(procedure_id: str, data: Mapping[str, Any], place: Profile) -> dict[str, Any]:
    procedure = load_procedure(procedure_id)
    above = {layer["id"] for layer in place.source["layers"]}
    terms = [row for row in _terms() if row["for"] == procedure_id and row["in"] in above]
    numbers = "一二三四五六七八九十"
    asked = data.get("asked")
    return {
        "name": str(place.value("promise_letter").value),
        "resource": place.term("resource"),
        "promiser": wording.department(data["consumer"]) if data.get("consumer") else data.get("applicant_name") or _WHO,
        "entries": wording.asked([one for one in asked if isinstance(one, dict)] if isinstance(asked, list) else []),
        "facts": wording.facts(procedure, place, _readable(data), _PROMISED),
        "terms": [
            {**row, "number": numbers[n], "article": citations.cite(row["article"]) if row["article"] else ""} for n, row in enumerate(terms)
        ],
    }


def _readable(data: Mapping[str, Any]) -> dict[str, Any]:
    """What is not filled in yet, or wrongly, is shown as it is or left out: the promise is drawn before the form is checked."""
    found = {key: data[key] for key in _PROMISED if isinstance(data.get(key), str) and data[key].strip()}
    try:
        datetime.strptime(found.get("until", ""), "%Y-%m-%d")
    except ValueError:
        found.pop("until", None)
    return found


@cache
def _terms() -> list[dict[str, str]]:
    return list(yaml.safe_load((FOLDER / "promise.yml").read_text(encoding="utf-8")))


def _engine_keys(case: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in case.items() if key in Case.__dataclass_fields__}


def _fetch_nothing(url: str, *args: Any, **more: Any) -> Any:
    raise ValueError(f"a letter fetches nothing: {url}")
