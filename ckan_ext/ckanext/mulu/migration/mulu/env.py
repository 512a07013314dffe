"""Alembic's environment for our own tables; CKAN runs it by ``ckan db upgrade`` and keeps our version in its own table."""

from __future__ import annotations

import os

from alembic import context
from ckan.model.meta import metadata
from sqlalchemy import engine_from_config, pool

config = context.config
name = os.path.basename(os.path.dirname(__file__))


def include_object(_object: object, object_name: str, type_: str, *_: object) -> bool:
    return type_ != "table" or object_name.startswith(name)


def run() -> None:
    options = {"target_metadata": metadata, "version_table": f"{name}_alembic_version", "include_object": include_object}
    if context.is_offline_mode():
        context.configure(url=config.get_main_option("sqlalchemy.url"), literal_binds=True, **options)
        with context.begin_transaction():
            context.run_migrations()
        return
    section = config.get_section(config.config_ini_section) or {}
    engine = engine_from_config(section, prefix="sqlalchemy.", poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()


run()
