"""Reads a CKAN (2.9 to 2.12) through its Action API, with or without ckanext-scheming.

Datasets are asked for in the order of their ids, which no edit changes: an entry that is edited while we read stays where it is,
where in the order of changes it would move behind us and pull an unread one over the edge of the page. What remains are
deletions, which do pull the rest forward. So each page begins with the last dataset of the page before: where that is not there,
we go back until we meet one that we know. Nothing is lost, and what is met twice counts once.

A dataset under this portal's own schema is taken as it is. Of others, CKAN's own fields and those of ckanext-dcat are read, any
field named as one of ours too; ``source.fields`` may say otherwise. Removals need the whole, so every run reads all.

``options``: ``page_size`` (100), ``fq`` (a filter, as in package_search), ``path`` (a file with a dataset, or a list of some).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mulu.errors import Problem

from ..fetch import Fetch
from ..json_stream import Odd, records
from ..record import Page, Record
from ..source import Source, SourceError
from . import words
from .ckan_dataset import record_of

_NOT_DATASETS = frozenset({"harvest", "showcase"})


def read(source: Source, fetch: Fetch, resume: str) -> Iterator[Page]:
    """Pages as the source gives them. A mark is the place and the id of the last dataset that was read.

    :raises SourceError: the address is none of a CKAN, or the answer is an error of its.
    """
    if path := str(source.options.get("path") or source.file):
        yield from words.pages(_of_file(source, fetch, path))
    else:
        yield from _Paging(source, fetch, _base(source.url)).pages(resume)


@dataclass
class _Paging:
    """Where reading stands. ``seen``: digests of the ids that were met."""

    source: Source
    fetch: Fetch
    base: str
    seen: set[bytes] = field(default_factory=set)
    skipped: int = 0
    first_count: int | None = None

    def pages(self, resume: str) -> Iterator[Page]:
        place, _, last = resume.partition(" ")
        start = int(place) if last and place.isdigit() else 0
        if start:
            self.seen.add(_digest(last))
        size = int(self.source.options.get("page_size") or 100)
        asked, resumed = 0, bool(resume)
        while True:
            rows, count = self.ask(start, size + bool(start))
            asked += 1
            if asked > 20 + 5 * count:
                raise SourceError(f"来源“{self.source.title}”：{self.base} 的次序一直在变，无法读完")
            if start and not (rows and self.known(rows[0])):
                start = max(0, start - size)
                continue
            fresh, repeated = self.new(rows, overlaps=bool(start))
            records = [self.record(start + number, row) for number, row in fresh]
            told = tuple(record for record in records if record)
            self.skipped += len(records) - len(told)
            end = start + len(rows)
            over = end >= count or len(rows) <= bool(start)
            position = next((n for n in range(len(rows) - 1, -1, -1) if _id(rows[n])), None)
            place_now = start + position if position is not None else end
            mark = f"{place_now} {_id(rows[position])}" if position is not None else ""
            problems = self.shifted(count) if over else ()
            yield Page(told, mark, repeated, count - self.skipped, problems=problems, anew=resumed and not start)
            resumed = False
            if over:
                return
            start = place_now if place_now > start else end

    def ask(self, start: int, rows: int) -> tuple[list[Any], int]:
        params = {"q": "*:*", "sort": "id asc", "start": start, "rows": rows}
        if fq := self.source.options.get("fq"):
            params["fq"] = str(fq)
        address = f"{self.base}/api/3/action/package_search"
        result = _result(self.source, address, self.fetch.json(address, params=params))
        found, count = result.get("results"), result.get("count")
        if not isinstance(found, list) or isinstance(count, bool) or not isinstance(count, int):
            raise SourceError(f"来源“{self.source.title}”：{address} 的回答里没有 results 和 count，不是 CKAN 的接口")
        if self.first_count is None:
            self.first_count = count
        return found, count

    def known(self, row: Any) -> bool:
        return bool(_id(row)) and _digest(_id(row)) in self.seen

    def new(self, rows: list[Any], overlaps: bool) -> tuple[list[tuple[int, Any]], int]:
        """((place in the page from 1, row) of what was not met before, how many were)."""
        fresh = []
        for number, row in enumerate(rows, 1):
            key = _digest(_id(row)) if _id(row) else _digest(repr(row))
            if key not in self.seen:
                self.seen.add(key)
                fresh.append((number, row))
        return fresh, max(0, len(rows) - len(fresh) - overlaps)

    def record(self, number: int, row: Any) -> Record | None:
        """None for what is no dataset that everybody may see."""
        if isinstance(row, Mapping):
            hidden = row.get("private") is True or row.get("state", "active") != "active"
            if hidden or row.get("type") in _NOT_DATASETS:
                return None
        return _record(self.source, f"第 {number} 条", row, self.base)

    def shifted(self, count: int) -> tuple[Problem, ...]:
        if count == self.first_count:
            return ()
        message = f"来源在读取中有增减：开始时 {self.first_count} 条，结束时 {count} 条；没有漏读，增减的下次再读"
        return (Problem("", "source_moved", message, severity="warning"),)


def _of_file(source: Source, fetch: Fetch, path: str) -> Iterator[Record]:
    """Datasets of a file: one by itself, a list of them, or an answer of package_search that was kept."""
    name = f"来源“{source.title}”：{path} "
    with fetch.get(path, accept="application/json") as answer:
        assert answer.file is not None
        listed = answer.file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"[")
        answer.file.seek(0)
        if listed:
            yield from (_record(source, f"第 {number} 条", row, "") for number, row in records(answer.file, name=name))
            return
    given = fetch.json(path)
    inside = given.get("result", given) if isinstance(given, Mapping) else given
    found = inside.get("results", [inside]) if isinstance(inside, Mapping) else [inside]
    yield from (_record(source, f"第 {number} 条", row, "") for number, row in enumerate(found, 1))


def _record(source: Source, where: str, row: Any, base: str) -> Record:
    if isinstance(row, Odd) or not isinstance(row, Mapping):
        reason = row.reason if isinstance(row, Odd) else "不是一个数据集"
        return Record(where, {}, problems=[words.problem("", "odd_record", where, f"{reason}，未读入")])
    try:
        return record_of(source, where, row, base)
    except Exception as error:  # one odd dataset keeps no other out
        raw = {"source": {"name": source.name, "id": _id(row)}}
        told = words.problem("", "unreadable", where, f"无法读取：{type(error).__name__}：{error}"[:300])
        return Record(where, raw, problems=[told])


def _result(source: Source, address: str, answer: Any) -> Mapping[str, Any]:
    if isinstance(answer, Mapping) and answer.get("success") is False:
        error = answer.get("error")
        said = error.get("message") or error if isinstance(error, Mapping) else error
        raise SourceError(f"来源“{source.title}”：{address} 回答失败：{str(said)[:200]}")
    result = answer.get("result") if isinstance(answer, Mapping) else None
    if not isinstance(result, Mapping):
        raise SourceError(f"来源“{source.title}”：{address} 的回答里没有 result，不是 CKAN 的接口")
    return result


def _base(url: str) -> str:
    """The CKAN's own address, also where somebody gave that of its API or of its list of datasets."""
    return re.sub(r"/(?:api|dataset|organization)(?:/.*)?$", "", url.partition("?")[0].rstrip("/"))


def _id(row: Any) -> str:
    found = row.get("id") if isinstance(row, Mapping) else None
    return found if isinstance(found, str) else ""


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
