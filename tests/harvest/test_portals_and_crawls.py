"""The eleven real portals through whole runs: every entry to its own department, what is refused explained, no false change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from in_memory import Portal

from mulu.errors import errors_of
from mulu.profile import Profile
from mulu_harvest.fetch import HttpFetch
from mulu_harvest.readers import reader_of
from mulu_harvest.record import Page
from mulu_harvest.run import Run
from mulu_harvest.source import Source, load_source, source_names


def harvest(source: Source, folder: Path, portal: Portal, profile: Profile) -> dict[str, int]:
    """The counts of one run, without those that are 0."""

    def read(mark: str) -> Iterator[Page]:
        return reader_of(source)(source, HttpFetch(source, folders=(folder,)), mark)

    run = Run(source, read, portal, portal, profile)
    run.execute()
    assert not run.problems and portal.state != "held"
    return {key: number for key, number in run.counts.items() if number}


NOBODYS, NAMELESS = ("provider", "required"), ("title", "required")

# source: records, rows that stood there before, departments, why records are refused
PORTALS: dict[str, tuple[int, int, int, dict[tuple[str, str], int]]] = {
    "anhui": (700, 0, 11, {}),
    "chuzhou": (799, 51, 131, {}),
    "deyang": (1946, 0, 49, {NOBODYS: 132}),
    "fuzhou": (20, 2280, 2, {}),
    "hefei": (321, 0, 56, {NAMELESS: 3}),
    "huainan": (35, 0, 11, {NOBODYS: 2}),
    "luzhou": (3000, 0, 205, {NAMELESS: 2, NOBODYS: 2}),
    "nantong": (1198, 0, 52, {}),
    "suzhou": (524, 0, 17, {}),
    "wuhu": (531, 0, 39, {}),
    "zhejiang": (1309, 0, 55, {}),
}


def test_every_portal_is_counted_here() -> None:
    assert sorted(PORTALS) == source_names()


@pytest.mark.parametrize("name", PORTALS)
def test_a_portal(shared: Path, profile: Profile, name: str) -> None:
    records, repeated, departments, refused = PORTALS[name]
    portal = Portal()
    counts = harvest(replace(load_source(name), create_departments=True), shared / "portals", portal, profile)
    steps = [step for step, _ in portal.steps.values()]
    out = [step for step in steps if step.kind == "refuse"]
    reasons = Counter((problem.field, problem.rule) for step in out for problem in errors_of(step.problems))
    assert reasons == refused and all(step.where for step in out)
    expected = {"read": records, "repeated": repeated, "added": records - len(out), "refused": len(out)}
    assert counts == {key: number for key, number in expected.items() if number}
    assert len({entry["provider"] for entry in portal.entries.values()}) == departments
    stated = {step.source_id: step.entry["provider"] for step in steps if step.kind == "add"}
    kept = {known["known"].source_id: portal.entries[known["known"].package_id]["provider"] for known in portal.records.values() if known["known"].package_id}
    assert kept == stated


def test_three_crawls_of_one_city_bring_what_is_new_and_nothing_else(shared: Path, profile: Profile) -> None:
    portal, found = Portal(), []
    for number in (1, 2, 3):
        source = replace(load_source("suzhou"), create_departments=True, file=f"anhui_suzhou.{number}.json")
        found.append(harvest(source, shared / "portals", portal.new_run(), profile))
    assert found == [
        {"read": 522, "repeated": 2, "added": 522},
        {"read": 524, "unchanged": 522, "added": 2},
        {"read": 524, "unchanged": 524},
    ]
