"""When an update is due, by frequency."""

from __future__ import annotations

from datetime import date

import pytest

from mulu.codes import CODE_LISTS
from mulu.freshness import due_on, is_overdue

DUE = [
    ("realtime", "2026-01-30", "2026-01-31"), ("daily", "2026-12-31", "2027-01-01"), ("weekly", "2026-02-26", "2026-03-05"),
    ("monthly", "2026-01-31", "2026-02-28"), ("monthly", "2024-01-31", "2024-02-29"), ("monthly", "2026-12-15", "2027-01-15"),
    ("quarterly", "2026-11-30", "2027-02-28"), ("half_yearly", "2026-08-31", "2027-02-28"), ("yearly", "2024-02-29", "2025-02-28"),
    ("daily", "9999-12-31", "9999-12-31"), ("weekly", "9999-12-28", "9999-12-31"), ("monthly", "9999-12-01", "9999-12-31"), ("yearly", "9999-01-01", "9999-12-31"),
    ("irregular", "2000-01-01", None), ("never", "2000-01-01", None), ("", "2000-01-01", None),
]  # fmt: skip


@pytest.mark.parametrize(("frequency", "updated", "due"), DUE)
def test_due(frequency: str, updated: str, due: str | None) -> None:
    assert due_on(frequency, date.fromisoformat(updated)) == (date.fromisoformat(due) if due else None)


def test_overdue_on_the_day_after() -> None:
    assert not is_overdue("monthly", date(2026, 1, 31), date(2026, 2, 28))
    assert is_overdue("monthly", date(2026, 1, 31), date(2026, 3, 1))
    assert not is_overdue("never", date(1990, 1, 1), date(2026, 1, 1))


def test_every_frequency_of_the_code_list_is_thought_of() -> None:
    assert {key for key, _, _ in DUE} - {""} == set(CODE_LISTS["update_frequency"].keys)
