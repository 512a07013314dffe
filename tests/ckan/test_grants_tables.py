"""Published files as tables: read as they are written, in the encodings and shapes that departments have."""

from __future__ import annotations

import io
from datetime import date

import granting
import openpyxl
import pytest
from ckan import model
from granting import CONDITIONAL, get, item, told
from sqlalchemy import text

from ckanext.mulu.grants import tables
from ckanext.mulu.grants.query import match


def sheet(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def had(town, title, file, name, items, granted=None):
    """(status, first page) that the grantee of these items has."""
    entry = granting.published(town, title, file, name, items=[item(one) for one in items])
    grant = granting.grant(town, entry["id"], list(granted or items), case=title)
    return grant, get(town, "other_editor", f"/mulu/data/{grant}")


FILES = {
    "UTF-8": ("姓名,编号\n㐂旺,007\n".encode(), "甲.csv"),
    "UTF-8 with a mark": ("姓名,编号\n㐂旺,007\n".encode("utf-8-sig"), "甲.csv"),
    "GB18030, a rare character": ("姓名,编号\n㐂旺,007\n".encode("gb18030"), "甲.csv"),
    "Windows line ends and blank rows": ("姓名,编号\r\n\r\n㐂旺,007\r\n,\r\n".encode("gb18030"), "甲.csv"),
    "quotes": ('"姓名","编号"\n"㐂旺","007"\n'.encode(), "甲.csv"),
    "semicolons": ("姓名;编号\n㐂旺;007\n".encode(), "甲.csv"),
    "full width and blanks in the header": (" 姓 名 ,编号\n㐂旺,007\n".encode(), "甲.csv"),
    "more cells than columns": ("姓名,编号\n㐂旺,007,多余\n".encode(), "甲.csv"),
    "a workbook": (sheet(["姓名", "编号"], ["㐂旺", "007"]), "甲.xlsx"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_is_read_as_it_is_written(town, case):
    file, name = FILES[case]
    _, answer = had(town, f"名册{list(FILES).index(case)}", file, name, ["姓名", "编号"])
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.json["rows"] == [{"姓名": "㐂旺", "编号": "007"}]


def test_types_follow_all_cells(town):
    rows = [["金额", "编号", "日期", "长号", "混合"], [1.5, "0012", date(2025, 1, 2), "123456789012345678", 1], [2, "0013", date(2025, 1, 3), "1", "无"]]
    _, answer = had(town, "类型表", sheet(*rows), "类型.xlsx", rows[0])
    assert answer.json["rows"] == [
        {"金额": 1.5, "编号": "0012", "日期": "2025-01-02", "长号": "123456789012345678", "混合": "1"},
        {"金额": 2, "编号": "0013", "日期": "2025-01-03", "长号": "1", "混合": "无"},
    ]


def test_formulas_stay_text_in_a_workbook(town):
    grant, _ = had(town, "公式表", '姓名\n=1+1\n"=HYPERLINK(""x"")"\n'.encode(), "公式.csv", ["姓名"])
    book = openpyxl.load_workbook(io.BytesIO(get(town, "other_editor", f"/mulu/data/{grant}?format=xlsx").get_data()))
    assert [(cell.value, cell.data_type) for (cell,) in book.active.iter_rows(min_row=2)] == [("=1+1", "s"), ('=HYPERLINK("x")', "s")]


def test_headers_that_no_database_takes(town):
    long = "这是一个很长很长的信息项名称用来说明列名可以超过六十三个字节也不会被截断"
    file = f'{long},_内部,"带""引号"\n1,2,3\n'.encode()
    _, answer = had(town, "怪列名", file, "怪.csv", [long, "_内部", '带"引号'])
    assert answer.json["rows"] == [{long: 1, "_内部": 2, '带"引号': 3}]


def test_items_without_a_column_are_told(town):
    grant, answer = had(town, "缺列表", "姓名,电话,电话\n甲,1,2\n".encode(), "缺.csv", ["姓名", "住址", "电话"])
    assert (answer.json["fields"], answer.json["unmatched"]) == (["姓名"], ["住址", "电话"])
    assert town.do("editor", "mulu_grant_show", id=grant)["resources"][0]["unmatched"] == ["住址", "电话"]
    _, answer = had(town, "全缺表", "甲,乙\n1,2\n".encode(), "全缺.csv", ["姓名"])
    assert told(answer) == (422, "no_column")


@pytest.mark.parametrize(
    ("file", "name"),
    [(b"", "空.csv"), (b"\x89PNG\r\n\x1a\n\x00\x00", "图.csv"), (b"not a workbook", "坏.xlsx"), ("姓名\n".encode("utf-16"), "怪.csv"), (b"\n\n", "空行.csv"), (b"PK\x03\x04 broken", "断.xlsx")],
    ids=["empty", "picture", "not a workbook", "utf-16", "blank", "broken"],
)  # fmt: skip
def test_what_is_no_table_is_given_whole_or_not_at_all(town, file, name):
    _, answer = had(town, f"部分{name}", file, name, ["姓名", "电话"], ["姓名"])
    assert told(answer) == (422, "only_whole")
    _, answer = had(town, f"全部{name}", file, name, ["姓名", "电话"])
    assert (answer.status_code, answer.get_data()) == (200, file)


def test_a_document_is_given_whole_only_with_all_items(town):
    grant, answer = had(town, "报告", b"%PDF-1.4 content", "报告.pdf", ["姓名", "电话"])
    assert (answer.status_code, answer.get_data()) == (200, b"%PDF-1.4 content")
    [line] = model.Session.execute(text("select how, rows, bytes, status from mulu_use where grant_id = :id"), {"id": grant})
    assert tuple(line) == ("download", 0, 16, 200)
    grant, answer = had(town, "部分报告", b"%PDF-1.4 content", "报告.pdf", ["姓名", "电话"], ["电话"])
    assert told(answer) == (422, "only_whole")
    assert "全部信息项" in town.do("other_editor", "mulu_grant_show", id=grant)["resources"][0]["why_not"]


def test_a_table_that_is_not_loaded_yet_is_waited_for(town):
    draft = town.draft("迟到表", items=[item("姓名")], **CONDITIONAL)
    town.do("editor", "resource_create", package_id=draft["id"], name="表", format="CSV", upload=(io.BytesIO("姓名\n甲\n".encode()), "迟.csv"))
    town.publish(draft)
    grant = granting.grant(town, draft["id"], ["姓名"], case="late")
    answer = get(town, "other_editor", f"/mulu/data/{grant}")
    assert (*told(answer), answer.headers["Retry-After"]) == (503, "loading", "5")
    granting.work()
    assert get(town, "other_editor", f"/mulu/data/{grant}").json["rows"] == [{"姓名": "甲"}]


def test_the_table_goes_with_its_file(town):
    entry = granting.published(town, "换文件", "姓名\n旧\n".encode(), "旧.csv", items=[item("姓名")])
    old = entry["resources"][0]["id"]
    assert tables.exists(old)
    town.do("editor", "resource_update", id=old, name="新", format="CSV", upload=(io.BytesIO("姓名\n新\n".encode()), "新.csv"))
    grant = granting.grant(town, entry["id"], ["姓名"], case="replaced")
    assert get(town, "other_editor", f"/mulu/data/{grant}").json["rows"] == [{"姓名": "旧"}]
    town.publish(town.do("editor", "package_show", id=entry["id"]))
    granting.work()
    assert not tables.exists(old)
    assert get(town, "other_editor", f"/mulu/data/{grant}").json["rows"] == [{"姓名": "新"}]


@pytest.mark.parametrize(
    ("header", "items", "columns", "unmatched"),
    [
        (["姓名", "电话"], ["电话", "姓名"], ["姓名", "电话"], []),
        (["姓 名", "ＩＤ"], ["姓名", "id"], ["姓名", "id"], []),
        (["姓名", "姓名"], ["姓名"], [], ["姓名"]),
        (["姓名"], ["姓"], [], ["姓"]),
    ],
)
def test_items_and_columns(header, items, columns, unmatched):
    found, missing = match([(f"c{n}", label) for n, label in enumerate(header)], items)
    assert ([one for _, one in found], list(missing)) == (columns, unmatched)
