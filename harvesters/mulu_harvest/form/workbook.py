"""A file of a department as sheets of cells, whatever its format, with what is odd about it said."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from mulu.errors import Problem

from ..limits import MIB, Limits
from ..text import clean
from .guard import SheetFacts, Unreadable, as_stream, has_macros, sniff
from .scan import scan_xls, scan_xlsx


@dataclass(frozen=True)
class Sheet:
    """One table of cells. Rows and columns count from 0; a blank cell is ``""``."""

    name: str
    rows: list[list[Any]]
    hidden: bool = False
    merged: tuple[tuple[int, int, int, int], ...] = ()
    """Merged ranges: first row, first column, last row, last column."""
    facts: SheetFacts = field(default_factory=SheetFacts)

    def cell(self, row: int, column: int) -> Any:
        """The value there, ``""`` outside the sheet."""
        cells = self.rows[row] if row < len(self.rows) else []
        return cells[column] if column < len(cells) else ""

    def where(self, row: int, column: int | None = None) -> str:
        """The place as a clerk would name it: 工作表《目录》C12, or its row."""
        return f"工作表《{self.name}》" + (
            f"第 {row + 1} 行" if column is None else column_letters(column) + str(row + 1)
        )


@dataclass(frozen=True)
class Workbook:
    """``kind`` is xlsx, xls or csv; ``problems`` are those of the file as such, none of which kept it from being read."""

    filename: str
    kind: str
    sheets: tuple[Sheet, ...]
    problems: tuple[Problem, ...] = ()


def open_workbook(source: str | Path | bytes | BinaryIO, filename: str, limits: Limits) -> Workbook:
    """Open a form after checking that it is one.

    :param source: a path, the bytes, or a stream open for reading bytes.
    :param filename: the name to show to people.
    :raises Unreadable: not a form, too big, damaged, protected, an attack.
    """
    content = _content(source, filename, limits)
    kind = sniff(content, filename)
    if kind == "csv":
        content.seek(0)
        return Workbook(filename, kind, (_read_csv(content.read(), filename, limits),))
    facts = scan_xlsx(content, filename, limits) if kind == "xlsx" else scan_xls(content, filename, limits)
    sheets = tuple(_read_sheets(content, filename, facts))
    problems = []
    if has_macros(kind, content):
        where = f"文件《{filename}》"
        problems.append(
            Problem(
                "file",
                "macros",
                f"{where}带有宏；导入时不运行宏，只读取单元格里的内容",
                where=where,
                severity="warning",
            )
        )
    return Workbook(filename, kind, sheets, tuple(problems))


def _content(source: str | Path | bytes | BinaryIO, filename: str, limits: Limits) -> BinaryIO:
    """The whole file, no more than the limit of it read."""
    if isinstance(source, (str, Path)):
        size = Path(source).stat().st_size
        if size > limits.max_bytes:
            raise _too_big(filename, f"有 {size // MIB} MB", limits)
        data = Path(source).read_bytes()
    else:
        data = source if isinstance(source, bytes) else source.read(limits.max_bytes + 1)
    if len(data) > limits.max_bytes:
        raise _too_big(filename, "", limits)
    return as_stream(data)


def _too_big(filename: str, size: str, limits: Limits) -> Unreadable:
    return Unreadable("file_too_big", filename, f"{size}超过上限 {limits.max_bytes // MIB} MB，请分成几个文件后再导入")


def _read_sheets(content: BinaryIO, filename: str, facts: dict[str, SheetFacts] | list[SheetFacts]) -> Iterator[Sheet]:
    try:
        content.seek(0)
        book = CalamineWorkbook.from_filelike(content)
        for number, meta in enumerate(book.sheets_metadata):
            if meta.typ is not SheetTypeEnum.WorkSheet:
                continue
            found = facts.get(meta.name) if isinstance(facts, dict) else facts[number]
            if found is None:
                raise Unreadable("corrupt_file", filename, f"的工作表《{meta.name}》找不到内容，请重新保存后再导入")
            found.name = meta.name
            sheet = book.get_sheet_by_name(meta.name)
            merged = tuple((*start, *end) for start, end in sheet.merged_cell_ranges or ())
            rows = sheet.to_python(skip_empty_area=False)
            yield Sheet(meta.name, rows, meta.visible is not SheetVisibleEnum.Visible, merged, found)
    except CalamineError as error:
        raise Unreadable("corrupt_file", filename, "已损坏或不完整，打不开，请重新保存后再导入") from error
    except BaseException as error:
        if (
            type(error).__name__ != "PanicException"
        ):  # a Rust panic in the parser: derives from BaseException on purpose
            raise
        raise Unreadable("corrupt_file", filename, "已损坏，打不开，请重新保存后再导入") from error


def _read_csv(data: bytes, filename: str, limits: Limits) -> Sheet:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError as error:
            raise Unreadable(
                "unknown_encoding", filename, "既不是 UTF-8 也不是 GB18030 编码，请另存为其中一种后再导入"
            ) from error
    facts = SheetFacts(PurePath(filename).stem)
    rows: list[list[Any]] = []
    head = "\n".join(text[:20_000].splitlines()[:5])
    delimiter = max(",\t;", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    try:
        for number, cells in enumerate(reader):
            for column, value in enumerate(cells):
                if len(value) > limits.max_cell:
                    raise Unreadable(
                        "cell_too_long",
                        filename,
                        f"第 {number + 1} 行有单元格超过 {limits.max_cell} 字，请检查引号是否成对",
                    )
                if value:
                    cells[column] = _csv_cell(value, (number, column), facts)
                    facts.seen(number, column, len(value))
            facts.check(filename, limits)
            rows.append(cells)
    except csv.Error as error:
        raise Unreadable(
            "corrupt_file", filename, f"第 {reader.line_num} 行读不下去（{error}），请检查引号是否成对"
        ) from error
    return Sheet(facts.name, rows, facts=facts)


def _csv_cell(value: str, place: tuple[int, int], facts: SheetFacts) -> str:
    """A formula in a CSV has no saved result; ``="001"`` is the usual way to keep leading zeros and is taken as text."""
    stripped = value.strip()
    if stripped.startswith('="') and stripped.endswith('"') and stripped.count('"') == 2:
        return stripped[2:-1]
    if stripped.startswith("=") and len(stripped) > 1:
        facts.formulas[place] = False
        return ""
    return value


def column_letters(column: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def is_blank_row(cells: list[Any]) -> bool:
    """Whether no cell of the row holds anything."""
    return not any(clean(cell) for cell in cells)
