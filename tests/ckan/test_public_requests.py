"""Requests of the public without an account: from the challenge to the receipt, and everything that is refused on the way."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import ckan.model as model
import pytest
from asking import REQUESTS, SECRETS, Visitor, configured, rules, solution
from sqlalchemy import func, select

from ckanext.mulu.model.tables import attachment, case, outbox, receipt
from mulu.receipt import read_code, read_number


@pytest.fixture
def calm(monkeypatch):
    configured(monkeypatch)


@pytest.fixture
def visitor(town, calm):
    return Visitor(town.app)


@pytest.fixture(scope="module")
def entry(town):
    return town.published("烟花爆竹经营许可")


def stored() -> tuple[int, ...]:
    model.Session.rollback()
    return tuple(model.Session.execute(select(func.count()).select_from(table)).scalar_one() for table in (case, receipt, attachment, outbox))


@pytest.mark.parametrize("procedure", sorted(REQUESTS))
def test_every_public_procedure_ends_in_a_receipt(visitor, town, entry, procedure):
    about = "" if procedure in ("demand", "complaint", "suggestion") else entry["name"]
    held = visitor.receipt(procedure, about)
    assert read_number(held["receipt"]) == held["receipt"]
    assert held["receipt"].startswith("HUARONG-")
    assert read_code(held["code"]) == held["code"]
    assert held["due_on"] and held["article"] and held["status_url"].endswith(held["receipt"])
    shown = visitor.status(held)
    assert shown["state"] == held["state"]
    assert shown["procedure_title"] == held["procedure_title"]
    [listed] = town.do("authority", "mulu_case_list", procedure=procedure)["results"]
    assert town.do("authority", "mulu_case_show", id=listed["id"])["case"]["data"].items() >= REQUESTS[procedure].items()


@pytest.mark.parametrize("procedure", ["demand", "complaint", "suggestion"])
def test_what_may_be_about_an_entry_is_about_it(visitor, town, entry, procedure):
    visitor.receipt(procedure, entry["id"])
    listed = town.do("authority", "mulu_case_list", procedure=procedure)["results"][0]
    assert (listed["subject_type"], listed["subject_id"], listed["org"]) == ("entry", entry["id"], "minzheng")


def test_what_may_be_asked_is_told_with_its_fields(visitor):
    told = {one["id"]: one for one in visitor.get("procedures").json["procedures"]}
    assert set(told) == set(REQUESTS)
    keys = {field["key"] for field in told["rereview"]["fields"]}
    assert keys == {"request", "purpose", "name", "email", "phone", "attachments"}
    assert told["rereview"]["article"] and told["rereview"]["terms"]
    assert not any(field["given"] for one in told.values() for field in one["fields"])


def test_json_does_as_well_as_a_form(visitor, entry):
    body = {"procedure": "rereview", "entry": entry["id"], "data": REQUESTS["rereview"], "altcha": visitor.solve()}
    assert visitor.post("requests", body).status_code == 201


def test_a_solution_counts_once(visitor):
    body = {"procedure": "demand", "data": {**REQUESTS["demand"], "title": "只算一次"}, "altcha": visitor.solve()}
    assert visitor.post("requests", body).status_code == 201
    before = stored()
    again = visitor.post("requests", body)
    assert (again.status_code, rules(again)) == (403, {"not_solved"})
    assert stored() == before


@pytest.mark.parametrize("forge", [
    lambda task: None,
    lambda task: "",
    lambda task: 7,
    lambda task: "bm90IGpzb24=",
    lambda task: "WzEsMl0=",
    lambda task: "MTI=",
    lambda task: solution({**task, "signature": "0" * 64}),
    lambda task: solution({**task, "algorithm": "SHA-1"}),
    lambda task: solution(task)[:-8] + "AAAAAAA=",
    lambda task: "é" + solution(task),
    lambda task: "A" * 100_000,
])  # fmt: skip
def test_a_forged_solution_is_none(visitor, forge):
    body = {"procedure": "demand", "data": REQUESTS["demand"], "altcha": forge(visitor.get("challenge").json)}
    before = stored()
    refused = visitor.post("requests", body)
    assert (refused.status_code, rules(refused)) == (403, {"not_solved"})
    assert stored() == before


def test_a_solution_that_came_too_late_is_none(visitor, monkeypatch):
    from datetime import timedelta

    from ckanext.mulu.public_requests import challenge

    with monkeypatch.context() as then:
        then.setattr(challenge, "LIFE", timedelta(seconds=-5))
        late = visitor.solve()
    assert visitor.post("requests", {"procedure": "demand", "data": REQUESTS["demand"], "altcha": late}).status_code == 403


def test_all_that_is_wrong_is_told_at_once_and_nothing_stays(visitor, entry):
    before = stored()
    data = {"about": "nonsense", "email": "keine", "odd": "x", "description": " "}
    refused = visitor.ask("error_check", entry["id"], data, files=[("a.pdf", b"MZ\x90\0" + bytes(60))])
    assert refused.status_code == 415
    assert {(one["field"], one["rule"]) for one in refused.json["problems"]} == {
        ("about", "not_in_list"), ("email", "not_an_email"), ("odd", "unknown_field"), ("description", "required"), ("attachments[0]", "file_type"),
    }  # fmt: skip
    assert all(one["message"] for one in refused.json["problems"])
    assert stored() == before


@pytest.mark.parametrize(("procedure", "data", "expected"), [
    ("nonsense", {}, {"not_in_list"}),
    ("sharing_application", {}, {"not_in_list"}),
    (None, {}, {"not_in_list"}),
    (["demand"], {}, {"not_in_list"}),
    ("demand", [], {"wrong_type"}),
    ("demand", "text", {"wrong_type"}),
    ("demand", {}, {"required"}),
    ("demand", {**REQUESTS["demand"], "title": "\0"}, {"not_text"}),
    ("demand", {**REQUESTS["demand"], "title": "\ud800"}, {"not_text"}),
    ("demand", {**REQUESTS["demand"], "title": {"a": 1}}, {"wrong_type"}),
    ("demand", {**REQUESTS["demand"], "title": "长" * 101}, {"too_long"}),
    ("rereview", REQUESTS["rereview"], {"required"}),
    ("complaint", {**REQUESTS["complaint"], "department": "minzheng"}, {"unknown_field"}),
])  # fmt: skip
def test_what_the_rules_refuse_is_told(visitor, procedure, data, expected):
    before = stored()
    refused = visitor.post("requests", {"procedure": procedure, "data": data, "altcha": visitor.solve()})
    assert (refused.status_code, rules(refused)) == (422, expected)
    assert stored() == before


def test_fields_that_the_portal_fills_in_are_nobody_elses(visitor, town, entry):
    lies = {"before": {"open_type": "none"}, "consumer": "minzheng", "asking": "minzheng", "count": 99}
    held = visitor.receipt("rereview", entry["id"], data={**REQUESTS["rereview"], "before": lies["before"]})
    assert held
    visitor.receipt("demand", data={**REQUESTS["demand"], "title": "不是九十九", "count": 99, "consumer": "minzheng"})
    data = [town.do("authority", "mulu_case_show", id=one["id"])["case"]["data"] for one in town.do("authority", "mulu_case_list")["results"][:2]]
    assert data[0]["count"] == 1 and "consumer" not in data[0]
    assert data[1]["before"]["open_type"] == "unconditional"


def test_an_unpublished_entry_is_as_unknown_as_one_that_never_was(visitor, town):
    draft = town.draft("还没有发布")
    answers = [visitor.ask("rereview", one) for one in (draft["id"], draft["name"], "00000000-0000-0000-0000-000000000000", "nothing", "%", "..")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.get_data() for answer in answers}) == 1


def test_the_trap_for_robots(visitor):
    refused = visitor.ask("demand", website="http://spam.example")
    assert (refused.status_code, rules(refused)) == (422, {"must_be_empty"})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'"x"', b"null", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_told(visitor, body):
    refused = visitor.post("requests", data=body, content_type="application/json")
    assert refused.status_code == 422 and refused.json["problems"]


def test_too_much_is_not_even_read(visitor):
    assert visitor.post("requests", data=b"x" * (2 * 2**20), content_type="application/json").status_code == 413
    form = {"procedure": "demand", "data": "x" * (2 * 2**20)}
    assert visitor.post("requests", data=form, content_type="multipart/form-data").status_code == 413
    large = visitor.ask("demand", files=[(f"{n}.txt", b"x" * (9 * 2**20)) for n in range(3)])
    assert large.status_code == 413 and large.json["problems"]
    one = visitor.ask("demand", files=[("large.txt", b"x" * (11 * 2**20))])
    assert (one.status_code, rules(one)) == (413, {"file_too_large"})


def test_thirty_at_once_have_thirty_receipts(visitor, town):
    bodies = [{"procedure": "complaint", "data": REQUESTS["complaint"], "altcha": visitor.solve()} for _ in range(30)]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda body: visitor.post("requests", body), bodies))
    assert {answer.status_code for answer in answers} == {201}
    held = [answer.json for answer in answers]
    assert len({one["receipt"] for one in held}) == len({one["code"] for one in held}) == 30
    numbers = sorted(int(one["receipt"].split("-")[3]) for one in held)
    assert numbers == list(range(numbers[0], numbers[0] + 30))


def test_the_same_demand_counts_up_with_a_receipt_for_each(visitor, town):
    data = {**REQUESTS["demand"], "title": "停车场 空位数据"}
    first = visitor.receipt("demand", data=data, files=[("一.txt", "甲".encode())])
    second = visitor.receipt("demand", data={**data, "title": "停车场空位数据。", "description": "导航用"}, files=[("二.txt", "乙".encode())])
    assert first["receipt"] != second["receipt"]
    [listed] = town.do("authority", "mulu_case_list", q="停车场")["results"]
    shown = town.do("authority", "mulu_case_show", id=listed["id"])
    assert shown["case"]["data"]["count"] == 2
    assert [one["name"] for one in shown["case"]["data"]["attachments"]] == ["一.txt", "二.txt"]
    assert "导航用" in shown["events"][-1]["reason"]
    assert [one["name"] for one in visitor.status(second)["attachments"]] == ["二.txt"]
    assert len(visitor.status(second)["timeline"]) == 1
    for held in (first, second):
        refused = visitor.post("withdraw", held)
        assert (refused.status_code, rules(refused)) == (422, {"wanted_by_others"})
    assert (visitor.status(first)["can"], visitor.status(second)["can"]) == (["supplement"], [])


def test_a_strangers_demand_joins_no_case_of_somebody_with_an_account(visitor, town):
    data = {"title": "公厕开放时间", "description": "甲的需求", "wish": "open"}
    own = town.do("citizen", "mulu_case_open", procedure="demand", subject={"type": "place", "id": ""}, data=data)["id"]
    visitor.receipt("demand", data={**data, "description": "乙的需求", "phone": "0730-1234567", "name": "乙（虚构）"}, files=[("乙.txt", "乙".encode())])
    shown = json.dumps(town.do("citizen", "mulu_case_show", id=own), ensure_ascii=False)
    assert "1234567" not in shown and "乙" not in shown
    assert town.do("authority", "mulu_case_list", q="公厕")["count"] == 2


# ---- a receipt that was lost on the way


NUMBER = "0f" * 16


def test_what_is_sent_again_has_its_receipt_again_and_is_one_case(visitor, town):
    body = {"procedure": "complaint", "data": {**REQUESTS["complaint"], "description": "只发一次的投诉"}, "request": NUMBER}
    first = visitor.post("requests", {**body, "altcha": visitor.solve()}).json
    before = stored()
    again = visitor.post("requests", {**body, "altcha": visitor.solve()})
    assert again.status_code == 201 and (first["repeated"], again.json["repeated"]) == (False, True)
    assert again.json["receipt"] == first["receipt"] and again.json["code"] != first["code"]
    assert stored() == before
    assert visitor.status(again.json)["receipt"] == first["receipt"]
    assert visitor.post("status", first).status_code == 404, "the code that never arrived is void"


def test_the_number_of_a_request_opens_nothing_later_or_elsewhere(visitor, monkeypatch):
    from datetime import timedelta

    from ckanext.mulu.public_requests import intake

    number = "1e" * 16
    held = visitor.receipt("complaint", request=number)
    assert rules(visitor.ask("demand", request=number)) == {"taken_already"}
    monkeypatch.setattr(intake, "AGAIN", timedelta(0))
    late = visitor.ask("complaint", request=number)
    assert (late.status_code, rules(late)) == (422, {"taken_already"}) and held["receipt"] in late.json["problems"][0]["message"]
    assert visitor.status(held)["receipt"] == held["receipt"]


@pytest.mark.parametrize("number", ["x", "0f" * 15, "0F" * 16, "0f" * 17, "' or 1=1"])
def test_an_odd_number_is_none(visitor, number):
    assert rules(visitor.ask("complaint", request=number)) == {"not_a_number"}


def test_sent_twice_at_once_it_is_one_case(visitor):
    body = {"procedure": "complaint", "data": REQUESTS["complaint"], "request": "2d" * 16}
    bodies = [{**body, "altcha": visitor.solve()} for _ in range(6)]
    before = stored()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda one: visitor.post("requests", one), bodies))
    assert {answer.status_code for answer in answers} == {201} and len({answer.json["receipt"] for answer in answers}) == 1
    assert [b - a for a, b in zip(before, stored(), strict=True)][:2] == [1, 1]


def test_the_same_demand_twice_at_once_is_one_case(visitor, town):
    bodies = [{"procedure": "demand", "data": {**REQUESTS["demand"], "title": "同时提出的需求"}, "altcha": visitor.solve()} for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: visitor.post("requests", body), bodies))
    assert {answer.status_code for answer in answers} == {201}
    [listed] = town.do("authority", "mulu_case_list", q="同时提出的需求")["results"]
    assert town.do("authority", "mulu_case_show", id=listed["id"])["case"]["data"]["count"] == 8


def test_nothing_of_the_applicant_is_seen_at_any_public_door(visitor, town, entry):
    held = visitor.receipt("rereview", entry["id"], files=[("张秘密的附件.txt", "秘密句子甲".encode())])
    number = town.do("authority", "mulu_case_list", procedure="rereview")["results"][0]["id"]
    doors = [
        "/mulu/public/ledger", "/mulu/public/ledger?procedure=rereview", "/mulu/public/ledger?procedure=demand", "/mulu/public/status",
        f"/mulu/public/status?receipt={held['receipt']}", f"/dataset/{entry['name']}", f"/api/3/action/package_show?id={entry['id']}",
        f"/mulu/case/{number}", f"/api/3/action/mulu_case_show?id={number}", "/api/3/action/mulu_case_list", "/mulu/cases",
        f"/api/3/action/mulu_receipt_show?receipt={held['receipt']}", "/api/3/action/package_activity_list?id=" + entry["id"],
        "/api/3/action/mulu_inbox", "/api/3/action/package_search?q=秘密句子甲",
    ]  # fmt: skip
    for who in ("anonymous", "citizen", "member", "other_editor"):
        for door in doors:
            status, text = town.ask(who, door)
            assert status < 500, f"{door}: {text[:300]}"
            assert not [one for one in SECRETS if one in text.replace("q=秘密句子甲", "").replace('"秘密句子甲"', "")], f"{who} {door}"
    assert held["code"] not in str([tuple(row) for row in model.Session.execute(select(receipt))])
