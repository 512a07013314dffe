"""What people do to the forms and to the status page: twice, too much, in two windows, later, on paper. In a real Chromium."""

# ruff: noqa: F811 (fixtures that are imported)
from __future__ import annotations

import base64
import hashlib
import json

import pytest
from asking_stub import CASE, RECEIPT, SALT, Portal, base, entry, open_page, portal, rereview, stub  # noqa: F401
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

# ---- what people do to a form


def test_files_are_judged_before_they_are_sent(open_page, portal: Portal, entry: dict) -> None:
    page = open_page(rereview(entry))
    page.fill("#f-request", "理由")
    said = page.inner_text("#h-attachments")
    assert all(part in said for part in ("5 个", "10 MB", "PDF", "DOCX"))
    page.set_input_files("#f-attachments", [{"name": "坏.exe", "mimeType": "a/b", "buffer": b"MZ"}, {"name": "空.pdf", "mimeType": "a/b", "buffer": b""}])
    expect(page.locator("#e-attachments")).to_contain_text("“坏.exe”不是可以受理的格式")
    expect(page.locator("#e-attachments")).to_contain_text("“空.pdf”是空文件")
    page.set_input_files("#f-attachments", [{"name": f"{n}.txt", "mimeType": "text/plain", "buffer": b"x"} for n in range(6)])
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("#problems")).to_contain_text("附件有6个，最多5个")
    page.set_input_files("#f-attachments", [{"name": "大.pdf", "mimeType": "application/pdf", "buffer": b"x" * (10 * 2**20 + 1)}])
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("#problems")).to_contain_text("每个附件最大 10 MB")
    assert not portal.sent
    page.set_input_files("#f-attachments", [{"name": "好<b>.txt", "mimeType": "text/plain", "buffer": b"x"}])
    expect(page.locator("#e-attachments")).to_be_empty()
    expect(page.locator("#files-attachments")).to_have_text("好<b>.txt（1 KB）")
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("#receipt-code")).to_have_text(RECEIPT["code"])


def test_pressed_twice_it_is_sent_once(open_page, portal: Portal, entry: dict) -> None:
    page = open_page(rereview(entry))
    page.fill("#f-request", "😀 <script>alert(1)</script> \u202e𠮷")
    page.get_by_role("button", name="提交", exact=True).dblclick()
    expect(page.locator("#receipt-code")).to_have_text(RECEIPT["code"])
    assert [path for path, *_ in portal.sent] == ["requests"]
    assert json.loads(portal.form()["data"])["request"] == "😀 <script>alert(1)</script> \u202e𠮷"


SLOW = 400_000
"""A number so high that the worker is still counting when a person presses the next button."""


def test_saved_as_a_file_while_the_proof_is_computed(open_page, portal: Portal, entry: dict) -> None:
    challenge = hashlib.sha256(f"{SALT}{SLOW}".encode()).hexdigest()
    portal.say("challenge", 200, {"algorithm": "SHA-256", "challenge": challenge, "maxnumber": SLOW, "salt": SALT, "signature": "sig"})
    page = open_page(rereview(entry))
    page.fill("#f-request", "理由")
    mixed = page.evaluate("Promise.all(['甲', '乙'].map(mulu.portal.sha256))")
    assert mixed == [hashlib.sha256(text.encode()).hexdigest() for text in "甲乙"]
    downloads: list[object] = []
    page.on("download", lambda one: downloads.append(one))
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("#progress")).to_contain_text("正在提交")
    expect(page.locator("#to-file")).to_be_disabled()
    page.evaluate("document.getElementById('to-file').onclick()")
    expect(page.locator("#receipt-code")).to_have_text(RECEIPT["code"], timeout=60_000)
    assert json.loads(base64.b64decode(portal.form()["altcha"]))["number"] == SLOW
    assert downloads == []


def test_what_was_kept_is_there_before_anything_is_written(open_page, portal: Portal, entry: dict) -> None:
    page = open_page(rereview(entry))
    page.fill("#f-request", "昨天写的")
    page.wait_for_timeout(400)
    held: list[Route] = []
    page.route("**/entry.json", lambda route: held.append(route))
    page.reload()
    expect(page.locator("#f-request")).to_have_value("昨天写的")
    page.locator("#f-request").press("End")
    page.keyboard.type("，今天补的")
    page.wait_for_timeout(400)
    assert held, "the entry has not come yet"
    held[0].continue_()
    page.wait_for_selector("#ask[data-ready]")
    assert page.input_value("#f-request") == "昨天写的，今天补的"
    assert "昨天写的，今天补的" in page.evaluate(f"localStorage.getItem('mulu.ask.rereview.{entry['name']}')")


@pytest.mark.parametrize("procedure", ["error_check", "complaint"])
def test_from_an_entry_it_goes_with_the_entry_however_slow_the_network(open_page, portal: Portal, entry: dict, procedure: str) -> None:
    page = open_page("ask/status/")
    page.route("**/entry.json", lambda route: route.abort())
    page.goto(page.url.replace("status/", f"{procedure}/?entry={entry['name']}"))
    page.wait_for_selector("#ask[data-ready]")
    expect(page.locator("#entry")).to_contain_text("由受理门户核对")
    page.fill("#f-description", "内容")
    for choice in page.locator("#ask fieldset[data-required]").all():
        choice.locator("input").first.check()
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("#receipt-code")).to_have_text(RECEIPT["code"])
    assert portal.form()["entry"] == entry["name"]


def test_about_no_entry_is_somebodys_choice(open_page, portal: Portal, entry: dict) -> None:
    page = open_page("ask/complaint/?entry=no-such-entry")
    page.fill("#f-description", "内容")
    for choice in page.locator("#ask fieldset[data-required]").all():
        choice.locator("input").first.check()
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("#problems")).to_contain_text("不针对条目的，请勾选")
    assert not portal.sent
    page.get_by_label("不针对这个条目").check()
    page.wait_for_timeout(400)
    page.reload()
    page.wait_for_selector("#ask[data-ready]")
    expect(page.get_by_label("不针对这个条目")).to_be_checked()
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("#receipt-code")).to_have_text(RECEIPT["code"])
    assert "entry" not in portal.form()


def test_a_supplement_whose_answer_is_lost_is_looked_up_first(open_page, portal: Portal) -> None:
    portal.say("status", 200, {**CASE, "overdue": False, "can": ["supplement"], "question": {"on": "2026-11-23", "text": "请写明。"}})
    portal.say("supplement", 504, "gateway timeout")
    page = open_page(f"ask/status/#{RECEIPT['receipt']}")
    page.fill("#f-code", RECEIPT["code"])
    page.keyboard.press("Enter")
    page.fill("#f-supplement", "东湖镇。")
    page.get_by_role("button", name="提交补充说明").click()
    expect(page.locator("#case .problems")).to_contain_text("不能确定是否收到，请先查询进度")
    page.get_by_role("button", name="查询", exact=True).click()
    expect(page.locator("#case .problems")).to_be_hidden()
    assert page.input_value("#f-supplement") == "东湖镇。"


def test_after_the_receipt_there_is_nothing_to_send_again(open_page, portal: Portal, entry: dict) -> None:
    page = open_page(rereview(entry))
    page.fill("#f-request", "理由")
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("#receipt-title")).to_be_visible()
    page.get_by_role("button", name="复制").click()
    expect(page.locator("#receipt [role=status]")).not_to_be_empty()
    page.locator("#receipt").get_by_role("link", name="进度查询").click()
    expect(page.locator("#f-receipt")).to_have_value(RECEIPT["receipt"])
    expect(page.locator("#unsent")).to_be_hidden()
    page.go_back()
    page.wait_for_selector("#ask[data-ready]", state="attached")
    assert page.input_value("#f-request") == ""


def test_far_too_much_is_told_and_the_page_stays_quick(open_page, portal: Portal, entry: dict) -> None:
    page = open_page(rereview(entry))
    page.evaluate("""() => { const field = document.getElementById("f-request"); field.value = "长".repeat(10e6); field.dispatchEvent(new Event("input", { bubbles: true })); }""")
    expect(page.locator("#w-request .room")).to_contain_text("超出 9998000 字")
    expect(page.locator("#progress")).to_contain_text("浏览器没能保存")
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("#e-request")).to_contain_text("有10000000字，最多2000字")
    assert not portal.sent


def test_two_windows_know_of_each_other(open_page, portal: Portal, entry: dict) -> None:
    one, two = open_page(rereview(entry)), open_page(rereview(entry))
    one.fill("#f-request", "第一个窗口")
    expect(two.locator("#progress")).to_contain_text("另一个窗口里填写")
    two.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert "第一个窗口" in one.evaluate("Object.entries(localStorage).flat().join()"), "an empty window threw away what another one kept"
    one.get_by_role("button", name="提交", exact=True).click()
    expect(one.locator("#receipt-title")).to_be_visible()
    expect(two.locator("#progress")).to_contain_text("已经提交或者清除")
    first = portal.form()["request"]
    two.fill("#f-request", "另一件事")
    two.get_by_role("button", name="提交", exact=True).click()
    expect(two.locator("#receipt-title")).to_be_visible()
    assert portal.form()["request"] != first


def test_a_draft_is_forgotten_after_a_week_and_what_waits_after_a_month(open_page, portal: Portal, entry: dict) -> None:
    page = open_page("ask/status/")
    page.evaluate("""(page) => {
        const saved = (days) => new Date(Date.now() - days * 864e5).toISOString();
        const keep = (name, days, waiting) => localStorage.setItem(`mulu.ask.${name}`, JSON.stringify({ procedure: name.split(".")[0], title: name, page: "", data: { title: "旧" }, saved_at: saved(days), waiting }));
        keep("demand.", 8, false); keep("complaint.", 29, true); keep("suggestion.", 31, true); localStorage.setItem("mulu.ask.odd", "{");
        keep(`rereview.${page}`, 6, false);
    }""", entry["name"])  # fmt: skip
    page.reload()
    expect(page.locator("#unsent li")).to_have_count(2)
    kept = page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('mulu.ask')).sort()")
    assert kept == ["mulu.ask.complaint.", f"mulu.ask.rereview.{entry['name']}"]
    page.goto(page.url.replace("status/", "demand/"))
    page.wait_for_selector("#ask[data-ready]")
    assert page.input_value("#f-title") == ""


def test_what_is_asked_is_answered_where_it_is_read(open_page, portal: Portal) -> None:
    question = {"on": "2026-11-23", "text": "请写明是哪几个乡镇。"}
    asked = {**CASE, "overdue": False, "waits_for": "县民政局", "term": "10个工作日", "can": ["supplement", "withdraw"], "question": question}
    portal.say("status", 200, asked)
    page = open_page(f"ask/status/#{RECEIPT['receipt']}")
    page.fill("#f-code", RECEIPT["code"])
    page.keyboard.press("Enter")
    case = page.locator("#case")
    for text in ("请写明是哪几个乡镇。", "现在由谁办理", "县民政局", "自收到之日起10个工作日"):
        expect(case).to_contain_text(text)
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="提交补充说明").click()
    expect(page.locator("#e-supplement")).to_contain_text("请填写“补充说明”")
    page.fill("#f-supplement", "东湖镇。")
    page.set_input_files("#f-attachments", [{"name": "图.png", "mimeType": "image/png", "buffer": b"\x89PNG"}])
    portal.say("supplement", 422, {"problems": [{"field": "attachments[0]", "rule": "file_type", "message": "附件“图.png”打不开", "article": ""}]})
    page.get_by_role("button", name="提交补充说明").click()
    expect(page.locator("#e-attachments")).to_contain_text("打不开")
    assert page.input_value("#f-supplement") == "东湖镇。"
    told = {"on": "2026-11-24", "label": "补充说明", "state": "", "text": "东湖镇。"}
    portal.say("supplement", 200, {**asked, "question": None, "timeline": [*CASE["timeline"], told]})
    page.get_by_role("button", name="提交补充说明").click()
    expect(case.locator(".steps")).to_contain_text("东湖镇。")
    expect(case).not_to_contain_text("请写明是哪几个乡镇。")


def test_the_answer_tells_its_reasons_and_how_to_object(open_page, portal: Portal) -> None:
    answer = {"label": "暂不能提供", "reason": "没有部门采集。<b>", "article": "某条例 第二十条", "on": "2026-11-30", "entry": None, "remedy": "对本答复有异议的，可以申请复核。"}
    portal.say("status", 200, {**CASE, "state": "暂不能提供", "final": True, "overdue": False, "can": [], "answer": answer, "question": None})
    page = open_page(f"ask/status/#{RECEIPT['receipt']}")
    page.fill("#f-code", RECEIPT["code"])
    page.keyboard.press("Enter")
    for text in ("没有部门采集。<b>", "2026年11月30日，某条例 第二十条", "可以申请复核"):
        expect(page.locator("#case .answer")).to_contain_text(text)
    page.emulate_media(media="print")
    assert page.is_visible("#case .answer") and not page.is_visible("#status") and not page.is_visible("#case button")


def test_paper_bears_the_receipt_alone(open_page, portal: Portal, entry: dict) -> None:
    page = open_page(rereview(entry))
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.fill("#f-request", "理由")
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("#receipt-title")).to_be_visible()
    page.emulate_media(media="print")
    for gone in (".masthead", ".colophon", ".asking-side", "h1", "#receipt button", ".receipt .keep"):
        assert not page.locator(gone).first.is_visible(), gone
    for stays in ("#receipt-number", "#receipt-code", "#receipt .foot", ".demo"):
        assert page.is_visible(stays), stays
    assert page.evaluate("getComputedStyle(document.getElementById('receipt-code')).color") == "rgb(0, 0, 0)", "dark screens print black"
    assert "/ask/status/" in page.inner_text("#receipt .foot") and "只显示这一次" in page.inner_text("#receipt .foot")
