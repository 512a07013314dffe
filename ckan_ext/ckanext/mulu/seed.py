"""Organisations and people of the demo. The people are made up; departments come from the list of the example data."""

from __future__ import annotations

import secrets
from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk

import mulu.profile
from mulu import credit_code

PLACES = ("authority", "higher_authority", "operator", "auditor")
PEOPLE = {
    "operator": ("平台运维（演示）", "operator", "editor"),
    "authority": ("审核员（演示）", "authority", "editor"),
    "authority_head": ("审核负责人（演示）", "authority", "admin"),
    "higher_authority": ("上级主管部门（演示）", "higher_authority", "editor"),
    "auditor": ("审计员（演示）", "auditor", "editor"),
    "provider_editor": ("编目员（演示）", "provider", "editor"),
    "provider_head": ("部门负责人（演示）", "provider", "admin"),
    "consumer": ("用数部门经办人（演示）", "consumer", "editor"),
    "consumer_head": ("用数部门负责人（演示）", "consumer", "admin"),
    "citizen": ("市民（演示）", "", ""),
    "enterprise": ("企业（演示）", "", ""),
}
"""Role → (full name, organisation, capacity)."""
DEFAULT_DEPARTMENTS = [
    {"name": "demo-provider", "title": "示例提供部门（演示）"},
    {"name": "demo-consumer", "title": "示例使用部门（演示）"},
]


def seed(profile: str, departments: list[dict[str, str]]) -> dict[str, Any]:
    """Make what is missing; who exists gets a new password and token. Gives ``{users, departments, profile}``.

    ``users``: role → {name, password, token}; ``departments``: name → {editor, head}, each {name, token}.
    The first department is the provider's, the second the consumer's.
    """
    place = mulu.profile.load(profile)
    listed = departments if len(departments) > 1 else DEFAULT_DEPARTMENTS
    provider, consumer = listed[0]["name"], listed[1]["name"]
    organisations = {"provider": provider, "consumer": consumer}
    titles = {
        "authority": place.authority_name,
        "higher_authority": place.higher_authority_name or "上级政务数据主管部门",
        "operator": f"{place.platform_name}运营机构",
        "auditor": "审计机关",
    }
    for number, function in enumerate(PLACES):
        organisations[function] = f"{profile}-{function.replace('_', '-')}"
        _organisation(organisations[function], titles[function], function, credit_code.make(number))
    for number, department in enumerate(listed, 100):
        # Credit codes of these departments stand in no source: the demo gives none to real ones.
        made_up = credit_code.make(number) if department["name"].startswith("demo-") else ""
        _organisation(department["name"], department["title"], "provider", made_up)
    users = {}
    for role, (fullname, organisation, capacity) in PEOPLE.items():
        users[role] = _person(f"demo-{role.replace('_', '-')}", fullname)
        if role == "operator":
            model.User.get(users[role]["name"]).sysadmin = True  # type: ignore[union-attr]
        if organisation:
            _member(organisations[organisation], users[role]["name"], capacity)
    clerks: dict[str, dict[str, dict[str, str]]] = {
        provider: {"editor": users["provider_editor"], "head": users["provider_head"]},
        consumer: {"editor": users["consumer"], "head": users["consumer_head"]},
    }
    for department in listed[2:]:
        name = department["name"]
        clerks[name] = {}
        for kind, capacity in (("editor", "editor"), ("head", "admin")):
            person = _person(f"{name}-{kind}", f"{department['title']}{'编目员' if kind == 'editor' else '负责人'}（演示）")
            _member(name, person["name"], capacity)
            clerks[name][kind] = person
    model.Session.commit()
    return {"profile": profile, "users": users, "departments": clerks}


def _system() -> dict[str, Any]:
    return {"ignore_auth": True, "user": tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]}


def _organisation(name: str, title: str, function: str, code: str) -> None:
    if model.Group.get(name) is None:
        data = {"name": name, "title": title, "mulu_function": function, "credit_code": code}
        tk.get_action("organization_create")(_system(), {key: value for key, value in data.items() if value})


def _person(name: str, fullname: str) -> dict[str, str]:
    password = secrets.token_urlsafe(12)
    user = model.User.get(name)
    if user is None:
        data = {"name": name, "fullname": fullname, "email": f"{name}@example.org", "password": password}
        tk.get_action("user_create")(_system(), data)
    else:
        user.password = password
        model.Session.flush()
        for token in tk.get_action("api_token_list")(_system(), {"user_id": name}):
            tk.get_action("api_token_revoke")(_system(), {"jti": token["id"]})
    token = tk.get_action("api_token_create")(_system(), {"user": name, "name": "demo"})["token"]
    return {"name": name, "password": password, "token": token}


def _member(organisation: str, user: str, capacity: str) -> None:
    tk.get_action("organization_member_create")(_system(), {"id": organisation, "username": user, "role": capacity})
