"""The form of an event: from the procedure's field specifications to controls, and from what was posted back to data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.common import current_user
from ckanext.mulu.helpers import SHANGHAI, mulu_choices

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
}


def describe(field: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    """The control of one field, with what the portal already knows filled in (`value`)."""
    kind = CONTROLS.get(str(field.get("kind") or "text"), "text")
    choices = list(field.get("choices") or [])
    if field.get("code_list"):
        choices = mulu_choices(field)
        kind = kind if kind in ("choice", "choices") else "choice"
    value = (case.get("data") or {}).get(field["key"])
    if kind == "review" and not value:
        today = datetime.now(SHANGHAI).date().isoformat()
        value = {"by": current_user.display_name, "on": today, "conclusion": ""}
    return {**field, "kind": kind, "choices": choices, "value": value, "wide": kind in ("long", "review", "choices")}


def read(fields: list[dict[str, Any]], form: Any) -> dict[str, Any]:
    """What was posted, by the fields' keys. Empty stays empty: whether it may be is the engine's question."""
    data: dict[str, Any] = {}
    for field in fields:
        key, control = field["key"], CONTROLS.get(str(field.get("kind") or "text"), "text")
        if control == "review":
            data[key] = {part: form.get(f"{key}.{part}", "").strip() for part in ("by", "on", "conclusion")}
        elif control == "choices":
            data[key] = [value for value in form.getlist(key) if value]
        elif control == "list":
            data[key] = [line.strip() for line in form.get(key, "").splitlines() if line.strip()]
        elif control == "bool":
            data[key] = tk.asbool(form.get(key) or False)
        else:
            data[key] = form.get(key, "").strip()
    return data
