"""Search as people use it, through CKAN on the real index. That every pair of a title finds it, is proved in tests/ops/test_search.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from town import ENTRY

import mulu.profile
from ckanext.mulu import drift
from mulu_harvest.demo import read_batches

LISTING = Path(__file__).parents[2] / "examples" / "demo.yml"
MADE_UP = [
    ("企业信用信息", "注册登记。"),
    ("企业信用信息公示数据", "公示。"),
    ("行政许可结果", "含企业信用信息的许可。"),
    ("停车场", "各停车场的位置。", [{"name": "泊位总数", "data_type": "N", "length": "5", "kind": "business"}]),
    ("重庆路两侧绿化", "绿地面积。"),
]


@pytest.fixture(scope="module")
def titles(town):
    """Real titles of the demo, entered by one department."""
    found: dict[str, None] = {}
    for batch in read_batches(LISTING, mulu.profile.load("huarong")):
        found |= dict.fromkeys(draft.title for draft in batch.drafts if draft.title)
    chosen = list(found)[:200]
    for start in range(0, len(chosen), 100):
        rows = [{"entry": {**ENTRY, "title": title}, "where": ""} for title in chosen[start : start + 100]]
        assert town.do("editor", "mulu_entry_import", entries=rows, organization="minzheng")["counts"]["refused"] == 0
    for title, notes, *items in MADE_UP:
        town.draft(title, notes=notes, **({"items": items[0]} if items else {}))
    return chosen


@pytest.fixture
def search(town, titles):
    return lambda question, **more: town.found("editor", q=question, include_private=True, **more)


def test_a_part_of_a_title_finds_it(titles, search):
    for title in titles[::8]:
        words = re.findall(r"[\u4e00-\u9fff]{2,}", title)
        for word in words:
            for part in {word[:2], word[-2:], word[len(word) // 2 - 1 : len(word) // 2 + 1], word}:
                assert title in search(part), (title, part)


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("企业信用信息", ["企业信用信息", "企业信用信息公示数据", "行政许可结果"]),
        ("信用 企业", ["企业信用信息", "企业信用信息公示数据"]),
        ("停车场", ["停车场"]),
        ("泊位总数", ["停车场"]),
        ("tingchechang", ["停车场"]),
        ("tcc", ["停车场"]),
        ("ＴＣＣ", ["停车场"]),
    ],
)
def test_the_nearest_comes_first(search, question, first):
    assert search(question)[: len(first)] == first


@pytest.mark.parametrize(
    "question", ["停", '"', "((", "a:b:c", "*", "AND", "！？", "企业信用信息" * 50, "title:", "\\", "[* TO *]", "-"]
)
def test_no_question_breaks_the_search(town, titles, question):
    answer = town.request("editor", "/api/3/action/package_search", {"q": question, "include_private": True})
    assert answer.status_code < 500
    assert town.request("editor", "/dataset/?q=" + question).status_code == 200


def test_titles_are_sorted_as_they_sound(search):
    wanted = ["企业信用信息", "停车场", "行政许可结果", "重庆路两侧绿化"]
    found = [title for title in search("*:*", sort="title_sort asc") if title in wanted]
    assert found == ["重庆路两侧绿化", "企业信用信息", "停车场", "行政许可结果"]


def test_facets_are_counted_by_key(town, titles):
    wanted = {
        "q": "*:*",
        "include_private": True,
        "rows": 0,
        "facet.field": ["share_type", "organization", "update_frequency"],
    }
    facets = town.request("editor", "/api/3/action/package_search", wanted).json["result"]["facets"]
    assert facets["share_type"] == {"unconditional": len(titles) + len(MADE_UP)}
    assert set(facets["organization"]) == {"minzheng"}


def test_a_provider_is_found_by_its_name(search, titles):
    assert len(search("机构minzheng")) == len(titles) + len(MADE_UP)


def test_drift_is_seen_and_mended(town, titles):
    from ckan.lib.search.common import make_connection

    assert drift.compare() == {"missing": [], "ghosts": [], "stale": []}
    solr = make_connection()
    document = next(iter(solr.search("title:停车场", rows=1)))
    solr.delete(id=document["index_id"], commit=True)
    ghost = {key: value for key, value in document.items() if key not in ("_version_", "score")}
    solr.add(
        [
            {
                "index_id": "ghost",
                "id": "no-such-entry",
                "site_id": ghost["site_id"],
                "entity_type": "package",
                "capacity": "public",
            }
        ],
        commit=True,
    )
    assert drift.compare() == {"missing": [document["id"]], "ghosts": ["no-such-entry"], "stale": []}
    assert drift.mend() == 2
    assert drift.compare() == {"missing": [], "ghosts": [], "stale": []}
