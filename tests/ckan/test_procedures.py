"""Every procedure of the regulations on the real services, in each of the six places, walked by the people who have a part in it."""

from __future__ import annotations

import datetime
from types import SimpleNamespace

import ckan.plugins.toolkit as tk
import harvesting
import pytest
from ckan import model
from sqlalchemy import select
from town import REVIEWS

from ckanext.mulu import cases, steps, subjects
from ckanext.mulu.harvest import hooks
from ckanext.mulu.model.history import broken
from ckanext.mulu.model.tables import grant as grant_table
from ckanext.mulu.model.tables import outbox
from ckanext.mulu.transaction import transaction
from mulu.case import load_procedure
from mulu.credit_code import make
from mulu.people import Person, Role
from mulu.profile import PROFILES

ITEMS = [
    {"name": "登记机构", "data_type": "C", "length": "100", "kind": "business"},
    {"name": "登记日期", "data_type": "D", "kind": "business"},
    {"name": "身份证号", "data_type": "C", "length": "18", "kind": "business", "sensitive": True},
]
CONDITIONAL = {
    "items": ITEMS,
    "share_type": "conditional",
    "share_condition": "用于履行法定职责，共享给有关部门。",
    "share_basis": "《婚姻登记条例》第二条",
    "open_type": "conditional",
    "open_condition": "用于学术研究和公益服务。",
    "personal_information": "contains",
}
CLOSED = {"share_type": "unconditional", "open_type": "none", "open_ground": "third_party", "open_basis": "《中华人民共和国个人信息保护法》第十三条",
          "open_review_on": "2030-01-02", "items": ITEMS, "personal_information": "contains"}  # fmt: skip
FORM = {
    "purpose": "核验入学条件",
    "scenario": "义务教育入学",
    "basis": "《中华人民共和国义务教育法》第十二条",
    "scope": "全县小学一年级新生",
    "way": "api",
    "until": "2031-12-31",
    "promise": True,
}
CHANGED = {"open_type": "conditional", "open_condition": "用于公益研究", "open_ground": "", "open_basis": "", "open_review_on": ""}
PUBLIC = Person("public:T-1", "社会公众", frozenset({Role("public", "public:T-1")}))


def day(offset):
    return (datetime.date.today() + datetime.timedelta(offset)).isoformat()


@pytest.fixture(scope="module", params=PROFILES)
def published(request, town):
    """Three entries, published before the place's rules are asked for the first time."""
    with_rules_of(request.param)
    return SimpleNamespace(
        id=request.param,
        conditional=town.published(f"婚姻登记信息（{request.param}）", **CONDITIONAL),
        plain=town.published(f"养老机构信息（{request.param}）", items=ITEMS[:2]),
        closed=town.published(f"低保对象信息（{request.param}）", **CLOSED),
    )


@pytest.fixture
def place(published):
    """The place whose rules apply; CKAN puts its settings back after each test."""
    with_rules_of(published.id)
    return published


def with_rules_of(place):
    tk.config["mulu.profile"] = place


def apply_for(town, entry, items=("登记机构",), who="other_editor", reasons=None, **more):
    asked = [{"id": entry["id"], "items": list(items), "reasons": reasons or {}}]
    subject = {"type": "department", "id": "minzheng"}
    return town.do(who, "mulu_case_open", procedure="sharing_application", subject=subject, data={"asked": asked, **more})["id"]


def submitted(town, entry, **more):
    case = apply_for(town, entry, **more)
    town.event("other_editor", case, "submit", **FORM)
    return town.event("other_head", case, "own_head_agree")


def state(town, case, who="other_editor"):
    return town.do(who, "mulu_case_show", id=case)["state"]


def rules(town, who, case, event, **data):
    return town.rules(who, "mulu_case_event", id=case, event=event, data=data)


def grants(case):
    return [dict(row) for row in model.Session.execute(select(grant_table).where(grant_table.c.case_id == case)).mappings()]


def letters(case):
    return [row.template for row in model.Session.execute(select(outbox.c.template).where(outbox.c.case_id == case).order_by(outbox.c.id))]


def clock(shown, name):
    return next(one for one in shown["case"]["clocks"] if one["name"] == name)


def test_a_sharing_application_goes_from_draft_to_confirmed_disposal(town, place):
    case = submitted(town, place.conditional, items=["登记机构", "登记日期"])["id"]
    answer = clock(town.do("head", "mulu_case_show", id=case), "answer_conditional")
    assert answer["length"] == (5 if place.id in ("huarong", "xiayi") else 10)
    assert answer["article"]
    assert "wrong_role" in rules(town, "other_head", case, "decide", decisions=[])
    town.event("editor", case, "ask_completion", missing=["加盖公章的申请函"])
    assert clock(town.do("head", "mulu_case_show", id=case), "answer_conditional")["paused_at"]
    town.event("other_editor", case, "complete", supplement="已补充申请函")
    assert "completion_once" in rules(town, "editor", case, "ask_completion", missing=["再要一份"])
    town.event("head", case, "ask_extension", reason="需要核对历史数据")
    extended = town.event("authority", case, "extend", reason="同意")
    assert clock(extended, "answer_conditional")["extended_by"] == 10
    lacking = [{"id": place.conditional["id"], "decision": "partly", "items": ["登记机构"]}]
    assert "required" in rules(town, "head", case, "decide", decisions=lacking)
    partly = [{**lacking[0], "reason": "登记日期与用途无关"}]
    decided = town.event("head", case, "decide", decisions=partly, conditions="不得外传")
    assert decided["state"] == "agreed" and clock(decided, "deliver")["length"] == 20
    assert grants(case) == []
    town.event("editor", case, "deliver", delivered_by="portal")
    [given] = grants(case)
    assert (given["org"], given["items"], given["status"], given["kind"]) == ("jiaoyu", ["登记机构"], "active", "sharing")
    assert given["until"].isoformat() == FORM["until"]
    town.event("other_editor", case, "finish", disposal="destroyed", disposal_on=day(0))
    assert [one["status"] for one in grants(case)] == ["ended"]
    assert town.event("head", case, "confirm_disposal")["state"] == "ended"
    assert {"completion", "extension", "decision", "turn", "receipt"} <= set(letters(case))


def test_a_draft_is_not_the_providers_to_see(town, place):
    case = apply_for(town, place.conditional)
    for who in ("editor", "head"):
        assert town.request(who, f"/api/3/action/mulu_case_show?id={case}").status_code == 404
        assert case not in [one["id"] for one in town.do(who, "mulu_case_list", limit=200)["results"]]
    assert state(town, case, "other_head") == "draft"
    own = town.rules("editor", "mulu_case_open", procedure="sharing_application", subject={"type": "department", "id": "minzheng"},
                     data={"asked": [{"id": place.conditional["id"], "items": ["登记机构"]}]})  # fmt: skip
    assert own == {"own_data"}


def test_a_provider_ends_a_service_only_with_the_other_departments_consent(town, place):
    case = submitted(town, place.conditional)["id"]
    town.event("head", case, "decide", decisions=[{"id": place.conditional["id"], "decision": "agreed"}])
    town.event("editor", case, "deliver", delivered_by="portal")
    town.event("head", case, "end_service", reason="系统下线", end_on=day(30))
    assert [one["status"] for one in grants(case)] == ["active"]
    town.event("other_head", case, "keep_service", reason="仍在使用")
    town.event("head", case, "end_service", reason="系统下线", end_on=day(30))
    ended = town.event("other_head", case, "agree_end", disposal="destroyed", disposal_on=day(0))
    assert (ended["state"], [one["status"] for one in grants(case)]) == ("disposing", ["ended"])
    told = model.Session.execute(select(outbox.c.to).where(outbox.c.case_id == case).order_by(outbox.c.id.desc()).limit(1)).scalar()
    assert "authority" in told, "put on record with the authority"


def test_what_is_unconditional_is_answered_as_the_place_says(town, place):
    case = submitted(town, place.plain)
    if place.id == "guojia":
        assert case["state"] == "deciding" and clock(case, "answer_unconditional")["length"] == 1
        agreed = [{"id": place.plain["id"], "decision": "agreed"}]
        assert town.event("head", case["id"], "decide", decisions=agreed)["state"] == "agreed"
    else:
        assert case["state"] == "in_use"
        assert [one["items"] for one in grants(case["id"])] == [["登记机构"]]


def test_a_refused_application_is_shared_after_the_dispute(town, place):
    case = submitted(town, place.conditional)["id"]
    refused = [{"id": place.conditional["id"], "decision": "refused", "reason": "与法定职责无关"}]
    assert town.event("head", case, "decide", decisions=refused)["state"] == "refused"
    data = {"claim": "入学核验确需使用", "level": "same"}
    subject = {"type": "case", "id": case}
    dispute = town.do("other_head", "mulu_case_open", procedure="dispute", subject=subject, data=data)["id"]
    assert town.rules("other_head", "mulu_case_open", procedure="dispute", subject=subject, data=data) == {"already_open"}
    town.event("other_head", dispute, "refer", minutes="协商两次未成")
    town.event("authority", dispute, "to_government", minutes="协调未达成一致")
    assert "wrong_role" in rules(town, "authority", dispute, "record_decision", outcome="share", document="政发〔2026〕1号", decided_on=day(0))
    town.event("authority_head", dispute, "record_decision", outcome="share", document="政发〔2026〕1号", decided_on=day(0))
    assert state(town, dispute) == "settled"
    assert state(town, case) == "agreed"
    town.event("editor", case, "deliver", delivered_by="portal")
    assert [one["status"] for one in grants(case)] == ["active"]


def test_misuse_suspends_the_grant_until_it_is_put_right_or_ends_it(town, place):
    case = submitted(town, place.conditional)["id"]
    town.event("head", case, "decide", decisions=[{"id": place.conditional["id"], "decision": "agreed"}])
    town.event("editor", case, "deliver", delivered_by="portal")
    breach = {"breach": ["third_party"], "facts": "把数据给了第三方", "rectify_by": day(20)}
    subject = {"type": "case", "id": case}
    first = town.do("head", "mulu_case_open", procedure="suspension", subject=subject, data=breach)["id"]
    assert [one["status"] for one in grants(case)] == ["suspended"]
    town.event("other_head", first, "report", rectified="已收回并销毁")
    town.event("authority", first, "restore", reason="整改到位")
    assert [one["status"] for one in grants(case)] == ["active"]
    again = town.do("authority", "mulu_case_open", procedure="suspension", subject=subject, data=breach)["id"]
    if place.id in ("guojia", "qidong", "xiayi"):
        assert "not_overdue" in rules(town, "authority", again, "end", reason="再次违规")
        town.event("other_head", again, "report", rectified="已收回")
    town.event("authority", again, "end", reason="再次违规")
    assert [one["status"] for one in grants(case)] == ["ended"]
    assert state(town, case) == "ended"
    assert town.rules("head", "mulu_case_open", procedure="suspension", subject=subject, data=breach) == {"does_not_fit"}


def test_neither_side_of_a_dispute_decides_for_the_other(town, place):
    case = submitted(town, place.conditional)["id"]
    town.event("head", case, "decide", decisions=[{"id": place.conditional["id"], "decision": "refused", "reason": "与法定职责无关"}])
    subject = {"type": "case", "id": case}
    data = {"claim": "确需使用", "level": "same", "asking": "minzheng"}
    dispute = town.do("other_editor", "mulu_case_open", procedure="dispute", subject=subject, data=data)
    assert dispute["case"]["data"]["asking"] == "jiaoyu", "a side that is not theirs is not believed"
    assert "wrong_role" in rules(town, "other_head", dispute["id"], "settle", minutes="我们同意")
    assert "wrong_role" in rules(town, "editor", dispute["id"], "withdraw")
    town.event("head", dispute["id"], "settle", minutes="同意提供")
    assert state(town, case) == "agreed"


def test_a_held_harvest_is_applied_or_dropped_by_the_authority(town, place):
    harvesting.forget()
    town.do("authority", "mulu_harvest_source_create", name="up", settings=harvesting.SETTINGS | {"organization": "minzheng"})
    for event, state_after, run_state in (("apply", "applied", "waiting"), ("drop", "dropped", "dropped")):
        run = harvesting.run_of("up", "held", reasons=[{"rule": "closed", "message": "1 条目录的开放类型将收紧"}])
        harvesting.steps_of(run, changes=1)
        hooks.on_held(run)
        case = town.do("authority", "mulu_harvest_run_show", id=run)["case_id"]
        assert clock(town.do("head", "mulu_case_show", id=case), "harvest_check")["length"] == 3
        assert "wrong_role" in rules(town, "head", case, event, reason="同意")
        assert town.event("authority_head", case, event, reason="已与部门核实")["state"] == state_after
        assert town.do("head", "mulu_harvest_run_show", id=run)["state"] == run_state
        assert letters(case) == ["turn", "decision"]
        harvesting.end_open("up")


def test_a_suspension_is_not_evaded(town, place):
    case = submitted(town, place.conditional)["id"]
    town.event("head", case, "decide", decisions=[{"id": place.conditional["id"], "decision": "agreed"}])
    town.event("editor", case, "deliver", delivered_by="portal")
    subject = {"type": "case", "id": case}
    dispute = town.do("other_head", "mulu_case_open", procedure="dispute", subject=subject, data={"claim": "应多提供", "level": "same"})["id"]
    breach = {"breach": ["purpose"], "facts": "用于其他目的", "rectify_by": day(20)}
    suspension = town.do("authority", "mulu_case_open", procedure="suspension", subject=subject, data=breach)["id"]
    town.event("head", dispute, "settle", minutes="同意")
    town.event("editor", case, "deliver", delivered_by="portal")
    assert [one["status"] for one in grants(case)] == ["suspended"], "only rectification lifts it"
    town.event("other_editor", case, "finish", disposal="destroyed", disposal_on=day(0))
    town.event("other_head", suspension, "report", rectified="已停止")
    assert town.event("authority", suspension, "end", reason="整改不到位")["state"] == "ended"
    assert state(town, case) == "disposing"
    assert [one["status"] for one in grants(case)] == ["ended"]


def test_an_enterprise_applies_for_what_is_open_on_condition(town, place):
    form = {key: FORM[key] for key in ("purpose", "scenario", "scope", "until", "promise")}
    data = {
        **form,
        "asked": [{"id": place.conditional["id"], "items": ["登记机构", "身份证号"]}],
        "applicant_kind": "enterprise",
        "applicant_name": "某某科技有限公司（虚构）",
        "contact": "0730-0000000",
        "security": "专机存放，专人使用",
        "credit_code": "91430623000000000X",
    }
    subject = {"type": "entry", "id": place.conditional["id"]}
    call = {"procedure": "open_application", "subject": subject}
    assert town.rules("citizen", "mulu_case_open", **call, data=data) >= {"reason_required"}
    data["asked"][0]["reasons"] = {"身份证号": "按人去重"}
    wrong = town.rules("citizen", "mulu_case_open", **call, data=data)
    assert any(rule.startswith("credit_code") for rule in wrong)
    data["credit_code"] = make(7, prefix="91")
    case = town.do("citizen", "mulu_case_open", **call, data=data)["id"]
    with_reason = [{"id": place.conditional["id"], "decision": "partly", "items": ["登记机构"], "reason": "身份证号不提供"}]
    assert town.event("head", case, "decide", decisions=with_reason)["state"] == "in_use"
    [given] = grants(case)
    assert (given["kind"], given["person"], given["items"]) == ("opening", town.users["citizen"]["id"], ["登记机构"])
    town.event("citizen", case, "report_use", use_report="用于研究，未对外提供")
    assert town.event("citizen", case, "finish", disposal="destroyed", disposal_on=day(0))["state"] == "ended"
    assert [one["status"] for one in grants(case)] == ["ended"]
    assert town.request("other_editor", f"/api/3/action/mulu_case_show?id={case}").status_code == 404


def test_what_is_not_open_cannot_be_applied_for_but_reviewed_again(town, place):
    data = {"asked": [{"id": place.closed["id"], "items": ["登记日期"]}]}
    subject = {"type": "entry", "id": place.closed["id"]}
    assert "not_shared" in town.rules("citizen", "mulu_case_open", procedure="open_application", subject=subject, data=data)


def test_a_rereview_changes_the_class_in_the_same_transaction(town, place):
    subject = {"type": "entry", "id": place.closed["id"]}
    case = town.do("citizen", "mulu_case_open", procedure="rereview", subject=subject, data={"request": "隐去姓名后可以开放", "name": "张三（虚构）"})["id"]
    town.event("authority", case, "accept")
    decision = {"reason": "可以有条件开放", "after": CHANGED, "basis": "第二十八条", "outcome": "改为有条件开放"}
    assert "first_decider" in rules(town, "authority", case, "change", **decision)
    named = {**decision, "outcome": "张三（虚构）的意见成立"}
    assert "applicant_named" in rules(town, "authority_head", case, "change", **named)
    assert town.seen(place.closed["id"])["open_type"] == "none"
    done = town.event("authority_head", case, "change", **decision)
    assert done["state"] == "changed"
    assert town.seen(place.closed["id"])["open_type"] == "conditional"
    [change] = town.do("authority", "mulu_case_list", subject_id=place.closed["id"], procedure="classification_change")["results"]
    assert change["state"] == "in_force"
    history = town.request("anonymous", f"/api/3/action/mulu_entry_history?id={place.closed['id']}").json["result"]
    assert history[0]["summary"].startswith("属性变更")


def test_an_error_check_is_extended_where_the_place_has_it(town, place):
    subject = {"type": "entry", "id": place.conditional["id"]}
    data = {"about": "record", "record": "登记编号 0001", "description": "登记日期早于系统上线日期"}
    case = town.do("other_editor", "mulu_case_open", procedure="error_check", subject=subject, data={**data, "asking": "minzheng"})
    assert "asking" not in case["case"]["data"], "a department that is not theirs is not believed"
    extends = place.id in ("hunan", "xiangtan", "huarong")
    assert clock(case, "error_check")["length"] == (5 if extends else 10)
    if extends:
        assert clock(town.event("head", case["id"], "extend", reason="需要调档"), "error_check")["length"] == 20
    else:
        assert rules(town, "head", case["id"], "extend", reason="需要调档") == {"not_in_this_place"}
    done = town.event("editor", case["id"], "correct", correction="已改为2020-01-01", corrected_on=day(0))
    assert done["state"] == "corrected"


def test_a_rectification_is_issued_on_the_places_own_ground_and_reported_up(town, place):
    subject = {"type": "department", "id": "jiaoyu"}
    grounds = {"guojia": "g39_4", "hunan": "h30_4", "xiangtan": "h30_4", "huarong": "r35_4", "qidong": "q27_3", "xiayi": "g39_4"}
    data = {"facts": "两件申请逾期未答复", "measure": "七日内答复", "rectify_by": day(7)}
    call = {"procedure": "rectification", "subject": subject}
    strange = "q27_1" if place.id != "qidong" else "r35_1"
    assert "not_in_list" in town.rules("authority", "mulu_case_open", **call, data={**data, "ground": strange})
    data["ground"] = grounds[place.id]
    assert "wrong_role" in town.rules("head", "mulu_case_open", **call, data=data)
    case = town.do("authority", "mulu_case_open", **call, data=data)["id"]
    with transaction({}) as touched:
        steps.tick_one(case, touched, cases.now() + datetime.timedelta(30))
    model.Session.remove()
    assert "escalation" in letters(case)
    town.event("authority", case, "report_up", reason="逾期未整改")
    town.event("other_head", case, "answer", answer="已全部答复")
    assert town.event("authority", case, "accept", reason="整改到位")["state"] == "accepted"


def test_a_demand_is_assigned_taken_up_and_catalogued(town, place):
    data = {"title": f"停车场信息（{place.id}）", "description": "名称、位置、车位数", "wish": "open"}
    case = town.do("citizen", "mulu_case_open", procedure="demand", subject={"type": "place", "id": ""}, data=data)["id"]
    assert town.request("other_head", f"/api/3/action/mulu_case_show?id={case}").status_code == 404
    town.event("authority", case, "assign", department="jiaoyu")
    town.event("other_head", case, "take_up")
    assert "not_published" in rules(town, "other_editor", case, "catalogue", entry="no-such-entry")
    assert town.event("other_editor", case, "catalogue", entry=place.plain["id"])["state"] == "catalogued"


def test_a_periodic_evaluation_opens_or_gives_reasons(town, place):
    entry = town.published(f"救助对象信息（{place.id}）", **CLOSED)
    subject = {"type": "entry", "id": entry["id"]}
    kept = town.do("authority", "mulu_case_open", procedure="reevaluation", subject=subject, data={"why": "date"})["id"]
    assert town.event("head", kept, "keep", reason="情况没有变化", next_on="2031-01-02")["state"] == "kept"
    assert town.seen(entry["id"])["open_review_on"] == "2031-01-02"
    again = town.do("authority", "mulu_case_open", procedure="reevaluation", subject=subject, data={"why": "demand"})["id"]
    town.event("head", again, "open_up", reason="可以开放", after=CHANGED, basis="第二十八条")
    [change] = town.do("authority", "mulu_case_list", subject_id=entry["id"], procedure="classification_change")["results"]
    assert change["state"] == "filed"
    town.event("authority", change["id"], "agree", reason="同意")
    assert town.seen(entry["id"])["open_type"] == "conditional"


def test_one_department_becomes_the_source_of_an_item(town, place):
    other = town.draft(f"学校登记机构（{place.id}）", who="other_editor", department="jiaoyu", items=ITEMS[:2])
    case = town.do("other_editor", "package_show", id=other["id"])["mulu_case"]
    town.event("other_editor", case, "submit")
    town.event("other_head", case, "head_agree", **REVIEWS)
    town.event("authority", case, "publish")
    subject = {"type": "entry", "id": place.plain["id"]}
    opened = town.do("authority", "mulu_case_open", procedure="one_source", subject=subject, data={"item": "登记机构"})
    assert opened["case"]["data"]["others"] == ["jiaoyu"]
    town.event("other_head", opened["id"], "agree", proposal="以民政为准", proposed="minzheng")
    assert rules(town, "authority_head", opened["id"], "name_source", source="shuju", reason="依职责") == {"not_a_party"}
    assert town.event("authority_head", opened["id"], "name_source", source="minzheng", reason="依职责")["state"] == "named"


def test_a_complaint_is_handed_over_and_answered(town, place):
    data = {"kind": "privacy", "description": "公开的表里有我的手机号"}
    case = town.do("citizen", "mulu_case_open", procedure="complaint", subject={"type": "entry", "id": place.plain["id"]}, data=data)["id"]
    town.event("authority", case, "accept")
    town.event("authority", case, "hand_over", department="jiaoyu")
    town.event("other_head", case, "report", handling="已删除")
    assert town.event("authority", case, "answer", reason="已核实并删除")["state"] == "answered"


def test_the_publics_case_is_opened_and_acted_on_by_who_filed_it_only(town, place):
    procedure = load_procedure("complaint")
    data = {"kind": "other", "description": "测试"}
    with transaction({}) as touched:
        subject = subjects.of(procedure, {"type": "place", "id": ""}, PUBLIC, data)
        case = steps.open_("complaint", subject, PUBLIC, data, touched)
    model.Session.remove()
    assert town.request("citizen", f"/api/3/action/mulu_case_show?id={case.id}").status_code == 404
    assert town.refused("citizen", "mulu_case_event", id=case.id, event="withdraw", data={})["__type"] == "Not Found Error"
    with transaction({}) as touched:
        assert steps.act(cases.get(case.id, lock=True), "withdraw", PUBLIC, {}, touched).state == "withdrawn"


def test_all_histories_hold(town, place):
    assert list(broken()) == []


def test_what_cases_leave_on_an_entry_is_shown_and_may_be_sent_back(town, place):
    shown = town.seen(place.plain["id"])
    assert [one["department"] for one in shown["mulu_sources"]] == ["minzheng"]
    assert shown["mulu_objection"] is False
    subject = {"type": "entry", "id": place.plain["id"]}
    case = town.do("citizen", "mulu_case_open", procedure="rereview", subject=subject, data={"request": "请说明理由"})["id"]
    assert town.seen(place.plain["id"])["mulu_objection"] is True
    town.do("editor", "package_update", **{**town.do("editor", "package_show", id=place.plain["id"]), "notes": f"改过的摘要（{place.id}）"})
    town.event("citizen", case, "withdraw")
    assert town.seen(place.plain["id"])["mulu_objection"] is False
