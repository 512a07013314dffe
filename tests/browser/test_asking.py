"""Asking from the site: the forms, what happens when the portal is away or refuses, the receipt, the look-up. In a real Chromium.

The portal here is a loopback stub; the way through the real portal is in test_voice.py.
"""

# ruff: noqa: F811 (fixtures that are imported)
from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking_stub import CASE, NUMBER, RECEIPT, SALT, WITHDRAWN, Portal, base, entry, open_page, portal, rereview, stub  # noqa: F401
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect


def test_a_request_is_sent_as_agreed_and_its_receipt_shown_once(open_page, portal: Portal, entry: dict, tmp_path: Path) -> None:
    page = open_page(f"entry/{entry['name']}/")
    page.get_by_role("link", name="申请复核").first.click()
    page.wait_for_selector("#ask[data-ready]")
    expect(page.locator("#entry")).to_contain_text(entry["title"])
    page.fill("#f-request", "  需要各乡镇的数据，已经脱敏。 ")
    page.fill("#f-email", "someone@example.com")
    page.set_input_files("#f-attachments", [{"name": "说明.txt", "mimeType": "text/plain", "buffer": "内容".encode()}])
    assert not portal.sent, "sent before it was submitted"
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#receipt-title")).to_have_text("已收件")
    assert page.evaluate("document.activeElement.id") == "receipt"

    sent = portal.form()
    assert sent["procedure"] == "rereview"
    assert sent["entry"] == entry["id"]
    assert sent["website"] == ""
    assert re.fullmatch("[0-9a-f]{32}", sent["request"])
    assert json.loads(sent["data"]) == {"request": "需要各乡镇的数据，已经脱敏。", "email": "someone@example.com"}
    assert sent["files[]"] == [("说明.txt", "内容".encode())]
    solved = json.loads(base64.b64decode(sent["altcha"]))
    assert solved["number"] == NUMBER
    assert set(solved) == {"algorithm", "challenge", "number", "salt", "signature"}

    for text in (RECEIPT["receipt"], RECEIPT["code"], "2026年12月4日", "暂定", RECEIPT["article"], "只显示这一次"):
        expect(page.locator("#receipt")).to_contain_text(text)
    assert Axe().run(page).response["violations"] == []
    with page.expect_download() as picture:
        page.get_by_role("button", name="存为图片").click()
    picture.value.save_as(tmp_path / "receipt.png")
    assert (tmp_path / "receipt.png").read_bytes().startswith(b"\x89PNG")
    page.emulate_media(media="print")
    assert page.is_visible("#receipt-code")
    assert not page.is_visible("#receipt button")
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('mulu.ask'))") == []
    again = open_page(rereview(entry))
    assert again.input_value("#f-request") == ""


def test_everything_wrong_is_told_at_once_and_the_focus_goes_there(open_page, portal: Portal, entry: dict) -> None:
    page = open_page(f"ask/error_check/?entry={entry['name']}")
    page.check("input[name=about][value=item]")
    page.fill("#f-email", "no address")
    page.fill("#f-description", "错" * 2001)
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#problems li")).to_have_count(3)
    assert page.evaluate("document.activeElement.id") == "problems"
    expect(page.locator("#e-description")).to_contain_text("有2001字，最多2000字")
    expect(page.locator("#e-item")).to_contain_text("请写明是哪一个信息项")
    expect(page.locator("#e-email")).to_contain_text("电子邮箱")
    field = page.locator("#f-email")
    assert field.get_attribute("aria-invalid") == "true"
    assert "e-email" in field.get_attribute("aria-describedby").split()
    assert Axe().run(page).response["violations"] == []
    page.locator("#problems a").last.press("Enter")
    assert page.evaluate("document.activeElement.id") == "f-email"
    assert not portal.sent
    items = page.locator("#items-of-entry option").evaluate_all("(all) => all.map((one) => one.value)")
    assert items == [item["name"] for item in entry["items"]]


def test_what_the_portal_finds_wrong_stands_at_the_fields(open_page, portal: Portal, entry: dict) -> None:
    portal.say("requests", 422, {"problems": [
        {"field": "request", "rule": "personal_data", "message": "含有身份证号码，请删去", "article": "某法 第一条"},
        {"field": "attachments[0].name", "rule": "bad_file", "message": "附件打不开", "article": ""},
        {"field": "entry", "rule": "not_published", "message": "这一条目没有发布", "article": ""},
    ]})  # fmt: skip
    page = open_page(rereview(entry))
    page.fill("#f-request", "理由")
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#problems li")).to_have_count(3)
    expect(page.locator("#problems")).to_contain_text("某法 第一条")
    expect(page.locator("#e-request")).to_contain_text("含有身份证号码，请删去")
    expect(page.locator("#e-attachments")).to_contain_text("附件打不开")
    assert page.input_value("#f-request") == "理由"


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [(429, {"Retry_After": "150"}, "3 分钟后再试"), (429, {}, "过一会儿再试"), (413, {}, "附件太大"), (415, {}, "格式不受理"),
     (403, {}, "安全校验没有通过"), (400, {}, "代码 400")],
)  # fmt: skip
def test_refusals_say_what_to_do_and_lose_nothing(open_page, portal: Portal, entry: dict, status, headers, told) -> None:
    portal.say("requests", status, "no JSON object", **headers)
    page = open_page(rereview(entry))
    page.fill("#f-request", "理由")
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#problems")).to_contain_text(told)
    again = open_page(rereview(entry))
    assert again.input_value("#f-request") == "理由"
    portal.say("requests", 201, RECEIPT)
    again.get_by_role("button", name="提交").click()
    expect(again.locator("#receipt-code")).to_have_text(RECEIPT["code"])


@pytest.mark.parametrize("broken", ["away", "error"])
def test_while_the_portal_is_away_the_request_is_kept(open_page, portal: Portal, entry: dict, broken: str, tmp_path: Path) -> None:
    if broken == "away":
        portal.stop()
    else:
        portal.say("challenge", 502, "bad gateway")
    page = open_page(rereview(entry))
    page.fill("#f-request", "离线时写的理由")
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#kept")).to_contain_text("还没有提交")
    assert Axe().run(page).response["violations"] == []
    with page.expect_download() as kept:
        page.locator("#kept").get_by_role("button", name="存成文件").click()
    kept.value.save_as(tmp_path / "request.json")
    request = json.loads((tmp_path / "request.json").read_text())
    assert {**request, "saved_at": "", "id": "", "check": ""} == {
        "mulu_request": 1, "id": "", "procedure": "rereview", "entry": entry["id"], "data": {"request": "离线时写的理由"}, "saved_at": "", "check": "",
    }  # fmt: skip
    signed = json.dumps([request[key] for key in ("id", "procedure", "entry", "data", "saved_at")], ensure_ascii=False, separators=(",", ":"))
    assert request["check"] == hashlib.sha256(signed.encode()).hexdigest()
    page.close()

    page = open_page("ask/status/")
    expect(page.locator("#unsent")).to_contain_text(entry["title"])
    portal.stop()
    portal.say("challenge", 200, {"algorithm": "SHA-256", "challenge": hashlib.sha256(f"{SALT}{NUMBER}".encode()).hexdigest(),
                                  "maxnumber": 50_000, "salt": SALT, "signature": "sig"})  # fmt: skip
    portal.start()
    page.locator("#unsent a").click()
    expect(page.locator("#kept")).to_contain_text("有一份没有提交的内容")
    page.locator("#kept").get_by_role("button", name="再次提交").click()
    expect(page.locator("#receipt-code")).to_have_text(RECEIPT["code"])
    assert json.loads(portal.form()["data"]) == {"request": "离线时写的理由"}
    assert portal.form()["request"] == request["id"], "by whichever way it comes, it is the same request"


def test_a_portal_that_falls_silent_leaves_a_doubt_and_says_so(open_page, portal: Portal, entry: dict) -> None:
    portal.silent.add("requests")
    page = open_page(rereview(entry))
    page.fill("#f-request", "理由")
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#kept")).to_contain_text("不能确定是否已经提交")
    lost = portal.form()["request"]
    page.reload()
    page.wait_for_selector("#ask[data-ready]")
    expect(page.locator("#kept")).to_contain_text("再次提交不会重复受理")
    portal.silent.clear()
    portal.say("requests", 201, {**RECEIPT, "repeated": True})
    page.locator("#kept").get_by_role("button", name="再次提交").click()
    expect(page.locator("#receipt-code")).to_have_text(RECEIPT["code"])
    expect(page.locator("#receipt")).to_contain_text("没有重复受理")
    assert portal.form()["request"] == lost


@pytest.mark.parametrize("answer", ["cut off", "gateway"])
def test_an_answer_lost_on_the_way_leaves_a_doubt_that_stays(open_page, portal: Portal, entry: dict, answer: str) -> None:
    if answer == "cut off":
        portal.cut.add("requests")
    else:
        portal.say("requests", 504, "gateway timeout")
    page = open_page(rereview(entry))
    page.fill("#f-request", "理由")
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#kept")).to_contain_text("不能确定是否已经提交")
    with page.expect_download():
        page.locator("#kept").get_by_role("button", name="存成文件").click()
    expect(page.locator("#progress")).to_contain_text("已存成文件")
    portal.say("challenge", 502, "bad gateway")
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("#progress")).to_be_empty()
    expect(page.locator("#kept")).to_contain_text("不能确定是否已经提交")
    assert json.loads(page.evaluate(f"localStorage.getItem('mulu.ask.rereview.{entry['name']}')"))["doubtful"] is True


def test_a_stale_challenge_is_solved_anew_without_bothering_anybody(open_page, portal: Portal, entry: dict) -> None:
    refusals = iter([(403, {"problems": []}, {})])
    portal.answers = _Changing(portal.answers, refusals)
    page = open_page(rereview(entry))
    page.fill("#f-request", "理由")
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#receipt-code")).to_have_text(RECEIPT["code"])
    assert [path for path, *_ in portal.sent] == ["requests", "requests"]


class _Changing(dict):
    """Answers to `requests` come from a list first, then as they were."""

    def __init__(self, answers: dict, first: Iterator) -> None:
        super().__init__(answers)
        self.first = first

    def __getitem__(self, path: str) -> Any:
        return next(self.first, super().__getitem__(path)) if path == "requests" else super().__getitem__(path)


def test_without_an_entry_a_rereview_leads_to_the_search(open_page, portal: Portal) -> None:
    page = open_page("ask/rereview/")
    page.fill("#f-request", "理由")
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#problems")).to_contain_text("请先选定条目")
    assert page.is_visible("#choose input[type=search]")
    gone = open_page("ask/rereview/?entry=no-such-entry")
    expect(gone.locator("#entry")).to_contain_text("没有找到这个条目")
    odd = open_page("ask/rereview/?entry=../../evil")
    expect(odd.locator("#entry")).to_contain_text("还没有选定条目")


def test_a_demand_needs_no_entry_and_can_be_cleared(open_page, portal: Portal) -> None:
    page = open_page("ask/demand/")
    page.fill("#f-title", "停车位实时数据")
    page.wait_for_timeout(400)
    assert page.evaluate("localStorage.getItem('mulu.ask.demand.') !== null")
    page.reload()
    page.wait_for_selector("#ask[data-ready]")
    assert page.input_value("#f-title") == "停车位实时数据"
    page.get_by_role("button", name="清除已填内容").click()
    assert page.evaluate("localStorage.getItem('mulu.ask.demand.')") is None
    page.reload()
    page.wait_for_selector("#ask[data-ready]")
    assert page.input_value("#f-title") == ""
    page.fill("#f-title", "停车位实时数据")
    page.fill("#f-description", "各停车场空位，每分钟一次")
    page.check("input[value=open]")
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#receipt-code")).to_have_text(RECEIPT["code"])
    assert "entry" not in portal.form()
    assert json.loads(portal.form()["data"])["wish"] == "open"


def test_a_form_is_filled_in_by_keyboard_alone(open_page, portal: Portal, entry: dict) -> None:
    page = open_page(rereview(entry))
    page.focus("#entry a")
    page.keyboard.press("Tab")
    page.keyboard.type("理由")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "submit":
            break
    page.keyboard.press("Enter")
    expect(page.locator("#receipt-code")).to_have_text(RECEIPT["code"])
    assert portal.form()["website"] == "", "the trap is reached by keyboard"


def test_look_up_and_withdrawal(open_page, portal: Portal) -> None:
    page = open_page(f"ask/status/#{RECEIPT['receipt']}")
    assert page.input_value("#f-receipt") == RECEIPT["receipt"]
    assert page.evaluate("document.activeElement.id") == "f-code"
    page.keyboard.press("Enter")
    expect(page.locator("#problems")).to_contain_text("请填写查询码")
    portal.say("status", 404, {"problems": [{"field": "", "message": "not found"}]})
    page.fill("#f-code", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#problems")).to_contain_text("受理编号或者查询码不对")
    portal.say("status", 200, CASE)
    page.fill("#f-code", "7q2m-9xkd-4t")
    page.keyboard.press("Enter")
    expect(page.locator("#case .verdict")).to_have_text("已收件")
    expect(page.locator("#case")).to_contain_text("已经超过答复期限")
    expect(page.locator("#case .steps")).to_contain_text("2026-11-21")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="撤回", exact=True).click()
    page.get_by_role("button", name="确定撤回").click()
    expect(page.locator("#case .verdict")).to_have_text("已撤回")
    pair = {"receipt": RECEIPT["receipt"], "code": "7Q2M-9XKD-4T"}
    assert [(path, json.loads(body)) for path, body, _ in portal.sent if path == "withdraw"] == [("withdraw", pair)]


def test_without_scripts_the_form_can_be_read(browser: Browser, base: str, entry: dict) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(base + rereview(entry))
    assert page.is_visible("text=申请复核的事项和理由")
    assert page.is_visible("noscript .note")
    assert not page.is_visible("button[type=submit]")
    page.close()


def test_forms_are_light(entry: dict) -> None:
    scripts = [entry["_base"] / "assets" / f"{name}.js" for name in ("theme", "site", "portal", "receipt", "ask", "proof", "status")]
    assert sum(file.stat().st_size for file in scripts) < 50_000
