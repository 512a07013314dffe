"""The small words of the procedures, one by one, and who holds a role in a case."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from conftest import FACTS, HERE, Town, at, person

from mulu import profile
from mulu.case import SHANGHAI, apply, available, open_case, parties, tick, who_acts
from mulu.clocks import start
from mulu.conditions import Situation, check_condition, check_guard, holds, refusals
from mulu.errors import BrokenRules, Problem, Refused
from mulu.files import read_yaml
from mulu.people import SYSTEM, Role
from mulu.procedure import load_procedure, parse
from mulu.workdays import Calendar

CALENDAR = Calendar.load()
DAY = at("2025-09-26")
CLOCK = start("answer", "答复", profile.load("guojia").clock("answer_conditional"), CALENDAR, DAY.date())
DATA = {"kind": "a", "none": None, "deep": {"x": 1}, "rows": [{"decision": "agreed"}, {"decision": "refused"}], "no_rows": []}


def now(place="huarong", state="s", today="2025-09-26", lenient=False, data=DATA, clocks=(CLOCK,), **facts):
    return Situation(profile.load(place), Town.head, state, data, at(today).astimezone(SHANGHAI).date(), clocks, facts, lenient)


HOLDS = [
    ({}, True),
    ({"switch": "higher_consent"}, True),
    ({"data": {"kind": "a"}}, True), ({"data": {"kind": ["b", "a"]}}, True), ({"data": {"kind": "b"}}, False),
    ({"data": {"kind": "a", "deep.x": 1}}, True), ({"data": {"kind": "a", "deep.x": 2}}, False),
    ({"data": {"missing": [None]}}, True), ({"data": {"kind.x": [None]}}, True), ({"data": {"kind": [None]}}, False),
    ({"fact": "yes"}, True), ({"fact": "no"}, False), ({"not": {"fact": "no"}}, True),
    ({"state": "s"}, True), ({"state": ["t", "s"]}, True), ({"state": "t"}, False),
    ({"extension": "answer_conditional"}, True), ({"extension": "answer_unconditional"}, False), ({"extension": "hourglass"}, False),
    ({"running": "answer"}, True), ({"running": "deliver"}, False),
    ({"some": {"of": "rows", "is": "agreed"}}, True), ({"some": {"of": "rows", "is": ["partly"]}}, False), ({"some": {"of": "no_rows", "is": "agreed"}}, False),
    ({"every": {"of": "rows", "is": ["agreed", "refused"]}}, True), ({"every": {"of": "rows", "is": "agreed"}}, False),
    ({"any": [{"fact": "no"}, {"fact": "yes"}]}, True), ({"any": []}, False), ({"all": []}, True),
    ({"all": [{"fact": "no"}, {"fact": "yes"}]}, False),
    ({"state": "s", "fact": "no"}, False),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "expected"), HOLDS)
def test_a_condition(condition, expected):
    check_condition(condition, "here")
    assert holds(condition, now(yes=True, no=False)) is expected


@pytest.mark.parametrize(("today", "expected"), [("2025-10-16", True), ("2025-10-17", False)])
def test_a_clock_runs_until_its_last_day_is_over(today, expected):
    assert holds({"running": "answer"}, now(today=today)) is expected


def test_a_switch_is_the_places():
    assert [place for place in profile.PROFILES if holds({"switch": "higher_consent"}, now(place))] == ["huarong"]
    assert [place for place in profile.PROFILES if not holds({"switch": "unconditional_at_once"}, now(place))] == ["guojia"]


def test_a_fact_not_given_is_the_callers_fault_unless_it_is_only_looked_at():
    with pytest.raises(BrokenRules, match="sunny"):
        holds({"fact": "sunny"}, now())
    assert holds({"fact": "sunny"}, now(lenient=True)) is False


LEAVES = [
    # before, after, whether something that was not shared becomes shared
    ({"share_type": "none"}, {"share_type": "conditional"}, True),
    ({"share_type": "none"}, {"share_type": "none"}, False),
    ({"share_type": "none"}, {"open_type": "none"}, False),
    ({"share_type": "conditional"}, {"share_type": "unconditional"}, False),
    ({"share_type": "none"}, {"items": {"a": {"share_type": "conditional"}}}, True),
    ({"share_type": "conditional", "items": {"a": {"share_type": "none"}}}, {"items": {"a": {"share_type": "conditional"}}}, True),
    ({"share_type": "conditional", "items": {"a": {"share_type": "none"}}}, {"items": {"b": {"share_type": "conditional"}}}, False),
    (None, {"share_type": "conditional"}, False),
]


@pytest.mark.parametrize(("before", "after", "expected"), LEAVES)
def test_what_leaves_a_class(before, after, expected):
    condition = {"leaves": {"field": "share_type", "value": "none", "before": "before", "after": "after"}}
    assert holds(condition, now(data={"before": before, "after": after})) is expected


GUARDS = [
    # guard, facts, data, rules
    ({"if": {"fact": "f"}, "rule": "r", "message": "否"}, {"f": True}, {}, ["r"]),
    ({"if": {"fact": "f"}, "message": "否"}, {"f": True}, {}, ["not_allowed"]),
    ({"if": {"fact": "f"}, "rule": "r", "message": "否"}, {"f": False}, {}, []),
    ({"errors_in": "p"}, {"p": [Problem("a", "x", "错"), Problem("b", "y", "可", severity="warning")]}, {}, ["x"]),
    ({"errors_in": "p"}, {"p": [Problem("a", "x", "错").to_dict()]}, {}, ["x"]),
    ({"errors_in": "p"}, {"p": []}, {}, []),
    ({"not_by": "who", "rule": "r", "message": "否"}, {"who": ["head"]}, {}, ["r"]),
    ({"not_by": "who", "message": "否"}, {"who": ["other"]}, {}, []),
    ({"needs": ["a", "b.c", "d"]}, {}, {"a": "x", "b": {"c": 0}, "d": False}, []),
    ({"needs": ["a", "b.c", "d", "e"]}, {}, {"a": "", "b": {}, "d": [], "e": {}}, ["required"] * 4),
    ({"leaves_out": {"text": "t", "values": ["name", "phone"]}, "rule": "r", "message": "否"}, {}, {"t": "答复王小明", "name": "王小明"}, ["r"]),
    ({"leaves_out": {"text": "t", "values": ["name", "phone"]}, "rule": "r", "message": "否"}, {}, {"t": "答复王小明", "name": " 王小明 "}, ["r"]),
    ({"leaves_out": {"text": "t", "values": ["name", "phone"]}, "rule": "r", "message": "否"}, {}, {"t": "予以开放", "name": "王小明", "phone": ""}, []),
    ({"leaves_out": {"text": "t", "values": ["name"]}, "message": "否"}, {}, {"name": "王小明"}, []),
    ({"changes": {"before": "b", "after": "a"}, "message": "否"}, {}, {"b": {"x": "1"}, "a": {"x": "1"}}, ["nothing_changes"]),
    ({"changes": {"before": "b", "after": "a"}, "message": "否"}, {}, {"b": {"x": "1"}, "a": {"x": "2"}}, []),
    ({"changes": {"before": "b", "after": "a"}, "message": "否"}, {}, {"b": {"x": "1"}, "a": {"items": {"n": {"x": "1"}}}}, ["nothing_changes"]),
    ({"changes": {"before": "b", "after": "a"}, "message": "否"}, {}, {"b": {"x": "1"}, "a": {"items": {"n": {"x": "2"}}}}, []),
    ({"same": {"data": "v", "fact": "f"}, "message": "否"}, {"f": 2}, {"v": 1}, ["stale_base"]),
    ({"same": {"data": "v", "fact": "f"}, "message": "否"}, {"f": 1}, {"v": 1}, []),
    ({"same": {"data": "v", "fact": "f"}, "message": "否"}, {"f": None}, {"v": 1}, []),
]  # fmt: skip


@pytest.mark.parametrize(("guard", "facts", "data", "expected"), GUARDS)
def test_a_guard(guard, facts, data, expected):
    check_guard(guard, "here")
    assert [problem.rule for problem in refusals(guard, now(data=data, **facts))] == expected


def test_what_is_needed_is_called_by_its_label_and_cites():
    (problem,) = refusals({"needs": ["purpose"], "cite": "apply_share"}, now("guojia", data={}), {"purpose": "使用用途"})
    assert (problem.field, problem.message, problem.article) == ("purpose", "请填写“使用用途”", "政务数据共享条例 第二十条")


@pytest.mark.parametrize(
    "guard",
    [
        None, [], {}, {"if": {}}, {"if": {}, "needs": ["x"], "message": "否"}, {"leaves_out": {}}, {"if": {}, "message": "否", "colour": "red"},
        {"if": {"moon": 1}, "message": "否"}, {"if": [], "message": "否"},
    ],
)  # fmt: skip
def test_a_guard_that_cannot_be(guard):
    with pytest.raises(BrokenRules, match="here"):
        check_guard(guard, "here")


# ── who holds a role in a case ──

SUBJECT = {"type": "case", "id": "case-0", "org": "minzheng", "title": "共享申请"}


def suspended(**data):
    procedure, place = load_procedure("suspension"), profile.load("guojia")
    filled = {"breach": ["scope"], "facts": "日志", "rectify_by": "2025-10-20", **data}
    outcome = open_case(procedure, place, CALENDAR, id="1", subject=SUBJECT, actor=Town.head, data=filled, now=DAY, facts=FACTS)
    return procedure, place, outcome.case


def presses(procedure, place, case, who, event):
    return next(one.allowed for one in available(procedure, place, CALENDAR, case, who, DAY, facts=FACTS) if one.event == event)


def test_a_grantee_is_one_person():
    procedure, place, case = suspended(grantee="citizen")
    assert who_acts(procedure, case) == {Role("applicant", "citizen")}
    held = [
        who.id for who in [*Town.all(), SYSTEM, person("public:T-1", ("public",)), person("other", ("applicant",))]
        if presses(procedure, place, case, who, "report")
    ]  # fmt: skip
    assert held == ["citizen"]


def test_an_account_with_the_grantees_id_but_no_such_role_does_not_answer_for_them():
    procedure, place, case = suspended(grantee="citizen")
    assert not presses(procedure, place, case, person("citizen", ("public",)), "report")


def test_nobody_is_named_where_the_data_name_nobody():
    procedure, place, case = suspended()
    assert who_acts(procedure, case) == set()
    assert not any(presses(procedure, place, case, who, "report") for who in Town.all())


def doubled(others):
    procedure, place = load_procedure("one_source"), profile.load("guojia")
    subject = {"type": "entry", "id": "e1", "org": "minzheng", "title": "法人"}
    data = {"item": "名称", "entries": ["e1", "e2"], "others": others}
    return procedure, place, open_case(procedure, place, CALENDAR, id="1", subject=subject, actor=SYSTEM, data=data, now=DAY, facts=FACTS).case


def test_each_of_the_departments_that_a_list_names_has_a_part():
    procedure, place, case = doubled(["jiaoyu", "weijian"])
    assert who_acts(procedure, case) == {Role("head", "minzheng"), Role("head", "jiaoyu"), Role("head", "weijian")}
    assert parties(procedure, case) == {"minzheng", "jiaoyu", "weijian"}
    for who, allowed in [("jiaoyu", True), ("weijian", True), ("minzheng", True), ("shuiwu", False)]:
        assert presses(procedure, place, case, person("x", ("head", who)), "agree") is allowed


PARTIES = [
    # procedure, state, subject's org, data, departments that it concerns
    ("sharing_application", "draft", "minzheng", {"consumer": "jiaoyu"}, {"jiaoyu"}),
    ("sharing_application", "own_head", "minzheng", {"consumer": "jiaoyu"}, {"jiaoyu"}),
    ("sharing_application", "deciding", "minzheng", {"consumer": "jiaoyu"}, {"minzheng", "jiaoyu"}),
    ("demand", "received", "", {"consumer": "jiaoyu"}, {"jiaoyu"}),
    ("demand", "assigned", "", {"department": "minzheng"}, {"minzheng"}),
    ("demand", "received", "", {}, set()),
    ("complaint", "with_department", "", {"department": "jiaoyu"}, {"jiaoyu"}),
    ("complaint", "received", "minzheng", {}, set()),
    ("error_check", "checking", "minzheng", {"asking": "jiaoyu"}, {"minzheng", "jiaoyu"}),
    ("dispute", "negotiating", "minzheng", {"consumer": "jiaoyu"}, {"minzheng", "jiaoyu"}),
    ("suspension", "suspended", "minzheng", {"grantee": "citizen"}, {"minzheng"}),
    ("rereview", "received", "minzheng", {}, {"minzheng"}),
]


@pytest.mark.parametrize(("name", "state", "org", "data", "expected"), PARTIES)
def test_the_departments_that_a_case_concerns(name, state, org, data, expected):
    _, _, case = suspended(grantee="citizen")
    other = replace(case, procedure=name, state=state, data=data, subject={**SUBJECT, "org": org})
    assert parties(load_procedure(name), other) == expected


# ── a procedure with every new word ──


@pytest.fixture
def source():
    return copy.deepcopy(read_yaml(HERE / "procedures" / "asking.yml"))


def opened(source, place="guojia", actor=Town.asker, **data):
    procedure = parse(source)
    subject = {"type": "entry", "id": "e1", "org": "minzheng", "title": "婚姻登记信息"}
    case = open_case(
        procedure, profile.load(place), CALENDAR, id="1", subject=subject, actor=actor,
        data={"entries": ["a"], "consumer": "jiaoyu", **data}, now=DAY, facts=FACTS,
    ).case  # fmt: skip
    return procedure, profile.load(place), case


def test_what_is_blocked_is_told_before_it_is_filled_in(source):
    source["events"]["own_head_agrees"]["blocked"] = [{"if": {"fact": "frozen"}, "rule": "frozen", "message": "已冻结", "cite": "dispute"}]
    procedure, place, case = opened(source)
    for frozen in (True, False):
        (seen,) = available(procedure, place, CALENDAR, case, Town.asking_head, DAY, facts={"frozen": frozen})
        assert (seen.allowed, seen.why_not) == (not frozen, "已冻结" if frozen else "")
    with pytest.raises(Refused) as refused:
        apply(procedure, place, CALENDAR, case, "own_head_agrees", Town.asking_head, {"nonsense": 1}, DAY, facts={"frozen": True})
    assert [(p.rule, p.article) for p in refused.value.problems] == [("frozen", "政务数据共享条例 第二十八条")]


def test_what_another_may_not_press_says_so_before_it_says_that_it_is_blocked(source):
    source["events"]["own_head_agrees"]["blocked"] = [{"if": {}, "rule": "never", "message": "不行"}]
    procedure, place, case = opened(source)
    (seen,) = available(procedure, place, CALENDAR, case, Town.head, DAY)
    assert "您没有这一身份" in seen.why_not


def test_a_clock_tells_those_whom_it_is_told_to_tell(source):
    source["clocks"]["answer"] |= {"tell": ["editor@consumer"], "escalate": {"to": ["authority_head"], "after": 0}}
    procedure, place, case = opened(source)
    case = apply(procedure, place, CALENDAR, case, "own_head_agrees", Town.asking_head, {}, DAY).case
    outcomes = tick(procedure, place, CALENDAR, case, at("2025-10-17"))
    assert [(o.event.event, o.notices[0].to_roles) for o in outcomes] == [
        ("clock_overdue", (Role("editor", "jiaoyu"),)), ("clock_escalated", (Role("authority_head"),)),
    ]  # fmt: skip


def test_a_case_at_rest_is_nobodys_turn_and_can_still_be_moved(source):
    source["states"]["completing"] = {"label": "等待", "public": "等待", "rests": True}
    procedure, place, case = opened(source)
    case = apply(procedure, place, CALENDAR, case, "own_head_agrees", Town.asking_head, {}, DAY).case
    case = apply(procedure, place, CALENDAR, case, "ask_completion", Town.head, {"missing": ["x"]}, DAY).case
    assert who_acts(procedure, case) == set()
    assert presses(procedure, place, case, Town.asker, "complete")


def test_what_the_portal_fills_in_is_in_no_form(source):
    source["fields"]["consumer"]["given"] = True
    procedure = parse(source)
    assert set(procedure.json_schema()["properties"]["opening"]["properties"]) == {"entries", "reason"}
    assert {field.key for field in procedure.opening.fields} == {"entries", "consumer", "reason"}


def test_a_final_state_is_left_by_the_outcome_of_another_case_only(source):
    event = {"label": "改判", "from": ["refused"], "to": "deciding", "cite": "dispute"}
    for by in (["authority"], ["system", "authority"], {"refused": ["head"]}):
        source["events"]["reopen"] = {**event, "by": by}
        with pytest.raises(BrokenRules, match="final"):
            parse(source)
    source["events"]["reopen"] = {**event, "by": ["system"]}
    assert parse(source).states["refused"].final


@pytest.mark.parametrize(
    "state",
    [
        {"label": "x", "public": "x"}, {"label": "x", "public": "x", "rests": True, "acts": ["head"]},
        {"label": "x", "public": "x", "rests": True, "final": True}, {"label": "x", "public": "x", "final": True, "acts": ["head"]},
    ],
)  # fmt: skip
def test_a_state_is_somebodys_turn_or_rests_or_ends(source, state):
    source["states"]["completing"] = state
    with pytest.raises(BrokenRules, match="at rest"):
        parse(source)
