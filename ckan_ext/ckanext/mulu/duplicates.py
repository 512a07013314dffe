"""The same item in entries of several departments: what 一数一源 is about (guojia 19, hunan 11, xiayi 三（二）)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ckan import model
from sqlalchemy import text


@dataclass(frozen=True)
class Twin:
    """A published entry that has the item. org: its department's name."""

    package_id: str
    org: str
    title: str


_ITEMS = """
    with newest as (
        select distinct on (v.package_id) v.package_id, v.entry
        from mulu_entry_version v join package p on p.id = v.package_id
        where p.state = 'active' and not p.private
        order by v.package_id, v.version desc
    ), item as (
        select package_id, entry ->> 'provider' as org, entry ->> 'title' as title, one ->> 'name' as name,
               nullif(one ->> 'element_code', '') as code
        from newest cross join lateral jsonb_array_elements(entry -> 'items') as one
    )
"""


def of_item(package_id: str, name: str) -> list[Twin]:
    """Other departments' entries with an item of this name, or of the same data element (数据元代码)."""
    query = text(
        _ITEMS
        + """
        , mine as (select org, code from item where package_id = :package and name = :name)
        select distinct item.package_id, item.org, item.title from item, mine
        where item.org <> mine.org and (item.name = :name or item.code = mine.code) order by item.org, item.title limit 50
        """
    )
    return [Twin(*row) for row in model.Session.execute(query, {"package": package_id, "name": name})]


def found() -> list[dict[str, Any]]:
    """Data elements that several departments keep: ``[{code, item, package_id, orgs}]``, the widest spread first.

    By 数据元代码 only: 姓名 alone says nothing about whether two tables hold the same.
    """
    query = text(
        _ITEMS
        + """
        select code, min(name) as item, min(package_id) as package_id, array_agg(distinct org) as orgs from item
        where code is not null group by code having count(distinct org) > 1 order by count(distinct org) desc, code limit 200
        """
    )
    return [dict(row) for row in model.Session.execute(query).mappings()]
