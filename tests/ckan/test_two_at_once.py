"""Two who press at the same time: one wins, the others are told; nothing is done twice. Real threads, a connection each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from ckan import model
from sqlalchemy import func, select
from test_procedures import CONDITIONAL, grants, submitted
from town import ENTRY, REVIEWS

from ckanext.mulu.model import history
from ckanext.mulu.model.tables import entry_version, outbox


def together(town, calls: list[tuple[str, str, dict[str, Any]]]) -> list[tuple[int, Any]]:
    """(status, JSON) of calls (who, action, data) that start at the same moment."""
    start = Barrier(len(calls))

    def call(one: tuple[str, str, dict[str, Any]]) -> tuple[int, Any]:
        who, action, data = one
        start.wait()
        answer = town.request(who, f"/api/3/action/{action}", data)
        return answer.status_code, answer.json

    try:
        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(call, calls))
    finally:
        model.Session.remove()


def test_of_eight_who_publish_one_wins(town):
    made = town.draft("八个人同时发布")
    case = made["mulu_case"]
    town.event("editor", case, "submit")
    town.event("head", case, "head_agree", **REVIEWS)
    answers = together(
        town,
        [("authority", "mulu_case_event", {"id": case, "event": "publish"})] * 4
        + [("authority_head", "mulu_case_event", {"id": case, "event": "publish"})] * 4,
    )
    assert sorted(status for status, _ in answers) == [200] + [409] * 7
    assert {problem["rule"] for status, told in answers if status == 409 for problem in told["error"]["problems"]} == {
        "wrong_state"
    }
    assert [event["event"] for event in history.events(case)].count("publish") == 1
    assert (
        model.Session.execute(
            select(func.count()).select_from(entry_version).where(entry_version.c.package_id == made["id"])
        ).scalar()
        == 1
    )
    assert (
        model.Session.execute(
            select(func.count()).select_from(outbox).where(outbox.c.case_id == case, outbox.c.template == "decision")
        ).scalar()
        == 1
    )
    assert list(history.broken()) == []


def test_agreed_or_returned_but_not_both(town):
    case = town.draft("同意还是退回")["mulu_case"]
    town.event("editor", case, "submit")
    version = town.do("head", "mulu_case_show", id=case)["version"]
    answers = together(town, [
        ("head", "mulu_case_event", {"id": case, "event": "head_agree", "data": REVIEWS, "version": version}),
        ("head", "mulu_case_event", {"id": case, "event": "return_to_editor", "data": {"reason": "摘要太短"}, "version": version}),
    ])  # fmt: skip
    assert sorted(status for status, _ in answers) == [200, 409]
    assert {problem["rule"] for status, told in answers if status == 409 for problem in told["error"]["problems"]} == {
        "stale_version"
    }


def test_eight_entries_of_one_class_get_eight_codes(town):
    calls = [
        ("editor", "package_create", {**ENTRY, "title": f"同时编目 {number}", "owner_org": "minzheng"})
        for number in range(8)
    ]
    answers = together(town, calls)
    assert [status for status, _ in answers] == [200] * 8, answers
    assert len({told["result"]["resource_code"] for _, told in answers}) == 8


def test_two_edits_of_a_published_entry_open_one_case(town):
    public = town.published("两人同时修改")
    answers = together(town, [
        (who, "package_patch", {"id": public["id"], field: f"{who} 的话"}) for who, field in (("editor", "notes"), ("editor2", "contact"))
    ])  # fmt: skip
    assert {status for status, _ in answers} <= {200, 409}
    assert 200 in {status for status, _ in answers}
    found = town.do("editor", "mulu_case_list", subject_id=public["id"], open=True)
    assert found["count"] == 1


@pytest.mark.parametrize("code", ["307001/90001"])
def test_one_code_is_given_to_one_entry(town, code):
    data = {**ENTRY, "classification": ["3", "07", "001", ""], "owner_org": "minzheng", "resource_code": code}
    answers = together(
        town, [("editor", "package_create", {**data, "title": f"争一个代码 {number}"}) for number in range(4)]
    )
    assert sorted(status for status, _ in answers) == [200] + [409] * 3, answers


def test_one_title_of_one_source_is_imported_once(town):
    row = {"entry": {**ENTRY, "title": "两个导入同时进行"}, "where": "N5"}
    call = (
        "editor",
        "mulu_entry_import",
        {"entries": [row], "organization": "minzheng", "source": {"name": "同一份表"}},
    )
    answers = together(town, [call] * 3)
    assert {status for status, _ in answers} <= {200, 409}
    assert town.found("editor", q='title:"两个导入同时进行"', include_private=True) == ["两个导入同时进行"]


def test_of_fifty_decisions_on_one_application_one_wins(town):
    entry = town.published("五十个人同时答复", **CONDITIONAL)
    case = submitted(town, entry)["id"]
    agree = [{"id": entry["id"], "decision": "agreed"}]
    refuse = [{"id": entry["id"], "decision": "refused", "reason": "与职责无关"}]
    calls = [
        ("head", "mulu_case_event", {"id": case, "event": "decide", "data": {"decisions": (agree, refuse)[n % 2]}}) for n in range(50)
    ]
    answers = together(town, calls)
    assert sorted(status for status, _ in answers) == [200] + [409] * 49
    won = next(told["result"]["state"] for status, told in answers if status == 200)
    assert {problem["rule"] for status, told in answers if status == 409 for problem in told["error"]["problems"]} == {"wrong_state"}
    assert [event["event"] for event in history.events(case)].count("decide") == 1
    assert town.do("head", "mulu_case_show", id=case)["state"] == won
    assert grants(case) == []


def test_of_twenty_deliveries_one_gives_the_grant(town):
    entry = town.published("二十个人同时提供", **CONDITIONAL)
    case = submitted(town, entry)["id"]
    town.event("head", case, "decide", decisions=[{"id": entry["id"], "decision": "agreed"}])
    deliver = {"id": case, "event": "deliver", "data": {"delivered_by": "portal"}}
    answers = together(town, [("editor", "mulu_case_event", deliver)] * 20)
    assert sorted(status for status, _ in answers) == [200] + [409] * 19
    assert len(grants(case)) == 1


def test_of_ten_suspensions_at_once_one_is_opened(town):
    entry = town.published("十个人同时暂停", **CONDITIONAL)
    case = submitted(town, entry)["id"]
    town.event("head", case, "decide", decisions=[{"id": entry["id"], "decision": "agreed"}])
    town.event("editor", case, "deliver", delivered_by="portal")
    data = {"breach": ["scope"], "facts": "超出范围", "rectify_by": "2035-01-02"}
    call = {"procedure": "suspension", "subject": {"type": "case", "id": case}, "data": data}
    answers = together(town, [(("head", "authority")[n % 2], "mulu_case_open", call) for n in range(10)])
    assert sorted(status for status, _ in answers) == [200] + [409] * 9
    assert {problem["rule"] for status, told in answers if status == 409 for problem in told["error"]["problems"]} == {"already_open"}
