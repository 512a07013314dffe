"""Made-up catalogues: sound by the rules of the place, the same every time, and of every kind that a site has to bear."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from mulu import profile
from mulu.checks import check
from mulu_site import preview
from mulu_site.generate import NOTICE, entries, generate, ledger
from mulu_site.ledger import read_ledger
from mulu_site.snapshot import open_snapshot
from mulu_site.text import web_address

COUNT = 3000


@pytest.fixture(scope="module")
def made() -> list[dict]:
    return list(entries(COUNT))


def test_every_entry_passes_the_rules_as_it_stands(made: list[dict]) -> None:
    """Without an error and without a warning; a related code is one that was given out before."""
    place, known = profile.load("huarong"), set()
    for entry in made:
        assert check(entry, place, known_codes=known.__contains__) == [], entry["name"]
        assert NOTICE in entry["notes"]
        known.add(entry["resource_code"])
    assert len(known) == len({entry["name"] for entry in made}) == COUNT


def test_the_same_arguments_give_the_same_bytes_and_fewer_entries_the_same_first_ones(tmp_path: Path) -> None:
    one, two = (generate(80, tmp_path / name, portal_url="https://portal.example").read_bytes() for name in ("a.jsonl", "b.jsonl"))
    assert one == two
    assert generate(80, tmp_path / "c.jsonl", seed=21).read_bytes() != generate(80, tmp_path / "d.jsonl").read_bytes()
    assert list(itertools.islice(entries(80), 30)) == list(entries(30))
    assert [line.entry() for line in open_snapshot(tmp_path / "d.jsonl").lines()] == list(entries(80))


KINDS = {
    "preview": lambda e: any("preview" in r for r in e["resources"]),
    "points": lambda e: any(r.get("preview", {}).get("points") for r in e["resources"]),
    "findings": lambda e: any(r.get("preview", {}).get("problems") for r in e["resources"]),
    "interface": lambda e: any(r["format"] == "API" for r in e["resources"]),
    "called": lambda e: "calls" in e,
    "versions": lambda e: len(e["history"]) > 3,
    "objection": lambda e: e["objection"],
    "former name": lambda e: "former_names" in e,
    "related": lambda e: "related_codes" in e,
    "several files": lambda e: len(e["resources"]) > 2,
    "long list": lambda e: len(e["items"]) > 100 and len(e["history"]) > 20 and len(e["notes"]) > 1000,
    "withheld item": lambda e: e["open_type"] == "conditional" and any(item.get("open_type") == "none" for item in e["items"]),
    "base data": lambda e: e["catalogue_kind"] == "base",
}


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_some_of_every_kind_and_not_all(made: list[dict], kind: str) -> None:
    assert 2 <= sum(map(KINDS[kind], made)) < COUNT * 0.75


def test_what_is_told_of_files_agrees_with_itself(made: list[dict]) -> None:
    """Numbers in a preview are of the same rows, so that its charts cannot contradict it; the page can show each."""
    for entry in made:
        versions = [h["published_at"] for h in entry["history"]]
        assert versions == sorted(versions) and entry["version"] == len(versions) and entry["published_at"] == versions[-1]
        assert entry["open_type"] == "unconditional" or not entry["resources"]
        assert len({r["id"] for r in entry["resources"]}) == len(entry["resources"])
        assert all(web_address(r["url"]) == r["url"] for r in entry["resources"])
        for file in entry["resources"]:
            found = file.get("preview")
            if found is None:
                continue
            assert [c["name"] for c in found["columns"]] == [item["name"] for item in entry["items"]][: len(found["columns"])]
            assert len(found["rows"]) <= found["total"] and found["valid"] == (not found["problems"])
            assert all(len(row) == len(found["columns"]) for row in found["rows"])
            for column in found["columns"]:
                if column["kind"] == "number":
                    assert sum(column["bins"]) == column["filled"] == found["total"]
                    assert column["min"] <= column["mean"] <= column["max"]
            shown = preview.view(file, entry["items"], 12)
            assert shown and shown["points"] == len(found["points"]) and shown["width"] == len(found["columns"])


def test_the_ledger_adds_up(made: list[dict]) -> None:
    told = read_ledger({"ledger": ledger(made[:40])})
    assert told.rereviews and told.demands and told.suggestions
    for count in told.counts:
        assert count.filed == count.open + count.answered + count.withdrawn and count.in_time <= count.answered
        assert count.days <= count.longest
    answered = [one for one in told.rereviews if one.decided_on]
    assert len(answered) == next(count.answered for count in told.counts if count.procedure == "rereview")
