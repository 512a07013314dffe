"""Who acts: a person and the roles that person holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mulu.errors import BrokenRules

ROLE_LABELS: Final[dict[str, str]] = {
    "editor": "部门编目人员",
    "head": "部门负责人",
    "authority": "主管部门审核人员",
    "authority_head": "主管部门负责人",
    "higher_authority": "上级主管部门",
    "operator": "平台管理员",
    "auditor": "审计人员",
    "applicant": "申请人",
    "public": "社会公众",
    "system": "系统",
}
ORG_ROLES: Final = frozenset({"editor", "head"})
"""Roles held in one organisation only."""
OWN_ROLES: Final = frozenset({"applicant", "public"})
"""Roles held by one person only, in what that person filed. The roles in neither set hold for the whole place."""


@dataclass(frozen=True)
class Role:
    """A role in an organisation (its name) or, with ``org=None``, in the whole place; of ``OWN_ROLES`` with the person's id."""

    name: str
    org: str | None = None

    def __post_init__(self) -> None:
        if self.name not in ROLE_LABELS:
            raise BrokenRules(f"no such role: {self.name}")

    @property
    def label(self) -> str:
        return ROLE_LABELS[self.name]


@dataclass(frozen=True)
class Person:
    """Somebody with an account (``id`` is the account's), or ``SYSTEM``, or a member of the public."""

    id: str
    name: str
    roles: frozenset[Role] = frozenset()

    def has(self, role: str, org: str | None = None) -> bool:
        """True if this person holds the role in that organisation; roles of the whole place need no organisation.

        A role of ``OWN_ROLES`` is held with ``org`` the person's own id.
        """
        if role in OWN_ROLES:
            return org == self.id and any(held.name == role for held in self.roles)
        if role in ORG_ROLES:
            return Role(role, org) in self.roles
        return any(held.name == role for held in self.roles)


SYSTEM: Final = Person("system", "系统", frozenset({Role("system")}))
"""Acts when a clock does: reminders, overdue marks."""
