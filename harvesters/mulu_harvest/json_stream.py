"""Records of a JSON document, one after the other: what is held in memory is one record, not the document."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import IO, Any

import ijson

from .source import SourceError

MAX_DEPTH = 64
"""No record of a catalogue is nested deeper; what is has been made to break its reader."""
RECORD_MAX_BYTES = 32 * 1024 * 1024
"""A record is a page of text at most; what has not ended after this much is no list of records."""
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_HEAD = 4096
_MOST_DIGITS = 2000
_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")
Event = tuple[str, Any]


@dataclass(frozen=True)
class Odd:
    """What stands in the place of a record that cannot be taken. ``reason`` follows the record's place."""

    reason: str


def records(file: IO[bytes], path: str = "", *, name: str = "") -> Iterator[tuple[int, Any]]:
    """(number from 1, record) for each element of a JSON array; a record is what JSON can be, or ``Odd``.

    :param path: where the array stands within an object, e.g. ``dataset``, ``result.results``; a document that is an array
        itself is read whatever the path says. ``""``: the document is the array.
    :param name: the document's name or address, for messages.
    :raises SourceError: no JSON, no such array, or cut or broken in the middle; it says at which record.
    """
    source = _Source(file)
    head = source.head()
    text = _text(head)
    if not text.startswith(("[", "{")):
        raise SourceError(f"{name}{not_json(head)}")
    if not path and not text.startswith("["):
        raise SourceError(f"{name}应当是一个 JSON 数组，每条目录一个对象")
    number, found = 0, False
    # Events and not ijson's paths, which are as long as the nesting is deep: a document of nothing but [ would fill the memory.
    events = iter(ijson.basic_parse(source, buf_size=64 * 1024))
    try:
        for _ in _arrays(events, path.split(".") if path else []):
            found = True
            while (event := next(events))[0] != "end_array":
                record = _build(event, events)
                number, source.since = number + 1, 0
                yield number, record
    except (ijson.JSONError, ValueError, ArithmeticError) as error:
        raise SourceError(f"{name}的 JSON 在第 {number + 1} 条处断了或者写错了：{_reason(error)}") from error
    if not found:
        raise SourceError(f"{name}中没有“{path}”这一数组")


def not_json(head: bytes) -> str:
    """What a document is instead of JSON, from its beginning; the sentence follows the document's name."""
    if title := _TITLE.search(head):
        said = re.sub(r"\s+", " ", title[1].decode("utf-8", "replace")).strip()[:100]
        return f"返回的是网页“{said}”，不是 JSON"
    text = _text(head)
    if not text:
        return "的内容是空的，不是 JSON"
    what = "返回的是网页或 XML，不是 JSON" if text.startswith("<") else "返回的不是 JSON"
    shown = "".join(c if c.isprintable() else "·" for c in re.sub(r"\s+", " ", text)[:80])
    return f"{what}，开头是“{shown}”"


def _text(head: bytes) -> str:
    return head.decode("utf-8-sig", "replace").strip()


def _reason(error: Exception) -> str:
    text = str(error.args[0].decode("utf-8", "replace") if error.args and isinstance(error.args[0], bytes) else error)
    if "premature EOF" in text or "incomplete" in text.lower():
        return "内容不完整"
    return text.splitlines()[0].strip()[:100] if text else type(error).__name__


def _arrays(events: Iterator[Event], path: list[str]) -> Iterator[None]:
    """Stops where the wanted array has begun; whoever reads it leaves ``events`` at its end."""
    at: list[str] = []
    top = True
    for event, value in events:
        if event == "start_array" and (at == path or top):
            yield None
        elif event in ("start_map", "start_array"):
            if len(at) >= MAX_DEPTH:
                raise ValueError(f"嵌套超过 {MAX_DEPTH} 层")
            at.append("" if event == "start_map" else "[]")
        elif event == "map_key":
            at[-1] = value
        elif event in ("end_map", "end_array"):
            at.pop()
        top = False


def _build(first: Event, events: Iterator[Event]) -> Any:
    """The value that begins with this event."""
    event, value = first
    if event not in ("start_map", "start_array"):
        return _scalar(event, value)
    result: Any = {} if event == "start_map" else []
    open_values: list[Any] = [result]
    keys: list[str] = [""]
    deeper = 0  # containers open below the deepest that is kept
    too_deep = False
    while open_values:
        event, value = next(events)
        if deeper:
            deeper += {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}.get(event, 0)
            continue
        if event == "map_key":
            keys[-1] = value
            continue
        if event in ("end_map", "end_array"):
            open_values.pop()
            keys.pop()
            continue
        starts = event in ("start_map", "start_array")
        if starts and len(open_values) >= MAX_DEPTH:
            deeper, too_deep = 1, True
            continue
        made: Any = ({} if event == "start_map" else []) if starts else _scalar(event, value)
        holder = open_values[-1]
        if isinstance(holder, list):
            holder.append(made)
        else:
            holder[keys[-1]] = made
        if starts:
            open_values.append(made)
            keys.append("")
    return Odd(f"嵌套超过 {MAX_DEPTH} 层") if too_deep else result


def _scalar(event: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        number = float(value)
        return number if math.isfinite(number) else str(value)
    return value


class _Source:
    """A file that tells how much was read of it since the last record, and lets nobody read a record without end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._tail = b""
        self.since = 0

    def head(self) -> bytes:
        """The document's beginning; a byte order mark, which JSON does not have, is skipped."""
        start = self._file.read(_HEAD)
        self._file.seek(3 if start.startswith(b"\xef\xbb\xbf") else 0)
        return start

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self.since += len(chunk)
        if self.since > RECORD_MAX_BYTES:
            raise ValueError(f"一条超过 {RECORD_MAX_BYTES // 1024 // 1024} MiB")
        # Python refuses to make an integer of more digits, and ijson's parser in C does not survive that.
        if b"0" * _MOST_DIGITS in (self._tail + chunk).translate(_AS_ZEROS):
            raise ValueError("有数字太长")
        self._tail = chunk[-_MOST_DIGITS:]
        return chunk
