"""What an entry's page shows of an open file: its first rows, a small chart of each column of numbers, where its points lie, whether it is sound.

The portal reads the files (ckanext.mulu.previews) and puts what it found into the snapshot as a resource's `preview`; here it is only
shown. What is not as agreed is left out: a page is made of any snapshot.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mulu_site import charts
from mulu_site.text import cut, fold, one_line, web_address

CHARTS, CELL, ROWS, POINTS, BINS, PROBLEMS = 6, 60, 10, 400, 40, 12
_MOST = 1e15
"""Numbers beyond are nothing that a picture of a column could show."""
_YEARS = re.compile(r"(?:年份?|年度|year)\Z")
"""Names of columns that hold years, of which a mean says nothing."""
_COORDINATES = {fold(name) for name in ("经度", "纬度", "东经", "北纬", "lon", "lng", "lat", "longitude", "latitude")}
_NUMERIC = {"", "N", "Y", "B", "F", "I"}


def view(resource: Mapping[str, Any], items: Sequence[Mapping[str, Any]], most: int, outline: Sequence[charts.Line] = ()) -> dict[str, Any] | None:
    """Of a resource's preview what the template shows, at most `most` columns wide; None where there is nothing to show."""
    found = resource.get("preview")
    if not isinstance(found, dict) or not most:
        return None
    columns = [c for c in _list(found, "columns") if isinstance(c, dict)]
    if not columns:
        return None
    rows = [[cut(one_line(cell), CELL) for cell in row[: min(most, len(columns))]] for row in _list(found, "rows")[:ROWS] if isinstance(row, list)]
    types = {fold(one_line(item.get("name"))): str(item.get("data_type") or "") for item in items}
    points = [(float(p[0]), float(p[1])) for p in _list(found, "points")[:POINTS] if _is_point(p)]
    problems = _problems(found)
    return {
        "name": cut(one_line(resource.get("name")), 120),
        "columns": [{"name": cut(one_line(c.get("name")), CELL), "numeric": c.get("kind") == "number"} for c in columns[:most]],
        "columns_cut": max(0, len(columns) - most),
        "width": len(columns),
        "rows": rows,
        "total": _count(found.get("total")),
        "charts": [made for c in columns if (made := _chart(c, types))][:CHARTS],
        "map": charts.map_of(points, "数据中的点位", outline) if points else "",
        "outlined": charts.covers(outline, points),
        "points": len(points),
        "checked": bool(found.get("checked")),
        "valid": bool(found.get("valid")) and not problems,
        "checked_on": one_line(found.get("checked_on"))[:10],
        "checked_rows": _count(found.get("checked_rows")),
        "problems": problems,
    }


def report(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """What frictionless found in the entry's open files, for programs (quality.json): of each file its address, checksum, and the report
    as frictionless wrote it (Report of its version 5), with `problems` beside it: how the columns differ from the registered items."""
    files = []
    for resource in _list(entry, "resources"):
        found = resource.get("preview") if isinstance(resource, dict) else None
        if not isinstance(found, dict) or not found.get("checked"):
            continue
        told = {key: found[key] for key in ("checked_on", "checked_rows", "total", "valid", "problems", "report") if key in found}
        files.append({"name": one_line(resource.get("name")), "url": web_address(resource.get("url")), "hash": one_line(resource.get("hash")), **told})
    return {"title": one_line(entry.get("title")), "checked_with": "frictionless", "files": files} if files else None


def _problems(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    told = [p for p in _list(found, "problems")[:PROBLEMS] if isinstance(p, dict)]
    return [{"text": cut(one_line(p.get("text")), 200), "count": _count(p.get("count"))} for p in told]


def _list(value: Mapping[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    return found if isinstance(found, list) else []


def _chart(column: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Any] | None:
    """A column of numbers as its distribution; codes that happen to be digits, coordinates and constants have none."""
    name, bins = one_line(column.get("name")), column.get("bins")
    low, high, mean = (column.get(key) for key in ("min", "max", "mean"))
    if column.get("kind") != "number" or fold(name) in _COORDINATES or types.get(fold(name), "") not in _NUMERIC:
        return None
    if not isinstance(bins, list) or not 2 <= len(bins) <= BINS or not all(isinstance(v, int | float) and 0 <= v < _MOST for v in bins):
        return None
    if not all(isinstance(v, int | float) and abs(v) < _MOST for v in (low, high, mean)) or low > high:
        return None
    step = (high - low) / len(bins)
    tips = [f"{number(low + n * step)} 至 {number(low + (n + 1) * step)}：{count}" for n, count in enumerate(bins)]
    average = "" if _is_year(name, low, high) else number(mean)
    about = f"最小 {number(low)}，最大 {number(high)}" + (f"，平均 {average}" if average else "")
    svg = charts.columns(bins, f"{cut(name, 30)}的分布", about, tips)
    return {"name": cut(name, 30), "min": number(low), "max": number(high), "mean": average, "svg": svg}


def _is_year(name: str, low: float, high: float) -> bool:
    return bool(_YEARS.search(fold(name))) and all(1900 <= end <= 2100 and end == int(end) for end in (low, high))


def number(value: float) -> str:
    """About four digits, as people read them: 2019, 0.25, 13.5, 1,234,568."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}" if abs(value) >= 10_000 else str(int(value))
    places = max(0, 3 - math.floor(math.log10(abs(value))))
    text = f"{value:{',' if abs(value) >= 10_000 else ''}.{min(places, 8)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_point(point: Any) -> bool:
    return isinstance(point, list) and len(point) == 2 and all(isinstance(v, int | float) and abs(v) <= most for v, most in zip(point, (180, 90), strict=True))


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value < 1e12 else 0
