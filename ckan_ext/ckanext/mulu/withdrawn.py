"""What was published and no longer is, as the snapshot's header tells it: the public site keeps a page for each."""

from __future__ import annotations

import ckan.model as model
from sqlalchemy import select

from ckanext.mulu import cases
from ckanext.mulu.feeds import published
from ckanext.mulu.model.tables import entry_version

_WORD = "撤销："


def whole() -> list[dict[str, str]]:
    """``[{id, name, title, provider_title, on, reason}]`` by name; `on` is the day of the decision in China."""
    table, package = entry_version.c, model.Package
    newest = (
        select(table.package_id, table.published_at, table.summary, table.entry, table.withdrawn)
        .distinct(table.package_id)
        .order_by(table.package_id, table.version.desc())
        .subquery()
    )
    query = (
        select(newest, package.name)
        .join(package, package.id == newest.c.package_id)
        .where(newest.c.withdrawn, package.state == "deleted", package.private.is_(False))
        .order_by(package.name)
    )
    titles = published.titles()
    return [
        {
            "id": row.package_id,
            "name": row.name,
            "title": row.entry.get("title", ""),
            "provider_title": titles.get(row.entry.get("provider", ""), row.entry.get("provider", "")),
            "on": cases.day(row.published_at).isoformat(),
            "reason": row.summary.removeprefix(_WORD),
        }
        for row in model.Session.execute(query)
    ]
