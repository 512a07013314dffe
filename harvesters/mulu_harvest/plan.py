"""What a run is about to do with each record, and why it may have to wait for a person. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mulu.errors import Problem

Kind = Literal["add", "change", "remove", "restore", "refuse"]
COUNTS = ("read", "repeated", "added", "changed", "unchanged", "removed", "restored", "held", "refused")
"""What a run counts. read: records met, without ``repeated``; held: steps that wait for a person."""


@dataclass(frozen=True)
class Reason:
    """Why a run is held. rule: too_many_removed, too_few, too_many, closed (openness downgraded), moved (other department)."""

    rule: str
    message: str


@dataclass(frozen=True)
class Step:
    """What is to be done with one record. ``entry``: what the source states, in wire form; ``hash``: of it.

    ``changes``: [{field, label, before, after, local}]; ``package_id``: of the entry that it is, "" for a new one.
    """

    source_id: str
    kind: Kind
    title: str = ""
    provider: str = ""
    where: str = ""
    package_id: str = ""
    hash: str = ""
    entry: Mapping[str, Any] = field(default_factory=dict)
    changes: tuple[Mapping[str, str], ...] = ()
    problems: tuple[Problem, ...] = ()
    reasons: tuple[Reason, ...] = ()
