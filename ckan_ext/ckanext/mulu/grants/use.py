"""使用记录: every call under a grant, refused ones too (政务数据共享条例 第二十九条); and how often one may call."""

from __future__ import annotations

from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk
from sqlalchemy import func, insert

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


def require_rate(grant_id: str) -> None:
    """429 for more than ``mulu.grant_rate`` calls of a grant within a minute."""
    most = tk.config["mulu.grant_rate"]
    if left := rates.count(grant_id, most, WINDOW):
        message = tk._("调用过于频繁：每分钟最多{most}次，请在{left}秒后再试").format(most=most, left=left)
        raise refused(429, "too_many", message, Retry_After=str(left))
