"""What an uploaded file is, by its content and never by its name; what may run on the reader's machine is refused."""

from __future__ import annotations

import re
import unicodedata
import zipfile
import zlib
from typing import IO, Any

import magic

from mulu.attached import ACCEPTED, TYPES

_OFFICE = "application/vnd.openxmlformats-officedocument"
HEAD = 8192
LONGEST_NAME = 100
_UNPACKED = 60 * 2**20
_MEMBERS = 2000
_TEXT = {"text/plain": "text/plain", "text/csv": "text/csv", "application/csv": "text/csv", "application/octet-stream": "text/plain"}
"""libmagic's word → ours. What it cannot name may be a short text, or one in GB18030; ``_require_text`` finds out."""
_PARTS = {"word/document.xml": f"{_OFFICE}.wordprocessingml.document", "xl/workbook.xml": f"{_OFFICE}.spreadsheetml.sheet"}
_ACTIVE_PARTS = re.compile(r"vbaproject|vbadata|/activex/|/embeddings/|/externallinks/|macrosheet|customui", re.IGNORECASE)
_ACTIVE_PDF = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|RichMedia)\b")


class NotAccepted(Exception):
    """rule: ``file_type``, ``file_active`` (macros, scripts), ``file_bomb``, ``file_broken``; message: why, as half a sentence."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule, self.message = rule, message


def type_of(stream: IO[bytes]) -> str:
    """The media type of an open file, one of ``TYPES``; the stream is rewound.

    :raises NotAccepted: for any other, and for what may run or swell
    """
    try:
        stream.seek(0)
        head = stream.read(HEAD)
        if head.startswith(b"PK\x03\x04"):
            return _office(stream)
        kind = magic.from_buffer(head, mime=True)
        if kind in _TEXT:
            _require_text(stream, head)
            return _TEXT[kind]
        if kind == "application/pdf":
            _quiet_pdf(stream)
        if kind not in TYPES:
            raise NotAccepted("file_type", f"不是可以受理的格式，请换成 {ACCEPTED}")
        return kind
    finally:
        stream.seek(0)


def safe_name(name: Any, kind: str) -> str:
    """A name to show and to save under: no folder, no control or direction characters, ending as the type asks."""
    base = re.split(r"[/\\]", str(name or ""))[-1]
    base = "".join(one for one in base if unicodedata.category(one)[0] != "C" and one not in '<>:"|?*').strip(". ")
    endings = TYPES[kind]
    if not base.lower().endswith(endings):
        base += endings[0]
    stem, dot, ending = base.rpartition(".")
    return f"{stem[: LONGEST_NAME - len(ending) - 1] or '附件'}{dot}{ending}"


def _require_text(stream: IO[bytes], head: bytes) -> None:
    if "EICAR" in magic.from_buffer(head):
        raise NotAccepted("file_active", "被认作病毒")
    stream.seek(0)
    content = stream.read()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise NotAccepted("file_type", "不是文字文件，编码须为 UTF-8 或者 GB18030")
    if any(unicodedata.category(one) == "Cc" and one not in "\t\n\r\f" for one in text):
        raise NotAccepted("file_type", "不是文字文件，含有控制字符")


def _quiet_pdf(stream: IO[bytes]) -> None:
    stream.seek(0)
    if found := _ACTIVE_PDF.search(stream.read()):
        raise NotAccepted("file_active", f"含有脚本或者附带的文件（{found[0].decode()}），请另存为不含这些内容的 PDF")


def _office(stream: IO[bytes]) -> str:
    """A document or a workbook; the whole of it is unpacked once, so that what it claims is what it is."""
    try:
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            if len(members) > _MEMBERS or sum(one.file_size for one in members) > _UNPACKED:
                raise NotAccepted("file_bomb", f"解压后过大（超过 {_UNPACKED >> 20} MB），请减少内容")
            names = {one.filename for one in members}
            kind = next((kind for part, kind in _PARTS.items() if part in names), "")
            if not kind or "[Content_Types].xml" not in names:
                raise NotAccepted("file_type", f"不是可以受理的格式，请换成 {ACCEPTED}")
            types = archive.read("[Content_Types].xml")
            if b"macroEnabled" in types or any(_ACTIVE_PARTS.search(name) for name in names):
                raise NotAccepted("file_active", "含有宏、嵌入的对象或者外部链接，请另存为不含这些内容的文件")
            if broken := archive.testzip():
                raise NotAccepted("file_broken", f"已损坏（{broken[:50]}）")
            return kind
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, zlib.error):
        raise NotAccepted("file_broken", "已损坏或者有密码，打不开") from None
