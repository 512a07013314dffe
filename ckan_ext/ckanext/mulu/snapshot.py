"""The published catalogue as a file: what the public site is built from. Streamed, whatever its size."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk
from sqlalchemy import select

from ckanext.mulu import cases, entries, marks, previews, withdrawn
from ckanext.mulu.grants import use
from ckanext.mulu.grants.query import MOST as MOST_ROWS
from ckanext.mulu.logic import access, content
from ckanext.mulu.model import versions
from ckanext.mulu.public_requests import ledger
from mulu.case import SHANGHAI
from mulu.visibility import NOBODY
from mulu_site.snapshot import write_snapshot

PAGE = 200


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
        "generated_at": _instant(cases.now()),
        "portal_url": tk.config["ckan.site_url"].rstrip("/"),
        "site_url": tk.config["mulu.site_url"].rstrip("/"),
        "demo": demo,
        "departments": departments(),
        "ledger": ledger.whole(),
        "withdrawn": withdrawn.whole(),
        "data_api": {"rows": MOST_ROWS, "calls_per_minute": tk.config["mulu.grant_rate"]},
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
    objected, budget = marks.objected(), previews.Budget()
    package = model.Package
    candidates = select(package).where(package.state == "active", package.private.is_(False), package.type == "dataset")
    found = model.Session.execute(candidates.order_by(package.name).execution_options(yield_per=PAGE)).scalars()
    for page in found.partitions(PAGE):
        seen = [one for one in page if access.sees_package(NOBODY, one)]
        called = use.calls([one.id for one in seen], cases.day(cases.now()))
        history, sources = versions.of_entries([one.id for one in seen]), marks.sources(one.id for one in seen)
        for one in seen:
            if history[one.id]:
                line = _line(one, history[one.id], titles, one.id in objected) | {"sources": sources.get(one.id, [])}
                counted = {"calls": called[one.id]} if one.id in called else {}
                yield previews.described(line | counted, budget)


def _line(package: Any, rows: list[Any], titles: dict[str, str], objected: bool) -> dict[str, Any]:
    last = rows[-1]
    entry = {**content.public_package(versions.delivered(last.entry, package))}
    entry.pop("decided_by", None)  # who pressed the button is for the case, not for the public
    decided = versions.class_decided(rows)
    place, owner = entries.profile(), titles.get(entry["provider"], entry["provider"])
    source = entry.get("source_department")
    return entry | {
        "id": package.id,
        "name": package.name,
        "provider_title": owner,
        **({"source_department_title": titles.get(source, source)} if source else {}),
        "version": last.version,
        "published_at": _instant(last.published_at),
        "history": [_version(row) for row in rows],
        "objection": objected,
        "class_decision": {
            "department": owner,
            **({"reviewed_by": place.authority_name} if _by_authority(decided) else {}),
            "article": place.cite("open_grounds" if entry.get("open_type") == "none" else "open_types"),
            "on": cases.day(decided.published_at).isoformat(),
        },
    }


def _version(row: Any) -> dict[str, Any]:
    """A version in the history that everybody sees: which fields changed, and the class that it had. What the other fields said is left
    out: what was corrected because it should never have been public is not told again."""
    told = {"version": row.version, "published_at": _instant(row.published_at), "summary": row.summary}
    return told | {key: row.entry[key] for key in ("open_type", "share_type") if row.entry.get(key)}


def _instant(at: datetime) -> str:
    """As clocks in China show it, with its offset: who reads the date alone reads the right one."""
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")


def _by_authority(decided: Any) -> bool:
    """Whether the department's class was agreed to by the authority (华容 第八条: 报县政务信息资源主管部门审核)."""
    by = decided.entry.get("decided_by")
    return isinstance(by, dict) and by.get("role") in ("authority", "authority_head")
