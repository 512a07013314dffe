"""What the bulk way into the catalogue takes and answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from mulu.errors import Problem

Kind = Literal["create", "update", "archive", "restore"]
Result = Literal["created", "updated", "proposed", "published", "unchanged", "archived", "restored", "refused"]


@dataclass(frozen=True)
class Task:
    """One entry to be written. entry: what it shall be, whole, in wire form (not for archive); key: the caller's, handed back.

    problems: what its reader and the rules found; one with errors stays a draft. ``entry["source"]["id"]``, else the key, is the
    source's own id.
    """

    key: str
    kind: Kind
    entry: dict[str, Any] = field(default_factory=dict)
    package_id: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Done:
    """What became of a task.

    created: a new draft, or one that was submitted; published: it, new or changed, was adopted as it is; updated: a draft was
    changed; proposed: a change of a published entry, or its class alone, now waits in its case; refused: see ``problems``. An entry
    that moved to another department is another one: created, with a new ``package_id``; the old one is archived.
    """

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
