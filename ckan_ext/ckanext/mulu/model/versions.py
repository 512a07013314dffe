"""Published versions of entries, as queries; they are written by a decision's effect only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ckan import model
from sqlalchemy import func, insert, select

from ckanext.mulu.model.tables import case, entry_version
from mulu.entry import CLASS_FIELDS


def last(package_id: str) -> tuple[int | None, dict[str, Any] | None]:
    """(version, entry) that the public sees; (None, None) before the first publication and once the entry was withdrawn."""
    query = (
        select(entry_version.c.version, entry_version.c.entry, entry_version.c.withdrawn)
        .where(entry_version.c.package_id == package_id)
        .order_by(entry_version.c.version.desc())
        .limit(1)
    )
    row = model.Session.execute(query).first()
    return (row.version, row.entry) if row and not row.withdrawn else (None, None)


def newest(package_id: str) -> Any:
    """The newest version (version, entry, withdrawn), of a withdrawn entry as well; None before the first publication."""
    query = select(entry_version).where(entry_version.c.package_id == package_id).order_by(entry_version.c.version.desc()).limit(1)
    return model.Session.execute(query).first()


def add(package_id: str, case_id: str, summary: str, entry: dict[str, Any], *, withdrawn: bool = False) -> None:
    """The next version of an entry, whose case is locked."""
    before = newest(package_id)
    values = {"package_id": package_id, "version": (before.version if before else 0) + 1, "case_id": case_id, "summary": summary}
    model.Session.execute(insert(entry_version).values(**values, entry=entry, withdrawn=withdrawn, published_at=func.now()))


def last_of(package_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The last published entry of each, in wire form, by id; those that are not published (any more) are left out."""
    ids, package = list(set(package_ids)), model.Package
    last_ = (
        select(entry_version.c.package_id, func.max(entry_version.c.version).label("version"))
        .where(entry_version.c.package_id.in_(ids))
        .group_by(entry_version.c.package_id)
        .subquery()
    )
    query = (
        select(entry_version.c.package_id, entry_version.c.entry)
        .join(last_, (last_.c.package_id == entry_version.c.package_id) & (last_.c.version == entry_version.c.version))
        .join(package, package.id == entry_version.c.package_id)
        .where(package.state == "active", package.private.is_(False), entry_version.c.withdrawn.is_(False))
    )
    return {row.package_id: row.entry for row in model.Session.execute(query)}


def of_entries(package_ids: Sequence[str]) -> dict[str, list[Any]]:
    """All versions of each entry, oldest first, in one query."""
    found: dict[str, list[Any]] = {one: [] for one in package_ids}
    query = select(entry_version).where(entry_version.c.package_id.in_(package_ids))
    for row in model.Session.execute(query.order_by(entry_version.c.package_id, entry_version.c.version)):
        found[row.package_id].append(row)
    return found


def delivered(entry: dict[str, Any], package: Any) -> dict[str, Any]:
    """A published entry with the day on which its data were delivered last: a fact that its source tells, and no change of what was
    decided; it stands in the dataset without a version of its own."""
    day = package.extras.get("data_updated_on")
    return {**entry, "data_updated_on": day} if day else entry


def class_decided(versions: Sequence[Any]) -> Any:
    """The version in which the entry got the class that it has now."""
    current = {key: versions[-1].entry.get(key) for key in CLASS_FIELDS}
    decided = versions[-1]
    for row in reversed(versions):
        if {key: row.entry.get(key) for key in CLASS_FIELDS} != current:
            break
        decided = row
    return decided


def class_deciders(package_id: str) -> list[str]:
    """Ids of those who decided the class that an entry has now (原决定人)."""
    versions = of_entries([package_id])[package_id]
    if not versions:
        return []
    body = model.Session.execute(select(case.c.body).where(case.c.id == class_decided(versions).case_id)).scalar()
    return sorted({person for _, person in body["deciders"]}) if body else []
