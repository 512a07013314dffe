"""The two procedures walked through, every refusal with its reason, and what a procedure's YAML may not say."""

from __future__ import annotations

import copy
import json

import pytest
from conftest import at, in_text, person

from mulu import citations, profile
from mulu.case import PROCEDURES, apply, available, load_procedure, open_case, who_acts
from mulu.checks import check
from mulu.entry import class_of, with_class
from mulu.errors import BrokenRules, Problem, Refused
from mulu.files import ROOT, read_yaml
from mulu.people import SYSTEM, Role
from mulu.procedure import parse

DAY = "2025-03-03"
ENTRY = {
    "title": "婚姻登记信息",
    "share_type": "none",
    "share_basis": "《中华人民共和国统计法》第二十五条",
    "items": [{"name": "姓名", "data_type": "C"}, {"name": "登记日期", "data_type": "D"}],
}
WHY = {"reason": "依据已经修订", "basis": "《中华人民共和国统计法》第二十五条"}


def rules(refused):
    return [problem.rule for problem in refused.value.problems]


@pytest.fixture
def review(walk, town):
    def start(place="huarong", **data):
        return walk("catalogue_review", profile.load(place)).open(town.editor, DAY, **{"kind": "new", **data})

    return start


@pytest.fixture
def change(walk, town):
    def start(after, place="huarong", actor=town.editor, before=None):
        case = walk("classification_change", profile.load(place))
        return case.open(actor, DAY, before=class_of(before or ENTRY), after=after, **WHY)

    return start


# ── catalogue review ──


@pytest.mark.parametrize("place", profile.PROFILES)
def test_review_from_draft_to_published(review, town, reviewed, place):
    case = review(place)
    assert case.state == "draft"
    case.do("submit", town.editor, DAY).do("head_agree", town.head, DAY, **reviewed).do("publish", town.authority, "2025-03-04")
    assert case.state == "published"
    assert [o.event.event for o in case.outcomes] == ["open", "submit", "head_agree", "publish"]
    assert [o.event.seq for o in case.outcomes] == [1, 2, 3, 4]
    assert [(e.name, e.args) for e in case.outcomes[-1].effects] == [("publish_entry", {**reviewed, "base_version": None})]
    assert case.case.deciders == (("head_agree", "head"), ("publish", "authority"))
    assert case.outcomes[-1].event.article == profile.load(place).cite("publish")
    assert who_acts(case.procedure, case.case) == set()
    assert available(case.procedure, case.profile, case.calendar, case.case, town.authority, at(DAY)) == []


def test_returned_with_reasons_and_submitted_again(review, town, reviewed):
    case = review(proposed={"title": "旧"}).do("submit", town.editor, DAY)
    with pytest.raises(Refused) as refused:
        case.do("return_to_editor", town.head, DAY)
    assert rules(refused) == ["required"]
    case.do("return_to_editor", town.head, DAY, reason="摘要不清")
    assert case.state == "returned"
    assert case.outcomes[-1].event.reason == "摘要不清"
    assert case.outcomes[-1].notices[0].template == "returned"
    assert case.outcomes[-1].notices[0].to_roles == (Role("editor", "minzheng"),)
    assert "reason" not in case.case.data
    case.do("edit", town.editor, DAY, proposed={"title": "新"}).do("submit", town.editor, DAY)
    assert case.case.data["proposed"] == {"title": "新"}
    case.do("head_agree", town.head, DAY, **reviewed).do("return_to_editor", town.chief, DAY, reason="格式不符")
    assert case.state == "returned"


def test_both_reviews_are_filled_in_before_the_head_agrees(review, town, reviewed):
    case = review().do("submit", town.editor, DAY)
    with pytest.raises(Refused) as refused:
        case.do("head_agree", town.head, DAY)
    assert [(p.field, p.rule) for p in refused.value.problems] == [("secrecy_review", "required"), ("privacy_review", "required")]
    assert all("第十三条" in p.article for p in refused.value.problems)
    half = {"secrecy_review": {"by": "甲", "on": "2099-01-01", "conclusion": " "}, "privacy_review": "通过"}
    with pytest.raises(Refused) as refused:
        case.do("head_agree", town.head, DAY, **half)
    assert {(p.field, p.rule) for p in refused.value.problems} == {
        ("secrecy_review.conclusion", "required"),
        ("secrecy_review.on", "date_in_future"),
        ("privacy_review", "wrong_type"),
    }
    assert case.state == "head_review"


@pytest.mark.parametrize("event", ["submit", "publish"])
def test_an_entry_with_errors_is_neither_submitted_nor_published(review, town, reviewed, event):
    found = check({"title": "婚"}, profile.load("huarong"))
    case, actor = review(), town.editor
    if event == "publish":
        case.do("submit", town.editor, DAY).do("head_agree", town.head, DAY, **reviewed)
        actor = town.authority
    for problems in (found, [problem.to_dict() for problem in found]):
        with pytest.raises(Refused) as refused:
            case.do(event, actor, DAY, facts={"entry_problems": problems})
        assert len(rules(refused)) > 5
        assert "recommended" not in rules(refused)  # warnings stop nobody
    case.do(event, actor, DAY, facts={"entry_problems": [p for p in found if p.severity == "warning"]})


def test_a_fact_that_the_caller_forgot_is_the_programs_fault(review, town, calendar):
    case = review()
    with pytest.raises(BrokenRules, match="entry_problems"):
        apply(case.procedure, case.profile, calendar, case.case, "submit", town.editor, {}, at(DAY))


def test_who_filed_never_decides(review, town, walk, reviewed):
    everything = town.everything
    case = walk("catalogue_review", profile.load("huarong")).open(everything, DAY, kind="new").do("submit", everything, DAY)
    for event, data in (("head_agree", reviewed), ("return_to_editor", {"reason": "不清"})):
        with pytest.raises(Refused) as refused:
            case.do(event, everything, DAY, **data)
        assert rules(refused) == ["own_case"]
    case.do("head_agree", town.head, DAY, **reviewed)
    with pytest.raises(Refused) as refused:
        case.do("publish", everything, DAY)
    assert rules(refused) == ["own_case"]


def test_who_changed_what_was_filed_never_decides_either(review, town, reviewed):
    case = review().do("edit", town.head2, DAY, proposed={"title": "新"}).do("submit", town.editor, DAY)
    with pytest.raises(Refused) as refused:
        case.do("head_agree", town.head2, DAY, **reviewed)
    assert rules(refused) == ["own_case"]
    case.do("head_agree", town.head, DAY, **reviewed)


@pytest.mark.parametrize("who", ["asker", "asking_head", "auditor", "operator", "citizen", "nobody", "higher", "authority"])
def test_others_may_not_agree_for_the_department(review, town, reviewed, who):
    case = review().do("submit", town.editor, DAY)
    with pytest.raises(Refused) as refused:
        case.do("head_agree", getattr(town, who), DAY, **reviewed)
    assert rules(refused) == ["wrong_role"]
    assert "部门负责人" in refused.value.problems[0].message


@pytest.mark.parametrize(
    ("event", "who", "rule"),
    [("publish", "authority", "wrong_state"), ("head_agree", "head", "wrong_state"), ("fly", "head", "no_such_event")],
)
def test_an_event_out_of_place(review, town, event, who, rule):
    case = review()
    with pytest.raises(Refused) as refused:
        case.do(event, getattr(town, who), DAY)
    assert rules(refused) == [rule]


def test_a_field_that_there_is_not_is_told(review, town):
    with pytest.raises(Refused) as refused:
        review().do("withdraw", town.editor, DAY, because="x")
    assert rules(refused) == ["unknown_field"]


def test_withdrawn(review, town):
    case = review().do("withdraw", town.editor, DAY, reason="重复")
    assert (case.state, [e.name for e in case.outcomes[-1].effects]) == ("withdrawn", ["discard_pending"])


def test_a_change_brings_what_is_proposed_and_since_when(review):
    with pytest.raises(Refused) as refused:
        review(kind="change", cause="law")
    assert rules(refused) == ["proposed_missing", "required"]
    with pytest.raises(Refused) as refused:
        review(kind="change", proposed=ENTRY, cause="law", cause_on="2025-03-04")
    assert rules(refused) == ["date_in_future"]


@pytest.mark.parametrize(
    ("proposed", "refused_"),
    [
        ({**ENTRY, "title": "婚姻"}, False),
        ({**ENTRY, "items": ENTRY["items"][:1]}, False),
        ({**ENTRY, "share_type": "conditional"}, True),
        ({**ENTRY, "share_basis": "别的"}, True),
        ({**ENTRY, "items": [{**ENTRY["items"][0], "open_type": "none"}, ENTRY["items"][1]]}, True),
    ],
)
def test_a_published_class_changes_in_its_own_procedure_only(review, town, proposed, refused_):
    case = review(kind="change", proposed=proposed, base_version=1)
    if not refused_:
        case.do("submit", town.editor, DAY, facts={"published_entry": ENTRY})
        return
    with pytest.raises(Refused) as refused:
        case.do("submit", town.editor, DAY, facts={"published_entry": ENTRY})
    assert rules(refused) == ["class_change_needs_case"]
    assert "属性变更" in refused.value.problems[0].message
    assert refused.value.problems[0].article == "华容县政务信息资源管理暂行办法 第三十五条（一）"


def test_a_change_of_a_version_that_is_public_no_more(review, town, reviewed):
    case = review(kind="change", proposed=ENTRY, base_version=1).do("submit", town.editor, DAY).do("head_agree", town.head, DAY, **reviewed)
    with pytest.raises(Refused) as refused:
        case.do("publish", town.authority, DAY, facts={"published_version": 2})
    assert rules(refused) == ["stale_base"]
    case.do("publish", town.authority, DAY, facts={"published_version": 1})


def test_what_a_person_may_press_now_and_why_not_the_rest(review, town):
    case = review().do("submit", town.editor, DAY)
    seen = {
        who: {p.event: p.why_not for p in available(case.procedure, case.profile, case.calendar, case.case, getattr(town, who), at(DAY))}
        for who in ("head", "editor", "auditor")
    }
    assert seen["head"]["head_agree"] == "" and seen["editor"]["withdraw"] == ""
    assert seen["editor"]["head_agree"] == "“同意并报主管部门”须由部门负责人办理，您没有这一身份"
    assert all(seen["auditor"].values())
    assert "extend_update" not in seen["head"]  # the county's rule has no such step
    possible = next(p for p in available(case.procedure, case.profile, case.calendar, case.case, town.head, at(DAY)) if p.event == "head_agree")
    listed = possible.to_dict()["fields"]
    assert [(f["key"], f["kind"], f["required"]) for f in listed] == [
        ("secrecy_review", "review", True), ("privacy_review", "review", True), ("reason", "long_text", False),
    ]  # fmt: skip
    assert json.dumps(possible.to_dict(), ensure_ascii=False)


@pytest.mark.parametrize(
    ("steps", "turn"),
    [
        ([], {Role("editor", "minzheng")}),
        (["submit"], {Role("head", "minzheng")}),
        (["submit", "head_agree"], {Role("authority"), Role("authority_head")}),
    ],
)
def test_whose_turn_it_is(review, town, reviewed, steps, turn):
    case = review()
    for step in steps:
        case.do(step, town.editor if step == "submit" else town.head, DAY, **(reviewed if step == "head_agree" else {}))
    assert who_acts(case.procedure, case.case) == turn


# ── classification change ──


@pytest.mark.parametrize("place", [p for p in profile.PROFILES if p != "huarong"])
def test_a_class_changes_with_the_authoritys_decision(change, town, place):
    after = {"share_type": "conditional", "share_condition": "用于核验"}
    case = change(after, place).do("agree", town.authority, DAY, reason="可以共享")
    assert case.state == "in_force"
    assert [(e.name, e.args) for e in case.outcomes[-1].effects] == [("change_class", {"fields": after})]
    assert case.case.clock("authority_review").article == "政务数据共享条例 第十七条"


def test_huarong_needs_the_citys_consent_on_record_for_what_was_not_shared(change, town):
    case = change({"share_type": "conditional"}).do("agree", town.authority, DAY, reason="经论证可以共享")
    assert (case.state, case.outcomes[-1].effects) == ("awaiting_consent", ())
    assert case.case.clock("authority_review").paused_at
    assert Role("higher_authority") in who_acts(case.procedure, case.case)
    with pytest.raises(Refused) as refused:
        case.do("record_consent", town.chief, DAY)
    assert rules(refused) == ["required"] * 3
    consent = {"consent_by": "岳阳市政务信息资源主管部门", "consent_number": "岳数〔2025〕3号", "consent_on": DAY}
    case.do("record_consent", town.chief, "2025-03-10", **consent)
    assert (case.state, [e.name for e in case.outcomes[-1].effects]) == ("in_force", ["change_class"])
    assert case.outcomes[-1].event.article == "华容县政务信息资源管理暂行办法 第二十一条"
    assert case.case.data["consent_number"] == "岳数〔2025〕3号"


def test_huarong_an_item_that_was_not_shared_needs_it_too(change, town):
    before = {**ENTRY, "share_type": "conditional", "items": [{"name": "姓名", "share_type": "none"}]}
    after = {"items": {"姓名": {"share_type": "conditional"}}}
    assert change(after, before=before).do("agree", town.authority, DAY, reason="可以").state == "awaiting_consent"


@pytest.mark.parametrize(
    ("before", "after"),
    [("conditional", "unconditional"), ("unconditional", "none"), ("conditional", "none")],
)
def test_huarong_other_changes_need_it_not(change, town, before, after):
    case = change({"share_type": after}, before={**ENTRY, "share_type": before}).do("agree", town.authority, DAY, reason="可以")
    assert case.state == "in_force"


def test_the_citys_refusal(change, town):
    case = change({"share_type": "conditional"}).do("agree", town.authority, DAY, reason="可以")
    case.do("consent_denied", town.higher, DAY, reason="不同意")
    assert (case.state, case.outcomes[-1].effects) == ("refused", ())


def test_a_refusal_has_reasons(change, town):
    case = change({"share_type": "conditional"})
    with pytest.raises(Refused) as refused:
        case.do("refuse", town.authority, DAY)
    assert rules(refused) == ["required"]
    assert case.do("refuse", town.authority, DAY, reason="没有依据").state == "refused"


def test_who_asked_for_the_change_does_not_decide(change, town):
    case = change({"share_type": "conditional"}, actor=town.everything)
    with pytest.raises(Refused) as refused:
        case.do("agree", town.everything, DAY, reason="可以")
    assert rules(refused) == ["own_case"]


def test_the_portal_itself_may_open_it_when_a_harvest_would_change_a_class(change):
    assert change({"share_type": "conditional"}, actor=SYSTEM).state == "filed"


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({}, ["required"]),
        ({"share_type": "none"}, ["nothing_changes"]),
        ({"items": {"姓名": {"share_type": ""}}}, ["required"]),
        ({"title": "x"}, ["unknown_field"]),
        ({"share_type": "perhaps"}, ["not_in_list"]),
        ({"items": {"姓名": "none"}}, ["wrong_type"]),
        ({"items": ["姓名"]}, ["wrong_type"]),
    ],
)
def test_a_change_that_is_none(change, after, expected):
    with pytest.raises(Refused) as refused:
        change(after)
    assert rules(refused) == expected


def test_the_result_of_the_change_must_be_valid(change, town, walk):
    after = {"share_type": "conditional", "open_type": "unconditional", "share_condition": ""}
    problems = check(with_class(ENTRY, after), profile.load("hunan"))
    case = change(after, "hunan")
    with pytest.raises(Refused) as refused:
        case.do("agree", town.authority, DAY, facts={"entry_problems": problems}, reason="可以")
    assert "share_condition_missing" in rules(refused)


# ── what the other procedures will need (tests/rules/procedures/asking.yml) ──


@pytest.fixture
def deciding(walk, town):
    case = walk("asking", profile.load("guojia")).open(town.asker, DAY, entries=["a", "b"], consumer="jiaoyu")
    return case.do("own_head_agrees", town.asking_head, DAY)


@pytest.mark.parametrize(
    ("first", "second", "state", "effects"),
    [("agreed", "agreed", "agreed", 2), ("agreed", "refused", "agreed", 2), ("refused", "refused", "refused", 0)],
)
def test_a_decision_for_each(deciding, town, first, second, state, effects):
    decisions = [{"id": "a", "decision": first, "reason": "不必要"}, {"id": "b", "decision": second, "reason": "不必要"}]
    deciding.do("decide", town.head, DAY, decisions=decisions)
    assert (deciding.state, len(deciding.outcomes[-1].effects)) == (state, effects)
    if effects:
        assert deciding.outcomes[-1].effects[0].args == {"decisions": decisions}
        assert deciding.outcomes[-1].effects[1].name == "open_case"


def test_every_decision_that_is_missing_or_lacks_its_reason(deciding, town):
    with pytest.raises(Refused) as refused:
        deciding.do("decide", town.head, DAY, decisions=[{"id": "a", "decision": "refused"}, {"id": "c", "decision": "so"}])
    assert {(p.field, p.rule) for p in refused.value.problems} == {
        ("decisions", "undecided"),
        ("decisions[0].reason", "required"),
        ("decisions[1].id", "not_in_list"),
        ("decisions[1].decision", "not_in_list"),
    }


def test_never_the_first_decider(deciding, town):
    decisions = [{"id": "a", "decision": "agreed"}, {"id": "b", "decision": "agreed"}]
    with pytest.raises(Refused) as refused:
        deciding.do("decide", town.head, DAY, facts={"first_deciders": ["head"]}, decisions=decisions)
    assert rules(refused) == ["first_decider"]
    deciding.do("decide", town.head2, DAY, facts={"first_deciders": ["head"]}, decisions=decisions)


def test_the_head_of_another_department_is_no_head_here(deciding, town):
    with pytest.raises(Refused) as refused:
        deciding.do("ask_completion", town.asking_head, DAY, missing=["x"])
    assert rules(refused) == ["wrong_role"]


def test_only_its_own_department_opens_a_case(walk, town):
    with pytest.raises(Refused) as refused:
        walk("asking", profile.load("guojia")).open(town.asker, DAY, entries=["a"], consumer="minzheng")
    assert rules(refused) == ["wrong_role"]


# ── the shape of a procedure ──


@pytest.mark.parametrize("name", PROCEDURES)
def test_every_place_can_cite_every_rule_of_every_procedure(name):
    procedure = load_procedure(name)
    assert procedure.citations
    for place in profile.PROFILES:
        assert [key for key in procedure.citations if not profile.load(place).cite(key)] == [], place
    assert all(event.cite for event in (procedure.opening, *procedure.events.values()))


@pytest.mark.parametrize("name", PROCEDURES)
def test_every_refusal_that_a_procedure_states_cites(name):
    """``errors_in`` passes on problems that have their own articles."""
    procedure = load_procedure(name)
    for event in (procedure.opening, *procedure.events.values()):
        assert [guard for guard in (*event.blocked, *event.refuse) if "errors_in" not in guard and not guard.get("cite")] == [], event.key


@pytest.mark.parametrize("place", profile.PROFILES)
@pytest.mark.parametrize("name", PROCEDURES)
def test_what_a_procedure_cites_in_a_place_stands_in_the_text(shared, name, place):
    ids = {row["title"]: id for id, row in citations.regulations().items()}
    loaded = profile.load(place)
    for key in sorted(load_procedure(name).citations):
        for cited in loaded.cite(key).split("；"):
            title, _, article = cited.rpartition(" ")
            assert title in ids and (ids[title] == "guofa-2016" or in_text(shared, ids[title], article)), f"{key}: {cited}"


def test_what_is_not_in_the_text_is_found_out(shared):
    assert in_text(shared, "guojia-2025", "第二十一条") and in_text(shared, "xiayi-2021", "四（三）")
    assert not in_text(shared, "guojia-2025", "第九十条") and not in_text(shared, "guojia-2025", "第十四条（四）")


@pytest.mark.parametrize("name", PROCEDURES)
def test_every_clock_is_the_profiles_and_every_state_has_its_public_word(name):
    procedure = load_procedure(name)
    for clock in procedure.clocks.values():
        assert all(profile.load(place).clock(clock.profile) for place in profile.PROFILES if clock.profile)
    assert all(state.label and state.public for state in procedure.states.values())


@pytest.mark.parametrize("name", PROCEDURES)
def test_a_procedure_can_be_made_again_from_what_a_case_may_store(name):
    procedure = load_procedure(name)
    assert parse(json.loads(json.dumps(procedure.source))).version == procedure.version
    assert procedure.version == load_procedure(name).version and len(procedure.version) == 64


@pytest.mark.parametrize("name", PROCEDURES)
def test_the_json_schema_is_one(name):
    procedure = load_procedure(name)
    schema = procedure.json_schema()
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema)
    events = jsonschema.Draft202012Validator(schema["properties"]["events"])
    for key, event in procedure.events.items():
        asked = {field.key for field in event.fields if field.required and not field.given}
        assert events.is_valid({key: {"reason": "重复"}}) is (asked <= {"reason"})
        assert not events.is_valid({key: {"because": "重复"}})
        assert not events.is_valid({key: {field.key: "x" for field in event.fields if field.given} | {"reason": "重复"}}) or not any(
            field.given for field in event.fields
        )


def broken(change):
    source = copy.deepcopy(read_yaml(ROOT / "procedures" / "catalogue_review.yml"))
    change(source)
    return source


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s.pop("title"), "title"),
        (lambda s: s.update(colour="red"), "unknown colour"),
        (lambda s: s.update(about=["moon"]), "about"),
        (lambda s: s["events"]["submit"].update(to="nowhere"), "no state nowhere"),
        (lambda s: s["events"]["submit"].update(**{"from": ["published"]}), "final"),
        (lambda s: s["events"]["submit"].update(by=["king"]), "no such role"),
        (lambda s: s["events"]["submit"].update(by=[]), "by whom"),
        (lambda s: s["events"]["submit"].update(by={"draft": ["editor"]}), "by whom, in each"),
        (lambda s: s["events"]["submit"].update(required=["wish"]), "no field"),
        (lambda s: s["events"]["submit"].update(when={"moon": "full"}), "no such word: moon"),
        (lambda s: s["events"]["submit"].update(when={"not": {"any": [{"moon": "full"}]}}), "no such word: moon"),
        (lambda s: s["events"]["submit"].update(refuse=[{"eval": "1"}]), "guard"),
        (lambda s: s["events"]["submit"].update(refuse=[{"if": {}, "rule": "x"}]), "message"),
        (lambda s: s["events"]["submit"].update(letters=[{"template": "turn", "to": ["head"], "when": {"moon": "full"}}]), "no such word: moon"),
        (lambda s: s["events"]["submit"].update(to=[{"state": "head_review", "when": {"switch": "x"}}]), "last route"),
        (lambda s: s["events"]["extend_update"].update(extends="hourglass"), "hourglass"),
        (lambda s: s["states"].update(limbo={"label": "x", "public": "x", "acts": ["head"]}), "nothing leads to"),
        (lambda s: s["states"]["draft"].update(final=True), "final, or at rest, or"),
        (lambda s: s["clocks"]["authority_review"].update(runs_in=["published"]), "final state"),
        (lambda s: s["clocks"]["authority_review"].update(runs_in=["limbo"]), "no state"),
        (lambda s: s["clocks"]["authority_review"].update(pauses_in=["authority_review"]), "at once"),
        (lambda s: s["clocks"]["authority_review"].pop("profile"), "either the profile"),
        (lambda s: s["fields"]["kind"].update(kind="song"), "song"),
        (lambda s: s["fields"]["kind"].update(colour="red"), "colour"),
        (lambda s: [s["events"].pop(e) for e in ("publish", "return_to_editor", "renew")] and [s["events"][e].update(**{"from": ["draft"]}) for e in ("withdraw", "archive")], "nothing leads"),
    ],
)
def test_a_procedure_that_contradicts_itself_is_refused(change, reason):
    with pytest.raises(BrokenRules, match=reason):
        parse(broken(change))


def test_an_unknown_procedure_is_told():
    with pytest.raises(KeyError, match="catalogue_review"):
        load_procedure("dance")


def test_the_engine_refuses_a_callers_faults(review, town, calendar):
    case, other = review(), load_procedure("classification_change")
    with pytest.raises(BrokenRules, match="not of classification_change"):
        apply(other, case.profile, calendar, case.case, "agree", town.authority, {}, at(DAY))
    with pytest.raises(BrokenRules, match="aware"):
        apply(case.procedure, case.profile, calendar, case.case, "submit", town.editor, {}, at(DAY).replace(tzinfo=None))
    with pytest.raises(BrokenRules, match="is about"):
        open_case(other, case.profile, calendar, id="1", subject={"type": "department"}, actor=town.editor, data={}, now=at(DAY))
    with pytest.raises(BrokenRules, match="no such role"):
        person("x", ("king",))


def test_a_refusal_says_everything_in_one_sentence_each():
    refused = Refused([Problem("a", "required", "请填写“甲”", article="某条例 第一条"), Problem("b", "required", "请填写“乙”", where="N5")])
    assert str(refused) == "请填写“甲”（某条例 第一条）；N5：请填写“乙”"
