"""Cases that belong together, linked both ways, and the grants that a case gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.mulu.views.common import context
from ckanext.mulu.views.grants import titled

Row = dict[str, Any]
MOST = 50


def of(case: Mapping[str, Any]) -> list[Row]:
    """Rows of mulu_case_list: the case that this one is about, those about it, and the other ones about the same entry."""
    subject, found = case["subject"], []
    if subject["type"] == "case":
        found += _one(subject["id"])
        found += _about(subject["id"])
    if subject["type"] == "entry":
        found += _about(subject["id"])
    found += _about(case["id"])
    known: dict[str, Row] = {row["id"]: row for row in found}
    known.pop(case["id"], None)
    return sorted(known.values(), key=lambda row: row["opened_at"], reverse=True)[:MOST]


def grants(case: Mapping[str, Any]) -> list[Row]:
    """What the case gave, as mulu_grant_list tells it; nothing for who may not see it."""
    if "asked" not in case["data"]:
        return []
    try:
        return titled(_rows(tk.get_action("mulu_grant_list")(context(), {"case": case["id"]})))
    except (tk.NotAuthorized, tk.ObjectNotFound):
        return []


def _about(subject_id: str) -> list[Row]:
    return _rows(tk.get_action("mulu_case_list")(context(), {"subject_id": subject_id, "limit": MOST}))


def _one(case_id: str) -> list[Row]:
    try:
        return [tk.get_action("mulu_case_show")(context(), {"id": case_id})]
    except (tk.NotAuthorized, tk.ObjectNotFound):
        return []


def _rows(found: Any) -> list[Row]:
    return list(found["results"] if isinstance(found, dict) else found)
