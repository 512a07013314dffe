"""The whole way of an entry, pressed in a real browser: a department's file → draft → head → authority → the public site.

Before the authority publishes it, the entry is nowhere that a visitor can look; afterwards a part of two characters finds it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT, Portal, ckan, logged_in, served
from playwright.sync_api import Browser, Page, expect

from mulu_site.build import build

FORM = ROOT / "examples" / "forms" / "merged-cells.xlsx"
TITLE = "经开区-特种车辆信息"
PART = "特种"
REVIEWED_ON = "2026-01-15"


def built_site(portal: Portal, folder: Path) -> Path:
    """The public site of what is published now."""
    folder.mkdir()
    snapshot = folder / "snapshot.jsonl"
    ckan("mulu", "snapshot", str(snapshot), "--demo")
    build(snapshot, folder / "site", portal_url=portal.url, allow_withdrawal=True)
    return folder / "site" / "current"


def titles_found(browser: Browser, site: Path, words: str) -> list[str]:
    """What the site's own search shows for these words."""
    with served(site) as url:
        page = browser.new_page()
        page.goto(f"{url}/catalogue/?q={words}")
        page.wait_for_load_state("networkidle")
        found = page.locator("main a").all_inner_texts()
        page.close()
        return found


def press(page: Page, summary: str, confirm: str) -> None:
    """Open an event's form on the page of a case and confirm it."""
    page.locator("details.m-act summary", has_text=summary).click()
    page.get_by_role("button", name=confirm).click()
    page.wait_for_load_state()


def open_case(page: Page, portal: Portal) -> None:
    """From the inbox to the case of the entry, as people do."""
    page.goto(f"{portal.url}/mulu/inbox")
    page.get_by_role("link", name=TITLE, exact=True).click()
    page.wait_for_load_state()


@pytest.fixture(scope="module")
def imported(browser: Browser, portal: Portal) -> None:
    """The department's editor uploads the real form, looks at the report, confirms and hands in what has no problem."""
    known = portal.api("mulu_case_list", role="provider_editor").json()["result"]["count"]
    with logged_in(browser, portal, "provider_editor") as page:
        page.goto(f"{portal.url}/mulu/import")
        page.set_input_files("input[name=file]", str(FORM))
        page.get_by_role("button", name="上传并检查").click()
        page.wait_for_load_state()
        expect(page.get_by_role("heading", name="检查结果")).to_be_visible()
        assert portal.api("mulu_case_list", role="provider_editor").json()["result"]["count"] == known, "a dry run wrote something"
        page.get_by_role("button", name="确认，写入草稿").click()
        expect(page.get_by_role("heading", name="导入完成")).to_be_visible(timeout=120_000)
        page.get_by_role("button", name="全部提交").click()
        expect(page.get_by_text("已全部提交")).to_be_visible(timeout=120_000)


def test_an_entry_goes_the_whole_way(browser: Browser, portal: Portal, imported: None, tmp_path: Path) -> None:
    search = {"q": PART, "rows": 100}
    before = built_site(portal, tmp_path / "before")
    assert portal.api("package_search", search).json()["result"]["count"] == 0
    assert TITLE not in titles_found(browser, before, PART)
    assert not [page for page in before.rglob("*.html") if TITLE in page.read_text(encoding="utf-8")]

    with logged_in(browser, portal, "provider_head") as page:
        open_case(page, portal)
        page.locator("details.m-act summary", has_text="同意并报主管部门").click()
        form = page.locator("details.m-act[open] form")
        for review in ("secrecy_review", "privacy_review"):
            form.locator(f"[name='{review}.by']").fill("李四（演示）")
            form.locator(f"[name='{review}.on']").fill(REVIEWED_ON)
            form.locator(f"[name='{review}.conclusion']").fill("不涉及国家秘密、工作秘密和个人信息")
        form.get_by_role("button", name="确认同意并报主管部门").click()
        page.wait_for_load_state()
        expect(page.get_by_text("已办理：同意并报主管部门")).to_be_visible()
    assert portal.api("package_search", search).json()["result"]["count"] == 0, "seen before it was published"

    with logged_in(browser, portal, "authority") as page:
        open_case(page, portal)
        press(page, "审核通过并发布", "确认审核通过并发布")
        expect(page.get_by_text("已办理：审核通过并发布")).to_be_visible()

    found = portal.api("package_search", search).json()["result"]
    assert [one["title"] for one in found["results"]] == [TITLE]
    after = built_site(portal, tmp_path / "after")
    assert TITLE in titles_found(browser, after, PART)


def test_the_filer_may_not_decide(browser: Browser, portal: Portal, imported: None) -> None:
    with logged_in(browser, portal, "provider_editor") as page:
        waiting = portal.api("mulu_case_list", {"state": "head_review"}, role="provider_editor").json()["result"]["results"]
        page.goto(f"{portal.url}/mulu/case/{waiting[0]['id']}")
        assert page.locator("details.m-act summary", has_text="同意并报主管部门").count() == 0
        page.locator("details.m-closed summary").click()
        expect(page.locator("details.m-closed")).to_contain_text("须由部门负责人办理")


def test_another_department_sees_nothing_of_it(browser: Browser, portal: Portal, imported: None) -> None:
    waiting = portal.api("mulu_case_list", {"state": "head_review"}, role="provider_editor").json()["result"]["results"]
    with logged_in(browser, portal, "consumer") as page:
        for path in (f"/mulu/case/{waiting[0]['id']}", f"/dataset/{waiting[0]['subject_id']}"):
            answer = page.goto(portal.url + path)
            assert answer is not None
            assert answer.status in (403, 404), path
            assert waiting[0]["title"] not in page.content()
