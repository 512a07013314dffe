"""The one engine of all procedures. Pure: a case and an event in, the case after it out, or a refusal that says why.

It stores nothing, sends nothing and knows no clock of its own: time and calendar are arguments. ``facts`` is what the caller
found outside of the case, read-only; a procedure's YAML names the facts that it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final

from mulu import clocks, conditions, forms
from mulu.clocks import ClockState
from mulu.conditions import Situation
from mulu.errors import BrokenRules, Problem, Refused
from mulu.people import ORG_ROLES, OWN_ROLES, ROLE_LABELS, SYSTEM, Person, Role
from mulu.procedure import (
    PROCEDURES,
    ClockSpec,
    Event,
    Procedure,
    RoleSpec,
    load_procedure,
)
from mulu.profile import Profile
from mulu.records import Case, Effect, EventRecord, Notice, Outcome, Possible
from mulu.workdays import Calendar

__all__ = [
    "PROCEDURES", "Case", "Effect", "EventRecord", "Notice", "Outcome", "Possible", "Procedure", "apply", "available",
    "load_procedure", "open_case", "parties", "tick", "who_acts",
]  # fmt: skip

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
_NO_FACTS: Final[Mapping[str, Any]] = {}
_ALARMS: Final[Mapping[clocks.Alarm, tuple[str, str, str]]] = {
    "half": ("clock_reminder", "期限过半提醒", "reminder"),
    "last": ("clock_reminder", "期限将满提醒", "reminder"),
    "overdue": ("clock_overdue", "超过期限", "overdue"),
    "escalated": ("clock_escalated", "逾期上报", "escalation"),
}


def open_case(
    procedure: Procedure, profile: Profile, calendar: Calendar, *, id: str, subject: Mapping[str, Any], actor: Person,
    data: Mapping[str, Any], now: datetime, facts: Mapping[str, Any] = _NO_FACTS, since: date | None = None,
) -> Outcome:  # fmt: skip
    """A new case about ``subject`` {"type", "id", "org", "title"}. Refused with every reason at once.

    since: the day on which it was handed in, where it is entered later: it counts as filed then, and its clocks run from then
    (自收到之日起, guojia 26). The history tells when it was entered.
    """
    if set(subject) != {"type", "id", "org", "title"} or subject["type"] not in procedure.about:
        raise BrokenRules(f"{procedure.id} is about {procedure.about}: {{type, id, org, title}}, not {dict(subject)}")
    at = _local(now)
    if since and since > at.date():
        raise BrokenRules(f"handed in on {since}, which is after {at.date()}")
    filed = at - (at.date() - since) if since else at
    blank = Case(
        id, procedure.id, procedure.version, profile.id, profile.version, "", dict(subject), actor.id, (actor.id,), filed, at,
        {}, version=0, touched=0,
    )  # fmt: skip
    return _step(procedure, profile, calendar, blank, procedure.opening, actor, data, at, facts, since)


def apply(
    procedure: Procedure, profile: Profile, calendar: Calendar, case: Case, event: str, actor: Person,
    data: Mapping[str, Any], now: datetime, *, version: int | None = None, facts: Mapping[str, Any] = _NO_FACTS,
) -> Outcome:  # fmt: skip
    """The case after an event. ``version``: the version that the person saw; an older one is refused as ``stale_version``."""
    _same_procedure(procedure, case)
    if version is not None and version < case.touched:
        raise Refused([Problem("", "stale_version", "此件已被他人办理，页面内容已经过时，请刷新后再办", version)])
    if event not in procedure.events:
        raise Refused([Problem("", "no_such_event", f"{procedure.title}没有“{event}”这一步", event)])
    at = max(_local(now), case.updated_at)
    return _step(procedure, profile, calendar, case, procedure.events[event], actor, data, at, facts)


def available(
    procedure: Procedure, profile: Profile, calendar: Calendar, case: Case, actor: Person, now: datetime,
    *, facts: Mapping[str, Any] = _NO_FACTS,
) -> list[Possible]:  # fmt: skip
    """Every event that leads on from the case's state in this place, with why this person may not press it (or "").

    ``fields`` are as the procedure states them. Facts may be left out: what depends on them is judged when it is pressed.
    """
    at = max(_local(now), case.updated_at)
    situation = Situation(profile, actor, case.state, case.data, at.date(), case.clocks, facts, lenient=True)
    found = []
    for event in procedure.events.values():
        if case.state not in event.by or not conditions.holds(event.when, situation):
            continue
        problems = _who(procedure, profile, case, event, actor)
        problems += [] if problems else _guarded(event.blocked, situation)
        if event.extends and not problems:
            problems = _extension(procedure, profile, case, event, {}, at.date())[1]
        allowed, why = not problems, problems[0].message if problems else ""
        fields = forms.in_place(event.fields, profile)
        found.append(Possible(event.key, event.label, allowed, why, _cited(profile, event), fields, event.style))
    return found


def who_acts(procedure: Procedure, case: Case) -> set[Role]:
    """Whose turn it is; nobody's where the case rests or has ended."""
    return _roles(procedure.states[case.state].acts, case)


def parties(procedure: Procedure, case: Case) -> set[str]:
    """Every organisation that the case concerns: the subject's, and those whose people have a part in some step.

    Of a case that has not gone out yet, only those within.
    """
    if within := procedure.states[case.state].within:
        return {str(role.org) for role in _roles(within, case) if role.name in ORG_ROLES}
    events = (procedure.opening, *procedure.events.values())
    specs = {spec for event in events for by in event.by.values() for spec in by if spec.name in ORG_ROLES}
    return {str(role.org) for role in _roles(specs, case)} | ({str(case.subject["org"])} if case.subject["org"] else set())


def tick(procedure: Procedure, profile: Profile, calendar: Calendar, case: Case, now: datetime) -> list[Outcome]:
    """What the passing of time does: due dates recomputed once a year is announced, reminders, overdue marks, escalation.

    Each outcome follows from the one before; a second tick at the same time gives none. Missed runs are made up for.
    """
    _same_procedure(procedure, case)
    at = max(_local(now), case.updated_at)
    outcomes: list[Outcome] = []
    for name in [clock.name for clock in case.clocks]:
        spec = procedure.clocks[name]
        state = _the(case, name)
        computed = clocks.recompute(state, calendar)
        if computed != state:
            outcomes.append(_alarm(procedure, case, spec, computed, "clock_recomputed", "重新计算期限", "recomputed", at))
            case, state = outcomes[-1].case, computed
        after = spec.escalate_after if spec.escalate else None
        for alarm in clocks.alarms(state, calendar, at.date(), after):
            state = clocks.sound(state, alarm)
            outcomes.append(_alarm(procedure, case, spec, state, *_ALARMS[alarm], at))
            case = outcomes[-1].case
    return outcomes


def _alarm(
    procedure: Procedure, case: Case, spec: ClockSpec, clock: ClockState, event: str, label: str, template: str, at: datetime
) -> Outcome:
    changed = tuple(clock if one.name == clock.name else one for one in case.clocks)
    after = replace(case, clocks=changed, version=case.version + 1, updated_at=at)
    due = {"clock": clock.name, "clock_label": clock.label, "due_on": clock.due_on.isoformat()}
    told = spec.escalate if template == "escalation" else spec.tell or procedure.states[case.state].acts
    record = EventRecord(
        after.version, event, f"{clock.label}：{label}", SYSTEM.id, SYSTEM.name, "system", case.state, case.state, at, due,
        "", clock.article,
    )  # fmt: skip
    notice = Notice(template, _sorted(_roles(told, case)), {**due, "label": label, "provisional": clock.provisional, "article": clock.article})
    return Outcome(after, record, (), (notice,))


def _step(
    procedure: Procedure, profile: Profile, calendar: Calendar, case: Case, event: Event, actor: Person,
    data: Mapping[str, Any], at: datetime, facts: Mapping[str, Any], since: date | None = None,
) -> Outcome:  # fmt: skip
    today = at.date()
    before = Situation(profile, actor, case.state, case.data, today, case.clocks, facts)
    asked = case if case.state else replace(case, data=dict(data))  # who may open may hang on what is filled in
    problems = _state_problems(procedure, case, event, before) or _who(procedure, profile, asked, event, actor)
    problems = problems or _guarded(event.blocked, before)
    if problems:
        raise Refused(problems)
    cited = _cited(profile, event)
    clean, problems = forms.read(forms.in_place(event.fields, profile), data, case.data, today, cited)
    if bad := forms.json_problem(clean):
        problems.append(Problem(bad.strip("."), "not_json", "内容里有不能保存的值", None, cited))
    kept = {key: value for key, value in clean.items() if procedure.fields[key].keep}
    after = replace(before, data={**case.data, **kept})
    wrong = {problem.field.partition(".")[0].partition("[")[0] for problem in problems}
    # a field that is wrong by itself needs no second reproach
    problems += _guarded([guard for guard in event.refuse if guard.get("field") not in wrong], after, procedure)
    extended = None
    if event.extends:
        extended, found = _extension(procedure, profile, case, event, clean, today)
        problems += found
    if problems:
        raise Refused(problems)
    route = next(route for route in event.routes if conditions.holds(route.when, after))
    target = case.state if route.state == "=" else route.state
    running = case.clocks
    if extended:
        name, days = extended
        running = tuple(clocks.extend(one, days, calendar) if one.name == name else one for one in running)
    version = case.version + 1
    moved = replace(
        case,
        state=target,
        data=after.data,
        clocks=_run(procedure, calendar, replace(after, state=target, clocks=running, today=since or today)),
        authors=case.authors if not event.files or actor.id in case.authors else (*case.authors, actor.id),
        deciders=(*case.deciders, (event.key, actor.id)) if event.decides else case.deciders,
        version=version,
        touched=version,
        updated_at=at,
    )
    spec = _holding(procedure, profile, asked, event, actor)
    record = EventRecord(
        version, event.key, event.label, actor.id, actor.name, spec.name if spec else "", case.state, target, at, clean,
        str(clean.get("reason", "")), cited,
    )  # fmt: skip
    effects = tuple(Effect(name, _filled(args, moved)) for name, args in (*event.effects, *route.effects))
    return Outcome(moved, record, effects, _letters(event, moved, record, after))


def _letters(event: Event, case: Case, record: EventRecord, now: Situation) -> tuple[Notice, ...]:
    due = case.due
    args = {
        "event": event.key, "label": event.label, "reason": record.reason, "article": record.article,
        "due_on": due.due_on.isoformat() if due else "", "provisional": due.provisional if due else False,
    }  # fmt: skip
    return tuple(
        Notice(letter.template, _sorted(_roles(letter.to, case)), args) for letter in event.letters if conditions.holds(letter.when, now)
    )


def _guarded(guards: Iterable[Mapping[str, Any]], now: Situation, procedure: Procedure | None = None) -> list[Problem]:
    labels = {key: field.label for key, field in procedure.fields.items()} if procedure else {}
    return [problem for guard in guards for problem in conditions.refusals(guard, now, labels)]


def _filled(args: Mapping[str, Any], case: Case) -> dict[str, Any]:
    """An effect's arguments: ``$path`` is the value there in the case's data."""
    return {
        key: conditions.at(case.data, value[1:]) if isinstance(value, str) and value.startswith("$") else value
        for key, value in args.items()
    }


def _state_problems(procedure: Procedure, case: Case, event: Event, situation: Situation) -> list[Problem]:
    cited = _cited(situation.profile, event)
    if case.state not in event.by:
        label = procedure.states[case.state].label
        message = f"{procedure.title}现在的状态是“{label}”，不能办理“{event.label}”"
        return [Problem("", "wrong_state", message, case.state, cited)]
    if not conditions.holds(event.when, replace(situation, lenient=True)):
        message = f"{situation.profile.name}的{procedure.title}没有“{event.label}”这一步"
        return [Problem("", "not_in_this_place", message, event.key, cited)]
    return []


def _specs(procedure: Procedure, profile: Profile, case: Case, event: Event) -> tuple[RoleSpec, ...]:
    """The roles that may cause an event now; an extension's are the profile's, where the procedure names none."""
    specs = event.by[case.state]
    if specs or not event.extends:
        return specs
    extension = _extension_of(procedure, profile, event)
    return tuple(RoleSpec(name) for name in extension.by) if extension else ()


def _extension_of(procedure: Procedure, profile: Profile, event: Event) -> Any:
    name = procedure.clocks[event.extends].profile
    return profile.clock(name).extension if name in profile.clocks else None


def _holding(procedure: Procedure, profile: Profile, case: Case, event: Event, actor: Person) -> RoleSpec | None:
    """The role under which this person may cause the event; an applicant or one of the public only in their own case."""
    for spec in _specs(procedure, profile, case, event):
        if any(actor.has(role.name, role.org) for role in _roles([spec], case)):
            return spec
    return None


def _who(procedure: Procedure, profile: Profile, case: Case, event: Event, actor: Person) -> list[Problem]:
    problems, cited = [], _cited(profile, event)
    specs = _specs(procedure, profile, case, event)
    if specs and not _holding(procedure, profile, case, event, actor):
        names = "或者".join(dict.fromkeys(ROLE_LABELS[spec.name] for spec in specs))
        message = f"“{event.label}”须由{names}办理，您没有这一身份"
        problems.append(Problem("", "wrong_role", message, sorted(role.name for role in actor.roles), cited))
    if event.decides and actor.id in case.authors:
        message = f"此件由您提起或者填报，“{event.label}”须由他人办理"
        problems.append(Problem("", "own_case", message, actor.id, cited))
    return problems


def _extension(
    procedure: Procedure, profile: Profile, case: Case, event: Event, data: Mapping[str, Any], today: date
) -> tuple[tuple[str, int] | None, list[Problem]]:
    """(clock, days) of an extension, or why there can be none. It is granted once, before the time has run out."""
    granted, clock = _extension_of(procedure, profile, event), case.clock(event.extends)
    if granted is None:
        message = f"{profile.name}的规定没有允许延长这一期限"
        return None, [Problem("", "no_extension", message, None, profile.cite(procedure.clocks[event.extends].profile))]
    days = int(data.get("days", granted.length))
    problem = ""
    if clock is None or not clock.running:
        problem, rule = "这一期限现在没有计算，不能延长", "clock_not_running"
    elif clock.extended_by:
        problem, rule = f"已经延长过{clock.extended_by}个工作日，不能再次延长", "extended_already"
    elif today > clock.due_on:
        problem, rule = f"期限已于{clock.due_on}届满，不能再延长", "extension_too_late"
    elif days > granted.length:
        problem, rule = f"最多可以延长{granted.length}个工作日", "extension_too_long"
    if problem:
        return None, [Problem("days", rule, problem, days, granted.article)]
    return (event.extends, days), []


def _run(procedure: Procedure, calendar: Calendar, now: Situation) -> tuple[ClockState, ...]:
    """The clocks on entering a state. One that counts from a date of its own, or that keeps its due date, is taken up
    again, never started afresh."""
    by_name = {clock.name: clock for clock in now.clocks}
    for name, spec in procedure.clocks.items():
        clock = by_name.get(name)
        if now.state in spec.runs_in:
            if clock is None or (clock.stopped_at and not (spec.start_field or spec.keeps_due)):
                if conditions.holds(spec.when, now) and (clock := _start(spec, now, calendar)):
                    by_name[name] = clock
            elif clock.paused_at:
                by_name[name] = clocks.resume(clock, calendar, now.today)
            elif clock.stopped_at:
                by_name[name] = replace(clock, stopped_at=None)
        elif now.state in spec.pauses_in:
            if clock and clock.running:
                by_name[name] = clocks.pause(clock, calendar, now.today)
        elif clock and clock.stopped_at is None:
            by_name[name] = clocks.stop(clock, now.today)
    return tuple(by_name.values())


def _start(spec: ClockSpec, now: Situation, calendar: Calendar) -> ClockState | None:
    cited = now.profile.cite(spec.cite or spec.profile)
    if spec.due_field:
        due = forms.read_date(conditions.at(now.data, spec.due_field))
        return clocks.start_until(spec.name, spec.label, due, cited, calendar, now.today) if due else None
    if spec.profile not in now.profile.clocks:
        return None
    since = forms.read_date(conditions.at(now.data, spec.start_field)) if spec.start_field else now.today
    return clocks.start(spec.name, spec.label, now.profile.clock(spec.profile), calendar, since) if since else None


def _roles(specs: Iterable[RoleSpec], case: Case) -> set[Role]:
    """The roles in this very case: of which organisation, of which applicant. None where the data name nobody."""
    found: set[Role] = set()
    for spec in specs:
        if spec.name not in ORG_ROLES | OWN_ROLES:
            found.add(Role(spec.name))
            continue
        own = case.subject["org"] if spec.name in ORG_ROLES else case.filed_by
        named = conditions.at(case.data, spec.path) if spec.path else own
        found |= {Role(spec.name, one) for one in (named if isinstance(named, list) else [named]) if one}
    return found


def _sorted(roles: set[Role]) -> tuple[Role, ...]:
    return tuple(sorted(roles, key=lambda role: (role.name, role.org or "")))


def _cited(profile: Profile, event: Event) -> str:
    return profile.cite(event.cite)


def _the(case: Case, name: str) -> ClockState:
    clock = case.clock(name)
    assert clock is not None  # the caller took the name from the case
    return clock


def _local(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise BrokenRules("now must be aware: a deadline is a day in Asia/Shanghai")
    return now.astimezone(SHANGHAI)


def _same_procedure(procedure: Procedure, case: Case) -> None:
    if procedure.id != case.procedure:
        raise BrokenRules(f"case {case.id} is of {case.procedure}, not of {procedure.id}")
