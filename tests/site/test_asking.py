"""What the site asks of visitors and what it makes public: forms from the procedures, the ledger of the snapshot."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import feedparser
import pytest
import yaml
from bs4 import BeautifulSoup

from mulu import profile as profiles
from mulu.procedure import load_procedure, parse
from mulu_site import asking, words
from mulu_site.asking import FORMS, form_view
from mulu_site.place import site_of
from mulu_site.render import TEMPLATES
from mulu_site.snapshot import SnapshotError, open_snapshot

REREVIEW = {
    "entry": "", "title": "某条目", "filed_on": "2026-01-05", "decided_on": "2026-01-16", "state": "changed", "result": "不予开放 → 有条件开放",
    "outcome": "经脱敏后开放。", "days": 9,
}  # fmt: skip
DEMAND = {"title": "停车位", "count": 3, "state": "taken_up", "filed_on": "2026-01-05"}
COUNT = {"filed": 2, "open": 1, "answered": 1, "overdue": 0, "days": None}
SUGGESTION = {"title": "检索页字号偏小", "kind": "site", "outcome": "已放大一号。", "filed_on": "2026-01-05", "decided_on": "2026-01-08", "days": 3}


def page(shop, path: str) -> BeautifulSoup:
    return BeautifulSoup(shop.read(path), "html5lib")


@pytest.mark.parametrize("place", profiles.PROFILES)
@pytest.mark.parametrize("procedure", FORMS)
def test_forms_ask_what_their_procedure_asks(shop, procedure: str, place: str) -> None:
    shop.header["profile"] = place
    site = site_of(open_snapshot(shop.write()), [])
    form, opening = form_view(FORMS[procedure], site), load_procedure(procedure).opening
    asked = {f["key"]: f for f in form["fields"]}
    assert set(asked) == {f.key for f in opening.fields if not f.given} - {"reason"}
    assert {k for k, f in asked.items() if f["required"]} == {f.key for f in opening.fields if f.required}
    rules = profiles.load(place)
    assert form["article"] == rules.cite(opening.cite)
    assert form["article"]
    assert form["deadline"]["text"] == rules.clock(procedure).text
    assert form["deadline"]["article"] == rules.clock(procedure).article


def test_every_field_is_labelled_and_says_its_errors_where_it_stands(site: Path) -> None:
    for form in FORMS.values():
        html = BeautifulSoup((site / form.path / "index.html").read_text(), "html5lib")
        for field in html.select("#ask .field"):
            key = field["data-key"]
            control = field if field.name == "fieldset" else field.select_one(f"#f-{key}")
            assert field.find("legend") or field.find("label", attrs={"for": f"f-{key}"})
            assert all(html.find(id=i) for i in control["aria-describedby"].split()), key
            assert f"e-{key}" in control["aria-describedby"].split()
        trap = html.select_one("input[name=website]")
        assert trap["tabindex"] == "-1"
        assert trap.find_parent(attrs={"aria-hidden": "true"})


def test_conditions_of_the_procedure_reach_the_form(shop) -> None:
    site = site_of(open_snapshot(shop.write()), [])
    fields = {f["key"]: f["needed"] for f in form_view(FORMS["error_check"], site)["fields"]}
    assert fields["item"] == {"when": {"about": "item"}, "message": "请写明是哪一个信息项"}
    assert fields["record"] == {"when": {"about": "record"}, "message": "请写明是哪一条数据"}
    assert fields["description"] is None


def test_a_changed_procedure_makes_its_form_anew_and_nothing_else(shop, monkeypatch) -> None:
    shop.build()
    source = yaml.safe_load(yaml.safe_dump(dict(load_procedure("demand").source)))
    source["fields"]["description"]["label"] = "需求说明"
    changed = parse(source)
    monkeypatch.setattr(words, "load_procedure", lambda one: changed if one == "demand" else load_procedure(one))
    assert list(shop.build().made) == ["page/ask/demand/index.html"]
    assert "需求说明" in shop.read("ask/demand/index.html")


def test_a_form_that_the_site_cannot_show_stops_the_build(shop, monkeypatch) -> None:
    shop.build()
    monkeypatch.setattr(asking, "_KINDS", {"text": "text"})
    with pytest.raises(asking.BuildError, match="不能在公开网站上填写"):
        shop.build()


@pytest.mark.parametrize(
    ("entry", "links"),
    [
        ({"open_type": "none"}, {"rereview", "error_check", "complaint"}),
        ({"open_type": "conditional"}, {"rereview", "error_check", "complaint"}),
        ({"open_type": "unconditional", "items": [{"name": "甲"}]}, {"error_check", "complaint"}),
        ({"open_type": "unconditional", "items": [{"name": "甲", "open_type": "none"}]}, {"rereview", "error_check", "complaint"}),
    ],
)
def test_an_entry_offers_what_its_class_allows(shop, entry: dict, links: set[str]) -> None:
    shop.entry(**entry)
    shop.build()
    found = {m.group(1) for a in page(shop, "entry/new/index.html").select("main a") if (m := re.search(r"ask/(\w+)/\?entry=new$", a["href"]))}
    assert found == links


def test_conditional_data_are_applied_for_on_the_portal(shop) -> None:
    shop.entry(open_type="conditional", name="甲/乙")
    shop.build()
    site = open_snapshot(shop.file)
    path = next(p for p in shop.files() if p.name == "index.html" and "登录门户申请" in p.read_text() and "jia-yi" in str(p))
    link = BeautifulSoup(path.read_text(), "html5lib").find("a", string="登录门户申请")
    assert link["href"] == f"{site.header['portal_url']}/mulu/apply/open/%E7%94%B2%2F%E4%B9%99"


def test_only_pages_that_send_may_reach_the_portal(site: Path) -> None:
    for file in site.resolve().rglob("*.html"):
        policy = BeautifulSoup(file.read_text(), "html5lib").find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
        asks = file.parent.parent.name == "ask"
        assert ("connect-src 'self' https://portal.example" in policy) == asks, file


@pytest.mark.parametrize(
    ("url", "origin"),
    [("https://p.example/ckan", "https://p.example"), ("http://127.0.0.1:5000", "http://127.0.0.1:5000"), ("", ""),
     ("https://p.example;script-src *", ""), ("https://p.example;script-src", "https://p.example")],
)  # fmt: skip
def test_the_policy_names_the_portal_alone(shop, url: str, origin: str) -> None:
    shop.header["portal_url"] = url
    assert site_of(open_snapshot(shop.write()), []).portal_origin == origin


# ---- the ledger


def test_the_outcome_stands_on_the_entry_and_in_the_ledger_and_comes_by_itself(shop) -> None:
    entry = shop.entries[3]
    shop.header["ledger"] = {"rereviews": [], "demands": [DEMAND], "counts": {"demand": COUNT}}
    shop.build()
    shop.header["ledger"]["rereviews"] = [{**REREVIEW, "entry": entry["id"], "title": entry["title"]}]
    made = set(shop.build().made)
    assert made == {f"entry/{entry['name']}", "page/ledger/index.html", "page/ledger/rereviews/index.html", "file/ledger.json", "file/ledger/rereviews.csv", "file/ledger/atom.xml"}
    for path in (f"entry/{entry['name']}/index.html", "ledger/index.html", "ledger/rereviews/index.html"):
        text = page(shop, path).get_text()
        assert all(part in text for part in ("复核后变更", "不予开放 → 有条件开放", "经脱敏后开放。", "2026-01-16", "9 个工作日")), path
    assert page(shop, "ledger/index.html").find("a", string=entry["title"])["href"] == f"../entry/{entry['name']}/"
    counts = [td.get_text() for td in page(shop, "ledger/index.html").select(".counts td")]
    assert counts == ["10个工作日", "2", "1", "1", "—", "—", "—"]
    assert page(shop, "ledger/demands/index.html").select_one(".demands tbody").get_text(" ", strip=True) == "停车位 3 已承接 2026-01-05 —"


def test_the_numbers_say_how_long_the_longest_took_and_how_it_ended(shop) -> None:
    told = {"filed": 9, "open": 2, "answered": 6, "withdrawn": 1, "overdue": 1, "in_time": 5, "days": 4.5, "longest": 17}
    shop.header["ledger"] = {"counts": {"rereview": {**told, "ends": {"kept": 4, "changed": 2, "withdrawn": 1}}}}
    shop.build()
    row = page(shop, "ledger/index.html").select_one(".counts tbody tr")
    assert [td.get_text() for td in row.select("td")] == ["10个工作日", "9", "21 件逾期", "6", "83%", "4.5", "17"]
    assert [one.get_text() for one in row.select(".ends > span")] == ["复核后维持\xa04", "复核后变更\xa02"]
    table = list(csv.reader(io.StringIO((shop.out / "current/ledger/counts.csv").read_text("utf-8-sig"))))
    assert dict(zip(*table, strict=True)) == {
        "事项": "复核申请", "收到": "9", "待答复": "2", "已答复": "6", "已撤回": "1", "逾期未答复": "1", "按期答复": "5",
        "用时中位数（工作日）": "4.5", "最长用时（工作日）": "17", "办理结果": "复核后维持 4；复核后变更 2",
    }  # fmt: skip


def test_suggestions_and_outcomes_are_read_and_subscribed_to(shop) -> None:
    entry = shop.entries[3]
    met = {**DEMAND, "state": "catalogued", "decided_on": "2026-01-09", "days": 4, "entry": entry["id"]}
    rereview = {**REREVIEW, "entry": entry["id"], "title": "=HYPERLINK(1)"}
    shop.header["ledger"] = {"rereviews": [rereview], "demands": [met, DEMAND], "suggestions": [SUGGESTION]}
    shop.build()
    told = page(shop, "ledger/suggestions/index.html").select_one(".answers").get_text(" ", strip=True)
    assert all(part in told for part in ("检索页字号偏小", "已放大一号。", "网站的使用", "3 个工作日"))
    listed = page(shop, "ledger/demands/index.html")
    assert listed.find("a", string="停车位")["href"] == f"../../entry/{entry['name']}/"
    assert len(listed.find_all("a", string="停车位")) == 1
    feed = feedparser.parse(shop.out / "current/ledger/atom.xml")
    assert not feed.bozo
    assert [(one.updated[:10], one.title) for one in feed.entries] == [("2026-01-16", "=HYPERLINK(1)"), ("2026-01-09", "停车位"), ("2026-01-08", "检索页字号偏小")]
    assert len({one.id for one in feed.entries}) == 3
    assert "'=HYPERLINK(1)" in shop.read("ledger/rereviews.csv")
    links = [a["href"] for a in page(shop, "ledger/index.html").select(".downloads a")]
    assert all((shop.out / "current/ledger" / link).resolve().is_file() for link in links) and len(links) == 6


def test_a_running_rereview_is_in_the_ledger_and_not_on_the_entry(shop) -> None:
    entry = shop.entries[3]
    running = {**REREVIEW, "entry": entry["id"], "decided_on": "", "state": "accepted", "result": "", "outcome": "", "days": None}
    shop.header["ledger"] = {"rereviews": [running]}
    shop.build()
    assert "复核中" in page(shop, "ledger/index.html").get_text()
    assert not page(shop, f"entry/{entry['name']}/index.html").find(id="rereviews")


def test_a_snapshot_without_a_ledger_says_that_there_is_nothing(shop) -> None:
    del shop.header["ledger"]
    shop.build()
    text = page(shop, "ledger/index.html").get_text()
    assert all(part in text for part in ("还没有办理记录", "还没有复核申请", "还没有登记需求", "还没有公开答复的意见建议"))


def test_the_ledger_is_paged_and_every_page_stays_small(shop) -> None:
    rows = [{**REREVIEW, "entry": f"x{n}", "title": "长" * 200, "outcome": "结论" * 1000, "result": "果" * 400} for n in range(61)]
    shop.header["ledger"] = {"rereviews": rows, "demands": [{**DEMAND, "title": f"{n}" + "需" * 100} for n in range(45)]}
    shop.build()
    files = (shop.out / "current/ledger/rereviews").rglob("index.html")
    listed = [h.get_text() for file in files for h in BeautifulSoup(file.read_text(), "html5lib").select(".answers h2")]
    assert len(listed) == 61
    assert max(p.stat().st_size for p in (shop.out / "current/ledger").rglob("*.html")) <= 60_000


def test_answers_are_told_in_full_where_all_of_them_are_listed(shop) -> None:
    outcome = "".join(f"第{n}句。" for n in range(400))
    told = [{**REREVIEW, "entry": f"x{n}", "outcome": outcome} for n in range(12)]
    said = [{**SUGGESTION, "title": f"建议{n}", "outcome": outcome} for n in range(12)]
    endless = {**SUGGESTION, "title": "最长", "outcome": "<&\"'" * 9000, "decided_on": "2027-01-01"}
    shop.header["ledger"] = {"rereviews": [*told, {**REREVIEW, "entry": "short"}], "suggestions": [*said, endless]}
    shop.build()
    overview = page(shop, "ledger/index.html")
    assert "第399句" not in overview.get_text() and not overview.select("details.answer-whole")
    for part in ("rereviews", "suggestions"):
        assert overview.find("a", href=f"../ledger/{part}/"), "leads to the whole"
        files = sorted((shop.out / "current/ledger" / part).rglob("index.html"))
        assert len(files) > 1 and max(file.stat().st_size for file in files) <= 60_000
        pages = [BeautifulSoup(file.read_text(), "html5lib") for file in files]
        assert sum(len(one.select(".answers > li")) for one in pages) == 13
        whole = [detail for one in pages for detail in one.select("details.answer-whole .answer-text") if "第0句" in detail.get_text()]
        assert len(whole) == 12 and all(detail.get_text() == outcome for detail in whole)
        assert all(len(one.get_text()) < 400 for made in pages for one in made.select(".answers > li > .answer-text"))


def test_in_the_feed_each_answer_keeps_its_own_id(shop) -> None:
    entry = shop.entries[3]
    twins = [{**SUGGESTION, "outcome": f"第{n}次答复。", "decided_on": f"2026-01-{10 + n}"} for n in range(2)]
    named = [{**REREVIEW, "entry": entry["id"], "id": f"c{n}<"} for n in range(2)]
    shop.header["ledger"] = {"suggestions": twins, "rereviews": named, "demands": [{**DEMAND, "decided_on": "2026-01-09", "id": "d1"}]}
    shop.build()
    before = {one.id: one.summary for one in feedparser.parse(shop.out / "current/ledger/atom.xml").entries}
    assert len(before) == 5 and [one.rsplit("#")[1] for one in before if "#c" in one or "#d" in one] == ["c1%3C", "c0%3C", "d1"]
    shop.header["ledger"]["suggestions"].append({**SUGGESTION, "outcome": "又一次答复。", "decided_on": "2026-01-20"})
    named[0]["title"] = "改了名称"
    shop.build()
    after = {one.id: one.summary for one in feedparser.parse(shop.out / "current/ledger/atom.xml").entries}
    assert len(after) == 6 and before.items() <= after.items()


def test_markup_in_the_ledger_stays_text(shop) -> None:
    bad = "<script>alert(1)</script>"
    shop.header["ledger"] = {
        "rereviews": [{**REREVIEW, "entry": shop.entries[0]["id"], "title": bad, "result": bad, "outcome": bad, "state": bad}],
        "demands": [{**DEMAND, "title": bad, "state": bad}],
    }
    shop.build()
    for path in ("ledger/index.html", "ledger/demands/index.html", f"entry/{shop.entries[0]['name']}/index.html"):
        assert bad not in shop.read(path)
        assert bad in page(shop, path).get_text()


@pytest.mark.parametrize(
    "ledger",
    [
        [], "x", {"cases": []}, {"rereviews": {}}, {"rereviews": "x"}, {"rereviews": [1]}, {"rereviews": [{**REREVIEW, "name": "张三"}]},
        {"rereviews": [{k: v for k, v in REREVIEW.items() if k != "outcome"}]}, {"rereviews": [{**REREVIEW, "filed_on": "5/1/2026"}]},
        {"rereviews": [{**REREVIEW, "filed_on": ""}]}, {"rereviews": [{**REREVIEW, "days": -1}]}, {"rereviews": [{**REREVIEW, "title": None}]},
        {"rereviews": [{**REREVIEW, "days": True}]}, {"demands": [{**DEMAND, "count": "3"}]}, {"demands": [{**DEMAND, "count": None}]},
        {"demands": [{**DEMAND, "email": "a@b.example"}]}, {"counts": []}, {"counts": {"demand": 3}}, {"counts": {"no_such": COUNT}},
        {"counts": {"demand": {**COUNT, "filed": None}}}, {"counts": {"demand": {**COUNT, "ends": []}}},
        {"counts": {"demand": {**COUNT, "ends": {"kept": "1"}}}}, {"counts": {"demand": {**COUNT, "longest": "x"}}},
        {"suggestions": [{**SUGGESTION, "name": "张三"}]}, {"suggestions": [{**SUGGESTION, "filed_on": "x"}]}, {"suggestions": {}},
    ],
)  # fmt: skip
def test_a_ledger_not_as_agreed_is_refused_before_anything_is_built(shop, ledger: object) -> None:
    shop.build()
    before = (shop.out / "current").resolve()
    shop.header["ledger"] = ledger
    with pytest.raises(SnapshotError, match="公开台账"):
        shop.build()
    assert (shop.out / "current").resolve() == before


def test_english_knows_the_forms() -> None:
    english = yaml.safe_load((Path(asking.__file__).parent / "i18n" / "en.yml").read_text())
    shown = set()
    for one in map(load_procedure, FORMS):
        shown |= {one.title, one.opening.label} | {state.public for state in one.states.values()}
        for field in one.opening.fields:
            if not field.given and field.key != "reason":
                shown |= {field.label, field.help, *field.options.values()}
    assert shown - english.keys() - {""} == set()


SAID = re.compile(r'"([^"\n]*[㐀-鿿][^"\n]*)"')


@pytest.mark.parametrize("script", ["portal", "ask", "receipt", "status"])
def test_english_knows_what_the_scripts_say(script: str) -> None:
    english = yaml.safe_load((Path(asking.__file__).parent / "i18n" / "en.yml").read_text())
    source = re.sub(r"//.*|`[^`]*`", "", (TEMPLATES / "assets" / f"{script}.js").read_text())
    said = {re.sub(r"\d+", "{}", text) for text in SAID.findall(source)}
    assert said
    assert said - english.keys() == set()
