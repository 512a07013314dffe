"""Rows as a file: JSON, CSV or XLSX, in pieces of bytes as they become ready."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell

from ckanext.mulu.grants.query import Query, pieces

TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
BLOCK = 1 << 18
"""Bytes of a piece of a file."""
Piece = tuple[int, bytes]
"""(rows in it, bytes)."""


def write(query: Query) -> Iterator[Piece]:
    """The whole answer to a question in its format."""
    return {"json": _json, "csv": _csv, "xlsx": _xlsx}[query.form](query)


def _json(query: Query) -> Iterator[Piece]:
    first = True
    for rows in pieces(query, "lists"):
        text = ",\n".join(json.dumps(dict(zip(query.items, row, strict=True)), ensure_ascii=False) for row in rows)
        yield len(rows), (("[\n" if first else ",\n") + text).encode()
        first = False
    yield 0, b"[]\n" if first else b"\n]\n"


def _csv(query: Query) -> Iterator[Piece]:
    """With a byte order mark, so that spreadsheets read Chinese; numbers as the database holds them, digit by digit."""
    head = io.StringIO()
    csv.writer(head, lineterminator="\n").writerow(query.items)
    begin = head.getvalue().encode("utf-8-sig")
    for text in pieces(query, "csv"):
        yield sum(1 for _ in csv.reader(io.StringIO(text))), begin + text.encode()
        begin = b""
    yield 0, begin


def _xlsx(query: Query) -> Iterator[Piece]:
    """Made on disk first, for a workbook is complete or nothing; text is text, never a formula."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("数据")
    sheet.append([_cell(sheet, item) for item in query.items])
    for rows in pieces(query, "lists"):
        for row in rows:
            sheet.append([_cell(sheet, value) if isinstance(value, str) else value for value in row])
        yield len(rows), b""
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while block := file.read(BLOCK):
            yield 0, block


def _cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, value=openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", text)[:32767])
    cell.data_type = "s"
    return cell


def file_blocks(path: str) -> Iterator[Piece]:
    """A file as it is; an empty one is one empty piece."""
    with open(path, "rb") as file:
        yield 0, file.read(BLOCK)
        while block := file.read(BLOCK):
            yield 0, block
