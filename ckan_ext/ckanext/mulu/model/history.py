"""The chain of a case's events: written once, verified whenever somebody asks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ckan import model
from sqlalchemy import func, insert, select

from ckanext.mulu.model.tables import case, case_event

START = "0" * 64
"""What stands before a case's first event."""


def chain_hash(previous: str, body: dict[str, Any]) -> str:
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def append(case_id: str, seq: int, at: datetime, body: dict[str, Any]) -> None:
    """Add the event ``seq`` (from 1) of a case whose row is locked. Two at once break the unique key, never the chain."""
    last = select(case_event.c.hash).where(case_event.c.case_id == case_id).order_by(case_event.c.seq.desc()).limit(1)
    previous = model.Session.execute(last).scalar() or START
    model.Session.execute(insert(case_event).values(**row(case_id, seq, at, body, previous)))


def row(case_id: str, seq: int, at: datetime, body: dict[str, Any], previous: str) -> dict[str, Any]:
    """An event as its table holds it; previous: the hash of the case's event before, or START."""
    return {"case_id": case_id, "seq": seq, "at": at, "body": body, "previous": previous, "hash": chain_hash(previous, body)}


def events(case_id: str) -> list[dict[str, Any]]:
    """The events of a case as the engine recorded them, oldest first."""
    query = select(case_event.c.body).where(case_event.c.case_id == case_id).order_by(case_event.c.seq)
    return list(model.Session.execute(query).scalars())


def broken() -> Iterator[str]:
    """One sentence for each case whose history was touched; nothing when all chains hold. Reads all events once."""
    query = select(case_event).order_by(case_event.c.case_id, case_event.c.seq)
    at_case, previous, seq = "", START, 0
    for row in model.Session.execute(query.execution_options(yield_per=1000)):
        if row.case_id != at_case:
            at_case, previous, seq = row.case_id, START, 0
        seq += 1
        if row.seq != seq:
            yield f"事项 {row.case_id}：缺少第 {seq} 条记录"
            seq = row.seq
        if row.previous != previous or row.hash != chain_hash(row.previous, row.body):
            yield f"事项 {row.case_id}：第 {row.seq} 条记录与校验链不符"
        previous = row.hash
    counted = (
        select(case.c.id, case.c.version, func.count(case_event.c.id).label("n"))
        .outerjoin(case_event, case_event.c.case_id == case.c.id)
        .group_by(case.c.id, case.c.version)
        .having(func.count(case_event.c.id) != case.c.version)
    )
    for row in model.Session.execute(counted):
        yield f"事项 {row.id}：应有 {row.version} 条记录，现有 {row.n} 条"
