"""Reads another installation of this portal by its feed: a county's entries in the city's catalogue, or the city's in the county's.

Entries come in the wire form: classes, codes and items as they were decided there. The departments are known by their full names.
A reading is of one moment, whose pages follow each other without loss. The whole feed is read, and what is not in it is not published
there any more. With ``options.incremental`` a run reads what changed since the one before it: what was withdrawn is told then; after
a reading that lacked something the next is whole.
``options.page_size``: entries a page, 200.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from mulu.errors import Problem

from ..fetch import Fetch
from ..record import MAX_ID, Page, Record
from ..source import Source, SourceError
from ..text import clean
from . import words
from .wire import entry_of

_FORMAT = 1
_MOST_PAGES = 100_000


def read(source: Source, fetch: Fetch, resume: str) -> Iterator[Page]:
    """Pages as the feed gives them. A mark is the query of the next page.

    :raises SourceError: the address is none of such a portal, or a page lacks what a page has.
    """
    address = source.url.rstrip("/").removesuffix("/mulu/feed") + "/mulu/feed"
    query = resume or urlencode(
        {**_since(source, fetch, address), "limit": int(source.options.get("page_size") or 200)}
    )
    sound, met = True, 0
    for _ in range(_MOST_PAGES):
        page = _page(source, address, fetch.json(address, params=dict(parse_qsl(query))))
        whole = "since" not in dict(parse_qsl(query))
        # Asked for at our own address: a portal behind another name tells the one that it knows itself by.
        following = urlsplit(page["next"]).query
        if following == query:
            raise SourceError(f"来源“{source.title}”：{address} 的 next 指向同一页，无法读完")
        found, removed, problems = _entries(source, page["entries"])
        total = page.get("total")
        stated = total if whole and isinstance(total, int) and not isinstance(total, bool) else None
        sound, met = sound and not problems, met + len(found)
        # What this reading missed, one that asks for what changed since would never be told: the next is whole.
        complete = not following and sound and (stated is None or met >= stated)
        if complete and source.options.get("incremental") and isinstance(page.get("complete_until"), str):
            fetch.remember(address, {"since": page["complete_until"]})
        yield Page(found, following, total=stated, removed=removed, problems=problems, whole=whole)
        if not following:
            return
        query = following
    raise SourceError(f"来源“{source.title}”：{address} 超过 {_MOST_PAGES} 页，无法读完")


def _since(source: Source, fetch: Fetch, address: str) -> dict[str, str]:
    since = fetch.remembered(address).get("since", "") if source.options.get("incremental") else ""
    return {"since": since} if since else {}


def _page(source: Source, address: str, page: Any) -> Mapping[str, Any]:
    told = f"来源“{source.title}”：{address} "
    if not isinstance(page, Mapping) or "mulu_feed" not in page:
        raise SourceError(f"{told}不是本平台的目录变更接口（没有 mulu_feed）")
    if page["mulu_feed"] != _FORMAT:
        raise SourceError(f"{told}的版本是 {str(page['mulu_feed'])[:20]}，这里只认识 {_FORMAT}，请先升级")
    if not isinstance(page.get("entries"), list) or not isinstance(page.get("next"), str):
        raise SourceError(f"{told}的一页里没有 entries 和 next")
    return page


def _entries(source: Source, rows: list[Any]) -> tuple[tuple[Record, ...], tuple[str, ...], tuple[Problem, ...]]:
    """(records, ids of what was withdrawn, problems of rows that say neither)."""
    found: list[Record] = []
    removed: list[str] = []
    problems: list[Problem] = []
    for number, row in enumerate(rows, 1):
        where = f"本页第 {number} 条"
        if isinstance(row, Mapping) and row.get("withdrawn"):
            if isinstance(row.get("id"), str) and 0 < len(row["id"]) <= MAX_ID:
                removed.append(clean(row["id"]))
            else:
                problems.append(words.problem("source", "no_id", where, "说已撤销，但是没有标识", "warning"))
        else:
            found.append(_record(source, where, row))
    return tuple(found), tuple(removed), tuple(problems)


def _record(source: Source, where: str, row: Any) -> Record:
    if not isinstance(row, Mapping) or not isinstance(row.get("entry"), Mapping):
        told = words.problem("", "odd_record", where, "没有 entry，未读入")
        raw = (
            {"source": {"name": source.name, "id": clean(row["id"])}}
            if isinstance(row, Mapping) and isinstance(row.get("id"), str)
            else {}
        )
        return Record(where, raw, problems=[told])
    title = row["entry"].get("title")
    where = f"《{clean(title)[:80]}》（{where}）" if isinstance(title, str) and title else where
    entry, problems = entry_of(row["entry"], where)
    said = {key: clean(row[key]) if isinstance(row.get(key), str) else "" for key in _TEXTS}
    hint = row["entry"].get("source_department")
    raw = {
        "provider": said["provider_title"],
        "provider_hint": said["provider"],
        "source_department": said["source_department_title"],
        "source_department_hint": clean(hint) if isinstance(hint, str) else "",
    }
    made = words.record(source, where, raw, id=said["id"], url=said["page"], problems=problems, made="id")
    first = row["entry"].get("source")
    origin = first.get("url") if isinstance(first, Mapping) else ""
    return Record(where, made.raw, problems=made.problems, entry=entry, origin=origin if isinstance(origin, str) else "")


_TEXTS = ("id", "page", "provider", "provider_title", "source_department_title")
