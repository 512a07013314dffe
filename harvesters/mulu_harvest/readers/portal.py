"""Reads the list of an open-data portal: a JSON array of flat objects in the portal's own words.

Rows are not entries: a crawl may hold the same row many times, and one portal is many departments. The list is where ``options.path``
says, else the ``file`` (both in a folder that the installation lets harvesters read, or an address), else what the ``url`` gives.
``options.array``: where the array stands within an object.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..addresses import hide
from ..departments import full_name, slugs
from ..fetch import Fetch
from ..json_stream import Odd, records
from ..record import Page, Record
from ..source import Field, Source, SourceError
from ..text import clean, half_width, split_list
from . import words

PAGE = 200
_SLUG_UNSAFE = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True)
class PortalReading:
    """``rows`` in the file, of which ``repeated`` were there before; ``departments``: slug → full name."""

    source: Source
    records: tuple[Record, ...]
    rows: int
    repeated: int
    departments: Mapping[str, str]


def read(source: Source, fetch: Fetch, resume: str) -> Iterator[Page]:
    """Pages of 200 entries. A mark names the rows read and the list they stood in; where the list is another since, reading begins
    anew.

    :raises SourceError: the list cannot be had, is no JSON array, or is cut; it says at which row.
    """
    address = str(source.options.get("path") or source.file or source.url)
    with fetch.get(address, accept="application/json", conditional=not resume) as answer:
        if not answer.changed or answer.file is None:
            yield Page((), unchanged=True)
            return
        whole = hashlib.file_digest(answer.file, "sha256").hexdigest()[:16]
        answer.file.seek(0)
        done, _, list_then = resume.partition(" ")
        skipped = int(done) if list_then == whole and done.isdigit() else 0
        anew = bool(resume) and not skipped
        rows = records(answer.file, str(source.options.get("array") or ""), name=f"来源“{source.title}”：{hide(answer.url)} ")
        for page in _pages(_Rows(source), rows, skipped, whole):
            yield replace(page, anew=anew)
            anew = False


def _pages(reading: _Rows, rows: Iterator[tuple[int, Any]], skipped: int, whole: str) -> Iterator[Page]:
    """Rows before a mark are read without being told again: what is repeated, and the n-th of its title, hangs on them."""
    batch: list[Record] = []
    number = repeated = told = 0
    for number, row in rows:
        found = reading.record(number, row)
        if number <= skipped:
            told = number
            continue
        if found is None:
            repeated += 1
        else:
            batch.append(found)
        if len(batch) >= PAGE or number - told >= 10 * PAGE:
            yield Page(tuple(batch), f"{number} {whole}", repeated)
            batch, repeated, told = [], 0, number
    if batch or repeated or not number:
        yield Page(tuple(batch), f"{number} {whole}", repeated)


def read_portal(
    source: Source, path: Path, *, known: Mapping[str, str] | None = None, expected: tuple[int, int] | None = None
) -> PortalReading:
    """The distinct entries of a portal's list, in its order; providers by their slugs.

    :param known: full name → slug of departments that have an organisation already.
    :param expected: least and most entries, where the file is only a part of the source.
    :raises SourceError: the file is no JSON array of objects, or holds fewer or more entries than the source expects.
    """
    rows = _load(path)
    reading = _Rows(source)
    found = [record for number, row in enumerate(rows, 1) if (record := reading.record(number, row))]
    names = {name for record in found if (name := record.raw.get("provider"))}
    slug_of = slugs(sorted(names), {**(known or {}), **source.slugs})
    for record in found:
        if name := record.raw.get("provider"):
            record.raw["provider"] = slug_of[name]
    low, high = expected or source.expected
    if not low <= len(found) <= high:
        raise SourceError(f"来源“{source.title}”有 {len(found)} 条目录，预期在 {low} 到 {high} 条之间，请核对后再导入")
    departments = {slug: name for name, slug in slug_of.items()}
    return PortalReading(source, tuple(found), len(rows), len(rows) - len(found), departments)


def _load(path: Path) -> list[Any]:
    try:
        with path.open("rb") as file:
            rows = [row for _, row in records(file, name=path.name)]
    except OSError as error:
        raise SourceError(f"{path.name} 不是可读的 JSON 文件：{error}") from error
    if not all(isinstance(row, dict) for row in rows):
        raise SourceError(f"{path.name} 应当是一个 JSON 数组，每条目录一个对象")
    return rows


class _Rows:
    """Rows in their order, and of those before only digests: what was there already, and how often a title was."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seen: set[bytes] = set()
        self._same: Counter[bytes] = Counter()

    def record(self, number: int, row: Any) -> Record | None:
        """The row's record; None where the same row stood there before. What is no row is a record with that problem."""
        source, where = self._source, f"来源“{self._source.title}”第 {number} 条"
        if not isinstance(row, dict):
            reason = row.reason if isinstance(row, Odd) else "不是一个对象"
            return Record(where, {}, problems=[words.problem("", "odd_record", where, f"{reason}，未读入")])
        content = hashlib.blake2b(json.dumps(row, sort_keys=True).encode(), digest_size=16).digest()
        if content in self._seen:
            return None
        self._seen.add(content)
        department = _department(source, row)
        return Record(where, _raw(source, row, department, _identity(source, row, department, self._same)))


def _raw(source: Source, row: Mapping[str, Any], provider: str, identity: str) -> dict[str, Any]:
    raw: dict[str, Any] = {key: _value(source, row, where) for key, where in source.fields.items()}
    address = _text(source, row.get(source.address)) if source.address else ""
    raw |= {
        "name": f"{source.name}-{_SLUG_UNSAFE.sub('-', identity.lower()).strip('-')}"[:100],
        "provider": provider,
        "provider_hint": source.slugs.get(provider, ""),
        "items": list(_items(source, row)),
        "source": {"name": source.name, "url": address, "id": identity},
    }
    return {key: value for key, value in raw.items() if value}


def _value(source: Source, row: Mapping[str, Any], where: Field) -> str | list[str]:
    value = row.get(where.field)
    if isinstance(value, list):
        return [text for one in value if (text := _text(source, one))]
    text = _text(source, value)
    if where.pattern:
        match = re.search(where.pattern, text)
        return match[1].strip() if match else ""
    if text.startswith("[") and text.endswith("]"):  # a list printed into a text: "['xml', 'json']", "[csv,json]"
        return [part for piece in text[1:-1].split(",") if (part := piece.strip(" '\""))]
    return text


def _text(source: Source, value: Any) -> str:
    text = clean(value).replace("\\n", "\n").strip()
    return "" if text in source.empty else text


def _department(source: Source, row: Mapping[str, Any]) -> str:
    name = _text(source, row.get(source.department))
    name = source.departments.get(name, name) or source.no_department
    return full_name(name, source.prefixes)


def _identity(source: Source, row: Mapping[str, Any], department: str, same: Counter[bytes]) -> str:
    """The source's own id, else a digest of department and title; entries that share both are told apart by their order."""
    if source.identity:
        text = clean(row.get(source.identity.field))
        match = re.search(source.identity.pattern or "(.+)", text)
        if match and match[1]:
            return match[1]
    title = re.sub(r"\s+", "", half_width(clean(row.get(source.fields["title"].field))))
    key = f"{department}\n{title}"
    digest = hashlib.sha256(key.encode()).digest()
    same[digest] += 1
    if same[digest] > 1:
        digest = hashlib.sha256(f"{key}\n{same[digest]}".encode()).digest()
    return digest.hex()[:20]


def _items(source: Source, row: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The items that a text of the entry names; a list often begins with the title, which is no item."""
    title = _text(source, row.get(source.fields["title"].field))
    for rule in source.items:
        text = _text(source, row.get(rule.field)).removeprefix(title).strip()
        if rule.unless and re.search(rule.unless, text):
            continue
        if rule.pattern:
            match = re.search(rule.pattern, text)
            text = match[1] if match else ""
        names = list(dict.fromkeys(name.strip(' "') for name in split_list(text.removesuffix("等"), rule.separators)))
        if len(names) >= rule.minimum and all(len(name) <= rule.longest and "。" not in name for name in names):
            yield from ({"name": name} for name in names)
            return
