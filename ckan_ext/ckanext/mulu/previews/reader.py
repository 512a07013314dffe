"""Reads one file for its preview, as a program of its own: a file from outside may crash, hang or fill the memory of whoever reads it.

``python -m ckanext.mulu.previews.reader`` takes a request as JSON on its standard input and gives the preview as JSON; asks nothing
of CKAN.

    request: {"path", "kind": "csv" | "xlsx", "items": [{"name", "data_type"}], "only": names of items or null for the whole file}
    preview: {"columns": [{"name", "kind": "number" | "text", "filled", "min", "max", "mean", "bins"}], "rows": [[text]] (at most ROWS),
              "total": rows of the file, "encoding": of a CSV, "points": [[longitude, latitude]], "checked": bool, "valid": bool,
              "problems": [{"code", "count", "text"}], and of a file that was checked "checked_on": day in China, "checked_rows",
              "report": frictionless' own, with the first REPORTED errors}

With ``only`` the other columns are as if they were not in the file, and nothing is said of what is wrong with it.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import frictionless

from ckanext.mulu.tabular import NUMBER, NotATable, encoding_of, read, same, text_of
from mulu.case import SHANGHAI

VERSION = 2
"""Goes into the key of what is kept: another way of reading makes every preview anew."""
ROWS, CELL, COLUMNS, BINS, POINTS = 10, 200, 300, 12, 400
MOST = 200_000
"""Rows that are read."""
PROBLEMS, CHECKED, REPORTED = 12, 50_000, 30
"""Kinds of problems that are told; rows that frictionless looks at; errors that its report names one by one."""
LONGITUDE, LATITUDE = {"经度", "lon", "lng", "longitude", "东经"}, {"纬度", "lat", "latitude", "北纬"}
_TYPES = {"N": "number", "Y": "number", "B": "number", "F": "number", "I": "integer", "D": "date", "T": "datetime", "L": "boolean"}
_SAID = {
    "blank-header": "有列名为空", "duplicate-label": "有列名重复", "blank-label": "有列名为空", "blank-row": "有空行", "primary-key": "主键重复",
    "missing-cell": "有的行比列名少格", "extra-cell": "有的行比列名多格", "type-error": "有的内容与登记的数据类型不符",
    "constraint-error": "有的内容超出规定", "encoding-error": "编码有误", "source-error": "内容不能读取", "format-error": "格式有误",
}  # fmt: skip


def preview(path: Path, kind: str, items: Sequence[Mapping[str, Any]], only: Sequence[str] | None) -> dict[str, Any]:
    """:raises NotATable: what ``tabular.read`` raises, and a table with more than COLUMNS columns"""
    header, rows = read(path, kind)
    if len(header) > COLUMNS:
        raise NotATable(f"文件有{len(header)}列，超过{COLUMNS}列的不作预览")
    chosen = _chosen(header, only)
    columns = [_Column(header[place] or f"列{place + 1}") for place in chosen]
    shown: list[list[str]] = []
    total = 0
    places = _places(header, chosen)
    points: list[tuple[float, float]] = []
    for row in rows:
        total += 1
        if total > MOST:
            continue
        cells = [text_of(row[place]).strip() for place in chosen]
        for column, cell in zip(columns, cells, strict=True):
            column.take(cell)
        if len(shown) < ROWS:
            shown.append([harmless(cell) for cell in cells])
        if places and (point := _point(cells[places[0]], cells[places[1]])):
            points.append(point)
    step = -(-len(points) // POINTS) or 1
    found = {"columns": [column.told() for column in columns], "rows": shown, "total": total, "points": points[::step]}
    if kind == "csv":
        found["encoding"] = encoding_of(path).removesuffix("-sig")
    if only is not None:
        return found | {"checked": False, "valid": False, "problems": []}
    report = _report(path, kind, header, items)
    problems = _problems(report, header, items)
    told = {"checked_on": datetime.now(SHANGHAI).date().isoformat(), "checked_rows": min(total, CHECKED), "report": _told(report)}
    return found | {"checked": True, "valid": not problems, "problems": problems} | told


def harmless(cell: str) -> str:
    """A cell as it is shown: cut, and with an apostrophe where a spreadsheet into which it is copied would run it as a formula."""
    text = cell if len(cell) <= CELL else cell[:CELL] + "……"
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not NUMBER.fullmatch(text) else text


def _chosen(header: Sequence[str], only: Sequence[str] | None) -> list[int]:
    """Places of the columns that may be shown. A header that stands twice belongs to no item."""
    if only is None:
        return list(range(len(header)))
    times, wanted = Counter(map(same, header)), set(map(same, only))
    return [place for place, label in enumerate(header) if same(label) in wanted and times[same(label)] == 1]


class _Column:
    """What is found out about a column while its cells go by."""

    def __init__(self, name: str) -> None:
        self.name, self.filled, self.numeric = name, 0, True
        self.numbers = array("d")

    def take(self, cell: str) -> None:
        if not cell:
            return
        self.filled += 1
        if self.numeric and NUMBER.fullmatch(cell):
            self.numbers.append(float(cell))
        else:
            self.numeric, self.numbers = False, array("d")

    def told(self) -> dict[str, Any]:
        name = self.name if len(self.name) <= CELL else self.name[:CELL] + "……"
        if not (self.numeric and self.numbers):
            return {"name": name, "kind": "text", "filled": self.filled}
        low, high = min(self.numbers), max(self.numbers)
        bins = [0] * (BINS if high > low else 1)
        for number in self.numbers:
            bins[min(len(bins) - 1, int((number - low) / (high - low) * len(bins))) if high > low else 0] += 1
        mean = sum(self.numbers) / len(self.numbers)
        return {"name": name, "kind": "number", "filled": self.filled, "min": low, "max": high, "mean": mean, "bins": bins}


def _places(header: Sequence[str], chosen: Sequence[int]) -> tuple[int, int] | None:
    """Where among the chosen columns longitude and latitude stand."""
    labels = [same(header[place]) for place in chosen]
    east, north = ([n for n, label in enumerate(labels) if label in names] for names in (LONGITUDE, LATITUDE))
    return (east[0], north[0]) if len(east) == len(north) == 1 else None


def _point(east: str, north: str) -> tuple[float, float] | None:
    try:
        longitude, latitude = round(float(east), 5), round(float(north), 5)
    except ValueError:
        return None
    return (longitude, latitude) if -180 <= longitude <= 180 and -90 <= latitude <= 90 and (longitude or latitude) else None


def _report(path: Path, kind: str, header: Sequence[str], items: Sequence[Mapping[str, Any]]) -> frictionless.Report:
    """What frictionless says of the file, held against the types of the registered items."""
    known = {same(str(item.get("name") or "")): str(item.get("data_type") or "") for item in items}
    fields = []
    for place, label in enumerate(header):
        type_ = _TYPES.get(known.get(same(label), ""), "any")
        fields.append({"name": f"{label or '列'}-{place}", "type": type_} | ({"format": "any"} if type_ in ("date", "datetime") else {}))
        if type_ == "number":
            fields[-1]["groupChar"] = ","
    descriptor = {"name": "file", "path": str(path), "format": kind, "scheme": "file", "schema": {"fields": fields}}
    if kind == "csv":
        descriptor["encoding"] = encoding_of(path)
    with frictionless.system.use_context(trusted=True):
        resource = frictionless.Resource.from_descriptor(descriptor)
        return resource.validate(frictionless.Checklist(skip_errors=["incorrect-label", "blank-row"]), limit_rows=CHECKED, limit_errors=1000)


def _told(report: frictionless.Report) -> dict[str, Any]:
    """The report as everybody may have it: without where the file lies here, cut to what a page's neighbour may weigh."""
    told = report.to_descriptor()
    for task in told.get("tasks", []):
        task["place"] = "file"
        task["labels"] = [str(label)[:CELL] for label in task.get("labels", [])]
        task["errors"] = [_short(error) for error in task.get("errors", [])[:REPORTED]]
    return dict(told)


def _short(error: Mapping[str, Any]) -> dict[str, Any]:
    """An error without the row it stands in, of which a table may have hundreds of cells; what stands in a cell as it is shown elsewhere."""
    told = {key: harmless(value) if isinstance(value, str) else value for key, value in error.items()}
    return told | {key: [] for key in ("cells", "labels") if key in error}


def _problems(report: frictionless.Report, header: Sequence[str], items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the report says, by kind with a count and the first place; and how the columns differ from the items."""
    told: dict[str, dict[str, Any]] = {}
    for task in report.tasks:
        for error in task.errors:
            row, column = getattr(error, "row_number", None), getattr(error, "field_number", None)
            label = header[column - 1] if column and column <= len(header) else ""
            where = (f"第{row}行" if row else "") + (f"“{label}”列" if label else f"第{column}列" if column and not row else "")
            one = told.setdefault(error.type, {"code": error.type, "count": 0, "text": _SAID.get(error.type, "不合规范") + (f"，最先在{where}" if where else "")})
            one["count"] += 1
    found = list(told.values())
    known, labels = {same(str(item.get("name") or "")) for item in items}, set(map(same, header))
    absent = [str(item["name"]) for item in items if item.get("name") and same(str(item["name"])) not in labels]
    unknown = [label for label in header if label and same(label) not in known] if known else []
    if absent:
        found.append({"code": "missing-item", "count": len(absent), "text": f"登记的信息项在文件里没有对应的列：{_some(absent)}"})
    if unknown:
        found.append({"code": "extra-column", "count": len(unknown), "text": f"文件里的列没有登记为信息项：{_some(unknown)}"})
    return found[:PROBLEMS]


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return "、".join(name[:40] for name in names[:5]) + (f"等{len(names)}项" if len(names) > 5 else "")


def main() -> None:
    asked = json.load(sys.stdin)
    try:
        found = preview(Path(asked["path"]), asked["kind"], asked["items"], asked["only"])
    except NotATable as refused:
        found = {"refused": str(refused)}
    json.dump(found, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
