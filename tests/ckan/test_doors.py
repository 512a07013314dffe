"""Nothing unpublished leaks, through any door of ``doors.py``, to anyone outside the review (requirements C3).

One world for the whole module, on the real services: a draft with a file; a published entry whose change, with another file, waits
for its decision; and people who must see neither. Requests go the whole way through the web application, with API tokens.
"""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from ckan import model
from doors import DOORS, WAYS_AROUND, Door
from town import ENTRY

OUTSIDERS = ("anonymous", "citizen", "member", "other_editor", "other_head", "other_member", "authority_member")
SHOWN = "普通话水平测试成绩"
SECRETS = {
    "word": "鹤望兰",
    "note": "墨旱莲",
    "item": "紫草花",
    "theme": "薄荷专题",
    "resource_word": "白花蛇舌草",
    "host": "secret-host.example",
    "bytes": "bytes-of-the-draft",
    "pending_word": "穿心莲",
    "pending_note": "半枝莲",
    "pending_resource_word": "车前子",
    "pending_bytes": "bytes-of-the-proposal",
    "class_reason": "重楼之故",
}
"""Words that stand in the draft, in the proposal or in the class change, and nowhere else."""


class World:
    """The town, and what there is to be found in it; ``names`` fills in the doors."""

    def __init__(self, town: Any, names: dict[str, str]) -> None:
        self.town, self.names = town, names

    def ask(self, door: Door, who: str) -> tuple[int, str]:
        body = None if door.body is None else filled(door.body, self.names)
        return self.town.ask(who, door.url.format(**self.names), body)

    def secrets_for(self, door: Door) -> dict[str, str]:
        """What must not be in the answer: all that is secret, but for what the asker wrote into the question."""
        asked = door.url + json.dumps(door.body or {})
        keys = {*SECRETS, "id", "name", "code", "resource", "case", "pending_case", "pending_resource", "class_case"}
        known = {key for key in keys if "{" + key + "}" in asked}
        if "{code_quoted}" in asked or "{name}" in asked:
            known |= {"code", "name"}
        return {key: self.names[key] for key in keys - known}


def filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        return value.format(**names)
    if isinstance(value, dict):
        return {key: filled(one, names) for key, one in value.items()}
    return [filled(one, names) for one in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def world(town):
    draft = town.draft(
        "鹤望兰补贴名册", notes="记载墨旱莲等品种。", theme="薄荷专题", items=[{**ENTRY["items"][0], "name": "紫草花面积"}],
        resources=[{"name": "白花蛇舌草接口", "url": "https://secret-host.example/api", "format": "ZQY"}],
    )  # fmt: skip
    file = (io.BytesIO(b"bytes-of-the-draft"), "draft-file.csv")
    resource = town.do(
        "editor", "resource_create", package_id=draft["id"], name="白花蛇舌草文件", format="CSV", upload=file
    )

    file = {"name": "成绩文件", "url": "https://open.example/x.csv", "format": "CSV"}
    shown = town.published(SHOWN, resources=[file])
    town.do("editor", "package_patch", id=shown["id"], title="穿心莲成绩", notes="半枝莲之记。")
    file = (io.BytesIO(b"bytes-of-the-proposal"), "proposal-file.csv")
    proposed = town.do(
        "editor", "resource_create", package_id=shown["id"], name="车前子文件", format="CSV", upload=file
    )
    stricter = {
        "share_type": "conditional", "share_condition": "重楼之故，限民政业务使用",
        "open_type": "conditional", "open_condition": "重楼之故，限研究使用",
    }  # fmt: skip
    change = {"before": {"share_type": "unconditional"}, "after": stricter, "reason": "重楼之故", "basis": "重楼之故"}
    subject = {"type": "entry", "id": shown["id"]}
    class_case = town.do("editor", "mulu_case_open", procedure="classification_change", subject=subject, data=change)
    return World(town, SECRETS | {
        "id": draft["id"], "name": draft["name"], "code": draft["resource_code"], "case": draft["mulu_case"],
        "code_quoted": f'resource_code:"{draft["resource_code"]}"', "resource": resource["id"], "file": "draft-file.csv",
        "pending_id": shown["id"], "pending_resource": proposed["id"], "pending_file": "proposal-file.csv",
        "pending_case": town.do("editor", "package_show", id=shown["id"])["mulu_case"], "class_case": class_case["id"],
        "public_resource": shown["resources"][0]["id"], "org": "minzheng", "editor": town.users["editor"]["name"],
        "org_id": draft["owner_org"], "other_org_id": model.Group.get("jiaoyu").id, "stranger": town.users["other_editor"]["id"],
    })  # fmt: skip


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_a_door_is_closed_to_whoever_is_outside_the_review(world, door):
    secrets = world.secrets_for(door)
    for who in OUTSIDERS:
        status, text = world.ask(door, who)
        leaked = {key: value for key, value in secrets.items() if value in text}
        assert not leaked, f"{who} sees {leaked}"
        assert status < 500, f"{who}: {text[:500]}"


@pytest.mark.parametrize("door", [door for door in DOORS if door.opens_to != "public"], ids=lambda door: door.name)
def test_the_same_door_is_open_to_those_who_review(world, door):
    """Otherwise a mistyped row would prove nothing."""
    status, text = world.ask(door, "authority" if door.opens_to == "reviewer" else "editor")
    assert any(world.names[key] in text for key in world.secrets_for(door)), f"{status}: {text[:800]}"


@pytest.mark.parametrize("who", ["anonymous", "citizen", "other_editor"])
def test_counts_count_only_what_is_published(world, who):
    _, text = world.ask(Door("/api/3/action/organization_list", "public", body={"all_fields": True}), who)
    counts = {one["name"]: one["package_count"] for one in json.loads(text)["result"]}
    assert counts["minzheng"] == 1
    _, text = world.ask(Door("/api/3/action/organization_show", "public", body={"id": "minzheng"}), who)
    assert json.loads(text)["result"]["package_count"] == 1
    _, text = world.ask(Door("/api/3/action/package_search", "public", body={"include_private": True, "rows": 0}), who)
    assert json.loads(text)["result"]["count"] == 1


def test_what_is_published_is_seen_by_everyone(world):
    for who in OUTSIDERS:
        for url in (
            "/dataset/{pending_id}",
            "/catalog.ttl",
            "/feeds/dataset.atom",
            "/api/3/action/package_show?id={pending_id}",
        ):
            status, text = world.ask(Door(url, "public"), who)
            assert (status, SHOWN in text) == (200, True), f"{who} {url}: {status}"


@pytest.mark.parametrize("who", ["editor", "head", "authority", "other_editor", "sysadmin"])
@pytest.mark.parametrize("way", WAYS_AROUND, ids=lambda door: door.name)
def test_there_is_no_way_around_the_review(world, way, who):
    """Whoever asks and whatever is answered: the public sees what it saw before, and never the draft."""
    seen = Door("/api/3/action/package_show?id={pending_id}", "public")
    before = json.loads(world.ask(seen, "anonymous")[1])["result"]
    status, text = world.ask(way, who)
    assert status < 500, text[:800]
    after = json.loads(world.ask(seen, "anonymous")[1])["result"]
    assert after == before
    assert world.ask(Door("/api/3/action/package_show?id={id}", "public"), "anonymous")[0] in (403, 404)
    assert world.ask(Door("/api/3/action/package_show?id={id}", "public"), "authority")[0] == 200
