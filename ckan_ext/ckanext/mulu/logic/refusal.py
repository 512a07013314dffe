"""The rules' refusals as CKAN's: the same list of problems whichever way an entry or an event came in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import ckan.plugins.toolkit as tk

from mulu.errors import Problem, Refused


def error(problems: Iterable[Problem]) -> tk.ValidationError:
    """A ValidationError with ``problems`` ({field, rule, message, article, where, …}) and a summary for people."""
    found = list(problems)
    summary = {problem.field or "事项": str(problem) for problem in found}
    return tk.ValidationError({"problems": [problem.to_dict() for problem in found]}, error_summary=summary)


def problems_of(raised: tk.ValidationError) -> list[Problem]:
    """Back from CKAN's error: the rules' problems as they were, or CKAN's own messages by field."""
    if "problems" in raised.error_dict:
        return [Problem(**row) for row in raised.error_dict["problems"]]
    return [Problem(str(field), "not_valid", f"{field}：{told}") for field, told in raised.error_summary.items()]


@contextmanager
def refusals() -> Iterator[None]:
    """Inside, a refusal of the rules is raised as CKAN's ValidationError."""
    try:
        yield
    except Refused as refused:
        raise error(refused.problems) from None


def unstorable(value: Any, path: str = "") -> Iterator[Problem]:
    """What no database column can hold: NUL and halves of surrogate pairs. The whole request is looked through."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            yield Problem(path, "not_text", "文字里有不能保存的字符（空字符或残缺的字符），请重新输入", value.encode("ascii", "backslashreplace").decode()[:80])
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from unstorable(str(key), path)
            yield from unstorable(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from unstorable(part, f"{path}[{number}]")


def require_storable(data: dict[str, Any]) -> None:
    if problems := list(unstorable(data)):
        raise error(problems)


def require_dataset(data: dict[str, Any]) -> None:
    """The shape of what is sent as a dataset, as far as CKAN itself would stumble over it. Entries have no groups and no tags."""
    require_storable(data)
    for unused in ("groups", "tags"):
        data.pop(unused, None)
    problems = [
        Problem(key, "wrong_type", f"{key} 须为文字", data[key])
        for key in ("id", "name", "owner_org")
        if data.get(key) is not None and not isinstance(data[key], str)
    ]
    for key in ("resources", "items"):
        rows = data.get(key, [])
        if rows != "" and not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
            problems.append(Problem(key, "wrong_type", f"{key} 须为列表，每项为一组字段", rows))
    if problems:
        raise error(problems)


def one(field: str, rule: str, message: str, article: str = "", value: Any = None) -> tk.ValidationError:
    return error([Problem(field, rule, message, value, article)])
