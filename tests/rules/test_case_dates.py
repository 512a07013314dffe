"""Dated cases for each place: make-up days, long holidays, the turn of the year, extension, completion that rests the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from conftest import Walk, at

from mulu import clocks, profile
from mulu.case import apply, tick
from mulu.errors import Refused
from mulu.workdays import Calendar

PLACES = profile.PROFILES
FIVE, TEN = ("huarong", "xiayi"), ("guojia", "hunan", "xiangtan", "qidong")


def asked(walk, town, place, day, *, stricter=False):
    case = walk("asking", profile.load(place, stricter=stricter))
    case.open(town.asker, day, entries=["婚姻登记信息", "殡葬信息"], consumer="jiaoyu")
    return case.do("own_head_agrees", town.asking_head, day)


ANSWER_BY = [
    # received, due with 5 working days, due with 10, provisional with 5, with 10
    ("2025-09-26", "2025-10-10", "2025-10-16", False, False),  # over 09-28 (made up), National Day, 10-11 (made up)
    ("2025-09-27", "2025-10-10", "2025-10-16", False, False),  # a Saturday: the first day counted is Sunday 09-28
    ("2025-01-22", "2025-02-05", "2025-02-11", False, False),  # over 01-26 (made up), Spring Festival, 02-08 (made up)
    ("2026-02-12", "2026-02-26", "2026-03-04", False, False),  # over 02-14 and 02-28 (made up), Spring Festival
    ("2025-12-26", "2026-01-05", "2026-01-12", False, False),  # 2026 is announced; 2026-01-04 is a Sunday made up
    ("2026-12-24", "2026-12-31", "2027-01-07", False, True),  # 2027 is not announced
    ("2026-12-31", "2027-01-07", "2027-01-14", True, True),
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("received", "five", "ten", "five_provisional", "ten_provisional"), ANSWER_BY)
def test_answer_to_a_conditional_application(walk, town, place, received, five, ten, five_provisional, ten_provisional):
    case = asked(walk, town, place, received)
    clock = case.case.clock("answer")
    expected = (five, five_provisional) if place in FIVE else (ten, ten_provisional)
    assert (clock.due_on.isoformat(), clock.provisional) == expected
    assert clock.article == profile.load(place).clock("answer_conditional").article


@pytest.mark.parametrize("place", PLACES)
def test_extension_on_the_last_day_and_never_after_it(walk, town, place):
    last, after = ("2025-10-10", "2025-10-11") if place in FIVE else ("2025-10-16", "2025-10-17")
    case = asked(walk, town, place, "2025-09-26")
    with pytest.raises(Refused) as late:
        case.do("extend", town.authority, after, reason="数据量大")
    assert [problem.rule for problem in late.value.problems] == ["extension_too_late"]
    case.do("extend", town.authority, f"{last} 23:59", reason="数据量大")
    assert case.due("answer") == ("2025-10-23" if place in FIVE else "2025-10-30")
    assert case.case.clock("answer").extended_by == 10
    with pytest.raises(Refused) as twice:
        case.do("extend", town.authority, last, reason="数据量大")
    assert [problem.rule for problem in twice.value.problems] == ["extended_already"]


@pytest.mark.parametrize(("days", "due"), [(1, "2025-10-11"), (3, "2025-10-14"), (10, "2025-10-23")])
def test_extension_by_fewer_days(walk, town, days, due):
    case = asked(walk, town, "huarong", "2025-09-26")
    case.do("extend", town.chief, "2025-10-09", reason="数据量大", days=days)
    assert case.due("answer") == due


@pytest.mark.parametrize(("days", "rule"), [(11, "extension_too_long"), (0, "wrong_number"), (99, "wrong_number")])
def test_extension_by_too_many_days(walk, town, days, rule):
    with pytest.raises(Refused) as refused:
        asked(walk, town, "huarong", "2025-09-26").do("extend", town.authority, "2025-10-09", reason="数据量大", days=days)
    assert rule in [problem.rule for problem in refused.value.problems]


def test_the_stricter_place_takes_no_extension_from_the_nation(walk, town):
    with pytest.raises(Refused) as refused:
        case = asked(walk, town, "huarong", "2025-09-26", stricter=True)
        case.do("extend", town.authority, "2025-10-09", reason="数据量大")
    assert [problem.rule for problem in refused.value.problems] == ["no_extension"]
    assert "华容县" in refused.value.problems[0].message


@pytest.mark.parametrize("place", PLACES)
def test_completion_rests_the_clock(walk, town, place):
    case = asked(walk, town, place, "2025-09-26")
    case.do("ask_completion", town.head, "2025-09-29", missing=["授权书"])  # two days are used
    assert case.case.due is None
    case.do("complete", town.asker, "2025-10-20")
    assert case.due("answer") == ("2025-10-23" if place in FIVE else "2025-10-30")
    case.do("extend", town.authority, "2025-10-21", reason="数据量大")
    assert case.due("answer") == ("2025-11-06" if place in FIVE else "2025-11-13")


def test_completion_on_the_same_day_costs_nothing(walk, town):
    case = asked(walk, town, "huarong", "2025-09-26")
    before = case.due("answer")
    case.do("ask_completion", town.head, "2025-09-28 09:00", missing=["授权书"]).do("complete", town.asker, "2025-09-28 17:00")
    assert case.due("answer") == before


def test_a_date_set_by_hand(walk, town):
    case = asked(walk, town, "huarong", "2025-09-26")
    with pytest.raises(Refused) as refused:
        case.do("suspend", town.authority, "2025-09-29", reason="超范围使用", until="2025-09-29")
    assert [problem.rule for problem in refused.value.problems] == ["date_in_past"]
    case.do("suspend", town.authority, "2025-09-29", reason="超范围使用", until="2025-10-25")
    assert case.due("rectify") == "2025-10-25"
    assert case.case.clock("answer").stopped_at == date(2025, 9, 29)
    case.do("resume", town.authority, "2025-10-09")
    assert (case.due("answer"), case.case.clock("rectify").stopped_at) == ("2025-10-15", date(2025, 10, 9))


@pytest.mark.parametrize(
    ("place", "due", "extended"),
    [
        ("guojia", "2025-10-16", "2025-10-23"),
        ("xiayi", "2025-10-16", "2025-10-23"),
        ("hunan", "2025-10-23", None),
        ("xiangtan", "2025-10-23", None),
        ("huarong", "2025-10-23", None),
        ("qidong", "2025-10-23", None),
    ],
)
def test_updating_the_catalogue_after_a_law_changed(walk, town, reviewed, place, due, extended):
    """Counted from the day of the change, not of the filing; it stops with the authority and stands when it returns."""
    case = walk("catalogue_review", profile.load(place))
    case.open(town.editor, "2025-09-28", kind="change", proposed={"title": "新"}, cause="law", cause_on="2025-09-26")
    assert case.due("update_catalogue") == due
    if extended:
        case.do("extend_update", town.authority, "2025-09-29", reason="系统改造")
        assert case.due("update_catalogue") == extended
    else:
        with pytest.raises(Refused) as refused:
            case.do("extend_update", town.authority, "2025-09-29", reason="系统改造")
        assert [problem.rule for problem in refused.value.problems] == ["not_in_this_place"]
    case.do("submit", town.editor, "2025-09-29").do("head_agree", town.head, "2025-09-30", **reviewed)
    assert case.due("authority_review") == "2025-10-10"
    assert case.case.clock("update_catalogue").stopped_at == date(2025, 9, 30)
    case.do("return_to_editor", town.authority, "2025-10-09", reason="摘要不清")
    assert case.due("update_catalogue") == (extended or due)
    assert case.case.clock("update_catalogue").running
    assert case.case.clock("authority_review").stopped_at == date(2025, 10, 9)


@pytest.mark.parametrize("place", ["hunan", "xiangtan", "huarong", "qidong"])
def test_the_stricter_place_updates_in_the_nations_time(walk, town, place):
    case = walk("catalogue_review", profile.load(place, stricter=True))
    case.open(town.editor, "2025-09-28", kind="change", proposed={"title": "新"}, cause="function", cause_on="2025-09-26")
    assert case.due("update_catalogue") == "2025-10-16"
    case.do("extend_update", town.chief, "2025-10-16", reason="机构改革")
    assert case.due("update_catalogue") == "2025-10-23"


def test_no_update_clock_without_a_change_of_law_or_function(walk, town):
    case = walk("catalogue_review", profile.load("huarong")).open(town.editor, "2025-09-28", kind="new")
    assert case.case.clocks == ()


# ── what the passing of time does ──


def sounded(outcomes):
    return [(o.event.event, o.event.at.date().isoformat(), [n.template for n in o.notices]) for o in outcomes]


def test_reminders_at_half_time_and_one_day_before_then_overdue_then_escalated(walk, town):
    case = asked(walk, town, "guojia", "2025-09-26")  # due 2025-10-16
    found, state = [], case.case
    for day in (f"2025-{month:02}-{day:02}" for month, days in ((9, range(26, 31)), (10, range(1, 25))) for day in days):
        outcomes = tick(case.procedure, case.profile, case.calendar, state, at(day))
        found += sounded(outcomes)
        state = outcomes[-1].case if outcomes else state
        assert tick(case.procedure, case.profile, case.calendar, state, at(f"{day} 23:00")) == []
    assert found == [
        ("clock_reminder", "2025-10-10", ["reminder"]),
        ("clock_reminder", "2025-10-15", ["reminder"]),
        ("clock_overdue", "2025-10-17", ["overdue"]),
        ("clock_escalated", "2025-10-20", ["escalation"]),
    ]
    assert state.clock("answer").overdue_since == date(2025, 10, 16)
    assert state.version == case.case.version + 4 and state.touched == case.case.touched


def test_a_clockwork_that_stood_still_makes_up_for_it_once(walk, town):
    case = asked(walk, town, "guojia", "2025-09-26")
    outcomes = tick(case.procedure, case.profile, case.calendar, case.case, at("2025-12-01"))
    assert [o.event.event for o in outcomes] == ["clock_overdue", "clock_escalated"]
    assert [one.notices[0].to_roles[0].name for one in outcomes] == ["head", "authority"]


def test_a_reminder_makes_nobodys_page_stale_but_a_decision_does(walk, town):
    case = asked(walk, town, "guojia", "2025-09-26")
    seen = case.case.version
    case.outcomes += tick(case.procedure, case.profile, case.calendar, case.case, at("2025-10-10"))
    case.do("ask_completion", town.head, "2025-10-10", version=seen, missing=["授权书"])
    with pytest.raises(Refused) as refused:
        case.do("complete", town.asker, "2025-10-10", version=seen)
    assert [problem.rule for problem in refused.value.problems] == ["stale_version"]


@pytest.mark.parametrize("moment", ["resting", "stopped"])
def test_a_clock_that_rests_or_stopped_says_nothing(walk, town, moment):
    case = asked(walk, town, "guojia", "2025-09-26")
    if moment == "resting":
        case.do("ask_completion", town.head, "2025-09-29", missing=["授权书"])
    else:
        decisions = [{"id": one, "decision": "agreed"} for one in case.case.data["entries"]]
        case.do("decide", town.head, "2025-09-29", decisions=decisions)
    assert tick(case.procedure, case.profile, case.calendar, case.case, at("2026-09-26")) == []


def test_a_clock_that_was_late_before_it_rested_is_late_after(walk, town):
    case = asked(walk, town, "huarong", "2025-09-26")
    case.outcomes += tick(case.procedure, case.profile, case.calendar, case.case, at("2025-10-13"))
    assert case.case.clock("answer").overdue_since
    case.do("ask_completion", town.head, "2025-10-13", missing=["授权书"]).do("complete", town.asker, "2025-10-20")
    late = case.case.clock("answer")
    assert (late.due_on, late.overdue_since) == (date(2025, 10, 10), date(2025, 10, 10))  # what has run out is not moved by a rest


def test_a_provisional_day_is_computed_anew_once_the_year_is_announced(walk, town):
    case = asked(walk, town, "guojia", "2026-12-24")
    assert case.case.clock("answer").provisional
    old, known = case.calendar, case.calendar.years | {2027}
    new = Calendar(known, old.holidays | {date(2027, 1, 1)}, old.makeup | {date(2027, 1, 3)})
    later = Walk(case.procedure, case.profile, new)
    later.outcomes = tick(case.procedure, case.profile, new, case.case, at("2026-12-25"))
    assert [o.event.event for o in later.outcomes] == ["clock_recomputed"]
    assert (later.due("answer"), later.case.clock("answer").provisional) == ("2027-01-07", False)
    assert tick(case.procedure, case.profile, new, later.case, at("2026-12-25")) == []


def test_midnight_is_shanghais(walk, town):
    """17:00 UTC on the 25th is the 26th in Shanghai: the count starts a day later."""
    case = walk("asking", profile.load("huarong")).open(town.asker, "2025-09-25", entries=["x"], consumer="jiaoyu")
    now = datetime(2025, 9, 25, 17, tzinfo=UTC)
    outcome = apply(case.procedure, case.profile, case.calendar, case.case, "own_head_agrees", town.asking_head, {}, now)
    assert outcome.case.clock("answer").started_at == date(2025, 9, 26)


@pytest.mark.parametrize(
    ("place", "due", "late"), [("guojia", "2025-09-29", "2025-09-30"), ("huarong", "2025-09-28", "2025-09-29")]
)
def test_a_deadline_of_a_day_or_none_only_goes_overdue(calendar, town, place, due, late):
    """Unconditional sharing: one working day (guojia 21), at once elsewhere; a reminder would come with the application itself."""
    clock = clocks.start("answer", "答复", profile.load(place).clock("answer_unconditional"), calendar, date(2025, 9, 28))
    assert clock.due_on.isoformat() == due
    for day in ("2025-09-28", due):
        assert clocks.alarms(clock, calendar, date.fromisoformat(day), None) == []
    assert clocks.alarms(clock, calendar, date.fromisoformat(late), None) == ["overdue"]


def test_a_machine_whose_clock_was_set_back_does_not_set_a_case_back(walk, town):
    case = asked(walk, town, "huarong", "2025-10-09")
    case.do("ask_completion", town.head, "2025-09-26", missing=["授权书"])
    assert case.outcomes[-1].event.at == case.outcomes[-2].event.at
    assert case.case.clock("answer").paused_at == date(2025, 10, 9)
