"""Files that are no form, or an attack: one clear sentence, and nothing half-done."""

from __future__ import annotations

import io
import random
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from made_forms import form, row, workbook

from mulu.profile import Profile
from mulu_harvest.form import FormReport, read_form
from mulu_harvest.limits import MIB, Limits

SMALL = replace(Limits(), max_bytes=MIB, max_unpacked=8 * MIB, max_rows=1000)


@pytest.fixture
def refusal(profile: Profile) -> Callable[..., tuple[str, str]]:
    """(rule, message) of the one problem of a file that must be refused whole."""

    def refusal(content: bytes | Path, filename: str = "目录.xlsx", limits: Limits = SMALL) -> tuple[str, str]:
        report = read_form(content, filename, profile=profile, limits=limits)
        assert report.refused and not report.entries and not report.demands
        [problem] = [problem for problem in report.problems if problem.severity == "error"]
        assert problem.where == f"文件《{filename}》"
        return problem.rule, problem.message

    return refusal


def rezip(content: bytes, change: Callable[[str, bytes], bytes], **more: bytes) -> bytes:
    """The same archive with parts changed, and parts added (``__`` stands for ``/``)."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, change(part.filename, old.read(part)))
        for name, data in more.items():
            new.writestr(name.replace("__", "/"), data)
    return stream.getvalue()


def docx() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return stream.getvalue()


def plain_zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("目录.xlsx", form(row()))
    return stream.getvalue()


def shared_strings(texts: list[str], rows: int = 1) -> bytes:
    """An .xlsx as Excel writes it: texts stand once, apart from the cells that show them. Every cell shows the first."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    links = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, rows + 1))
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "docProps/app.xml": "<Properties/>",
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="目录" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{links}"><Relationship Id="rId1" Type="{office}/worksheet" '
        f'Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{office}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">'
        + "".join(f"<si><t>{text}</t></si>" for text in texts)
        + "</sst>",
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return stream.getvalue()


def compound(*streams: tuple[str, bytes]) -> bytes:
    """A small OLE file ([MS-CFB]) with streams of at least 4,096 bytes each."""
    sectors: list[bytes] = []
    starts = []
    fat: list[int] = []
    for _, data in streams:
        data = data.ljust(4096, b"\0")
        data += b"\0" * (-len(data) % 512)
        starts.append(len(sectors))
        count = len(data) // 512
        fat += [len(sectors) + i + 1 for i in range(count - 1)] + [0xFFFFFFFE]
        sectors += [data[i * 512 : (i + 1) * 512] for i in range(count)]
    entries = [("Root Entry", 5, 0xFFFFFFFE, 0)] + [
        (name, 2, start, max(len(data), 4096)) for (name, data), start in zip(streams, starts, strict=True)
    ]
    directory = b""
    for name, kind, start, size in entries:
        encoded = name.encode("utf-16-le")
        directory += encoded.ljust(64, b"\0") + struct.pack("<HBB3I", len(encoded) + 2, kind, 1, *(0xFFFFFFFF,) * 3)
        directory += b"\0" * 36 + struct.pack("<IQ", start, size)
    directory = directory.ljust(512, b"\0")
    directory_at = len(sectors)
    sectors += [directory[i : i + 512] for i in range(0, len(directory), 512)]
    fat += [0xFFFFFFFE] * (len(sectors) - directory_at)
    fat_at = len(sectors)
    fat.append(0xFFFFFFFD)
    sectors.append(struct.pack("<128I", *fat, *(0xFFFFFFFF,) * (128 - len(fat))))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 10
    header += struct.pack("<9I", 1, directory_at, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, fat_at)
    return header.ljust(512, b"\xff") + b"".join(sectors)


def old_workbook(*records: tuple[int, bytes]) -> bytes:
    """An .xls ([MS-XLS], BIFF8) with one sheet 目录 that holds these records."""

    def record(kind: int, body: bytes = b"") -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    name = "目录".encode("utf-16-le")
    bof = struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0)
    start = len(record(0x809, bof)) + 4 + 6 + 2 + len(name) + len(record(0x0A))
    book = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
    book += record(0x85, struct.pack("<IBBBB", start, 0, 0, 2, 1) + name) + record(0x0A)
    return compound(("Workbook", book + record(0x809, bof) + b"".join(record(*one) for one in records) + record(0x0A)))


def label(row: int, column: int, text: str) -> tuple[int, bytes]:
    return 0x204, struct.pack("<HHHHB", row, column, 0, len(text), 1) + text.encode("utf-16-le")


@pytest.mark.parametrize(
    ("content", "rule", "said"),
    [
        (b"", "empty_file", "空文件"),
        (b" \r\n\r\n", "empty_file", "空文件"),
        (b"%PDF-1.7 ...", "wrong_file_type", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "wrong_file_type", "图片"),
        (b"MZ\x90\0\3\0\0\0", "wrong_file_type", "程序"),
        (b"Rar!\x1a\x07", "wrong_file_type", "RAR"),
        (docx(), "wrong_file_type", "Word"),
        (plain_zip(), "wrong_file_type", "压缩包"),
        (b"<html><table><tr><td>x</td></tr></table></html>", "wrong_file_type", "网页"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "wrong_file_type", "网页或 XML"),
        ("信息资源名称,".encode("utf-16"), "wrong_file_type", "GB18030"),
        (b"\xff\xff\xff,\xff", "unknown_encoding", "GB18030"),
        (compound(("WordDocument", b"")), "wrong_file_type", "Word"),
        (compound(("EncryptedPackage", b""), ("EncryptionInfo", b"")), "password", "打开密码"),
        (
            compound(("Workbook", struct.pack("<HHHH", 0x809, 4, 0x600, 5) + struct.pack("<HHH", 0x2F, 2, 1))),
            "password",
            "打开密码",
        ),
        (compound(("Workbook", b"\x09\x08")), "corrupt_file", "损坏"),
        (compound(("Workbook", b""))[:900], "corrupt_file", "损坏"),
        ("甲,乙\n丙,丁\n".encode(), "no_table", "信息资源名称"),
        ("信息资源名称,信息资源摘要,更新周期\n".encode(), "no_entries", "只有表头"),
    ],
)
def test_told_by_its_content(refusal: Any, content: bytes, rule: str, said: str) -> None:
    found, message = refusal(content)
    assert found == rule
    assert said in message and message.startswith("文件《目录.xlsx》")


def test_the_extension_does_not_matter(profile: Profile) -> None:
    report = read_form(form(row()), "目录.csv", profile=profile)
    assert [d.title for d in report.entries] == ["城乡低保标准"]


@pytest.mark.parametrize("cut", [30, 500, -200, -1])
def test_a_workbook_cut_short(refusal: Any, cut: int) -> None:
    assert refusal(form(row())[:cut])[0] == "corrupt_file"


def test_a_workbook_with_broken_xml(refusal: Any) -> None:
    content = rezip(form(row()), lambda name, data: data[:-30] if name.endswith("sheet1.xml") else data)
    assert refusal(content)[0] == "corrupt_file"


def test_a_file_of_200_mb_is_refused_unread(refusal: Any, tmp_path: Path) -> None:
    path = tmp_path / "大.xlsx"
    with path.open("wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(200 * MIB)
    tracemalloc.start()
    rule, message = refusal(path, limits=Limits())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rule == "file_too_big" and "200 MB" in message and "50 MB" in message
    assert peak < MIB


def test_a_stream_is_read_no_further_than_the_limit(refusal: Any) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            assert size > 0, "must not ask for all"
            self.given += size
            return b"x" * size

    stream = Endless()
    assert refusal(stream)[0] == "file_too_big"
    assert stream.given <= SMALL.max_bytes + 1


def test_a_zip_bomb_by_its_declared_size(refusal: Any) -> None:
    content = rezip(form(row()), lambda _, data: data, xl__media__x=b"\0" * (9 * MIB))
    assert refusal(content)[0] == "zip_bomb"


def test_a_zip_bomb_by_its_ratio(refusal: Any) -> None:
    content = rezip(form(row()), lambda _, data: data, xl__worksheets__big=b"\0" * (4 * MIB))
    rule, message = refusal(content)
    assert rule == "zip_bomb" and "压缩比" in message


def test_a_zip_bomb_that_lies_about_its_size(refusal: Any) -> None:
    """The declared size of a part is set to 100 bytes; what unpacks beyond it breaks the checksum."""
    content = bytearray(rezip(form(row()), lambda _, data: data, xl__worksheets__big=b"<a>" + b"\0" * (4 * MIB)))
    place = content.rindex(b"xl/worksheets/big")
    struct.pack_into("<I", content, place - 46 + 24, 100)
    assert refusal(bytes(content))[0] == "corrupt_file"


def test_too_many_parts(refusal: Any) -> None:
    content = rezip(form(row()), lambda _, data: data, **{f"xl__media__{i}": b"" for i in range(2001)})
    assert refusal(content)[0] == "zip_bomb"


@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "docProps/app.xml"]
)
def test_xml_entities(refusal: Any, part: str) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'

    def plant(name: str, data: bytes) -> bytes:
        if name != part:
            return data
        head, _, rest = data.partition(b"?>") if data.startswith(b"<?xml") else (b'<?xml version="1.0"', b"", data)
        return head + b"?>" + bomb + rest

    assert refusal(rezip(shared_strings(["a"]), plant))[0] == "xml_entities"


def test_a_far_away_cell_costs_no_memory(refusal: Any) -> None:
    def far(book: Any) -> None:
        book["目录"]["XFD1048576"] = "x"

    assert refusal(form(row(), change=far))[0] == "too_many_columns"

    def deep(book: Any) -> None:
        book["目录"]["Y1048576"] = "x"

    assert refusal(form(row(), change=deep))[0] == "too_many_cells"


def test_formats_of_empty_cells_do_not_count(profile: Profile) -> None:
    """Real files carry borders down to the last row of the sheet."""

    def border(book: Any) -> None:
        book["目录"]["A1048576"].font = openpyxl.styles.Font(bold=True)

    assert len(read_form(form(row(), change=border), "目录.xlsx", profile=profile).entries) == 1


def test_one_long_text_shown_in_many_cells(refusal: Any) -> None:
    """The text stands once in the file; laid out in memory its cells would be gigabytes."""
    assert refusal(shared_strings(["长" * 30_000], rows=900), limits=replace(SMALL, max_text=MIB))[0] == "too_much_text"


@pytest.mark.parametrize("long", [shared_strings(["长" * 40_000]), form(row(notes="short"))])
def test_a_cell_longer_than_excel_allows(refusal: Any, long: bytes) -> None:
    def stretch(name: str, data: bytes) -> bytes:
        return data.replace(b"short", "长".encode() * 40_000) if name.endswith("sheet1.xml") else data

    assert refusal(rezip(long, stretch))[0] == "cell_too_long"


def many_rows(count: int) -> bytes:
    """A form of so many rows, written as XML by hand: openpyxl would take longer than the reader."""
    book = form(row())
    body = b"".join(
        f'<row r="{n}"><c r="B{n}" t="inlineStr"><is><t>目录{n}</t></is></c><c r="D{n}" t="inlineStr"><is><t>摘要</t></is></c></row>'.encode()
        for n in range(5, count + 5)
    )
    return rezip(
        book,
        lambda name, data: (
            data.replace(b"</sheetData>", body + b"</sheetData>") if name.endswith("sheet1.xml") else data
        ),
    )


def test_100_000_rows_are_refused_before_they_are_parsed(refusal: Any) -> None:
    content = many_rows(100_000)
    start = time.perf_counter()
    rule, message = refusal(content, limits=Limits())
    assert rule == "too_many_rows" and "50000 行" in message and "工作表《目录》" in message
    assert time.perf_counter() - start < 20


def test_100_000_rows_of_csv(refusal: Any) -> None:
    content = "信息资源名称,信息资源摘要,更新周期\n".encode() + "目录,摘要,每年\n".encode() * 100_000
    assert refusal(content, "目录.csv", Limits())[0] == "too_many_rows"


def test_an_unclosed_quotation_mark_in_csv(refusal: Any) -> None:
    content = "信息资源名称,信息资源摘要,更新周期\n".encode() + b'"' + "目录,摘要\n".encode() * 10_000
    rule, message = refusal(content, "目录.csv", Limits())
    assert rule == "cell_too_long" and "引号" in message


def test_formulas_in_csv(profile: Profile) -> None:
    content = '信息资源名称,信息资源摘要,信息资源代码,更新周期\n低保,=1+1,="307001/00001",每年\n'
    [draft] = read_form(content.encode(), "目录.csv", profile=profile).entries
    assert draft.entry["resource_code"] == "307001/00001"
    assert [(p.rule, p.where) for p in draft.problems if p.rule == "formula"] == [("formula", "工作表《目录》B2")]


def test_formulas_with_a_saved_result_are_taken_and_told(profile: Profile) -> None:
    def formula(name: str, data: bytes) -> bytes:
        return data.replace(b"<f>A1&amp;B1</f><v />", b"<f>A1&amp;B1</f><v>1</v>").replace(
            b"<f>A1&amp;B1</f><v></v>", b"<f>A1&amp;B1</f><v>1</v>"
        )

    content = rezip(form(row(length="=A1&B1")), formula)
    [draft] = read_form(content, "目录.xlsx", profile=profile).entries
    assert draft.entry["items"][0]["length"] == "1"
    assert [(p.rule, p.where, p.severity) for p in draft.problems if p.rule == "formula"] == [
        ("formula", "工作表《目录》I4", "warning")
    ]


OLD_FORM = (
    *(label(0, column, text) for column, text in enumerate(["信息资源名称", "信息资源摘要", "更新周期"])),
    label(1, 0, "低保"),
    (0x06, struct.pack("<HHHdHIH", 1, 1, 0, 7.0, 0, 0, 0)),  # FORMULA with the saved result 7
    (0x205, struct.pack("<HHHBB", 1, 2, 0, 42, 1)),  # BOOLERR #N/A
)


def test_formulas_and_error_values_in_old_excel(profile: Profile) -> None:
    [draft] = read_form(old_workbook(*OLD_FORM), "目录.xls", profile=profile).entries
    assert draft.entry["notes"] == "7"
    found = {(p.rule, p.where, p.severity) for p in draft.problems if p.rule in ("formula", "error_value")}
    assert found == {("formula", "工作表《目录》B2", "warning"), ("error_value", "工作表《目录》C2", "error")}


def test_a_far_away_cell_in_old_excel(refusal: Any) -> None:
    assert refusal(old_workbook(*OLD_FORM, label(65_535, 255, "x")))[0] == "too_many_cells"


def test_a_damaged_file_never_breaks_the_reader(examples: Path, profile: Profile) -> None:
    """Bytes changed at random, the same ones each time: a report comes back, whatever it says."""
    chance = random.Random(20220509)
    for path in sorted((examples / "forms").iterdir()):
        original = path.read_bytes()
        for _ in range(25):
            damaged = bytearray(original)
            for _ in range(chance.choice((1, 5, 50))):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            report = read_form(bytes(damaged), path.name, profile=profile)
            assert report.entries or report.problems


def test_macros_are_told_and_never_run(profile: Profile) -> None:
    content = rezip(form(row()), lambda _, data: data, xl__vbaProject_bin=b"").replace(
        b"vbaProject_bin", b"vbaProject.bin"
    )
    report = read_form(content, "目录.xlsm", profile=profile)
    assert len(report.entries) == 1
    assert [(p.rule, p.severity) for p in report.problems] == [("macros", "warning")]


def test_the_limits_can_be_set_from_outside(monkeypatch: pytest.MonkeyPatch, profile: Profile) -> None:
    monkeypatch.setenv("MULU_FORM_MAX_BYTES", "100")
    report: FormReport = read_form(workbook([["x"]]), "目录.xlsx", profile=profile)
    assert [p.rule for p in report.problems] == ["file_too_big"]


def test_5_000_rows_in_seconds(profile: Profile) -> None:
    content = form(*[row(serial=i, title=f"目录{i}", code=None) for i in range(5_000)])
    start = time.perf_counter()
    report = read_form(content, "目录.xlsx", profile=profile)
    assert len(report.entries) == 5_000
    assert time.perf_counter() - start < 20
