"""One streaming pass over a workbook before it is parsed: sizes, formulas, error values, entity tricks.

The parser (calamine) lays a sheet out as one rectangle in memory and gives a formula's saved result without saying that it
is one; so both are found here, in bounded memory.
"""

from __future__ import annotations

import posixpath
import re
import struct
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree import ElementTree
from xml.parsers import expat

from ..limits import MIB, Limits
from .guard import SheetFacts, Unreadable, check_archive, open_compound
from .ole import NotCompound

_CHUNK = 1 << 16
_CELL = re.compile(r"([A-Za-z]{1,3})(\d{1,7})$")
_BIFF_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}


def scan_xlsx(content: BinaryIO, filename: str, limits: Limits) -> dict[str, SheetFacts]:
    """Facts of each sheet by its name.

    :raises Unreadable: zip bomb, entity declarations, damaged XML, or a sheet beyond the limits.
    """
    try:
        content.seek(0)
        with zipfile.ZipFile(content) as archive:
            check_archive(archive, filename, limits)
            return _XlsxScan(archive, filename, limits).run()
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        OSError,
        KeyError,
        ElementTree.ParseError,
    ) as error:
        raise Unreadable("corrupt_file", filename, "已损坏或不完整，打不开，请重新保存后再导入") from error


class _XlsxScan:
    def __init__(self, archive: zipfile.ZipFile, filename: str, limits: Limits) -> None:
        self.archive, self.filename, self.limits = archive, filename, limits
        self.unpacked = 0
        self.shared = array("I")

    def run(self) -> dict[str, SheetFacts]:
        """Part names are compared without case, as the parser does."""
        parts = {part.lower(): part for part in self.archive.namelist()}
        sheets = {target.lower(): name for target, name in self._sheet_names()}
        if shared := parts.pop("xl/sharedstrings.xml", ""):
            self._parse(shared, _SharedStrings(self.shared, self.filename, self.limits))
        facts = {}
        for folded, part in parts.items():
            if folded in sheets:
                sheet = _Sheet(SheetFacts(sheets[folded]), self.shared, self.filename, self.limits)
                self._parse(part, sheet)
                facts[sheets[folded]] = sheet.facts
            else:
                self._skim(part)
        return facts

    def _sheet_names(self) -> Iterator[tuple[str, str]]:
        """(path of the part, name of the sheet); chart sheets and others that are no tables are left out."""
        for part in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
            self._parse(part, _Handler(self.filename))
        targets = {
            link.get("Id"): posixpath.normpath(posixpath.join("/xl", link.get("Target", ""))).lstrip("/")
            for link in ElementTree.fromstring(self.archive.read("xl/_rels/workbook.xml.rels"))
            if link.get("Type", "").endswith("/worksheet")
        }
        for element in ElementTree.fromstring(self.archive.read("xl/workbook.xml")).iter():
            if element.tag.endswith("}sheet"):
                target = targets.get(next((v for k, v in element.items() if k.endswith("}id")), ""))
                if target:
                    yield target, element.get("name", "")

    def _chunks(self, part: str) -> Iterator[bytes]:
        with self.archive.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                self.unpacked += len(chunk)
                if self.unpacked > self.limits.max_unpacked:
                    raise Unreadable(
                        "zip_bomb",
                        self.filename,
                        f"解压后超过上限 {self.limits.max_unpacked // MIB} MB，疑似压缩炸弹，未导入",
                    )
                yield chunk

    def _parse(self, part: str, handler: _Handler) -> None:
        try:
            for chunk in self._chunks(part):
                handler.parser.Parse(chunk, False)
            handler.parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise Unreadable(
                "corrupt_file", self.filename, f"的部件 {part} 不是完整的 XML，请重新保存后再导入"
            ) from error

    def _skim(self, part: str) -> None:
        """Count the bytes of a part that holds no table; where it is XML, no entities either. Drawings are often not well-formed."""
        handler: _Handler | None = None
        for number, chunk in enumerate(self._chunks(part)):
            if number == 0 and chunk.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<"):
                handler = _Handler(self.filename)
            if handler:
                try:
                    handler.parser.Parse(chunk, False)
                except expat.ExpatError:
                    handler = None


class _Handler:
    """An XML parser that refuses what only an attack puts into a workbook: a document type with entities."""

    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self.refuse
        self.parser.EntityDeclHandler = self.refuse

    def refuse(self, *_: object) -> None:
        raise Unreadable("xml_entities", self.filename, "内含 XML 实体声明，正常的表格没有，未导入")


class _SharedStrings(_Handler):
    """Length in characters of each text that cells share."""

    def __init__(self, lengths: array[int], filename: str, limits: Limits) -> None:
        super().__init__(filename)
        self.lengths, self.limits, self.length, self.in_text = lengths, limits, 0, False
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text

    def start(self, name: str, _: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "si":
            self.length = 0
        self.in_text = local == "t"

    def end(self, name: str) -> None:
        self.in_text = False
        if name.rpartition(":")[2] == "si":
            self.lengths.append(self.length)

    def text(self, data: str) -> None:
        if self.in_text:
            self.length += len(data)
            if self.length > self.limits.max_cell:
                raise Unreadable("cell_too_long", self.filename, f"有单元格超过 {self.limits.max_cell} 字，未导入")


class _Sheet(_Handler):
    """Walks the cells of one sheet; a cell with a format but no value does not count."""

    def __init__(self, facts: SheetFacts, shared: array[int], filename: str, limits: Limits) -> None:
        super().__init__(filename)
        self.facts, self.shared, self.limits = facts, shared, limits
        self.row, self.column, self.kind = -1, -1, ""
        self.formula, self.value, self.collecting = False, "", False
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "c":
            place = _CELL.match(attributes.get("r", ""))
            if place:
                self.row, self.column = int(place[2]) - 1, column_number(place[1])
            else:
                self.column += 1
            self.kind, self.formula, self.value = attributes.get("t", ""), False, ""
        elif local == "row":
            number = attributes.get("r", "")
            self.row, self.column = int(number) - 1 if number.isdigit() else self.row + 1, -1
        elif local == "f":
            self.formula = True
        self.collecting = local in ("v", "t")

    def text(self, data: str) -> None:
        if self.collecting:
            self.value += data
            if len(self.value) > self.limits.max_cell:
                raise Unreadable(
                    "cell_too_long",
                    self.filename,
                    f"的工作表《{self.facts.name}》有单元格超过 {self.limits.max_cell} 字，未导入",
                )

    def end(self, name: str) -> None:
        self.collecting = False
        if name.rpartition(":")[2] != "c" or not (self.value or self.formula):
            return
        length = len(self.value)
        if self.kind == "s" and self.value.isdigit() and int(self.value) < len(self.shared):
            length = self.shared[int(self.value)]
        place = (self.row, self.column)
        self.facts.seen(*place, length)
        if self.formula:
            self.facts.formulas[place] = bool(self.value)
        if self.kind == "e":
            self.facts.errors[place] = self.value
        self.facts.check(self.filename, self.limits)


def column_number(letters: str) -> int:
    """A → 0, Z → 25, AA → 26."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def scan_xls(content: BinaryIO, filename: str, limits: Limits) -> list[SheetFacts]:
    """Facts of each sheet in the workbook's order, from its records ([MS-XLS]).

    :raises Unreadable: a password, damaged records, or a sheet beyond the limits.
    """
    try:
        stream = open_compound(content).read("Workbook")
    except (NotCompound, KeyError) as error:
        raise Unreadable("corrupt_file", filename, "已损坏或不完整，打不开，请重新保存后再导入") from error
    order: list[int] = []
    by_start: dict[int, SheetFacts] = {}
    facts: SheetFacts | None = None
    position = 0
    while position + 4 <= len(stream):
        record, size = struct.unpack_from("<HH", stream, position)
        body = stream[position + 4 : position + 4 + size]
        if record == 0x2F:  # FILEPASS
            raise Unreadable("password", filename, "设有打开密码，无法读取，请取消密码后再导入")
        if record == 0x85 and size >= 8:  # BOUNDSHEET8
            order.append(struct.unpack_from("<I", body)[0])
        elif record == 0x809:  # BOF
            facts = by_start.setdefault(position, SheetFacts())
        elif facts is not None:
            _note_cell(record, body, facts)
            facts.check(filename, limits)
        position += 4 + size
    return [by_start.get(start, SheetFacts()) for start in order]


def _note_cell(record: int, body: bytes, facts: SheetFacts) -> None:
    """NUMBER, LABEL, BOOLERR, RK, LABELSST, RSTRING hold one cell, MULRK a run of them; BLANK and MULBLANK hold none."""
    if record not in (0x06, 0x203, 0x204, 0x205, 0x27E, 0xBD, 0xFD, 0xD6) or len(body) < 6:
        return
    row, column = struct.unpack_from("<HH", body)
    facts.seen(row, column)
    if record == 0xBD:
        facts.seen(row, max(column, struct.unpack_from("<H", body, len(body) - 2)[0]))
    elif record == 0x06:
        facts.formulas[row, column] = True
    elif record == 0x205 and len(body) >= 8 and body[7]:
        facts.errors[row, column] = _BIFF_ERRORS.get(body[6], "#N/A")
