"""The extension on the real services, with a database and an index of its own: emptied before each module, never the demo's."""

from __future__ import annotations

import pytest
import town as town_module
from ckan import model, plugins
from ckan.tests import helpers


@pytest.fixture(scope="module")
def town(reset_db, reset_index, migrate_db_for):
    plugins.load_all()
    reset_db()
    migrate_db_for("mulu")
    reset_index()
    try:
        yield town_module.build(helpers._get_test_app())
    finally:
        model.Session.remove()
        plugins.unload_all()
