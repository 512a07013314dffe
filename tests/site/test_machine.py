"""What programs read: each file against the snapshot, by the reader that such files have."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import rdflib
from bs4 import BeautifulSoup
from rdflib import RDF, Namespace, URIRef
from rdflib.compare import isomorphic

from mulu.codes import CODE_LISTS
from mulu_site.dcat import ACCESS, FREQUENCY
from mulu_site.snapshot import open_snapshot

DCAT, DCT = Namespace("http://www.w3.org/ns/dcat#"), Namespace("http://purl.org/dc/terms/")
HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
EU = "http://publications.europa.eu/resource/authority/"


@pytest.fixture(scope="module")
def entries(snapshot: Path) -> list[dict]:
    return [line.entry() for line in open_snapshot(snapshot).lines()]


def test_every_code_has_its_dcat_value() -> None:
    assert set(ACCESS) == set(CODE_LISTS["open_type"].keys)
    assert set(FREQUENCY) == set(CODE_LISTS["update_frequency"].keys)


def test_turtle_and_json_ld_of_an_entry_say_the_same(site: Path, entries: list[dict]) -> None:
    for entry in entries[:40]:
        folder = site / "entry" / entry["name"]
        turtle = rdflib.Graph().parse(folder / "dcat.ttl", format="turtle")
        assert isomorphic(turtle, rdflib.Graph().parse(folder / "dcat.jsonld", format="json-ld"))
        node = URIRef(f"https://catalogue.example/entry/{entry['name']}/")
        assert (node, RDF.type, DCAT.Dataset) in turtle
        assert turtle.value(node, DCT.title) == rdflib.Literal(entry["title"], lang="zh")
        assert turtle.value(node, DCT.accessRights) == URIRef(f"{EU}access-right/{ACCESS[entry['open_type']]}")
        assert turtle.value(node, DCT.accrualPeriodicity) == URIRef(
            f"{EU}frequency/{FREQUENCY[entry['update_frequency']]}"
        )
        assert len(list(turtle.objects(node, DCAT.distribution))) == len(entry["resources"])


def test_odd_text_survives_turtle(shop) -> None:
    text = 'a"b\\c\n换行\t制表 <x> # . ; 😀 \'\'\' """'
    shop.entry(title="名称" + text.replace("\n", " ").replace("\t", " "), notes=text)
    shop.build()
    graph = rdflib.Graph().parse(data=shop.read("entry/new/dcat.ttl"), format="turtle")
    assert text in {str(o) for o in graph.objects(None, DCT.description)}
    assert isomorphic(graph, rdflib.Graph().parse(data=shop.read("entry/new/dcat.jsonld"), format="json-ld"))


def test_dcat_pages_hold_the_whole_catalogue_once(site: Path, entries: list[dict]) -> None:
    graph, page, seen = rdflib.Graph(), "dcat/catalog-1.ttl", []
    while page:
        part = rdflib.Graph().parse(site / page, format="turtle")
        assert isomorphic(part, rdflib.Graph().parse(site / page.replace(".ttl", ".jsonld"), format="json-ld"))
        seen += part.subjects(RDF.type, DCAT.Dataset)
        graph += part
        page = next((str(o).removeprefix("https://catalogue.example/") for o in part.objects(None, HYDRA.next)), "")
    assert len(seen) == len(set(seen)) == len(entries)
    assert {str(o) for o in graph.objects(None, HYDRA.totalItems)} == {str(len(entries))}


def test_data_json(site: Path, entries: list[dict]) -> None:
    found = {d["landingPage"]: d for d in json.loads((site / "data.json").read_text())["dataset"]}
    assert len(found) == len(entries)
    for entry in entries:
        dataset = found[f"https://catalogue.example/entry/{entry['name']}/"]
        assert dataset["title"] == entry["title"]
        level = {"unconditional": "public", "conditional": "restricted public", "none": "non-public"}[
            entry["open_type"]
        ]
        assert dataset["accessLevel"] == level


def test_entries_json_and_each_entrys_own(site: Path, entries: list[dict]) -> None:
    whole = json.loads((site / "entries.json").read_text())
    assert sorted(e["name"] for e in whole) == sorted(e["name"] for e in entries)
    by_name = {e["name"]: e for e in whole}
    for entry in entries[:20]:
        assert json.loads((site / "entry" / entry["name"] / "entry.json").read_text()) == by_name[entry["name"]]
        assert by_name[entry["name"]]["items"] == entry["items"]


def test_what_is_not_named_public_does_not_leave(shop) -> None:
    secret = "不得外传的内容"
    shop.entry(
        secrecy_review={"by": secret, "on": "2025-01-01", "conclusion": secret}, privacy_review={"by": secret},
        mulu_case=secret, internal_remark=secret,
    )  # fmt: skip
    shop.build()
    assert [p for p in shop.files() if secret in p.read_text(errors="ignore")] == []


def test_csv_opens_in_a_spreadsheet_and_runs_nothing(shop) -> None:
    shop.entry(title="=HYPERLINK(1)", share_condition="+1", notes='有"引号"，\n和换行')
    shop.build()
    content = (shop.out / "current" / "entries.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines(True)))
    assert len(rows) == 61
    row = next(r for r in rows if "HYPERLINK" in r["信息资源名称"])
    assert row["信息资源名称"] == "'=HYPERLINK(1)" and row["共享条件"] == "'+1"
    assert row["信息资源摘要"] == '有"引号"，\n和换行'
    assert {r["开放类型"] for r in rows} <= {code.label for code in CODE_LISTS["open_type"]}


def test_feeds(site: Path, entries: list[dict]) -> None:
    name = {"a": "http://www.w3.org/2005/Atom"}
    feed = ElementTree.parse(site / "atom.xml").getroot()
    updated = [e.text for e in feed.findall("a:entry/a:updated", name)]
    assert len(updated) == 50 and updated == sorted(updated, reverse=True)
    department = ElementTree.parse(site / "browse/department/d03/atom.xml").getroot()
    titles = {e.text for e in department.findall("a:entry/a:title", name)}
    assert titles <= {e["title"] for e in entries if e["provider"] == "d03"}


def test_sitemap_names_every_entry_and_robots_the_sitemap(site: Path, entries: list[dict]) -> None:
    name = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    parts = [e.text for e in ElementTree.parse(site / "sitemap.xml").getroot().findall("s:sitemap/s:loc", name)]
    found = set()
    for part in parts:
        file = site / part.removeprefix("https://catalogue.example/")
        found |= {e.text for e in ElementTree.parse(file).getroot().findall("s:url/s:loc", name)}
    assert {f"https://catalogue.example/entry/{e['name']}/" for e in entries} <= found
    for url in found:
        assert (site / url.removeprefix("https://catalogue.example/") / "index.html").exists()
    assert "Sitemap: https://catalogue.example/sitemap.xml" in (site / "robots.txt").read_text()


def test_schema_org_in_the_page(site: Path, entries: list[dict]) -> None:
    for entry in entries[:20]:
        page = BeautifulSoup((site / "entry" / entry["name"] / "index.html").read_text(), "html5lib")
        said = json.loads(page.find("script", type="application/ld+json").string)
        assert said["@type"] == "Dataset" and said["name"] == entry["title"]
        assert said["creator"]["name"] == entry["provider_title"]
