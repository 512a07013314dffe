"""Previews on an entry's page, and the data package beside it."""

from __future__ import annotations

import datetime
import io
import json
import re
import threading
from hashlib import sha256

import frictionless
import openpyxl
import pytest
from bs4 import BeautifulSoup

from mulu_ops.static import server
from mulu_site import charts
from mulu_site.preview import number, view

ITEMS = [{"name": "名称", "data_type": "C", "length": "20"}, {"name": "面积", "data_type": "N"}, {"name": "编号", "data_type": "C"}, {"name": "建成日期", "data_type": "D"}]
PREVIEW = {
    "columns": [
        {"name": "名称", "kind": "text", "filled": 3}, {"name": "面积", "kind": "number", "filled": 3, "min": 1, "max": 9.5, "mean": 4, "bins": [2, 0, 1]},
        {"name": "编号", "kind": "number", "filled": 3, "min": 1, "max": 3, "mean": 2, "bins": [1, 1, 1]},
        {"name": "经度", "kind": "number", "filled": 3, "min": 112, "max": 113, "mean": 112.5, "bins": [2, 1]}, {"name": "纬度", "kind": "text", "filled": 0},
    ],
    "rows": [["甲<b>", "1", "1", "112.5", "29.5"], ["乙", "9.5", "2", "112.6", "29.6"]],
    "total": 1234, "encoding": "gb18030", "points": [[112.5, 29.5], [112.6, 29.6]], "checked": True, "valid": True, "problems": [],
}  # fmt: skip
FILE = {"id": "r1", "name": "公园名录", "url": "https://portal.example/dataset/x/resource/r1/download/a.csv", "format": "CSV", "size": 99,
        "hash": "sha256:" + "a" * 64}  # fmt: skip


def page(shop, **preview) -> BeautifulSoup:
    shop.entry(open_type="unconditional", share_type="unconditional", items=ITEMS, resources=[{**FILE, "preview": PREVIEW | preview}])
    shop.build(portal_url="https://portal.example")
    return BeautifulSoup(shop.read("entry/new/index.html"), "html5lib")


def test_rows_counts_and_a_chart_for_numbers_only(shop) -> None:
    section = page(shop).select_one(".preview")
    assert [th.get_text() for th in section.select("thead th")] == ["名称", "面积", "编号", "经度", "纬度"]
    assert section.select_one("tbody td").get_text() == "甲<b>"
    assert "共 1,234 行" in section.get_text() and "与登记的信息项相符" in section.get_text()
    assert [f.figcaption.get_text() for f in section.select(".small-charts figure")] == ["面积"]  # not the code, not the coordinate
    picture = section.select_one(".small-charts svg")
    assert picture["role"] == "img" and picture.title.get_text() == "面积的分布" and "最大 9.5" in picture.desc.get_text()
    assert section.select_one(".points-map svg .points")["d"].count("M") == 2


@pytest.mark.parametrize(
    ("name", "low", "high", "told"),
    [("年份", 2018, 2025, False), ("统计年度", 1999, 2020, False), ("Year", 2000, 2020, False), ("年份", 1, 30, True), ("年均人数", 1900, 2100, True), ("年份", 2000.5, 2020, True)],
)  # fmt: skip
def test_of_years_no_mean_is_told(shop, name: str, low: float, high: float, told: bool) -> None:
    columns = [{"name": name, "kind": "number", "min": low, "max": high, "mean": 2010.4, "bins": [1, 2]}]
    figure = page(shop, columns=columns, rows=[]).select_one(".small-charts figure")
    assert figure.figcaption.get_text() == name and number(high) in figure.get_text()
    assert ("平均" in figure.get_text()) == told


def test_findings_are_listed(shop) -> None:
    section = page(shop, valid=False, problems=[{"code": "type-error", "count": 7, "text": "有的内容与登记的数据类型不符"}]).select_one(".preview")
    assert "发现 1 类问题" in section.get_text() and "（7 处）" in section.select_one("details").get_text()


def test_of_mixed_classes_nothing_is_said_of_quality(shop) -> None:
    section = page(shop, checked=False, valid=False).select_one(".preview")
    assert "只有向社会开放的列" in section.get_text() and not section.select("details")


@pytest.mark.parametrize(
    "preview",
    [None, [], "x", {}, {"columns": "x"}, {"columns": [None]}, {"columns": [{"name": {"a": 1}, "kind": "number", "bins": ["x"], "min": None}], "rows": [None, 3]},
     {"columns": [{"name": "a"}], "points": [[None, 1], [1], "x", [float("inf"), 2]], "problems": [None], "total": "many"},
     {"columns": [{"name": "a"}], "rows": [["1", "2", "3"], []]}],
)  # fmt: skip
def test_a_preview_of_another_shape_harms_nothing(shop, preview) -> None:
    shop.entry(open_type="unconditional", resources=[{**FILE, "preview": preview}])
    shop.build()
    assert "<h1" in shop.read("entry/new/index.html")


def test_a_wide_table_keeps_the_page_small(shop) -> None:
    columns = [{"name": f"很长的列名{n}" * 20, "kind": "number", "filled": 9, "min": 0, "max": 1, "mean": 0.5, "bins": [1] * 12} for n in range(300)]
    page(shop, columns=columns, rows=[["很长的内容" * 40] * 300] * 10, points=[[112 + n / 1000, 29] for n in range(400)])
    assert len(shop.read("entry/new/index.html").encode()) <= 60_000


@pytest.mark.parametrize(
    ("value", "text"),
    [(2019, "2019"), (2019.0, "2019"), (12345, "12,345"), (2009.2, "2009"), (0.25, "0.25"), (13.54321, "13.54"), (1234567.8, "1,234,568"), (0, "0"), (-3.5, "-3.5"), (1e-7, "0.0000001")],
)  # fmt: skip
def test_numbers_as_people_read_them(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize("points", [[(112.5, 29.5)], [(112.0, 29.0), (113.0, 30.0)], [(-179.0, -89.0), (179.0, 89.0)], [(112.5, 29.5)] * 3])
def test_every_point_lies_inside_the_picture(points) -> None:
    picture = BeautifulSoup(str(charts.map_of(points, "点位")), "html.parser")
    places = re.findall(r"M([\d.]+) ([\d.]+)h", picture.select_one(".points")["d"])
    assert len(places) == len(points)
    assert all(34 <= float(x) <= 606 and 34 <= float(y) <= 366 for x, y in places)
    assert picture.select("text")


def test_columns_are_as_high_as_their_values() -> None:
    picture = BeautifulSoup(str(charts.columns([1, 2, 4], "x", "y")), "html.parser")
    assert [float(bar["height"]) for bar in picture.select(".column")] == [25, 50, 100]
    assert charts.columns([], "x", "y") and charts.columns([0, 0], "x", "y")


def test_data_package_is_valid_and_describes_file_and_columns(shop) -> None:
    page(shop)
    described = json.loads(shop.read("entry/new/datapackage.json"))
    assert frictionless.Package.validate_descriptor(described).valid
    [resource] = described["resources"]
    assert (resource["path"], resource["bytes"], resource["hash"], resource["encoding"]) == (FILE["url"], 99, FILE["hash"], "gb18030")
    assert [(f["name"], f["type"]) for f in resource["schema"]["fields"]] == [
        ("名称", "string"), ("面积", "number"), ("编号", "string"), ("经度", "any"), ("纬度", "any"),
    ]  # fmt: skip
    assert resource["schema"]["fields"][0]["constraints"] == {"maxLength": 20}


def test_a_file_reads_by_its_package(shop, tmp_path) -> None:
    page(shop)
    described = json.loads(shop.read("entry/new/datapackage.json"))
    (tmp_path / "a.csv").write_bytes("名称,面积,编号,经度,纬度\n甲,1.5,007,112.5,29.5\n".encode("gb18030"))
    resource = {**described["resources"][0], "path": "a.csv", "scheme": "file"}
    del resource["hash"], resource["bytes"]
    read = frictionless.Package.from_descriptor({**described, "resources": [resource]}, basepath=str(tmp_path)).resources[0]
    [row] = read.read_rows()
    assert (row["名称"], float(row["面积"]), row["编号"]) == ("甲", 1.5, "007")


def test_without_a_file_there_is_no_package_and_no_link(shop) -> None:
    shop.entry(open_type="none", resources=[])
    shop.build()
    assert not (shop.out / "current/entry/new/datapackage.json").exists()
    assert "datapackage.json" not in shop.read("entry/new/index.html")


def test_previews_stay_out_of_the_bulk_files(shop) -> None:
    page(shop)
    for file in ("entry/new/entry.json", "entries.json", "data.json"):
        assert "乙" not in shop.read(file) and '"bins"' not in shop.read(file)


def test_citation_and_examples(shop) -> None:
    found = page(shop)
    text = found.select_one("#citation").get_text()
    assert re.search(r"^县.+\. .+: 第1版\[DS/OL\]\. 示例县: 示例县政务数据目录, \d{4}\(\d{4}-\d\d-\d\d\)\[引用日期\]\. https://catalogue\.example/entry/new/$", text)
    codes = [code.get_text() for code in found.select(".example")]
    assert codes == ["curl 'https://portal.example/mulu/data/open/r1?limit=10'", "curl 'https://catalogue.example/entry/new/entry.json'"]


def test_view_of_nothing() -> None:
    assert view({}, [], 12) is None
    assert view({"preview": PREVIEW}, ITEMS, 0) is None


REPORT = {"valid": False, "stats": {"tasks": 1, "errors": 1, "warnings": 0, "seconds": 0.1}, "warnings": [], "errors": [], "tasks": []}


def test_the_badge_says_when_and_how_much_was_checked_and_links_the_report(shop) -> None:
    found = page(shop, checked_on="2026-11-20", checked_rows=1000, report=REPORT).select_one(".quality")
    text = found.get_text(" ")
    assert "2026-11-20" in text and "检查了前 1,000 行" in text and "共 1,234 行" in text
    assert found.select_one('a[href="quality.json"]')
    [told] = json.loads(shop.read("entry/new/quality.json"))["files"]
    assert (told["url"], told["hash"], told["checked_rows"]) == (FILE["url"], FILE["hash"], 1000)
    assert not frictionless.Report.from_descriptor(told["report"]).valid


def test_without_a_check_there_is_no_report(shop) -> None:
    found = page(shop, checked=False, valid=False)
    assert not found.select('a[href="quality.json"]') and not (shop.out / "current/entry/new/quality.json").exists()


@pytest.fixture
def web(shop):
    """The site over HTTP by the server that the demo has, at the address that the site believes to be its own."""
    static = server(shop.out / "current", "127.0.0.1", 0)
    threading.Thread(target=static.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{static.server_address[1]}"
    static.shutdown()
    static.server_close()


@pytest.mark.parametrize(("name", "content", "encoding"), [
    ("a.csv", "名称,面积,编号,建成日期\n甲,1.5,007,2024-05-06\n乙,2,008,2024-05-07\n".encode("gb18030"), "gb18030"),
    ("a.csv", "\ufeff名称,面积,编号,建成日期\n甲,1.5,007,2024-05-06\n".encode(), "utf-8"), ("a.xlsx", None, ""),
], ids=["gb18030", "utf-8", "xlsx"])  # fmt: skip
def test_the_data_package_of_a_served_site_is_valid_with_its_files(shop, web: str, tmp_path, name: str, content: bytes | None, encoding: str) -> None:
    """Size, checksum, columns and types as frictionless finds them when it follows the package over HTTP."""
    if content is None:
        book = openpyxl.Workbook()
        book.active.append([item["name"] for item in ITEMS])
        book.active.append(["甲", 1.5, "007", datetime.date(2024, 5, 6)])
        held = io.BytesIO()
        book.save(held)
        content = held.getvalue()
    file = {**FILE, "url": f"{web}/{name}", "format": name.rpartition(".")[2].upper(), "size": len(content), "hash": f"sha256:{sha256(content).hexdigest()}"}
    file["preview"] = {**PREVIEW, "columns": [{"name": item["name"], "kind": "text"} for item in ITEMS], "encoding": encoding}
    shop.entry(open_type="unconditional", share_type="unconditional", items=ITEMS, resources=[file])
    shop.build(site_url=web)
    (shop.out / "current" / name).write_bytes(content)
    report = frictionless.validate(f"{web}/entry/new/datapackage.json")
    assert report.valid, report.to_summary()
    assert report.tasks[0].stats["rows"] >= 1
    if name.endswith("csv"):
        (shop.out / "current" / name).write_bytes(content.replace(b"1.5", b"9.5"))
        assert not frictionless.validate(f"{web}/entry/new/datapackage.json").valid
    else:
        [resource] = json.loads(shop.read("entry/new/datapackage.json"))["resources"]
        assert (resource["byteSize"], f"sha256:{resource['sha256']}") == (len(content), file["hash"])


def test_how_to_verify_is_told_once_where_there_is_a_checksum(shop) -> None:
    found = page(shop)
    assert found.select_one(".hash code").get_text() == "a" * 64
    assert len([d for d in found.select("details") if "certutil -hashfile" in d.get_text()]) == 1
    shop.entries[-1]["resources"][0]["hash"] = ""
    shop.build()
    assert "certutil" not in shop.read("entry/new/index.html")
