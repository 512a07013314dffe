"""Reads the list of an open-data portal: a JSON array of flat objects in the portal's own words.

Rows are not entries: a crawl may hold the same row many times, and one portal is many departments.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..departments import full_name, slugs
from ..record import Record
from ..source import Field, Source, SourceError
from ..text import clean, half_width, split_list

_SLUG_UNSAFE = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True)
class PortalReading:
    """``rows`` in the file, of which ``repeated`` were there before; ``departments``: slug → full name."""

    source: Source
    records: tuple[Record, ...]
    rows: int
    repeated: int
    departments: Mapping[str, str]


def read_portal(
    source: Source, path: Path, *, known: Mapping[str, str] | None = None, expected: tuple[int, int] | None = None
) -> PortalReading:
    """The distinct entries of a portal's list, in its order.

    :param known: full name → slug of departments that have an organisation already.
    :param expected: least and most entries, where the file is only a part of the source.
    :raises SourceError: the file is no JSON array of objects, or holds fewer or more entries than the source expects.
    """
    rows = _load(path)
    records: list[Record] = []
    seen: set[str] = set()
    same_identity: Counter[str] = Counter()
    slug_of = slugs(sorted({_department(source, row) for row in rows} - {""}), {**(known or {}), **source.slugs})
    for number, row in enumerate(rows, 1):
        content = json.dumps(row, sort_keys=True, ensure_ascii=False)
        if content in seen:
            continue
        seen.add(content)
        department = _department(source, row)
        identity = _identity(source, row, department, same_identity)
        where = f"来源“{source.title}”第 {number} 条"
        records.append(Record(where, _raw(source, row, slug_of.get(department, ""), identity)))
    low, high = expected or source.expected
    if not low <= len(records) <= high:
        raise SourceError(
            f"来源“{source.title}”有 {len(records)} 条目录，预期在 {low} 到 {high} 条之间，请核对后再导入"
        )
    departments = {slug: name for name, slug in slug_of.items()}
    return PortalReading(source, tuple(records), len(rows), len(rows) - len(records), departments)


def _load(path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SourceError(f"{path.name} 不是可读的 JSON 文件：{error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourceError(f"{path.name} 应当是一个 JSON 数组，每条目录一个对象")
    return rows


def _raw(source: Source, row: Mapping[str, Any], provider: str, identity: str) -> dict[str, Any]:
    raw: dict[str, Any] = {key: _value(source, row, where) for key, where in source.fields.items()}
    address = _text(source, row.get(source.address)) if source.address else ""
    raw |= {
        "name": f"{source.name}-{_SLUG_UNSAFE.sub('-', identity.lower()).strip('-')}"[:100],
        "provider": provider,
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


def _identity(source: Source, row: Mapping[str, Any], department: str, same: Counter[str]) -> str:
    """The source's own id, else a digest of department and title; entries that share both are told apart by their order."""
    if source.identity:
        text = clean(row.get(source.identity.field))
        match = re.search(source.identity.pattern or "(.+)", text)
        if match:
            return match[1]
    title = re.sub(r"\s+", "", half_width(clean(row.get(source.fields["title"].field))))
    key = f"{department}\n{title}"
    same[key] += 1
    if same[key] > 1:
        key += f"\n{same[key]}"
    return hashlib.sha256(key.encode()).hexdigest()[:20]


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
