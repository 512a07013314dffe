"""The whole catalogue as a workbook (entries.xlsx): the rows of entries.csv on one sheet, for those who would rather sort and filter.

Written here and not by openpyxl, which stamps every file with the hour (the same catalogue must give the same bytes) and takes
several times as long: a changed entry makes this file anew. Texts stand in the cells themselves; no cell can be a formula.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape

from mulu_site.release import Writer
from mulu_site.render import code_digest
from mulu_site.text import digest
from mulu_site.work import Work

LONGEST = 32_000
"""Characters; a cell of a workbook holds 32,767."""
_BATCH = 500
_WIDTHS = {"信息资源名称": 44, "信息资源摘要": 60, "信息资源提供方": 26, "信息项": 60, "页面": 40}
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOC = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" Type="{_DOC}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOC}"><sheets><sheet name="目录" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" Type="{_DOC}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{_DOC}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/></font><font><b/><sz val="11"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf xfId="0"/><xf fontId="1" xfId="0" applyFont="1"/></cellXfs><cellStyles count="1"><cellStyle name="常规" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}  # fmt: skip


def make(work: Work, bulk_key: str) -> None:
    """entries.xlsx from the entries.csv of this release; `bulk_key`: the key of the unit that wrote it."""

    def write_workbook(write: Writer) -> None:
        csv.field_size_limit(1 << 30)  # an abstract may have ten megabytes; a cell here is cut at LONGEST
        with work.release.target("entries.csv").open(encoding="utf-8-sig", newline="") as stream:
            write("entries.xlsx", workbook(csv.reader(stream)))

    work.release.unit("workbook", digest(bulk_key, code_digest()), write_workbook)


def workbook(rows: Iterable[Sequence[str]]) -> bytes:
    """A workbook of one sheet; the first row is its heading."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, content in _PARTS.items():
            file.writestr(zipfile.ZipInfo(name), _HEAD + content, zipfile.ZIP_DEFLATED)  # dated 1980-01-01
        with file.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for part in _sheet(iter(rows)):
                sheet.write(part)
    return held.getvalue()


def _sheet(rows: Iterator[Sequence[str]]) -> Iterator[bytes]:
    heading = next(rows, [])
    widths = "".join(f'<col min="{n}" max="{n}" width="{_WIDTHS.get(name, 18)}" customWidth="1"/>' for n, name in enumerate(heading, start=1))
    view = '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    bold = _row(heading, ' s="1"')
    yield f'{_HEAD}<worksheet xmlns="{_MAIN}">{view}<cols>{widths}</cols><sheetData>{bold}'.encode()
    count, batch = 1, []
    for row in rows:
        count += 1
        batch.append(_row(row))
        if len(batch) == _BATCH:
            yield "".join(batch).encode()
            batch = []
    last = f"{_letters(len(heading))}{count}"
    yield f'{"".join(batch)}</sheetData><autoFilter ref="A1:{last}"/></worksheet>'.encode()


def _row(cells: Sequence[str], style: str = "") -> str:
    texts = escape("\0".join([cell[:LONGEST] for cell in cells])).split("\0")  # once a row: a text holds no zero
    return "<row>" + "".join([f'<c{style} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>' if text else "<c/>" for text in texts]) + "</row>"


def _letters(number: int) -> str:
    """1 → A, 27 → AA."""
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text or "A"
