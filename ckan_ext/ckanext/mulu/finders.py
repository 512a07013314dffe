"""Rules that find what has to be taken up, and open the case by the portal itself: nobody has to remember.

Each finder is run again and again and opens nothing twice: what has an open case already is left out by its query.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import func, select

from ckanext.mulu import cases, duplicates, entries, identities, steps, subjects
from ckanext.mulu.harvest import hooks
from ckanext.mulu.model import versions
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.transaction import transaction
from mulu.case import SHANGHAI, load_procedure
from mulu.errors import Refused
from mulu.people import SYSTEM

log = logging.getLogger(__name__)
DEMANDS = ("demand", "rereview", "open_application")
"""Procedures by which the public says that it wants an entry opened."""


@dataclass(frozen=True)
class Found:
    """A case to open: procedure, subject ({"type", "id"}) and what is filled in."""

    procedure: str
    subject: dict[str, str]
    data: dict[str, Any]


def run(moment: datetime | None = None) -> int:
    """Open what the finders find; gives how many cases were opened. One that is refused stops none of the others."""
    today = (moment or cases.now()).astimezone(SHANGHAI).date()
    opened = 0
    for finder in FINDERS:
        for one in list(finder(today)):
            opened += _open(one)
    return opened + hooks.look(moment)


def _open(one: Found) -> int:
    procedure = load_procedure(one.procedure)
    try:
        with transaction({}) as touched:
            subject = subjects.of(procedure, one.subject, SYSTEM, one.data)
            identities.alone(f"{procedure.id} {subject['id']}")
            if cases.open_case_of(subject["id"], procedure.id):
                return 0
            data = subjects.given(procedure.id, subject, one.data, SYSTEM)
            steps.open_(procedure.id, subject, SYSTEM, data, touched)
    except (Refused, tk.ObjectNotFound, tk.ValidationError) as error:
        log.warning("%s about %s was found and not opened: %s", one.procedure, one.subject, error)
        return 0
    return 1


def due_for_evaluation(today: date) -> Iterator[Found]:
    """What is not open and whose date has come (华容第二十八条：定期评估)."""
    package, on = model.Package, model.Package.extras["open_review_on"].astext
    query = (
        select(package.id)
        .where(package.state == "active", package.private.is_(False), package.extras["open_type"].astext == "none")
        .where(on != "", on <= today.isoformat(), package.id.not_in(_with_open("reevaluation")))
        .order_by(package.id)
    )
    for package_id in model.Session.execute(query).scalars():
        yield Found("reevaluation", {"type": "entry", "id": package_id}, {"why": "date"})


def wanted_by_many(today: date) -> Iterator[Found]:
    """What is not open and was asked for often within a year (华容第二十八条：申请频次高的)."""
    since = today - timedelta(365)
    asked = (
        select(case_table.c.subject_id)
        .where(case_table.c.subject_type == "entry", case_table.c.procedure.in_(DEMANDS), case_table.c.opened_at >= since)
        .where(case_table.c.subject_id.not_in(_since("reevaluation", since)))
        .group_by(case_table.c.subject_id)
        .having(func.count() >= tk.config["mulu.demand_threshold"])
    )
    published = versions.last_of(model.Session.execute(asked).scalars())
    for package_id in sorted(one for one, entry in published.items() if entry.get("open_type") == "none"):
        yield Found("reevaluation", {"type": "entry", "id": package_id}, {"why": "demand"})


def duplicate_items(today: date) -> Iterator[Found]:
    """Data elements that several departments keep and for which no source was ever sought (政务数据共享条例第十九条)."""
    known = set(model.Session.execute(select(case_table.c.body[("data", "item")].astext).where(case_table.c.procedure == "one_source")).scalars())
    for one in duplicates.found():
        if one["item"] not in known:
            yield Found("one_source", {"type": "entry", "id": one["package_id"]}, {"item": one["item"]})


def long_overdue(today: date) -> Iterator[Found]:
    """Deadlines that ran out ``mulu.rectify_after`` working days ago and still wait: the department is told to put it right."""
    after = tk.config["mulu.rectify_after"]
    if not after:
        return
    grounds, calendar = entries.profile().value("overdue_grounds").value, entries.calendar()
    late = select(case_table.c.id).where(case_table.c.is_open, case_table.c.overdue).where(case_table.c.id.not_in(_ever("rectification")))
    for case_id in list(model.Session.execute(late).scalars()):
        case = cases.get(case_id)
        for clock in case.clocks:
            waited = calendar.between(clock.due_on, today) if clock.overdue_since and clock.running else 0
            if waited >= after and clock.name in grounds:
                yield Found("rectification", {"type": "case", "id": case_id}, {
                    "ground": grounds[clock.name],
                    "facts": f"{cases.procedure_of(case).title}《{case.subject['title']}》的{clock.label}期限为{clock.due_on}（{clock.article}），至今未办。",
                    "measure": "请立即办理，并书面说明逾期原因。",
                    "rectify_by": calendar.add(today, 5).date.isoformat(),
                })  # fmt: skip
                break


FINDERS: tuple[Callable[[date], Iterator[Found]], ...] = (due_for_evaluation, wanted_by_many, duplicate_items, long_overdue)


def _with_open(procedure: str) -> Any:
    return select(case_table.c.subject_id).where(case_table.c.procedure == procedure, case_table.c.is_open)


def _since(procedure: str, since: date) -> Any:
    return select(case_table.c.subject_id).where(case_table.c.procedure == procedure, case_table.c.opened_at >= since)


def _ever(procedure: str) -> Any:
    return select(case_table.c.subject_id).where(case_table.c.procedure == procedure)
