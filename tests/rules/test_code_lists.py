"""Code lists: sources, the words of real forms and portals, and what has no code."""

from __future__ import annotations

import json

import pytest

from mulu.codes import CODE_LISTS, Code, CodeList, open_type_of
from mulu.errors import BrokenRules

NAMES = {
    "catalogue_kind", "base_class", "theme", "format_class", "format_type", "data_type", "item_kind", "share_type",
    "share_mode", "use_mode", "open_type", "open_ground", "open_mode", "update_frequency", "security_level",
    "personal_information", "license_id",
}  # fmt: skip


def test_every_list_is_there_and_names_its_source():
    assert set(CODE_LISTS) == NAMES
    assert all(codes.source and codes.title and len(codes) for codes in CODE_LISTS.values())


@pytest.mark.parametrize(
    ("name", "word", "key"),
    [
        ("update_frequency", "每季", "quarterly"),
        ("update_frequency", "季度", "quarterly"),
        ("update_frequency", "年", "yearly"),
        ("update_frequency", "不更新(更新说明:暂无新业务数据产生)", "never"),
        ("update_frequency", "每月（更新说明：暂无新业务数据产生）", "monthly"),
        ("update_frequency", " 每 半年", "half_yearly"),
        ("open_type", "完全开放", "unconditional"),
        ("open_type", "无条件开发", "unconditional"),
        ("open_type", "有条件开发", "conditional"),
        ("open_type", "申请后开放", "conditional"),
        ("open_type", "否", "none"),
        ("data_type", "字符型", "C"),
        ("data_type", "字符型Ｃ", "C"),
        ("data_type", "ｃ", "C"),
        ("data_type", "双精度型B", "B"),
        ("data_type", "日期时间型", "T"),
        ("share_type", "不予", "none"),
        ("share_type", "有条件", "conditional"),
        ("format_class", "电子表格", "spreadsheet"),
        ("format_type", "sqlServer", "sqlserver"),
        ("share_mode", "介质交换(纸质报表)", "media_paper"),
        ("catalogue_kind", "部门类", "department"),
        ("security_level", "l1", "L1"),
    ],
)
def test_words_of_real_sources(name, word, key):
    assert CODE_LISTS[name].parse(word) == key


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("update_frequency", "每两年"), ("update_frequency", "小时级"), ("update_frequency", "其他"),
        ("open_type", "开放网站"), ("open_type", "登录开放"), ("open_type", "是"), ("open_type", "暂无"),
        ("data_type", "小数型"), ("format_type", "excl"), ("share_mode", "共享平台"),
    ],
)  # fmt: skip
def test_what_has_no_code_is_reported_with_a_reason_never_guessed(name, word):
    assert CODE_LISTS[name].parse(word) is None
    assert CODE_LISTS[name].why_not(word)


def test_a_word_that_has_a_code_has_no_reason_against_it():
    assert CODE_LISTS["share_mode"].why_not("介质交换(纸质报表)") == ""
    assert CODE_LISTS["update_frequency"].why_not("什么") == ""


@pytest.mark.parametrize("codes", CODE_LISTS.values(), ids=list(CODE_LISTS))
def test_every_word_leads_to_its_own_code_in_every_list(codes):
    for code in codes:
        assert {codes.parse(word) for word in (code.key, code.label, *code.synonyms)} == {code.key}
        assert codes.label(code.key) == code.label


def test_a_word_with_two_meanings_is_a_fault_of_ours():
    with pytest.raises(BrokenRules, match="means both"):
        CodeList("x", "x", "x", (Code("a", "一", ("同",)), Code("b", "二", ("同",))))
    with pytest.raises(BrokenRules, match="at once"):
        CodeList("x", "x", "x", (Code("a", "一"),), {"一": "不行"})


@pytest.mark.parametrize("code", CODE_LISTS["format_type"], ids=lambda code: code.key)
def test_a_format_stands_under_its_class(code):
    assert code.group in CODE_LISTS["format_class"] or code.key == "other"


@pytest.mark.parametrize(
    ("answer", "condition", "key"),
    [
        ("是", "无条件", "unconditional"),
        ("是", "实名注册并说明用途", "conditional"),
        ("是", "", None),
        ("是", "暂无", None),
        ("否", "", "none"),
        ("否", "实名注册", "none"),
        ("完全开放", "", "unconditional"),
        ("不知道", "无条件", None),
    ],
)
def test_the_two_columns_of_the_form_about_openness(answer, condition, key):
    assert open_type_of(answer, condition) == key


@pytest.mark.parametrize(
    ("file", "column", "name"),
    [
        ("jiangsu_nantong", "资源更新频率", "update_frequency"), ("sichuan_deyang", "更新周期", "update_frequency"),
        ("sichuan_luzhou", "更新周期", "update_frequency"), ("anhui_hefei", "更新频率", "update_frequency"),
        ("anhui_anhui", "更新频率", "update_frequency"), ("anhui_wuhu", "更新频率", "update_frequency"),
        ("anhui_suzhou.3", "更新频率", "update_frequency"), ("zhejiang_zhejiang", "更新周期", "update_frequency"),
        ("jiangsu_nantong", "是否向社会开放", "open_type"), ("sichuan_deyang", "开放类型", "open_type"),
        ("sichuan_luzhou", "开放条件", "open_type"), ("anhui_hefei", "开放条件", "open_type"),
        ("anhui_anhui", "开放属性", "open_type"), ("anhui_wuhu", "开放类型", "open_type"),
        ("anhui_huainan", "开放属性", "open_type"), ("anhui_chuzhou", "开放类型", "open_type"),
        ("anhui_suzhou.3", "开放类型", "open_type"), ("fujian_fuzhou", "开放方式", "open_type"),
    ],
)  # fmt: skip
def test_every_word_of_the_real_portals_has_a_code_or_a_reason(shared, file, column, name):
    rows = json.loads((shared / "data" / "portals" / f"{file}.json").read_text(encoding="utf-8"))
    words = {row[column] for row in rows if row.get(column)}
    codes = CODE_LISTS[name]
    assert words
    assert [word for word in words if not codes.parse(word) and not codes.why_not(word)] == []
