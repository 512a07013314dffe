"""Who a CKAN user is in a procedure: an organisation's function (机构职能) and a member's capacity give the roles.

    function of the organisation   capacity editor     capacity admin
    provider (部门), and any other  editor of it        head of it
    authority (主管部门)             authority           authority_head
    higher_authority (上级)          higher_authority    higher_authority
    operator (平台管理)              operator            operator
    auditor (审计)                   auditor             auditor

A sysadmin is an operator: keeps the machine running and decides nothing.
"""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import select, tuple_

from mulu.people import SYSTEM, Person, Role
from mulu.visibility import NOBODY

FUNCTIONS: dict[str, dict[str, str]] = {
    "provider": {},
    "authority": {"editor": "authority", "admin": "authority_head"},
    "higher_authority": {"editor": "higher_authority", "admin": "higher_authority"},
    "operator": {"editor": "operator", "admin": "operator"},
    "auditor": {"editor": "auditor", "admin": "auditor"},
}
IN_DEPARTMENT = {"editor": "editor", "admin": "head"}


def person_of(user: Any) -> Person:
    """The person behind a CKAN user object; NOBODY for a visitor."""
    if user is None or getattr(user, "is_anonymous", False):
        return NOBODY
    roles = {Role("applicant", user.id)}
    if user.sysadmin:  # CKAN makes them admin of every organisation that they create
        return Person(user.id, user.fullname or user.name, frozenset(roles | {Role("operator")}))
    for organisation, capacity, function in _memberships(user.id):
        if capacity in IN_DEPARTMENT:
            roles.add(Role(IN_DEPARTMENT[capacity], organisation))
        if role := FUNCTIONS.get(function, {}).get(capacity):
            roles.add(Role(role))
    return Person(user.id, user.fullname or user.name, frozenset(roles))


def person(context: dict[str, Any]) -> Person:
    """Who asks in an action's context. A call that ignores authorisation and names nobody is the system's own."""
    user = context.get("auth_user_obj") or (model.User.get(context["user"]) if context.get("user") else None)
    if user is None and context.get("ignore_auth"):
        return SYSTEM
    return person_of(user)


def names_with(roles: list[str]) -> list[str]:
    """Ids of the users who hold one of the roles, each ``role``, ``role@organisation`` or ``applicant@user id``."""
    found: set[str] = set()
    for text in roles:
        role, _, named = text.partition("@")
        found.update({named} if role == "applicant" else _holders(role, named) if role != "public" else ())
    return sorted(found)


def _memberships(user_id: str) -> list[tuple[str, str, str]]:
    """(organisation name, capacity, function) of a user's organisations."""
    member, group = model.Member, model.Group
    query = (
        select(group.name, member.capacity, group.extras["mulu_function"].astext)
        .join(member, member.group_id == group.id)
        .where(member.table_id == user_id, member.table_name == "user", member.state == "active")
        .where(group.is_organization.is_(True), group.state == "active")
    )
    return [(name, capacity, function or "provider") for name, capacity, function in model.Session.execute(query)]


def _holders(role: str, organisation: str) -> set[str]:
    member, group, user = model.Member, model.Group, model.User
    query = (
        select(member.table_id)
        .join(group, member.group_id == group.id)
        .join(user, user.id == member.table_id)
        .where(member.table_name == "user", member.state == "active", group.state == "active")
        .where(user.sysadmin.is_(False))
    )
    if organisation:
        capacities = [capacity for capacity, name in IN_DEPARTMENT.items() if name == role]
        query = query.where(group.name == organisation, member.capacity.in_(capacities))
    else:
        pairs = [(f, c) for f, given in FUNCTIONS.items() for c, name in given.items() if name == role]
        if not pairs:
            return set()
        function = group.extras["mulu_function"].astext
        query = query.where(tuple_(function, member.capacity).in_(pairs))
    return set(model.Session.execute(query).scalars())


def require_login(context: dict[str, Any]) -> Person:
    """The person who asks; NotAuthorized for a visitor."""
    asker = person(context)
    if asker is NOBODY:
        raise tk.NotAuthorized(tk._("请先登录。"))
    return asker
