"""One run: read → normalise → check → compare, page by page; then, where nothing speaks against it, load.

What it holds never grows with the source: a page of records, a hundred steps. Everything else is the portal's memory, noted page by
page, so that a run that ends anywhere goes on from there: reading after the last page noted, loading with the steps not done.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from mulu.errors import Problem, errors_of
from mulu.profile import Profile

from .assess import Assessed, Assessor
from .load_steps import Loading
from .merge import changes_of, merge
from .plan import COUNT_OF, COUNTS, PART_ONLY, Step, reasons_of_change, reasons_of_run
from .port import Catalogue, Interrupted, Known, Memory, Met, Turn
from .record import Page, Record
from .source import Source

log = logging.getLogger(__name__)

SHANGHAI = ZoneInfo("Asia/Shanghai")
PAGE = 500
"""Steps planned at once for what the source has no longer; days put in at once."""
PROBLEMS = 200
"""Problems of the source that are kept; errors before warnings."""


class Run:
    """A run of one source.

    read: the source's reader, told where to go on; stopped: asked between two pages and two chunks; profile: the place's rules;
    today: in China, where none is given.
    """

    def __init__(
        self, source: Source, read: Callable[[str], Iterator[Page]], memory: Memory, catalogue: Catalogue, profile: Profile,
        *, stopped: Callable[[], bool] = lambda: False, dry_run: bool = False,
        today: date | None = None,
    ) -> None:  # fmt: skip
        self.source = source
        self.today = today or datetime.now(SHANGHAI).date()
        self.read = read
        self.memory = memory
        self.catalogue = catalogue
        self.stopped = stopped
        self.dry_run = dry_run
        self.assessor = Assessor(source, catalogue, profile)
        self.counts = Counter({key: memory.counts.get(key, 0) for key in COUNTS})
        self.problems: list[Problem] = list(memory.problems)

    def execute(self) -> Literal["done", "held"]:
        """To the end, or to where a person has to look.

        :raises SourceError: the source cannot be read. Interrupted: it has to end here. Unavailable: the database is away.
        """
        if self.memory.phase in ("", "reading"):
            self._read()
        if self.memory.phase == "planning" and self._plan():
            return "held"
        if self.memory.phase == "loading":
            self._load()
        return "done"

    # ── reading ──

    def _read(self) -> None:
        if not self.memory.mark:
            self._begin()
        total = None
        for page in self.read(self.memory.mark):
            if page.anew:
                self._begin()
            self._page(page)
            total = page.total if page.total is not None else total
            self._go_on()
        met = self.counts["read"] + self.counts["repeated"]
        if total is not None and met < total and self._whole:
            self._tell(Problem("", "incomplete_reading", f"来源说有 {total} 条，只读到 {met} 条，没有读到的不作撤销"))
        self.memory.enter("planning", self.counts, self.problems)

    def _begin(self) -> None:
        self.memory.begin()
        self.counts, self.problems = Counter(dict.fromkeys(COUNTS, 0)), []

    def _page(self, page: Page) -> None:
        for problem in page.problems:
            self._tell(problem)
        if not page.whole and not self._part:
            self._tell(Problem("", PART_ONLY, "来源本次只给出一部分，没有出现的条目不作撤销", severity="warning"))
        if page.unchanged:
            self.counts["read"] = self.counts["unchanged"] = self.memory.size()
            self.memory.turn(Turn(page.mark, self.counts, self.problems, all_seen=True))
            return
        theirs = [record for record in page.records if not self._ours(record)]
        assessed = self._distinct([self.assessor.assess(record) for record in theirs])
        self.counts["repeated"] += page.repeated + len(page.records) - len(theirs)
        known = self.memory.known([*assessed, *page.removed])
        seen, fresh = {}, {}
        for key, one in assessed.items():
            before = known.get(key)
            if before and before.hash == one.hash and before.state != "removed" and before.package_id and not one.refusal:
                seen[key] = one.where
                was, now = (str(entry.get("data_updated_on", "")) for entry in (before.entry, one.entry))
                if now != was and self._past(now):
                    fresh[before.package_id] = now
        self.counts["unchanged"] += len(seen)
        steps = [*self._steps({key: one for key, one in assessed.items() if key not in seen}, known)]
        steps += self._removals([known[key] for key in page.removed if key in known])
        for step in steps:
            self.counts[COUNT_OF[step.kind]] += 1
        self.memory.turn(Turn(page.mark, self.counts, self.problems, seen, steps, {} if self.dry_run else fresh))

    def _past(self, day: str) -> bool:
        """Whether it is a day, written as one, that has come."""
        try:
            return date.fromisoformat(day).isoformat() == day <= self.today.isoformat()
        except ValueError:
            return False

    def _removals(self, gone: Sequence[Known]) -> list[Step]:
        """Of what the source itself says is gone; what has left before, or is to stay, does not leave."""
        if self.source.removed != "archive":
            return []
        return [_removal(one, self.assessor.owners.titles) for one in gone if one.package_id and one.state != "removed"]

    def _ours(self, record: Record) -> bool:
        """Whether this portal is where the entry first came from: the city gives back to the county what it had of it."""
        return bool(record.origin) and record.origin.startswith(tuple(self.catalogue.addresses))

    def _distinct(self, assessed: Sequence[Assessed]) -> dict[str, Assessed]:
        """Those of a page that were not met before. The same id again: the first counts; another content is told with both places."""
        met = self.memory.met([one.source_id for one in assessed])
        found: dict[str, Assessed] = {}
        for one in assessed:
            before = met.get(one.source_id)
            if before is None:
                met[one.source_id] = Met(one.hash, one.where)
                found[one.source_id] = one
                self.counts["read"] += 1
            elif before.hash == one.hash:
                self.counts["repeated"] += 1
            else:
                self.counts["read"] += 1
                self.counts["refused"] += 1
                message = f"{one.where}《{one.title}》与{before.where}的来源编号“{one.source_id}”相同而内容不同，只取前一条"
                self._tell(Problem("source", "same_id_twice", message, one.source_id, where=one.where, severity="warning"))
        return found

    def _steps(self, assessed: dict[str, Assessed], known: dict[str, Known]) -> Iterator[Step]:
        """What is to be done with records that are new, changed, back again, or refused."""
        ids = [known[key].package_id for key, one in assessed.items() if key in known and known[key].package_id and not one.refusal]
        current = self.catalogue.current(ids) if ids else {}
        left = self.catalogue.left(ids) if ids else set()
        for key, one in assessed.items():
            before = known.get(key)
            if one.refusal:
                yield one.step("refuse", before)
            elif before is None or not before.package_id:
                yield one.step("add", before)
            else:
                ours = current.get(before.package_id)
                merged = merge(before.entry, one.entry, ours, self.source.local_edits) if ours else None
                asked = before.state != "in" and before.refused == one.hash  # a person let it pass, or nothing held it; it was refused
                reasons = reasons_of_change(ours, merged.entry, self.assessor.owners.titles) if ours and merged and not asked else ()
                if before.package_id in left:  # nobody sees it, so nothing is opened less
                    reasons = tuple(reason for reason in reasons if reason.rule != "closed")
                kind: Literal["restore", "change"] = "restore" if before.state == "removed" else "change"
                yield one.step(kind, before, changes_of(before.entry, one.entry, merged), reasons)

    def _tell(self, problem: Problem) -> None:
        """A problem of the source. When there are many, an error takes the place of a warning."""
        self.problems.append(problem)
        if len(self.problems) > PROBLEMS:
            last = next((n for n in range(len(self.problems) - 1, -1, -1) if not _weighs(self.problems[n])), -1)
            self.problems.pop(last)

    @property
    def _part(self) -> bool:
        return any(problem.rule == PART_ONLY for problem in self.problems)

    @property
    def _whole(self) -> bool:
        """Whether what was not met is gone: the source was read from end to end, without an error that could hide records."""
        return not self._part and not errors_of(self.problems)

    # ── planning ──

    def _plan(self) -> bool:
        """Removals, then whether a person has to look: True where the run is held. Begun anew it comes to the same."""
        size = self.memory.size()
        if self._whole and self.source.removed == "archive":
            while gone := self.memory.unseen(PAGE):
                self.memory.plan([_removal(known, self.assessor.owners.titles) for known in gone])
                self._go_on()
        tally = self.memory.tally()
        for kind, count in COUNT_OF.items():
            if kind != "refuse":  # some are refused without a step: the second of two with one id
                self.counts[count] = tally.get(kind, 0)
        lately = self.memory.removed_lately()
        reasons = reasons_of_run(self.counts, size, self.source.expected, tally, part=self._part, lately=lately)
        self.counts["held"] = sum(tally.get(kind, 0) for kind in COUNT_OF if kind != "refuse") if reasons else 0
        if self.dry_run:
            self.memory.enter("planned", self.counts, self.problems, reasons)
        elif reasons:
            self.memory.hold(self.counts, reasons)
            return True
        else:
            self.memory.enter("loading", self.counts, self.problems)
        return False

    # ── loading ──

    def _load(self) -> None:
        self.counts["held"] = 0
        loading = Loading(self.source, self.memory, self.catalogue, self.assessor.owners, self.counts)
        while loading.chunk():
            self._go_on()
        self._date()
        if self._whole:
            self.memory.forget()

    def _date(self) -> None:
        """The days on which data were delivered, quietly."""
        after = ""
        while days := self.memory.days(after, PAGE):
            self.catalogue.refresh({package_id: (was, now) for package_id, was, now in days.values()})
            self.memory.dated(list(days))
            after = list(days)[-1]
            self._go_on()

    def _go_on(self) -> None:
        if self.stopped():
            raise Interrupted


def _weighs(problem: Problem) -> bool:
    """Whether the run's further course hangs on it."""
    return problem.severity == "error" or problem.rule == PART_ONLY


def _removal(known: Known, names: dict[str, str]) -> Step:
    provider = str(known.entry.get("provider", ""))
    return Step(
        known.source_id, "remove", str(known.entry.get("title", "")), names.get(provider, provider), package_id=known.package_id,
        hash=known.hash,
    )  # fmt: skip
