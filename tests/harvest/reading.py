"""A source read through its reader, as a run reads it, without the run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from mulu.profile import Profile
from mulu_harvest.fetch import HttpFetch
from mulu_harvest.normalise import check, normalise
from mulu_harvest.readers import reader_of
from mulu_harvest.record import Draft, Page, Record
from mulu_harvest.source import Source, parse


def source(reader: str, where: str | Path, **settings: Any) -> Source:
    """A source at an address, or in a file or folder."""
    place = {"url": where} if str(where).startswith("http") else {"options": {"path": str(where), **settings.pop("options", {})}}
    return parse("ceshi", {"title": "测试来源", "reader": reader, "pace": 100, **place, **settings})


def pages(reader: str, where: str | Path, *, resume: str = "", fetch: HttpFetch | None = None, **settings: Any) -> list[Page]:
    made = source(reader, where, **settings)
    folder = Path(str(where)) if not str(where).startswith("http") else Path("/nowhere")
    return list(reader_of(made)(made, fetch or HttpFetch(made, folders=(folder if folder.is_dir() else folder.parent,)), resume))


def records(reader: str, where: str | Path, **settings: Any) -> list[Record]:
    return [record for page in pages(reader, where, **settings) for record in page.records]


def drafts(found: list[Record], profile: Profile, **lookups: Any) -> list[Draft]:
    return [check(normalise(record, lookups=lookups), profile) for record in found]


def errors(found: list[Draft]) -> dict[tuple[str, str], int]:
    """(field, rule) → how many drafts have such an error; an item's or a file's number is left out."""
    named = ({(problem.field.partition("[")[0], problem.rule) for problem in draft.problems if problem.severity == "error"} for draft in found)
    return dict(Counter(error for draft in named for error in draft))
