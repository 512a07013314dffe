"""Three crawls of one city, one after the other, on the real portal: what is new comes in, nothing else changes."""

from __future__ import annotations

from pathlib import Path

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from running import new_run, new_source, sql
from sqlalchemy import select, update

from ckanext.mulu import drift
from ckanext.mulu.harvest.execute import execute
from ckanext.mulu.model.tables import harvest_source
from mulu_harvest.source import load_source, to_settings

PORTALS = Path(__file__).resolve().parents[3] / "shared" / "data" / "portals"
NO_DRIFT: dict[str, list[str]] = {"missing": [], "ghosts": [], "stale": []}


@pytest.mark.skipif(not PORTALS.is_dir(), reason="the real portals' lists are not here")
def test_three_crawls_of_one_city(town, tmp_path):
    tk.config["mulu.harvest_folders"] = str(PORTALS)
    settings = to_settings(load_source("suzhou")) | {"create_departments": True}
    name, found = new_source("suzhou", **settings), []
    for number in (1, 2, 3):
        changed = settings | {"file": f"anhui_suzhou.{number}.json"}
        sql(update(harvest_source).where(harvest_source.c.name == name).values(settings=changed))
        row = execute(new_run(name))
        assert (row["state"], row["error"]) == ("done", "")
        found.append({key: count for key, count in row["counts"].items() if count})
        assert drift.compare() == NO_DRIFT
    assert found == [{"read": 522, "repeated": 2, "added": 522}, {"read": 524, "unchanged": 522, "added": 2}, {"read": 524, "unchanged": 524}]
    package = model.package_table
    owners = select(model.group_table.c.title).join(package, package.c.owner_org == model.group_table.c.id)
    titles = set(model.Session.execute(owners.where(package.c.state == "active").distinct()).scalars())
    assert len(titles) == 17 and all("宿州" in title for title in titles), titles
