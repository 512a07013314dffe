"""The public ledger: re-reviews with their outcome, demands with how often they were raised, suggestions that the authority answered
in public, how long answers took.

The snapshot's header may carry it as `ledger`:

    {"rereviews": [{"entry": id, "title", "filed_on", "decided_on", "state", "result", "outcome", "days"}],
     "demands": [{"title", "count", "state", "filed_on", "decided_on", "days", "entry": id or ""}],
     "suggestions": [{"title", "kind", "outcome", "filed_on", "decided_on", "days"}],
     "counts": {procedure id: {"filed", "open", "answered", "withdrawn", "overdue", "in_time", "days", "longest", "ends": {state: n}}}}

Rows may carry an `id`, by which a reader of feeds knows one again; it tells nothing of the case.
`state` is a state's key in the procedure, dates are ISO ("" while undecided), `days` working days: of one case until its answer,
in `counts` the median and `longest` the most (null while nothing is answered). filed = open (unanswered) + answered + withdrawn;
`in_time`: answered by the date that was due. Nobody who applied is in it: a field that is not named here is refused. What has a
default below may be missing, as in snapshots from before it was told.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

from mulu_site import words
from mulu_site.snapshot import SnapshotError
from mulu_site.text import clean, one_line


class Rereview(NamedTuple):
    """`entry`: the entry's id; `result`: what changed, in one line; `outcome`: the answer as it was made public."""

    entry: str
    title: str
    filed_on: str
    decided_on: str
    state: str
    result: str
    outcome: str
    days: int | None
    id: str = ""

    @property
    def label(self) -> str:
        return words.public_state("rereview", self.state)


class Demand(NamedTuple):
    """`count`: how many asked for it; `entry`: the entry in which it is now, or ""."""

    title: str
    count: int
    state: str
    filed_on: str
    decided_on: str = ""
    days: int | None = None
    entry: str = ""
    id: str = ""

    @property
    def label(self) -> str:
        return words.public_state("demand", self.state)


class Suggestion(NamedTuple):
    """`title`: what was suggested, in the authority's words; `outcome`: its answer."""

    title: str
    kind: str
    outcome: str
    filed_on: str
    decided_on: str
    days: int | None
    id: str = ""

    @property
    def label(self) -> str:
        return words.procedure("suggestion").fields["kind"].options.get(self.kind, self.kind)


class Count(NamedTuple):
    """Of one procedure: cases filed, not answered yet, answered, not answered and past their date; working days to an answer; how they ended."""

    procedure: str
    filed: int
    open: int
    answered: int
    overdue: int
    days: float | None
    withdrawn: int = 0
    in_time: int | None = None
    longest: int | None = None
    ends: Mapping[str, int] = MappingProxyType({})

    @property
    def label(self) -> str:
        return words.procedure(self.procedure).title

    @property
    def ended(self) -> list[tuple[str, int]]:
        """(state as the public reads it, how many ended so), in the procedure's order; without those that were taken back."""
        states = words.procedure(self.procedure).states
        return [(states[key].public, self.ends[key]) for key in states if self.ends.get(key) and key != "withdrawn"]


class Ledger(NamedTuple):
    """Re-reviews and suggestions, the newest first; demands, the most wanted first; counts in the order of `PROCEDURES`."""

    rereviews: tuple[Rereview, ...] = ()
    demands: tuple[Demand, ...] = ()
    counts: tuple[Count, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()

    def outcomes(self) -> dict[str, list[Rereview]]:
        """The re-reviews that are decided, by the entry's id."""
        found: dict[str, list[Rereview]] = {}
        for one in self.rereviews:
            if one.decided_on:
                found.setdefault(one.entry, []).append(one)
        return found

    def to_dict(self) -> dict[str, Any]:
        """As the site publishes it (ledger.json), in the shape of the snapshot."""
        counts = {one.procedure: {k: v for k, v in one._asdict().items() if k != "procedure"} | {"ends": dict(one.ends)} for one in self.counts}
        return {
            "rereviews": [one._asdict() for one in self.rereviews],
            "demands": [one._asdict() for one in self.demands],
            "suggestions": [one._asdict() for one in self.suggestions],
            "counts": counts,
        }


def read_ledger(header: Mapping[str, Any]) -> Ledger:
    """The ledger of a snapshot's header, empty if it carries none; SnapshotError names the first row that is not as agreed."""
    given = clean(header.get("ledger", {}))
    if not isinstance(given, dict) or set(given) - {"rereviews", "demands", "suggestions", "counts"}:
        raise SnapshotError("快照的公开台账应分为 rereviews、demands、suggestions、counts 四部分，请重新生成快照。")
    rereviews = [Rereview(**row) for row in _rows(given.get("rereviews", []), "复核", Rereview)]
    demands = [Demand(**row) for row in _rows(given.get("demands", []), "需求", Demand)]
    suggestions = [Suggestion(**row) for row in _rows(given.get("suggestions", []), "建议", Suggestion)]
    by_procedure = given.get("counts", {})
    if not isinstance(by_procedure, dict) or set(by_procedure) - set(words.PROCEDURES):
        raise SnapshotError("快照的公开台账的 counts 应按程序列出，请重新生成快照。")
    named = [{"procedure": name, **row} for name, row in by_procedure.items() if isinstance(row, dict)]
    if len(named) < len(by_procedure):
        raise SnapshotError("快照的公开台账的 counts 应按程序列出数字，请重新生成快照。")
    counts = [Count(**row) for row in _rows(named, "统计", Count)]
    return Ledger(
        tuple(sorted(rereviews, key=lambda one: (one.decided_on or one.filed_on, one.entry), reverse=True)),
        tuple(sorted(demands, key=lambda one: (-one.count, one.filed_on, one.title))),
        tuple(sorted(counts, key=lambda one: words.PROCEDURES.index(one.procedure))),
        tuple(sorted(suggestions, key=lambda one: (one.decided_on, one.title), reverse=True)),
    )


def _rows(given: Any, what: str, shape: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list):
        raise SnapshotError(f"快照的公开台账的{what}部分不是列表，请重新生成快照。")
    return [_row(row, f"快照的公开台账的{what}第 {number} 条", shape) for number, row in enumerate(given, start=1)]


def _row(row: Any, where: str, shape: Any) -> dict[str, Any]:
    needed = set(shape._fields) - set(shape._field_defaults)
    if not isinstance(row, dict) or needed - set(row) or set(row) - set(shape._fields):
        raise SnapshotError(f"{where}应恰好有这些内容：{'、'.join(shape._fields)}。请重新生成快照。")
    return {key: _value(key, row[key], where) for key in shape._fields if key in row}


def _value(key: str, value: Any, where: str) -> Any:
    if key in ("count", "filed", "open", "answered", "overdue", "withdrawn", "in_time", "longest", "days"):
        if _is_number(value) or (value is None and key in ("in_time", "longest", "days")):
            return value
        raise SnapshotError(f"{where}的 {key} 应是不小于零的数。请重新生成快照。")
    if key == "ends":
        if isinstance(value, dict) and all(_is_number(one) for one in value.values()):
            return value
        raise SnapshotError(f"{where}的 {key} 应按办理结果列出件数。请重新生成快照。")
    if not isinstance(value, str):
        raise SnapshotError(f"{where}的 {key} 应是文字。请重新生成快照。")
    if key.endswith("_on") and not (_is_day(value) or (value == "" and key == "decided_on")):
        raise SnapshotError(f"{where}的 {key} 应是形如 2026-01-31 的日期。请重新生成快照。")
    return value.strip() if key == "outcome" else one_line(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
