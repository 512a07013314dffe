"""What a decision on an application does to grants, in the decision's own transaction.

Rows only: whoever reads under a grant asks for its row at each page, so that a change holds at once.
"""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from ckan import model
from sqlalchemy import case as case_when
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from ckanext.mulu.model.tables import grant as grant_table
from mulu import asking
from mulu.case import Case, EventRecord


def grant(args: dict[str, Any], case: Case, record: EventRecord, touched: Any) -> None:
    """What was decided comes into force, one grant for each entry; given again, e.g. after a dispute, it has the new items.

    :param args: ``{"kind": "sharing" | "opening"}``
    """
    sharing = args["kind"] == "sharing"
    for package_id, items in asking.granted(case.data).items():
        given = {
            "kind": args["kind"],
            "org": case.data["consumer"] if sharing else "",
            "person": "" if sharing else case.filed_by,
            "items": items,
            "scenario": case.data.get("scenario") or "",
            "purpose": case.data.get("purpose") or "",
            "until": date.fromisoformat(case.data["until"]),
            "status": "active",
            "changed_at": record.at,
        }
        key = {"id": str(uuid.uuid4()), "case_id": case.id, "package_id": package_id, "created_at": record.at}
        kept = case_when((grant_table.c.status == "suspended", "suspended"), else_="active")  # only rectification lifts a suspension
        again = insert(grant_table).values(**key, **given).on_conflict_do_update(
            index_elements=["case_id", "package_id"], set_={**given, "status": kept}
        )
        model.Session.execute(again)


def suspend_grants(args: dict[str, Any], case: Case, record: EventRecord, touched: Any) -> None:
    """Misuse is answered at once (政务数据共享条例 第二十七条)."""
    _change(case, record, "suspended", ("active",))


def restore_grants(args: dict[str, Any], case: Case, record: EventRecord, touched: Any) -> None:
    """Only what was suspended: an ended grant is not given back."""
    _change(case, record, "active", ("suspended",))


def end_grants(args: dict[str, Any], case: Case, record: EventRecord, touched: Any) -> None:
    _change(case, record, "ended", ("active", "suspended"))


def _change(case: Case, record: EventRecord, status: str, among: tuple[str, ...]) -> None:
    """Of the case's grants; a suspension's are those of the case that it is about."""
    about = case.subject["id"] if case.subject["type"] == "case" else case.id
    chosen = (grant_table.c.case_id == about) & grant_table.c.status.in_(among)
    model.Session.execute(update(grant_table).where(chosen).values(status=status, changed_at=record.at))
