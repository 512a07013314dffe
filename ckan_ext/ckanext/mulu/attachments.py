"""Files handed in with a case: checked by content, kept in the portal's storage, given to those who may see the case."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import ckan.plugins.toolkit as tk
from ckan import model
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection

from ckanext.mulu.filetypes import NotAccepted, safe_name, type_of
from ckanext.mulu.logic import refusal
from ckanext.mulu.model.tables import attachment as table
from ckanext.mulu.model.tables import case as case_table
from mulu.attached import MOST_BYTES, MOST_BYTES_IN_ALL, MOST_FILES
from mulu.case import Case
from mulu.errors import Problem

UNCLAIMED = timedelta(days=1)
"""After which a file that belongs to no case is thrown away."""
Named = dict[str, str]
_COLUMNS = ("id", "name", "type", "size", "sha256")


@dataclass(frozen=True)
class Upload:
    """A file that may be kept; ``stream`` stands at its beginning."""

    id: str
    name: str
    type: str
    size: int
    sha256: str
    stream: IO[bytes]

    @property
    def named(self) -> Named:
        return {"id": self.id, "name": self.name}


def read(given: Iterable[Any], field: str = "attachments") -> tuple[list[Upload], list[Problem]]:
    """Uploads (werkzeug FileStorage, or anything with ``stream`` and ``filename``) and everything that is wrong with them.

    Rules: ``too_many_files``, ``file_too_large``, ``files_too_large``, ``file_empty`` and those of ``filetypes.NotAccepted``.
    """
    files, found, problems = list(given), list[Upload](), list[Problem]()
    if len(files) > MOST_FILES:
        return [], [Problem(field, "too_many_files", f"附件有{len(files)}个，最多{MOST_FILES}个", len(files))]
    total = 0
    for n, file in enumerate(files):
        stream, shown = file.stream, str(file.filename or "")[-100:]
        size = stream.seek(0, 2)
        total += size
        try:
            if not size:
                raise NotAccepted("file_empty", "是空文件")
            if size > MOST_BYTES:
                raise NotAccepted("file_too_large", f"有 {size / 2**20:.1f} MB，每个附件最大 {MOST_BYTES >> 20} MB")
            kind = type_of(stream)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            found.append(Upload(str(uuid.uuid4()), safe_name(shown, kind), kind, size, digest, stream))
        except NotAccepted as no:
            problems.append(Problem(f"{field}[{n}]", no.rule, f"附件“{shown}”{no.message}", shown))
    if total > MOST_BYTES_IN_ALL:
        message = f"附件共 {total / 2**20:.1f} MB，合计最大 {MOST_BYTES_IN_ALL >> 20} MB"
        problems.append(Problem(field, "files_too_large", message, total))
    return found, problems


def keep(case_id: str, uploads: Iterable[Any], by: str) -> list[Named]:
    """Keep uploads at once, whatever becomes of the form that they came with: ``[{id, name}]`` for a field of the kind ``files``.

    :param case_id: "" while there is no case; the case in whose data they are named is theirs
    :param by: who hands them in, the id of the case's applicant
    :raises tk.ValidationError: with everything that is wrong with any of them; then none is kept
    """
    found, problems = read(uploads)
    if problems:
        raise refusal.error(problems)
    with model.meta.engine.begin() as connection:
        return store(case_id, found, by, connection)


def store(case_id: str, uploads: Iterable[Upload], by: str, connection: Connection | None = None) -> list[Named]:
    """Write uploads to the storage and to the table, in the session's transaction or in the connection's."""
    kept = list(uploads)
    for upload in kept:
        path_of(upload.id).parent.mkdir(parents=True, exist_ok=True)
        with path_of(upload.id).open("xb") as file:
            shutil.copyfileobj(upload.stream, file)
        row = {key: getattr(upload, key) for key in _COLUMNS} | {"case_id": case_id, "uploaded_by": by}
        (connection or model.Session).execute(insert(table).values(**row, created_at=func.now()))
    return [upload.named for upload in kept]


def discard(uploads: Iterable[Upload]) -> None:
    """Away with the files of a transaction that did not hold; rows are rolled back with it."""
    for upload in uploads:
        path_of(upload.id).unlink(missing_ok=True)


def of(case: Case, attachment_id: str) -> Any:
    """The row of a case's file, or None: handed in for it, or named in its data by one of those who filed it."""
    row = model.Session.execute(select(table).where(table.c.id == attachment_id)).first()
    if row is None or row.case_id not in ("", case.id):
        return None
    claimed = attachment_id in named_in(case.data) and row.uploaded_by in (case.filed_by, *case.authors)
    return row if row.case_id or claimed else None


def handed_in(case_id: str, by: str) -> list[dict[str, Any]]:
    """What one person handed in with a case: ``[{name, size}]``, oldest first."""
    query = select(table.c.name, table.c.size).where(table.c.case_id == case_id, table.c.uploaded_by == by)
    return [dict(row) for row in model.Session.execute(query.order_by(table.c.created_at, table.c.id)).mappings()]


def named_in(value: Any) -> set[str]:
    """Ids of the files that a case's data name, in whatever field."""
    fields = value.values() if isinstance(value, dict) else ()
    rows = [row for field in fields if isinstance(field, list) for row in field if isinstance(row, dict)]
    return {str(row["id"]) for row in rows if set(row) == {"id", "name"}}


def path_of(attachment_id: str) -> Path:
    return Path(tk.config["ckan.storage_path"]) / "mulu_attachments" / attachment_id


def sweep() -> int:
    """Give files to the cases that name them, and throw away those that no case has for a day; gives how many went."""
    with model.meta.engine.begin() as connection:
        old = func.now() - UNCLAIMED
        has_case = select(case_table.c.id).where(case_table.c.id == table.c.case_id).exists()
        loose = select(table.c.id, table.c.uploaded_by).where(table.c.created_at < old, ~has_case)
        gone = []
        for row in connection.execute(loose).all():
            claimed = next(_claims(connection, row), None)
            if claimed:
                connection.execute(update(table).where(table.c.id == row.id).values(case_id=claimed))
            else:
                gone.append(row.id)
        connection.execute(delete(table).where(table.c.id.in_(gone)))
    for one in gone:
        path_of(one).unlink(missing_ok=True)
    return len(gone)


def _claims(connection: Connection, row: Any) -> Iterator[str]:
    filed = select(case_table.c.id, case_table.c.body).where(case_table.c.filed_by == row.uploaded_by)
    for case_id, body in connection.execute(filed):
        if row.id in named_in(body["data"]):
            yield case_id
