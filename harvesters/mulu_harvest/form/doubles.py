"""Entries that stand twice in one form: two with one code, or one department's two with one title."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from mulu.errors import Problem


class Named(NamedTuple):
    """What tells one entry of a form from the others, and its place."""

    where: str
    code: str
    owner: str
    title: str


def doubles(entries: Sequence[Named]) -> dict[int, list[Problem]]:
    """Position → problems: both of a pair are told, each with the other's place."""
    found: dict[int, list[Problem]] = defaultdict(list)
    for key, rule, label in (("resource_code", "code_twice", "信息资源代码"), ("title", "title_twice", "信息资源名称")):
        groups: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index, entry in enumerate(entries):
            value, owner = (entry.code, "") if key == "resource_code" else (entry.title, entry.owner)
            if value:
                groups[value, owner].append(index)
        for (value, _), indexes in groups.items():
            for index in indexes if len(indexes) > 1 else ():
                where = entries[index].where
                others = "、".join(entries[other].where for other in indexes if other != index)
                message = f"{where}的{label}“{value}”与{others}相同，同一{label}只能登记一次，请删改其中一处"
                found[index].append(Problem(key, rule, message, value=value, where=where))
    return found
