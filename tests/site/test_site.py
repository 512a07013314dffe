"""The pages of a whole site: links, lists, and what an entry's page says."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

from mulu.codes import CODE_LISTS
from mulu.entry import FIELDS, ITEM_FIELDS
from mulu_site import search, words
from mulu_site.render import PAGES
from mulu_site.snapshot import open_snapshot
from mulu_site.text import sound

SITE = "https://catalogue.example/"


@pytest.fixture(scope="module")
def entries(snapshot: Path) -> list[dict]:
    return [line.entry() for line in open_snapshot(snapshot).lines()]


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, BeautifulSoup]:
    root = site.resolve()
    return {str(p.relative_to(root)): BeautifulSoup(p.read_text(), "html.parser") for p in root.rglob("*.html")}


def test_every_internal_link_leads_somewhere(site: Path, pages: dict[str, BeautifulSoup]) -> None:
    broken = set()
    for path, page in pages.items():
        for element in page.find_all(["a", "link", "script", "form"]):
            target = element.get("href") or element.get("src") or element.get("action")
            if not target:
                continue
            url = urlsplit(urljoin(SITE + path, target))
            if url.netloc != "catalogue.example":
                continue
            file = site / unquote(url.path).lstrip("/")
            file = file / "index.html" if url.path.endswith("/") else file
            if not file.is_file():
                broken.add((path, target))
            elif url.fragment and file.suffix == ".html":
                there = pages[str(file.relative_to(site))]
                if not there.find(id=unquote(url.fragment)):
                    broken.add((path, target))
    assert broken == set()


def test_every_page_has_title_heading_language_and_main(pages: dict[str, BeautifulSoup]) -> None:
    titles = Counter()
    for path, page in pages.items():
        assert page.html["lang"] == "zh-CN", path
        assert len(page.find_all("h1")) == 1, path
        assert page.find("main", id="main"), path
        titles[page.title.get_text()] += not path.startswith("entry/")
    assert [t for t, n in titles.items() if n > 1] == []


def test_lists_hold_every_entry_of_their_group_once(pages: dict[str, BeautifulSoup], entries: list[dict]) -> None:
    fields = {"department": "provider", "theme": "theme", "kind": "catalogue_kind", "open": "open_type", "share": "share_type",
              "frequency": "update_frequency"}  # fmt: skip
    for dimension, field in fields.items():
        listed = []
        for path, page in pages.items():
            if re.match(rf"browse/{dimension}/[^/]+/", path):
                listed += [a["href"].split("/")[-2] for a in page.select(".register .name a")]
        assert sorted(listed) == sorted(e["name"] for e in entries if e[field])


def test_catalogue_lists_everything_in_pinyin_order_without_scripts(
    pages: dict[str, BeautifulSoup], entries: list[dict]
) -> None:
    names, number = [], 1
    while page := pages.get("catalogue/index.html" if number == 1 else f"catalogue/{number}/index.html"):
        names += [a.get_text() for a in page.select(".register .name a")]
        number += 1
    assert sorted(names) == sorted(e["title"] for e in entries)
    first_letters = [sound(n).initials[0] for n in names if not n[0].isdigit()]
    assert first_letters == sorted(first_letters)


def test_entry_page_shows_every_public_field(shop) -> None:
    values = {
        f.key: (
            [f"{f.key}甲", f"{f.key}乙"]
            if f.kind in ("list", "choices")
            else f"{f.key}的内容"
            if f.kind in ("text", "long_text")
            else None
        )
        for f in FIELDS
    }
    given = {k: v for k, v in values.items() if v and k not in ("name", "title", "classification")}
    shop.entry(**given, title="全部字段", open_type="none", share_type="none")
    shop.build()
    text = BeautifulSoup(shop.read("entry/new/index.html"), "html5lib").get_text()
    labels = {f.key: f.label for f in FIELDS}
    for key, value in given.items():
        for part in value if isinstance(value, list) else [value]:
            if key != "provider":
                assert part in text, key
    assert all(labels[k] in text for k in ("contact", "system_name", "update_frequency"))


def test_refusal_to_open_shows_ground_article_department_and_next_review(shop) -> None:
    shop.entry(
        open_type="none", open_ground="third_party", open_basis="《中华人民共和国个人信息保护法》第二十八条", open_review_on="2027-01-05",
        class_decision={"department": "县民政局", "article": "某办法 第三条", "on": "2026-01-05"},
    )  # fmt: skip
    shop.build()
    section = BeautifulSoup(shop.read("entry/new/index.html"), "html5lib").select_one(".classes section").get_text()
    for part in (
        "不予开放", words.label("open_ground", "third_party"), "第二十六条（三）", "《中华人民共和国个人信息保护法》第二十八条", "县民政局",
        "某办法 第三条", "2026年1月5日", "2027年1月5日",
    ):  # fmt: skip
        assert part in section


def test_an_entry_page_goes_from_what_it_is_to_machines(shop) -> None:
    """What is it, may I have it, get it, what is in it, who answers for it, everything else, history, for programs."""
    shop.entry(title="次序", notes="简短的摘要。", open_type="unconditional", resources=[{"name": "x", "url": "https://x.example/a.csv", "format": "CSV"}])
    shop.build()
    page = BeautifulSoup(shop.read("entry/new/index.html"), "html5lib")
    order = [one["id"] for one in page.select("main [id]") if one.name in ("h1", "h2", "p")]
    wanted = ["notes", "class-open", "class-share", "get", "items", "who", "all", "history", "examples"]
    assert [one for one in order if one in wanted] == wanted
    shop.entries[-1]["notes"] = "很长的摘要。" * 100
    shop.build()
    page = BeautifulSoup(shop.read("entry/new/index.html"), "html5lib")
    assert len(page.select("#notes")) == 1 and page.select_one("#notes").name == "h2"


def test_who_answers_for_an_entry_and_its_items(shop) -> None:
    items = [{"name": "姓名"}, {"name": "地址"}]
    named = [{"item": "姓名", "department": "d1", "department_title": "县公安局"}, {"item": "地址", "department": "d2", "department_title": "县民政局"}]
    shop.entry(items=items, sources=named, provider_unit="数据科", contact="电话 0730-1234567", source_department="d2", source_department_title="县民政局")
    shop.build()
    page = BeautifulSoup(shop.read("entry/new/index.html"), "html5lib")
    who = {row.dt.get_text(): row.dd.get_text() for row in page.select('section[aria-labelledby="who"] dl > div')}
    assert (who["下设机构"], who["数源部门"]) == ("数据科", "县民政局")
    assert page.select_one('section[aria-labelledby="who"] a[href^="tel:"]')["href"] == "tel:0730-1234567"
    assert [td.get_text() for td in page.select("td.i-source")] == ["县公安局", "县民政局"]
    shop.entries[-1] |= {"sources": named[:1], "source_department": "", "source_department_title": ""}
    shop.build()
    page = BeautifulSoup(shop.read("entry/new/index.html"), "html5lib")
    assert not page.select("td.i-source") and "县公安局" in page.select_one('section[aria-labelledby="who"]').get_text()


def test_history_tells_how_the_class_changed(shop) -> None:
    versions = [("1", "conditional", "conditional"), ("2", "conditional", "conditional"), ("3", "unconditional", "conditional")]
    history = [{"version": v, "published_at": f"2026-0{v}-01", "summary": f"说明{v}", "open_type": o, "share_type": s} for v, o, s in versions]
    shop.entry(history=history)
    shop.build()
    rows = BeautifulSoup(shop.read("entry/new/index.html"), "html5lib").select("table.history tbody tr")
    assert [row.td.get_text() for row in rows] == ["3", "2", "1"]
    assert "有条件开放 → 无条件开放" in rows[0].get_text() and all("→" not in row.get_text() for row in rows[1:])


def test_objection_is_marked_on_page_and_list(shop) -> None:
    shop.entry(objection=True)
    shop.build()
    assert "正在复核" in shop.read("entry/new/index.html")
    assert (
        sum(
            "异议复核中" in p.read_text()
            for p in shop.files()
            if p.parts[-3:-1] != ("entry", "new") and p.suffix == ".html"
        )
        >= 2
    )


def test_related_entry_is_a_link_while_it_exists(shop) -> None:
    target = shop.entries[2]
    shop.entry(related_codes=[target["resource_code"], "307001/99999"])
    shop.build()
    assert f'href="../../entry/{target["name"]}/"' in shop.read("entry/new/index.html")
    target["title"] = "改过的名称"  # the link is called by it
    shop.build()
    assert "改过的名称" in shop.read("entry/new/index.html")
    shop.entries.remove(target)
    assert "entry/new" in shop.build().made
    assert f'href="../../entry/{target["name"]}/"' not in shop.read("entry/new/index.html")


def test_demo_notice_names_its_sources(shop, site: Path) -> None:
    assert "演示数据" in (site / "index.html").read_text()
    shop.header["demo_sources"] = []
    shop.entries[0]["source"] = {"name": "某市公共数据开放网", "url": "https://data.example/x", "id": "1"}
    shop.build()
    assert "某市公共数据开放网" in shop.read(f"entry/{shop.entries[9]['name']}/index.html")
    shop.header["demo"] = False
    shop.build()
    assert "演示数据" not in shop.read("index.html")


def test_hand_written_pages_are_complete_and_strict(site: Path) -> None:
    for page in PAGES.rglob("*.md"):
        path = page.relative_to(PAGES).with_suffix("")
        html = (site / (path.parent if path.name == "index" else path) / "index.html").read_text()
        assert "{{" not in html or "develop" in path.parts
        assert 'class="masthead"' in html and "assets/site.css" in html and "md-" not in html


def test_no_page_names_another_host(pages: dict[str, BeautifulSoup]) -> None:
    """Nothing is fetched from elsewhere; only links that a reader follows lead out."""
    for path, page in pages.items():
        for element in page.find_all(["script", "img", "iframe", "source", "video", "audio", "embed"]):
            assert not urlsplit(element.get("src", "")).netloc, path
        for link in page.find_all("link"):
            assert link["rel"] == ["canonical"] or not urlsplit(link["href"]).netloc, path


def test_english_knows_every_label_of_the_rules() -> None:
    """Labels of fields and codes; the five grounds stay in the words of the regulation."""
    english = yaml.safe_load((Path(search.__file__).parent / "i18n" / "en.yml").read_text())
    never_shown_by_label = words.WITHHELD | {"notes", "resources"}
    labels = {
        text for f in (*FIELDS, *ITEM_FIELDS) if f.key not in never_shown_by_label for text in (f.label, f.section)
    }
    labels |= {code.label for name, codes in CODE_LISTS.items() if name != "open_ground" for code in codes}
    shown = {re.sub(r"\d[\d,]*", "{}", label) for label in labels if re.search("[\u3400-\u9fff]", label)}
    assert shown - english.keys() == set()
    assert {key.count("{}") - text.count("{}") for key, text in english.items()} == {0}


def test_not_found_page_works_at_any_depth(shop) -> None:
    shop.build(site_url="https://gov.example/data")
    page = BeautifulSoup(shop.read("404.html"), "html5lib")
    assert page.find("link", rel="stylesheet")["href"] == "/data/assets/site.css"
    assert page.find("form")["action"] == "/data/catalogue/"
