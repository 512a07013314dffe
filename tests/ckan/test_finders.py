"""What the portal finds and takes up by itself: dates that have come, what many ask for, duplicates, deadlines long past."""

from __future__ import annotations

import datetime

import pytest
from ckan import model
from test_procedures import CLOSED, CONDITIONAL, FORM, ITEMS
from town import REVIEWS

from ckanext.mulu import cases, finders, steps
from ckanext.mulu.transaction import transaction


@pytest.fixture
def run(town):
    def go(days=0):
        opened = finders.run(cases.now() + datetime.timedelta(days))
        model.Session.remove()
        return opened

    return go


def open_cases(town, procedure, **more):
    return town.do("authority", "mulu_case_list", procedure=procedure, open=True, **more)["results"]


def test_nothing_is_found_in_a_town_where_nothing_is_due(town, run):
    town.published("没有到期的", **CLOSED)
    assert run() == 0


def test_what_is_not_open_is_evaluated_when_its_date_has_come_and_once(town, run):
    entry = town.published("到期的不予开放数据", **{**CLOSED, "open_review_on": "2030-01-02"})
    days = (datetime.date(2030, 1, 2) - datetime.date.today()).days
    assert run(days - 2) == 0
    assert run(days + 1) >= 1
    [case] = open_cases(town, "reevaluation", subject_id=entry["id"])
    shown = town.do("head", "mulu_case_show", id=case["id"])
    assert shown["case"]["data"]["why"] == "date"
    assert shown["my_turn"]
    assert run(days + 1) == 0


def test_what_many_ask_for_is_evaluated(town, run, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "mulu.demand_threshold", 3)
    entry = town.published("大家都想要的数据", **{**CLOSED, "open_review_on": "2035-01-02"})
    for n in range(3):
        assert run() == 0
        subject = {"type": "entry", "id": entry["id"]}
        town.do("citizen", "mulu_case_open", procedure="rereview", subject=subject, data={"request": f"第{n + 1}次"})
    assert run() == 1
    [case] = open_cases(town, "reevaluation", subject_id=entry["id"])
    assert town.do("head", "mulu_case_show", id=case["id"])["case"]["data"]["why"] == "demand"


def test_a_data_element_kept_by_two_departments_is_taken_up_once(town, run):
    element = [{**ITEMS[0], "name": "统一代码", "element_code": "DE01001"}]
    town.published("登记甲", items=element)
    assert run() == 0
    other = town.draft("登记乙", who="other_editor", department="jiaoyu", items=element)
    case = town.do("other_editor", "package_show", id=other["id"])["mulu_case"]
    town.event("other_editor", case, "submit")
    town.event("other_head", case, "head_agree", **REVIEWS)
    town.event("authority", case, "publish")
    assert run() == 1
    [found] = open_cases(town, "one_source")
    assert {"minzheng", "jiaoyu"} == {found["org"], *town.do("authority", "mulu_case_show", id=found["id"])["case"]["data"]["others"]}
    assert run() == 0


def test_a_deadline_long_past_brings_a_notice_to_put_it_right(town, run):
    entry = town.published("有条件共享的数据", **CONDITIONAL)
    asked = [{"id": entry["id"], "items": ["登记机构"]}]
    case = town.do("other_editor", "mulu_case_open", procedure="sharing_application", subject={"type": "department", "id": "minzheng"}, data={"asked": asked})["id"]
    town.event("other_editor", case, "submit", **FORM)
    town.event("other_head", case, "own_head_agree")
    late = cases.now() + datetime.timedelta(9)
    with transaction({}) as touched:
        steps.tick_one(case, touched, late)
    model.Session.remove()
    assert run(9) == 0, "overdue, not yet long overdue"
    assert run(25) == 1
    [notice] = open_cases(town, "rectification", subject_id=case)
    data = town.do("head", "mulu_case_show", id=notice["id"])["case"]["data"]
    assert data["ground"] == "r35_4"
    assert "有条件共享的数据" in data["facts"]
    assert run(25) == 0
