"""The outline of a place on the public site's maps: what its profile says of it (`outline: {file, approval, source}`) and what the file must be.

A map for the public has been reviewed and bears its number (《地图管理条例》第十五条、第二十二条). None is part of this program: a place
names its own, as approved, or its maps show a grid of degrees alone.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mulu.errors import BrokenRules
from mulu.files import ROOT

FOLDER: Final = ROOT / "profiles" / "outlines"
LARGEST: Final = 20_000_000
"""Bytes of a file; a county's boundary as surveyed has one to five million."""
EAST, NORTH = (73.0, 136.0), (3.0, 54.0)
"""Degrees within which China lies."""
_DATUMS: Final = ("CRS84", "EPSG::4326", "EPSG:4326", "EPSG::4490", "EPSG:4490")
_APPROVAL: Final = re.compile(r"\w{1,8}[(（]\d{4}[)）]\d{1,8}号")

Line = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Outline:
    """`file`: GeoJSON in `FOLDER`; `approval`: its number (审图号); `source`: who published it."""

    file: str
    approval: str
    source: str


def stated(row: Any) -> Outline | None:
    """What a profile says of its outline, if anything; BrokenRules where it lacks something or the number is none."""
    if row is None:
        return None
    if not isinstance(row, Mapping) or set(row) != {"file", "approval", "source"} or not all(isinstance(v, str) and v.strip() for v in row.values()):
        raise BrokenRules("轮廓（outline）应写明 file（文件）、approval（审图号）、source（来源）三项")
    if Path(row["file"]).name != row["file"]:
        raise BrokenRules(f"轮廓的文件“{row['file']}”应只写文件名，文件放在 mulu/profiles/outlines")
    if not _APPROVAL.fullmatch(row["approval"]):
        raise BrokenRules(f"轮廓的审图号“{row['approval']}”不合格式，应形如“湘S(2024)001号”（《地图管理条例》第二十二条）")
    return Outline(**row)


def read(outline: Outline, folder: Path = FOLDER) -> tuple[Line, ...]:
    """The file's lines and rings (a ring ends where it began) as (longitude, latitude) in degrees of WGS84 or CGCS2000, which differ by less than can be drawn.

    BrokenRules says in one sentence what the file is not.
    """
    file = folder / outline.file
    try:
        text = file.read_bytes()
    except OSError as error:
        raise BrokenRules(f"轮廓文件 {file} 读不出来：{error.strerror}") from None
    if len(text) > LARGEST:
        raise BrokenRules(f"轮廓文件 {file.name} 有 {len(text) / 1e6:.0f} MB，超过 {LARGEST / 1e6:.0f} MB，请先抽稀")
    try:
        content = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise BrokenRules(f"轮廓文件 {file.name} 不是 GeoJSON（不是 JSON）") from None
    if not isinstance(content, dict):
        raise BrokenRules(f"轮廓文件 {file.name} 不是 GeoJSON")
    _same_datum(file.name, content.get("crs"))
    lines = tuple(_line(file.name, line) for line in _lines(file.name, content))
    if not lines:
        raise BrokenRules(f"轮廓文件 {file.name} 里没有面或者线")
    return lines


def _same_datum(name: str, crs: Any) -> None:
    """Without a word of it GeoJSON is WGS84 (RFC 7946); older files may name another system."""
    properties = crs.get("properties") if isinstance(crs, dict) else None
    named = properties.get("name") if isinstance(properties, dict) else None
    if crs is not None and not str(named).upper().endswith(_DATUMS):
        raise BrokenRules(f"轮廓文件 {name} 的坐标系不是 WGS84 或 CGCS2000（EPSG:4490），请先转换")


def _lines(name: str, thing: Any) -> Iterable[Any]:
    kind = thing.get("type") if isinstance(thing, dict) else None
    try:
        if kind == "FeatureCollection":
            for one in thing["features"]:
                yield from _lines(name, one)
        elif kind == "GeometryCollection":
            for one in thing["geometries"]:
                yield from _lines(name, one)
        elif kind == "Feature":
            yield from _lines(name, thing["geometry"]) if thing["geometry"] is not None else ()
        elif kind == "LineString":
            yield thing["coordinates"]
        elif kind in ("Polygon", "MultiLineString"):
            yield from thing["coordinates"]
        elif kind == "MultiPolygon":
            yield from (ring for polygon in thing["coordinates"] for ring in polygon)
        else:
            raise BrokenRules(f"轮廓文件 {name} 里有“{kind or '没有写明类型的内容'}”，只能有面（Polygon、MultiPolygon）和线（LineString、MultiLineString）")
    except (KeyError, TypeError):
        raise BrokenRules(f"轮廓文件 {name} 不是 GeoJSON：“{kind}”缺少应有的内容") from None


def _line(name: str, given: Any) -> Line:
    if not isinstance(given, list) or len(given) < 2:
        raise BrokenRules(f"轮廓文件 {name} 里有一条线不到两个点")
    return tuple(_point(name, point) for point in given)


def _point(name: str, point: Any) -> tuple[float, float]:
    if not isinstance(point, list) or len(point) < 2 or not all(_is_number(v) for v in point[:2]):
        raise BrokenRules(f"轮廓文件 {name} 里的点应是“[经度, 纬度]”，而有一个是 {json.dumps(point, ensure_ascii=False)[:60]}")
    longitude, latitude = float(point[0]), float(point[1])
    if not (EAST[0] <= longitude <= EAST[1] and NORTH[0] <= latitude <= NORTH[1]):
        raise BrokenRules(f"轮廓文件 {name} 里的点 {longitude:g}, {latitude:g} 不在中国的经纬度范围内；先写经度，后写纬度，不能用平面坐标")
    return longitude, latitude


def _is_number(value: Any) -> bool:
    """One that a coordinate can be: JSON also writes whole numbers that are larger than any float."""
    try:
        return isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:
        return False
