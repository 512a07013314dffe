"""What the templates may ask: words for keys, the place, the inbox count, the countdown. No rule lives here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import ckan.plugins.toolkit as tk
from ckan.common import current_user

import mulu.codes
import mulu.entry
import mulu.profile
from ckanext.mulu import basket, entries, offers
from ckanext.mulu.harvest import origins, sources
from ckanext.mulu.notices import letters

SHANGHAI = ZoneInfo("Asia/Shanghai")



def N_(text: str) -> str:
    """Marks a text for translation that is translated where it is shown."""
    return text


#: package_show's `mulu_status` → (label, tag class)
STATUS = {
    "draft": (N_("草稿"), "m-tag"),
    "under_review": (N_("审核中"), "m-tag m-tag-info"),
    "returned": (N_("已退回"), "m-tag m-tag-warn"),
    "withdrawn": (N_("已撤回"), "m-tag"),
    "published": (N_("已发布"), "m-tag m-tag-ok"),
    "published_pending": (N_("已发布 · 有待审核的变更"), "m-tag m-tag-info"),
    "archived": (N_("已撤销"), "m-tag"),
}

#: class key → tag class; the label comes from mulu.codes
CLASS_TAG = {"unconditional": "m-tag-ok", "conditional": "m-tag-warn", "none": "m-tag-bad"}

#: state of a catalogue review → what happens next, in the words of the entry's page, and its tone
NEXT = {
    "draft": (N_("检查无误后，提交本部门负责人。"), ""),
    "returned": (N_("已退回，请按意见改正后再次提交。"), "m-note-warn"),
    "head_review": (N_("等待本部门负责人完成保密审查、个人信息影响评估并同意。"), ""),
    "authority_review": (N_("负责人已同意，等待主管部门审核发布。"), ""),
}

#: fields that have a place of their own on the entry's page
SHOWN_APART = {
    "title", "name", "notes", "items", "resources", "provider", "resource_code", "share_type", "share_condition", "share_basis",
    "share_mode", "open_type", "open_condition", "open_ground", "open_basis", "open_review_on", "open_mode", "security_level",
    "personal_information", "secrecy_review", "privacy_review", "published_on", "source",
}  # fmt: skip

OVERSEERS = ("authority", "authority_head", "auditor", "operator")
"""Roles for whom the overview of all cases is work."""

WEEKDAYS = "一二三四五六日"


def mulu_profile() -> mulu.profile.Profile:
    """The place's profile, as the portal is configured."""
    return entries.profile()


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
        items.append((tk._("我的待办"), tk.h.url_for("mulu_inbox.index"), ("/mulu/inbox",), mulu_turn_count()))
        items.append((tk._("通知"), tk.h.url_for("mulu_notices.index"), ("/mulu/notices",), mulu_unread_count()))
        if offers.own_departments("editor"):
            items.append((tk._("申请清单"), tk.h.url_for("mulu_apply.sharing"), ("/mulu/apply",), basket.count(offers.person().id)))
        items.append((tk._("事项"), tk.h.url_for("mulu_case.index"), ("/mulu/case",), 0))
        if any(offers.person().has(role) for role in OVERSEERS):
            items.append((tk._("总览"), tk.h.url_for("mulu_overview.index"), ("/mulu/overview",), 0))
        items.append((tk._("授权"), tk.h.url_for("mulu_grants.index"), ("/mulu/grants",), 0))
        if offers.is_official():
            items.append((tk._("供需"), tk.h.url_for("mulu_overview.demands"), ("/mulu/demands",), 0))
        if offers.own_departments("editor") or offers.person().has("operator"):
            items.append((tk._("导入"), tk.h.url_for("mulu_import.index"), ("/mulu/import",), 0))
        if sources.any_for(offers.person()):
            items.append((tk._("汇聚"), tk.h.url_for("mulu_harvest.index"), ("/mulu/harvest",), 0))
    items.append((tk._("机构"), tk.h.url_for("organization.index"), ("/organization",), 0))
    return [
        {"label": label, "url": url, "current": here.startswith(parts), "count": count}
        for label, url, parts, count in items
    ]


def mulu_harvested(package: dict[str, Any]) -> dict[str, Any] | None:
    """Where an entry was harvested, for officials: {source, title, url, address, seen_at, kept}; None for all others.

    kept: labels of what was changed here and differs from what the source says.
    """
    if not offers.is_official():
        return None
    return origins.of_entry(package, offers.person())


def mulu_offers_entry(package: dict[str, Any]) -> dict[str, Any]:
    """What the person on the line may ask for or start about an entry (see ``offers.on_entry``)."""
    return offers.on_entry(package)


def mulu_inbox() -> dict[str, Any]:
    """The person's inbox, asked once a request. Empty for someone who is not logged in."""
    if not current_user.is_authenticated:
        return {"counts": {}, "results": []}
    if "mulu_inbox" not in tk.g:
        tk.g.mulu_inbox = tk.get_action("mulu_inbox")({"user": current_user.name}, {})
    return tk.g.mulu_inbox


def mulu_unread_count() -> int:
    """Notices that the person on the line has not read."""
    return int(tk.get_action("mulu_notice_list")({"user": current_user.name}, {"limit": 1})["unread"])


def mulu_letters(case_id: str) -> list[dict[str, Any]]:
    """The letters of a case that the person on the line may see (see ``letters.of_case``)."""
    return letters.of_case(case_id)


def mulu_turn_count() -> int:
    return sum(count.get("turn", 0) for count in mulu_inbox()["counts"].values())


def mulu_label(code_list: str, key: Any) -> str:
    """The Chinese label of a key, or of each key of a list; an unknown key is shown as it is."""
    if not key:
        return ""
    if isinstance(key, (list, tuple)):
        return "、".join(mulu_label(code_list, one) for one in key)
    known = mulu.codes.CODE_LISTS.get(code_list)
    return known.label(str(key)) if known else str(key)


def mulu_choices(field: dict[str, Any]) -> list[dict[str, str]]:
    """scheming's choices_helper: the code list named by the field's `code_list`, each with the heading it stands under."""
    return [
        {"value": code.key, "label": code.label, "group": _group_label(code.group)}
        for code in mulu.codes.CODE_LISTS[field["code_list"]]
    ]


def _group_label(group: str) -> str:
    """A code's group is a heading, or the key of a format's class."""
    return mulu.codes.CODE_LISTS["format_class"].label(group) if group else ""


def mulu_class_tag(key: str) -> str:
    return CLASS_TAG.get(key, "")


def mulu_facet_label(name: str, value: str, search_facets: dict[str, Any] | None = None) -> str:
    """A facet's value in words: from its code list, or as the search itself names it (departments)."""
    if name in mulu.codes.CODE_LISTS:
        return mulu_label(name, value)
    found = ((search_facets or {}).get(name) or {}).get("items", [])
    return next((item["display_name"] for item in found if item["name"] == value), value)


def mulu_status(package: dict[str, Any]) -> tuple[str, str] | None:
    """(label, tag class) of an entry's status, for those to whom package_show tells it."""
    found = STATUS.get(package.get("mulu_status", ""))
    return (tk._(found[0]), found[1]) if found else None


def mulu_facts(package: dict[str, Any]) -> list[tuple[str, list[dict[str, str]]]]:
    """Filled-in fields by section, but for those that the entry's page shows on their own."""
    found = []
    for title, fields in mulu_sections():
        rows = [
            {"label": field.label, "value": mulu_value(field, package.get(field.key))}
            for field in fields
            if field.key not in SHOWN_APART and package.get(field.key)
        ]
        if rows:
            found.append((title, rows))
    return found


def mulu_review(package: dict[str, Any]) -> dict[str, Any] | None:
    """What happens next with an entry under review: {id, version, text, tone, buttons, problems}; None for everybody else."""
    if not package.get("mulu_case"):
        return None
    try:
        shown = tk.get_action("mulu_case_show")({"user": current_user.name}, {"id": package["mulu_case"]})
    except (tk.NotAuthorized, tk.ObjectNotFound):
        return None
    case = shown["case"]
    mine = [one for one in shown["available"] if one["allowed"]]
    problems = [one for one in shown["problems"] if one.get("severity", "error") == "error"]
    text, tone = NEXT.get(case["state"], (N_("这一条目正在审核。"), ""))
    text = tk._(text)
    if problems and case["state"] in ("draft", "returned"):
        text = tk._("还有 {n} 处问题，改正后才能提交本部门负责人。").format(n=len(problems))
        tone = "m-note-warn"
    direct = [one for one in mine if one["event"] == "submit" and not problems]
    return {"id": case["id"], "version": case["version"], "text": text, "tone": tone, "buttons": direct, "problems": problems}


def mulu_urgent(limit: int) -> list[dict[str, Any]]:
    """The most pressing rows of the inbox."""
    return sorted(mulu_inbox()["results"], key=urgency)[:limit]


def urgency(row: dict[str, Any]) -> tuple[bool, str, str]:
    """Sort key: earliest deadline first (so the overdue lead), those without one last, then the oldest."""
    return (not row.get("due_on"), str(row.get("due_on") or ""), str(row.get("opened_at") or ""))


def mulu_home_tiles() -> list[dict[str, Any]]:
    """The figures of an official's home page, each a link to what it counts."""
    rows = mulu_inbox()["results"]
    late = sum(1 for row in rows if row.get("overdue") or (row.get("days_left") or 0) < 0)
    published = tk.get_action("package_search")({"user": current_user.name}, {"rows": 0})["count"]
    return [
        {"label": tk._("等您办理"), "count": len(rows), "tone": "", "url": tk.h.url_for("mulu_inbox.index")},
        {"label": tk._("已逾期"), "count": late, "tone": "m-tile-bad", "url": tk.h.url_for("mulu_inbox.index", due="overdue")},
        {"label": tk._("目录条目"), "count": published, "tone": "", "url": tk.h.url_for("dataset.search")},
    ]


def mulu_recent(limit: int) -> list[dict[str, Any]]:
    """Entries last published or changed, of those that this person may see."""
    wanted = {"rows": limit, "sort": "metadata_modified desc"}
    return tk.get_action("package_search")({"user": current_user.name}, wanted)["results"]


def mulu_organisations(limit: int) -> list[dict[str, Any]]:
    """Departments with the number of their entries that this person may see, most first: {name, title, count}."""
    wanted = {"rows": 0, "facet.field": ["organization"], "facet.limit": limit}
    found = tk.get_action("package_search")({"user": current_user.name}, wanted)["search_facets"]
    return [
        {"name": item["name"], "title": item["display_name"], "count": item["count"]}
        for item in sorted(found.get("organization", {}).get("items", []), key=lambda item: -item["count"])
    ]


def mulu_page_url(number: int) -> str:
    """This page's address with its filters, at another page of its list."""
    args = [(key, value) for key, value in tk.request.args.items(multi=True) if key != "page"]
    return f"{tk.h.url_for(tk.request.path)}?{urlencode([*args, ('page', number)])}"


def mulu_departments() -> list[dict[str, Any]]:
    """All departments, by title: for the fields that name one."""
    if "mulu_departments" not in tk.g:
        wanted = {"all_fields": True, "limit": 1000, "sort": "title asc"}
        tk.g.mulu_departments = tk.get_action("organization_list")({"user": current_user.name}, wanted)
    return tk.g.mulu_departments


def mulu_class(key: str | None) -> dict[str, str]:
    """The tone of a class's card on the entry's page."""
    return {"tone": {"unconditional": "m-class-ok", "conditional": "m-class-warn", "none": "m-class-bad"}.get(key or "", "")}


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
        text = tk._("已逾期 {n} 个工作日").format(n=late) if late else tk._("已逾期")
        tag = "m-tag-bad"
    elif left == 0:
        text, tag = tk._("今天到期"), "m-tag-bad"
    elif left is None:
        text, tag = tk._("有期限"), "m-tag"
    else:
        text, tag = tk._("还剩 {n} 个工作日").format(n=left), "m-tag-warn" if left <= 2 else "m-tag-ok"
    return {"text": text, "tag": tag, "date": mulu_date(row["due_on"])}


def mulu_value(field: Any, value: Any) -> str:
    """A field's value as people read it."""
    if field.kind == "org":
        return next((one["title"] for one in mulu_departments() if one["name"] == value), str(value or ""))
    return mulu.entry.shown(field, value)


def mulu_shown(key: str, value: Any) -> str:
    """The value of an entry's field, by its key, as people read it."""
    return mulu_value(mulu.entry.FIELD[key], value) if key in mulu.entry.FIELD else str(value or "")


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
    "mulu_class",
    "mulu_class_tag",
    "mulu_date",
    "mulu_departments",
    "mulu_due",
    "mulu_facet_label",
    "mulu_facts",
    "mulu_home_tiles",
    "mulu_inbox",
    "mulu_join",
    "mulu_label",
    "mulu_nav",
    "mulu_offers_entry",
    "mulu_organisations",
    "mulu_page_url",
    "mulu_place",
    "mulu_profile",
    "mulu_recent",
    "mulu_regulation",
    "mulu_review",
    "mulu_sections",
    "mulu_shown",
    "mulu_status",
    "mulu_time",
    "mulu_today",
    "mulu_turn_count",
    "mulu_urgent",
    "mulu_value",
]
