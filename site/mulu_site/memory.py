"""What the last build found out of each entry, in a small database beside the releases: an unchanged entry is not read again.

It saves time and decides nothing: it is kept by the digest of an entry's line, for one version of the programs, and a build that
finds none (or a spoilt one) works everything out anew.
"""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, overload

import msgspec

from mulu_site.row import Row, full_text, row_of
from mulu_site.snapshot import Entry
from mulu_site.text import digest, one_line, slug

_TABLES = """
create table entry (digest text primary key, page text not null, at integer not null, known blob not null, text text not null, sizes blob);
create index entry_page on entry (page);
create table fact (name text primary key, value text not null);
"""


class Known(NamedTuple):
    """`text`: digest of what the second stage of search looks through; `source`: name and address; `former`: earlier pages of the entry."""

    row: Row
    text: str
    source: tuple[str, str]
    former: tuple[str, ...]


class Last(NamedTuple):
    """An entry of the last build: the lengths in bytes of its parts in the files that hold the whole catalogue."""

    page: str
    digest: str
    sizes: list[int]


_known, _sizes = msgspec.json.Decoder(Known), msgspec.json.Decoder(list[int])


class Memory:
    """Open it with `remember()`. Rows of the last build stay until `keep()`; `facts` are the last build's until then."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.facts: dict[str, str] = dict(connection.execute("select name, value from fact"))
        self.new: set[str] = set()  # digests of lines that the last build had not
        self._build = 1 + int(self.facts.get("build", 0))

    def known(self, line_digest: str) -> Known | None:
        found = self._db.execute("select known from entry where digest = ?", (line_digest,)).fetchone()
        return _known.decode(found[0]) if found else None

    def learn(self, line_digest: str, entry: Entry) -> Known:
        """Boils an entry down to what the site as a whole needs of it."""
        text, row = full_text(entry), row_of(entry)
        known = Known(row, digest(text)[:16], _source(entry), _former(entry))
        values = (line_digest, row.page, self._build, msgspec.json.encode(known), text)
        self._db.execute("insert or replace into entry values (?, ?, ?, ?, ?, null)", values)
        self.new.add(line_digest)
        return known

    def text(self, line_digest: str) -> str:
        return str(self._db.execute("select text from entry where digest = ?", (line_digest,)).fetchone()[0])

    def last_text(self, page: str) -> str:
        """What the entry of this page said at the last build."""
        return str(self._db.execute("select text from entry where page = ? and at < ?", (page, self._build)).fetchone()[0])

    def last(self) -> Iterator[Last]:
        """The entries of the last build in the order of their pages."""
        rows = self._db.execute("select page, digest, sizes from entry where at < ? order by page", (self._build,))
        return (Last(page, line_digest, _sizes.decode(sizes) if sizes else []) for page, line_digest, sizes in rows)

    def learn_sizes(self, sizes: Iterable[tuple[str, Sequence[int]]]) -> None:
        """(digest of the line, lengths of its parts)"""
        rows = ((msgspec.json.encode(lengths), line_digest) for line_digest, lengths in sizes)
        self._db.executemany("update entry set sizes = ? where digest = ?", rows)

    def keep(self, digests: Iterable[str], facts: Mapping[str, str]) -> None:
        """Makes this build the last one: its entries, and what is told of it."""
        now = set(digests)
        gone = [row for row in self._db.execute("select digest from entry") if row[0] not in now]
        self._db.executemany("delete from entry where digest = ?", gone)
        told = {**facts, "build": str(self._build), "version": self.facts["version"]}
        self._db.executemany("insert or replace into fact values (?, ?)", told.items())
        self._db.execute("commit")


class Texts(Sequence[str]):
    """What the second stage of search looks through, of the entries with these lines; read when it is asked for."""

    def __init__(self, memory: Memory, digests: Sequence[str]) -> None:
        self._memory, self._digests = memory, digests

    def __len__(self) -> int:
        return len(self._digests)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Texts: ...
    def __getitem__(self, at: int | slice) -> str | Texts:
        return Texts(self._memory, self._digests[at]) if isinstance(at, slice) else self._memory.text(self._digests[at])


@contextlib.contextmanager
def remember(file: Path, version: str) -> Iterator[Memory]:
    """Opens the memory for this version of the programs. What is not kept is forgotten; a failing disk is an OSError."""
    try:
        connection = _open(file, version)
    except sqlite3.DatabaseError:
        _forget(file)
        connection = _open(file, version)
    try:
        connection.execute("begin")
        yield Memory(connection)
    except sqlite3.Error as error:
        full = "full" in str(error)
        connection.close()
        _forget(file)
        raise OSError(errno.ENOSPC if full else errno.EIO, str(error), str(file)) from error
    finally:
        connection.close()


def _open(file: Path, version: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("pragma synchronous = normal")
        if not _is_of(connection, version):
            connection.close()
            _forget(file)
            connection = sqlite3.connect(file, isolation_level=None)
            connection.executescript(_TABLES)
            connection.execute("insert into fact values ('version', ?)", (version,))
    except BaseException:
        connection.close()
        raise
    return connection


def _is_of(connection: sqlite3.Connection, version: str) -> bool:
    if not connection.execute("select 1 from sqlite_master where name = 'fact'").fetchone():
        return False
    found = connection.execute("select value from fact where name = 'version'").fetchone()
    return bool(found) and found[0] == version


def _forget(file: Path) -> None:
    for suffix in ("", "-journal"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def _source(entry: Entry) -> tuple[str, str]:
    origin = entry.get("source")
    if not isinstance(origin, dict) or not origin.get("name"):
        return ("", "")
    return one_line(origin["name"]), str(origin.get("url") or "")


def _former(entry: Entry) -> tuple[str, ...]:
    names = entry.get("former_names")
    return tuple(slug(name) for name in names if isinstance(name, str) and name) if isinstance(names, list) else ()
