"""One installation harvests another, both real, until both are equal: their public feeds are compared, entry by entry.

The county (``peer``) has a web process, a database, a core and a Redis number of its own; the city is the portal under test.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import peer as peer_module
import pytest
from ckan import model
from sqlalchemy import select
from town import ENTRY, Town

from ckanext.mulu import drift
from ckanext.mulu.harvest.execute import execute
from ckanext.mulu.model.tables import case as case_table
from mulu.entry import class_of
from mulu_harvest.fetch import HttpFetch
from mulu_harvest.readers import reader_of
from mulu_harvest.source import Source, parse

CONDITIONAL = {
    "share_type": "conditional", "share_condition": "限民政业务使用，不得转作他用",
    "open_type": "conditional", "open_condition": "限研究使用，须注明来源",
}  # fmt: skip
CLOSED = {
    "share_type": "none", "share_basis": "《中华人民共和国档案法》第二十八条",
    "open_type": "none", "open_ground": "state_secret", "open_basis": "《中华人民共和国保守国家秘密法》第十三条", "open_review_on": "2027-06-30",
}  # fmt: skip
OPEN = {"share_type": "unconditional", "share_condition": "", "open_type": "unconditional", "open_condition": ""}
MIXED = {
    "items": [{**ENTRY["items"][0], "name": "补贴金额"}, {**ENTRY["items"][0], "name": "户主姓名", "share_type": "conditional", "open_type": "conditional"}],
    "share_condition": "限民政业务使用", "open_condition": "限研究使用",
}  # fmt: skip
NAME = "linxiang"
SETTINGS = {
    "title": "临湘市政务数据目录（虚构）", "publisher": "临湘市（虚构）", "reader": "mulu", "licence": "未说明", "arrives": "publish", "create_departments": True,
}  # fmt: skip
OWN = ("source", "provider", "source_department", "published_on")
"""Of an entry what is each installation's own: where it has it from, its slugs for departments (compared by their names), and the day
of its own publication."""


class County:
    """The peer with its entries, by what they are."""

    def __init__(self, peer: peer_module.Peer) -> None:
        self.peer = peer
        table = {"name": "名录，含“地址”", "url": "https://open.example/公园.csv", "format": "CSV", "description": "每年一份"}
        self.ids = {
            "open": self.add("城市公园名录", resources=[table], source_department="linxiang-sl", data_updated_on="2026-10-01", contact="0730-1234567"),
            "conditional": self.add("低保对象名册", files=("低保.csv", "姓名,金额\n甲,1\n"), **CONDITIONAL),
            "closed": self.add("涉密地形资料", **CLOSED),
            "mixed": self.add("农户补贴名册", files=("补贴.csv", "补贴金额,户主姓名\n1,甲\n"), **MIXED),
            "odd": self.add("𠮷镇“三资”台账（2024—2025年）〇", 1, notes="含生僻字𠮷、全角ＡＢＣ与换行：\n第二行。", spatial="临湘市全境", temporal="2024/2025"),
            "theme": self.add("水库水位实时监测", 1, catalogue_kind="theme", theme="水利", classification=["2", "01", "001"], update_frequency="realtime"),
        }

    def add(self, title: str, department: int = 0, *, files: tuple[str, str] | None = None, **more: Any) -> str:
        draft = self.peer.draft(title, department, **more)
        if files:
            upload = (files[0], io.BytesIO(files[1].encode()))
            self.peer.do(f"editor {department}", "resource_create", package_id=draft["id"], name="名册文件", format="CSV", upload=upload)
        return str(self.peer.publish(draft["id"], department)["id"])

    def feed(self) -> dict[str, dict[str, Any]]:
        return by_code(pages(lambda url: self.peer.get(url).json()))


@pytest.fixture(scope="module")
def county() -> Iterator[County]:
    with peer_module.running() as peer:
        yield County(peer)


@pytest.fixture(scope="module")
def city(town: Town, county: County) -> Town:
    town.do("authority", "mulu_harvest_source_create", name=NAME, settings={**SETTINGS, "url": county.peer.url})
    return town


def pages(get: Callable[[str], dict[str, Any]]) -> list[dict[str, Any]]:
    """All entries of a feed, in pages that are smaller than it is."""
    found, following = [], "/mulu/feed?limit=2"
    while following:
        page = get(following)
        found, following = found + page["entries"], page["next"]
    return found


def feed(town: Town) -> dict[str, dict[str, Any]]:
    def get(url: str) -> dict[str, Any]:
        parts = urlsplit(url)
        return town.request("anonymous", f"{parts.path}?{parts.query}").json

    return by_code(pages(get))


def by_code(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["entry"]["resource_code"]: comparable(one) for one in found}


def comparable(one: dict[str, Any]) -> dict[str, Any]:
    """What two installations must say alike of an entry."""
    entry = {key: value for key, value in one["entry"].items() if key not in OWN}
    resources = [{key: value for key, value in row.items() if key != "id"} for row in entry.pop("resources", [])]
    return {"name": one["name"], "provider": one["provider_title"], "source_department": one["source_department_title"], "resources": resources, "entry": entry}


def harvest(city: Town) -> dict[str, Any]:
    """One run, to where it ends."""
    run = city.do("authority", "mulu_harvest_run_create", name=NAME)
    return carry_out(city, run["id"])


def carry_out(city: Town, run_id: str) -> dict[str, Any]:
    execute(run_id)
    return city.do("authority", "mulu_harvest_run_show", id=run_id)


def decide_classes(city: Town) -> int:
    """The city's authority agrees to the changes of class that wait for it; how many there were."""
    table = case_table.c
    waiting = model.Session.execute(select(table.id).where(table.procedure == "classification_change", table.is_open)).scalars().all()
    for case in waiting:
        city.event("authority", case, "agree", reason="与来源地一致（测试）")
    return len(waiting)


def counted(run: dict[str, Any]) -> dict[str, int]:
    return {key: value for key, value in run["counts"].items() if value}


def test_the_first_run_brings_all(city: Town, county: County) -> None:
    run = harvest(city)
    assert (run["state"], run["error"], run["problems"]) == ("done", "", [])
    assert counted(run) == {"read": len(county.ids), "added": len(county.ids)}
    assert feed(city) == county.feed()
    departments = {one["provider"] for one in feed(city).values()}
    assert departments == {one["title"] for one in peer_module.DEPARTMENTS}
    assert city.do("anonymous", "organization_show", id="minzheng")["package_count"] == 4, "a department that was there under this name"


def test_nothing_that_is_closed_there_is_open_here(city: Town, county: County) -> None:
    told = feed(city)
    shown = {one["entry"]["title"]: one for one in told.values()}
    [closed] = shown["低保对象名册"]["resources"]
    assert "url" not in closed
    [mixed] = shown["农户补贴名册"]["resources"]
    assert mixed["url"].startswith(f"{county.peer.url}/mulu/data/open/"), "the open columns are had from where they lie"
    assert {one["entry"]["title"]: class_of(one["entry"]) for one in told.values()} == {
        one["entry"]["title"]: class_of(one["entry"]) for one in county.feed().values()
    }


def test_it_is_found_here_and_the_index_agrees(city: Town, county: County) -> None:
    assert city.found(q="水位") == ["水库水位实时监测"]
    assert set(city.found()) == {one["entry"]["title"] for one in county.feed().values()}
    assert not any(drift.compare().values())


def test_a_second_run_finds_nothing(city: Town, county: County) -> None:
    run = harvest(city)
    assert (run["state"], counted(run)) == ("done", {"read": len(county.ids), "unchanged": len(county.ids)})
    assert feed(city) == county.feed()


def test_what_changes_there_changes_here(city: Town, county: County) -> None:
    """One is changed, one withdrawn, one opened further, one new; the class waits for the city's own authority."""
    ids, peer = county.ids, county.peer
    peer.change(ids["odd"], 1, notes="改写的摘要。", items=[*ENTRY["items"], {**ENTRY["items"][0], "name": "新增的信息项"}])
    peer.withdraw(ids["theme"], 1)
    peer.change_class(ids["conditional"], OPEN)
    county.add("新建的学校名录")
    run = harvest(city)
    assert (run["state"], run["error"]) == ("done", "")
    assert counted(run) == {"read": 6, "added": 1, "changed": 2, "unchanged": 3, "removed": 1}
    before = feed(city)
    assert before != county.feed() and {one["entry"]["title"] for one in before.values()} == {one["entry"]["title"] for one in county.feed().values()}
    assert decide_classes(city) == 1
    assert feed(city) == county.feed()
    assert not any(drift.compare().values())


def test_a_class_that_is_closed_there_waits_for_a_person_here(city: Town, county: County) -> None:
    county.peer.change_class(county.ids["conditional"], {key: CONDITIONAL[key] for key in OPEN})
    run = harvest(city)
    assert run["state"] == "held" and {reason["rule"] for reason in run["reasons"]} == {"closed"}
    assert feed(city) != county.feed()
    city.event("authority", run["case_id"], "apply", reason="来源地已依法变更（测试）")
    assert carry_out(city, run["id"])["state"] == "done"
    assert decide_classes(city) == 1
    assert feed(city) == county.feed()


def test_the_last_run_finds_nothing(city: Town, county: County) -> None:
    run = harvest(city)
    assert (run["state"], counted(run)) == ("done", {"read": 6, "unchanged": 6})
    assert not any(drift.compare().values())


@pytest.mark.parametrize("reader", ["mulu", "ckan", "dcat", "data_json"])
def test_every_reader_can_read_the_portal(city: Town, county: County, reader: str) -> None:
    """Who does not speak our feed takes CKAN's API, DCAT or data.json."""
    paths = {"dcat": "/catalog.ttl", "data_json": "/data.json"}
    records = read(parse("county", {**SETTINGS, "reader": reader, "url": county.peer.url + paths.get(reader, ""), "arrives": "draft"}))
    told = {one["entry"]["title"]: one for one in county.feed().values()}
    stated = {(record.entry or record.raw)["title"]: record for record in records}
    assert stated.keys() == told.keys()
    assert {title: record.raw["provider"] for title, record in stated.items()} == {title: one["provider"] for title, one in told.items()}
    assert len({record.id for record in records}) == len(records)


def test_what_comes_back_to_the_county_bears_its_codes_and_classes(city: Town, county: County) -> None:
    """The city's feed, read over HTTP as the county would: the same entries, from another source."""
    from threading import Thread

    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, city.app.flask_app)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        records = read(parse("city", {**SETTINGS, "url": f"http://127.0.0.1:{server.server_port}", "arrives": "draft"}))
    finally:
        server.shutdown()
    told = county.feed()
    assert {record.entry["resource_code"]: class_of(record.entry) for record in records} == {code: class_of(one["entry"]) for code, one in told.items()}
    assert {record.entry["resource_code"]: record.raw["provider"] for record in records} == {code: one["provider"] for code, one in told.items()}
    assert not {record.id for record in records} & set(county.ids.values())


def read(source: Source) -> list[Any]:
    fetch = HttpFetch(source, validators={}, stopped=lambda: False)
    return [record for page in reader_of(source)(source, fetch, "") for record in page.records]
