"""The fields that people fill in at an event of a case: what they must look like, and their JSON Schema."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, TypeGuard

from mulu import credit_code
from mulu.codes import CODE_LISTS
from mulu.errors import BrokenRules, Problem
from mulu.fields import CLASS_FIELDS, ITEM_CLASS_FIELDS
from mulu.profile import Profile

_EMAIL: Final = re.compile(r"[^@\s<>]+@[^@\s<>.]+(\.[^@\s<>.]+)+")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TEXT: Final = {"type": "string", "minLength": 1}
_DATE: Final = {"type": "string", "format": "date"}
_SCHEMAS: Final[Mapping[str, dict[str, Any]]] = {
    "text": _TEXT,
    "long_text": _TEXT,
    "date": _DATE,
    "choice": _TEXT,
    "choices": {"type": "array", "items": _TEXT, "minItems": 1, "uniqueItems": True},
    "list": {"type": "array", "items": _TEXT, "minItems": 1},
    "flag": {"type": "boolean"},
    "number": {"type": "integer"},
    "object": {"type": "object"},
    "entry": {"type": "object"},
    "review": {
        "type": "object",
        "properties": {"by": _TEXT, "on": _DATE, "conclusion": _TEXT},
        "required": ["by", "on", "conclusion"],
    },
    "class": {
        "type": "object",
        "properties": {
            **{key: {"type": "string"} for key in CLASS_FIELDS},
            "items": {"type": "object", "additionalProperties": {
                "type": "object", "properties": {key: {"type": "string"} for key in ITEM_CLASS_FIELDS},
                "additionalProperties": False}},
        },
        "additionalProperties": False,
    },
    "decisions": {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "properties": {
                "id": _TEXT, "decision": _TEXT, "reason": {"type": "string"},
                "items": {"type": "array", "items": _TEXT},
            },
            "required": ["id", "decision"],
        },
    },
    "asked": {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "properties": {
                "id": _TEXT, "items": {"type": "array", "items": _TEXT, "uniqueItems": True},
                "reasons": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            "required": ["id", "items"],
            "additionalProperties": False,
        },
    },
    "files": {
        "type": "array",
        "items": {"type": "object", "properties": {"id": _TEXT, "name": _TEXT}, "required": ["id", "name"]},
    },
    "credit_code": {"type": "string", "minLength": 18, "maxLength": 18},
    "email": {"type": "string", "format": "email", "maxLength": 254},
    "department": _TEXT, "entry_link": _TEXT,
}  # fmt: skip


@dataclass(frozen=True)
class FormField:
    """One field.

    kind: text, long_text, date, choice, choices, list, flag, number, object, entry (wire form), review
    ({by, on, conclusion}), class ({share_type, …, items: {name: {share_type, open_type}}}), asked ([{id, items, reasons}]:
    entries and, of each, items), decisions ([{id, decision, reason, items}] for each id of the case's list ``of``; a reason
    for those in ``reason_for``; ``partly`` names the items agreed to), files ([{id, name}], handed in before), credit_code,
    email, department (an organisation's name), entry_link (an entry's id).
    when: for dates ``past`` (today or before) or ``future`` (after today). keep: stays in the case's data after the event.
    value: the choices are the profile's value of that name. given: filled in by the portal, never asked of a person.
    """

    key: str
    label: str
    kind: str
    help: str = ""
    max: int = 4000
    min: int = 0
    list: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    when: str = ""
    of: str = ""
    reason_for: tuple[str, ...] = ()
    keep: bool = True
    value: str = ""
    given: bool = False
    required: bool = False

    def __post_init__(self) -> None:
        if self.kind not in _SCHEMAS or (self.list and self.list not in CODE_LISTS) or self.when not in ("", "past", "future"):
            raise BrokenRules(f"field {self.key}: kind {self.kind}, list {self.list}, when {self.when}")

    @property
    def options(self) -> dict[str, str]:
        """key → label of what may be chosen; {} where anything goes."""
        return {code.key: code.label for code in CODE_LISTS[self.list]} if self.list else dict(self.choices)

    def to_dict(self) -> dict[str, Any]:
        """For forms: everything a page needs to show the field."""
        return {
            "key": self.key, "label": self.label, "kind": self.kind, "help": self.help, "required": self.required,
            "max_length": self.max, "min": self.min, "max": self.max, "when": self.when, "of": self.of,
            "code_list": self.list, "reason_for": list(self.reason_for), "given": self.given,
            "choices": [{"value": key, "label": label} for key, label in self.options.items()],
        }  # fmt: skip

    def schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of a filled-in value."""
        schema = {**_SCHEMAS[self.kind], "title": self.label}
        if self.help:
            schema["description"] = self.help
        if self.kind in ("text", "long_text"):
            schema["maxLength"] = self.max
        if self.kind == "number":
            schema |= {"minimum": self.min, "maximum": self.max}
        if self.options and self.kind == "choice":
            schema["enum"] = list(self.options)
        if self.options and self.kind == "choices":
            schema["items"] = {"type": "string", "enum": list(self.options)}
        return schema


def parse_fields(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, FormField]:
    """Fields by key from a procedure's YAML."""
    out = {}
    for key, row in rows.items():
        try:
            out[key] = FormField(key=key, **{**row, "reason_for": tuple(row.get("reason_for", ()))})
        except TypeError as error:
            raise BrokenRules(f"field {key}: {error}") from error
    return out


def in_place(form: tuple[FormField, ...], place: Profile) -> tuple[FormField, ...]:
    """The form in one place: choices that its regulation sets."""
    return tuple(replace(one, choices=place.value(one.value).value) if one.value else one for one in form)


def object_schema(form: tuple[FormField, ...]) -> dict[str, Any]:
    """JSON Schema of an event's data."""
    return {
        "type": "object",
        "properties": {field.key: field.schema() for field in form},
        "required": [field.key for field in form if field.required],
        "additionalProperties": False,
    }


def empty(value: object) -> bool:
    """Nothing was filled in: also a group of fields with nothing in any of them."""
    if isinstance(value, dict):
        return all(map(empty, value.values()))
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def read(
    form: tuple[FormField, ...], data: Mapping[str, object], case_data: Mapping[str, Any], today: date, cited: str
) -> tuple[dict[str, Any], list[Problem]]:
    """The filled-in fields and everything that is wrong with them. ``cited``: the article that asks for them."""
    problems: list[Problem] = []
    clean: dict[str, Any] = {}
    known = {field.key for field in form}
    for key in data:
        if key not in known:
            problems.append(Problem(str(key), "unknown_field", f"这一步没有“{key}”这一栏", None, cited))
    for field_ in form:
        value = data.get(field_.key)
        if empty(value):
            if field_.required:
                problems.append(Problem(field_.key, "required", f"请填写“{field_.label}”", value, cited))
            continue
        found = _CHECKS[field_.kind](field_, value, case_data, today)
        problems += [Problem(field_.key + at, rule, message, value, cited) for at, rule, message in found]
        if not found:
            clean[field_.key] = value.strip() if isinstance(value, str) else value
        if not found and field_.kind == "number":
            clean[field_.key] = int(str(value))
    return clean, problems


_Found = list[tuple[str, str, str]]
"""Sub-path, rule, message."""


def _is_text(field: FormField, value: Any, _data: Mapping[str, Any], _today: date) -> _Found:
    if not isinstance(value, str):
        return [("", "wrong_type", f"“{field.label}”应为文字")]
    if len(value) > field.max:
        return [("", "too_long", f"“{field.label}”有{len(value)}字，最多{field.max}字")]
    return []


def read_date(value: object) -> date | None:
    """A calendar day from YYYY-MM-DD, else None."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) and _DAY.fullmatch(value) else None
    except ValueError:
        return None


def _is_date(field: FormField, value: Any, _data: Mapping[str, Any], today: date) -> _Found:
    day = read_date(value)
    if day is None:
        return [("", "not_a_date", f"“{field.label}”应为形如 2026-01-31 的日期")]
    if field.when == "past" and day > today:
        return [("", "date_in_future", f"“{field.label}”不能晚于今天（{today}）")]
    if field.when == "future" and day <= today:
        return [("", "date_in_past", f"“{field.label}”应晚于今天（{today}）")]
    return []


def _is_choice(field: FormField, value: Any, _data: Mapping[str, Any], _today: date) -> _Found:
    chosen = value if field.kind in ("choices", "list") else [value]
    if not isinstance(chosen, list) or not all(isinstance(one, str) and one.strip() for one in chosen):
        return [("", "wrong_type", f"“{field.label}”的值应为文字" + ("列表" if field.kind != "choice" else ""))]
    if field.kind == "choices" and len(set(chosen)) < len(chosen):
        return [("", "duplicate", f"“{field.label}”有重复的值")]
    strange = [one for one in chosen if field.options and one not in field.options]
    if strange:
        return [("", "not_in_list", f"“{field.label}”没有“{'、'.join(strange)}”，可选：{'、'.join(field.options)}")]
    return []


def _is_credit_code(field: FormField, value: Any, _data: Mapping[str, Any], _today: date) -> _Found:
    if not isinstance(value, str):
        return [("", "wrong_type", f"“{field.label}”应为文字")]
    problem = credit_code.validate(value.strip())
    return [("", problem.rule, problem.message)] if problem else []


def _is_email(field: FormField, value: Any, _data: Mapping[str, Any], _today: date) -> _Found:
    if not isinstance(value, str) or len(value) > 254 or not _EMAIL.fullmatch(value.strip()):
        return [("", "not_an_email", f"“{field.label}”应为形如 name@example.com 的电子邮箱")]
    return []


def _is_named(field: FormField, value: Any, _data: Mapping[str, Any], _today: date) -> _Found:
    return [] if isinstance(value, str) and len(value) <= 200 else [("", "wrong_type", f"“{field.label}”应为名称")]


def _is_files(field: FormField, value: Any, _data: Mapping[str, Any], _today: date) -> _Found:
    sound = isinstance(value, list) and all(
        isinstance(row, dict) and set(row) == {"id", "name"} and all(isinstance(part, str) for part in row.values()) for row in value
    )
    return [] if sound else [("", "wrong_type", f"“{field.label}”应列出已经上传的文件")]


def _is_asked(field: FormField, value: Any, _data: Mapping[str, Any], _today: date) -> _Found:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return [("", "wrong_type", f"“{field.label}”应逐个条目列出")]
    found: _Found = []
    for n, row in enumerate(value):
        items, reasons = row.get("items"), row.get("reasons", {})
        if not isinstance(row.get("id"), str) or not row["id"]:
            found.append((f"[{n}].id", "required", f"“{field.label}”第{n + 1}行没有写明条目"))
        if not _texts(items) or len(set(items)) < len(items):
            found.append((f"[{n}].items", "wrong_type", "信息项应以名称列出，不得重复"))
        if not isinstance(reasons, dict) or not _texts(list(reasons.values())):
            found.append((f"[{n}].reasons", "wrong_type", "使用敏感信息项的理由应为文字"))
        if unknown := set(row) - {"id", "items", "reasons"}:
            found.append((f"[{n}]", "unknown_field", f"没有“{'、'.join(map(str, unknown))}”这一栏"))
    return found


def _is_flag(field: FormField, value: Any, _data: Mapping[str, Any], _today: date) -> _Found:
    return [] if isinstance(value, bool) else [("", "wrong_type", f"“{field.label}”应为是或否")]


def _is_number(field: FormField, value: Any, _data: Mapping[str, Any], _today: date) -> _Found:
    digits = isinstance(value, str) and len(value) < 20 and value.strip().isdecimal()  # HTML forms post digits
    if not (digits or type(value) is int) or not field.min <= int(value) <= field.max:
        return [("", "wrong_number", f"“{field.label}”应为{field.min}至{field.max}的整数")]
    return []


def _is_object(field: FormField, value: Any, _data: Mapping[str, Any], _today: date) -> _Found:
    return [] if isinstance(value, dict) else [("", "wrong_type", f"“{field.label}”应为一组字段")]


def _is_review(field: FormField, value: Any, _data: Mapping[str, Any], today: date) -> _Found:
    if not isinstance(value, dict):
        return [("", "wrong_type", f"“{field.label}”应写明审查人、日期和结论")]
    names = {"by": "审查人", "conclusion": "结论"}
    found = [
        (f".{key}", "required", f"请填写“{field.label}”的{name}")
        for key, name in names.items()
        if not isinstance(value.get(key), str) or empty(value.get(key))
    ]
    day = read_date(value.get("on"))
    if day is None:
        found.append((".on", "not_a_date", f"“{field.label}”的日期应形如 2026-01-31"))
    elif day > today:
        found.append((".on", "date_in_future", f"“{field.label}”的日期不能晚于今天（{today}）"))
    return found


def _is_class(field: FormField, value: Any, _data: Mapping[str, Any], _today: date) -> _Found:
    if not isinstance(value, dict):
        return [("", "wrong_type", f"“{field.label}”应为一组属性")]
    found = [
        (f".{key}", "unknown_field", f"“{field.label}”里没有“{key}”，只能变更共享、开放属性")
        for key in value
        if key not in CLASS_FIELDS and key != "items"
    ]
    items = value.get("items", {})
    if not isinstance(items, dict):
        return [*found, (".items", "wrong_type", f"“{field.label}”的信息项应以名称列出")]
    rows: list[tuple[str, Any, tuple[str, ...]]] = [("", value, CLASS_FIELDS)]
    rows += [(f".items.{name}", row, ITEM_CLASS_FIELDS) for name, row in items.items()]
    for at, row, keys in rows:
        if not isinstance(row, dict):
            found.append((at, "wrong_type", f"“{field.label}”的信息项应写明共享类型或开放类型"))
            continue
        for key in keys:
            code = row.get(key)
            if code is not None and not isinstance(code, str):
                found.append((f"{at}.{key}", "wrong_type", f"“{field.label}”的值应为文字"))
            elif code and key in ("share_type", "open_type", "open_ground") and code not in CODE_LISTS[key]:
                found.append((f"{at}.{key}", "not_in_list", f"{CODE_LISTS[key].title}没有“{code}”"))
    return found


def _is_decisions(field: FormField, value: Any, data: Mapping[str, Any], _today: date) -> _Found:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return [("", "wrong_type", f"“{field.label}”应逐项列出")]
    found = [
        (f"[{n}].{key}", "wrong_type", f"“{field.label}”第{n + 1}行的内容应为文字")
        for n, row in enumerate(value)
        for key in ("id", "decision", "reason", "items")
        if row.get(key) is not None and not _texts(row[key] if key == "items" else [row[key]])
    ]
    if found:
        return found
    rows = [one if isinstance(one, dict) else {"id": one} for one in data.get(field.of) or ()]
    items = {one["id"]: one.get("items", []) for one in rows}
    asked = list(items)
    given = [row.get("id") for row in value]
    found += [("", "undecided", f"“{field.label}”缺少对“{one}”的决定") for one in asked if one not in given]
    for n, row in enumerate(value):
        if row.get("id") not in asked or given.index(row.get("id")) < n:
            found.append((f"[{n}].id", "not_in_list", f"“{row.get('id')}”没有申请或者重复"))
        if row.get("decision") not in field.options:
            found.append((f"[{n}].decision", "not_in_list", f"决定应为：{'、'.join(field.options.values())}"))
        if row.get("decision") in field.reason_for and empty(row.get("reason")):
            found.append((f"[{n}].reason", "required", f"对“{row.get('id')}”的决定应说明理由"))
        if row.get("decision") == "partly" and not _some_of(row.get("items"), items.get(row.get("id"), [])):
            found.append((f"[{n}].items", "not_a_part", "部分同意的，请勾选同意提供的信息项：至少一项，且不是全部"))
    return found


def _texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _some_of(chosen: list[str] | None, of: list[str]) -> bool:
    return chosen is not None and 0 < len(set(chosen)) < len(of) and set(chosen) <= set(of)


_CHECKS: Final[Mapping[str, Callable[[FormField, Any, Mapping[str, Any], date], _Found]]] = {
    "text": _is_text, "long_text": _is_text, "date": _is_date, "choice": _is_choice, "choices": _is_choice,
    "list": _is_choice, "flag": _is_flag, "number": _is_number, "object": _is_object, "entry": _is_object,
    "review": _is_review, "class": _is_class, "decisions": _is_decisions, "asked": _is_asked, "files": _is_files,
    "credit_code": _is_credit_code, "email": _is_email, "department": _is_named, "entry_link": _is_named,
}  # fmt: skip


def json_problem(value: object, path: str = "") -> str:
    """Where a value is not JSON-able ("" if it is): what cannot be stored must not enter a case."""
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            return path or "."
        return next((bad for key, one in value.items() if (bad := json_problem(one, f"{path}.{key}"))), "")
    if isinstance(value, list):
        return next((bad for n, one in enumerate(value) if (bad := json_problem(one, f"{path}[{n}]"))), "")
    if isinstance(value, float):
        return "" if math.isfinite(value) else path or "."
    return "" if value is None or isinstance(value, (str, int, bool)) else path or "."
