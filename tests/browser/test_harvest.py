"""A harvest in a real browser: added, tried, run, held, decided. The source is a CKAN on the loopback, the worker a real one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import BIN, INI, ROOT, Portal, logged_in
from playwright.sync_api import Browser, Page, expect

sys.path.append(str(ROOT / "tests" / "ckan"))

from upstream import Upstream

SHOTS = os.environ.get("MULU_SHOTS", "")
"""A folder to leave pictures in, for who looks at them."""
COUNT = 40


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    from server import serving

    with serving() as server:
        yield Upstream(server, COUNT)


@pytest.fixture(scope="module")
def worker(portal: Portal) -> Iterator[subprocess.Popen[bytes]]:
    """As supervisor starts it."""
    command = [str(BIN / "ckan"), "-c", str(INI), "mulu", "harvest", "work"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield process
    process.terminate()
    process.wait(30)


def sound(page: Page, name: str) -> None:
    """Accessible, and no wider than the window: on a desk in light, on a phone in dark."""
    for scheme, width in (("light", 1280), ("dark", 375)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        if SHOTS:
            page.screenshot(path=str(Path(SHOTS) / f"harvest-{name}-{scheme}-{width}.png"), full_page=True)
        wide = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide[0] <= wide[1], f"{name}: {wide} at {width}"
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]})
        assert not found.response["violations"], f"{name} {scheme} {width}: {found.generate_report()}"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


def over(page: Page) -> None:
    """The page of a run brings itself up to date until it is over."""
    expect(page.locator("[data-live]")).to_have_count(0, timeout=120_000)


def tally(page: Page) -> dict[str, int]:
    found = page.eval_on_selector_all("[data-live-count]", "all => all.map(one => [one.dataset.liveCount, Number(one.textContent)])")
    return {key: value for key, value in found if value}


def test_a_source_is_added_tried_run_held_and_applied(browser: Browser, portal: Portal, upstream: Upstream, worker: Any) -> None:
    department = portal.api("organization_list_for_user", {}, role="provider_editor").json()["result"][0]
    with logged_in(browser, portal, "authority") as page:
        page.goto(f"{portal.url}/mulu/harvest")
        sound(page, "empty")
        page.get_by_role("link", name="增加来源").first.click()
        expect(page.locator("#field-schedule_other")).to_be_hidden()
        sound(page, "form")
        page.fill("#field-title", "上游平台（虚构）")
        page.fill("#field-name", "upstream")
        page.fill("#field-publisher", "某县（虚构）")
        page.fill("#field-url", "nowhere")
        page.get_by_role("button", name="试读").click()
        expect(page.locator(".m-summary")).to_contain_text("读取方式")
        sound(page, "refused")
        page.select_option("#field-reader", "ckan")
        page.fill("#field-url", upstream.server.url)
        page.select_option("#field-organization", department["name"])
        page.fill("#field-pace", "100")
        page.get_by_role("button", name="试读").click()
        expect(page.get_by_role("heading", name=re.compile("试读结果"))).to_contain_text(f"来源共有 {COUNT} 条")
        expect(page.locator(".m-preview > li")).to_have_count(20)
        sound(page, "preview")
        assert page.input_value("#field-url") == upstream.server.url, "what was filled in stays"
        page.get_by_role("button", name="保存").click()
        expect(page.get_by_text("已保存来源")).to_be_visible()

        page.get_by_role("button", name="试运行").click()
        over(page)
        assert tally(page) == {"read": COUNT, "added": COUNT}
        sound(page, "dry-run")
        page.get_by_role("navigation", name="面包屑").or_(page.locator(".breadcrumb")).get_by_role("link", name="上游平台（虚构）").first.click()
        page.get_by_role("button", name="立即汇聚").click()
        over(page)
        assert tally(page) == {"read": COUNT, "added": COUNT}
        expect(page.get_by_role("heading", level=1)).to_contain_text("的汇聚")

        for number in range(5):
            upstream.datasets.pop(f"{number:06d}-made-up")
        upstream.put(10, open_type="conditional", open_condition="用于学术研究和公益服务。")
        upstream.put(11, notes="改过的摘要，各乡镇登记的公共设施，按月更新。")
        page.goto(f"{portal.url}/mulu/harvest/source/upstream")
        page.get_by_role("button", name="立即汇聚").click()
        over(page)
        expect(page.get_by_role("heading", name="没有写入，等待核对")).to_be_visible()
        assert tally(page)["removed"] == 5
        page.get_by_role("link", name=re.compile("^变更")).click()
        expect(page.locator(".m-step")).to_have_count(2)
        expect(page.locator(".m-step del").first).to_be_visible()
        sound(page, "held")
        page.goto(f"{portal.url}/mulu/harvest")
        sound(page, "list")
        page.get_by_role("link", name="上游平台（虚构）").click()
        sound(page, "source")
        page.get_by_role("link", name="去核对").click()
        page.locator("details.m-act summary", has_text="同意写入").click()
        page.locator("details.m-act[open] textarea").fill("已与部门核实（演示）")
        sound(page, "case")
        page.get_by_role("button", name="确认同意写入").click()
        expect(page.get_by_text("已办理：同意写入")).to_be_visible()
        page.get_by_role("link", name="查看这次汇聚和它的差异").first.click()
        over(page)
        expect(page.get_by_text("核对后同意写入")).to_be_visible()
        assert tally(page)["removed"] == 5 and "held" not in tally(page)
        page.locator(".m-step h3 a").first.click()
        expect(page.locator("section[aria-labelledby=origin]")).to_be_visible()
    shown = portal.api("mulu_harvest_source_show", {"name": "upstream"}, role="authority").json()["result"]
    assert shown["records"] == {"in": COUNT - 5, "removed": 5, "quarantined": 0}


def test_whose_entries_they_are_may_look_and_press_nothing(browser: Browser, portal: Portal, worker: Any) -> None:
    with logged_in(browser, portal, "provider_head") as page:
        page.goto(f"{portal.url}/")
        page.locator(".m-nav").get_by_role("link", name="汇聚").click()
        page.get_by_role("link", name="上游平台（虚构）").click()
        expect(page.get_by_role("button", name="立即汇聚")).to_have_count(0)
        sound(page, "looked-at")
    with logged_in(browser, portal, "consumer") as page:
        answer = page.goto(f"{portal.url}/mulu/harvest/source/upstream")
        assert answer is not None and answer.status == 404
