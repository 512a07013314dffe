"""Sources and runs by API: who may do what, what is refused and how it is told; the case that a held or failed run opens."""

from __future__ import annotations

from datetime import datetime, timedelta

import ckan.plugins.toolkit as tk
import harvesting
import pytest
from ckan import model
from harvesting import SETTINGS, run_of, steps_of
from sqlalchemy import insert, null, select, update
from upstream import Reply, serving

from ckanext.mulu import cases, finders
from ckanext.mulu.harvest import hooks
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.model.tables import harvest_record, harvest_run, harvest_source, harvest_step, outbox
from ckanext.mulu.notices import outbox as sending
from mulu.case import SHANGHAI

EVERYBODY = ("editor", "head", "other_editor", "other_head", "authority", "authority_head", "auditor", "higher", "citizen", "member", "sysadmin")
MANAGERS = {"authority", "authority_head", "sysadmin"}
READERS = MANAGERS | {"auditor", "higher", "editor", "head", "other_editor", "other_head"}
OWN = MANAGERS | {"auditor", "editor", "head"}
"""minzheng's people see a source whose entries are minzheng's."""


@pytest.fixture
def source(town):
    harvesting.forget()
    return town.do("authority", "mulu_harvest_source_create", name="school-list", settings=SETTINGS | {"organization": "minzheng"})


def status(town, who, action, **data):
    return town.request(who, f"/api/3/action/{action}", data).status_code


READS = {
    "mulu_harvest_source_show": lambda run: {"name": "school-list"}, "mulu_harvest_run_list": lambda run: {"name": "school-list"},
    "mulu_harvest_run_show": lambda run: {"id": run}, "mulu_harvest_step_list": lambda run: {"run": run},
    "mulu_harvest_problem_list": lambda run: {"name": "school-list"},
}  # fmt: skip


@pytest.mark.parametrize("action", READS)
def test_who_sees_a_source_and_its_runs(town, source, action):
    data = READS[action](run_of("school-list", "done"))
    answers = {who: status(town, who, action, **data) for who in (*EVERYBODY, "anonymous")}
    expected = {who: 200 if who in OWN else 404 if who in READERS else 403 for who in answers}
    assert answers == expected
    assert status(town, "authority", action, **dict.fromkeys(data, "nowhere")) == 404


def test_a_list_has_what_this_person_may_see(town, source):
    town.do("authority", "mulu_harvest_source_create", name="other-list", settings=SETTINGS)
    seen = {who: {one["name"] for one in town.do(who, "mulu_harvest_source_list")} for who in READERS}
    both = {"school-list", "other-list"}
    assert seen == {who: both if who in MANAGERS | {"auditor"} else {"school-list"} if who in OWN else set() for who in READERS}
    assert status(town, "citizen", "mulu_harvest_source_list") == 403


WRITES = {
    "mulu_harvest_source_create": {"name": "new-list", "settings": SETTINGS}, "mulu_harvest_source_update": {"name": "school-list", "settings": SETTINGS},
    "mulu_harvest_source_delete": {"name": "school-list"}, "mulu_harvest_run_create": {"name": "school-list"}, "mulu_harvest_run_stop": {"id": "x"},
    "mulu_harvest_preview": {"name": "x", "settings": {}},
}  # fmt: skip


@pytest.mark.parametrize("action", WRITES)
@pytest.mark.parametrize("who", [one for one in (*EVERYBODY, "anonymous") if one not in MANAGERS])
def test_only_the_authority_and_the_operator_manage(town, source, action, who):
    assert status(town, who, action, **WRITES[action]) == 403


@pytest.mark.parametrize("who", sorted(MANAGERS))
def test_a_manager_adds_changes_and_disables(town, source, who):
    made = town.do(who, "mulu_harvest_source_create", name="new-list", settings=SETTINGS | {"schedule": "30 2 * * *"})
    assert made["state"] == "new" and made["enabled"]
    assert datetime.fromisoformat(made["next_run_at"]).astimezone(SHANGHAI).strftime("%H:%M") == "02:30"
    changed = town.do(who, "mulu_harvest_source_update", name="new-list", settings=SETTINGS)
    assert changed["next_run_at"] is None and changed["settings"] == SETTINGS
    gone = town.do(who, "mulu_harvest_source_delete", name="new-list")
    assert (gone["state"], gone["enabled"]) == ("disabled", False)
    assert town.rules(who, "mulu_harvest_run_create", name="new-list") == {"disabled"}
    assert town.rules(who, "mulu_harvest_source_create", name="new-list", settings=SETTINGS) == {"name_taken"}
    assert town.do(who, "mulu_harvest_source_update", name="new-list", enabled=True)["state"] == "new"


def test_bad_settings_are_told_all_at_once_by_key(town, source):
    bad = {"title": "", "reader": "gopher", "url": "ftp://x", "schedule": "always", "expected": [5, 1], "arives": "draft", "arrives": "now"}
    for action, name in (("mulu_harvest_source_create", "Bad Name"), ("mulu_harvest_source_update", "school-list"), ("mulu_harvest_preview", "x")):
        told = town.refused("authority", action, name=name, settings=bad)["problems"]
        fields = {one["field"] for one in told}
        assert {"title", "reader", "url", "schedule", "expected", "arives", "arrives"} <= fields
        assert ("name" in fields) == (name == "Bad Name")
        assert all(one["message"] for one in told)
    told = town.refused("authority", "mulu_harvest_source_create", name="new-list", settings=SETTINGS | {"organization": "nowhere"})["problems"]
    assert [one["rule"] for one in told] == ["no_such_department"]
    assert town.refused("authority", "mulu_harvest_source_create", name="new-list", settings="[")


def test_only_the_authority_lets_entries_be_published_as_they_arrive(town, source):
    publish = SETTINGS | {"arrives": "publish"}
    assert status(town, "sysadmin", "mulu_harvest_source_create", name="new-list", settings=publish) == 403
    assert status(town, "sysadmin", "mulu_harvest_source_update", name="school-list", settings=publish) == 403
    made = town.do("authority", "mulu_harvest_source_create", name="new-list", settings=publish)
    assert made["may"] == {"manage": True, "publish": True, "change": True}
    assert town.do("sysadmin", "mulu_harvest_source_show", name="new-list")["may"] == {"manage": True, "publish": False, "change": False}
    elsewhere = publish | {"url": "https://other.example/list.json"}
    assert status(town, "sysadmin", "mulu_harvest_source_update", name="new-list", settings=elsewhere) == 403, "nor from where they come"
    assert town.do("sysadmin", "mulu_harvest_source_delete", name="new-list")["enabled"] is False
    for more in ({}, {"settings": publish}):
        assert status(town, "sysadmin", "mulu_harvest_source_update", name="new-list", enabled=True, **more) == 403, "nor once it was switched off"
    assert town.do("sysadmin", "mulu_harvest_source_show", name="new-list")["enabled"] is False
    offered = {who: 'value="enable"' in town.request(who, "/mulu/harvest/source/new-list").get_data(as_text=True) for who in MANAGERS}
    assert offered == {"authority": True, "authority_head": True, "sysadmin": False}
    assert town.do("authority", "mulu_harvest_source_update", name="new-list", enabled=True)["enabled"] is True
    assert town.do("sysadmin", "mulu_harvest_source_update", name="new-list", settings=SETTINGS)["arrives"] == "draft"


def test_a_sources_key_is_not_tried_at_an_address_of_somebody_else(town, source, monkeypatch):
    """A look at a source sends its key: who may not change it does not say where to, neither by its name nor by one like it."""
    monkeypatch.setenv("MULU_HARVEST_KEY_NEW_LIST", "hush")
    with serving() as elsewhere:
        elsewhere.on("/api/3/action/package_search", Reply('{"success": true, "result": {"count": 0, "results": []}}'))
        keyed = SETTINGS | {"arrives": "publish", "options": {"key_variable": "MULU_HARVEST_KEY_NEW_LIST"}}
        town.do("authority", "mulu_harvest_source_create", name="new-list", settings=keyed)
        sent = {**keyed, "url": elsewhere.url}
        for arrives in ("draft", "publish"):
            assert status(town, "sysadmin", "mulu_harvest_preview", name="new-list", settings=sent | {"arrives": arrives}) == 403
        assert town.rules("sysadmin", "mulu_harvest_preview", name="new_list", settings=sent | {"arrives": "draft"}) == {"name_taken"}
        assert elsewhere.asked == []
        town.do("authority", "mulu_harvest_preview", name="new-list", settings=sent)
        asked = [one for one in elsewhere.asked if one.path != "/robots.txt"]
        assert asked and all(one.headers["Authorization"] == "hush" for one in asked)


def test_no_two_sources_share_a_key(town, source):
    told = town.refused("authority", "mulu_harvest_source_create", name="school_list", settings=SETTINGS)["problems"]
    assert [(one["field"], one["rule"]) for one in told] == [("name", "name_taken")]
    assert "school-list" in told[0]["message"] and "MULU_HARVEST_KEY_SCHOOL_LIST" in told[0]["message"]
    town.do("authority", "mulu_harvest_source_delete", name="school-list")
    assert town.rules("authority", "mulu_harvest_source_create", name="school_list", settings=SETTINGS) == {"name_taken"}, "nor once it was switched off"


def test_keys_in_settings_are_for_those_who_manage(town, source):
    keyed = SETTINGS | {"url": "https://school.example/list?appkey=hush", "options": {"token": "hush"}, "organization": "minzheng"}
    town.do("authority", "mulu_harvest_source_update", name="school-list", settings=keyed)
    for who in sorted(OWN):
        shown = str([town.do(who, "mulu_harvest_source_show", name="school-list"), town.do(who, "mulu_harvest_source_list")])
        assert ("hush" in shown) == (who in MANAGERS), who
        assert "https://school.example/list?appkey=" in shown


def step(run, number, **more):
    """A step of a run, as the engine leaves it; ``entry`` is empty once loaded or dropped."""
    values = {"kind": "add", "state": "planned", "title": f"条目{number}", "provider": "", "entry": null(), "changes": [], "problems": [], "reasons": []}
    given = {"run": run, "source_id": f"id-{number}", "seq": number, "package_id": "", "case_id": "", "hash": "x", "where": f"第{number}条"}
    model.Session.execute(insert(harvest_step).values(**(values | given | more)))
    model.Session.commit()


def seen_steps(town, who, run):
    found = town.do(who, "mulu_harvest_step_list", run=run, limit=100)
    assert found["count"] == len(found["results"])
    return [int(one["source_id"].removeprefix("id-")) for one in found["results"]]


def test_a_department_sees_its_own_entries_of_a_source_that_brings_many(town, source):
    """Titles, values and differences of what another department has not published yet are not its business."""
    ours, other = town.draft("低保名册"), town.draft("学籍名册", who="other_editor", department="jiaoyu")
    titles = {name: town.do("authority", "organization_show", id=name)["title"] for name in ("minzheng", "jiaoyu")}
    moved = [{"field": "provider", "label": "提供方", "before": "jiaoyu", "after": "minzheng", "local": ""}]
    run = run_of("school-list", "held")
    mine = {
        1: {"entry": {"provider": "minzheng"}},
        2: {"kind": "change", "entry": {"provider": "minzheng"}, "package_id": ours["id"]},
        3: {"kind": "remove", "package_id": ours["id"], "provider": titles["minzheng"]},
        4: {"state": "done", "package_id": ours["id"]},
        5: {"provider": titles["minzheng"]},
        6: {"kind": "refuse", "state": "refused", "entry": {"provider": "minzheng"}},
    }
    not_mine = {
        11: {"entry": {"provider": "jiaoyu"}},
        12: {"kind": "change", "entry": {"provider": "minzheng"}, "package_id": other["id"], "changes": moved},
        13: {"kind": "change", "entry": {"provider": "jiaoyu"}, "package_id": ours["id"]},
        14: {"kind": "remove", "package_id": other["id"], "provider": titles["minzheng"]},
        15: {"state": "done", "package_id": other["id"]},
        16: {"provider": titles["jiaoyu"]},
        17: {"provider": "没有这个局"},
        18: {"kind": "refuse", "state": "refused", "entry": {}},
        19: {"kind": "change", "state": "done", "package_id": ours["id"], "changes": moved},
    }
    for number, more in {**mine, **not_mine}.items():
        step(run, number, **more)
    assert {who: seen_steps(town, who, run) for who in sorted(OWN)} == {
        who: [*mine, *not_mine] if who in MANAGERS | {"auditor"} else [*mine] for who in sorted(OWN)
    }
    page = town.request("editor", f"/mulu/harvest/run/{run}").get_data(as_text=True)
    assert "条目1<" in page and "条目11<" not in page


def test_two_departments_of_one_name_are_not_told_apart_by_it(town, source):
    title = town.do("authority", "organization_show", id="minzheng")["title"]
    run = run_of("school-list", "dropped")
    step(run, 1, provider=title)
    assert seen_steps(town, "head", run) == [1]
    model.Session.execute(update(model.Group).where(model.Group.name == "jiaoyu").values(title=title))
    model.Session.commit()
    assert seen_steps(town, "head", run) == []


def test_a_department_sees_its_own_records_in_quarantine(town, source):
    ours, other = town.draft("低保名册"), town.draft("学籍名册", who="other_editor", department="jiaoyu")
    harvesting.records("school-list", quarantined=6)
    known = [("minzheng", ""), ("minzheng", ours["id"]), (None, ours["id"]), ("jiaoyu", ours["id"]), ("minzheng", other["id"]), (None, "")]
    for number, (provider, package) in enumerate(known):
        entry = {"title": f"条目{number}"} | ({"provider": provider} if provider else {})
        one = update(harvest_record).where(harvest_record.c.source_id == f"id-{number}")
        model.Session.execute(one.values(entry=entry, package_id=package))
    model.Session.commit()
    for who in ("editor", "head", "auditor", "authority"):
        found = town.do(who, "mulu_harvest_problem_list", name="school-list")
        expected = {"条目0", "条目1", "条目2"} if who in ("editor", "head") else {f"条目{n}" for n in range(6)}
        assert ({one["title"] for one in found["results"]}, found["count"]) == (expected, len(expected)), who
    assert town.do("head", "mulu_harvest_source_show", name="school-list")["records"]["quarantined"] == 6, "how many there are says nothing"


def test_one_run_at_a_time_and_stopped(town, source):
    run = town.do("authority", "mulu_harvest_run_create", name="school-list")
    assert (run["state"], run["dry_run"], run["cause"], run["asked_by_name"]) == ("waiting", False, "person", town.users["authority"]["fullname"])
    for dry_run in (False, True):
        assert town.rules("sysadmin", "mulu_harvest_run_create", name="school-list", dry_run=dry_run) == {"already_running"}
    assert town.do("sysadmin", "mulu_harvest_run_stop", id=run["id"])["state"] == "stopped"
    assert town.rules("sysadmin", "mulu_harvest_run_stop", id=run["id"]) == {"not_running"}
    going = run_of("school-list", "running")
    told = town.do("authority", "mulu_harvest_run_stop", id=going)
    assert (told["state"], told["stop_asked"]) == ("running", True)
    harvesting.finish(going, "stopped")
    assert town.do("authority", "mulu_harvest_run_create", name="school-list", dry_run=True)["dry_run"] is True
    assert town.do("editor", "mulu_harvest_run_list", name="school-list")["count"] == 3
    assert town.do("editor", "mulu_harvest_run_list", name="school-list", real=True)["count"] == 2


def test_what_a_run_would_do_is_paged_and_filtered(town, source):
    run = run_of("school-list", "held", reasons=[{"rule": "closed", "message": "将收紧"}])
    steps_of(run, adds=30, changes=3, removes=2, refused=1)
    found = town.do("head", "mulu_harvest_step_list", run=run, limit=10)
    assert (found["count"], len(found["results"])) == (36, 10)
    changed = town.do("head", "mulu_harvest_step_list", run=run, kind="change")
    assert changed["count"] == 3 and changed["results"][0]["changes"][0]["before"] == "有条件开放"
    assert "entry" not in changed["results"][0]
    assert town.do("head", "mulu_harvest_step_list", run=run, held=True)["count"] == 2
    assert [one["kind"] for one in town.do("head", "mulu_harvest_step_list", run=run, offset=35)["results"]] == ["refuse"]
    assert town.do("head", "mulu_harvest_run_show", id=run)["kinds"] == {"add": 30, "change": 3, "remove": 2, "refuse": 1, "held": 2}
    assert town.refused("head", "mulu_harvest_step_list", run=run, kind="sing")


def test_records_in_quarantine_with_their_reasons_and_places(town, source):
    harvesting.records("school-list", kept=3, quarantined=2)
    found = town.do("head", "mulu_harvest_problem_list", name="school-list", limit=1)
    [one] = found["results"]
    assert found["count"] == 2 and one["where"].startswith("第") and one["problems"][0]["message"] and one["tries"] == 2
    shown = town.do("head", "mulu_harvest_source_show", name="school-list")
    assert shown["records"] == {"in": 3, "removed": 0, "quarantined": 2}
    run_of("school-list", "done")
    assert town.do("head", "mulu_harvest_source_show", name="school-list")["state"] == "refused"


def test_those_in_trouble_stand_first(town, source):
    for name, state in (("a-well", "done"), ("b-held", "held"), ("c-failed", "failed"), ("d-runs", "running"), ("e-off", "done"), ("f-new", None)):
        town.do("authority", "mulu_harvest_source_create", name=name, settings=SETTINGS | {"title": name})
        if state:
            run_of(name, state)
    town.do("authority", "mulu_harvest_source_delete", name="e-off")
    town.do("authority", "mulu_harvest_source_delete", name="school-list")
    listed = [(one["name"], one["state"]) for one in town.do("authority", "mulu_harvest_source_list")]
    assert listed[:4] == [("c-failed", "failed"), ("b-held", "held"), ("d-runs", "running"), ("f-new", "new")]
    assert listed[4:] == [("a-well", "well"), ("e-off", "disabled"), ("school-list", "disabled")]


# ── what people are told ──


def check_of(town, run):
    """The case about a run, as the authority sees it."""
    case = town.do("authority", "mulu_harvest_run_show", id=run)["case_id"]
    return town.do("authority", "mulu_case_show", id=case) if case else None


def held(town, **more):
    reasons = [{"rule": "too_many_removed", "message": "将撤销 30 条，已有 100 条"}, {"rule": "closed", "message": "1 条目录的开放类型将收紧"}]
    run = run_of("school-list", "held", reasons=reasons, counts={"read": 70, "removed": 30, "held": 31}, **more)
    steps_of(run, adds=2, changes=1)
    hooks.on_held(run)
    hooks.on_held(run)
    return run


def test_a_held_run_is_applied_by_the_authority(town, source):
    run = held(town)
    case = check_of(town, run)
    assert (case["procedure"], case["state"], case["subject_type"], case["subject_id"]) == ("harvest_check", "held", "source", "school-list")
    assert case["events"][0]["reason"].splitlines() == ["将撤销 30 条，已有 100 条", "1 条目录的开放类型将收紧"]
    assert case["case"]["data"]["counts"] == "读取70、撤销30、待核对31" and case["due_on"]
    assert len(about()) == 1, "told twice, opened once"
    assert [one["id"] for one in town.do("authority_head", "mulu_inbox")["results"]] == [case["id"]]
    assert town.do("head", "mulu_case_show", id=case["id"])["state"] == "held", "whose entries they are may look"
    assert status(town, "other_head", "mulu_case_show", id=case["id"]) == 404
    for who in ("sysadmin", "head"):
        assert town.rules(who, "mulu_case_event", id=case["id"], event="apply", data={"reason": "写入"}) == {"wrong_role"}
    assert town.rules("authority", "mulu_case_event", id=case["id"], event="apply") == {"required"}
    assert town.event("authority", case["id"], "apply", reason="已与部门核实")["state"] == "applied"
    row = model.Session.execute(select(harvest_run).where(harvest_run.c.id == run)).one()
    assert (row.state, row.decided_by) == ("waiting", town.users["authority"]["id"]) and row.decided_at
    kept = model.Session.execute(select(harvest_step.c.entry).where(harvest_step.c.run == run)).scalars()
    assert all(kept), "what was planned is what is loaded"


def test_a_held_run_is_dropped_and_its_entries_emptied(town, source):
    run = held(town)
    case = check_of(town, run)["id"]
    town.event("authority_head", case, "drop", reason="来源当天在维护")
    shown = town.do("head", "mulu_harvest_run_show", id=run)
    assert shown["state"] == "dropped" and shown["decided_by_name"] == town.users["authority_head"]["fullname"]
    assert not any(model.Session.execute(select(harvest_step.c.entry).where(harvest_step.c.run == run)).scalars())
    assert town.do("head", "mulu_harvest_step_list", run=run)["count"] == 3, "what it would have changed stays to be read"


def test_a_new_run_takes_the_place_of_the_held_one_and_says_so(town, source):
    run = held(town)
    town.do("authority", "mulu_harvest_run_create", name="school-list", dry_run=True)
    case = check_of(town, run)
    assert case["state"] == "held", "a dry run changes nothing"
    assert town.rules("authority", "mulu_case_event", id=case["id"], event="apply", data={"reason": "写入"}) == {"already_running"}
    assert check_of(town, run)["state"] == "held"
    harvesting.end_open("school-list")
    town.do("authority", "mulu_harvest_run_create", name="school-list")
    case = check_of(town, run)
    assert (case["state"], case["events"][-1]["reason"]) == ("settled", "已有新的一次汇聚，这一次的结果不再写入。")
    assert town.do("authority", "mulu_harvest_run_show", id=run)["state"] == "dropped"


def test_disabling_a_source_ends_what_waits(town, source):
    run = held(town)
    town.do("sysadmin", "mulu_harvest_source_delete", name="school-list")
    assert check_of(town, run)["state"] == "settled"
    assert town.do("authority", "mulu_harvest_run_show", id=run)["state"] == "dropped"


def test_a_failure_is_told_once_and_settled_by_the_next_success(town, source):
    first, second = (run_of("school-list", "failed", error="https://school.example/list.json：连接超时，试了 5 次") for _ in range(2))
    hooks.on_finished(first)
    hooks.on_finished(second)
    case = check_of(town, first)
    assert case["state"] == "failed" and "连接超时" in case["events"][0]["reason"] and check_of(town, second) is None
    told = model.Session.execute(select(outbox.c.to).where(outbox.c.case_id == case["id"])).scalars().all()
    assert sorted(one for to in told for one in to) == ["authority", "authority_head", "operator"]
    sending.deliver(cases.now())
    assert town.do("authority", "mulu_notice_list", case=case["id"])["count"] == 1
    hooks.on_finished(run_of("school-list", "done", dry_run=True))
    assert check_of(town, first)["state"] == "failed", "a dry run mends nothing"
    hooks.on_finished(run_of("school-list", "done"))
    assert check_of(town, first)["state"] == "settled"


def test_a_failure_that_was_seen_to_may_come_again(town, source):
    first = run_of("school-list", "failed", error="连不上")
    hooks.on_finished(first)
    case = check_of(town, first)["id"]
    assert town.event("sysadmin", case, "acknowledge", reason="网络已恢复")["state"] == "handled"
    hooks.on_finished(run_of("school-list", "failed", error="连不上"))
    assert len(about()) == 2


def test_a_source_that_has_gone_quiet_is_told_once_until_it_changes(town, source):
    town.do("authority", "mulu_harvest_source_update", name="school-list", settings=SETTINGS | {"quiet_days": 30, "organization": "minzheng"})
    now = cases.now()
    assert hooks.look(now + timedelta(29)) == 0
    assert finders.run(now + timedelta(31)) >= 1
    [row] = about()
    assert row.state == "quiet" and hooks.look(now + timedelta(40)) == 0
    town.event("authority", row.id, "acknowledge", reason="来源一年更新一次")
    model.Session.execute(update(harvest_source).values(content_changed_at=now - timedelta(90)))
    model.Session.commit()
    assert hooks.look(now + timedelta(29)) == 0, "seen to within that time"
    assert hooks.look(now + timedelta(31)) == 1
    changed = run_of("school-list", "done", counts={"read": 5, "changed": 1})
    hooks.on_finished(changed)
    assert {one.state for one in about()} == {"handled", "settled"}


def test_what_the_engine_had_no_time_to_tell_is_found(town, source):
    """Killed between the run's commit and the call."""
    run = run_of("school-list", "held", reasons=[{"rule": "too_few", "message": "读到 1 条"}])
    assert finders.run() >= 1
    assert check_of(town, run)["state"] == "held"
    assert hooks.look() == 0


def test_nobody_opens_such_a_case_by_hand(town, source):
    subject = {"type": "source", "id": "school-list"}
    for who in ("authority", "head", "sysadmin"):
        assert "wrong_role" in town.rules(who, "mulu_case_open", procedure="harvest_check", subject=subject, data={"kind": "held", "run": "x", "reason": "y"})
    assert status(town, "other_head", "mulu_case_open", procedure="harvest_check", subject=subject, data={}) == 404


def test_the_history_of_runs_stands_in_the_chart(town, source):
    for n in range(25):
        run_of("school-list", "done" if n % 5 else "failed", counts={"read": n}, seconds=n)
    shown = town.do("head", "mulu_harvest_source_show", name="school-list")
    assert [one["counts"]["read"] for one in shown["runs"]] == list(range(5, 25))
    assert shown["last_run"]["seconds"] == 24


def about():
    return model.Session.execute(select(case_table).where(case_table.c.procedure == "harvest_check").order_by(case_table.c.opened_at)).all()


def test_a_sysadmin_is_asked_as_well(town, source):
    """CKAN lets a sysadmin past its auth functions: what only the authority decides is asked by the action itself."""
    with pytest.raises(tk.NotAuthorized):
        tk.get_action("mulu_harvest_source_create")(
            {"user": town.users["sysadmin"]["name"]}, {"name": "new-list", "settings": SETTINGS | {"arrives": "publish"}}
        )
    model.Session.rollback()
