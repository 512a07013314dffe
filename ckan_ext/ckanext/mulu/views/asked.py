"""What is asked for in an application, in words: the published entries and, of each, the items that may be ticked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ckanext.mulu.helpers import mulu_departments
from ckanext.mulu.model import versions
from mulu.entry import class_of

Row = dict[str, Any]
CLASS_KEY = {"sharing_application": "share_type", "open_application": "open_type"}


def rows(asked: Sequence[Mapping[str, Any]], procedure: str, decisions: Sequence[Mapping[str, Any]] = ()) -> list[Row]:
    """Each asked entry: {id, title, provider, provider_title, class_key, class_, items, decision}; an unknown one has no items.

    An item: {name, sensitive, ticked, reason, closed, given}. closed: not shared or open by its own class or the entry's;
    given: whether it was agreed to, None before a decision.
    """
    published = versions.last_of(str(one.get("id")) for one in asked)
    departments = {one["name"]: one["title"] for one in mulu_departments()}
    decided = {str(one.get("id")): one for one in decisions}
    key = CLASS_KEY.get(procedure, "share_type")
    found = []
    for one in asked:
        entry = published.get(str(one.get("id")), {})
        decision = decided.get(str(one.get("id")))
        found.append({
            "id": one.get("id"),
            "title": entry.get("title") or one.get("id"),
            "provider": entry.get("provider", ""),
            "provider_title": departments.get(entry.get("provider", ""), entry.get("provider", "")),
            "class_key": key,
            "class_": entry.get(key, ""),
            "condition": entry.get(key.replace("_type", "_condition"), ""),
            "items": _items(entry, one, key, decision),
            "decision": decision,
        })  # fmt: skip
    return found


def _items(entry: Mapping[str, Any], one: Mapping[str, Any], key: str, decision: Mapping[str, Any] | None) -> list[Row]:
    own, whole = class_of(entry).get("items", {}) if entry else {}, entry.get(key, "")
    ticked, reasons = list(one.get("items") or []), one.get("reasons") or {}
    known = {row["name"]: row for row in entry.get("items") or [] if row.get("name")}
    return [
        {
            "name": name,
            "description": known.get(name, {}).get("description", ""),
            "sensitive": bool(known.get(name, {}).get("sensitive")),
            "closed": (own.get(name, {}).get(key) or whole) == "none",
            "ticked": name in ticked,
            "reason": reasons.get(name, ""),
            "given": _given(name, ticked, decision),
        }
        for name in dict.fromkeys([*known, *ticked])
    ]


def _given(name: str, ticked: list[str], decision: Mapping[str, Any] | None) -> bool | None:
    if decision is None or name not in ticked:
        return None
    return decision.get("decision") == "agreed" or (decision.get("decision") == "partly" and name in (decision.get("items") or []))


def read(form: Any, key: str = "asked") -> list[Row]:
    """What was ticked, of each entry that the form held: [{id, items, reasons}]. Reasons stay, also of what is not ticked now."""
    found = []
    for one in dict.fromkeys(form.getlist(f"{key}.id")):
        lead = f"{key}.reason.{one}."
        reasons = {name.removeprefix(lead): form[name].strip() for name in form if name.startswith(lead) and form[name].strip()}
        row: Row = {"id": one, "items": form.getlist(f"{key}.items.{one}")}
        found.append({**row, "reasons": reasons} if reasons else row)
    return found


def departments(found: Sequence[Row]) -> list[tuple[str, str, list[Row]]]:
    """Rows as one application each: (department's title, class, rows), in the rows' order."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in found:
        groups.setdefault((row["provider_title"], row["class_"]), []).append(row)
    return [(title, class_, part) for (title, class_), part in groups.items()]
