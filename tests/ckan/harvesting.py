"""Rows of harvest tables for the tests of actions and pages, which need no engine. Everything in them is made up."""

from __future__ import annotations

import itertools
import uuid
from datetime import timedelta
from typing import Any

from ckan import model
from sqlalchemy import delete, insert, text, update

from ckanext.mulu import cases
from ckanext.mulu.model.tables import (
    harvest_record,
    harvest_run,
    harvest_source,
    harvest_step,
)

SETTINGS = {
    "title": "学校目录（虚构）",
    "reader": "ckan",
    "url": "https://school.example",
    "publisher": "某县教育局（虚构）",
}
"""As the portal keeps them: nothing that is as by default."""
_later = itertools.count()


def forget() -> None:
    """No source, no run, and no case about one."""
    for table in (harvest_step, harvest_record, harvest_run, harvest_source):
        model.Session.execute(delete(table))
    ours = "(select id from mulu_case where procedure = 'harvest_check')"
    model.Session.execute(text(f"delete from mulu_delivery where case_id in {ours}"))
    model.Session.execute(text(f"delete from mulu_outbox where case_id in {ours}"))
    model.Session.execute(text("delete from mulu_case where procedure = 'harvest_check'"))
    model.Session.commit()


def run_of(source: str, state: str, **more: Any) -> str:
    """A run that is in this state, asked for after all others."""
    run_id, at = str(uuid.uuid4()), cases.now() + timedelta(milliseconds=next(_later))
    over = state in ("done", "failed", "stopped", "dropped", "held")
    values = {
        "id": run_id, "source": source, "state": state, "dry_run": False, "cause": "person", "asked_by": "system", "asked_at": at, "not_before": at,
        "started_at": at, "finished_at": at if over else None, "settings": SETTINGS, "counts": {"read": 3}, "seconds": 1.5,
    }  # fmt: skip
    model.Session.execute(insert(harvest_run).values(**(values | more)))
    model.Session.commit()
    return run_id


def finish(run_id: str, state: str) -> None:
    model.Session.execute(update(harvest_run).where(harvest_run.c.id == run_id).values(state=state, finished_at=cases.now()))
    model.Session.commit()


def end_open(source: str) -> None:
    """Whatever waits or runs has stopped."""
    values = {"state": "stopped", "finished_at": cases.now()}
    model.Session.execute(update(harvest_run).where(harvest_run.c.source == source, harvest_run.c.state.in_(("waiting", "running"))).values(**values))
    model.Session.commit()


CLOSED = {"rule": "closed", "message": "开放类型由“有条件开放”收紧为“不予开放”"}
MOVED = {"rule": "moved", "message": "提供方由“教育局”改为“民政局”"}


def steps_of(run_id: str, adds: int = 0, changes: int = 0, removes: int = 0, refused: int = 0, state: str = "planned") -> None:
    """Steps of a run; of the changes the first two hold it."""
    plain = {"changes": [], "problems": [], "reasons": [], "state": state, "provider": "minzheng", "hash": "x"}
    rows: list[dict[str, Any]] = [{"kind": "add", "title": f"学校名录{n}"} for n in range(adds)]
    differs = [
        {"field": "open_type", "label": "开放类型", "before": "有条件开放", "after": "不予开放", "local": ""},
        {"field": "notes", "label": "摘要", "before": "全县小学的名称和地址", "after": "全县中小学的名称、地址和学生人数", "local": "kept"},
    ]
    rows += [{"kind": "change", "title": f"学籍信息{n}", "changes": differs, "reasons": [CLOSED, MOVED][n : n + 1]} for n in range(changes)]
    rows += [{"kind": "remove", "title": f"撤并学校{n}"} for n in range(removes)]
    problem = {"field": "items[0].name", "rule": "required", "message": "请填写信息项名称", "value": None, "article": None, "where": "第7条", "severity": "error"}
    rows += [{"kind": "refuse", "title": f"残缺条目{n}", "problems": [problem], "state": "refused"} for n in range(refused)]
    for n, row in enumerate(rows):
        entry = {"title": row["title"], "provider": plain["provider"]}
        model.Session.execute(insert(harvest_step).values(run=run_id, source_id=f"id-{n}", where=f"第{n + 1}条", entry=entry, **(plain | row)))
    model.Session.commit()


def records(source: str, kept: int = 0, quarantined: int = 0, package_id: str = "", provider: str = "minzheng") -> None:
    """What is remembered of a source's records; package_id: of the first."""
    now = cases.now()
    problem = {"field": "title", "rule": "required", "message": "没有目录名称", "value": None, "article": None, "where": "", "severity": "error"}
    for n in range(kept + quarantined):
        bad = n >= kept
        model.Session.execute(insert(harvest_record).values(
            source=source, source_id=f"id-{n}", state="quarantined" if bad else "in", package_id=package_id if n == 0 else "", where=f"第{n + 1}条",
            problems=[problem] if bad else [], tries=2 if bad else 0, first_seen_at=now, changed_at=now, entry={"title": f"学校名录{n}", "provider": provider}, seen_run="r",
        ))  # fmt: skip
    model.Session.commit()
