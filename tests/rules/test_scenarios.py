"""Dated scenarios of every procedure in each of the six places (``scenarios/*.yml``).

A file is ``{procedure, about, subject, plays: [{name, why, places, steps}]}``. A step does one thing (``open``, ``do``, ``tick`` or
``announce``) on a day and says what must follow. Where places differ, a value is written by place:
``{huarong xiayi: …, else: …}``. Every due date was counted by hand in the State Council's calendars; ``why`` says how.
"""

from __future__ import annotations

from datetime import date

import pytest
from conftest import FACTS, HERE, Town, at, person

from mulu import profile
from mulu.case import apply, load_procedure, open_case, tick, who_acts
from mulu.errors import Refused
from mulu.files import read_yaml
from mulu.people import SYSTEM
from mulu.workdays import Calendar

FOLDER = HERE / "scenarios"
FILES = {path.stem: read_yaml(path) for path in sorted(FOLDER.glob("*.yml"))}
PEOPLE = {
    **{key: one for key, one in vars(Town).items() if not key.startswith("_") and key != "all"},
    "asking_both": person("asking_both", ("editor", "jiaoyu"), ("head", "jiaoyu")),
    "third": person("third", ("head", "weijian"), ("editor", "weijian")),
    "neighbour": person("neighbour", ("public",), ("applicant",)),
    "anonymous": person("public:T-1", ("public",)),
    "stranger": person("public:T-2", ("public",)),
    "system": SYSTEM,
}
ACTS = {"open", "do", "tick", "announce"}
EXPECTED = {"state", "due", "provisional", "paused", "refused", "effects", "letters", "turn", "sounds", "article"}
OTHERS = {"day", "by", "data", "facts", "places", "why", "holidays", "makeup"}


def plain(value):
    """YAML's dates as the text that forms send."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def here(value, place):
    """The part of a value that is meant for this place."""
    words = {word for key in value for word in str(key).split()} if isinstance(value, dict) else set()
    if not words or words - {*profile.PROFILES, "else"}:
        return {key: here(one, place) for key, one in value.items()} if isinstance(value, dict) else value
    return next((one for key, one in value.items() if place in key.split()), value.get("else"))


class Play:
    """One scenario in one place."""

    def __init__(self, source, place):
        self.procedure, self.profile = load_procedure(source["procedure"]), profile.load(place)
        self.subject = {"type": source["about"], "id": "s-1", "org": "minzheng", "title": "婚姻登记信息", **source.get("subject", {})}
        self.calendar, self.case = Calendar.load(), None

    def act(self, step):
        """(outcomes, rules that refused) of a step."""
        facts, data = {**FACTS, **step.get("facts", {})}, step.get("data", {})
        now = at(step["day"])
        try:
            if "open" in step:
                outcomes = [open_case(
                    self.procedure, self.profile, self.calendar, id="case-1", subject=self.subject, actor=PEOPLE[step["open"]],
                    data=data, now=now, facts=facts,
                )]  # fmt: skip
            elif "do" in step:
                outcomes = [apply(
                    self.procedure, self.profile, self.calendar, self.case, step["do"], PEOPLE[step["by"]], data, now, facts=facts
                )]  # fmt: skip
            else:
                if "announce" in step:
                    days = {key: {date.fromisoformat(day) for day in step.get(key, [])} for key in ("holidays", "makeup")}
                    self.calendar = Calendar(
                        self.calendar.years | {step["announce"]}, self.calendar.holidays | days["holidays"], self.calendar.makeup | days["makeup"]
                    )
                outcomes = tick(self.procedure, self.profile, self.calendar, self.case, now)
        except Refused as refused:
            assert all(problem.message and problem.article for problem in refused.problems), refused.problems
            return [], sorted({problem.rule for problem in refused.problems})
        if outcomes:
            self.case = outcomes[-1].case
        return outcomes, []

    def seen(self, key, outcomes):
        """What came of a step, in the words of the table."""
        case, last = self.case, outcomes[-1] if outcomes else None
        match key:
            case "state":
                return case.state
            case "due":
                return {clock.name: clock.due_on.isoformat() for clock in case.clocks if clock.running}
            case "provisional":
                return sorted(clock.name for clock in case.clocks if clock.running and clock.provisional)
            case "paused":
                return sorted(clock.name for clock in case.clocks if clock.paused_at and not clock.stopped_at)
            case "effects":
                return {effect.name: dict(effect.args) for effect in last.effects}
            case "letters":
                return {f"{letter.template} {role.name}" + (f"@{role.org}" if role.org else "") for letter in last.notices for role in letter.to_roles}
            case "turn":
                return {role.name + (f"@{role.org}" if role.org else "") for role in who_acts(self.procedure, case)}
            case "sounds":
                return [outcome.event.event for outcome in outcomes]
            case "article":
                return last.event.article
        raise AssertionError(key)


ROWS = [
    pytest.param(source, play, place, id=f"{name}-{play['name']}-{place}")
    for name, source in FILES.items()
    for play in source["plays"]
    for place in play.get("places", profile.PROFILES)
]


@pytest.mark.parametrize(("source", "play", "place"), ROWS)
def test_a_scenario(source, play, place):
    stage = Play(source, place)
    for n, written in enumerate(play["steps"]):
        if place not in written.get("places", profile.PROFILES):
            continue
        step = here(plain(written), place)
        where = f"step {n + 1}: {step}"
        expected = {key: value for key, value in step.items() if key in EXPECTED}
        outcomes, refused = stage.act(step)
        assert refused == sorted(step.get("refused") or []), where
        for key, value in expected.items():
            if key == "refused":
                continue
            seen = stage.seen(key, outcomes)
            assert seen == (set(value) if isinstance(seen, set) else value), where


def test_the_table_is_whole():
    """Every procedure with events has its scenarios, every place is played, every step does one thing and expects something."""
    procedures = {source["procedure"] for source in FILES.values()}
    assert procedures >= {
        "sharing_application", "open_application", "rereview", "error_check", "demand", "dispute", "one_source", "suspension",
        "rectification", "reevaluation", "complaint", "suggestion", "harvest_check",
    }  # fmt: skip
    for name, source in FILES.items():
        assert {place for play in source["plays"] for place in play.get("places", profile.PROFILES)} == set(profile.PROFILES), name
        done = {step["do"] for play in source["plays"] for step in play["steps"] if "do" in step and "refused" not in step}
        assert set(load_procedure(source["procedure"]).events) <= done, f"{name}: events that nobody plays"
        for play in source["plays"]:
            assert play["why"], play
            for step in play["steps"]:
                assert len(ACTS & set(step)) == 1 and EXPECTED & set(step) and not set(step) - ACTS - EXPECTED - OTHERS, step
