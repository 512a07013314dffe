"""A place's outline: what its profile must say and what its file must be. The outlines here are made up and show no place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mulu import outline, profile
from mulu.errors import BrokenRules
from mulu.files import read_yaml
from mulu.outline import Outline

RING = [[112.3, 29.3], [112.9, 29.3], [112.9, 29.8], [112.3, 29.8], [112.3, 29.3]]
STATED = {"file": "made-up.geojson", "approval": "示S(2024)001号", "source": "虚构，不是任何地方的界线"}


def polygon(ring: Any = RING) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [ring]}


def read(folder: Path, content: Any) -> tuple[outline.Line, ...]:
    (folder / "made-up.geojson").write_text(content if isinstance(content, str) else json.dumps(content))
    return outline.read(Outline(**STATED), folder)


def test_a_profile_without_an_outline_has_none_and_takes_none_from_its_parent() -> None:
    assert {profile.load(name).outline for name in profile.PROFILES} == {None}
    layers = [read_yaml(profile.FOLDER / f"{name}.yml") for name in ("guojia", "hunan", "huarong")]
    layers[1]["outline"] = STATED
    assert profile.build(layers).outline is None
    layers[2]["outline"] = STATED
    assert profile.build(layers).outline == Outline(**STATED)


@pytest.mark.parametrize("row", ["made-up.geojson", {}, {**STATED, "approval": ""}, {"file": "a", "source": "b"}, {**STATED, "more": "x"}])
def test_all_three_are_stated(row: Any) -> None:
    with pytest.raises(BrokenRules, match="file（文件）、approval（审图号）、source（来源）"):
        outline.stated(row)


@pytest.mark.parametrize("approval", ["待审", "湘S2024-001", "湘S(24)1号", "湘S(2024)号"])
def test_an_approval_is_a_number_of_its_form(approval: str) -> None:
    with pytest.raises(BrokenRules, match=r"审图号.*湘S"):
        outline.stated({**STATED, "approval": approval})


@pytest.mark.parametrize("approval", ["GS(2023)1234号", "GS京（2022）0001号", "湘S(2024)001号"])
def test_numbers_of_the_country_and_the_provinces(approval: str) -> None:
    assert outline.stated({**STATED, "approval": approval}).approval == approval  # type: ignore[union-attr]


def test_a_file_lies_in_its_folder() -> None:
    with pytest.raises(BrokenRules, match="只写文件名"):
        outline.stated({**STATED, "file": "../../etc/outline.geojson"})


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (polygon(), 1),
        ({"type": "Polygon", "coordinates": [RING, [[112.5, 29.5], [112.6, 29.5], [112.6, 29.6], [112.5, 29.5]]]}, 2),
        ({"type": "MultiPolygon", "coordinates": [[RING], [RING]]}, 2),
        ({"type": "LineString", "coordinates": RING[:3]}, 1),
        ({"type": "MultiLineString", "coordinates": [RING[:2], RING[2:4]]}, 2),
        ({"type": "Feature", "properties": {}, "geometry": polygon()}, 1),
        ({"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": polygon()}, {"type": "Feature", "geometry": None}]}, 1),
        ({"type": "GeometryCollection", "geometries": [polygon(), {"type": "LineString", "coordinates": RING[:2]}]}, 2),
        ({**polygon([[*point, 31.5] for point in RING]), "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}}, 1),
        ("\ufeff" + json.dumps(polygon()), 1),
    ],
)
def test_shapes_that_are_taken(tmp_path: Path, content: Any, lines: int) -> None:
    found = read(tmp_path, content)
    assert len(found) == lines
    assert found[0][0] == (112.3, 29.3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<svg/>", "不是 GeoJSON"), ("[]", "不是 GeoJSON"), ("{}", "没有写明类型"), ({"type": "Topology", "objects": {}}, "Topology"),
        ({"type": "Point", "coordinates": [112.3, 29.3]}, "只能有面"), ({"type": "Feature"}, "缺少应有的内容"),
        ({"type": "Polygon", "coordinates": 7}, "缺少应有的内容"), ({"type": "FeatureCollection", "features": []}, "没有面或者线"),
        ({"type": "LineString", "coordinates": [[112.3, 29.3]]}, "不到两个点"), ({"type": "LineString", "coordinates": [[112.3, 29.3], ["112", 29]]}, "\\[经度, 纬度\\]"),
        (polygon([[y, x] for x, y in RING]), "先写经度，后写纬度"), (polygon([[3270000.5, 500000.5]] * 4), "不能用平面坐标"),
        ('{"type": "LineString", "coordinates": [[NaN, 29], [112, 29]]}', "\\[经度, 纬度\\]"),
        ({**polygon(), "crs": {"type": "name", "properties": {"name": "EPSG:3857"}}}, "坐标系不是"), ({**polygon(), "crs": "BD09"}, "坐标系不是"),
        ({**polygon(), "crs": {"properties": None}}, "坐标系不是"), ({**polygon(), "crs": {"properties": ["EPSG:4326"]}}, "坐标系不是"),
        (polygon([[int("1" * 400), 29.3], *RING[1:]]), "\\[经度, 纬度\\]"),
    ],
)  # fmt: skip
def test_what_is_refused_and_why(tmp_path: Path, content: Any, said: str) -> None:
    with pytest.raises(BrokenRules, match=said):
        read(tmp_path, content)


def test_a_file_that_is_missing_or_too_large_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BrokenRules, match=r"made-up\.geojson 读不出来"):
        outline.read(Outline(**STATED), tmp_path)
    monkeypatch.setattr(outline, "LARGEST", 100)
    with pytest.raises(BrokenRules, match="请先抽稀"):
        read(tmp_path, polygon())
