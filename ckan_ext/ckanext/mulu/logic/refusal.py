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


@contextmanager
def refusals() -> Iterator[None]:
    """Inside, a refusal of the rules is raised as CKAN's ValidationError."""
    try:
        yield
    except Refused as refused:
        raise error(refused.problems) from None


def one(field: str, rule: str, message: str, article: str = "", value: Any = None) -> tk.ValidationError:
    return error([Problem(field, rule, message, value, article)])
