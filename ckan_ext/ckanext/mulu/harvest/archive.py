"""An entry that its source no longer has leaves the catalogue with its history, and comes back as itself when it is met again."""

from __future__ import annotations

from typing import Any

from ckan import model
from sqlalchemy import select

from ckanext.mulu import cases, entries, steps
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.transaction import Touched
from mulu.case import Case
from mulu.errors import Problem, Refused
from mulu.people import SYSTEM

REVIEW, WITHDRAWAL = "catalogue_review", "withdrawal"


def archive(package: Any, reason: str, title: str, touched: Touched) -> Case | None:
    """Take an entry out: a draft with the end of its review, a published one by its withdrawal. None: it was out already.

    :param title: of the source
    """
    if package.state == "deleted":
        return None
    if not package.private:
        case = cases.open_case_of(package.id, WITHDRAWAL)
        if case is None:
            organisation = entries.organisation(package.owner_org)
            subject = {"type": "entry", "id": package.id, "org": organisation.name if organisation else "", "title": package.title}
            case = steps.open_(WITHDRAWAL, subject, SYSTEM, {"cause": "source", "reason": reason}, touched)
        data = {"reason": reason, "from_source": title}
        return steps.act(cases.get(case.id, lock=True), "take_out", SYSTEM, data, touched)
    case = cases.open_case_of(package.id, REVIEW)
    if case is None:
        raise Refused([Problem("", "no_review", f"《{package.title}》没有在办的目录审核，不能归档", package.id)])
    return steps.act(cases.get(case.id, lock=True), "archive", SYSTEM, {"reason": reason}, touched)


def restore(package: Any, title: str, touched: Touched) -> Case:
    """Bring back what the source had taken with it.

    :raises Refused: people took it out: the department withdrew its draft, or the authority agreed to the withdrawal
    """
    procedure, state = (REVIEW, "archived") if package.private else (WITHDRAWAL, "taken_out")
    table = case_table.c
    query = select(table.id, table.state).where(table.subject_id == package.id, table.procedure == procedure)
    last = model.Session.execute(query.order_by(table.opened_at.desc(), table.updated_at.desc()).limit(1)).first()
    if last is None or last.state != state:
        message = f"《{package.title}》已由部门撤回或者经批准撤销，不能由汇聚恢复"
        raise Refused([Problem("", "entry_withdrawn", message, package.id, entries.profile().cite("update_catalogue"))])
    reason = f"来源“{title}”重新提供了这一条目"
    return steps.act(cases.get(last.id, lock=True), "restore", SYSTEM, {"reason": reason}, touched)
