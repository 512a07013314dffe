"""A case's clocks: started, paused, resumed, extended, stopped; when they remind and when they are overdue.

A clock is an anchor date and the working days left from it, so that pause, extension and a newly announced calendar year
are one sum: ``due = calendar.add(anchor, left)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Literal

from mulu.profile import Clock
from mulu.workdays import Calendar

Alarm = Literal["half", "last", "overdue", "escalated"]
_DATES = ("started_at", "due_on", "anchor", "stopped_at", "paused_at", "overdue_since")


@dataclass(frozen=True)
class ClockState:
    """One clock of one case. All dates are days in Asia/Shanghai; lengths are working days.

    length: days granted in all, extensions included; left: days left from ``anchor``; extended_by: days of the extension;
    sounded: the alarms that were given. While paused, ``due_on`` is where it stood.
    """

    name: str
    label: str
    started_at: date
    due_on: date
    provisional: bool
    anchor: date
    left: int
    length: int
    article: str = ""
    extended_by: int = 0
    stopped_at: date | None = None
    paused_at: date | None = None
    overdue_since: date | None = None
    sounded: tuple[Alarm, ...] = ()

    @property
    def running(self) -> bool:
        return self.stopped_at is None and self.paused_at is None

    def to_dict(self) -> dict[str, Any]:
        row = {field.name: getattr(self, field.name) for field in fields(self)}
        dates = {key: row[key].isoformat() if row[key] else None for key in _DATES}
        return {**row, **dates, "sounded": list(self.sounded)}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> ClockState:
        dates = {key: date.fromisoformat(row[key]) if row.get(key) else None for key in _DATES}
        return cls(**{**row, **dates, "sounded": tuple(row.get("sounded", ()))})


def start(name: str, label: str, clock: Clock, calendar: Calendar, today: date) -> ClockState:
    """A clock of the profile's length; the day on which it starts does not count."""
    due = calendar.add(today, clock.length)
    return ClockState(name, label, today, due.date, due.provisional, today, clock.length, clock.length, clock.article)


def start_until(name: str, label: str, due_on: date, article: str, calendar: Calendar, today: date) -> ClockState:
    """A clock whose last day somebody set, as in a rectification notice."""
    left = calendar.between(today, due_on)
    return ClockState(name, label, today, due_on, False, today, left, left, article)


def pause(state: ClockState, calendar: Calendar, today: date) -> ClockState:
    """From the day on which material is asked for, no day counts (guojia 21)."""
    return replace(state, paused_at=today, anchor=today, left=calendar.between(today, state.due_on))


def resume(state: ClockState, calendar: Calendar, today: date) -> ClockState:
    """The days that were left run on from today; a deadline that had run out stays where it was. An alarm that no longer fits is
    given again."""
    if state.paused_at and state.paused_at > state.due_on:
        return replace(state, paused_at=None)
    due = calendar.add(today, state.left)
    sounded = tuple(alarm for alarm in state.sounded if alarm == "half" or due.date < today)
    return replace(
        state, paused_at=None, anchor=today, due_on=due.date, provisional=due.provisional, sounded=sounded,
        overdue_since=state.overdue_since if due.date < today else None,
    )  # fmt: skip


def stop(state: ClockState, today: date) -> ClockState:
    """The clock at its end: it neither reminds nor runs late any more."""
    return replace(state, stopped_at=today)


def extend(state: ClockState, days: int, calendar: Calendar) -> ClockState:
    """``days`` more working days; the reminders are given again. Whether it may be extended is the engine's to say."""
    due = calendar.add(state.anchor, state.left + days)
    return replace(
        state, left=state.left + days, length=state.length + days, extended_by=state.extended_by + days,
        due_on=due.date, provisional=due.provisional, sounded=(),
    )  # fmt: skip


def recompute(state: ClockState, calendar: Calendar) -> ClockState:
    """A provisional due date under a calendar that may know more years now."""
    if not (state.running and state.provisional):
        return state
    due = calendar.add(state.anchor, state.left)
    return replace(state, due_on=due.date, provisional=due.provisional)


def alarms(state: ClockState, calendar: Calendar, today: date, escalate_after: int | None) -> list[Alarm]:
    """What to sound today and was not yet: reminders at half time and one working day before, overdue, escalation.

    Missed reminders are not made up for once a later alarm is due: the later one says more. Clocks of under two days only
    go overdue. escalate_after: working days past the due date, None for never.
    """
    if not state.running:
        return []
    if today > state.due_on:
        found: list[Alarm] = ["overdue"]
        if escalate_after is not None and calendar.between(state.due_on, today) >= escalate_after:
            found.append("escalated")
    else:
        left = calendar.between(today, state.due_on)
        if state.length < 2 or left > state.length / 2:
            return []
        found = ["last"] if left <= 1 else ["half"]
        if found == ["half"] and "last" in state.sounded:
            return []
    return [alarm for alarm in found if alarm not in state.sounded]


def sound(state: ClockState, alarm: Alarm) -> ClockState:
    """The clock with an alarm marked as given; ``overdue`` also marks since when."""
    overdue = state.overdue_since
    if alarm == "overdue":
        overdue = overdue or state.due_on
    return replace(state, sounded=(*state.sounded, alarm), overdue_since=overdue)
