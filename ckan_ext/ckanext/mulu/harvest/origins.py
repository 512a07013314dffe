"""Where an entry came from by harvest, and what of it was changed here since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import select

from ckanext.mulu import entries
from ckanext.mulu.harvest import sources
from ckanext.mulu.model.tables import harvest_record, harvest_run, harvest_source
from mulu.entry import diff
from mulu.people import Person
from mulu_harvest.plan import QUIET

OURS = QUIET | {"resource_code", "source", "published_on", "provider", "resources"}
"""What the portal gives or keeps by itself, files with ids of their own among it: no edit that stands against the source."""


def of_entry(package: Mapping[str, Any], person: Person) -> dict[str, Any] | None:
    """{source, title, url, address, seen_at, gone, kept}; None for an entry that was not harvested.

    url: of the source's page, "" where this person may not see it; address: of the entry's page there; gone: the source has it no
    longer; kept: labels of fields that the source states and that are otherwise here.
    """
    record, run, source = harvest_record.c, harvest_run.c, harvest_source.c
    query = (
        select(record.source, record.state, record.entry, record.changed_at, run.finished_at, run.started_at, source.settings)
        .join(harvest_source, source.name == record.source)
        .outerjoin(harvest_run, run.id == record.seen_run)
        .where(record.package_id == package["id"])
        .order_by(record.changed_at.desc())
        .limit(1)
    )
    row = model.Session.execute(query).first()
    if row is None:
        return None
    stated = row.entry or {}
    seen = row.finished_at or row.started_at or row.changed_at
    visible = model.Session.execute(select(source.name).where(source.name == row.source, sources.visible(person))).first()
    return {
        "source": row.source,
        "title": row.settings.get("title", row.source),
        "url": tk.h.url_for("mulu_harvest.source", name=row.source) if visible else "",
        "address": (stated.get("source") or {}).get("url", ""),
        "seen_at": seen.isoformat(timespec="seconds"),
        "gone": row.state == "removed",
        "kept": _kept(stated, package),
    }


def _kept(stated: Mapping[str, Any], package: Mapping[str, Any]) -> list[str]:
    now = entries.to_entry(dict(package))
    said = {key: value for key, value in stated.items() if key not in OURS}
    return list(dict.fromkeys(change.label for change in diff(said, {key: now.get(key, "") for key in said if now.get(key)})))
