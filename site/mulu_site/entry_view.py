"""What the page of an entry shows, ready for its template: every public field once, labelled, cut to a page of bounded size."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from mulu_site import asking, package, preview, words
from mulu_site.days import day_of
from mulu_site.ledger import Rereview
from mulu_site.place import Site
from mulu_site.row import API_FORMATS, Row
from mulu_site.snapshot import Entry
from mulu_site.terms import LICENCES, reach, sha256_of
from mulu_site.text import cut, one_line, slug, web_address

# Shown at the head of the page or in a part of its own, not once more among the fields.
_WHO = ("provider", "provider_unit", "source_department", "contact")
_ELSEWHERE = {
    "title", "notes", "items", "resources", "name", "id", "share_type", "share_condition", "share_basis", "open_type",
    "open_condition", "open_ground", "open_basis", "open_review_on", "license_id", *_WHO,
}  # fmt: skip
_TITLE, _NAME, _CODE, _ADDRESS = 300, 120, 120, 1500
"""Characters of what stands in one place and is never cut by `Limits`; of an address at most so many are a link."""
_SHORT = 220
"""Characters of an abstract that stands under the title; a longer one has a part of its own."""

_TABLE_ON_PORTAL = re.compile(r"/(dataset/[^/]+/resource/(?P<id>[\w-]+)/download/[^?]*\.(csv|xlsx)\Z|mulu/data/open/(?P<open>[\w-]+))", re.IGNORECASE)

_PLAIN = {
    ("open", "unconditional"): "任何人都可以直接取得，不需要申请。",
    ("open", "conditional"): "说明使用范围和用途后申请，由提供部门审核。",
    ("open", "none"): "目前不向社会开放。认为应当开放的，可以申请复核。",
    ("share", "unconditional"): "政务部门之间可以直接取用。",
    ("share", "conditional"): "政务部门按所列条件申请使用。",
    ("share", "none"): "目前不提供给其他政务部门。",
}


@dataclass(frozen=True)
class Limits:
    """How much of the long parts a page shows; the rest is in the entry's JSON."""

    items: int
    notes: int
    value: int
    resources: int
    history: int
    columns: int
    previews: int
    values: int


# Tried in turn until the page fits into 60 KB.
LIMITS = (
    Limits(200, 6000, 2000, 60, 40, 12, 3, 60),
    Limits(80, 2500, 600, 25, 15, 8, 1, 30),
    Limits(25, 900, 160, 10, 5, 4, 1, 10),
    Limits(8, 300, 60, 4, 2, 0, 0, 4),
    Limits(1, 100, 24, 1, 1, 0, 0, 1),  # every field is full of characters that take six bytes once escaped
)
Known = Mapping[str, tuple[str, str]]
"""Resource codes → (page, title) of the entries that there are."""


def entry_view(
    entry: Entry, row: Row, site: Site, limits: Limits, known: Known, rereviews: Sequence[Rereview] = ()
) -> dict[str, Any]:
    """What templates/site/entry.html reads. `entry` cleaned, `rereviews` are the decided ones."""
    row = row._replace(title=cut(row.title, _TITLE), provider_title=cut(row.provider_title, _NAME), code=cut(row.code, _CODE))
    notes = str(entry.get("notes") or "").strip()
    items = [i for i in entry.get("items") or [] if isinstance(i, dict)]
    resources = [r for r in entry.get("resources") or [] if isinstance(r, dict)]
    licence = one_line(entry.get("license_id"))
    history = sorted((h for h in entry.get("history") or [] if isinstance(h, dict)), key=_version, reverse=True)
    sources = _sources(entry)
    groups, fields_cut = _groups(entry, limits, known)
    return {
        "title": row.title,
        "description": cut(one_line(notes) or row.title, 150),
        "url": site.site_url and site.url(f"entry/{row.page}/"),
        "trail": [("分类", "browse/"), (row.provider_title or "部门", provider_path(row)), ("条目", "")],
        "theme": (cut(words.label("theme", row.theme), _NAME), f"browse/theme/{slug(row.theme)}/") if row.theme else None,
        "provider_title": row.provider_title or "（未载明提供方）",
        "provider_path": provider_path(row),
        "code": row.code,
        "updated": row.updated,
        "frequency": cut(words.label("update_frequency", row.frequency), 40),
        "objection": row.objection,
        "classes": [_class(axis, entry, row, max(40, min(400, limits.value))) for axis in ("open", "share")],
        "resources": [_resource(r, site, row) for r in resources[: limits.resources]],
        "resources_cut": max(0, len(resources) - limits.resources),
        "no_resources": _no_resources(row),
        "actions": _actions(entry, row, site),
        "lede": notes if len(notes) <= _SHORT and "\n" not in notes else "",
        "notes": [part for part in cut(notes, limits.notes).split("\n") if part.strip()],
        "notes_cut": limits.notes if len(notes) > limits.notes else 0,
        "columns": _item_columns(items, sources),
        "rows": [_item(i, sources, limits) for i in items[: limits.items]],
        "rows_total": len(items),
        "rows_cut": max(0, len(items) - limits.items),
        "groups": groups,
        "fields_cut": fields_cut,
        "who": _who(entry, row, sources, min(300, limits.notes)),
        "related": _related(entry, known, row)[: limits.resources],
        "history": _history(history, limits),
        "history_cut": max(0, len(history) - limits.history),
        "previews": [shown for r in resources if (shown := preview.view(r, items, limits.columns, site.outline))][: limits.previews],
        "report": preview.report(entry) is not None,
        "package": package.is_offered(entry, site),
        "examples": examples(resources, row, site),
        "license": {"name": cut(words.label("license_id", licence), _NAME), "href": LICENCES.get(licence, "")} if licence else None,
        "citation": citation(entry, row, site),
        "rereviews": [
            one._asdict() | {"label": one.label, "outcome": cut(one.outcome, limits.notes // 4)}
            for one in rereviews[: max(1, limits.history // 4)]
        ],
        "voices": _voices(entry, row),
    }


def provider_path(row: Row) -> str:
    return f"browse/department/{slug(row.provider)}/" if row.provider else "browse/department/"


def citation(entry: Entry, row: Row, site: Site) -> tuple[str, str]:
    """After GB/T 7714—2015 for data sets on line ([DS/OL]): what stands before and after the day on which it is cited."""
    version, changed = cut(one_line(entry.get("version")), 20), row.changed
    title = f"{row.title}: 第{version}版" if version else row.title
    issued = (day_of(row.published) or changed)[:4]
    published = f"{site.place}: {site.title}" + (f", {issued}" if issued else "") + (f"({changed})" if changed else "")
    return f"{row.provider_title or site.place}. {title}[DS/OL]. {published}", ". " + site.url(f"entry/{row.page}/")


def _who(entry: Entry, row: Row, sources: Mapping[str, str], most: int) -> list[dict[str, Any]]:
    """Who answers for the entry: its department, the unit in it, whose the data are, and how to reach them."""
    source = one_line(entry.get("source_department_title") or entry.get("source_department"))
    if not source and len(set(sources.values())) == 1:
        source = next(iter(sources.values()))
    told = {"provider": row.provider_title, "provider_unit": one_line(entry.get("provider_unit")), "source_department": source, "contact": one_line(entry.get("contact"))}
    email, phone = reach(entry)
    links = {"provider": ("", provider_path(row)), "contact": (f"mailto:{email}" if email else f"tel:{phone}" if phone else "", "")}
    return [
        {"label": label, "text": cut(told[key], most), "external": links.get(key, ("", ""))[0], "href": links.get(key, ("", ""))[1]}
        for key, label in ((f.key, f.label) for f in words.FIELDS if f.key in _WHO)
        if told[key]
    ]


def _sources(entry: Entry) -> dict[str, str]:
    """数源部门 of the items that have been given one (政务数据共享条例 第十九条), by the item's name."""
    given = entry.get("sources")
    named = [s for s in given if isinstance(s, dict)] if isinstance(given, list) else []
    return {one_line(s.get("item")): cut(one_line(s.get("department_title") or s.get("department")), _NAME) for s in named if s.get("item")}


def _related(entry: Entry, known: Known, row: Row) -> list[tuple[str, str]]:
    """(title, path) of the entries that this one names and that are there."""
    given = dict.fromkeys(_values(entry.get("related_codes"), ""))
    return [(cut(known[code][1], 80), f"entry/{known[code][0]}/") for code in given if code in known and known[code][0] != row.page]


def _history(history: Sequence[Entry], limits: Limits) -> list[dict[str, Any]]:
    """The newest first, each with how its class differs from that of the version before."""
    told = []
    for place, one in enumerate(history[: limits.history]):
        before = history[place + 1] if place + 1 < len(history) else {}
        changes = []
        for key in ("open_type", "share_type"):
            was, now = (words.label(key, one_line(version.get(key))) for version in (before, one))
            if was and now and was != now:
                changes.append((cut(was, _NAME), cut(now, _NAME)))
        summary = cut(one_line(one.get("summary")), limits.value)
        told.append({"version": cut(one_line(one.get("version")), 20), "on": day_of(one.get("published_at")), "summary": summary, "changes": changes})
    return told


def examples(resources: Sequence[Entry], row: Row, site: Site) -> list[dict[str, str]]:
    """How a program asks for the data: rows of tables that lie on the portal, interfaces, the entry itself."""
    found = []
    for resource in resources:
        url, kind = _address(resource.get("url"), site), one_line(resource.get("format")).upper()
        table = _TABLE_ON_PORTAL.match(url.removeprefix(site.portal_url)) if site.portal_url and url.startswith(site.portal_url + "/") else None
        if table:
            asked = f"{site.portal_url}/mulu/data/open/{table['id'] or table['open']}?limit=10"
            found.append({"label": "逐页读取数据行（JSON）", "code": f"curl '{asked}'"})
        elif url and kind in API_FORMATS:
            found.append({"label": "调用接口", "code": f"curl '{url}'"})
    if site.site_url:
        found.append({"label": "读取本条目的登记内容（JSON）", "code": f"curl '{site.url(f'entry/{row.page}/entry.json')}'"})
    return list({one["label"]: one for one in reversed(found)}.values())[::-1]


def _class(axis: str, entry: Entry, row: Row, most: int) -> dict[str, Any]:
    key = row.open if axis == "open" else row.share
    facts: list[tuple[str, str]] = []
    if axis == "open":
        ground = str(entry.get("open_ground") or "")
        facts += [
            ("开放条件", one_line(entry.get("open_condition"))),
            ("不予开放理由", words.label("open_ground", ground)),
            ("条款", words.ground_article(ground)),
            ("依据", one_line(entry.get("open_basis"))),
        ]
    else:
        basis = "不予共享依据" if key == "none" else "依据"
        facts += [("共享条件", one_line(entry.get("share_condition"))), (basis, one_line(entry.get("share_basis")))]
    decision = entry.get("class_decision")
    if isinstance(decision, dict) and axis == "open":
        facts += [
            ("决定部门", one_line(decision.get("department")) or row.provider_title),
            ("审核部门", one_line(decision.get("reviewed_by"))),
            ("决定依据", one_line(decision.get("article"))),
            ("决定日期", _chinese_day(decision.get("on"))),
        ]
    elif key == "none":
        facts.append(("决定部门", row.provider_title))
    if axis == "open":
        facts.append(("下次评估", _chinese_day(entry.get("open_review_on"))))
    return {
        "axis": axis,
        "heading": "向社会开放" if axis == "open" else "部门间共享",
        "key": key,
        "label": cut(words.label(f"{axis}_type", key), 40),
        "plain": _PLAIN.get((axis, key), "提供部门尚未载明。"),
        "facts": [(name, cut(value, most)) for name, value in facts if value],
    }


def _groups(entry: Entry, limits: Limits, known: Known) -> tuple[list[Any], bool]:
    groups: dict[str, list[Any]] = {}
    shortened = False
    for field in words.FIELDS:
        if field.key in _ELSEWHERE or field.key in words.WITHHELD:
            continue
        values = _values(entry.get(field.key), field.code_list or "")
        shown = []
        for value in values[: limits.values]:
            text = cut(value, limits.value)
            shortened = shortened or text != value
            shown.append({"text": text, **_link(field.key, value, entry, known)})
        shortened = shortened or len(values) > limits.values
        if shown:
            groups.setdefault(field.section, []).append((field.label, shown))
    return list(groups.items()), shortened


def _link(key: str, value: str, entry: Entry, known: Known) -> dict[str, Any]:
    if key == "related_codes" and value in known:
        return {"href": f"entry/{known[value][0]}/", "external": False}
    if key == "source" and isinstance(entry.get("source"), dict):
        return {"href": _address(entry["source"].get("url")), "external": True}
    return {"href": "", "external": False}


def _address(url: Any, site: Site | None = None) -> str:
    """An address as a link: one that no browser may follow, or that would fill the page, is none."""
    found = web_address(url, site.portal_url if site else "")
    return found if len(found) <= _ADDRESS else ""


def _values(value: Any, code_list: str) -> list[str]:
    """A field's value as the public reads it, one text a value."""
    if value in (None, "", [], {}):
        return []
    if isinstance(value, bool):
        return ["是" if value else "否"]
    if isinstance(value, list):
        return [text for v in value for text in _values(v, code_list)]
    if isinstance(value, dict):
        return [
            one_line(value.get("name")) or "；".join(one_line(v) for v in value.values() if isinstance(v, str | int))
        ]
    return [words.label(code_list, one_line(value))]


def _item_columns(items: list[Entry], sources: Mapping[str, str]) -> list[tuple[str, str]]:
    """Only the columns that at least one item fills; the name always. 数源部门 where the items have several."""
    filled = [(f.key, f.label) for f in words.ITEM_FIELDS if f.key == "name" or any(i.get(f.key) not in (None, "", False) for i in items)]
    return [*filled, ("source", "数源部门")] if len(set(sources.values())) > 1 else filled


def _item(item: Entry, sources: Mapping[str, str], limits: Limits) -> dict[str, str]:
    cells = {
        f.key: "" if item.get(f.key) is False else cut("、".join(_values(item.get(f.key), f.code_list or "")[: limits.values]), min(300, limits.value))
        for f in words.ITEM_FIELDS
    }
    return cells | {"source": sources.get(one_line(item.get("name")), "")}


def _resource(resource: Entry, site: Site, row: Row) -> dict[str, Any]:
    kind = one_line(resource.get("format")).upper()[:20]
    is_file = kind not in API_FORMATS
    return {
        "name": cut(one_line(resource.get("name")) or row.title, 120),
        "format": kind,
        "url": _address(resource.get("url"), site),
        "is_file": is_file,
        "verb": "下载" if is_file else "查看接口",
        "size": size(resource.get("size")),
        "sha256": sha256_of(resource),
        "hash": one_line(resource.get("hash"))[:80],
        "description": cut(one_line(resource.get("description")), 200),
    }


def _no_resources(row: Row) -> str:
    return {
        "unconditional": "提供部门尚未挂接文件或接口。可以“提出疑义”，提醒其补充。",
        "conditional": "本条目的数据须经申请取得，这里不直接提供下载。",
        "none": "本条目目前不向社会开放，这里只登记其名称、内容和不予开放的理由。",
    }.get(row.open, "提供部门尚未载明是否开放，这里不提供下载。")


def _actions(entry: Entry, row: Row, site: Site) -> list[dict[str, Any]]:
    """What one may do who does not get the data at once."""
    if row.open == "conditional":
        guide = {"label": "怎样申请", "href": "guide/apply/", "external": False}
        if not site.portal_url:
            return [guide]
        apply = {"label": "登录门户申请", "href": f"{site.portal_url}/mulu/apply/open/{quote(str(entry['name'])[:100], safe='')}", "external": True}
        return [apply, guide]
    return [asking.link("rereview", row.page)] if row.open == "none" else []


def _voices(entry: Entry, row: Row) -> list[dict[str, Any]]:
    """Everything that may be asked for about the entry; a re-review unless it is open as a whole."""
    items = [i for i in entry.get("items") or [] if isinstance(i, dict)]
    open_as_a_whole = row.open == "unconditional" and not any(i.get("open_type") in ("conditional", "none") for i in items)
    wanted = ["error_check", "complaint"] if open_as_a_whole else ["rereview", "error_check", "complaint"]
    return [asking.link(procedure, row.page) for procedure in wanted]


def size(value: Any) -> str:
    """Bytes as people read them: 1.2 MB; "" where unknown."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return ""
    if not 0 < number < 1e18:
        return ""
    for unit in ("字节", "KB", "MB", "GB", "TB"):
        if number < 1000 or unit == "TB":
            break
        number /= 1000
    return f"{number:.0f} {unit}" if number >= 100 or unit == "字节" else f"{number:.1f} {unit}"


def _version(history: Entry) -> float:
    try:
        return float(history.get("version") or 0)
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _chinese_day(value: Any) -> str:
    try:
        day = date.fromisoformat(day_of(value))
    except ValueError:
        return one_line(value)
    return f"{day.year}年{day.month}月{day.day}日"
