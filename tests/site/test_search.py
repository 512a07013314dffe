"""The search index: decoded as the scripts do, it says what the snapshot says; and one entry changes little of it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mulu_site import search, shards
from mulu_site.row import Row, full_text, row_of
from mulu_site.snapshot import open_snapshot
from mulu_site.text import clean, fold, sound

ODD_TITLES = ("银行网点（重庆）", "长沙㎡统计①", "ＡＢＣ银行Ａ1", "𠮷野家", "行业协会🎈名录", "İstanbul", "カタログ")


@pytest.fixture(scope="module")
def entries(snapshot: Path) -> list[dict]:
    return [line.entry() for line in open_snapshot(snapshot).lines()]


class Index:
    """The published index, read as search-index.js reads it: columns of all pieces, one after the other."""

    def __init__(self, site: Path) -> None:
        self.site = site
        self.head = json.loads((site / "search/index.json").read_text())
        self.pieces = [self.read(file) for file in self.head["rows"]]

    def read(self, file: str) -> dict:
        return json.loads((self.site / file).read_text())

    def lines(self, name: str) -> list[str]:
        return [line for piece in self.pieces for line in piece[name].split("\n")]

    def column(self, name: str) -> list:
        return [piece[name]["keys"][at] for piece in self.pieces for at in piece[name]["at"]]

    def pages_by_number(self) -> list[str]:
        numbers = [number for piece in self.pieces for number in piece["number"]]
        return [page for _, page in sorted(zip(numbers, self.lines("page"), strict=True))]

    def held(self, pair: str) -> set[int]:
        words = self.read(self.head["words"][search.shard(pair, len(self.head["words"]))])
        return set(accumulate(int(step, 36) for step in words.get(pair, "").split()))


def initials(piece: dict, sounds: dict[str, str]) -> list[str]:
    """As search-index.js makes them, over UTF-16 units."""
    letter = {char: syllable[0] for syllable, chars in sounds.items() for char in chars} | {c: c for c in "abcdefghijklmnopqrstuvwxyz0123456789"}
    return [piece["initials"].get(str(n)) or "".join(letter.get(c, "") for c in fold(title)) for n, title in enumerate(piece["title"].split("\n"))]


@pytest.fixture(scope="module")
def index(site: Path) -> Index:
    return Index(site)


def test_the_first_stage_says_what_the_entries_say(index: Index, entries: list[dict]) -> None:
    rows = {row.page: row for row in map(row_of, entries)}
    assert sum(index.head["lengths"]) == index.head["total"] == len(rows)
    pages = index.lines("page")
    assert set(pages) == set(rows)
    assert index.lines("title") == [rows[page].title for page in pages]
    assert [date for piece in index.pieces for date in piece["date"]] == [int(rows[page].changed.replace("-", "") or 0) for page in pages]
    for name, of in (("department", "provider"), ("theme", "theme"), ("kind", "kind"), ("open", "open"), ("share", "share"), ("frequency", "frequency")):
        assert index.column(name) == [getattr(rows[page], of) for page in pages], name
    assert index.column("format") == [list(rows[page].formats) for page in pages]
    for name, values in index.head["facets"].items():
        if name not in ("format", "api"):
            assert set(index.column(name)) - {""} == {value[0] for value in values}, name


def test_the_second_stage_finds_every_part_of_abstracts_and_items(index: Index, entries: list[dict]) -> None:
    order = index.pages_by_number()
    texts = {e["name"]: fold(full_text(clean(e))) for e in entries}
    for entry in entries[::23]:
        text = texts[entry["name"]]
        for start in range(0, len(text) - 2, 7):
            part = text[start : start + 2 + start % 5].split("\n")[0]
            if len(part) < 2 or " " in part:
                continue
            found = set.intersection(*(index.held(part[i : i + 2]) for i in range(len(part) - 1)))
            truth = {n for n, name in enumerate(order) if part in texts[name]}
            assert truth <= found, part
            assert len(part) > 2 or truth == found, part


def test_the_texts_are_there_to_be_quoted(index: Index, entries: list[dict]) -> None:
    texts = [text for file in index.head["texts"] for text in index.read(file)]
    by_page = {e["name"]: full_text(clean(e)) for e in entries}
    whole = [by_page[page] for page in index.pages_by_number()]
    assert any(len(text) > search.LONGEST for text in whole)
    assert texts == [text if len(text) <= search.LONGEST else text[: search.LONGEST] + search.CUT for text in whole]


def test_numbers_follow_the_first_publication(index: Index, entries: list[dict]) -> None:
    since = {row.page: row.since for row in map(row_of, entries)}
    order = index.pages_by_number()
    assert order == sorted(order, key=lambda page: (since[page], page))


def test_initials_of_characters_and_the_given_ones_are_those_of_the_words(index: Index) -> None:
    for piece in index.pieces:
        assert initials(piece, index.head["sounds"]) == [sound(title).initials for title in piece["title"].split("\n")]


def test_initials_of_odd_titles(shop: Any) -> None:
    for n, title in enumerate(ODD_TITLES):
        shop.entry(id=f"odd{n}", name=f"odd{n}", title=title)
    shop.build()
    index = Index(shop.out / "current")
    (piece,) = index.pieces
    by_title = dict(zip(piece["title"].split("\n"), initials(piece, index.head["sounds"]), strict=True))
    assert {title: by_title[title] for title in ODD_TITLES} == {title: sound(title).initials for title in ODD_TITLES}
    assert by_title["银行网点（重庆）"].startswith("yh") and any(chars for chars in index.head["sounds"].values() if "养" in chars)


def test_a_long_text_is_cut_and_says_so_and_an_odd_date_is_none(shop: Any) -> None:
    shop.entry(id="long", name="long", title="很长的说明", notes="甲" * 100_000, data_updated_on="2021/3/4", published_at="", published_on="", history=[])
    shop.build()
    index = Index(shop.out / "current")
    number = index.pages_by_number().index("long")
    text = index.read(index.head["texts"][number // search.TEXTS])[number % search.TEXTS]
    assert text == "甲" * search.LONGEST + search.CUT
    assert number in index.held("甲甲")
    assert [date for piece in index.pieces for date in piece["date"]][index.lines("page").index("long")] == 0


def test_one_new_entry_changes_few_files(shop: Any) -> None:
    """Its own piece of the first stage, the last of the texts, the words of its pairs, and what names them."""
    for n in range(search.TEXTS):
        shop.entry(id=f"old{n}", name=f"old{n}", title=f"旧条目{n}", history=[], published_on="2020-01-01", published_at="")
    shop.build()
    before = Index(shop.out / "current").head
    new = shop.entry(id="fresh", name="fresh", title="新的条目", notes="崭新", items=[], history=[], published_on="2199-01-01", published_at="")
    shop.build()
    now = Index(shop.out / "current").head
    assert len(before["texts"]) == len(now["texts"]) == 2 and before["texts"][0] == now["texts"][0]
    assert [n for n, (a, b) in enumerate(zip(before["words"], now["words"], strict=True)) if a != b] == [search.shard(new["notes"], len(now["words"]))]


def row(page: str) -> Row:
    return row_of({"name": page, "id": page, "title": page})


def test_a_new_entry_moves_the_end_of_no_other_piece() -> None:
    rows = [row(f"p{n:05d}") for n in range(12_000)]
    before = {tuple(r.page for r in part) for part in search.parts(rows)}
    assert all(search.LEAST <= len(part) <= search.MOST for part in list(search.parts(rows))[:-1])
    for place in (0, 3_333, 11_999):
        now = {tuple(r.page for r in part) for part in search.parts([*rows[:place], row("new"), *rows[place:]])}
        assert len(now - before) <= 2 and len(before) >= 4, place


def test_no_entries_at_all(shop: Any) -> None:
    shop.entries.clear()
    shop.build(allow_withdrawal=True)
    head = Index(shop.out / "current").head
    assert (head["total"], head["lengths"], head["rows"], head["texts"]) == (0, [], [], [])


texts = st.text("甲乙ａb\n", max_size=12)


@given(st.lists(st.tuples(texts, st.none() | texts), min_size=1, max_size=8), st.lists(texts, max_size=4), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_brought_up_to_date_is_made_anew(old: list[tuple[str, str | None]], new: list[str], a_file: int) -> None:
    """Entries that say something else, and new ones after them."""
    before, now = [b for b, _ in old], [b if n is None else n for b, n in old] + new
    changed = [n for n, (_, say) in enumerate(old) if say is not None] + list(range(len(old), len(now)))
    changes = [shards.Change(n, before[n] if n < len(before) else "", now[n]) for n in changed]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "TEXTS", a_file)
        patch.setattr(shards, "TEXTS", a_file)
        words = published(Path(folder), "words", list(search.word_shards(before)))
        pieces = published(Path(folder), "texts", list(search.text_pieces(before)))
        assert list(shards.brought_up(words, changes)) == list(search.word_shards(now))
        assert list(shards.texts_brought_up(pieces, changed, now)) == list(search.text_pieces(now))


def published(folder: Path, name: str, contents: Sequence[bytes]) -> list[Path]:
    files = [folder / f"{name}{n}" for n in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    return files
