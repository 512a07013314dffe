"""The tables, as the migration makes them.

In a MetaData of their own, not in CKAN's: ``ckan`` empties every table that it knows (tests, ``db clean``), and history is not
emptied. ``append-only`` is held by triggers in the database.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

procedure_version = Table(
    "mulu_procedure_version", metadata,
    Column("version", Text, primary_key=True),
    Column("procedure", Text),
    Column("source", JSONB),
)  # fmt: skip
"""Append-only. The procedures under which cases were opened, so that each goes on under its own."""

case = Table(
    "mulu_case", metadata,
    Column("id", Text, primary_key=True),
    Column("procedure", Text),
    Column("state", Text),
    Column("is_open", Boolean),
    Column("subject_type", Text),
    Column("subject_id", Text),
    Column("title", Text),
    Column("org", Text),
    Column("filed_by", Text),
    Column("turn", ARRAY(Text)),
    Column("due_on", Date),
    Column("overdue", Boolean),
    Column("provisional", Boolean),
    Column("opened_at", DateTime(timezone=True)),
    Column("updated_at", DateTime(timezone=True)),
    Column("version", Integer),
    Column("body", JSONB),
)  # fmt: skip
"""``body`` is the engine's case whole; the other columns repeat what lists filter and sort by. ``turn``: ``role`` or ``role@org``."""

case_event = Table(
    "mulu_case_event", metadata,
    Column("id", BigInteger, primary_key=True),
    Column("case_id", Text),
    Column("seq", Integer),
    Column("at", DateTime(timezone=True)),
    Column("body", JSONB),
    Column("previous", Text),
    Column("hash", Text),
)  # fmt: skip
"""Append-only, chained: ``hash`` covers the body and ``previous``, the hash of the case's event before."""

entry_version = Table(
    "mulu_entry_version", metadata,
    Column("package_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("case_id", Text),
    Column("published_at", DateTime(timezone=True)),
    Column("summary", Text),
    Column("entry", JSONB),
)  # fmt: skip
"""Append-only. Every version that was ever published, in wire form."""

identity = Table(
    "mulu_identity", metadata,
    Column("package_id", Text, primary_key=True),
    Column("org", Text),
    Column("title", Text),
    Column("resource_code", Text),
    Column("source", Text),
    Column("source_id", Text),
    Column("fingerprint", Text),
)  # fmt: skip
"""By what an entry is known again when it comes a second time."""

resource_code = Table(
    "mulu_resource_code", metadata,
    Column("code", Text, primary_key=True),
    Column("prefix", Text),
    Column("number", Integer),
    Column("package_id", Text),
    Column("given_at", DateTime(timezone=True)),
)  # fmt: skip
"""Append-only. Codes that were ever given: none is given twice, not even after its entry is gone."""

outbox = Table(
    "mulu_outbox", metadata,
    Column("id", BigInteger, primary_key=True),
    Column("case_id", Text),
    Column("seq", Integer),
    Column("template", Text),
    Column("to", JSONB),
    Column("args", JSONB),
    Column("created_at", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    Column("attempts", Integer),
    Column("last_error", Text),
)  # fmt: skip
"""Notices to be sent; written with the event that causes them."""
