"""The forms in examples/forms: what each holds, counted, and its odd cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from mulu.profile import Profile
from mulu_harvest.form import FormReport, read_form


@pytest.fixture(scope="module")
def read(examples: Path, profile: Profile):  # type: ignore[no-untyped-def]
    cache: dict[str, FormReport] = {}

    def read(name: str) -> FormReport:
        if name not in cache:
            cache[name] = read_form(examples / "forms" / name, name, profile=profile)
        return cache[name]

    return read


@pytest.mark.parametrize(
    ("name", "entries", "items", "providers", "sheets"),
    [
        ("merged-cells.xlsx", 60, 272, 0, {"部门信息资源目录": "entries"}),
        (
            "first-row-only-with-notes.xlsx",
            40,
            191,
            0,
            {"部门信息资源目录": "entries", "需求清单": "demands", "Sheet3": "hidden"},
        ),
        ("other-headers.xls", 50, 136, 31, {"目录": "entries"}),
        ("gb18030.csv", 60, 180, 31, {"gb18030": "entries"}),
        ("same-entry-twice.xlsx", 13, 67, 0, {"部门信息资源目录": "entries"}),
    ],
)
def test_counts(read, name: str, entries: int, items: int, providers: int, sheets: dict[str, str]) -> None:  # type: ignore[no-untyped-def]
    report = read(name)
    assert not report.refused
    assert len(report.entries) == entries
    assert sum(len(draft.entry["items"]) for draft in report.entries) == items
    assert len({draft.entry["provider"] for draft in report.entries if "provider" in draft.entry}) == providers
    assert {sheet.name: sheet.kind for sheet in report.sheets} == sheets
    assert all(draft.title and draft.entry["notes"] and draft.entry["update_frequency"] for draft in report.entries)


def test_the_unknown_column_is_named_by_its_cell(read) -> None:  # type: ignore[no-untyped-def]
    [problem] = read("other-headers.xls").problems
    assert (problem.rule, problem.where, problem.value) == ("unknown_column", "工作表《目录》O1", "备注（内部）")


@pytest.mark.parametrize(
    "name", ["merged-cells.xlsx", "first-row-only-with-notes.xlsx", "gb18030.csv", "same-entry-twice.xlsx"]
)
def test_files_without_problems_of_their_own(read, name: str) -> None:  # type: ignore[no-untyped-def]
    assert read(name).problems == ()


def test_merged_cells(read) -> None:  # type: ignore[no-untyped-def]
    entry = read("merged-cells.xlsx").entries[0].entry
    assert entry["resource_code"] == "307001/00001" and entry["classification"] == ["3", "07", "001"]
    assert (entry["title"], entry["share_type"], entry["open_type"]) == (
        "经开区-特种车辆信息",
        "conditional",
        "unconditional",
    )
    assert entry["share_condition"] == "用于行政审批核验，仅限本级政务部门"
    assert entry["share_mode"] == ["batch_download"]
    assert [item["name"] for item in entry["items"]] == ["登记日期", "姓名"]
    assert {draft.entry["update_frequency"] for draft in read("merged-cells.xlsx").entries} == {"yearly", "quarterly"}


def test_notes_and_signatures_are_counted_and_demands_kept(read) -> None:  # type: ignore[no-untyped-def]
    report = read("first-row-only-with-notes.xlsx")
    assert [sheet.note_rows for sheet in report.sheets if sheet.kind == "entries"] == [2]
    assert [demand["title"] for demand in report.demands] == ["婚姻登记信息", "不动产登记信息"]
    assert not any("填表" in draft.title for draft in report.entries)


def test_old_excel(read) -> None:  # type: ignore[no-untyped-def]
    drafts = read("other-headers.xls").entries
    first, fourth = drafts[0].entry, drafts[3].entry
    assert (first["title"], first["published_on"], first["share_type"]) == (
        "浙江省高校辅导员年度人物信息",
        "2021-08-24",
        "unconditional",
    )
    assert first["items"][0] == {"name": "单位名称", "data_type": "C", "length": "200"}
    assert fourth["update_frequency"] == "quarterly"  # 每季
    assert drafts[2].entry["update_frequency"] == "never"  # 不更新(更新说明:暂无新业务数据产生)
    unread = {(p.field, p.rule) for draft in drafts for p in draft.problems if p.rule == "not_in_list"}
    assert unread == {("open_type", "not_in_list")}
    assert (
        sum("open_type" in draft.entry for draft in drafts) == 1
    )  # 无条件开放 once; the others say 开放网站, 暂无, ...


def test_gb18030_keeps_rare_characters(read) -> None:  # type: ignore[no-untyped-def]
    drafts = read("gb18030.csv").entries
    assert drafts[0].title == "浙江省火车站地理信息（含㴔、䶮、𬭩等生僻字）"
    assert all([item["name"] for item in draft.entry["items"]] == ["名称", "地址", "联系电话"] for draft in drafts)
    assert {item["data_type"] for draft in drafts for item in draft.entry["items"]} == {"C"}


def test_three_entries_twice(read) -> None:  # type: ignore[no-untyped-def]
    doubled = {
        draft.title: {p.where for p in draft.problems if p.rule == "title_twice"}
        for draft in read("same-entry-twice.xlsx").entries
    }
    assert sum(bool(places) for places in doubled.values()) == 3
    messages = [
        p.message for draft in read("same-entry-twice.xlsx").entries for p in draft.problems if p.rule == "title_twice"
    ]
    assert len(messages) == 6
    assert "工作表《部门信息资源目录》G4" in messages[0] and "工作表《部门信息资源目录》G62" in messages[0]
    assert not any(p.rule == "code_twice" for draft in read("same-entry-twice.xlsx").entries for p in draft.problems)


def test_the_examples_are_the_shared_files(shared: Path, examples: Path) -> None:
    for path in (examples / "forms").iterdir():
        assert path.read_bytes() == (shared / "forms" / path.name).read_bytes()
