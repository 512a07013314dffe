"""A sharing application in a real browser: two departments, both heads, and the data in the end, by item and no further.

The clerk of one department applies on the entry's page; the own head agrees; the other department asks for material once, agrees to a
part and delivers. The grant's key opens exactly the granted item; once the use has ended it opens nothing.
"""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
import requests
from conftest import Portal, ckan, logged_in
from playwright.sync_api import Browser, Page, expect
from test_voice import act, done

TITLE = "困难家庭子女在校信息"
FILE = "姓名,学校,补助金额\n" + "".join(f"学生{n}（虚构）,第{n}小学,{n}00\n" for n in range(1, 6))
REVIEWS = {
    key: {"by": "李四（演示）", "on": "2026-01-15", "conclusion": "不涉及国家秘密"} for key in ("secrecy_review", "privacy_review")
}


@pytest.fixture(scope="module")
def entry(portal: Portal) -> dict[str, Any]:
    """A conditional entry of the providing department with a table, published."""
    organisation = done(portal.api("organization_list_for_user", {}, role="provider_editor"))[0]["name"]
    items = [{"name": name, "data_type": "C", "length": "50", "kind": "business"} for name in ("姓名", "学校", "补助金额")]
    items[0]["sensitive"] = True
    package = done(portal.api("package_create", {
        "title": TITLE, "notes": "每学期更新。", "owner_org": organisation, "format_class": "spreadsheet", "format_type": "csv",
        "catalogue_kind": "department", "classification": ["3", "07", "001", "01"], "share_type": "conditional",
        "share_condition": "限教育、民政业务使用", "share_basis": "《社会救助暂行办法》第六十条", "share_mode": ["e_form"], "open_type": "none",
        "open_ground": "third_party", "open_basis": "《中华人民共和国个人信息保护法》第二十八条", "open_review_on": "2027-06-01",
        "items": items, "update_frequency": "half_yearly", "security_level": "L2", "personal_information": "contains",
    }, role="provider_editor"))  # fmt: skip
    uploaded = requests.post(
        f"{portal.url}/api/3/action/resource_create", data={"package_id": package["id"], "name": "名册", "format": "CSV"},
        files={"upload": ("名册.csv", FILE.encode(), "text/csv")}, headers={"Authorization": portal.users["provider_editor"]["token"]}, timeout=60,
    )  # fmt: skip
    assert uploaded.ok, uploaded.text
    case = done(portal.api("package_show", {"id": package["id"]}, role="provider_editor"))["mulu_case"]
    act(portal, "provider_editor", case, "submit")
    act(portal, "provider_head", case, "head_agree", **REVIEWS)
    act(portal, "authority", case, "publish")
    ckan("jobs", "worker", "--burst")
    return package


def to_case(page: Page, portal: Portal) -> None:
    """From the inbox to the application, as people do."""
    page.goto(f"{portal.url}/mulu/inbox")
    page.get_by_role("link", name=TITLE).first.click()
    page.wait_for_load_state()


def press(page: Page, event: str, fill: dict[str, str] | None = None) -> None:
    """Open an event's form, fill in what it asks for by the fields' names, confirm, and see that it was done."""
    page.locator("details.m-act summary", has_text=event).click()
    form = page.locator("details.m-act[open] form")
    for name, value in (fill or {}).items():
        control = form.locator(f"[name='{name}']")
        if control.evaluate("one => one.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)
    form.get_by_role("button", name=f"确认{event}").click()
    page.wait_for_load_state()
    expect(page.get_by_text(f"已办理：{event}")).to_be_visible()


def test_a_department_applies_both_heads_agree_and_the_data_comes_by_item(browser: Browser, portal: Portal, entry: dict[str, Any]) -> None:
    with logged_in(browser, portal, "consumer") as page:
        page.goto(f"{portal.url}/dataset/{entry['name']}")
        page.get_by_role("button", name="申请共享").click()
        page.wait_for_load_state()
        assert page.locator("input[type=checkbox]:checked").count() == 0, "nothing is asked for that nobody ticked"
        page.get_by_label("姓名", exact=False).first.check()
        page.get_by_label("学校", exact=False).first.check()
        for name, value in {"purpose": "核验资助资格", "scenario": "学生资助", "basis": "《社会救助暂行办法》第三十三条", "scope": "全县在校学生",
                            "until": "2030-12-31", "contact": "县教育局资助中心（虚构）"}.items():  # fmt: skip
            page.locator(f"[name='{name}']").fill(value)
        page.locator("[name='way']").select_option("api")
        page.locator("[name='promise'][type=checkbox]").check()
        page.get_by_role("button", name="提交本部门负责人").click()
        page.wait_for_load_state()
        expect(page.get_by_text("是敏感的信息项").first).to_be_visible()
        assert page.locator("[name='purpose']").input_value() == "核验资助资格", "what was typed is kept"
        page.locator("[name*='.reason.'][name$='姓名']").fill("按人核对")
        page.get_by_role("button", name="提交本部门负责人").click()
        page.wait_for_load_state()
        expect(page.get_by_role("heading", level=1)).to_contain_text("已提交")
        expect(page.get_by_text("部门负责人").first).to_be_visible()

    with logged_in(browser, portal, "provider_head") as page:
        page.goto(f"{portal.url}/mulu/inbox")
        assert page.get_by_role("link", name=TITLE).count() == 0, "not theirs before the own head has agreed"

    with logged_in(browser, portal, "consumer_head") as page:
        to_case(page, portal)
        press(page, "同意提出申请")

    with logged_in(browser, portal, "provider_editor") as page:
        to_case(page, portal)
        press(page, "一次性告知补充材料", {"missing": "加盖公章的申请函"})
        page.locator("details.m-closed summary").click()

    with logged_in(browser, portal, "consumer") as page:
        to_case(page, portal)
        press(page, "提交补充材料", {"supplement": "申请函已交（演示）"})

    with logged_in(browser, portal, "provider_head") as page:
        to_case(page, portal)
        expect(page.get_by_text("加盖公章的申请函").first).to_be_visible()
        page.locator("details.m-act summary", has_text="作出答复").click()
        form = page.locator("details.m-act[open] form")
        form.locator("select[name^='decisions.decision']").select_option("partly")
        form.locator("[name^='decisions.items']").nth(1).check()
        form.locator("textarea[name^='decisions.reason']").fill("姓名与用途无关")
        form.get_by_role("button", name="确认作出答复").click()
        page.wait_for_load_state()
        expect(page.get_by_text("已办理：作出答复")).to_be_visible()

    with logged_in(browser, portal, "provider_editor") as page:
        to_case(page, portal)
        press(page, "提供数据", {"delivered_by": "portal"})

    [grant] = done(portal.api("mulu_grant_list", {"mine": True}, role="consumer"))["results"]
    assert grant["items"] == ["学校"]
    key = done(portal.api("mulu_grant_key", {"id": grant["id"]}, role="consumer"))["key"]
    data = f"{portal.url}/mulu/data/{grant['id']}"
    table = requests.get(data, params={"format": "csv"}, headers={"X-Mulu-Key": key}, timeout=60)
    assert table.status_code == 200, table.text
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert rows[0] == ["学校"]
    assert len(rows) == 6
    assert "学生1" not in table.text
    assert requests.get(data, timeout=60).status_code in (401, 403)

    with logged_in(browser, portal, "consumer") as page:
        page.goto(f"{portal.url}/mulu/grants")
        expect(page.get_by_text(TITLE).first).to_be_visible()
        page.goto(f"{portal.url}/mulu/case/{grant['case_id']}")
        press(page, "使用结束，报告处置", {"disposal": "destroyed", "disposal_on": "2026-01-20"})
    assert requests.get(data, headers={"X-Mulu-Key": key}, timeout=60).status_code in (401, 403, 410)

    with logged_in(browser, portal, "provider_head") as page:
        to_case(page, portal)
        press(page, "确认处置")
    assert done(portal.api("mulu_case_show", {"id": grant["case_id"]}, role="consumer"))["state"] == "ended"
