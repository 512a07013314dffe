"""What an entry's page shows of an open file: its first rows, a small chart of each column of numbers, where its points lie, whether it is sound.

The portal reads the files (ckanext.mulu.previews) and puts what it found into the snapshot as a resource's `preview`; here it is only
shown. What is not as agreed is left out: a page is made of any snapshot.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mulu_site import charts
from mulu_site.text import cut, fold, one_line

CHARTS, CELL = 6, 60
_COORDINATES = {fold(name) for name in ("经度", "纬度", "东经", "北纬", "lon", "lng", "lat", "longitude", "latitude")}
_NUMERIC = {"", "N", "Y", "B", "F", "I"}


def view(resource: Mapping[str, Any], items: Sequence[Mapping[str, Any]], most: int) -> dict[str, Any] | None:
    """Of a resource's preview what the template shows, at most `most` columns wide; None where there is nothing to show."""
    found = resource.get("preview")
    columns = [c for c in found.get("columns") or [] if isinstance(c, dict)] if isinstance(found, dict) else []
    if not columns or not most or not isinstance(found, dict):
        return None
    rows = [[cut(one_line(cell), CELL) for cell in row[:most]] for row in found.get("rows") or [] if isinstance(row, list)]
    types = {fold(one_line(item.get("name"))): str(item.get("data_type") or "") for item in items}
    points = [(float(p[0]), float(p[1])) for p in found.get("points") or [] if _is_point(p)]
    problems = [{"text": one_line(p.get("text")), "count": _count(p.get("count"))} for p in found.get("problems") or [] if isinstance(p, dict)]
    return {
        "name": one_line(resource.get("name")),
        "columns": [{"name": cut(one_line(c.get("name")), CELL), "numeric": c.get("kind") == "number"} for c in columns[:most]],
        "columns_cut": max(0, len(columns) - most),
        "width": len(columns),
        "rows": rows,
        "total": _count(found.get("total")),
        "charts": [made for c in columns if (made := _chart(c, types))][:CHARTS],
        "map": charts.map_of(points, "数据中的点位") if points else "",
        "points": len(points),
        "checked": bool(found.get("checked")),
        "valid": bool(found.get("valid")) and not problems,
        "problems": problems,
    }


def _chart(column: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Any] | None:
    """A column of numbers as its distribution; codes that happen to be digits, coordinates and constants have none."""
    name, bins = one_line(column.get("name")), column.get("bins")
    low, high, mean = (column.get(key) for key in ("min", "max", "mean"))
    if column.get("kind") != "number" or fold(name) in _COORDINATES or types.get(fold(name), "") not in _NUMERIC:
        return None
    if not isinstance(bins, list) or len(bins) < 2 or not all(isinstance(v, int | float) and v >= 0 for v in bins):
        return None
    if not all(isinstance(v, int | float) and math.isfinite(v) for v in (low, high, mean)):
        return None
    step = (high - low) / len(bins)
    tips = [f"{number(low + n * step)} 至 {number(low + (n + 1) * step)}：{count}" for n, count in enumerate(bins)]
    about = f"最小 {number(low)}，最大 {number(high)}，平均 {number(mean)}"
    svg = charts.columns(bins, f"{cut(name, 30)}的分布", about, tips)
    return {"name": cut(name, 30), "min": number(low), "max": number(high), "mean": number(mean), "svg": svg}


def number(value: float) -> str:
    """About four digits, as people read them: 2019, 0.25, 13.5, 1,234,568."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}" if abs(value) >= 10_000 else str(int(value))
    places = max(0, 3 - math.floor(math.log10(abs(value))))
    text = f"{value:{',' if abs(value) >= 10_000 else ''}.{min(places, 8)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_point(point: Any) -> bool:
    return isinstance(point, list) and len(point) == 2 and all(isinstance(v, int | float) and math.isfinite(v) for v in point)


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value < 1e12 else 0
