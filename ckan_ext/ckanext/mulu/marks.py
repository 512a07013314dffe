"""What cases leave on an entry for everybody to see: that somebody objects to its class, and whose its items are."""

from __future__ import annotations

from collections.abc import Iterable

from ckan import model
from sqlalchemy import select

from ckanext.mulu.model.tables import case, source

OBJECTIONS = ("rereview",)
"""Procedures that put a mark on the entry while they run (复核申请)."""


def objected(package_ids: Iterable[str] | None = None) -> set[str]:
    """Ids of the entries (of these, or of all) under objection."""
    query = select(case.c.subject_id).where(case.c.is_open, case.c.procedure.in_(OBJECTIONS))
    if package_ids is not None:
        query = query.where(case.c.subject_id.in_(list(package_ids)))
    return set(model.Session.execute(query).scalars())


def sources(package_ids: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """By entry: ``[{item, department, department_title}]``, the source (数源部门) that was named last of each item."""
    group = model.Group
    query = (
        select(source.c.package_id, source.c.item, source.c.org, group.title)
        .outerjoin(group, group.name == source.c.org)
        .where(source.c.package_id.in_(list(package_ids)))
        .order_by(source.c.id)
    )
    last = {(row.package_id, row.item): row for row in model.Session.execute(query)}
    found: dict[str, list[dict[str, str]]] = {}
    for row in last.values():
        named = {"item": row.item, "department": row.org, "department_title": row.title or row.org}
        found.setdefault(row.package_id, []).append(named)
    return found
