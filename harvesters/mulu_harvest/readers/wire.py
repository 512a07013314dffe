"""Entries that their source states in our wire form already: another installation of this portal, or a CKAN with its schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mulu.entry import FIELD, Entry
from mulu.errors import Problem

from ..text import clean
from . import words

_OURS_ALONE = ("name", "provider", "source", "source_department", "secrecy_review", "privacy_review")
"""What means something in its own portal only (its addresses and departments' slugs), or is no other place's business."""


def entry_of(stated: Mapping[str, Any], where: str) -> tuple[dict[str, Any], list[Problem]]:
    """The entry with what of it can be kept, and a problem for each field whose value has another shape.

    Codes, classes and names stay as they are; departments are named apart, by their full names.
    """
    fields = {key: value for key, value in stated.items() if key in FIELD and key not in _OURS_ALONE}
    entry: dict[str, Any] = _clean(Entry.from_dict(fields).to_dict())
    for resource in entry.get("resources", ()):
        resource.pop("id", None)  # of the other portal
    lost = [key for key, value in fields.items() if value not in (None, "", [], {}, False) and key not in entry]
    return entry, [
        words.problem(key, "wrong_type", where, f"的{FIELD[key].label}不是应有的格式，未读入", "warning", str(fields[key])[:100])
        for key in lost
    ]  # fmt: skip


def _clean(value: Any) -> Any:
    """Without control characters, which PostgreSQL does not take."""
    if isinstance(value, dict):
        return {key: _clean(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_clean(part) for part in value]
    return clean(value) if isinstance(value, str) else value
