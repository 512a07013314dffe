"""The catalogue entry: typed and immutable, with its fingerprint, and what differs between two of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final

from mulu.codes import CODE_LISTS
from mulu.errors import BrokenRules
from mulu.fields import (
    CLASS_FIELDS,
    FIELD,
    FIELDS,
    ITEM_CLASS_FIELDS,
    ITEM_FIELD,
    ITEM_FIELDS,
    SECTIONS,
    VOLATILE_FIELDS,
    Field,
)
from mulu.files import digest

__all__ = [
    "CLASS_FIELDS", "FIELD", "FIELDS", "ITEM_CLASS_FIELDS", "ITEM_FIELD", "ITEM_FIELDS", "SECTIONS", "VOLATILE_FIELDS",
    "Change", "Entry", "Field", "Item", "Resource", "class_of", "diff",
    "shown", "with_class",
]  # fmt: skip


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else "" if value is None or isinstance(value, (dict, list)) else str(value)


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)):
        return tuple(text for text in map(_text, value) if text)
    return (_text(value),) if _text(value) else ()


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        return ()
    return tuple((str(key), _text(part)) for key, part in sorted(value.items()) if _text(part))


def _rows(value: object) -> list[Mapping[str, object]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, (list, tuple)) else []


def _true(value: object) -> bool:
    return value is True or _text(value).lower() in {"true", "1", "是", "敏感"}


@dataclass(frozen=True)
class Item:
    """One 信息项. Empty ``share_type``/``open_type`` mean: as the entry."""

    name: str = ""
    data_type: str = ""
    length: str = ""
    kind: str = ""
    sensitive: bool = False
    share_type: str = ""
    open_type: str = ""
    element_code: str = ""
    description: str = ""


@dataclass(frozen=True)
class Resource:
    """A deliverable: file, API, query, push."""

    id: str = ""
    name: str = ""
    url: str = ""
    format: str = ""
    size: str = ""
    hash: str = ""
    description: str = ""


@dataclass(frozen=True)
class Entry:
    """One catalogue entry, as fields.yml describes it. Empty is ``""``, ``()``; objects are sorted pairs."""

    title: str = ""
    name: str = ""
    provider: str = ""
    provider_code: str = ""
    provider_unit: str = ""
    notes: str = ""
    format_class: str = ""
    format_type: str = ""
    format_other: str = ""
    catalogue_kind: str = ""
    base_class: str = ""
    theme: str = ""
    classification: tuple[str, ...] = ()
    resource_code: str = ""
    related_codes: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    share_type: str = ""
    share_condition: str = ""
    share_basis: str = ""
    share_mode: tuple[str, ...] = ()
    use_mode: tuple[str, ...] = ()
    open_type: str = ""
    open_condition: str = ""
    open_ground: str = ""
    open_basis: str = ""
    open_review_on: str = ""
    open_mode: tuple[str, ...] = ()
    open_theme: str = ""
    license_id: str = ""
    update_frequency: str = ""
    published_on: str = ""
    data_updated_on: str = ""
    source_department: str = ""
    business_items: tuple[str, ...] = ()
    system_name: str = ""
    project_code: str = ""
    security_level: str = ""
    personal_information: str = ""
    secrecy_review: tuple[tuple[str, str], ...] = ()
    privacy_review: tuple[tuple[str, str], ...] = ()
    use_requirement: str = ""
    business_explanation: str = ""
    contact: str = ""
    spatial: str = ""
    temporal: str = ""
    resources: tuple[Resource, ...] = ()
    source: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Entry:
        """Keep what can be kept: unknown keys and values of a wrong type are dropped here and reported by checks.check."""
        return cls(**{key: read(data.get(key)) for key, read in _READERS.items() if data.get(key) not in (None, "", [], {})})

    def to_dict(self) -> dict[str, Any]:
        """The wire form, without empty fields."""
        return {key: wire for key in _READERS if (wire := _wire(getattr(self, key))) not in ("", [], {})}

    @cached_property
    def _fingerprint(self) -> str:
        data = {key: value for key, value in self.to_dict().items() if key not in VOLATILE_FIELDS}
        for resource in data.get("resources", ()):
            resource.pop("id", None)
        return digest(data)

    def fingerprint(self) -> str:
        """sha256 (hex) of the content: equal entries have equal fingerprints, whatever portal and day they were read from."""
        return self._fingerprint


def _item(row: Mapping[str, object]) -> Item:
    values = {key: _text(row.get(key)) for key in ITEM_FIELD if key != "sensitive"}
    return Item(sensitive=_true(row.get("sensitive")), **values)


def _resource(row: Mapping[str, object]) -> Resource:
    return Resource(**{field.name: _text(row.get(field.name)) for field in fields(Resource)})


_BY_KIND: Final[Mapping[str, Callable[[object], Any]]] = {
    "items": lambda value: tuple(map(_item, _rows(value))),
    "resources": lambda value: tuple(map(_resource, _rows(value))),
    "list": _texts, "choices": _texts, "review": _pairs, "source": _pairs,
    "text": _text, "long_text": _text, "date": _text, "choice": _text, "org": _text,
}  # fmt: skip


def _classification(value: object) -> tuple[str, ...]:
    """类, 项, 目, 细目 by position: an empty one keeps its place, those at the end are dropped."""
    parts = [_text(part) for part in value] if isinstance(value, (list, tuple)) else list(_texts(value))
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


_READERS: Final[Mapping[str, Callable[[object], Any]]] = {
    field.key: _classification if field.key == "classification" else _BY_KIND[field.kind] for field in FIELDS
}
if set(_READERS) != {field.name for field in fields(Entry)}:
    raise BrokenRules("fields.yml and Entry differ")


def _wire(value: Any) -> Any:
    if isinstance(value, (Item, Resource)):
        row = {field.name: getattr(value, field.name) for field in fields(value)}
        return {key: part for key, part in row.items() if part not in ("", False)}
    if isinstance(value, tuple):
        if value and isinstance(value[0], tuple):
            return dict(value)
        return [_wire(part) for part in value]
    return value


def class_of(entry: Mapping[str, object]) -> dict[str, Any]:
    """The class of an entry as classification_change states it: CLASS_FIELDS, and items' own by name under ``items``."""
    typed = Entry.from_dict(entry)
    items = {item.name: {key: getattr(item, key) for key in ITEM_CLASS_FIELDS} for item in typed.items}
    return {**{key: getattr(typed, key) for key in CLASS_FIELDS}, "items": items}


def with_class(entry: Mapping[str, Any], after: object) -> dict[str, Any]:
    """The entry (wire form) with the class of a classification_change put in: only what ``after`` names is changed.

    Lenient like from_dict: what has no such shape changes nothing here and is refused by the procedure's form.
    """
    if not isinstance(after, Mapping):
        return dict(entry)
    named = after.get("items")
    items = {name: row for name, row in named.items() if isinstance(row, Mapping)} if isinstance(named, Mapping) else {}
    changed = {**entry, **{key: after[key] for key in CLASS_FIELDS if key in after}}
    if items:
        changed["items"] = [{**item, **items.get(_text(item.get("name")), {})} for item in _rows(entry.get("items"))]
    return changed


@dataclass(frozen=True)
class Change:
    """One difference. ``before``/``after``: as shown, codes as labels; "" for nothing."""

    field: str
    label: str
    before: str
    after: str


def shown(field: Field, value: Any) -> str:
    """A field's value as people read it: labels for codes, 、 between several."""
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Mapping):
        return " ".join(str(part) for part in value.values())
    if field.key == "classification":
        return "/".join(value)
    if field.kind == "resources":
        return "、".join(str(row.get("name") or row.get("url", "")) for row in value)
    if isinstance(value, list):
        return "、".join(shown(field, part) for part in value)
    codes = CODE_LISTS.get(field.code_list)
    return codes.label(str(value)) if codes else str(value)


def _item_text(item: Mapping[str, Any]) -> str:
    parts = [f"{field.label}：{shown(field, item[field.key])}" for field in ITEM_FIELDS if field.key in item]
    return "；".join(parts)


def _numbered(items: list[dict[str, Any]]) -> dict[tuple[str, int], dict[str, Any]]:
    """Items by name; a name that stands twice keeps both, by its occurrence."""
    seen: Counter[str] = Counter()
    out = {}
    for item in items:
        name = item.get("name", "")
        out[name, seen[name]] = item
        seen[name] += 1
    return out


def _item_changes(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[Change]:
    old, new = _numbered(before), _numbered(after)
    changes = []
    for position, (key, item) in enumerate(new.items()):
        label = f"信息项“{key[0]}”"
        if key not in old:
            changes.append(Change(f"items[{position}]", label, "", _item_text(item)))
            continue
        for field in ITEM_FIELDS:
            was, now = shown(field, old[key].get(field.key)), shown(field, item.get(field.key))
            if was != now:
                changes.append(Change(f"items[{position}].{field.key}", f"{label} {field.label}", was, now))
    for key, item in old.items():
        if key not in new:
            changes.append(Change("items", f"信息项“{key[0]}”", _item_text(item), ""))
    if not changes and list(old) != list(new):
        changes.append(Change("items", "信息项次序", "、".join(n for n, _ in old), "、".join(n for n, _ in new)))
    return changes


def diff(before: Mapping[str, object] | None, after: Mapping[str, object] | None) -> list[Change]:
    """Differences of two entries in wire form, in the order of the form; None counts as an empty entry."""
    old, new = Entry.from_dict(before or {}).to_dict(), Entry.from_dict(after or {}).to_dict()
    changes = []
    for field in FIELDS:
        was, now = old.get(field.key), new.get(field.key)
        if was == now:
            continue
        if field.kind == "items":
            changes += _item_changes(was or [], now or [])
        else:
            changes.append(Change(field.key, field.label, shown(field, was), shown(field, now)))
    return changes
