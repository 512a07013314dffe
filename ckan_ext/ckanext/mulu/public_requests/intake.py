"""A request of somebody without an account becomes a case; who wants what somebody else wants already joins that case."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import select

from ckanext.mulu import attachments, cases, entries, steps, subjects
from ckanext.mulu.attachments import Upload
from ckanext.mulu.logic import refusal
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.public_requests import lookup, receipts
from ckanext.mulu.public_requests.receipts import Receipt
from ckanext.mulu.transaction import Touched, transaction
from mulu import forms
from mulu.case import PROCEDURES, Case, load_procedure
from mulu.errors import Problem, Refused
from mulu.people import SYSTEM
from mulu.procedure import Procedure
from mulu.receipt import same_title

SECOND = "second"
"""The event by which the same demand counts up."""
VISITOR = receipts.holder("")
AGAIN = timedelta(days=1)
"""For how long a request that is sent again is answered with its receipt again."""
_NUMBER = re.compile(r"[0-9a-f]{32}")
Subject = dict[str, str]


def procedures() -> list[Procedure]:
    """Those which anybody may open."""
    public = (one for one in map(load_procedure, PROCEDURES) if "public" in {spec.name for by in one.opening.by.values() for spec in by})
    return list(public)


def described(procedure: Procedure) -> dict[str, Any]:
    """A public procedure for a form: {id, title, label, about, fields, article, terms}; terms: [{label, text, article, note}]."""
    place = entries.profile()
    terms = [place.clock(clock.profile) for clock in procedure.clocks.values() if clock.profile in place.clocks]
    return {
        "id": procedure.id,
        "title": procedure.title,
        "label": procedure.opening.label,
        "about": list(procedure.about),
        "fields": [field.to_dict() for field in forms.in_place(procedure.opening.fields, place) if _is_asked(field)],
        "article": place.cite(procedure.opening.cite),
        "terms": [{"text": one.text, "article": one.article, "note": one.note} for one in terms],
    }


class Sent(NamedTuple):
    """How a request came. request: its own number (32 hexadecimal digits, drawn by the browser), "" without one; way: ``web``, or
    ``file`` for what an official enters; since: the day on which that was handed in; note: what the case's history says of it."""

    request: str = ""
    way: str = "web"
    since: date | None = None
    note: str = ""


BY_THE_SITE = Sent()


def file(
    procedure_id: Any, entry: Any, data: Any, uploads: Iterable[Any] = (), *, sent: Sent = BY_THE_SITE,
    about_to: Callable[[Subject], None] = lambda subject: None,
) -> dict[str, Any]:  # fmt: skip
    """Open a case, or join one: {receipt, code, procedure, procedure_title, title, filed_on, state, due_on, provisional, article,
    repeated}. Nothing stays of a refusal.

    A request that was taken before, and whose receipt was lost on the way, has its receipt again (``repeated``), with a new code.

    :param entry: id or name of a published entry; "" for the place
    :param data: the fields that ``described`` names, files apart
    :param uploads: files (werkzeug FileStorage)
    :param about_to: called with the subject before anything is done about it
    :raises tk.ValidationError: with every reason at once
    :raises tk.ObjectNotFound: when no such entry is published
    """
    refusal.require_storable({"procedure": procedure_id, "entry": entry, "data": data})
    if not isinstance(sent.request, str) or (sent.request and not _NUMBER.fullmatch(sent.request)):
        raise refusal.one("request", "not_a_number", tk._("提交的编号应为32位十六进制数字"))
    procedure = next((one for one in procedures() if one.id == procedure_id), None)
    if procedure is None:
        names = "、".join(f"{one.id}（{one.title}）" for one in procedures())
        raise refusal.one("procedure", "not_in_list", tk._("没有这种办理事项，可以办理的有：{names}").format(names=names), value=procedure_id)
    files, problems = attachments.read(uploads, _files_field(procedure))
    if not isinstance(data, dict):
        raise refusal.error([*problems, Problem("data", "wrong_type", tk._("填写的内容须为一组字段"))])
    subject = _subject(procedure, entry, data)
    if subject is None:
        message = tk._("{title}须针对一个已发布的目录条目，请从条目的页面提起").format(title=procedure.title)
        article = entries.profile().cite(procedure.opening.cite)
        found = forms.read(forms.in_place(procedure.opening.fields, entries.profile()), data, {}, cases.day(cases.now()), article)
        raise refusal.error([Problem("entry", "required", message, entry, article), *problems, *found[1]])
    about_to(subject)
    kept = False
    try:
        with transaction({}) as touched:
            receipts.lock(procedure)
            held = _again(procedure, sent)
            kept = held is None
            held = held or _file(procedure, subject, data, files, problems, sent, touched)
    except BaseException:
        attachments.discard(files)
        raise
    shown = lookup.of_holder(held.number)
    keys = ("procedure", "procedure_title", "title", "filed_on", "state", "due_on", "provisional")
    cited = entries.profile().cite(procedure.opening.cite)
    return {"receipt": held.number, "code": held.code, **{key: shown[key] for key in keys}, "article": cited, "repeated": not kept}


def _again(procedure: Procedure, sent: Sent) -> Receipt | None:
    """The receipt of a request that was taken already, under a new code: only its sender knows the request's number, and only
    within a day, when the answer was lost. What was handed in as a file, or long ago, is not given out again."""
    row = receipts.of_request(sent.request)
    if row is None:
        return None
    fresh = cases.now() - row.created_at < AGAIN and row.way == sent.way == "web"
    if not fresh or cases.get(row.case_id).procedure != procedure.id:
        day = cases.day(row.created_at)
        message = tk._("这件申请已于{day}收下，受理编号 {receipt}，不再重复收").format(day=day, receipt=row.receipt)
        raise refusal.one("", "taken_already", message)
    return receipts.renew(row.receipt)


def _file(
    procedure: Procedure, subject: Subject, data: Mapping[str, Any], files: list[Upload], problems: list[Problem], sent: Sent, touched: Touched
) -> Receipt:
    """A new receipt; the caller holds the lock."""
    held = receipts.new(procedure)
    me = receipts.holder(held.number)
    field = _files_field(procedure)
    told = {key: value for key, value in data.items() if key != field} | ({"reason": sent.note} if sent.note else {})
    filled = subjects.given(procedure.id, subject, told, me) | ({field: [one.named for one in files]} if files else {})
    opening = model.Session.begin_nested()
    try:
        case = steps.open_(procedure.id, subject, me, filled, touched, since=sent.since)
    except Refused as refused:
        raise refusal.error([*problems, *refused.problems]) from None
    if problems:
        raise refusal.error(problems)
    at, email = case.updated_at, ""
    if twin := _twin(procedure, subject, case):
        opening.rollback()  # the rules had nothing against it; the case itself never was
        at, email = case.opened_at, case.data.get("email") or ""
        case = _join(procedure, twin, case, sent.note, touched)
    else:
        opening.commit()
    attachments.store(case.id, files, me.id)
    receipts.keep(held, case.id, at, sent.request, sent.way, email)
    return held


def _twin(procedure: Procedure, subject: Subject, case: Case) -> Case | None:
    """An open case about the same, under the same title, that can take another applicant.

    None that was filed later: who handed theirs in before is not answered by the other's date (自收到之日起, guojia 26).
    """
    if SECOND not in procedure.events:
        return None
    where = (case_table.c.procedure == procedure.id, case_table.c.subject_id == subject["id"], case_table.c.id != case.id)
    query = select(case_table.c.id, case_table.c.body).where(case_table.c.is_open, *where).order_by(case_table.c.opened_at)
    for row in model.Session.execute(query):
        if not row.body["filed_by"].startswith(VISITOR.id):
            continue  # somebody with an account, or a department, reads all of their own case: not a stranger's request
        if cases.day(case.opened_at) < cases.day(datetime.fromisoformat(row.body["opened_at"])):
            continue
        wanted = row.body["data"].get("title", "")
        if row.body["state"] in procedure.events[SECOND].by and same_title(wanted, case.data["title"]):
            return cases.get(row.id, lock=True)
    return None


def _join(procedure: Procedure, twin: Case, mine: Case, note: str, touched: Touched) -> Case:
    """Counted, and what this one says of it goes with the event, for those who decide; note: how it came, "" for by the site."""
    taken = {field.key for field in cases.procedure_of(twin).events[SECOND].fields}
    field = _files_field(procedure)
    data: dict[str, Any] = {"count": int(twin.data.get("count") or 1) + 1, "reason": _in_words(procedure, mine.data, note)}
    if field in taken and mine.data.get(field):
        data[field] = [*twin.data.get(field, ()), *mine.data[field]]
    return steps.act(twin, SECOND, SYSTEM, data, touched)


def _in_words(procedure: Procedure, data: Mapping[str, Any], note: str) -> str:
    fields = [field for field in procedure.opening.fields if _is_asked(field) and isinstance(data.get(field.key), str)]
    lines = [f"{field.label}：{field.options.get(data[field.key], data[field.key])}" for field in fields]
    return "\n".join([note, *lines] if note else lines)[: procedure.fields["reason"].max]


def _subject(procedure: Procedure, entry: Any, data: Mapping[str, Any]) -> Subject | None:
    """None where an entry is needed and none is named."""
    if entry not in (None, ""):
        name = entry if isinstance(entry, str) else ""
        return subjects.of(procedure, {"type": "entry", "id": name}, VISITOR, data)
    return subjects.of(procedure, {"type": "place", "id": ""}, VISITOR, data) if "place" in procedure.about else None


def _is_asked(field: forms.FormField) -> bool:
    return not field.given and (field.required or field.key != "reason")


def _files_field(procedure: Procedure) -> str:
    return next((field.key for field in procedure.opening.fields if field.kind == "files"), "attachments")
