"""使用记录: every call under a grant, refused ones too (政务数据共享条例 第二十九条); and how often one may call."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk
from sqlalchemy import func, insert, select

from ckanext.mulu import rates
from ckanext.mulu.grants.source import refused
from ckanext.mulu.model.tables import use as use_table

WINDOW = 60
"""Seconds for which calls are counted."""


def record(grant: Any, *, resource_id: str, who: str, how: str, form: str, rows: int, size: int, status: int) -> None:
    """One line of the log, in a transaction of its own: it stays whatever becomes of the call. size: bytes of the answer."""
    values = {
        "grant_id": grant.id, "case_id": grant.case_id, "package_id": grant.package_id, "resource_id": resource_id, "who": who,
        "how": how, "format": form, "scenario": grant.scenario, "rows": rows, "bytes": size, "status": status,
    }  # fmt: skip
    with model.meta.engine.begin() as connection:
        connection.execute(insert(use_table).values(**values, at=func.now()))


def calls(package_ids: Iterable[str], today: date) -> dict[str, dict[str, Any]]:
    """How often programs had the data of these entries in the twelve whole months before this one: {id: {"count", "from", "to"}}.

    Months as YYYY-MM. Whole months only: what is published of it changes once a month. Nothing of who called or what for.
    """
    end = today.replace(day=1)
    start = end.replace(year=end.year - 1)
    at = func.timezone("Asia/Shanghai", use_table.c.at)
    counted = (
        select(use_table.c.package_id, func.count())
        .where(use_table.c.package_id.in_(list(package_ids)), use_table.c.how == "api", use_table.c.status.in_((200, 304)), at >= start, at < end)
        .group_by(use_table.c.package_id)
    )
    months = {"from": f"{start:%Y-%m}", "to": f"{end - timedelta(days=1):%Y-%m}"}
    return {package_id: {"count": count, **months} for package_id, count in model.Session.execute(counted)}


def require_rate(grant_id: str) -> None:
    """429 for more than ``mulu.grant_rate`` calls of a grant within a minute."""
    most = tk.config["mulu.grant_rate"]
    if left := rates.count(grant_id, most, WINDOW):
        message = tk._("调用过于频繁：每分钟最多{most}次，请在{left}秒后再试").format(most=most, left=left)
        raise refused(429, "too_many", message, Retry_After=str(left))
