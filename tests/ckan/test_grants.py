"""Data under a grant: exactly the granted items, to the grantee only, for as long as the grant holds, each call in the log."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from typing import Any

import ckan.plugins.toolkit as tk
import granting
import openpyxl
import pytest
from ckan import model
from ckan.tests import factories
from granting import ITEMS, SECRET, case_of, change, get, told
from sqlalchemy import text
from test_procedures import submitted

from ckanext.mulu.grants import effects

COUNT = 4500
GRANTED = ["姓名", "补贴金额"]


@pytest.fixture(scope="module")
def entry(town):
    return granting.published(town, "农村补贴发放名册", granting.rows(COUNT))


@pytest.fixture(scope="module", autouse=True)
def machinist(town):
    """A sysadmin who belongs to no department."""
    user = factories.Sysadmin()
    made = tk.get_action("api_token_create")({"user": user["name"]}, {"user": user["id"], "name": "machinist"})
    town.tokens["machinist"] = made["token"]


@pytest.fixture
def grant(town, entry, request):
    """A grant of its own for each test, to the department jiaoyu."""
    return granting.grant(town, entry["id"], GRANTED, case=request.node.name)


def uses(grant: str) -> list[Any]:
    model.Session.rollback()
    return list(model.Session.execute(text("select * from mulu_use where grant_id = :id order by id"), {"id": grant}))


def test_a_page_has_the_granted_columns_and_no_other(town, grant):
    answer = get(town, "other_editor", f"/mulu/data/{grant}?limit=3")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.json["rows"] == [{"姓名": f"户主{n}", "补贴金额": n + 0.5} for n in (1, 2, 3)]
    assert (answer.json["total"], answer.json["fields"], answer.json["unmatched"]) == (COUNT, GRANTED, [])
    assert SECRET not in answer.get_data(as_text=True)


def test_paging_by_link_gives_every_row_once(town, grant):
    url, seen = f"/mulu/data/{grant}?limit=1000", []
    while url:
        answer = get(town, "other_head", url)
        seen += [row["姓名"] for row in answer.json["rows"]]
        url = answer.json.get("next", "")
        assert bool(url) is ('rel="next"' in answer.headers.get("Link", ""))
    assert seen == [f"户主{n}" for n in range(1, COUNT + 1)]


def test_filter_and_sort_by_granted_items(town, grant):
    answer = get(town, "other_editor", f"/mulu/data/{grant}?补贴金额=7.5&姓名=户主7")
    assert [row["姓名"] for row in answer.json["rows"]] == ["户主7"]
    answer = get(town, "other_editor", f"/mulu/data/{grant}?sort=补贴金额 desc&limit=2&fields=姓名")
    assert answer.json["rows"] == [{"姓名": f"户主{COUNT}"}, {"姓名": f"户主{COUNT - 1}"}]


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("身份证号=430623199001017001", "not_granted"), ("sort=身份证号", "not_granted"), ("fields=姓名,身份证号", "not_granted"),
        ("_id=1", "not_granted"), ("_full_text=x", "not_granted"), ("q=430623", "not_granted"), ("sort=姓名; drop table x", "not_granted"),
        ("补贴金额=多", "not_valid"), ("limit=0", "not_valid"), ("limit=1001", "not_valid"), ("limit=-1", "not_valid"), ("offset=x", "not_valid"),
        ("format=pdf", "not_in_list"), ("姓名=%00", "not_text"), ("format=csv&补贴金额=多", "not_valid"),
    ],
)  # fmt: skip
def test_a_bad_question_is_refused_with_a_reason(town, grant, query, rule):
    answer = get(town, "other_editor", f"/mulu/data/{grant}?{query}")
    assert told(answer) == (422, rule), answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"
    assert SECRET not in answer.get_data(as_text=True).replace(query, "") or "身份证号" in query
    assert uses(grant)[-1].status == 422


def test_downloads_hold_all_rows_of_the_granted_columns(town, grant):
    whole = [[f"户主{n}", f"{n}.50"] for n in range(1, COUNT + 1)]
    text_ = get(town, "other_editor", f"/mulu/data/{grant}?format=csv").get_data().decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text_))) == [GRANTED, *whole]
    found = json.loads(get(town, "other_editor", f"/mulu/data/{grant}?format=json").get_data())
    assert found == [{"姓名": name, "补贴金额": float(paid)} for name, paid in whole]
    book = openpyxl.load_workbook(io.BytesIO(get(town, "other_editor", f"/mulu/data/{grant}?format=xlsx").get_data()))
    assert [list(row) for row in book.active.values] == [GRANTED, *([name, float(paid)] for name, paid in whole)]
    assert [(row.how, row.format, row.rows, row.status) for row in uses(grant)] == [
        ("download", form, COUNT, 200) for form in ("csv", "json", "xlsx")
    ]
    some = get(town, "other_editor", f"/mulu/data/{grant}?format=csv&姓名=户主9&fields=补贴金额").get_data().decode("utf-8-sig")
    assert some == "补贴金额\n9.50\n"


def test_codes_keep_their_zeros(town, entry):
    grant = granting.grant(town, entry["id"], ["行政区代码"], case="codes")
    assert get(town, "other_editor", f"/mulu/data/{grant}?limit=1").json["rows"] == [{"行政区代码": "000001"}]


@pytest.mark.parametrize(
    ("who", "status", "rule"),
    [("anonymous", 401, "no_key"), ("citizen", 403, "not_yours"), ("other_member", 403, "not_yours"), ("editor", 403, "not_yours"),
     ("authority", 403, "not_yours"), ("auditor", 403, "not_yours"), ("machinist", 403, "not_yours")],
)  # fmt: skip
def test_nobody_else_may_call(town, grant, who, status, rule):
    assert told(get(town, who, f"/mulu/data/{grant}")) == (status, rule)
    assert [row.status for row in uses(grant)] == [status]


def test_a_grant_that_is_not_there(town):
    assert told(get(town, "other_editor", "/mulu/data/no-such")) == (404, "no_grant")


def test_a_key_is_shown_once_and_the_old_one_dies(town, grant):
    first = town.do("other_head", "mulu_grant_key", id=grant)["key"]
    assert get(town, "anonymous", f"/mulu/data/{grant}", key=first).status_code == 200
    assert get(town, "anonymous", f"/mulu/data/{grant}", Authorization=f"Bearer {first}").status_code == 200
    second = town.do("other_editor", "mulu_grant_key", id=grant)["key"]
    assert told(get(town, "anonymous", f"/mulu/data/{grant}", key=first)) == (401, "wrong_key")
    assert get(town, "anonymous", f"/mulu/data/{grant}", key=second).status_code == 200
    stored = model.Session.execute(text("select key_hash from mulu_grant where id = :id"), {"id": grant}).scalar_one()
    assert second not in stored and len(stored) == 64
    assert [row.who for row in uses(grant)] == ["key", "key", "", "key"]
    for who in ("editor", "authority", "machinist"):
        town.refused(who, "mulu_grant_key", id=grant)


def test_a_key_opens_its_own_grant_only(town, entry, grant):
    key = town.do("other_head", "mulu_grant_key", id=grant)["key"]
    other = granting.grant(town, entry["id"], ["身份证号"], case="another")
    assert told(get(town, "anonymous", f"/mulu/data/{other}", key=key)) == (401, "wrong_key")


def test_an_open_grant_is_a_persons(town, entry):
    grant = granting.grant(town, entry["id"], ["姓名"], "opening", case="opened", filed_by=town.users["citizen"]["id"])
    assert get(town, "citizen", f"/mulu/data/{grant}?limit=1").json["rows"] == [{"姓名": "户主1"}]
    assert told(get(town, "other_head", f"/mulu/data/{grant}")) == (403, "not_yours")


def test_suspended_restored_ended(town, grant, request):
    of = {"type": "case", "id": request.node.name, "org": "minzheng", "title": "暂停"}
    suspension = case_of("x", [], case="suspension-1", subject=of)
    url = f"/mulu/data/{grant}"
    change(effects.suspend_grants, suspension)
    assert told(get(town, "other_editor", url)) == (410, "grant_suspended")
    change(effects.restore_grants, suspension)
    assert get(town, "other_editor", url).status_code == 200
    change(effects.end_grants, case_of("x", [], case=request.node.name))
    assert told(get(town, "other_editor", url)) == (410, "grant_ended")
    change(effects.restore_grants, suspension)
    assert told(get(town, "other_editor", url)) == (410, "grant_ended")


def test_it_ends_with_its_last_day(town, grant):
    model.Session.execute(text("update mulu_grant set until = current_date - 2 where id = :id"), {"id": grant})
    model.Session.commit()
    assert told(get(town, "other_editor", f"/mulu/data/{grant}")) == (410, "grant_expired")
    assert town.do("other_editor", "mulu_grant_show", id=grant)["status"] == "expired"
    town.refused("other_editor", "mulu_grant_key", id=grant)


@pytest.mark.parametrize("form", ["json", "csv", "xlsx"])
def test_a_download_stops_in_the_middle(town, grant, request, form):
    case = case_of("x", [], case=request.node.name)
    answer = get(town, "other_editor", f"/mulu/data/{grant}?format={form}")
    pieces = answer.iter_encoded()
    next(pieces)
    change(effects.suspend_grants, case)
    with pytest.raises(Exception, match="暂停"):
        list(pieces)
    [line] = uses(grant)
    assert (line.status, line.rows < COUNT) == (410, True)


def test_paging_stops_in_the_middle(town, grant, request):
    first = get(town, "other_editor", f"/mulu/data/{grant}?limit=10").json
    change(effects.suspend_grants, case_of("x", [], case=request.node.name))
    assert told(get(town, "other_editor", first["next"])) == (410, "grant_suspended")


def test_given_again_with_other_items(town, entry, grant, request):
    change(effects.end_grants, case_of("x", [], case=request.node.name))
    again = granting.grant(town, entry["id"], ["行政区代码"], case=request.node.name)
    assert again == grant
    assert get(town, "other_editor", f"/mulu/data/{grant}?limit=1").json["fields"] == ["行政区代码"]


def test_only_what_was_decided_is_given(town, entry):
    decisions = [{"id": entry["id"], "decision": "partly", "items": ["姓名"]}]
    grant = granting.grant(town, entry["id"], list(ITEMS), case="partly", decisions=decisions)
    assert town.do("other_editor", "mulu_grant_show", id=grant)["items"] == ["姓名"]
    refused = case_of(entry["id"], list(ITEMS), case="refused", decisions=[{"id": entry["id"], "decision": "refused"}])
    effects.grant({"kind": "sharing"}, refused, granting.record(), None)
    assert not model.Session.execute(text("select count(*) from mulu_grant where case_id = 'refused'")).scalar_one()


def test_etag(town, grant):
    answer = get(town, "other_editor", f"/mulu/data/{grant}?limit=1")
    tag = answer.headers["ETag"]
    again = get(town, "other_editor", f"/mulu/data/{grant}?limit=1", If_None_Match=tag)
    assert (again.status_code, again.get_data()) == (304, b"")
    assert get(town, "other_editor", f"/mulu/data/{grant}?limit=2", If_None_Match=tag).status_code == 200
    assert [row.status for row in uses(grant)] == [200, 304, 200]


def test_the_rate_has_a_limit(town, grant, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "mulu.grant_rate", 3)
    answers = [get(town, "other_editor", f"/mulu/data/{grant}?limit=1") for _ in range(5)]
    assert [answer.status_code for answer in answers] in ([200, 200, 200, 429, 429], [200, 200, 200, 200, 429], [200] * 5)  # a new minute
    if answers[-1].status_code == 429:
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 60


def test_an_item_whose_class_is_closed_is_given_no_more(town):
    entry = granting.published(town, "闭合的信息项名册", granting.rows(2))
    grant = granting.grant(town, entry["id"], ["姓名", "身份证号"], case="closed")
    subject, stricter = {"type": "entry", "id": entry["id"]}, {"share_basis": "《个人信息保护法》第十三条", "open_ground": "third_party", "open_basis": "《个人信息保护法》第十三条", "open_review_on": "2030-01-02", "items": {"身份证号": {"share_type": "none", "open_type": "none"}}}
    data = {"before": {"share_type": "conditional"}, "after": stricter, "reason": "法律规定不得共享", "basis": "《个人信息保护法》"}
    case = town.do("editor", "mulu_case_open", procedure="classification_change", subject=subject, data=data)
    town.event("authority", case["id"], "agree", reason="符合规定")
    assert get(town, "other_editor", f"/mulu/data/{grant}?limit=1").json["fields"] == ["姓名"]


def test_show_says_how_each_resource_is_had(town, entry, grant):
    shown = town.do("other_editor", "mulu_grant_show", id=grant)
    assert (shown["title"], shown["provider"], shown["org"], shown["status"]) == (entry["title"], "minzheng", "jiaoyu", "active")
    [resource] = shown["resources"]
    assert (resource["served"], resource["columns"], resource["unmatched"]) == ("table", GRANTED, [])
    assert resource["address"].endswith(f"/mulu/data/{grant}?resource={entry['resources'][0]['id']}")
    for who in ("editor", "head", "authority", "authority_head", "auditor"):
        assert town.do(who, "mulu_grant_show", id=grant)["id"] == grant
    for who in ("citizen", "other_member", "member", "higher", "anonymous"):
        town.refused(who, "mulu_grant_show", id=grant)


def test_lists_hold_what_one_may_see(town, entry, grant):
    mine = town.do("other_editor", "mulu_grant_list", mine=True, package=entry["id"], limit=1000)
    assert grant in {row["id"] for row in mine["results"]} and mine["count"] == len(mine["results"])
    assert town.do("editor", "mulu_grant_list", mine=True)["count"] == 0
    assert grant in {row["id"] for row in town.do("editor", "mulu_grant_list", limit=1000)["results"]}
    assert town.do("citizen", "mulu_grant_list")["results"] == town.do("citizen", "mulu_grant_list", mine=True)["results"]
    assert grant not in {row["id"] for row in town.do("citizen", "mulu_grant_list", limit=1000)["results"]}
    assert all(row["status"] == "active" for row in town.do("authority", "mulu_grant_list", status="active", limit=1000)["results"])


def test_the_log_and_its_sums(town, grant):
    get(town, "other_editor", f"/mulu/data/{grant}?limit=10")
    get(town, "other_editor", f"/mulu/data/{grant}?format=csv").get_data()
    get(town, "citizen", f"/mulu/data/{grant}")
    for who in ("other_head", "head", "authority", "auditor"):
        found = town.do(who, "mulu_usage_list", grant=grant)
        assert found["count"] == 3
        assert found["totals"] | {"bytes": 0} == {"calls": 3, "refused": 1, "rows": 10 + COUNT, "bytes": 0}
        assert {(row["how"], row["format"], row["calls"]) for row in found["by_kind"]} == {("api", "json", 2), ("download", "csv", 1)}
        assert [row["calls"] for row in found["by_day"]] == [3]
        assert [(row["scenario"], row["rows"]) for row in found["by_scenario"]] == [("入学资格核验", 10 + COUNT)]
        assert found["results"][0]["status"] == 403
    assert town.do("citizen", "mulu_usage_list", grant=grant)["count"] == 0
    assert town.do("other_editor", "mulu_usage_list", grant=grant, since="2001-01-01", until="2001-01-02")["count"] == 0
    assert town.refused("other_editor", "mulu_usage_list", since="昨天")


def test_the_log_cannot_be_changed(town, grant):
    get(town, "other_editor", f"/mulu/data/{grant}?limit=1")
    with pytest.raises(Exception, match="mulu_use"):
        model.Session.execute(text("delete from mulu_use"))
    model.Session.rollback()


def test_from_the_application_to_the_data_and_its_suspension(town, entry):
    """The whole way with real cases: asked, agreed in part, delivered, misused, suspended, put right, finished."""
    case = submitted(town, entry, items=list(ITEMS))["id"]
    decision = {"id": entry["id"], "decision": "partly", "items": GRANTED, "reason": "其余与用途无关"}
    town.event("head", case, "decide", decisions=[decision])
    assert town.do("other_editor", "mulu_grant_list", case=case)["count"] == 0
    town.event("editor", case, "deliver", delivered_by="portal")
    [grant] = town.do("other_editor", "mulu_grant_list", case=case)["results"]
    url = f"/mulu/data/{grant['id']}?limit=1"
    assert get(town, "other_editor", url).json["rows"] == [{"姓名": "户主1", "补贴金额": 1.5}]
    breach = {"breach": ["third_party"], "facts": "日志显示数据被转交第三方", "rectify_by": "2031-01-01"}
    stop = town.do("head", "mulu_case_open", procedure="suspension", subject={"type": "case", "id": case}, data=breach)["id"]
    assert told(get(town, "other_editor", url)) == (410, "grant_suspended")
    town.event("other_editor", stop, "report", rectified="已收回并销毁")
    assert told(get(town, "other_editor", url)) == (410, "grant_suspended")
    town.event("authority", stop, "restore", reason="整改合格")
    assert get(town, "other_editor", url).status_code == 200
    town.event("other_editor", case, "finish", disposal="destroyed", disposal_on=date.today().isoformat())
    assert told(get(town, "other_editor", url)) == (410, "grant_ended")
    log = town.do("auditor", "mulu_usage_list", grant=grant["id"])
    assert [row["status"] for row in log["results"]] == [410, 200, 410, 410, 200]
    assert {(row["case_id"], row["scenario"]) for row in log["results"]} == {(case, "义务教育入学")}


def test_a_citizens_application_opens_data_to_the_citizen(town, entry):
    asked = [{"id": entry["id"], "items": ["姓名"], "reasons": {}}]
    form = {
        "applicant_kind": "person", "applicant_name": "王某", "contact": "13900000000", "purpose": "研究", "scenario": "学术研究",
        "scope": "本人", "security": "加密保存", "until": "2031-01-01", "promise": True,
    }  # fmt: skip
    case = town.do("citizen", "mulu_case_open", procedure="open_application", subject={"type": "entry", "id": entry["id"]}, data={"asked": asked, **form})["id"]
    assert "url" not in json.dumps(town.do("citizen", "mulu_case_show", id=case)["entry"]["resources"])
    town.event("head", case, "decide", decisions=[{"id": entry["id"], "decision": "agreed"}])
    [grant] = town.do("citizen", "mulu_grant_list", case=case)["results"]
    assert get(town, "citizen", f"/mulu/data/{grant['id']}?limit=1").json["rows"] == [{"姓名": "户主1"}]
