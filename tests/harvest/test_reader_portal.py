"""Lists of real portals through the reader of harvests, and lists that are none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from server import Reply, Server, as_json, serving
from test_harvest_portals import PORTALS

from mulu_harvest.fetch import HttpFetch, Limits
from mulu_harvest.readers import reader_of
from mulu_harvest.readers.portal import read, read_portal
from mulu_harvest.record import Page, Record
from mulu_harvest.source import Source, SourceError, load_source

QUICK = Limits(connect=2, read=5, deadline=10, attempts=2, backoff=0.01)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


def pages(source: Source, resume: str = "", folder: Path | None = None) -> list[Page]:
    return list(reader_of(source)(source, HttpFetch(source, folders=(folder,) if folder else (), limits=QUICK), resume))


def records(found: list[Page]) -> list[Record]:
    return [record for page in found for record in page.records]


@pytest.mark.parametrize("name", PORTALS)
def test_the_portals(shared: Path, name: str) -> None:
    source = load_source(name)
    found = pages(source, folder=shared / "portals")
    rows, entries, departments, ownerless, with_items = PORTALS[name]
    read_now = records(found)
    assert (len(read_now), sum(page.repeated for page in found)) == (entries, rows - entries)
    assert len({record.raw["provider"] for record in read_now if "provider" in record.raw}) == departments
    assert sum("provider" not in record.raw for record in read_now) == ownerless
    assert sum("items" in record.raw for record in read_now) == with_items
    assert len({record.id for record in read_now}) == entries and all(record.id for record in read_now)
    assert all(len(page.records) <= 200 for page in found)
    assert not any(page.problems or not page.whole for page in found)
    before = read_portal(source, shared / "portals" / source.file)
    assert [record.id for record in read_now] == [record.id for record in before.records]
    assert [record.raw.get("provider", "") for record in read_now] == [
        before.departments.get(record.raw.get("provider", ""), "") for record in before.records
    ]


def test_three_crawls_of_one_city_are_the_same_entries(shared: Path) -> None:
    source = load_source("suzhou")
    crawls = [
        {r.id: r for r in records(pages(replace(source, file=f"anhui_suzhou.{n}.json"), folder=shared / "portals"))}
        for n in (1, 2, 3)
    ]
    assert set(crawls[0]) <= set(crawls[1]) == set(crawls[2])
    assert [len(crawl) for crawl in crawls] == [522, 524, 524]
    second, third = ({key: record.raw for key, record in crawl.items()} for crawl in crawls[1:])
    for key, raw in second.items():  # the third crawl has addresses and says the rest as the second does
        assert {**raw, "source": 0} == {**third[key], "source": 0}


SOURCE = replace(load_source("huainan"), file="", expected=(0, 10**9), options={})


def row(number: int, **more: object) -> dict[str, object]:
    return {"标题": f"目录{number}", "所属部门": "淮南市民政局", **more}


def test_pages_over_http_and_going_on_from_each_mark(server: Server) -> None:
    rows = [row(n) for n in range(450)] + [row(3), row(5, url="https://example.org/5")]
    source = replace(SOURCE, url=server.on("/list.json", as_json(rows)))
    found = pages(source)
    assert [len(page.records) for page in found] == [200, 200, 51] and [page.repeated for page in found] == [0, 0, 1]
    ids = [record.id for record in records(found)]
    assert len(set(ids)) == 451  # another row of the same title is another entry
    for number, page in enumerate(found, 1):
        assert [record.id for record in records(pages(source, page.mark))] == ids[number * 200 :]


def test_a_mark_in_a_list_that_is_another_since_begins_anew(server: Server) -> None:
    source = replace(SOURCE, url=server.on("/list.json", as_json([row(n) for n in range(450)])))
    mark = pages(source)[0].mark
    server.on("/list.json", as_json([row(n) for n in range(1, 450)]))
    assert len(records(pages(source, mark))) == 449


def test_keys_in_addresses_are_not_told(server: Server) -> None:
    server.on("/list.json", Reply(b'[{"title": "a"}, {', type="application/json"))
    source = replace(SOURCE, url=f"{server.url}/list.json?appkey=hush")
    with pytest.raises(SourceError, match=r"appkey=\*\*\*") as told:
        list(read(source, HttpFetch(source, limits=QUICK), ""))
    assert "hush" not in str(told.value)


def test_an_unchanged_list_says_so_and_nothing_else(server: Server) -> None:
    source = replace(SOURCE, url=server.on("/list.json", Reply(json.dumps([row(1)]), etag='"1"')))
    fetch = HttpFetch(source, limits=QUICK)
    assert len(records(list(read(source, fetch, "")))) == 1
    again = HttpFetch(source, limits=QUICK, validators=fetch.validators_seen)
    assert list(read(source, again, "")) == [Page((), unchanged=True)]
    assert len(list(read(source, again, "0 x"))) == 1  # who goes on from a mark needs the list itself


def test_a_reading_that_was_left_leaves_no_validators(server: Server) -> None:
    source = replace(SOURCE, url=server.on("/list.json", Reply(json.dumps([row(n) for n in range(500)]), etag='"1"')))
    fetch = HttpFetch(source, limits=QUICK)
    reading = read(source, fetch, "")
    next(reading)
    reading.close()
    assert fetch.validators_seen == {}


ODD = [7, None, [1], "text", {}, {"标题": None}, {"标题": {"a": 1}, "所属部门": ["x"]}, {"标题": "空\0字符"},
       {f"字段{n}": n for n in range(300)}, {"标题": "长" * 100_000, "url": 1e300}]  # fmt: skip


def test_odd_rows_keep_no_other_out(server: Server) -> None:
    body = (
        json.dumps([row(1), *ODD])[:-1] + ", " + '{"标题":' + "[" * 200 + "]" * 200 + "}, " + json.dumps(row(2)) + "]"
    )
    found = records(pages(replace(SOURCE, url=server.on("/list.json", Reply(body)))))
    assert len(found) == len(ODD) + 3
    assert [record.raw.get("title") for record in (found[0], found[-1])] == ["目录1", "目录2"]
    odd = {record.where: [p.message for p in record.problems] for record in found if record.problems}
    told = [f"来源“{SOURCE.title}”第 {number} 条不是一个对象，未读入" for number in (2, 3, 4, 5)]
    assert [message for messages in odd.values() for message in messages] == [
        *told,
        f"来源“{SOURCE.title}”第 12 条嵌套超过 64 层，未读入",
    ]
    assert "\0" not in json.dumps([record.raw for record in found], ensure_ascii=False)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply("<html><title>维护中</title>", type="text/html"), "返回的是网页“维护中”，不是 JSON"),
        (as_json({"message": "no"}), "应当是一个 JSON 数组"),
        (Reply(""), "内容是空的"),
        (Reply(json.dumps([row(n) for n in range(900)])[:-40]), "的 JSON 在第 900 条处断了或者写错了：内容不完整"),
        (Reply(json.dumps([row(1)])[:-1] + ", \x01\x02]"), "在第 2 条处断了或者写错了"),
    ],
)
def test_what_is_no_list(server: Server, reply: Reply, said: str) -> None:
    source = replace(SOURCE, url=server.on("/list.json", reply))
    with pytest.raises(SourceError, match=said) as told:
        pages(source)
    assert source.url in str(told.value)


def test_an_empty_list_is_one(server: Server) -> None:
    assert pages(replace(SOURCE, url=server.on("/list.json", as_json([]))))[0].records == ()


def test_a_list_within_an_object(server: Server) -> None:
    source = replace(
        SOURCE, url=server.on("/a", as_json({"data": {"rows": [row(1), row(2)]}})), options={"array": "data.rows"}
    )
    assert len(records(pages(source))) == 2


def test_a_reader_of_its_own_comes_with_the_project_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = replace(SOURCE, name="odd-one", reader="own")
    with pytest.raises(SourceError, match=r"没有 sources/odd-one/reader\.py"):
        reader_of(source)
    (tmp_path / "odd-one").mkdir()
    (tmp_path / "odd-one" / "reader.py").write_text("def read(source, fetch, resume):\n    yield source.name\n")
    monkeypatch.setattr("mulu_harvest.readers.SOURCES", tmp_path)
    assert list(reader_of(source)(source, HttpFetch(source), "")) == ["odd-one"]
