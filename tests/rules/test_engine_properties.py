"""What must hold for the engine whatever happens: any person, any event, any data, any time."""

from __future__ import annotations

import copy
import json
from datetime import timedelta

import jsonschema
import pytest
from conftest import FACTS, HERE, Town, at
from hypothesis import reject, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mulu import credit_code, profile
from mulu.case import PROCEDURES, Case, apply, available, load_procedure, open_case, parties, tick, who_acts
from mulu.codes import CODE_LISTS
from mulu.errors import Refused
from mulu.files import read_yaml
from mulu.forms import in_place
from mulu.people import OWN_ROLES, SYSTEM
from mulu.procedure import parse
from mulu.workdays import Calendar

ASKING = parse(read_yaml(HERE / "procedures" / "asking.yml"))
ALL = {**{name: load_procedure(name) for name in PROCEDURES}, "asking": ASKING}
CALENDAR = Calendar.load()
PEOPLE = [*Town.all(), SYSTEM]
NAMED = {"consumer": "jiaoyu", "asking": "jiaoyu", "grantee": "citizen", "others": ["jiaoyu", "minzheng"]}
"""What the portal fills in, where it names somebody of the town."""
SCALARS = st.sampled_from([None, "", " ", 0, -1, True, "x", "2025-02-30", "字" * 5000]) | st.floats()
KEYS = st.sampled_from(["id", "items", "decision", "reason", "reasons", "by", "on", "share_type", "name", "x"])
GARBAGE = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6)
SHARES = st.sampled_from(["unconditional", "conditional", "none"])


def good(field, day, data):
    """A value that the field takes."""
    dates = {"past": day - timedelta(3), "future": day + timedelta(9)}
    match field.kind:
        case "text" | "long_text" | "list" if field.key in NAMED:
            return st.just(NAMED[field.key])
        case "text" | "long_text":
            return st.text("甲乙丙", min_size=1, max_size=5)
        case "choice":
            return st.sampled_from(list(field.options))
        case "choices":
            return st.lists(st.sampled_from(list(field.options)), min_size=1, unique=True)
        case "list":
            return st.lists(st.sampled_from("abc"), min_size=1, unique=True)
        case "date":
            return st.just(dates.get(field.when, day).isoformat())
        case "number":
            return st.integers(field.min, min(field.max, 12))
        case "flag":
            return st.just(True) if field.key == "promise" else st.booleans()
        case "review":
            return st.just({"by": "甲", "on": (day - timedelta(1)).isoformat(), "conclusion": "可"})
        case "class":
            return st.fixed_dictionaries({"share_type": SHARES, "open_type": st.sampled_from(CODE_LISTS["open_type"].keys)})
        case "decisions":
            rows = [one if isinstance(one, dict) else {"id": one, "items": []} for one in data.get(field.of, [])]
            chosen = st.tuples(*[st.sampled_from(list(field.options)) for _ in rows])
            return chosen.map(lambda each: [decided(row, choice) for row, choice in zip(rows, each, strict=True)])
        case "asked":
            rows = [{"id": "entry-1", "items": ["姓名", "住址"], "reasons": {"住址": "核验"}}, {"id": "entry-2", "items": ["甲", "乙"]}]
            return st.sampled_from([rows, rows[:1]])
        case "files":
            return st.just([{"id": "f1", "name": "授权书.pdf"}])
        case "credit_code":
            return st.integers(0, 99).map(credit_code.make)
        case "email":
            return st.just("wang@example.com")
        case "department":
            return st.sampled_from(["minzheng", "jiaoyu"])
        case "entry_link":
            return st.just("entry-2")
        case "entry":
            return st.just({"title": "新", "share_type": "none"})
    raise AssertionError(field.kind)


def decided(asked, choice):
    return {"id": asked["id"], "decision": choice, "reason": "因为", **({"items": asked["items"][:1]} if choice == "partly" else {})}


def openers(procedure, org):
    """Who may open it, as the portal names the parties; the rest would only be refused."""
    specs = procedure.opening.by[""]

    def may(one):
        return any(one.has(spec.name, one.id if spec.name in OWN_ROLES else NAMED.get(spec.path, org)) for spec in specs)

    return [one for one in PEOPLE if may(one)]


class Engine(RuleBasedStateMachine):
    @initialize(
        place=st.sampled_from(profile.PROFILES), stricter=st.booleans(), data=st.data(),
        start=st.dates(at("2024-01-01").date(), at("2026-12-31").date()),
    )  # fmt: skip
    def begin(self, place, stricter, data, start):
        self.procedure, self.profile = ALL[self.name], profile.load(place, stricter=stricter)
        self.now = at(f"{start} 09:00")
        self.case = None
        filled = {f.key: data.draw(good(f, start, {})) for f in in_place(self.procedure.opening.fields, self.profile) if f.key != "base_version"}
        kind = data.draw(st.sampled_from(self.procedure.about))
        subject = {"type": kind, "id": "1", "org": "" if kind == "place" else "minzheng", "title": "婚姻登记信息"}
        opener = data.draw(st.sampled_from(openers(self.procedure, subject["org"])))
        try:
            outcome = open_case(
                self.procedure, self.profile, CALENDAR, id="1", subject=subject, actor=opener, data=filled, now=self.now, facts=FACTS
            )
        except Refused as refused:
            assert refused.problems
            reject()
        self.case, self.filer = outcome.case, opener.id
        assert (outcome.case.version, outcome.event.seq, outcome.event.from_state) == (1, 1, "")

    @precondition(lambda self: self.case is not None)
    @rule(data=st.data(), hours=st.integers(-30, 24 * 12))
    def who_may_does_something(self, data, hours):
        now = self.now + timedelta(hours=hours)
        choices = [
            (one, possible.event)
            for one in PEOPLE
            for possible in available(self.procedure, self.profile, CALENDAR, self.case, one, now, facts=FACTS)
            if possible.allowed
        ]
        if choices:
            actor, event = data.draw(st.sampled_from(choices))
            self.someone_does(data, actor, self.procedure.events[event], now, stale=0, spoil=False)

    @precondition(lambda self: self.case is not None)
    @rule(data=st.data(), actor=st.sampled_from(PEOPLE), hours=st.integers(-30, 24 * 12), stale=st.integers(0, 1), spoil=st.booleans())
    def anyone_does_anything(self, data, actor, hours, stale, spoil):
        events = [e for e in self.procedure.events.values() if self.case.state in e.by]
        event = data.draw(st.sampled_from([*events, *self.procedure.events.values()]))
        self.someone_does(data, actor, event, self.now + timedelta(hours=hours), stale, spoil)

    def someone_does(self, data, actor, event, now, stale, spoil):
        day = max(now, self.case.updated_at).date()
        form = in_place(event.fields, self.profile)
        filled = {f.key: data.draw(good(f, day, self.case.data)) for f in form if f.required or data.draw(st.booleans())}
        if spoil:
            key = data.draw(st.sampled_from([f.key for f in event.fields] + ["nonsense"]))
            filled[key] = data.draw(GARBAGE)
        before, frozen = self.case, copy.deepcopy(self.case.to_dict())
        given = copy.deepcopy(filled)
        allowed = {
            p.event: p.allowed for p in available(self.procedure, self.profile, CALENDAR, before, actor, now, facts=FACTS)
        }
        try:
            outcome = apply(
                self.procedure, self.profile, CALENDAR, before, event.key, actor, filled, now,
                version=before.touched - stale, facts=FACTS,
            )  # fmt: skip
        except Refused as refused:
            assert refused.problems and all(p.message and p.rule for p in refused.problems)
            assert before.to_dict() == frozen
            return
        finally:
            assert filled == given or spoil
        assert not stale
        after = outcome.case
        schema = self.procedure.json_schema(self.profile)["properties"]["events"]["properties"][event.key]
        said = {f.key: outcome.event.data[f.key] for f in event.fields if not f.given and f.key in outcome.event.data}
        jsonschema.validate(said, schema)
        assert before.to_dict() == frozen
        assert allowed[event.key], "what was pressed had been shown as possible"
        assert after.version == before.version + 1 == outcome.event.seq == after.touched
        assert after.updated_at >= before.updated_at
        assert set(before.authors) <= set(after.authors) and after.filed_by == before.filed_by
        if event.decides:
            assert actor.id != after.filed_by and actor.id not in before.authors
            assert after.deciders[-1] == (event.key, actor.id)
        assert after.deciders[: len(before.deciders)] == before.deciders
        for old in before.clocks:
            new = after.clock(old.name)
            if new.started_at == old.started_at and not old.stopped_at:
                assert new.due_on >= old.due_on, "a clock went backwards"
        self.case, self.now = after, max(self.now, now)

    @precondition(lambda self: self.case is not None)
    @rule(hours=st.integers(0, 24 * 30))
    def time_passes(self, hours):
        now = self.now + timedelta(hours=hours)
        outcomes = tick(self.procedure, self.profile, CALENDAR, self.case, now)
        for n, outcome in enumerate(outcomes):
            assert outcome.case.version == self.case.version + n + 1 == outcome.event.seq
            assert (outcome.case.state, outcome.case.data, outcome.case.touched) == (self.case.state, self.case.data, self.case.touched)
            assert outcome.event.actor_id == "system" and outcome.notices
        if outcomes:
            self.case = outcomes[-1].case
        assert tick(self.procedure, self.profile, CALENDAR, self.case, now) == []
        self.now = now

    @invariant()
    def what_always_holds(self):
        if getattr(self, "case", None) is None:
            return
        case = self.case
        state = self.procedure.states[case.state]
        assert Case.from_dict(json.loads(json.dumps(case.to_dict(), allow_nan=False))) == case
        assert bool(who_acts(self.procedure, case)) is bool(state.acts)
        assert parties(self.procedure, case) <= {"minzheng", "jiaoyu"}
        for clock in case.clocks:
            spec = self.procedure.clocks[clock.name]
            assert clock.running == (case.state in spec.runs_in)
            assert (clock.paused_at is not None and clock.stopped_at is None) <= (case.state in spec.pauses_in)
            assert not state.final or clock.stopped_at
            if not spec.due_field:
                assert CALENDAR.is_workday(clock.due_on)
        if state.final:
            for person in PEOPLE:
                left = available(self.procedure, self.profile, CALENDAR, case, person, self.now, facts=FACTS)
                assert person is SYSTEM or not any(possible.allowed for possible in left)


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_engine(name):
    machine = type(f"Engine_{name}", (Engine,), {"name": name})
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))

@pytest.mark.parametrize("spoiled", [float("nan"), float("inf"), {1: "x"}, {"x": object()}, {"x": [{"y": {"z"}}]}])
def test_what_cannot_be_stored_never_enters_a_case(spoiled):
    procedure, place = ALL["catalogue_review"], profile.load("huarong")
    data = {"kind": "new", "proposed": {"title": spoiled}}
    subject = {"type": "entry", "id": "entry-1", "org": "minzheng", "title": "婚姻登记信息"}
    with pytest.raises(Refused) as refused:
        open_case(procedure, place, CALENDAR, id="1", subject=subject, actor=Town.editor, data=data, now=at("2025-01-01"), facts=FACTS)
    assert [p.rule for p in refused.value.problems] == ["not_json"]
