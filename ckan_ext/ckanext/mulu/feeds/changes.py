"""The published catalogue as it changed: ``GET /mulu/feed?since=…&after=…&limit=…``, for other installations of this portal.

A reading is of one moment (``complete_until``): its pages hold each entry once that was published, or since ``since`` changed, before
that moment, in the order of publication. What changes while somebody reads is told in its newest version, never in an older one (it
may have been taken back for a reason), and again in the reading that begins at ``complete_until``; nothing is lost between the two.

Without ``since`` all that is published is told, and what is not among it is not published; with ``since`` what was withdrawn is too.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import ckan.model as model
import ckan.plugins.toolkit as tk
from sqlalchemy import Select, func, or_, select, tuple_

from ckanext.mulu import entries
from ckanext.mulu.feeds import catalogue, published
from ckanext.mulu.feeds.settled import settled
from ckanext.mulu.model.tables import entry_version
from mulu.errors import Problem

FORMAT = 1
MOST = 500
USUAL = 200
_BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Cursor:
    """Where a reading stands: of which moment it is, how many entries it has, and the last one that was told."""

    until: datetime
    total: int
    at: datetime
    id: str

    def __str__(self) -> str:
        parts = [self.until.isoformat(), self.total, self.at.isoformat(), self.id]
        return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Cursor:
        """:raises ValueError: it is none of ours"""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            until, total, at, id = json.loads(raw)
            found = cls(datetime.fromisoformat(until), total, datetime.fromisoformat(at), id)
        except (binascii.Error, TypeError, RecursionError) as error:
            raise ValueError(text) from error
        told = isinstance(id, str) and "\0" not in id and isinstance(total, int) and 0 <= total < 2**31
        if not told or not found.until.tzinfo or not found.at.tzinfo or found.until > datetime.now(UTC):
            raise ValueError(text)
        return found


@dataclass(frozen=True)
class Question:
    """What is asked for."""

    since: datetime | None = None
    after: Cursor | None = None
    limit: int = USUAL

    def address(self, after: Cursor) -> str:
        """Of the page that follows."""
        since = {"since": told(self.since)} if self.since else {}
        query = urlencode({**since, "limit": self.limit, "after": str(after)})
        return f"{tk.config['ckan.site_url'].rstrip('/')}/mulu/feed?{query}"


def read(asked: Mapping[str, str]) -> tuple[Question, list[Problem]]:
    """The question in an address, and all that is wrong with it."""
    known = ("since", "after", "limit")
    problems = [Problem(key, "unknown", f"没有参数“{key[:40]}”，可以用的是 {'、'.join(known)}") for key in asked if key not in known]
    since, after, limit = None, None, USUAL
    if text := asked.get("since", "").strip():
        try:
            since = _moment(text)
        except (ValueError, OverflowError):
            message = "since 应是 ISO 8601 的时刻，如 2025-01-02T08:00:00+08:00 或者 2025-01-02，不晚于现在"
            problems.append(Problem("since", "bad_time", message, text[:60]))
    if text := asked.get("after", ""):
        try:
            after = Cursor.read(text)
        except ValueError:
            problems.append(Problem("after", "bad_cursor", "after 不是本接口给出的，请从 next 的网址读下一页", text[:60]))
    if text := asked.get("limit", "").strip():
        limit = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
        if not 1 <= limit <= MOST:
            problems.append(Problem("limit", "bad_limit", f"limit 应是 1 到 {MOST} 的整数", text[:20]))
    return Question(since, after, limit), problems


def _moment(text: str) -> datetime:
    """A time without a zone is Beijing's; a plus that an address has made a space of is one again."""
    found = datetime.fromisoformat(re.sub(r" (\d\d:?\d\d)$", r"+\1", text))
    moment = (found if found.tzinfo else found.replace(tzinfo=_BEIJING)).astimezone(UTC)
    if moment > datetime.now(UTC):
        raise ValueError(text)
    return moment


def told(moment: datetime) -> str:
    """In UTC to the microsecond, with a Z: no sign in it that an address would change."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def feed(question: Question) -> dict[str, Any]:
    """One page, as JSON: its keys are told in ``site/pages/api.md``."""
    until = question.after.until if question.after else settled()
    total = question.after.total if question.after else _total(question, until)
    rows = model.Session.execute(_page(question, until)).all()
    told_now, more = rows[: question.limit], len(rows) > question.limit
    last = told_now[-1] if more else None
    following = question.address(Cursor(until, total, last.published_at, last.package_id)) if last else ""
    return {
        "mulu_feed": FORMAT,
        "place": entries.profile().name,
        "portal_url": tk.config["ckan.site_url"].rstrip("/"),
        "generated_at": told(datetime.now(UTC)),
        "complete_until": told(until),
        "next": following,
        "total": total,
        "entries": list(_entries([row.package_id for row in told_now], question.since is not None)),
    }


def unsettled() -> int:
    """How many versions are there that no reading tells of yet: they belong in its ETag, for they may come to be told without a change."""
    until = settled()
    return model.Session.execute(select(func.count()).where(entry_version.c.published_at >= until)).scalar_one()


def _entries(package_ids: list[str], withdrawn_too: bool) -> Iterator[dict[str, Any]]:
    """In the order of the ids: each as it is now, which may be newer than where it stands."""
    package = model.Package
    packages = model.Session.execute(select(package).where(package.id.in_(package_ids))).scalars()
    seen = {one.id: one for one in published.of_packages(packages)}
    versions = published.last_versions(package_ids) if withdrawn_too else {}
    site = catalogue.site()
    for id in package_ids:
        if one := seen.get(id):
            yield _entry(one, site)
        elif (version := versions.get(id)) is not None and version.withdrawn:
            yield {"id": id, "withdrawn": True, "withdrawn_at": told(version.published_at)}


def _entry(one: published.Published, site: catalogue.Place) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "version": one.version,
        "published_at": told(one.published_at),
        "provider": one.entry.get("provider", ""),
        "provider_title": one.provider_title,
        "source_department_title": one.source_title,
        "page": site.page(one.name),
        "entry": one.entry,
    }


def _page(question: Question, until: datetime) -> Select[Any]:
    table = entry_version.c
    query = _stood(select(table.package_id, table.published_at), question, until)
    if cursor := question.after:
        query = query.where(tuple_(table.published_at, table.package_id) > (cursor.at, cursor.id))
    return query.order_by(table.published_at, table.package_id).limit(question.limit + 1)


def _total(question: Question, until: datetime) -> int:
    return model.Session.execute(_stood(select(func.count()), question, until)).scalar_one()


def _stood(query: Select[Any], question: Question, until: datetime) -> Select[Any]:
    """Versions that were their entry's last at that moment, of entries that are still there to be told of."""
    table, newer, package = entry_version.c, entry_version.alias(), model.Package
    overtaken = select(newer.c.version).where(
        newer.c.package_id == table.package_id, newer.c.version > table.version, newer.c.published_at < until
    )
    query = query.select_from(entry_version).outerjoin(package, package.id == table.package_id)
    query = query.where(table.published_at < until, ~overtaken.exists())
    if question.since is None:
        return query.where(published.visible(), ~table.withdrawn)
    gone = select(newer.c.version).where(newer.c.package_id == table.package_id, newer.c.withdrawn, newer.c.version >= table.version)
    return query.where(table.published_at >= question.since, or_(published.visible(), gone.exists()))
