"""DCAT feeds: what a dataset says and in which language, pages, hostile documents, and our own feed back again."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from rdflib import Graph
from reading import drafts, errors, pages, records, source
from server import Reply, Server, serving

from mulu.profile import Profile
from mulu_harvest.fetch import HttpFetch
from mulu_harvest.record import Record
from mulu_harvest.source import SourceError
from mulu_site.build import build
from mulu_site.generate import generate
from mulu_site.snapshot import open_snapshot

FEED = Path(__file__).parent / "feeds" / "directory.ttl"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def feed() -> dict[str, Record]:
    return {record.id: record for record in records("dcat", FEED)}


def page(*datasets: str, after: str = "") -> str:
    prefixes = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> . @prefix hydra: <http://www.w3.org/ns/hydra/core#> ."
    tied = f'[] a hydra:PagedCollection ; hydra:totalItems 3 ; hydra:next "{after}" .' if after else ""
    return "\n".join([prefixes, *(f'<{one}> a dcat:Dataset ; dct:title "目录 {one[-1]}"@zh .' for one in datasets), tied])


def test_a_dataset_in_our_words(feed: dict[str, Record], profile: Profile) -> None:
    record = feed["307001/00012"]
    [draft] = drafts([record], profile)
    assert record.raw["provider"] == "测试民政局"
    assert {key: draft.entry.get(key) for key in draft.entry if key not in ("provider", "source", "resources")} == {
        "title": "养老机构名录",
        "notes": "登记在册的养老机构及其床位。\n按月更新。",
        "resource_code": "307001/00012",
        "classification": ["3", "07", "001"],
        "catalogue_kind": "department",
        "open_type": "conditional",
        "open_condition": "须说明用途",
        "update_frequency": "monthly",
        "published_on": "2024-03-05",  # half past midnight in Beijing
        "license_id": "cc-by",
        "theme": "social_security",
        "open_theme": "人口和社会",
        "spatial": "测试县全境",
        "contact": "测试民政局办公室，minzheng@data.example，0730-0000000",
        "format_type": "csv",
        "format_class": "spreadsheet",
        "format_other": "api",
    }
    assert draft.entry["source"] == {"name": "ceshi", "url": "https://data.example/pages/1", "id": "307001/00012"}
    assert draft.entry["resources"] == [
        {"name": "名录", "url": "https://data.example/1.csv", "format": "CSV", "size": "2048"},
        {"name": "服务", "url": "https://data.example/api/1", "format": "API"},
    ]
    assert ("data_updated_on", "bad_date") in {(p.field, p.rule) for p in draft.problems}  # a month is no day


def test_what_no_vocabulary_of_ours_says_is_told_and_not_filled_in(feed: dict[str, Record], profile: Profile) -> None:
    record = feed["https://data.example/2"]
    [draft] = drafts([record], profile)
    assert not {"open_type", "update_frequency", "license_id", "published_on", "provider"} & set(draft.entry)
    told = {(p.field, p.rule, p.severity) for p in draft.problems}
    assert told >= {
        ("open_type", "not_in_list", "error"), ("update_frequency", "not_in_list", "error"), ("published_on", "bad_date", "error"),
        ("license_id", "not_in_list", "warning"), ("provider", "publisher_unnamed", "warning"),
    }  # fmt: skip
    assert all("第 1 页的数据集 <https://data.example/2>" in p.message for p in record.problems)


def test_the_sources_own_words_come_before_the_vocabulary(profile: Profile) -> None:
    settings = {
        "departments": {"https://data.example/org/shuili": "测试水利局"},
        "lookups": {"open_type": {"http://publications.europa.eu/resource/authority/access-right/SENSITIVE": "none"}},
    }
    found = {record.id: record for record in records("dcat", FEED, **settings)}
    record = found["https://data.example/2"]
    assert record.raw["provider"] == "https://data.example/org/shuili"  # the run takes its name from the settings
    [draft] = drafts([record], profile, **settings["lookups"])
    assert draft.entry["open_type"] == "none"


def test_odd_datasets(feed: dict[str, Record]) -> None:
    assert "https://data.example/elsewhere" not in feed  # a node that is only said to be a dataset, by who relates to it
    assert "title" not in feed["https://data.example/3"].raw
    assert set(feed["https://data.example/gone"].raw) == {"source"}  # named by the catalogue, described nowhere
    [made] = [record for record in feed.values() if record.raw.get("title") == "没有网址的数据集"]
    assert [p.rule for p in made.problems] == ["id_made"]
    assert made.id == next(r.id for r in records("dcat", FEED) if r.raw.get("title") == "没有网址的数据集")
    assert len(feed) == 5


@pytest.mark.parametrize(("form", "type"), [("xml", "application/rdf+xml"), ("json-ld", "application/ld+json"), ("nt", "application/n-triples")])
@pytest.mark.parametrize("stated", [True, False])
def test_every_spelling_says_the_same(server: Server, feed: dict[str, Record], form: str, type: str, stated: bool) -> None:
    body = Graph().parse(FEED).serialize(format=form)
    url = server.on("/feed", Reply(body, type=type if stated else "text/plain"))
    found = {record.id: record.raw for record in records("dcat", url)}
    assert found == {key: record.raw for key, record in feed.items()}


def test_pages_one_after_the_other_and_going_on_from_a_mark(server: Server) -> None:
    server.on("/1", Reply(page("https://a.example/1", "https://a.example/2", after="/2"), type="text/turtle", etag='"a"'))
    server.on("/2", Reply(page("https://a.example/3"), type="text/turtle"))
    made = source("dcat", server.url + "/1")
    fetch = HttpFetch(made)
    found = pages("dcat", made.url, fetch=fetch)
    assert [[record.id[-1] for record in one.records] for one in found] == [["1", "2"], ["3"]]
    assert [one.total for one in found] == [3, None]
    assert [one.mark for one in found] == [f"2 {server.url}/2", ""]
    assert fetch.validators_seen == {}  # the first page's 304 would say nothing of the second
    [rest] = pages("dcat", made.url, resume=found[0].mark)
    assert rest.records[0].where == "第 2 页的数据集 <https://a.example/3>"


def test_a_large_page_comes_in_parts(server: Server) -> None:
    many = [f"https://a.example/{n:04}" for n in range(401)]
    server.on("/1", Reply(page("https://a.example/x", after="/2"), type="text/turtle"))
    server.on("/2", Reply(page(*many), type="text/turtle"))
    found = pages("dcat", server.url + "/1")
    assert [len(one.records) for one in found] == [1, 200, 200, 1]
    assert [one.mark for one in found] == [f"2 {server.url}/2"] * 3 + [""]


def test_one_page_that_did_not_change(server: Server) -> None:
    url = server.on("/1", Reply(page("https://a.example/1"), type="text/turtle", etag='"a"'))
    first = HttpFetch(source("dcat", url))
    assert len(pages("dcat", url, fetch=first)[0].records) == 1
    [again] = pages("dcat", url, fetch=HttpFetch(source("dcat", url), validators=first.validators_seen))
    assert again.unchanged and not again.records


def test_keys_in_addresses_are_not_told(server: Server) -> None:
    server.on("/1", Reply(page("https://a.example/1", after="/1?appkey=hush"), type="text/turtle"))
    for path, body in (("/1", None), ("/2", b"<a> <b> "), ("/3", b""), ("/4", b"<html>")):
        if body is not None:
            server.on(path, Reply(body, type="text/turtle"))
        with pytest.raises(SourceError) as told:
            pages("dcat", f"{server.url}{path}?appkey=hush")
        assert "hush" not in str(told.value) and "appkey=***" in str(told.value)


def test_pages_in_a_circle(server: Server) -> None:
    server.on("/1", Reply(page("https://a.example/1", after="/2"), type="text/turtle"))
    server.on("/2", Reply(page("https://a.example/2", after="/1"), type="text/turtle"))
    with pytest.raises(SourceError, match="绕成了圈"):
        pages("dcat", server.url + "/1")


LAUGHS = """<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "哈哈哈哈"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dct="http://purl.org/dc/terms/">
<rdf:Description rdf:about="https://a.example/1"><dct:title>&b;</dct:title></rdf:Description></rdf:RDF>"""


@pytest.mark.parametrize(
    ("body", "type", "reason"),
    [
        ("<!DOCTYPE html><html><head><title>请 登录</title></head></html>", "text/html", "返回的是网页“请 登录”"),
        ("<?xml version='1.0'?><html><title>维护中</title></html>", "application/rdf+xml", "返回的是网页“维护中”"),
        (LAUGHS, "application/rdf+xml", "声明了实体"),
        (LAUGHS.replace('"哈哈哈哈"', 'SYSTEM "file:///etc/passwd"'), "application/rdf+xml", "声明了实体"),
        ("", "text/turtle", "内容是空的"),
        ("\x00\x01\xff乱码", "text/turtle", "不是完整的 Turtle"),
        (page("https://a.example/1")[:-20], "text/turtle", "不是完整的 Turtle：第 2 行"),
        (b"\xb5\xcd\xb1\xa3", "text/turtle", "不是完整的 Turtle"),
        ("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Desc", "application/rdf+xml", "不是完整的 RDF/XML"),
        ('{"@graph": [', "application/ld+json", "不是完整的 JSON-LD"),
        ("[" * 100_000, "application/ld+json", "嵌套太深|不是完整的 JSON-LD"),
        ('{"@context": "https://context.example/c.jsonld", "@id": "https://a.example/1"}', "application/ld+json", "外部语境.*context.example"),
        ('{"@context": {"@import": "https://context.example/c"}, "@id": "https://a.example/1"}', "application/ld+json", "外部语境"),
        ('{"@context": {"t": {"@id": "http://t", "@context": ["https://context.example/c"]}}}', "application/ld+json", "外部语境"),
        ("@prefix dct: <http://purl.org/dc/terms/> .\n<https://a.example/1> dct:title '甲' ; old:name '乙' .", "text/turtle", "第 2 行.*old:.*options.prefixes"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(server: Server, body: str | bytes, type: str, reason: str) -> None:
    url = server.on("/feed", Reply(body, type=type))
    with pytest.raises(SourceError, match=reason):
        pages("dcat", url)


def test_prefixes_that_a_document_forgot(server: Server) -> None:
    body = page("https://a.example/1").replace("@prefix dct: <http://purl.org/dc/terms/> .", "")
    url = server.on("/feed", Reply(body, type="text/turtle"))
    [record] = records("dcat", url, options={"prefixes": {"dct": "http://purl.org/dc/terms/"}})
    assert record.raw["title"] == "目录 1"


def test_a_page_that_is_too_large(server: Server) -> None:
    url = server.on("/feed", Reply(page("https://a.example/1") + "#" * 2**20, type="text/turtle"))
    with pytest.raises(SourceError, match=r"一页超过 1 MiB.*hydra:next"):
        pages("dcat", url, options={"max_page_bytes": 2**20})


def test_nothing_but_the_feed_is_asked_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """No context, no schema, no entity: of all connections that are made, each goes to the feed's own host."""
    context = "http://project-open-data.cio.gov/v1.1/schema/catalog.jsonld"
    body = {"@context": context, "@id": "https://a.example/", "@type": "Catalog", "dataset": [
        {"@type": "Dataset", "identifier": "a-1", "title": "甲", "accessLevel": "public", "publisher": {"name": "测试局"}},
    ]}  # fmt: skip
    url = server.on("/feed", Reply(json.dumps(body), type="application/ld+json"))
    asked: list[object] = []
    connect = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: (asked.append(address), connect(self, address))[1])
    [record] = records("dcat", url)
    assert (record.id, record.raw["open_type"], record.raw["provider"]) == ("a-1", "unconditional", "测试局")
    assert {address[0] for address in asked} == {"127.0.0.1"}
    assert server.paths() == ["/feed"]


def test_json_ld_in_a_graph_of_its_own(server: Server) -> None:
    body = json.loads(Graph().parse(data=page("https://a.example/1"), format="turtle").serialize(format="json-ld"))
    url = server.on("/feed", Reply(json.dumps({"@id": "https://a.example/", "@graph": body}), type="application/ld+json"))
    assert [record.id for record in records("dcat", url)] == ["https://a.example/1"]


@pytest.mark.parametrize("options", [{"max_page_bytes": "许多"}, {"prefixes": ["dct"]}])
def test_options_that_mean_nothing(options: dict) -> None:
    with pytest.raises(SourceError, match=r"options\.(max_page_bytes|prefixes) 应当"):
        pages("dcat", FEED, options=options)


@pytest.mark.parametrize("suffix", ["ttl", "jsonld"])
def test_our_own_feed_comes_back_with_the_classes_that_it_states(server: Server, tmp_path: Path, profile: Profile, suffix: str) -> None:
    snapshot = generate(60, tmp_path / "snapshot.jsonl", portal_url="https://portal.example")
    build(snapshot, tmp_path / "site", site_url=server.url)
    for file in (tmp_path / "site" / "current" / "dcat").iterdir():
        server.on(f"/dcat/{file.name}", Reply(file.read_bytes(), type="text/turtle" if file.suffix == ".ttl" else "application/ld+json"))
    stated = {entry.get("resource_code") or entry["id"]: entry for entry in (line.entry() for line in open_snapshot(snapshot).lines())}
    found = {record.id: record for record in records("dcat", f"{server.url}/dcat/catalog-1.{suffix}")}
    assert found.keys() == stated.keys() and len(found) == 60
    for key, entry in stated.items():
        [draft] = drafts([found[key]], profile)
        for field in ("title", "open_type", "update_frequency", "resource_code", "data_updated_on", "spatial"):
            assert draft.entry.get(field, "") == (entry.get(field) or ""), (key, field)
        assert found[key].raw["provider"] == entry["provider_title"]
        assert found[key].raw["provider_hint"] == entry["provider"]
        assert "share_type" not in draft.entry  # DCAT has no word for sharing between departments
        if entry["open_type"] == "none":
            assert draft.entry.get("open_basis", "") == (entry.get("open_basis") or "")
    assert {entry["open_type"] for entry in stated.values()} == {"unconditional", "conditional", "none"}
    assert set(errors(drafts(list(found.values()), profile))) <= {
        ("items", "required"), ("share_type", "required"), ("catalogue_kind", "required"), ("format_class", "required"),
        ("open_condition", "open_condition_missing"), ("open_ground", "open_ground_missing"), ("open_review_on", "open_review_missing"),
        ("update_frequency", "required"), ("theme", "required"), ("base_class", "required"),
    }  # fmt: skip
