"""Cases with their events, published versions, assigned codes, identities of entries, outgoing notices.

Events and published versions are append-only: the database itself refuses to change them.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("mulu_case_event", "mulu_entry_version", "mulu_procedure_version", "mulu_resource_code")


def upgrade() -> None:
    op.create_table(
        "mulu_procedure_version",
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("procedure", sa.Text, nullable=False),
        sa.Column("source", JSONB, nullable=False),
    )
    op.create_table(
        "mulu_case",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("procedure", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("subject_type", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("filed_by", sa.Text, nullable=False),
        sa.Column("turn", ARRAY(sa.Text), nullable=False),
        sa.Column("due_on", sa.Date),
        sa.Column("overdue", sa.Boolean, nullable=False),
        sa.Column("provisional", sa.Boolean, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", JSONB, nullable=False),
    )
    op.create_index("ix_mulu_case_turn", "mulu_case", ["turn"], postgresql_using="gin", postgresql_where=sa.text("is_open"))
    op.create_index("ix_mulu_case_due", "mulu_case", ["due_on"], postgresql_where=sa.text("is_open"))
    op.create_index("ix_mulu_case_org", "mulu_case", ["org", "updated_at"])
    op.create_index("ix_mulu_case_updated", "mulu_case", ["updated_at"])
    op.create_index(
        "ux_mulu_case_one_open",
        "mulu_case",
        ["subject_id", "procedure"],
        unique=True,
        postgresql_where=sa.text("is_open and procedure in ('catalogue_review', 'classification_change')"),
    )
    op.create_index("ix_mulu_case_subject", "mulu_case", ["subject_id"])
    op.create_table(
        "mulu_case_event",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", JSONB, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.UniqueConstraint("case_id", "seq"),
    )
    op.create_table(
        "mulu_entry_version",
        sa.Column("package_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("entry", JSONB, nullable=False),
    )
    op.create_table(
        "mulu_identity",
        sa.Column("package_id", sa.Text, primary_key=True),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("resource_code", sa.Text, nullable=False, unique=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
    )
    op.create_index("ix_mulu_identity_title", "mulu_identity", ["org", "title"])
    op.create_index(
        "ux_mulu_identity_source", "mulu_identity", ["source", "source_id"], unique=True,
        postgresql_where=sa.text("source_id <> ''"),
    )
    op.create_table(
        "mulu_resource_code",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("package_id", sa.Text, nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_mulu_resource_code_prefix", "mulu_resource_code", ["prefix", "number"])
    op.create_table(
        "mulu_outbox",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("to", JSONB, nullable=False),
        sa.Column("args", JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("last_error", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("ix_mulu_outbox_waiting", "mulu_outbox", ["id"], postgresql_where=sa.text("sent_at is null"))
    op.execute(
        """
        create or replace function mulu_append_only() returns trigger language plpgsql as $$
        begin
            raise exception '% is append-only: history is not edited', tg_table_name using errcode = 'restrict_violation';
        end $$
        """
    )
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger {table}_append_only before update or delete or truncate on {table} "
            "for each statement execute function mulu_append_only()"
        )


def downgrade() -> None:
    """The tables go only with the database: a history that can be dropped by a step back is none."""
    raise RuntimeError("mulu 的历史表不能通过降级删除")
