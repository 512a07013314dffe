"""Another installation of this portal by its feed: what was decided there comes as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from server import Reply, Request, Server, as_json, serving

from mulu_harvest.fetch import HttpFetch, Limits
from mulu_harvest.readers.mulu import read
from mulu_harvest.record import Page, Record
from mulu_harvest.source import Source, SourceError, parse

QUICK = Limits(connect=2, read=5, deadline=10, attempts=2, backoff=0.01)
FEED = "/mulu/feed"
UNTIL = "2024-05-06T07:08:09.000001Z"

ENTRY = {
    "title": "婚姻登记", "name": "307-00001", "provider": "minzheng", "notes": "一、二；三\n四", "resource_code": "307/00001",
    "classification": ["3", "07"], "share_type": "conditional", "share_condition": "仅限核验", "open_type": "none", "open_ground": "secret",
    "items": [{"name": "证号", "data_type": "C", "sensitive": True, "share_type": "none"}], "business_items": ["甲、乙", "丙"],
    "source_department": "gongan", "update_frequency": "daily", "source": {"id": "there", "name": "older"},
    "resources": [{"id": "r1", "name": "表", "url": "https://county.example.org/a.csv", "format": "CSV"}],
}  # fmt: skip


def row(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"id-{number}", "name": f"n{number}", "version": 1, "published_at": UNTIL, "provider": "minzheng", "provider_title": "某县民政局",
            "source_department_title": "某县公安局", "page": f"https://county.example.org/dataset/n{number}", "entry": {**ENTRY, "title": f"目录{number}"}, **more}  # fmt: skip


def page(rows: list[Any], following: str = "", total: int | None = None, **more: Any) -> Reply:
    return as_json({"mulu_feed": 1, "place": "某县", "portal_url": "https://county.example.org", "generated_at": UNTIL, "complete_until": UNTIL,
                    "next": following, "total": total, "entries": rows, **more})  # fmt: skip


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


def source(server: Server, path: str = "", **options: Any) -> Source:
    return parse(
        "county", {"title": "某县目录", "reader": "mulu", "url": server.url + path, "pace": 100, "options": options}
    )


def pages(given: Source, resume: str = "", fetch: HttpFetch | None = None) -> list[Page]:
    return list(read(given, fetch or HttpFetch(given, limits=QUICK), resume))


def records(found: list[Page]) -> list[Record]:
    return [record for page in found for record in page.records]


def test_an_entry_comes_as_it_was_decided(server: Server) -> None:
    server.on(FEED, page([row(1)], total=1))
    (found,) = pages(source(server))
    (record,) = found.records
    assert record.entry == {
        **{key: value for key, value in ENTRY.items() if key not in ("name", "provider", "source_department", "source")},
        "title": "目录1", "resources": [{"name": "表", "url": "https://county.example.org/a.csv", "format": "CSV"}],
    }  # fmt: skip
    assert record.raw == {
        "provider": "某县民政局", "provider_hint": "minzheng", "source_department": "某县公安局", "source_department_hint": "gongan",
        "source": {"name": "county", "url": "https://county.example.org/dataset/n1", "id": "id-1"},
    }  # fmt: skip
    assert (record.problems, found.total, found.whole, found.mark) == ([], 1, True, "")


@pytest.mark.parametrize("path", ["", "/", "/mulu/feed", "/mulu/feed/"])
def test_pages_are_asked_for_at_our_own_address_and_reading_goes_on_from_each(server: Server, path: str) -> None:
    def answer(request: Request) -> Reply:
        after = int(request.query.get("after", 0))
        following = f"https://county.internal/mulu/feed?limit=2&after={after + 2}" if after < 4 else ""
        return page([row(after + 1), row(after + 2)], following, 6)

    server.on(FEED, answer)
    found = pages(source(server, path, page_size=2))
    assert [record.id for record in records(found)] == [f"id-{n}" for n in range(1, 7)]
    assert [request.query["limit"] for request in server.asked if request.path == FEED] == ["2", "2", "2"]
    assert [record.id for record in records(pages(source(server, path), found[0].mark))] == [
        f"id-{n}" for n in range(3, 7)
    ]


def test_a_whole_reading_asks_for_no_time(server: Server) -> None:
    server.on(FEED, page([]))
    fetch = HttpFetch(source(server), limits=QUICK, validators={server.url + FEED: {"since": UNTIL}})
    pages(source(server), fetch=fetch)
    assert "since" not in server.asked[-1].query and fetch.validators_seen == {}


def test_an_incremental_one_asks_since_the_last_that_was_applied(server: Server) -> None:
    given = source(server, incremental=True)
    server.on(FEED, page([row(1)], f"{server.url}{FEED}?limit=200&after=x", 2), page([row(2)], total=2))
    first = HttpFetch(given, limits=QUICK)
    reading = read(given, first, "")
    assert next(reading).whole and first.validators_seen == {}
    assert next(reading).whole and list(reading) == []
    assert first.validators_seen == {server.url + FEED: {"since": UNTIL}}
    gone = {"id": "id-1", "withdrawn": True, "withdrawn_at": UNTIL}
    server.on(FEED, page([gone, row(3)], total=2, complete_until="2024-06-01T00:00:00Z"))
    second = HttpFetch(given, limits=QUICK, validators=first.validators_seen)
    (found,) = pages(given, fetch=second)
    assert server.asked[-1].query["since"] == UNTIL
    assert (found.removed, found.whole, [record.id for record in found.records]) == (("id-1",), False, ["id-3"])
    assert found.total is None  # of what changed, not of the source
    assert second.validators_seen == {server.url + FEED: {"since": "2024-06-01T00:00:00Z"}}


@pytest.mark.parametrize(
    "lacking", [page([row(1), {"withdrawn": True}], total=1), page([row(1)], total=2)], ids=["a removal without its id", "fewer than it says"]
)
def test_after_a_reading_that_lacked_something_the_next_is_whole(server: Server, lacking: Reply) -> None:
    given = source(server, incremental=True)
    server.on(FEED, lacking)
    fetch = HttpFetch(given, limits=QUICK)
    pages(given, fetch=fetch)
    assert fetch.validators_seen == {}


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply("<html><title>目录</title>", type="text/html"), "返回的是网页“目录”"),
        (as_json([1]), "不是本平台的目录变更接口"),
        (as_json({"entries": []}), "不是本平台的目录变更接口"),
        (page([], mulu_feed=2), "的版本是 2，这里只认识 1"),
        (page([], entries={}), "没有 entries 和 next"),
        (page([], next=None), "没有 entries 和 next"),
        (page([], "https://x.example.org/mulu/feed?limit=200"), "next 指向同一页"),
        (Reply("limit", 400, "text/plain"), "HTTP 400"),
    ],
)
def test_what_is_no_feed_is_told(server: Server, reply: Reply, said: str) -> None:
    server.on(FEED, reply)
    with pytest.raises(SourceError, match=said) as told:
        pages(source(server))
    assert server.url + FEED in str(told.value)


ODD = [
    None, 7, [], {}, {"id": "a"}, {"id": "b", "entry": "x"}, {"id": None, "entry": {}}, {"id": "c" * 2000, "entry": ENTRY},
    {"withdrawn": True}, {"withdrawn": True, "id": 7}, {"id": "d", "entry": {"title": 7, "items": "none", "share_type": ["none"], "unknown": 1}},
    {"id": "e", "entry": {"title": "空\0字符", "items": [{"name": "a\0b"}, 3], "business_items": {"a": 1}}, "page": 5, "provider_title": {}},
]  # fmt: skip


def test_odd_rows_keep_no_other_out(server: Server) -> None:
    server.on(FEED, page([row(1), *ODD, row(2)], total=None))
    (found,) = pages(source(server))
    by_id = {record.id: record for record in found.records}
    assert {"id-1", "id-2", "a", "b", "d", "e"} <= set(by_id)
    assert all(record.problems for record in found.records if record.entry is None)
    assert sum(not record.id for record in found.records) == 6  # the one with 2,000 characters has none either
    assert [problem.rule for problem in found.problems] == ["no_id", "no_id"] and found.removed == ()
    assert {(problem.field, problem.rule) for problem in by_id["d"].problems} == {
        ("items", "wrong_type"),
        ("share_type", "wrong_type"),
    }
    assert by_id["d"].entry == {"title": "7"}
    assert by_id["e"].entry == {"title": "空字符", "items": [{"name": "ab"}]}
    assert "url" not in by_id["e"].raw["source"]
