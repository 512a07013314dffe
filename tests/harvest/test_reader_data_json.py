"""data.json: what DCAT-US says in our words, what it does not, odd datasets, and our own feed back again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reading import drafts, pages, records, source
from server import Reply, Server, as_json, serving

from mulu.profile import Profile
from mulu_harvest.fetch import HttpFetch
from mulu_harvest.record import Record
from mulu_harvest.source import SourceError
from mulu_site.build import build
from mulu_site.generate import generate
from mulu_site.snapshot import open_snapshot

DATASET: dict[str, Any] = {
    "@type": "dcat:Dataset", "identifier": "ylj-1", "title": "养老机构名录", "description": "床位<br/>按月更新。<script>1</script>",
    "accessLevel": "restricted public", "rights": "须说明用途", "accrualPeriodicity": "R/P1M", "modified": "2024-03-04T16:30:00+00:00",
    "issued": "2024-01-02", "publisher": {"name": "测试民政局"}, "keyword": ["养老", "社会保障"], "theme": ["生活服务"],
    "contactPoint": {"fn": "测试民政局办公室", "hasEmail": "mailto:minzheng@data.example"},
    "license": "http://www.opendefinition.org/licenses/cc-by/", "landingPage": "https://data.example/1", "spatial": None, "temporal": "None",
    "distribution": [
        {"title": "名录", "downloadURL": "https://data.example/1.csv", "mediaType": "text/csv", "description": None},
        {"accessURL": "https://data.example/api", "format": "API"}, None, "文字", {"title": "没有地址"},
    ],
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def one(server: Server, **fields: Any) -> Record:
    [record] = records("data_json", server.on("/data.json", as_json({"dataset": [{**DATASET, **fields}]})))
    return record


def test_keys_in_addresses_are_not_told(server: Server) -> None:
    server.on("/data.json", Reply(b'{"dataset": [{"title": "a"}, {', type="application/json"))
    with pytest.raises(SourceError, match=r"appkey=\*\*\*") as told:
        records("data_json", f"{server.url}/data.json?appkey=hush")
    assert "hush" not in str(told.value)


def test_a_dataset_in_our_words(server: Server, profile: Profile) -> None:
    [draft] = drafts([one(server)], profile)
    assert draft.entry == {
        "title": "养老机构名录", "notes": "床位\n按月更新。", "provider": "测试民政局", "open_type": "conditional", "open_condition": "须说明用途",
        "update_frequency": "monthly", "published_on": "2024-01-02", "data_updated_on": "2024-03-05", "license_id": "cc-by",
        "contact": "测试民政局办公室，minzheng@data.example", "open_theme": "生活服务", "theme": "social_security",
        "format_type": "csv", "format_class": "spreadsheet", "format_other": "API",
        "source": {"name": "ceshi", "url": "https://data.example/1", "id": "ylj-1"},
        "resources": [
            {"name": "名录", "url": "https://data.example/1.csv", "format": "CSV"},
            {"url": "https://data.example/api", "format": "API"},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("R/PT1S", "realtime"), ("R/P1D", "daily"), ("R/P1W", "weekly"), ("R/P7D", "weekly"), ("R/P3M", "quarterly"), ("R/P6M", "half_yearly"),
        ("R/P1Y", "yearly"), ("Annual", "yearly"), ("irregular", "irregular"), ("每季", "quarterly"), ("never", "never"),
        ("http://purl.org/cld/freq/semiannual", "half_yearly"), ("http://purl.org/linked-data/sdmx/2009/code#freq-Q", "quarterly"),
        ("R/P2Y", None), ("R/P2W", None), ("hourly", None), ("BIENNIAL", None), ("unknown", ""), (None, ""), ("None", ""),
    ],
)  # fmt: skip
def test_frequencies(server: Server, profile: Profile, said: str | None, code: str | None) -> None:
    """None: the word is told as one that has no code; "": it says nothing, and the field is asked for."""
    [draft] = drafts([one(server, accrualPeriodicity=said)], profile)
    assert draft.entry.get("update_frequency") == (code or None)
    told = {p.rule for p in draft.problems if p.field == "update_frequency"}
    assert told == ({"not_in_list"} if code is None else set() if code else {"required"})


@pytest.mark.parametrize(("said", "code"), [("public", "unconditional"), ("Non-Public", "none"), ("open", None), ("有条件开放", "conditional")])
def test_access(server: Server, profile: Profile, said: str, code: str | None) -> None:
    [draft] = drafts([one(server, accessLevel=said, rights=None)], profile)
    assert draft.entry.get("open_type") == code


def test_rights_are_the_condition_or_the_basis_or_nothing(server: Server) -> None:
    assert one(server, accessLevel="non-public").raw["open_basis"] == "须说明用途"
    assert not {"open_basis", "open_condition"} & set(one(server, accessLevel="public").raw)


def test_modified_may_be_an_interval(server: Server) -> None:
    raw = one(server, accrualPeriodicity=None, modified="R/P1W").raw
    assert raw["update_frequency"] == "weekly" and "data_updated_on" not in raw
    assert one(server, accrualPeriodicity="R/P1Y", modified="R/P1W").raw["update_frequency"] == "yearly"


def test_a_licence_that_is_none_of_ours_is_a_warning(server: Server) -> None:
    record = one(server, license="<p>The County's own <b>terms</b></p>" * 100)
    [problem] = record.problems
    assert (problem.field, problem.severity, len(problem.message) < 200) == ("license_id", "warning", True)
    assert "第 1 条的开放许可“The County's own terms" in problem.message and "license_id" not in record.raw


def test_the_sources_own_fields_and_words(server: Server, profile: Profile) -> None:
    settings = {
        "fields": {"notes": "摘要", "share_type": {"field": "备注", "pattern": "共享：(\\S+)"}}, "identity": "编号", "address": "网页",
        "lookups": {"update_frequency": {"R/P2W": "irregular"}}, "empty": ["暂无"],
    }  # fmt: skip
    more = {"摘要": "真正的摘要", "备注": "共享：有条件 其他", "编号": 17, "网页": "https://data.example/own", "accrualPeriodicity": "R/P2W", "rights": "暂无"}
    [record] = records("data_json", server.on("/data.json", as_json([{**DATASET, **more}])), **settings)
    [draft] = drafts([record], profile, **settings["lookups"])
    assert (draft.entry["notes"], draft.entry["share_type"], draft.entry["update_frequency"]) == ("真正的摘要", "conditional", "irregular")
    assert draft.entry["source"] == {"name": "ceshi", "url": "https://data.example/own", "id": "17"}
    assert "open_condition" not in draft.entry


def test_odd_datasets_are_records_with_a_reason(server: Server, profile: Profile) -> None:
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    odd = [
        None, 7, "文字", [], {}, {"identifier": None, "title": "没有标识"}, {"identifier": "a", "title": {"zh": "不是文字"}},
        {"identifier": "b", "title": "甲\x00乙\u202e", "publisher": [{"name": "测试局"}], "distribution": {"downloadURL": 7}, "keyword": "社会保障"},
        {**{f"field{n}": n for n in range(300)}, "identifier": "c", "title": "三百个字段"}, {"identifier": "d", "title": "深", "x": deep},
        {"identifier": ["e"], "title": "标识是列表", "modified": 20240102, "issued": True, "publisher": "测试局", "contactPoint": [None]},
    ]  # fmt: skip
    found = records("data_json", server.on("/data.json", as_json({"dataset": odd})))
    assert [record.where for record in found] == [f"第 {n} 条" for n in range(1, len(odd) + 1)]
    rules = [[problem.rule for problem in record.problems] for record in found]
    assert rules[:6] == [["odd_record"]] * 4 + [["no_id"], ["no_id"]]
    assert [record.id for record in found] == [""] * 6 + ["a", "b", "c", "", ""]
    assert rules[9:] == [["odd_record"], ["no_id"]]
    assert (found[7].raw["title"], found[7].raw["provider"], found[7].raw["theme"]) == ("甲乙", "测试局", "社会保障")
    assert len(drafts(found, profile)) == len(odd)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<html><title>请登录</title></html>", "返回的是网页“请登录”"),
        ('{"dataset": [{"identifier": "a", "title": "甲"}, {"identifier":', "第 2 条处断了"),
        ('{"datasets": []}', "没有“dataset”这一数组"),
        ("", "内容是空的"),
    ],
)
def test_a_document_that_cannot_be_read(server: Server, body: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        pages("data_json", server.on("/data.json", Reply(body)))


def test_pages_of_200_and_nothing_the_second_time(server: Server) -> None:
    many = [{**DATASET, "identifier": f"ylj-{n}"} for n in range(401)]
    url = server.on("/data.json", as_json({"dataset": many}, etag='"a"'))
    fetch = HttpFetch(source("data_json", url))
    assert [len(page.records) for page in pages("data_json", url, fetch=fetch)] == [200, 200, 1]
    [again] = pages("data_json", url, fetch=HttpFetch(source("data_json", url), validators=fetch.validators_seen))
    assert again.unchanged and not again.records


def test_an_empty_catalogue_is_a_page_without_records(server: Server) -> None:
    [page] = pages("data_json", server.on("/data.json", as_json({"dataset": []})))
    assert page.records == () and page.whole and not page.unchanged


def test_our_own_data_json_comes_back_with_the_classes_that_it_states(tmp_path: Path, profile: Profile) -> None:
    snapshot = generate(60, tmp_path / "snapshot.jsonl", portal_url="https://portal.example")
    build(snapshot, tmp_path / "site", site_url="https://catalogue.example")
    file = (tmp_path / "site" / "current" / "data.json").resolve()
    stated = {entry.get("resource_code") or entry["id"]: entry for entry in (line.entry() for line in open_snapshot(snapshot).lines())}
    assert len(json.loads(file.read_text())["dataset"]) == 60
    found = {record.id: record for record in records("data_json", file)}
    assert found.keys() == stated.keys()
    for key, entry in stated.items():
        [draft] = drafts([found[key]], profile)
        for field in ("title", "open_type", "resource_code"):
            assert draft.entry.get(field, "") == (entry.get(field) or ""), (key, field)
        frequency = entry.get("update_frequency")
        assert draft.entry.get("update_frequency") == (None if frequency == "never" else frequency)  # 不更新 has no interval in DCAT-US
        assert found[key].raw["provider"] == entry["provider_title"] and "share_type" not in draft.entry
