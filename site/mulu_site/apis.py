"""接口目录: the entries whose data a program can ask for, by class of object, by how often they are called, by the business they serve
(夏邑县 附件《查阅数据操作指南》: 按照接口使用频次、接口使用业务场景或对象分类进行检索).

Each says how it is called: by anybody, or with the key of a grant, and where one applies for that; how much a call may ask for stands
in the snapshot's header (`data_api`: {"rows", "calls_per_minute"}).

How often an interface is called stands in an entry's `calls` of the snapshot: {"count", "from", "to"} of the twelve whole months before it;
the business it serves in 关联业务事项.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from mulu_site import words
from mulu_site.entry_view import examples
from mulu_site.lists import PER_PAGE, page_path, pages_of
from mulu_site.release import Writer
from mulu_site.row import API_FORMATS, Row
from mulu_site.snapshot import Entry
from mulu_site.text import cut, digest, one_line, slug, sound, web_address
from mulu_site.work import Work

PATH = "apis/"
TIERS = (("daily", "日均一次以上", 365), ("monthly", "月均一次以上", 12), ("seldom", "有人调用", 1), ("none", "没有调用记录", 0))
"""Calls within twelve months, at least."""
ACCESS = {"free": "不用密钥，任何人都可以调用", "key": "凭密钥调用：先申请，批准后取得", "departments": "只向政务部门提供：由部门申请共享，批准后取得密钥", "closed": "目前不提供"}
_DIMENSIONS = {"class": "对象分类", "frequency": "使用频次", "scenario": "业务场景"}
_SHOWN, _MOST_SCENARIOS = 24, 20


class Interface(NamedTuple):
    """An entry as this list shows it; `modes`: ways in which its data can be asked for, as labels; `call`: an example;
    `access`: a key of ACCESS."""

    row: Row
    object_class: str
    calls: int
    scenarios: tuple[str, ...]
    modes: tuple[str, ...]
    address: str
    call: str
    access: str

    @property
    def tier(self) -> str:
        return next(key for key, _, least in TIERS if self.calls >= least)


def make(work: Work) -> str:
    """The list with its parts and apis.json, as one unit; gives its path."""
    positions = [n for n, row in enumerate(work.rows) if row.api]
    limits = _limits(work)
    key = digest(work.renderer.fingerprint("apis.html"), work.site_key, limits, [work.catalogue.digests[n] for n in positions])

    def write_all(write: Writer) -> None:
        found = sorted((_interface(entry, row, work) for entry, row in work.read(positions)), key=lambda one: (-one.calls, one.row.order))
        for path, context in _pages(found):
            write(path + "index.html", work.renderer.page("apis.html", path, limits=limits, **context))
        machine = [_told(one, work, limits) for one in found]
        write(PATH + "apis.json", json.dumps(machine, ensure_ascii=False, indent=1).encode())

    work.release.unit("apis", key, write_all)
    return PATH


def _interface(entry: Entry, row: Row, work: Work) -> Interface:
    calls = entry["calls"].get("count") if isinstance(entry.get("calls"), dict) else 0
    given = entry.get("business_items")
    scenarios = dict.fromkeys(one_line(v)[:80] for v in given[:_MOST_SCENARIOS] if isinstance(v, str) and v.strip()) if isinstance(given, list) else {}
    modes = []
    for key in ("open_mode", "share_mode", "use_mode"):
        value = entry.get(key)
        modes += [words.label(key, str(v)) for v in value if isinstance(v, str)] if isinstance(value, list) else []
    resources = [r for r in entry.get("resources") or [] if isinstance(r, dict) and one_line(r.get("format")).upper() in API_FORMATS]
    address = next((url for r in resources if (url := web_address(r.get("url"), work.site.portal_url))), "")
    base = words.label("base_class", str(entry.get("base_class") or ""))
    kind = base or words.label("catalogue_kind", row.kind) or "未载明"
    count = calls if isinstance(calls, int) and calls > 0 else 0
    access = _access(entry, row, address)
    return Interface(row, kind, count, tuple(scenarios), tuple(dict.fromkeys(modes)), address, _call(entry, row, access, work), access)


def _access(entry: Entry, row: Row, address: str) -> str:
    if row.open == "unconditional" or address:
        return "free"
    return "key" if row.open == "conditional" else "departments" if row.share in ("unconditional", "conditional") else "closed"


def _call(entry: Entry, row: Row, access: str, work: Work) -> str:
    """An example of a call; of data under a grant with the places to fill in, "" where there is none to give."""
    if access == "free":
        given = [r for r in entry.get("resources") or [] if isinstance(r, dict)]
        return next((one["code"] for one in examples(given, row, work.site) if "entry.json" not in one["code"]), "")
    if access == "closed" or not work.site.portal_url:
        return ""
    return f"curl -H 'Authorization: Bearer 密钥' '{work.site.portal_url}/mulu/data/授权编号?limit=10'"


def _limits(work: Work) -> dict[str, int]:
    """How many rows a call may ask for and how often a grant's key may call, as the portal states it; {} where it does not."""
    given = work.source.header.get("data_api")
    known = given.items() if isinstance(given, dict) else ()
    return {key: value for key, value in known if key in ("rows", "calls_per_minute") and isinstance(value, int) and value > 0}


def _pages(found: Sequence[Interface]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(path, what it shows) of the whole list and of each part."""
    groups = _groups(found)
    shown = {name: [{k: v for k, v in g.items() if k != "interfaces"} for g in part] for name, part in groups.items()}
    sides = [{"id": name, "label": _DIMENSIONS[name], "groups": part[:_SHOWN], "more": max(0, len(part) - _SHOWN)} for name, part in shown.items() if part]
    yield from _paged(PATH, "接口目录", "", found, sides)
    for name, part in groups.items():
        for group in part:
            yield from _paged(group["path"], group["label"], _DIMENSIONS[name], group["interfaces"], [])
    for name, part in shown.items():
        if len(part) > _SHOWN:
            yield f"{PATH}{name}/", _context(f"全部{_DIMENSIONS[name]}", _DIMENSIONS[name], [], 1, 1, "", 0, [{"id": name, "label": _DIMENSIONS[name], "groups": part, "more": 0}])


def _groups(found: Sequence[Interface]) -> dict[str, list[dict[str, Any]]]:
    """By class and by scenario in pinyin order, by frequency from the most used to the least; only what holds an interface."""
    classes: defaultdict[str, list[Interface]] = defaultdict(list)
    scenarios: defaultdict[str, list[Interface]] = defaultdict(list)
    tiers: defaultdict[str, list[Interface]] = defaultdict(list)
    for one in found:
        classes[one.object_class].append(one)
        tiers[one.tier].append(one)
        for scenario in one.scenarios:
            scenarios[scenario].append(one)
    order = [("class", sorted(classes.items(), key=lambda g: sound(g[0]).order)), ("scenario", sorted(scenarios.items(), key=lambda g: sound(g[0]).order))]
    made = {name: [_group(name, slug(label), label, members) for label, members in part] for name, part in order}
    frequency = [_group("frequency", key, label, tiers[key]) for key, label, _ in TIERS if tiers[key]]
    return {"class": made["class"], "frequency": frequency, "scenario": made["scenario"]}


def _group(dimension: str, key: str, label: str, members: list[Interface]) -> dict[str, Any]:
    return {"label": label, "path": f"{PATH}{dimension}/{key}/", "count": len(members), "dot": "", "interfaces": members}


def _paged(base: str, heading: str, kicker: str, found: Sequence[Interface], sides: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    pages = pages_of(len(found))
    for page in range(1, pages + 1):
        part = found[(page - 1) * PER_PAGE : page * PER_PAGE]
        yield page_path(base, page), _context(heading, kicker, part, page, pages, base, len(found), sides if page == 1 else [])


def _context(
    heading: str, kicker: str, part: Sequence[Interface], page: int, pages: int, base: str, total: int, sides: list[dict[str, Any]]
) -> dict[str, Any]:
    rows = [{"row": one.row, "calls": one.calls, "scenarios": cut("、".join(one.scenarios), 60), "object_class": one.object_class} for one in part]
    return {"heading": heading, "kicker": kicker, "interfaces": rows, "page": page, "pages": pages, "base": base, "total": total, "sides": sides}


def _told(one: Interface, work: Work, limits: dict[str, int]) -> dict[str, Any]:
    row = one.row
    return {
        "id": row.id, "title": row.title, "provider": row.provider_title, "resource_code": row.code, "class": one.object_class, "scenarios": one.scenarios,
        "calls": one.calls, "frequency": one.tier, "modes": one.modes, "open_type": row.open, "share_type": row.share, "url": one.address,
        "access": one.access, "access_note": ACCESS[one.access], "call": one.call, "apply_at": work.site.url("guide/apply/") if one.access == "key" else "",
        "limits": limits if one.access == "key" or one.call.startswith(f"curl '{work.site.portal_url}/") else {},
        "page": work.site.url(f"entry/{row.page}/"),
    }  # fmt: skip
