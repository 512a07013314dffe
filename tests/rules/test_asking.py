"""What is asked for: only what is shared, only what is needed, only under its class."""

from __future__ import annotations

import pytest

from mulu import asking, profile

MARRIAGE = {
    "title": "婚姻登记信息", "provider": "minzheng", "share_type": "conditional", "open_type": "conditional",
    "items": [
        {"name": "登记机构"}, {"name": "登记日期"}, {"name": "身份证号", "sensitive": True},
        {"name": "离婚原因", "share_type": "none", "open_type": "none"},
    ],
}  # fmt: skip
HOMES = {
    "title": "养老机构信息", "provider": "minzheng", "share_type": "unconditional", "open_type": "unconditional",
    "items": [{"name": "名称"}, {"name": "负责人电话", "share_type": "conditional", "open_type": "conditional"}, {"name": "备注", "share_type": "none"}],
}  # fmt: skip
SECRET = {"title": "低保核查信息", "provider": "minzheng", "share_type": "none", "open_type": "none", "items": [{"name": "姓名"}]}
SCHOOLS = {"title": "学校信息", "provider": "jiaoyu", "share_type": "unconditional", "open_type": "unconditional", "items": [{"name": "名称"}]}
ENTRIES = {"marriage": MARRIAGE, "homes": HOMES, "secret": SECRET, "schools": SCHOOLS}
PLACE = profile.load("huarong")


def row(id, *items, **reasons):
    return {"id": id, "items": list(items), "reasons": reasons}


def found(asked, kind="sharing", share_class="", provider="minzheng", place=PLACE):
    problems = asking.problems(asked, ENTRIES, kind, place, provider=provider, share_class=share_class)
    assert all(problem.message and problem.article and problem.severity == "error" for problem in problems)
    return [(problem.field, problem.rule) for problem in problems]


SHARING = [
    # share class of the application, what is asked, what is wrong
    ("conditional", [row("marriage", "登记机构", "登记日期")], []),
    ("conditional", [row("marriage", "身份证号", 身份证号="核验")], []),
    ("conditional", [row("marriage", "身份证号")], [("asked[0].reasons.身份证号", "reason_required")]),
    ("conditional", [row("marriage", "身份证号", 身份证号=" ")], [("asked[0].reasons.身份证号", "reason_required")]),
    ("conditional", [row("marriage")], [("asked[0].items", "required")]),
    ("conditional", [row("marriage", "登记机构", "民族")], [("asked[0].items", "not_in_list")]),
    ("conditional", [row("marriage", "登记机构", "离婚原因")], [("asked[0].items", "not_shared")]),
    ("conditional", [row("marriage", "登记机构"), row("marriage", "登记日期")], [("asked[1]", "duplicate")]),
    ("conditional", [row("marriage", "登记机构"), row("homes", "名称")], [("asked[1]", "other_class")]),
    ("conditional", [row("homes", "名称", "负责人电话")], []),  # an item of a narrower class takes its row along
    ("unconditional", [row("homes", "名称", "负责人电话")], [("asked[0]", "other_class")]),  # and is never had at once
    ("unconditional", [row("homes", "负责人电话")], [("asked[0]", "other_class")]),
    ("unconditional", [row("homes", "名称")], []),
    ("unconditional", [row("homes", "名称", "备注")], [("asked[0].items", "not_shared")]),
    ("unconditional", [row("marriage", "登记机构")], [("asked[0]", "other_class")]),
    ("unconditional", [row("secret", "姓名")], [("asked[0]", "not_shared")]),
    ("unconditional", [row("nowhere", "名称")], [("asked[0]", "not_in_list")]),
    ("unconditional", [row("schools", "名称")], [("asked[0]", "not_in_list")]),  # another department's
    ("unconditional", [row("secret"), row("homes", "x"), row("nowhere")], [
        ("asked[0]", "not_shared"), ("asked[0].items", "required"), ("asked[1].items", "not_in_list"), ("asked[2]", "not_in_list")]),
]  # fmt: skip


@pytest.mark.parametrize(("share_class", "asked", "expected"), SHARING)
def test_asked_of_a_department(share_class, asked, expected):
    assert found(asked, share_class=share_class) == expected


OPENING = [
    ([row("marriage", "登记机构")], []),
    ([row("marriage", "离婚原因")], [("asked[0].items", "not_shared")]),
    ([row("marriage", "身份证号")], [("asked[0].reasons.身份证号", "reason_required")]),
    ([row("homes", "名称")], [("asked[0]", "open_already")]),
    ([row("homes", "负责人电话")], []),
    ([row("secret", "姓名")], [("asked[0]", "not_shared")]),
]


@pytest.mark.parametrize(("asked", "expected"), OPENING)
def test_asked_by_the_public(asked, expected):
    assert found(asked, "opening") == expected


def test_what_has_no_class_is_not_given_away():
    unclassed = {"x": {"title": "新", "provider": "minzheng", "items": [{"name": "名称"}]}}
    for kind in ("sharing", "opening"):
        assert [p.rule for p in asking.problems([row("x", "名称")], unclassed, kind, PLACE, provider="minzheng")] == ["not_shared"]


@pytest.mark.parametrize("place", profile.PROFILES)
@pytest.mark.parametrize(("kind", "key", "way"), [("sharing", "apply_share", "协商"), ("opening", "apply_open", "复核")])
def test_each_place_cites_its_own_article_and_says_where_to_turn(place, kind, key, way):
    loaded = profile.load(place)
    (problem,) = asking.problems([row("secret", "姓名")], ENTRIES, kind, loaded, provider="minzheng")
    assert problem.article == loaded.cite(key)
    assert "低保核查信息" in problem.message and way in problem.message
    assert loaded.cite("not_shared" if kind == "sharing" else "rereview") in problem.message


@pytest.mark.parametrize(
    ("id", "items", "kind", "expected"),
    [
        ("marriage", ["登记机构"], "sharing", "conditional"), ("marriage", ["离婚原因"], "sharing", "conditional"),
        ("homes", ["名称"], "sharing", "unconditional"), ("homes", ["名称", "备注"], "sharing", "unconditional"),
        ("homes", ["名称", "负责人电话"], "sharing", "conditional"), ("homes", [], "sharing", "unconditional"),
        ("homes", ["没有的项"], "sharing", "unconditional"), ("secret", ["姓名"], "sharing", "none"),
        ("homes", ["名称"], "opening", "unconditional"), ("homes", ["负责人电话"], "opening", "conditional"),
    ],
)  # fmt: skip
def test_the_class_under_which_a_row_is_asked_for(id, items, kind, expected):
    assert asking.needed(row(id, *items), ENTRIES[id], kind) == expected


def test_a_wider_item_never_widens_its_entry():
    entry = {**MARRIAGE, "items": [{"name": "登记机构", "share_type": "unconditional"}]}
    assert asking.needed(row("marriage", "登记机构"), entry, "sharing") == "conditional"


def test_a_basket_is_one_application_for_each_provider_and_class():
    basket = [row("homes", "名称"), row("schools", "名称"), row("marriage", "登记机构"), row("nowhere", "x"), row("secret", "姓名")]
    parts = asking.split(basket, ENTRIES)
    assert [(key, [one["id"] for one in rows]) for key, rows in parts.items()] == [
        (("minzheng", "unconditional"), ["homes"]), (("jiaoyu", "unconditional"), ["schools"]),
        (("minzheng", "conditional"), ["marriage"]), (("", ""), ["nowhere"]), (("minzheng", "none"), ["secret"]),
    ]  # fmt: skip
    assert [one for rows in parts.values() for one in rows] == sorted(basket, key=lambda one: ["homes", "schools", "marriage", "nowhere", "secret"].index(one["id"]))
    assert asking.split([], ENTRIES) == {}


def test_a_narrower_item_takes_its_row_into_the_other_application():
    basket = [row("homes", "负责人电话"), row("marriage", "登记机构")]
    parts = asking.split(basket, ENTRIES)
    assert list(parts) == [("minzheng", "conditional")]
    assert all(kept is given for kept, given in zip(parts["minzheng", "conditional"], basket, strict=True))


@pytest.mark.parametrize("basket", [[row("homes", "名称"), row("homes", "负责人电话"), row("marriage", "登记机构"), row("schools", "名称")]])
def test_each_part_of_a_sound_basket_is_sound(basket):
    for (provider, share_class), part in asking.split(basket, ENTRIES).items():
        assert found(part, share_class=share_class, provider=provider) == []


ASKED = [row("marriage", "登记机构", "登记日期"), row("homes", "名称")]


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        (None, {"marriage": ["登记机构", "登记日期"], "homes": ["名称"]}),
        ([("marriage", "agreed", []), ("homes", "agreed", [])], {"marriage": ["登记机构", "登记日期"], "homes": ["名称"]}),
        ([("marriage", "partly", ["登记日期"]), ("homes", "refused", [])], {"marriage": ["登记日期"]}),
        ([("marriage", "partly", ["登记日期", "离婚原因"]), ("homes", "agreed", [])], {"marriage": ["登记日期"], "homes": ["名称"]}),
        ([("marriage", "refused", ["登记日期"]), ("homes", "refused", ["名称"])], {}),
    ],
)
def test_what_is_granted(decisions, expected):
    data = {"asked": ASKED}
    if decisions is not None:
        data["decisions"] = [{"id": id, "decision": decision, "items": items} for id, decision, items in decisions]
    assert asking.granted(data) == expected


@pytest.mark.parametrize(
    ("asked", "sound"),
    [
        ([], True), ([row("a", "x")], True), ([{"id": "a", "items": []}], True),
        (None, False), ({}, False), ("a", False), (["a"], False), ([{}], False), ([{"id": 1, "items": []}], False), ([{"id": "a"}], False),
        ([{"id": "a", "items": "x"}], False), ([{"id": "a", "items": [1]}], False), ([{"id": "a", "items": [], "reasons": ["x"]}], False),
    ],
)  # fmt: skip
def test_what_the_rules_may_be_given(asked, sound):
    assert asking.well_formed(asked) is sound
