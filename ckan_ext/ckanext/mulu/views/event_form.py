"""The form of an event: from the procedure's fields (mulu.forms.FormField.to_dict) to controls, and from what was posted to data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.common import current_user

from ckanext.mulu.helpers import SHANGHAI, mulu_choices, mulu_departments
from ckanext.mulu.views import asked
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
    "asked": "asked",
    "files": "files",
    "credit_code": "credit_code",
    "email": "email",
    "department": "choice",
    "entry_link": "choice",
}
#: filled in by the portal, or on a form of its own
NOT_ASKED = {"object", "entry"}
WIDE = {"long", "review", "choices", "class", "decisions", "asked", "files"}

Field = dict[str, Any]
Case = Mapping[str, Any]


def asks(field: Field) -> bool:
    return field["kind"] not in NOT_ASKED and not field.get("given")


def describe(fields: list[Field], case: Case) -> list[Field]:
    """The controls of an event, with what the portal already knows filled in (`value`). case: {procedure, subject, data}."""
    return [_control(field, case) for field in fields if asks(field)]


def _control(field: Field, case: Case) -> Field:
    control, data = CONTROLS[field["kind"]], case.get("data") or {}
    value = data.get(field["key"])
    if control == "review" and not value:
        today = datetime.now(SHANGHAI).date().isoformat()
        value = {"by": current_user.display_name, "on": today, "conclusion": ""}
    found = {
        "key": field["key"],
        "label": field["label"],
        "kind": control,
        "help": field.get("help", ""),
        "article": field.get("article", ""),
        "required": field.get("required", False),
        "choices": CHOICES.get(field["kind"], _own_choices)(field, case),
        "value": value,
        "wide": control in WIDE,
        "max_length": field.get("max_length") if control in ("text", "long") else None,
        "subfields": class_controls() if control == "class" else [],
        "rows": [],
    }
    if control == "decisions":
        found["rows"] = asked.rows(_rows(data.get(field["of"])), case.get("procedure", ""), value or ())
    if control == "asked":
        found["rows"] = asked.rows(value or (), case.get("procedure", ""))
    return found


def _own_choices(field: Field, case: Case) -> list[dict[str, str]]:
    return field.get("choices") or []


def _departments(field: Field, case: Case) -> list[dict[str, str]]:
    """Any department; where several are concerned, only those."""
    data = case.get("data") or {}
    parties = [case["subject"]["org"], *data["others"]] if data.get("others") else []
    return [{"value": one["name"], "label": one["title"]} for one in mulu_departments() if not parties or one["name"] in parties]


def _entries(field: Field, case: Case) -> list[dict[str, str]]:
    """The published entries of the department that takes it up."""
    department = (case.get("data") or {}).get("department") or case["subject"]["org"]
    wanted = {"fq": f'organization:"{department}"' if department else "", "rows": 1000, "sort": "title_string asc", "fl": "id,title"}
    found = tk.get_action("package_search")({"user": current_user.name}, wanted)["results"]
    return [{"value": one["id"], "label": one["title"]} for one in found]


CHOICES: dict[str, Callable[[Field, Case], list[dict[str, str]]]] = {"department": _departments, "entry_link": _entries}


def class_controls() -> list[Field]:
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


def _rows(given: Any) -> list[Mapping[str, Any]]:
    return [one if isinstance(one, dict) else {"id": one} for one in given or ()]


def read(fields: list[Field], form: Any) -> dict[str, Any]:
    """What was posted, by the fields' keys. Empty stays empty: whether it may be is the engine's question."""
    return {field["key"]: _read(field, form) for field in fields if asks(field)}


def _read(field: Field, form: Any) -> Any:
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
        return {part: value for part in CLASS_FIELDS if (value := form.get(f"{key}.{part}", "").replace("\r\n", "\n").strip())}
    if control == "decisions":
        return [_read_decision(key, one, form) for one in form.getlist(f"{key}.id") if form.get(f"{key}.decision.{one}")]
    if control == "asked":
        return asked.read(form, key)
    if control == "files":
        kept = zip(form.getlist(f"{key}.id"), form.getlist(f"{key}.name"), strict=False)
        return [{"id": one, "name": name} for one, name in kept]
    return text


def _read_decision(key: str, one: str, form: Any) -> dict[str, Any]:
    row = {"id": one, "decision": form.get(f"{key}.decision.{one}"), "reason": form.get(f"{key}.reason.{one}", "").strip()}
    return {**row, "items": form.getlist(f"{key}.items.{one}")} if row["decision"] == "partly" else row
