"""The list of interfaces and the workbook, each against the snapshot."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import openpyxl
import pytest
from bs4 import BeautifulSoup

from mulu_site import words
from mulu_site.workbook import workbook

API = {"url": "https://portal.example/api/x", "format": "API", "name": "接口"}


@pytest.fixture
def listed(shop):
    """Sixty interfaces: of three scenarios, called 0, 5, 50 and 5,000 times."""
    for n, entry in enumerate(shop.entries):
        entry |= {"resources": [API], "business_items": [["低保认定"], ["入学核验", "低保认定"], []][n % 3], "calls": {"count": (0, 5, 50, 5000)[n % 4]}}
    shop.entries[0] |= {"catalogue_kind": "base", "base_class": "population"}
    shop.build()
    return shop


def names(page: str) -> list[str]:
    return [a["href"].split("/")[-2] for a in BeautifulSoup(page, "html5lib").select(".register .name a")]


def told(shop) -> list[dict]:
    return json.loads(shop.read("apis/apis.json"))


def test_every_interface_once_most_called_first(listed) -> None:
    pages = [listed.read("apis/index.html"), listed.read("apis/2/index.html")]
    seen = [name for page in pages for name in names(page)]
    assert sorted(seen) == sorted(e["name"] for e in listed.entries)
    calls = {e["name"]: e["calls"]["count"] for e in listed.entries}
    assert [calls[name] for name in seen] == sorted(calls.values(), reverse=True)


@pytest.mark.parametrize(("dimension", "truth"), [
    ("frequency", lambda e: ["没有调用记录" if e["calls"]["count"] == 0 else "有人调用" if e["calls"]["count"] == 5 else "月均一次以上" if e["calls"]["count"] == 50 else "日均一次以上"]),
    ("scenario", lambda e: e["business_items"]),
    ("class", lambda e: [words.label("base_class", e["base_class"]) or words.label("catalogue_kind", e["catalogue_kind"])]),
])  # fmt: skip
def test_parts_hold_their_interfaces(listed, dimension, truth) -> None:
    page = BeautifulSoup(listed.read("apis/index.html"), "html5lib")
    expected: dict[str, set[str]] = {}
    for entry in listed.entries:
        for label in truth(entry):
            expected.setdefault(label, set()).add(entry["name"])
    found = {}
    for link in page.select(f'a[href^="../apis/{dimension}/"]'):
        path = link["href"].removeprefix("../")
        members, number = set(), 1
        while (listed.out / "current" / path / (f"{number}/" if number > 1 else "") / "index.html").exists():
            members |= set(names(listed.read(f"{path}{f'{number}/' if number > 1 else ''}index.html")))
            number += 1
        found[link.get_text()] = members
    assert found == expected


def test_of_an_entry_that_is_no_interface_nothing_is_listed(shop) -> None:
    for entry in shop.entries:
        entry |= {"resources": [], "format_class": "database", "format_type": "mysql", "open_mode": ["download"], "share_mode": ["disk"]}
    shop.build()
    assert told(shop) == [] and "还没有提供接口" in shop.read("apis/index.html")
    shop.entries[3] |= {"use_mode": ["verify"]}
    shop.build()
    assert [one["page"].split("/")[-2] for one in told(shop)] == [shop.entries[3]["name"]]


def test_each_says_how_it_is_called_and_how_one_gets_a_key(shop) -> None:
    table = {"name": "表", "id": "r1", "url": "https://portal.example/dataset/x/resource/r1/download/a.csv", "format": "CSV"}
    common = {"use_mode": ["query"], "open_condition": "", "share_type": "conditional"}
    shop.entry(**common, name="free", id="free", open_type="unconditional", resources=[table])
    shop.entry(**common, name="address", id="address", open_type="unconditional", resources=[API])
    shop.entry(**common, name="key", id="key", open_type="conditional", resources=[])
    shop.entry(**common, name="inside", id="inside", open_type="none", resources=[])
    shop.entry(**{**common, "share_type": "none"}, name="closed", id="closed", open_type="none", resources=[])
    shop.header["data_api"] = {"rows": 1000, "calls_per_minute": 60, "x": "y"}
    shop.build(portal_url="https://portal.example")
    found = {one["id"]: one for one in told(shop)}
    key = "curl -H 'Authorization: Bearer 密钥' 'https://portal.example/mulu/data/授权编号?limit=10'"
    assert {name: (found[name]["access"], found[name]["call"]) for name in ("free", "address", "key", "inside", "closed")} == {
        "free": ("free", "curl 'https://portal.example/mulu/data/open/r1?limit=10'"), "address": ("free", "curl 'https://portal.example/api/x'"),
        "key": ("key", key), "inside": ("departments", key), "closed": ("closed", ""),
    }  # fmt: skip
    assert found["key"]["apply_at"] == "https://catalogue.example/guide/apply/" and found["free"]["apply_at"] == ""
    assert found["key"]["limits"] == {"rows": 1000, "calls_per_minute": 60} and found["closed"]["limits"] == {}
    how = BeautifulSoup(shop.read("apis/index.html"), "html5lib").select_one('section[aria-labelledby="how"]').get_text()
    assert "每次最多 1,000 行" in how and "每分钟最多 60 次" in how
    shop.header["data_api"] = {"rows": 500}
    assert "apis" in shop.build(portal_url="https://portal.example").made
    assert "每分钟" not in shop.read("apis/index.html")


def test_the_list_is_made_anew_only_with_its_interfaces(listed) -> None:
    listed.entries[5] |= {"resources": [], "format_class": "database", "format_type": "mysql", "open_mode": [], "share_mode": [], "use_mode": []}
    assert "apis" in listed.build().made
    listed.entries[5] |= {"notes": "改过的摘要"}
    assert "apis" not in listed.build().made


@pytest.mark.parametrize("calls", [None, 3, "x", [], {"count": "many"}, {"count": -1}])
def test_odd_values_harm_nothing(shop, calls) -> None:
    shop.entry(resources=[API], calls=calls, business_items=[None, {"a": 1}, "<b>场景</b>"])
    shop.build()
    one = next(one for one in told(shop) if one["page"].endswith("/new/"))
    assert one["calls"] == 0 and one["scenarios"] == ["<b>场景</b>"]
    assert not BeautifulSoup(shop.read("apis/index.html"), "html5lib").select("main b")


def test_workbook_holds_the_rows_of_the_csv(site: Path) -> None:
    rows = list(csv.reader(io.StringIO((site / "entries.csv").read_bytes().decode("utf-8-sig"))))
    sheet = openpyxl.load_workbook(site / "entries.xlsx").active
    assert [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)] == rows
    assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref == sheet.dimensions and sheet["A1"].font.b


def test_workbook_keeps_text_text() -> None:
    rows = [["甲", "乙"], ["=1+1", "  两边有空格 "], ["<&>\"'", "😀𠮷"], ["x" * 40_000, ""]]
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(rows))).active
    assert [sheet.cell(2, n).value for n in (1, 2)] == ["=1+1", "  两边有空格 "] and sheet["A2"].data_type != "f"
    assert [sheet.cell(3, n).value for n in (1, 2)] == ["<&>\"'", "😀𠮷"]
    assert len(sheet["A4"].value) == 32_000 and sheet["B4"].value is None


def test_the_same_rows_give_the_same_workbook() -> None:
    rows = [["甲"], ["乙"]]
    assert workbook(rows) == workbook(rows)
