"""History is not edited: the database refuses, and whoever switches that off is found out by the chain."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ckan import model
from ckan.tests.helpers import CKANCliRunner
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ckanext.mulu import cases, entries
from ckanext.mulu.model import history
from mulu.profile import build

APPEND_ONLY = (
    "mulu_case_event", "mulu_entry_version", "mulu_resource_code", "mulu_procedure_version", "mulu_profile_version", "mulu_source", "mulu_use",
)  # fmt: skip
FORBIDDEN = ("delete from {}", "truncate {}", "update {} set {} = {}")
COLUMN = {
    "mulu_case_event": "at",
    "mulu_entry_version": "summary",
    "mulu_resource_code": "prefix",
    "mulu_procedure_version": "procedure",
    "mulu_profile_version": "profile",
    "mulu_source": "item",
    "mulu_use": "how",
}


@pytest.fixture(scope="module")
def case(town):
    public = town.published("行政区划代码")
    return town.do("citizen", "mulu_entry_history", id=public["id"])[0]["case_id"]


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_database_refuses(case, table, statement):
    column = COLUMN[table]
    with pytest.raises(DBAPIError, match="append-only"):
        model.Session.execute(text(statement.format(table, column, column)))
    model.Session.rollback()


def test_the_chain_holds(case):
    assert list(history.broken()) == []
    events = history.events(case)
    assert [event["seq"] for event in events] == [1, 2, 3, 4]
    assert [event["event"] for event in events] == ["open", "submit", "head_agree", "publish"]


TAMPERING = {
    "a reason changed": (
        "update mulu_case_event set body = jsonb_set(body, '{actor_name}', '\"别人\"') where case_id = :id and seq = 3",
        "第 3 条",
    ),
    "an event taken out": ("delete from mulu_case_event where case_id = :id and seq = 2", "第 2 条"),
    "the last event taken out": ("delete from mulu_case_event where case_id = :id and seq = 4", "应有 4 条"),
    "an event put in": (
        "insert into mulu_case_event (case_id, seq, at, body, previous, hash) "
        "select case_id, 5, at, body, hash, hash from mulu_case_event where case_id = :id and seq = 4",
        "第 5 条",
    ),
    "two changed places": (
        "update mulu_case_event set seq = case seq when 1 then 12 when 2 then 1 end where case_id = :id and seq < 3",
        "第",
    ),
}


@pytest.mark.parametrize("tampering", TAMPERING)
def test_whoever_switches_the_trigger_off_is_found_out(case, tampering):
    statement, told = TAMPERING[tampering]
    try:
        model.Session.execute(text("alter table mulu_case_event disable trigger all"))
        model.Session.execute(text(statement), {"id": case})
        found = list(history.broken())
    finally:
        model.Session.rollback()
    assert any(case in line and told in line for line in found), found
    assert list(history.broken()) == []


def test_verify_chain_says_so_and_fails(town, case, monkeypatch):
    runner = CKANCliRunner()
    fine = runner.invoke(_mulu(), ["verify-chain"])
    assert (fine.exit_code, fine.output.strip()) == (0, "校验链完整")
    model.Session.execute(text("alter table mulu_case_event disable trigger all"))
    model.Session.execute(
        text('update mulu_case_event set body = body || \'{"reason": "改过"}\' where case_id = :id and seq = 1'),
        {"id": case},
    )
    model.Session.commit()
    try:
        broken = runner.invoke(_mulu(), ["verify-chain"])
        assert broken.exit_code == 1
        assert case in broken.output
    finally:
        model.Session.execute(
            text('update mulu_case_event set body = body || \'{"reason": ""}\' where case_id = :id and seq = 1'),
            {"id": case},
        )
        model.Session.execute(text("alter table mulu_case_event enable trigger all"))
        model.Session.commit()
    assert list(history.broken()) == []


def test_what_is_stored_is_what_is_hashed(case):
    for event in history.events(case):
        assert event == json.loads(json.dumps(event))


def _mulu():
    from ckanext.mulu.cli import mulu

    return mulu


def test_a_case_goes_on_under_the_rules_of_its_first_day(town, monkeypatch):
    case = cases.get(town.draft("规则会变的条目")["mulu_case"])
    now = entries.profile()
    later = build([*now.source["layers"], {"id": now.id, "regulation": now.regulation_id, "authority": {"name": "新", "article": "guojia-2025 第八条"},
                   "higher_authority": {"name": "新", "article": "guojia-2025 第八条"}, "platform": {"name": "新", "article": "guojia-2025 第八条"},
                   "name": now.name, "level": now.level}])  # fmt: skip
    monkeypatch.setattr(entries, "profile", lambda: later)
    assert cases.profile_of(case).version == now.version
    assert cases.profile_of(case).authority_name == now.authority_name
    older = replace(case, profile_version="from before rules were kept")
    assert cases.profile_of(older).authority_name == "新"
