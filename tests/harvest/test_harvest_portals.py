"""Lists of real portals: distinct entries, each to its own department, nothing invented."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from mulu.profile import Profile
from mulu_harvest.normalise import check, normalise
from mulu_harvest.readers.portal import PortalReading, read_portal
from mulu_harvest.record import Draft
from mulu_harvest.source import Source, SourceError, load_source, source_names


def drafts(reading: PortalReading, profile: Profile) -> list[Draft]:
    return [check(normalise(record, lookups=reading.source.lookups), profile) for record in reading.records]


# source: rows in the file, distinct entries, departments, entries that name no department, entries with items
PORTALS = {
    "anhui": (700, 700, 11, 0, 0),
    "chuzhou": (850, 799, 131, 0, 31),
    "deyang": (1946, 1946, 49, 132, 0),
    "fuzhou": (2300, 20, 2, 0, 0),
    "hefei": (321, 321, 57, 0, 0),
    "huainan": (35, 35, 11, 2, 0),
    "luzhou": (3000, 3000, 205, 2, 31),
    "nantong": (1198, 1198, 52, 0, 86),
    "suzhou": (524, 524, 17, 0, 0),
    "wuhu": (531, 531, 39, 0, 416),
    "zhejiang": (1309, 1309, 55, 0, 851),
}


def test_every_source_is_counted_here() -> None:
    assert source_names() == sorted(PORTALS)


@pytest.mark.parametrize("name", PORTALS)
def test_a_portal(shared: Path, profile: Profile, name: str) -> None:
    source = load_source(name)
    reading = read_portal(source, shared / "portals" / source.file)
    found = drafts(reading, profile)
    ownerless = sum("provider" not in draft.entry for draft in found)
    with_items = sum("items" in draft.entry for draft in found)
    assert (reading.rows, len(found), len(reading.departments), ownerless, with_items) == PORTALS[name]
    assert reading.rows - reading.repeated == len(found)
    assert len({draft.entry["name"] for draft in found}) == len(found)
    assert {draft.entry["provider"] for draft in found if "provider" in draft.entry} == set(reading.departments)
    # No portal states 共享类型: every entry is a draft that says so, and none has one.
    assert all("share_type" not in draft.entry for draft in found)
    assert all(any(p.field == "share_type" and p.rule == "required" for p in draft.problems) for draft in found)
    assert not any(draft.sound for draft in found)
    # Every other reason is a word that no code fits, or a field that the portal lacks.
    reading_rules = {p.rule for draft in found for p in draft.problems if p.message.startswith(draft.where)}
    assert reading_rules <= {"not_in_list"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hefei", {("update_frequency", "每两年"): 317}),
        ("luzhou", {("update_frequency", "其他"): 188}),
        ("anhui", {("update_frequency", "自定义"): 1}),
        ("nantong", {}),
        ("deyang", {}),
        ("chuzhou", {}),
        ("wuhu", {}),
        ("suzhou", {}),
        ("fuzhou", {}),
        ("huainan", {}),
    ],
)
def test_words_that_no_code_fits(
    shared: Path, profile: Profile, name: str, expected: dict[tuple[str, str], int]
) -> None:
    source = load_source(name)
    found = drafts(read_portal(source, shared / "portals" / source.file), profile)
    unread = Counter((p.field, p.value) for draft in found for p in draft.problems if p.rule == "not_in_list")
    assert unread == expected


def test_zhejiang_reads_only_what_names_a_class(shared: Path, profile: Profile) -> None:
    source = load_source("zhejiang")
    found = drafts(read_portal(source, shared / "portals" / source.file), profile)
    classes = Counter(draft.entry.get("open_type") for draft in found)
    assert classes == {None: 1218, "unconditional": 79, "conditional": 11, "none": 1}
    frequencies = Counter(draft.entry.get("update_frequency") for draft in found)
    assert frequencies["never"] == 184 and frequencies["quarterly"] == 125 and frequencies[None] == 8


def test_three_crawls_of_one_city_give_one_identity(shared: Path) -> None:
    source = load_source("suzhou")
    names = [
        {r.raw["name"] for r in read_portal(source, shared / "portals" / f"anhui_suzhou.{n}.json").records}
        for n in (1, 2, 3)
    ]
    assert names[0] <= names[1] == names[2]
    assert [len(n) for n in names] == [522, 524, 524]


NANTONG_SUBSET = (338, 338)


@pytest.fixture(scope="module")
def nantong(examples: Path) -> PortalReading:
    return read_portal(load_source("nantong"), examples / "portals" / "nantong.json", expected=NANTONG_SUBSET)


def test_the_examples_come_from_the_portal(shared: Path, examples: Path) -> None:
    whole = json.loads((shared / "portals" / "jiangsu_nantong.json").read_text("utf-8"))
    part = json.loads((examples / "portals" / "nantong.json").read_text("utf-8"))
    assert len(part) == 338 and all(row in whole for row in part)


def test_a_department_of_qidong_with_its_items(nantong: PortalReading, profile: Profile) -> None:
    found = {draft.title: draft for draft in drafts(nantong, profile)}
    draft = found["社区便民联系信息（启东经济开发区）"]
    assert nantong.departments[draft.entry["provider"]] == "启东市市域治理现代化指挥中心"
    assert [item["name"] for item in draft.entry["items"]] == [
        "编号",
        "单位",
        "社区所在地",
        "联系方式",
        "负责人",
        "统计日期",
    ]
    assert (draft.entry["open_type"], draft.entry["update_frequency"], draft.entry["format_type"]) == (
        "unconditional",
        "yearly",
        "xlsx",
    )
    assert draft.entry["source"]["url"].startswith("https://data.nantong.gov.cn/")
    assert draft.entry["name"].startswith("nantong-")


def test_masked_contacts_stay_masked(nantong: PortalReading) -> None:
    mobiles = [record.raw.get("contact", "") for record in nantong.records if "****" in record.raw.get("contact", "")]
    assert mobiles and all(len(contact) == 11 for contact in mobiles)


def test_several_formats_and_none(nantong: PortalReading, profile: Profile) -> None:
    found = {
        (nantong.departments[draft.entry["provider"]], draft.title): draft.entry for draft in drafts(nantong, profile)
    }
    entry = found["启东市市域治理现代化指挥中心", "星级酒店名录"]
    assert (entry["format_type"], entry["format_class"], entry["format_other"]) == ("xml", "file", "xlsx、json、xls")
    assert any("format_type" not in entry for entry in found.values())


def test_departments_that_sound_alike_stay_apart() -> None:
    from mulu_harvest.departments import slug

    assert slug("芜湖市水务局") != slug("芜湖市税务局")
    assert slug("芜湖市水务局").startswith("wuhushishuiwuju-")


SOURCE = Source(name="x", title="某门户", publisher="某市", reader="portal", url="", licence="", department="部门",
                fields=load_source("huainan").fields, expected=(2, 3))  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<html>", "JSON"),
        ('{"a": 1}', "数组"),
        ("[1, 2]", "数组"),
        ("[]", "0 条目录，预期在 2 到 3 条之间"),
        (json.dumps([{"标题": str(n)} for n in range(4)]), "4 条目录"),
    ],
)
def test_a_list_that_is_none_or_shrank_is_refused_whole(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "list.json"
    path.write_text(content, "utf-8")
    with pytest.raises(SourceError, match=said):
        read_portal(SOURCE, path)


def test_the_same_row_again_is_one_entry_and_another_of_its_title_is_another(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    rows = [{"标题": "甲", "部门": "市统计局", "发布时间": day} for day in ("2020-01-01", "2020-01-01", "2021-01-01")]
    path.write_text(json.dumps(rows), "utf-8")
    reading = read_portal(SOURCE, path)
    assert (reading.rows, reading.repeated, len({r.raw["name"] for r in reading.records})) == (3, 1, 2)


@pytest.mark.parametrize("text", ["fields: [", "title: x", "unknown: 1\nfields: {}", "- a"])
def test_settings_that_are_wrong(tmp_path: Path, text: str) -> None:
    (tmp_path / "source.yml").write_text(text, "utf-8")
    with pytest.raises(SourceError, match=r"source\.yml"):
        load_source(tmp_path)


def test_no_such_source() -> None:
    with pytest.raises(SourceError, match="没有名为“nowhere”的来源"):
        load_source("nowhere")
