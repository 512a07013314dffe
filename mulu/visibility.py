"""Who may see an entry: the one predicate.

CKAN's permission labels, the auth functions, exports, feeds and the snapshot for the public site all ask here. An entry bears
labels, a viewer holds labels; whoever shares one may see it. Nothing is visible to anyone outside the review before it is
published (requirements C3; 政务数据共享条例 第十六条: published by the authority after its review).

What an entry describes and what its files hold are two things: the catalogue is public, the data is open to everyone only where
its class says so, else to its own department and under a grant (政务数据共享条例 第二十条; 华容 第二十五条).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from mulu.people import Person

Status = Literal["published", "unpublished"]

PUBLIC = "public"
REVIEW = "mulu-review"
"""Held by those who review for the whole place: the authority, its head, the auditor who reads everything."""

_REVIEWERS_OF_THE_PLACE = frozenset({"authority", "authority_head", "auditor", "operator"})
_REVIEWERS_OF_A_DEPARTMENT = frozenset({"editor", "head"})

NOBODY = Person("", "")
"""A visitor without an account."""


def _department(provider: str) -> str:
    return f"{REVIEW}-{provider}"


def labels(status: Status, provider: str) -> frozenset[str]:
    """What an entry of this provider (organisation name) bears."""
    if status == "published":
        return frozenset({PUBLIC})
    return frozenset({REVIEW, _department(provider)})


def viewer(person: Person) -> frozenset[str]:
    """What a person holds. Plain members of a department, other departments and the public hold ``public`` only."""
    held = {PUBLIC}
    for role in person.roles:
        if role.name in _REVIEWERS_OF_THE_PLACE:
            held.add(REVIEW)
        elif role.name in _REVIEWERS_OF_A_DEPARTMENT and role.org:
            held.add(_department(role.org))
    return frozenset(held)


def can_see(person: Person, status: Status, provider: str) -> bool:
    return bool(labels(status, provider) & viewer(person))


def open_items(entry: Mapping[str, Any]) -> list[str]:
    """Names of the items of an entry (wire form) whose data is open to everyone. An item's own class counts before the entry's."""
    if entry.get("open_type") != "unconditional":
        return []
    return [row["name"] for row in _items(entry) if (row.get("open_type") or "unconditional") == "unconditional"]


def is_open(entry: Mapping[str, Any]) -> bool:
    """Whether an entry's files may be had by everyone as they are: one item of a stricter class closes the whole file."""
    return entry.get("open_type") == "unconditional" and len(open_items(entry)) == len(_items(entry))


def can_read(person: Person, status: Status, provider: str, entry: Mapping[str, Any]) -> bool:
    """Whether a person may have an entry's files, tables and addresses without a grant.

    Unpublished: whoever may see it, for they decide on it. Published: everyone if it is open, else its own department only.
    """
    if status == "unpublished":
        return can_see(person, status, provider)
    return is_open(entry) or works_for(person, provider)


def works_for(person: Person, department: str) -> bool:
    """Whether a person is editor or head of a department (organisation name)."""
    return bool(department) and any(person.has(role, department) for role in _REVIEWERS_OF_A_DEPARTMENT)


def granted_items(entry: Mapping[str, Any], items: Sequence[str], kind: Literal["sharing", "opening"]) -> list[str]:
    """Which of the items once granted may still be given: those that the entry still has and whose class was not closed since."""
    key = "share_type" if kind == "sharing" else "open_type"
    whole = entry.get(key) or ""
    given = {row["name"] for row in _items(entry) if (row.get(key) or whole) != "none"}
    return [name for name in items if name in given and whole != "none"]


def holds_grant(person: Person, org: str, user: str) -> bool:
    """Whether a grant to the department ``org`` (sharing) or to the person ``user`` (opening) is this person's."""
    return works_for(person, org) or bool(user and person.id == user)


def oversees_grants(person: Person, provider: str) -> bool:
    """Who sees what was granted and how it is used, beside the grantee (政务数据共享条例 第二十九条)."""
    return works_for(person, provider) or any(role.name in ("authority", "authority_head", "auditor") for role in person.roles)


def _items(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in entry.get("items") or () if row.get("name")]
