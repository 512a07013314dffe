"""Looking up a receipt, withdrawing, the public ledger: what is shown to whom, and what tells nothing."""

from __future__ import annotations

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import ckan.plugins.toolkit as tk
import pytest
from asking import REQUESTS, SECRETS, Visitor, configured, rules
from ckan import model
from sqlalchemy import text

from mulu.receipt import number, read_number

DAY = date(2026, 1, 5)
OFFICIALS = ("editor", "head", "authority", "authority_head")


@pytest.fixture
def calm(monkeypatch):
    configured(monkeypatch)


@pytest.fixture
def visitor(town, calm):
    return Visitor(town.app)


@pytest.fixture(scope="module")
def entry(town):
    return town.published("道路运输经营许可", open_type="conditional", open_condition="按规定用途使用")


def case_of(town, procedure, **more):
    return town.do("authority", "mulu_case_list", procedure=procedure, **more)["results"][0]["id"]


def test_a_rereview_is_followed_to_its_answer(visitor, town, entry):
    held = visitor.receipt("rereview", entry["id"])
    case = case_of(town, "rereview")
    assert visitor.status(held)["can"] == ["supplement", "withdraw"]
    assert visitor.status(held)["answer"] is None
    town.event("authority_head", case, "accept")
    town.event("authority_head", case, "keep", reason="涉及安全，内部理由", outcome="维持有条件开放，理由已向申请人说明。")
    shown = visitor.status(held)
    assert shown["final"] and shown["can"] == [] and shown["due_on"] is None
    assert [step["label"] for step in shown["timeline"]] == ["申请复核", "复核中", "复核后维持"]
    assert shown["answer"]["reason"] == "维持有条件开放，理由已向申请人说明。"
    assert shown["answer"]["label"] == "复核后维持" and shown["answer"]["article"] and shown["answer"]["on"]
    names = [town.users[who][key] for who in OFFICIALS for key in ("name", "fullname", "id")]
    assert not [name for name in names if name in json.dumps(shown, ensure_ascii=False)]


def test_a_demand_that_departments_pass_on_shows_public_labels_only(visitor, town):
    held = visitor.receipt("demand", data={**REQUESTS["demand"], "title": "共享单车停放点"})
    case = case_of(town, "demand", q="共享单车")
    ledger = visitor.get("ledger?procedure=demand").json
    assert "共享单车" not in json.dumps(ledger, ensure_ascii=False)
    town.event("authority", case, "assign", department="minzheng")
    town.event("head", case, "decline", reason="内部意见：不是我局")
    assert "内部意见" not in json.dumps(visitor.status(held), ensure_ascii=False)
    assert [step["label"] for step in visitor.status(held)["timeline"]] == ["提出需求", "部门办理中"]
    [row] = [row for row in visitor.get("ledger?procedure=demand").json["rows"] if row["title"] == "共享单车停放点"]
    assert (row["count"], row["state"]) == (1, "declining")
    town.event("authority", case, "confirm_decline", reason="目前没有部门采集")
    assert visitor.status(held)["answer"]["reason"] == "目前没有部门采集"


def test_an_error_that_is_corrected(visitor, town, entry):
    held = visitor.receipt("error_check", entry["id"])
    town.event("editor", case_of(town, "error_check"), "correct", correction="已改第三行", corrected_on="2026-01-05")
    assert visitor.status(held)["answer"]["reason"] == "已改第三行"


def test_who_withdraws_has_withdrawn(visitor, town, entry):
    held = visitor.receipt("complaint")
    done = visitor.post("withdraw", {**held, "reason": "已经解决"})
    assert (done.status_code, done.json["state"], done.json["final"], done.json["answer"]) == (200, "已撤回", True, None)
    again = visitor.post("withdraw", held)
    assert (again.status_code, rules(again)) == (422, {"wrong_state"})


@pytest.fixture
def held(visitor):
    return visitor.receipt("complaint")


def test_every_wrong_pair_has_the_same_answer(visitor, held):
    other = visitor.receipt("complaint")
    unknown = number("huarong", "TS", DAY, 77)
    slip = held["receipt"][:-1] + ("A" if held["receipt"][-1] != "A" else "B")
    pairs = [
        (held["receipt"], other["code"]), (held["receipt"], "ABCDEFGHJK"), (held["receipt"], ""), (unknown, held["code"]), (slip, held["code"]),
        ("", ""), ("' or 1=1", "x"), ("x" * 100_000, "x"), (None, None), ([held["receipt"]], [held["code"]]), ({"a": 1}, 7), ("\0", "\ud800"),
    ]  # fmt: skip
    for path in ("status", "withdraw"):
        answers = [visitor.post(path, {"receipt": a, "code": b}) for a, b in pairs]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.get_data() for answer in answers}) == 1


def test_right_and_wrong_take_the_same_time(visitor, held):
    """Within what a machine that others use allows; without the hash an unknown receipt would be several times faster."""
    unknown = number("huarong", "TS", DAY, 78)

    def taken(pair):
        began = time.perf_counter()
        visitor.post("status", pair)
        return time.perf_counter() - began

    known = {"receipt": held["receipt"], "code": "ABCDEFGHJK"}
    pairs = [(taken(known), taken({"receipt": unknown, "code": "ABCDEFGHJK"})) for _ in range(25)]
    a, b = map(min, zip(*pairs, strict=True))
    assert 0.5 < a / b < 2


def test_what_was_typed_by_hand_is_understood(visitor, held):
    typed = {"receipt": f" {held['receipt'].lower().replace('-', '－')} ", "code": f"{held['code'][:5].lower()} {held['code'][5:]}"}
    assert visitor.post("status", typed).json["receipt"] == held["receipt"]


def test_guessing_is_stopped_by_receipt(visitor, held, monkeypatch):
    monkeypatch.setitem(tk.config, "mulu.public_rate_receipt", 3)
    codes = [visitor.post("status", {"receipt": held["receipt"], "code": "ABCDEFGHJK"}).status_code for _ in range(5)]
    assert codes == [404, 404, 404, 429, 429]
    stopped = visitor.post("status", held)
    assert (stopped.status_code, rules(stopped)) == (429, {"too_many"})
    assert 0 < int(stopped.headers["Retry-After"]) <= 600


def test_guessing_is_stopped_by_address_behind_the_proxy(town, visitor, held, monkeypatch):
    monkeypatch.setitem(tk.config, "mulu.trusted_proxies", 1)
    monkeypatch.setitem(tk.config, "mulu.public_rate_status", 3)
    one, other = "203.0.113.7", "203.0.113.8"
    told = [visitor.post("status", held, headers={"X-Forwarded-For": f"198.51.100.{n}, {one}"}).status_code for n in range(5)]
    assert told == [200, 200, 200, 429, 429]
    assert visitor.post("status", held, headers={"X-Forwarded-For": other}).status_code == 200
    v6 = [visitor.post("status", held, headers={"X-Forwarded-For": f"2001:db8:1:1::{n}"}).status_code for n in range(1, 5)]
    assert v6 == [200, 200, 200, 429]


def test_an_address_that_is_only_claimed_does_not_count(visitor, held, monkeypatch):
    monkeypatch.setitem(tk.config, "mulu.public_rate_challenge", 2)
    told = [visitor.get("challenge", **{"X-Forwarded-For": f"198.51.100.{n}"}).status_code for n in range(40)]
    assert told[-1] == 429


def test_requests_are_limited_by_address_and_by_entry(town, visitor, entry, monkeypatch):
    monkeypatch.setitem(tk.config, "mulu.trusted_proxies", 1)
    monkeypatch.setitem(tk.config, "mulu.public_rate_entry", 2)
    people = [Visitor(town.app, X_Forwarded_For=f"192.0.2.{n}") for n in range(3)]
    told = [one.ask("error_check", entry["id"]).status_code for one in people]
    assert told.count(429) >= 1
    monkeypatch.setitem(tk.config, "mulu.public_rate_request", 2)
    person = Visitor(town.app, X_Forwarded_For="192.0.2.99")
    assert [person.ask("complaint").status_code for _ in range(3)] == [201, 201, 429]


def test_the_action_gives_the_same_and_is_limited_the_same(town, visitor, held, monkeypatch):
    pair = {key: held[key] for key in ("receipt", "code")}
    assert town.do("anonymous", "mulu_receipt_show", **pair) == visitor.status(held)
    wrong = town.request("anonymous", "/api/3/action/mulu_receipt_show", {"receipt": held["receipt"], "code": "ABCDEFGHJK"})
    assert wrong.status_code == 404
    assert town.request("anonymous", f"/api/3/action/mulu_receipt_show?receipt={pair['receipt']}&code={pair['code']}").status_code == 400
    monkeypatch.setitem(tk.config, "mulu.public_rate_receipt", 1)
    assert town.rules("anonymous", "mulu_receipt_show", **pair) == {"too_many"}


def test_the_ledger_counts_and_tells_no_one(visitor, town, entry):
    ledger = visitor.get("ledger?procedure=rereview").json
    assert ledger["counts"]["rereview"]["filed"] == ledger["count"] > 0
    assert ledger["counts"]["rereview"]["answered"] >= 1 and ledger["counts"]["rereview"]["days"] == 0
    assert set(ledger["counts"]) == set(REQUESTS)
    [decided] = [row for row in ledger["rows"] if row["decided_on"]]
    assert decided["outcome"] == "维持有条件开放，理由已向申请人说明。" and decided["entry"] == entry["id"]
    told = visitor.get("ledger?procedure=rereview").get_data(as_text=True) + visitor.get("ledger?procedure=demand").get_data(as_text=True)
    assert not [one for one in SECRETS if one in told]


@pytest.mark.parametrize(("query", "status"), [("procedure=complaint", 422), ("procedure=%00", 422), ("page=-1", 200), ("page=999999", 200), ("page=x", 200), ("procedure=demand&page=٣", 200)])
def test_odd_questions_to_the_ledger(visitor, query, status):
    assert visitor.get(f"ledger?{query}").status_code == status


def test_the_ledger_is_what_the_site_reads(town, visitor):
    from ckanext.mulu.public_requests import ledger
    from mulu_site.ledger import read_ledger

    with town.app.flask_app.test_request_context():
        read = read_ledger({"ledger": ledger.whole()})
    assert read.rereviews and read.demands and len(read.counts) == 5


def test_other_origins_get_nothing(visitor, held, monkeypatch):
    monkeypatch.setitem(tk.config, "mulu.site_url", "https://data.example.gov.cn/open/")
    own, foreign = "https://data.example.gov.cn", "https://evil.example"
    for path in ("challenge", "procedures", "ledger"):
        assert visitor.get(path, Origin=own).headers["Access-Control-Allow-Origin"] == own
        answer = visitor.get(path, Origin=foreign)
        assert not [name for name, _ in answer.headers if name.lower().startswith("access-control")]
    assert visitor.post("status", held, headers={"Origin": own}).status_code == 200
    for origin in (foreign, "null", "https://data.example.gov.cn.evil.example", "http://data.example.gov.cn"):
        refused = visitor.post("status", held, headers={"Origin": origin})
        assert (refused.status_code, rules(refused)) == (403, {"foreign_origin"})
    client = visitor._client()
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    allowed = client.options("/mulu/public/requests", headers={"Origin": own, **asked})
    assert allowed.status_code == 200 and "Content-Type" in allowed.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in allowed.headers
    assert "Access-Control-Allow-Origin" not in client.options("/mulu/public/requests", headers={"Origin": foreign, **asked}).headers


def test_no_cookie_is_set_and_nothing_is_kept_on_the_way(visitor, held):
    for answer in (visitor.get("challenge"), visitor.get("ledger"), visitor.post("status", held)):
        assert "Set-Cookie" not in answer.headers
        assert "no-store" in answer.headers["Cache-Control"] and "public" not in answer.headers["Cache-Control"]


def test_the_page_for_who_has_no_site(visitor, town, entry):
    text = "<script>alert(1)</script>\"'{{7*7}}"
    held = visitor.receipt("demand", data={**REQUESTS["demand"], "title": text})
    assert 'name="receipt"' in visitor.get("status").get_data(as_text=True)
    page = visitor.post("status", data={"receipt": held["receipt"], "code": held["code"]})
    shown = page.get_data(as_text=True)
    assert page.status_code == 200 and held["receipt"] in shown
    assert "<script>alert" not in shown and "&lt;script&gt;alert" in shown and "{{7*7}}" in shown
    wrong = visitor.post("status", data={"receipt": text, "code": "x"})
    assert wrong.status_code == 404 and "<script>alert" not in wrong.get_data(as_text=True)
    case = case_of(town, "demand")
    official = town.request("authority", f"/mulu/case/{case}").get_data(as_text=True)
    assert "<script>alert" not in official and "&lt;script&gt;alert" in official
    done = visitor.post("withdraw", data={"receipt": held["receipt"], "code": held["code"]})
    assert done.status_code == 200 and "已撤回" in done.get_data(as_text=True)


def test_look_ups_at_once(visitor, held):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: visitor.post("status", held), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert read_number(answers[0].json["receipt"])


# ---- what the applicant is asked, and says


def test_the_applicant_is_asked_to_say_more_and_says_it(visitor, town, entry):
    held = visitor.receipt("error_check", entry["id"], files=[("一.txt", "甲".encode())])
    case = case_of(town, "error_check")
    assert visitor.status(held)["question"] is None and visitor.status(held)["waits_for"] == "机构minzheng"
    town.event("editor", case, "ask_more", reason="请写明是哪一年的数据")
    shown = visitor.status(held)
    assert shown["question"]["text"] == "请写明是哪一年的数据" == shown["timeline"][-1]["text"]
    assert shown["state"] == "校核中" and "supplement" in shown["can"]
    pair = {key: held[key] for key in ("receipt", "code")}
    assert rules(visitor.post("supplement", {**pair, "supplement": "  "})) == {"required"}
    assert rules(visitor.post("supplement", {**pair, "supplement": "长" * 2001})) == {"too_long"}
    form = {**pair, "supplement": "二〇二五年的。", "files[]": [(io.BytesIO("乙".encode()), "二.txt")]}
    said = visitor.post("supplement", data=form, content_type="multipart/form-data")
    assert said.status_code == 200 and said.json["question"] is None
    assert [one["name"] for one in said.json["attachments"]] == ["一.txt", "二.txt"]
    assert said.json["timeline"][-1]["text"] == "二〇二五年的。"
    seen = town.do("editor", "mulu_case_show", id=case)
    assert [one["name"] for one in seen["case"]["data"]["attachments"]] == ["一.txt", "二.txt"]
    assert seen["events"][-1]["data"]["supplement"] == "二〇二五年的。" and seen["case"]["state"] == "checking"
    town.event("editor", case, "confirm", reason="核对过了")
    late = visitor.post("supplement", {**pair, "supplement": "再说一句"})
    assert (late.status_code, rules(late)) == (422, {"wrong_state"})


def test_who_has_not_the_code_says_nothing_and_a_bad_file_stays_nowhere(visitor, held):
    wrong = visitor.post("supplement", {"receipt": held["receipt"], "code": "ABCDEFGHJK", "supplement": "我来说"})
    assert wrong.status_code == 404
    before = visitor.status(held)
    form = {"receipt": held["receipt"], "code": held["code"], "supplement": "", "files[]": [(io.BytesIO(b"MZ" + bytes(90)), "a.pdf")]}
    refused = visitor.post("supplement", data=form, content_type="multipart/form-data")
    assert refused.status_code == 415 and rules(refused) == {"required", "file_type"}
    assert visitor.status(held) == before


def test_what_one_says_is_not_told_to_who_joined(visitor, town):
    data = {**REQUESTS["demand"], "title": "共享单车停放点"}
    first, second = visitor.receipt("demand", data=data), visitor.receipt("demand", data=data)
    case = town.do("authority", "mulu_case_list", q="单车")["results"][0]["id"]
    town.event("authority", case, "ask_more", reason="请第一位说明范围")
    assert visitor.post("supplement", {"receipt": first["receipt"], "code": first["code"], "supplement": "我家门口"}).status_code == 200
    told = json.dumps(visitor.status(second), ensure_ascii=False)
    assert "第一位" not in told and "我家门口" not in told
    joined = visitor.post("supplement", {"receipt": second["receipt"], "code": second["code"], "supplement": "也说一句"})
    assert joined.status_code == 422
    town.event("authority", case, "confirm_decline", reason="没有这类数据")
    answer = visitor.status(second)["answer"]
    assert answer["reason"] == "没有这类数据" and answer["remedy"] == "", "what is reviewed again is an entry's class"


def test_a_demand_about_an_entry_is_objected_to_by_a_rereview(visitor, town, entry):
    held = visitor.receipt("demand", entry["id"], data={**REQUESTS["demand"], "title": "历年运输许可"})
    town.event("authority", case_of(town, "demand"), "confirm_decline", reason="没有历年数据")
    remedy = visitor.status(held)["answer"]["remedy"]
    assert "申请复核" in remedy and "第二十八条" in remedy


def test_a_date_tells_from_when_it_counts_and_by_how_much_it_was_extended(visitor, town, entry):
    held = visitor.receipt("error_check", entry["id"])
    assert (visitor.status(held)["extended_by"], visitor.status(held)["joined"]) == (0, False)
    case = case_of(town, "error_check")
    town.event("head", case, "extend", reason="情况复杂")
    shown = visitor.status(held)
    assert shown["extended_by"] == town.do("authority", "mulu_case_show", id=case)["case"]["clocks"][0]["extended_by"] > 0
    page = visitor.post("status", data={"receipt": held["receipt"], "code": held["code"]}).get_data(as_text=True)
    assert f"已延长{shown['extended_by']}个工作日" in page
    visitor.post("withdraw", held)
    data = {**REQUESTS["demand"], "title": "夜间停车位"}
    first, second = visitor.receipt("demand", data=data), visitor.receipt("demand", data=data)
    assert [visitor.status(one)["joined"] for one in (first, second)] == [False, True]


def typed(visitor, held, text, **more):
    """The portal's own form, as a browser sends it; a file may come with it."""
    form = {"receipt": held["receipt"], "code": held["code"], "supplement": text, **more}
    return visitor.post("supplement", data=form, content_type="multipart/form-data", headers={"Accept": "text/html"})


def test_what_was_typed_on_the_page_outlasts_every_refusal(visitor, held, monkeypatch):
    text = "第一行<b>\n第二行"
    shown = "第一行&lt;b&gt;\n第二行"
    refused = typed(visitor, held, text, files=(io.BytesIO(b"MZ" + bytes(90)), "a.pdf"))
    page = refused.get_data(as_text=True)
    assert refused.status_code == 415 and f">\n{shown}</textarea>" in page and "请重新选择" in page
    assert 'role="alert"' in page and held["code"] in page and "<details open>" in page
    long = typed(visitor, held, "长" * 2001)
    assert long.status_code == 422 and "长" * 2001 in long.get_data(as_text=True)
    wrong = typed(visitor, {**held, "code": "ABCDEFGHJK"}, text)
    assert wrong.status_code == 404 and f">\n{shown}</textarea>" in wrong.get_data(as_text=True)
    assert 'action="/mulu/public/supplement"' in wrong.get_data(as_text=True) and "class=\"m-facts\"" not in wrong.get_data(as_text=True)
    monkeypatch.setitem(tk.config, "mulu.public_rate_request", 0)
    often = typed(visitor, held, text)
    assert often.status_code == 429 and often.headers["Retry-After"] and f">\n{shown}</textarea>" in often.get_data(as_text=True)
    monkeypatch.setitem(tk.config, "mulu.public_rate_request", 10_000)
    monkeypatch.setattr("ckanext.mulu.views.public.MOST_BYTES", 1000)
    large = typed(visitor, held, text, files=(io.BytesIO(bytes(3000)), "a.txt"))
    assert large.status_code == 413 and "提交的内容过大" in large.get_data(as_text=True)
    monkeypatch.undo()
    visitor.post("withdraw", held)
    late = typed(visitor, held, text)
    assert late.status_code == 422 and "您填写的内容没有提交" in late.get_data(as_text=True) and shown in late.get_data(as_text=True)


# ---- suggestions, and the ledger's numbers


def test_a_suggestion_is_public_in_the_authoritys_words_alone(visitor, town, entry):
    quiet, loud = visitor.receipt("suggestion"), visitor.receipt("suggestion", entry["id"])
    cases = [one["id"] for one in town.do("authority", "mulu_case_list", procedure="suggestion")["results"]]
    town.event("authority", cases[1], "answer", outcome="张秘密您好，谢谢。")
    named = {"summary": "检索页字号偏小", "outcome": "已请张秘密确认"}
    assert town.rules("authority", "mulu_case_event", id=cases[0], event="answer_publicly", data=named) == {"applicant_named"}
    assert [row for row in visitor.get("ledger?procedure=suggestion").json["rows"] if row["title"] == "检索页字号偏小"] == []
    town.event("authority", cases[0], "answer_publicly", summary="检索页字号偏小", outcome="已经放大一号。")
    assert visitor.status(quiet)["answer"]["reason"] == "张秘密您好，谢谢。"
    assert visitor.status(loud)["answer"]["reason"] == "已经放大一号。"
    ledger = visitor.get("ledger?procedure=suggestion")
    [row] = ledger.json["rows"]
    assert {key: row[key] for key in ("title", "outcome", "kind", "days")} == {"title": "检索页字号偏小", "outcome": "已经放大一号。", "kind": "site", "days": 0}
    assert not [one for one in SECRETS if one in ledger.get_data(as_text=True)]
    counts = ledger.json["counts"]["suggestion"]
    assert (counts["answered"], counts["in_time"], counts["longest"], counts["ends"]) == (2, 2, 0, {"answered": 2})


def test_a_demand_is_answered_when_a_department_takes_it_up(visitor, town):
    from ckanext.mulu.public_requests import ledger

    with town.app.flask_app.test_request_context():
        before = ledger.counts()["demand"]
    visitor.receipt("demand", data={**REQUESTS["demand"], "title": "古树名木位置"})
    case = town.do("authority", "mulu_case_list", q="古树")["results"][0]["id"]
    town.event("authority", case, "assign", department="minzheng")
    town.event("head", case, "take_up")
    with town.app.flask_app.test_request_context():
        after = ledger.counts()["demand"]
    assert {key: after[key] - before[key] for key in ("filed", "open", "answered", "in_time", "withdrawn", "overdue")} == {
        "filed": 1, "open": 0, "answered": 1, "in_time": 1, "withdrawn": 0, "overdue": 0,
    }  # fmt: skip
    [row] = [one for one in visitor.get("ledger?procedure=demand").json["rows"] if one["title"] == "古树名木位置"]
    assert row["days"] == 0 and row["decided_on"] and row["entry"] == ""


def test_the_numbers_of_a_procedure_add_up(visitor, town):
    for name, one in visitor.get("ledger").json["counts"].items():
        assert one["filed"] == one["open"] + one["answered"] + one["withdrawn"], name
        assert one["in_time"] <= one["answered"] and one["overdue"] <= one["open"]
        assert (one["days"] is None) == (one["longest"] is None) == (one["answered"] == 0)


def test_a_demand_taken_up_late_and_declined_is_late_still(visitor, town):
    """Its ten working days are over: what a department does then starts none anew."""
    from ckanext.mulu.public_requests import ledger

    def counted():
        with town.app.flask_app.test_request_context():
            return ledger.counts()["demand"]

    visitor.receipt("demand", data={**REQUESTS["demand"], "title": "渡口班次"})
    case = case_of(town, "demand", q="渡口")
    town.event("authority", case, "assign", department="minzheng")
    passed = {"started_at": "2026-01-05", "anchor": "2026-01-05", "due_on": "2026-01-19"}
    move = "update mulu_case set body = jsonb_set(body, '{clocks,0}', body #> '{clocks,0}' || cast(:passed as jsonb)) where id = :case"
    model.Session.execute(text(move), {"passed": json.dumps(passed), "case": case})
    model.Session.commit()
    before = counted()
    town.event("head", case, "take_up")
    town.event("head", case, "decline", reason="不是我局")
    assert counted()["overdue"] == before["overdue"], "waits for the authority, as late as before"
    town.event("authority", case, "confirm_decline", reason="没有部门掌握")
    after = counted()
    assert (after["answered"] - before["answered"], after["in_time"] - before["in_time"]) == (1, 0)


def test_a_row_of_the_ledger_keeps_its_id_and_an_unread_demand_its_secret(visitor, town):
    visitor.receipt("demand", data={**REQUESTS["demand"], "title": "骂人的话"})
    case = case_of(town, "demand", q="骂人")

    def rows(procedure="demand"):
        return visitor.get(f"ledger?procedure={procedure}").json["rows"]

    [row] = [one for one in rows() if one["title"] == "（主管部门尚未审看的需求）" and not one["decided_on"]][:1]
    town.event("authority", case, "confirm_decline", reason="不是需求")
    [later] = [one for one in rows() if one["id"] == row["id"]]
    assert later["title"] == "（未公开内容的需求）" and later["decided_on"]
    everything = [one["id"] for name in ("rereview", "demand", "suggestion") for one in rows(name)]
    assert len(set(everything)) == len(everything) and not any(case[:8] in one for one in everything)
