"""Which rows make an entry, and what is said of those that do not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from made_forms import LOWER, UPPER, form, item, row, workbook

from mulu.profile import Profile
from mulu_harvest.form import FormReport, read_form


@pytest.fixture
def read(profile: Profile) -> Any:
    def read(content: bytes, **options: Any) -> FormReport:
        return read_form(content, "目录.xlsx", profile=profile, organization="minzheng", **options)

    return read


def rules(report: FormReport) -> set[tuple[str, str]]:
    """(rule, where) of the problems of the file."""
    return {(problem.rule, problem.where) for problem in report.problems}


def reading_rules(report: FormReport, index: int = 0) -> set[tuple[str, str, str]]:
    """(rule, where, severity) of what the reader itself says of an entry, without the rules' own problems."""
    own = {"not_in_list", "bad_date", "bad_number", "bad_bool", "formula", "error_value", "row_conflict", "items_mismatch",
           "title_twice", "code_twice", "classification_unread", "unknown_department", "other_department"}  # fmt: skip
    return {(p.rule, p.where, p.severity) for p in report.entries[index].problems if p.rule in own}


def test_one_complete_entry(read: Any) -> None:
    report = read(form(row(), item("金额", "货币型Y", 16)))
    assert not report.problems and not report.refused
    [draft] = report.entries
    assert draft.where == "工作表《目录》B4"
    assert draft.entry == {
        "title": "城乡低保标准", "provider": "minzheng", "notes": "低保标准", "resource_code": "307001/00001",
        "catalogue_kind": "department", "classification": ["3", "07", "001"],
        "format_class": "spreadsheet", "format_type": "xlsx",
        "items": [{"name": "年度", "data_type": "C", "length": "4"}, {"name": "金额", "data_type": "Y", "length": "16"}],
        "share_type": "unconditional", "open_type": "unconditional", "update_frequency": "yearly", "published_on": "2022-05-20",
    }  # fmt: skip


def test_nothing_is_filled_forward_into_the_next_entry(read: Any) -> None:
    bare = row(
        serial=2,
        title="二",
        code="307001/00002",
        notes=None,
        share_type=None,
        open_answer=None,
        frequency=None,
        published_on=None,
    )
    first, second = read(form(row(), bare)).entries
    assert first.entry["update_frequency"] == "yearly"
    assert {"notes", "share_type", "open_type", "update_frequency", "published_on"}.isdisjoint(second.entry)
    assert {("required", "工作表《目录》J5"), ("required", "工作表《目录》N5")} <= {
        (p.rule, p.where) for p in second.problems
    }


def test_blank_rows_inside_a_table(read: Any) -> None:
    blank: list[None] = [None] * 15
    report = read(form(row(), blank, item("金额"), blank, blank, row(serial=2, title="二", code=None)))
    assert [len(d.entry["items"]) for d in report.entries] == [2, 1]
    assert not report.problems


def test_entry_cells_repeated_on_each_row(read: Any) -> None:
    report = read(form(row(), row(item="金额"), row(item="人数")))
    assert [[i["name"] for i in d.entry["items"]] for d in report.entries] == [["年度", "金额", "人数"]]
    assert not reading_rules(report)


def test_the_same_title_with_other_cells_is_another_entry_and_told_at_both(read: Any) -> None:
    report = read(form(row(), row(serial=2, code="307001/00002", notes="另一份")))
    assert len(report.entries) == 2
    assert ("title_twice", "工作表《目录》B4", "error") in reading_rules(report, 0)
    assert ("title_twice", "工作表《目录》B5", "error") in reading_rules(report, 1)
    message = next(p.message for p in report.entries[1].problems if p.rule == "title_twice")
    assert "工作表《目录》B4" in message and "工作表《目录》B5" in message


def test_the_same_code_twice_is_told_at_both(read: Any) -> None:
    report = read(form(row(), row(serial=2, title="二")))
    assert ("code_twice", "工作表《目录》B4", "error") in reading_rules(report, 0)
    assert "工作表《目录》B4" in next(p.message for p in report.entries[1].problems if p.rule == "code_twice")


def test_an_item_with_a_class_of_its_own(read: Any) -> None:
    entry = (
        read(form(row(), item("身份证号", share_type="有条件共享"), item("姓名", share_type="无条件"))).entries[0].entry
    )
    assert [i.get("share_type") for i in entry["items"]] == [None, "conditional", None]


def test_a_further_row_that_contradicts_the_first(read: Any) -> None:
    report = read(form(row(), item("金额", frequency="每月")))
    assert report.entries[0].entry["update_frequency"] == "yearly"
    assert ("row_conflict", "工作表《目录》N5", "warning") in reading_rules(report)


def test_several_items_in_one_cell(read: Any) -> None:
    entry = (
        read(form(row(item="名称、地址、联系电话", data_type="字符型C、字符型C、数值型N", length="200")))
        .entries[0]
        .entry
    )
    assert entry["items"] == [
        {"name": "名称", "data_type": "C", "length": "200"},
        {"name": "地址", "data_type": "C", "length": "200"},
        {"name": "联系电话", "data_type": "N", "length": "200"},
    ]


def test_items_that_cannot_be_dealt_out(read: Any) -> None:
    report = read(form(row(item="名称、地址、联系电话", data_type="字符型C、数值型N")))
    assert ("items_mismatch", "工作表《目录》H4", "error") in reading_rules(report)
    assert [i["name"] for i in report.entries[0].entry["items"]] == ["名称", "地址", "联系电话"]


@pytest.mark.parametrize(
    "note",
    [
        "填表说明：1. 本表由各部门填写",
        "注：共享类型分三类",
        "备注",
        "说明（一）",
        "合计",
        "填报单位：民政局",
        "联系人：某某",
    ],
)
def test_notes_below_the_table_are_no_entries(read: Any, note: str) -> None:
    report = read(form(row(), [None], [note], ["2. 第二条说明"], ["填表人：", None, "联系电话：", "审核人："]))
    assert len(report.entries) == 1 and len(report.entries[0].entry["items"]) == 1
    assert not report.problems
    assert report.sheets[0].note_rows == 3


def test_an_entry_whose_title_begins_like_a_note(read: Any) -> None:
    report = read(form(row(title="注册会计师名单"), row(serial=2, title="说明书备案", code=None)))
    assert [d.title for d in report.entries] == ["注册会计师名单", "说明书备案"]


def test_a_row_that_belongs_to_nothing_is_told_and_the_others_are_taken(read: Any) -> None:
    report = read(form(item("没有目录的信息项"), row()))
    assert len(report.entries) == 1
    assert rules(report) == {("row_unread", "工作表《目录》第 4 行")}


def test_an_entry_without_its_title(read: Any) -> None:
    report = read(form(row(), row(serial=2, title=None, code="307001/00002")))
    assert [d.title for d in report.entries] == ["城乡低保标准", ""]
    assert any(
        p.rule == "required" and p.field == "title" and p.where == "工作表《目录》B5"
        for p in report.entries[1].problems
    )


def test_cells_that_cannot_be_read_are_named_and_told_once(read: Any) -> None:
    report = read(form(row(frequency="偶尔", published_on="去年", length="很长", data_type="文字")))
    assert reading_rules(report) == {
        ("not_in_list", "工作表《目录》N4", "error"),
        ("bad_date", "工作表《目录》O4", "error"),
        ("bad_number", "工作表《目录》I4", "error"),
        ("not_in_list", "工作表《目录》H4", "error"),
    }
    assert not any(
        p.rule == "required" and p.field in ("update_frequency", "items[0].data_type")
        for p in report.entries[0].problems
    )


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"frequency": "每季"}, ("update_frequency", "quarterly")),
        ({"frequency": "季度"}, ("update_frequency", "quarterly")),
        ({"published_on": dt.date(2022, 5, 9)}, ("published_on", "2022-05-09")),
        ({"published_on": 44690}, ("published_on", "2022-05-09")),
        ({"published_on": "２０２２年５月９日"}, ("published_on", "2022-05-09")),
        ({"open_answer": "否", "open_condition": None}, ("open_type", "none")),
        ({"open_answer": "是", "open_condition": "实名注册"}, ("open_type", "conditional")),
        ({"share_type": "有条件", "share_terms": "仅限本级"}, ("share_condition", "仅限本级")),
        ({"share_type": "不予共享", "share_terms": "《统计法》第二十五条"}, ("share_basis", "《统计法》第二十五条")),
        ({"share_type": "无条件共享", "share_terms": "无条件"}, ("share_condition", None)),
        ({"code": "３０７００１／００００１"}, ("resource_code", "307001/00001")),
        ({"title": "城乡\n低保标准"}, ("title", "城乡低保标准")),
    ],
)
def test_spellings(read: Any, cells: dict[str, Any], expected: tuple[str, Any]) -> None:
    key, value = expected
    assert read(form(row(**cells))).entries[0].entry.get(key) == value


def test_open_without_its_condition_is_asked_for_and_not_guessed(read: Any) -> None:
    report = read(form(row(open_condition=None)))
    assert "open_type" not in report.entries[0].entry
    assert ("not_in_list", "工作表《目录》L4", "error") in reading_rules(report)


@pytest.mark.parametrize("length", [200, 200.0, "200.0", "２００"])
def test_lengths(read: Any, length: object) -> None:
    assert read(form(row(length=length))).entries[0].entry["items"][0]["length"] == "200"


def test_levels_of_the_code_in_columns_of_their_own(read: Any) -> None:
    upper = ["部门类信息资源分类", "项分类", "目分类", "细目分类1", "细目分类2", *UPPER[1:]]
    lower = [None] * 5 + LOWER[1:]
    report = read(workbook([upper, lower, ["部门类", 307, 1, "02", "3", *row(code=None)[1:]]]))
    assert report.entries[0].entry["classification"] == ["3", "07", "001", "023"]
    assert report.entries[0].entry["catalogue_kind"] == "department"


def test_cells_merged_over_the_rows_of_an_entry_are_read_once(read: Any) -> None:
    header = ["细目分类1", "细目分类2", "目分类", "信息资源名称", "关联业务事项", "信息项名称", "更新周期"]
    lines = [
        ["02", "3", "001", "低保", "审批", "年度", "每年"],
        [None, None, None, None, None, "金额", None],
        [None, None, None, None, "公示", "人数", None],
        ["02", "3", "001", "低保", "审批", "对象", "每年"],
    ]

    def merge(book: Any) -> None:
        for column in "ABCDG":
            book["目录"].merge_cells(f"{column}2:{column}4")
        book["目录"].merge_cells("E2:E3")

    [draft] = read(workbook([header, *lines], change=merge)).entries
    assert [item["name"] for item in draft.entry["items"]] == ["年度", "金额", "人数", "对象"]
    assert draft.entry["classification"][2:] == ["001", "023"]
    assert draft.entry["business_items"] == ["审批", "公示"]
    assert not any(p.rule == "row_conflict" for p in draft.problems)


@pytest.mark.parametrize(
    ("group", "kind", "read_as"),
    [
        ("共享平台", "批量下载、前置机", ["batch_download", "front_machine"]),
        ("邮件", None, ["mail"]),
        ("共享平台", None, None),
        (None, "介质交换（电子文档）", ["media_file"]),
    ],
)
def test_ways_of_sharing_in_two_columns(read: Any, group: str, kind: str, read_as: list[str] | None) -> None:
    upper = [*UPPER[:10], "共享方式分类", "共享方式类型", *UPPER[10:]]
    upper[10:12] = [None, None]
    lower = [*LOWER[:10], "共享方式分类", "共享方式类型", *LOWER[10:]]
    cells = row()
    report = read(workbook([upper, lower, [*cells[:10], group, kind, *cells[10:]]]))
    assert report.entries[0].entry.get("share_mode") == read_as


def test_the_header_printed_again_on_a_second_page(read: Any) -> None:
    report = read(form(row(), UPPER, LOWER, row(serial=2, title="二", code=None)))
    assert [d.title for d in report.entries] == ["城乡低保标准", "二"]
    assert not report.problems


def test_one_header_row_with_other_words_in_another_order(read: Any) -> None:
    header = ["更新频率", "*资源名称", "摘要（必填）", "字段名称", "字段类型", "共享属性", "备注（内部）", "开放属性"]
    report = read(workbook([header, ["每月", "低保", "低保标准", "年度", "字符", "无条件", "x", "无条件开放"]]))
    entry = report.entries[0].entry
    assert (entry["title"], entry["update_frequency"], entry["share_type"], entry["open_type"]) == (
        "低保", "monthly", "unconditional", "unconditional",
    )  # fmt: skip
    assert rules(report) == {("unknown_column", "工作表《目录》G1")}


def test_two_columns_of_one_meaning(read: Any) -> None:
    report = read(workbook([["信息资源名称", "资源名称", "信息资源摘要", "更新周期"], ["甲", "乙", "摘要", "每年"]]))
    assert report.entries[0].title == "甲"
    assert rules(report) == {("doubled_column", "工作表《目录》B1")}


def test_demands_and_hidden_sheets(read: Any) -> None:
    def hide(book: Any) -> None:
        book["内部"].sheet_state = "hidden"

    demands = [
        ["序号", "所需政务信息资源名称", "提供方", "描述", "用途"],
        [1, "婚姻登记信息", "民政局", None, "资格审核"],
    ]
    hidden = [UPPER, LOWER, row(title="不该读入")]
    report = read(workbook([UPPER, LOWER, row()], ("需求清单", demands), ("内部", hidden), change=hide))
    assert [d.title for d in report.entries] == ["城乡低保标准"]
    assert list(report.demands) == [
        {
            "title": "婚姻登记信息",
            "provider": "民政局",
            "description": "",
            "purpose": "资格审核",
            "where": "工作表《需求清单》第 2 行",
        }
    ]
    assert {(s.name, s.kind) for s in report.sheets} == {
        ("目录", "entries"),
        ("需求清单", "demands"),
        ("内部", "hidden"),
    }


def test_a_value_merged_over_several_entries_holds_for_each(read: Any) -> None:
    """The author said it by merging; cells that are merely blank stay blank."""

    def merge(book: Any) -> None:
        book["目录"].merge_cells("N4:N5")

    report = read(
        form(
            row(),
            row(serial=2, title="二", code=None, frequency=None),
            row(serial=3, title="三", code=None, frequency=None),
            change=merge,
        )
    )
    assert [d.entry.get("update_frequency") for d in report.entries] == ["yearly", "yearly", None]


def test_formulas(read: Any) -> None:
    """Without a saved result (as openpyxl writes them) nothing is taken; 序号 may be a formula, it is not read."""
    report = read(form(row(serial="=ROW()-3", notes='="低保"&"标准"')))
    assert "notes" not in report.entries[0].entry
    assert reading_rules(report) == {("formula", "工作表《目录》D4", "error")}


def test_error_values(read: Any) -> None:
    def spoil(book: Any) -> None:
        book["目录"]["D4"].value = "#N/A"
        book["目录"]["D4"].data_type = "e"

    report = read(form(row(), change=spoil))
    assert reading_rules(report) == {("error_value", "工作表《目录》D4", "error")}


@pytest.mark.parametrize(
    ("cells", "rule", "cell"),
    [
        ({"share_type": "有条件共享", "share_terms": None}, "share_condition_missing", "K4"),
        ({"share_type": "不予共享", "share_terms": None, "open_answer": "否"}, "share_basis_missing", "K4"),
        ({"share_type": None}, "required", "J4"),
        ({"open_answer": "否"}, "open_ground_missing", "B4"),
        ({"code": "307001-1"}, "wrong_code", "C4"),
        ({"data_type": None}, "required", "H4"),
        ({"item": None, "data_type": None, "length": None}, "required", "B4"),
        ({"title": "名" * 201}, "too_long", "B4"),
        ({"share_type": "不予共享", "share_terms": "《统计法》第二十五条"}, "open_exceeds_share", "L4"),
    ],
)
def test_the_rules_problems_are_placed_too(read: Any, cells: dict[str, Any], rule: str, cell: str) -> None:
    """Each rule is mulu.checks' own; the reader only says in which cell its field stands."""
    found = {(p.rule, p.where) for p in read(form(row(**cells))).entries[0].problems if p.severity == "error"}
    assert (rule, f"工作表《目录》{cell}") in found


def test_who_owns_an_entry(profile: Profile) -> None:
    known = {"县民政局": "minzheng", "县教育局": "jiaoyu"}
    header = ["信息资源名称", "信息资源提供方", "信息资源摘要", "更新周期"]
    content = workbook(
        [header, *[[f"目录{i}", who, "摘要", "每年"] for i, who in enumerate(["县民政局", "", "县教育局", "某局"])]]
    )

    def owners(organization: str) -> list[tuple[str | None, set[str]]]:
        report = read_form(content, "x.xlsx", profile=profile, organization=organization, departments=known)
        mine = ("unknown_department", "other_department")
        return [(d.entry.get("provider"), {p.rule for p in d.problems if p.rule in mine}) for d in report.entries]

    assert owners("minzheng") == [
        ("minzheng", set()), ("minzheng", set()), ("jiaoyu", {"other_department"}), ("minzheng", {"unknown_department"}),
    ]  # fmt: skip
    assert owners("") == [("minzheng", set()), (None, set()), ("jiaoyu", set()), (None, {"unknown_department"})]
