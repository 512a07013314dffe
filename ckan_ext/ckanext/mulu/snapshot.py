"""The published catalogue as a file: what the public site is built from. Streamed, whatever its size."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk
from sqlalchemy import select

from ckanext.mulu import entries
from ckanext.mulu.logic import access
from ckanext.mulu.model.tables import case, entry_version
from mulu.entry import CLASS_FIELDS
from mulu.visibility import NOBODY
from mulu_site.snapshot import write_snapshot

OBJECTIONS = ("rereview",)
"""Procedures that put a mark on the entry while they run (复核申请)."""


def write(file: Path, *, demo: bool = False) -> int:
    """Write the snapshot beside the file and put it in place when it is whole; gives the number of entries."""
    partial = file.with_name(file.name + ".new")
    count = write_snapshot(partial, header(demo), published())
    partial.replace(file)
    return count


def header(demo: bool) -> dict[str, Any]:
    place = entries.profile()
    return {
        "mulu_snapshot": 1,
        "profile": place.id,
        "place": place.name,
        "generated_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "portal_url": tk.config["ckan.site_url"].rstrip("/"),
        "site_url": tk.config["mulu.site_url"].rstrip("/"),
        "demo": demo,
        "departments": departments(),
    }


def departments() -> list[dict[str, Any]]:
    group = model.Group
    query = select(group).where(group.is_organization.is_(True), group.state == "active").order_by(group.name)
    found = []
    for one in model.Session.execute(query).scalars():
        extras = one.extras
        found.append(
            {
                "name": one.name,
                "title": one.title or one.name,
                "code": extras.get("credit_code", ""),
                "chief_data_officer": extras.get("chief_data_officer", ""),
                "parent": extras.get("parent", ""),
            }
        )
    return found


def published() -> Iterator[dict[str, Any]]:
    """Every entry that a visitor may see, in its last published version, with the history of its versions; by name."""
    titles = {one["name"]: one["title"] for one in departments()}
    objected = set(
        model.Session.execute(select(case.c.subject_id).where(case.c.is_open, case.c.procedure.in_(OBJECTIONS))).scalars()
    )
    package = model.Package
    candidates = select(package).where(package.state == "active", package.private.is_(False), package.type == "dataset")
    for one in model.Session.execute(candidates.order_by(package.name).execution_options(yield_per=200)).scalars():
        if not access.sees_package(NOBODY, one):
            continue
        query = select(entry_version).where(entry_version.c.package_id == one.id).order_by(entry_version.c.version)
        versions = list(model.Session.execute(query))
        if versions:
            yield _line(one, versions, titles, one.id in objected)


def _line(package: Any, versions: list[Any], titles: dict[str, str], objected: bool) -> dict[str, Any]:
    last, entry = versions[-1], dict(versions[-1].entry)
    entry.pop("decided_by", None)  # who pressed the button is for the case, not for the public
    decided = _class_decided(versions)
    history = [
        {"version": row.version, "published_at": row.published_at.isoformat(timespec="seconds"), "summary": row.summary}
        for row in versions
    ]
    return entry | {
        "id": package.id,
        "name": package.name,
        "provider_title": titles.get(entry["provider"], entry["provider"]),
        "version": last.version,
        "published_at": last.published_at.isoformat(timespec="seconds"),
        "history": history,
        "objection": objected,
        "class_decision": {
            "department": titles.get(entry["provider"], entry["provider"]),
            "article": entries.profile().cite("open_grounds" if entry.get("open_type") == "none" else "open_types"),
            "on": decided.published_at.date().isoformat(),
        },
    }


def _class_decided(versions: list[Any]) -> Any:
    """The version in which the entry got the class that it has now."""
    current = {key: versions[-1].entry.get(key) for key in CLASS_FIELDS}
    decided = versions[-1]
    for row in reversed(versions):
        if {key: row.entry.get(key) for key in CLASS_FIELDS} != current:
            break
        decided = row
    return decided
