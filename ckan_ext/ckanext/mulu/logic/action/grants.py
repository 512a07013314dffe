"""Grants as people see them, their keys, and the log of their use."""

from __future__ import annotations

import secrets
from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk
from sqlalchemy import ColumnElement, Date, and_, cast, false, func, or_, select, true, update

from ckanext.mulu import entries, roles
from ckanext.mulu.grants import query, source, tables
from ckanext.mulu.logic import content, refusal, schema
from ckanext.mulu.model.tables import grant as grant_table
from ckanext.mulu.model.tables import use as use_table
from mulu.people import Person
from mulu.visibility import holds_grant, oversees_grants, works_for

Context = dict[str, Any]
Row = dict[str, Any]
MOST = 1000
"""Rows of a list at most."""


@tk.side_effect_free
@tk.validate_action_data(schema.by_id)
def mulu_grant_show(context: Context, data: Row) -> Row:
    """One grant, to its grantee, the provider's editors and heads, the authority and the auditor.

    :param id: of the grant
    :returns: as in ``mulu_grant_list``, and ``resources: [{id, name, format, address, served, columns, unmatched, why_not}]``; served:
        ``table``, ``file``, ``link`` or "" (``why_not`` says why). The address of a link is for the grantee, while the grant holds.
    """
    tk.check_access("mulu_grant_show", context, data)
    asker = roles.person(context)
    grant = _seen(asker, data["id"])
    package = model.Package.get(grant.package_id)
    return _row(grant, package) | {"resources": _resources(grant, package, asker)}


@tk.side_effect_free
@tk.validate_action_data(schema.grant_list)
def mulu_grant_list(context: Context, data: Row) -> Row:
    """The grants that this person may see, the last changed first.

    :param mine: only what was granted to this person or their department; package, case, org: only of these; status: active,
        suspended, ended, expired; limit (100, at most 1000), offset
    :returns: ``{count, results: [{id, case_id, package_id, title, provider, kind, org, person, items, scenario, purpose, until, status,
        has_key, address, created_at, changed_at}]}``
    """
    tk.check_access("mulu_grant_list", context, data)
    asker = roles.person(context)
    where = [_held_by(asker) if data.get("mine") else _visible(asker)]
    for key, column in (("package", "package_id"), ("case", "case_id"), ("org", "org")):
        if data.get(key):
            where.append(grant_table.c[column] == data[key])
    if data.get("status"):
        past = grant_table.c.until < source.today()
        stored = "active" if data["status"] == "expired" else data["status"]
        where.append(and_(grant_table.c.status == stored, past if data["status"] == "expired" else or_(~past, grant_table.c.status != "active")))
    count = model.Session.execute(select(func.count()).select_from(grant_table).where(*where)).scalar_one()
    chosen = select(grant_table).where(*where).order_by(grant_table.c.changed_at.desc(), grant_table.c.id)
    rows = model.Session.execute(chosen.limit(_limit(data)).offset(data.get("offset") or 0)).all()
    packages = {one.id: one for one in model.Session.query(model.Package).filter(model.Package.id.in_({row.package_id for row in rows}))}
    return {"count": count, "results": [_row(row, packages.get(row.package_id)) for row in rows]}


@tk.validate_action_data(schema.by_id)
def mulu_grant_key(context: Context, data: Row) -> Row:
    """A new key for a grant, to its grantee. It is shown this once; the one before it is void from now on.

    :param id: of the grant
    :returns: ``{id, key, address}``
    """
    tk.check_access("mulu_grant_key", context, data)
    asker = roles.person(context)
    grant = _seen(asker, data["id"])
    if not holds_grant(asker, grant.org, grant.person):
        raise tk.NotAuthorized(tk._("只有获得授权的部门或者个人可以领取密钥。"))
    if source.status_of(grant) != "active":
        raise refusal.one("id", "grant_not_active", tk._("授权已经暂停或者结束，不能领取密钥"), entries.profile().cite("suspension"))
    key = f"mulu_{secrets.token_urlsafe(32)}"
    model.Session.execute(update(grant_table).where(grant_table.c.id == grant.id).values(key_hash=source.hashed(key)))
    model.Session.commit()
    return {"id": grant.id, "key": key, "address": _address(grant.id)}


@tk.side_effect_free
@tk.validate_action_data(schema.usage_list)
def mulu_usage_list(context: Context, data: Row) -> Row:
    """The log of use, the last call first, with totals (政务数据共享条例 第二十九条; 夏邑 四（四）), to whoever may see the grant.

    :param grant, package: only of these; since, until: days YYYY-MM-DD, both included; limit (100, at most 1000), offset
    :returns: ``{count, results: [{grant_id, case_id, package_id, resource_id, at, who, how, format, scenario, rows, bytes, status}],
        totals: {calls, refused, rows, bytes}, by_kind: [{how, format, …totals}], by_day: [{day, …}], by_scenario: [{scenario, …}]}``
    """
    tk.check_access("mulu_usage_list", context, data)
    asker = roles.person(context)
    use = use_table.c
    where = [use.grant_id.in_(select(grant_table.c.id).where(_visible(asker)))]
    for key, column in (("grant", use.grant_id), ("package", use.package_id)):
        if data.get(key):
            where.append(column == data[key])
    day = cast(func.timezone("Asia/Shanghai", use.at), Date)
    if data.get("since"):
        where.append(day >= data["since"])
    if data.get("until"):
        where.append(day <= data["until"])
    sums = (
        func.count().label("calls"), func.count().filter(use.status >= 400).label("refused"),
        func.coalesce(func.sum(use.rows), 0).label("rows"), func.coalesce(func.sum(use.bytes), 0).label("bytes"),
    )  # fmt: skip

    def by(*columns: Any) -> list[Row]:
        found = model.Session.execute(select(*columns, *sums).where(*where).group_by(*columns).order_by(*columns))
        return [_plain(row) for row in found]

    chosen = select(use_table).where(*where).order_by(use.id.desc()).limit(_limit(data)).offset(data.get("offset") or 0)
    totals = _plain(model.Session.execute(select(*sums).where(*where)).one())
    return {
        "count": totals["calls"],
        "results": [_plain(row) for row in model.Session.execute(chosen)],
        "totals": totals,
        "by_kind": by(use.how, use.format),
        "by_day": by(day.label("day")),
        "by_scenario": by(use.scenario),
    }


def _limit(data: Row) -> int:
    return min(data.get("limit") or 100, MOST)


def _plain(row: Any) -> Row:
    """A row with what JSON knows: days and times as ISO, sums as whole numbers."""
    found = {}
    for key, value in row._mapping.items():
        found[key] = value.isoformat() if hasattr(value, "isoformat") else int(value) if type(value).__name__ == "Decimal" else value
    return found


def _seen(asker: Person, grant_id: str) -> Any:
    """The grant; one that somebody may not see is not there for them."""
    grant = source.find(grant_id)
    if grant is not None:
        package = model.Package.get(grant.package_id)
        organisation = entries.organisation(package.owner_org) if package else None
        if holds_grant(asker, grant.org, grant.person) or oversees_grants(asker, organisation.name if organisation else ""):
            return grant
    raise tk.ObjectNotFound(tk._("没有这项授权。"))


def _held_by(asker: Person) -> ColumnElement[bool]:
    """``holds_grant`` as a condition of a query."""
    departments = {role.org for role in asker.roles if role.org and works_for(asker, role.org)}
    mine = and_(grant_table.c.person == asker.id, grant_table.c.person != "")
    return or_(grant_table.c.org.in_(departments), mine) if asker.id else false()


def _visible(asker: Person) -> ColumnElement[bool]:
    """``_seen`` as a condition of a query."""
    if oversees_grants(asker, ""):
        return true()
    departments = {role.org for role in asker.roles if role.org and works_for(asker, role.org)}
    group, package = model.Group, model.Package
    provided = select(package.id).join(group, group.id == package.owner_org).where(group.name.in_(departments))
    return or_(_held_by(asker), grant_table.c.package_id.in_(provided))


def _address(grant_id: str) -> str:
    return f"{tk.config['ckan.site_url'].rstrip('/')}/mulu/data/{grant_id}"


def _row(grant: Any, package: Any) -> Row:
    organisation = entries.organisation(package.owner_org) if package else None
    return {
        "id": grant.id, "case_id": grant.case_id, "package_id": grant.package_id, "title": package.title if package else "",
        "name": package.name if package else "", "provider": organisation.name if organisation else "", "kind": grant.kind, "org": grant.org,
        "person": grant.person, "items": grant.items, "scenario": grant.scenario, "purpose": grant.purpose, "until": grant.until.isoformat(),
        "status": source.status_of(grant), "has_key": bool(grant.key_hash), "address": _address(grant.id),
        "created_at": grant.created_at.isoformat(), "changed_at": grant.changed_at.isoformat(),
    }  # fmt: skip


def _resources(grant: Any, package: Any, asker: Person) -> list[Row]:
    """How each resource of the entry is had under the grant, and if not, why."""
    try:
        held = source.of_grant(grant.id)
    except source.NotServed as refused:
        why = str(refused)
        rows = source.resources_of(package.id) if package else ()
        return [{"id": row["id"], "name": row["name"], "format": row["format"], "served": "", "address": "", "why_not": why} for row in rows]
    may_have_link = holds_grant(asker, grant.org, grant.person) or content.readable(asker, package)
    return [_resource(held, row, may_have_link) for row in held.resources]


def _resource(held: source.Source, row: Row, may_have_link: bool) -> Row:
    shown = {"id": row["id"], "name": row["name"], "format": row["format"], "served": "", "address": "", "why_not": "", "columns": [], "unmatched": []}
    at = f"{_address(held.id)}?resource={row['id']}"
    table = content.is_uploaded_table(row) and tables.state(row["id"])
    if table and table["state"] == "complete":
        columns, unmatched = query.match(query.header(row["id"]), held.items)
        return shown | {"served": "table", "address": at, "columns": [item for _, item in columns], "unmatched": list(unmatched)}
    if table and table["state"] != "error":
        return shown | {"why_not": tk._("数据正在装入，请稍后再试")}
    if not held.whole:
        return shown | {"why_not": table["error"] if table else tk._("不是表格，授权没有包含全部信息项，不能整个提供")}
    if row["url_type"] == "upload":
        return shown | {"served": "file", "address": at}
    return shown | {"served": "link", "address": row["url"] if may_have_link else ""}
