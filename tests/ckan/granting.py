"""An entry on condition with its file as a table, and grants to it, for the tests of grants."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ckan import model
from ckan.lib import jobs
from sqlalchemy import text
from town import ENTRY, Town

from ckanext.mulu.grants import effects
from mulu.case import Case, EventRecord

CONDITIONAL = {
    "share_type": "conditional", "share_condition": "限民政业务使用",
    "open_type": "conditional", "open_condition": "限研究使用",
}  # fmt: skip
ITEMS = ("姓名", "行政区代码", "补贴金额", "身份证号")
HEADER = "姓名,行政区代码,补贴金额,身份证号"
SECRET = "430623199001017"


def rows(count: int) -> bytes:
    lines = [HEADER, *(f"户主{n},0{n:05d},{n}.50,{SECRET}{n:03d}" for n in range(1, count + 1))]
    return "\n".join(lines).encode("gb18030")


def item(name: str, **more: Any) -> dict[str, Any]:
    return {**ENTRY["items"][0], "name": name, **more}


def work() -> None:
    """Let the background worker do what waits."""
    jobs.Worker().work(burst=True)


def published(town: Town, title: str, file: bytes, name: str = "补贴.csv", **more: Any) -> dict[str, Any]:
    """A published entry with one file, its table loaded; as its department's editor sees it."""
    fields = {"items": [item(one) for one in ITEMS], **CONDITIONAL, **more}
    draft = town.draft(title, **fields)
    town.do("editor", "resource_create", package_id=draft["id"], name="补贴名册", format=name.rpartition(".")[2].upper(), upload=(io.BytesIO(file), name))
    town.publish(draft)
    work()
    return town.do("editor", "package_show", id=draft["id"])


def case_of(package_id: str, items: list[str], *, case: str = "case-1", filed_by: str = "", subject: Any = None, **data: Any) -> Case:
    now = datetime.now(UTC)
    filled = {
        "asked": [{"id": package_id, "items": items}], "consumer": "jiaoyu", "scenario": "入学资格核验", "purpose": "核验",
        "until": (date.today() + timedelta(days=30)).isoformat(), **data,
    }  # fmt: skip
    about = subject or {"type": "department", "id": "minzheng", "org": "minzheng", "title": "申请"}
    return Case(case, "sharing_application", "1", "huarong", "1", "in_use", about, filed_by, (filed_by,), now, now, filled)


def record() -> EventRecord:
    return EventRecord(1, "deliver", "提供数据", "x", "甲", "head", "agreed", "in_use", datetime.now(UTC))


def grant(town: Town, package_id: str, items: list[str], kind: str = "sharing", **more: Any) -> str:
    """The id of a new grant."""
    case = case_of(package_id, items, **more)
    effects.grant({"kind": kind}, case, record(), None)
    model.Session.commit()
    found = model.Session.execute(text("select id from mulu_grant where case_id = :case and package_id = :package"), {"case": case.id, "package": package_id})
    return str(found.scalar_one())


def change(effect: Any, case: Case) -> None:
    effect({}, case, record(), None)
    model.Session.commit()


def get(town: Town, who: str, url: str, key: str = "", **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if who != "anonymous":
        given["Authorization"] = town.tokens[who]
    if key:
        given["X-Mulu-Key"] = key
    return town.app.test_client(use_cookies=False).get(url, headers=given)


def told(answer: Any) -> tuple[int, str]:
    """(status, rule) of a refusal."""
    return answer.status_code, json.loads(answer.get_data())["rule"]
