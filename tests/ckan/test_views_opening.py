"""Procedures started where they belong: from an entry, a case, a department; related cases; the overview and its links."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from ckan import model
from sqlalchemy import update

from ckanext.mulu import offers
from ckanext.mulu.model.tables import case as case_table
from mulu.case import PROCEDURES, load_procedure
from pages import portal  # noqa: F401

SOON = (date.today() + timedelta(days=60)).isoformat()
USE = {"purpose": "核验", "scenario": "入学", "basis": "《义务教育法》", "scope": "本局", "way": "api", "until": SOON, "contact": "王", "promise": True}


@pytest.fixture(scope="module")
def entry(portal):  # noqa: F811
    held = {"share_type": "conditional", "share_condition": "限核验", "share_basis": "《教育法》", "open_type": "conditional", "open_condition": "限研究"}
    return portal.publish("争议里的条目", **held)


@pytest.fixture(scope="module")
def in_use(portal, entry):  # noqa: F811
    """Id of an application that was agreed to and delivered."""
    package = portal.do("other_editor", "package_show", id=entry.url.rsplit("/", 1)[1])["id"]
    [case] = portal.do("other_editor", "mulu_sharing_apply", asked=[{"id": package, "items": ["学校名称"]}], data=USE, submit=True)["cases"]
    portal.do("other_head", "mulu_case_event", id=case, event="own_head_agree")
    portal.do("head", "mulu_case_event", id=case, event="decide", data={"decisions": [{"id": package, "decision": "agreed"}]})
    portal.do("head", "mulu_case_event", id=case, event="deliver", data={"delivered_by": "portal"})
    return case


def offered(page):
    return {link.get_text(strip=True): link["href"] for link in page.soup.select(".m-offers a[href*='/mulu/open/']")}


def test_each_is_offered_what_is_theirs_to_start(portal, entry, in_use):  # noqa: F811
    assert set(offered(portal.get("other_editor", entry.url))) == {"提出疑义"}
    assert set(offered(portal.get("authority", entry.url))) >= {"启动评估", "提起一数一源确认"}
    assert "申请复核" in offered(portal.get("citizen", entry.url)) and "启动评估" not in offered(portal.get("citizen", entry.url))
    assert offered(portal.get("", entry.url)) == {}
    assert set(offered(portal.get("head", f"/mulu/case/{in_use}"))) == {"提出争议", "暂停并责令整改"}
    assert set(offered(portal.get("other_head", f"/mulu/case/{in_use}"))) == {"提出争议"}


def test_a_doubt_is_told_from_the_entry(portal, entry):  # noqa: F811
    page = portal.get("other_editor", offered(portal.get("other_editor", entry.url))["提出疑义"])
    wrong = portal.press("other_editor", page, "确认提出疑义", {"about": "item"})
    assert wrong.status == 422 and "说明" in wrong.soup.select_one(".m-summary").get_text()
    assert wrong.soup.select_one("#field-about option[selected]")["value"] == "item"
    done = portal.press("other_editor", wrong, "确认提出疑义", {"item": "学校名称", "description": "有两所学校同名"})
    assert "待校核" in done.text and "有两所学校同名" in done.text and "县民政局" in done.text
    assert urlsplit(done.url).path in [link["href"] for link in portal.get("head", "/mulu/inbox").soup.select("td.m-what a")]


def test_a_dispute_and_its_case_are_linked_both_ways(portal, in_use):  # noqa: F811
    application = f"/mulu/case/{in_use}"
    page = portal.get("other_head", offered(portal.get("other_head", application))["提出争议"])
    dispute = portal.press("other_head", page, "确认提出争议", {"claim": "数据不全", "level": "same"})
    assert "协商中" in dispute.text and application in [link["href"] for link in dispute.soup.select(".m-list a")]
    back = portal.get("head", application)
    assert urlsplit(dispute.url).path in [link["href"] for link in back.soup.select(".m-list a")]
    assert "提出争议" not in offered(back)
    again = portal.post("other_head", page.url, {"claim": "再提一次", "level": "same"})
    assert again.status == 422 and "同类事项" in again.text


def test_grants_stand_on_the_case_and_in_the_list(portal, in_use):  # noqa: F811
    case = portal.get("other_editor", f"/mulu/case/{in_use}")
    link = case.soup.select_one("a[href*='/mulu/grants/']")["href"]
    grant = portal.get("other_editor", link)
    assert "可以使用" in grant.text and "学校名称" in grant.text
    shown = portal.press("other_editor", grant, "领取密钥")
    assert shown.soup.select_one(".m-note-ok .m-key").get_text().startswith("mulu_")
    assert shown.soup.select_one(".m-note-ok .m-key").get_text() not in portal.get("other_editor", link).text
    assert link in [one["href"] for one in portal.get("other_editor", "/mulu/grants").soup.select("td.m-what a")]
    assert "还没有授权" in portal.get("citizen", "/mulu/grants").text
    assert portal.get("citizen", link).status == 404


def test_a_demand_of_a_department_is_listed_with_its_count(portal):  # noqa: F811
    page = portal.get("other_editor", portal.get("other_editor", "/mulu/demands").soup.find("a", string="提出需求")["href"])
    done = portal.press("other_editor", page, "确认提出需求", {"title": "居住证信息", "description": "编号、有效期", "wish": "share"})
    assert "待主管部门分派" in done.text and "县民政局" in done.text
    [row] = portal.get("editor", "/mulu/demands").soup.select("tbody tr")
    assert "居住证信息" in row.get_text() and row.select_one("b").get_text() == "1"
    assign = portal.press("authority", portal.get("authority", done.url), "确认分派", {"department": "jiaoyu"})
    assert "待部门承接" in assign.text and "县教育局" in assign.text


def test_the_overview_leads_to_who_is_late_and_to_a_notice(portal, entry):  # noqa: F811
    late = portal.publish("会逾期的条目", share_type="conditional", share_condition="限核验", share_basis="《教育法》", open_type="conditional", open_condition="限研究")
    package = portal.do("other_editor", "package_show", id=late.url.rsplit("/", 1)[1])["id"]
    [case] = portal.do("other_editor", "mulu_sharing_apply", asked=[{"id": package, "items": ["学校名称"]}], data=USE, submit=True)["cases"]
    portal.do("other_head", "mulu_case_event", id=case, event="own_head_agree")
    model.Session.execute(update(case_table).where(case_table.c.id == case).values(due_on=date(2025, 3, 3)))
    model.Session.commit()
    page = portal.get("authority", "/mulu/overview")
    row = page.soup.find("a", href=f"/mulu/case/{case}").find_parent("tr")
    assert "已逾期" in row.get_text() and "县教育局（部门编目人员、部门负责人）" in row.get_text()
    ledger = portal.get("authority", page.soup.select_one("section[aria-labelledby=by-department] a.m-late")["href"])
    assert [link["href"] for link in ledger.soup.select("td.m-what a")] == [f"/mulu/case/{case}"]
    notice = portal.get("authority", row.find("a", string="发出整改通知")["href"])
    assert "会逾期的条目" in notice.soup.select_one("#field-facts").get_text() and "2025-03-03" in notice.soup.select_one("#field-facts").get_text()
    ground = notice.soup.select("#field-ground option")[1]["value"]
    done = portal.press("authority", notice, "确认发出整改通知", {"ground": ground, "rectify_by": SOON})
    assert "整改中" in done.text and "县教育局（部门编目人员、部门负责人）" in done.text
    assert portal.get("editor", "/mulu/overview").status == 403


def test_the_ledger_filters_by_department_date_and_what_is_late(portal, in_use):  # noqa: F811
    def rows(query):
        return len(portal.get("authority", f"/mulu/cases?{query}").soup.select("td.m-what a"))

    tomorrow = (date.today() + timedelta(days=2)).isoformat()
    assert rows("procedure=sharing_application&party=minzheng") >= 2 and rows(f"since={tomorrow}") == 0
    assert rows("procedure=sharing_application&overdue=1") == 1 and rows("open=1&procedure=catalogue_review") == 0
    wrong = portal.get("authority", "/mulu/cases?since=gestern")
    assert wrong.status == 200 and "起始日期应为形如" in wrong.text


@pytest.mark.parametrize("url", ["/mulu/open/nothing", "/mulu/open/catalogue_review", "/mulu/open/dispute?type=case&id=x", "/mulu/open/error_check?type=entry&id=x",
                                 "/mulu/open/rectification?type=department&id=x", "/mulu/grants/x", "/mulu/case/x"])  # fmt: skip
def test_what_is_not_there_is_a_404(portal, url):  # noqa: F811
    assert portal.get("authority", url).status == 404


def test_every_opening_has_a_form(portal, entry, in_use):  # noqa: F811
    subjects = {"entry": entry.url.rsplit("/", 1)[1], "case": in_use, "department": "jiaoyu", "place": ""}
    for procedure in map(load_procedure, PROCEDURES):
        if procedure.id in offers.ELSEWHERE:
            assert portal.get("authority", f"/mulu/open/{procedure.id}?type=entry&id={subjects['entry']}").status == 404
            continue
        for kind in procedure.about:
            page = portal.get("authority", f"/mulu/open/{procedure.id}?type={kind}&id={subjects[kind]}")
            given = {field.key for field in procedure.opening.fields if field.given}
            names = {control["name"].split(".")[0] for control in page.soup.select(".main form.m-panel [name]")}
            assert page.status == 200 and not names & given, f"{procedure.id} {kind}"
            assert {field.key for field in procedure.opening.fields if field.required and not field.given} <= names, procedure.id


def test_what_each_case_decides_for_itself_is_no_matter_of_a_batch(portal, entry):  # noqa: F811
    package = portal.do("other_editor", "package_show", id=entry.url.rsplit("/", 1)[1])["id"]
    ids = []
    for _ in range(2):
        ids += portal.do("other_editor", "mulu_sharing_apply", asked=[{"id": package, "items": ["学校名称"]}], data=USE, submit=True)["cases"]
    both = portal.post("other_head", "/mulu/batch", {"ids": ids})
    assert "成功 2 个" in portal.press("other_head", both, "确认同意提出申请").text
    answer = portal.post("head", "/mulu/batch", {"ids": ids})
    offered_ = {one.get_text(strip=True) for one in answer.soup.select("details.m-act > summary")}
    assert offered_ == {"一次性告知补充材料", "报请延长答复期限"}
