"""The day on which data were delivered: told by the source, shown everywhere, no change of what was decided."""

from __future__ import annotations

import json

from ckan import model

from ckanext.mulu import drift, snapshot
from ckanext.mulu.harvest.catalogue import PortalCatalogue
from mulu_harvest.source import parse


def told(town, package):
    feed = town.request("anonymous", "/mulu/feed").get_data(as_text=True)
    inside = [one["entry"].get("data_updated_on") for one in json.loads(feed)["entries"] if one["id"] == package["id"]]
    line = [one.get("data_updated_on") for one in snapshot.published() if one["id"] == package["id"]]
    return [town.seen(package["id"]).get("data_updated_on"), *inside, *line]


def test_a_delivery_is_told_on_the_page_in_the_feed_and_in_the_snapshot(town):
    package = town.published("按月更新的名录", data_updated_on="2025-03-01")
    assert told(town, package) == ["2025-03-01"] * 3
    tag = town.request("anonymous", "/mulu/feed").headers["ETag"]
    source = parse("county", {"title": "某县（虚构）", "publisher": "某县（虚构）", "reader": "ckan", "url": "https://county.example"})
    PortalCatalogue(source).refresh({package["id"]: ("2025-03-01", "2025-04-01")})
    model.Session.rollback()
    assert told(town, package) == ["2025-04-01"] * 3
    assert town.request("anonymous", "/mulu/feed").headers["ETag"] != tag
    assert not any(drift.compare().values())


def test_a_day_that_was_changed_here_stays(town):
    package = town.published("在本平台改过日期的名录", data_updated_on="2025-05-05")
    source = parse("county", {"title": "某县（虚构）", "publisher": "某县（虚构）", "reader": "ckan", "url": "https://county.example"})
    PortalCatalogue(source).refresh({package["id"]: ("2025-03-01", "2025-04-01")})
    model.Session.rollback()
    assert told(town, package) == ["2025-05-05"] * 3
