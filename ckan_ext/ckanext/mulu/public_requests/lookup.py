"""What a receipt's holder may know of the case and do in it: public labels and dates, never a name, never an internal step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import select

from ckanext.mulu import attachments, cases, entries, steps
from ckanext.mulu.logic import refusal
from ckanext.mulu.model import history, versions
from ckanext.mulu.model.tables import receipt as table
from ckanext.mulu.public_requests import client, receipts
from ckanext.mulu.transaction import transaction
from mulu import receipt
from mulu.case import SHANGHAI, Case
from mulu.procedure import Procedure

ANSWERS = ("outcome", "correction", "reason")
"""Where an answer stands in the event that ended the case; the first that is filled in is for the public."""
WITHDRAW = "withdraw"


def show(number: Any, code: Any) -> dict[str, Any]:
    """The case of a receipt, to who knows its code.

    :returns: ``{receipt, procedure, procedure_title, title, state, final, filed_on, due_on, provisional, overdue, timeline: [{on,
        label, state}], answer: {label, reason, article, on, entry} | None, attachments: [{name, size}], can: [event]}``
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


def of_holder(number: str) -> dict[str, Any]:
    """As ``show``, for a receipt that is known to be there."""
    row = model.Session.execute(select(table).where(table.c.receipt == number)).one()
    case = cases.get(row.case_id)
    procedure, me = cases.procedure_of(case), receipts.holder(number)
    state, due = procedure.states[case.state], case.due
    events = history.events(case.id)
    mine = case.filed_by == me.id
    steps_possible = [one["event"] for one in cases.possible(case, me) if one["allowed"]]
    return {
        "receipt": number,
        "procedure": procedure.id,
        "procedure_title": procedure.title,
        "title": case.subject["title"],
        "state": state.public,
        "final": state.final,
        "filed_on": _day(row.created_at),
        "due_on": due.due_on.isoformat() if due else None,
        "provisional": bool(due and due.provisional),
        "overdue": bool(due and cases.now().astimezone(SHANGHAI).date() > due.due_on),
        "timeline": list(_timeline(procedure, events, row.created_at)),
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


def _timeline(procedure: Procedure, events: list[dict[str, Any]], since: datetime) -> Iterator[dict[str, str]]:
    """The filing of this receipt, then every step that the public label tells apart, and what the applicant did or was told."""
    shown, filed = "", False
    for event in events:
        before, shown = shown, procedure.states[event["to_state"]].public
        at = datetime.fromisoformat(event["at"])
        if at < since:
            continue
        spec = procedure.events.get(event["event"])
        if not filed:
            filed = True
            yield {"on": _day(since), "label": procedure.opening.label, "state": shown}
        elif spec and (spec.extends or event["role"] == "public"):
            yield {"on": _day(at), "label": spec.label, "state": shown}
        elif shown != before:
            yield {"on": _day(at), "label": shown, "state": shown}


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
    }


def _day(at: datetime) -> str:
    return at.astimezone(SHANGHAI).date().isoformat()
