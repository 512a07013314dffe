"""The typed entry: what it keeps, its fingerprint, and what differs between two of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mulu.codes import CODE_LISTS
from mulu.entry import CLASS_FIELDS, FIELD, FIELDS, ITEM_FIELDS, SECTIONS, Entry, class_of, diff, with_class

KEYS = {
    "title", "name", "resource_code", "catalogue_kind", "classification", "base_class", "theme", "provider",
    "provider_code", "provider_unit", "notes", "format_class", "format_type", "format_other", "items", "share_type",
    "share_condition", "share_basis", "share_mode", "use_mode", "open_type", "open_condition", "open_ground",
    "open_basis", "open_review_on", "open_mode", "update_frequency", "use_requirement", "business_explanation",
    "published_on", "data_updated_on", "related_codes", "security_level", "personal_information", "secrecy_review",
    "privacy_review", "source_department", "business_items", "system_name", "project_code", "license_id", "contact",
    "spatial", "temporal", "open_theme", "source", "resources",
}  # fmt: skip
ENTRY = {
    "title": "婚姻登记信息",
    "provider": "minzheng",
    "share_type": "conditional",
    "share_condition": "用于行政审批核验",
    "classification": ["3", "07", "001", ""],
    "items": [{"name": "姓名", "data_type": "C", "length": "50"}, {"name": "登记日期", "data_type": "D", "sensitive": True}],
    "resources": [{"id": "r1", "name": "登记.csv", "url": "https://example.gov.cn/a.csv"}],
}


def test_the_fields_are_those_of_the_catalogue():
    assert {field.key for field in FIELDS} == KEYS
    assert SECTIONS == ("基本信息", "分类与代码", "信息项", "共享", "开放", "更新与来源", "安全", "其他")
    assert [field.key for field in ITEM_FIELDS] == [
        "name", "data_type", "length", "kind", "sensitive", "share_type", "open_type", "element_code", "description",
    ]  # fmt: skip


@pytest.mark.parametrize("field", (*FIELDS, *ITEM_FIELDS), ids=lambda field: field.key)
def test_every_field_says_what_to_fill_in(field):
    assert field.label and field.help and (not field.required or field.article)
    assert not field.code_list or field.code_list in CODE_LISTS


def test_empty_and_unknown_is_dropped_and_the_rest_kept():
    entry = Entry.from_dict({**ENTRY, "theme": "  ", "what": "ever", "notes": ["a"], "items": [*ENTRY["items"], "x"]})
    assert entry.to_dict() == {**ENTRY, "classification": ["3", "07", "001"]}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "id", "by", "on"]), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(KEYS)), values))
def test_anything_can_be_read_and_what_is_kept_is_stable(data):
    entry = Entry.from_dict(data)
    again = Entry.from_dict(entry.to_dict())
    assert again == entry
    assert again.fingerprint() == entry.fingerprint()
    assert diff(data, entry.to_dict()) == []


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"published_on": "2025-01-01"}, True),
        ({"source": {"name": "南通", "id": "7"}}, True),
        ({"secrecy_review": {"by": "甲"}}, True),
        ({"resources": [{"id": "other", "name": "登记.csv", "url": "https://example.gov.cn/a.csv"}]}, True),
        ({"unknown": 1}, True),
        ({"title": " 婚姻登记信息 "}, True),
        ({"title": "婚姻登记"}, False),
        ({"share_type": "none"}, False),
        ({"items": ENTRY["items"][:1]}, False),
        ({"items": ENTRY["items"][::-1]}, False),
        ({"resources": []}, False),
    ],
)
def test_the_fingerprint_follows_the_content(change, same):
    assert (Entry.from_dict({**ENTRY, **change}).fingerprint() == Entry.from_dict(ENTRY).fingerprint()) is same


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"title": "婚姻"}, [("title", "信息资源名称", "婚姻登记信息", "婚姻")]),
        ({"share_type": "none"}, [("share_type", "共享类型", "有条件共享", "不予共享")]),
        ({"classification": ["3", "08"]}, [("classification", "类/项/目/细目", "3/07/001", "3/08")]),
        (
            {"items": [{"name": "姓名", "data_type": "M", "length": "50"}, ENTRY["items"][1]]},
            [("items[0].data_type", "信息项“姓名” 数据类型", "字符型C", "备注型M")],
        ),
        ({"items": ENTRY["items"][:1]}, [("items", "信息项“登记日期”", "信息项名称：登记日期；数据类型：日期型D；敏感：是", "")]),
        ({"items": ENTRY["items"][::-1]}, [("items", "信息项次序", "姓名、登记日期", "登记日期、姓名")]),
        ({"what": "ever"}, []),
    ],
)
def test_differences_are_told_with_labels(change, expected):
    assert [(c.field, c.label, c.before, c.after) for c in diff(ENTRY, {**ENTRY, **change})] == expected


def test_a_class_is_put_in_and_nothing_else_changes():
    after = {"share_type": "unconditional", "share_condition": "", "items": {"姓名": {"share_type": "conditional"}}}
    changed = with_class(ENTRY, after)
    assert {c.field for c in diff(ENTRY, changed)} == {"share_type", "share_condition", "items[0].share_type"}
    assert class_of(changed)["items"]["姓名"] == {"share_type": "conditional", "open_type": ""}
    assert set(class_of(ENTRY)) == {*CLASS_FIELDS, "items"}
    assert ENTRY["items"][0].get("share_type") is None


def test_the_class_fields_are_fields():
    assert set(CLASS_FIELDS) <= set(FIELD)


@pytest.mark.parametrize("after", [None, "none", [], {"items": ["姓名"]}, {"items": {"姓名": "none"}}, {"title": "别的"}])
def test_what_is_no_class_changes_nothing(after):
    assert with_class(ENTRY, after) == ENTRY
