"""Days as the public reads them: those of China, wherever the instant was written down."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

_CHINA = timezone(timedelta(hours=8))


def day_of(value: Any) -> str:
    """The day in China of an instant with an offset ("2026-03-01T23:10:00+00:00" is 2026-03-02). A plain date, an instant without an
    offset, and what is none of these give their first ten characters; "" of nothing."""
    text = str(value or "").strip()
    if len(text) > 10:
        try:
            instant = datetime.fromisoformat(text)
            return (instant.astimezone(_CHINA) if instant.tzinfo else instant).date().isoformat()
        except (ValueError, OverflowError):  # no instant, or one at the end of the calendar
            pass
    return text[:10]
