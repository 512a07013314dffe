"""The published catalogue as DCAT and as data.json: the public site's own descriptions (``mulu_site.dcat``), served by the portal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import ckan.plugins.toolkit as tk
from rdflib import Graph

from ckanext.mulu import entries
from ckanext.mulu.feeds import published
from ckanext.mulu.feeds.published import Published
from mulu_site import dcat, machine
from mulu_site.place import Site
from mulu_site.row import row_of
from mulu_site.text import slug

PAGE = 100
TYPES = {"ttl": "text/turtle", "jsonld": "application/ld+json", "xml": "application/rdf+xml", "rdf": "application/rdf+xml"}
_PAGES_HERE = {"entry": "dataset", "browse/department": "organization"}


@dataclass(frozen=True)
class Place(Site):
    """The public site; where there is none, the portal's own pages stand for its."""

    def url(self, path: str) -> str:
        if self.site_url:
            return super().url(path)
        folder, _, name = path.strip("/").rpartition("/")
        return f"{self.portal_url}/{_PAGES_HERE[folder]}/{name}" if folder in _PAGES_HERE else f"{self.portal_url}/{path}"

    def page(self, name: str) -> str:
        """Of an entry."""
        return self.url(f"entry/{slug(name)}/")


def site() -> Place:
    profile = entries.profile()
    return Place(
        title=f"{profile.name}政务数据目录", place=profile.name, profile=profile.id, rules=profile.version,
        authority=profile.authority_name, regulation=profile.regulation, portal_url=tk.config["ckan.site_url"].rstrip("/"),
        site_url=tk.config["mulu.site_url"].rstrip("/"), demo=False, demo_sources=(), imprint=profile.imprint,
    )  # fmt: skip


def data_json() -> Iterator[bytes]:
    """The whole catalogue after DCAT-US 1.1, in pieces."""
    place = site()
    return machine.data_json(place, ((line, row_of(line)) for line in map(_line, published.whole())))


def dataset(name_or_id: str, form: str) -> bytes | None:
    """One entry as a dcat:Dataset; None where the public sees no such entry."""
    one = published.one(name_or_id)
    return written([_node(one, site())], form) if one else None


def page(number: int, after: str, form: str) -> bytes | None:
    """One page of the catalogue; None where there is no such page.

    after: the last name of the page before. Who follows ``hydra:next`` goes on there, and loses nothing when entries come and go;
    a page asked for by its number alone is counted off.
    """
    place, total = site(), published.count()
    pages = max(1, -(-total // PAGE))
    if number > pages and not after:
        return None
    found, last = published.by_name(after, PAGE, 0 if after else (number - 1) * PAGE)

    def address(page: int) -> str:
        following = f"&after={last}" if page == number + 1 else ""
        return f"{place.portal_url}/catalog.{form}?page={page}{following}"

    nodes = dcat.catalogue_page(place, number, pages, total, (_node(one, place) for one in found), address=address)
    return written(nodes, form)


def written(nodes: Iterable[dcat.Node], form: str) -> bytes:
    if form == "jsonld":
        return dcat.json_ld(nodes)
    turtle = dcat.turtle(nodes)
    return turtle if form == "ttl" else Graph().parse(data=turtle, format="turtle").serialize(format="pretty-xml", encoding="utf-8")


def _node(one: Published, place: Place) -> dcat.Node:
    line = _line(one)
    return dcat.dataset(line, row_of(line), place)


def _line(one: Published) -> dict[str, Any]:
    """The entry as a line of the snapshot, as far as these descriptions ask."""
    published_at = one.published_at.isoformat(timespec="seconds")
    return {**one.entry, "id": one.id, "name": one.name, "provider_title": one.provider_title, "version": one.version, "published_at": published_at}
