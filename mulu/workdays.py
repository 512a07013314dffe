"""Working days (法定工作日): weekdays that are no holiday, and the weekend days that are made up for (调休).

The State Council's General Office announces each year's holidays late in the year before. A count that runs into a year
not yet announced knows only the weekends of it: such a date is *provisional* (暂定) and is computed anew once the year is
loaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import yaml

CALENDARS = Path(__file__).parent / "calendars"
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Due:
    """The last day of a period; ``provisional`` when a year that it touches is not announced."""

    date: date
    provisional: bool


@dataclass(frozen=True)
class Calendar:
    """The announced years with their holidays and make-up working days (weekend days that are worked)."""

    years: frozenset[int]
    holidays: frozenset[date]
    makeup: frozenset[date]

    @classmethod
    def load(cls, folder: Path = CALENDARS) -> Calendar:
        """All ``<year>.yml`` of a folder: ``{year, source, holidays: {date: name}, makeup_workdays: {date: name}}``.

        Read anew when a file was added or changed, so that an announced year is known without a restart.
        """
        files = sorted((one.name, one.stat().st_mtime_ns) for one in os.scandir(folder) if one.name.endswith(".yml"))
        return _load(folder, tuple(files))

    @classmethod
    def of(cls, years: Iterable[int], holidays: Iterable[date] = (), makeup: Iterable[date] = ()) -> Calendar:
        return cls(frozenset(years), frozenset(holidays), frozenset(makeup))

    def announced(self, year: int) -> bool:
        return year in self.years

    def is_workday(self, day: date) -> bool:
        """In a year that is not announced: Monday to Friday."""
        return day in self.makeup or (day.weekday() < 5 and day not in self.holidays)

    def add(self, start: date, days: int) -> Due:
        """The last of ``days`` working days counted from the day after ``start``.

        The day on which a period begins does not count. With ``days`` 0 it is ``start`` itself, or the next working day
        when ``start`` is none. ``days`` < 0 counts back.
        """
        step = -_DAY if days < 0 else _DAY
        day, left = start, abs(days)
        provisional = not self.announced(day.year)
        while left or not self.is_workday(day):
            day += step
            provisional = provisional or not self.announced(day.year)
            if left and self.is_workday(day):
                left -= 1
        return Due(day, provisional)

    def between(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and with ``end``; negative when ``end`` lies before ``start``.

        For a working day ``add(start, n).date`` this gives ``n`` back.
        """
        if end < start:
            return -self.between(end, start)
        return sum(self.is_workday(start + _DAY * n) for n in range(1, (end - start).days + 1))


@lru_cache(maxsize=4)
def _load(folder: Path, files: tuple[tuple[str, int], ...]) -> Calendar:
    years: set[int] = set()
    holidays: set[date] = set()
    makeup: set[date] = set()
    for name, _ in files:
        data = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
        years.add(int(data["year"]))
        holidays.update(data["holidays"])
        makeup.update(data["makeup_workdays"])
    return Calendar(frozenset(years), frozenset(holidays), frozenset(makeup))
