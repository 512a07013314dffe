"""An entry that left the catalogue is seen through no door, its data is had by nobody, and both come back with it. Persons are made up."""

from __future__ import annotations

import json
from typing import Any

import granting
import pytest
from ckan import model
from doors import CLOSED_DATA, DOORS, Door
from test_doors import World
from test_harvest_change import case_of, sid
from test_harvest_load import NO_DRIFT, PUBLISH
from town import ENTRY

from ckanext.mulu import basket, drift, duplicates, snapshot
from ckanext.mulu.harvest.load import Task, apply, current
from ckanext.mulu.model import versions

OUTSIDERS = ("anonymous", "citizen", "member", "other_editor")
SECRETS = {"word": "蜀葵花", "note": "牵牛子", "item": "决明子", "theme": "佩兰专题", "resource_word": "款冬花", "host": "withdrawn-host.example"}
"""Words of the withdrawn entry, and of nothing else."""


@pytest.fixture(scope="module")
def entry(town):
    """A published entry, with a change under way and a grant, as it was before its source had it no longer."""
    items = [{**ENTRY["items"][0], "name": "决明子面积", "element_code": "DE0001"}]
    made = town.published(
        "蜀葵花名册", notes="记载牵牛子等。", theme="佩兰专题", items=items, **granting.CONDITIONAL,
        resources=[{"name": "款冬花接口", "url": "https://withdrawn-host.example/api", "format": "ZQX"}],
    )  # fmt: skip
    basket.add(town.users["other_editor"]["id"], made["id"])
    town.do("editor", "package_patch", id=made["id"], notes="牵牛子之修改。")
    return made


@pytest.fixture(scope="module")
def world(town, entry):
    case = case_of(entry["id"])
    names = SECRETS | {
        "id": entry["id"], "pending_id": entry["id"], "open_id": entry["id"], "name": entry["name"], "code": entry["resource_code"],
        "code_quoted": f'resource_code:"{entry["resource_code"]}"', "resource": entry["resources"][0]["id"], "link": entry["resources"][0]["id"],
        "pending_resource": entry["resources"][0]["id"], "public_resource": entry["resources"][0]["id"], "file": "api", "pending_file": "api",
        "case": case.id, "pending_case": case.id, "class_case": case.id, "pending_word": "蜀葵花", "org": "minzheng", "org_id": entry["owner_org"],
        "other_org_id": model.Group.get("jiaoyu").id, "editor": town.users["editor"]["name"], "stranger": town.users["other_editor"]["id"],
    }  # fmt: skip
    return World(town, names)


MORE = [
    Door("/mulu/basket", "public"), Door("/mulu/apply", "public"), Door("/mulu/public/ledger", "public"), Door("/mulu/open/rereview?type=entry&id={id}", "public"),
    Door("/api/3/action/mulu_entry_history", "public", body={"id": "{name}"}), Door("/mulu/feed", "public"),
]  # fmt: skip
SHOWN_BEFORE = [Door("/dataset/{id}", "public"), Door("/", "public"), Door("/mulu/entry/{id}/history", "public"), Door("/catalog.ttl", "public")]


def words(world: World, door: Door) -> set[str]:
    asked = door.url + json.dumps(door.body or {})
    return {value for key, value in SECRETS.items() if "{" + key + "}" not in asked}


def test_before_it_left_it_was_seen(world):
    for door in SHOWN_BEFORE:
        _, text = world.ask(door, "anonymous")
        assert "蜀葵花" in text, door.url


@pytest.fixture(scope="module")
def withdrawn(world, entry):
    [done] = apply([Task(sid(), "archive", package_id=entry["id"])], PUBLISH)
    assert done.result == "archived"
    return world


@pytest.mark.parametrize("door", [*DOORS, *CLOSED_DATA, *MORE], ids=lambda door: door.name)
def test_a_withdrawn_entry_is_seen_through_no_door(withdrawn, door):
    for who in OUTSIDERS:
        status, text = withdrawn.ask(door, who)
        leaked = {word for word in words(withdrawn, door) if word in text}
        assert not leaked and status < 500, f"{who} sees {leaked} ({status})"


def test_it_is_in_no_list_of_what_is_published(withdrawn, entry):
    assert drift.compare() == NO_DRIFT
    assert entry["id"] not in {line["id"] for line in snapshot.published()}
    assert versions.last_of([entry["id"]]) == {} and versions.last(entry["id"]) == (None, None)
    assert duplicates.of_item(entry["id"], "决明子面积") == []
    assert model.Session.query(model.Package).filter_by(state="active", private=False).count() == 0


@pytest.mark.parametrize("procedure", ["rereview", "demand", "withdrawal", "catalogue_review", "classification_change", "error_check"])
def test_nothing_is_opened_about_it(withdrawn, town, entry, procedure):
    data = {"kind": "change", "reason": "x", "cause": "other"}
    for who in ("citizen", "editor", "authority"):
        town.refused(who, "mulu_case_open", procedure=procedure, subject={"type": "entry", "id": entry["id"]}, data=data)
    town.refused("other_editor", "mulu_sharing_apply", asked=[{"id": entry["id"], "items": ["决明子面积"]}], data={})


def test_nobody_changes_it_by_a_decision_that_came_too_late(withdrawn, town, entry):
    assert case_of(entry["id"]).state == "archived"
    town.refused("editor", "package_patch", id=entry["id"], notes="再改。")
    assert "wrong_state" in town.rules("editor", "mulu_case_event", id=case_of(entry["id"]).id, event="submit", data={})


def test_its_department_and_the_authority_still_find_its_history(withdrawn, town, entry):
    case = case_of(entry["id"], "withdrawal")
    for who in ("editor", "authority"):
        shown = town.do(who, "mulu_case_show", id=case.id)
        assert shown["state"] == "taken_out" and PUBLISH.title in shown["events"][-1]["reason"]
    told = town.do("editor", "package_show", id=entry["id"])
    assert told["mulu_status"] == "archived"
    assert [row["withdrawn"] for row in town.do("editor", "mulu_entry_history", id=entry["id"])] == [True, False]


def test_it_comes_back_with_its_history_to_everybody(withdrawn, town, entry):
    [done] = apply([Task(sid(), "restore", current([entry["id"]])[entry["id"]], entry["id"])], PUBLISH)
    assert done.result == "restored"
    for door in SHOWN_BEFORE:
        assert "蜀葵花" in withdrawn.ask(door, "anonymous")[1], door.url
    [line] = [line for line in snapshot.published() if line["id"] == entry["id"]]
    assert [row["summary"].partition("：")[0] for row in line["history"]] == ["首次发布", "撤销", "恢复"]
    assert drift.compare() == NO_DRIFT


def test_a_grant_gives_nothing_while_its_entry_is_away(town):
    entry = granting.published(town, "有授权的名册", granting.rows(3))
    grant = granting.grant(town, entry["id"], ["姓名", "补贴金额"])

    def asked() -> tuple[int, Any]:
        answer = granting.get(town, "other_editor", f"/mulu/data/{grant}")
        return answer.status_code, answer.json

    assert asked()[0] == 200
    apply([Task(sid(), "archive", package_id=entry["id"])], PUBLISH)
    granting.work()
    status, told = asked()
    assert status == 410 and "entry_gone" in json.dumps(told)
    apply([Task(sid(), "restore", current([entry["id"]])[entry["id"]], entry["id"])], PUBLISH)
    granting.work()
    status, told = asked()
    assert status == 200 and "户主1" in json.dumps(told, ensure_ascii=False)
