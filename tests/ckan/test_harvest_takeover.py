"""A worker that was frozen wakes when others have long gone on with its run, and with the next: it writes nothing."""

from __future__ import annotations

import threading
import uuid

import pytest
from ckan import model
from running import lapse, new_run, new_source, run_row, sql, until
from sqlalchemy import select, text
from upstream import Upstream

from ckanext.mulu import entries
from ckanext.mulu.harvest import leases, load
from ckanext.mulu.harvest.catalogue import PortalCatalogue
from ckanext.mulu.harvest.execute import execute
from ckanext.mulu.model.tables import harvest_record
from mulu_harvest.port import Interrupted
from mulu_harvest.source import parse

WAITS = "select count(*) as n from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())"


@pytest.fixture(scope="module")
def server():
    from server import serving

    with serving() as server:
        yield server


@pytest.fixture
def upstream(town, server):
    return Upstream(server, 3, f"/{uuid.uuid4().hex[:8]}")


def titles(source):
    model.Session.rollback()
    rows = sql(select(harvest_record.c.package_id).where(harvest_record.c.source == source).order_by(harvest_record.c.source_id))
    return [entries.show(row["package_id"])["title"] for row in rows]


def written():
    """What a load could leave: (how many entries, when one was last changed, how many cases and events)."""
    return sql(
        "select (select count(*) from package) as entries, (select max(metadata_modified) from package) as changed,"
        " (select count(*) from mulu_case) as cases, (select count(*) from mulu_case_event) as events"
    )


@pytest.mark.parametrize("part", ["apply", "refresh"])
def test_what_others_loaded_meanwhile_stays(upstream, monkeypatch, part):
    """A is held before it writes; B takes the run over and ends it, a newer run brings newer words; then A wakes."""
    source = new_source(**upstream.settings())
    if part == "refresh":  # only the day of the data moves
        execute(new_run(source))
        for number in range(3):
            upstream.put(number, data_updated_on="2025-03-01")
    run, asleep, before = new_run(source), getattr(PortalCatalogue, part), {}

    def frozen(self, *given):
        monkeypatch.setattr(PortalCatalogue, part, asleep)
        lapse(run)
        assert execute(run)["state"] == "done"  # B
        for number in range(3):
            upstream.put(number, title=f"新的名称{number}")  # and no day of the data any more
        assert execute(new_run(source))["counts"]["changed"] == 3
        before.update(titles=titles(source), written=written(), row=run_row(run))
        return asleep(self, *given)

    monkeypatch.setattr(PortalCatalogue, part, frozen)
    execute(run)
    assert before["titles"] == [f"新的名称{number}" for number in range(3)]
    assert {"titles": titles(source), "written": written(), "row": run_row(run)} == before
    assert execute(new_run(source))["counts"]["unchanged"] == 3


def test_who_waits_behind_the_successor_is_refused(upstream):
    """The run is asked about once the others are through, not before."""
    source = new_source(**upstream.settings())
    run = new_run(source)
    first = leases.claim(run)
    catalogue = PortalCatalogue(parse(source, upstream.settings()), first)
    told = []

    def wake():
        try:
            catalogue.apply([load.Task("1", "create", {"title": "某县名录", "provider": "minzheng"})])
        except Interrupted as error:
            told.append(error)

    late = threading.Thread(target=wake)
    before = written()
    with model.meta.engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(hashtext('mulu:import'))"))
        late.start()
        until(lambda: sql(WAITS)[0]["n"], 30)
        lapse(run)
        assert leases.claim(run) != first
    late.join(30)
    assert len(told) == 1 and written() == before


def test_who_has_the_run_writes_while_its_lease_is_lengthened(upstream):
    """The run's row is free meanwhile, or the lease would lapse in a long load."""
    source = new_source(**upstream.settings())
    lease = leases.claim(new_run(source))
    with leases.Heartbeat(lease, beat=0.05) as beat:
        model.Session.rollback()
        leases.require(lease)
        until_before = run_row(lease.run)["lease_until"]
        until(lambda: run_row(lease.run)["lease_until"] > until_before)
        model.Session.rollback()
    assert not beat.why
    leases.end(lease, "done")
    with pytest.raises(Interrupted):
        leases.require(lease)
    model.Session.rollback()
