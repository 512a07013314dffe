"""The departments' form as an .xlsx: made from mulu.entry.FIELDS, so that it never says anything else than the rules do.

One row per information item; an entry's own cells stand on its first row. What :func:`write_template` writes,
:func:`mulu_harvest.form.read_form` reads back equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from mulu.codes import CODE_LISTS
from mulu.entry import FIELDS, ITEM_FIELDS, Field
from mulu.profile import Profile

from .form.headers import words

SHEET, DEMANDS, HELP, LISTS = "政务信息资源目录", "需求清单", "填表说明", "代码表"
HEADER_ROW, FIRST_ROW, LAST_ROW = 4, 5, 5000
# Filled in by the portal or in review, never by the one who fills in the form.
_NOT_IN_FORM = frozenset({"name", "resources", "source", "secrecy_review", "privacy_review"})
_LEVELS = (("class_2", "项"), ("class_3", "目"), ("class_4", "细目"))
# Codes keep their leading zeros only in cells of text.
_AS_TEXT = frozenset(
    {"class_2", "class_3", "class_4", "resource_code", "provider_code", "length", "related_codes", "element_code"}
)
_WIDE, _MIDDLE, _NARROW = 36, 18, 9

_DARK, _LIGHT, _GREY = (PatternFill("solid", fgColor=colour) for colour in ("1F4E79", "DDEBF7", "EDEDED"))
_LINE = Border(*(Side(style="thin", color="BFBFBF"),) * 4)
_TOP = Alignment(wrap_text=True, vertical="top")
_MIDDLE_OF_CELL = Alignment(wrap_text=True, vertical="center", horizontal="center")

_INSTRUCTIONS = (
    "填表说明：一、带 * 的列必填。二、一行填一个信息项；目录自己的内容只填在它的第一行，以下各行留空。"
    "三、灰色的示例行不会导入，可以删去。四、有下拉列表的单元格请从中选择，可以多选的用“、”隔开。"
    "五、鼠标停在列名上可以看到填写要求和依据，全部要求见《填表说明》。六、信息资源代码没有的留空，由平台编制。"
)
EXAMPLE: dict[str, Any] = {
    "title": "城乡低保标准", "notes": "全县城市和农村最低生活保障标准，按年公布，自2015年起。", "provider_unit": "社会救助股",
    "format_class": "spreadsheet", "format_type": "xlsx", "catalogue_kind": "department", "classification": ["3", "07", "001"],
    "share_type": "unconditional", "share_mode": ["batch_download"], "open_type": "unconditional", "open_mode": ["download"],
    "update_frequency": "yearly", "published_on": "2024-03-01", "personal_information": "none", "open_theme": "社会保障",
    "items": [
        {"name": "年度", "data_type": "C", "length": "4", "description": "公历年份"},
        {"name": "保障标准", "data_type": "N", "length": "10,2", "description": "元/人·月"},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class _Column:
    group: str
    key: str
    heading: str
    field: Field
    of_item: bool = False


def _columns() -> list[_Column]:
    """All columns in the order of the form; the code's levels stand where 类/项/目/细目 does, its 类 being the kind."""
    columns: list[_Column] = []
    for field in FIELDS:
        if field.key in _NOT_IN_FORM:
            continue
        if field.key == "classification":
            columns += [_Column(field.section, key, heading, field) for key, heading in _LEVELS]
        elif field.kind == "items":
            columns += [_Column(field.section, one.key, one.label, one, of_item=True) for one in ITEM_FIELDS]
        else:
            columns.append(_Column(field.section, field.key, field.label, field))
    return columns


def write_template(target: str | Path | BinaryIO, profile: Profile, entries: Iterable[Mapping[str, Any]] = ()) -> None:
    """Write the form: empty but for its example, or filled in with entries in the wire form.

    :param target: a path, or a stream open for writing bytes.
    :param entries: e.g. a department's own, to be changed in Excel and handed in again.
    """
    book = Workbook()
    sheet = book.active
    sheet.title = SHEET
    columns = _columns()
    entries = list(entries)
    _write_head(sheet, columns, profile)
    row = FIRST_ROW
    if not entries:
        row = _write_entry(sheet, columns, row, "示例", EXAMPLE)
        for cells in sheet.iter_rows(min_row=FIRST_ROW, max_row=row - 1):
            for cell in cells:
                cell.fill, cell.font = _GREY, Font(italic=True, color="7F7F7F")
    for number, entry in enumerate(entries, 1):
        row = _write_entry(sheet, columns, row, number, entry)
    _format_body(sheet, columns)
    _write_demands(book.create_sheet(DEMANDS))
    _write_help(book.create_sheet(HELP), columns)
    _add_lists(book.create_sheet(LISTS), sheet, columns)
    book.save(target)


def _write_head(sheet: Worksheet, columns: list[_Column], profile: Profile) -> None:
    last = get_column_letter(len(columns) + 1)
    sheet["A1"] = f"{profile.name}政务信息资源目录"
    sheet["A1"].font = Font(size=16, bold=True)
    sheet["A2"] = _INSTRUCTIONS
    sheet["A2"].alignment = _TOP
    sheet.merge_cells("A1:L1")
    sheet.merge_cells("A2:L2")
    sheet.row_dimensions[2].height = 64
    sheet.row_dimensions[HEADER_ROW].height = 34
    _heading(sheet.cell(HEADER_ROW - 1, 1), "序号")
    sheet.merge_cells(start_row=HEADER_ROW - 1, start_column=1, end_row=HEADER_ROW, end_column=1)
    start = 2
    for index, column in enumerate(columns, 2):
        cell = sheet.cell(HEADER_ROW, index)
        _heading(cell, column.heading + ("*" if column.field.required else ""), strong=column.field.required)
        cell.comment = _comment(column)
        sheet.column_dimensions[get_column_letter(index)].width = _width(column)
        if index > len(columns) or columns[index - 1].group != column.group:
            _heading(sheet.cell(HEADER_ROW - 1, start), column.group, strong=True)
            sheet.merge_cells(start_row=HEADER_ROW - 1, start_column=start, end_row=HEADER_ROW - 1, end_column=index)
            start = index + 1
    sheet.column_dimensions["A"].width = 7
    sheet.freeze_panes = sheet.cell(FIRST_ROW, 3)
    sheet.auto_filter.ref = f"A{HEADER_ROW}:{last}{HEADER_ROW}"
    sheet.page_setup.orientation = "landscape"
    sheet.print_title_rows = f"{HEADER_ROW - 1}:{HEADER_ROW}"


def _heading(cell: Cell, text: str, *, strong: bool = False) -> None:
    cell.value, cell.border, cell.alignment = text, _LINE, _MIDDLE_OF_CELL
    cell.fill = _DARK if strong else _LIGHT
    cell.font = Font(bold=True, color="FFFFFF" if strong else "1F4E79")


def _comment(column: _Column) -> Comment:
    several = "可以多选，用“、”隔开。" if column.field.kind in ("choices", "list") else ""
    comment = Comment(f"{column.field.help}{several}", "目录")
    comment.width, comment.height = 320, 110
    return comment


def _width(column: _Column) -> int:
    if column.field.kind == "long_text" or column.key == "title":
        return _WIDE
    return _NARROW if column.key in ("class_2", "class_3", "class_4", "length", "sensitive") else _MIDDLE


def _write_entry(sheet: Worksheet, columns: list[_Column], row: int, serial: object, entry: Mapping[str, Any]) -> int:
    """Write one entry from ``row`` on; returns the row after it."""
    items = list(entry.get("items", ())) or [{}]
    levels = [*entry.get("classification", ()), "", "", "", ""][1:4]
    sheet.cell(row, 1, serial)
    for offset, item in enumerate(items):
        if offset and serial == words()["example"]:
            sheet.cell(row + offset, 1, serial)
        for index, column in enumerate(columns, 2):
            if column.of_item:
                value = _shown(column.field, item.get(column.key))
            elif offset:
                continue
            elif column.key.startswith("class_"):
                value = levels[int(column.key[-1]) - 2]
            else:
                value = _shown(column.field, entry.get(column.key))
            if value != "":
                cell = sheet.cell(row + offset, index)
                cell.value = value
                cell.data_type = "s"  # never a formula, whatever the text begins with
    return row + len(items)


def _shown(field: Field, value: Any) -> str:
    """A value as the form shows it: labels for codes, 是 for a flag that is set."""
    if value in (None, "", [], False):
        return ""
    if value is True:
        return "是"
    if isinstance(value, list):
        return "、".join(_shown(field, one) for one in value)
    codes = CODE_LISTS.get(field.code_list)
    return codes.label(str(value)) if codes else str(value)


def _format_body(sheet: Worksheet, columns: list[_Column]) -> None:
    """Formats of whole columns, so that empty rows to come have them too; cells written already get theirs one by one."""
    for index, column in enumerate(columns, 2):
        dimension = sheet.column_dimensions[get_column_letter(index)]
        if column.key in _AS_TEXT or column.field.kind == "date":
            dimension.number_format = "@" if column.key in _AS_TEXT else "yyyy-mm-dd"
        for cell in sheet[get_column_letter(index)][FIRST_ROW - 1 :]:
            cell.number_format, cell.alignment = dimension.number_format or "General", _TOP


def _write_demands(sheet: Worksheet) -> None:
    """需求清单: what the department needs from others."""
    for index, synonyms in enumerate(words()["demand"].values(), 1):
        _heading(sheet.cell(1, index), synonyms[0])
        sheet.column_dimensions[get_column_letter(index)].width = 24
    sheet.freeze_panes = "A2"


def _write_help(sheet: Worksheet, columns: list[_Column]) -> None:
    for index, (text, width) in enumerate((("栏目", 14), ("列名", 24), ("必填", 8), ("填写要求", 70), ("依据", 40)), 1):
        _heading(sheet.cell(1, index), text, strong=True)
        sheet.column_dimensions[get_column_letter(index)].width = width
    for column in columns:
        field = column.field
        longest = f"不超过{field.max_length}{field.unit}。" if field.max_length else ""
        sheet.append(
            [column.group, column.heading, "必填" if field.required else "", field.help + longest, field.article]
        )
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.alignment, cell.border = _TOP, _LINE
    sheet.freeze_panes = "A2"


def _add_lists(lists: Worksheet, sheet: Worksheet, columns: list[_Column]) -> None:
    """Code lists on a hidden sheet and a drop-down on each column that takes one."""
    lists.sheet_state = "hidden"
    places: dict[str, str] = {}
    for index, name in enumerate(dict.fromkeys(c.field.code_list for c in columns if c.field.code_list), 1):
        codes = CODE_LISTS[name]
        for row, text in enumerate((codes.title, *(code.label for code in codes)), 1):
            lists.cell(row, index, text)
        letter = get_column_letter(index)
        places[name] = f"={LISTS}!${letter}$2:${letter}${len(codes) + 1}"
    for index, column in enumerate(columns, 2):
        rule = _validation(column, places)
        if rule is not None:
            letter = get_column_letter(index)
            rule.add(f"{letter}{FIRST_ROW}:{letter}{LAST_ROW}")
            sheet.add_data_validation(rule)


def _validation(column: _Column, places: Mapping[str, str]) -> DataValidation | None:
    """A drop-down that refuses other words, but for columns that take several or a free text; a hint on dates."""
    kind = column.field.kind
    if column.field.code_list:
        rule = DataValidation("list", formula1=places[column.field.code_list], allow_blank=True)
        rule.showErrorMessage = kind == "choice"
        rule.error = f"请从列表中选择{column.heading}"
    elif kind == "flag":
        rule = DataValidation(
            "list", formula1='"是,否"', allow_blank=True, showErrorMessage=True, error="请填“是”或“否”"
        )
    elif kind == "date":
        rule = DataValidation(
            "date", operator="greaterThan", formula1="18264", allow_blank=True, showErrorMessage=False
        )
        rule.prompt, rule.showInputMessage = "日期，如 2024-03-01", True
    else:
        return None
    return rule
