"""The tables, as the migration makes them.

In a MetaData of their own, not in CKAN's: ``ckan`` empties every table that it knows (tests, ``db clean``), and history is not
emptied. ``append-only`` is held by triggers in the database.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Float, Integer, MetaData, Table, Text
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
    Column("parties", ARRAY(Text)),
)  # fmt: skip
"""``body`` is the engine's case whole; the other columns repeat what lists filter and sort by. ``turn``: ``role`` or ``role@org``
(``applicant@<user id>``). ``parties``: every organisation that the case concerns."""

profile_version = Table(
    "mulu_profile_version", metadata,
    Column("version", Text, primary_key=True),
    Column("profile", Text),
    Column("source", JSONB),
)  # fmt: skip
"""Append-only. The places' rules under which cases were opened: {"layers": [...], "stricter": bool}."""

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
    Column("withdrawn", Boolean, default=False),
)  # fmt: skip
"""Append-only. Every version that was ever published, in wire form. withdrawn: with this version the entry left the catalogue;
``entry`` is then what it last was, and a later version brings it back."""

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

grant = Table(
    "mulu_grant", metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text),
    Column("package_id", Text),
    Column("kind", Text),
    Column("org", Text),
    Column("person", Text),
    Column("items", JSONB),
    Column("scenario", Text),
    Column("purpose", Text),
    Column("until", Date),
    Column("status", Text),
    Column("key_hash", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("changed_at", DateTime(timezone=True)),
)  # fmt: skip
"""Who may read which items of an entry. kind: sharing (to the department ``org``) or opening (to the user ``person``); items: names;
until: the last day; status: active, suspended, ended; key_hash: sha256 of the grant's API key, "" before one was made."""

use = Table(
    "mulu_use", metadata,
    Column("id", BigInteger, primary_key=True),
    Column("grant_id", Text),
    Column("case_id", Text),
    Column("package_id", Text),
    Column("resource_id", Text),
    Column("at", DateTime(timezone=True)),
    Column("who", Text),
    Column("how", Text),
    Column("format", Text),
    Column("scenario", Text),
    Column("rows", BigInteger),
    Column("bytes", BigInteger),
    Column("status", Integer),
)  # fmt: skip
"""Append-only. Every call under a grant (使用记录, guojia 29). how: download or api; who: user id, or ``key`` for the grant's key."""

receipt = Table(
    "mulu_receipt", metadata,
    Column("receipt", Text, primary_key=True),
    Column("case_id", Text),
    Column("code_hash", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("request_hash", Text),
    Column("way", Text),
    Column("email", Text),
)  # fmt: skip
"""What a member of the public holds: the receipt number, and the hash of the query code that was shown once.

request_hash: SHA-256 of the request's own number, drawn by the browser; "" without one. way: how it came, ``web`` or ``file``. email: of who
joined a case, "" for none; that of who opened it stands in the case.
"""

attachment = Table(
    "mulu_attachment", metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text),
    Column("name", Text),
    Column("type", Text),
    Column("size", BigInteger),
    Column("sha256", Text),
    Column("uploaded_by", Text),
    Column("created_at", DateTime(timezone=True)),
)  # fmt: skip
"""A file handed in with a case; its content lies in the portal's storage under ``mulu_attachments/<id>``."""

delivery = Table(
    "mulu_delivery", metadata,
    Column("id", BigInteger, primary_key=True),
    Column("outbox_id", BigInteger),
    Column("case_id", Text),
    Column("recipient", Text),
    Column("channel", Text),
    Column("title", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    Column("read_at", DateTime(timezone=True)),
    Column("attempts", Integer),
    Column("next_at", DateTime(timezone=True)),
    Column("last_error", Text),
)  # fmt: skip
"""One notice to one recipient by one channel. recipient: user id, or ``mailto:…`` of a member of the public; channel: portal, mail."""

source = Table(
    "mulu_source", metadata,
    Column("id", BigInteger, primary_key=True),
    Column("case_id", Text),
    Column("package_id", Text),
    Column("item", Text),
    Column("org", Text),
    Column("at", DateTime(timezone=True)),
)  # fmt: skip
"""Append-only. Which department is the source of an item (数源部门, guojia 19)."""

harvest_source = Table(
    "mulu_harvest_source", metadata,
    Column("name", Text, primary_key=True),
    Column("settings", JSONB),
    Column("enabled", Boolean),
    Column("next_run_at", DateTime(timezone=True)),
    Column("validators", JSONB),
    Column("created_at", DateTime(timezone=True)),
    Column("changed_at", DateTime(timezone=True)),
    Column("changed_by", Text),
    Column("succeeded_at", DateTime(timezone=True)),
    Column("content_changed_at", DateTime(timezone=True)),
)  # fmt: skip
"""A source of entries. settings: as a ``source.yml`` (mulu_harvest.source); next_run_at: by its schedule, None without one;
validators: what conditional requests send again, by address; content_changed_at: the last run that brought a change."""

harvest_run = Table(
    "mulu_harvest_run", metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text),
    Column("state", Text),
    Column("dry_run", Boolean),
    Column("cause", Text),
    Column("asked_by", Text),
    Column("asked_at", DateTime(timezone=True)),
    Column("not_before", DateTime(timezone=True)),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Column("lease_until", DateTime(timezone=True)),
    Column("worker", Text),
    Column("stop_asked", Boolean),
    Column("attempt", Integer),
    Column("phase", Text),
    Column("mark", Text),
    Column("counts", JSONB),
    Column("seconds", Float),
    Column("reasons", JSONB),
    Column("problems", JSONB),
    Column("error", Text),
    Column("settings", JSONB),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
)  # fmt: skip
"""One run. state: waiting → running → done, failed, stopped, or held → (apply) waiting or dropped; one per source waits or runs.

cause: schedule, person, command, retry; phase: reading, planning, loading; mark: after which page reading goes on; lease_until: a
running run whose lease is over belongs to whoever takes it up; attempt: how often it was taken up; counts: the numbers of
``mulu_harvest.plan.COUNTS``; reasons: why it is held [{rule, message}]; problems: of the source itself; settings: as it ran;
decided_by: who applied or dropped what was held."""

harvest_record = Table(
    "mulu_harvest_record", metadata,
    Column("source", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    Column("state", Text),
    Column("package_id", Text),
    Column("hash", Text),
    Column("entry", JSONB),
    Column("where", Text),
    Column("problems", JSONB),
    Column("tries", Integer),
    Column("first_seen_at", DateTime(timezone=True)),
    Column("changed_at", DateTime(timezone=True)),
    Column("seen_run", Text),
)  # fmt: skip
"""What is remembered of each record of a source. entry: as the source last stated it (wire form), so that an edit made here is told
from a change made there; hash: of that entry; state: in the catalogue, removed (archived), or quarantined with its problems and
tried again in each run; seen_run: the last run whose reading met it."""

harvest_step = Table(
    "mulu_harvest_step", metadata,
    Column("run", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    Column("seq", BigInteger),
    Column("kind", Text),
    Column("state", Text),
    Column("package_id", Text),
    Column("case_id", Text),
    Column("title", Text),
    Column("provider", Text),
    Column("hash", Text),
    Column("entry", JSONB),
    Column("changes", JSONB),
    Column("problems", JSONB),
    Column("reasons", JSONB),
    Column("where", Text),
)  # fmt: skip
"""What a run is about to do, then what it did: the change log of harvests. kind: add, change, remove, restore, refuse;
state: planned, done, refused; entry: what the source states (wire form), emptied once done; changes: [{field, label, before, after,
local}], ``local``: "" or what became of an edit made here (kept, overwritten); reasons: why this step holds the run [{rule, message}]."""

index_note = Table(
    "mulu_index_note", metadata,
    Column("id", BigInteger, primary_key=True),
    Column("package_id", Text),
    Column("at", DateTime(timezone=True)),
)  # fmt: skip
"""Datasets that a committed transaction changed and that are not in the index yet; see ``transaction.py``."""
