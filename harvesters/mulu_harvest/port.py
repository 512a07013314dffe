"""What the engine asks of the portal: what it remembers of a source and of this run, and its catalogue.

The portal implements both on its database (``ckanext.mulu.harvest``), tests in memory; the engine knows no CKAN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from mulu.errors import Problem

from .plan import Reason, Step


class Unavailable(Exception):
    """The portal's database is away; nothing of what was asked is known to be done. The run goes on from what it noted."""


class Interrupted(Exception):
    """The run has to end here: somebody asked it to stop, its worker ends, or it was taken over by another."""


@dataclass(frozen=True)
class Known:
    """What is remembered of one record. ``entry`` and ``hash``: as the source stated it when it was last taken in.

    ``package_id`` "": it never was in the catalogue. state: as in table ``harvest_record``.
    """

    source_id: str
    state: Literal["in", "removed", "quarantined"]
    package_id: str = ""
    hash: str = ""
    entry: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""
    """Hash of what the catalogue would not take, where it did not take what the source states now."""


@dataclass(frozen=True)
class Met:
    """A record that this run met already."""

    hash: str
    where: str


@dataclass(frozen=True)
class Task:
    """One entry to be written: as ``ckanext.mulu.harvest.load.Task``."""

    key: str
    kind: Literal["create", "update", "archive", "restore"]
    entry: dict[str, Any] = field(default_factory=dict)
    package_id: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Done:
    """What became of a task: as ``ckanext.mulu.harvest.load.Done``. ``result`` ``refused``: it was not written."""

    key: str
    result: str
    package_id: str = ""
    case_ids: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of a step. ``refused``: its record is quarantined with the step's problems and tried in the next run."""

    step: Step
    refused: bool
    package_id: str = ""
    case_id: str = ""


@dataclass(frozen=True)
class Turn:
    """One page's worth of reading, noted at once: where to go on, what was met unchanged (id → where), what is to be done."""

    mark: str
    counts: Mapping[str, int]
    problems: Sequence[Problem] = ()
    seen: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    fresh: Mapping[str, str] = field(default_factory=dict)
    """package id → ``data_updated_on`` as it is now, of records that are otherwise unchanged: put in when the run loads."""
    all_seen: bool = False


class Memory(Protocol):
    """What the portal remembers of one source and one run. Each method is one transaction of its own.

    Writing raises ``Interrupted`` where the run is no longer this worker's, and ``Unavailable`` where the database is away.
    """

    phase: str
    """reading, planning, loading; how far the run has come. With ``mark``, ``counts`` and ``problems`` as last noted."""
    mark: str
    counts: Mapping[str, int]
    problems: Sequence[Problem]

    def size(self) -> int:
        """How many records of the source are in the catalogue."""
        ...

    def known(self, ids: Sequence[str]) -> dict[str, Known]: ...

    def met(self, ids: Sequence[str]) -> dict[str, Met]:
        """Those of the ids that this run met on pages noted before."""
        ...

    def begin(self) -> None:
        """Reading begins anew: what this run noted is forgotten."""
        ...

    def turn(self, turn: Turn) -> None: ...

    def enter(self, phase: str, counts: Mapping[str, int], problems: Sequence[Problem], reasons: Sequence[Reason] = ()) -> None:
        """The run comes to its next phase; ``planned`` is where a dry run ends, with what would hold it."""
        ...

    def unseen(self, limit: int) -> list[Known]:
        """Records in the catalogue that this run did not meet and has no step for, by id."""
        ...

    def plan(self, steps: Sequence[Step]) -> None:
        """More steps; one whose record has a step in this run already is left out."""
        ...

    def removed_lately(self) -> int:
        """How many records left the catalogue in the last seven days by runs on which nobody decided, and are not back."""
        ...

    def days(self, after: str, limit: int) -> dict[str, tuple[str, str, str]]:
        """What the turns of this run noted as ``fresh`` and is not put in: source id → (package id, day before, day now), by id."""
        ...

    def dated(self, ids: Sequence[str]) -> None:
        """Their days are put in, and remembered as stated."""
        ...

    def tally(self) -> dict[str, int]:
        """How many steps of each kind the run has, and how many with a reason of each rule."""
        ...

    def hold(self, counts: Mapping[str, int], reasons: Sequence[Reason]) -> None:
        """The run waits for a person."""
        ...

    def planned(self, limit: int) -> list[Step]:
        """The next steps that are not done, in their order."""
        ...

    def finish(self, outcomes: Sequence[Outcome], counts: Mapping[str, int]) -> None:
        """Steps are done: the records are remembered as they are now."""
        ...

    def forget(self) -> None:
        """Quarantined records that never were in the catalogue and that the source has no longer are forgotten."""
        ...


class Catalogue(Protocol):
    """The portal's entries, and who owns them."""

    addresses: Sequence[str]
    """Where this portal's own entries stand: beginnings of their addresses."""

    def departments(self) -> dict[str, str]:
        """Full name → slug of all."""
        ...

    def make_department(self, slug: str, name: str) -> None:
        """Made twice it is made once."""
        ...

    def known_code(self, code: str) -> bool:
        """Whether a resource code was ever given."""
        ...

    def current(self, package_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The entries as they are about to be (what waits for a decision included), in wire form, by id."""
        ...

    def left(self, package_ids: Sequence[str]) -> set[str]:
        """Those of the entries that are out of the catalogue: their source has them no longer, or people withdrew them."""
        ...

    def refresh(self, days: Mapping[str, tuple[str, str]]) -> None:
        """package id → ``data_updated_on`` (before, now), put in quietly where it was not changed here: when data were delivered
        is a fact, and no change of what the entry says."""
        ...

    def apply(self, tasks: Sequence[Task]) -> list[Done]:
        """Write them, each or a refusal for each; anything else raises and nothing is written. Applied twice, nothing doubles."""
        ...
