"""What a release is made of: a file of units, one JSON list a line, that a crash may cut short but not spoil."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec


class Unit(NamedTuple):
    """A group of files made together; `key` is the digest of all that they were made from ("" while they are being made)."""

    key: str
    files: list[str]
    note: Any = None  # what a later build wants to know of this unit without making it again


Manifest = dict[str, Unit]
_line = msgspec.json.Decoder(tuple[str, str, list[str], Any])


def line_of(name: str, unit: Unit) -> bytes:
    return msgspec.json.encode((name, *unit)) + b"\n"


def read_manifest(path: Path) -> Manifest:
    """Reads a manifest: the last line of a unit counts, a line that is not whole does not."""
    return dict(_lines(path))


def read_journal(path: Path) -> Manifest:
    """Reads the journal of a build that was stopped. A unit whose file another one has since taken the place of is undone."""
    units: Manifest = {}
    owner: dict[str, str] = {}
    for name, unit in _lines(path):
        units[name] = unit
        for file in unit.files:
            other = owner.get(file, name)
            if other != name:
                units[other] = units[other]._replace(key="")
            owner[file] = name
    return units


def _lines(path: Path) -> Iterator[tuple[str, Unit]]:
    if not path.exists():
        return
    with path.open("rb") as stream:
        for line in stream:
            try:
                name, *unit = _line.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
            yield name, Unit(*unit)


def write_manifest(path: Path, units: Manifest) -> None:
    """Puts the manifest in place when it is whole and on the disk."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as stream:
        stream.writelines(line_of(name, unit) for name, unit in units.items())
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(fresh, path)


def same(one: Path, other: Path) -> bool:
    """Whether two manifests are the same, byte by byte."""
    if not (one.exists() and other.exists()) or one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while part := first.read(1 << 20):
            if part != second.read(1 << 20):
                return False
    return True


def to_disk(files: Iterable[Path], *, at_most: int = 500) -> None:
    """Makes written files outlive a loss of power: each by itself, or, where they are many, everything at once."""
    files = list(files)
    if len(files) > at_most:
        os.sync()
        return
    for file in files:
        number = os.open(file, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
