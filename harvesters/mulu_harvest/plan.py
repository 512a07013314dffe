"""What a run is about to do with each record, and why it may have to wait for a person. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mulu.checks import WIDTH
from mulu.codes import CODE_LISTS
from mulu.entry import VOLATILE_FIELDS, Entry
from mulu.errors import Problem
from mulu.files import digest

Kind = Literal["add", "change", "remove", "restore", "refuse"]
COUNTS = ("read", "repeated", "added", "changed", "unchanged", "removed", "restored", "held", "refused")
"""What a run counts. read: records met, without ``repeated``; held: steps that wait for a person."""


@dataclass(frozen=True)
class Reason:
    """Why a run is held. rule: too_many_removed, too_few, too_many, closed (openness downgraded), moved (other department)."""

    rule: str
    message: str


@dataclass(frozen=True)
class Step:
    """What is to be done with one record. ``entry``: what the source states, in wire form; ``hash``: of it.

    ``changes``: [{field, label, before, after, local}]; ``package_id``: of the entry that it is, "" for a new one.
    """

    source_id: str
    kind: Kind
    title: str = ""
    provider: str = ""
    where: str = ""
    package_id: str = ""
    hash: str = ""
    entry: Mapping[str, Any] = field(default_factory=dict)
    changes: tuple[Mapping[str, str], ...] = ()
    problems: tuple[Problem, ...] = ()
    reasons: tuple[Reason, ...] = ()


QUIET: frozenset[str] = VOLATILE_FIELDS | {"data_updated_on", "name"}
"""Fields that make no change by themselves. ``data_updated_on`` moves with every delivery of the data, not with what the entry
says of it; were it a change, a daily source would put a review of each entry before the authority every day."""
COUNT_OF: Mapping[str, str] = {"add": "added", "change": "changed", "remove": "removed", "restore": "restored", "refuse": "refused"}
"""Kind of step → where it is counted."""
PART_ONLY = "part_only"
"""Rule of the problem that says that the source gave a part of itself only."""
SHARE = 0.05
"""Runs may remove that share of a source's entries in seven days by themselves, and one entry always."""


def stated(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as it is compared and kept: in wire form, without the ids that its source gave to its files, which are not ours."""
    wire = Entry.from_dict(entry).to_dict()
    for resource in wire.get("resources", ()):
        resource.pop("id", None)
    return wire


def hash_of(wire: Mapping[str, Any]) -> str:
    """sha256 (hex) of what ``stated`` gave, without the fields that make no change."""
    return digest({key: value for key, value in wire.items() if key not in QUIET})


def reasons_of_change(before: Mapping[str, Any], after: Mapping[str, Any], names: Mapping[str, str]) -> tuple[Reason, ...]:
    """Why this change waits for a person: the entry or one of its items is opened less than before, or another department's.

    names: slug → name of departments.
    """
    found = []
    if closed := _closed(before, after):
        found.append(Reason("closed", closed))
    was, now = before.get("provider", ""), after.get("provider", "")
    if was and was != now:
        found.append(Reason("moved", f"提供方由“{names.get(was, was)}”改为“{names.get(now, now)}”"))
    return tuple(found)


def _closed(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What is opened less, in words; "" for nothing. A class that is no longer stated counts as less."""
    was, now = before.get("open_type", ""), after.get("open_type", "")
    if _less(was, now):
        return f"开放类型由“{_open(was)}”收紧为“{_open(now)}”"
    items = {item.get("name"): item.get("open_type") or was for item in before.get("items", ())}
    for item in after.get("items", ()):
        old, new = items.get(item.get("name"), ""), item.get("open_type") or now
        if _less(old, new):
            return f"信息项“{item.get('name')}”的开放类型由“{_open(old)}”收紧为“{_open(new)}”"
    return ""


def _less(was: str, now: str) -> bool:
    return WIDTH.get(was, -1) > WIDTH.get(now, -1)


def _open(key: str) -> str:
    return CODE_LISTS["open_type"].label(key) if key in WIDTH else key or "未写明"


def reasons_of_run(
    counts: Mapping[str, int], size: int, expected: tuple[int, int], marked: Mapping[str, int], *, part: bool, lately: int = 0
) -> list[Reason]:
    """Why the run as a whole waits. size: entries in the catalogue before it; marked: rule → steps with such a reason; part: the
    source gave a part of itself, whose number says nothing; lately: what runs removed by themselves in the seven days before, so
    that a source that is read every hour is not emptied a little at a time."""
    found = []
    had = size + lately
    if counts["removed"] and counts["removed"] + lately > max(1, had * SHARE):
        before = f"7 天内已自动撤销 {lately} 条，" if lately else ""
        message = f"将撤销 {counts['removed']} 条，{before}已有 {size} 条，7 天内至多自动撤销 {max(1, int(had * SHARE))} 条（5%）"
        found.append(Reason("too_many_removed", message))
    low, high = expected
    if counts["read"] < low and not part:
        found.append(Reason("too_few", f"读到 {counts['read']} 条，少于预期的最少 {low} 条"))
    if counts["read"] > high and not part:
        found.append(Reason("too_many", f"读到 {counts['read']} 条，多于预期的最多 {high} 条"))
    if marked.get("closed"):
        found.append(Reason("closed", f"{marked['closed']} 条目录的开放类型将收紧"))
    if marked.get("moved"):
        found.append(Reason("moved", f"{marked['moved']} 条目录将改属其他部门"))
    return found
