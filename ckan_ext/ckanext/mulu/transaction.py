"""One transaction for state, event, effect and notice; the index only after it holds (a failed commit leaves nothing there)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ckan import model
from ckan.lib import search
from ckan.logic import index_remove_package, index_update_package

from ckanext.mulu.grants import tables


class Touched:
    """The datasets to index once the transaction holds, in the order in which they were touched."""

    def __init__(self) -> None:
        self.ids: dict[str, None] = {}

    def add(self, package_id: str) -> None:
        self.ids[package_id] = None


@contextmanager
def transaction(context: dict[str, Any], *, later: Touched | None = None) -> Iterator[Touched]:
    """Everything inside is committed together and then indexed, or rolled back together.

    Within a caller's own transaction (``context["mulu_touched"]``) it joins that one: the outermost commits.
    later: the caller indexes several transactions at once, from here.
    """
    if outer := context.get("mulu_touched"):
        yield outer
        return
    touched = later or Touched()
    context["mulu_touched"] = touched
    try:
        yield touched
        model.Session.commit()
    except BaseException:
        model.Session.rollback()
        raise
    finally:
        context.pop("mulu_touched", None)
    if later is None:
        index(list(touched.ids))


def index(package_ids: list[str]) -> None:
    """Bring the index up to date for these datasets, with one commit of Solr for all of them."""
    for package_id in package_ids:
        package = model.Package.get(package_id)
        if package is None or package.state == "deleted":
            index_remove_package(package_id)
        else:
            index_update_package({"ignore_auth": True, "use_cache": False, "validate": False}, package_id, defer_commit=True)
    if package_ids:
        search.commit()
        tables.enqueue(package_ids)
