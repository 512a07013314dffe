"""A question to a table: which columns, rows and order; read from a request, answered from the DataStore page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import ckan.plugins.toolkit as tk
import psycopg2

from ckanext.mulu.grants.source import NotServed, Source
from ckanext.mulu.tabular import same
from mulu.errors import Problem

FORMATS = ("json", "csv", "xlsx")
LIMIT, MOST = 100, 1000
"""Rows of a page: without a wish, and at most."""
AT_ONCE = 2000
"""Rows of one piece of a download."""
_OWN = frozenset({"resource", "limit", "offset", "fields", "sort", "format"})


@dataclass(frozen=True)
class Query:
    """columns: (name in the table, item as granted) in the table's order; unmatched: granted items without a column.

    where: (name, value) pairs; order: (name, "asc" | "desc"); form: "" for a page of the API, else a download's format.
    """

    resource_id: str
    columns: tuple[tuple[str, str], ...]
    unmatched: tuple[str, ...]
    where: tuple[tuple[str, str], ...] = ()
    order: tuple[tuple[str, str], ...] = ()
    limit: int = LIMIT
    offset: int = 0
    form: str = ""

    @property
    def items(self) -> list[str]:
        return [item for _, item in self.columns]


@lru_cache(maxsize=1000)
def header(resource_id: str) -> tuple[tuple[str, str], ...]:
    """(name, header) of a loaded table's columns; a published table never changes."""
    found = tk.get_action("datastore_search")({"ignore_auth": True}, {"resource_id": resource_id, "limit": 0, "include_total": False})
    return tuple((one["id"], (one.get("info") or {}).get("label") or one["id"]) for one in found["fields"] if one["id"] != "_id")


def match(header: Sequence[tuple[str, str]], items: Sequence[str]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """(columns, unmatched): the granted items in the header's order. A header that stands twice is matched to no item."""
    labels = [same(label) for _, label in header]
    wanted = {same(item): item for item in items}
    columns = tuple(
        (name, wanted[label]) for (name, _), label in zip(header, labels, strict=True) if label in wanted and labels.count(label) == 1
    )
    found = {item for _, item in columns}
    return columns, tuple(item for item in items if item not in found)


def read(source: Source, resource_id: str, args: Sequence[tuple[str, str]]) -> Query:
    """The question of a request; 422 with everything that is wrong with it.

    :param args: resource, limit, offset, fields (、 or comma between), sort (item, or item desc), format, and item=value
    """
    columns, unmatched = match(header(resource_id), source.items)
    by_item = {same(item): name for name, item in columns}
    problems: list[Problem] = []

    def column(at: str, item: str) -> str:
        name = by_item.get(same(item), "")
        if not name:
            problems.append(Problem(at, "not_granted", tk._("“{item}”不在可以读取的信息项之内").format(item=item[:100]), item[:100]))
        return name

    def number(at: str, text: str, least: int, most: int) -> int:
        if text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most:
            return int(text)
        problems.append(Problem(at, "not_valid", tk._("{at} 须为{least}到{most}的整数").format(at=at, least=least, most=most), text[:100]))
        return least

    given = dict(args)
    form = given.get("format", "")
    if form not in ("", *FORMATS):
        problems.append(Problem("format", "not_in_list", tk._("format 可以是：{formats}").format(formats="、".join(FORMATS)), form[:100]))
    chosen = {column("fields", item.strip()) for item in re.split("[,，、]", given.get("fields", "")) if item.strip()}
    order = []
    for part in re.split("[,，、]", given.get("sort", "")):
        if part.strip():
            item, _, way = part.strip().rpartition(" ") if part.strip().lower().endswith((" asc", " desc")) else (part.strip(), "", "asc")
            order.append((column("sort", item), way.lower()))
    query = Query(
        resource_id,
        tuple(one for one in columns if not chosen or one[0] in chosen),
        unmatched,
        tuple((column(key, key), value) for key, value in args if key not in _OWN),
        tuple(order),
        number("limit", given.get("limit", str(LIMIT)), 1, MOST),
        number("offset", given.get("offset", "0"), 0, 10**9),
        form,
    )
    if problems:
        raise NotServed(422, *problems)
    if not columns:
        message = tk._("文件的列名与授权的信息项都对不上，请提供部门核对：{items}").format(items="、".join(unmatched[:10]))
        raise NotServed(422, Problem("resource", "no_column", message, resource_id))
    return query


def page(query: Query) -> tuple[list[list[Any]], int]:
    """(rows, total) of one page."""
    found = _search(query, limit=query.limit, offset=query.offset, records_format="lists", include_total=True)
    return found["records"], found["total"]


def pieces(query: Query, records_format: str) -> Iterator[Any]:
    """All rows from the first to the last, piece by piece: lists of rows, or with ``csv`` text as the database writes it."""
    offset, after = 0, None
    while True:
        step = {"limit": AT_ONCE, "offset": offset, "records_format": records_format, "include_next_page": not query.order}
        found = _search(query, after=after, include_total=False, **step)
        if not found["records"]:
            return
        yield found["records"]
        after, offset = found.get("next_page"), 0 if found.get("next_page") else offset + AT_ONCE
        if not query.order and not after:
            return


def narrowed(query: Query, offset: int) -> Query:
    return replace(query, offset=offset)


def _search(query: Query, after: dict[str, Any] | None = None, **how: Any) -> dict[str, Any]:
    where: dict[str, Any] = {}
    for name, value in query.where:
        where.setdefault(name, []).append(value)
    sort = ", ".join(f'"{name}" {way} nulls last' for name, way in query.order)
    asked = {
        "resource_id": query.resource_id,
        "fields": [name for name, _ in query.columns],
        "filters": where | (after or {}),
        "sort": f"{sort}, _id" if sort else "_id",
        **how,
    }
    try:
        found: dict[str, Any] = tk.get_action("datastore_search")({"ignore_auth": True}, asked)
    except (tk.ValidationError, psycopg2.DataError):
        message = tk._("查询条件的值与信息项的类型不符，请核对（数字型的信息项须填数字）")
        raise NotServed(422, Problem("", "not_valid", message, dict(query.where) or None)) from None
    return found
