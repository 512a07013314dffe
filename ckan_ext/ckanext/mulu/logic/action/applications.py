"""共享申请 for a whole basket: one case for each department and share class, all of them or none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from ckanext.mulu import attachments, cases, entries, roles, steps, subjects
from ckanext.mulu.facts import Facts
from ckanext.mulu.logic import refusal
from ckanext.mulu.model import versions
from ckanext.mulu.transaction import Touched, transaction
from mulu import asking
from mulu.case import apply, load_procedure, open_case
from mulu.errors import Problem, Refused
from mulu.people import Person

PROCEDURE = "sharing_application"
Part = Sequence[Mapping[str, Any]]


def mulu_sharing_apply(context: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Ask for entries of one or several departments (政务数据共享条例 第二十条). Refused with every problem of every part at once.

    :param consumer: the department that asks (organisation name); may be left out by who works for one only
    :param asked: ``[{"id": package id, "items": [names], "reasons": {item: why}}]``
    :param data: purpose, scenario, basis, scope, way, until, promise, contact …, as the procedure's ``submit`` takes them; each case
        gets files of its own
    :param submit: hand the drafts to the own head at once (default: keep them as drafts)
    :returns: ``{"cases": [case ids]}``, one for each department and share class
    """
    tk.check_access("mulu_case_open", context, data)
    refusal.require_storable(data)
    asked, form = data.get("asked"), data.get("data") or {}
    if not asking.well_formed(asked) or not asked or not isinstance(form, dict):
        raise refusal.one("asked", "required", "请先选择要申请的条目，并勾选信息项", entries.profile().cite("apply_share"))
    actor, submit = roles.person(context), data.get("submit", False)
    if not isinstance(submit, bool):
        raise refusal.one("submit", "wrong_type", "submit 须为 true 或者 false", value=submit)
    consumer = data.get("consumer") or ""
    parts = asking.split(asked, versions.last_of(one["id"] for one in asked))
    problems: list[Problem] = []
    for (provider, _), part in parts.items():
        found = _refused(provider, part, form, consumer, actor, submit)
        problems += [one for one in _placed(found, part, asked) if one not in problems]
    if problems:
        raise refusal.error(problems)
    with refusal.refusals(), transaction(context) as touched:
        opened = []
        for number, ((provider, _), part) in enumerate(parts.items()):
            own = {**form, "attachments": _copies(form.get("attachments"), actor)} if number else form
            opened.append(_open(provider, part, own, consumer, actor, submit, touched))
    return {"cases": opened}


def _filled(provider: str, part: Part, form: Mapping[str, Any], consumer: str, actor: Person) -> tuple[dict[str, str], dict[str, Any]]:
    """(subject, data) of one part, with what the portal fills in."""
    data = {**form, "consumer": consumer, "asked": list(part)}
    subject = subjects.of(load_procedure(PROCEDURE), {"type": "department", "id": provider}, actor, data)
    return subject, subjects.given(PROCEDURE, subject, data, actor)


def _refused(provider: str, part: Part, form: Mapping[str, Any], consumer: str, actor: Person, submit: bool) -> tuple[Problem, ...]:
    """Why a part would be refused. Tried on the pure engine: a draft that keeps faults in what is asked, then its submission."""
    procedure, place = load_procedure(PROCEDURE), entries.profile()
    if not provider:
        cited = place.cite("apply_share")
        return tuple(Problem(f"asked[{n}]", "not_in_list", f"“{one['id']}”不是已发布的条目", one["id"], cited) for n, one in enumerate(part))
    subject, data = _filled(provider, part, form, consumer, actor)
    facts = Facts(PROCEDURE, subject, data, place)
    now, calendar = cases.now(), entries.calendar()
    drafted = {key: data[key] for key in ("consumer", "share_class", "asked") if key in data} if submit else data
    lenient = {"asked_problems": []} if submit else facts
    try:
        draft = open_case(procedure, place, calendar, id="", subject=subject, actor=actor, data=drafted, now=now, facts=lenient).case
        if submit:
            apply(procedure, place, calendar, draft, "submit", actor, form, now, facts=facts)
    except Refused as refused:
        return refused.problems
    return ()


def _placed(problems: Sequence[Problem], part: Part, asked: Part) -> list[Problem]:
    """The problems of a part where the whole basket's list has them."""
    whole = {n: next(at for at, one in enumerate(asked) if one is row) for n, row in enumerate(part)}
    return [replace(one, field=re.sub(r"^asked\[(\d+)\]", lambda found: f"asked[{whole[int(found[1])]}]", one.field)) for one in problems]


def _open(provider: str, part: Part, form: Mapping[str, Any], consumer: str, actor: Person, submit: bool, touched: Touched) -> str:
    subject, data = _filled(provider, part, form, consumer, actor)
    case = steps.open_(PROCEDURE, subject, actor, data, touched)
    if submit:
        steps.act(case, "submit", actor, {}, touched)
    return case.id


def _copies(named: Any, actor: Person) -> list[dict[str, str]]:
    """The applicant's own files once more: each belongs to one case only."""
    ids = attachments.named_in({"attachments": named})
    table = attachments.table
    query = select(table.c.id, table.c.name).where(table.c.id.in_(ids), table.c.uploaded_by == actor.id)
    rows = model.Session.execute(query).all()
    with ExitStack() as opened:
        files = [FileStorage(opened.enter_context(attachments.path_of(row.id).open("rb")), row.name) for row in rows]
        return attachments.keep("", files, actor.id) if files else []
