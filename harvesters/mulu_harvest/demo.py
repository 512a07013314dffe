"""Reads what a ``demo.yml`` lists: the departments, and batches of drafts ready for the loader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mulu.profile import Profile

from .form import read_form
from .normalise import check, normalise
from .readers.portal import read_portal
from .record import Draft
from .source import SourceError, load_source


@dataclass(frozen=True)
class Batch:
    """Drafts of one file. ``organization``: slug of the department that hands it in, ``""`` where each entry names its own."""

    label: str
    drafts: tuple[Draft, ...]
    organization: str
    source: Mapping[str, str]

    @property
    def sound(self) -> tuple[Draft, ...]:
        """The drafts that could be submitted as they are."""
        return tuple(draft for draft in self.drafts if draft.sound)


def read_departments(listing: Path) -> list[dict[str, str]]:
    """The departments of a ``demo.yml``: dicts of ``name`` (slug) and ``title``."""
    return list(_settings(listing)["departments"])


def read_batches(listing: Path, profile: Profile) -> Iterator[Batch]:
    """Every file that a ``demo.yml`` lists, read and checked under a profile.

    :raises SourceError: a file that is listed cannot be taken.
    """
    settings = _settings(listing)
    known = {department["title"]: department["name"] for department in settings["departments"]}
    for form in settings["forms"]:
        path = listing.parent / form["file"]
        report = read_form(path, path.name, profile=profile, organization=form["organization"], departments=known)
        if report.refused:
            raise SourceError("；".join(str(problem) for problem in report.problems))
        yield Batch(path.name, report.entries, form["organization"], form["source"])
    for portal in settings["portals"]:
        source = load_source(portal["source"])
        reading = read_portal(source, listing.parent / portal["file"], known=known, expected=tuple(portal["expected"]))
        drafts = tuple(check(normalise(record, lookups=source.lookups), profile) for record in reading.records)
        yield Batch(source.title, drafts, "", {"name": source.name, "url": source.url})


def _settings(listing: Path) -> dict[str, Any]:
    settings: dict[str, Any] = yaml.safe_load(listing.read_text("utf-8"))
    return settings
