"""Sources that are harvested and their runs: who manages them, what a run is about to do and did, what is in quarantine."""

from __future__ import annotations

from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk
from sqlalchemy import select

from ckanext.mulu import roles
from ckanext.mulu.harvest import runs, sources
from ckanext.mulu.logic import schema
from ckanext.mulu.model.tables import harvest_source
from ckanext.mulu.transaction import transaction
from mulu.people import Person

Context = dict[str, Any]
MOST = 500


@tk.side_effect_free
def mulu_harvest_source_list(context: Context, data: dict[str, Any]) -> list[dict[str, Any]]:
    """The sources that this person may see, those in trouble first.

    :returns: as ``mulu_harvest_source_show``
    """
    tk.check_access("mulu_harvest_source_list", context, data)
    person = roles.person(context)
    rows = model.Session.execute(select(harvest_source).where(sources.visible(person))).all()
    return sources.shown(list(rows), person)


@tk.side_effect_free
@tk.validate_action_data(schema.harvest_name)
def mulu_harvest_source_show(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """A source with its settings, its last 20 real runs and how many records it has.

    :param name: of the source
    :returns: ``{name, title, reader, url, organization, schedule, arrives, enabled, state, settings, records: {in, removed, quarantined},
        runs, last_run, next_run_at, succeeded_at, content_changed_at, may: {manage, publish, change}, …}``; state is failed, held,
        refused (some records are in quarantine), running, new, well or disabled
    """
    tk.check_access("mulu_harvest_source_show", context, data)
    return _shown(data["name"], roles.person(context))


@tk.validate_action_data(schema.harvest_source)
def mulu_harvest_source_create(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """Add a source. ``arrives: publish`` is the authority's to say.

    :param name: lower-case letters, digits, - and _
    :param settings: as a ``source.yml`` (harvesters/sources/README.md); all problems come at once, by key
    :returns: as ``mulu_harvest_source_show``
    """
    tk.check_access("mulu_harvest_source_create", context, data)
    person = roles.person(context)
    with transaction(context):
        sources.create(data["name"], data.get("settings") or {}, person)
    return _shown(data["name"], person)


@tk.validate_action_data(schema.harvest_source)
def mulu_harvest_source_update(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """Other settings for a source, whole, or on and off.

    :param name: of the source
    :param settings: all settings; left out: as they are
    :param enabled: whether it runs; left out: as it is
    :returns: as ``mulu_harvest_source_show``
    """
    tk.check_access("mulu_harvest_source_update", context, data)
    person = roles.person(context)
    with transaction(context) as touched:
        row = sources.get(data["name"], person, lock=True)
        enabled = data.get("enabled", row.enabled)
        sources.change(row, data.get("settings"), enabled, person)
        if not enabled:
            runs.close(row, person, touched)
    return _shown(data["name"], person)


@tk.validate_action_data(schema.harvest_name)
def mulu_harvest_source_delete(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """Disable a source: nothing is fetched any more. Its entries, its runs and its records stay; it can be enabled again.

    :param name: of the source
    :returns: as ``mulu_harvest_source_show``
    """
    tk.check_access("mulu_harvest_source_delete", context, data)
    person = roles.person(context)
    with transaction(context) as touched:
        row = sources.get(data["name"], person, lock=True)
        sources.change(row, None, False, person)
        runs.close(row, person, touched)
    return _shown(data["name"], person)


@tk.validate_action_data(schema.harvest_name)
def mulu_harvest_run_create(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """Ask for a run, which the worker takes up within seconds. A real run takes the place of one that is held.

    :param name: of the source; refused while one of its runs waits or runs
    :param dry_run: only say what would be added, changed, removed and refused
    :returns: as ``mulu_harvest_run_show``
    """
    tk.check_access("mulu_harvest_run_create", context, data)
    person = roles.person(context)
    with transaction(context) as touched:
        run_id = runs.ask(sources.get(data["name"], person), person, touched, dry_run=bool(data.get("dry_run")))
    return runs.shown(runs.get(run_id, person))


@tk.side_effect_free
@tk.validate_action_data(schema.harvest_name)
def mulu_harvest_run_list(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """The runs of a source, the newest first.

    :param name: of the source; ``real``: without dry runs; ``limit`` (20), ``offset``
    :returns: ``{count, results}``, as ``mulu_harvest_run_show`` without ``kinds``
    """
    tk.check_access("mulu_harvest_run_list", context, data)
    source = sources.get(data["name"], roles.person(context))
    count, found = runs.listed(source.name, *_page(data), dry=not data.get("real"))
    return {"count": count, "results": found}


@tk.side_effect_free
@tk.validate_action_data(schema.by_id)
def mulu_harvest_run_show(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """A run: its state, what it counted, how long it took, why it is held, what was wrong with the source.

    :param id: of the run
    :returns: ``{id, source, state, dry_run, phase, counts, seconds, reasons, problems, error, case_id, kinds, …}``; kinds: how many
        steps of each kind, and how many hold it
    """
    tk.check_access("mulu_harvest_run_show", context, data)
    return _run(data["id"], roles.person(context))


@tk.validate_action_data(schema.by_id)
def mulu_harvest_run_stop(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """Stop a run that waits or runs. What it has loaded stays; the next run goes on from there.

    :param id: of the run
    :returns: as ``mulu_harvest_run_show``
    """
    tk.check_access("mulu_harvest_run_stop", context, data)
    person = roles.person(context)
    with transaction(context):
        runs.stop(runs.get(data["id"], person))
    return _run(data["id"], person)


@tk.side_effect_free
@tk.validate_action_data(schema.harvest_steps)
def mulu_harvest_step_list(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """What a run would do or did, entry by entry, with what differs by field; a department's people see their own entries.

    :param run: its id; ``kind``: add, change, remove, restore or refuse; ``state``: planned, done or refused; ``held``: only those for
        which it waits; ``limit`` (20), ``offset``
    :returns: ``{count, results: [{source_id, kind, state, title, provider, package_id, case_id, where, changes, problems, reasons}]}``;
        a change is ``{field, label, before, after, local}``
    """
    tk.check_access("mulu_harvest_step_list", context, data)
    person = roles.person(context)
    run = runs.get(data["run"], person)
    wanted = {"kind": data.get("kind") or "", "state": data.get("state") or "", "held": bool(data.get("held"))}
    count, found = runs.steps(run.id, person, *_page(data), **wanted)
    return {"count": count, "results": found}


@tk.side_effect_free
@tk.validate_action_data(schema.harvest_name)
def mulu_harvest_problem_list(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """A source's records in quarantine, with what is wrong and where in the source; each run tries them again. A
    department's people see their own entries.

    :param name: of the source; ``limit`` (20), ``offset``
    :returns: ``{count, results: [{source_id, title, where, problems, tries, first_seen_at, changed_at}]}``
    """
    tk.check_access("mulu_harvest_problem_list", context, data)
    person = roles.person(context)
    source = sources.get(data["name"], person)
    count, found = runs.problems(source.name, person, *_page(data))
    return {"count": count, "results": found}


@tk.validate_action_data(schema.harvest_source)
def mulu_harvest_preview(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """The first 20 entries of a source as they would come, with their problems. Nothing is written; it ends within 20 seconds.

    :param name: as the source is or would be called
    :param settings: as a ``source.yml``
    :returns: ``{entries: [{where, id, title, provider, provider_known, facts, problems}], total, repeated, problems, seconds, whole}``
    """
    from ckanext.mulu.harvest import preview  # loads the readers, which nothing else of the web application needs

    tk.check_access("mulu_harvest_preview", context, data)
    person = roles.person(context)
    source = sources.tried(data["name"], data.get("settings") or {}, person)
    return preview.first(source)


def _shown(name: str, person: Person) -> dict[str, Any]:
    [found] = sources.shown([sources.get(name, person)], person)
    return found


def _run(run_id: str, person: Person) -> dict[str, Any]:
    row = runs.get(run_id, person)
    return runs.shown(row) | {"kinds": runs.kinds(run_id)}


def _page(data: dict[str, Any]) -> tuple[int, int]:
    limit = 20 if data.get("limit") is None else data["limit"]
    return min(limit, MOST), data.get("offset") or 0
