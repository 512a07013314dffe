"""What a receipt's holder may know of the case and do in it: public labels and dates, never a name, never an internal step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import select

from ckanext.mulu import attachments, cases, entries, steps
from ckanext.mulu.logic import refusal
from ckanext.mulu.model import history, versions
from ckanext.mulu.model.tables import receipt as table
from ckanext.mulu.notices import letters, wording
from ckanext.mulu.public_requests import client, receipts
from ckanext.mulu.transaction import transaction
from mulu import receipt
from mulu.case import Case, who_acts
from mulu.errors import Problem, Refused
from mulu.procedure import Procedure

ANSWERS = ("outcome", "correction", "reason")
"""Where an answer stands in the event that ended the case; the first that is filled in is for the public."""
WITHDRAW, SUPPLEMENT, ASK_MORE = "withdraw", "supplement", "ask_more"
MOST_FILES = 20
"""In all that are handed in with one receipt."""


def show(number: Any, code: Any) -> dict[str, Any]:
    """The case of a receipt, to who knows its code.

    :returns: ``{receipt, procedure, procedure_title, title, state, final, filed_on, due_on, provisional, overdue, article, term,
        extended_by, joined, waits_for, timeline: [{on, label, state, text}], question: {on, text} | None, answer: {label, reason, article, on, entry,
        remedy} | None, attachments: [{name, size}], can: [event]}``. waits_for: whose turn it is, "" where it has ended; term: the
        deadline as the rules state it ("10个工作日"), to which ``extended_by`` working days were added; joined: somebody else asked
        for the same before, and it counts from then; question: what the applicant is asked to say more about and has not yet.
    :raises tk.ObjectNotFound: whatever is wrong with the pair
    :raises client.TooMany: by address, and by receipt after too many wrong codes
    """
    return of_holder(_found(number, code).receipt)


def withdraw(number: Any, code: Any, reason: Any = "") -> dict[str, Any]:
    """Withdraw the request; as ``show`` afterwards. ValidationError where it can't be any more, and why."""
    row = _found(number, code)
    refusal.require_storable({"reason": reason})
    with refusal.refusals(), transaction({}) as touched:
        case = cases.get(row.case_id, lock=True)
        if case.filed_by != receipts.holder(row.receipt).id or _shared(case):
            message = tk._("这一需求还有其他人提出，不能撤回；您可以不再理会。")
            raise refusal.one("", "wanted_by_others", message, entries.profile().cite(cases.procedure_of(case).opening.cite))
        steps.act(case, WITHDRAW, receipts.holder(row.receipt), {"reason": reason} if reason else {}, touched)
    return of_holder(row.receipt)


def supplement(number: Any, code: Any, text: Any, uploads: Iterable[Any] = ()) -> dict[str, Any]:
    """Say more of one's request, with files if need be; as ``show`` afterwards. ValidationError with everything that is wrong."""
    row = _found(number, code)
    refusal.require_storable({"supplement": text})
    me = receipts.holder(row.receipt)
    files, problems = attachments.read(uploads)
    if len(files) + len(attachments.handed_in(row.case_id, me.id)) > MOST_FILES:
        problems.append(Problem("attachments", "too_many_files", tk._("附件合计最多{n}个").format(n=MOST_FILES)))
    try:
        with refusal.refusals(), transaction({}) as touched:
            case = cases.get(row.case_id, lock=True)
            told = {"supplement": text} | ({"attachments": [*case.data.get("attachments", ()), *(one.named for one in files)]} if files else {})
            try:
                steps.act(case, SUPPLEMENT, me, told, touched)
            except Refused as refused:
                raise Refused([*problems, *refused.problems]) from None
            if problems:
                raise Refused(problems)
            attachments.store(case.id, files, me.id)
    except BaseException:
        attachments.discard(files)
        raise
    return of_holder(row.receipt)


def of_holder(number: str) -> dict[str, Any]:
    """As ``show``, for a receipt that is known to be there."""
    row = model.Session.execute(select(table).where(table.c.receipt == number)).one()
    case = cases.get(row.case_id)
    procedure, place, me = cases.procedure_of(case), cases.profile_of(case), receipts.holder(number)
    state, due = procedure.states[case.state], case.due
    events = history.events(case.id)
    mine = case.filed_by == me.id
    turn = sorted(cases.turn_of(role) for role in who_acts(procedure, case))
    steps_possible = [one["event"] for one in cases.possible(case, me) if one["allowed"]]
    return {
        "receipt": number,
        "procedure": procedure.id,
        "procedure_title": procedure.title,
        "title": case.subject["title"],
        "state": state.public,
        "final": state.final,
        "filed_on": _day(case.opened_at if mine else row.created_at),
        "due_on": due.due_on.isoformat() if due else None,
        "provisional": bool(due and due.provisional),
        "overdue": bool(due and cases.day(cases.now()) > due.due_on),
        "article": place.cite(procedure.opening.cite),
        "term": next((place.clock(one.profile).text for one in procedure.clocks.values() if one.profile in place.clocks), ""),
        "extended_by": due.extended_by if due else 0,
        "joined": not mine,
        "waits_for": "" if state.final else wording.addressees(turn, case, place),
        "timeline": list(_timeline(procedure, events, row.created_at, mine)),
        "question": _question(events) if mine and not state.final else None,
        "answer": _answer(procedure, case, events),
        "attachments": attachments.handed_in(case.id, me.id),
        "can": [one for one in steps_possible if mine and not (one == WITHDRAW and _shared(case))],
    }


def _found(number: Any, code: Any) -> Any:
    """The row of the pair. A wrong one counts against the receipt that it names, whether there is one or not."""
    client.require("status", client.address())
    sound = isinstance(number, str) and isinstance(code, str) and len(number) < 200 and len(code) < 200
    named = receipt.read_number(number) if sound else ""
    if named:
        client.require_unspent("receipt", named)
    row = receipts.find(named, code if sound else "")
    if row is None:
        if named:
            client.counted("receipt", named)
        raise tk.ObjectNotFound(tk._("受理编号或者查询码不对，请对照回执核对。"))
    return row


def _shared(case: Case) -> bool:
    return int(case.data.get("count") or 1) > 1


def _timeline(procedure: Procedure, events: list[dict[str, Any]], since: datetime, mine: bool) -> Iterator[dict[str, str]]:
    """The filing of this receipt, then every step that the public label tells apart, and what the applicant did or was told.

    mine: what was asked of the applicant, and said by them, is nobody else's who joined later.
    """
    shown, filed = "", False
    for event in events:
        before, shown = shown, procedure.states[event["to_state"]].public
        at = datetime.fromisoformat(event["at"])
        if at < since:
            continue
        spec = procedure.events.get(event["event"])
        if not filed:
            filed = True
            yield {"on": _day(since), "label": procedure.opening.label, "state": shown, "text": ""}
        elif spec and (spec.extends or (mine and (event["event"] == ASK_MORE or event["role"] == "public"))):
            said = event["data"].get(SUPPLEMENT if event["role"] == "public" else "reason")
            yield {"on": _day(at), "label": spec.label, "state": shown, "text": str(said or "")}
        elif shown != before:
            yield {"on": _day(at), "label": shown, "state": shown, "text": ""}


def _question(events: list[dict[str, Any]]) -> dict[str, str] | None:
    """What an official asked to hear more about, as long as nothing more was said."""
    last = next((one for one in reversed(events) if one["event"] in (ASK_MORE, SUPPLEMENT)), None)
    if last is None or last["event"] == SUPPLEMENT:
        return None
    return {"on": _day(datetime.fromisoformat(last["at"])), "text": str(last["data"].get("reason") or "")}


def _answer(procedure: Procedure, case: Case, events: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What ended the case, as far as it was not the applicant."""
    last = next((one for one in reversed(events) if one["to_state"] == case.state != one["from_state"]), None)
    if last is None or not procedure.states[case.state].final or last["role"] in ("public", "applicant"):
        return None
    text: Mapping[str, Any] = last["data"]
    linked = text.get("entry")
    titles = versions.last_of([linked]) if isinstance(linked, str) else {}
    return {
        "label": procedure.states[case.state].public,
        "reason": next((str(text[key]) for key in ANSWERS if text.get(key)), ""),
        "article": last["article"],
        "on": _day(datetime.fromisoformat(last["at"])),
        "entry": {"id": linked, "title": titles[linked]["title"]} if linked in titles else None,
        "remedy": _remedy(procedure, case, last["event"]),
    }


def _remedy(procedure: Procedure, case: Case, event: str) -> str:
    """How an answer that refuses is objected to, in the words of its letter; "" where no regulation names a way."""
    refuses = event in procedure.events and any(letter.template == "refusal" for letter in procedure.events[event].letters)
    return letters.objection(case, cases.profile_of(case), "refusal") if refuses else ""


def _day(at: datetime) -> str:
    return cases.day(at).isoformat()
