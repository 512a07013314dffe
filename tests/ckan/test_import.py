"""Many entries at once, on the real entries that the demo loads: the whole chunk or nothing, known again when they come again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests import factories
from town import ENTRY, REVIEWS

import mulu.profile
from ckanext.mulu import drift
from ckanext.mulu.model import history
from mulu_harvest.demo import read_batches, read_departments
from mulu_harvest.load import Loader

LISTING = Path(__file__).parents[2] / "examples" / "demo.yml"
VOLATILE = {"id", "name", "resource_code", "mulu_case", "metadata_created", "metadata_modified", "creator_user_id"}


def rows(*entries: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"entry": {**ENTRY, **entry}, "where": f"工作表《目录》A{number}"} for number, entry in enumerate(entries, 3)
    ]


def load(town, *entries: dict[str, Any], who: str = "editor", **settings: Any) -> dict[str, Any]:
    return town.do(who, "mulu_entry_import", **{"entries": rows(*entries), "organization": "minzheng", **settings})


@pytest.fixture(scope="module")
def batches():
    return list(read_batches(LISTING, mulu.profile.load("huarong")))


@pytest.fixture(scope="module")
def clerk(town):
    """Somebody who enters for every department of the demo."""
    system = {"user": town.users["sysadmin"]["name"]}
    user = factories.User()
    for department in read_departments(LISTING):
        members = [{"name": user["name"], "capacity": "editor"}]
        tk.get_action("organization_create")(dict(system), {**department, "users": members})
    made = tk.get_action("api_token_create")({"user": user["name"]}, {"user": user["id"], "name": "clerk"})
    town.tokens["clerk"] = made["token"]
    return lambda action, data: town.do("clerk", action, **data)


@pytest.fixture(scope="module")
def loaded(batches, clerk):
    """The demo's drafts, loaded."""
    loader = Loader(clerk)
    settings = {"incomplete": "draft"}
    return [loader.load(one.drafts, organization=one.organization, source=one.source, **settings) for one in batches]


def test_every_real_entry_is_taken_in_or_told_why_not(batches, loaded):
    sent = sum(len(one.drafts) for one in batches)
    taken = sum(result.counts["created"] + result.counts["updated"] + result.counts["refused"] for result in loaded)
    assert sent >= 300
    assert taken == sent
    for result in loaded:
        for one in result.refused:
            assert one["where"] and all(problem["message"] and problem["rule"] for problem in one["problems"])


def test_the_index_has_them_all(loaded):
    assert drift.compare() == {"missing": [], "ghosts": [], "stale": []}


def test_none_is_public(loaded, town):
    assert town.found() == []


def test_what_comes_again_is_unchanged(batches, loaded, clerk, town):
    before = model.Session.query(model.Package).count()
    events = sum(1 for _ in history.broken())
    for batch, first in zip(batches, loaded, strict=True):
        again = Loader(clerk).load(
            batch.drafts, organization=batch.organization, source=batch.source, incomplete="draft"
        )
        assert (again.counts["created"], again.counts["updated"]) == (0, 0), again.updated[:3]
        assert again.counts["refused"] == first.counts["refused"]
    assert model.Session.query(model.Package).count() == before
    assert events == 0


def test_a_dry_run_says_the_same_and_does_nothing(town):
    entries = [{"title": "试运行一"}, {"title": "试运行二", "items": []}, {"title": ""}]
    told = load(town, *entries, dry_run=True)
    assert told["counts"] == {"created": 1, "updated": 0, "unchanged": 0, "refused": 2, "drafts_with_problems": 0}
    assert "试运行一" not in town.found("editor", include_private=True)
    done = load(town, *entries)
    assert done["counts"] == told["counts"]
    assert [one["problems"] for one in done["refused"]] == [one["problems"] for one in told["refused"]]


def test_imported_is_as_entered_by_hand(town):
    entry = {
        "title": "两条路一样", "contact": "0730-1234567", "related_codes": [], "business_items": ["婚姻登记", "收养登记"],
        "resources": [{"name": "接口", "url": "https://example.com/a", "format": "JSON"}],
    }  # fmt: skip
    by_hand = town.draft(**entry)
    made = load(town, {**entry, "title": "两条路一样（导入）"})["created"][0]
    imported = town.do("editor", "package_show", id=made["id"])
    differs = {key for key in by_hand.keys() | imported.keys() if by_hand.get(key) != imported.get(key)}
    assert differs <= VOLATILE | {"title", "resources"}
    assert made["case_id"] == imported["mulu_case"]


def test_incomplete_entries_are_refused_or_kept_as_drafts_as_asked(town):
    entry = {"title": "缺项的条目", "notes": "", "items": []}
    refused = load(town, entry)
    assert {problem["field"] for problem in refused["refused"][0]["problems"]} >= {"notes", "items"}
    assert refused["refused"][0]["where"] == "工作表《目录》A3"
    kept = load(town, entry, incomplete="draft")
    assert kept["counts"]["created"] == 1
    told = kept["drafts_with_problems"][0]
    assert {problem["field"] for problem in told["problems"]} >= {"notes", "items"}
    assert town.do("editor", "package_show", id=told["id"])["mulu_status"] == "draft"


@pytest.mark.parametrize(
    ("entries", "rules"),
    [
        ([{"title": "同名"}, {"title": "同名"}], {"doubled"}),
        (
            [
                {"title": "甲码", "resource_code": "30700101/70001"},
                {"title": "乙码", "resource_code": "30700101/70001"},
            ],
            {"doubled"},
        ),
        ([{"title": ""}], {"required"}),
        ([{"title": "有空字符\x00"}], {"not_text"}),
        ([{"title": "半个字符\ud800"}], {"not_text"}),
    ],
)
def test_what_can_not_be_taken_in_is_refused_by_place_and_rule(town, entries, rules):
    told = load(town, *entries, incomplete="draft")
    assert told["counts"]["refused"] == 1
    problems = told["refused"][0]["problems"]
    assert rules <= {problem["rule"] for problem in problems}
    assert told["refused"][0]["where"].startswith("工作表")


def test_a_code_of_another_entry_is_refused(town):
    code = town.draft("代码的主人")["resource_code"]
    told = load(town, {"title": "想用别人代码的条目", "resource_code": code}, organization="jiaoyu", who="other_editor")
    assert {problem["rule"] for problem in told["refused"][0]["problems"]} == {"code_taken"}


def test_nobody_imports_for_another_department(town):
    told = load(town, {"title": "替别的部门导入"}, who="other_editor")
    assert {problem["rule"] for problem in told["refused"][0]["problems"]} == {"wrong_role"}
    for who in ("citizen", "member", "authority_member"):
        town.refused(who, "mulu_entry_import", entries=rows({"title": "无权导入"}), organization="minzheng")


@pytest.mark.parametrize(
    "data", [{}, {"entries": "x"}, {"entries": ["x"]}, {"entries": [{}] * 501}, {"entries": [{"entry": "x"}]}]
)
def test_a_call_of_the_wrong_shape_is_refused(town, data):
    answer = town.request("editor", "/api/3/action/mulu_entry_import", {"organization": "minzheng", **data})
    assert answer.status_code in (200, 409)
    if answer.status_code == 200:
        assert answer.json["result"]["counts"] == {
            "created": 0,
            "updated": 0,
            "unchanged": 0,
            "refused": 1,
            "drafts_with_problems": 0,
        }


ODD = [("items", "一段文字"), ("items", [1, None]), ("items", [{"name": {"a": 1}}]), ("resources", "x"), ("resources", [1]),
       ("share_mode", {"a": 1}), ("notes", ["a"]), ("notes", 3), ("classification", "3/07"), ("source", "x"), ("title", 5), ("title", "长" * 3000),
       ("secrecy_review", "x"), ("resource_code", ["x"]), ("published_on", "2025-02-31"), ("provider", 7)]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), ODD, ids=str)
@pytest.mark.parametrize("incomplete", ["draft", "refuse"])
def test_no_value_breaks_the_chunk(town, field, value, incomplete):
    sound = {"title": f"完好的条目 {field} {str(value)[:10]} {incomplete}"}
    told = load(
        town, {"title": f"有怪值 {field} {str(value)[:10]} {incomplete}", field: value}, sound, incomplete=incomplete
    )
    assert sound["title"] in {one["title"] for one in told["created"]}


def test_what_changed_is_updated_a_draft_in_place(town):
    made = load(town, {"title": "会变的草稿"})["created"][0]
    again = load(town, {"title": "会变的草稿", "notes": "变了。"})
    assert [one["id"] for one in again["updated"]] == [made["id"]]
    assert town.do("editor", "package_show", id=made["id"])["notes"] == "变了。"


def test_what_changed_is_proposed_where_it_was_published(town):
    public = town.published("已发布后再导入")
    again = load(town, {"title": "已发布后再导入", "notes": "来源里变了。"})
    assert again["counts"]["updated"] == 1
    assert town.seen(public["id"]) == public
    assert town.do("editor", "mulu_case_show", id=again["updated"][0]["case_id"])["diff"][0]["field"] == "notes"
    assert load(town, {"title": "已发布后再导入", "notes": "来源里变了。"})["counts"]["unchanged"] == 1


def test_an_import_that_would_change_a_class_opens_its_procedure(town):
    public = town.published("属性在来源里变了")
    stricter = {
        "share_type": "conditional",
        "share_condition": "限民政使用",
        "share_basis": "《社会救助暂行办法》第二十一条",
        "open_type": "conditional",
        "open_condition": "限研究使用",
    }
    again = load(
        town,
        {"title": "属性在来源里变了", **stricter},
        {"title": "同一批的另一条"},
        source={"name": "某市门户", "url": "https://example.com"},
    )
    assert again["counts"]["created"] == 1
    assert town.seen(public["id"]) == public
    assert town.do("editor", "package_show", id=public["id"])["mulu_class_case"]


def test_a_source_knows_its_entries_by_its_own_id(town):
    source = {"name": "某市数据门户", "url": "https://example.com"}
    one = {"title": "门户上的条目", "source": {**source, "id": "17"}}
    made = load(town, one)["created"][0]
    again = load(town, {**one, "title": "门户上改名的条目"})
    assert [row["id"] for row in again["updated"]] == [made["id"]]
    other = load(town, {**one, "title": "门户上的条目", "source": {**source, "id": "18"}})
    assert other["counts"]["created"] == 1


def test_sound_entries_are_handed_on_when_asked(town):
    told = load(
        town, {"title": "随导入送审"}, {"title": "不完整所以不送审", "notes": ""}, submit=True, incomplete="draft"
    )
    states = [town.do("editor", "mulu_case_show", id=one["case_id"])["state"] for one in told["created"]]
    assert states == ["head_review", "draft"]
    assert town.event("head", told["created"][0]["case_id"], "head_agree", **REVIEWS)["state"] == "authority_review"
