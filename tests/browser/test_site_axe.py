"""The public site in a real Chromium: accessible, complete in search, whole on a phone, readable without scripts, and on its own."""

from __future__ import annotations

import functools
import http.server
import json
import random
import threading
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from mulu_site.build import build
from mulu_site.generate import generate
from mulu_site.snapshot import open_snapshot, write_snapshot
from mulu_site.text import sound

ENTRIES = 400
PAGES = {
    "home": "", "catalogue": "catalogue/", "catalogue page 2": "catalogue/2/", "search": "catalogue/?q=养老&open=unconditional",
    "nothing found": "catalogue/?q=没有这样的条目", "browse": "browse/", "departments": "browse/department/",
    "department": "browse/department/d03/", "class": "browse/open/none/", "entry": "entry/open/", "entry on application": "entry/apply/",
    "entry not open": "entry/closed/", "entry with everything": "entry/full/", "withdrawn": "entry/gone/", "guide": "guide/",
    "apply": "guide/apply/", "object": "guide/object/", "correct": "guide/correct/", "demand": "guide/demand/", "complain": "guide/complain/",
    "ask for a re-review": "ask/rereview/?entry=closed", "ask for data": "ask/demand/", "status": "ask/status/", "ledger": "ledger/",
    "re-reviews": "ledger/rereviews/", "demands": "ledger/demands/", "about": "about/",
    "board": "dashboard/", "interfaces": "apis/", "interfaces of a scenario": "apis/frequency/none/", "entry with previews": "entry/previewed/",
    "accessibility": "accessibility/", "api": "api/", "not found": "404.html", "offline": "offline.html", "synonyms": "catalogue/?q=医保", "documentation": "develop/architecture/",
}  # fmt: skip


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up entries, three of them renamed by their class, one with every odd thing a page must bear."""
    source = open_snapshot(generate(ENTRIES, tmp_path_factory.mktemp("axe") / "made.jsonl"))
    entries = [line.entry() for line in source.lines()]
    for name, kind in (("open", "unconditional"), ("apply", "conditional"), ("closed", "none")):
        next(e for e in entries if e["open_type"] == kind)["name"] = name
    long = "很长的没有空格的名称" * 12
    items = [{"name": f"信息项{i}{'长' * (i % 40)}", "data_type": "C", "length": "50", "sensitive": i % 2 == 0, "description": "说明" * 30,
              "share_type": "conditional", "open_type": "none"} for i in range(90)]  # fmt: skip
    entries.append(
        {**entries[0], "id": "full", "name": "full", "title": long + "A" * 60, "items": items, "objection": True, "contact": "0730-" + "8" * 80,
         "resources": [{"name": long, "url": "https://x.example/" + "a" * 200, "format": "CSV", "size": 5, "hash": "f" * 64},
                       {"name": "接口", "url": "javascript:1", "format": "API"}],
         "source": {"name": "来源", "url": "https://y.example/"}, "provider_title": "很长的部门名称" * 5}
    )  # fmt: skip
    entries.append(previewed(entries[1]))
    header = {k: v for k, v in source.header.items() if k != "mulu_snapshot"}
    path = source.path.with_name("snapshot.jsonl")
    write_snapshot(path, header, [*entries, {**entries[1], "id": "gone", "name": "gone", "title": "将要撤下的条目"}])
    build(path, path.parent / "out", pages=None)
    write_snapshot(path, header, entries)
    return path


def previewed(entry: dict) -> dict:
    """An open entry with an interface and a file that the portal has read: wide, with numbers, places and something wrong."""
    number = {"kind": "number", "filled": 9, "min": 0.5, "max": 123456.7, "mean": 5321.2, "bins": [9, 3, 1, 0, 2]}
    columns = [{"name": "名称", "kind": "text", "filled": 9}, *({"name": f"数值{'长' * n}", **number} for n in range(14))]
    preview = {
        "columns": columns, "rows": [[f"示例{n}", *["1234.5"] * 14] for n in range(10)], "total": 1200, "points": [[112.5 + n / 90, 29.5 + n % 7 / 40] for n in range(90)],
        "checked": True, "valid": False, "problems": [{"code": "type-error", "count": 7, "text": "有的内容与登记的数据类型不符"}],
    }  # fmt: skip
    file = {"id": "r1", "name": "公园名录", "url": "/dataset/x/resource/r1/download/a.csv", "format": "CSV", "size": 48_211, "hash": "sha256:" + "3f" * 32}
    api = {"id": "r2", "name": "公园查询接口", "url": "https://portal.example/api/parks", "format": "API"}
    more = {"open_type": "unconditional", "share_type": "unconditional", "license_id": "cc-by", "business_items": ["公园绿地养护"]}
    return {**entry, **more, "id": "previewed", "name": "previewed", "title": "有预览的条目", "resources": [{**file, "preview": preview}, api]}


@pytest.fixture(scope="module")
def base(snapshot: Path) -> Iterator[str]:
    """The built site, served on the loopback as any web server would."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        build(snapshot, snapshot.parent / "out", site_url=url, portal_url="https://portal.example")
        server.RequestHandlerClass = functools.partial(Quiet, directory=str(snapshot.parent / "out" / "current"))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield url
        server.shutdown()


@pytest.fixture
def open_page(browser: Browser, base: str) -> Iterator[Callable[..., Page]]:
    """Opens pages of the site; fails the test if one of them errs or asks any other host for anything."""
    contexts, wrong = [], []

    def asked(url: str) -> None:
        if not url.startswith((base, "data:")):
            wrong.append(f"request to {url}")

    def open_page(
        path: str = "", *, width: int = 1280, height: int = 900, scheme: str = "light", scripts: bool = True
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            java_script_enabled=scripts,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.goto(base + path)
        if scripts and "q=" in path:
            page.wait_for_selector("#results[data-complete]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_nothing_overflows(open_page, name: str, scheme: str) -> None:
    page = open_page(PAGES[name], scheme=scheme)
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    result = Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    assert result.response["violations"] == [], result.generate_report()


@pytest.mark.parametrize("name", ["home", "search", "entry with everything", "entry with previews", "entry not open", "object", "board", "interfaces"])
def test_axe_finds_nothing_on_a_phone(open_page, name: str) -> None:
    result = Axe().run(open_page(PAGES[name], width=390, height=844))
    assert result.response["violations"] == [], result.generate_report()


def test_english_shell_leaves_nothing_untranslated(open_page) -> None:
    """What is still Chinese is marked as Chinese; of that, no text may come from a template."""
    shell = """() => [...document.querySelectorAll('nav a, th, dt, h2, h3, button, label, .plain, .hint, .count span, .note, .block-head p, .leaders-label')]
        .filter((e) => !e.closest('.prose, .answers, .rows, th[lang]') && /[\\u3400-\\u9fff]/.test(e.textContent)).map((e) => e.textContent.trim())"""
    own = (
        "县",
        "很长",
        "中文",
        "示例",
        "信息项",
        "财税",
        "文化",
        "教育",
        "交通",
        "农业",
        "华容县",
        "政务数据",
        "公园",
    )  # what departments wrote: titles, free themes; the words of regulations
    for name in (
        "home",
        "browse",
        "catalogue",
        "search",
        "department",
        "entry",
        "entry not open",
        "entry on application",
        "withdrawn",
        "ask for a re-review",
        "ask for data",
        "status",
        "ledger",
        "demands",
        "board",
        "interfaces",
        "entry with previews",
    ):
        path = PAGES[name] + ("&" if "?" in PAGES[name] else "?") + "lang=en"
        page = open_page(path)
        page.wait_for_selector("html[lang=en]")
        left = [text for text in page.evaluate(shell) if not text.startswith(own)]
        assert left == [], name
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        tops = page.evaluate("[...document.querySelectorAll('.masthead nav a')].map((a) => [a.getBoundingClientRect().top, a.getClientRects().length])")
        assert len({tuple(one) for one in tops}) == 1, f"the navigation of {name} wraps"
        page.set_viewport_size({"width": 1280, "height": 900})
        assert Axe().run(page).response["violations"] == []
        page.context.close()


def test_language_and_theme_are_kept(open_page, base: str) -> None:
    page = open_page()
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.click("#language")
    page.wait_for_selector("html[lang=en]")
    page.goto(base + "about/")
    page.wait_for_selector("html[lang=en][data-theme=dark]")
    page.click("#language")
    page.wait_for_selector("html[lang=zh-CN]")


# ---- search

SEARCH = """async (parts) => {
  const field = document.getElementById('q'), results = document.getElementById('results'), found = {};
  for (const part of parts) {
    field.value = part;
    field.dispatchEvent(new Event('input'));
    await new Promise((done) => { const wait = () => results.dataset.query === part ? done() : setTimeout(wait, 1); wait(); });
    found[part] = [...results.querySelectorAll('.name a')].map((a) => a.href.split('/').at(-2));
  }
  return found;
}"""


@pytest.fixture(scope="module")
def entries(snapshot: Path) -> list[dict]:
    return [line.entry() for line in open_snapshot(snapshot).lines()]


def fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def test_search_finds_every_part_of_every_title(open_page, entries: list[dict]) -> None:
    """Parts of two or more characters of 30 titles: what holds the part in its title comes first, and all of it."""
    page = open_page("catalogue/?q=xx")
    chance = random.Random(7)
    titles = {e["title"] for e in chance.sample(entries[:-1], 30)}
    parts = {
        t[i:j]
        for t in titles
        for i in range(len(t))
        for j in {i + 2, i + 3, i + chance.randint(2, 12), len(t)}
        if i + 2 <= j <= len(t)
    }
    found = page.evaluate(SEARCH, sorted(parts))
    for part in parts:
        truth = {e["name"] for e in entries if fold(part) in fold(e["title"])}
        assert truth, part
        assert truth <= set(found[part]) if len(truth) <= 30 else set(found[part]) <= truth, part


def test_search_results_are_the_entries_that_hold_the_words(open_page, entries: list[dict]) -> None:
    for query in ("养老", "住房公积金", "图书馆藏 办理", "县民政局 名录"):
        page = open_page(f"catalogue/?q={query}&sort=title")
        names: set[str] = set()
        while True:
            names |= {a.get_attribute("href").split("/")[-2] for a in page.query_selector_all("#results .name a")}
            following = page.query_selector("#results .pager a:text('下一页')")
            if not following:
                break
            here = page.url
            following.click()
            page.wait_for_function("(u) => location.href !== u", arg=here)
            page.wait_for_timeout(50)
        truth = {
            e["name"] for e in entries
            if all(any(w in fold(t) for t in (e["title"], e["provider_title"], e["notes"], *(i["name"] for i in e["items"]))) for w in query.split())
        }  # fmt: skip
        assert truth <= names, query
        page.context.close()


def test_search_by_pinyin_initials_item_code_and_class(open_page, entries: list[dict]) -> None:
    page = open_page("catalogue/?q=xx")
    entry = entries[10]
    latin = sound("养老机构").initials
    found = page.evaluate(SEARCH, [latin, entry["resource_code"]])
    assert {e["name"] for e in entries if "养老机构" in e["title"]} <= set(found[latin])
    assert found[entry["resource_code"]] == [entry["name"]]
    page.fill("#q", "有条件开放")
    expect(page.locator("#count")).to_have_text(f"共 {sum(e['open_type'] == 'conditional' for e in entries)} 条")
    page.fill("#q", "信息项88")  # stands in no title, only among the items of one entry
    page.wait_for_selector("#results a[href*='entry/full/']")
    expect(page.locator("#results .within")).to_have_count(1)


def test_facets_sort_and_address(open_page, entries: list[dict], base: str) -> None:
    page = open_page("catalogue/?q=养老")
    truth = [e for e in entries if "养老" in e["title"]]
    page.click("[data-facet='open=none']")
    page.wait_for_selector(".chosen button")
    assert "open=none" in page.url
    expect(page.locator("#count")).to_have_text(f"共 {sum(e['open_type'] == 'none' for e in truth)} 条")
    page.select_option("#sort", "updated")
    dates = [t.inner_text() for t in page.query_selector_all("#results time")]
    assert dates == sorted(dates, reverse=True)
    again = open_page(page.url.removeprefix(base))
    expect(again.locator("#count")).to_have_text(page.inner_text("#count"))
    expect(again.locator("#q")).to_have_value("养老")
    again.click(".chosen button")
    expect(again.locator("#count")).to_have_text(f"共 {len(truth)} 条")
    again.go_back()
    expect(again.locator(".chosen button")).to_have_count(1)


def test_search_by_keyboard_alone(open_page, base: str) -> None:
    page = open_page("catalogue/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("养老", delay=5)
    page.wait_for_selector("#results[data-complete='养老']")
    assert page.get_attribute("#count", "aria-live") == "polite"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = page.evaluate("document.activeElement.href")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.href") == second
    page.keyboard.press("Enter")
    page.wait_for_url(second)
    assert "养老" in page.inner_text("h1")


def test_home_search_leads_to_results(open_page) -> None:
    page = open_page()
    page.fill("#q", "养老")
    page.keyboard.press("Enter")
    page.wait_for_selector("#results[data-complete='养老']")
    assert page.locator("#results .name").count() > 0


def test_markup_in_a_query_is_text(open_page) -> None:
    page = open_page("catalogue/?q=<img src=x onerror=alert(1)>&department=<b>")
    assert page.locator("main img").count() == 0
    expect(page.locator("#count")).to_have_text("共 0 条")


# ---- without scripts, on paper, light of weight


def test_everything_can_be_read_without_scripts(open_page, entries: list[dict]) -> None:
    page = open_page(scripts=False)
    page.click("text=全部部门")
    page.click(f"text={entries[0]['provider_title']}")
    assert page.locator(".register .name a").count() > 5
    page.click(".register .name a >> nth=0")
    assert page.inner_text("#get") == "取得数据"
    assert not page.is_visible("#theme")


def test_first_view_is_light(open_page, base: str) -> None:
    page = open_page()
    sizes = json.loads(
        page.evaluate(
            "JSON.stringify(performance.getEntriesByType('resource').map((r) => [r.name, r.decodedBodySize]))"
        )
    )
    assert sum(size for name, size in sizes if name.endswith(".js")) < 20_000
    assert not [name for name, _ in sizes if "/search/" in name]


def test_no_layout_shift(open_page) -> None:
    page = open_page(PAGES["entry not open"], width=390)
    page.wait_for_timeout(300)
    shift = page.evaluate(
        """() => new Promise((done) => { let sum = 0;
        new PerformanceObserver((list) => { for (const e of list.getEntries()) sum += e.value; done(sum); }).observe({type: 'layout-shift', buffered: true});
        setTimeout(() => done(sum), 200); })"""
    )
    assert shift < 0.05


def test_print_shows_the_whole_entry(open_page) -> None:
    page = open_page(PAGES["entry not open"])
    page.emulate_media(media="print")
    assert page.is_visible("h1") and page.is_visible(".classes") and not page.is_visible(".masthead nav")
