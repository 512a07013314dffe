"""Drafts on their way into CKAN, the report that people read, and what the demo loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_forms import form, row

from mulu.errors import Problem
from mulu.profile import Profile, load
from mulu_harvest.demo import read_batches, read_departments
from mulu_harvest.form import read_form
from mulu_harvest.load import Loader, LoadStopped
from mulu_harvest.record import Draft
from mulu_harvest.report import counts, to_dict, to_text


class Portal:
    """Answers as ``mulu_entry_import`` does; fails at the call with number ``breaks_at``."""

    def __init__(self, breaks_at: int = 0) -> None:
        self.calls: list[dict[str, Any]] = []
        self.breaks_at = breaks_at

    def __call__(self, action: str, data: dict[str, Any]) -> dict[str, Any]:
        assert action == "mulu_entry_import"
        json.dumps(data)
        self.calls.append(data)
        if len(self.calls) == self.breaks_at:
            raise ConnectionError("连接被拒绝")
        return {
            "created": [{"where": one["where"]} for one in data["entries"]],
            "counts": {"created": len(data["entries"])},
        }


def some(count: int) -> list[Draft]:
    problem = Problem("share_type", "required", "缺少共享类型")
    return [Draft({"title": str(n)}, f"C{n}", (problem,)) for n in range(count)]


def test_chunks_of_a_hundred() -> None:
    portal, told = Portal(), []
    result = Loader(portal).load(
        iter(some(250)), organization="minzheng", incomplete="draft", submit=True, progress=told.append
    )
    assert [len(call["entries"]) for call in portal.calls] == [100, 100, 50]
    assert told == [100, 200, 250]
    assert result.counts == {
        "created": 250,
        "updated": 0,
        "unchanged": 0,
        "refused": 0,
        "drafts_with_problems": 0,
        "sent": 250,
    }
    first = portal.calls[0]
    assert (first["organization"], first["incomplete"], first["submit"], first["dry_run"]) == (
        "minzheng",
        "draft",
        True,
        False,
    )
    assert first["entries"][0]["problems"][0]["rule"] == "required"


def test_a_portal_that_fails_in_the_middle_says_how_far_it_came() -> None:
    with pytest.raises(LoadStopped, match="前 100 条已处理") as stopped:
        Loader(Portal(breaks_at=2)).load(some(250))
    assert stopped.value.result.sent == 100


def test_nothing_to_load() -> None:
    portal = Portal()
    assert Loader(portal).load([]).counts["sent"] == 0 and not portal.calls


def test_report_as_text_and_as_json(profile: Profile) -> None:
    report = read_form(
        form(row(), row(serial=2, title="二", code=None, frequency="偶尔")),
        "目录.xlsx",
        profile=profile,
        organization="x",
    )
    text = to_text(report)
    assert text.startswith("文件《目录.xlsx》：目录 2 条")
    assert "✗ 工作表《目录》N5的更新周期“偶尔”无法识别" in text
    data = json.loads(json.dumps(to_dict(report), ensure_ascii=False))
    assert data["counts"] == counts(report)
    assert (data["counts"]["entries"], data["counts"]["items"]) == (2, 2)
    assert [entry["where"] for entry in data["entries"]] == ["工作表《目录》B4", "工作表《目录》B5"]
    assert data["sheets"][0]["columns"]["信息资源名称"] == "title"


def test_a_long_report_says_what_it_leaves_out(profile: Profile) -> None:
    report = read_form(
        form(*[row(serial=n, title=f"目录{n}", frequency="偶尔", code=None) for n in range(30)]), "x", profile=profile
    )
    assert "另有" in to_text(report, limit=10)
    assert len(to_text(report, limit=10).splitlines()) == 13


def test_a_refused_file_reports_one_sentence(profile: Profile) -> None:
    text = to_text(read_form(b"%PDF", "目录.xlsx", profile=profile))
    assert text == "文件《目录.xlsx》：未导入\n  ✗ 文件《目录.xlsx》是PDF 文件，只能导入 .xlsx、.xls 或 CSV 的目录表"


@pytest.mark.parametrize("place", ["huarong", "qidong"])
def test_what_of_the_demo_may_be_published(examples: Path, place: str) -> None:
    """The others lack what only their department knows: grounds for not opening, 共享类型, 信息项."""
    batches = list(read_batches(examples / "demo.yml", load(place)))
    assert [len(batch.sound) for batch in batches] == [51, 0, 0]
    missing = {(p.field, p.rule) for draft in batches[1].drafts for p in draft.problems if p.severity == "error"}
    assert missing == {
        ("open_ground", "open_ground_missing"),
        ("open_basis", "open_basis_missing"),
        ("open_review_on", "open_review_missing"),
    }


def test_the_demo(examples: Path, profile: Profile) -> None:
    """At least 300 real entries of at least 10 departments, all of which the demo's list names."""
    listing = examples / "demo.yml"
    batches = list(read_batches(listing, profile))
    names = {department["name"] for department in read_departments(listing)}
    drafts = [draft for batch in batches for draft in batch.drafts]
    assert [len(batch.drafts) for batch in batches] == [60, 40, 338]
    assert {draft.entry["provider"] for draft in drafts} == names
    assert len(names) == 20
    assert len({(draft.entry["provider"], draft.title) for draft in drafts}) == len(drafts)
    codes = [draft.entry["resource_code"] for draft in drafts if "resource_code" in draft.entry]
    assert len(set(codes)) == len(codes)
