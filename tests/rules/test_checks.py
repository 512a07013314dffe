"""Every rule of an entry: the smallest entry that breaks it, and the one next to it that does not."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mulu import profile
from mulu.checks import check
from mulu.credit_code import make
from mulu.entry import FIELDS, ITEM_FIELDS
from mulu.errors import errors_of
from mulu.files import ROOT, read_yaml

TODAY = date(2026, 3, 2)
GOOD = {
    "title": "婚姻登记信息",
    "provider": "minzheng",
    "notes": "2004年以来全县的婚姻登记。",
    "format_class": "spreadsheet",
    "format_type": "xlsx",
    "catalogue_kind": "department",
    "classification": ["3", "07", "001"],
    "resource_code": "307001/00001",
    "items": [{"name": "登记机关", "data_type": "C", "length": "50"}, {"name": "登记日期", "data_type": "D"}],
    "share_type": "conditional",
    "share_condition": "用于行政审批核验，仅限本级政务部门",
    "share_basis": "《婚姻登记条例》第二条",
    "share_mode": ["batch_download"],
    "open_type": "none",
    "open_ground": "third_party",
    "open_basis": "《中华人民共和国民法典》第一千零三十四条",
    "open_review_on": "2027-03-01",
    "update_frequency": "monthly",
    "security_level": "L3",
    "personal_information": "none",
}
OPEN = {"share_type": "unconditional", "share_condition": "", "share_basis": "", "open_type": "unconditional",
        "open_ground": "", "open_basis": "", "open_review_on": ""}  # fmt: skip
ITEM = {"name": "登记机关", "data_type": "C"}
BASE = {"catalogue_kind": "base", "base_class": "population", "classification": [], "resource_code": ""}


def found(change, place="huarong", **more):
    return [(p.field, p.rule, p.severity) for p in check({**GOOD, **change}, profile.load(place), today=TODAY, **more)]


def error(field, rule):
    return (field, rule, "error")


def warning(field, rule):
    return (field, rule, "warning")


@pytest.mark.parametrize("place", profile.PROFILES)
@pytest.mark.parametrize("change", [{}, OPEN], ids=["not open", "open"])
def test_a_good_entry_has_no_problem_anywhere(place, change):
    assert found(change, place) == []


BROKEN = [
    # ── each field by itself ──
    ({"title": "  "}, [error("title", "required")]),
    ({"title": 7}, [error("title", "wrong_type")]),
    ({"title": "名" * 50}, []),
    ({"title": "名" * 51}, [warning("title", "title_long")]),
    ({"title": "名" * 200}, [warning("title", "title_long")]),
    ({"title": "名" * 201}, [error("title", "too_long")]),
    ({"items": []}, [error("items", "required")]),
    ({"items": "登记日期"}, [error("items", "wrong_type")]),
    ({"items": [ITEM, "x"]}, [error("items[1]", "wrong_type")]),
    ({"items": [{"name": "登记机关"}]}, [error("items[0].data_type", "required")]),
    ({"items": [{**ITEM, "data_type": "字符型"}]}, [error("items[0].data_type", "not_in_list")]),
    ({"items": [{**ITEM, "length": "10,2"}]}, []),
    ({"items": [{**ITEM, "length": "五十"}]}, [error("items[0].length", "wrong_number")]),
    ({"items": [{**ITEM, "sensitive": "是"}]}, [error("items[0].sensitive", "wrong_type")]),
    ({"items": [ITEM, ITEM]}, [warning("items[1].name", "item_twice")]),
    ({"update_frequency": "每两年"}, [error("update_frequency", "not_in_list")]),
    ({"share_mode": ["batch_download", "共享平台"]}, [error("share_mode[1]", "not_in_list")]),
    ({"share_mode": "batch_download"}, [error("share_mode", "wrong_type")]),
    ({"business_items": ["结婚登记", 3]}, [error("business_items[1]", "wrong_type")]),
    ({"data_updated_on": "2026-03-02"}, []),
    ({"data_updated_on": "2026-03-03"}, [error("data_updated_on", "date_in_future")]),
    ({"data_updated_on": "2026年3月"}, [error("data_updated_on", "not_a_date")]),
    ({"published_on": "2026-02-30"}, [error("published_on", "not_a_date")]),
    ({"published_on": "1900-01-01"}, [error("published_on", "date_not_sane")]),
    ({"secrecy_review": {"by": "甲", "on": "2026-03-01", "conclusion": "可"}}, []),
    ({"secrecy_review": {"by": "甲", "on": "2026-03-01"}}, [error("secrecy_review.conclusion", "required")]),
    ({"privacy_review": "通过"}, [error("privacy_review", "wrong_type")]),
    ({"resources": [{"url": "https://example.gov.cn/a.csv"}]}, []),
    ({"resources": [{"url": "javascript:alert(1)"}]}, [error("resources[0].url", "bad_url")]),
    ({"resources": [{"name": 3}]}, [error("resources[0].name", "wrong_type")]),
    ({"source": "南通"}, [error("source", "wrong_type")]),
    ({"unknown": object()}, []),
    # ── codes ──
    ({"resource_code": "307001"}, [error("resource_code", "wrong_code")]),
    ({"resource_code": "", "classification": []}, []),
    ({"classification": ["3", "08"]}, [error("resource_code", "code_disagrees")]),
    ({"catalogue_kind": "theme", "theme": "信用体系"}, [error("catalogue_kind", "code_disagrees")]),
    ({"related_codes": ["307001/1", "x"]}, [error("related_codes[1]", "wrong_code")]),
    ({"related_codes": ["307001/00001"]}, [error("related_codes[0]", "code_of_itself")]),
    ({"provider_code": make(1)}, []),
    ({"provider_code": make(1)[:17] + ("0" if make(1)[17] != "0" else "1")}, [error("provider_code", "credit_code_check")]),
    ({**BASE, "base_class": ""}, [error("base_class", "required")]),
    ({**BASE, "catalogue_kind": "theme", "base_class": ""}, [error("theme", "required")]),
    # ── format ──
    ({"format_type": "pdf"}, [error("format_type", "format_disagrees")]),
    ({"format_type": "other"}, [error("format_other", "required")]),
    ({"format_type": "other", "format_other": "表格驱动码"}, []),
    # ── sharing: guojia 14, 15 ──
    ({"share_condition": ""}, [error("share_condition", "share_condition_missing")]),
    ({"share_basis": ""}, [warning("share_basis", "condition_without_basis")]),
    ({"share_type": "none", "share_basis": ""}, [error("share_basis", "share_basis_missing")]),
    ({"share_type": "none", "share_basis": "领导要求"}, [warning("share_basis", "share_basis_unnamed")]),
    ({"share_type": "none"}, []),
    ({"share_type": "unconditional", "share_condition": "无条件"}, []),
    ({"share_type": "unconditional"}, [warning("share_condition", "condition_added")]),
    ({"share_mode": []}, [warning("share_mode", "recommended")]),
    ({"share_type": "none", "share_mode": []}, []),
    ({"share_basis": "", "items": [{**ITEM, "share_type": "none"}]}, [error("share_basis", "share_basis_missing")]),
    # ── opening: huarong 25-28 ──
    ({"open_ground": ""}, [error("open_ground", "open_ground_missing")]),
    ({"open_basis": ""}, [error("open_basis", "open_basis_missing")]),
    ({"open_review_on": ""}, [error("open_review_on", "open_review_missing")]),
    ({"open_review_on": "2026-03-01"}, [warning("open_review_on", "open_review_passed")]),
    ({"open_ground": "state_secret"}, [warning("open_ground", "secret")]),
    ({**OPEN, "open_type": "conditional"}, [error("open_condition", "open_condition_missing")]),
    ({**OPEN, "open_type": "conditional", "open_condition": "用于研究"}, []),
    ({**OPEN, "open_condition": "用于研究"}, [warning("open_condition", "condition_added")]),
    ({"share_type": "none", "open_type": "conditional", "open_condition": "用于研究"}, [error("open_type", "open_exceeds_share")]),
    (
        {**OPEN, "items": [{**ITEM, "open_type": "none"}]},
        [error("open_ground", "open_ground_missing"), error("open_basis", "open_basis_missing"),
         error("open_review_on", "open_review_missing")],
    ),
    # ── an item is never wider than its entry ──
    ({"items": [{**ITEM, "share_type": "unconditional"}]}, [error("items[0].share_type", "item_exceeds_entry")]),
    ({"items": [{**ITEM, "share_type": "none"}]}, []),
    ({"items": [{**ITEM, "open_type": "conditional"}]}, [error("items[0].open_type", "item_exceeds_entry")]),
    (
        {**OPEN, "share_basis": "《统计法》第二十五条", "items": [{**ITEM, "share_type": "none"}]},
        [error("items[0].open_type", "open_exceeds_share")],
    ),
    # ── safety ──
    ({**OPEN, "security_level": "core"}, [error("open_type", "grade_forbids_opening")]),
    ({**OPEN, "security_level": "important", "open_type": "conditional", "open_condition": "x"}, [error("open_type", "grade_forbids_opening")]),
    ({"security_level": "core"}, []),
    ({**OPEN, "personal_information": "contains"}, [error("open_type", "personal_data_open")]),
    ({**OPEN, "personal_information": "contains", "open_type": "conditional", "open_condition": "x"}, []),
    ({**OPEN, "personal_information": "desensitised"}, []),
    ({"security_level": "", "personal_information": ""}, [warning("security_level", "recommended"), warning("personal_information", "recommended")]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), BROKEN)
def test_a_broken_rule_is_found_and_nothing_else(change, expected):
    assert found(change) == expected


@pytest.mark.parametrize(("change", "expected"), [row for row in BROKEN if row[1]])
def test_every_problem_says_what_and_which_rule_in_chinese(change, expected):
    for problem in check({**GOOD, **change}, profile.load("huarong"), today=TODAY):
        assert any("一" <= letter <= "鿿" for letter in problem.message)
        technical = {"bad_url", "item_twice", "wrong_type"}
        assert problem.article or problem.rule in technical, problem
        assert set(problem.to_dict()) == {"field", "rule", "message", "value", "article", "where", "severity"}


# ── S2: base items of base data are unconditional ──

LIMITED = {**BASE, "share_type": "conditional"}
WIDE = {**BASE, **OPEN}


@pytest.mark.parametrize("base_class", ["population", "legal_entity", "natural_resources", "e_licence", "social_credit"])
def test_huarong_17_base_data_is_unconditional_as_a_whole(base_class):
    assert found({**LIMITED, "base_class": base_class}) == [error("share_type", "base_unconditional")]
    assert found({**WIDE, "base_class": base_class}) == []
    narrowed = [{**ITEM, "share_type": "conditional"}]
    assert found({**WIDE, "base_class": base_class, "items": narrowed}) == [error("items[0].share_type", "base_unconditional")]


@pytest.mark.parametrize("base_class", ["population", "legal_entity", "natural_resources", "macro_economy", "city_components"])
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("base", [error("items[0].share_type", "base_unconditional")]),
        ("business", []),
        ("", [error("items[0].kind", "required")]),
    ],
)
def test_qidong_10_base_items_are_unconditional_business_items_need_not_be(base_class, kind, expected):
    assert found({**LIMITED, "base_class": base_class, "items": [{**ITEM, "kind": kind}]}, "qidong") == expected


@pytest.mark.parametrize(("place", "base_class"), [("huarong", "macro_economy"), ("qidong", "e_licence"), ("hunan", "city_components")])
def test_only_the_classes_that_the_place_names(place, base_class):
    assert found({**LIMITED, "base_class": base_class}, place) == []


def test_the_article_is_the_places_own():
    articles = {
        place: next(p.article for p in check({**GOOD, **LIMITED, "items": [{**ITEM, "kind": "base", "share_type": "conditional"}]}, profile.load(place)) if p.rule == "base_unconditional")
        for place in profile.PROFILES
    }  # fmt: skip
    assert articles["huarong"] == "华容县政务信息资源管理暂行办法 第十七条"
    assert articles["qidong"] == "启东市政务信息资源共享管理办法 第十条（二）"
    assert articles["xiayi"] == "政务信息资源共享管理暂行办法 第十条（二）"


@pytest.mark.parametrize(
    ("place", "kinds"),
    [("guojia", "法律、行政法规以及国务院决定"), ("hunan", "法律、行政法规或者国家有关规定"), ("qidong", "法律、行政法规或党中央、国务院政策依据")],
)
def test_the_basis_of_what_is_not_shared_is_of_the_places_kind(place, kinds):
    problem = next(p for p in check({**GOOD, "share_type": "none", "share_basis": ""}, profile.load(place)))
    assert kinds in problem.message and problem.article == profile.load(place).cite("share_basis")


# ── personal data by the names of items ──


@pytest.mark.parametrize(
    "name", ["身份证号", "居民身份证号码", "手机号", "法定代表人手机", "姓名", "家庭住址", "联系电话", "证件号码", "出生日期", "银行卡号", "户籍地址", "社保卡号"]
)  # fmt: skip
def test_an_item_that_looks_personal_is_pointed_out(name):
    item = [{"name": name, "data_type": "C"}]
    assert found({"items": item}) == [warning("items[0].name", "personal_data_hint")]
    assert found({"items": item, "personal_information": "contains"}) == []
    assert found({"items": item, "personal_information": "desensitised"}) == []


@pytest.mark.parametrize("name", ["单位名称", "企业联系电话", "机构地址", "登记日期", "统一社会信用代码", "办公电话", "金额（万元）", "学校地址", "经度"])
def test_an_item_that_is_not_personal_is_left_alone(name):
    assert found({"items": [{"name": name, "data_type": "C"}]}) == []


# ── what the caller knows ──


def test_related_codes_must_exist():
    change = {"related_codes": ["307001/00002", "307001/00003"]}
    assert found(change, known_codes=lambda code: code.endswith("2")) == [error("related_codes[1]", "code_unknown")]
    assert found(change) == []


def test_without_today_no_date_is_in_the_future():
    assert check({**GOOD, "data_updated_on": "2099-01-01"}, profile.load("huarong")) == []


def test_everything_that_is_wrong_is_told_at_once():
    problems = errors_of(check({}, profile.load("guojia")))
    assert {p.field for p in problems} == {field.key for field in FIELDS if field.required}
    assert {p.rule for p in problems} == {"required"}


@pytest.mark.parametrize("entry", [None, [], "婚姻登记信息", 7])
def test_what_is_no_entry_at_all(entry):
    assert [p.rule for p in check(entry, profile.load("guojia"))] == ["wrong_type"]


def test_a_place_may_demand_the_security_level():
    layer = read_yaml(ROOT / "profiles" / "guojia.yml")
    layer["switches"]["security_level_required"]["value"] = True
    problems = check({**GOOD, "security_level": ""}, profile.build([layer]), today=TODAY)
    assert [(p.field, p.rule, p.severity) for p in problems] == [error("security_level", "required")]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([f.key for f in ITEM_FIELDS] + ["url", "by", "on"]), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from([f.key for f in FIELDS]), json_values), st.sampled_from(profile.PROFILES))
def test_no_entry_however_odd_breaks_the_checks(change, place):
    for problem in check({**GOOD, **change}, profile.load(place), today=TODAY, known_codes=lambda code: False):
        assert problem.message and problem.rule
