"""What an action takes: shapes only. Whether a value may be so is a rule, and stands in mulu."""

from __future__ import annotations

from datetime import date
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.logic.schema import validator_args

from ckanext.mulu.logic import refusal

Schema = dict[str, Any]
LONGEST = 1000
"""Characters of an id, a key, a question."""


def text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST or any(refusal.unstorable(value)):
        raise tk.Invalid(f"须为文字，不超过{LONGEST}字")
    return value


def number(value: Any) -> int:
    """A whole number from 0, also as digits, as addresses bring it."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**9:
        raise tk.Invalid("须为不小于0的整数")
    return value


@validator_args
def case_open(not_empty: Any, convert_to_json_if_string: Any, dict_only: Any, ignore_missing: Any) -> Schema:
    return {
        "procedure": [not_empty, text],
        "subject": [not_empty, convert_to_json_if_string, dict_only],
        "data": [ignore_missing, convert_to_json_if_string, dict_only],
    }


@validator_args
def case_event(not_empty: Any, convert_to_json_if_string: Any, dict_only: Any, ignore_missing: Any, ignore_empty: Any) -> Schema:
    return {
        "id": [not_empty, text],
        "event": [not_empty, text],
        "data": [ignore_missing, convert_to_json_if_string, dict_only],
        "version": [ignore_empty, number],
    }


@validator_args
def by_id(not_empty: Any) -> Schema:
    return {"id": [not_empty, text]}


@validator_args
def case_list(ignore_empty: Any, boolean_validator: Any) -> Schema:
    words = [ignore_empty, text]
    return {
        "procedure": words, "state": words, "org": words, "subject_id": words, "q": words,
        "party": words, "turn": words, "since": words, "until": words,
        "mine": [ignore_empty, boolean_validator],
        "open": [ignore_empty, boolean_validator],
        "overdue": [ignore_empty, boolean_validator],
        "provisional": [ignore_empty, boolean_validator],
        "limit": [ignore_empty, number],
        "offset": [ignore_empty, number],
    }  # fmt: skip


@validator_args
def notice_list(ignore_empty: Any, boolean_validator: Any) -> Schema:
    return {
        "id": [ignore_empty, number],
        "case": [ignore_empty, text],
        "unread": [ignore_empty, boolean_validator],
        "limit": [ignore_empty, number],
        "offset": [ignore_empty, number],
    }


def numbers(value: Any) -> list[int]:
    if not isinstance(value, list) or len(value) > LONGEST:
        raise tk.Invalid(f"须为编号的列表，不超过{LONGEST}个")
    return [number(one) for one in value]


@validator_args
def notice_read(ignore_empty: Any, convert_to_json_if_string: Any, boolean_validator: Any) -> Schema:
    return {"ids": [ignore_empty, convert_to_json_if_string, numbers], "all": [ignore_empty, boolean_validator]}


def day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise tk.Invalid("须为日期，如 2026-01-31") from None


@validator_args
def grant_list(ignore_empty: Any, boolean_validator: Any, one_of: Any) -> Schema:
    words = [ignore_empty, text]
    return {
        "package": words, "case": words, "org": words,
        "status": [ignore_empty, one_of(["active", "suspended", "ended", "expired"])],
        "mine": [ignore_empty, boolean_validator],
        "limit": [ignore_empty, number],
        "offset": [ignore_empty, number],
    }  # fmt: skip


@validator_args
def usage_list(ignore_empty: Any) -> Schema:
    words = [ignore_empty, text]
    return {
        "grant": words, "package": words, "since": [ignore_empty, day], "until": [ignore_empty, day],
        "limit": [ignore_empty, number], "offset": [ignore_empty, number],
    }  # fmt: skip


@validator_args
def harvest_source(not_empty: Any, ignore_missing: Any, convert_to_json_if_string: Any, dict_only: Any, boolean_validator: Any) -> Schema:
    return {
        "name": [not_empty, text],
        "settings": [ignore_missing, convert_to_json_if_string, dict_only],
        "enabled": [ignore_missing, boolean_validator],
    }


@validator_args
def harvest_name(not_empty: Any, ignore_empty: Any, boolean_validator: Any) -> Schema:
    paged = {"limit": [ignore_empty, number], "offset": [ignore_empty, number]}
    return {"name": [not_empty, text], "dry_run": [ignore_empty, boolean_validator], "real": [ignore_empty, boolean_validator], **paged}


@validator_args
def harvest_steps(not_empty: Any, ignore_empty: Any, boolean_validator: Any, one_of: Any) -> Schema:
    return {
        "run": [not_empty, text],
        "kind": [ignore_empty, one_of(["add", "change", "remove", "restore", "refuse"])],
        "state": [ignore_empty, one_of(["planned", "done", "refused"])],
        "held": [ignore_empty, boolean_validator],
        "limit": [ignore_empty, number],
        "offset": [ignore_empty, number],
    }
