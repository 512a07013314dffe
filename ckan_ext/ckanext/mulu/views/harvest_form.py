"""The form of a source: controls for what most sources need, YAML for the rest; what it says is judged by the action alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk
import yaml

from ckanext.mulu import helpers, offers
from ckanext.mulu.harvest import sources, words
from ckanext.mulu.harvest.words import N_
from ckanext.mulu.views.common import anchored, errors_only

Row = dict[str, Any]
OTHER = "other"
ARRIVES = {"draft": N_("存为草稿，由部门编目人员补充后提交"), "submit": N_("没有错误的直接提交部门负责人"), "publish": N_("到达即发布（在来源已经审核发布过）")}
INCOMPLETE = {"draft": N_("存为草稿，逐条列出问题"), "refuse": N_("不收，留在“没有收下的条目”里，每次再试")}
LOCAL_EDITS = {"keep": N_("保留本平台的修改"), "overwrite": N_("以来源为准")}
REMOVED = {"archive": N_("撤销，历史保留；来源恢复后自动恢复"), "keep": N_("保留不动")}
FIELDS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    (N_("从哪里来"), (
        {"key": "title", "label": N_("来源名称"), "kind": "text", "required": True, "help": N_("如“某市公共数据开放网”。")},
        {"key": "name", "label": N_("标识"), "kind": "text", "required": True, "help": N_("小写字母、数字、“-”和“_”，保存后不能改。")},
        {"key": "reader", "label": N_("读取方式"), "kind": "choice", "required": True, "choices": words.READERS},
        {"key": "url", "label": N_("地址"), "kind": "text", "required": True, "help": N_("网址；读文件的，写本机允许读取的文件夹中的路径。"), "wide": True},
        {"key": "publisher", "label": N_("发布机构"), "kind": "text"},
        {"key": "licence", "label": N_("授权说明"), "kind": "text", "help": N_("来源对其目录使用的规定。")},
    )),
    (N_("归谁"), (
        {"key": "organization", "label": N_("归属部门"), "kind": "choice"},
        {"key": "create_departments", "label": N_("新建门户中没有的部门"), "kind": "bool"},
    )),
    (N_("何时"), (
        {"key": "schedule", "label": N_("时间表"), "kind": "choice", "help": N_("北京时间。")},
        {"key": "schedule_other", "label": N_("其他时间表"), "kind": "text", "when": "schedule=other", "help": N_("上面选“其他”时填写 cron 的五段：分 时 日 月 周。")},
        {"key": "pace", "label": N_("每秒最多请求数"), "kind": "text", "help": N_("默认 5；来源的 robots.txt 要求更慢的，从其要求。")},
        {"key": "quiet_days", "label": N_("多少天没有变化须提醒"), "kind": "number", "help": N_("0 为不提醒。")},
    )),
    (N_("怎样收"), (
        {"key": "least", "label": N_("预期最少条数"), "kind": "number", "help": N_("少于它时不写入，等人核对。")},
        {"key": "most", "label": N_("预期最多条数"), "kind": "number"},
        {"key": "arrives", "label": N_("新到的条目"), "kind": "choice", "choices": ARRIVES, "wide": True},
        {"key": "incomplete", "label": N_("有错误的条目"), "kind": "choice", "choices": INCOMPLETE},
        {"key": "local_edits", "label": N_("两边都改了同一栏"), "kind": "choice", "choices": LOCAL_EDITS},
        {"key": "removed", "label": N_("来源里已经没有的条目"), "kind": "choice", "choices": REMOVED},
    )),
    (N_("其他设置"), (
        {"key": "rest", "label": N_("其余各键（YAML）"), "kind": "long", "wide": True,
         "help": N_("栏目对应、代码对照、过滤等，写法同 source.yml；这里写的键优先于上面的栏目，整份设置也可以贴在这里。")},
    )),
)  # fmt: skip
"""section → its controls; ``choices``: key → label."""
PLAIN = ("title", "reader", "url", "publisher", "licence", "organization", "arrives", "incomplete", "local_edits", "removed")
OWN = {*PLAIN, "create_departments", "schedule", "pace", "quiet_days", "expected"}
"""Keys of the settings that have controls."""
DEFAULTS = {"arrives": "draft", "incomplete": "draft", "local_edits": "keep", "removed": "archive"}
NO_LIMIT = 10**9
LONGEST = 200_000
"""Characters of YAML."""
PLACES = {"expected": "least"}
"""A key whose control is called otherwise."""


def may_manage() -> bool:
    return sources.manages(offers.person())


def require_manager() -> None:
    if not may_manage():
        tk.abort(403, tk._("汇聚由主管部门和平台管理员管理。"))


def blank() -> Row:
    return {**values("", {}), "schedule": words.EVERY_DAY}


def values(name: str, settings: Mapping[str, Any]) -> Row:
    """What the form shows of settings."""
    schedule = settings.get("schedule", "")
    least, most = settings.get("expected") or (0, NO_LIMIT)
    rest = {key: value for key, value in settings.items() if key not in OWN}
    return {
        "name": name,
        **{key: settings.get(key) or DEFAULTS.get(key, "") for key in PLAIN},
        "create_departments": bool(settings.get("create_departments")),
        "schedule": schedule if schedule in words.SCHEDULES else OTHER,
        "schedule_other": "" if schedule in words.SCHEDULES else schedule,
        "pace": settings.get("pace", ""),
        "quiet_days": settings.get("quiet_days", ""),
        "least": least or "",
        "most": most if most != NO_LIMIT else "",
        "rest": yaml.safe_dump(rest, allow_unicode=True, sort_keys=False, width=100) if rest else "",
    }


def read(form: Any) -> tuple[Row, list[Row]]:
    """(what was filled in, what of it cannot even be read). Keys that the YAML states are shown in their controls from then on."""
    given = {field["key"]: form.get(field["key"], "").replace("\r\n", "\n").strip() for _, fields in FIELDS for field in fields}
    given["create_departments"] = tk.asbool(given["create_departments"] or False)
    rest, problem = _yaml(given["rest"])
    if problem:
        return given, [{"field": "rest", "rule": "not_yaml", "message": problem, "severity": "error"}]
    if rest:
        given = values(given["name"], {**settings({**given, "rest": ""}), **rest})
    return given, []


def settings(filled: Row) -> Row:
    """The settings that the form says. What is empty is left out: it is then as by default."""
    found: Row = {key: filled[key] for key in PLAIN if filled[key] and filled[key] != DEFAULTS.get(key)}
    if filled["create_departments"]:
        found["create_departments"] = True
    if schedule := filled["schedule_other"] if filled["schedule"] == OTHER else filled["schedule"]:
        found["schedule"] = schedule
    if str(filled["pace"]):
        found["pace"] = _number(filled["pace"], float)
    if str(filled["quiet_days"]):
        found["quiet_days"] = _number(filled["quiet_days"], int)
    if str(filled["least"]) or str(filled["most"]):
        found["expected"] = [_number(filled["least"] or 0, int), _number(filled["most"] or NO_LIMIT, int)]
    return found | _yaml(filled["rest"])[0]


def sections(source: Row | None, filled: Row) -> list[tuple[str, list[Row]]]:
    """The controls, as ``parts/fields.html`` draws them."""
    found = []
    for title, fields in FIELDS:
        rows = [_control(field, filled) for field in fields if not (source and field["key"] == "name")]
        found.append((tk._(title), rows))
    return found


def placed(problems: list[Row]) -> list[Row]:
    """Each problem at its control; what has none, at the YAML."""
    labels = {field["key"]: tk._(field["label"]) for _, fields in FIELDS for field in fields}
    found = []
    for one in problems:
        key = str(one.get("field") or "").partition(".")[0].partition("[")[0]
        place, message = PLACES.get(key, key), str(one["message"])
        if place in labels and message.startswith(f"{key} "):  # who fills in a form knows its labels, not the keys
            message = f"“{labels[place]}”{message.removeprefix(key).strip()}"
        found.append(anchored({**one, "message": message, "field": place if place in labels else "rest"}))
    return found


def facts(source: Row) -> list[tuple[str, str]]:
    """What a source's settings say, for its page."""
    given = source["settings"]
    least, most = given.get("expected") or (0, NO_LIMIT)
    rows = [
        (N_("读取方式"), tk._(words.READERS.get(source["reader"], source["reader"]))),
        (N_("发布机构"), source["publisher"]),
        (N_("归属部门"), source["organization_title"] or tk._("按来源逐条写明的部门")),
        (N_("时间表"), words.schedule(source["schedule"], tk._)),
        (N_("预期条数"), f"{least}–{most}" if most != NO_LIMIT else tk._("不少于 {n}").format(n=least) if least else ""),
        (N_("新到的条目"), tk._(ARRIVES[source["arrives"]])),
        (N_("有错误的条目"), tk._(INCOMPLETE[given.get("incomplete", "draft")])),
        (N_("两边都改了同一栏"), tk._(LOCAL_EDITS[given.get("local_edits", "keep")])),
        (N_("来源里已经没有的条目"), tk._(REMOVED[given.get("removed", "archive")])),
        (N_("多少天没有变化须提醒"), str(given["quiet_days"]) if given.get("quiet_days") else ""),
    ]
    return [(tk._(label), value) for label, value in rows if value]


def bad(entry: Row) -> bool:
    """Whether an entry of a preview has an error."""
    return bool(errors_only(entry["problems"]))


def _control(field: Row, filled: Row) -> Row:
    key = field["key"]
    choices = {one: tk._(label) for one, label in field.get("choices", {}).items()}
    if key == "organization":
        choices = {"": tk._("按来源逐条写明的部门")} | {one["name"]: one["title"] for one in helpers.mulu_departments()}
    if key == "schedule":
        choices = {one: tk._(label) for one, label in words.SCHEDULES.items()} | {OTHER: tk._("其他")}
    if key == "arrives" and not sources.publishes(offers.person()) and filled["arrives"] != "publish":
        choices.pop("publish")
    if key == "reader" and filled["reader"] != "own":
        choices.pop("own")  # comes with its program, never by a form
    return {
        **field,
        "label": tk._(field["label"]),
        "help": tk._(field["help"]) if field.get("help") else "",
        "choices": [{"value": one, "label": label} for one, label in choices.items()],
        "blank": key == "reader",
        "yes": tk._("新建，以来源写明的全称为名"),
    }


def _yaml(text: str) -> tuple[Row, str]:
    """(mapping, what is wrong). Anchors are no part of settings: a few lines of them could stand for gigabytes."""
    if len(text) > LONGEST:
        return {}, tk._("这里的文字太长")
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            return {}, tk._("这里不能用 YAML 的引用（*）")
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        return {}, tk._("第 {line} 行不是正确的 YAML").format(line=line + 1) if line is not None else tk._("这里不是正确的 YAML")
    if found is not None and not isinstance(found, dict):
        return {}, tk._("这里应当是“键: 值”，每行一个")
    return {str(key): value for key, value in (found or {}).items()}, ""


def _number(text: Any, kind: type[int] | type[float]) -> Any:
    """A number as far as it is one; else what was written, of which the action says what is wrong."""
    try:
        return kind(text)
    except ValueError:
        return text
