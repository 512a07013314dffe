"""What an action takes: shapes only. Whether a value may be so is a rule, and stands in mulu."""

from __future__ import annotations

from typing import Any

from ckan.logic.schema import validator_args

Schema = dict[str, Any]


@validator_args
def case_open(not_empty: Any, unicode_safe: Any, convert_to_json_if_string: Any, dict_only: Any, ignore_missing: Any) -> Schema:
    return {
        "procedure": [not_empty, unicode_safe],
        "subject": [not_empty, convert_to_json_if_string, dict_only],
        "data": [ignore_missing, convert_to_json_if_string, dict_only],
    }


@validator_args
def case_event(
    not_empty: Any, unicode_safe: Any, convert_to_json_if_string: Any, dict_only: Any, ignore_missing: Any,
    natural_number_validator: Any,
) -> Schema:  # fmt: skip
    return {
        "id": [not_empty, unicode_safe],
        "event": [not_empty, unicode_safe],
        "data": [ignore_missing, convert_to_json_if_string, dict_only],
        "version": [ignore_missing, natural_number_validator],
    }


@validator_args
def case_show(not_empty: Any, unicode_safe: Any) -> Schema:
    return {"id": [not_empty, unicode_safe]}


@validator_args
def case_list(
    ignore_empty: Any, ignore_missing: Any, unicode_safe: Any, boolean_validator: Any, natural_number_validator: Any,
    limit_to_configured_maximum: Any, default: Any,
) -> Schema:  # fmt: skip
    text = [ignore_empty, unicode_safe]
    return {
        "procedure": text, "state": text, "org": text, "subject_id": text, "q": text,
        "mine": [ignore_missing, boolean_validator],
        "open": [ignore_missing, boolean_validator],
        "limit": [default(20), natural_number_validator, limit_to_configured_maximum("mulu.case_list_max", 1000)],
        "offset": [default(0), natural_number_validator],
    }  # fmt: skip
