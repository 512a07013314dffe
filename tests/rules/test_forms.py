"""What each kind of field takes and refuses; what the engine takes, the JSON Schema takes too."""

from __future__ import annotations

from datetime import date

import jsonschema
import pytest

from mulu import credit_code, profile
from mulu.errors import BrokenRules
from mulu.forms import _SCHEMAS, empty, in_place, json_problem, object_schema, parse_fields, read

TODAY = date(2025, 9, 26)
ASKED = {"asked": [{"id": "a", "items": ["姓名", "住址"]}, {"id": "b", "items": ["电话"]}]}
FIELDS = parse_fields(
    {
        "text": {"label": "用途", "kind": "text", "max": 5},
        "long_text": {"label": "说明", "kind": "long_text"},
        "past": {"label": "处置日期", "kind": "date", "when": "past"},
        "future": {"label": "使用时限", "kind": "date", "when": "future"},
        "choice": {"label": "方式", "kind": "choice", "choices": {"api": "接口", "file": "文件"}},
        "choices": {"label": "情形", "kind": "choices", "choices": {"scope": "超范围", "purpose": "改用途"}},
        "list": {"label": "材料", "kind": "list"},
        "flag": {"label": "承诺", "kind": "flag"},
        "number": {"label": "工作日数", "kind": "number", "min": 1, "max": 30},
        "object": {"label": "一组", "kind": "object"},
        "entry": {"label": "内容", "kind": "entry"},
        "review": {"label": "保密审查", "kind": "review"},
        "class": {"label": "属性", "kind": "class"},
        "asked": {"label": "申请的条目", "kind": "asked"},
        "decisions": {
            "label": "决定", "kind": "decisions", "of": "asked", "choices": {"agreed": "同意", "partly": "部分同意", "refused": "不同意"},
            "reason_for": ["partly", "refused"],
        },
        "files": {"label": "附件", "kind": "files"},
        "credit_code": {"label": "信用代码", "kind": "credit_code"},
        "email": {"label": "邮箱", "kind": "email"},
        "department": {"label": "承办部门", "kind": "department"},
        "entry_link": {"label": "条目", "kind": "entry_link"},
    }
)  # fmt: skip
ENTERPRISE = credit_code.make(7, prefix="91")
AGREED = [{"id": "a", "decision": "agreed"}, {"id": "b", "decision": "agreed"}]
PARTLY = {"id": "a", "decision": "partly", "reason": "住址不必要", "items": ["姓名"]}


def filled(key, value):
    return read((FIELDS[key],), {key: value}, ASKED, TODAY, "某条例 第一条")


def test_every_kind_is_in_the_tables():
    assert {field.kind for field in FIELDS.values()} == set(_SCHEMAS)
    assert {FIELDS[key].kind for key, *_ in TAKEN} == set(_SCHEMAS)
    assert {FIELDS[key].kind for key, *_ in REFUSED} == set(_SCHEMAS)


TAKEN = [
    ("text", " 核验 ", "核验"), ("text", "五个字以内", ...), ("long_text", "字" * 4000, ...),
    ("past", "2025-09-26", ...), ("future", "2025-09-27", ...),
    ("choice", "api", ...), ("choices", ["scope", "purpose"], ...), ("list", ["授权书", "公函"], ...),
    ("flag", True, ...), ("flag", False, ...),
    ("number", 1, ...), ("number", "30", 30), ("number", " ２ ", 2),
    ("object", {"x": 1}, ...), ("entry", {"title": "新"}, ...),
    ("review", {"by": "甲", "on": "2025-09-26", "conclusion": "不涉密"}, ...),
    ("class", {"open_type": "none", "items": {"姓名": {"share_type": "none"}}}, ...),
    ("asked", ASKED["asked"], ...), ("asked", [{"id": "a", "items": ["姓名"], "reasons": {"姓名": "核验"}}], ...),
    ("asked", [{"id": "a", "items": []}], ...),
    ("decisions", AGREED, ...), ("decisions", [PARTLY, AGREED[1]], ...),
    ("files", [{"id": "f1", "name": "授权书.pdf"}], ...),
    ("credit_code", ENTERPRISE, ...), ("credit_code", f" {ENTERPRISE} ", ENTERPRISE),
    ("email", "wang@example.com", ...), ("email", " 王@例子.中国 ", "王@例子.中国"),
    ("department", "minzheng", ...), ("entry_link", "entry-1", ...),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "kept"), TAKEN)
def test_what_is_taken(key, value, kept):
    clean, problems = filled(key, value)
    assert problems == []
    assert clean == {key: value if kept is ... else kept}
    assert type(clean[key]) is type(value if kept is ... else kept)
    jsonschema.validate(clean, object_schema((FIELDS[key],)))
    assert json_problem(clean) == ""


WRONG = "wrong_type"
REFUSED = [
    # key, value, [(field, rule)]
    ("text", "多于五个字了", [("text", "too_long")]), ("text", 5, [("text", WRONG)]), ("text", ["x"], [("text", WRONG)]),
    ("long_text", "字" * 4001, [("long_text", "too_long")]), ("long_text", {"x": 1}, [("long_text", WRONG)]),
    ("past", "2025-09-27", [("past", "date_in_future")]), ("past", "2025-02-30", [("past", "not_a_date")]),
    ("past", "20250926", [("past", "not_a_date")]), ("past", 20250926, [("past", "not_a_date")]),
    ("past", "2025-W39-5", [("past", "not_a_date")]),
    ("future", "2025-09-26", [("future", "date_in_past")]), ("future", ["2025-09-27"], [("future", "not_a_date")]),
    ("choice", "fax", [("choice", "not_in_list")]), ("choice", ["api"], [("choice", WRONG)]), ("choice", {"api": 1}, [("choice", WRONG)]),
    ("choices", "scope", [("choices", WRONG)]), ("choices", ["scope", "x"], [("choices", "not_in_list")]),
    ("choices", ["scope", "scope"], [("choices", "duplicate")]), ("choices", [["scope"]], [("choices", WRONG)]),
    ("list", "授权书", [("list", WRONG)]), ("list", ["授权书", " "], [("list", WRONG)]), ("list", [1], [("list", WRONG)]),
    ("flag", "true", [("flag", WRONG)]), ("flag", 1, [("flag", WRONG)]),
    ("number", 0, [("number", "wrong_number")]), ("number", 31, [("number", "wrong_number")]), ("number", True, [("number", "wrong_number")]),
    ("number", 1.0, [("number", "wrong_number")]), ("number", "²", [("number", "wrong_number")]), ("number", "-1", [("number", "wrong_number")]),
    ("number", "9" * 5000, [("number", "wrong_number")]),
    ("object", [1], [("object", WRONG)]), ("entry", "x", [("entry", WRONG)]),
    ("review", "通过", [("review", WRONG)]),
    ("review", {"by": " ", "on": "2025-09-27", "conclusion": 1}, [
        ("review.by", "required"), ("review.conclusion", "required"), ("review.on", "date_in_future")]),
    ("class", {"title": "x"}, [("class.title", "unknown_field")]), ("class", {"open_type": "so"}, [("class.open_type", "not_in_list")]),
    ("class", {"items": {"姓名": {"share_type": ["none"]}}}, [("class.items.姓名.share_type", WRONG)]),
    ("asked", "a", [("asked", WRONG)]), ("asked", ["a"], [("asked", WRONG)]),
    ("asked", [{"id": "", "items": ["姓名"]}], [("asked[0].id", "required")]),
    ("asked", [{"id": ["a"], "items": ["姓名"]}], [("asked[0].id", "required")]),
    ("asked", [{"id": "a"}], [("asked[0].items", WRONG)]), ("asked", [{"id": "a", "items": "姓名"}], [("asked[0].items", WRONG)]),
    ("asked", [{"id": "a", "items": ["姓名", 1]}], [("asked[0].items", WRONG)]),
    ("asked", [{"id": "a", "items": ["姓名", "姓名"]}], [("asked[0].items", WRONG)]),
    ("asked", [{"id": "a", "items": [["姓名"]]}], [("asked[0].items", WRONG)]),
    ("asked", [{"id": "a", "items": [], "reasons": ["核验"]}], [("asked[0].reasons", WRONG)]),
    ("asked", [{"id": "a", "items": [], "reasons": {"姓名": 1}}], [("asked[0].reasons", WRONG)]),
    ("asked", [{"id": "a", "items": [], "all": True}], [("asked[0]", "unknown_field")]),
    ("decisions", {"a": "agreed"}, [("decisions", WRONG)]),
    ("decisions", AGREED[:1], [("decisions", "undecided")]),
    ("decisions", [*AGREED, AGREED[0]], [("decisions[2].id", "not_in_list")]),
    ("decisions", [*AGREED, {"id": "c", "decision": "agreed"}], [("decisions[2].id", "not_in_list")]),
    ("decisions", [{**AGREED[0], "decision": "perhaps"}, AGREED[1]], [("decisions[0].decision", "not_in_list")]),
    ("decisions", [{"id": "a"}, AGREED[1]], [("decisions[0].decision", "not_in_list")]),
    ("decisions", [{"id": "a", "decision": "refused", "reason": " "}, AGREED[1]], [("decisions[0].reason", "required")]),
    ("decisions", [{**PARTLY, "reason": None}, AGREED[1]], [("decisions[0].reason", "required")]),
    ("decisions", [{**PARTLY, "items": []}, AGREED[1]], [("decisions[0].items", "not_a_part")]),
    ("decisions", [{**PARTLY, "items": None}, AGREED[1]], [("decisions[0].items", "not_a_part")]),
    ("decisions", [{**PARTLY, "items": ["姓名", "住址"]}, AGREED[1]], [("decisions[0].items", "not_a_part")]),
    ("decisions", [{**PARTLY, "items": ["电话"]}, AGREED[1]], [("decisions[0].items", "not_a_part")]),
    ("decisions", [AGREED[0], {"id": "b", "decision": "partly", "reason": "x", "items": ["电话"]}], [("decisions[1].items", "not_a_part")]),
    ("decisions", [{**PARTLY, "items": [["姓名"]]}, AGREED[1]], [("decisions[0].items", WRONG)]),
    ("decisions", [{"id": ["a"], "decision": "partly", "reason": "x"}, AGREED[1]], [("decisions[0].id", WRONG)]),
    ("decisions", [{"id": "a", "decision": []}, AGREED[1]], [("decisions[0].decision", WRONG)]),
    ("decisions", [{"id": "a", "decision": "refused", "reason": 5}, AGREED[1]], [("decisions[0].reason", WRONG)]),
    ("files", "f1", [("files", WRONG)]), ("files", [{"id": "f1"}], [("files", WRONG)]), ("files", [{"id": 1, "name": "x"}], [("files", WRONG)]),
    ("files", [{"id": "f1", "name": "x", "path": "/etc/passwd"}], [("files", WRONG)]),
    ("credit_code", ENTERPRISE[:-1], [("credit_code", "credit_code_length")]),
    ("credit_code", ENTERPRISE[:-1] + ("A" if ENTERPRISE[-1] != "A" else "B"), [("credit_code", "credit_code_check")]),
    ("credit_code", "O" * 18, [("credit_code", "credit_code_character")]), ("credit_code", int("9" * 18), [("credit_code", WRONG)]),
    ("email", "wang", [("email", "not_an_email")]), ("email", "a@b", [("email", "not_an_email")]), ("email", 5, [("email", "not_an_email")]),
    ("email", "a b@c.cn", [("email", "not_an_email")]), ("email", "a@c.cn\nBcc: x@y.cn", [("email", "not_an_email")]),
    ("email", f"{'a' * 250}@c.cn", [("email", "not_an_email")]),
    ("department", 5, [("department", WRONG)]), ("department", "部" * 201, [("department", WRONG)]), ("entry_link", ["entry-1"], [("entry_link", WRONG)]),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "expected"), REFUSED)
def test_what_is_refused(key, value, expected):
    clean, problems = filled(key, value)
    assert clean == {}
    assert [(p.field, p.rule) for p in problems] == expected
    assert all(p.article == "某条例 第一条" and p.message for p in problems)


@pytest.mark.parametrize("value", [None, "", " \n", [], {}, {"by": "", "on": None}])
def test_what_is_empty_is_left_out_or_asked_for(value):
    assert empty(value)
    field = FIELDS["review"]
    assert read((field,), {"review": value}, {}, TODAY, "") == ({}, [])
    required = parse_fields({"review": {"label": "保密审查", "kind": "review", "required": True}})["review"]
    clean, problems = read((required,), {"review": value}, {}, TODAY, "")
    assert clean == {} and [(p.field, p.rule, p.message) for p in problems] == [("review", "required", "请填写“保密审查”")]


def test_false_and_nought_are_filled_in():
    assert not empty(False) and not empty(0)


@pytest.mark.parametrize("place", profile.PROFILES)
def test_each_place_has_its_own_grounds(place):
    ground = parse_fields({"ground": {"label": "事由", "kind": "choice", "value": "rectification_grounds"}})["ground"]
    (here,) = in_place((ground,), profile.load(place))
    assert ground.options == {} and here.options == profile.load(place).value("rectification_grounds").value
    for elsewhere in profile.PROFILES:
        for key in profile.load(elsewhere).value("rectification_grounds").value:
            _, problems = read((here,), {"ground": key}, {}, TODAY, "")
            assert [p.rule for p in problems] == ([] if key in here.options else ["not_in_list"])


@pytest.mark.parametrize(
    "row",
    [
        {"label": "x", "kind": "song"}, {"label": "x", "kind": "choice", "list": "no_such_list"}, {"kind": "text"},
        {"label": "x", "kind": "date", "when": "soon"}, {"label": "x", "kind": "text", "colour": "red"},
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_is_the_programs_fault(row):
    with pytest.raises(BrokenRules, match="field x"):
        parse_fields({"x": row})


def test_a_form_page_gets_everything_it_shows():
    shown = FIELDS["decisions"].to_dict()
    assert shown["of"] == "asked" and shown["reason_for"] == ["partly", "refused"] and not shown["given"]
    assert shown["choices"][1] == {"value": "partly", "label": "部分同意"}
