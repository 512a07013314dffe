"""Resource codes given by the portal, and by what an entry is known again when it comes a second time."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from ckan import model
from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from ckanext.mulu.model.tables import identity, resource_code
from mulu import resource_code as codes
from mulu.entry import Entry
from mulu.errors import Problem


def alone(what: str) -> None:
    """Wait until nobody else is at it, and keep them waiting until this transaction ends."""
    model.Session.execute(text("select pg_advisory_xact_lock(hashtext(:what))"), {"what": f"mulu:{what}"})


def give_code(entry: dict[str, Any]) -> str:
    """The next code of the entry's class; two who ask at once get two. Kept for good only by ``register``."""
    first = codes.first(entry.get("classification") or [], entry.get("catalogue_kind") or "department")
    alone(first.prefix)  # the number after the last one is then nobody else's
    last = select(func.max(resource_code.c.number)).where(resource_code.c.prefix == first.prefix)
    return str(first.numbered((model.Session.execute(last).scalar() or 0) + 1))


def follow_class(before: dict[str, Any], entry: dict[str, Any]) -> str:
    """The code of a draft whose class was changed: a code that was its class's gives way to one of the new class."""
    code = entry.get("resource_code") or before.get("resource_code") or ""
    parsed = codes.parse(code)
    kept = parsed is None or code != before.get("resource_code")
    if kept or parsed.prefix != _class_prefix(before) or parsed.prefix == _class_prefix(entry):
        return code
    return give_code(entry)


def _class_prefix(entry: dict[str, Any]) -> str:
    return codes.first(entry.get("classification") or [], entry.get("catalogue_kind") or "department").prefix


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
    given = select(resource_code.c.package_id).where(resource_code.c.code == code)
    # What is no code by the rules is never given out, but a draft may bear it.
    borne = select(identity.c.package_id).where(identity.c.resource_code == code)
    owner = model.Session.execute(given.union_all(borne)).scalars().first()
    if owner in (None, package_id):
        return None
    other = model.Package.get(owner)
    whose = f"《{other.title}》" if other else "一个已经撤销的条目"
    message = f"信息资源代码“{code}”已由{whose}使用，代码不能重复使用；没有代码请留空，由系统编发"
    return Problem("resource_code", "code_taken", message, code, codes.ARTICLE)


def register(package_id: str, entry: dict[str, Any]) -> None:
    """Remember code and identity of an entry that is being saved. The code must be free: ask ``taken`` first."""
    code = entry.get("resource_code") or ""
    if parsed := codes.parse(code):
        row = {"code": code, "prefix": parsed.prefix, "number": int(parsed.sequence), "package_id": package_id}
        given = insert(resource_code).values(**row, given_at=datetime.now(UTC)).on_conflict_do_nothing()
        model.Session.execute(given)
    source = entry.get("source") if isinstance(entry.get("source"), dict) else {}
    row = {
        "org": entry.get("provider") or "",
        "title": entry.get("title") or "",
        "resource_code": code or f"none:{package_id}",
        "source": source.get("name") or "",
        "source_id": source.get("id") or "",
        "fingerprint": fingerprint(entry),
    }
    stored = insert(identity).values(package_id=package_id, **row)
    model.Session.execute(stored.on_conflict_do_update(index_elements=["package_id"], set_=row))


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


def find(entry: dict[str, Any]) -> Any:
    """The row of the entry that this one is, or None: by its source's own id, else its code, else department and title.

    It may be another department's: ask ``of_another``.
    """
    source = entry.get("source") or {}
    if source.get("id"):
        where = (identity.c.source == (source.get("name") or "")) & (identity.c.source_id == source["id"])
        return model.Session.execute(select(identity).where(where)).first()
    key = "resource_code" if entry.get("resource_code") else "title"
    where = (identity.c.org == (entry.get("provider") or "")) & (identity.c[key] == (entry.get(key) or ""))
    return model.Session.execute(select(identity).where(where)).first()
