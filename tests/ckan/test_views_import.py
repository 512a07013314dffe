"""The import page from end to end, on real files: report, confirm, drafts, submit them all; and every kind of bad file."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from ckanext.mulu.views import import_job, imports
from mulu_harvest.limits import MIB
from pages import portal  # noqa: F401

FORMS = Path(__file__).resolve().parents[2] / "examples" / "forms"


def upload(portal, content, filename, who="editor", organization="jiaoyu"):  # noqa: F811
    return portal.post(who, "/mulu/import", {"organization": organization, "file": (io.BytesIO(content), filename)})


def load_all(portal, page, button="确认，写入草稿", **changes):  # noqa: F811
    """Press until all is in; the page's own script does the same."""
    page = portal.press("editor", page, button, changes)
    while "正在写入" in page.soup.select_one("h1").get_text():
        page = portal.press("editor", page, "继续写入")
    return page


@pytest.fixture(scope="module")
def template(portal):  # noqa: F811
    """The form as it is downloaded, with its example."""
    page = portal.get("editor", "/mulu/import/template.xlsx")
    return load_workbook(io.BytesIO(page.raw))


def test_the_template_opens_and_offers_the_codes(template):
    sheet = template.worksheets[0]
    words = {str(cell.value).strip(" *★") for row in sheet.iter_rows(max_row=6) for cell in row if cell.value}
    assert {"信息资源名称", "共享类型", "更新周期"} <= words
    assert sheet.data_validations.dataValidation


@pytest.mark.parametrize("name", ["merged-cells.xlsx", "first-row-only-with-notes.xlsx", "gb18030.csv", "other-headers.xls"])
def test_a_real_form_goes_in_as_drafts(portal, name):  # noqa: F811
    report = upload(portal, (FORMS / name).read_bytes(), name)
    assert report.status == 200 and report.soup.select_one("h1").get_text() == "检查结果", report.text[:500]
    count = int(report.soup.select_one(".m-eyebrow").get_text().split("共")[1].split("个")[0])
    assert count > 0
    before = portal.do("editor", "mulu_case_list", limit=1)["count"]
    assert before == portal.do("editor", "mulu_case_list", limit=1)["count"], "a dry run writes nothing"
    done = load_all(portal, report)
    assert done.soup.select_one("h1").get_text() == "导入完成"
    made = sum(int(tile.b.get_text()) for tile in done.soup.select(".m-tile") if "新建" in tile.get_text() or "更新" in tile.get_text())
    assert portal.do("editor", "mulu_case_list", limit=1)["count"] <= before + made
    drafts = [link["href"] for link in done.soup.select(".m-list a[href*='/dataset/']")]
    assert drafts and all(portal.get("editor", link).status == 200 for link in drafts[:3])
    assert portal.get("", drafts[0]).status == 404, "nobody outside sees a draft"


def test_every_problem_is_told_by_its_cell_and_can_be_downloaded(portal):  # noqa: F811
    report = upload(portal, (FORMS / "other-headers.xls").read_bytes(), "other-headers.xls")
    listed = report.soup.select("#rows ~ table .m-problems li")
    assert listed
    link = report.soup.find("a", string="下载问题清单")["href"]
    text = portal.get("editor", link).raw.decode("utf-8-sig")
    assert text.startswith("位置,信息资源名称,程度,问题,依据")
    assert len(text.splitlines()) > 1 and "工作表" in text


def test_the_same_file_again_changes_nothing(portal):  # noqa: F811
    name = "merged-cells.xlsx"
    load_all(portal, upload(portal, (FORMS / name).read_bytes(), name))
    before = portal.do("editor", "mulu_case_list", limit=1)["count"]
    again = load_all(portal, upload(portal, (FORMS / name).read_bytes(), name))
    assert again.soup.select_one("h1").get_text() == "导入完成"
    assert portal.do("editor", "mulu_case_list", limit=1)["count"] == before


def sound_form(titles, without_type=""):
    """A form of the departments' kind in which nothing is wrong, but for the sharing class of one title."""
    book = Workbook()
    sheet = book.active
    sheet.title = "目录"
    heads = ["信息资源名称", "信息资源摘要", "目录类别", "信息资源格式分类", "信息资源格式类型", "信息项名称", "数据类型", "数据长度", "共享类型",
             "共享方式", "开放类型", "开放方式", "更新周期", "安全级别", "个人信息"]  # fmt: skip
    sheet.append(heads)
    for title in titles:
        sheet.append([title, "按年汇总的台账，供本县各部门使用。", "部门", "数据库", "mysql", "名称", "字符型C", "50", "" if title == without_type else "无条件共享",
                      "批量下载", "无条件开放", "数据下载", "每年", "一般数据1级", "不含个人信息"])  # fmt: skip
    binary = io.BytesIO()
    book.save(binary)
    return binary.getvalue()


@pytest.mark.parametrize(("choice", "made"), [("refuse", 2), ("draft", 3)])
def test_incomplete_rows_can_be_left_out_or_kept_as_drafts(portal, choice, made):  # noqa: F811
    titles = [f"{choice}的台账{number}" for number in range(3)]
    report = upload(portal, sound_form(titles, without_type=titles[1]), "台账.xlsx")
    assert "有问题的 1 个条目" in report.text and "有问题，可先存草稿" in report.text
    done = load_all(portal, report, incomplete=choice)
    found = portal.do("editor", "mulu_case_list", q=f"{choice}的台账", limit=10)
    assert found["count"] == made
    listed = done.soup.find("h2", string=lambda text: text and text.strip() == ("未导入" if choice == "refuse" else "草稿待补齐"))
    assert listed is None or titles[1] in listed.find_parent("section").get_text()
    assert titles[1] in done.text


def test_sound_drafts_are_submitted_all_at_once(portal, monkeypatch):  # noqa: F811
    monkeypatch.setattr(imports, "CHUNK", 2)
    titles = [f"成批导入的台账{number}" for number in range(5)]
    report = upload(portal, sound_form(titles), "台账.xlsx")
    assert "没有发现问题" in report.text, report.text[:1500]
    page = portal.press("editor", report, "确认，写入草稿")
    assert "已处理 2 / 5" in page.text and page.soup.select_one("form[data-m-continue]")
    page = load_all(portal, page, "继续写入")
    assert "5 个条目没有问题" in page.text
    page = portal.press("editor", page, "全部提交")
    while "继续提交" in page.text:
        page = portal.press("editor", page, "继续提交")
    assert "成功 5 个，未成功 0 个" in page.text and "等待本部门负责人同意" in page.text
    inbox = portal.get("head", "/mulu/inbox?q=成批导入的台账")
    assert {link.get_text() for link in inbox.soup.select("td.m-what a")} == set(titles)


def zip_bomb():
    binary = io.BytesIO()
    with zipfile.ZipFile(binary, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (320 * MIB))
    return binary.getvalue()


BAD_FILES = {
    "empty": (lambda: b"", "空表.xlsx"),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + b"0" * 100, "目录.xlsx"),
    "pdf": (lambda: b"%PDF-1.7 ...", "目录.pdf"),
    "damaged": (lambda: (FORMS / "merged-cells.xlsx").read_bytes()[:3000], "坏了.xlsx"),
    "zip bomb": (zip_bomb, "炸弹.xlsx"),
    "no table": (lambda: "今天天气很好\n".encode(), "随笔.csv"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_a_clear_error_at_the_form(portal, kind):  # noqa: F811
    make, name = BAD_FILES[kind]
    before = portal.do("editor", "mulu_case_list", limit=1)["count"]
    page = upload(portal, make(), name)
    assert page.status == 422, page.text[:400]
    problems = page.soup.select(".m-note-bad li")
    assert problems and name in page.soup.select_one(".m-note-bad").get_text()
    assert page.form("上传并检查")
    assert portal.do("editor", "mulu_case_list", limit=1)["count"] == before


def test_a_huge_file_is_refused_before_it_is_read(portal, monkeypatch):  # noqa: F811
    monkeypatch.setenv("MULU_FORM_MAX_BYTES", str(MIB))
    page = upload(portal, b"0" * (3 * MIB), "很大.xlsx")
    assert page.status == 413 and "超过 1 MB" in page.text and page.form("上传并检查")


def test_no_file_is_said(portal):  # noqa: F811
    page = portal.post("editor", "/mulu/import", {"organization": "jiaoyu"})
    assert page.status == 422 and "请先选择要导入的文件" in page.text


def test_an_upload_is_its_own_persons_and_can_be_given_up(portal):  # noqa: F811
    report = upload(portal, sound_form(["放弃的台账"]), "台账.xlsx")
    assert portal.get("other_editor", report.url).status == 404
    page = portal.press("editor", report, "放弃")
    assert "没有写入任何条目" in page.text
    assert portal.get("editor", report.url).status == 404


def test_one_part_is_loaded_once(portal):  # noqa: F811
    report = upload(portal, sound_form(["同时确认的台账"]), "台账.xlsx")
    id_ = report.url.rsplit("/", 1)[1]
    lock = import_job.lock(id_)
    assert lock.acquire()
    try:
        waiting = portal.press("editor", report, "确认，写入草稿")
        assert waiting.soup.select_one("h1").get_text() == "检查结果"
    finally:
        lock.release()


def test_who_belongs_to_no_department_cannot_import(portal):  # noqa: F811
    page = portal.get("citizen", "/mulu/import")
    assert "不能导入" in page.text
    assert upload(portal, sound_form(["不许"]), "台账.xlsx", who="citizen").status in (403, 422)
