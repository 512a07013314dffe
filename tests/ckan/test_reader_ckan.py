"""The reader of a CKAN against a real one: this portal's own API over HTTP, paged, with what everybody may see and no more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from town import ENTRY
from werkzeug.serving import make_server

from ckanext.mulu.feeds import published
from ckanext.mulu.harvest.load import Policy, Task, apply
from mulu_harvest.fetch import HttpFetch
from mulu_harvest.readers.ckan import read
from mulu_harvest.record import Page, Record
from mulu_harvest.source import Source, parse

CLOSED = {
    "share_type": "conditional",
    "share_condition": "限民政业务使用",
    "open_type": "conditional",
    "open_condition": "限研究使用",
}
MIXED = [
    {**ENTRY["items"][0], "name": "公开的项"},
    {**ENTRY["items"][0], "name": "受限的项", "share_type": "conditional", "open_type": "conditional"},
]


@pytest.fixture(scope="module")
def world(town: Any) -> Any:
    file = {"name": "名录文件", "url": "https://open.example/parks.csv", "format": "CSV"}
    town.shown = [
        town.published("城市公园名录", resources=[file], contact="0730-1234567"),
        town.published("低保对象名册", **CLOSED),
        town.published("农户补贴名册", items=MIXED, share_condition="限民政业务使用", open_condition="限研究使用"),
        *(town.published(f"名录{number}") for number in range(4)),
    ]
    town.draft("尚未公布的名册")
    return town


@pytest.fixture(scope="module")
def address(world: Any) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, world.app.app)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def source(address: str, **options: Any) -> Source:
    made = parse("portal", {"title": "门户（虚构）", "reader": "ckan", "url": address, "pace": 100})
    return replace(made, options={"page_size": 3, "ignore_robots": True, **options})


def pages(given: Source, resume: str = "") -> list[Page]:
    return list(read(given, HttpFetch(given), resume))


def records(found: list[Page]) -> list[Record]:
    return [record for page in found for record in page.records]


def test_all_that_is_published_in_pages_each_once(world: Any, address: str) -> None:
    found = pages(source(address))
    assert [len(page.records) for page in found] == [3, 3, 1] and {page.total for page in found} == {7}
    assert [record.id for record in records(found)] == sorted(one["id"] for one in world.shown)
    for page, rest in zip(found, (4, 1), strict=False):
        assert len(records(pages(source(address), page.mark))) == rest
    assert not any(page.problems or page.repeated for page in found)


def test_a_filter(world: Any, address: str) -> None:
    assert [record.entry["title"] for record in records(pages(source(address, fq='title:"城市公园名录"')))] == [
        "城市公园名录"
    ]


def test_entries_come_with_their_classes_codes_and_items(world: Any, address: str) -> None:
    """What the feed for other installations tells of them, but for what only CKAN's own pages know."""
    for record in records(pages(source(address))):
        told = published.one(record.id)
        assert told is not None and not record.problems
        assert (
            record.raw["provider"] == told.provider_title
            and record.raw["source"]["url"] == f"{address}/dataset/{told.name}"
        )
        wire = {
            key: value for key, value in told.entry.items() if key not in ("name", "provider", "source", "resources")
        }
        assert (
            record.entry is not None
            and {key: value for key, value in record.entry.items() if key != "resources"} == wire
        )
        names = [[row["name"] for row in entry.get("resources", ())] for entry in (record.entry, told.entry)]
        assert names[0] == names[1]


def test_what_is_taken_back_while_we_read_pulls_no_other_out_of_sight(world: Any, address: str) -> None:
    given = source(address)
    reading = read(given, HttpFetch(given), "")
    first = next(reading)
    gone = [Task(record.id, "archive", package_id=record.id) for record in first.records[:2]]
    assert [done.result for done in apply(gone, Policy("portal", "门户（虚构）"))] == ["archived", "archived"]
    rest = list(reading)
    assert [record.id for record in records([first, *rest])] == sorted(one["id"] for one in world.shown)
    assert [problem.rule for problem in rest[-1].problems] == ["source_moved"]
