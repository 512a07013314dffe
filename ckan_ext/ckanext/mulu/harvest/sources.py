"""Sources: who may see, add and change one, and what is told of it. What its settings may say is ``mulu_harvest``'s to judge."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from croniter import croniter
from sqlalchemy import ColumnElement, func, insert, select, true, update

from ckanext.mulu import cases, entries, identities
from ckanext.mulu.logic import access, refusal
from ckanext.mulu.model.tables import harvest_record, harvest_run, harvest_source
from mulu.case import SHANGHAI
from mulu.errors import Problem
from mulu.forms import json_problem
from mulu.people import Person
from mulu_harvest.addresses import hide_in
from mulu_harvest.keys import key_variable
from mulu_harvest.source import Source, SourceError, parse, to_settings

MANAGE = ("operator", "authority", "authority_head", "system")
"""Who adds, changes and runs sources. The system is whoever types a command on the portal's own machine."""
PUBLISH = ("authority", "authority_head")
"""Who may say that entries are published as they arrive: nobody here reviews them one by one (政务数据共享条例第十六条)."""
OVERSEE = (*MANAGE, "auditor")

CHART = 20
"""Runs that a source's chart shows."""


def manages(person: Person) -> bool:
    return any(person.has(role) for role in MANAGE)


def publishes(person: Person) -> bool:
    return any(person.has(role) for role in PUBLISH)


def concerns(person: Person) -> bool:
    """Whether harvesting is this person's business at all."""
    return oversees(person) or bool(access.departments_of(person))


def oversees(person: Person) -> bool:
    """Whether this person sees all that comes, of whichever department."""
    return any(person.has(role) for role in OVERSEE)


def any_for(person: Person) -> bool:
    """Whether there is something of harvests for this person to look at."""
    if oversees(person):
        return True
    return bool(access.departments_of(person)) and bool(model.Session.execute(select(harvest_source.c.name).where(visible(person)).limit(1)).first())


def visible(person: Person) -> ColumnElement[bool]:
    """All for those who oversee; for a department's people the sources whose entries are theirs, to look at."""
    if oversees(person):
        return true()
    return harvest_source.c.settings["organization"].astext.in_(sorted(access.departments_of(person)))


def get(name: str, person: Person, *, lock: bool = False) -> Any:
    """The row of a source; ObjectNotFound where there is none for this person. lock: until the transaction ends."""
    query = select(harvest_source).where(harvest_source.c.name == name, visible(person))
    row = model.Session.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise tk.ObjectNotFound(tk._("没有这个来源。"))
    return row


def read(name: str, settings: Mapping[str, Any], person: Person, before: Mapping[str, Any] | None = None) -> Source:
    """The source that these settings describe.

    :raises tk.ValidationError: with every problem by its key
    :raises tk.NotAuthorized: entries would be published as they arrive, and this person is not the authority
    """
    refusal.require_storable({"settings": dict(settings)})
    if bad := json_problem(dict(settings)):
        raise refusal.one(bad.strip("."), "not_json", f"{bad.strip('.')} 里有不能保存的值")
    try:
        source = parse(name, settings)
    except SourceError as error:
        raise refusal.error(error.problems or [Problem("settings", "not_valid", str(error))]) from None
    if source.organization and entries.organisation(source.organization) is None:
        message = f"门户中没有标识为“{source.organization}”的部门"
        raise refusal.one("organization", "no_such_department", message, value=source.organization)
    if source.arrives == "publish" and to_settings(source) != before and not publishes(person):
        raise tk.NotAuthorized(tk._("到达即发布的来源，只能由主管部门设置和修改。"))
    return source


def tried(name: str, settings: Mapping[str, Any], person: Person) -> Source:
    """The source that these settings describe, to be looked at before it is saved. The key of the source of this name would be sent
    where they say, which is for those to say who may change that source.

    :raises: as ``read``
    """
    before = model.Session.execute(select(harvest_source.c.settings).where(harvest_source.c.name == name)).scalar()
    source = read(name, settings, person, before)
    if before is None:
        _require_own_key(name)
    elif before.get("arrives") == "publish" and to_settings(source) != before and not publishes(person):
        raise tk.NotAuthorized(tk._("到达即发布的来源，只能由主管部门设置和修改。"))
    return source


def create(name: str, settings: Mapping[str, Any], person: Person) -> None:
    """A new source, enabled. The name of one that is disabled is not free: its history is kept under it."""
    source = read(name, settings, person)
    if model.Session.execute(select(harvest_source.c.name).where(harvest_source.c.name == name)).first():
        raise refusal.one("name", "name_taken", f"已有名为“{name}”的来源（停用的也算），请换一个名称", value=name)
    _require_own_key(name)
    now = cases.now()
    values = {
        "name": name, "settings": to_settings(source), "enabled": True, "next_run_at": next_run(source.schedule, now), "validators": {},
        "created_at": now, "changed_at": now, "changed_by": person.id,
    }  # fmt: skip
    model.Session.execute(insert(harvest_source).values(**values))


def _require_own_key(name: str) -> None:
    """A new source's key lies nowhere where another's does: no environment variable tells “-” from “_”."""
    variable = key_variable(name)
    identities.alone(variable)  # two who ask at once do not both get it
    for other in model.Session.execute(select(harvest_source.c.name)).scalars():
        if key_variable(other) == variable:
            message = f"已有来源“{other}”，与“{name}”只差“-”和“_”，两者的密钥会是同一个环境变量 {variable}，请换一个名称"
            raise refusal.one("name", "name_taken", message, value=name)


def change(row: Any, settings: Mapping[str, Any] | None, enabled: bool, person: Person) -> None:
    """Other settings, or on and off. What conditional requests would send again is forgotten: it was said under other settings.

    :raises tk.NotAuthorized: as in ``read``; switching on what publishes as it arrives is saying so anew
    """
    stated = row.settings if settings is None else to_settings(read(row.name, settings, person, row.settings))
    if enabled and not row.enabled and stated.get("arrives") == "publish" and not publishes(person):
        raise tk.NotAuthorized(tk._("到达即发布的来源，只能由主管部门设置和修改。"))
    schedule, now = stated.get("schedule", ""), cases.now()
    values: dict[str, Any] = {"settings": stated, "enabled": enabled, "changed_at": now, "changed_by": person.id}
    if stated != row.settings:
        values["validators"] = {}
    if not enabled:
        values["next_run_at"] = None
    elif not row.enabled or schedule != row.settings.get("schedule", ""):
        values["next_run_at"] = next_run(schedule, now)
    model.Session.execute(update(harvest_source).where(harvest_source.c.name == row.name).values(**values))


def next_run(schedule: str, after: datetime) -> datetime | None:
    """When a schedule (cron's five fields, Beijing time) comes round next; None for none."""
    return croniter(schedule, after.astimezone(SHANGHAI)).get_next(datetime) if schedule else None


def departments() -> dict[str, str]:
    """Full name → slug of the portal's departments."""
    group = model.Group
    query = select(group.title, group.name).where(group.is_organization.is_(True), group.state == "active")
    return {title or name: name for title, name in model.Session.execute(query.order_by(group.name.desc()))}


def folders() -> tuple[Path, ...]:
    """Folders of this machine from which sources may be read (``mulu.harvest_folders``)."""
    return tuple(Path(one) for one in str(tk.config.get("mulu.harvest_folders") or "").split())


def shown(rows: list[Any], person: Person) -> list[dict[str, Any]]:
    """Sources for people: {name, title, …, state, last_run, runs (newest last), records, may}; those in trouble first."""
    names = [row.name for row in rows]
    runs, records, titles = _last_runs(names), _records(names), _titles(rows)
    found = [_shown(row, runs.get(row.name, []), records.get(row.name, {}), titles, person) for row in rows]
    return sorted(found, key=lambda one: (_RANK[one["state"]], one["title"]))


_RANK = {state: n for n, state in enumerate(("failed", "held", "refused", "running", "new", "well", "disabled"))}
"""What a source's state is, the one that needs somebody first. refused: some records are in quarantine."""


def _shown(row: Any, runs: list[Any], records: Mapping[str, int], titles: Mapping[str, str], person: Person) -> dict[str, Any]:
    settings = row.settings if manages(person) else hide_in(row.settings)
    counted = {state: records.get(state, 0) for state in ("in", "removed", "quarantined")}
    return {
        "name": row.name,
        "title": settings.get("title", row.name),
        "publisher": settings.get("publisher", ""),
        "reader": settings.get("reader", ""),
        "url": settings.get("url", ""),
        "organization": settings.get("organization", ""),
        "organization_title": titles.get(settings.get("organization", ""), ""),
        "arrives": settings.get("arrives", "draft"),
        "schedule": settings.get("schedule", ""),
        "settings": settings,
        "enabled": row.enabled,
        "state": _state(row, runs, counted),
        "records": counted,
        "runs": [_brief(run) for run in runs],
        "last_run": _brief(runs[-1]) if runs else None,
        **{key: _iso(getattr(row, key)) for key in ("next_run_at", "succeeded_at", "content_changed_at", "created_at", "changed_at")},
        "changed_by": row.changed_by,
        "may": {"manage": manages(person), "publish": publishes(person), "change": manages(person) and (settings.get("arrives") != "publish" or publishes(person))},
    }


def _state(row: Any, runs: list[Any], records: Mapping[str, int]) -> str:
    """In one word; what runs now says nothing of how the source is, so that the run before counts."""
    over = [run for run in runs if run.state not in ("waiting", "running", "stopped")]
    if not row.enabled:
        return "disabled"
    if any(run.state == "held" for run in runs):
        return "held"
    if over and over[-1].state == "failed":
        return "failed"
    if len(runs) > len(over) and runs[-1].state in ("waiting", "running"):
        return "running"
    if not over:
        return "new"
    return "refused" if records["quarantined"] else "well"


def _last_runs(names: list[str]) -> dict[str, list[Any]]:
    """The last real runs of each source, the newest last."""
    number = func.row_number().over(partition_by=harvest_run.c.source, order_by=(harvest_run.c.asked_at.desc(), harvest_run.c.id)).label("n")
    columns = [harvest_run.c[key] for key in ("id", "source", "state", "asked_at", "started_at", "finished_at", "counts", "seconds", "error")]
    ranked = select(*columns, number).where(harvest_run.c.source.in_(names), harvest_run.c.dry_run.is_(False)).subquery()
    found: dict[str, list[Any]] = {}
    for run in model.Session.execute(select(ranked).where(ranked.c.n <= CHART).order_by(ranked.c.source, ranked.c.n.desc())):
        found.setdefault(run.source, []).append(run)
    return found


def _records(names: list[str]) -> dict[str, dict[str, int]]:
    query = select(harvest_record.c.source, harvest_record.c.state, func.count()).where(harvest_record.c.source.in_(names))
    found: dict[str, dict[str, int]] = {}
    for source, state, count in model.Session.execute(query.group_by(harvest_record.c.source, harvest_record.c.state)):
        found.setdefault(source, {})[state] = count
    return found


def _titles(rows: list[Any]) -> dict[str, str]:
    wanted = {row.settings["organization"] for row in rows if row.settings.get("organization")}
    query = select(model.Group.name, model.Group.title).where(model.Group.name.in_(wanted))
    return {name: title or name for name, title in model.Session.execute(query)}


def _brief(run: Any) -> dict[str, Any]:
    """A run in a chart."""
    return {
        "id": run.id, "state": run.state, "counts": run.counts, "seconds": run.seconds, "error": run.error, "asked_at": _iso(run.asked_at),
        "finished_at": _iso(run.finished_at),
    }  # fmt: skip


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
