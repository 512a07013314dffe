"""A citizen's voice, the whole way in a real browser: the site's form → receipt → the authority decides → the site tells the outcome.

The entry is not open. Someone without an account asks for a re-review on the static site; the authority accepts it, and its head, who
did not take the first decision, changes the class. The site built from the next snapshot shows the new class and the outcome, and
nowhere who asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import Portal, ckan, served
from playwright.sync_api import Browser, Page, expect

from mulu_site.build import build

DEPARTMENT = "demo-provider"
TITLE = "低保对象核查结果统计"
NAME, EMAIL, PHONE = "欧阳听证（虚构）", "ouyang.tingzheng@example.com", "13900001234"
OUTCOME = "去除个人信息后的统计结果可以开放，改为有条件开放。"
REVIEWS = {
    key: {"by": "李四（演示）", "on": "2026-01-15", "conclusion": "不涉及国家秘密和个人信息"} for key in ("secrecy_review", "privacy_review")
}


def done(answer: Any) -> dict[str, Any]:
    assert answer.ok, answer.text
    return answer.json()["result"]


def act(portal: Portal, role: str, case: str, event: str, **data: Any) -> dict[str, Any]:
    return done(portal.api("mulu_case_event", {"id": case, "event": event, "data": data}, role=role))


@pytest.fixture(scope="module")
def entry(portal: Portal) -> dict[str, Any]:
    """An entry that is not open, published by the authority's reviewer."""
    package = done(portal.api("package_create", {
        "title": TITLE, "notes": "各乡镇每季度核查的结果。", "owner_org": DEPARTMENT, "format_class": "database", "format_type": "mysql",
        "catalogue_kind": "department", "classification": ["3", "07", "001", "01"], "share_type": "conditional",
        "share_condition": "限社会救助使用", "share_basis": "《社会救助暂行办法》第六十条", "share_mode": ["batch_download"], "open_type": "none",
        "open_ground": "third_party", "open_basis": "《中华人民共和国个人信息保护法》第二十八条", "open_review_on": "2027-06-01",
        "items": [{"name": "户数", "data_type": "N", "length": "10", "kind": "business"}], "update_frequency": "quarterly",
        "security_level": "L2", "personal_information": "desensitised",
    }, role="provider_editor"))  # fmt: skip
    case = done(portal.api("package_show", {"id": package["id"]}, role="provider_editor"))["mulu_case"]
    act(portal, "provider_editor", case, "submit")
    act(portal, "provider_head", case, "head_agree", **REVIEWS)
    act(portal, "authority", case, "publish")
    return package


def built_site(portal: Portal, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    ckan("mulu", "snapshot", str(folder / "snapshot.jsonl"), "--demo")
    build(folder / "snapshot.jsonl", folder / "site", portal_url=portal.url)
    return folder / "site" / "current"


def looked_up(page: Page, url: str, receipt: str, code: str) -> None:
    page.goto(f"{url}/ask/status/#{receipt}")
    page.fill("#f-code", code)
    page.keyboard.press("Enter")
    expect(page.locator("#case")).to_be_visible()


def test_from_the_sites_form_to_the_published_outcome(browser: Browser, portal: Portal, entry: dict, tmp_path: Path) -> None:
    site = built_site(portal, tmp_path)
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page = context.new_page()
    with served(site, portal.site_url) as url:
        page.goto(f"{url}/entry/{entry['name']}/")
        page.get_by_role("link", name="申请复核").first.click()
        page.wait_for_selector("#ask[data-ready]")
        page.fill("#f-request", "统计结果不含个人信息，用于研究乡镇救助水平。")
        page.fill("#f-name", NAME)
        page.fill("#f-email", EMAIL)
        page.fill("#f-phone", PHONE)
        page.set_input_files("#f-attachments", [{"name": "说明.txt", "mimeType": "text/plain", "buffer": "研究计划（虚构）".encode()}])
        page.get_by_role("button", name="提交").click()
        expect(page.locator("#receipt-title")).to_be_visible(timeout=60_000)
        receipt, code = page.inner_text("#receipt-number"), page.inner_text("#receipt-code")
        expect(page.locator("#receipt")).to_contain_text("华容县政务信息资源管理暂行办法 第二十八条")

        status = context.new_page()
        looked_up(status, url, receipt, code)
        expect(status.locator("#case .verdict")).to_have_text("已收件")
        expect(status.locator("#case")).to_contain_text(receipt)
        status.fill("#f-code", "AAAA-AAAA")
        status.keyboard.press("Enter")
        expect(status.locator("#problems")).to_contain_text("受理编号或者查询码不对")

        # While it runs the entry carries the mark, and nobody's name
        built_site(portal, tmp_path)
        page = context.new_page()
        page.goto(f"{url}/entry/{entry['name']}/")
        expect(page.locator(".objection")).to_be_visible()

        cases = done(portal.api("mulu_case_list", {"procedure": "rereview"}, role="authority"))["results"]
        [case] = [one for one in cases if one["subject_id"] == entry["id"]]
        act(portal, "authority", case["id"], "accept")
        decision = {
            "reason": "去除个人信息后可以开放", "basis": "华容县政务信息资源管理暂行办法 第二十六条", "outcome": OUTCOME,
            "after": {"open_type": "conditional", "open_condition": "说明用途", "open_ground": "", "open_basis": ""},
        }  # fmt: skip
        refused = portal.api("mulu_case_event", {"id": case["id"], "event": "change", "data": decision}, role="authority")
        assert "first_decider" in refused.text, "who took the first decision decides again"
        act(portal, "authority_head", case["id"], "change", **decision)

        looked_up(status, url, receipt, code)
        expect(status.locator("#case .verdict")).to_have_text("复核后变更")
        expect(status.locator("#case .answer")).to_contain_text(OUTCOME)

        built_site(portal, tmp_path)
        page.goto(f"{url}/entry/{entry['name']}/")
        expect(page.locator(".classes .verdict").first).to_have_text("有条件开放")
        expect(page.locator(".objection")).to_have_count(0)
        expect(page.get_by_role("link", name="登录门户申请")).to_have_attribute("href", f"{portal.url}/mulu/apply/open/{entry['name']}")
        expect(page.locator(".answers")).to_contain_text(OUTCOME)
        page.goto(f"{url}/ledger/")
        expect(page.locator(".answers")).to_contain_text(OUTCOME)
        expect(page.locator(".counts")).to_contain_text("复核申请")
    context.close()
    for file in site.resolve().rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not [one for one in (NAME, EMAIL, PHONE, "研究乡镇救助水平") if one.encode() in content], file


def test_a_demand_and_its_double_are_counted_and_named_once_looked_at(browser: Browser, portal: Portal, tmp_path: Path) -> None:
    site = built_site(portal, tmp_path)
    with served(site, portal.site_url) as url:
        for name in ("甲", "乙"):
            context = browser.new_context(locale="zh-CN")
            page = context.new_page()
            page.goto(f"{url}/ask/demand/")
            page.wait_for_selector("#ask[data-ready]", state="attached")
            page.fill("#f-title", "公共停车场实时空位")
            page.fill("#f-description", f"各停车场空位数，每分钟一次，用于导航。（{name}）")
            page.check("input[name=wish][value=open]")
            page.get_by_role("button", name="提交").click()
            expect(page.locator("#receipt-title")).to_be_visible(timeout=60_000)
            context.close()
        [case] = done(portal.api("mulu_case_list", {"procedure": "demand"}, role="authority"))["results"]
        built_site(portal, tmp_path)
        page = browser.new_page()
        page.goto(f"{url}/ledger/demands/")
        expect(page.locator(".demands tbody tr")).to_have_count(1)
        expect(page.locator(".demands")).not_to_contain_text("公共停车场")  # nobody has looked at what was written
        act(portal, "authority", case["id"], "assign", department=DEPARTMENT)
        built_site(portal, tmp_path)
        page.reload()
        rows = page.locator(".demands tbody tr", has_text="公共停车场实时空位")
        expect(rows).to_have_count(1)
        expect(rows.locator("[data-label=提出次数]")).to_have_text("2")
        page.close()


def test_the_portals_own_rules_stand_at_the_fields(browser: Browser, portal: Portal, entry: dict, tmp_path: Path) -> None:
    """What only the portal can know is told at the field that it concerns, and what was written stays."""
    site = built_site(portal, tmp_path)
    with served(site, portal.site_url) as url:
        page = browser.new_page()
        page.goto(f"{url}/ask/error_check/?entry={entry['name']}")
        page.wait_for_selector("#ask[data-ready]", state="attached")
        page.check("input[name=about][value=entry]")
        page.fill("#f-description", "摘要里的周期与实际不符")
        page.set_input_files("#f-attachments", [{"name": "坏.exe", "mimeType": "application/octet-stream", "buffer": b"MZ" + b"\0" * 200}])
        page.get_by_role("button", name="提交").click()
        expect(page.locator("#e-attachments")).not_to_be_empty(timeout=60_000)
        assert page.input_value("#f-description") == "摘要里的周期与实际不符"
        page.close()
