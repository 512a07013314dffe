"""Nobody makes themselves what they are not: the function of an organisation decides who reviews."""

from __future__ import annotations

import pytest
from ckan import model

from mulu import credit_code

FUNCTION = [{"key": "mulu_function", "value": "authority"}]
WAYS = [
    ("organization_update", {"name": "minzheng", "title": "机构", "mulu_function": "authority"}),
    ("organization_update", {"name": "minzheng", "title": "机构", "extras": FUNCTION}),
    ("organization_patch", {"mulu_function": "authority"}),
    ("organization_patch", {"extras": FUNCTION}),
    ("group_update", {"name": "minzheng", "title": "机构", "mulu_function": "authority"}),
    ("group_update", {"name": "minzheng", "title": "机构", "extras": FUNCTION}),
    ("group_patch", {"mulu_function": "authority"}),
    ("group_patch", {"extras": FUNCTION}),
]


def function_of(name: str) -> str:
    model.Session.expire_all()
    return model.Group.get(name).extras.get("mulu_function") or "provider"


@pytest.mark.parametrize(("action", "data"), WAYS, ids=str)
def test_a_head_does_not_make_the_department_the_authority(town, action, data):
    status = town.request("head", f"/api/3/action/{action}", {"id": "minzheng", **data}).status_code
    assert status < 500
    assert function_of("minzheng") == "provider"


@pytest.mark.parametrize("who", ["editor", "head", "authority_head", "citizen"])
def test_nobody_makes_an_organisation(town, who):
    town.refused(
        who, "organization_create", name=f"neu-{who.replace('_', '-')}", title="新设", mulu_function="authority"
    )
    town.refused(who, "group_create", name=f"gruppe-{who.replace('_', '-')}", title="新设")


@pytest.mark.parametrize("action", ["organization_member_create", "member_create", "group_member_create"])
def test_nobody_joins_the_authority(town, action):
    person = town.users["head"]["name"]
    data = {
        "id": "shuju",
        "username": person,
        "object": person,
        "object_type": "user",
        "role": "editor",
        "capacity": "editor",
    }
    town.refused("head", action, **data)


def test_a_department_keeps_its_own_account_up_to_date(town):
    town.do("head", "organization_patch", id="minzheng", chief_data_officer="王某某，副局长")
    assert model.Group.get("minzheng").extras["chief_data_officer"] == "王某某，副局长"
    assert function_of("minzheng") == "provider"


def test_the_authority_stays_the_authority_when_its_account_is_edited(town):
    town.do("authority_head", "organization_update", id="shuju", name="shuju", title="县数据局")
    assert function_of("shuju") == "authority"


def test_the_sysadmin_sets_the_function(town):
    town.do("sysadmin", "organization_patch", id="jiaoyu", mulu_function="operator")
    assert function_of("jiaoyu") == "operator"


@pytest.mark.parametrize(
    ("code", "right"),
    [(credit_code.make(7), True), (credit_code.make(7)[:-1] + "-", False), ("12345", False), ("", True)],
)
def test_a_credit_code_is_checked(town, code, right):
    if right:
        town.do("sysadmin", "organization_patch", id="jiaoyu", credit_code=code)
    else:
        error = town.refused("sysadmin", "organization_patch", id="jiaoyu", credit_code=code)
        assert "统一社会信用代码" in str(error)
