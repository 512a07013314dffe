"""A citizen's voice, the whole way in a real browser: the site's form → receipt → the authority decides → the site tells the outcome.

The entry is not open. Someone without an account asks for a re-review on the static site; the authority accepts it, and its head, who
did not take the first decision, changes the class. The site built from the next snapshot shows the new class and the outcome, and
nowhere who asked.
"""

from __future__ import annotations

import re
import subprocess
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import BIN, INI, ROOT, Portal, ckan, served
from playwright.sync_api import Browser, Page, expect

from mulu import credit_code
from mulu_site.build import build

DEPARTMENT = "demo-provider"
TITLE = "低保对象核查结果统计"
NAME, EMAIL, PHONE = "欧阳听证（虚构）", "ouyang.tingzheng@example.com", "13900001234"
CLOSED = {
    "open_type": "none", "open_ground": "third_party", "open_basis": "《中华人民共和国个人信息保护法》第二十八条", "open_review_on": "2027-06-01",
}  # fmt: skip
OUTCOME = "去除个人信息后的统计结果可以开放，改为有条件开放。"
REVIEWS = {
    key: {"by": "李四（演示）", "on": "2026-01-15", "conclusion": "不涉及国家秘密和个人信息"} for key in ("secrecy_review", "privacy_review")
}


def done(answer: Any) -> dict[str, Any]:
    assert answer.ok, answer.text
    return answer.json()["result"]


def act(portal: Portal, role: str, case: str, event: str, **data: Any) -> dict[str, Any]:
    return done(portal.api("mulu_case_event", {"id": case, "event": event, "data": data}, role=role))


def published_entry(portal: Portal, title: str, **more: Any) -> dict[str, Any]:
    """An entry that the authority's reviewer has published; without ``more`` it is not open."""
    package = done(portal.api("package_create", {
        "title": title, "notes": "各乡镇每季度核查的结果。", "owner_org": DEPARTMENT, "format_class": "database", "format_type": "mysql",
        "catalogue_kind": "department", "classification": ["3", "07", "001", "01"], "share_type": "conditional",
        "share_condition": "限社会救助使用", "share_basis": "《社会救助暂行办法》第六十条", "share_mode": ["batch_download"],
        "items": [{"name": "户数", "data_type": "N", "length": "10", "kind": "business"}], "update_frequency": "quarterly",
        "security_level": "L2", "personal_information": "desensitised", **(more or CLOSED),
    }, role="provider_editor"))  # fmt: skip
    case = done(portal.api("package_show", {"id": package["id"]}, role="provider_editor"))["mulu_case"]
    act(portal, "provider_editor", case, "submit")
    act(portal, "provider_head", case, "head_agree", **REVIEWS)
    act(portal, "authority", case, "publish")
    return package


@pytest.fixture(scope="module")
def entry(portal: Portal) -> dict[str, Any]:
    return published_entry(portal, TITLE)


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
        expect(page.locator("#rereviews")).to_be_visible()
        expect(page.locator(".answers").first).to_contain_text(OUTCOME)
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


def imported(file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "ckan"), "-c", str(INI), "mulu", "cases-import", *options, str(file)]
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)


def test_what_the_browser_saves_is_what_the_portal_takes(browser: Browser, portal: Portal, entry: dict, tmp_path: Path) -> None:
    """The portal cannot be reached; the file that the form saves is handed in, once; sent afterwards it is not filed twice."""
    site = built_site(portal, tmp_path)
    words = "网络不通时写的“理由”：<b>\\ \n第二行 😀 𠮷"
    with served(site, portal.site_url) as url:
        context = browser.new_context(locale="zh-CN")
        page = context.new_page()
        page.goto(f"{url}/ask/rereview/?entry={entry['name']}")
        page.wait_for_selector("#ask[data-ready]")
        page.route(f"{portal.url}/**", lambda route: route.abort("connectionrefused"))
        page.fill("#f-request", words)
        page.get_by_role("button", name="提交", exact=True).click()
        expect(page.locator("#kept")).to_contain_text("还没有提交")
        with page.expect_download() as kept:
            page.locator("#kept").get_by_role("button", name="存成文件").click()
        kept.value.save_as(tmp_path / "申请.json")

        done = imported(tmp_path / "申请.json")
        assert done.returncode == 0, done.stderr
        receipt, code = re.search(r"受理编号 (\S+)　查询码 (\S+)", done.stdout).groups()
        again = imported(tmp_path / "申请.json")
        assert again.returncode == 1 and "不再重复收" in again.stderr and receipt in again.stderr
        changed = tmp_path / "改过.json"
        changed.write_text((tmp_path / "申请.json").read_text().replace("第二行", "另一行"))
        assert "校验值不符" in imported(changed).stderr

        status = context.new_page()
        looked_up(status, url, receipt, code)
        expect(status.locator("#case .verdict")).to_have_text("已收件")
        page.unroute(f"{portal.url}/**")
        page.locator("#kept").get_by_role("button", name="再次提交").click()
        expect(page.locator("#problems")).to_contain_text("不再重复收", timeout=60_000)
        expect(page.locator("#problems")).to_contain_text(receipt)
    context.close()


def test_a_suggestion_is_asked_about_answered_and_published(browser: Browser, portal: Portal, tmp_path: Path) -> None:
    site = built_site(portal, tmp_path)
    with served(site, portal.site_url) as url:
        context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
        page = context.new_page()
        page.goto(f"{url}/ask/suggestion/")
        page.wait_for_selector("#ask[data-ready]", state="attached")
        page.check("input[name=kind][value=site]")
        page.fill("#f-description", "检索页的字在手机上太小，独一无二的原话。")
        page.fill("#f-name", NAME)
        page.get_by_role("button", name="提交", exact=True).click()
        expect(page.locator("#receipt-title")).to_be_visible(timeout=60_000)
        receipt, code = page.inner_text("#receipt-number"), page.inner_text("#receipt-code")
        assert "-YJ-" in receipt
        [case] = done(portal.api("mulu_case_list", {"procedure": "suggestion"}, role="authority"))["results"]
        act(portal, "authority", case["id"], "ask_more", reason="请写明手机的型号。")

        status = context.new_page()
        looked_up(status, url, receipt, code)
        expect(status.locator("#case .question")).to_contain_text("请写明手机的型号。")
        status.fill("#f-supplement", "虚构牌一号")
        status.set_input_files("#f-attachments", [{"name": "截图说明.txt", "mimeType": "text/plain", "buffer": "虚构".encode()}])
        status.get_by_role("button", name="提交补充说明").click()
        expect(status.locator("#case .steps")).to_contain_text("虚构牌一号")
        expect(status.locator("#case")).to_contain_text("截图说明.txt")
        act(portal, "authority", case["id"], "answer_publicly", summary="检索页在手机上字号偏小", outcome="已经放大一号，谢谢。")
        looked_up(status, url, receipt, code)
        expect(status.locator("#case .answer")).to_contain_text("已经放大一号")

        built_site(portal, tmp_path)
        page = context.new_page()
        page.goto(f"{url}/ledger/suggestions/")
        expect(page.locator(".answers")).to_contain_text("检索页在手机上字号偏小")
        expect(page.locator(".answers")).to_contain_text("已经放大一号")
        context.close()
    for file in site.resolve().rglob("*"):
        if file.is_file():
            assert "独一无二的原话".encode() not in file.read_bytes(), file


def test_an_application_says_what_it_needs_and_keeps_the_entry_through_the_login(browser: Browser, portal: Portal, tmp_path: Path) -> None:
    """From the entry on the site to the portal: before the log-in what is needed, after it the form of that entry."""
    package = published_entry(portal, "养老机构床位", open_type="conditional", open_condition="用于公益研究")
    site = built_site(portal, tmp_path)
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
    page = context.new_page()
    with served(site, portal.site_url) as url:
        page.goto(f"{url}/entry/{package['name']}/")
        page.get_by_role("link", name="登录门户申请").click()
    before = page.locator("main, [role=main], body").first
    for text in ("养老机构床位", "用于公益研究", "统一社会信用代码", "使用场景", "使用承诺", "使用期限", "个工作日", "第二十五条", "需要准备什么"):
        expect(before).to_contain_text(text)
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="登录", exact=True).last.click()
    page.fill("input[name=login]", portal.users["enterprise"]["name"])
    page.fill("input[name=password]", portal.users["enterprise"]["password"])
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"**/mulu/apply/open/{package['name']}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("养老机构床位")
    page.locator("input[name^='asked.items.']").first.check()
    page.select_option("[name=applicant_kind]", "enterprise")
    filled = {"applicant_name": "虚构养老服务公司", "contact": "0730-1234567", "purpose": "研究床位分布", "scenario": "研究", "scope": "本公司研究部",
              "security": "专机存放，用后销毁", "until": (date.today() + timedelta(days=90)).isoformat()}  # fmt: skip
    for name, value in filled.items():
        page.fill(f"[name={name}]", value)
    page.check("[name=promise]")
    page.get_by_role("button", name="提交申请").click()
    expect(page.locator(".m-summary")).to_contain_text("统一社会信用代码")
    page.fill("[name=credit_code]", credit_code.make(77))
    page.get_by_role("button", name="提交申请").click()
    expect(page.get_by_text("养老机构床位").first).to_be_visible()
    [case] = done(portal.api("mulu_case_list", {"procedure": "open_application"}, role="enterprise"))["results"]
    assert (case["title"], case["state"]) == ("养老机构床位", "deciding")
    context.close()
