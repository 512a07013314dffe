"""What a decision does to other cases, in its own transaction: it opens one, decides one, moves on the one that it is about."""

from __future__ import annotations

from typing import Any

from ckan import model

from ckanext.mulu import cases, entries, roles
from ckanext.mulu.model import versions
from ckanext.mulu.transaction import Touched
from mulu.case import Case, EventRecord
from mulu.entry import class_of
from mulu.errors import Problem, Refused
from mulu.people import SYSTEM, Person

CLASS_CHANGE = "classification_change"


def decide_class(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """The class change that a re-review decided: filed by the portal, agreed to by who decided (huarong 28, 35)."""
    from ckanext.mulu import steps

    change = _file(args, case, record, SYSTEM, touched)
    steps.act(change, "agree", _actor(record), {"reason": record.reason}, touched)


def file_class_change(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """The class change that a department asks for after its evaluation; the authority decides on it."""
    _file(args, case, record, _actor(record), touched)


def act_on_subject(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """The portal moves on the case that this one is about, unless it has come to its end by itself meanwhile."""
    from ckanext.mulu import steps

    other = cases.get(case.subject["id"], lock=True)
    if other.state not in cases.procedure_of(other).events[args["event"]].by:
        return
    steps.act(other, args["event"], SYSTEM, {"reason": record.reason} if record.reason else {}, touched)


def share_by_decision(args: dict[str, Any], case: Case, record: EventRecord, touched: Touched) -> None:
    """A dispute ends with sharing: all that was asked is to be provided (guojia 28)."""
    from ckanext.mulu import steps

    other = cases.get(case.subject["id"], lock=True)
    decisions = [{"id": one["id"], "decision": "agreed", "reason": ""} for one in other.data["asked"]]
    steps.act(other, "share_by_decision", SYSTEM, {"dispute": case.id, "decisions": decisions}, touched)


def end_changes(package_id: str, reason: str, touched: Touched) -> None:
    """The entry left the catalogue: what was about to change it ends, told to its department."""
    from ckanext.mulu import steps

    for procedure in cases.CHANGES:
        running = cases.open_case_of(package_id, procedure)
        if running and "archive" in cases.procedure_of(running).events:
            steps.act(cases.get(running.id, lock=True), "archive", SYSTEM, {"reason": reason}, touched)


def _file(args: dict[str, Any], case: Case, record: EventRecord, actor: Person, touched: Touched) -> Case:
    from ckanext.mulu import steps

    subject = dict(case.subject)
    if cases.open_case_of(subject["id"], CLASS_CHANGE):
        message = f"《{subject['title']}》已有一件属性变更在办理，办结后才能再变更"
        raise Refused([Problem("after", "class_change_open", message, None, entries.profile().cite("reclassify"))])
    if subject["id"] not in versions.last_of([subject["id"]]):
        message = f"《{subject['title']}》已经撤销，不能再变更属性"
        raise Refused([Problem("after", "entry_withdrawn", message, None, entries.profile().cite("reclassify"))])
    before = class_of(versions.last(subject["id"])[1] or {})
    data = {"before": before, "after": args["after"], "basis": args["basis"], "reason": record.reason}
    return steps.open_(CLASS_CHANGE, subject, actor, data, touched)


def _actor(record: EventRecord) -> Person:
    return roles.person_of(model.User.get(record.actor_id))
