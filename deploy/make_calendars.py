"""Write ``mulu/calendars/<year>.yml`` from the package ``chinesecalendar``.

Run once a year, after the State Council's General Office has announced the next year's holidays (usually in November)
and the package has been updated:  ``python deploy/make_calendars.py``. Files are data under review like any other: read
the difference before you commit it. The rules core never imports the package; it reads these files only.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import yaml
from chinese_calendar import constants

CALENDARS = Path(__file__).resolve().parents[1] / "mulu" / "calendars"


def of_year(days: dict[date, str], year: int) -> dict[date, str]:
    return {day: str(name) for day, name in sorted(days.items()) if day.year == year}


def main() -> None:
    CALENDARS.mkdir(exist_ok=True)
    for year in range(min(constants.holidays).year, max(constants.holidays).year + 1):
        calendar = {
            "year": year,
            "source": f"国务院办公厅关于{year}年部分节假日安排的通知",
            "holidays": of_year(constants.holidays, year),
            "makeup_workdays": of_year(constants.workdays, year),
        }
        text = yaml.safe_dump(calendar, allow_unicode=True, sort_keys=False)
        (CALENDARS / f"{year}.yml").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
