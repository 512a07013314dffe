"""Writes entry.yaml, the scheming schema of a catalogue entry, from mulu.entry.FIELDS: `python -m ckanext.mulu.schemas.build`.

What a field is called, asks and cites stands in mulu.entry only. Here is what only CKAN and its form need to know: the
validators that keep a value's shape, which fields the form leaves to the portal, and which show when another has a value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mulu.entry import FIELDS, ITEM_FIELDS

TARGET = Path(__file__).with_name("entry.yaml")

#: wire key → CKAN's own field
CKAN_NAME = {"provider": "owner_org"}

#: kept by the portal or by the review, never typed into this form
NOT_ON_FORM = {"name", "published_on", "secrecy_review", "privacy_review", "source"}

#: shown when the named field has one of these values (or has a value or a problem of its own)
WHEN = {
    "base_class": "catalogue_kind=base",
    "theme": "catalogue_kind=theme",
    "share_condition": "share_type=conditional",
    "share_basis": "share_type=conditional,none",
    "share_mode": "share_type=unconditional,conditional",
    "use_mode": "share_type=unconditional,conditional",
    "open_condition": "open_type=conditional",
    "open_ground": "open_type=none",
    "open_basis": "open_type=none",
    "open_review_on": "open_type=none,conditional",
    "open_mode": "open_type=unconditional,conditional",
    "open_theme": "open_type=unconditional,conditional",
    "license_id": "open_type=unconditional,conditional",
}

#: mulu.entry's kind of a field → control of the form
CONTROL = {
    "text": "text",
    "long_text": "long",
    "choice": "choice",
    "choices": "choices",
    "list": "list",
    "date": "date",
    "flag": "bool",
    "org": "org",
    "items": "items",
    "review": "review",
    "source": "object",
}

#: fields whose control is not their kind's: four boxes, and CKAN's own select of the owner
CONTROL_OF = {"classification": "classification", "provider": "organisation"}

TEXT = "ignore_empty unicode_safe"
#: where CKAN itself has a say
VALIDATORS = {
    "provider": "owner_org_validator unicode_safe",
    "name": "not_empty unicode_safe name_validator package_name_validator",
}
LISTS = {"choices", "list"}
OBJECTS = {"review", "source"}


def scheming_field(field: Any) -> dict[str, Any]:
    """One field of mulu.entry as scheming wants it. Whether a value is right is asked of mulu.checks, not of a validator."""
    row: dict[str, Any] = {
        "field_name": CKAN_NAME.get(field.key, field.key),
        "label": field.label,
        "section": field.section,
        "control": CONTROL_OF.get(field.key, CONTROL[field.kind]),
        "required": False,
    }
    if field.required:
        row["mark_required"] = True
    for name in ("help", "article", "max_length", "code_list"):
        if getattr(field, name, None):
            row[name] = getattr(field, name)
    if field.code_list:
        row["choices_helper"] = "mulu_choices"
    if field.key in WHEN:
        row["when"] = WHEN[field.key]
    if field.key in NOT_ON_FORM:
        row["form_snippet"] = None
    if field.kind == "items":
        row["repeating_subfields"] = [item_field(item) for item in ITEM_FIELDS]
    elif field.key in VALIDATORS:
        row["validators"] = VALIDATORS[field.key]
    elif field.kind in LISTS:
        row |= {"validators": "scheming_multiple_text", "output_validators": "scheming_load_json"}
    elif field.kind in OBJECTS:
        row |= {"validators": "ignore_empty scheming_valid_json_object", "output_validators": "scheming_load_json"}
    else:
        row["validators"] = TEXT
    return row


def item_field(field: Any) -> dict[str, Any]:
    """One field of an information item: the keys of the entry's rules above mean nothing here."""
    row = {
        "field_name": field.key,
        "label": field.label,
        "control": CONTROL[field.kind],
        "validators": "ignore_empty boolean_validator" if field.kind == "flag" else TEXT,
    }
    if field.required:
        row["mark_required"] = True
    if field.help:
        row["help"] = field.help
    if field.code_list:
        row |= {"code_list": field.code_list, "choices_helper": "mulu_choices"}
    return row


def schema() -> dict[str, Any]:
    return {
        "scheming_version": 2,
        "dataset_type": "dataset",
        "about": "目录条目。由 mulu.entry.FIELDS 生成，请勿手工修改。",
        "dataset_fields": [scheming_field(field) for field in FIELDS if field.kind != "resources"],
        "resource_fields": [
            {"field_name": "url", "label": "文件或地址", "preset": "resource_url_upload", "upload_label": "上传文件"},
            {"field_name": "name", "label": "名称", "validators": TEXT},
            {"field_name": "description", "label": "说明", "form_snippet": "textarea.html", "validators": TEXT},
            {"field_name": "format", "label": "格式", "preset": "resource_format_autocomplete"},
        ],
    }


def dump() -> str:
    return yaml.safe_dump(schema(), allow_unicode=True, sort_keys=False, width=140)


if __name__ == "__main__":
    TARGET.write_text(dump(), encoding="utf-8")
