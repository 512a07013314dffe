"""A record of the source as an entry of ours, with every problem it has, its hash, and whether it can be taken at all."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from mulu.errors import Problem, errors_of
from mulu.files import digest
from mulu.profile import Profile

from .normalise import check, normalise
from .owners import Owners
from .plan import Reason, Step, hash_of, stated
from .port import Catalogue, Interrupted, Known, Unavailable
from .record import Draft, Record
from .source import Source

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Assessed:
    """``refusal``: why it cannot be taken; empty where it can. ``provider``: the department's name as people read it."""

    source_id: str
    where: str
    entry: Mapping[str, Any]
    hash: str
    provider: str
    draft: Draft
    assessor: Assessor
    refusal: tuple[Problem, ...] = ()

    @property
    def title(self) -> str:
        return str(self.entry.get("title", ""))

    def step(
        self, kind: Literal["add", "change", "restore", "refuse"], known: Known | None,
        changes: Sequence[Mapping[str, str]] = (), reasons: Sequence[Reason] = (),
    ) -> Step:  # fmt: skip
        """What is to be done with it. Only here, for what is new or changed, are the entry's own rules asked."""
        problems = self.refusal or self.assessor.problems(self.draft)
        if kind != "refuse" and self.assessor.source.incomplete == "refuse" and errors_of(problems):
            kind, reasons = "refuse", ()
        return Step(
            self.source_id, kind, self.title, self.provider, self.where, known.package_id if known else "", self.hash, self.entry,
            tuple(changes), problems, tuple(reasons),
        )  # fmt: skip


class Assessor:
    """For one run of one source."""

    def __init__(self, source: Source, catalogue: Catalogue, profile: Profile) -> None:
        self.source = source
        self.catalogue = catalogue
        self.profile = profile
        self.owners = Owners(source, catalogue)

    def assess(self, record: Record) -> Assessed:
        """Never raises for what the record says: one that cannot be read is refused, and the others go on."""
        try:
            return self._assess(record)
        except (Unavailable, Interrupted):
            raise
        except Exception as error:
            log.warning("来源 %s %s", self.source.name, record.where, exc_info=True)
            problem = Problem("", "unreadable", f"{record.where}无法读取：{type(error).__name__}：{error}"[:500], where=record.where)
            return self._refused(record, {}, Draft({}, record.where), "", (problem,))

    def _assess(self, record: Record) -> Assessed:
        slug, name, problem = self.owners.of(record)
        draft = self._draft(record)
        entry = stated(draft.entry)
        entry.pop("provider", None)
        if slug:
            entry["provider"] = slug
        entry["source"] = {**_source(record), "name": self.source.name}
        told = (*draft.problems, problem) if problem else draft.problems
        draft = replace(draft, entry={**draft.entry, "provider": slug, "source": entry["source"]}, problems=told)
        _require_keepable(entry)
        refusal = self._refusal(record, entry, problem)
        if refusal:
            return self._refused(record, entry, draft, name, refusal)
        return Assessed(record.id, record.where, entry, hash_of(entry), name, draft, self)

    def _draft(self, record: Record) -> Draft:
        """What the reader had in wire form already is taken as it is."""
        if record.entry is not None:
            return self._with_source_department(record, dict(record.entry))
        raw = {key: value for key, value in record.raw.items() if key != "provider"}
        return normalise(replace(record, raw=raw), lookups=self.source.lookups, departments=self.owners.departments)

    def _with_source_department(self, record: Record, entry: dict[str, Any]) -> Draft:
        """数源部门 that a wire form of elsewhere can only name by its full name."""
        problems = tuple(record.problems)
        if record.raw.get("source_department"):
            entry["source_department"], problem = self.owners.of_source(record)
            problems += (problem,) if problem else ()
        return Draft(entry, record.where, problems, record.cells)

    def _refusal(self, record: Record, entry: Mapping[str, Any], problem: Problem | None) -> tuple[Problem, ...]:
        """Without these nobody can know the record again, or tell it to anybody."""
        found, where = [], record.where
        if not record.id:
            found.append(Problem("source", "no_id", f"{where}没有来源编号，下次无法再认出", where=where))
        if not entry.get("title"):
            found.append(Problem("title", "required", f"{where}没有信息资源名称", where=where))
        if not entry.get("provider"):
            found.append(problem or Problem("provider", "required", f"{where}没有写明信息资源提供方", where=where))
        return tuple(found)

    def _refused(self, record: Record, entry: Mapping[str, Any], draft: Draft, provider: str, refusal: tuple[Problem, ...]) -> Assessed:
        """A record without an id is told by its place."""
        shown = digest([record.where, str(record.raw), str(record.entry)])
        return Assessed(record.id or f"无编号：{record.where}", record.where, entry, shown, provider, draft, self, refusal)

    def problems(self, draft: Draft) -> tuple[Problem, ...]:
        """Those of reading, then those of the place's rules; a reader may have asked these already."""
        told = {(problem.field, problem.rule) for problem in draft.problems}
        checked = check(draft, self.profile, self.catalogue.known_code).problems[len(draft.problems) :]
        return (*draft.problems, *(problem for problem in checked if (problem.field, problem.rule) not in told))


def _require_keepable(entry: Mapping[str, Any]) -> None:
    """:raises ValueError: characters that no database keeps."""
    text = "".join(_texts(entry))
    if "\0" in text:
        raise ValueError("有空字符（U+0000）")
    text.encode()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _texts(part)


def _source(record: Record) -> dict[str, str]:
    """The identity is the one under which the record was read, whatever its own data say of theirs."""
    given = record.raw.get("source") or {}
    return {key: str(given[key]) for key in ("url", "id") if given.get(key)}
