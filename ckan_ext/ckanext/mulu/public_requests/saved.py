"""Requests that the public site's form kept as a file while the portal was away; an operator hands them in, without proof of work.

When does the answer's time begin? On the day on which the authority received the file (自收到…之日起, guojia 26), which the operator
states; not at ``saved_at``: until then nobody but the applicant had it, and the time is that of their own device. It only bounds the
day: a file is not received before it was saved. Each request bears a number of its own, under which it is taken once, by this way or the
other; ``check`` finds what was damaged or changed on the way. It is no signature: whoever writes a file anew can compute it, as they
could fill in the form.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.mulu import cases
from ckanext.mulu.logic import refusal
from ckanext.mulu.public_requests import intake
from mulu.case import SHANGHAI
from mulu.errors import Problem

VERSION = 1
MOST_BYTES = 5 * 2**20
OLDEST = timedelta(days=180)
"""What was saved longer ago may no longer be what the person wants, nor the entry what it was; they are asked."""
_KEYS = {"mulu_request", "id", "procedure", "entry", "data", "saved_at", "check"}
_SIGNED = ("id", "procedure", "entry", "data", "saved_at")
_ID = re.compile(r"[0-9a-f]{32}")
_DAY_OFF = timedelta(days=1)
"""By how much a device's clock may be wrong."""


def read(content: bytes) -> list[Any]:
    """The requests of a file, one or a list: ``{"mulu_request": 1, id, procedure, entry, data, saved_at, check}``.

    :raises tk.ValidationError: when it is no JSON, or holds nothing; what is wrong with one of several is ``file``'s to say
    """
    if len(content) > MOST_BYTES:
        raise refusal.one("", "file_too_large", tk._("文件有 {n} MB，申请文件最大 {most} MB").format(n=len(content) >> 20, most=MOST_BYTES >> 20))
    try:
        given = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise refusal.one("", "not_json", tk._("不是公共网站存成的申请文件：内容不是 JSON，或者文件不完整")) from None
    rows = given if isinstance(given, list) else [given]
    if not rows:
        raise refusal.one("", "empty", tk._("文件里没有申请"))
    return rows


def check_of(row: dict[str, Any]) -> str:
    """SHA-256 over what the form wrote, as the browser's ``JSON.stringify`` writes it."""
    text = json.dumps([row.get(key) for key in _SIGNED], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def problem(row: Any, received: date) -> Problem | None:
    """Why this is no request that can be taken, before its content is looked at. ``received``: the day it was handed in."""
    if not isinstance(row, dict) or "mulu_request" not in row:
        return Problem("", "not_a_request", tk._("不是公共网站存成的申请文件"))
    if row["mulu_request"] != VERSION or set(row) != _KEYS or not isinstance(row["id"], str) or not _ID.fullmatch(row["id"]):
        return Problem("", "not_a_request", tk._("不是这一版公共网站存成的申请文件，请申请人重新填写"))
    if row["check"] != check_of(row):
        return Problem("", "damaged", tk._("内容与保存时的校验值不符，文件损坏或者被改动过，请申请人重新存一次"))
    try:
        saved = datetime.fromisoformat(str(row["saved_at"])).astimezone(SHANGHAI).date()
    except (ValueError, OverflowError):
        return Problem("saved_at", "not_a_date", tk._("保存时间“{at}”不是日期").format(at=row["saved_at"]), row["saved_at"])
    if saved - _DAY_OFF > received:
        message = tk._("保存于{saved}，晚于收到的日期{received}，请核对收到的日期").format(saved=saved, received=received)
        return Problem("saved_at", "saved_later", message, row["saved_at"])
    if received - saved > OLDEST:
        message = tk._("保存于{saved}，已超过{n}天，请申请人确认后重新填写").format(saved=saved, n=OLDEST.days)
        return Problem("saved_at", "too_old", message, row["saved_at"])
    return None


def day_received(text: str | None) -> date:
    """The day that the operator states, today without one; ValidationError for none, or one to come."""
    today = cases.now().astimezone(SHANGHAI).date()
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError:
        raise refusal.one("received", "not_a_date", tk._("收到的日期应形如 2026-01-31"), value=text) from None
    if day > today:
        raise refusal.one("received", "date_in_future", tk._("收到的日期不能晚于今天（{today}）").format(today=today), value=text)
    return day


def file(row: Any, received: date, uploads: Iterable[Any] = ()) -> dict[str, Any]:
    """Hand one in, under the same rules as at the door; gives and raises as ``intake.file``."""
    if wrong := problem(row, received):
        raise refusal.error([wrong])
    today = cases.now().astimezone(SHANGHAI).date()
    note = tk._("由公共网站存成的文件录入，{received}收到，编号 {id}").format(received=received, id=row["id"])
    sent = intake.Sent(row["id"], "file", received if received < today else None, note)
    return intake.file(row["procedure"], row["entry"], row["data"], uploads, sent=sent)
