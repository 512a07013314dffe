"""Previews of files for the public site: of what everybody may have, nothing of what is closed, and what odd files make of it."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path

import frictionless
import granting
import openpyxl
import pytest
from ckan import model
from granting import CONDITIONAL, item
from sqlalchemy import insert

from ckanext.mulu import previews, snapshot
from ckanext.mulu.model.tables import use as use_table
from ckanext.mulu.previews.reader import POINTS, REPORTED, ROWS, harmless
from mulu.case import SHANGHAI

OPEN = {"share_type": "unconditional", "open_type": "unconditional", "share_condition": "", "open_condition": ""}
SECRET = "闭合列的内容"


def line(title):
    return next(one for one in snapshot.published() if one["title"] == title)


def preview_of(town, title, file, name="表.csv", names=("名称", "数量"), **more):
    items = more.pop("items", [item(one) for one in names])
    granting.published(town, title, file, name, items=items, **{**OPEN, **more})
    return line(title)["resources"][0].get("preview")


def test_first_rows_columns_and_checksum_of_an_open_file(town):
    file = "名称,数量\n" + "".join(f"站点{n},{n * 2}\n" for n in range(1, 31))
    found = preview_of(town, "公开站点", file.encode("gb18030"), items=[item("名称", data_type="C"), item("数量", data_type="I")])
    assert found["rows"] == [[f"站点{n}", str(n * 2)] for n in range(1, ROWS + 1)]
    assert found["total"] == 30 and found["valid"] and found["problems"] == []
    name, number = found["columns"]
    assert (name["name"], name["kind"], name["filled"]) == ("名称", "text", 30)
    assert (number["kind"], number["min"], number["max"], number["mean"], sum(number["bins"])) == ("number", 2, 60, 31, 30)
    resource = line("公开站点")["resources"][0]
    assert resource["hash"] == "sha256:" + sha256(file.encode("gb18030")).hexdigest()
    assert resource["size"] == len(file.encode("gb18030"))


@pytest.mark.parametrize("classes", [CONDITIONAL, {**CONDITIONAL, "open_type": "none", "open_condition": "", "open_ground": "security",
                                                   "open_basis": "《中华人民共和国数据安全法》第二十一条", "open_review_on": "2030-01-01"}])  # fmt: skip
def test_nothing_of_a_closed_file_is_read(town, classes, monkeypatch):
    title = f"闭合名册{classes['open_type']}"
    file = f"名称,数量\n{SECRET},1\n".encode()
    granting.published(town, title, file, items=[item("名称"), item("数量")], **classes)
    monkeypatch.setattr(previews, "_made", lambda asked: pytest.fail(f"read {asked}"))
    text = json.dumps(line(title), ensure_ascii=False)
    assert "preview" not in text and SECRET not in text and sha256(file).hexdigest() not in text


def test_of_mixed_classes_only_the_open_columns_are_shown(town):
    items = [item("名称"), item("数量", open_type="conditional")]
    file = f"名称,数量,未登记的列\n张三,{SECRET},{SECRET}\n".encode()
    found = preview_of(town, "半开站点", file, items=items, **{**OPEN, "open_condition": "限研究使用"})
    assert [one["name"] for one in found["columns"]] == ["名称"] and found["rows"] == [["张三"]]
    assert not found["checked"] and found["problems"] == []
    assert SECRET not in json.dumps(line("半开站点"), ensure_ascii=False)
    assert sha256(file).hexdigest() not in json.dumps(line("半开站点"))


def test_a_header_that_stands_twice_opens_neither_column(town):
    items = [item("名称"), item("数量", open_type="conditional")]
    found = preview_of(town, "重名站点", f"名称,名称,数量\n甲,{SECRET},1\n".encode(), items=items, **{**OPEN, "open_condition": "限研究使用"})
    assert found is None


def test_a_file_of_another_package_is_never_read(town):
    closed = granting.published(town, "别家名册", f"名称\n{SECRET}\n".encode(), items=[item("名称")], **CONDITIONAL)
    entry = {**line("公开站点"), "resources": [{"id": closed["resources"][0]["id"], "url": "x.csv", "format": "CSV"}]}
    assert previews.described(entry, previews.Budget())["resources"] == entry["resources"]


def test_what_is_wrong_with_a_file_is_told(town):
    items = [item("名称", data_type="C"), item("数量", data_type="N"), item("缺少的项")]
    found = preview_of(town, "有错站点", "名称,数量,多出的列\n甲,很多,x\n乙,2\n".encode(), items=items)
    told = {one["code"]: one["text"] for one in found["problems"]}
    assert not found["valid"]
    assert "第2行“数量”列" in told["type-error"] and "缺少的项" in told["missing-item"] and "多出的列" in told["extra-column"]
    assert "missing-cell" in told


def test_the_report_is_frictionless_own_and_says_nothing_of_this_machine(town):
    found = preview_of(town, "有报告", "名称,数量\n甲,很多\n乙,2\n".encode(), items=[item("名称", data_type="C"), item("数量", data_type="N")])
    report = frictionless.Report.from_descriptor(found["report"])
    assert not report.valid and [error.type for error in report.tasks[0].errors] == ["type-error"]
    assert (found["checked_rows"], found["checked_on"]) == (2, datetime.now(SHANGHAI).date().isoformat())
    assert "/" not in report.tasks[0].place and "mulu-" not in json.dumps(found)
    good = preview_of(town, "无错报告", "名称,数量\n甲,1\n".encode(), items=[item("名称", data_type="C"), item("数量", data_type="N")])
    assert good["valid"] and frictionless.Report.from_descriptor(good["report"]).valid


def test_a_file_full_of_errors_has_a_report_of_bounded_size(town):
    names = [f"列{n}" for n in range(300)]
    file = (",".join(names) + "\n" + (",".join(["很长的内容" * 5] * 300) + "\n") * 20).encode()
    found = preview_of(town, "满是错误", file, items=[item(name, data_type="N") for name in names])
    assert len(found["report"]["tasks"][0]["errors"]) == REPORTED and len(json.dumps(found["report"], ensure_ascii=False)) < 60_000


def test_merged_headers_days_and_one_column(town):
    book = openpyxl.Workbook()
    book.active.append(["名称", None, "日期"])
    book.active.merge_cells("A1:B1")
    book.active.append(["甲", "乙", date(2024, 5, 6)])
    held = io.BytesIO()
    book.save(held)
    found = preview_of(town, "合并表头", held.getvalue(), "表.xlsx", names=("名称", "日期"))
    assert found["rows"] == [["甲", "乙", "2024-05-06"]] and [one["name"] for one in found["columns"]] == ["名称", "列2", "日期"]
    assert any("列名为空" in one["text"] for one in found["problems"])
    assert preview_of(town, "只有一列", "名称\n甲\n".encode(), names=("名称",))["rows"] == [["甲"]]
    assert preview_of(town, "只有表头", "名称,数量\n".encode())["total"] == 0


def test_a_workbook_that_unpacks_to_gigabytes_stops_nothing(town, monkeypatch):
    monkeypatch.setattr(previews, "SECONDS", 4)
    held = io.BytesIO()
    openpyxl.Workbook().save(held)
    bomb = io.BytesIO()
    with zipfile.ZipFile(held) as book, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in book.namelist():
            if name != "xl/worksheets/sheet1.xml":
                packed.writestr(name, book.read(name))
        with packed.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>')
            for _ in range(1000):
                sheet.write((b'<row><c t="inlineStr"><is><t>' + b"a" * 1000 + b"</t></is></c></row>") * 1000)
    assert len(bomb.getvalue()) < previews.LARGEST
    assert preview_of(town, "解压炸弹", bomb.getvalue(), "表.xlsx") is None
    assert line("解压炸弹")["resources"][0]["hash"].startswith("sha256:")


def test_history_names_the_class_of_each_version_and_who_agreed(town):
    granting.published(town, "历次属性", b"x\n1\n", items=[item("x")], **OPEN)
    told = line("历次属性")
    [version] = told["history"]
    assert (version["open_type"], version["share_type"], version["summary"]) == ("unconditional", "unconditional", "首次发布")
    assert set(version) == {"version", "published_at", "summary", "open_type", "share_type"}
    assert told["class_decision"]["department"] == told["provider_title"] and told["class_decision"]["reviewed_by"] == snapshot.entries.profile().authority_name


def test_points_are_taken_where_there_are_coordinates(town):
    rows = "".join(f"点{n},{112 + n / 1000},{29 + n / 1000}\n" for n in range(1000))
    found = preview_of(town, "点位", f"名称,经度,纬度\n{rows}坏点,,\n零点,0,0\n远点,999,3\n".encode(), names=("名称", "经度", "纬度"))
    assert 0 < len(found["points"]) <= POINTS and found["points"][0] == [112.0, 29.0]
    assert all(112 <= x <= 113 and 29 <= y <= 30 for x, y in found["points"])


def test_a_workbook_and_its_formulas(town):
    book = openpyxl.Workbook()
    book.active.append(["名称", "数量"])
    book.active.append(["=HYPERLINK(1)", 3])
    book.active.append(["-1+1|cmd", 4.5])
    held = io.BytesIO()
    book.save(held)
    found = preview_of(town, "工作簿", held.getvalue(), "表.xlsx")
    assert [row[1] for row in found["rows"]] == ["3", "4.5"] and found["rows"][1][0] == "'-1+1|cmd"
    assert [harmless(one) for one in ("=1", "@x", "+1", "-5", "-a", "x=1", "\tx")] == ["'=1", "'@x", "'+1", "-5", "'-a", "x=1", "'\tx"]


@pytest.mark.parametrize(
    ("title", "file", "name"),
    [("空文件", b"", "表.csv"), ("二进制", b"\x00\x01\x02,\xff\xfe", "表.csv"), ("假工作簿", b"PK\x03\x04 no", "表.xlsx"), ("说明书", b"%PDF-1.4", "说明.pdf"),
     ("四百列", (",".join(f"列{n}" for n in range(400)) + "\n" + ",".join("1" * 400) + "\n").encode(), "表.csv")],
)  # fmt: skip
def test_a_file_that_is_no_table_has_no_preview_and_stops_nothing(town, title, file, name):
    assert preview_of(town, title, file, name) is None
    assert line(title)["resources"][0]["size"] == len(file)


def test_a_large_file_is_not_looked_into(town, monkeypatch):
    monkeypatch.setattr(previews, "LARGEST", 30)
    assert preview_of(town, "大文件", "名称,数量\n".encode() + b"a,1\n" * 20) is None


def test_a_file_at_which_reading_never_ends_has_no_preview(town, monkeypatch):
    monkeypatch.setattr(previews, "SECONDS", 1)
    monkeypatch.setattr(previews, "READER", (sys.executable, "-c", "while True: pass"))
    assert preview_of(town, "慢文件", "名称,数量\n慢,1\n".encode()) is None
    monkeypatch.setattr(previews, "_made", lambda asked: pytest.fail("tried again"))
    assert line("慢文件")["resources"][0]["hash"].startswith("sha256:")


def test_a_file_that_eats_the_memory_has_no_preview(town, monkeypatch):
    monkeypatch.setattr(previews, "READER", (sys.executable, "-c", "x = bytearray(3_000_000_000)"))
    assert preview_of(town, "大胃口", "名称,数量\n胃,1\n".encode()) is None


def test_on_a_busy_machine_reading_is_left_for_the_next_time(town, monkeypatch):
    monkeypatch.setattr(previews, "PATIENCE", 0.3)
    with monkeypatch.context() as busy:
        busy.setattr(previews, "READER", (sys.executable, "-c", "import time; time.sleep(60)"))
        assert preview_of(town, "忙文件", "名称,数量\n忙,1\n".encode()) is None
    monkeypatch.setattr(previews, "PATIENCE", 60)
    assert line("忙文件")["resources"][0]["preview"]["rows"] == [["忙", "1"]]


def test_a_preview_is_made_once(town, monkeypatch):
    preview_of(town, "只读一次", "名称,数量\n甲,1\n".encode())
    monkeypatch.setattr(previews, "_made", lambda asked: pytest.fail("read again"))
    assert line("只读一次")["resources"][0]["preview"]["rows"] == [["甲", "1"]]


def test_a_snapshot_does_not_wait_for_files_that_nobody_read_yet(town, monkeypatch):
    preview_of(town, "等下一次", "名称,数量\n甲,9\n".encode())
    entry = line("等下一次")
    for kept in previews.folder().glob("*.json"):
        Path(kept).unlink()
    bare = {**entry, "resources": [{k: v for k, v in entry["resources"][0].items() if k != "preview"}]}
    assert "preview" not in previews.described(bare, previews.Budget(seconds=0))["resources"][0]
    assert previews.described(bare, previews.Budget())["resources"][0]["preview"]["rows"] == [["甲", "9"]]


def test_calls_of_whole_months_are_counted_and_nobody_is_named(town):
    entry = granting.published(town, "被调用", "名称,数量\n甲,1\n".encode(), items=[item("名称"), item("数量")], **CONDITIONAL)
    today = datetime.now(SHANGHAI).date()
    this_month = today.replace(day=1)
    last_month, long_ago = this_month - timedelta(days=1), this_month.replace(year=this_month.year - 1) - timedelta(days=1)

    def called(day, how="api", status=200):
        values = {"grant_id": "g", "case_id": "c", "resource_id": "", "format": "json", "rows": 1, "bytes": 1, "package_id": entry["id"], "how": how, "status": status, "who": "某人", "scenario": "某场景", "at": datetime.combine(day, time(12), SHANGHAI)}
        model.Session.execute(insert(use_table).values(**values))

    for day, more in ((last_month, {}), (last_month, {"status": 304}), (last_month, {"status": 403}), (last_month, {"how": "download"}), (long_ago, {}), (today, {})):
        called(day, **more)
    model.Session.commit()
    found = line("被调用")
    assert found["calls"] == {"count": 2, "from": f"{this_month.replace(year=this_month.year - 1):%Y-%m}", "to": f"{last_month:%Y-%m}"}
    assert "某人" not in json.dumps(found, ensure_ascii=False) and "某场景" not in json.dumps(found, ensure_ascii=False)
    assert "calls" not in line("公开站点")
