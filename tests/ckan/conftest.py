"""The extension on the real services, with a database and an index of its own: emptied before each module, never the demo's."""

from __future__ import annotations

import pytest
import town as town_module
from ckan import model, plugins
from ckan.tests import helpers
from sqlalchemy import inspect, text


@pytest.fixture(scope="module")
def empty_ckan(reset_db, reset_index, migrate_db_for):
    """CKAN with its plugins over an empty database and an empty index.

    Our own tables are dropped and made again: CKAN does not know them, and rows of history cannot be deleted.
    """
    plugins.load_all()
    reset_db()
    drop_our_tables()
    migrate_db_for("mulu")
    reset_index()
    try:
        yield helpers._get_test_app()
    finally:
        model.Session.remove()
        plugins.unload_all()


def drop_our_tables() -> None:
    ours = [name for name in inspect(model.Session.connection()).get_table_names() if name.startswith("mulu_")]
    for name in ours:
        model.Session.execute(text(f"drop table {name}"))
    model.Session.commit()


@pytest.fixture(scope="module")
def town(empty_ckan):
    return town_module.build(empty_ckan)
