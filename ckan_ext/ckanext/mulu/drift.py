"""Whether the index says what the database says, and mending it where it doesn't."""

from __future__ import annotations

from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk
from ckan.lib.search.common import make_connection

from ckanext.mulu.transaction import index

PAGE = 1000


def compare() -> dict[str, list[str]]:
    """Ids that are ``missing`` in the index, ``ghosts`` only there, or ``stale`` (other time of change or visibility)."""
    stored = _database()
    indexed = _index()
    return {
        "missing": sorted(stored.keys() - indexed.keys()),
        "ghosts": sorted(indexed.keys() - stored.keys()),
        "stale": sorted(key for key in stored.keys() & indexed.keys() if stored[key] != indexed[key]),
    }


def mend() -> int:
    """Index what is missing or stale, take out ghosts; gives how many."""
    found = compare()
    index(found["missing"] + found["stale"] + found["ghosts"])
    return sum(map(len, found.values()))


def _database() -> dict[str, tuple[str, str]]:
    package = model.Package
    query = model.Session.query(package.id, package.metadata_modified, package.private).filter(package.state == "active")
    return {key: (modified.isoformat()[:19], "private" if private else "public") for key, modified, private in query}


def _index() -> dict[str, tuple[str, str]]:
    solr = make_connection()
    found: dict[str, tuple[str, str]] = {}
    cursor = "*"
    while True:
        query: dict[str, Any] = {
            "q": "*:*", "fq": f'+site_id:"{tk.config["ckan.site_id"]}" +entity_type:package', "rows": PAGE,
            "fl": "id,metadata_modified,capacity", "sort": "index_id asc", "cursorMark": cursor,
        }  # fmt: skip
        answer = solr.search(**query)
        for row in answer.docs:
            modified = row.get("metadata_modified", "")
            text = modified if isinstance(modified, str) else modified.isoformat()
            found[row["id"]] = (text[:19], row.get("capacity", "public"))
        if answer.nextCursorMark == cursor:
            return found
        cursor = answer.nextCursorMark
