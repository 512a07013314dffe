"""The board tells what the snapshot holds: every number counted again from the entries."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from mulu.freshness import due_on
from mulu_site import dashboard, lists
from mulu_site.ledger import read_ledger
from mulu_site.place import site_of
from mulu_site.row import row_of
from mulu_site.snapshot import open_snapshot

TODAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def entries(snapshot: Path) -> list[dict]:
    return [line.entry() for line in open_snapshot(snapshot).lines()]


@pytest.fixture(scope="module")
def board(snapshot: Path) -> dict:
    source = open_snapshot(snapshot)
    rows = [row_of(line.entry()) for line in source.lines()]
    groups = lists.group(rows, lists.department_titles(source.departments))
    return dashboard.view(rows, groups, read_ledger(source.header), site_of(source, []), TODAY.isoformat())


def view(entries: list[dict], today: str = TODAY.isoformat(), header: dict | None = None, snapshot: Path | None = None) -> dict:
    rows = [row_of(entry) for entry in entries]
    return dashboard.view(rows, lists.group(rows, {}), read_ledger(header or {}), site_of(open_snapshot(snapshot), []), today)  # type: ignore[arg-type]


def test_classes_departments_and_themes(board: dict, entries: list[dict]) -> None:
    for axis, field in (("open", "open_type"), ("share", "share_type")):
        told = next(one for one in board["classes"] if one["axis"] == axis)
        assert {row["key"]: row["count"] for row in told["rows"]} == Counter(e[field] for e in entries)
    assert {row["label"]: row["count"] for row in board["departments"]} == dict(Counter(e["provider_title"] for e in entries).most_common(20)) or (
        sorted((row["count"] for row in board["departments"]), reverse=True) == sorted(Counter(e["provider_title"] for e in entries).values(), reverse=True)[:20]
    )
    for row in board["departments"]:
        own = [e for e in entries if e["provider_title"] == row["label"]]
        assert dict(row["parts"]) == {"unknown": 0} | {key: sum(e["open_type"] == key for e in own) for key in ("unconditional", "conditional", "none")}
    assert sum(row["count"] for row in board["themes"]) == len(entries)


def test_growth_counts_first_publications_by_month(board: dict, entries: list[dict]) -> None:
    months = Counter(e["history"][0]["published_at"][:7] for e in entries)
    growth = board["growth"]
    assert (growth["first"], growth["last"], len(growth["rows"])) == ("2024-04", "2026-03", 24)
    assert {row["month"]: row["added"] for row in growth["rows"]} == {month: months[month] for month in (row["month"] for row in growth["rows"])}
    assert growth["rows"][-1]["total"] == len(entries) and growth["undated"] == 0


def test_a_later_version_is_no_new_entry_and_odd_dates_are_told_apart(entries: list[dict], snapshot: Path) -> None:
    again = {**entries[0], "published_at": "2026-02-01T09:00:00+08:00", "history": [{"version": 1, "published_at": "2025-05-01"}, {"version": 2, "published_at": "2026-02-01"}]}
    odd = [{**entries[1], "name": "no-date", "history": [], "published_at": "", "published_on": ""}, {**entries[1], "name": "later", "history": [{"published_at": "2031-01-01"}]}]
    growth = view([again, *odd], snapshot=snapshot)["growth"]
    assert {row["month"]: row["added"] for row in growth["rows"] if row["added"]} == {"2025-05": 1}
    assert growth["undated"] == 2


def test_freshness_follows_frequency_and_date(board: dict, entries: list[dict]) -> None:
    state = Counter()
    for e in entries:
        due = due_on(e["update_frequency"], date.fromisoformat(e["data_updated_on"]))
        state["free" if due is None else "late" if due < TODAY else "timely"] += 1
    fresh = board["fresh"]
    assert {key: fresh[key] for key in ("free", "late", "timely", "undated")} == {"undated": 0, **{key: state[key] for key in ("free", "late", "timely")}}
    days = [one["days"] for one in fresh["worst"]]
    assert days == sorted(days, reverse=True) and len(days) == min(15, state["late"])
    assert {row["label"] for row in fresh["frequencies"]}.isdisjoint({"不定期", "不更新"})


def test_a_frequency_without_a_date_is_undated_not_overdue(entries: list[dict], snapshot: Path) -> None:
    fresh = view([{**entries[0], "update_frequency": "monthly", "data_updated_on": ""}], snapshot=snapshot)["fresh"]
    assert (fresh["undated"], fresh["late"], fresh["timely"], fresh["share"]) == (1, 0, 0, "—")


def test_without_a_date_of_the_snapshot_nothing_is_said_of_time(entries: list[dict], snapshot: Path) -> None:
    found = view(entries[:5], today="", snapshot=snapshot)
    assert found["growth"] is None and found["fresh"] is None and found["today"] == ""


@pytest.mark.parametrize(("part", "whole", "text"), [(0, 0, "—"), (0, 9, "0%"), (9, 9, "100%"), (1, 1000, "1%"), (999, 1000, "99%"), (1, 3, "33%")])
def test_per_cent(part: int, whole: int, text: str) -> None:
    assert dashboard._percent(part, whole) == text


def test_demands_and_answers_come_from_the_ledger(board: dict, snapshot: Path) -> None:
    ledger = open_snapshot(snapshot).header["ledger"]
    assert [(row["title"], row["count"]) for row in board["wanted"]] == [(d["title"], d["count"]) for d in ledger["demands"]]
    assert {row["procedure"]: row["days"] for row in board["answers"]} == {key: row["days"] for key, row in ledger["counts"].items()}
    limits = {row["procedure"]: row["limit"] for row in board["answers"]}
    assert limits["error_check"] == 5  # 湖南 第二十二条, which huarong follows


def test_an_empty_catalogue_has_a_board(shop) -> None:
    shop.entries.clear()
    shop.header["ledger"] = {}
    shop.build()
    page = BeautifulSoup(shop.read("dashboard/index.html"), "html5lib")
    assert page.select_one(".headline dd").get_text() == "0"


def test_page_says_every_number_in_words_as_well(site: Path, board: dict) -> None:
    page = BeautifulSoup((site / "dashboard/index.html").read_text(), "html5lib")
    for picture in page.select("main svg:not(.key)"):
        if picture.get("role") == "img":
            assert picture.title.get_text() and picture.desc.get_text()
        else:
            assert picture["aria-hidden"] == "true" and picture.find_parent(["tr", "div"]).get_text(strip=True)
    cells = [td.get_text() for td in page.select("#growth ~ *, .numbers td")]
    assert str(board["growth"]["rows"][-1]["total"]) in cells
    assert not page.select("[style]")


def test_numbers_as_csv(site: Path, board: dict) -> None:
    rows = list(csv.reader(io.StringIO((site / "dashboard/dashboard.csv").read_bytes().decode("utf-8-sig"))))
    assert rows[0] == ["部分", "名称", "数量"]
    told = {(part, name): count for part, name, count in rows}
    assert told["更新是否及时", "逾期未更新"] == str(board["fresh"]["late"])
    assert told["部门", board["departments"][0]["label"]] == str(board["departments"][0]["count"])


def test_unchanged_entries_and_day_make_no_new_board(shop) -> None:
    shop.build()
    assert "page/dashboard/index.html" not in shop.build().made
    shop.header["generated_at"] = "2027-01-01T08:00:00+08:00"
    assert "page/dashboard/index.html" in shop.build().made


def test_a_snapshot_without_a_day_has_a_board_without_what_depends_on_it(shop) -> None:
    shop.header["generated_at"] = "soon"
    shop.build()
    assert "截至" not in shop.read("dashboard/index.html")
