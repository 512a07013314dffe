"""Three versions of an entry: the source's last word, its word now, and what the portal has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mulu.entry import Entry
from mulu_harvest.merge import changes_of, merge

CASES = {
    # field by field: base, theirs, ours → keep, overwrite
    "nobody": ("甲", "甲", "甲", "甲", "甲"),
    "only there": ("甲", "乙", "甲", "乙", "乙"),
    "only here": ("甲", "甲", "乙", "乙", "乙"),
    "the same on both sides": ("甲", "乙", "乙", "乙", "乙"),
    "both": ("甲", "乙", "丙", "丙", "乙"),
    "taken away there": ("甲", None, "甲", None, None),
    "taken away there, changed here": ("甲", None, "丙", "丙", None),
    "taken away here": ("甲", "甲", None, None, None),
    "changed there, taken away here": ("甲", "乙", None, None, "乙"),
    "never stated": (None, None, "丙", "丙", "丙"),
    "stated first, filled in here": (None, "乙", "丙", "丙", "乙"),
    "stated first": (None, "乙", None, "乙", "乙"),
}


def entry(notes):
    return {"title": "题名"} | ({"notes": notes} if notes is not None else {})


@pytest.mark.parametrize("policy", ["keep", "overwrite"])
@pytest.mark.parametrize("name", CASES)
def test_a_field(name, policy):
    base, theirs, ours, kept, overwritten = CASES[name]
    merged = merge(entry(base), entry(theirs), entry(ours), policy)
    assert merged.entry.get("notes") == (kept if policy == "keep" else overwritten)
    conflict = len({base, theirs, ours}) == 3 or (base is not None and theirs != base and ours not in (base, theirs))
    assert bool(merged.local) is conflict


@pytest.mark.parametrize("policy", ["keep", "overwrite"])
@pytest.mark.parametrize("name", CASES)
def test_an_item_s_field(name, policy):
    def items(value):
        return {"items": [{"name": "床位数", "data_type": "N"} | ({"description": value} if value is not None else {})]}

    base, theirs, ours, kept, overwritten = CASES[name]
    merged = merge(items(base), items(theirs), items(ours), policy)
    assert merged.entry == items(kept if policy == "keep" else overwritten)
    told = changes_of(items(base), items(theirs), merged)
    assert {change["local"] for change in told} - {""} == ({"kept" if policy == "keep" else "overwritten"} if merged.local else set())


def rows(*names, **more):
    return {"items": [{"name": name, "data_type": "C", **more.get(name, {})} for name in names]}


def test_items_are_merged_by_name():
    merged = merge(rows("甲", "乙", "丙"), rows("丁", "甲", "丙"), rows("甲", "乙", "丙", "本地"), "keep")
    assert [one["name"] for one in merged.entry["items"]] == ["丁", "甲", "丙", "本地"]
    assert not merged.local


def test_an_item_gone_there_and_changed_here():
    ours = rows("甲", "乙", 乙={"description": "本地说明"})
    kept = merge(rows("甲", "乙"), rows("甲"), ours, "keep")
    assert kept.entry == ours and list(kept.local.values()) == ["kept"]
    assert changes_of(rows("甲", "乙"), rows("甲"), kept)[0]["local"] == "kept"
    gone = merge(rows("甲", "乙"), rows("甲"), ours, "overwrite")
    assert gone.entry == rows("甲") and list(gone.local.values()) == ["overwritten"]


def test_an_item_taken_away_here_stays_away_until_the_source_s_word_counts():
    base, theirs = rows("甲", "乙"), rows("甲", "乙", 乙={"description": "新说明"})
    assert merge(base, base, rows("甲"), "keep").entry == rows("甲")
    assert merge(base, theirs, rows("甲"), "keep").entry == rows("甲")
    assert merge(base, theirs, rows("甲"), "overwrite").entry == theirs


def test_two_items_of_one_name_are_two():
    base = {"items": [{"name": "备注", "length": "10"}, {"name": "备注", "length": "20"}]}
    theirs = {"items": [{"name": "备注", "length": "10"}, {"name": "备注", "length": "30"}]}
    assert merge(base, theirs, base, "keep").entry == theirs


def test_files_keep_the_portal_s_ids_and_its_own_files():
    there = {"name": "名录", "url": "https://example.com/a.csv", "format": "CSV"}
    ours = {"resources": [{**there, "id": "r1", "size": "12"}, {"id": "r2", "name": "本地附件", "url": "upload.csv"}]}
    new = [{"name": "接口", "url": "https://example.com/api"}, {**there, "name": "改名"}]
    merged = merge({"resources": [there]}, {"resources": new}, ours, "keep")
    assert merged.entry["resources"] == [new[0], {**there, "id": "r1", "size": "12", "name": "改名"}, ours["resources"][1]]
    assert merge({"resources": [there]}, {"resources": []}, ours, "keep").entry["resources"] == [ours["resources"][1]]


def test_the_portal_s_own_is_never_touched():
    base, theirs = {"title": "甲"}, {"title": "乙", "resource_code": "307001/00009", "name": "theirs", "source": {"name": "s", "id": "2"}}
    ours = {"title": "甲", "resource_code": "307001/00001", "name": "ours", "source": {"name": "s", "id": "1"}, "provider": "minzheng"}
    assert merge(base, theirs, ours, "overwrite").entry == {**ours, "title": "乙"}


texts = st.dictionaries(st.sampled_from(["title", "notes", "contact", "spatial"]), st.sampled_from(["甲", "乙", "丙"]))
items = st.lists(st.fixed_dictionaries({"name": st.sampled_from("甲乙丙")}, optional={"length": st.sampled_from(["1", "2"])}), max_size=4)
entries = st.builds(lambda text, rows: Entry.from_dict({**text, "items": rows}).to_dict(), texts, items)


@given(entries, entries)
def test_without_edits_here_the_source_s_word_is_taken_whole(base, theirs):
    for policy in ("keep", "overwrite"):
        merged = merge(base, theirs, base, policy)
        assert merged.entry == theirs and not merged.local


@given(entries, entries)
def test_without_changes_there_nothing_here_is_touched(base, ours):
    for policy in ("keep", "overwrite"):
        merged = merge(base, base, ours, policy)
        assert not merged.local
        assert merged.entry == ours


@given(entries, entries, entries)
def test_merged_again_with_the_same_word_nothing_changes(base, theirs, ours):
    for policy in ("keep", "overwrite"):
        merged = merge(base, theirs, ours, policy).entry
        assert merge(theirs, theirs, merged, policy).entry == merged


@given(entries, entries, entries)
def test_what_the_source_changed_is_in_force_where_its_word_counts(base, theirs, ours):
    merged = merge(base, theirs, ours, "overwrite").entry
    for key in ("title", "notes", "contact", "spatial"):
        assert merged.get(key) == (theirs.get(key) if theirs.get(key) != base.get(key) else ours.get(key))
