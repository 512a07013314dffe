"""When data should have been updated again: its last update and its 更新周期 (政务数据共享条例 第十三条: 数据更新频率)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

_DAYS = {"realtime": 1, "daily": 1, "weekly": 7}
_MONTHS = {"monthly": 1, "quarterly": 3, "half_yearly": 6, "yearly": 12}


def due_on(frequency: str, updated_on: date) -> date | None:
    """The last day on which the next update is in time; None where the frequency promises none (不定期, 不更新, not stated).

    A month ends where the calendar ends it: monthly from January 31 is February 28 or 29. What would be due after the last day of
    the calendar (a date of 9999-12-31 stands for "never") is due on that day.
    """
    try:
        return _due_on(frequency, updated_on)
    except (ValueError, OverflowError):
        return date.max


def _due_on(frequency: str, updated_on: date) -> date | None:
    if frequency in _DAYS:
        return updated_on + timedelta(days=_DAYS[frequency])
    if frequency in _MONTHS:
        years, month = divmod(updated_on.month - 1 + _MONTHS[frequency], 12)
        year = updated_on.year + years
        return date(year, month + 1, min(updated_on.day, monthrange(year, month + 1)[1]))
    return None


def is_overdue(frequency: str, updated_on: date, today: date) -> bool:
    due = due_on(frequency, updated_on)
    return due is not None and today > due
