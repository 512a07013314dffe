"""The bulk way into the catalogue: many entries in one transaction, indexed once, the same as made one by one through CKAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from ckanext.mulu import cases, documents, entries, identities, stored
from ckanext.mulu.harvest import archive, bulk, change, leases
from ckanext.mulu.harvest.leases import Lease
from ckanext.mulu.harvest.tasks import Done, Kind, Policy, Result, Task
from ckanext.mulu.logic import refusal
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.transaction import Touched, transaction
from mulu.case import Case
from mulu.errors import Problem, Refused

__all__ = ["Done", "Kind", "Policy", "Result", "Task", "apply", "current"]

UNFIT = ("22", "23", "54")
"""Classes of PostgreSQL's errors that are of the data: a value, a constraint, a limit."""


def apply(tasks: Sequence[Task], policy: Policy, lease: Lease | None = None) -> list[Done]:
    """Write all tasks in one transaction as the system, then index them with one commit of Solr; answers in the tasks' order.

    A task that a rule refuses is refused by itself; the others go in. What PostgreSQL itself will not hold is looked for by halves,
    each a transaction of its own, and refused as well. Anything else (PostgreSQL gone) raises and nothing is written. Applied twice,
    a task changes nothing the second time: an entry is known by its source's name and id. An index that is away stops nothing.

    lease: of the run for which it is done; :raises Interrupted: the run is another worker's by now, and nothing is written.
    """
    if not tasks:
        return []
    try:
        return _applied(tasks, policy, lease)
    except DBAPIError as error:
        if error.connection_invalidated or not str(getattr(error.orig, "pgcode", "") or "").startswith(UNFIT):
            raise
        if len(tasks) == 1:
            message = f"数据库不能保存这一条目：{str(error.orig).splitlines()[0][:200]}"
            return [Done(tasks[0].key, "refused", tasks[0].package_id, problems=(Problem("", "not_storable", message),))]
        half = len(tasks) // 2
        return apply(tasks[:half], policy, lease) + apply(tasks[half:], policy, lease)


def _applied(tasks: Sequence[Task], policy: Policy, lease: Lease | None) -> list[Done]:
    refused: dict[int, tuple[Problem, ...]] = {}
    while True:
        try:
            with transaction({}) as touched:
                identities.alone("import")  # imports and other runs: the second finds what the first brought
                if lease:
                    leases.require(lease)
                run = _Run(tasks, policy, touched)
                for number, task in enumerate(tasks):
                    run.take(number, task, refused.get(number, ()))
                run.create()
            return [run.done[number] for number in range(len(tasks))]
        except _Undone as undone:
            refused[undone.number] = undone.problems


class _Undone(Exception):
    """CKAN's own schema refused an entry and rolled the whole transaction back: once more, without that entry."""

    def __init__(self, number: int, problems: tuple[Problem, ...]) -> None:
        self.number, self.problems = number, problems


class _Run:
    """One call. What is new is gathered and written at the end, all at once; the rest goes one by one."""

    def __init__(self, tasks: Sequence[Task], policy: Policy, touched: Touched) -> None:
        self.policy, self.touched = policy, touched
        self.entries = {
            number: bulk.typed(task.entry, policy.source, task.key) for number, task in enumerate(tasks) if task.kind != "archive"
        }
        self.known = _known_of([entry["source"] for entry in self.entries.values()])
        self.departments = {name: bulk.department_of(name) for name in {entry.get("provider", "") for entry in self.entries.values()}}
        self.done: dict[int, Done] = {}
        self.new: dict[int, Any] = {}
        self.archived: dict[int, Case | None] = {}
        self.seen: set[tuple[str, str]] = set()

    def take(self, number: int, task: Task, refused: tuple[Problem, ...]) -> None:
        problems = refused or self._stops(number, task)
        if problems:
            self._refuse(number, task, problems)
            return
        package_id = self._package_of(number, task)
        if task.kind != "archive" and not package_id:
            entry = self.entries[number]
            self.new[number] = bulk.New(task.key, entry, self.departments[entry["provider"]], told=task.problems)
            return
        indexed = dict(self.touched.ids)
        try:
            with model.Session.begin_nested():
                self.done[number] = self._archive(task) if task.kind == "archive" else self._known(number, task, package_id)
        except Refused as error:
            self.touched.ids = indexed
            self._refuse(number, task, error.problems)
        except tk.ValidationError as error:
            found = tuple(refusal.problems_of(error))
            if "problems" not in error.error_dict:
                raise _Undone(number, found) from error
            self.touched.ids = indexed
            self._refuse(number, task, found)

    def _stops(self, number: int, task: Task) -> list[Problem]:
        if task.kind == "archive":
            return []
        entry = self.entries[number]
        identity = (entry["source"]["name"], entry["source"]["id"])
        if problems := bulk.stops(task.entry, entry, self.departments[entry.get("provider", "")]):
            return problems
        if identity in self.seen:
            return [Problem("source", "doubled", f"来源中的编号“{identity[1]}”在同一批里出现两次", identity[1])]
        self.seen.add(identity)
        return []

    def _package_of(self, number: int, task: Task) -> str:
        """By its source's own id, whatever the caller remembers."""
        source = self.entries[number]["source"] if number in self.entries else {}
        return self.known.get((source.get("name"), source.get("id")), task.package_id)

    def _known(self, number: int, task: Task, package_id: str) -> Done:
        package, entry = _locked(package_id), self.entries[number]
        if package is None:
            raise Refused([Problem("", "entry_withdrawn", "这一条目已不在目录中，不能由汇聚恢复", package_id)])
        if package.owner_org != self.departments[entry["provider"]].id:
            return self._move(number, task, entry, package)
        back = archive.restore(package, self.policy.title, self.touched) if package.state == "deleted" else None
        published, now = _states([package_id])[package_id]
        done = change.update(task.key, entry, package, now, published, self.policy, self.touched)
        if back and package.private and done.result == "unchanged":
            change.hand_on(back, now, self.policy, self.touched)
        return replace(done, result="restored", case_ids=tuple(dict.fromkeys((back.id, *done.case_ids)))) if back else done

    def _move(self, number: int, task: Task, entry: dict[str, Any], package: Any) -> Done:
        """Another department provides it: each has its own entry, its own reviews and its own code."""
        department = self.departments[entry["provider"]]
        reason = f"来源“{self.policy.title}”中这一条目改由“{department.title or department.name}”提供"
        case = archive.archive(package, reason, self.policy.title, self.touched)
        identities.release(package.id)
        entry.pop("resource_code", None)
        self.new[number] = bulk.New(task.key, entry, department, told=task.problems)
        self.archived[number] = case
        return Done(task.key, "archived", package.id)  # until the new one is made, at the end

    def _archive(self, task: Task) -> Done:
        package = _locked(task.package_id)
        if package is None:
            return Done(task.key, "archived", task.package_id)
        case = archive.archive(package, f"来源“{self.policy.title}”已不再提供这一条目", self.policy.title, self.touched)
        return Done(task.key, "archived", package.id, (case.id,) if case else ())

    def create(self) -> None:
        bulk.create(list(self.new.values()), self.policy.arrives, self.policy.title, self.touched)
        for number, row in self.new.items():
            if row.problems:
                self.done[number] = Done(row.key, "refused", problems=tuple(row.problems))
                continue
            before = self.archived.get(number)
            found = (row.case.id, before.id) if before else (row.case.id,)
            self.done[number] = Done(row.key, "published" if row.published else "created", row.package_id, found)

    def _refuse(self, number: int, task: Task, problems: Sequence[Problem]) -> None:
        self.done[number] = Done(task.key, "refused", task.package_id, problems=tuple(problems))


def _known_of(sources: Sequence[dict[str, str]]) -> dict[tuple[str, str], str]:
    """(source's name, its own id) → the dataset that it is here."""
    by_name: dict[str, list[str]] = {}
    for source in sources:
        by_name.setdefault(source["name"], []).append(source["id"])
    return {(name, id): row.package_id for name, ids in by_name.items() for id, row in identities.of_source(name, ids).items()}


def _locked(package_id: str) -> Any:
    """The dataset as it stands now, whatever this session knew of it, and nobody else's until this transaction ends.

    Its open cases before: that is the order in which a decision takes them.
    """
    running = select(case_table.c.id).where(case_table.c.subject_id == package_id, case_table.c.is_open).order_by(case_table.c.id)
    model.Session.execute(running.with_for_update())
    query = select(model.Package).where(model.Package.id == package_id).with_for_update()
    return model.Session.execute(query.execution_options(populate_existing=True)).scalar()


def current(package_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The entries as they are about to be (what waits for a decision included), in wire form, by id; archived ones too."""
    return {package_id: now for package_id, (_, now) in _states(package_ids).items()}


def _states(package_ids: Sequence[str]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """(as it stands in CKAN, as it is about to be) of each entry, with four queries for all."""
    ids = list(dict.fromkeys(package_ids))
    model.Session.flush()
    packages = documents.packages_of(ids)
    resources, waiting = documents.resources_of(ids), _waiting(ids)
    found = {}
    for package in packages:
        organisation = entries.organisation(package.owner_org)
        entry = stored.entry_of(package, resources.get(package.id, []), organisation.name if organisation else "")
        cases_of = waiting.get(package.id, {})
        found[package.id] = (entry, cases.about_to_be(entry, *(cases_of.get(procedure) for procedure in cases.CHANGES)))
    return found


def _waiting(package_ids: Sequence[str]) -> dict[str, dict[str, Case]]:
    """The open cases that are about to change these entries: entry → procedure → case."""
    table = case_table.c
    query = select(table.body).where(table.subject_id.in_(package_ids), table.is_open, table.procedure.in_(cases.CHANGES))
    found: dict[str, dict[str, Case]] = {}
    for body in model.Session.execute(query).scalars():
        case = Case.from_dict(body)
        found.setdefault(case.subject["id"], {})[case.procedure] = case
    return found
