"""Words for what a harvest is, does and counts: in Chinese here, translated where they are shown."""

from __future__ import annotations

import re
from collections.abc import Callable


def N_(text: str) -> str:
    """Marks a text for translation that is translated where it is shown."""
    return text


COUNTS = {
    "read": N_("读取"), "repeated": N_("重复"), "added": N_("新增"), "changed": N_("变更"), "unchanged": N_("不变"), "removed": N_("撤销"),
    "restored": N_("恢复"), "held": N_("待核对"), "refused": N_("未收下"),
}  # fmt: skip
"""What a run counts, in the order of ``mulu_harvest.plan.COUNTS``."""

KINDS = {"add": N_("新增"), "change": N_("变更"), "remove": N_("撤销"), "restore": N_("恢复"), "refuse": N_("未收下")}
KIND_TAG = {"add": "m-tag-ok", "change": "m-tag-info", "remove": "m-tag-bad", "restore": "m-tag-ok", "refuse": "m-tag-warn"}

RUN_STATES = {
    "waiting": (N_("等待运行"), "m-tag"), "running": (N_("正在汇聚"), "m-tag-info"), "held": (N_("待核对"), "m-tag-warn"),
    "done": (N_("已完成"), "m-tag-ok"), "failed": (N_("失败"), "m-tag-bad"), "stopped": (N_("已停止"), "m-tag"), "dropped": (N_("不予写入"), "m-tag"),
}  # fmt: skip
"""state → (label, tag class)."""

SOURCE_STATES = {
    "failed": (N_("上次汇聚失败"), "m-tag-bad"), "held": (N_("待核对"), "m-tag-warn"), "refused": (N_("有未收下的条目"), "m-tag-warn"),
    "running": (N_("正在汇聚"), "m-tag-info"), "new": (N_("还没有汇聚过"), "m-tag"), "well": (N_("正常"), "m-tag-ok"), "disabled": (N_("已停用"), "m-tag"),
}  # fmt: skip

PHASES = {"": N_("准备"), "reading": N_("正在读取来源"), "planning": N_("正在比对"), "loading": N_("正在写入目录")}
CAUSES = {"schedule": N_("按时间表"), "person": N_("人工"), "command": N_("命令行"), "retry": N_("重试")}

READERS = {
    "ckan": N_("CKAN 平台（接口）"), "dcat": N_("DCAT 目录"), "data_json": N_("data.json 目录"), "datapackage": N_("数据包（Frictionless）"),
    "form": N_("部门目录表（Excel、CSV）"), "mulu": N_("另一套本平台（上级或下级）"), "portal": N_("列表文件（JSON）"),
    "own": N_("随来源提供的程序"),
}  # fmt: skip

EVERY_DAY = "30 2 * * *"
HOURLY = "15 * * * *"
SCHEDULES = {
    "": N_("不定时，由人启动"), HOURLY: N_("每小时"), EVERY_DAY: N_("每天 02:30"), "30 2 * * 1": N_("每周一 02:30"), "30 2 1 * *": N_("每月1日 02:30"),
}  # fmt: skip
"""What a form offers; anything else is cron's five fields."""
DAYS = (N_("周日"), N_("周一"), N_("周二"), N_("周三"), N_("周四"), N_("周五"), N_("周六"), N_("周日"))
EVERY = {"day": N_("每天 {time}"), "week": N_("每{day} {time}"), "month": N_("每月{n}日 {time}")}


def schedule(cron: str, translated: Callable[[str], str] = str) -> str:
    """A schedule in words: 「每周一 02:30」; one that has no short words as cron writes it."""
    if cron in ("", HOURLY):
        return translated(SCHEDULES[cron])
    if plain := re.fullmatch(r"(\d{1,2}) (\d{1,2}) (\*|\d{1,2}) \* (\*|[0-7])", cron):
        minute, hour, of_month, of_week = plain.groups()
        at = f"{int(hour):02}:{int(minute):02}"
        if of_month == "*" and of_week == "*":
            return translated(EVERY["day"]).format(time=at)
        if of_month == "*":
            return translated(EVERY["week"]).format(day=translated(DAYS[int(of_week)]), time=at)
        if of_week == "*":
            return translated(EVERY["month"]).format(n=int(of_month), time=at)
    return cron
