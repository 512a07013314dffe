"""The one description of all fields of an entry and of its information items, read from fields.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mulu.codes import CODE_LISTS
from mulu.errors import BrokenRules
from mulu.files import ROOT, read_yaml

CLASS_FIELDS: Final = (
    "share_type", "share_condition", "share_basis",
    "open_type", "open_condition", "open_ground", "open_basis", "open_review_on",
)  # fmt: skip
"""Fields that only the procedure classification_change may change after publication (huarong 35, hunan 30)."""
ITEM_CLASS_FIELDS: Final = ("share_type", "open_type")
VOLATILE_FIELDS: Final = frozenset({"published_on", "secrecy_review", "privacy_review", "source"})
"""Fields that may differ between two readings of the same entry without the entry having changed."""


@dataclass(frozen=True)
class Field:
    """One field of an entry or of an item; see the head of fields.yml for ``kind``."""

    key: str
    label: str
    section: str
    kind: str
    code_list: str = ""
    required: bool = False
    max_length: int = 0
    help: str = ""
    article: str = ""
    unit: str = "字"


def _fields(rows: Mapping[str, Mapping[str, Any]]) -> tuple[Field, ...]:
    out = []
    for key, row in rows.items():
        code_list = row.get("list", "")
        if code_list and code_list not in CODE_LISTS:
            raise BrokenRules(f"fields.yml: {key}: no code list {code_list}")
        unit, max_length = row.get("unit", "字"), row.get("max", 0)
        out.append(
            Field(
                key=key, label=row["label"], section=row.get("section", "信息项"), kind=row["kind"], code_list=code_list,
                required=row.get("required", False), max_length=max_length, help=row.get("help", ""),
                article=row.get("article", ""), unit=unit,
            )
        )  # fmt: skip
    return tuple(out)


_RAW: Final = read_yaml(ROOT / "fields.yml")
FIELDS: Final[tuple[Field, ...]] = _fields(_RAW["entry"])
ITEM_FIELDS: Final[tuple[Field, ...]] = _fields(_RAW["item"])
FIELD: Final[Mapping[str, Field]] = {field.key: field for field in FIELDS}
ITEM_FIELD: Final[Mapping[str, Field]] = {field.key: field for field in ITEM_FIELDS}
SECTIONS: Final[tuple[str, ...]] = tuple(dict.fromkeys(field.section for field in FIELDS))
