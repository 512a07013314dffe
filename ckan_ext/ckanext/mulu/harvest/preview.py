"""A source tried out before it is saved: its first entries as they would come. Nothing is written, and it ends within seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from ckanext.mulu import entries
from ckanext.mulu.harvest import sources
from mulu.entry import FIELD, shown
from mulu.errors import Problem
from mulu_harvest.assess import Assessor
from mulu_harvest.fetch import HttpFetch, Stopping
from mulu_harvest.readers import reader_of
from mulu_harvest.record import Record
from mulu_harvest.source import Source, SourceError

FIRST = 20
SECONDS = 20.0
FACTS = ("notes", "share_type", "open_type", "update_frequency", "items")
"""What is shown of an entry beside its title and department."""


class Looked:
    """What an ``Assessor`` asks of a catalogue that is only looked at, in the session of whoever looks."""

    def departments(self) -> dict[str, str]:
        return sources.departments()

    def known_code(self, code: str) -> bool:
        return entries.known_code(code)


def first(source: Source) -> dict[str, Any]:
    """{entries: [{where, id, title, provider, provider_title, facts, problems}], total, repeated, problems, seconds, whole}.

    provider: its slug, "" where the portal has no such department; whole: the source has no more than this.
    """
    began = time.monotonic()
    told: dict[str, Any] = {"entries": [], "total": None, "repeated": 0, "problems": [], "whole": False}
    try:
        _read(source, told, lambda: time.monotonic() - began > SECONDS)
    except SourceError as error:
        told["problems"] += [problem.to_dict() for problem in error.problems or [Problem("url", "not_read", str(error))]]
    except Stopping:
        told["problems"].append(Problem("url", "too_slow", f"{SECONDS:.0f} 秒内没有读完前 {FIRST} 条，先显示已读到的", severity="warning").to_dict())
    return {**told, "seconds": round(time.monotonic() - began, 1)}


def _read(source: Source, told: dict[str, Any], late: Any) -> None:
    fetch = HttpFetch(source, validators={}, stopped=late, folders=sources.folders())
    assessor = Assessor(source, Looked(), entries.profile())  # type: ignore[arg-type]  # nothing is written
    pages = iter(reader_of(source)(source, fetch, ""))
    for page in pages:
        told["total"] = page.total if page.total is not None else told["total"]
        told["repeated"] += page.repeated
        told["problems"] += [problem.to_dict() for problem in page.problems]
        told["entries"] += [_entry(record, assessor) for record in islice(page.records, FIRST - len(told["entries"]))]
        if late():
            raise Stopping
        if len(told["entries"]) >= FIRST:
            return
    told["whole"] = True


def _entry(record: Record, assessor: Assessor) -> dict[str, Any]:
    """One record as the engine would plan it."""
    found = assessor.assess(record)
    step = found.step("add", None)
    return {
        "where": record.where,
        "id": record.id,
        "title": found.title,
        "provider": str(found.entry.get("provider", "")),
        "provider_title": found.provider,
        "facts": list(_facts(found.entry)),
        "problems": [one.to_dict() for one in step.problems],
    }


def _facts(entry: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for key in FACTS:
        if key == "items":
            names = [str(item.get("name", "")) for item in entry.get("items", ())]
            value = "、".join(names[:8]) + ("等" if len(names) > 8 else "")
        else:
            value = shown(FIELD[key], entry.get(key))
        if value:
            yield {"label": FIELD[key].label, "value": value[:200]}
