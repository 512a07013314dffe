"""The six places: every deadline with its length, unit and article, as the regulations state them."""

from __future__ import annotations

import re

import pytest
from conftest import in_text

from mulu import citations, profile
from mulu.codes import CODE_LISTS
from mulu.entry import FIELDS, ITEM_FIELDS
from mulu.errors import BrokenRules
from mulu.files import ROOT, read_yaml

G, H, X, R, Q, Y = (
    "政务数据共享条例", "湖南省政务信息资源共享管理办法", "湘潭市", "华容县政务信息资源管理暂行办法",
    "启东市政务信息资源共享管理办法", "夏邑县关于进一步落实政务数据共享责任加强数据共享应用的通知",
)  # fmt: skip
WD = "workday"
OURS = {
    # clock: (working days of our own, the article that sets the duty without a number of days)
    "answer_open": (10, f"{R} 第二十五条"), "rereview": (10, f"{R} 第二十八条"), "demand": (10, f"{G} 第二十条"),
    "complaint": (15, f"{G} 第三十七条"), "suggestion": (15, f"{G} 第八条"), "dispute": (10, f"{G} 第二十八条"), "one_source": (20, f"{G} 第十九条"),
    "reevaluation": (20, f"{R} 第二十八条"), "harvest_check": (3, f"{G} 第十七条"),
}  # fmt: skip
CLOCKS = {
    # clock: place: (length, unit, article, extension or None)
    "answer_unconditional": {
        "guojia": (1, WD, f"{G} 第二十一条", None), "hunan": (0, "at_once", f"{H} 第十八条", None),
        "xiangtan": (0, "at_once", f"{H} 第十八条", None), "qidong": (0, "at_once", f"{Q} 第十五条", None),
        "huarong": (0, "at_once", f"{R} 第二十一条", None), "xiayi": (0, "at_once", f"{Y} 四（三）", None),
    },
    "answer_conditional": {
        "guojia": (10, WD, f"{G} 第二十一条", 10), "hunan": (10, WD, f"{H} 第十八条", 10),
        "xiangtan": (10, WD, f"{H} 第十八条", 10), "qidong": (10, WD, f"{Q} 第十五条", 10),
        "huarong": (5, WD, f"{R} 第二十一条", 10), "xiayi": (5, WD, f"{Y} 四（三）", 10),
    },
    "deliver": dict.fromkeys(profile.PROFILES, (20, WD, f"{G} 第二十二条", None)),
    "error_check": {
        "guojia": (10, WD, f"{G} 第二十六条", None), "hunan": (5, WD, f"{H} 第二十二条", 15),
        "xiangtan": (5, WD, f"{H} 第二十二条", 15), "qidong": (10, WD, f"{G} 第二十六条", None),
        "huarong": (5, WD, f"{H} 第二十二条", 15), "xiayi": (10, WD, f"{G} 第二十六条", None),
    },
    "update_catalogue": {
        "guojia": (10, WD, f"{G} 第十七条", 5), "hunan": (15, WD, f"{H} 第十条", None),
        "xiangtan": (15, WD, f"{H} 第十条", None), "qidong": (15, WD, f"{Q} 第八条", None),
        "huarong": (15, WD, f"{H} 第十条", None), "xiayi": (10, WD, f"{Y} 二（三）", 5),
    },
    "review_update": dict.fromkeys(profile.PROFILES, (2, WD, f"{G} 第十七条", None)),
    "yearly_report": {"qidong": (1, "month_end", f"{Q} 第二十一条", None)},
    "keep_records": dict.fromkeys(profile.PROFILES, (3, "year", f"{G} 第二十九条", None)),
    **{name: dict.fromkeys(profile.PROFILES, (length, WD, article, None)) for name, (length, article) in OURS.items()},
}  # fmt: skip
ROWS = [(clock, place, *row) for clock, places in CLOCKS.items() for place, row in places.items()]


@pytest.mark.parametrize(("name", "place", "length", "unit", "article", "extension"), ROWS)
def test_the_table_of_clocks(name, place, length, unit, article, extension):
    clock = profile.load(place).clock(name)
    assert (clock.length, clock.unit, clock.article) == (length, unit, article)
    assert (clock.extension.length if clock.extension else None) == extension
    assert clock.label and clock.text


@pytest.mark.parametrize("place", profile.PROFILES)
def test_no_clock_is_outside_of_the_table(place):
    assert set(profile.load(place).clocks) == {name for name, places in CLOCKS.items() if place in places}


@pytest.mark.parametrize("place", profile.PROFILES)
@pytest.mark.parametrize("name", OURS)
def test_a_number_of_days_that_no_text_sets_says_that_it_is_ours(place, name):
    assert re.search(rf"本系统.*{profile.load(place).clock(name).length}个工作日", profile.load(place).clock(name).note)


@pytest.mark.parametrize("place", profile.PROFILES)
def test_where_the_national_deadline_differs_the_place_says_which_applies_and_why(place):
    for clock in profile.load(place).clocks.values():
        if clock.national and (clock.length, clock.unit) != (clock.national.length, clock.national.unit):
            assert clock.why, clock.name
            assert clock.national.article.startswith(G)


@pytest.mark.parametrize(
    ("place", "name", "length", "extension"),
    [
        ("hunan", "update_catalogue", 10, 5),
        ("huarong", "update_catalogue", 10, 5),
        ("qidong", "update_catalogue", 10, 5),
        ("hunan", "error_check", 5, 5),
        ("huarong", "answer_conditional", 5, None),
        ("huarong", "answer_unconditional", 0, None),
        ("guojia", "answer_conditional", 10, 10),
        ("qidong", "error_check", 10, None),
    ],
)
def test_the_stricter_setting_keeps_both_rules(place, name, length, extension):
    usual, strict = profile.load(place), profile.load(place, stricter=True)
    clock = strict.clock(name)
    assert clock.length == length
    assert (clock.extension.length if clock.extension else None) == extension
    assert clock.length <= usual.clock(name).length
    assert strict.version != usual.version
    assert strict.stricter


@pytest.mark.parametrize("place", profile.PROFILES)
def test_a_place_knows_its_people_and_words(place):
    loaded = profile.load(place)
    assert loaded.authority_name and loaded.platform_name and loaded.higher_authority_name
    assert all(loaded.term(key) for key in ("resource", "catalogue", "authority", "provider", "consumer", "government"))
    assert loaded.regulation and loaded.level in profile.LEVELS and len(loaded.version) == 64
    for key in ("share_basis", "reclassify", "publish", "answer_conditional", "higher_consent", "authority", "open_grounds"):
        assert loaded.cite(key), key
    assert loaded.cite("nothing of the kind") == ""
    assert loaded.value("higher_consent").value is (place == "huarong")
    assert set(loaded.value("base_classes_unconditional").value) <= set(CODE_LISTS["base_class"].keys)
    assert set(loaded.value("open_grounds").value) <= set(CODE_LISTS["open_ground"].keys)


def test_an_unknown_place_is_told_with_those_there_are():
    with pytest.raises(KeyError, match="huarong"):
        profile.load("beijing")


def local(**clock):
    return {**read_yaml(ROOT / "profiles" / "xiayi.yml"), "clocks": {"deliver": {"length": 5, "unit": "workday", **clock}}}


@pytest.mark.parametrize(
    ("clock", "reason"),
    [
        ({"article": "xiayi-2021 四（三）"}, "which applies"),
        ({"article": "xiayi-2021 四（三）", "applies": "local"}, "which applies"),
        ({"article": "xiayi-2021 七", "applies": "local", "why": "x"}, "no such section"),
        ({"article": "guojia-2025 第四十五条", "applies": "local", "why": "x"}, "no such article"),
        ({"article": "beijing 第一条", "applies": "local", "why": "x"}, "no such regulation"),
        ({"article": "xiayi-2021 四（三）", "applies": "local", "why": "x", "unit": "moon"}, "unit"),
        ({"article": "xiayi-2021 四（三）", "applies": "local", "why": "x", "extension": "inherit"}, "no extension"),
        ({"applies": "local", "why": "x"}, "missing"),
    ],
)
def test_a_profile_that_says_something_impossible_is_refused(clock, reason):
    with pytest.raises(BrokenRules, match=reason):
        profile.build([read_yaml(ROOT / "profiles" / "guojia.yml"), local(**clock)])


def test_a_place_may_let_the_national_deadline_apply():
    layers = [read_yaml(ROOT / "profiles" / "guojia.yml"), local(article="xiayi-2021 四（三）", applies="national", why="条例较新")]
    clock = profile.build(layers).clock("deliver")
    assert (clock.length, clock.article, clock.why) == (20, f"{G} 第二十二条", "条例较新")


# ── every article that is cited stands in the regulation's text ──


def cited_in_yaml():
    """(file, citation) of every short citation in our YAML, and every full one in fields and code lists."""
    found = []
    for path in sorted(ROOT.rglob("*.yml")):
        text = path.read_text(encoding="utf-8")
        for regulation in citations.regulations():
            pattern = rf"{regulation} ((?:第|附件|[一二三四五六七])[^,}}；\s]*)"
            found += [(path.name, regulation, article) for article in re.findall(pattern, text)]
    titles = {row["title"]: id for id, row in citations.regulations().items()}
    texts = [f.article for f in (*FIELDS, *ITEM_FIELDS)] + [codes.source for codes in CODE_LISTS.values()]
    for text in texts:
        for title, id in titles.items():
            found += [("labels", id, article) for article in re.findall(rf"{title} (第[一二三四五六七八九十]+条(?:（[一二三四五六七八九十]+）)?)", text)]
    return sorted(set(found))


@pytest.mark.parametrize(("file", "regulation", "article"), cited_in_yaml())
def test_every_cited_article_is_within_the_regulation(file, regulation, article):
    assert citations.parse(f"{regulation} {article}")


@pytest.mark.parametrize(("file", "regulation", "article"), [row for row in cited_in_yaml() if row[1] != "guofa-2016"])
def test_every_cited_article_stands_in_the_text(shared, file, regulation, article):
    assert in_text(shared, regulation, article)


def test_many_articles_are_cited():
    rows = cited_in_yaml()
    assert len(rows) > 60
    assert {row[1] for row in rows} == set(citations.regulations())


@pytest.mark.parametrize(("text", "value"), [("一", 1), ("十", 10), ("十二", 12), ("二十", 20), ("四十四", 44), ("九", 9)])
def test_chinese_numerals(text, value):
    assert citations.number(text) == value
