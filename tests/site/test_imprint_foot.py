"""What a place states of its site stands at the foot of every page, the hand-written ones too. Names and numbers are made up."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from mulu import profile
from mulu.files import read_yaml
from mulu_site import place
from mulu_site.render import PAGES

STATED = {"host": "示例县数据局（虚构）", "contact": "0000-0000000", "identifier": "0000000001", "icp": "湘ICP备00000001号-1", "police": "湘公网安备 00000000000001号"}


@pytest.mark.parametrize("row", [STATED, None, {"host": STATED["host"]}])
def test_the_foot_says_what_the_profile_states(shop, monkeypatch: pytest.MonkeyPatch, row: dict[str, str] | None) -> None:
    layers = [read_yaml(profile.FOLDER / f"{name}.yml") for name in ("guojia", "hunan", "huarong")]
    if row:
        layers[-1]["imprint"] = row
    monkeypatch.setattr(place, "load_profile", lambda _: profile.build(layers))
    shop.entry()
    shop.build(pages=PAGES)
    for page in ("index.html", "entry/new/index.html", "about/index.html"):
        foot = BeautifulSoup(shop.read(page), "html5lib").select_one(".colophon")
        assert {value for value in STATED.values() if value in foot.get_text()} == set((row or {}).values()), page
        assert [a["href"] for a in foot.select(".colophon-filed a")] == (
            ["https://beian.miit.gov.cn/", "https://beian.mps.gov.cn/#/query/webSearch?code=00000000000001"] if row == STATED else []
        )
