"""Settings of a source: every problem at once, with its key; what is right comes back as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mulu_harvest.source import Field, Items, Source, SourceError, load_source, parse, source_names, to_settings

GOOD: dict[str, Any] = {"title": "某市", "reader": "ckan", "url": "https://data.example.org"}


@pytest.mark.parametrize("name", source_names())
def test_settings_come_back_from_json(name: str) -> None:
    source = load_source(name)
    assert parse(name, json.loads(json.dumps(to_settings(source)))) == source


def test_the_least_that_a_source_needs() -> None:
    source = parse("x", GOOD)
    assert source == Source(
        name="x", title="某市", publisher="", reader="ckan", url="https://data.example.org", licence=""
    )
    assert to_settings(source) == GOOD


def test_everything_that_a_source_may_say() -> None:
    settings = {
        **GOOD, "publisher": "某市", "licence": "CC BY", "file": "a.json", "fields": {"title": "标题", "notes": {"field": "介绍", "pattern": "(.+)"}},
        "department": "部门", "prefixes": {"市": "某市"}, "departments": {"老局": "新局"}, "slugs": {"某市新局": "xinju"}, "no_department": "某市新局",
        "identity": {"field": "url", "pattern": "id=(.+)"}, "address": "url", "lookups": {"open_type": {"开": "unconditional", "?": ""}},
        "empty": ["无"], "items": [{"field": "介绍", "pattern": "含(.+)", "minimum": 3}], "expected": [1, 5], "organization": "xinju",
        "create_departments": True, "schedule": "30 2 * * 1", "arrives": "submit", "incomplete": "refuse", "local_edits": "overwrite",
        "removed": "keep", "pace": 0.5, "quiet_days": 30,
        "options": {"page_size": 50, "key_variable": "MULU_HARVEST_KEY_X", "ignore_robots": True, "what_only_its_reader_knows": [1]},
    }  # fmt: skip
    source = parse("x", settings)
    assert source.fields == {"title": Field("标题"), "notes": Field("介绍", "(.+)")} and source.expected == (1, 5)
    assert source.items == (Items("介绍", "含(.+)", minimum=3),) and source.empty == frozenset({"无"})
    assert set(to_settings(source)) == set(settings) and parse("x", to_settings(source)) == source


def test_all_problems_at_once() -> None:
    wrong = {
        "titel": "x", "reader": "ckn", "url": "ftp://x", "schedule": "every day", "arrives": "publsh", "local_edits": "mine", "expected": [5, 1],
        "identity": {"field": "x", "pattern": "("}, "fields": {"tittle": "x"}, "lookups": {"open_type": {"a": "conditonal"}}, "pace": 0,
        "quiet_days": -1, "create_departments": "yes", "items": [{"pattern": "x"}], "options": {"page_sise": 3, "max_bytes": "big"},
    }  # fmt: skip
    with pytest.raises(SourceError) as told:
        parse("x", wrong)
    problems = {problem.field: problem.message for problem in told.value.problems}
    assert set(problems) == {*wrong, "title"}
    assert all(message in str(told.value) and message.startswith(key) for key, message in problems.items())
    assert (
        problems["titel"].endswith("是不是“title”？")
        and "“ckan”" in problems["reader"]
        and "“publish”" in problems["arrives"]
    )
    assert "page_size" in problems["options"] and "max_bytes" in problems["options"] and "“title”" in problems["fields"]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("title", 3.5, ""),
        ("title", ["a"], "应当是文字"),
        ("title", True, "加引号"),
        ("title", "a\0b", "空字符"),
        ("url", "https://user:pw@example.org", "不要写用户名和密码"),
        ("url", "https://", "缺少主机名"),
        ("url", "https://exa mple.org", "有空格"),
        ("url", "http://[", "不是网址"),
        ("url", "http://x:port", "不是网址"),
        ("url", "javascript:alert(1)", "只能是 http、https 网址或者文件"),
        ("url", "file://host/a", "file:///"),
        ("url", "file:///srv/a.json", ""),
        ("schedule", "", ""),
        ("schedule", "*/5 * * * *", ""),
        ("schedule", "0 2 * * * *", "五段"),
        ("schedule", "61 2 * * *", "五段"),
        ("schedule", "@daily", "五段"),
        ("schedule", "0 0 30 2 *", "不会有"),
        ("schedule", "0 0 31 4,6 *", "不会有"),
        ("schedule", "0 0 29 2 *", ""),
        ("expected", [1], "两个整数"),
        ("expected", "many", "两个整数"),
        ("expected", [True, 2], "整数"),
        ("identity", {"field": "a", "pattern": "no group"}, "括号"),
        ("identity", {"pattern": "(x)"}, "缺少“field”"),
        ("identity", {"field": "a", "patern": "(x)"}, "是不是“pattern”"),
        ("fields", ["title"], "键: 值"),
        ("fields", {"formats": "格式", "class_1": "类"}, ""),
        ("lookups", {"open_type": {"开放": "有条件开放"}}, ""),
        ("lookups", {"theme": {"a": "任何词"}}, ""),
        ("lookups", {"data_type": {"文本": "C"}}, ""),
        ("lookups", {"nothing": {"a": "b"}}, "不是目录的字段"),
        ("lookups", {"open_type": {True: "none"}}, "加引号"),
        ("lookups", {"open_type": ["a"]}, "键: 值"),
        ("lookups", {1: {}}, "不是目录的字段"),
        ("slugs", {"某局": "某局"}, "部门的标识"),
        ("organization", "Some Org", "部门的标识"),
        ("empty", "无", "应当是列表"),
        ("items", [3], "键: 值"),
        ("items", [{"field": "a", "separators": ""}], "separators"),
        ("pace", float("nan"), "大于 0"),
        ("pace", 1000, "不超过 100"),
        ("options", [1], "键: 值"),
        ("options", {"page_size": 5000}, "1 到 1000"),
        ("options", {"key_variable": "CKAN_SQLALCHEMY_URL"}, "MULU_HARVEST_KEY_X"),
        ("options", {"key_variable": "MULU_HARVEST_KEY_OTHER"}, "MULU_HARVEST_KEY_X"),
        ("options", {"key_variable": "MULU_HARVEST_KEY_X"}, ""),
        ("options", {"key_variable": 3}, "MULU_HARVEST_KEY_X"),
        ("options", {"key_header": "X\r\nHost"}, "请求头"),
        ("options", {"ignore_robots": "yes"}, "true 或 false"),
    ],
)
def test_values(key: str, value: Any, said: str) -> None:
    if not said:
        parse(
            "x",
            {**GOOD, "reader": "portal", "fields": {"title": "t"}, key: value}
            if key == "url"
            else {**GOOD, key: value},
        )
        return
    with pytest.raises(SourceError, match=said) as told:
        parse("x", {**GOOD, key: value})
    assert [problem.field for problem in told.value.problems] == [key]


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({}, {"title", "reader"}),
        ({"title": "x", "reader": "ckan"}, {"url"}),
        ({"title": "x", "reader": "ckan", "url": "/srv/a"}, set()),
        ({"title": "x", "reader": "mulu", "url": "/srv/a"}, {"url"}),
        ({"title": "x", "reader": "form", "options": {"path": "forms"}}, set()),
        ({"title": "x", "reader": "portal", "file": "a.json"}, {"fields"}),
        ({"title": None, "reader": None, "url": None}, {"title", "reader"}),
    ],
)
def test_what_has_to_be_stated(settings: dict[str, Any], keys: set[str]) -> None:
    try:
        parse("x", settings)
    except SourceError as error:
        assert {problem.field for problem in error.problems} == keys
    else:
        assert not keys


@pytest.mark.parametrize("name", ["", "A", "a b", "目录", "../x", "-a", "a" * 61])
def test_names(name: str) -> None:
    with pytest.raises(SourceError, match="小写字母"):
        parse(name, GOOD)


def test_a_file_of_settings_says_where_it_is_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "place"
    folder.mkdir()
    (folder / "source.yml").write_text("title: x\nreader: ckan\nurl: https://example.org\npaze: 3\n")
    with pytest.raises(
        SourceError, match=r"source\.yml：来源“place”的设置有误：paze 不是来源设置的键，是不是“pace”？"
    ) as told:
        load_source(folder)
    assert told.value.problems[0].field == "paze"
    (folder / "source.yml").write_bytes(b"title: \xff\n")
    with pytest.raises(SourceError, match=r"source\.yml 读不了"):
        load_source(folder)


def test_every_key_is_described() -> None:
    """sources/README.md has a line for each key of a source and each option that several readers know."""
    from mulu_harvest import settings

    text = (Path(__file__).parents[2] / "harvesters" / "sources" / "README.md").read_text("utf-8")
    told = {
        word.strip("` ")
        for line in text.splitlines()
        if line.startswith("| `")
        for word in line.split("|")[1].split(",")
    }
    assert {*settings._CHECKS, *(f"options.{key}" for key in settings._OPTIONS)} <= told
