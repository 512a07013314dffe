"""The engine's catalogue (``mulu_harvest.port.Catalogue``): CKAN's organisations and datasets, written through ``load``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import select, text

from ckanext.mulu import entries, identities
from ckanext.mulu.harvest import leases, load, sources
from ckanext.mulu.harvest.leases import Lease, reaching
from ckanext.mulu.transaction import transaction
from mulu_harvest.port import Done, Task
from mulu_harvest.source import Source

_REFRESH = text(
    "update package set extras = extras || jsonb_build_object('data_updated_on', cast(:now as text)), metadata_modified = timezone('utc', now())"
    " where id = :id and state = 'active' and coalesce(extras ->> 'data_updated_on', '') in (:was, '') returning id"
)


class PortalCatalogue:
    """For one run under one lease; without a lease nobody may take it over. Between two calls it holds no session, so that memory
    stays as it is and no transaction waits open."""

    def __init__(self, source: Source, lease: Lease | None = None) -> None:
        self.source = source
        self.lease = lease
        self.policy = load.Policy(source.name, source.title, source.arrives)
        self.addresses = [f"{address}/" for key in ("ckan.site_url", "mulu.site_url") if (address := str(tk.config[key] or "").rstrip("/"))]

    def departments(self) -> dict[str, str]:
        with _session():
            return sources.departments()

    def make_department(self, slug: str, name: str) -> None:
        with _session():
            if model.Group.by_name(slug) is None:
                context = {"ignore_auth": True, "user": tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]}
                tk.get_action("organization_create")(context, {"name": slug, "title": name})

    def known_code(self, code: str) -> bool:
        with _session():
            return entries.known_code(code)

    def current(self, package_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(package_ids), 500):
            with _session():
                found |= load.current(package_ids[start : start + 500])
        return found

    def left(self, package_ids: Sequence[str]) -> set[str]:
        query = select(model.Package.id).where(model.Package.id.in_(package_ids), model.Package.state == "deleted")
        with _session():
            return set(model.Session.execute(query).scalars())

    def refresh(self, days: Mapping[str, tuple[str, str]]) -> None:
        with _session(), transaction({}) as touched:
            identities.alone("import")
            if self.lease:
                leases.require(self.lease)
            for package_id, (was, now) in days.items():
                if model.Session.execute(_REFRESH, {"id": package_id, "was": was, "now": now}).first():
                    touched.add(package_id)

    def apply(self, tasks: Sequence[Task]) -> list[Done]:
        with _session():
            done = load.apply([load.Task(t.key, t.kind, t.entry, t.package_id, t.problems) for t in tasks], self.policy, self.lease)
            return [Done(one.key, one.result, one.package_id, one.case_ids, one.problems) for one in done]


@contextmanager
def _session() -> Iterator[None]:
    with reaching():
        try:
            yield
        finally:
            model.Session.remove()
