"""Datasets as the index holds them, many at once: CKAN's own dictizing, schemas and hooks, with a few queries for all of them
and one request to Solr. What CKAN makes one by one is the same, word for word.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import FunctionType
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import pysolr
from ckan import model
from ckan.config import middleware
from ckan.lib import search
from ckan.lib.dictization import table_dictize
from ckan.lib.dictization.model_dictize import package_dictize, resource_dictize
from ckan.lib.plugins import lookup_package_plugin, plugin_validate
from ckan.lib.search import index as ckan_index
from ckan.lib.search.common import SearchIndexError, make_connection
from ckan.logic import apply_after_dataset_show_plugins
from ckan.logic.schema import default_show_package_schema
from flask import has_app_context
from flask_babel import force_locale
from sqlalchemy import select, union

from mulu.entry import FIELDS, ITEM_FIELD

log = logging.getLogger(__name__)

EXTRAS = frozenset(field.key for field in FIELDS if field.key not in ("title", "name", "notes", "license_id", "provider", "resources"))
TEXTS = frozenset(field.key for field in FIELDS if field.kind not in ("list", "choices", "items", "review", "source"))
COLUMNS = frozenset({"title", "name", "notes", "license_id", "owner_org"})
ITEM_KEYS = ITEM_FIELD.keys()
NEVER_NULL = frozenset({"url", "format", "hash", "created"})
"""Keys of a resource that CKAN leaves out where they are null."""
SHOWN_RESOURCE = frozenset({"url", "name", "description", "format"})
"""Those that the portal's schema leaves out as well."""
PAGE = 100
"""Datasets that are read, and sent to Solr, at once."""
Both = tuple[dict[str, Any], dict[str, Any]]


def update(package_ids: Sequence[str]) -> set[str]:
    """Bring the index up to date for these datasets, with one commit of Solr for all: those that are gone are taken out.

    :returns: ids of those whose document Solr refuses
    :raises SearchIndexError: Solr is away
    """
    refused: set[str] = set()
    for start in range(0, len(package_ids), PAGE):
        page = list(package_ids[start : start + PAGE])
        found = [one for one in packages_of(page) if one.state != "deleted"]
        gone = set(page) - {one.id for one in found}
        with _own_language():
            made = [document(both) for both in shown(found)]
        try:
            solr = make_connection()
            if gone:
                solr.delete(q=f'+site_id:"{tk.config["ckan.site_id"]}" +id:({" ".join(json.dumps(one) for one in sorted(gone))})', commit=False)
            if made:
                refused |= _send(solr, made)
        except (pysolr.SolrError, OSError) as error:
            raise SearchIndexError(f"Solr: {error}") from error
    if package_ids:
        search.commit()
    return refused


@contextmanager
def _own_language() -> Iterator[None]:
    """Labels in a document are in the portal's language, whoever's request or which program of ours writes it."""
    with ExitStack() as stack:
        if not has_app_context() and middleware._internal_test_request_context:
            stack.enter_context(middleware._internal_test_request_context.app.app_context())  # CKAN's app; there is one in all its programs
        stack.enter_context(force_locale(tk.config["ckan.locale_default"]))
        yield


def _send(solr: pysolr.Solr, documents: list[dict[str, Any]]) -> set[str]:
    """Add them at once; where Solr refuses, one by one, so that a bad one keeps nobody else out."""
    try:
        solr.add(documents, commit=False)
        return set()
    except pysolr.SolrError:
        solr.ping()  # raises where it is not the documents
    refused = set()
    for one in documents:
        try:
            solr.add([one], commit=False)
        except pysolr.SolrError:
            log.exception("Solr refuses %s", one["id"])
            refused.add(one["id"])
    return refused


def shown(packages: Sequence[Any]) -> Iterator[Both]:
    """(with CKAN's schema, with the portal's) of each dataset, as ``package_show_default_and_custom_schemas`` gives them."""
    context: Any = {"model": model, "session": model.Session, "ignore_auth": True, "use_cache": False, "validate": False}
    plugins, of_resources = list(p.PluginImplementations(p.IPackageController)), list(p.PluginImplementations(p.IResourceController))
    for package, made in zip(packages, dictized(packages), strict=True):
        for item in plugins:
            item.read(package)
        for item in of_resources:
            for resource in made["resources"]:
                item.before_resource_show(resource)
        given = dict(context, package=package)
        with_default, with_custom = _entry_shown(made) or _validated(made, given)
        apply_after_dataset_show_plugins(given, with_custom)
        yield with_default, with_custom


def _validated(made: dict[str, Any], context: Any) -> Both:
    """By CKAN's validation: right for every dataset, and half the time of writing one."""
    with_default, _ = plugin_validate(object(), context, made, default_show_package_schema(), "package_show")  # type: ignore[arg-type]
    plugin = lookup_package_plugin(made["type"])
    with_custom, _ = plugin_validate(plugin, context, made, plugin.show_package_schema(), "package_show")
    return with_default, with_custom


def _entry_shown(made: dict[str, Any]) -> Both | None:
    """An entry as it was stored by the portal, of which CKAN's validation would only unpack the fields; None for any other dataset."""
    extras = {one["key"]: one["value"] for one in made["extras"]}
    items = json.loads(extras.get("items") or "[]")
    plain = all(isinstance(one, dict) and one.keys() <= ITEM_KEYS and None not in one.values() for one in items)
    if made["type"] != "dataset" or not made["title"] or not plain or extras.keys() - EXTRAS or "" in extras.values() or made["tags"] or made["groups"]:
        return None
    fields = {key: value if key in TEXTS else json.loads(value) for key, value in extras.items()}
    resources = [{key: value for key, value in one.items() if value is not None or key not in NEVER_NULL} for one in made["resources"]]
    for one in resources:
        one["format"] = tk.get_validator("clean_format")(one["format"]) if "format" in one else None
    own = [{key: value for key, value in one.items() if value is not None or key not in SHOWN_RESOURCE} for one in resources]
    custom = {key: value for key, value in made.items() if key != "extras" and (value is not None or key not in COLUMNS)}
    return {**made, "resources": resources}, {**custom, **fields, "resources": own}


def dictized(packages: Sequence[Any]) -> list[dict[str, Any]]:
    """Each dataset as ``package_dictize`` gives it. One with tags, groups or relations, which entries do not have, is left to CKAN."""
    ids = [one.id for one in packages]
    context: Any = {"model": model, "session": model.Session}
    resources, related = resources_of(ids), _related(ids)
    organisations: dict[str, Any] = {}
    found = []
    for package in packages:
        if package.id in related:
            found.append(package_dictize(package, context))
            continue
        if package.owner_org not in organisations:
            organisations[package.owner_org] = _organisation(package.owner_org)
        found.append(_plain(package, resources.get(package.id, []), organisations[package.owner_org]))
    return found


def resources_of(package_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The active resources of each dataset in their order, as CKAN shows them."""
    table = model.resource_table
    query = select(table).where(table.c.package_id.in_(package_ids), table.c.state == "active").order_by(table.c.position)
    context: Any = {"model": model, "session": model.Session}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in model.Session.execute(query):
        found.setdefault(row.package_id, []).append(resource_dictize(row, context))
    return found


def _plain(package: Any, resources: list[dict[str, Any]], organisation: dict[str, Any] | None) -> dict[str, Any]:
    made = table_dictize(package, {})
    made["title"] = made["title"].strip() if made["title"] else made["title"]
    made.pop("plugin_data")
    made["extras"] = [{"key": key, "value": value} for key, value in (made["extras"] or {}).items()]
    licence = package.license
    return made | {
        "resources": resources, "num_resources": len(resources), "tags": [], "num_tags": 0, "groups": [],
        "organization": dict(organisation) if organisation else None,
        "relationships_as_subject": [], "relationships_as_object": [],
        "isopen": bool(licence and licence.isopen()), "type": package.type or "dataset",
        **({"license_url": licence.url} if licence and licence.url else {}),
        "license_title": licence.title.split("::")[-1] if licence and licence.url else licence.title if licence else package.license_id,
        "metadata_modified": package.metadata_modified.isoformat(),
        "metadata_created": package.metadata_created.isoformat() if package.metadata_created else None,
    }  # fmt: skip


def _organisation(id: str | None) -> dict[str, Any] | None:
    group = model.Session.get(model.Group, id) if id else None
    if group is None or group.state != "active":
        return None
    made = table_dictize(group, {})
    del made["extras"]
    return made


def _related(ids: Sequence[str]) -> set[str]:
    """Those with something that is not a plain dataset's own."""
    tag, member, group, relation = model.package_tag_table, model.member_table, model.group_table, model.package_relationship_table
    grouped = select(member.c.table_id).join(group, group.c.id == member.c.group_id)
    query = union(
        select(tag.c.package_id).where(tag.c.package_id.in_(ids)),
        grouped.where(member.c.table_id.in_(ids), member.c.state == "active", group.c.is_organization.is_(False)),
        select(relation.c.subject_package_id).where(relation.c.subject_package_id.in_(ids)),
        select(relation.c.object_package_id).where(relation.c.object_package_id.in_(ids)),
    )
    return set(model.Session.execute(query).scalars())


def document(both: Both) -> dict[str, Any]:
    """What CKAN would send to Solr for a dataset, the plugins' hooks and the permission labels included."""
    kept = _Kept()
    _index_package(kept)(search.index_for("Package"), dict(both[0], with_custom_schema=both[1]), True)
    return kept.documents[0]


class _Kept:
    """Stands where CKAN has its connection to Solr and keeps what would be sent."""

    url = ""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []

    def add(self, docs: list[dict[str, Any]], commit: bool) -> None:
        self.documents += docs


def _index_package(kept: _Kept) -> Callable[..., None]:
    """CKAN's function that makes a document and sends it at once, with another connection: it offers no way to have the one
    without the other, and a copy of its hundred lines would not follow CKAN."""
    names = {**vars(ckan_index), "make_connection": lambda: kept}
    original = ckan_index.PackageSearchIndex.index_package
    return FunctionType(original.__code__, names, original.__name__, original.__defaults__, original.__closure__)


def packages_of(ids: Sequence[str]) -> list[Any]:
    """The datasets as they are stored, whatever this session remembers of them. What it has not flushed is lost."""
    query = select(model.Package).where(model.Package.id.in_(ids))
    return list(model.Session.execute(query.execution_options(populate_existing=True)).scalars())
