"""我的待办, 事项 and the page of a case: countdown, what each role may press and why not, two tabs, ledger, batch."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta

import pytest
from openpyxl import load_workbook

from ckanext.mulu import helpers
from ckanext.mulu.views.cases import _cell
from pages import REVIEWS, portal  # noqa: F401

YEAR = datetime.now(helpers.SHANGHAI).year
DUE = [
    ({"due_on": None, "days_left": None}, None),
    ({"due_on": f"{YEAR}-11-19", "days_left": -2, "overdue": True}, ("已逾期 2 个工作日", "m-tag-bad", "11月19日")),
    ({"due_on": f"{YEAR}-11-21", "days_left": 0}, ("今天到期", "m-tag-bad", "11月21日")),
    ({"due_on": f"{YEAR}-11-25", "days_left": 2}, ("还剩 2 个工作日", "m-tag-warn", "11月25日")),
    ({"due_on": f"{YEAR}-11-26", "days_left": 3}, ("还剩 3 个工作日", "m-tag-ok", "11月26日")),
    ({"due_on": f"{YEAR + 1}-01-08", "days_left": 33}, ("还剩 33 个工作日", "m-tag-ok", f"{YEAR + 1}年1月8日")),
]


@pytest.mark.usefixtures("portal", "with_request_context")
@pytest.mark.parametrize(("row", "wanted"), DUE)
def test_a_deadline_is_told_by_colour_and_by_words(row, wanted):
    due = helpers.mulu_due(row)
    assert (due and (due["text"], due["tag"], due["date"])) == wanted


def test_the_most_pressing_come_first():
    days = ["2026-12-01", None, "2026-11-19", "2027-01-08"]
    rows = sorted([{"due_on": day, "opened_at": "2026-11-01"} for day in days], key=helpers.urgency)
    assert [row["due_on"] for row in rows] == ["2026-11-19", "2026-12-01", "2027-01-08", None]


@pytest.fixture(scope="module")
def submitted(portal):  # noqa: F811
    """Address of a case that waits for the department's head."""
    entry = portal.draft("待负责人同意的条目")
    portal.press("editor", entry, "提交部门负责人")
    return portal.case_of(entry)


def test_the_inbox_shows_whose_turn_it_is(portal, submitted):  # noqa: F811
    page = portal.get("head", "/mulu/inbox")
    row = page.soup.find("a", href=submitted).find_parent("tr")
    assert "待部门负责人同意" in row.get_text() and "县教育局" in row.get_text() and "未设时限" in row.get_text()
    assert page.soup.select_one(".m-nav .m-count").get_text().split()[0] == str(len(page.soup.select("tbody tr")))
    assert portal.get("authority", "/mulu/inbox").soup.find("a", href=submitted) is None
    assert "没有等您办理的事项" in portal.get("citizen", "/mulu/inbox").text


def test_the_inbox_asks_visitors_to_log_in(portal):  # noqa: F811
    page = portal.get("", "/mulu/inbox")
    assert "/user/login" in page.url and page.form("登录")


def test_the_countdown_runs_before_the_authority(portal):  # noqa: F811
    entry = portal.draft("有时限的条目")
    portal.press("editor", entry, "提交部门负责人")
    case = portal.case_of(entry)
    portal.press("head", portal.get("head", case), "确认同意并报主管部门", REVIEWS)
    row = portal.get("authority", "/mulu/inbox?q=有时限的条目").soup.find("a", href=case).find_parent("tr")
    assert "还剩 2 个工作日" in row.get_text() and row.select_one(".m-tag-warn")
    page = portal.get("authority", case)
    assert "政务数据共享条例 第十七条" in page.text and "不涉密，可以发布。" in page.text
    near = portal.get("authority", "/mulu/inbox?due=near")
    assert near.soup.find("a", href=case)
    assert portal.get("authority", "/mulu/inbox?due=overdue").soup.find("a", href=case) is None
    assert "没有符合条件的待办" in portal.get("authority", "/mulu/inbox?q=没有这样的名称").text


BUTTONS = {
    "editor": ({"撤回"}, {"同意并报主管部门", "退回修改"}),
    "head": ({"同意并报主管部门", "退回修改"}, {"撤回"}),
    "authority": (set(), {"同意并报主管部门", "退回修改", "撤回"}),
}


@pytest.mark.parametrize("who", BUTTONS)
def test_each_sees_what_may_be_pressed_and_why_the_rest_may_not(portal, submitted, who):  # noqa: F811
    page = portal.get(who, submitted)
    open_, closed = BUTTONS[who]
    assert {one.get_text(strip=True) for one in page.soup.select("details.m-act > summary")} == open_
    reasons = page.soup.select(".m-closed li")
    assert {one.strong.get_text() for one in reasons} == closed
    assert all(len(one.get_text()) > len(one.strong.get_text()) + 4 for one in reasons)


@pytest.mark.parametrize("who", ["other_editor", "citizen"])
def test_a_case_is_not_there_for_who_has_no_part_in_it(portal, submitted, who):  # noqa: F811
    assert portal.get(who, submitted).status in (403, 404)
    assert "待负责人同意的条目" not in portal.get(who, "/mulu/cases").text


def test_a_refused_step_says_why_and_keeps_what_was_filled_in(portal, submitted):  # noqa: F811
    page = portal.press("head", portal.get("head", submitted), "确认同意并报主管部门", {"secrecy_review.conclusion": "不涉密"})
    assert page.status == 422 and "没有办成" in page.text
    assert page.soup.select_one("details.m-act[open] [name='secrecy_review.conclusion']").get_text() == "不涉密"
    links = [link["href"].removeprefix("#") for link in page.soup.select(".m-summary a")]
    assert links and all(page.soup.find(id=link) for link in links)
    assert "个人信息保护影响评估" in page.soup.select_one(".m-summary").get_text()


def test_an_old_tab_cannot_decide(portal):  # noqa: F811
    entry = portal.draft("两个页面")
    case = portal.case_of(entry)
    old = portal.get("editor", entry.url)
    portal.press("editor", portal.get("editor", entry.url), "提交部门负责人")
    first, second = portal.get("head", case), portal.get("head", case)
    portal.press("head", first, "确认退回修改", {"reason": "摘要太短"})
    assert "已退回" in portal.get("head", case).text
    page = portal.press("head", second, "确认同意并报主管部门", REVIEWS)
    assert page.status == 400 or (page.status == 409 and "刷新" in page.text)
    assert portal.press("editor", old, "提交部门负责人").status == 409
    assert "已退回" in portal.get("head", case).text


def test_reasons_of_a_return_stand_in_the_history(portal):  # noqa: F811
    entry = portal.draft("会被退回的条目")
    case = portal.case_of(entry)
    portal.press("editor", entry, "提交部门负责人")
    page = portal.press("head", portal.get("head", case), "确认退回修改", {"reason": "一、摘要太短；二、补充信息项。"})
    line = page.soup.select(".m-line > li")
    assert [one.strong.get_text() for one in line] == ["编制", "提交部门负责人", "退回修改"]
    assert "一、摘要太短；二、补充信息项。" in line[-1].blockquote.get_text() and "县教育局负责人" in line[-1].get_text()
    assert "已退回，请按意见改正后再次提交" in portal.get("editor", entry.url).text


def test_the_ledger_is_filtered_and_exported(portal, submitted):  # noqa: F811
    page = portal.get("head", "/mulu/cases?q=待负责人同意&procedure=catalogue_review&state=head_review&org=jiaoyu")
    assert [link["href"] for link in page.soup.select("td.m-what a")] == [submitted]
    assert "没有符合条件的事项" in portal.get("head", "/mulu/cases?q=没有这样的名称").text
    links = {link.get_text(strip=True): link["href"] for link in page.soup.select("a[href*='/cases/export.']")}
    rows = list(csv.reader(io.StringIO(portal.get("head", links["导出 CSV"]).raw.decode("utf-8-sig"))))
    assert rows[0][:3] == ["编号", "事项类型", "名称"]
    assert [row[2] for row in rows[1:]] == ["待负责人同意的条目"]
    sheet = load_workbook(io.BytesIO(portal.get("head", links["导出 Excel"]).raw)).active
    assert [cell.value for cell in sheet[2]][1:5] == ["目录审核", "待负责人同意的条目", "县教育局", "待部门负责人同意"]


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@x", "\t=1"])
def test_no_cell_of_an_export_is_run_as_a_formula(text):
    assert _cell(text) == f"'{text}"


def test_many_are_decided_at_once_with_a_result_for_each(portal):  # noqa: F811
    cases = []
    for number in range(3):
        entry = portal.draft(f"批量条目{number}")
        cases.append(portal.case_of(entry))
        portal.press("editor", entry, "提交部门负责人")
    page = portal.get("head", "/mulu/inbox?q=批量条目")
    assert len(page.soup.select("input[name=ids]")) == 3
    ids = [case.rsplit("/", 1)[1] for case in cases]
    choose = portal.post("head", "/mulu/batch", {"ids": ids})
    assert "批量办理 3 件" in choose.text
    assert portal.press("head", choose, "确认同意并报主管部门", {}).status == 422
    done = portal.press("head", choose, "确认同意并报主管部门", REVIEWS)
    assert "成功 3 个，未成功 0 个" in done.text
    both = portal.post("authority", "/mulu/batch", {"ids": ids})
    assert "成功 3 个" in portal.press("authority", both, "确认审核通过并发布").text
    assert "批量条目2" in portal.get("", "/dataset/?q=批量条目2").soup.select_one(".m-entries").get_text()
    assert "请先勾选" in portal.post("head", "/mulu/batch", {}).text


def test_a_change_of_class_is_asked_for_and_decided(portal):  # noqa: F811
    entry = portal.publish("变更属性的条目")
    link = entry.soup.find("a", string="申请变更属性")["href"]
    empty = portal.press("editor", portal.get("editor", link), "提交主管部门决定")
    assert empty.status == 422 and len(empty.soup.select(".m-summary li")) >= 2 and "拟变更的属性" in empty.soup.select_one(".m-summary").get_text()
    asked = {"after.share_type": "conditional", "after.share_condition": "限教育管理使用", "after.share_basis": "《教育法》第十五条",
             "reason": "涉及未成年人", "basis": "《未成年人保护法》第四条"}  # fmt: skip
    asked |= {"after.open_type": "conditional", "after.open_condition": "限研究使用"}
    case = portal.press("editor", portal.get("editor", link), "提交主管部门决定", asked)
    assert case.status == 200 and "待主管部门决定" in case.text and "涉及未成年人" in case.text, case.text[:800]
    assert "无条件共享" in portal.get("", entry.url).soup.select_one(".m-classes").get_text()
    done = portal.press("authority", portal.get("authority", case.url), "确认同意变更", {"reason": "依据充分"})
    assert "已生效" in done.text
    assert "有条件共享" in portal.get("", entry.url).soup.select_one(".m-classes").get_text()
    assert "第 2 版" in portal.get("editor", f"/mulu/entry/{entry.url.rsplit('/', 1)[1]}/history").text


def test_an_event_that_there_is_not_is_a_clear_error(portal, submitted):  # noqa: F811
    assert portal.post("head", submitted, {"event": "explode", "version": "1"}).status == 400
    assert portal.post("head", submitted, {"event": "publish", "version": "1"}).status == 400
    assert portal.get("head", "/mulu/case/none").status == 404


def test_today_is_told_in_shanghai():
    today = datetime.now(helpers.SHANGHAI)
    assert helpers.mulu_today().startswith(f"{today.year}年{today.month}月{today.day}日 星期")
    assert today.utcoffset() == timedelta(hours=8)
