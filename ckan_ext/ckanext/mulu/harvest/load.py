"""The bulk way into the catalogue: many entries in one transaction, indexed once, the same as made one by one through CKAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mulu.errors import Problem

Kind = Literal["create", "update", "archive", "restore"]
Result = Literal["created", "updated", "proposed", "published", "unchanged", "archived", "restored", "refused"]


@dataclass(frozen=True)
class Task:
    """One entry to be written. entry: what it shall be, whole, in wire form (not for archive); key: the caller's, handed back."""

    key: str
    kind: Kind
    entry: dict[str, Any] = field(default_factory=dict)
    package_id: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Done:
    """What became of a task. proposed: a change of a published entry now waits in its case; published: it was adopted as it is."""

    key: str
    result: Result
    package_id: str = ""
    case_ids: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Policy:
    """arrives: as in ``mulu_harvest.source``; source: its name; title: its title, for cases and letters."""

    source: str
    title: str
    arrives: Literal["draft", "submit", "publish"] = "draft"


def apply(tasks: Sequence[Task], policy: Policy) -> list[Done]:
    """Write all tasks in one transaction as the system, then index them with one commit of Solr.

    A task that a rule refuses is refused by itself; the others go in. Anything else (PostgreSQL gone) raises and nothing is
    written. Applied twice, a task changes nothing the second time.
    """
    raise NotImplementedError


def current(package_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The entries as they are about to be (what waits for a decision included), in wire form, by id; archived ones too."""
    raise NotImplementedError
