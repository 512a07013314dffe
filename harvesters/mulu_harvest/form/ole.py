"""The container of old Office files (.xls), as far as a safety check needs it: names of its streams, bytes of one.

Layout: [MS-CFB] Compound File Binary File Format. Values are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LAST_REGULAR = 0xFFFFFFFA
_STREAM, _ROOT = 2, 5


class NotCompound(Exception):
    """The bytes are no compound file, or one that is damaged."""


class Compound:
    """An opened container; ``names`` are the names of all its streams and storages."""

    def __init__(self, data: bytes) -> None:
        """:raises NotCompound: a damaged container."""
        if len(data) < 1536 or not data.startswith(_MAGIC):
            raise NotCompound
        self._data = data
        shift, mini_shift = struct.unpack_from("<HH", data, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise NotCompound
        self._size = 1 << shift
        directory, self._cutoff, mini_fat, difat = struct.unpack_from("<I4xII4xI", data, 48)
        try:
            self._fat = self._read_fat(difat)
            entries = self._entries(self._chain(directory, self._fat, self._sector))
            root = next(entry for entry in entries.values() if entry[0] == _ROOT)
            self._mini_stream = self._chain(root[1], self._fat, self._sector) if root[2] else b""
            mini = self._chain(mini_fat, self._fat, self._sector) if mini_fat <= _LAST_REGULAR else b""
        except (struct.error, StopIteration, IndexError, UnicodeDecodeError) as error:
            raise NotCompound from error
        self._mini_fat = struct.unpack(f"<{len(mini) // 4}I", mini)
        self._entries_by_name = entries
        self.names = frozenset(entries)

    def read(self, name: str) -> bytes:
        """The bytes of the stream of this name.

        :raises NotCompound: its chain of sectors is broken.
        :raises KeyError: there is no such stream.
        """
        _, start, size = self._entries_by_name[name]
        if size < self._cutoff:
            return self._chain(start, self._mini_fat, self._mini_sector)[:size]
        return self._chain(start, self._fat, self._sector)[:size]

    def _sector(self, number: int) -> bytes:
        return self._data[(number + 1) * self._size : (number + 2) * self._size]

    def _mini_sector(self, number: int) -> bytes:
        return self._mini_stream[number * 64 : (number + 1) * 64]

    def _read_fat(self, difat: int) -> tuple[int, ...]:
        sectors = [n for n in struct.unpack_from("<109I", self._data, 76) if n <= _LAST_REGULAR]
        seen: set[int] = set()
        while difat <= _LAST_REGULAR and difat not in seen:
            seen.add(difat)
            *more, difat = struct.unpack(f"<{self._size // 4}I", self._sector(difat))
            sectors += [n for n in more if n <= _LAST_REGULAR]
        table = b"".join(self._sector(n) for n in sectors[: len(self._data) // self._size + 1])
        return struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4])

    def _chain(self, start: int, table: tuple[int, ...], sector: Callable[[int], bytes]) -> bytes:
        parts: list[bytes] = []
        number = start
        while number <= _LAST_REGULAR:
            if number >= len(table) or len(parts) > len(table):
                raise NotCompound
            parts.append(sector(number))
            number = table[number]
        return b"".join(parts)

    @staticmethod
    def _entries(directory: bytes) -> dict[str, tuple[int, int, int]]:
        """Name → (type, first sector, size in bytes); the first of a name stands, as the workbook's own comes first."""
        found: dict[str, tuple[int, int, int]] = {}
        for offset in range(0, len(directory) - 127, 128):
            length, kind = struct.unpack_from("<HB", directory, offset + 64)
            if kind and 2 <= length <= 64:
                name = directory[offset : offset + length - 2].decode("utf-16-le")
                start, size = struct.unpack_from("<II", directory, offset + 116)
                found.setdefault(name, (kind, start, size))
        return found
