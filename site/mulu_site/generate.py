"""Makes up a snapshot of any size, for benches, tests and a first look at the site without CKAN. Every entry says that it is made up.

What is made up is of the kinds that a county's catalogue holds, and costs a site what that costs: most entries are small, some carry
files with previews (mulu_site.made_up_files), an interface that is called, several versions, conditions of single items, related
entries, an older name, and a few are very long. Each of them passes the rules of the place (mulu.checks) without an error or a warning.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from mulu.resource_code import KIND_DIGITS
from mulu_site.made_up_files import resources
from mulu_site.snapshot import Entry, write_snapshot

PLACE = "示例县"
NOTICE = "本条目由程序虚构，仅用于演示和测试，不对应任何真实数据。"
DEPARTMENTS = (
    "教育体育局", "公安局", "民政局", "司法局", "财政局", "人力资源和社会保障局", "自然资源局", "住房和城乡建设局",
    "交通运输局", "水利局", "农业农村局", "商务局", "文化旅游广电局", "卫生健康局", "退役军人事务局", "应急管理局", "审计局",
    "市场监督管理局", "统计局", "医疗保障局", "行政审批服务局", "城市管理和综合执法局", "林业局", "气象局", "税务局",
    "残疾人联合会",
)  # fmt: skip
PLACES = (
    "城关镇", "东湖镇", "南河乡", "北山镇", "西岭乡", "新桥镇", "长堤镇", "柳林乡", "梅溪镇", "白鹤镇", "全县", "县城区",
    "工业园区",
)  # fmt: skip
SUBJECTS = (
    "中小学校", "幼儿园", "养老机构", "个体工商户", "食品经营许可", "药品零售企业", "城市公园", "公共停车场", "公交线路",
    "农村公路", "危险化学品企业", "水库", "灌区", "河道断面", "粮食播种", "农机补贴", "高标准农田", "生猪规模养殖场",
    "企业信用", "行政许可", "行政处罚", "住房公积金", "保障性住房", "商品房预售", "建设工程招标", "医疗机构", "家庭医生签约",
    "预防接种门诊", "医保定点药店", "城乡居民医保", "低保对象", "残疾人证", "婚姻登记", "殡葬服务", "社会组织", "失业登记",
    "职业技能培训", "劳动监察", "特种设备", "计量器具", "空气质量", "饮用水源", "排污许可", "气象预警", "森林防火", "旅游景区",
    "非物质文化遗产", "图书馆藏", "体育场馆", "公共法律服务", "人民调解", "退役军人优待", "不动产登记", "地名", "国土利用",
    "统计年鉴",
)  # fmt: skip
KINDS = ("基本信息", "名录", "统计表", "年度汇总信息", "办理结果", "监测数据", "分布点位", "变更记录", "检查结果", "公示信息")
ITEMS = (
    ("名称", "C", "200"), ("统一社会信用代码", "C", "18"), ("地址", "C", "300"), ("所属乡镇", "C", "50"), ("经度", "N", "10,6"),
    ("纬度", "N", "10,6"), ("登记日期", "D", "10"), ("有效期至", "D", "10"), ("金额", "Y", "16,2"), ("数量", "I", "8"),
    ("负责人", "C", "50"), ("办公电话", "C", "20"), ("状态", "C", "10"), ("备注", "M", "1000"), ("更新时间", "T", "19"),
    ("年度", "I", "4"), ("面积", "N", "12,2"), ("等级", "C", "10"),
)  # fmt: skip
GROUNDS = (
    ("third_party", "《中华人民共和国个人信息保护法》第二十八条"),
    ("security", "《中华人民共和国数据安全法》第二十一条"),
    ("other_law", "《中华人民共和国统计法》第二十八条"),
)
FREQUENCIES = ("realtime", "daily", "weekly", "monthly", "quarterly", "half_yearly", "yearly", "irregular", "never")
THEMES = (
    "health", "social_security", "work_safety", "environment", "urban_rural", "government_services", "public_services",
    "教育科技", "交通运输", "农业农村", "文化旅游", "财税金融",
)  # fmt: skip
BASE_CLASSES = ("population", "legal_entity", "natural_resources", "social_credit", "e_licence")
FORMATS = (("spreadsheet", "xlsx"), ("spreadsheet", "csv"), ("database", "mysql"), ("file", "json"), ("file", "pdf"), ("image", "jpg"))
BUSINESS = ("低保资格认定", "入学资格核验", "企业开办一件事", "不动产登记", "医保报销", "项目审批", "联合惩戒", "防汛调度")
EPOCH = date(2022, 1, 4)
RECENT = 40
"""Entries before an entry that it may be related to."""


def generate(n: int, path: str | Path, *, seed: int = 20, portal_url: str = "") -> Path:
    """Writes a sealed snapshot of `n` made-up entries to `path`. The same arguments give the same bytes, and fewer entries the same first ones."""
    header = {
        "profile": "huarong",
        "place": PLACE,
        "generated_at": "2026-03-02T08:00:00+08:00",
        "portal_url": portal_url,
        "site_url": "",
        "demo": True,
        "demo_sources": [{"name": "程序虚构的条目，不对应任何真实数据", "url": ""}],
        "departments": [
            {"name": f"d{i:02d}", "title": f"县{title}", "code": "", "chief_data_officer": "", "parent": ""}
            for i, title in enumerate(DEPARTMENTS)
        ],
        "ledger": ledger(list(entries(min(n, 40), seed=seed))),
    }
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_snapshot(path, header, entries(n, seed=seed, portal_url=portal_url))
    return path


def entries(n: int, *, seed: int = 20, portal_url: str = "") -> Iterator[Entry]:
    """The entries of `generate`, one after the other."""
    rng, before = random.Random(seed), deque[str](maxlen=RECENT)
    for i in range(n):
        entry = _entry(i, rng, portal_url)
        if before and rng.random() < 0.1:
            entry["related_codes"] = rng.sample(list(before), min(len(before), rng.randint(1, 4)))
        before.append(entry["resource_code"])
        yield entry


def ledger(first: list[Entry]) -> dict[str, object]:
    """Re-reviews of the first entries that are not open, in turn running, kept and changed, and what people asked for."""
    kept = {"state": "kept", "result": "", "outcome": f"所列理由仍然成立，维持不予开放。{NOTICE}"}
    changed = {"state": "changed", "result": "不予开放 → 有条件开放", "outcome": f"经脱敏处理后可以开放，改为有条件开放。{NOTICE}"}
    running = {"state": "accepted", "result": "", "outcome": ""}
    closed, conditional = ([e for e in first if e["open_type"] == kind][:4] for kind in ("none", "conditional"))
    asked = [(entry, (running, kept)[n % 2]) for n, entry in enumerate(closed)] + [(entry, changed) for entry in conditional[:2]]
    rereviews = []
    for n, (entry, told) in enumerate(asked):
        filed, days = EPOCH + timedelta(days=1400 + n * 7), 4 + n
        decided = (filed + timedelta(days=days + 4)).isoformat() if told is not running else ""
        row = {"entry": entry["id"], "title": entry["title"], "filed_on": filed.isoformat(), "decided_on": decided}
        rereviews.append(row | told | {"days": days if decided else None})
    demands = [
        {"title": f"{subject}{kind}（虚构）", "count": 9 - n, "state": state, "filed_on": (EPOCH + timedelta(days=1390 + n)).isoformat()}
        for n, (subject, kind, state) in enumerate(
            zip(SUBJECTS, KINDS, ("received", "assigned", "taken_up", "catalogued", "declined"), strict=False)
        )
    ]
    suggestions = [
        {"title": title, "kind": kind, "outcome": f"已经采纳。{NOTICE}", "filed_on": (EPOCH + timedelta(days=1380 + 9 * n)).isoformat(),
         "decided_on": (EPOCH + timedelta(days=1387 + 9 * n)).isoformat(), "days": 5}
        for n, (title, kind) in enumerate((("名录类条目增加经纬度（虚构）", "data"), ("检索结果可以下载成表格（虚构）", "site")))
    ]  # fmt: skip
    took = [row["days"] for row in rereviews if row["days"] is not None]
    told = len(took)
    counts = {
        "demand": {"filed": 6, "open": 3, "answered": 2, "withdrawn": 1, "overdue": 0, "in_time": 2, "days": 8, "longest": 10},
        "error_check": {"filed": 12, "open": 2, "answered": 10, "overdue": 1, "in_time": 9, "days": 3.5, "longest": 9},
        "rereview": {"filed": len(rereviews), "open": len(rereviews) - told, "answered": told, "overdue": 0, "in_time": told,
                     "days": median(took) if took else None, "longest": max(took, default=None)},
        "suggestion": {"filed": 3, "open": 1, "answered": 2, "overdue": 0, "in_time": 2, "days": 5, "longest": 5},
    }  # fmt: skip
    return {"rereviews": rereviews, "demands": demands, "suggestions": suggestions, "counts": counts}


def _entry(i: int, rng: random.Random, portal_url: str) -> Entry:
    department = rng.randrange(len(DEPARTMENTS))
    who = f"县{DEPARTMENTS[department]}"
    subject, kind, place = rng.choice(SUBJECTS), rng.choice(KINDS), rng.choice(PLACES)
    year = rng.choice(("", "", f"{rng.randint(2018, 2025)}年"))
    title = f"{place}{subject}{year}{kind}" if rng.random() < 0.5 else f"{year}{subject}{kind}（{place}）"
    published = EPOCH + timedelta(days=rng.randrange(1300))
    updated = published + timedelta(days=rng.randrange(180))
    catalogue = rng.choices(("department", "theme", "base"), (8, 1, 1))[0]
    long = rng.random() < 0.002
    items = _items(subject, catalogue, long, rng)
    history = _history(published, updated, long, rng)
    notes = f"{title}，由{who}在履行职责过程中采集，含{'、'.join(x['name'] for x in items[:4])}等。{NOTICE}"
    if long:
        notes += "".join(f"\n{n}．{place}{rng.choice(SUBJECTS)}与本条目的{rng.choice(ITEMS)[0]}相对应，口径一致。" for n in range(1, 40))
    format_class, format_type = rng.choices(FORMATS, (10, 5, 2, 1, 1, 1))[0]
    entry: Entry = {
        "id": f"made-up-{i:06d}",
        "name": f"made-up-{i:06d}",
        "title": title,
        "resource_code": f"{KIND_DIGITS[catalogue]}{department:02d}001/{i + 1:06d}",
        "catalogue_kind": catalogue,
        "base_class": rng.choice(BASE_CLASSES) if catalogue == "base" else "",
        "theme": rng.choice(THEMES),
        "provider": f"d{department:02d}",
        "provider_title": who,
        "provider_unit": rng.choice(("", "", "办公室", "信息中心", "综合业务股")),
        "notes": notes,
        "format_class": format_class,
        "format_type": format_type,
        "items": items,
        "update_frequency": rng.choice(FREQUENCIES),
        "published_on": published.isoformat(),
        "data_updated_on": updated.isoformat(),
        "spatial": place,
        "temporal": year,
        "system_name": rng.choice(("", f"{subject}管理系统（虚构）")),
        "contact": rng.choice(("", "0730-0000000（虚构）")),
        "version": history[-1]["version"],
        "published_at": history[-1]["published_at"],
        "history": history,
        "objection": rng.random() < 0.01,
        "class_decision": {"department": who, "article": "华容县政务信息资源管理暂行办法 第二十五条", "on": published.isoformat()},
    }
    entry |= _classes(catalogue, items, updated, rng)
    if rng.random() < 0.3:
        entry["business_items"] = rng.sample(BUSINESS, rng.randint(1, 2))
    if rng.random() < 0.005:
        entry["former_names"] = [f"made-up-formerly-{i:06d}"]
    if rng.random() < 0.05:
        entry |= _interface(entry, rng)
    entry["resources"] = resources(entry, i, rng, long, portal_url)
    return entry


def _items(subject: str, catalogue: str, long: bool, rng: random.Random) -> list[dict[str, Any]]:
    chosen = list(rng.sample(ITEMS, rng.randint(4, 12)))
    if long:
        chosen += [(f"第{n}项{subject}指标", rng.choice("INYFC"), "12") for n in range(1, rng.randint(120, 320))]
    kind = "base" if catalogue == "base" else "business"
    return [
        {"name": name, "data_type": data_type, "length": length, "kind": kind, "description": f"{subject}的{name}"}
        for name, data_type, length in chosen
    ]


def _history(published: date, updated: date, long: bool, rng: random.Random) -> list[dict[str, Any]]:
    """Versions from the first publication on, at most as late as the data's last update."""
    count = rng.randint(30, 60) if long else rng.choices((1, 2, 3, 6), (12, 4, 3, 1))[0]
    days = sorted(rng.randrange((updated - published).days + 1) for _ in range(count - 1))
    told = [(published, "首次发布"), *((published + timedelta(days=n), rng.choice(("更新数据", "更正信息项说明", "补充文件"))) for n in days)]
    return [{"version": n, "published_at": f"{day}T09:00:00+08:00", "summary": summary} for n, (day, summary) in enumerate(told, 1)]


def _classes(catalogue: str, items: list[dict[str, Any]], updated: date, rng: random.Random) -> Entry:
    """Sharing and opening, each with what the rules ask for beside it; base data are shared without condition (华容第十七条)."""
    share = "unconditional" if catalogue == "base" else rng.choices(("unconditional", "conditional", "none"), (5, 4, 1))[0]
    opened = "none" if share == "none" else rng.choices(("unconditional", "conditional", "none"), (5, 3, 2))[0]
    found: Entry = {
        "share_type": share,
        "share_condition": "限行政审批、监督检查使用，须说明用途和期限。" if share == "conditional" else "",
        "share_basis": "" if share == "unconditional" else rng.choice(GROUNDS)[1],
        "share_mode": [rng.choice(("docking", "e_form"))] if share != "none" else [],
        "open_type": opened,
        "open_condition": "须说明使用范围和使用用途，经提供部门审核同意。" if opened == "conditional" else "",
        "open_mode": ["download"] if opened != "none" else [],
        "security_level": "L1" if opened == "unconditional" else "L2",
        "personal_information": "none" if opened == "unconditional" else "desensitised",
    }
    if opened != "none":
        found["license_id"] = f"mulu-{opened}"
    withheld = opened == "conditional" and rng.random() < 0.2
    if withheld:
        for item in rng.sample(items, 2):
            item |= {"open_type": "none", "sensitive": True}
    if opened == "none" or withheld:
        ground, basis = rng.choice(GROUNDS)
        found |= {"open_ground": ground, "open_basis": basis, "open_review_on": (updated + timedelta(days=365)).isoformat()}
    return found


def _interface(entry: Entry, rng: random.Random) -> Entry:
    """An entry whose data a program can ask for, and how often programs did: most seldom, a few all day."""
    found: Entry = {"format_class": "api", "format_type": "api", "share_mode": ["delivery_api"] if entry["share_type"] != "none" else []}
    if entry["open_type"] != "none":
        found["open_mode"] = ["api", "download"]
    calls = int(rng.paretovariate(0.5)) - 1
    return found | ({"calls": {"count": min(calls, 900_000), "from": "2025-03", "to": "2026-02"}} if calls else {})
