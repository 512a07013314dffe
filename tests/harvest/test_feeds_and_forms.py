"""The real feeds and the departments' forms of ../shared/data through whole runs: counts of each file, and why what is refused is.

Each is read twice: once as a source that keeps entries with errors as drafts, once as one that refuses them, where every refused
record has to say why.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from in_memory import Portal
from reading import source

from mulu.errors import Problem, errors_of
from mulu.profile import Profile
from mulu_harvest.fetch import HttpFetch
from mulu_harvest.plan import Step
from mulu_harvest.readers import reader_of
from mulu_harvest.run import Run
from mulu_harvest.source import SourceError

ITEMS, SHARE, KIND = ("items", "required"), ("share_type", "required"), ("catalogue_kind", "required")
OPEN, FREQUENCY, FORMAT = ("open_type", "required"), ("update_frequency", "required"), ("format_class", "required")
BEYOND = (ITEMS, SHARE, KIND)
"""What no feed in these standards has a word for: the items, sharing between departments, the kind of catalogue."""
WITHHELD = (("open_ground", "open_ground_missing"), ("open_basis", "open_basis_missing"), ("open_review_on", "open_review_missing"))
PREFIX = {"prefixes": {"healthdcatap": "http://healthdataportal.eu/ns/health#"}}


def harvest(reader: str, path: Path, profile: Profile, **settings: Any) -> tuple[dict[str, int], list[Step], list[Problem]]:
    """(counts, steps, problems of the source) of a first run; departments are made as they are named."""
    made = source(reader, path, create_departments=True, **settings)
    folder = path if path.is_dir() else path.parent
    portal = Portal()
    run = Run(made, lambda mark: reader_of(made)(made, HttpFetch(made, folders=(folder,)), mark), portal, portal, profile)
    run.execute()
    return run.counts, [step for step, _ in portal.steps.values()], run.problems


def reasons(steps: list[Step]) -> dict[tuple[str, str], int]:
    """(field, rule) → how many refused records say so; each of them says something, and where."""
    found: Counter[tuple[str, str]] = Counter()
    for step in steps:
        if step.kind == "refuse":
            told = errors_of(step.problems)
            assert told and all(problem.message and (problem.where or step.where) for problem in told), step
            found.update({(problem.field.partition("[")[0], problem.rule) for problem in told})
    return dict(found)


# reader, records, taken as drafts; of the strict source: why the records are refused, each reason with the number of them
FEEDS: dict[str, tuple[str, int, int, dict[tuple[str, str], int]]] = {
    "ckan_catalog_datasets_list.json": ("data_json", 2, 2, dict.fromkeys([*BEYOND, OPEN, FREQUENCY], 2)),
    "ckan_full_dataset_legacy.json": ("ckan", 1, 0, {("provider", "required"): 1}),
    "datajson_dcatus_bad_license_uri.json": ("data_json", 1, 1, dict.fromkeys([*BEYOND, FORMAT, FREQUENCY], 1)),
    "datajson_dcatus_long_description.json": ("data_json", 1, 1, dict.fromkeys([*BEYOND, FREQUENCY, ("notes", "too_long")], 1)),
    "datajson_dcatus_no_identifier.json": ("data_json", 1, 0, {("source", "no_id"): 1}),
    "datajson_dcatus_with_none.json": (
        "data_json", 402, 402,
        dict.fromkeys(BEYOND, 402) | {FREQUENCY: 391, FORMAT: 15, ("notes", "too_long"): 1, ("resources", "bad_url"): 1},
    ),
    "dcat_catalog.rdf": ("dcat", 2, 2, dict.fromkeys([*BEYOND, OPEN, FREQUENCY], 2)),
    "dcat_catalog_datasets_list.rdf": ("dcat", 2, 2, dict.fromkeys([*BEYOND, OPEN, FREQUENCY], 2)),
    "dcat_catalog_pod.jsonld": ("dcat", 1, 1, dict.fromkeys([*BEYOND, OPEN], 1)),
    "dcat_dataset_gov_de.rdf": ("dcat", 1, 1, dict.fromkeys([*BEYOND, FREQUENCY], 1)),
    "dcat_dataset_sweden.rdf": ("dcat", 1, 1, dict.fromkeys([*BEYOND, OPEN], 1)),
}  # fmt: skip


BROKEN = "dcat_dataset.ttl"
"""No Turtle: a prefix that is not declared, and ``^^<<``."""


def test_every_feed_is_counted_here(shared: Path) -> None:
    assert sorted(path.name for path in (shared / "feeds").iterdir()) == sorted([*FEEDS, BROKEN])


@pytest.mark.parametrize("name", FEEDS)
def test_a_feed(shared: Path, profile: Profile, name: str) -> None:
    reader, records, drafts, why = FEEDS[name]
    counts, steps, problems = harvest(reader, shared / "feeds" / name, profile)
    assert (counts["read"], counts["added"], counts["refused"]) == (records, drafts, records - drafts)
    assert reasons(steps) == (why if not drafts else {})
    assert not problems
    counts, steps, _ = harvest(reader, shared / "feeds" / name, profile, incomplete="refuse")
    assert (counts["read"], counts["added"], counts["refused"]) == (records, 0, records)
    assert reasons(steps) == why


def test_a_feed_that_is_no_turtle_is_refused_whole_with_line_and_reason(shared: Path, profile: Profile) -> None:
    """A prefix that is not declared can be declared in the source's settings; what is wrong beyond that only its publisher can mend."""
    file = shared / "feeds" / BROKEN
    with pytest.raises(SourceError, match=r"不是完整的 Turtle：第 149 行，用了没有声明的前缀 healthdcatap:.*options\.prefixes"):
        harvest("dcat", file, profile)
    with pytest.raises(SourceError, match=r"不是完整的 Turtle：第 154 行，.*found <<"):
        harvest("dcat", file, profile, options=PREFIX)


def test_the_same_feed_mended(shared: Path, profile: Profile, tmp_path: Path) -> None:
    file = tmp_path / BROKEN
    file.write_bytes((shared / "feeds" / BROKEN).read_bytes().replace(b"^^<<", b"^^<"))
    counts, steps, problems = harvest("dcat", file, profile, options=PREFIX, incomplete="refuse")
    assert (counts["read"], counts["refused"], problems) == (1, 1, [])
    assert reasons(steps) == dict.fromkeys([*BEYOND, *WITHHELD], 1)


def test_what_names_no_department_goes_to_the_one_that_the_source_names(shared: Path, profile: Profile) -> None:
    counts, _, _ = harvest("ckan", shared / "feeds" / "ckan_full_dataset_legacy.json", profile, organization="minzheng")
    assert (counts["read"], counts["added"]) == (1, 1)


# records, taken as drafts, problems of the file; of the strict source: taken, and why the others are refused
FORMS: dict[str, tuple[int, int, dict[str, int], int, dict[tuple[str, str], int]]] = {
    "first-row-only-with-notes.xlsx": (40, 40, {}, 0, dict.fromkeys(WITHHELD, 40)),
    "gb18030.csv": (60, 60, {}, 0, {("open_type", "not_in_list"): 60, FORMAT: 60, KIND: 60}),
    "merged-cells.xlsx": (60, 60, {}, 51, {("open_type", "open_exceeds_share"): 9}),
    "other-headers.xls": (50, 50, {"unknown_column": 1}, 0, {
        ("open_type", "not_in_list"): 49, FORMAT: 50, KIND: 50, ("share_basis", "share_basis_missing"): 15,
        ("share_condition", "share_condition_missing"): 6,
    }),
    "same-entry-twice.xlsx": (13, 13, {}, 0, dict.fromkeys(WITHHELD, 13) | {("title", "title_twice"): 6}),
    "templates/elec_licence.xlsx": (0, 0, {"sheet_unread": 2, "no_table": 1}, 0, {}),
    "templates/info_catalog.xlsx": (0, 0, {"unknown_column": 15, "no_entries": 1}, 0, {}),
    "templates/template_de.xlsx": (0, 0, {"sheet_unread": 1, "no_table": 1}, 0, {}),
    "templates/信息项模板.xlsx": (0, 0, {"sheet_unread": 1, "no_table": 1}, 0, {}),
    "templates/数据资源目录导入模板.xlsx": (0, 0, {"unknown_column": 15, "no_entries": 1}, 0, {}),
}  # fmt: skip


def test_every_form_is_counted_here(shared: Path) -> None:
    forms = shared / "forms"
    assert sorted(path.relative_to(forms).as_posix() for path in forms.rglob("*.*") if path.is_file()) == sorted(FORMS)


@pytest.mark.parametrize("name", FORMS)
def test_a_form(shared: Path, profile: Profile, name: str) -> None:
    records, drafts, told, sound, why = FORMS[name]
    path = shared / "forms" / name
    counts, steps, problems = harvest("form", path, profile, organization="minzheng")
    assert (counts["read"], counts["added"], counts["refused"]) == (records, drafts, records - drafts)
    assert Counter(problem.rule for problem in problems) == told
    assert reasons(steps) == {}
    counts, steps, _ = harvest("form", path, profile, organization="minzheng", incomplete="refuse")
    assert (counts["added"], counts["refused"]) == (sound, records - sound)
    assert reasons(steps) == why


def test_all_forms_of_the_folder_together(shared: Path, profile: Profile) -> None:
    """Two departments' forms give the same thirteen codes to different entries: the first file's stand, the others are told."""
    counts, _, problems = harvest("form", shared / "forms", profile, organization="minzheng")
    assert (counts["read"], counts["repeated"], counts["added"], counts["refused"]) == (223, 0, 210, 13)
    twice = [problem for problem in problems if problem.rule == "same_id_twice"]
    assert len(twice) == 13
    assert all("文件《same-entry-twice.xlsx》" in p.message and "文件《merged-cells.xlsx》" in p.message for p in twice)
    assert {problem.rule for problem in problems} == {"same_id_twice", "unknown_column"}
