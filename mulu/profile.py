"""A place's rules: who is who there, every deadline and every value, each with the article that it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from mulu import citations, imprint, outline
from mulu.errors import BrokenRules
from mulu.files import ROOT, digest, read_yaml
from mulu.people import ROLE_LABELS

FOLDER: Final = ROOT / "profiles"
PROFILES: Final[tuple[str, ...]] = ("guojia", "hunan", "xiangtan", "huarong", "qidong", "xiayi")
UNITS: Final[Mapping[str, str]] = {"workday": "个工作日", "at_once": "即时", "year": "年", "month_end": "月底前"}
LEVELS: Final[Mapping[str, str]] = {"nation": "国家", "province": "省", "city": "市", "county": "县"}
_SECTIONS: Final = ("terms", "clocks", "values", "switches", "citations")


@dataclass(frozen=True)
class Value:
    """A value of a place with its citation in full; ``note`` says what it means or why it is so."""

    value: Any
    article: str
    note: str = ""


@dataclass(frozen=True)
class Extension:
    """By how much a deadline may be put off, once, and by whose consent (names of roles)."""

    length: int
    by: tuple[str, ...]
    article: str
    note: str = ""
    inherited: bool = False
    """Taken from the national regulation because the place's own rule is silent on it."""


@dataclass(frozen=True)
class Clock:
    """A deadline. unit: workday, at_once (length 0), year, month_end (of month ``length``).

    ``national``: the national deadline where the place has its own; ``why``: which of the two applies, and why.
    """

    name: str
    label: str
    length: int
    unit: str
    article: str
    note: str = ""
    why: str = ""
    extension: Extension | None = None
    national: Clock | None = None

    @property
    def text(self) -> str:
        """As people read it: ``5个工作日``, ``即时``, ``1月底前``."""
        return UNITS[self.unit] if self.unit == "at_once" else f"{self.length}{UNITS[self.unit]}"

    @property
    def total(self) -> int:
        """With the extension that this very rule grants."""
        own = self.extension and not self.extension.inherited
        return self.length + (self.extension.length if own and self.extension else 0)

    def stricter(self) -> Clock:
        """The deadline that keeps both the place's rule and the national one."""
        other = self.national
        if other is None or other.unit not in ("workday", "at_once") or self.unit not in ("workday", "at_once"):
            return self
        shorter = self if self.length <= other.length else other
        left = min(self.total, other.total) - shorter.length
        granted = next((c.extension for c in (self, other) if c.extension and not c.extension.inherited), None)
        extension = None
        if left > 0 and granted:
            extension = Extension(min(left, granted.length), granted.by, granted.article, granted.note)
        return Clock(
            self.name, self.label, shorter.length, shorter.unit, shorter.article,
            self.note, f"从严适用：{self.why}" if self.why else "", extension, other,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Profile:
    """One place. ``regulation``: its title; ``version``: hash of all values, kept by each case."""

    id: str
    name: str
    level: str
    parent: str
    regulation: str
    regulation_id: str
    version: str
    authority_name: str
    higher_authority_name: str
    platform_name: str
    stricter: bool
    clocks: Mapping[str, Clock]
    values: Mapping[str, Value]
    terms: Mapping[str, Value]
    citations: Mapping[str, str]
    switch_values: Mapping[str, Value]
    switches: Mapping[str, bool]
    outline: outline.Outline | None
    """The place's own, of no parent: see mulu.outline."""
    imprint: imprint.Imprint
    """The same: see mulu.imprint."""
    source: Mapping[str, Any]
    """{"layers", "stricter"}: from which ``build`` makes it again."""

    def clock(self, name: str) -> Clock:
        """KeyError for a clock that neither the place nor its parents know."""
        return self.clocks[name]

    def value(self, key: str) -> Value:
        return self.values[key] if key in self.values else self.switch_values[key]

    def term(self, key: str) -> str:
        """The place's own word for a party or thing, e.g. ``authority`` → 县政务信息资源主管部门."""
        return str(self.terms[key].value)

    def cite(self, key: str) -> str:
        """The citation in full for a rule, clock, value, switch or term; "" if there is none."""
        if key in self.citations:
            return self.citations[key]
        for named in (self.clocks, self.values, self.switch_values, self.terms):
            if key in named:
                return str(named[key].article)
        return ""


@cache
def load(profile: str, *, stricter: bool = False) -> Profile:
    """The profile with its parents' values under its own.

    stricter: where the place's deadline and the national one differ, keep both (the operator's choice).
    KeyError for an unknown id; BrokenRules for a file that says something impossible.
    """
    if profile not in PROFILES:
        raise KeyError(f"没有“{profile}”这一地方的规则，可用的有：{'、'.join(PROFILES)}")
    return build([read_yaml(FOLDER / f"{name}.yml") for name in _ancestry(profile)], stricter=stricter)


def _ancestry(profile: str) -> list[str]:
    """From the root down to the profile itself."""
    parent = read_yaml(FOLDER / f"{profile}.yml").get("parent", "")
    return [*(_ancestry(parent) if parent else []), profile]


def build(layers: list[dict[str, Any]], *, stricter: bool = False) -> Profile:
    """A profile from the content of YAML files, root first. For a stored snapshot or a test as well as for our files."""
    own = layers[-1]
    merged: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS}
    for layer in layers:
        for section in _SECTIONS:
            merged[section] |= layer.get(section, {})
    try:
        clocks: dict[str, Clock] = {}
        for layer in layers:
            for name, row in layer.get("clocks", {}).items():
                clocks[name] = _clock(name, row, clocks.get(name))
        if stricter:
            clocks = {name: clock.stricter() for name, clock in clocks.items()}
        switches = _values(merged["switches"])
        return Profile(
            id=own["id"],
            name=own["name"],
            level=own["level"],
            parent=own.get("parent", ""),
            regulation=str(citations.regulations()[own["regulation"]]["title"]),
            regulation_id=own["regulation"],
            version=digest([layers, stricter]),
            authority_name=_named(own["authority"]),
            higher_authority_name=_named(own["higher_authority"]),
            platform_name=_named(own["platform"]),
            stricter=stricter,
            clocks=MappingProxyType(clocks),
            values=_values(merged["values"]),
            terms=_values(merged["terms"]),
            citations=MappingProxyType({key: citations.cite(text) for key, text in merged["citations"].items()}),
            switch_values=switches,
            switches=MappingProxyType({key: bool(value.value) for key, value in switches.items()}),
            outline=outline.stated(own.get("outline")),
            imprint=imprint.stated(own.get("imprint")),
            source={"layers": layers, "stricter": stricter},
        )
    except KeyError as missing:
        raise BrokenRules(f"profile {own.get('id')}: {missing} is missing") from missing
    except BrokenRules as error:
        raise BrokenRules(f"profile {own.get('id')}: {error}") from error


def _named(row: Mapping[str, str]) -> str:
    citations.parse(row["article"])
    return row["name"]


def _values(rows: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Value]:
    return MappingProxyType(
        {key: Value(row["value"], citations.cite(row["article"]), row.get("note", "")) for key, row in rows.items()}
    )


def _clock(name: str, row: Mapping[str, Any], above: Clock | None) -> Clock:
    """A clock of a file; ``above`` is what the parents say. A value of one's own needs ``applies`` and ``why``."""
    if row["unit"] not in UNITS:
        raise BrokenRules(f"clock {name}: unit {row['unit']}")
    if above and not (row.get("applies") in ("local", "national") and row.get("why")):
        raise BrokenRules(f"clock {name}: say which applies (applies: local or national) and why")
    national = above and (above.national or above)
    if national and row.get("applies") == "national":
        return Clock(**{**vars(national), "why": row["why"], "national": national})
    return Clock(
        name, row.get("label") or (above.label if above else ""), row["length"], row["unit"],
        citations.cite(row["article"]), row.get("note", ""), row.get("why", ""),
        _extension(name, row.get("extension"), national), national,
    )  # fmt: skip


def _extension(name: str, row: Any, national: Clock | None) -> Extension | None:
    if row is None:
        return None
    if row == "inherit":
        if national is None or national.extension is None:
            raise BrokenRules(f"clock {name}: no extension to inherit")
        return Extension(**{**vars(national.extension), "inherited": True})
    unknown = set(row["by"]) - set(ROLE_LABELS)
    if unknown:
        raise BrokenRules(f"clock {name}: no such role {unknown}")
    return Extension(row["length"], tuple(row["by"]), citations.cite(row["article"]), row.get("note", ""))
