"""Nothing unpublished leaks, through any door of ``doors.py``, to anyone outside the review (requirements C3).

One world for the whole module, on the real services: a draft with a file; a published entry whose change, with another file, waits
for its decision; and people who must see neither. Requests go the whole way through the web application, with API tokens.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import Any

import ckan.plugins as plugins
import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from ckan.tests import factories, helpers

from doors import DOORS, WAYS_AROUND, Door

REVIEWS = {
    "secrecy_review": {"by": "保密员", "on": "2025-01-02", "conclusion": "不涉密"},
    "privacy_review": {"by": "法制员", "on": "2025-01-02", "conclusion": "不含个人信息"},
}
ENTRY = {
    "notes": "各乡镇按年上报。",
    "format_class": "database",
    "format_type": "mysql",
    "catalogue_kind": "department",
    "classification": ["3", "07", "001", "01"],
    "items": [{"name": "登记面积", "data_type": "N", "length": "10", "kind": "business"}],
    "share_type": "unconditional",
    "share_mode": ["batch_download"],
    "open_type": "unconditional",
    "open_mode": ["download"],
    "update_frequency": "yearly",
    "security_level": "L1",
    "personal_information": "none",
}
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


@dataclass
class World:
    """Who is there and what there is to be found; ``names`` fills in the doors."""

    app: Any
    tokens: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def ask(self, door: Door, who: str) -> tuple[int, str]:
        """(status, text) of a request; JSON's escapes undone, so that Chinese is found in it."""
        headers = {"Authorization": self.tokens[who]} if who != "anonymous" else {}
        url = door.url.format(**self.names)
        # A client of its own for each request: nobody goes on with another's cookies.
        client = self.app.test_client(use_cookies=False)
        if door.body is not None:
            answer = client.post(url, json=filled(door.body, self.names), headers=headers)
        elif door.form is not None:
            answer = client.post(url, data=door.form, headers=headers)
        else:
            answer = client.get(url, headers=headers)
        text = answer.get_data(as_text=False).decode("utf-8", "replace")
        try:
            text = json.dumps(json.loads(text), ensure_ascii=False)
        except ValueError:
            pass
        return answer.status_code, text

    def do(self, who: str, action: str, **data: Any) -> Any:
        """The result of an action that must succeed."""
        upload = data.pop("upload", None)
        headers = {"Authorization": self.tokens[who]}
        client = self.app.test_client(use_cookies=False)
        if upload:
            answer = client.post(f"/api/3/action/{action}", data={**data, "upload": upload}, headers=headers)
        else:
            answer = client.post(f"/api/3/action/{action}", json=data, headers=headers)
        assert answer.status_code == 200, f"{action}: {answer.get_data(as_text=True)[:2000]}"
        return answer.json["result"]

    def publish(self, case: str) -> None:
        self.do("editor", "mulu_case_event", id=case, event="submit")
        self.do("head", "mulu_case_event", id=case, event="head_agree", data=REVIEWS)
        self.do("authority", "mulu_case_event", id=case, event="publish")

    def secrets_for(self, door: Door) -> dict[str, str]:
        """What must not be in the answer: all that is secret, but for what the asker wrote into the question."""
        asked = door.url + json.dumps(door.body or door.form or {})
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
def world(reset_db, reset_index, migrate_db_for):
    plugins.load_all()
    reset_db()
    migrate_db_for("mulu")
    reset_index()
    try:
        yield _world(helpers._get_test_app())
    finally:
        model.Session.remove()
        plugins.unload_all()


def _world(app: Any) -> World:
    world = World(app, names=dict(SECRETS))
    people = {
        "provider": ("provider", {"editor": "editor", "head": "admin", "member": "member"}),
        "other": ("provider", {"other_editor": "editor", "other_head": "admin", "other_member": "member"}),
        "authority": ("authority", {"authority": "editor", "authority_member": "member"}),
    }
    sysadmin = factories.Sysadmin()
    users = {"citizen": factories.User(), "sysadmin": sysadmin}
    for key, (function, capacities) in people.items():
        users |= {name: factories.User() for name in capacities}
        members = [{"name": users[name]["name"], "capacity": capacity} for name, capacity in capacities.items()]
        data = {"name": f"org-{key}", "title": f"机构{key}", "mulu_function": function, "users": members}
        tk.get_action("organization_create")({"user": sysadmin["name"]}, data)
    for name, user in users.items():
        token = tk.get_action("api_token_create")({"user": user["name"]}, {"user": user["id"], "name": "doors"})
        world.tokens[name] = token["token"]

    draft = {**ENTRY, "title": "鹤望兰补贴名册", "notes": "记载墨旱莲等品种。", "theme": "薄荷专题", "owner_org": "org-provider"}
    draft["items"] = [{"name": "紫草花面积", "data_type": "N", "length": "10", "kind": "business"}]
    draft["resources"] = [{"name": "白花蛇舌草接口", "url": "https://secret-host.example/api", "format": "ZQY"}]
    made = world.do("editor", "package_create", **draft)
    file = (io.BytesIO(b"bytes-of-the-draft"), "draft-file.csv")
    resource = world.do("editor", "resource_create", package_id=made["id"], name="白花蛇舌草文件", format="CSV", upload=file)

    public = {**ENTRY, "title": SHOWN, "owner_org": "org-provider"}
    public["resources"] = [{"name": "成绩文件", "url": "https://open.example/x.csv", "format": "CSV"}]
    shown = world.do("editor", "package_create", **public)
    world.publish(shown["mulu_case"])
    change = {"id": shown["id"], "title": "穿心莲成绩", "notes": "半枝莲之记。"}
    world.do("editor", "package_patch", **change)
    file = (io.BytesIO(b"bytes-of-the-proposal"), "proposal-file.csv")
    proposed = world.do("editor", "resource_create", package_id=shown["id"], name="车前子文件", format="CSV", upload=file)
    class_case = world.do(
        "editor", "mulu_case_open", procedure="classification_change", subject={"type": "entry", "id": shown["id"]},
        data={
            "before": {"share_type": "unconditional"}, "after": {"share_type": "conditional", "share_condition": "重楼之故，限民政业务使用",
            "open_type": "conditional", "open_condition": "重楼之故，限研究使用"}, "reason": "重楼之故", "basis": "重楼之故",
        },
    )  # fmt: skip
    world.names |= {
        "id": made["id"], "name": made["name"], "code": made["resource_code"], "case": made["mulu_case"],
        "code_quoted": f'resource_code:"{made["resource_code"]}"', "resource": resource["id"], "file": "draft-file.csv",
        "pending_id": shown["id"], "pending_resource": proposed["id"], "pending_file": "proposal-file.csv",
        "pending_case": world.do("editor", "package_show", id=shown["id"])["mulu_case"], "class_case": class_case["id"],
        "public_resource": shown["resources"][0]["id"], "org": "org-provider", "editor": users["editor"]["name"],
        "org_id": made["owner_org"], "other_org_id": model.Group.get("org-other").id, "stranger": users["other_editor"]["id"],
    }  # fmt: skip
    return world


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
    assert counts["org-provider"] == 1
    _, text = world.ask(Door("/api/3/action/organization_show", "public", body={"id": "org-provider"}), who)
    assert json.loads(text)["result"]["package_count"] == 1
    _, text = world.ask(Door("/api/3/action/package_search", "public", body={"include_private": True, "rows": 0}), who)
    assert json.loads(text)["result"]["count"] == 1


def test_what_is_published_is_seen_by_everyone(world):
    for who in OUTSIDERS:
        for url in ("/dataset/{pending_id}", "/catalog.ttl", "/feeds/dataset.atom", "/api/3/action/package_show?id={pending_id}"):
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
