"""What a person was told: the notices in the portal, and which of them were read. Mails are the operator's to look after."""

from __future__ import annotations

from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk
from sqlalchemy import func, select, update

from ckanext.mulu import cases, roles
from ckanext.mulu.logic import refusal, schema
from ckanext.mulu.model.tables import delivery
from ckanext.mulu.model.tables import outbox as outbox_table
from ckanext.mulu.notices import outbox

Context = dict[str, Any]


@tk.side_effect_free
@tk.validate_action_data(schema.notice_list)
def mulu_notice_list(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """This person's notices, the newest first.

    :param unread: only those that were not read; ``case``: only of this case; ``id``: only this one; ``limit`` (20), ``offset``
    :returns: ``{count, unread, results: [{id, title, template, case_id, seq, at, read_at}]}``; ``unread`` counts all
    """
    tk.check_access("mulu_notice_list", context, data)
    own = _own(context)
    where = list(own)
    if data.get("unread"):
        where.append(delivery.c.read_at.is_(None))
    if data.get("id") is not None:
        where.append(delivery.c.id == data["id"])
    if data.get("case"):
        where.append(delivery.c.case_id == data["case"])
    query = (
        select(delivery.c.id, delivery.c.title, outbox_table.c.template, delivery.c.case_id, outbox_table.c.seq, delivery.c.created_at.label("at"), delivery.c.read_at)
        .join(outbox_table, outbox_table.c.id == delivery.c.outbox_id)
        .where(*where)
        .order_by(delivery.c.created_at.desc(), delivery.c.id.desc())
        .limit(min(data.get("limit") or 20, 500))
        .offset(data.get("offset") or 0)
    )
    rows = [dict(row._mapping) for row in model.Session.execute(query)]
    times = [{key: row[key] and row[key].isoformat() for key in ("at", "read_at")} for row in rows]
    return {
        "count": _count(*where),
        "unread": _count(*own, delivery.c.read_at.is_(None)),
        "results": [row | time for row, time in zip(rows, times, strict=True)],
    }


@tk.validate_action_data(schema.notice_read)
def mulu_notice_read(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """Mark notices as read: those named, or all. Somebody else's are left as they are.

    :param ids: ids of notices; ``all``: every unread one instead
    :returns: ``{marked, unread}``
    """
    tk.check_access("mulu_notice_read", context, data)
    if not data.get("ids") and not data.get("all"):
        raise refusal.one("ids", "required", tk._("请选择要标为已读的通知"))
    own = _own(context)
    where = [*own, delivery.c.read_at.is_(None)]
    if not data.get("all"):
        where.append(delivery.c.id.in_(data["ids"]))
    marked = model.Session.execute(update(delivery).where(*where).values(read_at=cases.now()))
    model.Session.commit()
    return {"marked": marked.rowcount, "unread": _count(*own, delivery.c.read_at.is_(None))}


@tk.side_effect_free
def mulu_mail_failed(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """Mails that were given up, for the operator; of the public no address is shown.

    :returns: ``{count, results: [{id, case_id, title, who, attempts, last_error, created_at}]}``; at most 100 results
    """
    _operators(context)
    rows = [
        {**{key: value for key, value in one.items() if key != "recipient"}, "who": _name(one["recipient"]), "created_at": one["created_at"].isoformat()}
        for one in outbox.given_up()
    ]
    return {"count": outbox.counts()["mail_given_up"], "results": rows}


def mulu_mail_retry(context: Context, data: dict[str, Any]) -> dict[str, int]:
    """Send once more what was given up, as after the mail server was mended; the operator's.

    :returns: ``{again}``: how many are due again
    """
    _operators(context)
    return {"again": outbox.try_again()}


def _operators(context: Context) -> None:
    if not roles.require_login(context).has("operator"):
        raise tk.NotAuthorized(tk._("没有送达的邮件由平台管理员处理。"))


def _name(recipient: str) -> str:
    if recipient.startswith(outbox.MAILTO):
        return tk._("社会公众（留下的邮箱）")
    user = model.User.get(recipient)
    return str(user.fullname or user.name) if user else recipient


def _own(context: Context) -> tuple[Any, ...]:
    return (delivery.c.recipient == roles.require_login(context).id, delivery.c.channel == "portal")


def _count(*where: Any) -> int:
    return int(model.Session.execute(select(func.count()).select_from(delivery).where(*where)).scalar_one())
