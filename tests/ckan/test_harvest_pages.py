"""The pages of harvests, in both languages, with forms as a browser would send them; no engine is needed."""

from __future__ import annotations

from datetime import timedelta

import harvesting
import pytest
from harvesting import SETTINGS, run_of, steps_of

from ckanext.mulu import cases
from ckanext.mulu.harvest import hooks, words
from mulu import profile
from pages import portal  # noqa: F401

FILLED = {"name": "school-list", "title": "学校目录（虚构）", "reader": "ckan", "url": "https://school.example", "publisher": "某县教育局（虚构）"}


@pytest.fixture
def source(portal):  # noqa: F811
    harvesting.forget()
    return portal.do("authority", "mulu_harvest_source_create", name="school-list", settings=SETTINGS | {"organization": "jiaoyu"})


def held(portal):  # noqa: F811
    run = run_of("school-list", "held", reasons=[{"rule": "closed", "message": "1 条目录的开放类型将收紧"}], counts={"read": 36, "added": 30})
    steps_of(run, adds=30, changes=3, removes=2, refused=1)
    hooks.on_held(run)
    return run


def test_where_nothing_is_harvested_the_page_says_what_to_do(portal):  # noqa: F811
    harvesting.forget()
    page = portal.get("authority", "/mulu/harvest")
    assert "还没有来源" in page.text and page.soup.select("a[href='/mulu/harvest/new']")
    assert "汇聚" in portal.get("authority", "/").soup.select_one(".m-nav").get_text()
    assert "汇聚" not in portal.get("editor", "/").soup.select_one(".m-nav").get_text()
    assert not portal.get("editor", "/mulu/harvest").soup.select("a[href='/mulu/harvest/new']")


def test_the_list_shows_state_counts_and_a_chart_with_its_words(portal, source):  # noqa: F811
    run_of("school-list", "failed", error="连不上来源")
    run_of("school-list", "done", counts={"read": 20, "changed": 4})
    harvesting.records("school-list", kept=18, quarantined=2)
    page = portal.get("authority", "/mulu/harvest")
    assert "有未收下的条目" in page.text and "由人启动" in page.text
    chart = page.soup.select_one("svg.m-chart")
    assert chart["role"] == "img" and "最近 2 次汇聚：已完成 1，失败 1" in chart["aria-label"] and "读取 20，变更 4" in chart["aria-label"]
    assert len(chart.select("g")) == 2
    assert "汇聚" in portal.get("editor", "/").soup.select_one(".m-nav").get_text(), "who has a source sees the way to it"


def test_a_source_is_added_with_the_form_and_changed(portal):  # noqa: F811
    harvesting.forget()
    form = portal.get("authority", "/mulu/harvest/new")
    assert "到达即发布" in form.text
    page = portal.press("authority", form, "保存", {**FILLED, "organization": "jiaoyu", "schedule": "30 2 * * 1", "least": "10", "most": "50", "quiet_days": "60", "rest": "options:\n  fq: type:dataset\n"})
    assert page.status == 200 and "已保存来源" in page.text and "每周一 02:30" in page.text and "县教育局" in page.text
    settings = portal.do("authority", "mulu_harvest_source_show", name="school-list")["settings"]
    assert settings == SETTINGS | {"organization": "jiaoyu", "schedule": "30 2 * * 1", "expected": [10, 50], "quiet_days": 60, "options": {"fq": "type:dataset"}}
    form = portal.get("authority", "/mulu/harvest/source/school-list/edit")
    assert form.soup.select_one("[name=rest]").get_text().strip() == "options:\n  fq: type:dataset"
    assert not form.soup.select("[name=name]")
    page = portal.press("authority", form, "保存", {"schedule": "other", "schedule_other": "5 4 * * *", "arrives": "publish"})
    assert "每天 04:05" in page.text and "到达即发布" in page.text
    assert portal.do("authority", "mulu_harvest_source_show", name="school-list")["settings"] == settings | {"schedule": "5 4 * * *", "arrives": "publish"}
    assert portal.get("sysadmin", "/mulu/harvest/source/school-list").soup.find("a", string="修改设置") is None
    assert "到达即发布" not in portal.get("sysadmin", "/mulu/harvest/new").text, "what is not theirs to say is not offered"


def test_what_is_wrong_stands_at_its_control_and_nothing_is_lost(portal):  # noqa: F811
    harvesting.forget()
    wrong = {**FILLED, "name": "Bad Name", "url": "ftp://x", "pace": "schnell", "schedule": "other", "schedule_other": "manchmal", "rest": "lookups:\n  share_type: 3\nodd_key: 1"}
    page = portal.press("authority", portal.get("authority", "/mulu/harvest/new"), "保存", wrong)
    assert page.status == 422
    bad = {tag["id"].removeprefix("at-") for tag in page.soup.select(".m-field-bad")}
    assert {"name", "url", "pace", "rest"} <= bad
    assert "schedule_other" in bad or "schedule" in bad
    assert page.soup.select_one("[name=url]")["value"] == "ftp://x" and page.soup.select_one("[name=pace]")["value"] == "schnell"
    linked = {link["href"].removeprefix("#") for link in page.soup.select(".m-summary a")}
    ids = {tag["id"] for tag in page.soup.select("[id]")}
    assert linked and linked <= ids, "each problem leads to its control"


@pytest.mark.parametrize(("text", "told"), [("a: [", "不是正确的 YAML"), ("- a\n- b", "键: 值"), ("a: &x [1]\nb: *x", "引用"), ("a: 1\n b: 2", "第 2 行")])
def test_yaml_that_is_none_is_told(portal, text, told):  # noqa: F811
    harvesting.forget()
    page = portal.press("authority", portal.get("authority", "/mulu/harvest/new"), "保存", {**FILLED, "rest": text})
    assert page.status == 422 and told in page.soup.select_one(".m-summary").get_text()


def test_a_whole_source_yml_may_be_pasted(portal):  # noqa: F811
    harvesting.forget()
    whole = "title: 另一个名称\nreader: data_json\nurl: https://other.example/data.json\nexpected: [5, 9]\n"
    page = portal.press("authority", portal.get("authority", "/mulu/harvest/new"), "保存", {"name": "pasted", "rest": whole})
    assert page.status == 200 and "另一个名称" in page.text
    assert portal.do("authority", "mulu_harvest_source_show", name="pasted")["settings"]["expected"] == [5, 9]


def test_a_source_page_tells_history_quarantine_and_settings(portal, source):  # noqa: F811
    for n in range(12):
        run_of("school-list", "done", counts={"read": n, "added": 1}, seconds=2.34)
    harvesting.records("school-list", kept=3, quarantined=2, provider="jiaoyu")
    page = portal.get("head", "/mulu/harvest/source/school-list")
    assert len(page.soup.select("section[aria-labelledby=history] tbody tr")) == 10
    assert len(portal.get("head", "/mulu/harvest/source/school-list?page=2").soup.select("section[aria-labelledby=history] tbody tr")) == 2
    quarantine = page.soup.select_one("section[aria-labelledby=quarantine]").get_text(" ")
    assert "没有目录名称" in quarantine and "第4条" in quarantine and "试了 2 次" in quarantine
    assert "title: 学校目录（虚构）" in page.soup.select_one("pre").get_text()
    assert not page.soup.select(".main form button"), "who only looks has nothing to press"
    assert portal.get("other_head", "/mulu/harvest/source/school-list").status == 404
    assert portal.get("citizen", "/mulu/harvest/source/school-list").status == 403
    assert portal.get("citizen", "/mulu/harvest").status == 403
    for who in ("head", "citizen"):
        assert portal.get(who, "/mulu/harvest/new").status == 403
        assert portal.get(who, "/mulu/harvest/source/school-list/edit").status == 403


def test_a_run_is_asked_for_watched_and_stopped(portal, source):  # noqa: F811
    page = portal.press("authority", portal.get("authority", "/mulu/harvest/source/school-list"), "试运行")
    assert "等待运行" in page.text and page.soup.select_one("[data-live]") and "试运行" in page.soup.h1.get_text()
    answer = portal.get("head", page.soup.select_one("[data-live]")["data-live"])
    assert answer.status == 200 and '"live":true' in answer.raw.decode().replace(" ", "")
    again = portal.get("authority", "/mulu/harvest/source/school-list")
    assert "查看进度" in again.text and "立即汇聚" not in again.text
    stopped = portal.press("authority", page, "停止")
    assert "已停止" in stopped.text and not stopped.soup.select("[data-live]")
    page = portal.press("authority", portal.get("authority", "/mulu/harvest/source/school-list"), "停用")
    assert "已停用" in page.text and "立即汇聚" not in page.text
    page = portal.press("authority", page, "启用")
    assert "立即汇聚" in page.text


def test_a_run_that_waits_for_its_next_attempt_says_when_and_why(portal, source):  # noqa: F811
    run = run_of("school-list", "waiting", error="来源回答 503", not_before=cases.now() + timedelta(minutes=5))
    for url in (f"/mulu/harvest/run/{run}", "/mulu/harvest/source/school-list"):
        text = portal.get("authority", url).text
        assert "来源回答 503" in text and "再试" in text


def test_the_differences_of_a_held_run_and_the_way_to_decide(portal, source):  # noqa: F811
    run = held(portal)
    page = portal.get("authority", f"/mulu/harvest/run/{run}")
    assert "没有写入，等待核对" in page.text and profile.load("huarong").cite("reclassify") in page.text, "why, with the article"
    assert [chip.get_text(" ", strip=True) for chip in page.soup.select(".m-chip")] == ["全部 36", "须核对的 2", "新增 30", "变更 3", "撤销 2", "未收下 1"]
    assert len(page.soup.select(".m-step")) == 20
    waits = portal.get("authority", f"/mulu/harvest/run/{run}?held=1")
    assert len(waits.soup.select(".m-step")) == 2
    row = waits.soup.select_one(".m-diff tbody tr")
    assert [cell.get_text(strip=True) for cell in row.select("td")] == ["开放类型", "有条件开放", "不予开放"]
    assert "本地修改，保留" in waits.text
    assert "请填写信息项名称" in portal.get("authority", f"/mulu/harvest/run/{run}?kind=refuse").text
    assert "去核对" in portal.get("authority", "/mulu/harvest/source/school-list").text
    case = portal.get("authority", page.soup.find("a", string="去核对")["href"])
    assert "1 条目录的开放类型将收紧" in case.text and "读取36、新增30" in case.text
    assert case.soup.select(f"a[href$='/mulu/harvest/run/{run}']") and case.soup.select("a[href$='/mulu/harvest/source/school-list']")
    done = portal.press("authority", case, "确认同意写入", {"reason": "已与部门核实"})
    assert "已办理：同意写入" in done.text
    text = portal.get("head", f"/mulu/harvest/run/{run}").text
    assert "核对后同意写入" in text and "等待运行" in text
    assert "停止" not in text, "who only looks"


def test_a_dropped_run_says_who_dropped_it(portal, source):  # noqa: F811
    run = held(portal)
    case = portal.get("authority_head", portal.get("authority_head", f"/mulu/harvest/run/{run}").soup.find("a", string="去核对")["href"])
    portal.press("authority_head", case, "确认不予写入", {"reason": "来源出错"})
    assert "县数据局审核负责人决定不予写入" in portal.get("head", f"/mulu/harvest/run/{run}").text


def test_an_entry_says_where_it_came_from_and_what_is_otherwise_here(portal, source):  # noqa: F811
    from ckan import model
    from sqlalchemy import update

    from ckanext.mulu.model.tables import harvest_record

    entry = portal.publish("全县幼儿园名录")
    package = portal.do("editor", "package_show", id=entry.url.rsplit("/", 1)[1])
    harvesting.records("school-list", kept=1, package_id=package["id"])
    stated = {"title": package["title"], "notes": "来源的摘要", "data_updated_on": "2020-01-01", "source": {"name": "school-list", "url": "https://school.example/dataset/1", "id": "1"}}
    model.Session.execute(update(harvest_record).values(entry=stated))
    model.Session.commit()
    origin = portal.get("editor", entry.url).soup.select_one("section[aria-labelledby=origin]")
    assert "学校目录（虚构）" in origin.get_text() and origin.select_one("a[href='https://school.example/dataset/1']")
    different = origin.select("dd")[-1].get_text(strip=True)
    assert different == "信息资源摘要" or different.endswith("摘要"), different
    assert portal.get("other_editor", entry.url).soup.select("section[aria-labelledby=origin]")
    assert not portal.get("other_editor", entry.url).soup.select("section[aria-labelledby=origin] a[href*='/mulu/harvest/']")
    assert not portal.get("", entry.url).soup.select("section[aria-labelledby=origin]")


def test_the_pages_speak_english_to_who_asks_for_it(portal, source):  # noqa: F811
    run = held(portal)
    for url, told in (("/en/mulu/harvest", "Sources"), ("/en/mulu/harvest/new", "Add a source"), ("/en/mulu/harvest/source/school-list", "Harvests"), (f"/en/mulu/harvest/run/{run}", "Differences")):
        page = portal.get("authority", url)
        assert page.status == 200 and told in page.text, url
        main = page.soup.select_one(".main").get_text(" ")
        for word in ("来源名称", "汇聚记录", "没有收下的条目", "时间表", "未收下", "新增", "变更", "待核对", "每秒"):
            assert word not in main, f"{url}: {word}"


@pytest.mark.parametrize(("cron", "told"), [("", "不定时，由人启动"), ("30 2 * * *", "每天 02:30"), ("5 13 * * 7", "每周日 13:05"), ("0 6 15 * *", "每月15日 06:00"), ("*/5 * * * *", "*/5 * * * *"), ("15 * * * *", "每小时")])
def test_schedules_in_words(cron, told):
    assert words.schedule(cron) == told
