"""Rows below a header → records: which rows make one entry, what is filled forward, what is no entry at all.

An entry begins where a title stands. Its own cells are merged over its rows or filled in only on its first row; they hold
for all rows of the entry and for none of the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mulu.errors import Problem

from ..record import Record
from ..text import clean, one_line, split_list
from .headers import Column, Header, words
from .workbook import Sheet, is_blank_row

# An item may have a class of its own, so these may change from row to row inside an entry.
_OF_ITEM_TOO = {"share_type": "share_type", "open_answer": "open_type", "open_type": "open_type"}
# These list several things; each row of an entry may add one.
_LISTS = frozenset({"business_items", "share_mode", "use_mode", "open_mode", "related_codes"})
# 细目1…n: columns whose cells are digits of one number, read on an entry's first row only.
_DIGITS = "class_4"
_MAY_DIFFER = {*_LISTS, *_OF_ITEM_TOO, _DIGITS}
# Never taken from a merged cell above: they say where an entry begins.
_OWN = frozenset({"title", "serial", "resource_code"})
_UNUSED = frozenset({"serial"})
_NOTE = re.compile("|".join(re.escape(word) for word in sorted(words()["notes"], key=len, reverse=True)))
_SIGNATURE = re.compile(r".{1,8}[:：]")
_NOTE_ENDS = re.compile(r"\s*[\d一二三]*\s*([:：.、，(（]|$)")


class TableReader:
    """Reads one sheet. After :meth:`records` has run, ``problems`` holds the rows that were not read and why."""

    def __init__(self, sheet: Sheet, header: Header) -> None:
        self.sheet, self.header = sheet, header
        self.problems: list[Problem] = []
        self.note_rows: list[int] = []
        self.example_rows: list[int] = []
        self._entry_columns = [c for c in header.columns if c.section == "entry"]
        self._item_columns = [c for c in header.columns if c.section == "item"]
        self._anchors = _vertical_anchors(sheet, header)
        self._read = {c.index for c in header.columns if c.key not in _UNUSED}
        self._after_notes = False

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """(row number from 0, key → text) of a table without entries of several rows: items or demands."""
        for row in self._table_rows():
            values = {c.key: self._text(row, c) for c in self.header.columns}
            if any(values.values()):
                yield row, values

    def _table_rows(self) -> Iterator[int]:
        """Rows that are neither blank, notes, the example, nor the header printed again on each page."""
        printed = [
            [clean(v) for v in self.sheet.rows[r]] for r in range(self.header.first_row, self.header.last_row + 1)
        ]
        for row in range(self.header.last_row + 1, len(self.sheet.rows)):
            cells = self.sheet.rows[row]
            if is_blank_row(cells) or [clean(v) for v in cells] in printed:
                continue
            if self._is_example(row):
                self.example_rows.append(row)
                continue
            if self._is_note(row):
                self._after_notes = True
                self.note_rows.append(row)
                continue
            yield row

    def _is_example(self, row: int) -> bool:
        serial = self.header.column("serial")
        return serial is not None and clean(self.sheet.cell(row, serial.index)).startswith(words()["example"])

    def _is_note(self, row: int) -> bool:
        """Notes and signatures: a text alone outside the columns that are read, or a first word that says so."""
        filled = [(i, clean(v)) for i, v in enumerate(self.sheet.rows[row]) if clean(v)]
        if len(filled) == 1 and (self._after_notes or filled[0][0] not in self._read):
            return True
        match = _NOTE.match(filled[0][1])
        if not match or not _NOTE_ENDS.match(filled[0][1], match.end()):
            return False
        signatures = sum(1 for _, text in filled if _SIGNATURE.match(text))
        return len(filled) == 1 or signatures * 2 >= len(filled)

    def records(self) -> Iterator[Record]:
        """The entries of an ``entries`` sheet, in order."""
        current: Record | None = None
        for row in self._table_rows():
            if self._begins(row, current):
                if current:
                    yield current
                current = self._begin(row)
                self._after_notes = False
            elif current is None or self._after_notes or not self._continue(row, current):
                self.problems.append(self._unread(row))
        if current:
            yield current

    def _unread(self, row: int) -> Problem:
        where = self.sheet.where(row)
        message = f"{where}没有信息资源名称，也接不上上面的目录，该行未读入"
        return Problem("row", "row_unread", message, where=where)

    def _begins(self, row: int, current: Record | None) -> bool:
        """A title begins an entry, unless it repeats the one above; so does a serial number or a code that lacks its title."""
        title = self._own(row, "title")
        if not title:
            more = any(clean(self.sheet.cell(row, c.index)) for c in self._entry_columns if c.key not in _OWN)
            return bool(self._own(row, "resource_code")) or (more and bool(self._own(row, "serial")))
        if current is None or one_line(title) != one_line(current.raw.get("title", "")):
            return True
        return not self._repeats(row, current)

    def _repeats(self, row: int, current: Record) -> bool:
        """The entry's cells written again beside its next item."""
        for column in self._entry_columns:
            text = self._text(row, column)
            if text and column.key not in _MAY_DIFFER and text != current.raw.get(column.key, ""):
                return False
        name = self._own(row, "name", "item")
        return bool(name) and all(item.get("name") != name for item in current.raw["items"])

    def _begin(self, row: int) -> Record:
        title = self.header.column("title")
        record = Record(self.sheet.where(row, title.index if title else 0), {"items": []})
        for column in self._entry_columns:
            self._take(record, row, column, self._text(row, column))
        self._take_items(record, row)
        self._note_formulas(record, row)
        return record

    def _continue(self, row: int, current: Record) -> bool:
        """Add a further row to its entry; False where nothing in it belongs there."""
        used = False
        for column in self._entry_columns:
            text = self._text(row, column)
            if not text or column.key == _DIGITS:
                continue
            known = current.raw.get(column.key, "")
            if column.key in _OF_ITEM_TOO and known:
                continue
            if known and text != known and column.key not in _LISTS:
                where = self.sheet.where(row, column.index)
                current.problems.append(
                    Problem(
                        column.key,
                        "row_conflict",
                        f"{where}“{column.text}”与本目录第一行不同，同一目录只取第一行的内容",
                        value=text,
                        where=where,
                        severity="warning",
                    )
                )
            else:
                self._take(current, row, column, text)
            used = True
        if self._take_items(current, row):
            used = True
        self._note_formulas(current, row)
        return used

    def _take(self, record: Record, row: int, column: Column, text: str) -> None:
        key = column.key
        record.cells.setdefault(key, self.sheet.where(row, column.index))
        if not text:
            return
        known = record.raw.get(key, "")
        if key == _DIGITS:
            record.raw[key] = known + text
        elif key in _LISTS and known:
            record.raw[key] = known if text in known.split("\n") else f"{known}\n{text}"
        else:
            record.raw[key] = text

    def _take_items(self, record: Record, row: int) -> bool:
        """The row's items: one, or several named in one cell (名称、地址、联系电话). False where it has none."""
        values = {c.key: self._text(row, c) for c in self._item_columns}
        if not any(values.values()):
            return False
        places = {c.key: self.sheet.where(row, c.index) for c in self._item_columns}
        for column in self._entry_columns:
            key = _OF_ITEM_TOO.get(column.key)
            text = self._text(row, column)
            if key and text and text != record.raw.get(column.key):
                values.setdefault(key, text)
                places.setdefault(key, self.sheet.where(row, column.index))
        add_items(record.raw, record.cells, record.problems, values, places)
        return True

    def _note_formulas(self, record: Record, row: int) -> None:
        for column in self.header.columns:
            place = (row, column.index)
            if column.key in _UNUSED:
                continue
            where = self.sheet.where(*place)
            if place in self.sheet.facts.formulas:
                saved = self.sheet.facts.formulas[place]
                rest = "已取文件中保存的计算结果，请核对" if saved else "文件中没有保存计算结果，该单元格未读入"
                message = f"{where}“{column.text}”是公式单元格，{rest}"
                record.problems.append(
                    Problem(column.key, "formula", message, where=where, severity="warning" if saved else "error")
                )
            if place in self.sheet.facts.errors:
                error = self.sheet.facts.errors[place]
                message = f"{where}“{column.text}”是错误值 {error}，该单元格未读入"
                record.problems.append(Problem(column.key, "error_value", message, value=error, where=where))

    def _text(self, row: int, column: Column) -> str:
        """The cell as text, taken from the merged cell above where the row lies in one."""
        place = (row, column.index)
        if place in self.sheet.facts.errors:
            return ""
        text = clean(self.sheet.cell(*place))
        if not text and column.key not in _OWN and not (column.section == "item" and column.key == "name"):
            anchor = self._anchors.get(place)
            text = clean(self.sheet.cell(anchor, column.index)) if anchor is not None else ""
        return text

    def _own(self, row: int, key: str, section: str = "entry") -> str:
        column = self.header.column(key, section)
        return clean(self.sheet.cell(row, column.index)) if column else ""


def _vertical_anchors(sheet: Sheet, header: Header) -> dict[tuple[int, int], int]:
    """Covered cell → row of the cell that covers it, for ranges below the header that span rows."""
    anchors = {}
    last = len(sheet.rows) - 1
    for first_row, first_column, last_row, last_column in sheet.merged:
        if first_row > header.last_row and first_column == last_column:
            anchors.update({(row, first_column): first_row for row in range(first_row + 1, min(last_row, last) + 1)})
    return anchors


def add_items(
    raw: dict[str, Any], cells: dict[str, str], problems: list[Problem], values: dict[str, str], places: dict[str, str]
) -> None:
    """Append the items that one row states.

    Where the name cell lists several, a cell beside it that lists as many is dealt out to them, a single value is that of all.
    """
    names = split_list(values.get("name", "")) or [""]
    dealt = []
    for key, text in values.items():
        parts = [text] if len(names) == 1 or key == "description" else split_list(text)
        if len(names) > 1 and len(parts) not in (0, 1, len(names)):
            message = f"{places[key]}列出 {len(parts)} 项，而信息项名称有 {len(names)} 个，无法一一对应，该单元格未读入"
            problems.append(
                Problem(f"items[{len(raw['items'])}].{key}", "items_mismatch", message, value=text, where=places[key])
            )
            parts = []
        dealt.append((key, parts))
    for number, name in enumerate(names):
        index = len(raw["items"])
        item = {key: parts[number if len(parts) > 1 else 0] for key, parts in dealt if parts and key != "name"}
        raw["items"].append(
            {"name": name if len(names) > 1 else values.get("name", ""), **{k: v for k, v in item.items() if v}}
        )
        cells.update({f"items[{index}].{key}": place for key, place in places.items()})
