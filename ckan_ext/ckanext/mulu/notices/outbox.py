"""From the outbox to those who are told: in the portal at once, by mail with retries. Two at once send nothing twice.

A notice is written with the event that causes it. Here, later and outside of the case's transaction, it becomes one delivery
for each recipient and channel; each mail is claimed, sent and noted in a transaction of its own.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ckan import model
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from ckanext.mulu import cases, roles
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.model.tables import delivery, outbox, receipt
from ckanext.mulu.notices import letters, post

log = logging.getLogger(__name__)

WAITS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=12))
"""Until the next attempt after the first, second … that failed; after as many as these the mail is given up."""

MAILTO = "mailto:"
OPENERS = ("receipt", "question")
"""Letters to who opened the case alone, not to those who joined it."""


def deliver(moment: datetime | None = None) -> dict[str, int]:
    """Hand on all that waits. Gives how many: {notices, sent, put_off, given_up}. Commits as it goes."""
    now = moment or cases.now()
    done: Counter[str] = Counter(notices=_expand_all(now))
    with post.Server() as server:
        while (what := _send_next(now, server)) is not None:
            done += what
    return {key: done[key] for key in ("notices", "sent", "put_off", "given_up")}


def counts() -> dict[str, int]:
    """What the operator has to know: {waiting, mail_waiting, mail_given_up, unheard}; unheard: notices for which nobody was there."""
    mail = delivery.c.channel == "mail"
    return {
        "waiting": _count(outbox, outbox.c.sent_at.is_(None)),
        "mail_waiting": _count(delivery, mail, delivery.c.sent_at.is_(None), delivery.c.next_at.isnot(None)),
        "mail_given_up": _count(delivery, mail, delivery.c.sent_at.is_(None), delivery.c.next_at.is_(None)),
        "unheard": _count(outbox, outbox.c.last_error != ""),
    }


def given_up(limit: int = 100) -> list[dict[str, Any]]:
    """Mails that were not delivered, the newest first: [{id, case_id, title, recipient, attempts, last_error, created_at}]."""
    where = (delivery.c.channel == "mail", delivery.c.sent_at.is_(None), delivery.c.next_at.is_(None))
    columns = [delivery.c[name] for name in ("id", "case_id", "title", "recipient", "attempts", "last_error", "created_at")]
    return [dict(row._mapping) for row in model.Session.execute(select(*columns).where(*where).order_by(delivery.c.id.desc()).limit(limit))]


def try_again(moment: datetime | None = None) -> int:
    """What was given up is due again, as after the server was mended; gives how many."""
    where = (delivery.c.channel == "mail", delivery.c.sent_at.is_(None), delivery.c.next_at.is_(None))
    found = model.Session.execute(update(delivery).where(*where).values(attempts=0, next_at=moment or cases.now()))
    model.Session.commit()
    return int(found.rowcount)


def _count(table: Any, *where: Any) -> int:
    return int(model.Session.execute(select(func.count()).select_from(table).where(*where)).scalar_one())


def _expand_all(now: datetime) -> int:
    """Each waiting notice becomes its deliveries; one that cannot be put into words stops none of the others."""
    done, last = 0, 0
    while True:
        query = select(outbox).where(outbox.c.sent_at.is_(None), outbox.c.id > last, outbox.c.attempts < len(WAITS))
        row = model.Session.execute(query.order_by(outbox.c.id).limit(1).with_for_update(skip_locked=True)).first()
        if row is None:
            model.Session.rollback()
            return done
        last = row.id
        try:
            with model.Session.begin_nested():
                heard = _expand(row, now)
            values = {"sent_at": now, "last_error": "" if heard else "没有收件人：没有人担任这一角色，也没有留下邮箱"}
            done += 1
        except Exception as error:
            log.exception("notice %s", row.id)
            values = {"attempts": row.attempts + 1, "last_error": f"{type(error).__name__}: {error}"[:500]}
        model.Session.execute(update(outbox).where(outbox.c.id == row.id).values(**values))
        model.Session.commit()


def _expand(row: Any, now: datetime) -> int:
    """The deliveries of one notice; gives how many there are."""
    subject = model.Session.execute(select(case_table.c.title).where(case_table.c.id == row.case_id)).scalar_one()
    title = f"{letters.of_notice(row).title}：{subject}"
    rows = list(_deliveries(row, now))
    for one in rows:
        values = {"outbox_id": row.id, "case_id": row.case_id, "title": title, "created_at": row.created_at, "attempts": 0, "last_error": "", **one}
        model.Session.execute(insert(delivery).values(**values).on_conflict_do_nothing())
    return len(rows)


def _deliveries(row: Any, now: datetime) -> Iterator[dict[str, Any]]:
    named = [text.replace("public@", "applicant@") for text in row.to if not text.startswith("public@public:")]
    for user_id in roles.names_with(named):
        user = model.User.get(user_id)
        if user is None or user.state != "active":
            yield {"recipient": user_id, "channel": "mail", "next_at": None, "last_error": "账号已停用"}
            continue
        yield {"recipient": user_id, "channel": "portal", "sent_at": now, "next_at": None}
        if user.email:
            yield {"recipient": user_id, "channel": "mail", "next_at": now}
    if len(named) < len(row.to):
        for email in dict.fromkeys(_addresses(row)):
            yield {"recipient": f"{MAILTO}{email}", "channel": "mail", "next_at": now}


def _addresses(row: Any) -> Iterator[str]:
    """Of who opened the case, and of those who had joined it when the notice was written."""
    if email := cases.get(row.case_id).data.get("email"):
        yield email
    if row.template not in OPENERS:
        where = (receipt.c.case_id == row.case_id, receipt.c.email != "", receipt.c.created_at <= row.created_at)
        yield from model.Session.execute(select(receipt.c.email).where(*where).order_by(receipt.c.receipt)).scalars()


def _send_next(now: datetime, server: post.Server) -> Counter[str] | None:
    """One mail that is due; None if there is none (or others have them all in hand)."""
    due = (delivery.c.channel == "mail", delivery.c.sent_at.is_(None), delivery.c.next_at <= now)
    query = select(delivery).where(*due).order_by(delivery.c.next_at, delivery.c.id).limit(1).with_for_update(skip_locked=True)
    row = model.Session.execute(query).first()
    if row is None:
        model.Session.rollback()
        return None
    try:
        with model.Session.begin_nested():
            mail = _mail(row)
        server.send(mail)
    except post.ServerDown as down:
        return _put_off([row, *_others_due(due, row.id)], str(down), now)
    except post.Refused as refused:
        return _note([(row, {"next_at": None, "last_error": str(refused)[:500]})], "given_up")
    except Exception as error:
        if not isinstance(error, post.Temporary):
            log.exception("mail %s", row.id)
        return _put_off([row], str(error), now)
    return _note([(row, {"sent_at": now, "next_at": None, "last_error": ""})], "sent")


def _mail(row: Any) -> Any:
    notice = model.Session.execute(select(outbox).where(outbox.c.id == row.outbox_id)).one()
    if row.recipient.startswith(MAILTO):
        email = row.recipient.removeprefix(MAILTO)
        return post.message(letters.of_notice(notice, _as_joined(row.case_id, email)), row.title, email, row.id, attach=True)
    letter = letters.of_notice(notice)
    user = model.User.get(row.recipient)
    if user is None or user.state != "active" or not user.email:
        raise post.Refused("账号已停用，或者没有邮箱")
    return post.message(letter, row.title, user.email, row.id)


def _as_joined(case_id: str, email: str) -> list[str]:
    """Who joined a case is addressed by the own receipt: nobody reads of whom they joined. [] for who opened it."""
    if cases.get(case_id).data.get("email") == email:
        return []
    mine = select(receipt.c.receipt).where(receipt.c.case_id == case_id, receipt.c.email == email).order_by(receipt.c.receipt)
    number = model.Session.execute(mine.limit(1)).scalar()
    return [f"public@public:{number}"] if number else []


def _others_due(due: tuple[Any, ...], but: int) -> list[Any]:
    """All that waits for the same server fails with the first: it is not knocked at for each."""
    return list(model.Session.execute(select(delivery).where(*due, delivery.c.id != but).with_for_update(skip_locked=True)))


def _put_off(rows: list[Any], error: str, now: datetime) -> Counter[str]:
    done: Counter[str] = Counter()
    for row in rows:
        again = now + WAITS[row.attempts] if row.attempts < len(WAITS) else None
        done += _note([(row, {"next_at": again, "last_error": error[:500]})], "put_off" if again else "given_up", commit=False)
    model.Session.commit()
    return done


def _note(rows: list[tuple[Any, dict[str, Any]]], what: str, *, commit: bool = True) -> Counter[str]:
    for row, values in rows:
        model.Session.execute(update(delivery).where(delivery.c.id == row.id).values(attempts=row.attempts + 1, **values))
    if commit:
        model.Session.commit()
    return Counter({what: len(rows)})
