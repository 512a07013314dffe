"""What breaks, broken on purpose, on the real services: whoever carries a run out is killed, PostgreSQL and Solr go away, the source
dies. Afterwards nothing is lost, nothing stands twice, and the index says what the database says."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ckan import model
from running import lapse, new_run, new_source, run_row, sql, until
from sqlalchemy import update
from upstream import SEARCH, Reply, Upstream

from ckanext.mulu import drift
from ckanext.mulu.harvest import leases, worker
from ckanext.mulu.harvest.execute import execute
from ckanext.mulu.model.tables import harvest_run
from ckanext.mulu.transaction import catch_up
from mulu_ops.services import Services, http_ready, postgres_ready
from mulu_ops.settings import Settings

FORK = multiprocessing.get_context("fork")
CKAN = Path(sys.executable).parent / "ckan"
NO_DRIFT = {"missing": [], "ghosts": [], "stale": []}
SIZE = 20
"""Of a page of the source here."""


@pytest.fixture(scope="module")
def server():
    from server import serving

    with serving() as server:
        yield server


@pytest.fixture
def make(town, server):
    """A source of so many datasets: (what is upstream, its name here)."""

    def make(count, **settings):
        upstream = Upstream(server, count, f"/{uuid.uuid4().hex[:8]}")
        return upstream, new_source(**upstream.settings(options={"page_size": SIZE}, **settings))

    yield make
    for row in sql("select id from mulu_harvest_run where state in ('waiting', 'running')"):
        sql(update(harvest_run).where(harvest_run.c.id == row["id"]).values(state="stopped"))


@pytest.fixture
def process():
    """Processes of their own, forked from this one as a worker forks its children: ``process(execute, run)``. They end with the test."""
    started = []

    def start(target, *arguments, **more):
        one = FORK.Process(target=_apart, args=(target, arguments, more))
        one.start()
        started.append(one)
        return one

    yield start
    for one in started:
        if one.is_alive():
            kill(one)


def _apart(target, arguments, more):
    os.setsid()
    model.Session.remove()
    model.meta.engine.dispose(close=False)
    target(*arguments, **more)


def kill(one):
    """-9, the process and its children."""
    os.killpg(one.pid, signal.SIGKILL)
    one.join(20)


def ended(one):
    one.join(60)
    return one.exitcode == 0


def done_steps(run):
    return sql("select count(*) from mulu_harvest_step where run = :run and state = 'done'", run=run)[0]["count"]


def right(source, count):
    """As if nothing had happened: each record is one entry with one open review and one code, and the index agrees.

    Whoever was killed between commit and index left a note, which the clockwork looks after each minute: here at once.
    """
    model.Session.rollback()
    catch_up(timedelta(0))
    [row] = sql(
        "select count(*) as records, count(distinct r.package_id) as packages, count(distinct p.id) as active, count(distinct i.package_id) as known,"
        " count(distinct c.id) as cases, count(distinct k.code) as codes"
        " from mulu_harvest_record r left join package p on p.id = r.package_id and p.state = 'active'"
        " left join mulu_identity i on i.package_id = r.package_id left join mulu_case c on c.subject_id = r.package_id"
        " left join mulu_resource_code k on k.package_id = r.package_id where r.source = :source and r.state = 'in'", source=source,
    )  # fmt: skip
    assert dict(row) == dict.fromkeys(("records", "packages", "active", "known", "cases", "codes"), count)
    everything = sql("select count(*) from package where extras ->> 'source' like :name", name=f'%"{source}"%')[0]["count"]
    assert everything == count, "none that no record knows of"
    assert drift.compare() == NO_DRIFT


def test_killed_while_reading(make, process):
    upstream, source = make(100)
    upstream.gates[3 * SIZE - 1] = threading.Event()
    run = new_run(source)
    reader = process(execute, run)
    until(lambda: 3 * SIZE - 1 in upstream.starts(), 60)
    kill(reader)
    upstream.gates[3 * SIZE - 1].set()
    assert run_row(run)["state"] == "running" and leases.claim(run) is None, "until its lease is over"
    lapse(run)
    row = execute(run)
    assert (row["state"], row["attempt"], row["counts"]["read"], row["counts"]["added"], row["counts"]["repeated"]) == ("done", 2, 100, 100, 0)
    assert upstream.starts().count(0) == upstream.starts().count(SIZE - 1) == 1, "what was read and noted is not read again"
    right(source, 100)


def test_killed_while_loading(make, process):
    upstream, source = make(300)
    run = new_run(source)
    loader = process(execute, run)
    until(lambda: done_steps(run) > 0, 90)
    kill(loader)
    lapse(run)
    assert 0 < done_steps(run) < 300
    row = execute(run)
    assert (row["state"], row["attempt"], row["counts"]["read"], row["counts"]["added"], row["counts"]["refused"]) == ("done", 2, 300, 300, 0)
    assert len([start for start in upstream.starts() if start == 0]) == 1, "not read again"
    right(source, 300)


def test_a_worker_that_is_killed_is_followed_by_another_and_two_share_the_work(make, process):
    sources = [make(60) for _ in range(3)]
    upstream = sources[-1][0]
    upstream.gates[SIZE - 1] = gate = threading.Event()
    runs = [new_run(source) for _, source in sources]
    first = process(worker.loop)
    until(lambda: [run_row(run)["state"] for run in runs] == ["running"] * 3, 60)
    kill(first)
    gate.set()
    for run in runs:
        lapse(run)
    process(worker.loop, once=True), process(worker.loop, once=True)
    until(lambda: all(run_row(run)["state"] == "done" for run in runs), 90)
    assert [run_row(run)["attempt"] for run in runs] == [2, 2, 2]
    for _, source in sources:
        right(source, 60)


def test_a_worker_that_is_told_to_end_gives_its_run_back(make, process):
    upstream, source = make(60)
    upstream.gates[SIZE - 1] = threading.Event()
    run = new_run(source)
    told = process(worker.loop)
    until(lambda: SIZE - 1 in upstream.starts(), 60)
    told.terminate()
    assert ended(told)
    row = run_row(run)
    assert (row["state"], row["attempt"], row["counts"]["read"]) == ("waiting", 0, SIZE)
    upstream.gates[SIZE - 1].set()
    assert execute(run)["counts"]["added"] == 60
    right(source, 60)


def test_a_source_that_hangs_holds_up_no_other_and_is_stopped_within_seconds(make, process):
    (slow, slow_source), (_, quick_source) = make(60), make(60)
    slow.gates[2 * SIZE - 1] = gate = threading.Event()
    hanging = new_run(slow_source)
    process(worker.loop)
    until(lambda: 2 * SIZE - 1 in slow.starts(), 60)
    quick = new_run(quick_source)
    until(lambda: run_row(quick)["state"] == "done", 60)
    assert run_row(hanging)["state"] == "running"
    sql(update(harvest_run).where(harvest_run.c.id == hanging).values(stop_asked=True))
    until(lambda: run_row(hanging)["state"] == "stopped", 15)
    gate.set()
    assert sql("select count(*) from mulu_harvest_record where source = :source", source=slow_source)[0]["count"] == 0
    right(quick_source, 60)


def test_a_source_that_dies_in_the_middle_is_taken_up_where_it_was(make):
    upstream, source = make(100)
    upstream.fail[2 * SIZE - 1] = Reply("<html><title>502</title></html>", type="text/html")
    run = new_run(source)
    row = execute(run, patient=True)
    assert (row["state"], row["counts"]["read"]) == ("waiting", 2 * SIZE) and "502" in row["error"]
    assert timedelta(seconds=30) < row["not_before"] - datetime.now(UTC) < timedelta(seconds=61)
    assert sql("select count(*) from mulu_harvest_record where source = :source", source=source)[0]["count"] == 0, "nothing of it is applied"
    upstream.fail.clear()
    upstream.server.asked.clear()
    assert execute(run)["counts"]["added"] == 100
    assert upstream.starts()[0] == 2 * SIZE - 1
    right(source, 100)


def test_a_source_that_is_another_after_the_break_is_read_anew(make):
    """What stood at the mark is gone: nobody knows any more what was before it."""
    upstream, source = make(100)
    upstream.fail[2 * SIZE - 1] = Reply("", 404, "text/plain")
    run = new_run(source)
    assert execute(run, patient=True)["counts"]["read"] == 2 * SIZE
    upstream.fail.clear()
    for number in (2 * SIZE - 1, 3):
        upstream.datasets.pop(f"{number:06d}-made-up")
    upstream.put(5, title="其间改了题名的名录")
    row = execute(run)
    assert {key: value for key, value in row["counts"].items() if value} == {"read": 98, "added": 98} and row["problems"] == []
    right(source, 98)


def test_answers_of_500_are_asked_for_again(make):
    upstream, source = make(50)
    broken = iter([Reply("{}", 500), Reply("{}", 503, headers={"Retry-After": "1"}), Reply('{"success": true, "res', cut=10)])
    answer = upstream.answer
    upstream.server.on(upstream.prefix + SEARCH, lambda request: next(broken, None) or answer(request))
    row = execute(new_run(source))
    assert (row["state"], row["counts"]["added"]) == ("done", 50)
    right(source, 50)


def test_postgresql_gone_in_the_middle(make, services, process):
    """A run in a process of its own, as a worker's: it waits for the database and goes on by itself."""
    _, source = make(400)
    run = new_run(source)
    loader = process(execute, run)
    until(lambda: done_steps(run) > 0, 90)
    model.Session.remove()
    services.rpc.stopProcess("postgres")
    time.sleep(4)
    assert loader.is_alive(), "it waits"
    services.services.start("postgres")
    services.services.wait("postgres", lambda: postgres_ready(services.url), 60)
    until(lambda: run_row(run)["state"] == "done", 90)
    row = run_row(run)
    assert (row["attempt"], row["counts"]["read"], row["counts"]["added"], row["counts"]["refused"]) == (1, 400, 400, 0)
    assert ended(loader)
    right(source, 400)


def test_solr_gone_in_the_middle(make, services, process):
    """What is loaded meanwhile is in, and found once the index is mended, which happens by itself."""
    _, source = make(300)
    run = new_run(source)
    loader = process(execute, run)
    until(lambda: done_steps(run) > 0, 90)
    services.rpc.stopProcess("solr")
    try:
        until(lambda: run_row(run)["state"] == "done", 120)
    finally:
        services.services.start("solr")
        services.services.wait("solr", lambda: http_ready(f"{services.settings.solr_url('test')}/select?q=*:*&rows=0"), 90)
    assert ended(loader)
    row = run_row(run)
    assert (row["counts"]["added"], row["counts"]["refused"]) == (300, 0)
    right(source, 300)


class _Stack:
    """The services of this test run's own stack, found by its ini file."""

    def __init__(self, ini):
        self.settings = Settings.read({**os.environ, "MULU_VAR": str(Path(ini).parent)})
        self.services = Services(self.settings)
        self.rpc = self.services._rpc
        self.url = self.settings.admin_url()


@pytest.fixture
def services(ckan_config):
    stack = _Stack(ckan_config["__file__"])
    if not {"postgres", "solr"} <= stack.services.running():
        pytest.skip("PostgreSQL and Solr are not this stack's own to stop")
    yield stack
    for name in ("postgres", "solr"):
        if name not in stack.services.running():
            stack.services.start(name)
    stack.services.wait("postgres", lambda: postgres_ready(stack.url), 60)


def test_the_command_and_two_of_it_at_once_take_one_run_once(make, ckan_config):
    upstream, source = make(60)
    upstream.gates[SIZE - 1] = threading.Event()
    run = new_run(source)
    command = [str(CKAN), "-c", ckan_config["__file__"], "mulu", "harvest", "work", "--once"]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
    try:
        until(lambda: SIZE - 1 in upstream.starts(), 90)
        until(lambda: any(one.poll() is not None for one in both), 90)
        assert run_row(run)["state"] == "running", "the second finds nothing to do"
        upstream.gates[SIZE - 1].set()
        assert [one.wait(90) for one in both] == [0, 0]
    finally:
        for one in both:
            one.kill()
    assert run_row(run)["attempt"] == 1 and upstream.starts().count(0) == 1
    right(source, 60)
