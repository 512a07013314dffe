"""Reads the departments' Excel and CSV forms: a folder of them, or one at an address.

An entry is known by its code, else by department and title (and which of several it is, in one file); in which file it stands does
not matter, so that a form may be renamed and entries may move between forms. An entry that stands in two files is read twice: the
harvest counts it once where both say the same, and takes the first where they differ.

A file that cannot be read, and a row that became no entry, are problems of the page, errors: what such a reading did not meet is
not taken for removed. The other files go in. A folder without any form is no reading: a share that is not mounted looks like one.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from mulu.errors import Problem

from ..fetch import Fetch
from ..form import FormRecords, read_records
from ..form.doubles import Named, doubles
from ..record import Page, Record
from ..source import Source, SourceError
from ..text import half_width, one_line
from . import words

PATTERNS = ("*.xlsx", "*.xls", "*.csv")
_DISPOSITION = re.compile(r"filename\*?=(?:utf-8'')?\"?([^\";]+)", re.IGNORECASE)


def read(source: Source, fetch: Fetch, resume: str) -> Iterator[Page]:
    """Pages of 200 entries, file by file in the order of their names; one file is held at a time. Reading begins anew.

    :raises SourceError: no such folder or file, or a folder without forms.
    """
    address = words.address(source)
    reading = _Reading(source)
    if re.search(r"\.(xlsx|xls|csv)$", urlsplit(address).path.lower()) or "://" in address.removeprefix("file://"):
        with fetch.get(address, conditional=True) as answer:
            if not answer.changed or answer.file is None:
                yield Page((), unchanged=True)
                return
            yield from reading.pages(answer.file, _name(address, answer.headers.get("Content-Disposition", "")))
        return
    number = 0
    for number, path in enumerate(fetch.files(address, PATTERNS), 1):  # noqa: B007  counted to see whether there was any
        yield from reading.pages(path, path.name)
    if not number:
        raise SourceError(f"来源“{source.title}”的文件夹 {address} 中没有 Excel 或 CSV 表格，没有读入")


def _name(address: str, disposition: str) -> str:
    stated = _DISPOSITION.search(disposition)
    return unquote(stated[1]).strip() if stated else unquote(urlsplit(address).path.rpartition("/")[2]) or address


class _Reading:
    """Goes through the files; remembers of each entry no more than two digests."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.titles: dict[bytes, tuple[bytes, int]] = {}
        """Department and title → (id, number of the file) of the entry that had them first."""
        self.files: list[str] = []

    def pages(self, content: Path | IO[bytes], name: str) -> Iterator[Page]:
        """The entries of one file; what is wrong with the file stands on its first page."""
        self.files.append(name)
        try:
            found = read_records(content, name)  # type: ignore[arg-type]
        except OSError as error:
            where = f"文件《{name}》"
            problem = words.problem("file", "file_unread", where, f"读不出来：{error.strerror or error}")
            found = FormRecords(problems=(problem,))
        problems = tuple(_in_file(problem, name) for problem in found.problems)
        for page in words.pages(self.records(found.records, name)):
            yield replace(page, problems=problems)
            problems = ()

    def records(self, records: tuple[Record, ...], name: str) -> Iterator[Record]:
        named = [self.named(record) for record in records]
        twice = doubles(named)
        nth: Counter[str] = Counter()
        for index, (record, entry) in enumerate(zip(records, named, strict=True)):
            identity = entry.code
            if not identity and entry.title:
                identity = words.digest(entry.owner, entry.title)
                nth[identity] += 1
                if nth[identity] > 1:
                    identity = words.digest(entry.owner, entry.title, str(nth[identity]))
            problems = [*record.problems, *twice.get(index, []), *self.elsewhere(entry, identity)]
            yield Record(
                f"文件《{name}》{record.where}",
                {**record.raw, "source": words.full({"name": self.source.name, "id": identity})},
                {path: f"文件《{name}》{cell}" for path, cell in record.cells.items()},
                [_in_file(problem, name) for problem in problems],
            )

    def named(self, record: Record) -> Named:
        code = re.sub(r"\s+", "", half_width(one_line(record.raw.get("resource_code", ""))))
        owner = one_line(record.raw.get("provider", "")) or self.source.organization
        return Named(record.where, code, owner, one_line(record.raw.get("title", "")))

    def elsewhere(self, entry: Named, identity: str) -> Iterator[Problem]:
        """A department's title that another entry of an earlier file has."""
        if not entry.title:
            return
        key, own, here = _short(entry.owner, entry.title), _short(identity), len(self.files) - 1
        other, file = self.titles.setdefault(key, (own, here))
        if other != own and file != here:
            message = f"的信息资源名称“{entry.title}”在文件《{self.files[file]}》中也有，同一部门的同一名称只能登记一次，请删改其中一处"
            yield words.problem("title", "title_twice", entry.where, message, value=entry.title)


def _short(*parts: str) -> bytes:
    return hashlib.sha256("\n".join(parts).encode()).digest()[:12]


def _in_file(problem: Problem, name: str) -> Problem:
    """A place within a file says which file."""
    if problem.where.startswith("文件《"):
        return problem
    place = f"文件《{name}》"
    message = place + problem.message if problem.message.startswith(problem.where) else problem.message
    return replace(problem, where=place + problem.where, message=message)
