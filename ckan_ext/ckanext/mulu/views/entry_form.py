"""The entry form: from what was posted to an entry, and from the schema to controls. Nothing typed is ever dropped."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

import ckan.plugins.toolkit as tk

#: blank item rows offered at first, and by each press of the button for those without JavaScript
BLANK_ROWS = 3

Entry = dict[str, Any]


def schema_fields() -> list[dict[str, Any]]:
    """The form's fields, in order, as scheming has them."""
    return [
        field
        for field in tk.h.scheming_get_dataset_schema("dataset")["dataset_fields"]
        if "form_snippet" not in field or field["form_snippet"]
    ]


def read(form: Any) -> Entry:
    """What was posted, in CKAN's shape: every field of the form, and only those. Blank item rows are left out."""
    entry: Entry = {}
    for field in schema_fields():
        name, control = field["field_name"], field["control"]
        if control == "items":
            entry[name] = read_items(form, field)
        elif control == "choices":
            entry[name] = [value for value in form.getlist(name) if value]
        elif control == "classification":
            parts = [value.strip() for value in form.getlist(name)]
            entry[name] = parts if any(parts) else []
        elif control == "list":
            entry[name] = [line.strip() for line in re.split(r"[\n;；]", form.get(name, "")) if line.strip()]
        elif control == "bool":
            entry[name] = tk.asbool(form.get(name) or False)
        elif name in form:
            entry[name] = form.get(name, "").replace("\r\n", "\n").strip()
    return entry


def read_items(form: Any, field: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows posted as `items-<n>-<key>`, in the order of n, which may have gaps where rows were taken out."""
    keys = {sub["field_name"]: sub for sub in field["repeating_subfields"]}
    rows: dict[int, dict[str, Any]] = {}
    for name in form:
        match = re.fullmatch(rf"{re.escape(field['field_name'])}-(\d{{1,6}})-(\w+)", name)
        if match and match[2] in keys:
            value: Any = form.get(name, "").strip()
            rows.setdefault(int(match[1]), {})[match[2]] = bool(value) if keys[match[2]]["control"] == "bool" else value
    return [rows[index] for index in sorted(rows) if any(rows[index].values())]


def control(field: dict[str, Any], organisations: list[dict[str, Any]]) -> dict[str, Any]:
    """A scheming field as the templates want it (mulu/parts/fields.html)."""
    kind = field["control"]
    choices = []
    if field.get("code_list"):
        choices = tk.h.mulu_choices(field)
    elif kind == "organisation":
        choices = [{"value": one["id"], "label": one["title"] or one["name"]} for one in organisations]
    elif kind == "org":
        choices = [{"value": one["name"], "label": one["title"] or one["name"]} for one in tk.h.mulu_departments()]
    return {
        "key": field["field_name"],
        "label": field["label"],
        "kind": kind,
        "help": field.get("help", ""),
        "article": field.get("article", ""),
        "required": field.get("mark_required", False),
        "max_length": field.get("max_length"),
        "choices": choices,
        "when": field.get("when", ""),
        "wide": kind in ("long", "choices", "items", "classification"),
        "subfields": [control(sub, organisations) for sub in field.get("repeating_subfields", [])],
    }


def sections(organisations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The form in sections: [{title, id, fields}]."""
    found = groupby(schema_fields(), key=lambda field: field["section"])
    return [
        {"title": title, "id": f"section-{number}", "fields": [control(field, organisations) for field in fields]}
        for number, (title, fields) in enumerate(found, start=1)
    ]
