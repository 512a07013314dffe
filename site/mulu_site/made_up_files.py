"""The files of made-up entries (mulu_site.generate), and what the portal would have read of them: first rows, numbers, places, findings."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

ROWS, BINS, COLUMNS = 10, 12, 300
"""As the portal reads files (ckanext.mulu.previews)."""
_FINDINGS = (("type-error", "有的内容与登记的数据类型不符"), ("missing-cell", "有的行比列名少格"), ("blank-row", "有空行"))
_NUMBERS = frozenset("INYBF")
_DAY = date(2020, 1, 1)


def resources(entry: Mapping[str, Any], i: int, rng: random.Random, long: bool, portal_url: str) -> list[dict[str, Any]]:
    """What everybody may have of an entry: nothing unless it is open as a whole. One file or two, of some entries a dozen or an interface."""
    if entry["open_type"] != "unconditional":
        return []
    count = rng.randint(20, 80) if long else 12 if rng.random() < 0.01 else 1 + i % 2
    found = [_file(entry, i, n, count, portal_url) for n in range(count)]
    if entry["format_class"] == "api":
        url = f"{portal_url or 'https://data.example'}/api/{i:06d}"
        found.append({"id": f"api-{i:06d}", "name": f"{entry['title']}查询接口", "url": url, "format": "API", "description": "按名称查询，每次至多返回一百行。"})
    if rng.random() < 0.35:
        found[0]["preview"] = preview(entry["items"], rng)
    return found


def _file(entry: Mapping[str, Any], i: int, n: int, count: int, portal_url: str) -> dict[str, Any]:
    kind, key = ("XLSX", "CSV")[n % 2], f"file-{i:06d}-{n}"
    address = f"{portal_url}/dataset/{entry['name']}/resource/{key}/download/{i:06d}" if portal_url else f"https://data.example/{i:06d}-{n}"
    return {
        "id": key,
        "name": entry["title"] if count < 3 else f"{entry['title']}（第{n // 2 + 1}部分）",
        "url": f"{address}.{kind.lower()}",
        "format": kind,
        "size": 20_000 + i % 977 * 311 + n,
        "hash": f"sha256:{sha256(key.encode()).hexdigest()}",
    }


def preview(items: Sequence[Mapping[str, Any]], rng: random.Random) -> dict[str, Any]:
    """As the portal's reader gives it, of a table with a column for every item; every number in it is of the same made-up rows."""
    items, total = items[:COLUMNS], rng.randint(12, 48)
    cells = {item["name"]: [_cell(item, n, rng) for n in range(total)] for item in items}
    problems = [{"code": code, "count": rng.randint(1, 9), "text": text} for code, text in rng.sample(_FINDINGS, rng.choices((0, 1, 2), (8, 1, 1))[0])]
    points = [[lon, lat] for lon, lat in zip(cells.get("经度", ()), cells.get("纬度", ()), strict=False)]
    return {
        "columns": [_column(item, cells[item["name"]]) for item in items],
        "rows": [[str(cells[item["name"]][n]) for item in items] for n in range(ROWS)],
        "total": total,
        "points": points,
        "checked": True,
        "valid": not problems,
        "problems": problems,
    }


def _cell(item: Mapping[str, Any], n: int, rng: random.Random) -> str | float:
    name, kind = item["name"], item["data_type"]
    if name == "经度":
        return round(112.3 + rng.random() * 0.6, 6)
    if name == "纬度":
        return round(29.2 + rng.random() * 0.6, 6)
    if name == "年度":
        return rng.randint(2015, 2025)
    if kind in _NUMBERS:
        value = rng.lognormvariate(5, 1.5)
        return int(value) if kind == "I" else round(value, 2)
    if kind in "DT":
        day = (_DAY + timedelta(days=rng.randrange(2000))).isoformat()
        return f"{day} 09:30:00" if kind == "T" else day
    return f"示例{name}{n + 1}"


def _column(item: Mapping[str, Any], cells: Sequence[Any]) -> dict[str, Any]:
    told = {"name": item["name"], "kind": "text", "filled": len(cells)}
    if item["data_type"] not in _NUMBERS:
        return told
    low, high = min(cells), max(cells)
    bins = [0] * (BINS if high > low else 1)
    for value in cells:
        bins[min(len(bins) - 1, int((value - low) / (high - low or 1) * len(bins)))] += 1
    return told | {"kind": "number", "min": low, "max": high, "mean": round(sum(cells) / len(cells), 6), "bins": bins}
