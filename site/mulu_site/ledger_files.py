"""The ledger for machines: ledger.json, a CSV of each part, and a feed of outcomes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from mulu_site.ledger import Demand, Ledger, Rereview, Suggestion
from mulu_site.machine import FeedEntry, csv_table, feed
from mulu_site.place import Site
from mulu_site.text import cut

FEED, FEED_SIZE = "ledger/atom.xml", 50
_HEADS = {
    "rereviews": ("目录条目", "收到日期", "决定日期", "用时（工作日）", "办理", "变更", "公开的复核结论"),
    "demands": ("需要的数据", "提出次数", "收到日期", "答复日期", "用时（工作日）", "办理"),
    "suggestions": ("建议摘要", "关于", "收到日期", "答复日期", "用时（工作日）", "答复"),
    "counts": ("事项", "收到", "待答复", "已答复", "已撤回", "逾期未答复", "按期答复", "用时中位数（工作日）", "最长用时（工作日）", "办理结果"),
}  # fmt: skip


def files(site: Site, ledger: Ledger, known: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """(path, content). `known` maps entries' ids to their pages."""
    yield "ledger.json", json.dumps(ledger.to_dict(), ensure_ascii=False, indent=1).encode()
    for part, rows in _tables(ledger).items():
        yield f"ledger/{part}.csv", csv_table([_HEADS[part], *rows])
    yield FEED, _feed(site, ledger, known)


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


def _feed(site: Site, ledger: Ledger, known: Mapping[str, str]) -> bytes:
    """What was answered, the newest first."""
    told = [(one, f"{one.label}。{one.result}{one.outcome}", _page(site, known.get(one.entry), "rereviews")) for one in ledger.rereviews if one.decided_on]
    told += [(one, one.label, _page(site, known.get(one.entry), "demands")) for one in ledger.demands if one.decided_on]
    told += [(one, one.outcome, _page(site, None, "suggestions")) for one in ledger.suggestions]
    told.sort(key=lambda row: (row[0].decided_on, row[0].title, *row[1:], row[0].filed_on))
    seen: Counter[str] = Counter()
    address = site.url(FEED)
    found = [FeedEntry(one.decided_on, one.title, f"{address}#{_number(one, page, seen)}", page, cut(said, 500)) for one, said, page in told]
    return feed(site, f"{site.title} 办理结果", FEED, f'<link rel="self" href={quoteattr(address)}/>', found[::-1][:FEED_SIZE])


def _number(one: Rereview | Demand | Suggestion, page: str, seen: Counter[str]) -> str:
    """By its own id; without one, by what does not change, and the how-manieth of these it is, counted from the oldest answer."""
    if one.id:
        return quote(one.id, safe="")
    number = sha256("\n".join((one.title, one.filed_on, page)).encode()).hexdigest()[:16]
    seen[number] += 1
    return number if seen[number] == 1 else f"{number}-{seen[number]}"


def _page(site: Site, entry: str | None, part: str) -> str:
    return site.url(f"entry/{entry}/" if entry else f"ledger/{part}/")
