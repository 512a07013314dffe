"""Is this file what it says it is, and small enough to open? Asked before any parser sees it.

The type is told by the content: an extension is only what somebody called the file.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from typing import BinaryIO

from mulu.errors import Problem

from ..limits import MIB, Limits
from .ole import Compound, NotCompound

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHER_TYPES = (
    (b"%PDF", "PDF 文件"),
    (b"\x89PNG", "图片"),
    (b"\xff\xd8\xff", "图片"),
    (b"GIF8", "图片"),
    (b"Rar!", "RAR 压缩包"),
    (b"7z\xbc\xaf", "7z 压缩包"),
    (b"\x1f\x8b", "gzip 压缩包"),
    (b"{\\rtf", "RTF 文件"),
    (b"\x7fELF", "程序文件"),
    (b"MZ\x90", "程序文件"),
)
_MARKUP = (b"<html", b"<!doctype", b"<?xml", b"<table", b"<meta", b"<head")


class Unreadable(Exception):
    """A file that cannot be taken at all; ``problem`` says why, in Chinese."""

    def __init__(self, rule: str, filename: str, message: str) -> None:
        where = f"文件《{filename}》"
        self.problem = Problem("file", rule, where + message, where=where)
        super().__init__(self.problem.message)


@dataclass
class SheetFacts:
    """What a scan of one sheet finds before it is parsed. Rows and columns count from 0."""

    name: str = ""
    rows: int = 0
    """Rows that hold a value."""
    last_row: int = -1
    last_column: int = -1
    characters: int = 0
    formulas: dict[tuple[int, int], bool] = field(default_factory=dict)
    """Place of each formula → whether the result of its last calculation is saved with it."""
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    """Place of each error value, e.g. #N/A."""

    def seen(self, row: int, column: int, characters: int = 0) -> None:
        """Note a cell that holds a value; cells come row by row."""
        if row != self.last_row:
            self.rows += 1
        self.last_row = max(self.last_row, row)
        self.last_column = max(self.last_column, column)
        self.characters += characters

    def check(self, filename: str, limits: Limits) -> None:
        """:raises Unreadable: more rows, columns, cells or text than the limits allow."""
        sheet = f"工作表《{self.name}》" if self.name else "工作表"
        if self.rows > limits.max_rows:
            raise Unreadable("too_many_rows", filename, f"的{sheet}超过 {limits.max_rows} 行，请分成几个文件后再导入")
        if self.last_column >= limits.max_columns:
            raise Unreadable(
                "too_many_columns",
                filename,
                f"的{sheet}有 {self.last_column + 1} 列，超过上限 {limits.max_columns} 列，未导入",
            )
        if (self.last_row + 1) * (self.last_column + 1) > limits.max_cells:
            raise Unreadable(
                "too_many_cells",
                filename,
                f"的{sheet}内容散布在 {self.last_row + 1} 行 {self.last_column + 1} 列，超过上限，请删去表外的内容",
            )
        if self.characters > limits.max_text:
            raise Unreadable("too_much_text", filename, f"的{sheet}文字超过 {limits.max_text // MIB} 兆字，未导入")


def sniff(content: BinaryIO, filename: str) -> str:
    """``xlsx``, ``xls`` or ``csv``, told by the content.

    :param content: the whole file, seekable.
    :raises Unreadable: for everything else, saying what it is.
    """
    content.seek(0)
    head = content.read(4096)
    if not head.strip():
        raise Unreadable("empty_file", filename, "是空文件")
    if head.startswith(b"PK\x03\x04"):
        return _sniff_zip(content, filename)
    if head.startswith(_OLE):
        return _sniff_ole(content, filename)
    for magic, name in _OTHER_TYPES:
        if head.startswith(magic):
            raise _not_a_form(filename, name)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_MARKUP):
        raise Unreadable("wrong_file_type", filename, "内容是网页或 XML，请在表格软件里另存为 .xlsx 后再导入")
    if b"\x00" in head:
        raise Unreadable("wrong_file_type", filename, "无法识别，只能导入 .xlsx、.xls 或 UTF-8、GB18030 编码的 CSV")
    return "csv"


def _not_a_form(filename: str, kind: str) -> Unreadable:
    return Unreadable("wrong_file_type", filename, f"是{kind}，只能导入 .xlsx、.xls 或 CSV 的目录表")


def _sniff_zip(content: BinaryIO, filename: str) -> str:
    try:
        names = zipfile.ZipFile(content).namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Unreadable("corrupt_file", filename, "已损坏或不完整，打不开，请重新保存后再导入") from error
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        raise Unreadable("wrong_file_type", filename, "是二进制工作簿（.xlsb），请另存为 .xlsx 后再导入")
    kinds = {"word/": "Word 文档", "ppt/": "演示文稿"}
    raise _not_a_form(
        filename, next((kind for start, kind in kinds.items() if any(n.startswith(start) for n in names)), "压缩包")
    )


def _sniff_ole(content: BinaryIO, filename: str) -> str:
    try:
        streams = open_compound(content).names
    except NotCompound as error:
        raise Unreadable("corrupt_file", filename, "已损坏或不完整，打不开，请重新保存后再导入") from error
    if "EncryptedPackage" in streams:
        raise Unreadable("password", filename, "设有打开密码，无法读取，请取消密码后再导入")
    if "WordDocument" in streams:
        raise _not_a_form(filename, "Word 文档")
    if "Workbook" not in streams:
        raise _not_a_form(filename, "Excel 95 及更早的工作簿" if "Book" in streams else "其他 Office 文件")
    return "xls"


def open_compound(content: BinaryIO) -> Compound:
    """:raises NotCompound: a damaged container."""
    content.seek(0)
    return Compound(content.read())


def check_archive(archive: zipfile.ZipFile, filename: str, limits: Limits) -> None:
    """Refuse a zip bomb by what the archive declares; what it really unpacks to is counted while it is scanned.

    :raises Unreadable: too many parts, too much declared, too high a ratio, encrypted or doubled parts.
    """
    parts = archive.infolist()
    if len(parts) > limits.max_parts:
        raise Unreadable(
            "zip_bomb", filename, f"内含 {len(parts)} 个部件，超过上限 {limits.max_parts} 个，疑似压缩炸弹，未导入"
        )
    if len({part.filename.lower() for part in parts}) < len(parts):
        raise Unreadable("corrupt_file", filename, "内有重名的部件，请重新保存后再导入")
    total = sum(part.file_size for part in parts)
    if total > limits.max_unpacked:
        raise Unreadable(
            "zip_bomb",
            filename,
            f"解压后有 {total // MIB} MB，超过上限 {limits.max_unpacked // MIB} MB，疑似压缩炸弹，未导入",
        )
    for part in parts:
        if part.flag_bits & 1:
            raise Unreadable("password", filename, "设有密码，无法读取，请取消密码后再导入")
        if part.file_size > MIB and part.file_size > limits.max_ratio * max(part.compress_size, 1):
            raise Unreadable(
                "zip_bomb", filename, f"的部件 {part.filename} 压缩比超过 {limits.max_ratio} 倍，疑似压缩炸弹，未导入"
            )


def has_macros(kind: str, content: BinaryIO) -> bool:
    """Whether the workbook carries VBA. It is never run here; who uploads it should know that it is there."""
    if kind == "xlsx":
        content.seek(0)
        return any(name.endswith("vbaProject.bin") for name in zipfile.ZipFile(content).namelist())
    return kind == "xls" and "_VBA_PROJECT" in open_compound(content).names


def as_stream(data: bytes) -> BinaryIO:
    """Bytes as the seekable stream that the functions here take."""
    return io.BytesIO(data)
