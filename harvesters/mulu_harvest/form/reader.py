"""A file → drafts: opens it safely, finds its tables, reads their rows, joins items from a second sheet, checks everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from mulu.errors import Problem
from mulu.profile import Profile

from ..limits import Limits
from ..normalise import Departments, check, normalise
from ..record import Draft, Record
from ..text import one_line
from .doubles import Named, doubles
from .guard import Unreadable
from .headers import Header, find_header, words
from .table import TableReader, add_items
from .workbook import Sheet, Workbook, open_workbook


@dataclass(frozen=True)
class SheetReport:
    """``kind``: entries, items, demands, notes, hidden, empty or other; ``columns``: heading → field key; ``rows``: of the table."""

    name: str
    kind: str
    rows: int = 0
    columns: Mapping[str, str] | None = None
    note_rows: int = 0


@dataclass(frozen=True)
class FormReport:
    """What one file holds.

    ``entries``: the drafts, sound or not. ``problems``: those of the file, its columns and rows that became no entry.
    ``demands``: what the sheet 需求清单 asks for: dicts of title, provider, description, obtained, mode, frequency, purpose,
    unit as far as it has these columns, and where. ``refused``: the file could not be taken at all.
    """

    filename: str
    entries: tuple[Draft, ...] = ()
    problems: tuple[Problem, ...] = ()
    sheets: tuple[SheetReport, ...] = ()
    demands: tuple[Mapping[str, str], ...] = ()
    refused: bool = False

    @property
    def columns(self) -> dict[str, Mapping[str, str]]:
        """Sheet → heading → the key of the field that the column was read as."""
        return {sheet.name: sheet.columns for sheet in self.sheets if sheet.columns}

    @property
    def sound(self) -> tuple[Draft, ...]:
        """The drafts that could be submitted as they are."""
        return tuple(draft for draft in self.entries if draft.sound)


def read_form(
    source: str | Path | bytes | BinaryIO,
    filename: str,
    *,
    profile: Profile,
    organization: str = "",
    departments: Mapping[str, str] | None = None,
    known_codes: Callable[[str], bool] | None = None,
    limits: Limits | None = None,
) -> FormReport:
    """Read a department's form. Never raises for what is in the file: a bad one comes back ``refused``, with its problem.

    :param source: a path, the bytes, or a stream open for reading bytes.
    :param filename: the file's name as people know it.
    :param organization: slug of the department that hands the form in; it owns entries that name no department.
    :param departments: full name of a department → its slug; without it any name is made into a slug.
    :param known_codes: whether a resource code is in the catalogue already, for 关联资源代码.
    """
    try:
        book = open_workbook(source, filename, limits or Limits.from_environment())
    except Unreadable as refusal:
        return FormReport(filename, problems=(refusal.problem,), refused=True)
    reading = _Reading(book)
    reading.run()
    who = Departments(organization, departments)
    drafts = [check(normalise(record, departments=who), profile, known_codes) for record in reading.records]
    drafts = _mark_doubles(drafts)
    refused = not drafts and not reading.demands
    return FormReport(
        filename, tuple(drafts), tuple(reading.problems), tuple(reading.sheets), tuple(reading.demands), refused
    )


@dataclass(frozen=True)
class FormRecords:
    """The entries of a file in its own words. ``problems``: of the file, its columns and rows that became no entry."""

    records: tuple[Record, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_records(source: str | Path | bytes | BinaryIO, filename: str, *, limits: Limits | None = None) -> FormRecords:
    """As :func:`read_form`, before anything is looked up or checked: for a harvest, which does that for every source alike."""
    try:
        reading = _Reading(open_workbook(source, filename, limits or Limits.from_environment()))
    except Unreadable as refusal:
        return FormRecords(problems=(refusal.problem,))
    reading.run()
    return FormRecords(tuple(reading.records), tuple(reading.problems))


class _Reading:
    """Collects the records of all sheets of one workbook."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self.problems: list[Problem] = list(book.problems)
        self.sheets: list[SheetReport] = []
        self.records: list[Record] = []
        self.demands: list[dict[str, str]] = []

    def run(self) -> None:
        tables = [(sheet, find_header(sheet)) for sheet in self.book.sheets if not sheet.hidden]
        has_entries = any(header and header.kind == "entries" for _, header in tables)
        item_sheets = []
        for sheet in self.book.sheets:
            if sheet.hidden:
                self.sheets.append(SheetReport(sheet.name, "hidden", sheet.facts.rows))
        for sheet, header in tables:
            if header and header.kind == "items" and not has_entries:
                header = find_header(sheet, items_apart=False)
                has_entries = True
            if header is None:
                self._no_table(sheet)
                continue
            self._report_columns(sheet, header)
            if header.kind == "items":
                item_sheets.append((sheet, header))
                continue
            reader = TableReader(sheet, header)
            if header.kind == "demands":
                rows = [
                    {k: v for k, v in values.items() if k != "serial"} | {"where": sheet.where(row)}
                    for row, values in reader.rows()
                ]
                self.demands += rows
                count = len(rows)
            else:
                before = len(self.records)
                self.records += reader.records()
                count = len(self.records) - before
            self._done(sheet, header, reader, count)
        for sheet, header in item_sheets:
            self._join_items(sheet, header)
        if not self.records and not self.demands:
            where = f"文件《{self.book.filename}》"
            if has_entries:
                problem = Problem("file", "no_entries", f"{where}的目录表只有表头，表下没有目录", where=where)
            else:
                message = f"{where}中没有找到目录表：表头至少要有“信息资源名称”和另外两个目录项"
                problem = Problem("file", "no_table", message, where=where)
            self.problems.append(problem)

    def _done(self, sheet: Sheet, header: Header, reader: TableReader, count: int) -> None:
        self.problems += reader.problems
        if reader.example_rows:
            where = sheet.where(reader.example_rows[0])
            message = (
                f"{where}起有 {len(reader.example_rows)} 行在序号列标为“示例”，未读入；如果填的是真实目录，请改写序号"
            )
            self.problems.append(Problem("row", "example_row", message, where=where, severity="warning"))
        columns = {column.text: column.key for column in header.columns}
        self.sheets.append(SheetReport(sheet.name, header.kind, count, columns, len(reader.note_rows)))

    def _no_table(self, sheet: Sheet) -> None:
        kind = "notes" if sheet.name.strip() in words()["note_sheets"] else "other" if sheet.facts.rows else "empty"
        self.sheets.append(SheetReport(sheet.name, kind, sheet.facts.rows))
        if kind == "other":
            where = f"工作表《{sheet.name}》"
            message = f"{where}没有认出目录表的表头，该工作表未读入"
            self.problems.append(Problem("sheet", "sheet_unread", message, where=where, severity="warning"))

    def _report_columns(self, sheet: Sheet, header: Header) -> None:
        for index, text in header.unknown:
            where = sheet.where(header.last_row, index)
            message = f"{where}的列“{one_line(text)}”不是目录表式中的列，该列未读入"
            self.problems.append(
                Problem("column", "unknown_column", message, value=text, where=where, severity="warning")
            )
        for column in header.doubled:
            where = sheet.where(header.last_row, column.index)
            message = f"{where}的列“{one_line(column.text)}”与前面的列含义相同，只读入前一列"
            self.problems.append(
                Problem("column", "doubled_column", message, value=column.text, where=where, severity="warning")
            )

    def _join_items(self, sheet: Sheet, header: Header) -> None:
        """Items on a sheet of their own belong to the entry of the same title; a title may stand only on their first row."""
        by_title = {one_line(record.raw.get("title", "")): record for record in reversed(self.records)}
        places = {column.key: column.index for column in header.columns}
        reader = TableReader(sheet, header)
        title, count = "", 0
        for row, values in reader.rows():
            title = one_line(values.pop("title", "")) or title
            values.pop("serial", None)
            record = by_title.get(title)
            if record is None:
                where = sheet.where(row, places["title"])
                message = f"{where}的信息项属于“{title}”，但目录表中没有这个名称的目录，该行未读入"
                self.problems.append(Problem("items", "item_without_entry", message, value=title, where=where))
                continue
            add_items(
                record.raw,
                record.cells,
                record.problems,
                values,
                {key: sheet.where(row, places[key]) for key in values},
            )
            count += 1
        self._done(sheet, header, reader, count)


def _mark_doubles(drafts: list[Draft]) -> list[Draft]:
    found = doubles(
        [
            Named(draft.where, *(str(draft.entry.get(key) or "") for key in ("resource_code", "provider", "title")))
            for draft in drafts
        ]
    )
    return [
        replace(draft, problems=(*draft.problems, *found[index])) if index in found else draft
        for index, draft in enumerate(drafts)
    ]
