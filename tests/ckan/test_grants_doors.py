"""The data of a published entry that is not open is closed through every door of ``doors.py``, to everyone outside its department.

What describes it stays public: title, items, that there is a file.
"""

from __future__ import annotations

import io
import json

import ckan.plugins.toolkit as tk
import granting
import pytest
from ckan.tests import factories
from doors import CLOSED_DATA
from granting import CONDITIONAL, get, item
from test_doors import World

from ckanext.mulu import snapshot

OUTSIDERS = (
    "anonymous", "citizen", "member", "other_editor", "other_head", "other_member", "authority", "authority_head", "auditor", "higher",
    "machinist",
)  # fmt: skip
SECRETS = {
    "cell": "bytes-of-the-closed-table",
    "filename": "closed-file.csv",
    "host": "closed-host.example",
    "hash": "c105ed4a54c105ed4a54",
    "mixed_cell": "bytes-of-the-closed-column",
    "mixed_file": "mixed-file.csv",
}


class ClosedWorld(World):
    def secrets_for(self, door):
        asked = door.url.format(**self.names) + json.dumps(door.body or {})
        return {key: value for key, value in SECRETS.items() if value not in asked}


def machinist(town) -> None:
    user = factories.Sysadmin()
    made = tk.get_action("api_token_create")({"user": user["name"]}, {"user": user["id"], "name": "machinist"})
    town.tokens["machinist"] = made["token"]


@pytest.fixture(scope="module")
def world(town):
    machinist(town)
    draft = town.draft("岩白菜名册", items=[item("秘密"), item("姓名")], **CONDITIONAL)
    file = (io.BytesIO("秘密,姓名\nbytes-of-the-closed-table,张三\n".encode()), "closed-file.csv")
    held = town.do("editor", "resource_create", package_id=draft["id"], name="岩白菜文件", format="CSV", upload=file)
    address = {"url": "https://closed-host.example/x", "hash": "c105ed4a54c105ed4a54"}
    link = town.do("editor", "resource_create", package_id=draft["id"], name="岩白菜接口", format="API", **address)
    town.publish(draft)
    file = "姓名,秘密\n张三,bytes-of-the-closed-column\n".encode()
    items = [item("姓名"), item("秘密", open_type="conditional")]
    more = {"open_type": "unconditional", "share_type": "unconditional", "share_condition": "", "open_condition": "限研究使用"}
    mixed = granting.published(town, "半开名册", file, "mixed-file.csv", items=items, **more)
    opened = granting.published(
        town, "敞开名册", "姓名,年份\n李四,2025\n".encode(), "open-file.csv", items=[item("姓名"), item("年份")],
        share_type="unconditional", open_type="unconditional", share_condition="", open_condition="",
    )  # fmt: skip
    granting.work()
    case = town.do("head", "mulu_case_list", subject_id=draft["id"])["results"][0]["id"]
    return ClosedWorld(town, {
        "id": draft["id"], "name": draft["name"], "resource": held["id"], "link": link["id"], "file": "closed-file.csv", "word": "岩白菜",
        "org": "minzheng", "editor": town.users["editor"]["name"], "case": case, "mixed": mixed["id"],
        "mixed_resource": mixed["resources"][0]["id"], "open_id": opened["id"], "open_resource": opened["resources"][0]["id"],
    })  # fmt: skip


@pytest.mark.parametrize("door", CLOSED_DATA, ids=lambda door: door.name)
def test_a_door_is_closed_to_everyone_outside_the_department(world, door):
    for who in OUTSIDERS:
        status, text = world.ask(door, who)
        leaked = {key: value for key, value in world.secrets_for(door).items() if value in text}
        assert not leaked, f"{who} sees {leaked}"
        assert status < 500, f"{who}: {text[:500]}"


@pytest.mark.parametrize("door", [door for door in CLOSED_DATA if door.opens_to == "editor"], ids=lambda door: door.name)
def test_the_same_door_is_open_to_the_department(world, door):
    text = world.ask(door, "editor")[1]
    assert any(value in text for value in world.secrets_for(door).values()), text[:800]


def test_a_link_is_followed_by_the_department(world):
    url = "/dataset/{id}/resource/{link}/download".format(**world.names)
    headers = {"Authorization": world.town.tokens["editor"]}
    answer = world.town.app.test_client(use_cookies=False).open(url, headers=headers, follow_redirects=False)
    assert (answer.status_code, answer.location) == (302, "https://closed-host.example/x")


def test_a_download_says_why_it_is_closed(world):
    answer = get(world.town, "other_editor", "/dataset/{id}/resource/{resource}/download".format(**world.names))
    assert answer.status_code == 403 and "授权" in answer.get_data(as_text=True)


def test_what_is_described_stays_public(world):
    seen = world.town.seen(world.names["id"])
    assert [row["name"] for row in seen["resources"]] == ["岩白菜文件", "岩白菜接口"]
    assert {row["name"] for row in seen["items"]} == {"秘密", "姓名"}
    assert "岩白菜名册" in world.town.found(q="岩白菜")


def test_searching_by_address_finds_nothing(world):
    for query in ("res_url:*closed*", "res_extras_hash:c105ed4a54c105ed4a54", "closed-host.example", "closed-file.csv"):
        assert world.town.found(q=query) == []
    assert world.town.rules("anonymous", "resource_search", query="url:closed") == {"not_searched"}


def test_what_is_open_is_open_to_everyone(world):
    for who in ("anonymous", "other_editor", "authority"):
        assert "李四" in get(world.town, who, "/dataset/{open_id}/resource/{open_resource}/download/open-file.csv".format(**world.names)).get_data(as_text=True)
        rows = world.town.request(who, f"/api/3/action/datastore_search?resource_id={world.names['open_resource']}").json["result"]["records"]
        assert rows == [{"_id": 1, "姓名": "李四", "年份": 2025}]


def test_of_an_entry_of_mixed_classes_the_open_columns_are_had(world):
    [resource] = world.town.seen(world.names["mixed"])["resources"]
    assert resource["mulu_restricted"] and resource["url"].endswith(f"/mulu/data/open/{resource['id']}?format=csv")
    path = f"/mulu/data/open/{resource['id']}"
    assert get(world.town, "anonymous", path).json["rows"] == [{"姓名": "张三"}]
    assert get(world.town, "anonymous", f"{path}?format=csv").get_data().decode("utf-8-sig") == "姓名\n张三\n"
    assert get(world.town, "anonymous", f"{path}?秘密=x").status_code == 422
    assert get(world.town, "anonymous", f"/datastore/dump/{resource['id']}").status_code == 404


def test_the_snapshot_for_the_public_site_holds_no_address(world):
    lines = {one["title"]: one for one in snapshot.published()}
    text = json.dumps(list(lines.values()), ensure_ascii=False)
    assert not [value for value in SECRETS.values() if value in text]
    assert "open-file.csv" in text and [row["name"] for row in lines["岩白菜名册"]["resources"]] == ["岩白菜文件", "岩白菜接口"]
    assert lines["半开名册"]["resources"][0]["url"].endswith("format=csv")


def test_a_link_is_shown_to_the_grantee_alone_while_the_grant_holds(world):
    items = ["秘密", "姓名"]
    grant = granting.grant(world.town, world.names["id"], items, case="link")
    address = "https://closed-host.example/x"
    told = {who: world.town.do(who, "mulu_grant_show", id=grant)["resources"][1]["address"] for who in ("other_editor", "authority", "auditor", "editor")}
    assert told == {"other_editor": address, "authority": "", "auditor": "", "editor": address}
    granting.change(granting.effects.suspend_grants, granting.case_of("x", [], case="link"))
    assert address not in json.dumps(world.town.do("other_editor", "mulu_grant_show", id=grant))
    partly = granting.grant(world.town, world.names["id"], items[:1], case="partly-link")
    assert address not in json.dumps(world.town.do("other_editor", "mulu_grant_show", id=partly))


def test_what_was_shown_without_its_address_comes_back_without_loss(world):
    """An editor's program that reads the list of entries, where addresses are left out, and sends one back changed."""
    listed = world.town.request("editor", "/api/3/action/package_search", {"q": f"id:{world.names['id']}"}).json["result"]["results"][0]
    assert listed["resources"][0]["mulu_restricted"]
    world.town.do("editor", "package_update", **{**listed, "notes": "改过的说明"})
    kept = {row["id"]: row["url"] for row in world.town.do("editor", "package_show", id=world.names["id"])["resources"]}
    case = world.town.do("editor", "package_show", id=world.names["id"])["mulu_case"]
    proposed = world.town.do("head", "mulu_case_show", id=case)["case"]["data"]["proposed"]
    assert {row["id"]: row["url"] for row in proposed["resources"]} == kept
