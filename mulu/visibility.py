"""Who may see an entry: the one predicate.

CKAN's permission labels, the auth functions, exports, feeds and the snapshot for the public site all ask here. An entry bears
labels, a viewer holds labels; whoever shares one may see it. Nothing is visible to anyone outside the review before it is
published (requirements C3; 政务数据共享条例 第十六条: published by the authority after its review).
"""

from __future__ import annotations

from typing import Literal

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
