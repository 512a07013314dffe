"""A published file as a table in CKAN's DataStore: read once by a background job, never changed, dropped with its resource.

Published files are never replaced (``logic/action/resources.py``): a resource's id stands for its content.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ckan.lib.uploader as uploader
import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib.redis import connect_to_redis
from ckanext.datastore.backend import DatastoreBackend
from ckanext.datastore.backend.postgres import get_write_engine, identifier
from sqlalchemy import inspect

from ckanext.mulu import previews
from ckanext.mulu.logic import content
from ckanext.mulu.tabular import NUMBER, NotATable, read, text_of

TASK = {"entity_type": "resource", "task_type": "mulu_table", "key": "load"}
CHUNK = 10_000
"""Rows of one COPY's buffer."""
LONGEST_NAME = 63
"""Bytes of a column's name in PostgreSQL; a longer header is kept whole as the column's label."""


def enqueue(package_ids: list[str]) -> None:
    """Have the tables of these packages brought up to date, after the commit that changed them."""
    held = model.Session.query(model.Resource.package_id).filter(model.Resource.package_id.in_(package_ids), model.Resource.url_type == "upload")
    for (package_id,) in held.distinct():
        tk.enqueue_job(load_package, [package_id], title=f"tables of {package_id}")


def load_package(package_id: str) -> None:
    """Load what is published and not loaded yet, and have its previews made; drop the tables of resources that are gone."""
    package = model.Package.get(package_id)
    if package is None or package.private:
        return
    for resource in model.Session.query(model.Resource).filter(model.Resource.package_id == package_id):
        row = {"id": resource.id, "url": resource.url, "url_type": resource.url_type, "format": resource.format}
        if resource.state == "active" and package.state == "active":
            if content.is_uploaded_table(row) and state(resource.id)["state"] in ("", "pending"):
                load(row)
        elif exists(resource.id):
            drop(resource.id)
    previews.prepare(package_id)


def load(resource: dict[str, Any]) -> None:
    """Read one file into its table, whole or not at all; what keeps it from that is kept as the task's error."""
    with connect_to_redis().lock(f"mulu:table:{resource['id']}", timeout=600):
        if state(resource["id"])["state"] == "complete":
            return
        path = Path(uploader.get_resource_uploader(resource).get_path(resource["id"]))
        try:
            header, rows = read(path, content.table_format(resource))
            columns = columns_of(header)
            kinds = kinds_of(rows, len(columns))
            _fill(resource["id"], columns, kinds, read(path, content.table_format(resource))[1])
        except NotATable as refused:
            _note(resource["id"], "error", str(refused))
        else:
            _note(resource["id"], "complete")


def state(resource_id: str) -> dict[str, str]:
    """``{"state": "" | "pending" | "complete" | "error", "error": why}`` of a resource's table."""
    task = model.TaskStatus
    row = model.Session.query(task.state, task.error).filter_by(entity_id=resource_id, task_type=TASK["task_type"], key=TASK["key"]).first()
    return {"state": row.state or "", "error": row.error or ""} if row else {"state": "", "error": ""}


def exists(resource_id: str) -> bool:
    return bool(inspect(get_write_engine()).has_table(resource_id))


def drop(resource_id: str) -> None:
    with get_write_engine().begin() as connection:
        connection.exec_driver_sql(f"drop table if exists {identifier(resource_id)}")
    _note(resource_id, "")


def columns_of(header: list[str]) -> list[tuple[str, str]]:
    """(column's name in the database, header as it stands) of each column; names are made where a header cannot be one."""
    taken: set[str] = set()
    found = []
    for number, label in enumerate(header, 1):
        fits = label and not label.startswith("_") and '"' not in label and label.isprintable() and len(label.encode()) <= LONGEST_NAME
        name = label if fits and label not in taken else f"列{number}"
        taken.add(name)
        found.append((name, label or name))
    return found


def kinds_of(rows: Iterator[list[Any]], width: int) -> list[str]:
    """The type of each column by all of its cells: ``numeric`` if each is a number as written, else ``text``."""
    number, filled = [True] * width, [False] * width
    for row in rows:
        for place, cell in enumerate(row):
            written = text_of(cell)
            if written:
                filled[place] = True
                number[place] = number[place] and bool(NUMBER.fullmatch(written))
    return ["numeric" if one and any_ else "text" for one, any_ in zip(number, filled, strict=True)]


def _fill(resource_id: str, columns: list[tuple[str, str]], kinds: list[str], rows: Iterator[list[Any]]) -> None:
    """The table as the DataStore makes it, filled by COPY in one transaction: it is whole or empty, never half."""
    fields = [{"id": name, "type": kind, "info": {"label": label}} for (name, label), kind in zip(columns, kinds, strict=True)]
    drop(resource_id)
    _note(resource_id, "pending")
    DatastoreBackend.get_active_backend().create({}, {"resource_id": resource_id, "fields": fields}, {})
    names = ", ".join(identifier(name) for name, _ in columns)
    connection = get_write_engine().raw_connection()
    try:
        with connection.cursor() as cursor:
            while buffer := _buffer(rows):
                cursor.copy_expert(f"copy {identifier(resource_id)} ({names}) from stdin csv", buffer)
        connection.commit()
    finally:
        connection.close()


def _buffer(rows: Iterator[list[Any]]) -> io.StringIO | None:
    """The next rows as CSV, blank cells as NULL; None after the last."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    written = 0
    for row in rows:
        writer.writerow([text_of(cell) for cell in row])
        written += 1
        if written == CHUNK:
            break
    buffer.seek(0)
    return buffer if written else None


def _note(resource_id: str, state_: str, error: str = "") -> None:
    values = {**TASK, "entity_id": resource_id, "value": "", "state": state_, "error": error}
    found = model.Session.query(model.TaskStatus).filter_by(entity_id=resource_id, task_type=TASK["task_type"], key=TASK["key"]).first()
    task = found or model.TaskStatus()
    for key, value in values.items():
        setattr(task, key, value)
    model.Session.add(task)
    model.Session.commit()
