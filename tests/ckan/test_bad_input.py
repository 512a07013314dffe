"""Whatever is sent to an action: an answer with a rule and a message, never a crash, and nothing changed."""

from __future__ import annotations

from typing import Any

import pytest
from ckan import model
from sqlalchemy import func, select
from town import ENTRY

from ckanext.mulu.model.tables import case_event

ODD = [
    None,
    "",
    "文字",
    "\x00",
    "\ud800",
    0,
    -1,
    10**30,
    1.5,
    True,
    [],
    [None],
    ["x"],
    {},
    {"a": {"b": [1]}},
    "' or 1=1 --",
    "../../etc/passwd",
    "文" * 20_000,
]
ACTIONS: dict[str, tuple[str, ...]] = {
    "mulu_case_open": ("procedure", "subject", "data"),
    "mulu_case_event": ("id", "event", "data", "version"),
    "mulu_case_show": ("id",),
    "mulu_case_list": ("procedure", "state", "org", "subject_id", "q", "mine", "open", "limit", "offset"),
    "mulu_case_batch": ("ids", "event", "data"),
    "mulu_inbox": (),
    "mulu_entry_check": ("entry",),
    "mulu_entry_history": ("id",),
    "mulu_entry_import": ("entries", "organization", "incomplete", "dry_run", "submit", "source"),
    "mulu_procedure_list": (),
    "mulu_procedure_show": ("id",),
    "mulu_profile_list": (),
    "mulu_profile_show": ("id",),
}
ODD_WHEN_MADE = [None, -1, {"a": {"b": [1]}}, "文" * 20_000]
ODD_WHEN_CHANGED = ["\x00", ["x"], "../../etc/passwd"]
FIELDS = ("title", "name", "notes", "owner_org", "items", "resources", "classification", "share_mode", "share_type", "open_review_on",
          "secrecy_review", "source", "resource_code", "related_codes", "tags", "extras", "groups", "id", "state", "type", "private")  # fmt: skip


@pytest.fixture(scope="module")
def sound(town):
    """For each action, a call that is all right; each test spoils one of its values."""
    draft = town.draft("供坏输入试用的条目")
    public = town.published("供坏输入试用的已发布条目")
    case = {"id": draft["mulu_case"], "event": "edit", "data": {}}
    return {
        "draft": draft,
        "mulu_case_open": {
            "procedure": "classification_change",
            "subject": {"type": "entry", "id": public["id"]},
            "data": {"before": {"share_type": "unconditional"}, "after": {"share_type": "conditional"}, "reason": "理由", "basis": "依据"},
        },
        "mulu_case_event": case,
        "mulu_case_show": {"id": draft["mulu_case"]},
        "mulu_case_batch": {"ids": [draft["mulu_case"]], "event": "edit", "data": {}},
        "mulu_entry_check": {"entry": ENTRY},
        "mulu_entry_history": {"id": public["id"]},
        "mulu_entry_import": {"entries": [], "organization": "minzheng"},
        "mulu_procedure_show": {"id": "catalogue_review"},
        "mulu_profile_show": {"id": "huarong"},
    }  # fmt: skip


def answered(town, who: str, action: str, data: Any) -> None:
    answer = town.request(who, f"/api/3/action/{action}", data)
    assert answer.status_code in (200, 400, 403, 404, 409), f"{action} {str(data)[:200]}: {town.told(answer)}"
    if answer.status_code == 409 and "problems" in answer.json["error"]:
        assert all(problem["message"] and problem["rule"] for problem in answer.json["error"]["problems"])


@pytest.mark.parametrize("action", ACTIONS)
def test_no_value_breaks_an_action(town, sound, action):
    answered(town, "editor", action, {})
    for field in ACTIONS[action]:
        for odd in ODD:
            answered(town, "editor", action, {**sound.get(action, {}), field: odd})
        answered(town, "editor", action, {key: value for key, value in sound.get(action, {}).items() if key != field})


@pytest.mark.parametrize("action", ACTIONS)
def test_no_visitor_breaks_an_action(town, sound, action):
    answered(town, "anonymous", action, sound.get(action, {}))


@pytest.mark.parametrize(
    "field", ["kind", "proposed", "base_version", "cause", "cause_on", "secrecy_review", "reason", "no_such_field"]
)
def test_no_value_of_a_field_breaks_an_event(town, sound, field):
    for odd in ODD:
        answered(
            town,
            "editor",
            "mulu_case_event",
            {"id": sound["draft"]["mulu_case"], "event": "edit", "data": {field: odd}},
        )


@pytest.mark.parametrize("field", ["before", "after", "reason", "basis"])
def test_no_value_of_a_field_breaks_an_opening(town, sound, field):
    given = sound["mulu_case_open"]
    for odd in ODD:
        answered(town, "editor", "mulu_case_open", {**given, "data": {**given["data"], field: odd}})


@pytest.mark.parametrize("field", FIELDS)
def test_no_value_breaks_an_entry(town, sound, field):
    for odd in ODD_WHEN_MADE:
        answered(town, "editor", "package_create", {**ENTRY, "title": "坏输入", "owner_org": "minzheng", field: odd})
    for odd in ODD_WHEN_CHANGED:
        if field not in ("id", "groups"):
            answered(town, "editor", "package_patch", {"id": sound["draft"]["id"], field: odd})


def test_a_refused_event_leaves_no_trace(town, sound):
    count = select(func.count()).select_from(case_event)
    before = model.Session.execute(count).scalar()
    for who, event in [("editor", "publish"), ("head", "submit"), ("authority", "head_agree"), ("sysadmin", "publish")]:
        town.refused(who, "mulu_case_event", id=sound["draft"]["mulu_case"], event=event)
    model.Session.rollback()
    assert model.Session.execute(count).scalar() == before
