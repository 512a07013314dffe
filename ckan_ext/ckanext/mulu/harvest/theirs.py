"""Which of a source's entries a department's people may see: a source often brings those of many departments, most not published yet.

An entry counts as a department's only where all that is known of it says so: whose it comes as, whose it is here, whose it was.
"""

from __future__ import annotations

from typing import Any

from ckan import model
from sqlalchemy import ColumnElement, and_, func, or_, select, true

from ckanext.mulu.harvest import sources
from ckanext.mulu.logic import access
from ckanext.mulu.model.tables import harvest_record, harvest_step
from mulu.people import Person


def steps(person: Person) -> ColumnElement[bool]:
    """Steps of runs. Once loaded or dropped they hold no entry: then the package tells, or where there is none the provider's name."""
    if sources.oversees(person):
        return true()
    mine, table = _slugs(person), harvest_step
    named = [*mine, *_titles(mine)]
    change = func.jsonb_array_elements(func.coalesce(table.c.changes, func.jsonb_build_array())).table_valued("value").alias("change")
    came_from = select(change.c.value).where(
        change.c.value.op("->>")("field") == "provider", func.coalesce(change.c.value.op("->>")("before"), "").not_in(["", *named])
    )
    by_name = and_(_provider(table).is_(None), _owner(table).is_(None), table.c.provider.in_(named))
    return and_(or_(_of(table, mine), by_name), ~came_from.exists())


def records(person: Person) -> ColumnElement[bool]:
    """What is remembered of a source's records."""
    return true() if sources.oversees(person) else _of(harvest_record, _slugs(person))


def _slugs(person: Person) -> list[str]:
    return sorted(access.departments_of(person))


def _of(table: Any, mine: list[str]) -> ColumnElement[bool]:
    """The entry's provider and the package's owner, or the one of them that is known."""
    provider, owner = _provider(table), _owner(table)
    return and_(func.coalesce(provider, owner).in_(mine), func.coalesce(owner, provider).in_(mine))


def _provider(table: Any) -> Any:
    return func.nullif(table.c.entry["provider"].astext, "")


def _owner(table: Any) -> Any:
    packages, groups = model.package_table, model.group_table
    query = select(groups.c.name).where(packages.c.id == table.c.package_id, groups.c.id == packages.c.owner_org)
    return query.correlate(table).scalar_subquery()


def _titles(mine: list[str]) -> list[str]:
    """Full names that are these departments' alone."""
    group = model.Group
    query = select(group.title).where(group.is_organization.is_(True), group.title != "").group_by(group.title)
    return list(model.Session.execute(query.having(func.bool_and(group.name.in_(mine)))).scalars())
