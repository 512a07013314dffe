"""数据看板: how much is registered and open, how it grows, what is out of date, what is asked for, how long answers take.

Everything is counted from the rows of the catalogue and the public ledger on the day of the snapshot; nothing is estimated. What cannot
be counted (no date, no frequency) is told as such.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from mulu.freshness import due_on
from mulu_site import charts, words
from mulu_site.ledger import Ledger
from mulu_site.lists import Group
from mulu_site.machine import csv_table
from mulu_site.place import Site
from mulu_site.row import Row
from mulu_site.work import Work

PATH = "dashboard/"
_STATES = {"timely": "按期更新", "late": "逾期未更新", "undated": "未载明更新日期", "free": "不要求定期更新"}
_AGES = (("一个月以内", 0, 30), ("一至三个月", 30, 90), ("三个月至一年", 90, 365), ("一年以上", 365, 10**6))  # days overdue: more than, up to
MONTHS, DEPARTMENTS, OVERDUE, WANTED = 24, 20, 15, 10
Groups = Mapping[str, Sequence[Group]]


def view(rows: Sequence[Row], groups: Groups, ledger: Ledger, site: Site, today: str) -> dict[str, Any]:
    """What templates/site/dashboard.html shows. `today`: the snapshot's day (ISO); "" leaves out what depends on it."""
    day = _day(today)
    departments, themes = by_class(rows, groups["department"]), by_class(rows, groups["theme"])
    return {
        "total": len(rows),
        "today": today if day else "",
        "classes": [_class(rows, groups, axis) for axis in ("open", "share")],
        "departments": departments[:DEPARTMENTS],
        "department_total": len(departments),
        "department_told": _told(departments, len(rows)),
        "themes": themes[:DEPARTMENTS],
        "theme_total": len(themes),
        "theme_told": _told(themes, len(rows)),
        "growth": _growth(rows, day) if day else None,
        "fresh": _freshness(rows, groups, day) if day else None,
        "wanted": _wanted(ledger),
        "wanted_told": {"titles": len(ledger.demands), "times": sum(int(one.count) for one in ledger.demands)},
        "answers": _answers(ledger, site),
        "answers_told": {key: sum(int(getattr(one, key)) for one in ledger.counts) for key in ("filed", "answered", "overdue")},
    }


def _class(rows: Sequence[Row], groups: Groups, axis: str) -> dict[str, Any]:
    named = [{"key": g.key, "label": g.label, "path": g.path, "count": g.count} for g in groups[axis]]
    unknown = len(rows) - sum(g.count for g in groups[axis])
    if unknown:
        named.append({"key": "unknown", "label": "未载明", "path": "", "count": unknown})
    for one in named:
        one["share"] = _percent(one["count"], len(rows))
    parts = [(_part(str(one["key"])), int(str(one["count"]))) for one in named]
    told = {_part(str(one["key"])): one["share"] for one in named}
    return {"axis": axis, "rows": named, "told": {key: told.get(key, "0%") for key in charts.PARTS}, "bar": charts.shares(parts)}


def by_class(rows: Sequence[Row], groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Groups with the classes of openness of their entries, the largest first; `open`: the share of what anybody may take."""
    ordered = sorted(groups, key=lambda g: -g.count)
    most = ordered[0].count if ordered else 0
    found = []
    for group in ordered:
        counts = Counter(_part(rows[n].open) for n in group.rows)
        parts = [(key, counts[key]) for key in charts.PARTS]
        found.append({
            "label": group.label, "path": group.path, "count": group.count, "parts": parts, "bar": charts.stacked(parts, most),
            "open": _percent(counts["unconditional"], group.count),
        })  # fmt: skip
    return found


def _told(groups: Sequence[Mapping[str, Any]], total: int) -> dict[str, Any]:
    """What one would say of `by_class` in a sentence: the largest, what the first five make up, how many hold nothing that is open."""
    if not groups:
        return {}
    closed = sum(not dict(one["parts"])["unconditional"] for one in groups)
    first = _percent(sum(one["count"] for one in groups[:5]), total) if len(groups) > 5 else ""
    return {"most": groups[0], "first": first, "closed": closed}


def _part(key: str) -> str:
    return key if key in charts.PARTS else "unknown"


def _growth(rows: Sequence[Row], today: date) -> dict[str, Any]:
    """First publications by month, the last MONTHS of them; what is older is told as where the count began."""
    months = [_month(today, -n) for n in range(MONTHS - 1, -1, -1)]
    counts = Counter(row.since[:7] for row in rows)
    before = sum(count for month, count in counts.items() if month and month < months[0])
    values, at, table = [counts[m] for m in months], before, []
    for month, value in zip(months, values, strict=True):
        at += value
        table.append({"month": month, "added": value, "total": at})
    year, before_that, most = sum(values[-12:]), sum(values[-24:-12]), max(values)
    about = f"最多的一个月新增 {most} 条，近十二个月共新增 {year} 条。"
    tips = [f"{row['month']}：新增 {row['added']} 条，累计 {row['total']} 条" for row in table]
    undated = counts[""] + sum(count for month, count in counts.items() if month > months[-1])
    return {
        "rows": table, "most": most, "most_in": months[values.index(most)], "year": year, "more": year - before_that, "compared": bool(before_that),
        "first": months[0], "last": months[-1], "undated": undated, "chart": charts.months(months, values, "每月新增的条目", about, tips),
    }  # fmt: skip


def _month(day: date, steps: int) -> str:
    years, month = divmod(day.month - 1 + steps, 12)
    return f"{day.year + years:04d}-{month + 1:02d}"


def _freshness(rows: Sequence[Row], groups: Groups, today: date) -> dict[str, Any]:
    """Entries whose data is in time, overdue or undated by frequency and by department; the longest overdue by name."""
    states: dict[int, str] = {}
    late: list[tuple[int, int]] = []
    for n, row in enumerate(rows):
        updated = _day(row.updated)
        due = due_on(row.frequency, updated or today)
        states[n] = "free" if due is None else "undated" if updated is None else "late" if due < today else "timely"
        if states[n] == "late" and due:
            late.append(((today - due).days, n))
    counted = Counter(states.values())
    promised = counted["late"] + counted["timely"]
    late.sort(key=lambda one: (-one[0], rows[one[1]].order))
    ages = [(label, sum(low < days <= high for days, _ in late)) for label, low, high in _AGES]
    longest = max((count for _, count in ages), default=0)
    return {
        "late": counted["late"], "timely": counted["timely"], "undated": counted["undated"], "free": counted["free"], "promised": promised,
        "bar": charts.shares([("timely", counted["timely"]), ("late", counted["late"])]),
        "ages": [{"label": label, "count": count, "bar": charts.stacked([("late", count)], longest)} for label, count in ages] if late else [],
        "long": sum(days > 365 for days, _ in late),
        "share": _percent(counted["timely"], promised),
        "frequencies": _states(groups["frequency"], states),
        "departments": sorted(_states(groups["department"], states, to_scale=True), key=lambda one: -one["late"])[:OVERDUE],
        "worst": [
            {"title": rows[n].title, "page": rows[n].page, "provider": rows[n].provider_title, "updated": rows[n].updated, "days": days,
             "frequency": words.label("update_frequency", rows[n].frequency)}
            for days, n in late[:OVERDUE]
        ],
    }  # fmt: skip


def _states(groups: Sequence[Group], states: Mapping[int, str], to_scale: bool = False) -> list[dict[str, Any]]:
    """Groups of which something is due. Their bars tell shares; `to_scale` numbers as well."""
    counted = [(group, Counter(states[n] for n in group.rows)) for group in groups]
    most = max((counts["timely"] + counts["late"] for _, counts in counted), default=0)
    found = []
    for group, counts in counted:
        if promised := counts["timely"] + counts["late"]:
            bar = charts.stacked([("timely", counts["timely"]), ("late", counts["late"])], most if to_scale else promised)
            told = {"timely": counts["timely"], "late": counts["late"], "share": _percent(counts["timely"], promised)}
            found.append({"label": group.label, "path": group.path, "bar": bar} | told)
    return found


def _wanted(ledger: Ledger) -> list[dict[str, Any]]:
    shown = ledger.demands[:WANTED]
    most = max((one.count for one in shown), default=0)
    return [{"title": one.title, "count": one.count, "label": one.label, "bar": charts.stacked([("timely", int(one.count))], int(most))} for one in shown]


def _answers(ledger: Ledger, site: Site) -> list[dict[str, Any]]:
    """By procedure: how many working days an answer took (median) beside how many the rules allow."""
    place, found = words.load_profile(site.profile), []
    allowed = {one.procedure: _allowed(one.procedure, place) for one in ledger.counts}
    most = max([float(one.days or 0) for one in ledger.counts] + [float(limit or 0) for limit in allowed.values()], default=0)
    for one in ledger.counts:
        limit = allowed[one.procedure]
        bar = charts.bullet(one.days or 0, limit, most)
        found.append({**one._asdict(), "label": one.label, "limit": limit, "bar": bar})
    return found


def _allowed(procedure: str, place: Any) -> int | None:
    """Working days of the first clock that the place's rules set; None where they set none in working days."""
    for clock in words.procedure(procedure).clocks.values():
        if clock.profile:
            found = place.clock(clock.profile)
            return int(found.length) if getattr(found, "unit", "") == "workday" else None
    return None


def _percent(part: int, whole: int) -> str:
    """Whole per cent; never 0 % or 100 % of what is not none or all."""
    if not whole:
        return "—"
    if part in (0, whole):
        return "0%" if not part else "100%"
    return f"{min(99, max(1, round(100 * part / whole)))}%"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def make(work: Work) -> str:
    """The page and its numbers as CSV; gives the page's path."""
    shown = view(work.rows, work.groups, work.ledger, work.site, work.today)
    work.page("dashboard.html", PATH, d=shown)
    work.file(PATH + "dashboard.csv", csv_table(numbers(shown)))
    return PATH


def numbers(shown: Mapping[str, Any]) -> Iterable[Sequence[Any]]:
    """The numbers of the page as rows of a table: part, what, how much."""
    yield "部分", "名称", "数量"
    for one in shown["classes"]:
        yield from (({"open": "开放属性", "share": "共享属性"}[one["axis"]], row["label"], row["count"]) for row in one["rows"])
    for part, rows in (("部门", shown["departments"]), ("主题", shown["themes"])):
        for row in rows:
            yield part, row["label"], row["count"]
            yield from ((f"{part}：{words.label('open_type', key)}", row["label"], count) for key, count in row["parts"] if key != "unknown")
    if shown["growth"]:
        yield from (("每月新增", row["month"], row["added"]) for row in shown["growth"]["rows"])
    if fresh := shown["fresh"]:
        yield from (("更新是否及时", label, fresh[key]) for key, label in _STATES.items())
        yield from (("逾期多久", row["label"], row["count"]) for row in fresh["ages"])
        for part, rows in (("更新周期", fresh["frequencies"]), ("部门", fresh["departments"])):
            yield from ((f"{part}：{_STATES[key]}", row["label"], row[key]) for row in rows for key in ("timely", "late"))
    yield from (("数据需求", row["title"], row["count"]) for row in shown["wanted"])
    for part, key in (("答复用时（工作日，中位数）", "days"), ("规定时限（工作日）", "limit"), ("逾期未答复", "overdue")):
        yield from ((part, row["label"], row[key]) for row in shown["answers"])
