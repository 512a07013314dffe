"""What may be read, and whether it still may: asked of the grant's row anew each time, never remembered."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk
from sqlalchemy import select

from ckanext.mulu import entries
from ckanext.mulu.logic import content
from ckanext.mulu.model.tables import grant as grant_table
from mulu.case import SHANGHAI
from mulu.errors import Problem
from mulu.people import Person
from mulu.visibility import granted_items, holds_grant, open_items


class NotServed(Exception):
    """Why a call gets no data: ``status`` of HTTP and one problem or several; ``headers`` go with the answer."""

    def __init__(self, status: int, *problems: Problem, **headers: str) -> None:
        super().__init__("；".join(str(problem) for problem in problems))
        self.status, self.problems = status, problems
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def refused(status: int, rule: str, message: str, cite: str = "", at: str = "", value: Any = None, **headers: str) -> NotServed:
    """``cite``: the name under which the place's rules state the article."""
    return NotServed(status, Problem(at, rule, message, value, entries.profile().cite(cite) if cite else ""), **headers)


@dataclass(frozen=True)
class Source:
    """Items of one entry that a call may read. ``stamp`` changes with what is granted; ``grant`` is None for what is open."""

    id: str
    package_id: str
    items: tuple[str, ...]
    whole: bool
    resources: tuple[dict[str, Any], ...]
    stamp: str
    grant: Any = field(default=None, compare=False)

    def require(self) -> None:
        """Raises NotServed once what was granted has been suspended, changed or has ended, or what was open is closed."""
        now = of_grant(self.id) if self.grant is not None else of_open_table(self.resources[0]["id"])
        if now.stamp != self.stamp:
            raise refused(410, "grant_changed", tk._("授权的内容刚刚变更，请从头读取"), "apply_share")


def find(grant_id: str) -> Any:
    """The grant's row as it stands now, past any open transaction; None if there is none."""
    with model.meta.engine.connect() as connection:
        return connection.execute(select(grant_table).where(grant_table.c.id == grant_id)).first()


def require_active(grant: Any) -> None:
    """410 with the reason for a grant that is suspended, ended or past its last day."""
    if grant.status == "suspended":
        raise refused(410, "grant_suspended", tk._("这项授权已经暂停，整改合格后恢复"), "suspension")
    if grant.status == "ended":
        raise refused(410, "grant_ended", tk._("这项授权已经结束"), "disposal")
    if grant.until < today():
        raise refused(410, "grant_expired", tk._("这项授权已于{day}到期").format(day=grant.until.isoformat()), "disposal")


def status_of(grant: Any) -> str:
    """active, suspended, ended or expired."""
    return "expired" if grant.status == "active" and grant.until < today() else str(grant.status)


def today() -> date:
    return datetime.now(SHANGHAI).date()


def caller(grant: Any, person: Person, key: str) -> str:
    """Who calls: the user's id, or ``key``. 401 for nobody and a wrong key, 403 for somebody whose grant this is not."""
    if key:
        if grant.key_hash and hmac.compare_digest(hashed(key), grant.key_hash):
            return "key"
        raise refused(401, "wrong_key", tk._("授权密钥不正确，或者已经更换"), WWW_Authenticate="Bearer")
    if not person.id:
        raise refused(401, "no_key", tk._("请登录，或者出示这项授权的密钥"), WWW_Authenticate="Bearer")
    if not holds_grant(person, grant.org, grant.person):
        raise refused(403, "not_yours", tk._("这项授权不属于您或者您的部门"), "apply_share" if grant.kind == "sharing" else "apply_open")
    return person.id


def hashed(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def of_grant(grant_id: str) -> Source:
    """What a grant gives now. 404 without one, 410 if it is not in force or its entry has left the catalogue."""
    grant = find(grant_id)
    if grant is None:
        raise refused(404, "no_grant", tk._("没有这项授权"))
    require_active(grant)
    package = _published(grant.package_id)
    if package is None:
        raise refused(410, "entry_gone", tk._("授权的条目已经不在目录中"))
    entry = content.entry_of(package)
    items = granted_items(entry, grant.items, grant.kind)
    if not items:
        raise refused(410, "items_gone", tk._("授权的信息项已经不再提供"), "not_shared")
    whole = {row["name"] for row in entry["items"] if row.get("name")} <= set(items)
    return Source(grant.id, package.id, tuple(items), whole, resources_of(package.id), _stamp(grant.changed_at, items), grant)


def of_open_table(resource_id: str) -> Source:
    """The open columns of a published table. 404 where nothing is open."""
    resource = model.Resource.get(resource_id)
    package = _published(resource.package_id) if resource is not None and resource.state == "active" else None
    items = open_items(content.entry_of(package)) if package is not None else []
    rows = tuple(row for row in resources_of(package.id) if row["id"] == resource_id) if package is not None else ()
    if not items or not rows or not content.is_uploaded_table(rows[0]):
        raise refused(404, "not_open", tk._("没有这个资源，或者它没有无条件开放的信息项"), "open_types")
    return Source(resource_id, package.id, tuple(items), False, rows, _stamp("open", items))


def resources_of(package_id: str) -> tuple[dict[str, Any], ...]:
    """The resources of a package in their order: id, name, format, url, url_type."""
    resource = model.Resource
    columns = (resource.id, resource.name, resource.format, resource.url, resource.url_type)
    chosen = select(*columns).where(resource.package_id == package_id, resource.state == "active").order_by(resource.position)
    return tuple(dict(row._mapping) for row in model.Session.execute(chosen))


def choose(source: Source, wanted: str) -> dict[str, Any]:
    """The resource that is asked for; without a wish the first table, else the first file."""
    given = [row for row in source.resources if row["url_type"] == "upload"]
    if wanted:
        given = [row for row in given if row["id"] == wanted]
        if not given:
            raise refused(404, "no_resource", tk._("这一条目没有由本平台提供的这个资源"), at="resource", value=wanted)
    if not given:
        raise refused(404, "no_resource", tk._("这一条目没有由本平台提供的文件；接口的地址见授权的说明"))
    return next((row for row in given if content.is_uploaded_table(row)), given[0])


def _published(package_id: str) -> Any:
    model.Session.expire_all()
    package = model.Package.get(package_id)
    return package if package is not None and package.state == "active" and not package.private else None


def _stamp(when: Any, items: list[str]) -> str:
    return sha256(repr((str(when), items)).encode()).hexdigest()[:20]


def chunks(source: Source, pieces: Iterator[Any]) -> Iterator[Any]:
    """The pieces of an answer, each after the source was asked whether it still holds."""
    for piece in pieces:
        source.require()
        yield piece
