"""What a run does with what a source says: pure, on a portal in memory. Every rule that holds a run has its row."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from in_memory import RAW, Portal, pages, record, source

from mulu.errors import Problem
from mulu_harvest.departments import slug
from mulu_harvest.normalise import Departments, normalise
from mulu_harvest.port import Interrupted, Unavailable
from mulu_harvest.record import Page, Record
from mulu_harvest.run import Run
from mulu_harvest.source import SourceError

ALL = {"read": 0, "repeated": 0, "added": 0, "changed": 0, "unchanged": 0, "removed": 0, "restored": 0, "held": 0, "refused": 0}


@pytest.fixture
def portal():
    return Portal()


@pytest.fixture
def harvest(portal, profile):
    def run(records, *, settings=None, dry_run=False, again=False, stopped=lambda: False, today=None, **more):
        read = records if callable(records) else pages(records, **more)
        if not again:
            portal.new_run()
        engine = Run(source(**(settings or {})), read, portal, portal, profile, stopped=stopped, dry_run=dry_run, today=today)
        portal.outcome = engine.execute()
        return {key: value for key, value in portal.counts.items() if value}

    return run


def some(count, **changed):
    return [record(n, **(changed.get(f"r{n}") or {})) for n in range(count)]


def test_a_first_run_adds_and_the_next_finds_nothing_new(portal, harvest):
    assert harvest(some(25)) == {"read": 25, "added": 25}
    assert len(portal.entries) == 25 and portal.of(3)["provider"] == "minzheng"
    assert portal.of(3)["source"] == {"name": "ceshi", "id": "id-3", "url": "http://127.0.0.1/3"}
    before = list(portal.applied)
    assert harvest(some(25)) == {"read": 25, "unchanged": 25}
    assert portal.applied == before


def test_a_changed_record_is_changed_by_field_and_the_rest_left_alone(portal, harvest):
    harvest(some(25))
    assert harvest(some(25, r7={"notes": "另一段摘要。"})) == {"read": 25, "changed": 1, "unchanged": 24}
    step, state = portal.steps["id-7"]
    assert (state, step.changes) == ("done", ({"field": "notes", "label": "信息资源摘要", "before": RAW["notes"], "after": "另一段摘要。", "local": ""},))
    assert portal.of(7)["notes"] == "另一段摘要。" and portal.of(7)["resource_code"].startswith("300/")


@pytest.mark.parametrize("change", [{"published_on": "2024-05-01"}, {"name": "another-name"}, {"source": {"id": "id-7", "url": "http://127.0.0.1/new"}}])
def test_what_moves_by_itself_is_no_change(harvest, change):
    harvest(some(10))
    assert harvest(some(10, r7=change)) == {"read": 10, "unchanged": 10}


def test_the_day_of_the_data_follows_quietly(portal, harvest):
    harvest(some(10, r7={"data_updated_on": "2024-05-01"}))
    assert harvest(some(10, r7={"data_updated_on": "2024-06-01"}), dry_run=True) == {"read": 10, "unchanged": 10}
    assert portal.of(7)["data_updated_on"] == "2024-05-01"
    assert harvest(some(10, r7={"data_updated_on": "2024-06-01"})) == {"read": 10, "unchanged": 10}
    assert portal.of(7)["data_updated_on"] == "2024-06-01"


@pytest.mark.parametrize("day", ["2024-06-02", "20240601", "2024-W22-6", "六月一日", ""])
def test_a_day_that_is_none_or_has_not_come_is_not_taken(portal, harvest, day):
    harvest(some(10, r7={"data_updated_on": "2024-05-01"}))
    entry = {**entry_of(record(7)), "data_updated_on": day}
    records = [*some(7), replace(record(7), entry=entry), *some(10)[8:]]
    harvest(records, today=date(2024, 6, 1))
    assert portal.of(7)["data_updated_on"] == "2024-05-01" == portal.records["id-7"]["known"].entry["data_updated_on"]


def test_a_day_is_put_in_when_the_run_loads_and_not_while_it_is_held(portal, harvest):
    harvest(some(10, r1={"data_updated_on": "2024-05-01"}))
    harvest(some(5, r1={"data_updated_on": "2024-06-01"}))
    assert portal.outcome == "held" and portal.of(1)["data_updated_on"] == "2024-05-01"
    portal.state = "running"
    harvest(pytest.fail, again=True)
    assert portal.of(1)["data_updated_on"] == "2024-06-01" == portal.records["id-1"]["known"].entry["data_updated_on"]


def test_a_source_that_loses_a_little_each_hour_does_not_empty_itself(portal, harvest):
    harvest(some(100))
    assert harvest(some(97))["removed"] == 3 and portal.outcome == "done"
    assert harvest(some(95))["removed"] == 2 and portal.outcome == "done"
    assert harvest(some(95), dry_run=True) == {"read": 95, "unchanged": 95}
    harvest(some(94))
    assert portal.outcome == "held" and "7 天内已自动撤销 5 条" in portal.reasons[0].message
    portal.state, portal.decided = "running", True
    harvest(pytest.fail, again=True)
    assert len(portal.archived) == 6
    portal.week = portal.number - 1  # a week later; what the person let pass counts for nothing
    assert harvest(some(90))["removed"] == 4 and portal.outcome == "done"


def test_what_came_back_was_not_lost(portal, harvest):
    harvest(some(40))
    for _ in range(3):
        assert harvest(some(38))["removed"] == 2 and portal.outcome == "done"
        assert harvest(some(40))["restored"] == 2


def test_what_was_refused_does_not_hold_every_run(portal, harvest):
    harvest(some(3))
    closed, more = {"r1": {"open_type": "不予开放"}}, {"r1": {"open_type": "不予开放", "notes": "又一段。"}}
    harvest(some(3, **closed))
    assert portal.outcome == "held"
    portal.refuse["id-1"], portal.state = "没有不予开放的依据", "running"
    assert harvest(pytest.fail, again=True)["refused"] == 1
    assert harvest(some(3, **closed)) == {"read": 3, "unchanged": 2, "refused": 1} and portal.outcome == "done"
    harvest(some(3, **more))
    assert portal.outcome == "held", "another change is another question"
    harvest(some(3))
    harvest(some(3, **closed))
    assert portal.outcome == "held", "it was well in between"


def test_what_nobody_sees_is_not_opened_less(portal, harvest):
    harvest(some(40))
    portal.archived.add(portal.records["id-1"]["known"].package_id)
    portal.refuse["id-1"] = "已由部门撤回"
    for _ in range(2):
        assert harvest(some(40, r1={"open_type": "不予开放"})) == {"read": 40, "unchanged": 39, "refused": 1}
        assert portal.outcome == "done"
    harvest(some(40, r1={"open_type": "不予开放", "provider": "华容县水利局"}))
    assert [one.rule for one in portal.reasons] == ["moved"]


@pytest.mark.parametrize(
    ("had", "has", "held"),
    [(40, 39, False), (40, 38, False), (40, 37, True), (10, 9, False), (10, 8, True), (1, 0, False), (3, 1, True), (100, 95, False), (100, 94, True)],
)
def test_more_than_a_twentieth_is_not_removed_without_a_person(portal, harvest, had, has, held):
    harvest(some(had))
    counts = harvest(some(has))
    assert counts["removed"] == had - has
    assert (portal.outcome == "held") is held and bool(portal.archived) is not held
    assert [one.rule for one in portal.reasons] == (["too_many_removed"] if held else [])
    assert counts.get("held", 0) == (had - has if held else 0)


def test_what_is_held_goes_on_when_it_is_applied(portal, harvest):
    harvest(some(10))
    harvest(some(5))
    assert portal.outcome == "held" and not portal.archived
    portal.state = "running"
    read = pytest.fail  # nothing is read again
    assert harvest(lambda mark: read("read"), again=True)["removed"] == 5
    assert len(portal.archived) == 5 and portal.outcome == "done"


def test_a_removed_entry_comes_back_as_itself(portal, harvest):
    harvest(some(25))
    harvest(some(24))
    package = portal.records["id-24"]["known"].package_id
    assert portal.archived == {package}
    assert harvest(some(25, r24={"notes": "回来了。"})) == {"read": 25, "restored": 1, "unchanged": 24}
    assert portal.applied[-1] == ("restore", package) and portal.of(24)["notes"] == "回来了。"
    assert harvest(some(25, r24={"notes": "回来了。"})) == {"read": 25, "unchanged": 25}


def test_what_the_policy_keeps_is_not_removed(portal, harvest):
    harvest(some(10))
    assert harvest(some(2), settings={"removed": "keep"}) == {"read": 2, "unchanged": 2}


@pytest.mark.parametrize(
    ("expected", "rule"), [((11, 100), "too_few"), ((0, 9), "too_many"), ((10, 10), None)]
)
def test_a_first_run_outside_the_expected_bounds_is_held(portal, harvest, expected, rule):
    harvest(some(10), settings={"expected": expected})
    assert [one.rule for one in portal.reasons] == ([rule] if rule else [])
    assert bool(portal.entries) is (rule is None)


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ({}, {"open_type": "有条件开放"}, "closed"),
        ({}, {"open_type": "不予开放"}, "closed"),
        ({}, {"open_type": None}, "closed"),
        ({"open_type": "有条件开放"}, {"open_type": "不予开放"}, "closed"),
        ({"open_type": "有条件开放"}, {"open_type": "无条件开放"}, None),
        ({}, {"items": [{**RAW["items"][0], "open_type": "不予开放"}, RAW["items"][1]]}, "closed"),
        ({"items": [{**RAW["items"][0], "open_type": "不予开放"}]}, {"items": [RAW["items"][0]]}, None),
        ({}, {"items": RAW["items"][:1]}, None),
        ({}, {"provider": "华容县水利局"}, "moved"),
        ({}, {"share_type": "有条件共享"}, None),
    ],
)  # fmt: skip
def test_closing_and_moving_wait_for_a_person(portal, harvest, before, after, rule):
    harvest(some(3, r1=before))
    harvest(some(3, r1=after))
    assert [one.rule for one in portal.reasons] == ([rule] if rule else [])
    assert [one.rule for one in portal.steps["id-1"][0].reasons] == ([rule] if rule else [])
    assert portal.outcome == ("held" if rule else "done")


def test_a_dry_run_tells_everything_and_does_nothing(portal, harvest):
    harvest(some(25))
    remembered = {key: one["known"] for key, one in portal.records.items()}
    before = list(portal.applied)
    counts = harvest([*some(20, r3={"title": "改名"}), record(90), record(None)], dry_run=True)
    assert counts == {"read": 22, "added": 1, "changed": 1, "unchanged": 19, "removed": 5, "refused": 1, "held": 7}
    assert (portal.outcome, portal.phase, [one.rule for one in portal.reasons]) == ("done", "planned", ["too_many_removed"])
    assert portal.applied == before and remembered == {key: one["known"] for key, one in portal.records.items()}


def test_what_came_from_this_portal_is_not_taken_a_second_time(portal, harvest):
    own = [replace(one, origin=f"https://own.example/entry/{n}/") for n, one in enumerate(some(4))]
    strange = [replace(one, origin="https://own.example.org/entry/1/") for one in some(7)[4:]]
    assert harvest(own + strange) == {"read": 3, "repeated": 4, "added": 3}
    assert harvest(own + strange, total=7) == {"read": 3, "repeated": 4, "unchanged": 3} and not portal.problems


def test_the_same_id_twice_the_first_counts(portal, harvest):
    twice = [*some(25), record(3), record(4, title="另一个题名")]
    assert harvest(twice) == {"read": 26, "added": 25, "repeated": 1, "refused": 1}
    [problem] = portal.problems
    assert problem.rule == "same_id_twice" and "第 4 条《另一个题名》与第 4 条" in problem.message
    assert portal.of(4)["title"] == "养老机构名录4"
    assert harvest(twice) == {"read": 26, "unchanged": 25, "repeated": 1, "refused": 1}


def test_one_bad_record_is_told_and_the_rest_go_in(portal, harvest):
    broken = Record("第 77 条", {"title": "坏记录", "source": {"id": "id-77"}, "items": 5})
    bad = [record(None), record(50, title=None), record(51, provider=None), record(52, provider="天外局"), broken]
    assert harvest([*some(10), *bad]) == {"read": 15, "added": 10, "refused": 5}
    told = {key: [problem.rule for problem in step.problems][:1] for key, (step, state) in portal.steps.items() if state == "refused"}
    assert told == {"无编号：第 None 条": ["no_id"], "id-50": ["required"], "id-51": ["required"], "id-52": ["unknown_department"], "id-77": ["unreadable"]}
    portal.orgs["天外局"] = "tianwai"
    assert harvest([*some(10), record(52, provider="天外局")]) == {"read": 11, "added": 1, "unchanged": 10}
    assert sorted(portal.records) == sorted([f"id-{n}" for n in range(10)] + ["id-52"]), "what the source no longer has is forgotten"


def test_incomplete_entries_become_drafts_or_are_refused_as_the_source_says(portal, harvest):
    lacking = [record(1, notes=None), record(2)]
    assert harvest(lacking, settings={"incomplete": "refuse"}) == {"read": 2, "added": 1, "refused": 1}
    assert harvest(lacking) == {"read": 2, "added": 1, "unchanged": 1}
    assert {problem.field for problem in portal.steps["id-1"][0].problems if problem.severity == "error"} >= {"notes"}


def test_a_bad_new_version_leaves_the_entry_as_it_was(portal, harvest):
    settings = {"incomplete": "refuse"}
    harvest(some(10), settings=settings)
    assert harvest(some(10, r1={"notes": None}), settings=settings) == {"read": 10, "unchanged": 9, "refused": 1}
    assert portal.of(1)["notes"] == RAW["notes"] and portal.records["id-1"]["known"].state == "quarantined"
    assert harvest(some(10), settings=settings) == {"read": 10, "unchanged": 10}
    assert portal.records["id-1"]["known"].state == "in"


def test_departments_are_made_only_when_their_first_entry_is_written(portal, harvest):
    settings = {"create_departments": True}
    entries = [record(1, provider="华容县粮食局", provider_hint="liangshi"), record(2, provider="华容县粮食局"), record(3, provider="华容县气象局")]
    harvest(entries, settings=settings, dry_run=True)
    assert "华容县粮食局" not in portal.orgs
    harvest(entries, settings=settings)
    assert portal.orgs["华容县粮食局"] == "liangshi" and portal.of(2)["provider"] == "liangshi"
    assert portal.of(3)["provider"] == portal.orgs["华容县气象局"]


@pytest.mark.parametrize("hint", ["Bad Slug!", "x", "new", "a" * 101, "minzheng"])
def test_a_slug_that_no_department_can_have_is_not_taken(portal, harvest, hint):
    harvest([record(1, provider="华容县粮食局", provider_hint=hint)], settings={"create_departments": True})
    assert portal.orgs["华容县粮食局"] == portal.of(1)["provider"] == slug("华容县粮食局")


def test_a_department_that_cannot_be_made_refuses_its_entries_alone(portal, harvest):
    make = portal.make_department

    def fails(slug, name):
        if name == "华容县粮食局":
            raise ValueError("made up by the test")
        make(slug, name)

    portal.make_department = fails
    entries = [*some(3), record(8, provider="华容县粮食局"), record(9, provider="华容县气象局")]
    assert harvest(entries, settings={"create_departments": True}) == {"read": 5, "added": 4, "refused": 1}
    problem = portal.records["id-8"]["problems"][-1]
    assert problem.rule == "department_not_made" and "华容县粮食局" in problem.message and portal.of(9)
    portal.make_department = make
    assert harvest(entries, settings={"create_departments": True}) == {"read": 5, "added": 1, "unchanged": 4}


def test_the_source_of_an_entry_in_wire_form_is_known_by_its_full_name(portal, harvest):
    """数源部门: it is made like a provider, under the slug that it is called by there; unknown, it is told and left out."""
    told = {"source_department": "华容县粮食局", "source_department_hint": "liangshi"}
    entries = [replace(one, entry=entry_of(one), raw={**one.raw, **told}) for one in some(2)]
    harvest(entries)
    assert "source_department" not in portal.of(1) and "unknown_department" in {one.rule for one in portal.steps["id-1"][0].problems}
    harvest([*entries, record(3, provider="华容县粮食局", provider_hint="liangshi")], settings={"create_departments": True})
    assert portal.orgs["华容县粮食局"] == "liangshi" and portal.of(1)["source_department"] == "liangshi" == portal.of(3)["provider"]
    harvest([replace(one, raw={**one.raw, "source_department": "华容县水利局"}) for one in entries])
    assert portal.of(1)["source_department"] == "shuili"


def entry_of(one):
    return normalise(one, departments=Departments("", {})).entry


def test_the_source_s_department_owns_what_names_none_or_a_stranger(portal, harvest):
    harvest([record(1, provider=None), record(2, provider="天外局"), record(3, provider="华容县水利局")], settings={"organization": "minzheng"})
    assert [portal.of(n)["provider"] for n in (1, 2, 3)] == ["minzheng", "minzheng", "shuili"]
    assert [problem.rule for problem in portal.steps["id-2"][0].problems if problem.field == "provider"] == ["unknown_department"]


def test_what_the_catalogue_refuses_is_quarantined_and_tried_again(portal, harvest):
    portal.refuse["id-4"] = "代码已被使用"
    assert harvest(some(10)) == {"read": 10, "added": 9, "refused": 1}
    assert portal.records["id-4"]["problems"][-1].message == "代码已被使用"
    assert harvest(some(10)) == {"read": 10, "unchanged": 9, "refused": 1}
    portal.refuse.clear()
    assert harvest(some(10)) == {"read": 10, "added": 1, "unchanged": 9}


def test_an_entry_at_which_the_program_fails_is_found_and_refused_alone(portal, harvest):
    assert harvest(some(250, r123={"title": "毒丸"}), size=100) == {"read": 250, "added": 249, "refused": 1}
    assert portal.steps["id-123"][0].problems[-1].rule == "not_written" and portal.biggest == 100


@pytest.mark.parametrize("where", [1, 2, 3, 4, 5, 6])
def test_an_interrupted_run_goes_on_where_it_was(portal, harvest, where):
    """Stopped after each page and each chunk once: the counts and the catalogue are as of one that ran through."""
    asked = iter(range(100))
    with pytest.raises(Interrupted):
        harvest(some(250), size=100, stopped=lambda: next(asked) + 1 == where)
    assert harvest(some(250), size=100, again=True) == {"read": 250, "added": 250}
    assert len(portal.entries) == 250 and len(portal.applied) == 250


def test_a_database_that_is_away_is_no_refusal(portal, harvest):
    portal.fail = Unavailable("gone")
    with pytest.raises(Unavailable):
        harvest(some(30))
    portal.fail = None
    assert harvest(some(30), again=True) == {"read": 30, "added": 30}


def test_written_but_not_noted_is_not_written_twice(portal, harvest):
    finish, portal.finish = portal.finish, lambda *_: (_ for _ in ()).throw(Interrupted)
    with pytest.raises(Interrupted):
        harvest(some(30))
    assert len(portal.entries) == 30
    portal.finish = finish
    assert harvest(some(30), again=True) == {"read": 30, "added": 30}
    assert len(portal.entries) == 30


def test_a_run_that_was_taken_over_writes_nothing(portal, harvest):
    harvest(some(10))
    portal.new_run().lost = True
    with pytest.raises(Interrupted):
        harvest(some(12), again=True)
    assert len(portal.entries) == 10


def test_a_source_that_dies_goes_on_at_the_mark(portal, harvest):
    reader, asked = pages(some(40)), []

    def dying(mark):
        asked.append(mark)
        for n, page in enumerate(reader(mark)):
            if not mark and n == 2:
                raise SourceError("来源中断")
            yield page

    with pytest.raises(SourceError):
        harvest(dying)
    assert not portal.entries, "nothing of a reading that broke off is applied"
    assert harvest(dying, again=True) == {"read": 40, "added": 40}
    assert asked == ["", "2"]


def test_a_source_that_is_another_when_reading_goes_on_is_read_anew(portal, harvest):
    asked = iter(range(100))
    with pytest.raises(Interrupted):
        harvest(some(40), stopped=lambda: next(asked) == 2)

    def read(mark):
        assert mark == "3"
        yield Page(tuple(some(20, r3={"title": "改了"})), "a", anew=True)

    assert harvest(read, again=True) == {"read": 20, "added": 20}
    assert portal.of(3)["title"] == "改了"


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"total": 60}, "incomplete_reading"),
        ({"whole": False}, "part_only"),
        ({"problems": (Problem("", "file", "《三月.xlsx》读不了"),)}, "file"),
    ],
)
def test_a_reading_that_is_not_whole_removes_nothing(portal, harvest, more, rule):
    harvest(some(40))
    assert harvest(some(39), size=100, **more) == {"read": 39, "unchanged": 39}
    assert [problem.rule for problem in portal.problems] == [rule] and not portal.archived


def test_what_the_source_itself_says_is_gone_is_removed(portal, harvest):
    harvest(some(40))
    gone = {"removed": ("id-39", "id-unknown"), "whole": False}
    assert harvest(some(2), size=100, **gone) == {"read": 2, "unchanged": 2, "removed": 1}
    assert len(portal.archived) == 1


def test_what_the_source_says_is_gone_stays_where_the_policy_keeps_it(portal, harvest):
    harvest(some(40))
    gone = {"removed": ("id-39",), "whole": False}
    assert harvest(some(2), size=100, settings={"removed": "keep"}, **gone) == {"read": 2, "unchanged": 2}
    assert not portal.archived


def test_what_has_left_before_does_not_leave_again(portal, harvest):
    harvest(some(40))
    gone = {"removed": ("id-39",), "whole": False}
    assert harvest(some(2), size=100, **gone) == {"read": 2, "unchanged": 2, "removed": 1}
    assert harvest(some(2), size=100, **gone) == {"read": 2, "unchanged": 2}


def test_unchanged_as_a_whole_is_done_at_once(portal, harvest):
    harvest(some(40))
    assert harvest(lambda mark: iter([Page((), unchanged=True)])) == {"read": 40, "unchanged": 40}
    assert not portal.archived


def test_edits_made_here_survive_or_give_way_as_the_source_says(portal, harvest):
    changes = {"r1": {"notes": "来源新写的摘要。", "title": "来源改的题名"}}
    for policy, expected, local in (("keep", "这里改的摘要。", "kept"), ("overwrite", "来源新写的摘要。", "overwritten")):
        portal.__init__()
        harvest(some(10), settings={"local_edits": policy})
        portal.of(1).update(notes="这里改的摘要。", contact="0730-1234567")
        harvest(some(10, **changes), settings={"local_edits": policy})
        assert (portal.of(1)["notes"], portal.of(1)["title"], portal.of(1)["contact"]) == (expected, "来源改的题名", "0730-1234567")
        assert {change["field"]: change["local"] for change in portal.steps["id-1"][0].changes} == {"title": "", "notes": local}
        assert harvest(some(10, **changes), settings={"local_edits": policy}) == {"read": 10, "unchanged": 10}


def test_an_entry_deleted_here_is_not_made_again_unless_the_source_s_word_counts(portal, harvest):
    harvest(some(10))
    portal.entries.pop(portal.records["id-1"]["known"].package_id)
    assert harvest(some(10)) == {"read": 10, "unchanged": 10}
    harvest(some(10, r1={"notes": "新的摘要。"}))
    assert len(portal.entries) == 9 and portal.steps["id-1"][0].changes[0]["local"] == "kept"
    harvest(some(10, r1={"notes": "更新的摘要。"}), settings={"local_edits": "overwrite"})
    assert len(portal.entries) == 10 and portal.of(1)["notes"] == "更新的摘要。"


def test_problems_of_the_source_are_bounded_and_errors_are_kept(portal, harvest):
    warnings = tuple(Problem("", "odd", f"第 {n} 个", severity="warning") for n in range(300))
    harvest(lambda mark: iter([Page((record(1),), "1", problems=warnings), Page((record(2),), "2", problems=(Problem("", "file", "坏"),))]))
    assert len(portal.problems) == 200 and portal.problems[-1].rule == "file"


def test_what_is_held_in_memory_does_not_grow_with_the_source(portal, harvest):
    harvest(some(1000), size=200)
    assert portal.biggest == 100
    asked = []
    plan = portal.plan
    portal.plan = lambda steps: (asked.append(len(steps)), plan(steps))[1]
    harvest([record(-1)], settings={})
    assert max(asked) == 500 and sum(asked) == 1001
