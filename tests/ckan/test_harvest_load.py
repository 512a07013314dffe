"""The bulk way into the catalogue: what comes in through it is what CKAN's own way would have made; twice is once; nothing is lost."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from unittest.mock import ANY

import pytest
from ckan import model
from ckan.lib.search.common import make_connection
from ckan.logic import index_update_package, package_show_default_and_custom_schemas
from sqlalchemy import select, text
from town import ENTRY, REVIEWS

from ckanext.mulu import documents, drift, entries, stored
from ckanext.mulu.harvest.load import Policy, Task, apply, current
from ckanext.mulu.indexing import WHOLE
from ckanext.mulu.model import history
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.model.tables import index_note
from mulu.entry import Entry

DRAFT, SUBMIT, PUBLISH = (Policy("county", "某县数据平台", arrives) for arrives in ("draft", "submit", "publish"))
NO_DRIFT: dict[str, list[str]] = {"missing": [], "ghosts": [], "stale": []}
LONG = "记载各乡镇、街道办事处的婚姻登记情况。" * 60

SHAPES: list[dict[str, Any]] = [
    {"title": "最普通的条目"},
    {"title": "带资源", "resources": [
        {"name": "接口", "url": "https://example.com/a.csv", "format": "csv", "size": "12", "hash": "abc", "description": "按月"},
        {"url": "https://example.com/b.xlsx"}, {"name": "无协议", "url": "example.com/c"}, {"name": "只有名称", "url": "https://example.com", "format": "自定格式"},
    ]},
    {"title": "信息项有自己的属性", "items": [
        {"name": "姓名", "data_type": "C", "length": "50", "kind": "base", "sensitive": True, "share_type": "conditional", "open_type": "none"},
        {"name": "姓名", "data_type": "D"}, {"name": "备注", "description": "含“引号”、<标签> & 反斜杠\\", "element_code": "DE001"},
    ], "share_condition": "限民政", "share_type": "conditional", "open_type": "conditional", "open_condition": "限研究"},
    {"title": "缺这缺那", "notes": "", "items": [], "share_mode": [], "open_mode": [], "update_frequency": "", "classification": []},
    {"title": "各种列表", "related_codes": ["30700101/00001", "30700101/00002"], "business_items": ["婚姻登记", "收养登记"], "use_mode": ["verify", "query"],
     "share_mode": ["batch_download", "exchange"], "classification": ["3", "07", "002"]},
    {"title": "很长的文字" + "长" * 150, "notes": LONG, "share_basis": LONG, "open_basis": LONG, "use_requirement": LONG},
    {"title": "怪字符：𠮷🀄 \t制表\n换行 É ‘’“” %_\\ \"'`${}", "notes": "<script>alert(1)</script> & &amp; \u200b零宽 \u00a0不断行", "theme": "a:b OR *"},
    {"title": "审查齐全", **REVIEWS, "published_on": "2020-01-02", "data_updated_on": "2025-03-01", "license_id": "cc-by", "contact": "0730-1234567"},
    {"title": "自带代码", "resource_code": "307001015/00017", "classification": ["3", "07", "001", "015"]},
    {"title": "不是代码的代码", "resource_code": "本单位第39"},
    {"title": "主题目录", "catalogue_kind": "theme", "theme": "生态环境", "classification": ["2", "01", "001"], "license_id": "notspecified"},
    {"title": "许可不在列表里", "license_id": "某种许可", "spatial": "某县", "temporal": "2020—2024", "source_department": "jiaoyu", "system_name": "低保系统"},
]  # fmt: skip
"""Entries of every shape, sound or not: what CKAN does with each is what the bulk way has to do."""

DIFFER = {
    "package": {"creator_user_id"},
    "resource": set[str](),
    "member": {"id"},
    "mulu_identity": {"fingerprint"},
    "mulu_case": {"filed_by"},
    "mulu_case_event": {"id", "hash"},
    "mulu_resource_code": {"number"},
}
"""By table, the columns in which two entries differ that are the same but for when, by whom and under which code they were made;
beside them only their ids, names, codes and times, for which ``told`` puts a word."""
PEOPLE = {"creator_user_id", "filed_by", "authors", "actor_id", "actor_name", "role"}
"""Keys of what names who made it: a person, or the system."""


def wire(title: str = "", **more: Any) -> dict[str, Any]:
    given = {**ENTRY, "provider": "minzheng", **({"title": title} if title else {}), **more}
    return {key: value for key, value in given.items() if value not in ("", [], {})}


def task(source_id: str, kind: str = "create", package_id: str = "", **more: Any) -> Task:
    """One task; the entry as a reader makes it."""
    entry = wire(**more) | {"source": {"id": source_id, "name": "county", "url": f"https://county.example/{source_id}"}} if kind != "archive" else {}
    return Task(source_id, kind, entry, package_id)


def one(policy: Policy, source_id: str, kind: str = "create", package_id: str = "", **more: Any) -> Any:
    [done] = apply([task(source_id, kind, package_id, **more)], policy)
    return done


def rows_of(package_id: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of an entry in the database, by table, without what may differ."""
    queries = {
        "package": "select * from package where id = :id",
        "resource": "select * from resource where package_id = :id order by position",
        "member": "select * from member where table_id = :id",
        "mulu_identity": "select * from mulu_identity where package_id = :id",
        "mulu_case": "select * from mulu_case where subject_id = :id",
        "mulu_case_event": "select * from mulu_case_event where case_id in (select id from mulu_case where subject_id = :id) order by seq",
        "mulu_resource_code": "select * from mulu_resource_code where package_id = :id",
        "mulu_outbox": "select * from mulu_outbox where case_id in (select id from mulu_case where subject_id = :id)",
        "mulu_entry_version": "select * from mulu_entry_version where package_id = :id",
        "resource_view": "select * from resource_view where resource_id in (select id from resource where package_id = :id)",
    }
    found = {}
    for table, query in queries.items():
        rows = model.Session.execute(text(query), {"id": package_id}).mappings()
        found[table] = [{key: value for key, value in row.items() if key not in DIFFER.get(table, ())} for row in rows]
    return found


def told(value: Any, package_id: str) -> Any:
    """A value in which the entry's own ids, name and code are words, times are one, and who made it is left out."""
    package = model.Package.get(package_id)
    words = {package_id: "<package>", package.name: "<name>", package.extras["resource_code"]: "<code>"}
    words |= {one.id: f"<resource {number}>" for number, one in enumerate(package.resources)}
    words |= dict.fromkeys(model.Session.execute(select(case_table.c.id).where(case_table.c.subject_id == package_id)).scalars(), "<case>")
    words |= {json.loads(package.extras["source"])["id"]: "<source>"}
    return _told(value, words)


def _told(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _told(part, words) for key, part in value.items() if key not in PEOPLE}
    if isinstance(value, list):
        return [_told(part, words) for part in value]
    if isinstance(value, datetime):
        return "<time>"
    if not isinstance(value, str):
        return value
    if value.startswith(("{", "[")):
        return _told(json.loads(value), words)
    for word in sorted(words, key=len, reverse=True):
        value = value.replace(word, words[word])
    return re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(\+\d\d:\d\d|Z)?", "<time>", value)


def document(package_id: str) -> dict[str, Any]:
    [found] = make_connection().search(f'id:"{package_id}"').docs
    whole = {key: json.loads(found[key]) for key in WHOLE}
    return {**{key: value for key, value in found.items() if key not in ("_version_", "index_id")}, **whole}


@pytest.fixture(scope="module")
def pairs(town):
    """(made through the API, made in bulk) of every shape; both in the same order, each with codes of its own."""
    by_api = []
    for number, shape in enumerate(SHAPES):
        entry = Entry.from_dict(wire(**shape)).to_dict()
        source = {"id": f"by-{number}", "name": "county", "url": f"https://county.example/by-{number}"}
        own = {"resource_code": shape["resource_code"][:-1] + "8"} if "resource_code" in shape else {}
        made = town.do("editor", "package_create", **entries.to_package({**entry, "source": source, **own}) | {"owner_org": "minzheng"})
        by_api.append(made["id"])
    tasks = [task(f"in-{number}", **shape) for number, shape in enumerate(SHAPES)]
    done = apply(tasks, DRAFT)
    assert [one.result for one in done] == ["created"] * len(SHAPES), done
    return list(zip(by_api, [one.package_id for one in done], strict=True))


@pytest.mark.parametrize("number", range(len(SHAPES)), ids=[shape["title"][:9] for shape in SHAPES])
def test_the_rows_are_those_of_package_create(pairs, number):
    api, bulk = pairs[number]
    ours, theirs = rows_of(bulk), rows_of(api)
    for table in theirs:
        assert len(ours[table]) == len(theirs[table]), table
        for row, other in zip(ours[table], theirs[table], strict=True):
            differs = {key: (row[key], other[key]) for key in other if told(row[key], bulk) != told(other[key], api)}
            assert not differs, f"{table}: {differs}"


@pytest.mark.parametrize("number", range(len(SHAPES)), ids=[shape["title"][:9] for shape in SHAPES])
def test_the_document_in_the_index_is_the_same(pairs, number):
    api, bulk = pairs[number]
    ours, theirs = document(bulk), document(api)
    assert ours.keys() == theirs.keys()
    for key in theirs:
        assert told(ours[key], bulk) == told(theirs[key], api), key


@pytest.mark.parametrize("number", range(len(SHAPES)), ids=[shape["title"][:9] for shape in SHAPES])
def test_the_document_is_the_one_that_ckan_makes(pairs, town, number):
    """CKAN's own way, one by one, against ours, of both entries."""
    with town.app.flask_app.test_request_context():
        for package_id in pairs[number]:
            [ours] = documents.shown(documents.packages_of([package_id]))
            assert ours == package_show_default_and_custom_schemas({"ignore_auth": True}, package_id)
            before = document(package_id)
            index_update_package({"ignore_auth": True}, package_id)
            assert document(package_id) == {**before, "indexed_ts": ANY}


def test_a_dataset_that_is_no_plain_entry_is_shown_as_ckan_does(pairs, town):
    package = model.Package.get(pairs[0][1])
    before = dict(package.extras)
    odd: list[dict[str, Any]] = [{"unknown": "x"}, {"theme": ""}, {"items": '[{"name": "甲", "unknown": "y"}]'}, {"items": "[]"}]
    for extras in odd:
        package.extras = {**before, **extras}
        model.Session.flush()
        [ours] = documents.shown(documents.packages_of([package.id]))
        assert ours == package_show_default_and_custom_schemas({"ignore_auth": True}, package.id)
    model.Session.rollback()


@pytest.mark.parametrize("number", range(len(SHAPES)), ids=[shape["title"][:9] for shape in SHAPES])
def test_it_is_shown_and_read_back_alike(pairs, town, number):
    api, bulk = pairs[number]
    shown, other = (town.do("editor", "package_show", id=one) for one in (bulk, api))
    assert shown.keys() == other.keys()
    assert told(shown, bulk) == told(other, api)
    entry = entries.to_entry(entries.show(bulk))
    assert current([bulk]) == {bulk: entry}
    assert stored.normal({**wire(**SHAPES[number]), "source": entry["source"], "resource_code": entry["resource_code"], "name": entry["name"]}) == stored.normal(
        {**entry, "resources": [{key: value for key, value in row.items() if key != "id"} for row in entry.get("resources", [])]}
    )


def test_the_index_says_what_the_database_says(pairs):
    assert drift.compare() == NO_DRIFT
    assert not list(model.Session.execute(select(index_note)))
    assert not list(history.broken())
