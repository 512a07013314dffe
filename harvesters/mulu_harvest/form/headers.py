"""Finding the header of a table and what each column holds, by synonyms, in one or two rows, under any title."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from mulu.entry import FIELDS, ITEM_FIELDS

from ..text import clean, half_width
from .workbook import Sheet

_SEARCHED_ROWS = 25
_MIN_COLUMNS = 3


@dataclass(frozen=True)
class Column:
    """``section`` is entry, item or demand; ``key`` one of header_words.yml or of the wire form."""

    index: int
    section: str
    key: str
    text: str


@dataclass(frozen=True)
class Header:
    """``kind`` is entries, items (a second sheet tied by the title) or demands; the table begins below ``last_row``."""

    kind: str
    first_row: int
    last_row: int
    columns: tuple[Column, ...]
    unknown: tuple[tuple[int, str], ...]
    doubled: tuple[Column, ...] = ()

    def column(self, key: str, section: str = "entry") -> Column | None:
        """The first column of this key."""
        return next((c for c in self.columns if c.key == key and c.section == section), None)


@lru_cache
def words() -> dict[str, Any]:
    """header_words.yml."""
    read: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("header_words.yml").read_text("utf-8"))
    return read


@lru_cache
def _lookup() -> dict[str, dict[str, str]]:
    """Section → folded word → key, the labels of the entry's own fields among them."""
    table: dict[str, dict[str, str]] = {"entry": {}, "item": {}, "demand": {}, "item_sheet_only": {}}
    for section, described in (("entry", FIELDS), ("item", ITEM_FIELDS)):
        for one in described:
            if one.kind != "items":
                table[section][_fold(one.label)] = one.key
    for section, known in table.items():
        for key, synonyms in words()[section].items():
            known.update({_fold(word): key for word in synonyms})
    return table


@lru_cache
def _groups() -> dict[str, str]:
    return {_fold(word): group for group, synonyms in words()["groups"].items() for word in synonyms}


def _fold(text: Any) -> str:
    """A header word as it is compared."""
    return re.sub(r"[\s*★●:：]+", "", half_width(clean(text))).lower().replace("(", "（").replace(")", "）")


def _variants(text: str) -> list[str]:
    """The word itself, without a remark in brackets, without a number at its end (细目分类2)."""
    folded = _fold(text)
    bare = re.sub(r"[（\[【].*?[）\]】]", "", folded)
    return list(dict.fromkeys((folded, bare, re.sub(r"\d+$", "1", bare))))


def find_header(sheet: Sheet, *, items_apart: bool = True) -> Header | None:
    """The header that explains most columns among the first rows; None where the sheet holds no table we know.

    :param items_apart: whether a table of titles and items may be the second sheet of another; if not it holds entries.
    """
    best: Header | None = None
    for row in range(min(_SEARCHED_ROWS, len(sheet.rows))):
        for height in (2, 1):
            found = _read_header(sheet, row, height, items_apart)
            if found and (best is None or len(found.columns) > len(best.columns)):
                best = found
    return best


def _read_header(sheet: Sheet, row: int, height: int, items_apart: bool) -> Header | None:
    width = max((len(cells) for cells in sheet.rows[row : row + height]), default=0)
    upper = [clean(sheet.cell(row, column)) for column in range(width)]
    lower = [clean(sheet.cell(row + 1, column)) for column in range(width)] if height == 2 else [""] * width
    if height == 2 and not _is_double(upper, lower):
        return None
    pairs, parent = [], ""
    for above, below in zip(upper, lower, strict=True):
        parent = above or (parent if below else "")
        pairs.append((parent if below else "", below or above))
    kind = _kind(pairs, items_apart)
    if kind is None:
        return None
    columns, unknown, doubled, taken = [], [], [], set()
    for index, (above, text) in enumerate(pairs):
        if not text:
            continue
        section, key = _identify(above, text, kind)
        column = Column(index, section, key, text)
        if not key:
            unknown.append((index, text))
        elif (section, key) in taken and key != "class_4":
            doubled.append(column)
        else:
            taken.add((section, key))
            columns.append(column)
    if len(columns) < _MIN_COLUMNS or not any(c.key == "title" for c in columns):
        return None
    return Header(kind, row, row + height - 1, tuple(columns), tuple(unknown), tuple(doubled))


def _is_double(upper: list[str], lower: list[str]) -> bool:
    """Whether the lower row belongs to the header: some known group word spans columns that are named below it."""
    return any(
        _fold(above) in _groups() and lower[i] and i + 1 < len(upper) and not upper[i + 1] and lower[i + 1]
        for i, above in enumerate(upper)
    )


def _identify(above: str, text: str, kind: str) -> tuple[str, str]:
    """(section, key) of a column, key ``""`` where it is unknown."""
    table = _lookup()
    if kind == "demands":
        sections = ["demand"]
    elif kind == "items":
        sections = ["item_sheet_only", "item", "entry"]
    else:
        sections = ["entry", "item"]
    group = _groups().get(_fold(above), "") if above else ""
    if group == "item":
        sections = ["item"]
    candidates = ([f"{group}/{v}" for v in _variants(text)] if group else []) + _variants(text)
    for candidate in candidates:
        for section in sections:
            if key := table[section].get(candidate):
                if kind == "items" and section == "entry" and key not in ("title", "serial"):
                    continue
                return ("item" if section == "item_sheet_only" else section), key
    return "entry", ""


def _kind(pairs: list[tuple[str, str]], items_apart: bool) -> str | None:
    """What the table holds, by the words in its header; None where it has no title column."""
    table = _lookup()
    found = {variant for _, text in pairs for variant in _variants(text)}

    def keys(section: str) -> set[str]:
        return {table[section][word] for word in found if word in table[section]}

    demand = keys("demand")
    if "title" in demand and len(demand) >= _MIN_COLUMNS:
        return "demands"
    entry = keys("entry")
    if "title" not in entry:
        return None
    if (
        items_apart
        and "name" in keys("item")
        and not entry & {"notes", "update_frequency", "provider", "share_terms", "format_type"}
    ):
        return "items"
    return "entries"
