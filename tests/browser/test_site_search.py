"""Search and reading without a network on a site of 20,000 made-up entries, in a real Chromium."""

from __future__ import annotations

import functools
import http.server
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from mulu_site import search
from mulu_site.build import build
from mulu_site.generate import generate
from mulu_site.snapshot import open_snapshot
from mulu_site.text import fold, sound

ENTRIES, PARTS = 20_000, 300


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


class Server:
    """The site on the loopback; `stop()` takes the network away for good."""

    def __init__(self, folder: Path) -> None:
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self.http.server_port}/"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.stopped = False

    def stop(self) -> None:
        if not self.stopped:
            self.http.shutdown()
            self.http.server_close()
            self.stopped = True


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("large")


@pytest.fixture(scope="module")
def entries(folder: Path) -> list[dict]:
    return [line.entry() for line in open_snapshot(generate(ENTRIES, folder / "made.jsonl")).lines()]


@pytest.fixture(scope="module")
def site(folder: Path, entries: list[dict]) -> Path:
    build(folder / "made.jsonl", folder / "out", pages=None)
    return folder / "out" / "current"


@pytest.fixture
def server(site: Path) -> Iterator[Server]:
    running = Server(site)
    yield running
    running.stop()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def found(page: Page, queries: list[str]) -> dict[str, set[str]]:
    lists = page.evaluate("async (all) => { const found = []; for (const q of all) found.push(await mulu.find(q)); return found; }", queries)
    return {query: set(names) for query, names in zip(queries, lists, strict=True)}


def test_every_part_of_titles_abstracts_and_items_is_found(page: Page, server: Server, entries: list[dict]) -> None:
    texts = {e["name"]: [fold(t) for t in (e["title"], e["notes"], *(i["name"] for i in e["items"]))] for e in entries}
    chance, parts = random.Random(11), []
    while len(parts) < PARTS:
        text = chance.choice(texts[chance.choice(entries)["name"]])
        start, length = chance.randrange(len(text)), chance.randint(2, 14)
        part = text[start : start + length].strip()
        if len(part) >= 2 and " " not in part:
            parts.append(part)
    page.goto(server.url + "catalogue/")
    answers = found(page, parts)
    for part in parts:
        truth = {name for name, own in texts.items() if any(part in text for text in own)}
        assert truth, part
        assert truth <= answers[part], part


def test_titles_that_hold_the_words_come_first(page: Page, server: Server, entries: list[dict]) -> None:
    page.goto(server.url + "catalogue/?q=医疗机构名录")
    page.wait_for_selector("#results[data-complete]")
    titles = [a.inner_text() for a in page.query_selector_all("#results .name a")]
    exact = sum("医疗机构名录" in e["title"] for e in entries)
    assert titles and all("医疗机构名录" in title for title in titles[:exact])


def test_initials_of_titles_and_departments(page: Page, server: Server, entries: list[dict]) -> None:
    page.goto(server.url + "catalogue/")
    department = entries[0]["provider_title"]
    queries = {sound("农机补贴").initials: "title", sound(department).initials: "provider_title"}
    answers = found(page, list(queries))
    assert {e["name"] for e in entries if "农机补贴" in e["title"]} <= answers[sound("农机补贴").initials]
    assert {e["name"] for e in entries if e["provider_title"] == department} <= answers[sound(department).initials]


def test_other_words_for_the_same_thing_are_found_after_the_word_itself(page: Page, server: Server, entries: list[dict]) -> None:
    page.goto(server.url + "catalogue/")
    answers = found(page, ["医疗保险定点药店", "非遗", "敬老院名录"])
    for query, words in (("医疗保险定点药店", "医保定点药店"), ("非遗", "非物质文化遗产"), ("敬老院名录", "养老机构名录")):
        truth = {e["name"] for e in entries if words in e["title"]}
        assert truth and truth <= answers[query], query
    page.fill("#q", "医疗保险定点")
    expect(page.locator("#also")).to_contain_text("医保定点")
    page.wait_for_selector("#results mark")
    assert "医保定点" in page.inner_text("#results mark >> nth=0")


def test_groups_of_synonyms_are_folded_distinct_and_of_two_or_more() -> None:
    for group in search.synonyms():
        assert len(group) == len(set(group)) > 1, group
        assert all(len(word) >= 2 for word in group), group


def test_interfaces_are_a_facet(page: Page, server: Server, site: Path) -> None:
    page.goto(server.url + "catalogue/?q=养老&api=1")
    page.wait_for_selector("#results[data-complete]")
    expect(page.locator("#count")).to_have_text("共 0 条")  # the made-up entries have none; a value that exists, with no entry
    page.goto(server.url + "catalogue/?q=养老&api=nonsense")
    page.wait_for_selector("#results[data-complete]")
    expect(page.locator("#count")).to_have_text("共 0 条")


def test_nothing_of_the_index_is_fetched_before_it_is_used(page: Page, server: Server) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.url + "catalogue/")
    page.wait_for_timeout(500)
    assert not [url for url in asked if "/search/" in url]
    page.focus("#q")
    page.keyboard.type("养老")
    page.wait_for_selector("#results[data-complete='养老']")
    assert [url for url in asked if "/search/rows-" in url]


def test_search_and_visited_pages_work_without_a_network(page: Page, server: Server, entries: list[dict]) -> None:
    page.goto(server.url + "catalogue/")
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    visited, other = entries[5]["name"], entries[6]["name"]
    page.goto(f"{server.url}entry/{visited}/")
    page.goto(server.url + "catalogue/")
    page.evaluate("navigator.serviceWorker.addEventListener('message', (e) => { if (e.data.kept) window.kept = true; })")
    page.fill("#q", "养老")
    page.wait_for_function("() => window.kept === true", timeout=60_000)
    before = found(page, ["公共停车场", "定点药店的地址"])
    server.stop()

    page.goto(server.url + "catalogue/?q=公共停车场")
    page.wait_for_selector("#results[data-complete]")
    assert page.locator("#results .name").count() > 0
    assert found(page, list(before)) == before
    page.goto(f"{server.url}entry/{visited}/")
    assert page.inner_text("h1") == entries[5]["title"]
    assert page.evaluate("getComputedStyle(document.querySelector('.masthead')).borderBottomStyle") == "double"  # its style is there
    page.goto(server.url + "?from=bookmark")
    expect(page.locator("h1")).to_have_text("示例县政务数据目录")
    page.goto(f"{server.url}entry/{other}/")
    assert page.inner_text("h1") == "没有网络"


def test_another_release_is_read_at_once_and_drops_what_it_no_longer_names(browser: Browser, tmp_path: Path) -> None:
    source = open_snapshot(generate(60, tmp_path / "a.jsonl"))
    build(source.path, tmp_path / "out", pages=None)
    server, context = Server(tmp_path / "out" / "current"), browser.new_context()
    page = context.new_page()
    try:
        page.goto(server.url + "catalogue/?q=名录")
        page.wait_for_function("() => navigator.serviceWorker.controller !== null")
        page.reload()
        page.wait_for_selector("#results[data-complete]")
        generate(70, tmp_path / "b.jsonl", seed=3)
        build(tmp_path / "b.jsonl", tmp_path / "out", pages=None, allow_withdrawal=True)
        new = [line.entry() for line in open_snapshot(tmp_path / "b.jsonl").lines()]
        server.http.RequestHandlerClass = functools.partial(Quiet, directory=str(tmp_path / "out" / "current"))
        page.goto(server.url + "catalogue/?q=名录")
        page.evaluate("navigator.serviceWorker.addEventListener('message', (e) => { if (e.data.kept) window.kept = true; })")
        page.wait_for_selector("#results[data-complete]")
        truth = {e["name"] for e in new if any("名录" in t for t in (e["title"], e["notes"]))}
        assert truth <= found(page, ["名录"])["名录"]
        page.evaluate("navigator.serviceWorker.controller.postMessage({ keep: 'search' })")
        page.wait_for_function("() => window.kept === true")
        kept = page.evaluate(
            "async () => { const name = (await caches.keys()).find((n) => n.endsWith(' index')); return (await (await caches.open(name)).keys()).map((r) => r.url); }"
        )
        named = {p.name for p in (tmp_path / "out" / "current" / "search").iterdir()}
        assert {url.rpartition("/")[2] for url in kept} == named
    finally:
        context.close()
        server.stop()
