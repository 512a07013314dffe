"""Sources and runs in the tables, for tests of the engine on the real database. Everything in them is made up."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta

from ckan import model
from sqlalchemy import insert, select, text, update

from ckanext.mulu.model.tables import harvest_run, harvest_source


def sql(statement, **values):
    with model.meta.engine.begin() as connection:
        done = connection.execute(text(statement) if isinstance(statement, str) else statement, values)
        return done.mappings().all() if done.returns_rows else done.rowcount


def new_source(name="", **settings):
    name = name or f"s{uuid.uuid4().hex[:8]}"
    now = datetime.now(UTC)
    row = {"name": name, "settings": settings, "enabled": True, "validators": {}, "created_at": now, "changed_at": now, "changed_by": "test"}
    sql(insert(harvest_source).values(**row))
    return name


def new_run(name, state="waiting", **more):
    now, key = datetime.now(UTC), str(uuid.uuid4())
    settings = sql(select(harvest_source.c.settings).where(harvest_source.c.name == name))[0]["settings"]
    row = {"id": key, "source": name, "state": state, "dry_run": False, "cause": "person", "asked_by": "test", "asked_at": now, "not_before": now}
    sql(insert(harvest_run).values(**row | {"settings": settings} | more))
    return key


def run_row(key):
    return sql(select(harvest_run).where(harvest_run.c.id == key))[0]


def lapse(key, minutes=0.1):
    sql(update(harvest_run).where(harvest_run.c.id == key).values(lease_until=datetime.now(UTC) - timedelta(minutes=minutes)))


def until(true, seconds=5.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "in vain"
        time.sleep(0.02)
