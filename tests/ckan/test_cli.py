"""``ckan mulu …``: snapshot, seed-demo, tick, drift."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from ckan import model
from ckan.tests.helpers import CKANCliRunner
from sqlalchemy import func, select, text

from ckanext.mulu import snapshot
from ckanext.mulu.cli import mulu
from ckanext.mulu.model.tables import case_event, outbox
from ckanext.mulu.notices import clockwork
from mulu_site.snapshot import open_snapshot


def run(*args: str, **more):
    done = CKANCliRunner().invoke(mulu, list(args), **more)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


@pytest.fixture(scope="module")
def file(town, tmp_path_factory):
    public = town.published(
        "城市公园名录", resources=[{"name": "名录", "url": "https://example.com/parks.csv", "format": "CSV"}]
    )
    town.do("editor", "package_patch", id=public["id"], title="不该出现的新题名")
    town.draft("不该出现的草稿")
    file = tmp_path_factory.mktemp("snapshot") / "snapshot.jsonl"
    assert run("snapshot", str(file)).output.strip() == "1 条"
    return file


def test_a_snapshot_holds_what_is_published_and_nothing_else(file):
    written = file.read_text("utf-8")
    lines = [json.loads(line) for line in written.splitlines()]
    assert (lines[0]["mulu_snapshot"], lines[0]["profile"], lines[-1]["count"]) == (1, "huarong", 1)
    assert "不该出现" not in written
    [entry] = lines[1:-1]
    assert (entry["title"], entry["provider"], entry["provider_title"], entry["version"]) == (
        "城市公园名录",
        "minzheng",
        "机构minzheng",
        1,
    )
    assert entry["resources"][0]["url"] == "https://example.com/parks.csv"
    assert [one["summary"] for one in entry["history"]] == ["首次发布"]
    assert {"name": "minzheng", "title": "机构minzheng"}.items() <= next(
        d for d in lines[0]["departments"] if d["name"] == "minzheng"
    ).items()


def test_the_site_reads_the_snapshot(file):
    read = open_snapshot(file)
    assert [line.entry()["title"] for line in read.lines()] == ["城市公园名录"]
    assert read.header["place"] == "华容县"


def test_people_are_not_named_in_a_snapshot(file, town):
    written = file.read_text("utf-8")
    assert not [user["fullname"] for user in town.users.values() if user["fullname"] in written]


def test_nothing_is_left_of_a_snapshot_that_fails(town, file, tmp_path):
    with pytest.raises(OSError):
        snapshot.write(tmp_path / "no-such-folder" / "x.jsonl")
    before = file.read_bytes()
    model.Session.execute(text("alter table mulu_entry_version rename to mulu_gone"))
    try:
        with pytest.raises(Exception, match="mulu_entry_version"):
            snapshot.write(file)
    finally:
        model.Session.rollback()
    assert file.read_bytes() == before


def test_tick_reminds_once_and_marks_what_is_late(town):
    case = town.draft("逾期的更新")["mulu_case"]
    town.event("editor", case, "edit", cause="law", cause_on=datetime.now(UTC).date().isoformat())
    due = town.do("editor", "mulu_case_show", id=case)
    assert due["due_on"] and due["days_left"] > 0
    due_on = datetime.fromisoformat(due["due_on"]).replace(hour=4, tzinfo=UTC)
    for moment, stepped in [
        (due_on - timedelta(days=1), True),
        (due_on + timedelta(days=30), True),
        (due_on + timedelta(days=30), False),
    ]:
        assert (clockwork.let_time_pass(moment)[0] > 0) is stepped
    listed = town.do("editor", "mulu_case_show", id=case)
    assert listed["overdue"] is True
    told = model.Session.execute(select(outbox.c.template).where(outbox.c.case_id == case)).scalars().all()
    assert {"reminder", "overdue", "escalation"} <= set(told)
    assert run("tick").output.strip().endswith("步")


def test_seed_demo_is_made_once_and_every_role_can_log_in(town):
    first = json.loads(run("seed-demo").output)
    again = json.loads(run("seed-demo").output)
    roles = {
        "operator", "authority", "authority_head", "provider_editor", "provider_head", "consumer", "consumer_head",
        "higher_authority", "citizen", "enterprise", "auditor",
    }  # fmt: skip
    assert set(first["users"]) == set(again["users"]) == roles
    assert {user["name"] for user in first["users"].values()} == {user["name"] for user in again["users"].values()}
    for role, user in again["users"].items():
        town.tokens[f"demo {role}"] = user["token"]
        town.do(f"demo {role}", "mulu_inbox")
        assert model.User.get(user["name"]).validate_password(user["password"]), role
    assert len({user["password"] for user in again["users"].values()}) == len(roles)
    made = town.draft("演示编目员的条目", who="demo provider_editor", department=next(iter(again["departments"])))
    assert made["mulu_status"] == "draft"


def test_drift_and_reindex(town):
    assert run("drift").exit_code == 0
    assert run("reindex").output.strip() == "0 条"


def test_no_event_was_lost_or_doubled(town):
    counted = (
        select(case_event.c.case_id, case_event.c.seq, func.count())
        .group_by(case_event.c.case_id, case_event.c.seq)
        .having(func.count() > 1)
    )
    assert model.Session.execute(counted).all() == []
    assert run("verify-chain").exit_code == 0
