"""Working days: make-up days, long holidays, years that are not announced."""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mulu.files import ROOT, read_yaml
from mulu.workdays import Calendar

CALENDAR = Calendar.load()
days = st.dates(date(2004, 1, 1), date(2026, 12, 31))
workdays = days.filter(CALENDAR.is_workday)
lengths = st.integers(0, 60)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2025-09-28", True),  # Sunday, made up for National Day
        ("2025-10-11", True),  # Saturday, made up for National Day
        ("2025-10-01", False),
        ("2025-10-08", False),
        ("2025-10-09", True),
        ("2025-01-26", True),  # Sunday, made up for Spring Festival
        ("2025-02-08", True),  # Saturday, made up for Spring Festival
        ("2025-01-28", False),
        ("2025-02-04", False),
        ("2025-02-05", True),
        ("2025-04-27", True),  # Sunday, made up for Labour Day
        ("2025-05-05", False),
        ("2026-02-14", True),  # Saturday, made up for Spring Festival
        ("2026-02-16", False),
        ("2026-02-23", False),
        ("2026-02-28", True),  # Saturday, made up for Spring Festival
        ("2025-09-27", False),
    ],
)
def test_days_as_they_were_announced(day, works):
    assert CALENDAR.is_workday(date.fromisoformat(day)) is works


@pytest.mark.parametrize(
    ("start", "length", "due", "provisional"),
    [
        ("2025-09-26", 1, "2025-09-28", False),
        ("2025-09-26", 5, "2025-10-10", False),
        ("2025-09-26", 6, "2025-10-11", False),
        ("2025-09-26", 10, "2025-10-16", False),
        ("2025-09-30", 1, "2025-10-09", False),
        ("2026-02-13", 1, "2026-02-14", False),
        ("2026-02-13", 2, "2026-02-24", False),
        ("2025-10-01", 0, "2025-10-09", False),
        ("2025-10-09", 0, "2025-10-09", False),
        ("2026-12-30", 1, "2026-12-31", False),
        ("2026-12-30", 2, "2027-01-01", True),  # nobody has announced that this is a holiday
        ("2026-12-15", 20, "2027-01-12", True),
    ],
)
def test_due_dates(start, length, due, provisional):
    found = CALENDAR.add(date.fromisoformat(start), length)
    assert (found.date.isoformat(), found.provisional) == (due, provisional)


@given(workdays, lengths)
def test_between_undoes_add(start, length):
    assert CALENDAR.between(start, CALENDAR.add(start, length).date) == length


@given(workdays, st.integers(-200, 200))
def test_add_undoes_between(start, away):
    end = CALENDAR.add(start, away).date
    assert CALENDAR.add(start, CALENDAR.between(start, end)).date == end


@given(days, days, lengths)
def test_later_starts_end_no_earlier(one, other, length):
    first, second = sorted((one, other))
    assert CALENDAR.add(first, length).date <= CALENDAR.add(second, length).date


@given(days, st.integers(1, 60))
def test_more_days_end_later_and_never_on_a_holiday(start, length):
    due, later = CALENDAR.add(start, length), CALENDAR.add(start, length + 1)
    assert due.date < later.date
    assert CALENDAR.is_workday(due.date)
    assert due.date not in CALENDAR.holidays


@given(days, st.integers(1, 30), st.integers(0, 30))
def test_counting_on_is_counting_at_once(start, one, more):
    assert CALENDAR.add(CALENDAR.add(start, one).date, more) == CALENDAR.add(start, one + more)


@given(days, st.integers(0, 90), st.integers(0, 90))
def test_between_adds_up(a, first, second):
    b, c = a + timedelta(first), a + timedelta(first + second)
    assert CALENDAR.between(a, b) + CALENDAR.between(b, c) == CALENDAR.between(a, c)


def test_the_years_that_are_announced():
    assert [year for year in range(2000, 2030) if CALENDAR.announced(year)] == list(range(2004, 2027))


def test_loading_a_year_settles_what_was_provisional():
    more = Calendar(CALENDAR.years | {2027}, CALENDAR.holidays | {date(2027, 1, 1)}, CALENDAR.makeup)
    due = more.add(date(2026, 12, 30), 2)
    assert (due.date, due.provisional) == (date(2027, 1, 4), False)


@pytest.mark.parametrize("path", sorted((ROOT / "calendars").glob("*.yml")), ids=lambda path: path.stem)
def test_every_calendar_names_its_source_and_makes_sense(path):
    data = read_yaml(path)
    assert data["source"] and data["year"] == int(path.stem)
    for day in [*data["holidays"], *data["makeup_workdays"]]:
        assert abs((day - date(data["year"], 7, 1)).days) < 200, day
    assert all(day.weekday() >= 5 for day in data["makeup_workdays"])
    assert not set(data["holidays"]) & set(data["makeup_workdays"])


def test_the_calendars_are_what_the_package_says():
    day = date(2004, 1, 1)
    while day <= date(2026, 12, 31):
        assert CALENDAR.is_workday(day) == chinese_calendar.is_workday(day), day
        day += timedelta(days=1)
