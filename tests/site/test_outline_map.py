"""A place's outline under the points of a preview. The outline is made up and shows no place."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from mulu import outline as rules
from mulu import profile
from mulu.files import read_yaml
from mulu_site import charts, outline, place
from mulu_site.release import BuildError

STATED = {"file": "made-up.geojson", "approval": "示S(2024)001号", "source": "虚构，不是任何地方的界线"}
CIRCLE = tuple((112.6 + 0.3 * math.cos(n / 2500 * math.tau) * (1 + 0.02 * math.sin(n / 9)), 29.5 + 0.2 * math.sin(n / 2500 * math.tau)) for n in range(2500))
RING = (*CIRCLE, CIRCLE[0])
PREVIEW = {"columns": [{"name": "名称", "kind": "text", "filled": 2}], "rows": [["甲"], ["乙"]], "total": 2, "points": [[112.5, 29.5], [112.7, 29.6]], "checked": True, "valid": True, "problems": []}  # fmt: skip


@pytest.fixture
def outlined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The made-up place has an outline; gives its file."""
    layers = [read_yaml(profile.FOLDER / f"{name}.yml") for name in ("guojia", "hunan", "huarong")]
    layers[-1]["outline"] = STATED
    monkeypatch.setattr(place, "load_profile", lambda _: profile.build(layers))
    monkeypatch.setattr(rules.read, "__defaults__", (tmp_path,))
    file = tmp_path / STATED["file"]
    file.write_text(json.dumps({"type": "Polygon", "coordinates": [RING]}))
    return file


def map_of(shop) -> BeautifulSoup:
    return BeautifulSoup(shop.read("entry/new/index.html"), "html5lib").select_one(".points-map")


def entry(shop, points: list[list[float]]) -> None:
    shop.entry(resources=[{"id": "r1", "name": "名录", "url": "/a.csv", "format": "CSV", "preview": PREVIEW | {"points": points}}])


def test_it_is_drawn_under_the_points_with_its_number(shop, outlined: Path) -> None:
    entry(shop, PREVIEW["points"])  # type: ignore[arg-type]
    shop.build()
    shown = map_of(shop)
    assert [path["class"] for path in shown.select("path")] == [["graticule"], ["area"], ["points"]]
    assert STATED["approval"] in shown.figcaption.get_text() and STATED["source"] in shown.figcaption.get_text()
    assert len(shop.read("entry/new/index.html").encode()) < 60_000


def test_without_one_there_are_degrees_alone(shop) -> None:
    entry(shop, PREVIEW["points"])  # type: ignore[arg-type]
    shop.build()
    shown = map_of(shop)
    assert [path["class"] for path in shown.select("path")] == [["graticule"], ["points"]]
    assert "经纬网示意，不含底图" in shown.figcaption.get_text()


def test_points_elsewhere_are_shown_without_it(shop, outlined: Path) -> None:
    entry(shop, [[121.4, 31.8], [121.6, 31.9], [112.6, 29.5]])
    shop.build()
    shown = map_of(shop)
    assert not shown.select(".area") and STATED["approval"] not in shown.get_text()


def test_another_outline_makes_its_pages_anew(shop, outlined: Path) -> None:
    entry(shop, PREVIEW["points"])  # type: ignore[arg-type]
    shop.build()
    before = map_of(shop).select_one(".area")["d"]
    outlined.write_text(json.dumps({"type": "Polygon", "coordinates": [[[112.3, 29.3], [112.9, 29.3], [112.9, 29.8], [112.3, 29.3]]]}))
    shop.build()
    assert map_of(shop).select_one(".area")["d"] != before


def test_a_wrong_file_stops_the_build_with_one_sentence(shop, outlined: Path) -> None:
    shop.build()
    before = shop.read("index.html")
    outlined.write_text("<svg/>")
    with pytest.raises(BuildError, match=r"^华容县的规则有误：轮廓文件 made-up.geojson 不是 GeoJSON.*。$"):
        shop.build()
    assert shop.read("index.html") == before


def test_simplified_it_keeps_its_shape() -> None:
    [ring] = outline.simplified((RING,))
    assert len(ring) <= outline.POINTS and ring[0] == ring[-1]
    for axis in (0, 1):
        assert min(p[axis] for p in ring) == pytest.approx(min(p[axis] for p in RING), abs=0.004)
        assert max(p[axis] for p in ring) == pytest.approx(max(p[axis] for p in RING), abs=0.004)


def test_many_islands_lose_the_smallest_first() -> None:
    islands = tuple(tuple((112 + n / 50 + 0.0001 * n * math.cos(a), 29 + 0.0001 * n * math.sin(a)) for a in [*(k / 40 * math.tau for k in range(40)), 0.0]) for n in range(1, 60))
    shown = outline.simplified(islands)
    assert 0 < len(shown) < 59 and sum(map(len, shown)) <= outline.POINTS
    assert max(x for line in shown for x, _ in line) > 113


def test_lines_that_do_not_close_are_not_filled() -> None:
    drawn = charts.map_of([(112.5, 29.5)], "点", [RING[:400], RING])
    shown = BeautifulSoup(drawn, "html5lib")
    assert shown.select_one(".area")["d"].count("Z") == 1 and "Z" not in shown.select_one(".border")["d"]
