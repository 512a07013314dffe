"""The published catalogue for other catalogues: the feed of changes, data.json, DCAT; nothing unpublished, nothing lost."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from ckan import model
from rdflib import DCAT, DCTERMS, Graph, Namespace, URIRef
from sqlalchemy import func, insert, select, text
from town import ENTRY

from ckanext.mulu.feeds import changes
from ckanext.mulu.model.tables import entry_version
from mulu.entry import Entry, class_of
from mulu.fields import FIELDS
from mulu_site.words import WITHHELD

HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
CONDITIONAL = {
    "share_type": "conditional", "share_condition": "限民政业务使用",
    "open_type": "conditional", "open_condition": "限研究使用",
}  # fmt: skip
MIXED_ITEMS = [{**ENTRY["items"][0], "name": "补贴金额"}, {**ENTRY["items"][0], "name": "户主姓名", "share_type": "conditional", "open_type": "conditional"}]


@pytest.fixture(scope="module")
def world(town):
    """Entries of every kind that the public may meet, by what they are."""
    file = {"name": "名录文件", "url": "https://open.example/parks.csv", "format": "CSV"}
    closed = {"name": "名册文件", "url": "https://closed-host.example/x.csv", "format": "CSV"}
    town.shown = {
        "open": town.published("城市公园名录", resources=[file], contact="0730-1234567", source_department="jiaoyu"),
        "conditional": town.published("低保对象名册", resources=[closed], **CONDITIONAL),
        "mixed": mixed(town),
    }
    town.draft("尚未公布的名册")
    return town


def mixed(town: Any) -> dict[str, Any]:
    draft = town.draft("农户补贴名册", items=MIXED_ITEMS, share_condition="限民政业务使用", open_condition="限研究使用")
    upload = (io.BytesIO("补贴金额,户主姓名\n1,甲\n".encode()), "subsidy.csv")
    town.do("editor", "resource_create", package_id=draft["id"], name="补贴表", format="CSV", upload=upload)
    return town.publish(draft)


def get(town: Any, url: str, **headers: str) -> Any:
    return town.app.test_client(use_cookies=False).get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})


def feed(town: Any, **query: Any) -> dict[str, Any]:
    answer = get(town, "/mulu/feed?" + urlencode(query))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


def all_pages(town: Any, **query: Any) -> list[dict[str, Any]]:
    """The entries of all pages, as a harvester reads them."""
    page = feed(town, **query)
    found = page["entries"]
    while page["next"]:
        assert len(page["entries"]) == query.get("limit", changes.USUAL)
        parts = urlsplit(page["next"])
        answer = get(town, f"{parts.path}?{parts.query}")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert answer.json["total"] == page["total"] and answer.json["complete_until"] == page["complete_until"]
        page = answer.json
        found = found + page["entries"]
    assert len(found) == page["total"]
    return found


def by_title(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["entry"]["title"]: one for one in entries if "entry" in one}


def test_the_feed_tells_what_is_published_and_as_it_is(world):
    page = feed(world)
    assert (page["mulu_feed"], page["place"], page["next"], page["total"]) == (1, "华容县", "", 3)
    assert set(by_title(page["entries"])) == {"城市公园名录", "低保对象名册", "农户补贴名册"}
    one = by_title(page["entries"])["城市公园名录"]
    package = world.shown["open"]
    assert (one["id"], one["name"], one["version"]) == (package["id"], package["name"], 1)
    assert (one["provider"], one["provider_title"], one["source_department_title"]) == ("minzheng", "机构minzheng", "机构jiaoyu")
    entry = one["entry"]
    assert entry["resource_code"] == package["resource_code"] and entry["classification"] == ENTRY["classification"]
    assert entry["items"] == ENTRY["items"] and class_of(entry) == class_of({**ENTRY, **entry})
    assert entry["resources"][0]["url"] == "https://open.example/parks.csv"
    assert Entry.from_dict(entry).to_dict() == entry, "another installation reads all of it"
    assert one["page"].endswith(f"/entry/{package['name']}/")


def test_who_reviewed_is_not_told(world):
    for one in feed(world)["entries"]:
        assert not set(one["entry"]) & WITHHELD and set(one["entry"]) <= {field.key for field in FIELDS}
    assert "保密员" not in json.dumps(feed(world), ensure_ascii=False)


def test_what_is_not_open_is_told_of_and_not_given(world):
    told = by_title(feed(world)["entries"])
    [closed] = told["低保对象名册"]["entry"]["resources"]
    assert closed["name"] == "名册文件" and "url" not in closed and "hash" not in closed
    [table] = told["农户补贴名册"]["entry"]["resources"]
    assert "/mulu/data/open/" in table["url"], "the open columns have an address of their own"
    assert "closed-host" not in json.dumps(told, ensure_ascii=False)


def test_pages_hold_each_entry_once_in_the_order_of_publication(world):
    for limit in (1, 2, 3):
        found = all_pages(world, limit=limit)
        assert [one["published_at"] for one in found] == sorted(one["published_at"] for one in found)
        assert len({one["id"] for one in found}) == len(found) == 3


def test_what_changes_while_it_is_read_is_told_once_and_again_afterwards(world):
    """An entry published anew is in the reading that has begun (as it is now), and in the next one; a new one only in the next."""
    first = feed(world, limit=1)
    read = {one["id"] for one in first["entries"]}
    later = next(one for one in all_pages(world) if one["id"] not in read)
    change(world, later["id"], notes="各乡镇按月上报，更改于阅读之中。")
    new = world.published("阅读之中新公布的")
    rest, following = [], first["next"]
    while following:
        page = get(world, following).json
        rest, following = rest + page["entries"], page["next"]
    assert sorted(one["id"] for one in rest + first["entries"]) == sorted(one["id"] for one in world.shown.values())
    assert next(one for one in rest if one["id"] == later["id"])["entry"]["notes"] == "各乡镇按月上报，更改于阅读之中。"
    again = all_pages(world, since=first["complete_until"])
    assert {one["id"] for one in again} == {later["id"], new["id"]}
    world.shown["new"] = new


def change(town: Any, package_id: str, **fields: Any) -> None:
    town.do("editor", "package_patch", id=package_id, **fields)
    case = town.do("editor", "package_show", id=package_id)["mulu_case"]
    town.event("editor", case, "submit")
    town.event("head", case, "head_agree", secrecy_review=REVIEW, privacy_review=REVIEW)
    town.event("authority", case, "publish")


REVIEW = {"by": "保密员", "on": "2025-01-02", "conclusion": "不涉密"}


def test_only_the_last_version_is_told(world):
    before = feed(world)["complete_until"]
    package = world.shown["open"]["id"]
    for notes in ("先改一次。", "再改一次。"):
        change(world, package, notes=notes)
    [one] = all_pages(world, since=before)
    assert (one["id"], one["entry"]["notes"], one["version"]) == (package, "再改一次。", 3)
    assert all_pages(world, since=feed(world)["complete_until"]) == []


def test_what_is_withdrawn_is_told_since_and_left_out_of_the_whole(world):
    package = world.published("将要撤销的")["id"]
    before, tag = feed(world)["complete_until"], get(world, "/mulu/feed").headers["ETag"]
    subject = {"type": "entry", "id": package}
    case = world.do("editor", "mulu_case_open", procedure="withdrawal", subject=subject, data={"cause": "ceased", "reason": "不再产生（测试）"})["id"]
    world.event("head", case, "head_agree")
    assert package in {one["id"] for one in all_pages(world)}, "until it is decided it is published"
    world.event("authority", case, "agree", reason="同意（测试）")
    [one] = all_pages(world, since=before)
    assert {**one, "withdrawn_at": ""} == {"id": package, "withdrawn": True, "withdrawn_at": ""}
    assert package not in {one["id"] for one in all_pages(world)}
    assert get(world, "/mulu/feed", If_None_Match=tag).status_code == 200
    for url in (f"/dataset/{package}.ttl", "/catalog.ttl", "/data.json"):
        assert "将要撤销的" not in get(world, url).get_data(as_text=True), url


def test_nothing_is_passed_by_while_somebody_is_still_writing(world):
    """Two connections: the one that began first ends last. What it publishes is told in the next reading, whatever came between."""
    one, other = world.shown["conditional"]["id"], world.shown["mixed"]["id"]
    slow, quick = (model.meta.engine.connect() for _ in range(2))
    try:
        begun = slow.begin()
        slow.execute(text("select 1"))  # its transaction has begun, and it has written nothing yet
        start = feed(world)["complete_until"]
        write(slow, one)
        with quick.begin():
            write(quick, other)
        tag = get(world, "/mulu/feed").headers["ETag"]
        between = feed(world, since=start)
        assert between["entries"] == [], "the quick one is held back: the slow one may stand before it"
        begun.commit()
        assert [entry["id"] for entry in all_pages(world, since=between["complete_until"])] == [one, other]
        assert get(world, "/mulu/feed", If_None_Match=tag).status_code == 200
    finally:
        slow.close()
        quick.close()


def test_what_is_held_back_comes_even_if_the_slow_one_gives_up(world):
    slow, quick = (model.meta.engine.connect() for _ in range(2))
    try:
        given_up = slow.begin()
        write(slow, world.shown["conditional"]["id"])
        start = feed(world)["complete_until"]
        with quick.begin():
            write(quick, world.shown["mixed"]["id"])
        held = get(world, f"/mulu/feed?since={start}")
        assert held.json["entries"] == []
        given_up.rollback()
        again = get(world, f"/mulu/feed?since={start}", If_None_Match=held.headers["ETag"])
        assert [entry["id"] for entry in again.json["entries"]] == [world.shown["mixed"]["id"]]
    finally:
        slow.close()
        quick.close()


def test_a_writer_who_began_long_ago_writes_in_the_present(world):
    slow = model.meta.engine.connect()
    try:
        begun = slow.begin()
        slow.execute(text("select pg_sleep(0.05)"))
        before = feed(world)["complete_until"]
        write(slow, world.shown["mixed"]["id"])
        begun.commit()
        assert [entry["id"] for entry in all_pages(world, since=before)] == [world.shown["mixed"]["id"]]
    finally:
        slow.close()


def write(connection: Any, package_id: str) -> None:
    """Another version of an entry, as the end of a decision writes it."""
    rows = select(entry_version).where(entry_version.c.package_id == package_id).order_by(entry_version.c.version.desc())
    last = connection.execute(rows).first()
    values = {**last._mapping, "version": last.version + 1, "published_at": func.now()}
    connection.execute(insert(entry_version).values(**values))


def test_who_has_it_already_is_told_so(world):
    for url in ("/mulu/feed", "/mulu/feed?limit=1", "/data.json", "/catalog.ttl", "/catalog.xml", f"/dataset/{world.shown['open']['name']}.jsonld"):
        answer = get(world, url)
        tag = answer.headers["ETag"]
        again = get(world, url, If_None_Match=tag)
        assert (again.status_code, again.get_data()) == (304, b""), url
        assert again.headers["ETag"] == tag
    tag = get(world, "/mulu/feed").headers["ETag"]
    assert get(world, "/mulu/feed?limit=1", If_None_Match=tag).status_code == 200, "another question"
    change(world, world.shown["new"]["id"], notes="为了标签而改。")
    assert get(world, "/mulu/feed", If_None_Match=tag).status_code == 200


@pytest.mark.parametrize(
    ("query", "rules"),
    [
        ("since=yesterday", {"bad_time"}),
        ("since=2999-01-01", {"bad_time"}),
        ("since=0001-01-01", {"bad_time"}),
        ("since=%00", {"bad_time"}),
        ("limit=0", {"bad_limit"}),
        ("limit=501", {"bad_limit"}),
        ("limit=%C2%B2", {"bad_limit"}),
        ("after=xyz", {"bad_cursor"}),
        ("after=W10", {"bad_cursor"}),
        ("after=WyIyOTk5LTAxLTAxVDAwOjAwOjAwKzAwOjAwIiwxLCIyMDIwLTAxLTAxVDAwOjAwOjAwKzAwOjAwIiwieCJd", {"bad_cursor"}),
        ("sicne=2020-01-01", {"unknown"}),
        ("since=x&after=y&limit=z&w=1", {"bad_time", "bad_cursor", "bad_limit", "unknown"}),
    ],
)
def test_what_is_asked_wrongly_is_told_all_at_once(world, query, rules):
    answer = get(world, f"/mulu/feed?{query}")
    assert answer.status_code == 400
    assert {problem["rule"] for problem in answer.json["problems"]} == rules
    assert all(problem["message"] for problem in answer.json["problems"])


def test_a_time_is_taken_as_people_write_it(world):
    assert len(all_pages(world, since="2020-01-01")) > 3
    for written in ("2020-01-01T00:00:00", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00%2B08:00", "2020-01-01T00:00:00+08:00"):
        assert get(world, f"/mulu/feed?since={written}").status_code == 200, written


def test_data_json_holds_the_whole_catalogue(world, monkeypatch):
    monkeypatch.setattr("ckanext.mulu.feeds.published.by_name.__defaults__", ("", 1, 0))
    document = get(world, "/data.json").json
    told = {one["title"]: one for one in document["dataset"]}
    assert set(told) == set(by_title(all_pages(world)))
    assert told["低保对象名册"]["accessLevel"] == "restricted public" and "distribution" not in told["低保对象名册"]
    one = told["城市公园名录"]
    assert (one["accessLevel"], one["publisher"]["name"]) == ("public", "机构minzheng")
    assert one["distribution"][0]["downloadURL"] == "https://open.example/parks.csv"


@pytest.mark.parametrize(("form", "parser"), [("ttl", "turtle"), ("jsonld", "json-ld"), ("xml", "xml"), ("rdf", "xml")])
def test_the_catalogue_as_dcat_is_read_page_by_page(world, monkeypatch, form, parser):
    monkeypatch.setattr("ckanext.mulu.feeds.catalogue.PAGE", 2)
    titles, url, pages = set(), f"/catalog.{form}", 0
    while url:
        answer = get(world, url)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        graph = Graph().parse(data=answer.get_data(), format=parser)
        found = {str(graph.value(one, DCTERMS.title)) for one in graph.subjects(predicate=None, object=DCAT.Dataset)}
        assert len(found) <= 2 and not found & titles
        titles |= found
        following = graph.value(None, HYDRA.next) or next(graph.objects(None, HYDRA.next), None)
        url, pages = str(following or ""), pages + 1
    assert titles == set(by_title(all_pages(world))) and pages == -(-len(titles) // 2)
    assert get(world, f"/catalog.{form}?page={pages + 1}").status_code == 404


def test_one_entry_as_dcat(world):
    package = world.shown["conditional"]
    graph = Graph().parse(data=get(world, f"/dataset/{package['name']}.ttl").get_data(), format="turtle")
    [one] = graph.subjects(predicate=None, object=DCAT.Dataset)
    assert str(graph.value(one, DCTERMS.title)) == "低保对象名册"
    assert graph.value(one, DCTERMS.accessRights) == URIRef("http://publications.europa.eu/resource/authority/access-right/RESTRICTED")
    assert "closed-host" not in graph.serialize()
    assert get(world, f"/dataset/{package['id']}.xml").status_code == 200
    assert get(world, "/dataset/no-such-entry.ttl").status_code == 404
    assert get(world, "/catalog.ttl?page=x").status_code == 400 == get(world, "/catalog.ttl?page=0").status_code


def test_without_a_public_site_the_portal_is_where_pages_are(world, ckan_config):
    ckan_config["mulu.site_url"] = ""
    package = world.shown["open"]
    one = by_title(feed(world)["entries"])["城市公园名录"]
    assert one["page"] == f"{ckan_config['ckan.site_url']}/dataset/{package['name']}"
    graph = Graph().parse(data=get(world, f"/dataset/{package['name']}.ttl").get_data(), format="turtle")
    assert URIRef(one["page"]) in set(graph.subjects())
    assert get(world, urlsplit(one["page"]).path).status_code == 200


def test_harvesters_may_read_what_is_meant_for_them(world):
    from protego import Protego

    rules = Protego.parse(get(world, "/robots.txt").get_data(as_text=True))
    for path in ("/mulu/feed?since=2025-01-01", "/data.json", "/catalog.ttl?page=2", "/dataset/x.ttl", "/api/3/action/package_search"):
        assert rules.can_fetch(path, "Mulu") and rules.can_fetch(path, "another"), path
    assert not rules.can_fetch("/mulu/inbox", "another")
    assert rules.crawl_delay("Mulu") is None
