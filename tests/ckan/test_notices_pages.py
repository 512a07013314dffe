"""Notices and letters in the portal: own ones only, read and unread, and no letter to somebody who may not see its case."""

from __future__ import annotations

import re

import posting
import pytest
from bs4 import BeautifulSoup

from ckanext.mulu.notices import outbox


@pytest.fixture(scope="module")
def told(town):
    """An entry was published; its people were told."""
    package = town.published("社会救助标准")
    outbox.deliver()
    return town.do("editor", "package_show", id=package["id"])


def page(town, who, url):
    answer = town.request(who, url)
    return answer.status_code, BeautifulSoup(answer.get_data(as_text=True), "html.parser")


def test_whose_turn_it_is_and_who_waits_for_a_decision_are_told(town, told):
    templates = {who: [one["template"] for one in town.do(who, "mulu_notice_list")["results"]] for who in ("editor", "head", "authority", "other_head", "citizen")}
    assert templates == {"editor": ["decision"], "head": ["decision", "turn"], "authority": ["turn"], "other_head": [], "citizen": []}


def test_a_notice_leads_to_its_case_and_is_then_read(town, told):
    status, soup = page(town, "head", "/mulu/notices")
    assert status == 200 and len(soup.select(".m-notices > li.m-unread")) == 2
    assert re.search(r"通知\s*2", soup.select_one(".m-nav").get_text(" "))
    link = soup.select_one(".m-notices a")
    answer = town.request("head", link["href"])
    assert answer.status_code == 200 and answer.request.path.startswith("/mulu/case/")
    _, soup = page(town, "head", "/mulu/notices?unread=1")
    assert len(soup.select(".m-notices > li")) == 1 and re.search(r"通知\s*1", soup.select_one(".m-nav").get_text(" "))
    town.request("head", "/mulu/notices", form={})
    assert town.do("head", "mulu_notice_list", unread=True)["results"] == []
    assert town.do("head", "mulu_notice_list")["count"] == 2


def test_nobody_reads_or_marks_what_another_was_told(town, told):
    [own] = town.do("editor", "mulu_notice_list")["results"]
    for who in ("other_head", "head", "citizen"):
        assert own["id"] not in [one["id"] for one in town.do(who, "mulu_notice_list", id=own["id"])["results"]]
        assert town.request(who, f"/mulu/notices/{own['id']}").status_code == 404
        assert town.do(who, "mulu_notice_read", ids=[own["id"]])["marked"] == 0
    assert town.do("editor", "mulu_notice_list")["unread"] == 1
    assert town.do("editor", "mulu_notice_read", ids=[own["id"]]) == {"marked": 1, "unread": 0}
    assert town.do("editor", "mulu_notice_read", ids=[own["id"]])["marked"] == 0


@pytest.mark.parametrize("data", [{}, {"ids": []}, {"ids": "x"}, {"ids": [-1]}, {"ids": ["a"]}, {"ids": {"a": 1}}, {"ids": [2**70]}], ids=str)
def test_what_cannot_be_marked_is_said(town, told, data):
    assert town.refused("editor", "mulu_notice_read", **data)


def test_a_visitor_is_asked_to_log_in(town, told):
    for url in ("/mulu/notices", "/mulu/case/x/letter/1/turn.html", "/mulu/case/x/letter/1/turn.pdf"):
        assert town.request("anonymous", url).request.path == "/user/login"
    town.refused("anonymous", "mulu_notice_list")


def test_the_letters_of_a_case_stand_on_its_page(town, told):
    case = town.do("editor", "mulu_notice_list")["results"][0]["case_id"]
    _, soup = page(town, "editor", f"/mulu/case/{case}")
    shown = soup.select_one("section[aria-labelledby=letters]")
    assert "办理结果通知书" in shown.get_text() and "待办事项" not in shown.get_text()
    for link in shown.select("a"):
        answer = town.request("editor", link["href"])
        assert answer.status_code == 200
        assert answer.get_data().startswith(b"%PDF") if link["href"].endswith(".pdf") else "机构minzheng：" in answer.get_data(as_text=True)


def test_a_letter_is_for_those_who_see_its_case_and_only_where_there_is_one(town, told):
    one = town.do("editor", "mulu_notice_list")["results"][0]
    url = f"/mulu/case/{one['case_id']}/letter/{one['seq']}"
    assert town.request("authority", f"{url}/decision.html").status_code == 200
    for who, wrong in (
        ("other_head", f"{url}/decision.html"), ("citizen", f"{url}/decision.pdf"), ("editor", f"{url}/refusal.html"), ("editor", f"{url}/_letter.html"),
        ("editor", f"/mulu/case/{one['case_id']}/letter/1/decision.html"), ("editor", f"/mulu/case/{one['case_id']}/letter/999999999999999/decision.html"),
        ("editor", "/mulu/case/nowhere/letter/1/decision.html"), ("editor", f"{url}/promise.html"), ("editor", f"{url}/..%2Fpromise.html"),
    ):  # fmt: skip
        assert town.request(who, wrong).status_code == 404, (who, wrong)


def test_a_letter_runs_no_script_and_loads_nothing(town, told):
    one = town.do("editor", "mulu_notice_list")["results"][0]
    answer = town.request("editor", f"/mulu/case/{one['case_id']}/letter/{one['seq']}/decision.html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert not BeautifulSoup(answer.get_data(as_text=True), "html.parser").select("script, img, link, iframe")


def test_many_notices_come_by_the_page(town, told):
    for number in range(30):
        posting.notice(f"c-page-{number}", ["editor@jiaoyu"])
    outbox.deliver()
    first, second = (page(town, "other_editor", f"/mulu/notices?page={number}")[1] for number in (1, 2))
    assert [len(one.select(".m-notices > li")) for one in (first, second)] == [25, 5]
    assert page(town, "other_editor", "/mulu/notices?page=99999999999")[0] == 200
    assert page(town, "other_editor", "/mulu/notices?page=x")[0] == 200
