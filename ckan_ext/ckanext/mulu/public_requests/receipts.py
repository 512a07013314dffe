"""Receipt numbers and query codes in the database. Of a code only its hash is kept; it is shown once, and never again."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Any, NamedTuple

from ckan import model
from pypinyin import Style, lazy_pinyin
from sqlalchemy import Integer, cast, func, insert, select, update

from ckanext.mulu import cases, entries
from ckanext.mulu.model.tables import receipt as table
from mulu import receipt
from mulu.case import SHANGHAI
from mulu.people import Person, Role
from mulu.procedure import Procedure

NOBODYS = bytes(32)


class Receipt(NamedTuple):
    number: str
    code: str


def letters(procedure: Procedure) -> str:
    """How a procedure stands in its receipt numbers: the initials of its title's first two characters (复核申请: FH)."""
    return "".join(lazy_pinyin(procedure.title[:2], style=Style.FIRST_LETTER)).upper()


def lock(procedure: Procedure) -> None:
    """Until the transaction ends nobody else files in this procedure: numbers follow each other, the same demand is seen."""
    model.Session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"mulu receipt {procedure.id}", 0))))


def new(procedure: Procedure) -> Receipt:
    """The day's next number and a code; the caller holds the ``lock``."""
    place, day = entries.profile().id, cases.now().astimezone(SHANGHAI).date()
    begin = receipt.prefix(place, letters(procedure), day)
    number = cast(func.split_part(table.c.receipt, "-", 4), Integer)
    last = model.Session.execute(select(func.max(number)).where(table.c.receipt.startswith(begin, autoescape=True))).scalar()
    return Receipt(receipt.number(place, letters(procedure), day, (last or 0) + 1), receipt.make_code())


def keep(held: Receipt, case_id: str, at: datetime, request: str = "", way: str = "web", email: str = "") -> None:
    """request: the request's own number, "" without one; way: ``web`` or ``file``; email: where who joined a case is told."""
    row = {"receipt": held.number, "case_id": case_id, "code_hash": _hash(held).hex(), "created_at": at}
    model.Session.execute(insert(table).values(**row, request_hash=request and _request_hash(request), way=way, email=email))


def of_request(request: str) -> Any:
    """The row of the receipt that was given for a request of this number, or None."""
    return model.Session.execute(select(table).where(table.c.request_hash == _request_hash(request))).first() if request else None


def renew(number: str) -> Receipt:
    """A new query code for a receipt whose first one never arrived; the old one is void."""
    held = Receipt(number, receipt.make_code())
    model.Session.execute(update(table).where(table.c.receipt == number).values(code_hash=_hash(held).hex()))
    return held


def find(number: str, code: str) -> Any:
    """The row of a receipt whose code this is, else None; what is wrong takes as long as what is right."""
    held = Receipt(receipt.read_number(number), receipt.read_code(code))
    row = model.Session.execute(select(table).where(table.c.receipt == held.number)).first()
    same = hmac.compare_digest(_hash(held), bytes.fromhex(row.code_hash) if row else NOBODYS)
    return row if row and held.code and same else None


def holder(number: str) -> Person:
    """The member of the public who holds a receipt: nobody knows more of them."""
    me = f"public:{number}"
    return Person(me, "社会公众", frozenset({Role("public", me)}))


def _request_hash(request: str) -> str:
    """Who knows the number may have the receipt again: a stolen table must not tell it. It is drawn by lot, so no salt."""
    return hashlib.sha256(request.encode()).hexdigest()


def _hash(held: Receipt) -> bytes:
    """scrypt, salted with the number: a stolen table tells no code."""
    return hashlib.scrypt(held.code.encode(), salt=held.number.encode() or b"none", n=2**13, r=8, p=1, dklen=32)
