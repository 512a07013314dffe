"""What a letter says of a case: who signs, who is addressed, what was decided on each entry, how to object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model

from ckanext.mulu import entries, roles
from ckanext.mulu.logic import access
from ckanext.mulu.model import versions
from mulu import asking, forms
from mulu.case import Case, Procedure, load_procedure
from mulu.forms import FormField
from mulu.people import ORG_ROLES, OWN_ROLES, ROLE_LABELS
from mulu.profile import Profile

Row = dict[str, Any]
OBJECTIONS = {"sharing_application": "dispute", "open_application": "rereview", "demand": "rereview"}
"""Procedure → the one by which its answer is objected to (政务数据共享条例 第二十八条, 华容 第二十八条)."""

_NOT_A_FACT = ("reason", "promise", "entry", "entries", "count", "email", "phone", "contact", "run")
_WORDS = ("text", "long_text", "choice", "choices", "list", "date", "number")


def department(name: Any) -> str:
    """The title of an organisation."""
    found = entries.organisation(name)
    return str(found.title or found.name) if found else str(name or "")


def addressees(to: Iterable[str], case: Case, place: Profile) -> str:
    """Who is addressed: departments and authorities by name, one of the public or an applicant as they called themselves."""
    return "、".join(dict.fromkeys(_addressee(*text.partition("@")[::2], case, place) for text in to)) or place.authority_name


def _addressee(role: str, named: str, case: Case, place: Profile) -> str:
    if role in ORG_ROLES:
        return department(named)
    if role in OWN_ROLES:
        own = case.data.get("applicant_name") or case.data.get("name") if named == case.filed_by else ""
        user = None if own or role == "public" else model.User.get(named)
        return str(own or (user and (user.fullname or user.name)) or "申请人")
    return _authorities(place).get(role) or ROLE_LABELS[role]


def _authorities(place: Profile) -> dict[str, str]:
    return {"authority": place.authority_name, "authority_head": place.authority_name, "higher_authority": place.higher_authority_name}


def signer(procedure: Procedure, case: Case, record: Mapping[str, Any], place: Profile) -> str:
    """In whose name a letter goes out: of whose organisation the person acted. What the portal or the public set off is the
    authority's to sign; a receipt, the department's that has to answer."""
    if record["role"] in ORG_ROLES:
        return department(_acting_for(procedure, case, record))
    if record["role"] in OWN_ROLES and case.subject["org"]:
        return department(case.subject["org"])
    return _authorities(place).get(record["role"], place.authority_name)


def _acting_for(procedure: Procedure, case: Case, record: Mapping[str, Any]) -> str:
    """The organisation in which the person held the role; where the step is open to several, the person's own among them."""
    event = procedure.events.get(record["event"], procedure.opening)
    specs = [spec for spec in event.by.get(record["from_state"], ()) if spec.name == record["role"]]
    named = [case.data.get(spec.path) if spec.path else case.subject["org"] for spec in specs]
    possible = [str(one) for value in named for one in (value if isinstance(value, list) else [value]) if one]
    if len(set(possible)) > 1 and (user := model.User.get(record["actor_id"])):
        own = access.departments_of(roles.person_of(user))
        possible = [one for one in possible if one in own] or possible
    return possible[0] if possible else case.subject["org"]


def facts(procedure: Procedure, place: Profile, data: Mapping[str, Any], only: Sequence[str] = ()) -> list[Row]:
    """What was filled in, as [{label, text}], in the procedure's order; without what is said elsewhere, and nobody's address."""
    fields = forms.in_place(tuple(procedure.fields.values()), place)
    found = []
    for field in fields:
        wanted = field.key in only if only else field.kind in _WORDS and not field.given and field.key not in (*_NOT_A_FACT, "missing")
        if wanted and data.get(field.key) not in (None, "", [], {}):
            found.append({"label": field.label, "text": _text(field, data[field.key])})
    return found


def _text(field: FormField, value: Any) -> str:
    if isinstance(value, list):
        return "、".join(field.options.get(one, str(one)) for one in value)
    if field.kind == "date":
        year, month, day = str(value).split("-")
        return f"{year}年{int(month)}月{int(day)}日"
    return field.options.get(str(value), str(value))


def asked(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """What is asked for: [{title, provider, items}]."""
    published = versions.last_of(str(one.get("id")) for one in rows)
    return [
        {"title": found.get("title", one.get("id")), "provider": department(found.get("provider")), "items": list(one.get("items") or ())}
        for one in rows
        for found in [published.get(str(one.get("id")), {})]
    ]


def decided(procedure: Procedure, data: Mapping[str, Any]) -> list[Row]:
    """What was decided on each entry: [{title, decision, given, refused, reason}]; given, refused: names of items."""
    if not data.get("decisions") or not data.get("asked"):
        return []
    choices, granted = procedure.fields["decisions"].options, asking.granted(data)
    by_id = {row["id"]: row for row in data["decisions"]}
    titled = zip(data["asked"], asked(data["asked"]), strict=True)
    return [
        {
            "title": row["title"],
            "decision": choices[by_id[one["id"]]["decision"]],
            "given": granted.get(one["id"], []),
            "refused": [name for name in one["items"] if name not in granted.get(one["id"], [])],
            "reason": by_id[one["id"]].get("reason", ""),
        }
        for one, row in titled
        if one["id"] in by_id
    ]


def objection(case: Case, place: Profile, rows: Sequence[Row], template: str) -> Row | None:
    """How to object to an answer that does not give all that was asked: {procedure, article}; None where nothing was refused, and where
    no entry was decided on: what is reviewed again is an entry's class."""
    way = OBJECTIONS.get(case.procedure)
    if way == "rereview" and case.subject["type"] not in load_procedure(way).about:
        return None
    if way and (template == "refusal" or any(row["refused"] for row in rows)):
        return {"procedure": way, "article": place.cite(way)}
    return None


def state(procedure: Procedure, key: str, to: Sequence[str]) -> str:
    """The state reached in words; for the public in those that tell nothing of the inside."""
    reached = procedure.states[key]
    return reached.public if _outside(to) else reached.label


def _outside(to: Sequence[str]) -> bool:
    return bool(to) and all(text.partition("@")[0] in OWN_ROLES for text in to)


def link(case: Case, to: Sequence[str]) -> str:
    """Where the addressee looks at the case: its page on the portal; for who has no account, the look-up on the public site, or ""."""
    if to and all(text.startswith("public@public:") for text in to):
        site = str(tk.config["mulu.site_url"]).rstrip("/")
        return f"{site}/ask/status/" if site else ""
    return f"{str(tk.config['ckan.site_url']).rstrip('/')}/mulu/case/{case.id}"
