"""Search as people use it, and without a network, in a real Chromium on a small site of made-up entries."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from mulu_site import offline, search
from mulu_site.build import build
from mulu_site.generate import generate
from mulu_site.snapshot import open_snapshot, write_snapshot
from mulu_site.text import fold

ENTRIES = 150
PREFIX = "/gov/mulu/"
CHROMIUM = os.environ.get("MULU_CHROMIUM", "/usr/bin/chromium")
OWN = (
    {"title": "公共停车场名录", "notes": "全县的停车位。", "open_type": "unconditional"},
    {"title": "路内停车场收费标准", "notes": "收费的标准。", "open_type": "none"},
    {"title": "建筑面积（㎡）ＧＤＰ统计", "notes": "以㎡计。"},
    {"title": "甲目录", "notes": "本目录含有甲乙和乙丙。", "items": []},  # both pairs of 甲乙丙, not the word
    {"title": "乙目录", "notes": "第一句说别的事情，这里才讲到甲乙丙。", "items": []},
    {"title": "丙目录", "notes": "没有。", "items": [{"name": "甲乙丙的编号"}]},
)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


class Town:
    """A site under a path prefix that can be built again while it is served. `stop()` takes the server away."""

    def __init__(self, folder: Path) -> None:
        source = open_snapshot(generate(ENTRIES, folder / "made.jsonl"))
        self.header = {k: v for k, v in source.header.items() if k != "mulu_snapshot"}
        self.entries = [line.entry() for line in source.lines()]
        for n, own in enumerate(OWN):
            self.entries.append({**json.loads(json.dumps(self.entries[0])), "id": f"own{n}", "name": f"own{n}", "resource_code": "", **own})
        self.folder = folder
        self.build()
        (folder / "www" / "gov").mkdir(parents=True)
        (folder / "www" / "gov" / "mulu").symlink_to(folder / "out" / "current")
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder / "www")))
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}{PREFIX}"

    def build(self, **options: Any) -> None:
        write_snapshot(self.folder / "snapshot.jsonl", self.header, self.entries)
        build(self.folder / "snapshot.jsonl", self.folder / "out", pages=None, **options)

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self.http.shutdown()
            self.http.server_close()

    def holding(self, part: str) -> set[str]:
        return {e["name"] for e in self.entries if any(part in fold(t) for t in (e["title"], e["notes"], *(i["name"] for i in e["items"])))}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Read only; its index is in several pieces, as a large one is."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("LEAST", 20), ("MEAN", 20), ("MOST", 60)):
            patch.setattr(search, name, value)
        town = Town(tmp_path_factory.mktemp("town"))
    assert len(list((town.folder / "out/current/search").glob("rows-*"))) > 2
    yield town
    town.stop()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Without a service worker: what it is answered comes from the server."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, service_workers="block")
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    assert wrong == []


@pytest.fixture
def online(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def search_for(page: Page, query: str) -> None:
    page.fill("#q", query)
    settled(page, query)


def settled(page: Page, query: str | None = None) -> None:
    page.wait_for_function("(q) => q === null ? 'complete' in document.getElementById('results').dataset : document.getElementById('results').dataset.complete === q", arg=query)


def names(page: Page) -> list[str]:
    return [link.get_attribute("href").rstrip("/").rpartition("/")[2] for link in page.query_selector_all("#results .name a")]


# ---- typing


def test_letters_of_an_input_method_are_not_searched_for(page: Page, shared: Town) -> None:
    page.goto(shared.url + "catalogue/")
    page.focus("#q")
    keyboard = page.context.new_cdp_session(page)
    for typed in ("t", "ti", "ting", "ting'che"):
        keyboard.send("Input.imeSetComposition", {"text": typed, "selectionStart": len(typed), "selectionEnd": len(typed)})
    page.wait_for_timeout(300)
    assert page.input_value("#q") == "ting'che"
    assert page.get_attribute("#results", "data-query") is None
    keyboard.send("Input.insertText", {"text": "停车"})
    settled(page, "停车")
    assert set(names(page)) >= {"own0", "own1"}
    search_for(page, "ggtccml")
    assert names(page)[0] == "own0"


def test_width_and_case_of_letters_do_not_matter_and_hits_are_marked(page: Page, shared: Town) -> None:
    page.goto(shared.url + "catalogue/")
    for query in ("gdp", "ＧｄＰ", "m2", "㎡"):
        search_for(page, query)
        assert "own2" in names(page), query
    search_for(page, "㎡ gdp")
    assert page.locator("#results a[href*=own2] mark").all_inner_texts() == ["㎡", "ＧＤＰ"]


def test_what_is_found_is_said_once_when_the_typing_rests(page: Page, shared: Town) -> None:
    page.goto(shared.url + "catalogue/")
    page.evaluate("""() => { window.heard = []; new MutationObserver(() => heard.push(document.getElementById("said").textContent)).observe(document.getElementById("said"), { childList: true, characterData: true, subtree: true }); }""")
    page.focus("#q")
    page.keyboard.type("停车场名录", delay=30)
    settled(page, "停车场名录")
    page.wait_for_function("() => heard.length > 0")
    page.wait_for_timeout(900)
    assert page.evaluate("heard") == [page.inner_text("#count")]


# ---- what is shown


def test_an_item_or_abstract_is_quoted_and_a_false_pair_is_no_hit(page: Page, shared: Town) -> None:
    page.goto(shared.url + "catalogue/?q=甲乙丙")
    settled(page)
    assert sorted(names(page)) == ["own4", "own5"]
    expect(page.locator("tr", has=page.locator("a[href*=own5]")).locator(".within")).to_have_text("信息项：甲乙丙的编号")
    expect(page.locator("tr", has=page.locator("a[href*=own4]")).locator(".within")).to_contain_text("讲到甲乙丙")
    assert page.locator(".within mark").all_inner_texts() == ["甲乙丙", "甲乙丙"]
    assert page.evaluate("mulu.find('甲乙丙')") == names(page)


def test_first_pieces_answer_while_others_are_on_their_way(page: Page, shared: Town) -> None:
    held = []
    page.route("**/search/rows-0-*", lambda route: held.append(route))
    page.goto(shared.url + "catalogue/?q=名录")
    expect(page.locator("#count")).to_contain_text("已检索")
    assert names(page)
    held[0].continue_()
    settled(page)
    total = len(shared.holding("名录"))
    expect(page.locator("#count")).to_have_text(f"共 {total} 条")


def test_facets_count_right_and_are_taken_back_one_by_one(page: Page, shared: Town) -> None:
    page.goto(shared.url + "catalogue/?q=名录&open=none&open=conditional")
    settled(page)
    by_name = {e["name"]: e for e in shared.entries}
    found = [by_name[name] for name in shared.holding("名录")]
    chosen = [e for e in found if e["open_type"] in ("none", "conditional")]
    expect(page.locator("#count")).to_have_text(f"共 {len(chosen)} 条")
    counts = {b.get_attribute("data-facet"): int(b.locator(".leaders-count").inner_text()) for b in page.locator("#facet-groups .leaders button").all()}
    for value in ("none", "conditional", "unconditional"):  # beside the other facets, not beside itself
        assert counts.get(f"open={value}", 0) == sum(e["open_type"] == value for e in found), value
    for facet, key in (("share", "share_type"), ("frequency", "update_frequency")):
        for value in {e[key] for e in chosen}:
            assert counts[f"{facet}={value}"] == sum(e[key] == value for e in chosen), value
    page.locator("#chosen button").first.click()
    settled(page)
    assert "open=none" not in page.url and "open=conditional" in page.url
    assert page.evaluate("document.activeElement.closest('#chosen') !== null")  # the keyboard stays where it was
    page.locator("#chosen button").first.click()
    settled(page)
    assert page.evaluate("document.activeElement.id") == "q"


def test_back_and_forward_and_a_link_keep_everything(page: Page, shared: Town) -> None:
    page.goto(shared.url + "catalogue/?q=2")
    settled(page)
    page.select_option("#sort", "updated")
    settled(page)
    page.locator(".pager a").get_by_text("2", exact=True).click()
    settled(page)
    second, address = names(page), page.url
    assert "sort=updated" in address and "page=2" in address
    page.go_back()
    settled(page)
    first = names(page)
    assert "page=" not in page.url and first != second and page.input_value("#sort") == "updated"
    page.go_forward()
    settled(page)
    assert names(page) == second
    page.locator("#results .name a").last.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    page.locator("#results .name a").last.click()
    page.wait_for_url("**/entry/**")
    page.go_back()
    page.wait_for_url(address)
    settled(page)
    assert names(page) == second
    page.wait_for_function("(y) => Math.abs(scrollY - y) < 4", arg=before)
    days = page.locator("#results .date time").all_inner_texts()
    assert days == sorted(days, reverse=True)


def test_a_turned_page_has_the_keyboard_at_its_first_result(page: Page, shared: Town) -> None:
    page.goto(shared.url + "catalogue/?q=数据&sort=updated")
    settled(page)
    assert len(shared.holding("数据")) > 60
    for n in ("2", "3", "2"):
        before = names(page)
        page.locator(".pager ol a").get_by_text(n, exact=True).focus()
        page.keyboard.press("Enter")
        page.wait_for_function("(n) => document.querySelector('.pager [aria-current]').textContent === n", arg=n)
        settled(page)
        assert names(page) != before
        expect(page.locator("#results .name a").first).to_be_focused()
        assert page.evaluate("Math.abs(document.getElementById('results-head').getBoundingClientRect().top)") < 200
    page.locator(".pager").get_by_text("上一页").click()  # before the abstracts have answered the keyboard moves on: there it stays
    page.wait_for_function("() => document.activeElement.matches('#results .name a')")
    page.keyboard.press("ArrowDown")
    settled(page)
    expect(page.locator("#results .name a").nth(1)).to_be_focused()


def test_the_keyboard_stays_on_its_result_while_more_is_found(page: Page, shared: Town) -> None:
    held: list[Route] = []
    page.route("**/search/words-*", lambda route: held.append(route))
    page.goto(shared.url + "catalogue/")
    page.fill("#q", "停车场")
    page.wait_for_function("() => document.querySelectorAll('#results mark').length > 1")
    page.focus("#q")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    on = page.evaluate("document.activeElement.href")
    page.wait_for_timeout(200)
    assert held and "entry/" in on
    page.evaluate("window.before = document.activeElement")
    for route in held:
        route.continue_()
    settled(page)
    assert page.evaluate("!before.isConnected && document.activeElement.href") == on


def test_what_next_where_nothing_is_found(page: Page, shared: Town) -> None:
    page.goto(shared.url + "catalogue/?q=停车厂")
    settled(page)
    expect(page.locator(".nothing")).to_contain_text("您是不是要找：停车场")
    assert page.get_attribute(".nothing a[href*='ask/demand']", "href").endswith("ask/demand/?title=%E5%81%9C%E8%BD%A6%E5%8E%82")
    page.click(".nothing a[href*='ask/demand']")
    expect(page.locator("#ask input[name=title]")).to_have_value("停车厂")
    page.go_back()
    settled(page)
    page.click(".nothing .ways a")
    settled(page, "停车场")
    assert page.input_value("#q") == "停车场" and set(names(page)) >= {"own0", "own1"}

    search_for(page, "tingchechang")  # pinyin in full
    expect(page.locator(".nothing .ways a").first).to_have_text("停车场")

    search_for(page, "停车场 甲乙丙")
    assert page.locator(".nothing .ways a").all_inner_texts() == ["停车场", "甲乙丙"]

    page.goto(shared.url + "catalogue/?q=路内停车场&open=unconditional")
    settled(page)
    page.click("text=取消筛选，有 1 条")
    settled(page)
    assert names(page) == ["own1"]

    search_for(page, "<img src=x onerror=alert(1)>")
    assert page.locator("main img").count() == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_jumps_when_a_link_with_a_query_is_opened(page: Page, shared: Town, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.add_init_script("window.jumps = []; new PerformanceObserver((list) => { for (const e of list.getEntries()) for (const s of e.sources) jumps.push([e.value, s.node?.id || s.node?.className || s.node?.nodeName]); }).observe({ type: 'layout-shift', buffered: true });")
    page.goto(shared.url + "catalogue/?q=负责人&open=conditional&open=none")
    settled(page)
    page.wait_for_timeout(300)
    assert names(page)
    ours = ("results", "facets", "colophon", "chosen", "also", "register", "main", "finder")
    assert [jump for jump in page.evaluate("jumps") if jump[1] in ours] == []


@pytest.mark.parametrize("key", ["constructor", "__proto__", "toString"])
def test_a_word_of_the_language_is_a_word_like_others_in_english(page: Page, shared: Town, key: str) -> None:
    page.goto(shared.url + f"catalogue/?lang=en&q={key}")
    settled(page)
    expect(page.locator("#results")).to_contain_text("Nothing was found.")
    page.goto(shared.url + f"catalogue/?lang=en&open={key}&q=数据")
    settled(page)
    expect(page.locator("#chosen button")).to_have_text(f"{key} ×")
    expect(page.locator("#count")).to_have_text("0 entries")


@pytest.mark.parametrize("path", ["", "catalogue/", "entry/own0/", "dashboard/?lang=en"])
def test_the_head_of_a_page_stands_still_on_the_narrowest_screen_while_scripts_come(page: Page, shared: Town, path: str) -> None:
    held: list[Route] = []
    page.set_viewport_size({"width": 320, "height": 800})
    page.add_init_script("window.jumps = []; new PerformanceObserver((list) => { for (const e of list.getEntries()) jumps.push([e.value, ...e.sources.map((s) => s.node?.id || s.node?.className || s.node?.nodeName)]); }).observe({ type: 'layout-shift', buffered: true });")
    page.route("**/assets/site.js", lambda route: held.append(route))
    page.goto(shared.url + path, wait_until="commit")
    page.wait_for_function("() => document.querySelector('footer') !== null")
    page.wait_for_timeout(300)  # painted without it
    held[0].continue_()
    page.wait_for_function("() => window.mulu?.ready.then(() => true)")
    page.wait_for_timeout(300)
    assert page.locator("#language").is_visible() and page.evaluate("jumps") == []


# ---- what goes wrong


def test_an_index_that_cannot_be_fetched_is_said_and_tried_again(page: Page, shared: Town) -> None:
    page.route("**/search/rows-*", lambda route: route.abort())
    page.goto(shared.url + "catalogue/?q=停车场")
    expect(page.locator("#results .nothing")).to_contain_text("检索索引没有取到")
    expect(page.locator("#results a[href$='browse/']")).to_be_visible()
    page.unroute("**/search/rows-*")
    page.get_by_role("button", name="重试").click()
    settled(page)
    assert set(names(page)) >= {"own0", "own1"}


@pytest.mark.parametrize("status", [0, 404, 503])
def test_without_the_second_stage_titles_still_answer(page: Page, shared: Town, status: int) -> None:
    """0: no answer at all; 404: the piece is gone, and a fetch of the whole index does not bring it back."""
    page.route("**/search/words-*", lambda route: route.fulfill(status=status, body="") if status else route.abort())
    page.goto(shared.url + "catalogue/?q=停车场")
    settled(page)
    assert set(names(page)) >= {"own0", "own1"}
    expect(page.locator("#results")).to_contain_text("摘要和信息项没有取到，只检索了名称")
    expect(page.locator("#count")).to_have_text(f"名称中有 {len(names(page))} 条")
    search_for(page, "甲乙丙")  # stands in an abstract and an item only: that nothing is found would be untrue
    assert names(page) == []
    expect(page.locator("#results")).to_contain_text("摘要和信息项没有取到，只检索了名称")
    expect(page.locator("#results")).not_to_contain_text("没有找到相符的条目")
    expect(page.locator("#said")).to_have_text("名称中有 0 条")
    again = page.get_by_role("button", name="重试")
    again.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("正在检索……")
    settled(page)
    expect(again).to_be_focused()
    page.unroute("**/search/words-*")
    page.keyboard.press("Enter")
    settled(page)
    assert sorted(names(page)) == ["own4", "own5"] and page.locator("#results button").count() == 0
    expect(page.locator("#results .name a").first).to_be_focused()
    expect(page.locator("#count")).to_have_text("共 2 条")


def test_texts_that_cannot_be_fetched_take_nothing_from_the_answer(page: Page, shared: Town) -> None:
    page.route("**/search/texts-*", lambda route: route.fulfill(status=404))
    page.goto(shared.url + "catalogue/?q=甲乙丙")
    settled(page)
    assert set(names(page)) >= {"own4", "own5"}
    expect(page.locator("#results")).not_to_contain_text("没有取到")


def test_a_page_that_is_open_while_the_site_is_built_anew_goes_on(page: Page, town: Town) -> None:
    page.goto(town.url + "catalogue/")
    search_for(page, "停车场")
    town.entries = [e for e in town.entries if e["name"] != "own1"]
    town.entries.append({**town.entries[-1], "id": "new", "name": "new", "title": "新的停车场名录", "notes": "崭新的说明"})
    town.build()
    search_for(page, "崭新的说明")
    assert names(page) == ["new"]
    search_for(page, "停车场名录")
    assert set(names(page)) == town.holding("停车场名录") and "new" in names(page)


# ---- without a network


def kept(page: Page) -> dict[str, list[str]]:
    return page.evaluate("async () => { const all = {}; for (const n of await caches.keys()) all[n] = (await (await caches.open(n)).keys()).map((r) => r.url); return all; }")


def worker_runs(page: Page) -> None:
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")


def wait_kept(page: Page) -> None:
    page.evaluate("navigator.serviceWorker.addEventListener('message', (e) => { if (e.data.kept) window.kept = true; })")
    page.evaluate("navigator.serviceWorker.controller.postMessage({ keep: 'search' })")
    page.wait_for_function("() => window.kept === true")


def test_search_and_a_visited_entry_without_a_network(online: Page, town: Town) -> None:
    page = online
    page.goto(town.url + "catalogue/")
    worker_runs(page)
    page.goto(town.url + "entry/own0/")
    page.goto(town.url + "catalogue/")
    search_for(page, "停车场")
    wait_kept(page)
    town.stop()
    page.context.set_offline(True)
    page.goto(town.url + "catalogue/?q=标准&sort=title")
    settled(page)
    assert set(names(page)) == town.holding("标准") & set(names(page)) and "own1" in names(page)
    expect(page.locator("#count")).to_have_text(f"共 {len(town.holding('标准'))} 条")
    page.click("a[href*=own1]")
    expect(page.locator("h1")).to_have_text("没有网络")
    page.goto(town.url + "entry/own0/")
    expect(page.locator("h1")).to_have_text("公共停车场名录")
    page.goto(town.url)
    expect(page.locator(".masthead")).to_be_visible()


def test_another_release_of_the_program_drops_what_the_last_one_kept(online: Page, town: Town) -> None:
    page = online
    page.goto(town.url + "catalogue/")
    worker_runs(page)
    old = set(kept(page))
    page.evaluate("caches.open('another site on this host')")
    town.build(site_url="https://catalogue.example")
    page.reload()
    page.wait_for_function("async (old) => { const now = (await caches.keys()).filter((n) => n.startsWith('mulu') && !n.endsWith(' index')); return now.length === 1 && !old.includes(now[0]); }", arg=sorted(old))
    assert "another site on this host" in kept(page)


def test_no_more_pages_are_kept_than_said(online: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline, "MOST_PAGES", 3)
    town, page = Town(tmp_path), online
    page.goto(town.url + "catalogue/")
    worker_runs(page)
    for entry in town.entries[:6]:
        page.goto(f"{town.url}entry/{entry['name']}/")
    page.wait_for_function("async (last) => { for (const n of await caches.keys()) { const kept = (await (await caches.open(n)).keys()).filter((r) => r.url.includes('/entry/')); if (kept.length === 3 && kept.some((r) => r.url.includes(last))) return true; } return false; }",
                           arg=town.entries[5]["name"])  # fmt: skip
    town.stop()


def test_over_plain_http_nothing_is_kept_and_nothing_breaks(browser: Browser, shared: Town) -> None:
    other = browser.browser_type.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-quic", "--host-resolver-rules=MAP catalogue.example 127.0.0.1"])
    page = other.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.goto(f"http://catalogue.example:{shared.http.server_port}{PREFIX}catalogue/")
    assert page.evaluate("isSecureContext") is False
    search_for(page, "停车场")
    assert set(names(page)) >= {"own0", "own1"}
    assert wrong == []
    other.close()
