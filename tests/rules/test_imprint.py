"""What a place's site states of itself. All names and numbers are made up."""

from __future__ import annotations

from typing import Any

import pytest

from mulu import imprint, profile
from mulu.errors import BrokenRules
from mulu.files import read_yaml
from mulu.imprint import Imprint

STATED = {"host": "示例县数据局（虚构）", "contact": "0000-0000000", "identifier": "0000000001", "icp": "湘ICP备00000001号-1", "police": "湘公网安备 00000000000001号"}


def test_a_profile_states_its_own_and_takes_none_from_its_parent() -> None:
    assert {profile.load(name).imprint for name in profile.PROFILES} == {Imprint()}
    layers = [read_yaml(profile.FOLDER / f"{name}.yml") for name in ("guojia", "hunan", "huarong")]
    layers[1]["imprint"] = STATED
    assert profile.build(layers).imprint == Imprint()
    layers[2]["imprint"] = STATED
    assert profile.build(layers).imprint == Imprint(**STATED)


def test_numbers_lead_to_where_they_can_be_checked() -> None:
    assert imprint.stated(STATED).filed == [
        ("网站标识码：0000000001", ""),
        (STATED["icp"], "https://beian.miit.gov.cn/"),
        (STATED["police"], "https://beian.mps.gov.cn/#/query/webSearch?code=00000000000001"),
    ]
    assert Imprint().filed == []


@pytest.mark.parametrize("row", [{key: value} for key, value in STATED.items()])
def test_each_may_be_stated_alone(row: dict[str, str]) -> None:
    assert imprint.stated(row) == Imprint(**row)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("示例县", "只能写明"),
        ({"icq": "1"}, "只能写明"),
        ({"identifier": 4306230001}, "加引号"),
        ({"host": " "}, "host"),
        ({"identifier": "43062300"}, "网站标识码"),
        ({"icp": "ICP备案中"}, "ICP备案编号"),
        ({"police": "湘公网安备1号"}, "公安机关备案号"),
    ],
)
def test_what_is_not_of_its_form_is_refused(row: Any, told: str) -> None:
    with pytest.raises(BrokenRules, match=told):
        imprint.stated(row)
