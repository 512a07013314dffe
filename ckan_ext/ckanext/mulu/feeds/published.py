"""What everybody may see of the catalogue, as other catalogues take it: named fields of the last published version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

import ckan.model as model
import ckan.plugins.toolkit as tk
from sqlalchemy import ColumnElement, and_, func, select

from ckanext.mulu import entries
from ckanext.mulu.logic import access, content
from ckanext.mulu.model.tables import entry_version
from ckanext.mulu.model.versions import delivered
from mulu.entry import FIELDS, Entry
from mulu.visibility import NOBODY
from mulu_site.words import WITHHELD

PAGE = 200
FORM = 1
"""Counted up when the same catalogue is told in another form, so that nobody keeps what was told before."""
_PUBLIC = frozenset(field.key for field in FIELDS) - WITHHELD


class Published(NamedTuple):
    """One entry. ``entry``: in wire form, without what not everybody may have; ``provider_title``: its department's full name;
    ``source_title``: that of its 数源部门."""

    id: str
    name: str
    version: int
    published_at: datetime
    provider_title: str
    source_title: str
    entry: dict[str, Any]


def visible() -> ColumnElement[bool]:
    """As a condition on CKAN's packages, what may be published; whether it is, says the predicate for each (``of_packages``)."""
    package = model.Package
    return and_(package.state == "active", package.private.is_(False), package.type == "dataset")


def by_name(after: str = "", limit: int = PAGE, offset: int = 0) -> tuple[list[Published], str]:
    """The next entries after this name, in the order of names (what comes or goes meanwhile moves no other), and where the next
    ones begin: "" where there is none."""
    package = model.Package
    query = select(package).where(visible(), package.name > after).order_by(package.name).offset(offset).limit(limit)
    packages = model.Session.execute(query).scalars().all()
    return of_packages(packages), packages[-1].name if packages else ""


def whole() -> Iterator[Published]:
    """All of them by name, page after page."""
    found, last = by_name()
    while last:
        yield from found
        found, last = by_name(last)


def one(name_or_id: str) -> Published | None:
    """The entry of this name or id; None where the public sees none."""
    package = model.Package.get(name_or_id)
    found = of_packages([package]) if package is not None and package.type == "dataset" else []
    return found[0] if found else None


def count() -> int:
    return model.Session.execute(select(func.count()).select_from(model.Package).where(visible())).scalar_one()


def of_packages(packages: Iterable[Any]) -> list[Published]:
    """Those of the packages that a visitor may see, each in its last published version."""
    packages = list(packages)
    owners = _owners(packages)
    seen = [one for one in packages if access.sees_package(NOBODY, one)]
    del owners
    versions, names = last_versions(one.id for one in seen), titles()
    return [_published(one, versions[one.id], names) for one in seen if one.id in versions and not versions[one.id].withdrawn]


def _owners(packages: list[Any]) -> list[Any]:
    """Their departments, to be held while the predicate asks for each: the session forgets at once what nobody holds."""
    ids = {one.owner_org for one in packages}
    return list(model.Session.execute(select(model.Group).where(model.Group.id.in_(ids))).scalars())


def _published(package: Any, row: Any, names: dict[str, str]) -> Published:
    entry = public(delivered(row.entry, package))
    provider, source = entry.get("provider", ""), entry.get("source_department", "")
    return Published(
        package.id, package.name, row.version, row.published_at, names.get(provider, provider), names.get(source, source), entry
    )


def public(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry's public fields in wire form: no person who reviewed it, no file or address that is not open."""
    shown = content.public_package({key: value for key, value in entry.items() if key in _PUBLIC})
    return Entry.from_dict(shown).to_dict()


def last_versions(package_ids: Iterable[str]) -> dict[str, Any]:
    """The newest row of the versions of each, by the package's id; it may be one of withdrawal."""
    table = entry_version.c
    query = (
        select(entry_version)
        .where(table.package_id.in_(list(package_ids)))
        .distinct(table.package_id)
        .order_by(table.package_id, table.version.desc())
    )
    return {row.package_id: row for row in model.Session.execute(query)}


def titles() -> dict[str, str]:
    """Full names of the departments by their slugs."""
    group = model.Group
    query = select(group.name, group.title).where(group.is_organization.is_(True), group.state == "active")
    return {row.name: row.title or row.name for row in model.Session.execute(query)}


def tag(*asked: Any) -> str:
    """For ETag: the same as long as nothing was published, withdrawn or renamed that an answer to ``asked`` may tell of.

    Ask for it before the answer is made: an answer may be newer than its tag, never older.
    """
    table, package = entry_version.c, model.Package
    versions = model.Session.execute(select(func.count(), func.max(table.published_at))).one()
    packages = model.Session.execute(select(func.count(), func.max(package.metadata_modified)).where(visible())).one()
    place = (tk.config["ckan.site_url"], tk.config["mulu.site_url"], entries.profile().version)
    stated = (FORM, asked, tuple(versions), tuple(packages), sorted(titles().items()), place)
    return sha256(repr(stated).encode()).hexdigest()[:32]
