"""The entry form: made from the one description of fields; all problems at once, beside their fields; nothing typed is lost."""

from __future__ import annotations

import pytest

from ckanext.mulu.schemas import build
from mulu.entry import FIELDS, ITEM_FIELDS
from pages import ENTRY, portal  # noqa: F401

SHOWN = [field for field in FIELDS if field.key not in build.NOT_ON_FORM and field.kind != "resources"]
AWKWARD = '学校 "甲" <b>&amp;</b> 名录'


def test_the_committed_schema_is_the_description_of_fields():
    assert build.TARGET.read_text("utf-8") == build.dump(), "run python -m ckanext.mulu.schemas.build"


@pytest.mark.parametrize("field", SHOWN, ids=lambda field: field.key)
def test_every_field_is_on_the_form_with_its_help(portal, field):  # noqa: F811
    page = portal.get("editor", "/dataset/new")
    name = build.CKAN_NAME.get(field.key, field.key)
    box = page.soup.select_one(f"#at-{name}")
    assert field.label in page.text
    if field.kind != "items":
        assert field.label in box.get_text()
    assert field.help.split("。")[0] in box.get_text()
    if field.required and field.kind != "items":
        assert "必填" in box.get_text()


def test_items_are_rows_with_a_column_for_each_field(portal):  # noqa: F811
    table = portal.get("editor", "/dataset/new").soup.select_one("table.m-items")
    heads = [head.get_text(strip=True).rstrip("*") for head in table.select("thead th")]
    assert heads[1:-1] == [field.label for field in ITEM_FIELDS]
    for field in ITEM_FIELDS:
        assert table.select_one(f"[name='items-0-{field.key}']")["aria-label"] == field.label


def test_choices_are_the_code_lists(portal):  # noqa: F811
    options = portal.get("editor", "/dataset/new").soup.select("#field-share_type option")
    assert [option["value"] for option in options] == ["", "unconditional", "conditional", "none"]


def test_all_problems_at_once_beside_their_fields_and_nothing_lost(portal):  # noqa: F811
    typed = {
        "title": AWKWARD,
        "share_type": "conditional",
        "open_type": "none",
        "share_mode": ["batch_download", "mail"],
        "related_codes": "307001/00001\n307001/00002",
        "items-0-name": "学校名称",
        "items-2-name": "在校生人数",
        "items-2-sensitive": "true",
    }
    page = portal.press("editor", portal.get("editor", "/dataset/new"), "检查并保存", typed)
    assert page.status == 422
    entry = {"title": AWKWARD, "share_type": "conditional", "open_type": "none", "share_mode": ["batch_download", "mail"],
             "provider": "jiaoyu", "related_codes": ["307001/00001", "307001/00002"],
             "items": [{"name": "学校名称"}, {"name": "在校生人数", "sensitive": True}]}  # fmt: skip
    wanted = [one for one in portal.do("editor", "mulu_entry_check", entry=entry)["problems"] if one["severity"] == "error"]
    links = page.soup.select(".m-summary li a")
    assert [link.get_text() for link in links] == [one["message"] for one in wanted]
    assert len(wanted) > 8
    ids = {tag["id"] for tag in page.soup.select("[id]")}
    assert [link["href"] for link in links if link["href"].removeprefix("#") not in ids] == []
    beside = page.soup.select(".m-error")
    assert len(beside) == len(wanted)
    assert "数据类型" in page.soup.select_one("td.m-item-data_type:has([aria-invalid])").get_text()
    kept = page.values(page.form("检查并保存"))
    assert kept["title"] == AWKWARD
    assert kept.getlist("share_mode") == ["batch_download", "mail", ""]
    assert kept["related_codes"] == "307001/00001\n307001/00002"
    assert (kept["items-0-name"], kept["items-1-name"], kept["items-1-sensitive"]) == ("学校名称", "在校生人数", "true")


def test_a_draft_may_be_incomplete_and_says_what_is_missing(portal):  # noqa: F811
    page = portal.press("editor", portal.get("editor", "/dataset/new"), "存为草稿", {"title": "待补齐的条目"})
    assert page.status == 200 and "/dataset/r-" in page.url
    assert "提交前要改正的问题" in page.text and "草稿" in page.text
    assert "提交部门负责人" not in [button.get_text(strip=True) for button in page.soup.select("button")]
    assert portal.get("", page.url).status == 404


def test_saving_goes_straight_to_the_entry_which_says_what_comes_next(portal):  # noqa: F811
    page = portal.draft("能提交的条目")
    assert page.status == 200 and page.soup.select_one("h1").get_text() == "能提交的条目"
    assert "下一步" in page.text and page.form("提交部门负责人")
    assert "无条件共享" in page.text and "批量下载" in page.text and "字符型C" in page.text


def test_rows_can_be_added_without_javascript(portal):  # noqa: F811
    page = portal.get("editor", "/dataset/new")
    before = len(page.soup.select("tbody [data-m-row]"))
    more = portal.press("editor", page, "增加一行", {"items-0-name": "学校名称", "title": "甲"})
    assert len(more.soup.select("tbody [data-m-row]")) > before
    kept = more.values(more.form("检查并保存"))
    assert (kept["items-0-name"], kept["title"]) == ("学校名称", "甲")


def test_editing_keeps_what_the_form_does_not_ask_for(portal):  # noqa: F811
    page = portal.draft("有文件的条目")
    name = page.url.rsplit("/", 1)[1]
    portal.do("editor", "resource_create", package_id=name, name="数据文件", url="https://example.org/a.csv", format="CSV")
    portal.press("editor", portal.get("editor", f"/dataset/edit/{name}"), "检查并保存", {"notes": "改过的摘要。"})
    saved = portal.do("editor", "package_show", id=name)
    assert saved["notes"] == "改过的摘要。"
    assert [one["name"] for one in saved["resources"]] == ["数据文件"]
    assert saved["items"][0]["length"] == ENTRY["items-0-length"]


def test_a_published_entry_is_changed_beside_what_is_published(portal):  # noqa: F811
    entry = portal.publish("已发布的条目")
    name = entry.url.rsplit("/", 1)[1]
    form = portal.get("editor", f"/dataset/edit/{name}")
    assert not form.soup.select("[name=share_type], [name=open_type]"), "the class is changed by its own procedure only"
    assert "申请变更属性" in form.text
    page = portal.press("editor", form, "检查并保存", {"notes": "改过的摘要，等待审核。"})
    assert "有待审核的变更" in page.text and "改过的摘要" not in page.text
    again = portal.get("editor", f"/dataset/edit/{name}")
    assert again.values(again.form("检查并保存"))["notes"] == "改过的摘要，等待审核。"
    case = portal.get("editor", portal.case_of(page))
    assert "与已发布版本的差异" in case.text and "改过的摘要，等待审核。" in case.soup.select_one("ins").get_text()
    assert "改过的摘要" not in portal.get("", f"/dataset/{name}").text


def test_who_belongs_to_no_department_is_told_so(portal):  # noqa: F811
    assert portal.get("citizen", "/dataset/new").soup.select("form.m-form") == []
    assert portal.get("other_editor", f"/dataset/edit/{portal.draft('别人的条目').url.rsplit('/', 1)[1]}").status in (403, 404)


def test_the_department_form_asks_for_what_a_department_is(portal):  # noqa: F811
    page = portal.get("sysadmin", "/organization/new")
    for label in ("部门名称", "统一社会信用代码", "上级部门", "首席数据官", "联系人和电话", "在目录管理中的职能"):
        assert label in page.text
