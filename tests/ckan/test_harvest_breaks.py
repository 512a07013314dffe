"""What is left behind by runs that break off: what the next may be spared, who is told, which steps stay, which processes end."""

from __future__ import annotations

import json
import multiprocessing
import time
from datetime import UTC, datetime, timedelta

import pytest
from ckan import model
from running import lapse, new_run, new_source, run_row, sql
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import OperationalError
from upstream import Reply

from ckanext.mulu import entries
from ckanext.mulu.harvest import execute as module
from ckanext.mulu.harvest import hooks, leases, worker
from ckanext.mulu.harvest.catalogue import PortalCatalogue
from ckanext.mulu.harvest.execute import execute
from ckanext.mulu.harvest.memory import TableMemory
from ckanext.mulu.model.tables import harvest_record, harvest_run, harvest_source, harvest_step
from ckanext.mulu.transaction import transaction
from mulu.errors import Problem
from mulu_harvest import load_steps
from mulu_harvest.port import Done, Interrupted, Unavailable


@pytest.fixture(scope="module")
def server():
    from server import serving

    with serving() as server:
        yield server


@pytest.fixture
def listed(town, server):
    """A source that is one file with an ETag: (say which names stand in it, the source's name)."""

    def say(names, etag):
        rows = [{"id": str(n), "name": name, "dept": "机构minzheng"} for n, name in names.items()]
        server.on("/list.json", Reply(json.dumps(rows), etag=etag))

    settings = {
        "title": "列表（虚构）", "publisher": "某县（虚构）", "reader": "portal", "url": f"{server.url}/list.json", "pace": 100.0,
        "fields": {"title": "name"}, "identity": "id", "department": "dept",
    }  # fmt: skip
    return say, new_source(**settings)


def harvest(source):
    row = execute(new_run(source))
    model.Session.rollback()
    return row


def counts(row):
    return {key: value for key, value in row["counts"].items() if value}


def titles(source):
    rows = sql(select(harvest_record.c.package_id).where(harvest_record.c.source == source).order_by(harvest_record.c.source_id))
    return [entries.show(row["package_id"])["title"] for row in rows]


def validators(source):
    return sql(select(harvest_source.c.validators).where(harvest_source.c.name == source))[0]["validators"]


# ── what the next run may be spared ──


def test_after_a_half_loaded_run_the_source_is_read_again(listed, monkeypatch):
    say, source = listed
    good = {n: f"条目{n}" for n in range(5)}
    say(good, '"1"')
    assert counts(harvest(source)) == {"read": 5, "added": 5}
    say({n: f"坏的条目{n}" for n in range(5)}, '"2"')
    apply, calls = PortalCatalogue.apply, []

    def once(self, tasks):
        calls.append(1)
        if len(calls) > 1:
            raise Interrupted
        return apply(self, tasks)

    run = new_run(source)
    with monkeypatch.context() as patch:
        patch.setattr(load_steps, "CHUNK", 2)
        patch.setattr(PortalCatalogue, "apply", once)
        execute(run)
    lapse(run)
    sql(update(harvest_run).where(harvest_run.c.id == run).values(stop_asked=True))
    assert leases.claim(run) is None and run_row(run)["state"] == "stopped"
    model.Session.rollback()
    assert sum(title.startswith("坏") for title in titles(source)) == 2
    say(good, '"1"')
    assert counts(harvest(source)) == {"read": 5, "changed": 2, "unchanged": 3}
    assert titles(source) == list(good.values())


def test_after_a_held_run_the_source_is_read_again(listed):
    say, source = listed
    say({n: f"条目{n}" for n in range(25)}, '"1"')
    harvest(source)
    assert validators(source)["kept"]
    say({n: f"条目{n}" for n in range(20)}, '"2"')
    assert harvest(source)["state"] == "held"
    assert validators(source) == {}


def test_a_removal_that_was_refused_is_tried_again(listed, monkeypatch):
    say, source = listed
    say({n: f"条目{n}" for n in range(25)}, '"1"')
    harvest(source)
    say({n: f"条目{n}" for n in range(24)}, '"2"')
    with monkeypatch.context() as patch:
        patch.setattr(PortalCatalogue, "apply", lambda self, tasks: [Done(t.key, "refused", t.package_id, problems=(Problem("", "no", "不行"),)) for t in tasks])
        assert counts(harvest(source))["refused"] == 1
    assert counts(harvest(source)) == {"read": 24, "unchanged": 24, "removed": 1}


# ── processes ──


@pytest.fixture
def child(town):
    """A run, its lease, and a worker with a process for it that does something else for long."""
    run = new_run(new_source())
    one, lease = worker.Worker(1), leases.claim(run)
    one.children[lease] = process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    process.start()
    yield one, lease, process
    process.kill()
    process.join(5)
    leases.end(lease, "done")


def test_a_child_that_tells_of_its_run_is_not_killed(child, monkeypatch):
    one, lease, process = child
    one._bury()
    assert process.is_alive()
    leases.end(lease, "done")
    for _ in range(2):
        one._bury()
        assert process.is_alive() and lease in one.children
    monkeypatch.setattr(worker, "LINGER", 0.0)
    one._bury()
    assert not process.is_alive() and one.children == {}


@pytest.mark.parametrize("another", [False, True])
def test_a_child_that_lost_its_lease_is_killed(child, another):
    one, lease, process = child
    lapse(lease.run)
    if another:
        assert leases.claim(lease.run)
    one._bury()
    assert not process.is_alive() and one.children == {}
    sql(update(harvest_run).where(harvest_run.c.id == lease.run).values(state="done"))


# ── a database that does not do what it is asked ──


def test_only_a_lost_connection_is_waited_for(town):
    def ask(statement):
        with leases.reaching(), model.meta.engine.begin() as connection:
            connection.execute(text("set local statement_timeout = 50"))
            connection.execute(text(statement))

    with pytest.raises(OperationalError):
        ask("select pg_sleep(5)")
    with pytest.raises(OperationalError):
        ask("do $$ begin raise exception 'no space' using errcode = '53100'; end $$")
    with pytest.raises(Unavailable):
        ask("select pg_terminate_backend(pg_backend_pid())")


class InVain(Exception):
    """So often that it would go on for ever."""


def failing(seen, also=lambda: None):
    def fail(*args, **more):
        seen.append(1)
        also()
        raise InVain if len(seen) > 8 else Unavailable("made up")

    return fail


def test_a_stop_is_seen_while_the_database_gives_up_again_and_again(listed, monkeypatch):
    say, source = listed
    say({1: "条目"}, "")
    run, seen = new_run(source), []
    stop = update(harvest_run).where(harvest_run.c.id == run).values(stop_asked=True)
    monkeypatch.setattr(PortalCatalogue, "apply", failing(seen, lambda: sql(stop)))
    assert execute(run)["state"] == "stopped" and len(seen) <= 8


@pytest.mark.parametrize("part", [(PortalCatalogue, "apply"), (TableMemory, "turn")], ids=["loading", "reading"])
def test_patience_ends_where_nothing_moves(listed, monkeypatch, part):
    say, source = listed
    say({1: "条目"}, "")
    run, seen = new_run(source), []
    monkeypatch.setattr(module, "PATIENCE", 3.0)
    monkeypatch.setattr(*part, failing(seen))
    row = execute(run)
    assert row["state"] == "running" and len(seen) <= 4, "left to whoever takes it up"
    sql(update(harvest_run).where(harvest_run.c.id == run).values(state="stopped"))


# ── people ──


def told(source):
    rows = sql("select body from mulu_case where procedure = 'harvest_check' and is_open and subject_id = :source", source=source)
    return [row["body"]["data"]["kind"] for row in rows]


@pytest.mark.parametrize("tell", [hooks.on_finished, lambda run: hooks.look()], ids=["at its end", "later"])
def test_a_held_run_that_is_applied_and_fails_is_told(town, tell):
    source = new_source(title="甲（虚构）", quiet_days=0)
    run = new_run(source, state="held", reasons=[{"rule": "too_many_removed", "message": "过多"}])
    hooks.on_held(run)
    hooks.on_held(run)
    assert told(source) == ["held"]
    with transaction({}) as touched:
        hooks.settle(hooks._alone(source), "已经同意。", touched, run=run)
    sql(update(harvest_run).where(harvest_run.c.id == run).values(state="failed", error="磁盘已满"))
    for _ in range(2):
        tell(run)
        assert told(source) == ["failed"]


def test_a_failure_that_is_over_is_settled_by_and_by(town):
    source = new_source(title="乙（虚构）", quiet_days=0)
    hooks.on_finished(new_run(source, state="failed", error="没有回答"))
    hooks.look()
    assert told(source) == ["failed"]
    new_run(source, state="done", dry_run=True)
    hooks.look()
    assert told(source) == ["failed"], "a dry run mends nothing"
    new_run(source, state="done")
    assert hooks.look() == 0 and told(source) == []


# ── steps ──


def test_the_change_log_stays_and_what_changed_nothing_goes(listed, monkeypatch):
    monkeypatch.setattr(module, "KEPT_RUNS", 1)
    monkeypatch.setattr(module, "KEPT_DRY_RUNS", 2)
    say, source = listed
    say({1: "条目"}, "")
    old = datetime.now(UTC) - timedelta(days=9)

    def run(state, later, **more):
        key = new_run(source, state=state, asked_at=old + timedelta(hours=later), **more)
        for name in ("done", "refused", "planned"):
            values = {"run": key, "source_id": name, "kind": "refuse" if name == "refused" else "add", "state": name, "title": name, "provider": "", "hash": ""}
            sql(insert(harvest_step).values(**values, package_id="", case_id="", changes=[], problems=[], reasons=[], where="", entry={"title": name}))
        return key

    done, held = run("done", 0), run("held", 1)
    dry = [run("done", 2 + n, dry_run=True) for n in range(4)]
    stopped = run("stopped", 7)
    assert harvest(source)["state"] == "done"
    left = {key: [row["source_id"] for row in sql(select(harvest_step).where(harvest_step.c.run == key).order_by(harvest_step.c.seq))] for key in (done, held, *dry, stopped)}
    everything = ["done", "refused", "planned"]
    assert left == {done: ["done"], held: everything, dry[0]: [], dry[1]: [], dry[2]: everything, dry[3]: everything, stopped: ["done"]}
    assert all(row["entry"] for row in sql(select(harvest_step).where(harvest_step.c.run == held))), "it may still be applied"
