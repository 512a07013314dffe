"""类, 项, 目, 细目 and the resource code: the same four levels, in columns of their own or in the code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mulu.codes import CODE_LISTS
from mulu.errors import Problem
from mulu.resource_code import KIND_DIGITS, parse

from .text import clean, half_width

# 编制指南: 类 1 digit, 项 2, 目 3, 细目 any number.
_WIDTHS = (1, 2, 3)
_NAMES = ("类", "项", "目", "细目")


def read_classification(raw: Mapping[str, Any], entry: dict[str, Any], where: Callable[[str], str]) -> list[Problem]:
    """Fill ``resource_code``, ``classification`` and ``catalogue_kind`` of the entry from what the source states.

    Leading zeros that a spreadsheet lost are put back; 项 may repeat the digit of its 类 (307 under 类 3 is 07).
    """
    if code := re.sub(r"\s+", "", half_width(clean(raw.get("resource_code", "")))):
        entry["resource_code"] = code
    levels = [re.sub(r"\s+", "", half_width(clean(raw.get(f"class_{level}", "")))) for level in (1, 2, 3, 4)]
    if not any(levels):
        if parsed := parse(code):
            entry["classification"] = [level for level in parsed.classification if level]
            entry.setdefault("catalogue_kind", next(k for k, digit in KIND_DIGITS.items() if digit == parsed.kind))
        return []
    kind = CODE_LISTS["catalogue_kind"].parse(levels[0]) if levels[0] else entry.get("catalogue_kind")
    if levels[0] and kind is None:
        return [_unread(levels[0], 0, where)]
    if kind:
        entry.setdefault("catalogue_kind", kind)
        levels[0] = KIND_DIGITS[kind]
    if len(levels[1]) == 3 and levels[1].startswith(levels[0]):
        levels[1] = levels[1][1:]
    for number, text in enumerate(levels):
        if text and not text.isdigit():
            return [_unread(text, number, where)]
        if text and number < 3:
            levels[number] = text.zfill(_WIDTHS[number])
    while levels and not levels[-1]:
        levels.pop()
    entry["classification"] = levels
    return []


def _unread(text: str, number: int, where: Callable[[str], str]) -> Problem:
    place = where(f"class_{number + 1}")
    message = f"{place}的{_NAMES[number]}分类“{text}”不是代码，未读入"
    return Problem("classification", "classification_unread", message, value=text, where=place, severity="warning")
