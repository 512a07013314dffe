"""The ledger for machines: ledger.json, a CSV of each part, and a feed of outcomes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from mulu_site.ledger import Demand, Ledger, Rereview, Suggestion
from mulu_site.machine import csv_row
from mulu_site.place import Site
from mulu_site.text import cut

FEED_SIZE = 50
BOM = "\ufeff".encode()
_HEADS = {
    "rereviews": ("目录条目", "收到日期", "决定日期", "用时（工作日）", "办理", "变更", "公开的复核结论"),
    "demands": ("需要的数据", "提出次数", "收到日期", "答复日期", "用时（工作日）", "办理"),
    "suggestions": ("建议摘要", "关于", "收到日期", "答复日期", "用时（工作日）", "答复"),
    "counts": ("事项", "收到", "待答复", "已答复", "已撤回", "逾期未答复", "按期答复", "用时中位数（工作日）", "最长用时（工作日）", "办理结果"),
}  # fmt: skip


def files(site: Site, ledger: Ledger, known: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """(path, content). `known` maps entries' ids to their pages. CSV: UTF-8 with a byte order mark, for Excel."""
    yield "ledger.json", json.dumps(ledger.to_dict(), ensure_ascii=False, indent=1).encode()
    for part, rows in _tables(ledger).items():
        yield f"ledger/{part}.csv", BOM + b"".join(csv_row([_cell(cell) for cell in row]) for row in [_HEADS[part], *rows])
    yield "ledger/atom.xml", _feed(site, ledger, known)


def _tables(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    return {
        "rereviews": [(one.title, one.filed_on, one.decided_on, one.days, one.label, one.result, one.outcome) for one in ledger.rereviews],
        "demands": [(one.title, one.count, one.filed_on, one.decided_on, one.days, one.label) for one in ledger.demands],
        "suggestions": [(one.title, one.label, one.filed_on, one.decided_on, one.days, one.outcome) for one in ledger.suggestions],
        "counts": [
            (one.label, one.filed, one.open, one.answered, one.withdrawn, one.overdue, one.in_time, one.days, one.longest,
             "；".join(f"{label} {n}" for label, n in one.ended))
            for one in ledger.counts
        ],
    }  # fmt: skip


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _feed(site: Site, ledger: Ledger, known: Mapping[str, str]) -> bytes:
    """What was answered, the newest first: (day, title, what came of it, page, fragment of its atom:id)."""
    told = [(one, f"{one.label}。{one.result}{one.outcome}", _page(site, known.get(one.entry), "rereviews")) for one in ledger.rereviews if one.decided_on]
    told += [(one, one.label, _page(site, known.get(one.entry), "demands")) for one in ledger.demands if one.decided_on]
    told += [(one, one.outcome, _page(site, None, "suggestions")) for one in ledger.suggestions]
    told.sort(key=lambda row: (row[0].decided_on, row[0].title, *row[1:], row[0].filed_on))
    seen: Counter[str] = Counter()
    found = [(one.decided_on, one.title, said, page, _number(one, page, seen)) for one, said, page in told]
    newest = found[::-1][:FEED_SIZE]
    address, updated = site.url("ledger/atom.xml"), _instant(newest[0][0] if newest else "")
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-CN">',
        f"<title>{escape(site.title)} 办理结果</title><id>{escape(address)}</id><updated>{updated}</updated>",
        f'<link rel="self" href={quoteattr(address)}/><author><name>{escape(site.authority or site.place)}</name></author>',
    ]
    for day, title, said, page, number in newest:
        parts.append(
            f"<entry><title>{escape(title)}</title><id>{escape(address)}#{number}</id><link href={quoteattr(page)}/>"
            f"<updated>{_instant(day)}</updated><summary>{escape(cut(said, 500))}</summary></entry>"
        )
    return "\n".join([*parts, "</feed>\n"]).encode()


def _number(one: Rereview | Demand | Suggestion, page: str, seen: Counter[str]) -> str:
    """By its own id; without one, by what does not change, and the how-manieth of these it is, counted from the oldest answer."""
    if one.id:
        return quote(one.id, safe="")
    number = sha256("\n".join((one.title, one.filed_on, page)).encode()).hexdigest()[:16]
    seen[number] += 1
    return number if seen[number] == 1 else f"{number}-{seen[number]}"


def _page(site: Site, entry: str | None, part: str) -> str:
    return site.url(f"entry/{entry}/" if entry else f"ledger/{part}/")


def _instant(day: str) -> str:
    return f"{day or '1970-01-01'}T00:00:00+08:00"
