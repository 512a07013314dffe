"""Days in the snapshot are China's: what is published before eight in the morning there is not of the day before."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

from ckan import model

from ckanext.mulu import snapshot
from ckanext.mulu.model import versions

EARLY = datetime(2026, 3, 1, 23, 10, tzinfo=UTC)
"""Ten past seven on 2 March in China."""


def test_what_is_published_early_in_the_morning_is_of_that_day(town):
    entry = town.published("清晨发布的条目")
    with town.app.flask_app.test_request_context():
        rows = [SimpleNamespace(**{**row._mapping, "published_at": EARLY}) for row in versions.of_entries([entry["id"]])[entry["id"]]]
        line = snapshot._line(model.Package.get(entry["id"]), rows, {}, False)
        header = snapshot.header(False)
    assert line["published_at"] == line["history"][0]["published_at"] == "2026-03-02T07:10:00+08:00"
    assert line["class_decision"]["on"] == "2026-03-02"
    assert header["generated_at"].endswith("+08:00")
