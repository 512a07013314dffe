"""A real mail server on loopback, and letters of cases that need not be walked, for the tests of notices."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from ckan import model
from ckan.tests.helpers import changed_config
from sqlalchemy import insert, text

from ckanext.mulu import entries
from ckanext.mulu.model import history
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.model.tables import outbox
from mulu.case import Case, EventRecord, load_procedure

PASSED = timedelta(minutes=1, seconds=1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mailbox:
    """What the server took: ``mails``. ``answers``: address → its reply to RCPT; ``hang_up``: takes the mail and breaks off."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: dict[str, str] = {}
        self.hang_up = False

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert envelope.rcpt_tos == [mail["To"]]
        self.mails.append(mail)
        if self.hang_up:
            server.transport.close()
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == address]

    def numbers(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.mails]


@contextmanager
def mail_server(port: int = 0) -> Iterator[Mailbox]:
    """The portal's mail server, as long as this lasts."""
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=port or free_port())
    controller.start()
    try:
        with changed_config("smtp.server", f"127.0.0.1:{controller.port}"):
            yield box
    finally:
        controller.stop()


def forget() -> None:
    """No notice waits or was ever given."""
    model.Session.rollback()
    for table in ("mulu_delivery", "mulu_outbox"):
        model.Session.execute(text(f"delete from {table}"))
    model.Session.commit()


def deliveries(channel: str = "mail") -> list[Any]:
    model.Session.expire_all()
    found = list(model.Session.execute(text("select * from mulu_delivery where channel = :channel order by id"), {"channel": channel}))
    model.Session.rollback()
    return found


def notice(
    case_id: str, to: list[str], template: str = "turn", procedure: str = "catalogue_review", event: str = "submit", role: str = "editor",
    state: str = "", data: dict[str, Any] | None = None, subject: dict[str, str] | None = None, filed_by: str = "x", earlier: dict[str, Any] | None = None,
    **args: Any,
) -> None:  # fmt: skip
    """A case of one event, or of two where ``earlier`` was filled in before, with one notice of the last in the outbox."""
    place, rules = entries.profile(), load_procedure(procedure)
    now = datetime.now(UTC)
    about = subject or {"type": "department", "id": "minzheng", "org": "minzheng", "title": "全县<中小学校>基本信息"}
    records = [EventRecord(1, "open", "提出", filed_by, "甲", "applicant", "", state, now, earlier)] if earlier is not None else []
    records.append(EventRecord(len(records) + 1, event, args.get("label", ""), filed_by, "甲", role, state, state or next(iter(rules.states)), now, data or {}))
    case = Case(
        case_id, procedure, rules.version, place.id, place.version, records[-1].to_state, about, filed_by, (filed_by,), now, now,
        {**(earlier or {}), **(data or {})}, version=len(records),
    )  # fmt: skip
    row = {
        "procedure": procedure, "state": case.state, "is_open": False, "subject_type": about["type"], "subject_id": about["id"], "title": about["title"],
        "org": about["org"], "filed_by": filed_by, "turn": [], "parties": [about["org"]], "due_on": None, "overdue": False, "provisional": False,
        "opened_at": now, "updated_at": now, "version": case.version, "body": case.to_dict(),
    }  # fmt: skip
    model.Session.execute(insert(case_table).values(id=case_id, **row))
    for record in records:
        history.append(case_id, record.seq, now, record.to_dict())
    given = {"event": event, "label": "", "reason": "", "article": "", "due_on": "", "provisional": False, **args}
    values = {"case_id": case_id, "seq": records[-1].seq, "template": template, "to": to, "args": given, "created_at": now, "attempts": 0, "last_error": ""}
    model.Session.execute(insert(outbox).values(**values))
    model.Session.commit()
