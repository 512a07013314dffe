"""A procedure as its YAML states it, loaded and checked: states, events, clocks, letters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from mulu import conditions
from mulu.errors import BrokenRules
from mulu.files import ROOT, digest, read_yaml
from mulu.forms import FormField, in_place, object_schema, parse_fields
from mulu.people import ROLE_LABELS
from mulu.profile import Profile

FOLDER: Final = ROOT / "procedures"
PROCEDURES: Final[tuple[str, ...]] = tuple(sorted(path.stem for path in FOLDER.glob("*.yml")))
SUBJECTS: Final = frozenset({"entry", "department", "case", "place", "source"})
OPEN: Final = "open"
_REASON: Final = "reason"


@dataclass(frozen=True)
class RoleSpec:
    """A role as a procedure names it, written ``role`` or ``role@path``.

    An organisation's role is of the subject's organisation, or of the one or those that the data name at ``path``; an
    ``applicant`` or one of the ``public`` is who filed the case, or whose id stands at ``path``.
    """

    name: str
    path: str = ""


@dataclass(frozen=True)
class State:
    """label: for officials; public: for the public's look-up; acts: whose turn it is, nobody's where the case rests or ends.

    within: the only ones whom the case concerns as long as it has not gone out to the others.
    """

    key: str
    label: str
    public: str
    acts: tuple[RoleSpec, ...]
    within: tuple[RoleSpec, ...]
    final: bool


@dataclass(frozen=True)
class Route:
    """Where an event leads: the first route whose condition holds, with its own effects. ``=`` stays in the state."""

    state: str
    when: Mapping[str, Any]
    effects: tuple[tuple[str, Mapping[str, Any]], ...] = ()


@dataclass(frozen=True)
class Letter:
    """when: without it the letter does not go out."""

    template: str
    to: tuple[RoleSpec, ...]
    when: Mapping[str, Any]


@dataclass(frozen=True)
class Event:
    """What somebody may do. ``by``: the roles for each state from which it leads; empty for a clock's extension (profile).

    decides: never by who filed, and kept among the case's deciders. files: who does this counts as one who filed.
    extends: the clock that it extends. when: without it the step does not exist in a place. blocked: refusals that hang on
    nothing that is filled in, so that they are told before; refuse: those that look at what was filled in.
    """

    key: str
    label: str
    by: Mapping[str, tuple[RoleSpec, ...]]
    routes: tuple[Route, ...]
    fields: tuple[FormField, ...]
    refuse: tuple[Mapping[str, Any], ...]
    blocked: tuple[Mapping[str, Any], ...]
    effects: tuple[tuple[str, Mapping[str, Any]], ...]
    letters: tuple[Letter, ...]
    when: Mapping[str, Any]
    cite: str
    style: str
    extends: str
    decides: bool
    files: bool


@dataclass(frozen=True)
class ClockSpec:
    """A clock: of the profile's length (``profile``) or until a date that was filled in (``due_field``).

    It starts when the case enters ``runs_in`` (counted from that day, or from the date in ``start_field``), rests in
    ``pauses_in``, and stops in any other state. keeps_due: entered again it is taken up with the due date that it had, not started
    afresh: what was promised is not promised anew. tell: who is reminded, where it is not those whose turn it is; escalate: who
    is told when it is overdue by ``escalate_after`` working days.
    """

    name: str
    label: str
    profile: str
    due_field: str
    start_field: str
    runs_in: frozenset[str]
    pauses_in: frozenset[str]
    when: Mapping[str, Any]
    tell: tuple[RoleSpec, ...]
    escalate: tuple[RoleSpec, ...]
    escalate_after: int
    cite: str
    keeps_due: bool = False


@dataclass(frozen=True, eq=False)
class Procedure:
    """A procedure, immutable.

    version: hash of its YAML; source: that YAML's content, from which ``parse`` makes it again. one_open: a subject has one open
    case of it at a time. concerns: where it is about a case, the procedures of that case and the states it may be in.
    """

    id: str
    title: str
    about: tuple[str, ...]
    version: str
    states: Mapping[str, State]
    opening: Event
    events: Mapping[str, Event]
    fields: Mapping[str, FormField]
    clocks: Mapping[str, ClockSpec]
    one_open: bool
    concerns: Mapping[str, tuple[str, ...]]
    source: Mapping[str, Any]

    def json_schema(self, place: Profile | None = None) -> dict[str, Any]:
        """JSON Schema (2020-12): ``opening`` is the data that opens a case, ``events`` what each event takes.

        place: whose own choices are written in; without it they stay open. What the portal fills in itself is left out.
        """

        def asked(fields: tuple[FormField, ...]) -> dict[str, Any]:
            return object_schema(tuple(one for one in (in_place(fields, place) if place else fields) if not one.given))

        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"mulu:procedure:{self.id}",
            "title": self.title,
            "type": "object",
            "properties": {
                "opening": asked(self.opening.fields),
                "events": {
                    "type": "object",
                    "properties": {key: {**asked(e.fields), "title": e.label} for key, e in self.events.items()},
                },
            },
        }

    @property
    def citations(self) -> frozenset[str]:
        """Every key that a profile must be able to cite."""
        events = (self.opening, *self.events.values())
        guards = {guard.get("cite", "") for event in events for guard in (*event.blocked, *event.refuse)}
        clocks = {clock.cite or clock.profile for clock in self.clocks.values()}
        return frozenset({event.cite for event in events} | guards | clocks) - {""}


@cache
def load_procedure(procedure: str) -> Procedure:
    """KeyError for an unknown id; BrokenRules when the YAML contradicts itself."""
    if procedure not in PROCEDURES:
        raise KeyError(f"没有“{procedure}”这一程序，可用的有：{'、'.join(PROCEDURES)}")
    return parse(read_yaml(FOLDER / f"{procedure}.yml"))


def parse(source: Mapping[str, Any]) -> Procedure:
    """A procedure from its YAML's content: of our files, of a stored snapshot, or of a test."""
    try:
        return _parse(source)
    except (KeyError, TypeError, AttributeError) as error:
        raise BrokenRules(f"procedure {source.get('id')}: {type(error).__name__}: {error}") from error
    except BrokenRules as error:
        raise BrokenRules(f"procedure {source.get('id')}: {error}") from error


def _parse(source: Mapping[str, Any]) -> Procedure:
    _only(source, "procedure", {
        "id", "title", "about", "one_open", "concerns", "fields", "states", "open", "events", "clocks",
    })  # fmt: skip
    states = {key: _state(key, row) for key, row in source["states"].items()}
    fields = parse_fields({_REASON: _REASON_FIELD, **source.get("fields", {})})
    opening = _event(OPEN, {"label": "提起", **source["open"], "from": []}, states, fields)
    events = {key: _event(key, row, states, fields) for key, row in source["events"].items()}
    clocks = {key: _clock(key, row, states) for key, row in source.get("clocks", {}).items()}
    for event in events.values():
        if event.extends and event.extends not in clocks:
            raise BrokenRules(f"event {event.key}: no clock {event.extends}")
    _reachable(states, opening, events)
    if unknown := set(source["about"]) - SUBJECTS:
        raise BrokenRules(f"about: {unknown}")
    return Procedure(
        source["id"], source["title"], tuple(source["about"]), digest(source), MappingProxyType(states), opening,
        MappingProxyType(events), MappingProxyType(fields), MappingProxyType(clocks),
        source.get("one_open", False), MappingProxyType({k: tuple(v) for k, v in source.get("concerns", {}).items()}), source,
    )  # fmt: skip


_REASON_FIELD: Final = {"label": "理由或者意见", "kind": "long_text", "keep": False}
"""Every event takes it; those that list it among ``required`` insist."""


def _only(row: Mapping[str, Any], where: str, known: set[str]) -> None:
    if unknown := set(row) - known:
        raise BrokenRules(f"{where}: unknown {', '.join(map(str, unknown))}")


def _roles(names: Iterable[str], where: str) -> tuple[RoleSpec, ...]:
    specs = []
    for text in names:
        name, _, path = text.partition("@")
        if name not in ROLE_LABELS:
            raise BrokenRules(f"{where}: no such role: {name}")
        specs.append(RoleSpec(name, path))
    return tuple(specs)


def _state(key: str, row: Mapping[str, Any]) -> State:
    _only(row, f"state {key}", {"label", "public", "acts", "within", "rests", "final"})
    final = row.get("final", False)
    if [final, row.get("rests", False), bool(row.get("acts"))].count(True) != 1:
        raise BrokenRules(f"state {key}: final, or at rest, or somebody's turn")
    acts, within = (_roles(row.get(part, ()), f"state {key}") for part in ("acts", "within"))
    return State(key, row["label"], row["public"], acts, within, final)


def _condition(row: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    condition = row.get("when", {})
    conditions.check_condition(condition, where)
    return condition  # type: ignore[no-any-return]


def _effects(row: Mapping[str, Any]) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    named = [({one: {}} if isinstance(one, str) else one) for one in row.get("effects", [])]
    return tuple((name, args) for effect in named for name, args in effect.items())


def _routes(to: Any, states: Mapping[str, State], where: str) -> tuple[Route, ...]:
    rows = to if isinstance(to, list) else [{"state": to}]
    routes = tuple(Route(row["state"], _condition(row, where), _effects(row)) for row in rows)
    for route in routes:
        if route.state not in states and route.state != "=":
            raise BrokenRules(f"{where}: no state {route.state}")
    if routes[-1].when:
        raise BrokenRules(f"{where}: the last route must be without condition")
    return routes


def _event(key: str, row: Mapping[str, Any], states: Mapping[str, State], fields: Mapping[str, FormField]) -> Event:
    where = f"event {key}"
    _only(row, where, {
        "label", "from", "to", "by", "required", "optional", "blocked", "refuse", "effects", "letters", "when", "cite", "style",
        "extends", "decides", "files",
    })  # fmt: skip
    sources = row["from"] or [""]
    by = row.get("by", [])
    if not by and not row.get("extends"):
        raise BrokenRules(f"{where}: by whom?")
    by = by if isinstance(by, Mapping) else dict.fromkeys(sources, by)
    if set(by) != set(sources):
        raise BrokenRules(f"{where}: by whom, in each of {sources}?")
    for state in sources:
        if state and (state not in states or (states[state].final and by[state] != ["system"])):
            raise BrokenRules(f"{where}: from {state}, which is no state, or final and left by another case's outcome only")
    required, optional = row.get("required", []), row.get("optional", [])
    names = dict.fromkeys([*required, *optional, _REASON])
    if missing := [name for name in names if name not in fields]:
        raise BrokenRules(f"{where}: no field {missing}")
    for guard in (*row.get("blocked", []), *row.get("refuse", [])):
        conditions.check_guard(guard, where)
    return Event(
        key=key,
        label=row["label"],
        by=MappingProxyType({state: _roles(roles, where) for state, roles in by.items()}),
        routes=_routes(row["to"], states, where),
        fields=tuple(_with_required(fields[name], name in required) for name in names),
        refuse=tuple(row.get("refuse", [])),
        blocked=tuple(row.get("blocked", [])),
        effects=_effects(row),
        letters=tuple(Letter(one["template"], _roles(one["to"], where), _condition(one, where)) for one in row.get("letters", [])),
        when=_condition(row, where),
        cite=row.get("cite", ""),
        style=row.get("style", "default"),
        extends=row.get("extends", ""),
        decides=row.get("decides", False),
        files=row.get("files", False),
    )


def _with_required(field: FormField, required: bool) -> FormField:
    return FormField(**{**vars(field), "required": required})


def _clock(name: str, row: Mapping[str, Any], states: Mapping[str, State]) -> ClockSpec:
    where = f"clock {name}"
    _only(row, where, {
        "label", "profile", "due_field", "start_field", "runs_in", "pauses_in", "when", "tell", "escalate", "cite", "keeps_due",
    })  # fmt: skip
    runs_in, pauses_in = frozenset(row["runs_in"]), frozenset(row.get("pauses_in", ()))
    if unknown := (runs_in | pauses_in) - set(states):
        raise BrokenRules(f"{where}: no state {unknown}")
    if runs_in & pauses_in or any(states[state].final for state in runs_in | pauses_in):
        raise BrokenRules(f"{where}: runs and pauses at once, or in a final state")
    if bool(row.get("profile")) == bool(row.get("due_field")):
        raise BrokenRules(f"{where}: either the profile's length or a date that is filled in")
    escalate = row.get("escalate", {"to": [], "after": 0})
    return ClockSpec(
        name, row["label"], row.get("profile", ""), row.get("due_field", ""), row.get("start_field", ""), runs_in,
        pauses_in, _condition(row, where), _roles(row.get("tell", ()), where), _roles(escalate["to"], where), escalate["after"], row.get("cite", ""),
        row.get("keeps_due", False),
    )  # fmt: skip


def _reachable(states: Mapping[str, State], opening: Event, events: Mapping[str, Event]) -> None:
    """Every state can be reached, and from every state but the final ones something leads on."""
    seen: set[str] = set()
    left = [route.state for route in opening.routes]
    while left:
        reached = left.pop()
        if reached not in seen and reached != "=":
            seen.add(reached)
            left += [route.state for event in events.values() if reached in event.by for route in event.routes]
    if stray := set(states) - seen:
        raise BrokenRules(f"states that nothing leads to: {stray}")
    for key, state in states.items():
        if not state.final and not any(key in event.by for event in events.values()):
            raise BrokenRules(f"nothing leads out of {key}")
