"""A CKAN through its Action API: paging over a source that changes, datasets of every kind, answers that are none."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from server import Reply, Request, Server, as_json, serving

from mulu.profile import Profile
from mulu_harvest.fetch import HttpFetch, Limits
from mulu_harvest.normalise import check, normalise
from mulu_harvest.readers.ckan import read
from mulu_harvest.record import Page, Record
from mulu_harvest.source import Source, SourceError, parse

QUICK = Limits(connect=2, read=5, deadline=10, attempts=2, backoff=0.01)
SEARCH = "/api/3/action/package_search"


class Ckan:
    """Answers package_search as CKAN does: filtered, in the order of ids, cut at start and rows. ``before``: called with each request."""

    def __init__(self, server: Server, count: int, rows_max: int = 1000) -> None:
        self.datasets = {(made := dataset(n))["id"]: made for n in range(count)}
        self.rows_max, self.before, self.asked = rows_max, lambda number: None, []
        server.on(SEARCH, self.answer)

    before: Callable[[int], None]

    def answer(self, request: Request) -> Reply:
        self.asked.append(request.query)
        self.before(len(self.asked))
        assert request.query["sort"] == "id asc"
        found = [self.datasets[key] for key in sorted(self.datasets)]
        start, rows = int(request.query["start"]), min(int(request.query["rows"]), self.rows_max)
        return as_json({"success": True, "result": {"count": len(found), "results": found[start : start + rows]}})


def dataset(number: int, **more: Any) -> dict[str, Any]:
    key = str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))
    return {"id": key, "name": f"d{number}", "title": f"数据集{number}", "state": "active", "private": False, "type": "dataset",
            "organization": {"name": "tjj", "title": "某市统计局"}, **more}  # fmt: skip


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


def source(url: str, **more: Any) -> Source:
    return parse("city", {"title": "某市数据", "reader": "ckan", "url": url, "pace": 100, **more})


def pages(given: Source, resume: str = "", folder: Path | None = None) -> list[Page]:
    return list(read(given, HttpFetch(given, limits=QUICK, folders=(folder,) if folder else ()), resume))


def records(found: list[Page]) -> list[Record]:
    return [record for page in found for record in page.records]


def ids(found: list[Page]) -> list[str]:
    return [record.id for record in records(found)]


def one(server: Server, given: dict[str, Any], **more: Any) -> Record:
    server.on(SEARCH, as_json({"success": True, "result": {"count": 1, "results": [given]}}))
    return records(pages(source(server.url, **more)))[0]


# ── paging ──


@pytest.mark.parametrize("rows_max", [1000, 30, 2])
def test_all_pages_each_dataset_once(server: Server, rows_max: int) -> None:
    ckan = Ckan(server, 95, rows_max)
    found = pages(source(server.url, options={"page_size": 40, "fq": "organization:tjj"}))
    assert ids(found) == sorted(ckan.datasets)
    assert {page.total for page in found} == {95} and not any(page.repeated or page.problems for page in found)
    assert all(asked["fq"] == "organization:tjj" for asked in ckan.asked)


@pytest.mark.parametrize(
    "url",
    ["", "/", "/api", "/api/3", "/api/3/action/package_search?rows=1", "/dataset", "/dataset/", "/organization/tjj"],
)
def test_the_address_of_its_api_or_of_a_page_of_it_will_do(server: Server, url: str) -> None:
    Ckan(server, 1)
    found = records(pages(source(server.url + url)))
    assert found[0].raw["source"] == {"name": "city", "id": dataset(0)["id"], "url": f"{server.url}/dataset/d0"}


def test_a_host_may_lie_in_a_folder_and_be_called_dataset(server: Server) -> None:
    server.on("/dataset-portal" + SEARCH, as_json({"success": True, "result": {"count": 0, "results": []}}))
    assert records(pages(source(server.url + "/dataset-portal/"))) == []


@pytest.mark.parametrize("go_on", [1, 2, 3])
def test_going_on_from_a_mark(server: Server, go_on: int) -> None:
    ckan = Ckan(server, 95)
    given = source(server.url, options={"page_size": 30})
    first = pages(given)
    assert ids(pages(given, first[go_on - 1].mark)) == sorted(ckan.datasets)[30 * go_on :]


def test_deletions_while_reading_lose_nothing(server: Server) -> None:
    ckan = Ckan(server, 100)
    order = sorted(ckan.datasets)

    def before(number: int) -> None:
        if number == 2:  # 25 of what was read already go: the rest moves forward by more than half a page
            for key in order[:25]:
                del ckan.datasets[key]

    ckan.before = before
    found = pages(source(server.url, options={"page_size": 40}))
    assert sorted(ids(found)) == order
    assert [problem.message for page in found for problem in page.problems] == [
        "来源在读取中有增减：开始时 100 条，结束时 75 条；没有漏读，增减的下次再读"
    ]
    assert all(problem.severity == "warning" for page in found for problem in page.problems)


def test_even_if_all_that_was_read_goes(server: Server) -> None:
    ckan = Ckan(server, 100)
    order = sorted(ckan.datasets)

    def before(number: int) -> None:
        if number == 3:
            for key in order[:85]:
                del ckan.datasets[key]

    ckan.before = before
    assert sorted(ids(pages(source(server.url, options={"page_size": 40})))) == [*order[:80], *order[85:]]


def test_additions_and_edits_while_reading_lose_nothing_and_double_nothing(server: Server) -> None:
    ckan = Ckan(server, 100)
    order = sorted(ckan.datasets)

    def before(number: int) -> None:
        ckan.datasets["0" * 32 + str(number)] = dataset(1000 + number, id="0" * 32 + str(number))
        ckan.datasets[order[0]]["metadata_modified"] = f"2024-01-0{number}T00:00:00"

    ckan.before = before
    found = ids(pages(source(server.url, options={"page_size": 40})))
    assert set(order) <= set(found) and len(found) == len(set(found))


def test_a_mark_whose_dataset_is_gone_goes_back_until_it_is_sure(server: Server) -> None:
    ckan = Ckan(server, 100)
    order = sorted(ckan.datasets)
    given = source(server.url, options={"page_size": 40})
    mark = pages(given)[0].mark
    for key in order[30:45]:
        del ckan.datasets[key]
    assert set(order[45:]) <= set(ids(pages(given, mark)))


def test_the_same_dataset_on_two_pages_counts_once(server: Server) -> None:
    twice = [dataset(n) for n in (1, 2, 2, 3)]
    server.on(SEARCH, as_json({"success": True, "result": {"count": 4, "results": twice}}))
    found = pages(source(server.url))
    assert (len(records(found)), found[0].repeated, found[0].total) == (3, 1, 4)


def test_a_source_that_gives_the_same_page_again_and_again_comes_to_an_end(server: Server) -> None:
    same = as_json({"success": True, "result": {"count": 200, "results": [dataset(n) for n in range(10)]}})
    server.on(SEARCH, same)
    found = pages(source(server.url, options={"page_size": 10}))
    assert len(records(found)) == 10 and found[-1].total == 200  # so that the run knows it read a part only


def test_a_source_whose_order_never_holds_still_is_told(server: Server) -> None:
    fresh = iter(range(10**6))

    def answer(request: Request) -> Reply:
        results = [dataset(next(fresh)) for _ in range(int(request.query["rows"]))]
        return as_json({"success": True, "result": {"count": 5, "results": results}})

    server.on(SEARCH, answer)
    with pytest.raises(SourceError, match="次序一直在变"):
        pages(source(server.url, options={"page_size": 2}))


def test_what_is_not_for_everybody_is_no_dataset(server: Server) -> None:
    rows = [
        dataset(1),
        dataset(2, private=True),
        dataset(3, state="deleted"),
        dataset(4, state="draft"),
        dataset(5, type="harvest"),
    ]
    server.on(SEARCH, as_json({"success": True, "result": {"count": 5, "results": rows}}))
    found = pages(source(server.url))
    assert ids(found) == [rows[0]["id"]] and found[-1].total == 1


# ── answers that are none ──


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply("<html><title>Not here</title>", type="text/html"), "返回的是网页“Not here”，不是 JSON"),
        (
            Reply('{"success": false, "error": {"__type": "Authorization Error", "message": "拒绝访问"}}', 403),
            "HTTP 403（Forbidden）：.*拒绝访问",
        ),
        (
            as_json({"success": False, "error": {"message": "Solr is down", "__type": "Search Error"}}),
            "回答失败：Solr is down",
        ),
        (as_json({"success": False, "error": "x"}), "回答失败：x"),
        (as_json([]), "没有 result，不是 CKAN 的接口"),
        (as_json({"success": True, "result": {"count": "many", "results": []}}), "没有 results 和 count"),
        (as_json({"success": True, "result": {"count": 1}}), "没有 results 和 count"),
    ],
)
def test_what_is_no_ckan_is_told(server: Server, reply: Reply, said: str) -> None:
    server.on(SEARCH, reply)
    with pytest.raises(SourceError, match=said) as told:
        pages(source(server.url))
    assert server.url in str(told.value)


def test_a_source_that_dies_in_the_middle_keeps_the_pages_before(server: Server) -> None:
    ckan = Ckan(server, 100)
    ckan.before = lambda number: server.on(SEARCH, Reply(b"", 500)) if number == 2 else None
    given = source(server.url, options={"page_size": 40})
    reading = read(given, HttpFetch(given, limits=QUICK), "")
    assert len(next(reading).records) == 40
    assert len(next(reading).records) == 40
    with pytest.raises(SourceError, match="HTTP 500"):
        next(reading)


ODD = [
    None, 7, "text", [1], {}, {"id": 7, "title": "x"}, {"id": "a\0b", "title": "空\0字符"}, {"id": "x" * 5000, "title": "长"},
    {"id": "odd-1", "title": ["a", {"b": 1}], "extras": "no", "resources": {"a": 1}, "tags": [None, 3, {"x": 1}], "organization": "org"},
    {"id": "odd-2", "extras": [None, {"key": 3, "value": {}}, {"key": "items", "value": "[" * 90000}], "resources": [None, 5, {"url": {}, "size": "x"}]},
    {"id": "odd-3", "title": "三百", **{f"f{n}": n for n in range(300)}, "items": ["x", {"name": {"a": 1}}]},
    {"id": "odd-4", "title": "深", "extras": [{"key": "k", "value": '[' * 500 + ']' * 500}], "notes": {"zh": None}},
    {"id": "odd-5", "title": "错", "metadata_modified": 17, "metadata_created": "when?", "license_id": ["cc-by"], "groups": {}},
]  # fmt: skip


def test_odd_datasets_keep_no_other_out(server: Server, profile: Profile) -> None:
    rows = [dataset(1), *ODD, dataset(2)]
    server.on(SEARCH, as_json({"success": True, "result": {"count": len(rows), "results": rows}}))
    found = records(pages(source(server.url)))
    assert len(found) == len(rows)
    assert (found[0].raw["title"], found[-1].raw["title"]) == ("数据集1", "数据集2")
    unknown = [record for record in found if not record.id]
    assert len(unknown) == 8 - 1 and all(
        record.problems for record in unknown if not record.raw.get("source", {}).get("id")
    )
    for record in found:
        draft = check(normalise(record), profile)
        json.dumps(draft.entry, ensure_ascii=False).encode()
        assert "\0" not in json.dumps(draft.entry, ensure_ascii=False)


# ── datasets ──

PLAIN = dataset(
    1, notes="<p>各乡镇<b>人口</b></p>", url="https://example.org", license_id="cc-by", license_title="CC BY", maintainer="统计科",
    maintainer_email="tjk@example.org", author="别人", metadata_created="2023-05-31T20:00:00.123", metadata_modified="2024-02-01T01:00:00",
    tags=[{"name": "人口", "display_name": "人口"}], groups=[{"name": "g", "display_name": "社会民生"}],
    extras=[{"key": "frequency", "value": "http://publications.europa.eu/resource/authority/frequency/ANNUAL"},
            {"key": "access_rights", "value": "http://publications.europa.eu/resource/authority/access-right/PUBLIC"},
            {"key": "spatial", "value": '{"type": "Point"}'}, {"key": "temporal_start", "value": "2019"}, {"key": "temporal_end", "value": "2024"}],
    resources=[{"name": "人口表", "url": "https://example.org/a.csv", "format": "CSV", "size": 120, "hash": "ab", "last_modified": "2024-01-31T17:00:00", "id": "r"},
               {"name": "接口", "url": "https://example.org/api", "format": "", "mimetype": "application/json"}, {"url": ""}],
)  # fmt: skip


def test_a_plain_dataset(server: Server, profile: Profile) -> None:
    record = one(server, PLAIN)
    assert (record.raw["provider"], record.raw["provider_hint"]) == ("某市统计局", "tjj")
    entry = normalise(record).entry
    del entry["provider"]
    assert entry == {
        "title": "数据集1", "notes": "各乡镇人口", "license_id": "cc-by", "update_frequency": "yearly", "open_type": "unconditional",
        "published_on": "2023-06-01", "data_updated_on": "2024-02-01", "contact": "统计科，tjk@example.org", "open_theme": "社会民生",
        "temporal": "2019/2024", "format_type": "csv", "format_class": entry["format_class"], "format_other": "json",
        "resources": [{"name": "人口表", "url": "https://example.org/a.csv", "format": "CSV", "size": "120", "hash": "ab"},
                      {"name": "接口", "url": "https://example.org/api", "format": "JSON"}],
        "source": {"name": "city", "url": f"{server.url}/dataset/d1", "id": PLAIN["id"]},
    }  # fmt: skip
    assert not record.problems


def test_what_a_dataset_does_not_say_is_not_filled_in(server: Server) -> None:
    entry = normalise(one(server, dataset(1, organization=None))).entry
    assert set(entry) == {"title", "source"}


def test_a_licence_that_is_none_of_ours_is_a_warning(server: Server) -> None:
    (problem,) = one(server, dataset(1, license_id="uk-ogl")).problems
    assert (problem.field, problem.severity) == ("license_id", "warning")


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("in_extras", [False, True])
def test_words_of_a_schema_with_our_fields(server: Server, as_text: bool, in_extras: bool) -> None:
    items = [{"name": "编号", "data_type": "字符型", "length": "18"}, {"name": "人口数", "data_type": "N"}]
    more: dict[str, Any] = {
        "share_type": "无条件共享",
        "update_frequency": "每月",
        "share_mode": ["接口", "文件"],
        "items": items,
        "open_theme": "民生",
    }
    if as_text:
        more |= {key: json.dumps(value, ensure_ascii=False) for key, value in more.items() if isinstance(value, list)}
    given = (
        dataset(1, extras=[{"key": key, "value": value} for key, value in more.items()])
        if in_extras
        else dataset(1, **more)
    )
    record = one(server, given)
    assert record.entry is None
    entry = normalise(record).entry
    assert (entry["share_type"], entry["update_frequency"], entry["open_theme"]) == ("unconditional", "monthly", "民生")
    assert [(item["name"], item["data_type"]) for item in entry["items"]] == [("编号", "C"), ("人口数", "N")]


OURS = {
    "share_type": "conditional", "open_type": "none", "title": "婚姻登记", "notes": "一、二；三", "classification": ["3", "07"],
    "resource_code": "307/00001", "items": [{"name": "证号", "data_type": "C", "sensitive": True, "open_type": "none"}],
    "business_items": ["甲、乙", "丙；丁"], "provider": "elsewhere", "secrecy_review": {"by": "x"}, "source": {"id": "there"},
    "resources": [{"id": "r1", "name": "a", "url": "https://example.org/a", "format": "CSV", "state": "active"}],
}  # fmt: skip


@pytest.mark.parametrize("as_text", [False, True])
def test_our_own_schema_is_taken_as_it_is(server: Server, as_text: bool) -> None:
    given = {
        key: json.dumps(value) if as_text and isinstance(value, list) and key != "resources" else value
        for key, value in OURS.items()
    }
    record = one(server, dataset(1, **given))
    assert record.entry == {
        **{key: OURS[key] for key in OURS if key not in ("provider", "secrecy_review", "source", "resources")},
        "resources": [{"name": "a", "url": "https://example.org/a", "format": "CSV"}],
    }
    assert (record.raw["provider"], record.problems) == ("某市统计局", [])


def test_settings_say_where_else_a_value_stands(server: Server) -> None:
    given = dataset(1, 主管="市民政局", 周期="每年（说明）", 编号="X-1", 页="https://example.org/p/1", share_type="甲")
    record = one(
        server, given, department="主管", prefixes={"市": "某市"}, identity="编号", address="页", lookups={"share_type": {"甲": "none"}},
        fields={"update_frequency": {"field": "周期", "pattern": "^([^（]+)"}},
    )  # fmt: skip
    assert record.raw["source"] == {"name": "city", "id": "X-1", "url": "https://example.org/p/1"}
    assert (record.raw["provider"], record.raw["update_frequency"]) == ("市民政局", "每年")
    assert normalise(record, lookups={"share_type": {"甲": "none"}}).entry["share_type"] == "none"


def test_several_languages(server: Server) -> None:
    given = dataset(1, title_translated={"en": "Roads", "zh_Hans_CN": "道路"}, notes={"en": "In English"})
    record = one(server, given)
    assert (record.raw["title"], record.raw["notes"]) == ("道路", "In English")


# ── files ──


@pytest.mark.parametrize("shape", ["one", "list", "answer", "result"])
def test_a_file(tmp_path: Path, shape: str) -> None:
    both = [dataset(1), dataset(2)]
    content = {
        "one": both[0],
        "list": both,
        "answer": {"success": True, "result": {"count": 2, "results": both}},
        "result": {"result": both[0]},
    }[shape]
    (tmp_path / "kept.json").write_text(json.dumps(content))
    given = replace(source("http://example.org"), options={"path": "kept.json"})
    assert len(records(pages(given, folder=tmp_path))) == (2 if shape in ("list", "answer") else 1)


def test_the_legacy_dataset(shared: Path) -> None:
    given = replace(source("http://example.org"), options={"path": "ckan_full_dataset_legacy.json"})
    (record,) = records(pages(given, folder=shared / "feeds"))
    assert (
        record.id == "756d6426-d52d-492a-a263-599ad1caa123"
        and record.raw["title"] == "Zimbabwe Regional Geochemical Survey."
    )
    assert record.raw["contact"] == "enquiries@bgs.ac.uk" and "provider" not in record.raw
    assert [resource["url"] for resource in record.raw["resources"]] == [
        "http://www.bgs.ac.uk/gbase/geochemcd/home.html"
    ]
