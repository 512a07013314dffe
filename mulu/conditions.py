"""The small words in which a procedure says when a step applies and what refuses it. Data, never code: nothing is evaluated.

A condition is a mapping of words that must all hold:

    switch: name                 the profile has the switch on
    data: {path: value or list}  the case's data has that value (dotted paths)
    fact: name                   the caller found it to be so
    state: name or list          the case's state
    extension: clock             the profile lets this clock be extended
    running: clock               the case's clock runs and is not overdue
    some / every: {of: field, is: decision or list}   of a field of decisions
    leaves: {field, value, before, after}     a class (of the entry or an item) that was ``value`` becomes another
    not: condition · any: [conditions] · all: [conditions]

A refusal is a condition with ``rule``, ``message`` and, where it helps, ``field`` and ``cite``:

    - {if: {...}, rule: id, message: 中文, field: path, cite: key}
    - {errors_in: fact}           every error of that list of problems (of checks.check)
    - {same: {data: path, fact: name}, rule, message}     the two must be equal
    - {keeps_class: {before: fact, after: path}, message} no field of the class may differ
    - {changes: {before: path, after: path}, message}     something must differ
    - {not_by: fact, message}     the actor is none of the persons of that list
    - {needs: [fields], cite}     these were filled in by now, here or before
    - {leaves_out: {text: path, values: [paths]}, message}    none of the values stands in the text
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from mulu.clocks import ClockState
from mulu.entry import CLASS_FIELDS, class_of
from mulu.errors import BrokenRules, Problem
from mulu.people import Person
from mulu.profile import Profile

_NO_LABELS: Final[Mapping[str, str]] = {}


@dataclass(frozen=True)
class Situation:
    """What conditions look at. ``facts``: what the caller found outside of the case; ``lenient``: a fact not given is no fault."""

    profile: Profile
    actor: Person
    state: str
    data: Mapping[str, Any]
    today: date
    clocks: tuple[ClockState, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    lenient: bool = False

    def fact(self, name: str) -> Any:
        if name not in self.facts and not self.lenient:
            raise BrokenRules(f"the caller must give the fact {name}")
        return self.facts.get(name)


def at(data: Any, path: str) -> Any:
    """The value at a dotted path, None where there is none."""
    for key in path.split("."):
        data = data.get(key) if isinstance(data, Mapping) else None
    return data


def holds(condition: Mapping[str, Any], now: Situation) -> bool:
    """True if every word holds; the empty condition does."""
    return all(_WORDS[word](argument, now) for word, argument in condition.items())


def _data(argument: Mapping[str, Any], now: Situation) -> bool:
    return all(
        at(now.data, path) in (wanted if isinstance(wanted, list) else [wanted]) for path, wanted in argument.items()
    )


def _decided(argument: Mapping[str, Any], now: Situation) -> list[bool]:
    wanted = argument["is"] if isinstance(argument["is"], list) else [argument["is"]]
    return [row.get("decision") in wanted for row in now.data.get(argument["of"]) or ()]


def _leaves(argument: Mapping[str, str], now: Situation) -> bool:
    key, left = argument["field"], argument["value"]
    before, after = at(now.data, argument["before"]) or {}, at(now.data, argument["after"]) or {}
    if after.get(key) and after[key] != left and before.get(key) == left:
        return True
    was = before.get("items") or {}
    return any(
        row.get(key) and row[key] != left and (was.get(name) or {}).get(key, before.get(key)) == left
        for name, row in (after.get("items") or {}).items()
    )


_WORDS: Final[Mapping[str, Callable[[Any, Situation], bool]]] = {
    "switch": lambda name, now: now.profile.switches[name],
    "data": _data,
    "fact": lambda name, now: bool(now.fact(name)),
    "state": lambda names, now: now.state in (names if isinstance(names, list) else [names]),
    "extension": lambda name, now: name in now.profile.clocks and now.profile.clock(name).extension is not None,
    "running": lambda name, now: any(c.name == name and c.running and now.today <= c.due_on for c in now.clocks),
    "some": lambda argument, now: any(_decided(argument, now)),
    "every": lambda argument, now: all(_decided(argument, now)),
    "leaves": _leaves,
    "not": lambda condition, now: not holds(condition, now),
    "any": lambda conditions, now: any(holds(one, now) for one in conditions),
    "all": lambda conditions, now: all(holds(one, now) for one in conditions),
}


def check_condition(condition: Any, where: str) -> None:
    """BrokenRules for a word that there is not."""
    if not isinstance(condition, Mapping):
        raise BrokenRules(f"{where}: a condition is a mapping of words")
    for word, argument in condition.items():
        if word not in _WORDS:
            raise BrokenRules(f"{where}: no such word: {word}")
        for inner in argument if word in ("any", "all") else [argument] if word == "not" else ():
            check_condition(inner, where)


def refusals(guard: Mapping[str, Any], now: Situation, labels: Mapping[str, str] = _NO_LABELS) -> list[Problem]:
    """What one guard finds wrong. labels: what the procedure's fields are called, for ``needs``."""
    if "needs" in guard:
        return _needs(guard, now, labels)
    word = next(word for word in _GUARDS if word in guard)
    return _GUARDS[word](guard, now)


def check_guard(guard: Any, where: str) -> None:
    """BrokenRules for a guard without exactly one of the words, with a key that there is not, or without its message."""
    words = [word for word in (*_GUARDS, "needs") if isinstance(guard, Mapping) and word in guard]
    if len(words) != 1 or set(guard) - {words[0], "rule", "message", "field", "cite"}:
        raise BrokenRules(f"{where}: a guard has one of the words {', '.join(_GUARDS)}, needs")
    if words[0] not in ("errors_in", "needs") and "message" not in guard:
        raise BrokenRules(f"{where}: {words[0]} needs a message")
    if words[0] == "if":
        check_condition(guard["if"], where)


def _problem(guard: Mapping[str, Any], now: Situation, rule: str, value: object = None) -> Problem:
    cited = now.profile.cite(guard.get("cite", ""))
    return Problem(guard.get("field", ""), guard.get("rule", rule), guard["message"], value, cited)


def _if(guard: Mapping[str, Any], now: Situation) -> list[Problem]:
    return [_problem(guard, now, "not_allowed")] if holds(guard["if"], now) else []


def _errors_in(guard: Mapping[str, Any], now: Situation) -> list[Problem]:
    found = [one if isinstance(one, Problem) else Problem(**one) for one in now.fact(guard["errors_in"]) or ()]
    return [problem for problem in found if problem.severity == "error"]


def _same(guard: Mapping[str, Any], now: Situation) -> list[Problem]:
    ours, theirs = at(now.data, guard["same"]["data"]), now.facts.get(guard["same"]["fact"])
    return [_problem(guard, now, "stale_base", ours)] if theirs is not None and theirs != ours else []


def _keeps_class(guard: Mapping[str, Any], now: Situation) -> list[Problem]:
    before, after = now.facts.get(guard["keeps_class"]["before"]), at(now.data, guard["keeps_class"]["after"])
    if not before or not after:
        return []
    was, is_ = class_of(before), class_of(after)
    changed = [key for key in CLASS_FIELDS if was[key] != is_[key]]
    changed += [name for name, row in is_["items"].items() if name in was["items"] and was["items"][name] != row]
    return [_problem(guard, now, "class_change_needs_case", changed)] if changed else []


def _changes(guard: Mapping[str, Any], now: Situation) -> list[Problem]:
    before, after = at(now.data, guard["changes"]["before"]) or {}, at(now.data, guard["changes"]["after"]) or {}
    was = before.get("items") or {}
    differs = any(value != before.get(key, "") for key, value in after.items() if key != "items") or any(
        code != (was.get(name) or {}).get(key, before.get(key, ""))
        for name, row in (after.get("items") or {}).items()
        for key, code in row.items()
    )
    return [] if differs else [_problem(guard, now, "nothing_changes")]


def _not_by(guard: Mapping[str, Any], now: Situation) -> list[Problem]:
    named = now.fact(guard["not_by"]) or ()
    return [_problem(guard, now, "same_person")] if now.actor.id in named else []


def _needs(guard: Mapping[str, Any], now: Situation, labels: Mapping[str, str]) -> list[Problem]:
    cited = now.profile.cite(guard.get("cite", ""))
    missing = [name for name in guard["needs"] if at(now.data, name) in (None, "", [], {})]
    return [Problem(name, "required", f"请填写“{labels.get(name, name)}”", None, cited) for name in missing]


def _leaves_out(guard: Mapping[str, Any], now: Situation) -> list[Problem]:
    text = str(at(now.data, guard["leaves_out"]["text"]) or "")
    values = [str(at(now.data, path) or "").strip() for path in guard["leaves_out"]["values"]]
    return [_problem(guard, now, "names_somebody")] if any(value and value in text for value in values) else []


_GUARDS: Final[Mapping[str, Callable[[Mapping[str, Any], Situation], list[Problem]]]] = {
    "if": _if,
    "errors_in": _errors_in,
    "same": _same,
    "keeps_class": _keeps_class,
    "changes": _changes,
    "not_by": _not_by,
    "leaves_out": _leaves_out,
}
