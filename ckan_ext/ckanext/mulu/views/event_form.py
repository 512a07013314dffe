"""The form of an event: from the procedure's fields (mulu.forms.FormField.to_dict) to controls, and from what was posted to data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.common import current_user

from ckanext.mulu.helpers import SHANGHAI, mulu_choices
from mulu.entry import CLASS_FIELDS, FIELD

#: a field's kind in a procedure → the control that asks for it (templates/mulu/parts/fields.html)
CONTROLS = {
    "text": "text",
    "long_text": "long",
    "date": "date",
    "choice": "choice",
    "choices": "choices",
    "list": "list",
    "review": "review",
    "flag": "bool",
    "number": "number",
    "class": "class",
    "decisions": "decisions",
}
#: filled in by the portal, never by a person
NOT_ASKED = {"object", "entry"}


def describe(fields: list[dict[str, Any]], case: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The controls of an event, with what the portal already knows filled in (`value`)."""
    return [_control(field, case) for field in fields if field["kind"] not in NOT_ASKED]


def _control(field: dict[str, Any], case: Mapping[str, Any]) -> dict[str, Any]:
    kind, data = CONTROLS[field["kind"]], case.get("data") or {}
    value = data.get(field["key"])
    if kind == "review" and not value:
        today = datetime.now(SHANGHAI).date().isoformat()
        value = {"by": current_user.display_name, "on": today, "conclusion": ""}
    return {
        "key": field["key"],
        "label": field["label"],
        "kind": kind,
        "help": field.get("help", ""),
        "article": field.get("article", ""),
        "required": field.get("required", False),
        "choices": [{"value": key, "label": label} for key, label in (field.get("choices") or {}).items()],
        "value": value,
        "wide": kind in ("long", "review", "choices", "class", "decisions"),
        "subfields": class_controls() if kind == "class" else [],
        "rows": [_asked(one) for one in data.get(field.get("of", ""), [])] if kind == "decisions" else [],

    }


def class_controls() -> list[dict[str, Any]]:
    """The fields of a class (共享、开放属性), as the entry's own form asks for them."""
    kinds = {"long_text": "long", "choice": "choice", "date": "date", "text": "text"}
    return [
        {
            "key": key,
            "label": FIELD[key].label,
            "kind": kinds[FIELD[key].kind],
            "help": FIELD[key].help,
            "choices": mulu_choices({"code_list": FIELD[key].code_list}) if FIELD[key].code_list else [],
        }
        for key in CLASS_FIELDS
    ]


def _asked(one: Any) -> dict[str, str]:
    return {"id": one["id"], "label": one.get("title") or one["id"]} if isinstance(one, dict) else {"id": one, "label": one}


def read(fields: list[dict[str, Any]], form: Any) -> dict[str, Any]:
    """What was posted, by the fields' keys. Empty stays empty: whether it may be is the engine's question."""
    return {field["key"]: _read(field, form) for field in fields if field["kind"] not in NOT_ASKED}


def _read(field: dict[str, Any], form: Any) -> Any:
    key, control = field["key"], CONTROLS[field["kind"]]
    text = form.get(key, "").replace("\r\n", "\n").strip()
    if control == "review":
        return {part: form.get(f"{key}.{part}", "").strip() for part in ("by", "on", "conclusion")}
    if control == "choices":
        return [value for value in form.getlist(key) if value]
    if control == "list":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if control == "bool":
        return tk.asbool(text or False)
    if control == "number":
        return int(text) if text.isdecimal() else text
    if control == "class":
        return _read_class(key, form)
    if control == "decisions":
        rows = zip(form.getlist(f"{key}.id"), form.getlist(f"{key}.decision"), form.getlist(f"{key}.reason"), strict=False)
        return [{"id": one, "decision": decision, "reason": reason.strip()} for one, decision, reason in rows if decision]
    return text


def _read_class(key: str, form: Any) -> dict[str, str]:
    """Class fields that were filled in."""
    return {part: value for part in CLASS_FIELDS if (value := form.get(f"{key}.{part}", "").replace("\r\n", "\n").strip())}
