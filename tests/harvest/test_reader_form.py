"""Departments' forms as a source: a folder of files and one at an address, and by what an entry is known again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from in_memory import Portal
from made_forms import form, row, workbook
from reading import drafts, errors, pages, records, source
from server import Reply, Server, serving

from mulu.profile import Profile
from mulu_harvest.fetch import HttpFetch
from mulu_harvest.readers.form import read
from mulu_harvest.run import Run
from mulu_harvest.source import SourceError

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def save(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        (folder / f"{name}.xlsx").write_bytes(content)
    return folder


def test_a_folder_file_by_file(tmp_path: Path, profile: Profile) -> None:
    save(tmp_path, b=form(row(code="307001/00002", title="二")), a=form(row(), row(code="307001/00003", title="三")))
    (tmp_path / "说明.docx").write_bytes(b"no form")
    (tmp_path / "~$a.xlsx").write_bytes(b"somebody has it open")
    found = pages("form", tmp_path, organization="minzheng")
    assert [[record.id for record in page.records] for page in found] == [["307001/00001", "307001/00003"], ["307001/00002"]]
    assert not any(page.problems for page in found)
    record = found[0].records[1]
    assert record.where == "文件《a.xlsx》工作表《目录》B5" and record.cells["notes"] == "文件《a.xlsx》工作表《目录》D5"
    assert set(errors(drafts([record], profile))) == {("provider", "required")}  # the run knows whose form it is


def test_an_entry_is_known_by_its_code_and_not_by_its_file(tmp_path: Path) -> None:
    before = records("form", save(tmp_path, a=form(row(), row(code="307001/00002", title="二", notes="旧"))))
    (tmp_path / "a.xlsx").unlink()
    save(tmp_path, z=form(row(code=" ３０７００１/00002", title="改了名称", notes="新")), y=form(row()))
    after = records("form", tmp_path)
    assert {record.id for record in before} == {record.id for record in after} == {"307001/00001", "307001/00002"}


def test_without_a_code_by_department_title_and_which_of_several(tmp_path: Path) -> None:
    rows = [row(code=None), row(code=None), row(code=None, title="另一条")]
    first = records("form", save(tmp_path, a=form(*rows)))
    assert len({record.id for record in first}) == 3 and all(record.id for record in first)
    assert [[p.rule for p in record.problems] for record in first] == [["title_twice"], ["title_twice"], []]
    (tmp_path / "a.xlsx").rename(tmp_path / "b.xlsx")
    assert [record.id for record in records("form", tmp_path)] == [record.id for record in first]
    assert records("form", tmp_path, organization="minzheng")[0].id != first[0].id


def test_what_stands_in_two_files(tmp_path: Path) -> None:
    save(tmp_path, a=form(row()), b=form(row()), c=form(row(notes="别的内容")), d=form(row(code="307001/00009")))
    found = records("form", tmp_path)
    assert [record.id for record in found] == ["307001/00001"] * 3 + ["307001/00009"]
    assert [[p.rule for p in record.problems] for record in found] == [[], [], [], ["title_twice"]]
    [problem] = found[3].problems
    assert problem.message.startswith("文件《d.xlsx》工作表《目录》B4的信息资源名称“城乡低保标准”在文件《a.xlsx》中也有")


def test_a_run_counts_the_same_once_and_takes_the_first_of_two_that_differ(tmp_path: Path, profile: Profile) -> None:
    save(tmp_path, a=form(row()), b=form(row()), c=form(row(notes="别的内容")))
    made = source("form", tmp_path, organization="minzheng")
    portal = Portal()
    run = Run(made, lambda mark: read(made, HttpFetch(made, folders=(tmp_path,)), mark), portal, portal, profile)
    run.execute()
    assert {key: run.counts[key] for key in ("read", "repeated", "added", "refused")} == {"read": 2, "repeated": 1, "added": 1, "refused": 1}
    assert any("文件《c.xlsx》" in problem.message and "文件《a.xlsx》" in problem.message for problem in run.problems)


def test_a_file_that_cannot_be_read_keeps_its_entries(tmp_path: Path, profile: Profile) -> None:
    """The others go in; what the unreadable file held is not taken for removed."""
    save(tmp_path, a=form(row()), b=form(row(code="307001/00002", title="二")))
    made = source("form", tmp_path, organization="minzheng")
    portal = Portal()

    def run() -> Run:
        portal.new_run()
        made_run = Run(made, lambda mark: read(made, HttpFetch(made, folders=(tmp_path,)), mark), portal, portal, profile)
        made_run.execute()
        return made_run

    assert run().counts["added"] == 2
    save(tmp_path, a=form(row(notes="新的摘要")), b=b"PK\x03\x04 damaged")
    second = run()
    assert {key: second.counts[key] for key in ("changed", "removed")} == {"changed": 1, "removed": 0}
    assert any(problem.where == "文件《b.xlsx》" and problem.severity == "error" for problem in second.problems)


def test_rows_that_became_no_entry_are_told_with_their_file(tmp_path: Path) -> None:
    orphan = [None] * 15
    orphan[6], orphan[7] = "无主的信息项", "字符型C"
    save(tmp_path, a=workbook([["备注"], ["没有表头"]]), b=form(orphan, row()))
    found = pages("form", tmp_path)
    told = [problem for page in found for problem in page.problems]
    assert [problem.rule for problem in told if problem.severity == "error"] == ["no_table", "row_unread"]
    assert all(problem.where.startswith("文件《") and problem.message.startswith(problem.where) for problem in told)


def test_one_form_at_an_address(server: Server) -> None:
    url = server.on("/down", Reply(form(row()), type=XLSX, etag='"a"', headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote('民政局.xlsx')}"}))
    fetch = HttpFetch(source("form", url))
    [page] = pages("form", url, fetch=fetch)
    assert page.records[0].where == "文件《民政局.xlsx》工作表《目录》B4"
    [again] = pages("form", url, fetch=HttpFetch(source("form", url), validators=fetch.validators_seen))
    assert again.unchanged and not again.records


def test_an_answer_that_is_no_form(server: Server) -> None:
    [page] = pages("form", server.on("/list.xlsx", Reply("<html><title>请登录</title></html>", type="text/html")))
    assert not page.records and [problem.severity for problem in page.problems] == ["error"]


def test_one_file(tmp_path: Path) -> None:
    save(tmp_path, a=form(row()), b=form(row(code="307001/00002")))
    assert [record.id for record in records("form", tmp_path / "b.xlsx")] == ["307001/00002"]


def test_a_folder_without_forms_is_no_reading(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="没有 Excel 或 CSV 表格"):
        pages("form", tmp_path)
    with pytest.raises(SourceError, match="没有文件夹"):
        pages("form", tmp_path / "gone")


def test_many_entries_come_in_pages(tmp_path: Path) -> None:
    save(tmp_path, a=form(*(row(code=f"307001/{number:05}", title=f"目录{number}") for number in range(401))))
    assert [len(page.records) for page in pages("form", tmp_path)] == [200, 200, 1]
