"""A CSV or XLSX file as departments have it, read row by row as it is written. Asks nothing of CKAN."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import frictionless

NUMBER = re.compile(r"-?(?=(\.?\d){1,15}$)(0|[1-9]\d*)(\.\d+)?")
"""What a number column may hold without any cell being read otherwise than it is written: 007 is a code, not seven; a program
that counts in binary keeps 15 digits."""


class NotATable(Exception):
    """A file that has no rows and columns to serve; the message is for its department."""


def read(path: Path, kind: str) -> tuple[list[str], Iterator[list[Any]]]:
    """(header, rows) of a CSV or XLSX file, cells as they stand in it; rows as long as the header, blank ones left out.

    :raises NotATable: damaged, not text in UTF-8 or GB18030, without a header
    """
    encoding = encoding_of(path) if kind == "csv" else None
    as_written = frictionless.Detector(field_type="any")
    resource = frictionless.Resource(path=str(path), format=kind, scheme="file", encoding=encoding, detector=as_written)
    try:
        with frictionless.system.use_context(trusted=True):
            resource.open()
    except (frictionless.FrictionlessException, ValueError, KeyError, OSError) as error:
        raise NotATable("文件打不开或者已经损坏，不能按信息项提供") from error
    header = [str(label or "").strip() for label in resource.labels]
    while header and not header[-1]:
        header.pop()
    if not header:
        raise NotATable("文件第一行没有列名，不能按信息项提供")
    return header, _rows(resource, len(header))


def _rows(resource: frictionless.Resource, width: int) -> Iterator[list[Any]]:
    try:
        cells = iter(resource.cell_stream)
        next(cells, None)
        for row in cells:
            if any(cell not in (None, "") for cell in row):
                yield [*row[:width], *[None] * (width - len(row))]
    except (frictionless.FrictionlessException, csv.Error, UnicodeError) as error:
        raise NotATable("文件中途不能读取，不能按信息项提供") from error
    finally:
        resource.close()


def encoding_of(path: Path) -> str:
    """Strict UTF-8, then GB18030, the superset of GBK: a detector would name a narrower one and lose rare characters."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            with path.open(encoding=encoding) as text:
                while piece := text.read(1 << 20):
                    if "\0" in piece:
                        raise NotATable("文件不是文本表格，不能按信息项提供")
            return encoding
        except UnicodeDecodeError:
            continue
    raise NotATable("文件的编码既不是UTF-8也不是GB18030，请重新保存后再上传")


def text_of(cell: Any) -> str:
    """A cell as text; days as ISO, whole numbers without ``.0``."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).replace("\0", "")


def same(name: str) -> str:
    """A name as items and headers are compared: width, case and blanks do not count."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", name)).casefold()
