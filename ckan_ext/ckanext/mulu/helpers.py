"""What the templates may ask: words for keys, the place, the inbox count, the countdown. No rule lives here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import ckan.plugins.toolkit as tk
from ckan.common import current_user

import mulu.codes
import mulu.entry
import mulu.profile

SHANGHAI = ZoneInfo("Asia/Shanghai")

#: package_show's `mulu_status` → (label, tag class)
STATUS = {
    "draft": ("草稿", "m-tag"),
    "under_review": ("审核中", "m-tag m-tag-info"),
    "returned": ("已退回", "m-tag m-tag-warn"),
    "withdrawn": ("已撤回", "m-tag"),
    "published": ("已发布", "m-tag m-tag-ok"),
    "published_pending": ("已发布 · 有待审核的变更", "m-tag m-tag-info"),
    "archived": ("已归档", "m-tag"),
}

#: class key → tag class; the label comes from mulu.codes
CLASS_TAG = {"unconditional": "m-tag-ok", "conditional": "m-tag-warn", "none": "m-tag-bad"}

WEEKDAYS = "一二三四五六日"


def mulu_profile() -> mulu.profile.Profile:
    """The place's profile, as the portal is configured (`mulu.profile`)."""
    return mulu.profile.load(tk.config.get("mulu.profile") or "huarong")


def mulu_place() -> str:
    return mulu_profile().name


def mulu_authority() -> str:
    return mulu_profile().authority_name


def mulu_regulation() -> str:
    regulation = mulu_profile().regulation
    return regulation if str(regulation).startswith("《") else f"《{regulation}》" if regulation else ""


def mulu_today() -> str:
    """「2026年11月21日 星期六」, in Shanghai."""
    today = datetime.now(SHANGHAI).date()
    return f"{today.year}年{today.month}月{today.day}日 星期{WEEKDAYS[today.weekday()]}"


def mulu_nav() -> list[dict[str, Any]]:
    """Entries of the main navigation for the person on the line: {label, url, current, count}."""
    here = tk.request.path
    items = [(tk._("目录"), tk.h.url_for("dataset.search"), ("/dataset",), 0)]
    if current_user.is_authenticated:
        items += [
            (tk._("我的待办"), tk.h.url_for("mulu_inbox.index"), ("/mulu/inbox",), mulu_turn_count()),
            (tk._("导入"), tk.h.url_for("mulu_import.index"), ("/mulu/import",), 0),
            (tk._("事项"), tk.h.url_for("mulu_case.index"), ("/mulu/case",), 0),
        ]
    items.append((tk._("机构"), tk.h.url_for("organization.index"), ("/organization",), 0))
    return [
        {"label": label, "url": url, "current": any(part in here for part in parts), "count": count}
        for label, url, parts, count in items
    ]


def mulu_inbox() -> dict[str, Any]:
    """The person's inbox, asked once a request. Empty for someone who is not logged in."""
    if not current_user.is_authenticated:
        return {"counts": {}, "results": []}
    if "mulu_inbox" not in tk.g:
        tk.g.mulu_inbox = tk.get_action("mulu_inbox")({"user": current_user.name}, {})
    return tk.g.mulu_inbox


def mulu_turn_count() -> int:
    return sum(count.get("turn", 0) for count in mulu_inbox()["counts"].values())


def mulu_label(code_list: str, key: Any) -> str:
    """The Chinese label of a key, or of each key of a list; an unknown key is shown as it is."""
    if not key:
        return ""
    if isinstance(key, (list, tuple)):
        return "、".join(mulu_label(code_list, one) for one in key)
    known = mulu.codes.CODE_LISTS.get(code_list)
    if known is None:
        return str(key)
    try:
        return known.label(str(key)) or str(key)
    except KeyError:
        return str(key)


def mulu_choices(field: dict[str, Any]) -> list[dict[str, str]]:
    """scheming's choices_helper: the code list named by the field's `code_list`."""
    return [{"value": code.key, "label": code.label} for code in mulu.codes.CODE_LISTS[field["code_list"]]]


def mulu_class_tag(key: str) -> str:
    return CLASS_TAG.get(key, "")


def mulu_status(package: dict[str, Any]) -> tuple[str, str] | None:
    """(label, tag class) of an entry's status, for those to whom package_show tells it."""
    return STATUS.get(package.get("mulu_status", ""))


def mulu_sections() -> list[tuple[str, list[mulu.entry.Field]]]:
    """The form's fields by section, in form order."""
    return [(name, list(fields)) for name, fields in groupby(mulu.entry.FIELDS, key=lambda field: field.section)]


def mulu_date(value: Any) -> str:
    """「11月25日」this year, 「2027年1月8日」otherwise; what is no date is shown as it is."""
    day = _as_date(value)
    if day is None:
        return str(value or "")
    short = f"{day.month}月{day.day}日"
    return short if day.year == datetime.now(SHANGHAI).year else f"{day.year}年{short}"


def mulu_time(value: Any) -> str:
    """「2026-11-21 15:04」in Shanghai."""
    if not value:
        return ""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    if moment.tzinfo:
        moment = moment.astimezone(SHANGHAI)
    return moment.strftime("%Y-%m-%d %H:%M")


def mulu_due(row: dict[str, Any]) -> dict[str, str] | None:
    """A deadline in words: {text, tag, date}. `row` has due_on, days_left (working days, below 0 when late), overdue."""
    if not row.get("due_on"):
        return None
    left = row.get("days_left")
    if row.get("overdue") or (left is not None and left < 0):
        late = abs(left or 0)
        text, tag = (f"已逾期 {late} 个工作日" if late else "已逾期"), "m-tag-bad"
    elif left == 0:
        text, tag = "今天到期", "m-tag-bad"
    elif left is None:
        text, tag = "有期限", "m-tag"
    else:
        text, tag = f"还剩 {left} 个工作日", "m-tag-warn" if left <= 2 else "m-tag-ok"
    return {"text": text, "tag": tag, "date": mulu_date(row["due_on"])}


def mulu_value(field: Any, value: Any) -> str:
    """A field's value as words: labels for codes, 、 between the members of a list."""
    code_list = getattr(field, "code_list", None)
    if code_list:
        return mulu_label(code_list, value)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, (list, tuple)):
        return "、".join(str(one) for one in value if one)
    if isinstance(value, dict):
        return "，".join(str(one) for one in value.values() if one)
    return str(value or "")


def mulu_join(parts: Iterable[Any], between: str = "、") -> str:
    return between.join(str(part) for part in parts if part)


def _as_date(value: Any) -> date | None:
    try:
        return datetime.fromisoformat(str(value)).date()
    except ValueError:
        return None


__all__ = [
    "mulu_authority",
    "mulu_choices",
    "mulu_class_tag",
    "mulu_date",
    "mulu_due",
    "mulu_inbox",
    "mulu_join",
    "mulu_label",
    "mulu_nav",
    "mulu_place",
    "mulu_profile",
    "mulu_regulation",
    "mulu_sections",
    "mulu_status",
    "mulu_time",
    "mulu_today",
    "mulu_turn_count",
    "mulu_value",
]
