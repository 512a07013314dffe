"""Three versions of an entry made one: what the source stated last, what it states now, and what the portal has.

A field that only the source changed becomes the source's; one that only the portal changed stays; where both did, the policy says
whose word counts. What the source never stated is the portal's own and is never touched. Items and resources are merged row by
row (items by name, resources by address or name) and within a row field by field, so that an item added or explained here
survives a change of another one there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mulu.entry import ITEM_FIELD, Change, diff

Row = Mapping[str, Any]
Key = tuple[str, int]
OURS: frozenset[str] = frozenset({"name", "source", "resource_code"})
"""The portal gives names and codes; ``source`` is where the entry is known by. A code that the source gives counts at the start."""
_NOT_STATED = frozenset({"id", "size", "hash"})
"""Of a resource: what the portal adds."""


@dataclass(frozen=True)
class Merged:
    """``entry``: what it shall be. ``local``: (field, label) of a difference, as ``mulu.entry.diff`` tells it → kept or overwritten."""

    entry: dict[str, Any]
    local: Mapping[tuple[str, str], str] = field(default_factory=dict)


def merge(base: Row, theirs: Row, ours: Row, policy: Literal["keep", "overwrite"]) -> Merged:
    """All in wire form. base: as the source last stated it; empty for an entry that it never stated."""
    return _Merge(policy).run(base, theirs, ours)


def changes_of(base: Row, theirs: Row, merged: Merged | None = None) -> tuple[dict[str, str], ...]:
    """What the source changed, for people, and what became of it where the field was changed here too."""
    local = merged.local if merged else {}
    return tuple({**_change(one), "local": local.get((one.field, one.label), "")} for one in diff(base, theirs) if one.field not in OURS)


def _change(change: Change) -> dict[str, str]:
    return {"field": change.field, "label": change.label, "before": change.before, "after": change.after}


class _Merge:
    def __init__(self, policy: str) -> None:
        self.keep = policy == "keep"
        self.local: dict[tuple[str, str], str] = {}

    def run(self, base: Row, theirs: Row, ours: Row) -> Merged:
        entry = dict(ours)
        labels = {change.field: change.label for change in diff(base, theirs)}
        for key in base.keys() | theirs.keys():
            if key in OURS and ours.get(key):
                continue
            if key in ("items", "resources"):
                rows = self.rows(key, base.get(key) or [], theirs.get(key) or [], ours.get(key) or [])
                self.put(entry, key, rows)
            else:
                self.put(entry, key, self.one(base.get(key), theirs.get(key), ours.get(key), (key, labels.get(key, key))))
        return Merged(entry, self.local)

    def put(self, row: dict[str, Any], key: str, value: Any) -> None:
        row.pop(key, None)
        if value not in (None, "", [], {}, False):
            row[key] = value

    def one(self, base: Any, theirs: Any, ours: Any, place: tuple[str, str]) -> Any:
        """``place``: where the source's change is told."""
        base, theirs, ours = (value or None for value in (base, theirs, ours))
        if theirs in (base, ours):
            return ours
        if ours == base:
            return theirs
        self.local[place] = "kept" if self.keep else "overwritten"
        return ours if self.keep else theirs

    def rows(self, kind: str, base: Sequence[Row], theirs: Sequence[Row], ours: Sequence[Row]) -> list[dict[str, Any]]:
        """Rows in the source's order where it changed, then those that only the portal has; else in the portal's."""
        name = _item_name if kind == "items" else _resource_name
        old, new, here = _numbered(base, name), _numbered(theirs, name), _numbered(ours, name)
        merged: dict[Key, dict[str, Any]] = {}
        position = {key: n for n, key in enumerate(new)}
        for key in dict.fromkeys([*here, *new] if list(old) == list(new) else [*new, *here]):
            row = self.row(kind, key, old.get(key), new.get(key), here.get(key), position.get(key, -1))
            if row is not None:
                merged[key] = row
        return list(merged.values())

    def row(self, kind: str, key: Key, base: Row | None, theirs: Row | None, ours: Row | None, position: int) -> dict[str, Any] | None:
        item = kind == "items"
        label = f"信息项“{key[0]}”" if item else "数据文件与服务"
        if theirs is None:  # gone there, or never there
            if ours is None or base is None:
                return dict(ours) if ours is not None else None
            return self.whole(base, None, ours, (kind, label))
        if ours is None:  # new there, or gone here
            return self.whole(base, theirs, None, (f"items[{position}]", label) if item else (kind, label))
        row = dict(ours)
        for part in (base or {}).keys() | theirs.keys():
            if not item and part in _NOT_STATED and ours.get(part):
                continue
            self.put(row, part, self.one((base or {}).get(part), theirs.get(part), ours.get(part), self.place(base, position, part, label)))
        return row

    def place(self, base: Row | None, position: int, part: str, label: str) -> tuple[str, str]:
        """Where ``diff`` tells the change of a part of a row: resources as one, a new item as a whole, else the item's field."""
        if not label.startswith("信息项"):
            return "resources", label
        return (f"items[{position}].{part}", f"{label} {ITEM_FIELD[part].label}") if base else (f"items[{position}]", label)

    def whole(self, base: Row | None, theirs: Row | None, ours: Row | None, place: tuple[str, str]) -> dict[str, Any] | None:
        """A row that one side does not have."""
        stated, new, here = (_stated(row) for row in (base, theirs, ours))
        if new == stated:
            found = ours
        elif here == stated:
            found = theirs
        else:
            self.local[place] = "kept" if self.keep else "overwritten"
            found = ours if self.keep else theirs
        return None if found is None else dict(found)


def _stated(row: Row | None) -> dict[str, Any] | None:
    return None if row is None else {key: value for key, value in row.items() if key not in _NOT_STATED and value}


def _item_name(row: Row) -> str:
    return str(row.get("name", ""))


def _resource_name(row: Row) -> str:
    return str(row.get("url") or row.get("name", ""))


def _numbered(rows: Sequence[Row], name: Callable[[Row], str]) -> dict[Key, Row]:
    """Rows by name; a name that stands twice keeps both, by its occurrence."""
    seen: Counter[str] = Counter()
    found = {}
    for row in rows:
        found[name(row), seen[name(row)]] = row
        seen[name(row)] += 1
    return found
