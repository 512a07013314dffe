"""What is wrong, said so that an official can mend it: where, which rule, which article."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One broken rule.

    field: path into the entry or the case's data, e.g. ``items[2].data_type``; "" for the whole.
    rule: stable id, e.g. ``required``, ``too_long``, ``not_in_list``; tests and programs match on it, never on the message.
    article: citation for people, e.g. ``政务数据共享条例 第十五条``; "" where the rule is technical.
    where: place in the source it was read from, e.g. ``工作表《目录》N5``.
    """

    field: str
    rule: str
    message: str
    value: object = None
    article: str = ""
    where: str = ""
    severity: Severity = "error"

    def to_dict(self) -> dict[str, object]:
        """JSON-able, all keys always present."""
        value = self.value
        if not isinstance(value, (str, int, float, bool, list, dict, type(None))):
            value = str(value)
        return {
            "field": self.field, "rule": self.rule, "message": self.message, "value": value,
            "article": self.article, "where": self.where, "severity": self.severity,
        }  # fmt: skip

    def __str__(self) -> str:
        place = f"{self.where}：" if self.where else ""
        cited = f"（{self.article}）" if self.article else ""
        return f"{place}{self.message}{cited}"


def errors_of(problems: Iterable[Problem]) -> list[Problem]:
    """Those that stop an entry or an event; warnings only inform."""
    return [problem for problem in problems if problem.severity == "error"]


class Refused(Exception):
    """The rules refuse an event or an opening. Nothing was changed; ``problems`` holds every reason at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("；".join(str(problem) for problem in self.problems))


class BrokenRules(ValueError):
    """A YAML file of ours (code lists, profile, procedure) is wrong: a fault of the program, not of the data."""
