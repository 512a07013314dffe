"""What the system does in a review for a source: enter, renew, adopt, archive, restore; and what it may not."""

from __future__ import annotations

import pytest

from mulu import profile
from mulu.entry import class_of
from mulu.errors import Refused
from mulu.people import SYSTEM, Role

DAY = "2025-03-03"
FROM = {"reason": "来源已经审核发布", "from_source": "某县数据平台"}


@pytest.fixture(params=profile.PROFILES)
def place(request):
    return profile.load(request.param)


@pytest.fixture
def review(walk, place):
    def start(actor=SYSTEM, **data):
        return walk("catalogue_review", place).open(actor, DAY, **{"kind": "new", **data})

    return start


def refused(case, event, actor, **data):
    with pytest.raises(Refused) as told:
        case.do(event, actor, DAY, **data)
    assert all(problem.message for problem in told.value.problems)
    return {problem.rule for problem in told.value.problems}


def effects(case):
    return [(effect.name, dict(effect.args)) for effect in case.outcomes[-1].effects]


def test_the_system_enters_changes_and_submits(review, town):
    case = review().do("edit", SYSTEM, DAY).do("submit", SYSTEM, DAY)
    assert case.state == "head_review" and case.case.authors == ("system",)
    assert case.outcomes[-1].event.role == "system"


@pytest.mark.parametrize("event", ["head_agree", "publish", "return_to_editor"])
def test_the_system_decides_nothing(review, event, reviewed):
    case = review().do("submit", SYSTEM, DAY)
    assert refused(case, event, SYSTEM, **reviewed, reason="x") & {"wrong_role", "wrong_state"}


def test_adopting_publishes_with_its_article(review, place):
    case = review().do("adopt", SYSTEM, DAY, **FROM)
    assert case.state == "published" and effects(case) == [("publish_entry", {"base_version": None})]
    assert case.outcomes[-1].event.article == place.cite("publish") and not case.case.deciders
    assert case.outcomes[-1].event.data["from_source"] == "某县数据平台" and "from_source" not in case.case.data


def test_what_may_not_be_adopted(review, town):
    wrong = {"field": "notes", "rule": "required", "message": "请填写摘要", "article": "", "severity": "error"}
    assert refused(review(), "adopt", SYSTEM) == {"required"}
    assert refused(review(), "adopt", SYSTEM, **FROM, facts={"entry_problems": [wrong]}) == {"required"}
    assert refused(review(), "adopt", SYSTEM, **FROM, facts={"changed_here": True}) == {"changed_here"}
    assert refused(review().do("submit", SYSTEM, DAY), "adopt", SYSTEM, **FROM) == {"wrong_state"}
    change = {"kind": "change", "proposed": {"title": "新", "share_type": "none"}, "base_version": 1}
    assert refused(review(**change), "adopt", SYSTEM, **FROM, facts={"published_version": 2}) == {"stale_base"}
    assert refused(review(**change), "adopt", SYSTEM, **FROM, facts={"published_entry": {"title": "旧", "share_type": "unconditional"}}) == {"class_change_needs_case"}
    for person in town.all():
        assert refused(review(), "adopt", person, **FROM) == {"wrong_role"}


@pytest.mark.parametrize("agreed", [False, True])
def test_a_review_under_way_is_renewed_and_its_history_kept(review, town, reviewed, agreed):
    case = review().do("submit", SYSTEM, DAY)
    if agreed:
        case.do("head_agree", town.head, DAY, **reviewed)
    assert refused(case, "renew", SYSTEM, from_source="x") == {"required"}
    assert refused(case, "renew", town.editor, **FROM) == {"wrong_role"}
    case.do("renew", SYSTEM, DAY, **FROM, proposed={"title": "新"})
    assert case.state == "returned" and case.case.data["proposed"] == {"title": "新"}
    assert set(case.outcomes[-1].notices[0].to_roles) == {Role("editor", "minzheng"), Role("head", "minzheng")}
    assert (("head_agree", "head") in case.case.deciders) is agreed


def test_archived_from_everywhere_and_restored(review, town, reviewed):
    walks = ([], [("submit", SYSTEM, {})], [("submit", SYSTEM, {}), ("head_agree", town.head, reviewed)])
    for walked in walks:
        case = review()
        for event, actor, data in walked:
            case.do(event, actor, DAY, **data)
        assert refused(case, "archive", town.editor, reason="x") == {"wrong_role"}
        case.do("archive", SYSTEM, DAY, reason="来源已不再提供")
        assert case.state == "archived" and effects(case) == [("archive_entry", {})]
        assert refused(case, "restore", town.chief, reason="x") == {"wrong_role"}
        case.do("restore", SYSTEM, DAY, reason="来源重新提供")
        assert case.state == "draft" and effects(case) == [("restore_entry", {})]


def test_a_change_of_a_published_entry_ends_with_it_and_does_not_come_back(review):
    case = review(kind="change", proposed={"title": "新"}).do("archive", SYSTEM, DAY, reason="条目已经撤销")
    assert case.state == "archived" and effects(case) == []
    assert refused(case, "restore", SYSTEM, reason="x") == {"not_in_this_place"}


def test_a_class_change_ends_with_its_entry(walk, town, place):
    entry = {"title": "婚姻登记信息", "share_type": "none", "share_basis": "《统计法》第二十五条", "items": []}
    case = walk("classification_change", place).open(
        town.editor, DAY, before=class_of(entry), after={"share_type": "unconditional"}, reason="修订", basis="《统计法》"
    )
    assert refused(case, "archive", town.authority, reason="x") == {"wrong_role"}
    case.do("archive", SYSTEM, DAY, reason="条目已经撤销")
    assert case.state == "archived" and effects(case) == []
