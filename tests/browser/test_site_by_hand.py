"""The large public site by keyboard alone, and without scripts."""

from __future__ import annotations

import csv
from collections.abc import Callable

import pytest
from large_site import PORTAL_URL, LargeSite
from playwright.sync_api import Page, expect
from test_site_axe import PAGES, dead_links
from visits import Visits

# ---- by keyboard

STOP = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  window.stops ??= new Map();
  if (!stops.has(e)) stops.set(e, stops.size);
  const behind = (n) => { for (; n; n = n.parentElement) { const c = getComputedStyle(n).backgroundColor; if (!/rgba\\(.*, 0\\)|transparent/.test(c)) return c; } return 'rgb(255, 255, 255)'; };
  const light = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const s = getComputedStyle(e), box = e.getClientRects()[0] ?? e.getBoundingClientRect();
  const x = box.left + box.width / 2, y = box.top + box.height / 2, top = document.elementFromPoint(x, Math.min(Math.max(y, 0), innerHeight - 1));
  return { n: stops.get(e), of: e.outerHTML.slice(0, 120), id: e.id,
    drawn: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 && contrast(s.outlineColor, behind(e.parentElement)) >= 3,
    seen: box.width > 0 && box.height > 0 && y >= 0 && y <= innerHeight && x >= 0 && x <= innerWidth && !!top && (e.contains(top) || top.contains(e)) };
}"""
"""Where the focus is: whether its mark is drawn (2 px or more, three times as light or dark as what it lies on) and nothing hides it."""
TABBABLE = """[...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
  .filter((e) => e.tabIndex >= 0 && !e.disabled && e.checkVisibility({ visibilityProperty: true }) && !(e.type === 'radio' && e.name && e !== document.querySelector(`[name="${e.name}"]`))).length"""


def walk(page: Page) -> list[dict]:
    """Every stop of the Tab key from the top of the page until the focus leaves it."""
    stops = []
    for _ in range(page.evaluate(TABBABLE) + 5):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None or (stops and stop["n"] < len(stops)):
            break
        stops.append(stop)
    else:
        pytest.fail(f"the focus does not leave the page: {stops[-3:]}")
    return stops


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["home", "search", "department", "entry with previews", "ask for a re-review", "status", "board", "interfaces"])
def test_every_stop_of_the_focus_is_seen_and_none_holds_it(visits: Visits, large: LargeSite, name: str, scheme: str) -> None:
    page = visits.open(PAGES[name].format(**large.paths))
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    stops = walk(page)
    assert len(stops) >= page.evaluate(TABBABLE), "some controls cannot be reached"
    assert [stop["of"] for stop in stops if not stop["drawn"]] == []
    assert [stop["of"] for stop in stops if not stop["seen"]] == []
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(STOP)["n"] >= len(stops) - 3, "back is another way than forth"


def tab_to(page: Page, selector: str, most: int = 250) -> None:
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(s) => document.activeElement?.matches(s)", selector):
            return
    pytest.fail(f"no Tab leads to {selector}")


def test_from_the_skip_link_to_an_entry_by_keyboard(visits: Visits) -> None:
    """Skip link, search as you type, results by arrows, a facet, its removal, the sort, an entry."""
    page = visits.open("catalogue/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip" and page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    tab_to(page, "#q", 3)
    page.keyboard.type("养老", delay=5)
    page.wait_for_selector("#results[data-complete='养老']")
    whole = page.inner_text("#count")
    expect(page.locator("[role=status]", has_text=whole).first).to_have_count(1)  # and it is read out

    tab_to(page, "[data-facet='open=unconditional']")
    page.keyboard.press("Space")
    page.wait_for_selector("[data-facet='open=unconditional'][aria-pressed=true]")
    assert page.evaluate("document.activeElement.dataset.facet") == "open=unconditional", "the focus is lost when the list is made anew"
    assert page.inner_text("#count") != whole
    tab_to(page, "#sort")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => location.search.includes('sort=updated')")
    dates = page.eval_on_selector_all("#results time", "(all) => all.map((one) => one.textContent)")
    assert len(dates) > 5 and dates == sorted(dates, reverse=True)
    tab_to(page, ".chosen button")
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text(whole)

    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = page.evaluate("document.activeElement.href")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.href") == second
    page.keyboard.press("Enter")
    page.wait_for_url(second)
    expect(page.locator("h1")).to_be_visible()


def test_language_and_theme_by_keyboard(visits: Visits) -> None:
    page = visits.open(fresh=True)
    tab_to(page, "#theme", 20)
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.id") == "language"
    page.keyboard.press("Enter")
    page.wait_for_selector("html[lang=en][data-theme=dark]")


def test_a_form_is_filled_by_keyboard_up_to_its_button(visits: Visits, large: LargeSite) -> None:
    """From the entry that is not open; what is missing is told where the focus then is."""
    page = visits.open(f"entry/{large.paths['closed']}/", fresh=True)
    tab_to(page, "a[href*='ask/rereview/']")
    page.keyboard.press("Enter")
    page.wait_for_selector("#ask[data-ready]", state="attached")
    tab_to(page, "#ask button[type=submit]")
    page.keyboard.press("Enter")
    expect(page.locator("#problems")).to_be_visible()
    wrong = page.evaluate("[...document.querySelectorAll('#ask [aria-invalid=true], #ask .field')].length")
    assert wrong and page.evaluate("document.activeElement.closest('#ask') !== null"), "the focus is not with what is wrong"
    visits.go(page, f"ask/rereview/?entry={large.paths['closed']}")
    page.wait_for_selector("#ask[data-ready]", state="attached")
    tab_to(page, "#f-request")
    page.keyboard.type("需要各乡镇的数据，已经脱敏。")
    tab_to(page, "#ask button[type=submit]")
    assert page.evaluate(STOP)["drawn"]
    assert page.input_value("#f-request") == "需要各乡镇的数据，已经脱敏。"


# ---- without scripts

DEAD = """[...document.querySelectorAll('button, select, input, [role=button]')].filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('form[action]')).map((e) => e.outerHTML.slice(0, 100))"""
"""Controls that only a script could make do something. What stands in a form with an address of its own works without."""


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_from_home_to_a_download_without_scripts(visits: Visits, large: LargeSite, device: str) -> None:
    page = visits.open(scripts=False, device=device)

    def follow(link: Callable[[], None]) -> None:
        here = page.url
        link()
        assert page.url != here and not page.url.endswith("404.html")
        assert page.is_visible("h1") and page.is_visible(".masthead nav") and dead_links(page, large) == []
        assert page.evaluate(DEAD) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]

    follow(lambda: page.click(".masthead nav a[href$='browse/']"))
    follow(lambda: page.click("main a[href$='browse/department/'] >> nth=0"))
    large_ones = page.eval_on_selector_all(
        ".leaders li", "(all) => all.filter((li) => +li.querySelector('.leaders-count').textContent.replace(',', '') > 60).map((li) => li.querySelector('a').getAttribute('href'))"
    )
    follow(lambda: page.click(f"main a[href='{large_ones[0]}'] >> nth=0"))
    first = page.eval_on_selector_all(".register .name a", "(all) => all.map((a) => a.href)")
    follow(lambda: page.click(".pager a[rel=next]"))
    second = page.eval_on_selector_all(".register .name a", "(all) => all.map((a) => a.href)")
    assert first and second and not set(first) & set(second)
    follow(lambda: page.click(".register .name a >> nth=0"))
    assert page.inner_text("#get") == "取得数据" and page.is_visible("#all")


def test_a_file_is_had_without_scripts(visits: Visits, large: LargeSite) -> None:
    """The link leads to the portal, which is not on this machine: what it would send is put in its place."""
    page = visits.open("entry/previewed/", scripts=False, device="phone")
    visits.elsewhere = PORTAL_URL
    page.context.route(f"{PORTAL_URL}/**", lambda route: route.fulfill(body="名称,数值\n公园,1\n", headers={"Content-Disposition": "attachment; filename=a.csv"}))
    try:
        with page.expect_download() as waiting:
            page.click(".downloads a >> nth=0")
        with open(waiting.value.path(), encoding="utf-8") as file:
            assert list(csv.reader(file)) == [["名称", "数值"], ["公园", "1"]]
    finally:
        page.context.unroute(f"{PORTAL_URL}/**")
        visits.elsewhere = ""


@pytest.mark.parametrize("name", ["catalogue", "catalogue page 2", "entry with previews", "entry not open", "board", "ledger", "interfaces", "guide"])
def test_nothing_that_needs_a_script_is_shown_dead(visits: Visits, large: LargeSite, name: str) -> None:
    page = visits.open(PAGES[name].format(**large.paths), scripts=False)
    assert page.evaluate(DEAD) == []
    assert len(page.inner_text("main")) > 100


def test_a_query_without_scripts_is_told_the_way(visits: Visits) -> None:
    """The form leads to the list; that it was not searched, and what to do instead, stands above it."""
    page = visits.open(scripts=False)
    page.fill("#q", "养老")
    page.keyboard.press("Enter")
    page.wait_for_url("**/catalogue/?q=*")
    expect(page.locator("main .note")).to_contain_text("分类")
    assert page.locator(".register .name a").count() > 10 and page.locator("#facet-groups a").count() > 10


def test_a_form_without_scripts_says_how_to_hand_in(visits: Visits, large: LargeSite) -> None:
    page = visits.open(PAGES["ask for a re-review"].format(**large.paths), scripts=False)
    expect(page.locator("main .note").first).to_contain_text("书面材料")
    assert not page.is_visible("#ask button"), "a button that sends nothing"
