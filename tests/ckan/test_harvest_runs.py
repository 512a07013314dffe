"""Whole runs on the real services: from a CKAN on the loopback into this one, again and again."""

from __future__ import annotations

import json

import pytest
from ckan import model
from running import new_run, new_source, sql
from sqlalchemy import select, update
from upstream import Reply, Upstream

from ckanext.mulu import drift, entries
from ckanext.mulu.harvest.execute import Busy, execute
from ckanext.mulu.model.tables import harvest_record, harvest_run, harvest_source, harvest_step

NO_DRIFT = {"missing": [], "ghosts": [], "stale": []}


@pytest.fixture(scope="module")
def server():
    from server import serving

    with serving() as server:
        yield server


@pytest.fixture
def upstream(town, server):
    return Upstream(server, 25)


@pytest.fixture
def source(upstream):
    return new_source(**upstream.settings())


def harvest(source, **more):
    row = execute(new_run(source, **more))
    model.Session.rollback()
    return row


def counts(row):
    return {key: value for key, value in row["counts"].items() if value}


def packages(source):
    """The source's entries in the catalogue: id → package."""
    rows = sql(select(harvest_record.c.source_id, harvest_record.c.package_id).where(harvest_record.c.source == source))
    return {row["source_id"]: entries.show(row["package_id"]) for row in rows if row["package_id"]}


def change(source, **settings):
    kept = sql(select(harvest_source.c.settings).where(harvest_source.c.name == source))[0]["settings"]
    sql(update(harvest_source).where(harvest_source.c.name == source).values(settings=kept | settings))


def steps(run):
    return sql(select(harvest_step).where(harvest_step.c.run == run["id"]).order_by(harvest_step.c.seq))


def test_in_changed_gone_and_back(upstream, source):
    first = harvest(source)
    assert (first["state"], first["phase"], first["error"], counts(first)) == ("done", "loading", "", {"read": 25, "added": 25})
    assert first["seconds"] > 0 and first["finished_at"] and first["lease_until"] is None
    before = packages(source)
    assert len(before) == 25 and {package["state"] for package in before.values()} == {"active"}
    assert counts(harvest(source)) == {"read": 25, "unchanged": 25}

    upstream.put(3, title="改了题名的名录")
    gone = upstream.datasets.pop("000007-made-up")
    upstream.put(25)
    assert counts(harvest(source)) == {"read": 25, "added": 1, "changed": 1, "unchanged": 23, "removed": 1}
    now = packages(source)
    assert now["000003-made-up"]["title"] == "改了题名的名录" and now["000007-made-up"]["state"] == "deleted"
    assert {key: package["id"] for key, package in now.items() if key in before} == {key: package["id"] for key, package in before.items()}

    upstream.datasets["000007-made-up"] = gone
    assert counts(harvest(source)) == {"read": 26, "restored": 1, "unchanged": 25}
    back = packages(source)["000007-made-up"]
    assert (back["state"], back["id"], back["resource_code"]) == ("active", before["000007-made-up"]["id"], before["000007-made-up"]["resource_code"])
    assert counts(harvest(source)) == {"read": 26, "unchanged": 26}
    assert drift.compare() == NO_DRIFT


def test_what_comes_back_less_open_is_not_asked_about(upstream, source):
    """Nobody sees what is out of the catalogue; what is in it and is opened less waits for a person."""
    harvest(source)
    upstream.datasets.pop("000007-made-up")
    assert counts(harvest(source)) == {"read": 24, "unchanged": 24, "removed": 1}
    upstream.put(7, open_type="none")
    row = harvest(source)
    assert (row["state"], counts(row)) == ("done", {"read": 25, "unchanged": 24, "restored": 1})
    upstream.put(8, open_type="none")
    assert [reason["rule"] for reason in harvest(source, dry_run=True)["reasons"]] == ["closed"]


def test_a_dry_run_writes_nothing(upstream, source):
    row = harvest(source, dry_run=True)
    assert (row["state"], counts(row)) == ("done", {"read": 25, "added": 25})
    assert packages(source) == {} and len(steps(row)) == 25
    assert sql(select(harvest_source.c.succeeded_at).where(harvest_source.c.name == source))[0]["succeeded_at"] is None


def test_held_applied_and_what_people_are_told(upstream, source):
    harvest(source)
    for number in range(5):
        upstream.datasets.pop(f"{number:06d}-made-up")
    row = harvest(source)
    assert (row["state"], counts(row)) == ("held", {"read": 20, "unchanged": 20, "removed": 5, "held": 5})
    assert [reason["rule"] for reason in row["reasons"]] == ["too_many_removed"]
    assert {package["state"] for package in packages(source).values()} == {"active"}
    [case] = sql("select body from mulu_case where procedure = 'harvest_check' and is_open")
    assert case["body"]["data"]["run"] == row["id"]
    with pytest.raises(Busy):
        execute(row["id"])
    sql(update(harvest_run).where(harvest_run.c.id == row["id"]).values(state="waiting"))
    done = execute(row["id"])
    assert (done["state"], counts(done)) == ("done", {"read": 20, "unchanged": 20, "removed": 5})
    assert sum(package["state"] == "deleted" for package in packages(source).values()) == 5


def test_edits_made_here_survive(upstream, source, town):
    harvest(source)
    package = packages(source)["000003-made-up"]
    town.do("editor", "package_patch", id=package["id"], notes="本部门改写的摘要。", contact="0730-1234567")
    upstream.put(3, notes="来源改写的摘要。", title="来源改的题名")
    row = harvest(source)
    now = packages(source)["000003-made-up"]
    assert (now["notes"], now["title"], now["contact"]) == ("本部门改写的摘要。", "来源改的题名", "0730-1234567")
    assert {one["field"]: one["local"] for one in steps(row)[0]["changes"]} == {"title": "", "notes": "kept"}
    change(source, local_edits="overwrite")
    upstream.put(3, notes="来源再改写的摘要。", title="来源改的题名")
    harvest(source)
    assert packages(source)["000003-made-up"]["notes"] == "来源再改写的摘要。"


def test_a_bad_record_waits_and_the_rest_go_in(upstream, source):
    upstream.put(3, title="")
    upstream.put(4, organization={"name": "nobody", "title": "没有这个局"})
    row = harvest(source)
    assert (row["state"], counts(row)) == ("done", {"read": 25, "added": 23, "refused": 2})
    bad = sql(select(harvest_record).where(harvest_record.c.source == source, harvest_record.c.state == "quarantined"))
    assert {one["source_id"]: (one["problems"][0]["rule"], one["tries"]) for one in bad} == {
        "000003-made-up": ("required", 1), "000004-made-up": ("unknown_department", 1),
    }  # fmt: skip
    assert all(one["where"] for one in bad)
    upstream.put(3)
    change(source, organization="minzheng")
    assert counts(harvest(source)) == {"read": 25, "added": 2, "unchanged": 23}


def test_departments_are_made(upstream, source):
    for number in (3, 4):
        upstream.put(number, organization={"name": "lianghu", "title": "某县粮食和物资储备局"})
    change(source, create_departments=True)
    assert counts(harvest(source)) == {"read": 25, "added": 25}
    assert packages(source)["000004-made-up"]["organization"]["title"] == "某县粮食和物资储备局"
    assert model.Group.by_name("lianghu").title == "某县粮食和物资储备局"


def test_the_day_of_the_data_follows_quietly(upstream, source):
    harvest(source)
    upstream.put(3, data_updated_on="2025-06-01")
    assert counts(harvest(source)) == {"read": 25, "unchanged": 25}
    assert packages(source)["000003-made-up"]["data_updated_on"] == "2025-06-01"
    assert drift.compare() == NO_DRIFT
    assert counts(harvest(source)) == {"read": 25, "unchanged": 25}


HTML = Reply("<html><title>系统维护</title><body>请稍后</body></html>", type="text/html")


@pytest.mark.parametrize(
    ("fail", "said"),
    [(HTML, "系统维护"), (Reply('{"success": false, "error": {"message": "没有权限"}}'), "没有权限"), (Reply("{\"success\": tru"), "JSON"), (Reply("", 404, "text/plain"), "404")],
    ids=["html", "refused", "garbage", "404"],
)  # fmt: skip
def test_a_source_that_sends_something_else_fails_with_a_sentence(upstream, source, fail, said):
    harvest(source)
    upstream.fail[0] = fail
    row = harvest(source)
    assert row["state"] == "failed" and said in row["error"] and "上游平台（虚构）" in row["error"]
    assert {package["state"] for package in packages(source).values()} == {"active"}, "nothing is taken for removed"
    upstream.fail.clear()
    assert counts(harvest(source)) == {"read": 25, "unchanged": 25}


def test_settings_that_are_wrong_fail_with_all_problems(town):
    row = execute(new_run(new_source(title="甲", reader="soap", removed="maybe")))
    assert row["state"] == "failed" and "reader" in row["error"] and "removed" in row["error"]


def test_unchanged_by_its_validators_is_done_without_a_body(town, server):
    rows = [{"id": str(n), "name": f"条目{n}", "dept": "机构minzheng"} for n in range(5)]
    server.on("/list.json", Reply(json.dumps(rows), etag='"1"'))
    settings = {
        "title": "列表（虚构）", "publisher": "某县（虚构）", "reader": "portal", "url": f"{server.url}/list.json", "pace": 100.0,
        "fields": {"title": "name"}, "identity": "id", "department": "dept",
    }  # fmt: skip
    source = new_source(**settings)
    assert counts(harvest(source)) == {"read": 5, "added": 5}
    sent = server.sent
    assert counts(harvest(source)) == {"read": 5, "unchanged": 5}
    assert server.sent - sent < 100, "no body but that of robots.txt"
    change(source, empty=["条目3"])
    assert counts(harvest(source))["read"] == 5 and server.sent - sent > 100, "under other settings the same words may mean something else"


def test_what_was_not_done_is_emptied_and_what_was_done_stays(upstream, source, monkeypatch):
    from ckanext.mulu.harvest import execute as module

    monkeypatch.setattr(module, "KEPT_RUNS", 1)
    monkeypatch.setattr(module, "KEPT_DRY_RUNS", 1)
    dry = harvest(source, dry_run=True)
    assert all(step["entry"] for step in steps(dry))
    first = harvest(source)
    assert all(step["entry"] is None for step in steps(dry)) and len(steps(dry)) == len(steps(first)) == 25
    for _ in range(2):
        harvest(source)
    assert len(steps(dry)) == len(steps(first)) == 25, "what was done is the change log"
    harvest(source, dry_run=True)
    assert steps(dry) == []
