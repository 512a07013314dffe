"""Reads and writes the snapshot: everything that is published, as JSON Lines, made by CKAN and read here.

Line 1 is the header, then one published entry a line, and a last line that seals the file:
`{"end": true, "count": N, "sha256": hex digest of all bytes before it}`. A file without its seal was cut short on the way
and is refused before a single page is made.

The header may carry the public ledger (mulu_site.ledger), and what was published and no longer is, so that a site built without a
memory of its own has pages for them: `withdrawn: [{id, name, title, provider_title, on, reason}]`. An entry that changed its name
may say what it was called before, `former_names: [name]`: the old addresses then lead on to the new one.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mulu_site.text import UNWANTED, clean, one_line

FORMAT = 1
_OBJECTS = ("items", "resources", "history")
Entry = dict[str, Any]


class SnapshotError(Exception):
    """The snapshot cannot be used; the message is one Chinese sentence for the operator."""


@dataclass(frozen=True)
class Line:
    """One entry as it stands in the file: `digest` (sha256 of the line) tells whether it changed, `offset` finds it again."""

    offset: int
    digest: str
    raw: bytes

    def entry(self) -> Entry:
        value = entry_of(self.raw)
        if not isinstance(value, dict) or not str(value.get("name", "")).strip():
            raise SnapshotError(f"快照文件第 {self.offset} 字节处的一行不是目录条目（缺少 name），请重新生成快照。")
        return value


@dataclass(frozen=True)
class Snapshot:
    """A verified snapshot. `lines()` streams it; nothing of the entries stays in memory."""

    path: Path
    header: Mapping[str, Any]
    count: int
    sha256: str

    @property
    def departments(self) -> list[dict[str, Any]]:
        return [d for d in self.header.get("departments") or [] if isinstance(d, dict) and d.get("name")]

    def lines(self) -> Iterator[Line]:
        with self.path.open("rb") as stream:
            offset = len(stream.readline())
            for _ in range(self.count):
                raw = stream.readline()
                yield Line(offset, hashlib.sha256(raw).hexdigest(), raw)
                offset += len(raw)

    def read(self, offsets: Iterable[int]) -> Iterator[Entry]:
        """The entries that begin at these byte offsets, in the order asked for."""
        with self.path.open("rb") as stream:
            for offset in offsets:
                stream.seek(offset)
                yield entry_of(stream.readline())


def entry_of(raw: bytes) -> Entry:
    """The entry of a line, without the characters that no page may show (looked for in the line as a whole: most hold none).

    Raises `SnapshotError` where the line is no JSON. A number that JSON has no word for (NaN, infinity) counts as not stated: written
    on, it would spoil every file of the whole catalogue. What should be a list of objects is one: the rest of it is left out here, once.
    """
    text = raw.decode("utf-8", "replace")
    try:
        entry = clean(_plain(text)) if "\\u" in text or UNWANTED.search(text) else _decoded(text)
    except (ValueError, RecursionError):
        raise SnapshotError(f"快照里有一行不是目录条目的 JSON（以“{one_line(clean(text[:40]))}”开头），请重新生成快照。") from None
    if isinstance(entry, dict):
        for key in _OBJECTS:
            given = entry.get(key, [])
            if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
                entry[key] = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    return entry


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:  # numbers that only Python's own reader takes
        return _plain(text)


def _plain(text: str) -> Any:
    return json.loads(text, parse_constant=lambda name: None, parse_float=_finite)


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def open_snapshot(path: str | Path) -> Snapshot:
    """Checks the whole file (header, seal, count, digest) and returns it; raises `SnapshotError` with the reason."""
    path = Path(path)
    try:
        return _verify(path)
    except FileNotFoundError:
        raise SnapshotError(f"找不到快照文件 {path}。") from None
    except OSError as error:
        raise SnapshotError(f"快照文件 {path} 读不出来：{error.strerror}。") from None


def _verify(path: Path) -> Snapshot:
    digest = hashlib.sha256()
    lines, header, last = 0, b"", b""
    with path.open("rb") as stream:
        for line in stream:
            if lines == 0:
                header = line
            digest.update(last)
            last = line
            lines += 1
    head, seal = _json(header), _json(last)
    if isinstance(head.get("mulu_snapshot"), int) and head["mulu_snapshot"] > FORMAT:
        raise SnapshotError(f"{path.name} 由较新版本的系统生成（mulu_snapshot 为 {head['mulu_snapshot']}，这里只认识 {FORMAT}），请先升级，再生成站点。")
    if head.get("mulu_snapshot") != FORMAT:
        raise SnapshotError(f"{path.name} 不是本系统的目录快照：首行应写明 mulu_snapshot 为 {FORMAT}。")
    if seal.get("end") is not True:
        raise SnapshotError(f"快照文件 {path.name} 不完整：缺少结束行，传输或写入时被截断，请重新生成。")
    if seal.get("sha256") != digest.hexdigest() or seal.get("count") != lines - 2:
        raise SnapshotError(f"快照文件 {path.name} 已损坏：内容与结束行的条数或校验值不符，请重新生成。")
    return Snapshot(path, head, lines - 2, digest.hexdigest())


def _json(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def write_snapshot(path: str | Path, header: Mapping[str, Any], entries: Iterable[Entry]) -> int:
    """Writes a sealed snapshot and returns the number of entries."""
    digest, count = hashlib.sha256(), 0
    with Path(path).open("wb") as stream:

        def line(value: Mapping[str, Any]) -> None:
            raw = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            digest.update(raw)
            stream.write(raw)

        line({"mulu_snapshot": FORMAT, **header})
        for entry in entries:
            line(entry)
            count += 1
        seal = {"end": True, "count": count, "sha256": digest.hexdigest()}
        stream.write(json.dumps(seal).encode() + b"\n")
    return count
