"""New entries, many at once: the rows that ``package_create`` would leave, a review opened for each, all with a few statements.

What differs from an entry made through the API: ids and times; who made it (nobody, and ``system`` in the case instead of a
person); CKAN's activity, which is not written. A test compares all the rest, row by row and in the index.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib.datapreview import get_default_view_plugins
from sqlalchemy import insert, select

from ckanext.mulu import cases, documents, effects, entries, identities, steps, stored
from ckanext.mulu.facts import Facts
from ckanext.mulu.logic import refusal
from ckanext.mulu.model import history
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.model.tables import case_event, entry_version, outbox
from ckanext.mulu.transaction import Touched
from mulu import resource_code
from mulu.case import Case, Outcome, apply, load_procedure, open_case
from mulu.entry import Entry
from mulu.errors import Problem, Refused, errors_of
from mulu.people import SYSTEM

REVIEW = "catalogue_review"
NAME = 100
"""Characters of a name in CKAN."""


@dataclass
class New:
    """One entry on its way in. entry: typed, then with its code; steps: what its case has been through."""

    key: str
    entry: dict[str, Any]
    department: Any
    package_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    name: str = ""
    problems: list[Problem] = field(default_factory=list)
    told: tuple[Problem, ...] = ()
    steps: list[Outcome] = field(default_factory=list)

    @property
    def case(self) -> Case:
        return self.steps[-1].case

    @property
    def published(self) -> bool:
        return any(effect.name == "publish_entry" for step in self.steps for effect in step.effects)


def typed(given: dict[str, Any], source: str, source_id: str) -> dict[str, Any]:
    """What can be kept of an entry, in wire form, with where it comes from; names and resources' ids of elsewhere are none of ours."""
    entry = Entry.from_dict({**given, "name": ""}).to_dict()
    known = entry.get("source") or {}
    entry["source"] = dict(sorted({**known, "name": known.get("name") or source, "id": known.get("id") or source_id}.items()))
    return entry


def stops(given: dict[str, Any], entry: dict[str, Any], department: Any) -> list[Problem]:
    """What keeps an entry out even as a draft. department: as ``department_of`` gives it."""
    found = [*refusal.unstorable(given), *stored.unfit(entry)]
    if not entry.get("title"):
        found.append(Problem("title", "required", "没有信息资源名称，无法入库"))
    if department is None:
        found.append(Problem("provider", "no_such_department", f"没有名为“{entry.get('provider', '')}”的部门", entry.get("provider")))
    return found


def department_of(name: str) -> Any:
    """The organisation that provides entries under this name, None where there is none."""
    found = entries.organisation(name)
    return found if found is not None and found.is_organization and found.state == "active" else None


def create(rows: Sequence[New], arrives: str, title: str, touched: Touched) -> None:
    """Put in all rows without ``problems``; those that cannot go in get theirs. The caller holds the lock of imports.

    :param arrives: draft, submit or publish, where an entry has no error; title: of the source
    """
    _give_codes([row for row in rows if not row.problems])
    _give_names([row for row in rows if not row.problems])
    fit = [row for row in rows if not row.problems]
    if not fit:
        return
    _open_cases(fit, arrives, title)
    _store_packages(fit)
    _store_cases(fit)
    published = [row for row in fit if row.published]
    as_stored = {row.package_id: row.entry for row in fit} | _publish(published)
    identities.register_all(as_stored)
    for row in fit:
        touched.add(row.package_id)


def _give_codes(rows: list[New]) -> None:
    """Codes in the order of the rows, as if they had come one after another."""
    own = [code for row in rows if (code := row.entry.get("resource_code"))]
    given_here = {identities.first_code(row.entry).prefix for row in rows if not row.entry.get("resource_code")}
    identities.alone(*own, *given_here)
    taken, last = identities.taken_of(dict.fromkeys(own, "")), identities.last_numbers(given_here)
    borne: dict[str, str] = {}
    for row in rows:
        code = row.entry.get("resource_code")
        if not code:
            first = identities.first_code(row.entry)
            last[first.prefix] = last.get(first.prefix, 0) + 1
            code = row.entry["resource_code"] = str(first.numbered(last[first.prefix]))
        elif problem := taken.get(code) or (identities.taken_by(code, f"《{borne[code]}》") if code in borne else None):
            row.problems.append(problem)
            continue
        elif parsed := resource_code.parse(code):
            last[parsed.prefix] = max(last.get(parsed.prefix, 0), int(parsed.sequence))
        borne[code] = row.entry["title"]


def _give_names(rows: list[New]) -> None:
    for row in rows:
        row.name = identities.name_of(row.entry)
    package = model.package_table.c
    used = set(model.Session.execute(select(package.name).where(package.name.in_([row.name for row in rows]))).scalars())
    for row in rows:
        if row.name in used or len(row.name) > NAME:
            code = row.entry["resource_code"]
            row.problems.append(Problem("resource_code", "code_taken", f"信息资源代码“{code}”不能用作网址标识，或者已被使用", code, resource_code.ARTICLE))
        used.add(row.name)


def _open_cases(rows: list[New], arrives: str, title: str) -> None:
    procedure, place, calendar, now = load_procedure(REVIEW), entries.profile(), entries.calendar(), cases.now()
    steps.keep_rules(procedure, place)
    for row in rows:
        subject = {"type": "entry", "id": row.package_id, "org": row.department.name, "title": row.entry["title"]}
        opened = open_case(
            procedure, place, calendar, id=str(uuid.uuid4()), subject=subject, actor=SYSTEM, data={"kind": "new"}, now=now,
            facts=Facts(REVIEW, subject, {"kind": "new"}, place, row.entry),
        )  # fmt: skip
        row.steps = [opened]
        if arrives == "draft" or errors_of(row.told):
            continue
        event, data = next_step(arrives, title)
        facts = Facts(REVIEW, subject, {**opened.case.data, **data}, place, row.entry, opened.case.authors)
        try:
            row.steps.append(apply(procedure, place, calendar, opened.case, event, SYSTEM, data, now, facts=facts))
        except Refused:
            continue  # it has errors that its reader did not tell: it stays a draft, which shows them


def next_step(arrives: str, title: str) -> tuple[str, dict[str, Any]]:
    """The event by which the system hands an entry on, and what it fills in."""
    if arrives == "submit":
        return "submit", {}
    return "adopt", {"reason": f"来源“{title}”中的条目已在来源地审核发布，按主管部门对这一来源的决定采认", "from_source": title}


def _store_packages(rows: list[New]) -> None:
    packages, others = [], []
    for row in rows:
        if row.published:
            row.entry["published_on"] = row.case.updated_at.date().isoformat()
        values = stored.columns(row.entry)
        packages.append(
            model.Package(
                id=row.package_id, name=row.name, type="dataset", private=not row.published, state="active",
                owner_org=row.department.id, **values,
            )
        )  # fmt: skip
        others.append(model.Member(table_id=row.package_id, table_name="package", group=row.department, group_id=row.department.id, capacity="organization", state="active"))
        packages[-1].resources_all[:] = [model.Resource(**stored.resource_columns(one)) for one in row.entry.get("resources", ())]
    model.Session.add_all(packages)
    model.Session.flush()
    model.Session.add_all(others)
    model.Session.flush()
    _tell_plugins(rows, packages)


def _tell_plugins(rows: Iterable[New], packages: list[Any]) -> None:
    """The hooks that ``package_create`` calls, and the views that it makes where the portal has any."""
    context: Any = {"model": model, "session": model.Session, "user": "", "ignore_auth": True, "defer_commit": True}
    views = get_default_view_plugins()
    for row, package in zip(rows, packages, strict=True):
        data = entries.to_package(row.entry) | {"id": row.package_id, "name": row.name, "owner_org": package.owner_org}
        for plugin in p.PluginImplementations(p.IPackageController):
            plugin.create(package)
            plugin.after_dataset_create(context, data)
        if views and row.entry.get("resources"):
            made = documents.resources_of([row.package_id])[row.package_id]
            tk.get_action("package_create_default_resource_views")(dict(context), {"package": {**data, "resources": made}})


def _store_cases(rows: list[New]) -> None:
    procedure = load_procedure(REVIEW)
    model.Session.execute(insert(case_table), [steps.row_of(procedure, row.case) for row in rows])
    events, notices = [], []
    for row in rows:
        previous = history.START
        for step in row.steps:
            events.append(history.row(row.case.id, step.event.seq, step.event.at, step.event.to_dict(), previous))
            previous = events[-1]["hash"]
            notices += steps.notices_of(step)
    model.Session.execute(insert(case_event), events)
    if notices:
        model.Session.execute(insert(outbox), notices)


def _publish(rows: list[New]) -> dict[str, dict[str, Any]]:
    """The first versions; gives the entries as they stand in CKAN now."""
    if not rows:
        return {}
    packages = {row.package_id: model.Session.get(model.Package, row.package_id) for row in rows}
    resources = documents.resources_of(list(packages))
    versions, found = [], {}
    for row in rows:
        entry = stored.entry_of(packages[row.package_id], resources.get(row.package_id, []), row.department.name)
        found[row.package_id] = entry
        values = {"package_id": row.package_id, "version": 1, "case_id": row.case.id, "summary": effects.summary(None, entry), "withdrawn": False}
        versions.append({**values, "entry": effects.decided(entry, row.steps[-1].event), "published_at": row.case.updated_at})
    model.Session.execute(insert(entry_version), versions)
    return found
