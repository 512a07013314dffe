"""The days that the site shows are those of China."""

from __future__ import annotations

import json

import pytest

from mulu_site.days import day_of

NIGHT, DAY = "2026-03-01T23:10:00+00:00", "2026-03-02"


@pytest.mark.parametrize(
    ("told", "day"),
    [(NIGHT, DAY), ("2026-03-01T16:00:00Z", DAY), ("2026-03-01T15:59:59+00:00", "2026-03-01"), ("2026-03-02T00:10:00+08:00", DAY),
     ("2026-03-02T01:00:00", DAY), (DAY, DAY), (f" {DAY} ", DAY), ("9999-12-31T23:00:00+00:00", "9999-12-31"), ("建站以来一直如此没有日期", "建站以来一直如此没有"),
     ("soon", "soon"), ("", ""), (None, ""), (20260302, "20260302")],
)  # fmt: skip
def test_an_instant_falls_on_its_day_in_china(told: object, day: str) -> None:
    assert day_of(told) == day


def test_published_in_the_small_hours_it_is_published_today_everywhere(shop) -> None:
    shop.header["generated_at"] = NIGHT
    gone = shop.entries.pop()
    history = [{"version": 1, "published_at": NIGHT, "summary": "首次发布"}]
    told = {"history": history, "published_at": NIGHT, "data_updated_on": "2026-02-01", "open_review_on": NIGHT}
    shop.entries.append(gone)
    shop.build()
    shop.entries.remove(gone)
    shop.entry(**told)
    shop.build()
    page = shop.read("entry/new/index.html")
    assert "2026年3月2日" in page and DAY in page and "2026-03-01" not in page
    dates = json.loads(shop.read("data.json"))["dataset"]
    assert next(one for one in dates if one["identifier"] == "new")["issued"] == DAY
    assert f'"{DAY}"^^xsd:date' in shop.read("entry/new/dcat.ttl")
    assert f"<updated>{DAY}T00:00:00+08:00</updated>" in shop.read("atom.xml")
    assert f"截至 <time datetime=\"{DAY}\">" in shop.read("dashboard/index.html")
    assert DAY in shop.read(f"entry/{gone['name']}/index.html"), "the day of the withdrawal"
