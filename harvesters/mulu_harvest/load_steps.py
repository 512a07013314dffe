"""Steps → catalogue, a hundred at a time: merged with what was changed here, written, noted.

A run that dies between writing and noting writes the same chunk again, which changes nothing: the catalogue knows an entry by the
source and its id. What the authority has refused of a change stays refused: the source's word is remembered as stated, so the same
change is not proposed again in each run.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from mulu.errors import Problem

from .merge import changes_of, merge
from .owners import Owners
from .plan import COUNT_OF, Step
from .port import Catalogue, Done, Interrupted, Known, Memory, Outcome, Task, Unavailable
from .source import Source

log = logging.getLogger(__name__)

CHUNK = 100
TaskKind = Literal["create", "update", "archive", "restore"]


class Loading:
    """The planned steps of one run. ``counts``: the run's; what is refused only here moves from where it was counted."""

    def __init__(self, source: Source, memory: Memory, catalogue: Catalogue, owners: Owners, counts: Counter[str]) -> None:
        self.source = source
        self.memory = memory
        self.catalogue = catalogue
        self.owners = owners
        self.counts = counts

    def chunk(self) -> bool:
        """The next steps; False where none are left."""
        steps = self.memory.planned(CHUNK)
        if not steps:
            return False
        known = self.memory.known([step.source_id for step in steps])
        current = self._current(steps)
        refused = {step.source_id: problem for step in steps if (problem := self._departments_of(step))}
        written: list[tuple[Step, Task | None]] = [
            self._task(step, known.get(step.source_id), current) for step in steps if step.source_id not in refused
        ]
        done = {one.key: one for one in self._apply([task for _, task in written if task])}
        outcomes = [self._outcome(step, task, done) for step, task in written]
        outcomes += [self._refused(step, (refused[step.source_id],)) for step in steps if step.source_id in refused]
        self.memory.finish(outcomes, self.counts)
        return True

    def _departments_of(self, step: Step) -> Problem | None:
        """The departments that the entry names are there, or why they cannot be: that one entry is refused, not the run."""
        if step.kind in ("refuse", "remove"):
            return None
        provider = str(step.entry.get("provider", ""))
        try:
            self.owners.make(provider, step.provider)
            self.owners.make_named(str(step.entry.get("source_department", "")))
        except (Unavailable, Interrupted):
            raise
        except Exception as error:
            log.exception("来源 %s", self.source.name)
            message = f"不能建立这一条目的部门“{step.provider}”（{provider}）：{type(error).__name__}：{error}"[:500]
            return Problem("provider", "department_not_made", message, provider, where=step.where)
        return None

    def _current(self, steps: Sequence[Step]) -> dict[str, dict[str, Any]]:
        ids = [step.package_id for step in steps if step.package_id and step.kind in ("change", "restore")]
        return self.catalogue.current(ids) if ids else {}

    def _task(self, step: Step, known: Known | None, current: Mapping[str, dict[str, Any]]) -> tuple[Step, Task | None]:
        """The step with what became of edits made here, and its task; None where there is nothing to write."""
        match step.kind:
            case "refuse":
                return step, None
            case "remove":
                return step, Task(step.source_id, "archive", package_id=step.package_id)
        ours = current.get(step.package_id) if step.package_id else None
        if ours is None:
            return self._anew(step)
        base = known.entry if known else {}
        merged = merge(base, step.entry, ours, self.source.local_edits)
        step = replace(step, changes=changes_of(base, step.entry, merged))
        kind: TaskKind = "restore" if step.kind == "restore" else "update"
        if kind == "update" and merged.entry == ours:
            return step, None
        return step, Task(step.source_id, kind, merged.entry, step.package_id, step.problems)

    def _anew(self, step: Step) -> tuple[Step, Task | None]:
        """An entry that is not in the catalogue: new, or deleted for good by somebody here, which is a local edit like any other."""
        if step.package_id and self.source.local_edits == "keep":
            return replace(step, changes=tuple({**change, "local": "kept"} for change in step.changes)), None
        return step, Task(step.source_id, "create", dict(step.entry), problems=step.problems)

    def _apply(self, tasks: Sequence[Task]) -> list[Done]:
        """A task at which the program itself fails is found by halving, and refused alone."""
        if not tasks:
            return []
        try:
            return list(self.catalogue.apply(tasks))
        except (Unavailable, Interrupted):
            raise
        except Exception as error:
            log.exception("来源 %s", self.source.name)
            if len(tasks) == 1:
                message = f"写入时程序出错，已记入日志：{type(error).__name__}：{error}"[:500]
                return [Done(tasks[0].key, "refused", problems=(Problem("", "not_written", message),))]
            half = len(tasks) // 2
            return self._apply(tasks[:half]) + self._apply(tasks[half:])

    def _outcome(self, step: Step, task: Task | None, done: Mapping[str, Done]) -> Outcome:
        if task is None:
            return Outcome(step, step.kind == "refuse", step.package_id)
        one = done[task.key]
        if one.result == "refused":
            return self._refused(step, one.problems)
        return Outcome(step, False, one.package_id or step.package_id, one.case_ids[0] if one.case_ids else "")

    def _refused(self, step: Step, problems: Sequence[Problem]) -> Outcome:
        self.counts[COUNT_OF[step.kind]] -= 1
        self.counts["refused"] += 1
        return Outcome(replace(step, problems=(*step.problems, *problems)), True, step.package_id)
