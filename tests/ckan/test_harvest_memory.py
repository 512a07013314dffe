"""The engine's memory in the tables remembers what the one in memory does, on which all rules of a run are tested."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

sys.path.append(str(Path(__file__).parents[1] / "harvest"))

from in_memory import Portal, pages, record, source
from running import lapse, new_run, new_source, run_row, sql, until

import mulu.profile
from ckanext.mulu.harvest import leases, worker
from ckanext.mulu.harvest.memory import TableMemory
from ckanext.mulu.model.tables import harvest_record, harvest_run, harvest_source, harvest_step
from mulu.errors import Problem
from mulu_harvest.port import Interrupted, Turn
from mulu_harvest.record import Page
from mulu_harvest.run import Run

PROFILE = mulu.profile.load("huarong")


class Tables(Portal):
    """The portal in memory with its memory in the tables."""

    def __init__(self):
        self.name = new_source()
        self.memory = None
        super().__init__()

    def new_run(self):
        if self.memory:
            leases.end(self.memory.lease, "done")
        self.run = new_run(self.name)
        self.memory = TableMemory(leases.claim(self.run, name="test"))
        self.state = "running"
        return self

    def again(self):
        """Another process takes the run up."""
        sql(update(harvest_run).where(harvest_run.c.id == self.run).values(lease_until=datetime.now(UTC) - timedelta(seconds=1)))
        self.memory = TableMemory(leases.claim(self.run, name="test"))

    phase = property(lambda self: self.memory.phase, lambda self, value: None)
    mark = property(lambda self: self.memory.mark, lambda self, value: None)
    counts = property(lambda self: run_row(self.run)["counts"], lambda self, value: None)
    problems = property(lambda self: [Problem(**one) for one in run_row(self.run)["problems"]], lambda self, value: None)
    reasons = property(lambda self: run_row(self.run)["reasons"], lambda self, value: None)

    @property
    def steps(self):
        rows = sql(select(harvest_step).where(harvest_step.c.run == self.run).order_by(harvest_step.c.seq))
        return {row["source_id"]: (row, row["state"]) for row in rows}

    @property
    def records(self):
        rows = sql(select(harvest_record).where(harvest_record.c.source == self.name))
        known = self.memory.known([row["source_id"] for row in rows])
        return {row["source_id"]: {"known": known[row["source_id"]], "problems": row["problems"], "tries": row["tries"]} for row in rows}

    steps = steps.setter(lambda self, value: None)
    records = records.setter(lambda self, value: None)


for _name in ("size", "known", "met", "begin", "turn", "enter", "unseen", "plan", "tally", "hold", "planned", "finish", "forget", "removed_lately", "days", "dated"):
    setattr(Tables, _name, lambda self, *args, _name=_name, **more: getattr(self.memory, _name)(*args, **more))


@pytest.fixture(scope="module", autouse=True)
def tables(empty_ckan):
    yield


@pytest.fixture(autouse=True)
def over(tables):
    """After each test its runs are over, so that no other takes up one whose lease has lapsed meanwhile."""
    yield
    sql(update(harvest_run).where(harvest_run.c.state.in_(("waiting", "running"))).values(state="stopped"))


def some(count, **changed):
    return [record(n, **(changed.get(f"r{n}") or {})) for n in range(count)]


STORIES = {
    "new, the same, changed": [some(25), some(25), some(25, r3={"notes": "改了。"})],
    "gone and back": [some(25), some(24), some(24), some(25), some(25, r24={"notes": "改了。"})],
    "gone and back, changed": [some(25), some(24), some(25, r24={"notes": "回来了。"})],
    "too many gone": [some(25), some(5), some(25)],
    "closed and moved": [some(9), some(9, r1={"open_type": "不予开放"}, r2={"provider": "华容县水利局"})],
    "twice and bad": [[*some(9), record(1), record(2, title="另一"), record(None), record(50, title=None)], some(9), some(9)],
    "bad and well again": [some(9), [*some(8), record(8, title=None)], some(9)],
    "bad and gone": [some(25), [*some(24), record(24, title=None)], some(24), some(25)],
    "incomplete": [some(9, r1={"notes": None}), some(9, r1={"notes": None}), some(9)],
    "the day of the data": [some(9, r1={"data_updated_on": "2024-05-01"}), some(9, r1={"data_updated_on": "2024-06-01"}), some(9)],
    "refused there for good": [some(9), some(9, r6={"notes": "改了。"}), some(9, r6={"notes": "改了。"}), some(9), some(8), some(9)],
    "refused there": [[*some(9), record(66)], [*some(9), record(66)], some(9)],
}


@pytest.mark.parametrize("settings", [{}, {"incomplete": "refuse"}], ids=["draft", "refuse"])
@pytest.mark.parametrize("story", STORIES)
def test_both_memories_tell_the_same_story(story, settings):
    told = []
    for portal in (Portal(), Tables()):
        portal.refuse["id-66"] = "代码已被使用"
        pages_of = [(records, dry) for records in STORIES[story] for dry in (True, False)]
        lines = []
        for records, dry_run in pages_of:
            portal.new_run()
            portal.refuse.update({"id-6": "理由不足"} if story == "refused there for good" and portal.entries else {})
            outcome = Run(source(**settings), pages(records), portal, portal, PROFILE, dry_run=dry_run).execute()
            steps = {key: (state, step["kind"] if isinstance(portal, Tables) else step.kind) for key, (step, state) in portal.steps.items()}
            known = {key: one["known"] for key, one in portal.records.items()}
            known = {key: (one.state, one.package_id, one.hash, one.entry, one.package_id and one.refused) for key, one in known.items()}
            known["removed lately"] = portal.removed_lately()
            lines.append((outcome, dict(portal.counts), steps, known, [problem.rule for problem in portal.problems]))
        told.append(lines)
    for number, (there, here) in enumerate(zip(*told, strict=True)):
        assert here == there, f"run {number}"


def test_what_left_within_a_week_is_counted_unless_a_person_let_it():
    portal = Tables()
    Run(source(), pages(some(40)), portal, portal, PROFILE).execute()
    portal.new_run()
    assert Run(source(), pages(some(38)), portal, portal, PROFILE).execute() == "done" and portal.removed_lately() == 2
    portal.new_run()
    assert Run(source(), pages(some(37)), portal, portal, PROFILE).execute() == "held" and "已自动撤销 2 条" in portal.reasons[0]["message"]
    sql(update(harvest_run).where(harvest_run.c.id == portal.run).values(state="running", decided_by="made-up"))
    portal.again()
    assert Run(source(), pages([]), portal, portal, PROFILE).execute() == "done"
    assert portal.size() == 37 and portal.removed_lately() == 2
    sql(update(harvest_record).where(harvest_record.c.source == portal.name).values(changed_at=datetime.now(UTC) - timedelta(days=7, minutes=1)))
    assert portal.removed_lately() == 0


def test_a_day_waits_for_its_run_to_load():
    portal = Tables()
    Run(source(), pages(some(10, r1={"data_updated_on": "2024-05-01"})), portal, portal, PROFILE).execute()
    later = some(5, r1={"data_updated_on": "2024-06-01"})
    portal.new_run()
    assert Run(source(), pages(later), portal, portal, PROFILE).execute() == "held"
    assert portal.of(1)["data_updated_on"] == "2024-05-01" == portal.records["id-1"]["known"].entry["data_updated_on"]
    assert [value[1:] for value in portal.days("", 9).values()] == [("2024-05-01", "2024-06-01")] and portal.days("id-1", 9) == {}
    portal.new_run()  # what a run that was dropped has read is not put in by another
    assert portal.days("", 9) == {}
    assert Run(source(), pages([*later, *some(10)[5:]]), portal, portal, PROFILE).execute() == "done"
    assert portal.of(1)["data_updated_on"] == "2024-06-01" == portal.records["id-1"]["known"].entry["data_updated_on"]


def test_a_run_goes_on_after_any_page_and_any_chunk():
    for where in range(1, 7):
        portal, asked = Tables(), iter(range(100))
        with pytest.raises(Interrupted):
            Run(source(), pages(some(250), 100), portal, portal, PROFILE, stopped=lambda asked=asked, where=where: next(asked) + 1 == where).execute()
        portal.again()
        Run(source(), pages(some(250), 100), portal, portal, PROFILE).execute()
        assert portal.counts["read"] == portal.counts["added"] == len(portal.entries) == len(portal.records) == 250
        assert run_row(portal.run)["attempt"] == 2


def test_one_that_reads_only_from_the_beginning_begins_anew():
    portal = Tables()

    def read(mark):
        for page in pages(some(30))(mark):
            yield Page(page.records)

    asked = iter(range(100))
    with pytest.raises(Interrupted):
        Run(source(), read, portal, portal, PROFILE, stopped=lambda: next(asked) == 1).execute()
    portal.again()
    Run(source(), read, portal, portal, PROFILE).execute()
    assert portal.counts["read"] == portal.counts["added"] == 30 and portal.counts["repeated"] == 0


def test_what_is_done_is_emptied_and_what_is_bad_says_why():
    portal = Tables()
    Run(source(), pages([*some(3), record(7, title=None)]), portal, portal, PROFILE).execute()
    assert all(step["entry"] is None for step, _ in portal.steps.values())
    bad = portal.records["id-7"]
    assert (bad["known"].state, bad["tries"], bad["problems"][0]["where"]) == ("quarantined", 1, "第 7 条")
    portal.new_run()
    Run(source(), pages([*some(3), record(7, title=None)]), portal, portal, PROFILE).execute()
    assert portal.records["id-7"]["tries"] == 2
    assert run_row(portal.run)["seconds"] > 0


@pytest.mark.parametrize("odd", ["半个\ud800字", "空\0字符"])
def test_what_no_database_keeps_is_refused_and_told(odd):
    portal = Tables()
    portal.memory.turn(Turn("", {}, [Problem("", "odd", odd, {odd: [odd]})]))
    bad = replace(record(7), entry={"title": "题名", "notes": odd})
    Run(source(), pages([*some(3), record(8, title=odd), bad]), portal, portal, PROFILE).execute()
    assert portal.counts["added"] + portal.counts["refused"] == 5
    assert portal.records["id-7"]["problems"][0]["rule"] == "unreadable"


# ── leases ──


def test_each_run_is_claimed_once():
    keys = [new_run(new_source()) for _ in range(3)]
    claimed = [leases.claim(name="test") for _ in range(4)]
    assert sorted(lease.run for lease in claimed if lease) == sorted(keys) and claimed[3] is None
    assert len({lease.worker for lease in claimed if lease}) == 3
    for lease in claimed[:3]:
        leases.end(lease, "done")


def test_a_lapsed_lease_goes_to_the_next_and_the_first_writes_nothing_more():
    portal = Tables()
    memory = portal.memory
    assert leases.claim(portal.run) is None, "its lease lasts"
    lapse(portal.run)
    second = leases.claim(portal.run)
    assert second and second.worker != memory.lease.worker
    for write in (memory.begin, lambda: memory.plan([]), memory.forget):
        with pytest.raises(Interrupted):
            write()
    assert not leases.end(memory.lease, "done") and run_row(portal.run)["state"] == "running"
    assert leases.end(second, "done")


def test_the_heartbeat_lengthens_the_lease_and_sees_a_stop():
    key = new_run(new_source())
    lease = leases.claim(key)
    lapse(key)
    with leases.Heartbeat(lease, beat=0.05) as beat:
        until(lambda: run_row(key)["lease_until"] > datetime.now(UTC) + timedelta(seconds=50))
        assert not beat.stopped()
        sql(update(harvest_run).where(harvest_run.c.id == key).values(stop_asked=True))
        until(beat.stopped)
        assert beat.why == "stop"
    leases.end(lease, "stopped")


def test_a_run_that_does_not_move_lets_its_lease_lapse(monkeypatch):
    monkeypatch.setattr(leases, "STALL", timedelta(seconds=0.2))
    key = new_run(new_source())
    lease = leases.claim(key)
    with leases.Heartbeat(lease, beat=0.05) as beat:
        until(beat.stopped)
        assert beat.why == "stalled"
    lapse(key)
    assert leases.claim(key)


def test_a_run_that_breaks_off_again_and_again_fails():
    key = new_run(new_source())
    for _ in range(leases.ATTEMPTS):
        assert leases.claim(key)
        lapse(key)
    assert leases.claim(key) is None
    row = run_row(key)
    assert row["state"] == "failed" and "中断" in row["error"]


def test_a_source_that_fails_is_tried_again_later_and_later():
    key = new_run(new_source())
    waits = []
    while leases.retry(leases.claim(key), "来源没有回答"):
        row = run_row(key)
        assert (row["state"], row["error"]) == ("waiting", "来源没有回答")
        waits.append(round((row["not_before"] - datetime.now(UTC)).total_seconds() / 60))
        assert leases.claim() is None, "not before its time"
    assert waits == [1, 5, 30]


@pytest.mark.parametrize(("minutes", "mark"), [(1, "7"), (60, "")])
def test_after_a_long_break_reading_begins_anew(minutes, mark):
    key = new_run(new_source(), state="running", phase="reading", mark="7")
    lapse(key, minutes)
    leases.claim(key)
    assert run_row(key)["mark"] == mark


def test_a_stop_of_a_run_whose_worker_died_ends_it():
    key = new_run(new_source(), state="running", stop_asked=True)
    lapse(key)
    assert leases.claim(key) is None and run_row(key)["state"] == "stopped"


def test_the_schedule_asks_for_a_run_unless_one_is_open_or_held():
    def due(name):
        sql(update(harvest_source).where(harvest_source.c.name == name).values(next_run_at=datetime.now(UTC) - timedelta(minutes=1)))

    free, open_, held, off = (new_source(schedule="30 2 * * *") for _ in range(4))
    new_run(open_), new_run(held, state="held")
    sql(update(harvest_source).where(harvest_source.c.name == off).values(enabled=False))
    for name in (free, open_, held, off):
        due(name)
    assert worker.enqueue_due() == 1 and worker.enqueue_due() == 0
    [made] = sql(select(harvest_run).where(harvest_run.c.source == free))
    assert (made["cause"], made["state"], made["dry_run"], made["settings"]) == ("schedule", "waiting", False, {"schedule": "30 2 * * *"})
    following = sql(select(harvest_source.c.next_run_at).where(harvest_source.c.name == free))[0]["next_run_at"]
    assert following.astimezone(leases.UTC).strftime("%H:%M") == "18:30", "half past two in Beijing"
    for key in sql("select id from mulu_harvest_run where state = 'waiting'"):
        leases.end(leases.claim(key["id"]), "done")
