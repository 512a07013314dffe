"""What a reader yields and what becomes of it: a record in the source's words, then a draft in ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mulu.errors import Problem

MAX_ID = 500
"""Characters of a source's id: a longer one is no id, and no index takes it."""


@dataclass(frozen=True)
class Record:
    """One entry as its source states it.

    ``raw``: our key → the source's text (or list of texts); ``items``: a list of such dicts. ``cells``: field path
    (``items[2].data_type``) → place in the source, for messages. ``problems``: what the reader could not read.

    ``entry``: the record in the wire form, where its source states it so already (another installation of this portal, a
    department's form). It goes past :func:`mulu_harvest.normalise.normalise`, whose words could only change what is one of our
    codes already. ``raw`` then holds ``source`` and what the wire form has no word for: ``provider`` and ``source_department``, the
    full names.

    ``origin``: the address of the entry where it first came from, as its source tells it; what came from this very portal and is
    met again on its way up or down is not taken a second time.
    """

    where: str
    raw: dict[str, Any]
    cells: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    entry: dict[str, Any] | None = None
    origin: str = ""

    @property
    def id(self) -> str:
        """The source's own id, ``""`` where it has none that can be kept: then the record cannot be known again and is refused."""
        found = str((self.raw.get("source") or {}).get("id") or "")
        return found if len(found) <= MAX_ID and found.isprintable() else ""


@dataclass(frozen=True)
class Page:
    """Some records of a source, in its order.

    ``mark``: handed to the reader again, reading goes on after this page; ``""``: it can only begin anew. ``repeated``: rows
    that stood there before, word for word. ``total``: how many the source says it has, None where it does not say.
    ``removed``: ids that the source itself says are gone (a feed of changes). ``problems``: of the source, not of one record.
    ``unchanged``: the source says that nothing changed since its validators were kept (304); the page is the only one, and
    every record that is known counts as met. ``whole`` False, on any page: the reading is of a part of the source only, so that
    what it did not meet is not taken for removed; the same holds where one of ``problems`` is an error. ``anew``: told to
    go on from a mark, the reader finds that the source is another since, and begins anew with this page; what was noted is forgotten.
    """

    records: tuple[Record, ...]
    mark: str = ""
    repeated: int = 0
    total: int | None = None
    removed: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    unchanged: bool = False
    whole: bool = True
    anew: bool = False


@dataclass(frozen=True)
class Draft:
    """One entry in the wire form, with every problem that it has. ``where``, ``cells``: as in the record."""

    entry: dict[str, Any]
    where: str
    problems: tuple[Problem, ...] = ()
    cells: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def title(self) -> str:
        """The entry's title, ``""`` where it has none."""
        return str(self.entry.get("title", ""))

    @property
    def sound(self) -> bool:
        """Whether no problem is an error, so that the entry could be submitted for review."""
        return not any(problem.severity == "error" for problem in self.problems)
