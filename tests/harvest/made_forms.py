"""Small forms made on the spot, for tests of one trait each."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import openpyxl

# The header of 政务信息资源目录编制指南（试行）, two rows; None continues the cell on its left.
UPPER = ["序号", "信息资源名称", "信息资源代码", "信息资源摘要", "信息资源格式", None, "信息项信息", None, None,
         "共享属性", None, "开放属性", None, "更新周期", "发布日期"]  # fmt: skip
LOWER = [None, None, None, None, "信息资源格式分类", "信息资源格式类型", "信息项名称", "数据类型", "数据长度",
         "共享类型", "共享条件/不予共享依据", "是否向社会开放", "开放条件", None, None]  # fmt: skip
ROW = [1, "城乡低保标准", "307001/00001", "低保标准", "电子表格", "xlsx", "年度", "字符型C", 4,
       "无条件共享", None, "是", "无条件", "每年", "2022-05-20"]  # fmt: skip
COLUMNS = ["serial", "title", "code", "notes", "format_class", "format_type", "item", "data_type", "length",
           "share_type", "share_terms", "open_answer", "open_condition", "frequency", "published_on"]  # fmt: skip


def workbook(
    rows: Sequence[Sequence[Any]],
    *more: tuple[str, Sequence[Sequence[Any]]],
    change: Callable[[Any], None] | None = None,
) -> bytes:
    """An .xlsx with a sheet 目录 of these rows, and more sheets by name; ``change`` gets the workbook before it is saved."""
    book = openpyxl.Workbook()
    book.active.title = "目录"
    for title, lines in (("目录", rows), *more):
        sheet = book[title] if title in book.sheetnames else book.create_sheet(title)
        for line in lines:
            sheet.append(list(line))
    if change:
        change(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def form(*rows: Sequence[Any], **options: Any) -> bytes:
    """A form with a title row, the two header rows and these rows."""
    return workbook([["某部门政务信息资源目录"], UPPER, LOWER, *rows], **options)


def row(**changes: Any) -> list[Any]:
    """A complete row of the form; keys are those of ``COLUMNS``."""
    cells = list(ROW)
    for key, value in changes.items():
        cells[COLUMNS.index(key)] = value
    return cells


def item(name: str, data_type: str = "字符型C", length: Any = 10, **changes: Any) -> list[Any]:
    """A further row of an entry: an item, every other cell blank."""
    cells: list[Any] = [None] * len(COLUMNS)
    for key, value in {"item": name, "data_type": data_type, "length": length, **changes}.items():
        cells[COLUMNS.index(key)] = value
    return cells
