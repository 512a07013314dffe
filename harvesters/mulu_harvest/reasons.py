"""What an answer or a failure of HTTP says, in a few words for people or as a number for us."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping
from typing import Any

from urllib3.exceptions import NameResolutionError


def retry_after(value: str) -> float:
    """Seconds that a host asks for, as a number or as a date; 0 where it asks for none."""
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def said(head: bytes) -> str:
    text = " ".join(head.decode("utf-8", "replace").split())
    return f"：{text[:120]}" if text and not text.startswith("<") else ""


def cause(error: BaseException) -> str:
    """The innermost reason, in a few words."""
    reason: Any = error
    while not isinstance(reason, NameResolutionError):
        inner = (getattr(reason, "reason", None), reason.__cause__, *reason.args)
        deeper = next((one for one in inner if isinstance(one, BaseException)), None)
        if deeper is None:
            break
        reason = deeper
    if isinstance(reason, NameResolutionError):
        return "域名无法解析"
    if isinstance(reason, ConnectionRefusedError):
        return "对方拒绝连接"
    return str(reason).rpartition(": ")[2][:150] or type(reason).__name__


def location(headers: Mapping[str, str]) -> str:
    """Where a redirect leads: requests reads headers as Latin-1, hosts write UTF-8."""
    given = headers.get("Location", "")
    try:
        return given.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return given
