"""Entries on one sheet, their items on a second, tied by the resource's name."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from made_forms import workbook

from mulu.profile import Profile
from mulu_harvest.form import read_form

ENTRIES = [["信息资源目录名称", "所属部门", "更新周期", "信息资源目录描述", "共享属性", "开放属性"]]
ITEMS = [["信息资源目录名称", "信息项名称", "数据类型", "数据长度", "共享属性", "敏感属性"]]


def test_items_find_their_entry(profile: Profile) -> None:
    content = workbook(
        [*ENTRIES, ["低保", "民政局", "每年", "低保标准", "无条件共享", "无条件开放"], ["婚姻", "民政局", "每日", "登记", "有条件共享", "不予开放"]],
        ("信息项", [*ITEMS, ["婚姻", "姓名", "字符型", "50", "有条件共享", "敏感"], [None, "登记日期", "日期型", None, "无条件共享", "非敏感"],
                   ["低保", "年度", "字符型", 4, None, None], ["没有的目录", "x", "字符型", 1, None, None]]),
    )  # fmt: skip
    report = read_form(content, "目录.xlsx", profile=profile)
    assert [(d.title, d.entry["items"]) for d in report.entries] == [
        ("低保", [{"name": "年度", "data_type": "C", "length": "4"}]),
        ("婚姻", [
            {"name": "姓名", "data_type": "C", "length": "50", "sensitive": True},
            {"name": "登记日期", "data_type": "D", "sensitive": False, "share_type": "unconditional"},
        ]),
    ]  # fmt: skip
    assert [(p.rule, p.where) for p in report.problems] == [("item_without_entry", "工作表《信息项》A5")]


def test_an_item_that_cannot_be_read_is_named_on_its_own_sheet(profile: Profile) -> None:
    content = workbook(
        [*ENTRIES, ["低保", "民政局", "每年", "低保标准", "无条件共享", "无条件开放"]],
        ("信息项", [*ITEMS, ["低保", "年度", "二进制", 4, None, None]]),
    )
    [draft] = read_form(content, "目录.xlsx", profile=profile).entries
    assert [(p.field, p.where) for p in draft.problems if p.rule == "not_in_list"] == [
        ("items[0].data_type", "工作表《信息项》C2")
    ]


def test_a_sheet_of_titles_and_items_alone_holds_the_entries(profile: Profile) -> None:
    content = workbook(
        [["信息资源名称", "信息项名称", "数据类型"], ["低保", "年度", "字符型"], [None, "金额", "货币型"]]
    )
    [draft] = read_form(content, "目录.xlsx", profile=profile).entries
    assert [item["name"] for item in draft.entry["items"]] == ["年度", "金额"]


def fill(path: Path, rows: dict[str, list[dict[str, Any]]]) -> bytes:
    """A copy of a template with rows filled in below each sheet's header, by heading (stars left out)."""
    book = openpyxl.load_workbook(path)
    for name, lines in rows.items():
        sheet = book[name]
        first = next(r for r in range(1, 5) if sum(c.value is not None for c in sheet[r]) > 5)
        headings = {str(cell.value).strip("*"): cell.column for cell in sheet[first] if cell.value}
        if any(c.value and str(c.value).startswith("*") for c in sheet[first + 1]):
            first += 1
            headings = {str(cell.value).strip("*"): cell.column for cell in sheet[first] if cell.value}
        for number, line in enumerate(lines, first + 1):
            for heading, value in line.items():
                sheet.cell(number, headings[heading], value)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_the_import_template_of_another_platform(shared: Path, profile: Profile) -> None:
    """数据资源目录导入模板.xlsx of kweaver-ai/kweaver-dip: instructions in a merged cell, two header rows, a second sheet."""
    content = fill(
        shared / "forms" / "templates" / "数据资源目录导入模板.xlsx",
        {
            "数据资源目录导入": [
                {"数据资源目录名称": "城乡低保标准", "目录提供方": "县民政局", "数据所属事项": "低保审批；临时救助", "空间范围": "全市",
                 "数据时间范围": "2015/01/01-2024/12/31", "更新周期": "每年", "数据资源目录描述": "低保标准", "共享属性": "有条件共享",
                 "共享条件/不予共享依据": "用于救助核对", "共享方式": "邮件方式", "开放属性": "有条件开放", "开放条件": "实名", "数据分级": "一般"},
                {"数据资源目录名称": "婚姻登记", "目录提供方": "县民政局", "更新周期": "其他", "数据资源目录描述": "登记", "共享属性": "不予共享",
                 "共享条件/不予共享依据": "《民法典》第一千零三十四条", "开放属性": "不予开放"},
            ],
            "信息项导入": [
                {"数据资源目录名称": "城乡低保标准", "信息项业务名称": "年度", "信息项技术名称": "nd", "数据类型": "整数型", "共享属性": "无条件共享",
                 "开放属性": "有条件开放", "敏感属性": "非敏感"},
                {"数据资源目录名称": "城乡低保标准", "信息项业务名称": "标准", "数据类型": "高精度型", "数据长度": 10, "共享属性": "有条件共享"},
                {"数据资源目录名称": "婚姻登记", "信息项业务名称": "姓名", "数据类型": "字符型", "数据长度": 50, "敏感属性": "敏感"},
            ],
        },
    )  # fmt: skip
    report = read_form(
        content, "导入.xlsx", profile=profile, organization="minzheng", departments={"县民政局": "minzheng"}
    )
    first, second = (draft.entry for draft in report.entries)
    assert first["business_items"] == ["低保审批", "临时救助"]
    assert (first["share_type"], first["share_condition"], first["share_mode"]) == (
        "conditional",
        "用于救助核对",
        ["mail"],
    )
    assert (first["open_type"], first["open_condition"], first["security_level"]) == ("conditional", "实名", "general")
    assert (first["spatial"], first["temporal"], first["provider"]) == ("全市", "2015/01/01-2024/12/31", "minzheng")
    assert first["items"] == [
        {"name": "年度", "data_type": "I", "sensitive": False, "share_type": "unconditional"},
        {"name": "标准", "data_type": "N", "length": "10"},
    ]
    assert second["share_basis"] == "《民法典》第一千零三十四条" and second["open_type"] == "none"
    assert [(p.field, p.rule, p.where) for p in report.entries[1].problems if p.rule == "not_in_list"] == [
        ("update_frequency", "not_in_list", "工作表《数据资源目录导入》K5")
    ]
    assert {p.rule for p in report.problems} == {"unknown_column"}


def test_the_catalogue_template_of_another_platform(shared: Path, profile: Profile) -> None:
    content = fill(
        shared / "forms" / "templates" / "info_catalog.xlsx",
        {
            "信息资源目录": [
                {"信息资源目录名称": "城乡低保标准", "信息资源来源部门": "县民政局", "所属部门": "县民政局", "所属处室": "救助股", "更新周期": "每年",
                 "信息资源目录描述": "低保标准", "关联信息系统": "救助系统", "共享属性": "无条件共享", "开放属性": "无条件开放"},
            ],
            "信息项": [{"信息资源目录名称": "城乡低保标准", "信息项名称": "年度", "数据类型": "字符型", "数据长度": "4", "关联数据元": "DE001"}],
        },
    )  # fmt: skip
    [draft] = read_form(content, "目录.xlsx", profile=profile, departments={"县民政局": "minzheng"}).entries
    assert draft.entry == {
        "title": "城乡低保标准", "provider": "minzheng", "provider_unit": "救助股", "notes": "低保标准", "system_name": "救助系统",
        "source_department": "minzheng", "update_frequency": "yearly", "share_type": "unconditional", "open_type": "unconditional",
        "items": [{"name": "年度", "data_type": "C", "length": "4", "element_code": "DE001"}],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["elec_licence.xlsx", "template_de.xlsx", "信息项模板.xlsx"])
def test_workbooks_that_are_no_catalogue(shared: Path, profile: Profile, name: str) -> None:
    report = read_form(shared / "forms" / "templates" / name, name, profile=profile)
    assert report.refused and report.problems[-1].rule == "no_table"


@pytest.mark.parametrize("name", ["数据资源目录导入模板.xlsx", "info_catalog.xlsx"])
def test_empty_templates(shared: Path, profile: Profile, name: str) -> None:
    report = read_form(shared / "forms" / "templates" / name, name, profile=profile)
    assert report.refused and report.problems[-1].rule == "no_entries"
