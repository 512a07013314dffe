"""Resource codes given by the portal, and by what an entry is known again when it comes a second time."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from ckan import model
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from ckanext.mulu.model.tables import identity, resource_code
from mulu import resource_code as codes
from mulu.entry import Entry
from mulu.errors import Problem

BIGGEST = 2**31 - 1
"""The highest sequence number that is kept."""


def alone(*what: str) -> None:
    """Wait until nobody else is at any of these, and keep them waiting until this transaction ends."""
    for one in sorted(set(what)):  # in one order, so that no two wait for each other
        model.Session.execute(text("select pg_advisory_xact_lock(hashtext(:what))"), {"what": f"mulu:{one}"})


def give_code(entry: dict[str, Any]) -> str:
    """The next code of the entry's class; two who ask at once get two. Kept for good only by ``register``."""
    first = first_code(entry)
    alone(first.prefix)  # the number after the last one is then nobody else's
    return str(first.numbered(last_numbers([first.prefix]).get(first.prefix, 0) + 1))


def first_code(entry: dict[str, Any]) -> codes.ResourceCode:
    """The first code of the entry's class."""
    return codes.first(entry.get("classification") or [], entry.get("catalogue_kind") or "department")


def last_numbers(prefixes: Collection[str]) -> dict[str, int]:
    """The highest number that was ever given of each prefix that has one; ask ``alone`` for them first."""
    table = resource_code.c
    query = select(table.prefix, func.max(table.number)).where(table.prefix.in_(prefixes)).group_by(table.prefix)
    return dict(model.Session.execute(query).tuples().all())


def follow_class(before: dict[str, Any], entry: dict[str, Any]) -> str:
    """The code of a draft whose class was changed: a code that was its class's gives way to one of the new class."""
    code = entry.get("resource_code") or before.get("resource_code") or ""
    parsed = codes.parse(code)
    kept = parsed is None or code != before.get("resource_code")
    if kept or parsed.prefix != _class_prefix(before) or parsed.prefix == _class_prefix(entry):
        return code
    return give_code(entry)


def _class_prefix(entry: dict[str, Any]) -> str:
    return first_code(entry).prefix


def name_of(entry: dict[str, Any]) -> str:
    """An ASCII name for addresses: from the resource code, else one that says nothing. Never from a Chinese title."""
    code = codes.parse(entry.get("resource_code") or "")
    return code.slug if code else f"entry-{uuid.uuid4().hex[:12]}"


def taken(entry: dict[str, Any], package_id: str = "") -> Problem | None:
    """Whether the entry's code belongs to another entry, or did once (a code is never used again)."""
    code = entry.get("resource_code") or ""
    if not code:
        return None
    alone(code)
    return taken_of({code: package_id}).get(code)


def taken_of(wanted: Mapping[str, str]) -> dict[str, Problem]:
    """As ``taken`` of several codes: code → the entry that wants it ("" for a new one); ask ``alone`` for them first."""
    problems = {code: _too_big(code) for code in wanted if (parsed := codes.parse(code)) and int(parsed.sequence) > BIGGEST}
    given = select(resource_code.c.code, resource_code.c.package_id).where(resource_code.c.code.in_(wanted))
    # What is no code by the rules is never given out, but a draft may bear it.
    borne = select(identity.c.resource_code, identity.c.package_id).where(identity.c.resource_code.in_(wanted))
    for code, owner in model.Session.execute(given.union_all(borne)):
        if owner != wanted[code]:
            other = model.Package.get(owner)
            problems.setdefault(code, taken_by(code, f"《{other.title}》" if other else "一个已经撤销的条目"))
    return problems


def taken_by(code: str, whose: str) -> Problem:
    message = f"信息资源代码“{code}”已由{whose}使用，代码不能重复使用；没有代码请留空，由系统编发"
    return Problem("resource_code", "code_taken", message, code, codes.ARTICLE)


def _too_big(code: str) -> Problem:
    return Problem("resource_code", "wrong_code", f"信息资源代码“{code}”的顺序号太大", code, codes.ARTICLE)


def register(package_id: str, entry: dict[str, Any]) -> None:
    """Remember code and identity of an entry that is being saved. The code must be free: ask ``taken`` first."""
    register_all({package_id: entry})


def register_all(entries: Mapping[str, dict[str, Any]]) -> None:
    """As ``register``, of many: entry by package id."""
    now = datetime.now(UTC)
    given = [
        {"code": code, "prefix": parsed.prefix, "number": int(parsed.sequence), "package_id": package_id, "given_at": now}
        for package_id, entry in entries.items()
        if (parsed := codes.parse(code := entry.get("resource_code") or ""))
    ]
    if given:
        model.Session.execute(insert(resource_code).on_conflict_do_nothing(), given)
    if rows := [{"package_id": package_id} | _row(package_id, entry) for package_id, entry in entries.items()]:
        stored = insert(identity)
        changed = {key: stored.excluded[key] for key in rows[0] if key != "package_id"}
        model.Session.execute(stored.on_conflict_do_update(index_elements=["package_id"], set_=changed), rows)


def _row(package_id: str, entry: dict[str, Any]) -> dict[str, str]:
    code, source = entry.get("resource_code") or "", entry.get("source")
    source = source if isinstance(source, dict) else {}
    return {
        "org": entry.get("provider") or "",
        "title": entry.get("title") or "",
        "resource_code": code or f"none:{package_id}",
        "source": source.get("name") or "",
        "source_id": source.get("id") or "",
        "fingerprint": fingerprint(entry),
    }


def of_another(entry: dict[str, Any], known: Any) -> Problem | None:
    """Whether the entry that this one would be belongs to another department, which alone may change it."""
    if known is None or known.org == entry.get("provider"):
        return None
    owner = model.Group.get(known.org)
    department = (owner.title if owner else "") or known.org
    if entry.get("resource_code") == known.resource_code:
        message = f"信息资源代码“{known.resource_code}”已由“{department}”的《{known.title}》使用，代码不能重复使用"
        return Problem("resource_code", "code_taken", message, known.resource_code, codes.ARTICLE)
    message = f"来源中的这一条目已由“{department}”编目为《{known.title}》，须由该部门修改"
    return Problem("source", "source_taken", message, known.source_id)


def fingerprint(entry: dict[str, Any]) -> str:
    """Of what a department states; the name that the portal gave to it is no part of that."""
    return Entry.from_dict({**entry, "name": ""}).fingerprint()


def forget(package_id: str) -> None:
    """The entry is gone; its code stays given."""
    model.Session.execute(delete(identity).where(identity.c.package_id == package_id))


def release(package_id: str) -> None:
    """The source's id belongs to another entry from now on; what the entry was called stays known."""
    model.Session.execute(update(identity).where(identity.c.package_id == package_id).values(source="", source_id=""))


def find(entry: dict[str, Any]) -> Any:
    """The row of the entry that this one is, or None: by its source's own id, else its code, else department and title.

    It may be another department's (ask ``of_another``), or, where its source knows it, one that was archived (``archived``).
    """
    source = entry.get("source") or {}
    if source.get("id"):
        where = (identity.c.source == (source.get("name") or "")) & (identity.c.source_id == source["id"])
        return model.Session.execute(select(identity).where(where)).first()
    key = "resource_code" if entry.get("resource_code") else "title"
    where = (identity.c.org == (entry.get("provider") or "")) & (identity.c[key] == (entry.get(key) or ""))
    there = select(identity).join(model.Package, model.Package.id == identity.c.package_id).where(model.Package.state == "active")
    return model.Session.execute(there.where(where)).first()


def of_source(source: str, ids: Collection[str]) -> dict[str, Any]:
    """The rows of entries that a source knows by these ids, by its id."""
    query = select(identity).where(identity.c.source == source, identity.c.source_id.in_(ids), identity.c.source_id != "")
    return {row.source_id: row for row in model.Session.execute(query)}


def archived(known: Any) -> Problem | None:
    """Whether the entry that this one would be has left the catalogue: it comes back by its own procedure, not by an import."""
    package = model.Package.get(known.package_id) if known is not None else None
    if package is None or package.state == "active":
        return None
    return Problem("", "entry_archived", f"来源中的这一条目即《{known.title}》，它已经撤销或者归档，不能由导入恢复", known.source_id)
