"""The form that we hand out: what is written into it is read back equal, and a clerk is helped in filling it in."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from mulu.codes import CODE_LISTS
from mulu.entry import FIELDS, ITEM_FIELDS
from mulu.profile import Profile
from mulu_harvest.form import read_form
from mulu_harvest.template import EXAMPLE, FIRST_ROW, HEADER_ROW, SHEET, write_template

FULL: dict[str, Any] = {
    "title": "婚姻登记信息", "provider": "minzheng", "provider_code": "11430623006366355G", "provider_unit": "婚姻登记处",
    "notes": "=HYPERLINK(不是公式)\n第二行", "format_class": "database", "format_type": "mysql", "format_other": "备份为 dmp",
    "catalogue_kind": "base", "base_class": "population", "theme": "social_security", "classification": ["1", "01", "002", "03"],
    "resource_code": "10100203/00007", "related_codes": ["307001/00001", "307001/00002"],
    "items": [
        {"name": "姓名", "data_type": "C", "length": "50", "kind": "base", "sensitive": True, "share_type": "none",
         "open_type": "conditional", "element_code": "DE00012", "description": "证件上的姓名"},
        {"name": "登记日期", "data_type": "D"},
        {"name": "费用", "data_type": "N", "length": "10,2", "kind": "business"},
    ],
    "share_type": "conditional", "share_condition": "仅限本级政务部门核验", "share_basis": "《民法典》第一千零三十九条",
    "share_mode": ["docking", "online_query"], "use_mode": ["verify", "query"],
    "open_type": "none", "open_condition": "", "open_ground": "third_party", "open_basis": "《民法典》第一千零三十九条",
    "open_review_on": "2027-01-01", "open_mode": ["other"], "open_theme": "民政服务", "license_id": "mulu-conditional",
    "update_frequency": "realtime", "published_on": "2024-03-01", "data_updated_on": "2024-09-30", "source_department": "minzheng",
    "business_items": ["结婚登记", "离婚登记"], "system_name": "婚姻登记系统", "project_code": "HR-2024-01",
    "security_level": "L3", "personal_information": "contains", "use_requirement": "不得转提供", "business_explanation": "按登记时间统计",
    "contact": "0730-4222222", "spatial": "全县", "temporal": "2003/2024",
}  # fmt: skip


def written(profile: Profile, *entries: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    write_template(stream, profile, entries)
    return stream.getvalue()


def test_what_is_written_is_read_back_equal(profile: Profile) -> None:
    full = {key: value for key, value in FULL.items() if value != ""}
    other = {**EXAMPLE, "provider": "minzheng"}
    report = read_form(
        written(profile, full, other), "目录.xlsx", profile=profile, departments={"县民政局": "minzheng"}
    )
    assert not report.problems
    assert [draft.entry for draft in report.entries] == [full, other]


def test_every_field_that_people_fill_in_is_in_the_form(profile: Profile) -> None:
    assert set(FULL) | {"name", "resources", "source", "secrecy_review", "privacy_review"} == {
        field.key for field in FIELDS
    }
    assert set(FULL["items"][0]) == {field.key for field in ITEM_FIELDS}


def test_the_example_is_marked_and_never_taken(profile: Profile) -> None:
    content = written(profile)
    sheet = openpyxl.load_workbook(io.BytesIO(content))[SHEET]
    assert [sheet.cell(row, 1).value for row in (FIRST_ROW, FIRST_ROW + 1, FIRST_ROW + 2)] == ["示例", "示例", None]
    report = read_form(content, "目录.xlsx", profile=profile)
    assert report.refused and [p.rule for p in report.problems] == ["example_row", "no_entries"]


def test_filled_in_below_the_example(profile: Profile) -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(profile)))
    sheet = book[SHEET]
    headings = {
        str(sheet.cell(HEADER_ROW, column).value).strip("*"): column for column in range(2, sheet.max_column + 1)
    }
    sheet.cell(FIRST_ROW + 2, headings["信息资源名称"], "社会救助对象")
    sheet.cell(FIRST_ROW + 2, headings["更新周期"], "每月")
    stream = io.BytesIO()
    book.save(stream)
    [draft] = read_form(stream.getvalue(), "目录.xlsx", profile=profile).entries
    assert (draft.title, draft.entry["update_frequency"]) == ("社会救助对象", "monthly")


@pytest.fixture(scope="module")
def sheet(profile: Profile) -> Any:
    return openpyxl.load_workbook(io.BytesIO(written(profile)))[SHEET]


def test_drop_downs_hold_the_labels_of_the_code_lists(sheet: Any) -> None:
    lists = sheet.parent["代码表"]
    assert lists.sheet_state == "hidden"
    columns = {column[0].value: [cell.value for cell in column[1:] if cell.value] for column in lists.iter_cols()}
    assert columns[CODE_LISTS["share_type"].title] == ["无条件共享", "有条件共享", "不予共享"]
    with_list = [field for field in (*FIELDS, *ITEM_FIELDS) if field.code_list]
    lists_rules = [
        rule for rule in sheet.data_validations.dataValidation if rule.type == "list" and "代码表" in rule.formula1
    ]
    assert len(lists_rules) == len(with_list)


def test_required_columns_are_starred_and_every_column_is_explained(sheet: Any) -> None:
    for column in range(2, sheet.max_column + 1):
        cell = sheet.cell(HEADER_ROW, column)
        assert cell.comment or cell.value in ("项", "目", "细目")
    starred = {str(cell.value).strip("*") for cell in sheet[HEADER_ROW] if str(cell.value).endswith("*")}
    assert starred == {field.label for field in (*FIELDS, *ITEM_FIELDS) if field.required and field.kind != "items"}


def test_the_header_stays_in_sight(sheet: Any) -> None:
    assert sheet.freeze_panes == f"C{FIRST_ROW}"
    assert sheet["A1"].value == "华容县政务信息资源目录"
