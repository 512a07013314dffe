"""What the API's document says, tried against the running portal with many made-up requests."""

from __future__ import annotations

import granting
import pytest
import schemathesis
from ckan import model
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import sampled_from
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from test_procedures import CONDITIONAL, apply_for

from ckanext.mulu.logic.action import ACTIONS
from ckanext.mulu.openapi.addresses import paths
from ckanext.mulu.openapi.document import document, operations
from mulu.case import PROCEDURES

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = 25


@pytest.fixture(scope="module")
def described(town):
    town.published("供接口测试的数据", **CONDITIONAL)
    return schemathesis.openapi.from_wsgi("/mulu/openapi.json", town.app.flask_app)


def test_every_action_of_the_portal_is_described():
    assert set(operations()) == set(ACTIONS)


def test_every_procedure_says_what_it_takes(town):
    with town.app.flask_app.test_request_context():
        shown = document()
    for name in PROCEDURES:
        opening = shown["components"]["schemas"][f"Open_{name}"]
        assert opening["title"] and opening["type"] == "object"
    grounds = shown["components"]["schemas"]["Open_rectification"]["properties"]["ground"]["enum"]
    assert grounds and all(one.startswith("r35") for one in grounds), "the choices are those of the place"


ADDRESSES = [*(f"/api/3/action/{name}" for name in sorted(ACTIONS)), *paths()]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_portal_answers_as_described(address, town, described):
    tokens = [{}, *({"Authorization": town.tokens[who]} for who in ("editor", "authority"))]

    [method] = paths().get(address, {"post": ""})

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=described[address][method.upper()].as_strategy(), headers=sampled_from(tokens))
    def answers(case, headers):
        try:
            case.call_and_validate(headers=headers, checks=CHECKS)
        finally:
            model.Session.remove()

    answers()


def test_real_answers_are_as_described(town, described):
    """Made-up requests are mostly refused: these succeed."""
    entry = town.published("供接口测试的另一份数据", **CONDITIONAL)
    opened = apply_for(town, entry)
    for name, sent in {
        "mulu_case_show": {"id": opened}, "mulu_case_list": {"limit": 5}, "mulu_inbox": {}, "mulu_grant_list": {},
        "mulu_profile_show": {"id": "huarong"}, "mulu_entry_history": {"id": entry["id"]},
    }.items():  # fmt: skip
        call = described[f"/api/3/action/{name}"]["POST"].Case(body=sent, media_type="application/json")
        answer = call.call(headers={"Authorization": town.tokens["other_editor"]})
        assert answer.status_code == 200, answer.text
        call.validate_response(answer, checks=CHECKS)


def test_data_under_a_grant_comes_as_described(town, described):
    entry = granting.published(town, "供接口测试的表", granting.rows(5))
    grant = granting.grant(town, entry["id"], ["补贴金额"])
    for query in ({}, {"limit": 2, "offset": 2}, {"format": "csv"}, {"sort": "没有这一列"}):
        call = described["/mulu/data/{grant}"]["GET"].Case(path_parameters={"grant": grant}, query=query)
        answer = call.call(headers={"Authorization": town.tokens["other_editor"]})
        assert answer.status_code == (422 if "sort" in query else 200), answer.text
        call.validate_response(answer, checks=CHECKS)


@pytest.mark.parametrize("asked", [5, True, "x", {"id": 1}, [5], [{"id": 5}]])
def test_what_is_no_list_of_entries_is_told(town, asked):
    subject = {"type": "department", "id": "minzheng"}
    told = town.refused("other_editor", "mulu_case_open", procedure="sharing_application", subject=subject, data={"asked": asked})
    assert told["problems"]
    told = town.refused("other_editor", "mulu_sharing_apply", asked=[{"id": "x", "items": ["甲"]}], submit="maybe")
    assert [one["field"] for one in told["problems"]] == ["submit"]


def test_a_nul_in_an_address_is_refused_and_logged(town):
    entry = granting.published(town, "地址里的空字符", granting.rows(2))
    grant = granting.grant(town, entry["id"], ["补贴金额"])
    for address in (f"/mulu/data/{grant}?resource=%00", f"/mulu/data/{grant}?format=%00", "/mulu/data/%00"):
        assert town.request("other_editor", address).status_code in (404, 422)
    assert town.do("other_editor", "mulu_usage_list", grant=grant)["count"] == 2
