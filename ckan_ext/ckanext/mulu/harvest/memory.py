"""The engine's memory (``mulu_harvest.port.Memory``) in the tables ``harvest_run``, ``harvest_record`` and ``harvest_step``.

Each method is one short transaction on a connection of its own, beside the session in which the catalogue is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from ckan import model
from sqlalchemy import (
    Connection,
    Integer,
    Text,
    bindparam,
    case,
    column,
    delete,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from ckanext.mulu.harvest.leases import Lease, reaching
from ckanext.mulu.model.tables import harvest_record, harvest_run, harvest_source, harvest_step
from mulu.errors import Problem
from mulu_harvest.plan import Reason, Step
from mulu_harvest.port import Interrupted, Known, Met, Outcome, Turn

RECORD, STEP, RUN = harvest_record.c, harvest_step.c, harvest_run.c
REFUSED, DAY, DECIDED = _NOTES = ("_refused", "_day", "_decided")
"""What a record's ``entry`` holds beside what its source stated: the hash of what the catalogue refused; the day of its data that a
run has read and not put in, {run, now}; whether a person decided on its removal. None of them is a field of an entry."""


class TableMemory:
    """Of one run under one lease. ``moved`` is called whenever something was noted."""

    def __init__(self, lease: Lease, moved: Callable[[], None] = lambda: None) -> None:
        self.lease = lease
        self.moved = moved
        with self._reading() as connection:
            row = connection.execute(select(harvest_run).where(RUN.id == lease.run)).one()
        self.source: str = row.source
        self.phase: str = row.phase
        self.mark: str = row.mark
        self.counts: Mapping[str, int] = row.counts
        self.problems: Sequence[Problem] = [Problem(**one) for one in row.problems]
        self._decided = bool(row.decided_by)
        self._before, self._since = row.seconds, time.monotonic()
        self._records = RECORD.source == self.source
        self._steps = STEP.run == lease.run

    # ── what is remembered ──

    def size(self) -> int:
        query = select(func.count()).where(self._records, RECORD.state.in_(("in", "quarantined")), RECORD.package_id != "")
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        columns = (RECORD.source_id, RECORD.state, RECORD.package_id, RECORD.hash, RECORD.entry)
        with self._reading() as connection:
            rows = connection.execute(select(*columns).where(self._records, RECORD.source_id.in_(ids)))
            return {row.source_id: _known(row) for row in rows}

    def met(self, ids: Sequence[str]) -> dict[str, Met]:
        seen = select(RECORD.source_id, RECORD.hash, RECORD.where).where(self._records, RECORD.source_id.in_(ids), RECORD.seen_run == self.lease.run)
        planned = select(STEP.source_id, STEP.hash, STEP.where).where(self._steps, STEP.source_id.in_(ids), STEP.kind != "remove")
        with self._reading() as connection:
            return {row.source_id: Met(row.hash, row.where) for row in connection.execute(seen.union_all(planned))}

    def unseen(self, limit: int) -> list[Known]:
        has_step = select(literal(1)).where(self._steps, STEP.source_id == RECORD.source_id).exists()
        gone = (
            select(RECORD.source_id, RECORD.state, RECORD.package_id, RECORD.hash, RECORD.entry)
            .where(self._records, RECORD.state.in_(("in", "quarantined")), RECORD.package_id != "", RECORD.seen_run != self.lease.run, ~has_step)
            .order_by(RECORD.source_id)
            .limit(limit)
        )
        with self._reading() as connection:
            return [_known(row) for row in connection.execute(gone)]

    def removed_lately(self) -> int:
        lately = RECORD.changed_at > func.now() - text("interval '7 days'")
        query = select(func.count()).where(self._records, RECORD.state == "removed", RECORD.package_id != "", lately, ~RECORD.entry.has_key(DECIDED))
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def days(self, after: str, limit: int) -> dict[str, tuple[str, str, str]]:
        columns = (RECORD.source_id, RECORD.package_id, RECORD.entry["data_updated_on"].astext, RECORD.entry[(DAY, "now")].astext)
        mine = (RECORD.seen_run == self.lease.run) & (RECORD.state == "in") & (RECORD.entry[(DAY, "run")].astext == self.lease.run)
        query = select(*columns).where(self._records, RECORD.source_id > after, mine).order_by(RECORD.source_id).limit(limit)
        with self._reading() as connection:
            return {key: (package_id, was or "", now) for key, package_id, was, now in connection.execute(query)}

    def tally(self) -> dict[str, int]:
        kinds = select(STEP.kind, func.count()).where(self._steps).group_by(STEP.kind)
        reason = func.jsonb_array_elements(STEP.reasons).table_valued(column("value", JSONB)).alias("reason")
        rule = reason.c.value["rule"].astext
        rules = select(rule, func.count()).select_from(harvest_step).join(reason, literal(True)).where(self._steps).group_by(rule)
        with self._reading() as connection:
            return {name: int(number) for query in (kinds, rules) for name, number in connection.execute(query)}

    def planned(self, limit: int) -> list[Step]:
        query = select(harvest_step).where(self._steps, STEP.state == "planned").order_by(STEP.seq).limit(limit)
        with self._reading() as connection:
            return [_step(row) for row in connection.execute(query)]

    # ── what is noted ──

    def begin(self) -> None:
        with self._noting(progress=False, phase="reading", mark="", counts={}, problems=[], reasons=[]) as connection:
            connection.execute(delete(harvest_step).where(self._steps))
            seen = update(harvest_record).where(self._records, RECORD.seen_run == self.lease.run)
            connection.execute(seen.values(seen_run=""))
        self.phase, self.mark = "reading", ""

    def turn(self, turn: Turn) -> None:
        with self._noting(phase="reading", mark=turn.mark, counts=dict(turn.counts), problems=_problems(turn.problems)) as connection:
            if turn.all_seen:
                met = update(harvest_record).where(self._records, RECORD.state != "removed")
                connection.execute(met.values(seen_run=self.lease.run))
            if turn.seen:
                self._see(connection, turn.seen)
            if turn.fresh:
                day = func.jsonb_build_object(DAY, func.jsonb_build_object("run", self.lease.run, "now", bindparam("day", type_=Text)))
                fresh = update(harvest_record).where(self._records, RECORD.package_id == bindparam("id"))
                connection.execute(fresh.values(entry=RECORD.entry.concat(day)), [{"id": key, "day": value} for key, value in turn.fresh.items()])
            self._plan(connection, turn.steps)
        self.mark = turn.mark

    def _see(self, connection: Connection, seen: Mapping[str, str]) -> None:
        """Met as it was when it was last taken in; one that was quarantined in between is well again."""
        ids, places = (bindparam(name, value, type_=ARRAY(Text)) for name, value in (("ids", list(seen)), ("places", list(seen.values()))))
        met = func.unnest(ids, places).table_valued(column("id", Text), column("place", Text)).render_derived()
        well = RECORD.state == "quarantined"
        values = {
            "seen_run": self.lease.run, "where": met.c.place, "state": "in",
            "problems": case((well, literal([], JSONB)), else_=RECORD.problems), "tries": case((well, literal(0, Integer)), else_=RECORD.tries),
        }  # fmt: skip
        connection.execute(update(harvest_record).where(self._records, RECORD.source_id == met.c.id).values(values))

    def plan(self, steps: Sequence[Step]) -> None:
        with self._noting() as connection:
            self._plan(connection, steps)

    def _plan(self, connection: Connection, steps: Sequence[Step]) -> None:
        if steps:
            connection.execute(upsert(harvest_step).on_conflict_do_nothing(), [_row(self.lease.run, step) for step in steps])

    def dated(self, ids: Sequence[str]) -> None:
        with self._noting() as connection:
            stated = func.jsonb_build_object("data_updated_on", RECORD.entry[(DAY, "now")])
            noted = update(harvest_record).where(self._records, RECORD.source_id.in_(ids), RECORD.entry.has_key(DAY))
            connection.execute(noted.values(entry=_without(DAY).concat(stated)))

    def enter(self, phase: str, counts: Mapping[str, int], problems: Sequence[Problem], reasons: Sequence[Reason] = ()) -> None:
        with self._noting(phase=phase, mark="", counts=dict(counts), problems=_problems(problems), reasons=[asdict(one) for one in reasons]) as connection:
            if phase == "loading":
                self._read_again(connection)
        self.phase, self.mark = phase, ""

    def hold(self, counts: Mapping[str, int], reasons: Sequence[Reason]) -> None:
        told = [asdict(one) for one in reasons]
        with self._noting(state="held", phase="loading", mark="", counts=dict(counts), reasons=told, lease_until=None) as connection:
            self._read_again(connection)
        self.phase = "loading"

    def _read_again(self, connection: Connection) -> None:
        """From here on the catalogue may be between two states of the source, and no answer "unchanged" since an earlier one holds;
        what may be sent again is kept with a run that was wholly applied."""
        connection.execute(update(harvest_source).where(harvest_source.c.name == self.source).values(validators={}))

    def finish(self, outcomes: Sequence[Outcome], counts: Mapping[str, int]) -> None:
        with self._noting(counts=dict(counts)) as connection:
            done = update(harvest_step).where(self._steps, STEP.source_id == bindparam("key"), STEP.state == "planned")
            values = {name: bindparam(f"new_{name}") for name in ("state", "package_id", "case_id", "problems", "changes")}
            connection.execute(done.values(values | {"entry": None}), [_done(one) for one in outcomes])
            self._remember(connection, [one for one in outcomes if not one.refused and one.step.kind != "remove"])
            self._quarantine(connection, [one for one in outcomes if one.refused and one.step.kind != "remove"])
            if gone := [one.step.source_id for one in outcomes if one.step.kind == "remove" and not one.refused]:
                removed = update(harvest_record).where(self._records, RECORD.source_id.in_(gone))
                entry = _without(REFUSED).concat(literal({DECIDED: True} if self._decided else {}, JSONB))
                connection.execute(removed.values(state="removed", changed_at=func.now(), entry=entry))

    def _remember(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        """As the source states it now, for the next comparison."""
        if not outcomes:
            return
        rows = [self._record(one) | {"state": "in", "hash": one.step.hash, "tries": 0} for one in outcomes]
        stored = upsert(harvest_record).values(rows)
        taken = ("state", "package_id", "hash", "entry", "where", "problems", "tries", "changed_at", "seen_run")
        connection.execute(stored.on_conflict_do_update(index_elements=["source", "source_id"], set_={key: stored.excluded[key] for key in taken}))

    def _quarantine(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        """What is in the catalogue, or was, stays remembered as it was last taken in; a removed one stays removed."""
        if not outcomes:
            return
        rows = [self._record(one) | {"state": "quarantined", "hash": "", "tries": 1} for one in outcomes]
        for row, one in zip(rows, outcomes, strict=True):  # refused by the catalogue, not as it was read
            row["entry"][REFUSED] = "" if one.step.kind == "refuse" else one.step.hash
        stored = upsert(harvest_record).values(rows)
        known = RECORD.package_id != ""
        values = {key: stored.excluded[key] for key in ("where", "problems", "seen_run")} | {
            "state": case((RECORD.state == "removed", RECORD.state), else_="quarantined"), "tries": RECORD.tries + 1,
            "entry": case(
                (known, RECORD.entry.concat(func.jsonb_build_object(REFUSED, stored.excluded.entry[REFUSED]))), else_=stored.excluded.entry
            ),
            "changed_at": case((RECORD.state != "in", RECORD.changed_at), else_=func.now()),
        }  # fmt: skip
        connection.execute(stored.on_conflict_do_update(index_elements=["source", "source_id"], set_=values))

    def _record(self, one: Outcome) -> dict[str, Any]:
        step = one.step
        return {
            "source": self.source, "source_id": step.source_id, "package_id": one.package_id, "entry": dict(step.entry),
            "where": step.where, "problems": _problems(step.problems), "seen_run": self.lease.run,
            "first_seen_at": func.now(), "changed_at": func.now(),
        }  # fmt: skip

    def forget(self) -> None:
        with self._noting() as connection:
            never = (RECORD.state == "quarantined") & (RECORD.package_id == "") & (RECORD.seen_run != self.lease.run)
            connection.execute(delete(harvest_record).where(self._records, never))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with reaching(), model.meta.engine.connect() as connection:
            yield connection

    @contextmanager
    def _noting(self, *, progress: bool = True, **values: Any) -> Iterator[Connection]:
        """A transaction in which the run is still this worker's, and stays so until it ends. progress: the run is further with it."""
        values["seconds"] = round(self._before + time.monotonic() - self._since, 2)
        mine = update(harvest_run).where(RUN.id == self.lease.run, RUN.worker == self.lease.worker, RUN.state == "running")
        with reaching(), model.meta.engine.begin() as connection:
            connection.execute(text("set local synchronous_commit = on"))
            if connection.execute(mine.values(**values)).rowcount != 1:
                raise Interrupted
            yield connection
        if progress:
            self.moved()


def _without(note: str) -> Any:
    return RECORD.entry.op("-", return_type=JSONB())(literal(note, Text))


def _known(row: Any) -> Known:
    """Of (source_id, state, package_id, hash, entry)."""
    entry = {key: value for key, value in (row.entry or {}).items() if key not in _NOTES}
    return Known(row.source_id, row.state, row.package_id, row.hash, entry, (row.entry or {}).get(REFUSED, ""))


def _problems(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return [_keepable(problem.to_dict()) for problem in problems]


def _keepable(value: Any) -> Any:
    """A problem shows what was wrong, which may be just what no database keeps: half a character, or none (U+0000)."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode().replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {_keepable(key): _keepable(part) for key, part in value.items()}
    return [_keepable(part) for part in value] if isinstance(value, list) else value


def _row(run: str, step: Step) -> dict[str, Any]:
    return {
        "run": run, "source_id": step.source_id, "kind": step.kind, "state": "planned", "package_id": step.package_id, "title": step.title,
        "provider": step.provider, "hash": step.hash, "entry": dict(step.entry), "changes": [dict(one) for one in step.changes],
        "problems": _problems(step.problems), "reasons": [asdict(one) for one in step.reasons], "where": step.where,
    }  # fmt: skip


def _step(row: Any) -> Step:
    return Step(
        row.source_id, row.kind, row.title, row.provider, row.where, row.package_id, row.hash, row.entry or {}, tuple(row.changes),
        tuple(Problem(**one) for one in row.problems), tuple(Reason(**one) for one in row.reasons),
    )  # fmt: skip


def _done(one: Outcome) -> dict[str, Any]:
    step = one.step
    return {
        "key": step.source_id, "new_state": "refused" if one.refused else "done", "new_package_id": one.package_id,
        "new_case_id": one.case_id, "new_problems": _problems(step.problems), "new_changes": [dict(change) for change in step.changes],
    }  # fmt: skip
