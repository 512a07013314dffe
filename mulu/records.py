"""What a case is and what the engine returns: plain frozen records, JSON in and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mulu.clocks import ClockState
from mulu.forms import FormField
from mulu.people import Role


@dataclass(frozen=True)
class Case:
    """One case. Times are aware, in Asia/Shanghai.

    subject: {"type": entry|department|case, "id", "org", "title"}. authors: who filed it or changed what was filed; they never
    decide. deciders: (event, person id) of each decision. version: counts every event; touched: the version of the last event
    that a person caused, so that a reminder makes nobody's open page stale.
    """

    id: str
    procedure: str
    procedure_version: str
    profile: str
    profile_version: str
    state: str
    subject: Mapping[str, Any]
    filed_by: str
    authors: tuple[str, ...]
    opened_at: datetime
    updated_at: datetime
    data: Mapping[str, Any]
    clocks: tuple[ClockState, ...] = ()
    deciders: tuple[tuple[str, str], ...] = ()
    version: int = 1
    touched: int = 1

    def clock(self, name: str) -> ClockState | None:
        return next((clock for clock in self.clocks if clock.name == name), None)

    @property
    def due(self) -> ClockState | None:
        """The running clock that ends first: the countdown that lists show."""
        return min((clock for clock in self.clocks if clock.running), key=lambda c: c.due_on, default=None)

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id, "procedure": self.procedure, "procedure_version": self.procedure_version,
            "profile": self.profile, "profile_version": self.profile_version, "state": self.state,
            "subject": dict(self.subject), "filed_by": self.filed_by, "authors": list(self.authors),
            "opened_at": self.opened_at.isoformat(), "updated_at": self.updated_at.isoformat(),
            "data": dict(self.data), "clocks": [clock.to_dict() for clock in self.clocks],
            "deciders": [list(pair) for pair in self.deciders], "version": self.version, "touched": self.touched,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Case:
        return cls(**{
            **row,
            "authors": tuple(row["authors"]),
            "opened_at": datetime.fromisoformat(row["opened_at"]),
            "updated_at": datetime.fromisoformat(row["updated_at"]),
            "clocks": tuple(ClockState.from_dict(clock) for clock in row["clocks"]),
            "deciders": tuple((event, person) for event, person in row["deciders"]),
        })  # fmt: skip


@dataclass(frozen=True)
class EventRecord:
    """One line of a case's history. ``seq`` is the case's version after it; ``data`` is what was filled in."""

    seq: int
    event: str
    label: str
    actor_id: str
    actor_name: str
    role: str
    from_state: str
    to_state: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    article: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "data": dict(self.data), "at": self.at.isoformat()}


@dataclass(frozen=True)
class Effect:
    """What the caller does to the world in the same transaction, e.g. ``publish_entry``."""

    name: str
    args: Mapping[str, Any]


@dataclass(frozen=True)
class Notice:
    """A letter or message to send: ``templates/notices/<template>``, to whoever holds one of these roles."""

    template: str
    to_roles: tuple[Role, ...]
    args: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """A step of a case: the case after it, its line of history, what follows. Nothing has been stored yet."""

    case: Case
    event: EventRecord
    effects: tuple[Effect, ...] = ()
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Possible:
    """An event that leads on from here, and whether this person may press it now; ``why_not`` is one Chinese sentence."""

    event: str
    label: str
    allowed: bool
    why_not: str
    article: str
    fields: tuple[FormField, ...]
    style: str

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "fields": [field.to_dict() for field in self.fields]}
