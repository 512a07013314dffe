"""What programs read: each file against the snapshot, by the reader that such files have."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import feedparser
import frictionless
import pytest
import rdflib
from bs4 import BeautifulSoup
from rdflib import FOAF, RDF, XSD, Namespace, URIRef
from rdflib.compare import isomorphic

from mulu.codes import CODE_LISTS
from mulu_site.snapshot import open_snapshot
from mulu_site.terms import ACCESS, FREQUENCY, period, reach

DCAT, DCT = Namespace("http://www.w3.org/ns/dcat#"), Namespace("http://purl.org/dc/terms/")
SPDX, VCARD = Namespace("http://spdx.org/rdf/terms#"), Namespace("http://www.w3.org/2006/vcard/ns#")
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


def feed(text: bytes | str) -> feedparser.FeedParserDict:
    read = feedparser.parse(text)
    assert not read.bozo, read.get("bozo_exception")
    assert read.version == "atom10" and read.feed.title and read.feed.author and read.feed.updated_parsed
    assert len({e.id for e in read.entries}) == len(read.entries)
    for one in read.entries:
        assert one.title and one.link == one.id and one.updated_parsed
    return read


def test_feeds(site: Path, entries: list[dict]) -> None:
    whole = feed((site / "atom.xml").read_bytes())
    updated = [e.updated for e in whole.entries]
    assert len(updated) == 50 and updated == sorted(updated, reverse=True) and whole.feed.updated == updated[0]
    links = {link.rel: link.href for link in whole.feed.links}
    assert links == {"self": "https://catalogue.example/atom.xml", "alternate": "https://catalogue.example/"}
    changed = sorted((max(e["data_updated_on"], e["published_at"][:10]) for e in entries), reverse=True)
    assert [day[:10] for day in updated] == changed[:50]
    department = feed((site / "browse/department/d03/atom.xml").read_bytes())
    assert {e.title for e in department.entries} <= {e["title"] for e in entries if e["provider"] == "d03"}
    for path in [*site.glob("browse/department/*/atom.xml"), *site.glob("browse/theme/*/atom.xml")]:
        feed(path.read_bytes())


def test_the_feed_of_changes_tells_what_was_withdrawn_under_the_same_id(shop) -> None:
    shop.build()
    gone = shop.entries.pop(5)
    shop.header["generated_at"] = "2029-04-01T08:00:00+08:00"
    shop.header["withdrawn"] = [{"id": "x", "name": "long-gone", "title": "早已撤下的<名录>", "provider_title": "县民政局", "on": "2029-03-01", "reason": "停止采集"}]
    shop.entries[0]["name"] = "new-name"  # an entry that has moved is not withdrawn
    shop.build()
    first, second, *rest = feed(shop.read("atom.xml")).entries
    assert (first.title, first.id, first.updated[:10]) == (f"已撤下：{gone['title']}", f"https://catalogue.example/entry/{gone['name']}/", "2029-04-01")
    assert second.title == "已撤下：早已撤下的<名录>" and second.summary == "县民政局，撤下原因：停止采集"
    assert not [one for one in rest if "已撤下" in one.title]


def test_odd_days_leave_the_feeds_readable(shop) -> None:
    shop.entry(published_at="很久以前", data_updated_on="2099-99-99")
    shop.build()
    assert feed(shop.read("atom.xml")).entries
    assert "2099-99-99" not in shop.read("sitemap-1.xml") + shop.read("atom.xml")


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


def test_sitemaps_stay_within_the_limits_of_the_protocol(site: Path) -> None:
    for file in site.glob("sitemap*.xml"):
        root = ElementTree.parse(file).getroot()
        assert len(root) <= 50_000 and file.stat().st_size <= 50_000_000
        for day in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}lastmod"):
            assert date.fromisoformat(day.text)


FULL = {
    "title": "公园名录", "notes": "名录。", "license_id": "cc-by", "contact": "县林业局 0730-1234567，park@example.gov.cn", "spatial": "华容县全境", "temporal": "2019/2024-06",
    "open_type": "unconditional", "share_type": "unconditional", "version": 3,
    "resources": [{"name": "名录", "url": "https://portal.example/a.csv", "format": "CSV", "size": "1234", "hash": "sha256:" + "a" * 64},
                  {"name": "查询", "url": "https://portal.example/api", "format": "API"}, {"name": "图", "url": "https://portal.example/a.shp", "format": "SHP"}],
}  # fmt: skip


def structured_in(page: str) -> dict:
    return json.loads(BeautifulSoup(page, "html5lib").find("script", type="application/ld+json").string)


def test_schema_org_holds_what_search_engines_ask_for(shop) -> None:
    """Google's rules for data sets: name, a description of 50 to 5,000 characters; license, creator, distribution, coverage where known."""
    shop.entry(**FULL)
    shop.build()
    for entry in shop.entries:
        said = structured_in(shop.read(f"entry/{entry['name']}/index.html"))
        assert 50 <= len(said["description"]) <= 5000 and said["url"].startswith("https://"), entry["name"]
    said = structured_in(shop.read("entry/new/index.html"))
    assert said["description"].startswith("名录。《公园名录》由") and said["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert (said["temporalCoverage"], said["spatialCoverage"], said["version"]) == ("2019/2024-06", "华容县全境", "3")
    assert said["creator"]["@type"] == "GovernmentOrganization" and said["creator"]["url"].startswith("https://catalogue.example/browse/department/")
    table, service, shapes = said["distribution"]
    assert (table["encodingFormat"], table["contentSize"], table["sha256"]) == ("text/csv", "1234 B", "a" * 64)
    assert (service["encodingFormat"], shapes["encodingFormat"]) == ("API", "SHP")


def test_dcat_says_what_the_application_profile_demands(shop) -> None:
    """DCAT-AP 3: title and description of catalogue and dataset, publisher with a name, accessURL of a distribution; nodes where a node is due."""
    shop.entry(**FULL)
    shop.entry(name="bare", id="bare", notes="", title="没有摘要", resources=[], open_type="none", open_basis="《某法》第一条", temporal="建站以来")
    shop.build()
    graph = rdflib.Graph().parse(shop.out / "current/dcat/catalog-1.ttl", format="turtle")
    [catalogue] = graph.subjects(RDF.type, DCAT.Catalog)
    for node in [catalogue, *graph.subjects(RDF.type, DCAT.Dataset)]:
        for said in (DCT.title, DCT.description, DCT.publisher):
            assert list(graph.objects(node, said)), (node, said)
        for agent in graph.objects(node, DCT.publisher):
            assert graph.value(agent, FOAF.name)
    for node in graph.subjects(RDF.type, DCAT.Distribution):
        assert isinstance(graph.value(node, DCAT.accessURL), URIRef)
    for said in (DCT["format"], DCT.license, DCT.spatial, DCT.temporal, DCT.accessRights, DCT.accrualPeriodicity, DCAT.mediaType, DCAT.theme, DCAT.contactPoint):
        assert not [o for o in graph.objects(None, said) if isinstance(o, rdflib.Literal)], said
    node = URIRef("https://catalogue.example/entry/new/")
    files = {str(graph.value(d, DCAT.accessURL)): d for d in graph.objects(node, DCAT.distribution)}
    table, service = files["https://portal.example/a.csv"], files["https://portal.example/api"]
    assert str(graph.value(table, DCT["format"])).endswith("/file-type/CSV") and graph.value(table, DCAT.downloadURL) and not graph.value(service, DCAT.downloadURL)
    assert str(graph.value(graph.value(table, SPDX.checksum), SPDX.checksumValue)) == "a" * 64
    period = graph.value(node, DCT.temporal)
    assert (str(graph.value(period, DCAT.startDate)), graph.value(period, DCAT.endDate).datatype) == ("2019", XSD.gYearMonth)
    contact = graph.value(node, DCAT.contactPoint)
    assert {str(graph.value(contact, VCARD[p])) for p in ("hasEmail", "hasTelephone")} == {"mailto:park@example.gov.cn", "tel:0730-1234567"}
    law = graph.value(URIRef("https://catalogue.example/entry/bare/"), URIRef("http://data.europa.eu/r5r/applicableLegislation"))
    assert isinstance(law, URIRef) and str(graph.value(law, DCT.title)) == "《某法》第一条"


@pytest.mark.parametrize(
    ("told", "first_and_last"),
    [("2019-05/2020-02-29", ("2019-05", "2020-02-29")), ("2020年", ("2020", "2020")), ("2020/2020-05", ("2020", "2020-05")), ("2020-05/2020", ("2020-05", "2020")),
     ("2020/", ("2020", "")), ("2020-02-31", ("", "")), ("2021-02-29/2022", ("", "")), ("2021/2020", ("", "")), ("2021-02/2021-01", ("", "")), ("0000", ("", "")),
     ("建站以来", ("", ""))],
)  # fmt: skip
def test_a_period_is_of_days_that_there_are_and_ends_after_it_begins(told: str, first_and_last: tuple[str, str]) -> None:
    assert period({"temporal": told}) == first_and_last


@pytest.mark.parametrize(
    ("told", "dialled"),
    [("+86 0730-4222333", "+86-730-4222333"), ("+8607304222333", "+86-7304222333"), ("+86－0730－4222333", "+86-730-4222333"), ("+86 13800000000", "+86-13800000000"),
     ("县园林处 0730－4222333", "0730-4222333"), ("12345", "12345")],
)  # fmt: skip
def test_a_telephone_number_can_be_dialled(told: str, dialled: str) -> None:
    assert reach({"contact": told}) == ("", dialled)


def test_data_json_holds_the_required_fields(shop) -> None:
    """DCAT-US 1.1, the schema for publishers other than federal ones; `rights` at most 255 characters, addresses absolute, dates ISO."""
    shop.entry(**FULL)
    shop.entry(name="bare", id="bare", notes="", theme="", catalogue_kind="", provider_title="", provider="", resources=[], open_condition="很长的条件" * 100)
    shop.build()
    datasets = {d["landingPage"]: d for d in json.loads(shop.read("data.json"))["dataset"]}
    for one in datasets.values():
        for key in ("title", "description", "keyword", "publisher", "contactPoint", "identifier", "accessLevel"):
            assert one[key], (key, one["title"])
        assert one["publisher"]["name"] and one["contactPoint"]["fn"] and len(one.get("rights", "")) <= 255
        for file in one.get("distribution", []):
            assert ("downloadURL" in file) != ("accessURL" in file) and ("downloadURL" not in file or "mediaType" in file)
    one = datasets["https://catalogue.example/entry/new/"]
    assert one["contactPoint"]["hasEmail"] == "mailto:park@example.gov.cn" and one["temporal"] == "2019/2024-06" and one["license"].startswith("https://")
    assert [("downloadURL" in f, f.get("mediaType")) for f in one["distribution"]] == [(True, "text/csv"), (False, None), (False, None)]


def test_the_csv_opens_as_a_table_of_one_row_an_entry(site: Path, entries: list[dict]) -> None:
    table = frictionless.Resource(path=str(site / "entries.csv"))
    with frictionless.system.use_context(trusted=True):
        assert table.validate().valid and len(table.read_rows()) == len(entries)


def test_a_number_that_json_has_no_word_for_spoils_no_file(shop) -> None:
    shop.entry(resources=[{"name": "x", "url": "https://x.example/a.csv", "format": "CSV", "size": float("nan")}], calls={"count": float("inf")}, version=10**25)
    shop.build()

    def refuse(name: str) -> None:
        raise AssertionError(name)

    for file in ("entries.json", "data.json", "entry/new/entry.json", "entry/new/datapackage.json"):
        json.loads(shop.read(file), parse_constant=refuse)


def test_schema_org_in_the_page(site: Path, entries: list[dict]) -> None:
    for entry in entries[:20]:
        page = BeautifulSoup((site / "entry" / entry["name"] / "index.html").read_text(), "html5lib")
        said = json.loads(page.find("script", type="application/ld+json").string)
        assert said["@type"] == "Dataset" and said["name"] == entry["title"]
        assert said["creator"]["name"] == entry["provider_title"]
