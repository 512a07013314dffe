"""What is asked for in a sharing or open-data application: entries and, of each, only the items that are needed (最小够用).

``asked`` is ``[{"id": package id, "items": [names], "reasons": {item: why}}]``. ``entries`` are the published entries of wire form
by id. 政务数据共享条例 第二十条, 湘潭 二（四）, 华容 第二十五条.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from mulu.checks import WIDTH
from mulu.errors import Problem
from mulu.profile import Profile

Kind = Literal["sharing", "opening"]
Asked = Sequence[Mapping[str, Any]]
Entries = Mapping[str, Mapping[str, Any]]
_CLASS = {"sharing": ("share_type", "共享"), "opening": ("open_type", "开放")}
_SHARED = {"unconditional": "无条件共享", "conditional": "有条件共享"}


def problems(
    asked: Asked, entries: Entries, kind: Kind, place: Profile, *, provider: str, share_class: str = "", consumer: str = ""
) -> list[Problem]:
    """Everything wrong with what is asked, all at once; each with the article.

    provider: the department asked; consumer: the one that asks. share_class: which part of a split basket this is ("" for opening: only what is conditional).
    """
    key, word = _CLASS[kind]
    article = place.cite("apply_share" if kind == "sharing" else "apply_open")
    found: list[Problem] = []

    def wrong(row: int, rule: str, message: str, value: Any = None, at: str = "") -> None:
        found.append(Problem(f"asked[{row}]{at}", rule, message, value, article))

    if consumer and consumer == provider:
        found.append(Problem("consumer", "own_data", "这是本部门提供的数据，不用申请", consumer, article))
    seen: set[str] = set()
    for n, one in enumerate(asked):
        entry = entries.get(one["id"])
        if entry is None or entry.get("provider") != provider:
            wrong(n, "not_in_list", f"“{one['id']}”不是该部门已发布的条目", one["id"])
            continue
        title = entry["title"]
        if one["id"] in seen:
            wrong(n, "duplicate", f"《{title}》列了两次", one["id"])
        seen.add(one["id"])
        asked_class = needed(one, entry, kind)
        if asked_class == "none":
            wrong(n, "not_shared", f"《{title}》属于不予{word}类，不能申请{_instead(kind, place)}", asked_class)
        elif kind == "opening" and asked_class == "unconditional":
            wrong(n, "open_already", f"《{title}》已经无条件开放，可以直接下载，不用申请", asked_class)
        elif share_class and asked_class != share_class:
            message = f"《{title}》连同所选的信息项属于{_SHARED[asked_class]}，与本申请的类型不同，请分别申请"
            wrong(n, "other_class", message, asked_class)
        items = {row["name"]: row for row in entry.get("items", [])}
        if not one.get("items"):
            wrong(n, "required", f"请勾选《{title}》中需要的信息项", None, ".items")
        for name in one.get("items") or ():
            item = items.get(name)
            if item is None:
                wrong(n, "not_in_list", f"《{title}》没有信息项“{name}”", name, ".items")
            elif item.get(key) == "none":
                wrong(n, "not_shared", f"《{title}》的信息项“{name}”不予{word}", name, ".items")
            elif item.get("sensitive") and not str((one.get("reasons") or {}).get(name, "")).strip():
                wrong(n, "reason_required", f"“{name}”是敏感的信息项，请说明为什么必须使用", name, f".reasons.{name}")
    return found


def needed(row: Mapping[str, Any], entry: Mapping[str, Any], kind: Kind) -> str:
    """The class under which a row of ``asked`` is to be asked for: the narrowest of the entry's and of its chosen items' own.

    Items that are withheld are left out: they stand in the way by themselves. ``none`` for an entry that is withheld or has no class.
    """
    key = _CLASS[kind][0]
    own = {item.get("name"): item.get(key) for item in entry.get("items", [])}
    shared = [own.get(name) for name in row.get("items") or () if own.get(name) in _SHARED]
    return min([entry.get(key) or "none", *map(str, shared)], key=WIDTH.__getitem__)


def _instead(kind: Kind, place: Profile) -> str:
    """Where to turn with what is not shared or open."""
    if kind == "opening":
        return f"；有异议的可以申请复核（{place.cite('rereview')}）"
    return f"；确需使用的，请与提供部门协商或者提出供需对接（{place.cite('not_shared')}）"


def split(asked: Asked, entries: Entries) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """A basket by (provider, share class needed), in the basket's order: one application each.

    An item of a narrower class takes its whole row into that class. Unknown entries stand under ("", "").
    """
    parts: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in asked:
        entry = entries.get(one.get("id", ""))
        part = (entry.get("provider", ""), needed(one, entry, "sharing")) if entry else ("", "")
        parts.setdefault(part, []).append(one)
    return parts


def granted(data: Mapping[str, Any]) -> dict[str, list[str]]:
    """Items granted of each entry by a case's data: all that was asked where nothing had to be decided."""
    asked = {one["id"]: list(one["items"]) for one in data["asked"]}
    if "decisions" not in data:
        return asked
    given: dict[str, list[str]] = {}
    for row in data["decisions"]:
        if row["decision"] == "agreed":
            given[row["id"]] = asked[row["id"]]
        elif row["decision"] == "partly":
            given[row["id"]] = [name for name in asked[row["id"]] if name in row["items"]]
    return given


def well_formed(asked: object) -> bool:
    """True for a list of rows with an id and a list of item names: what the functions here may be given."""
    return isinstance(asked, list) and all(
        isinstance(one, dict)
        and isinstance(one.get("id"), str)
        and isinstance(one.get("items"), list)
        and all(isinstance(name, str) for name in one["items"])
        and isinstance(one.get("reasons", {}), dict)
        for one in asked
    )
