"""申请: the basket, the application for several departments at once, drafts, and where each part is afterwards."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest

from pages import portal  # noqa: F401

SOON = (date.today() + timedelta(days=200)).isoformat()
FORM = {
    "purpose": "核验入学资格",
    "scenario": "义务教育入学资格核验",
    "basis": "《义务教育法》第十二条",
    "scope": "县教育局义务教育股",
    "way": "api",
    "until": SOON,
    "contact": "王老师 0731-1234567",
    "promise": "true",
}
PRIVATE = {"share_type": "conditional", "share_condition": "限核验使用", "share_basis": "《教育法》第十五条"}


@pytest.fixture(scope="module")
def entries(portal):  # noqa: F811
    """Titles → pages: two of one department, of different share classes, one with a sensitive item."""
    more = {"items-1-name": "学生身份证号", "items-1-data_type": "C", "items-1-length": "18", "items-1-sensitive": "true"}
    return {
        "open": portal.publish("学校基本信息").url,
        "held": portal.publish("学籍信息", **PRIVATE, open_type="conditional", open_condition="限研究使用", **more).url,
    }


def put(portal, who, url):  # noqa: F811
    return portal.post(who, "/mulu/apply/basket", {"id": url.rsplit("/", 1)[1]})


def test_a_department_is_offered_the_entries_of_others_only(portal, entries):  # noqa: F811
    assert portal.get("other_editor", entries["open"]).form("加入申请清单")
    for who in ("editor", "citizen", ""):
        assert "加入申请清单" not in portal.get(who, entries["open"]).text


@pytest.fixture(scope="module")
def applied(portal, entries):  # noqa: F811
    """The page after two entries were asked for at once."""
    for url in entries.values():
        put(portal, "other_editor", url)
    page = portal.get("other_editor", "/mulu/apply")
    return portal.press("other_editor", page, "提交本部门负责人", {**FORM, **ticked(page), **reasons(page)})


def ticked(page):
    boxes = page.soup.select("input[name^='asked.items.']")
    return {box["name"]: [one["value"] for one in boxes if one["name"] == box["name"]] for box in boxes}


def reasons(page):
    return {field["name"]: "须与户籍核对" for field in page.soup.select("input[name^='asked.reason.']")}


def test_nothing_is_ticked_beforehand_and_the_header_counts(portal, entries):  # noqa: F811
    for url in entries.values():
        assert "已加入申请清单" in put(portal, "other_editor", url).text
    page = portal.get("other_editor", "/mulu/apply")
    boxes = page.soup.select("input[name^='asked.items.']")
    assert len(boxes) == 3 and not any(box.has_attr("checked") for box in boxes)
    assert [link.select_one(".m-count").get_text().split()[0] for link in page.soup.select(".m-nav a[href='/mulu/apply']")] == ["2"]
    assert len(page.soup.select("section[aria-labelledby^='part-']")) == 2
    assert "已在申请清单" in portal.get("other_editor", entries["open"]).text


def test_every_problem_is_told_at_once_and_nothing_typed_is_lost(portal, entries):  # noqa: F811
    page = portal.get("other_editor", "/mulu/apply")
    sensitive = page.soup.select_one("input[data-m-reason]")
    wrong = portal.press("other_editor", page, "提交本部门负责人", {"purpose": "核验用途", sensitive["name"]: sensitive["value"], "until": "2020-01-01"})
    assert wrong.status == 422
    told = wrong.soup.select_one(".m-summary").get_text()
    for part in ("使用场景", "使用依据", "请勾选《学校基本信息》", "敏感", "使用时限", "使用承诺书"):
        assert part in told, part
    assert all(wrong.soup.find(id=link["href"].removeprefix("#")) for link in wrong.soup.select(".m-summary a"))
    assert wrong.soup.select_one("#field-purpose").get_text() == "核验用途"
    assert wrong.soup.find("input", {"name": sensitive["name"], "value": sensitive["value"]}).has_attr("checked")
    assert portal.get("other_editor", "/mulu/cases?procedure=sharing_application").soup.select("td.m-what a") == []


def test_one_case_for_each_department_and_class_with_its_whereabouts(portal, applied):  # noqa: F811
    assert applied.status == 200 and "2 件申请已提交" in applied.text, applied.text[:600]
    for section in applied.soup.select("section.m-panel"):
        text = section.get_text(" ")
        assert "待本部门负责人同意" in text and "县民政局（部门负责人）" in text and "接着" in text
    assert "申请清单是空的" in portal.get("other_editor", "/mulu/apply").text


def test_the_whole_way_of_an_application(portal, entries, applied):  # noqa: F811
    links = {link.get_text(): link["href"] for link in applied.soup.select("section.m-panel h2 a")}
    case = links["学籍信息"]
    page = portal.press("other_head", portal.get("other_head", case), "确认同意提出申请")
    assert "待提供部门答复" in page.text and "还剩" in page.text
    head = portal.get("head", case)
    assert "学生身份证号" in head.text and "须与户籍核对" in head.text
    choice = head.soup.select_one("select[name^='decisions.decision.']")["name"]
    refused = portal.press("head", head, "确认作出答复", {choice: "refused"})
    assert refused.status == 422 and "《学籍信息》" in refused.soup.select_one(".m-summary").get_text()
    entry = choice.rsplit(".", 1)[1]
    done = portal.press("head", head, "确认作出答复", {choice: "partly", f"decisions.reason.{entry}": "身份证号不必要", f"decisions.items.{entry}": "学校名称"})
    assert "已同意，待提供数据" in done.text and "部分同意" in done.text and "身份证号不必要" in done.text
    assert done.soup.select_one(".m-ask-list del").get_text() == "学生身份证号"


def test_a_draft_waits_for_its_writer_and_is_finished_on_its_page(portal, entries):  # noqa: F811
    put(portal, "other_editor", entries["held"])
    page = portal.get("other_editor", "/mulu/apply")
    box = page.soup.select("input[name^='asked.items.']")[0]
    done = portal.press("other_editor", page, "存为草稿", {box["name"]: box["value"], "purpose": "先存着"})
    assert "1 件申请已保存" in done.text
    case = portal.get("other_editor", done.soup.select_one("section.m-panel h2 a")["href"])
    unfinished = portal.press("other_editor", case, "确认提交本部门负责人")
    assert unfinished.status == 422 and "使用依据" in unfinished.soup.select_one(".m-summary").get_text()
    assert "待本部门负责人同意" in portal.press("other_editor", unfinished, "确认提交本部门负责人", FORM).text


def test_the_promise_is_shown_with_what_was_filled_in(portal, entries):  # noqa: F811
    put(portal, "other_editor", entries["open"])
    page = portal.press("other_editor", portal.get("other_editor", "/mulu/apply"), "更新承诺书", {"purpose": "核验入学资格"})
    assert page.status == 200 and "核验入学资格" in page.soup.select_one(".m-letter").get_text()
    assert page.soup.select_one("details#promise-text").has_attr("open")


def test_an_entry_leaves_the_list(portal, entries):  # noqa: F811
    put(portal, "other_editor", entries["open"])
    page = portal.press("other_editor", portal.get("other_editor", "/mulu/apply"), "移出清单", {"purpose": "留着"})
    assert page.soup.select_one("#field-purpose") is None or page.soup.select_one("#field-purpose").get_text() == "留着"
    assert "学校基本信息" not in page.soup.select_one(".main").get_text()


def test_files_survive_a_refusal_and_each_case_has_its_own(portal, entries):  # noqa: F811
    for url in entries.values():
        put(portal, "other_editor", url)
    page = portal.get("other_editor", "/mulu/apply")
    refused = portal.press("other_editor", page, "提交本部门负责人", {"attachments": (io.BytesIO("职责依据".encode()), "依据.txt")})
    assert refused.status == 422 and "依据.txt" in refused.soup.select_one(".m-file").get_text()
    done = portal.press("other_editor", refused, "提交本部门负责人", {**FORM, **ticked(refused), **reasons(refused)})
    files = set()
    for link in done.soup.select("section.m-panel h2 a"):
        file = portal.get("other_head", link["href"]).soup.find("a", string="依据.txt")["href"]
        files.add(file)
        assert portal.get("other_head", file).raw.decode() == "职责依据"
        assert portal.get("head", file).status == 404, "not theirs before the own head has agreed"
        assert portal.get("citizen", file).status == 404
    assert len(files) == 2
    wrong = portal.press("other_editor", page, "提交本部门负责人", {"attachments": (io.BytesIO(b"MZ\x90\x00"), "依据.pdf")})
    assert wrong.status == 422 and "依据.pdf" in wrong.soup.select_one(".m-summary").get_text()


def test_only_clerks_apply_for_a_department(portal):  # noqa: F811
    assert portal.get("citizen", "/mulu/apply").status == 403
    assert "/user/login" in portal.get("", "/mulu/apply").url


CITIZEN = {"applicant_name": "王某", "contact": "13800000000", "purpose": "研究教育资源", "scenario": "毕业论文", "scope": "本人", "security": "加密保存",
           "until": SOON, "promise": "true"}  # fmt: skip


def test_a_citizen_asks_for_what_is_open_on_condition(portal, entries):  # noqa: F811
    link = portal.get("citizen", entries["held"]).soup.find("a", string="申请开放数据")["href"]
    page = portal.get("citizen", link)
    box = next(one for one in page.soup.select("input[name^='asked.items.']") if one["value"] == "学校名称")
    empty = portal.press("citizen", page, "提交申请", {"purpose": "研究教育资源"})
    told = empty.soup.select_one(".m-summary").get_text()
    assert empty.status == 422 and "安全保障措施" in told and "请勾选《学籍信息》" in told
    assert empty.soup.select_one("#field-purpose").get_text() == "研究教育资源"
    firm = portal.press("citizen", page, "提交申请", {**CITIZEN, "applicant_kind": "enterprise", box["name"]: box["value"]})
    assert firm.status == 422 and "统一社会信用代码" in firm.soup.select_one(".m-summary").get_text()
    done = portal.press("citizen", firm, "提交申请", {"applicant_kind": "person", "promise": "true"})
    assert "1 件申请已提交" in done.text and "待提供部门答复" in done.text and "个工作日" in done.text
    case = done.soup.select_one("section.m-panel h2 a")["href"]
    assert portal.get("head", case).status == 200 and portal.get("other_head", case).status == 404
    assert "不是有条件开放" in portal.get("citizen", entries["open"].replace("/dataset/", "/mulu/apply/open/")).text
