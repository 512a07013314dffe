"""Grants and their use, the public's receipts and files, deliveries of notices, parties of cases, profiles as they stood.

Use records, profiles and named sources are append-only, as cases' events are.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = ("mulu_use", "mulu_profile_version", "mulu_source")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("mulu_case", sa.Column("parties", ARRAY(sa.Text), nullable=False, server_default="{}"))
    op.execute("update mulu_case set parties = array[org]")
    op.create_index("ix_mulu_case_parties", "mulu_case", ["parties"], postgresql_using="gin")
    op.create_index("ix_mulu_case_filed_by", "mulu_case", ["filed_by"])
    op.create_table(
        "mulu_profile_version",
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("source", JSONB, nullable=False),
    )
    op.create_table(
        "mulu_grant",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("package_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("items", JSONB, nullable=False),
        sa.Column("scenario", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("until", sa.Date, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("key_hash", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.CheckConstraint("status in ('active', 'suspended', 'ended')"),
        sa.CheckConstraint("kind in ('sharing', 'opening')"),
        sa.UniqueConstraint("case_id", "package_id"),
    )
    op.create_index("ix_mulu_grant_package", "mulu_grant", ["package_id"])
    op.create_index("ix_mulu_grant_org", "mulu_grant", ["org"])
    op.create_index("ix_mulu_grant_person", "mulu_grant", ["person"])
    op.create_index("ux_mulu_grant_key", "mulu_grant", ["key_hash"], unique=True, postgresql_where=sa.text("key_hash <> ''"))
    op.create_table(
        "mulu_use",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("package_id", sa.Text, nullable=False),
        sa.Column("resource_id", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("scenario", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
    )
    op.create_index("ix_mulu_use_grant", "mulu_use", ["grant_id", "at"])
    op.create_index("ix_mulu_use_package", "mulu_use", ["package_id", "at"])
    op.create_table(
        "mulu_receipt",
        sa.Column("receipt", sa.Text, primary_key=True),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("code_hash", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index("ix_mulu_receipt_case", "mulu_receipt", ["case_id"])
    op.create_table(
        "mulu_attachment",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("uploaded_by", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index("ix_mulu_attachment_case", "mulu_attachment", ["case_id"])
    op.create_table(
        "mulu_delivery",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("outbox_id", sa.BigInteger, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("sent_at", TIME),
        sa.Column("read_at", TIME),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_at", TIME),
        sa.Column("last_error", sa.Text, nullable=False, server_default=""),
        sa.UniqueConstraint("outbox_id", "recipient", "channel"),
        sa.CheckConstraint("channel in ('portal', 'mail')"),
    )
    op.create_index("ix_mulu_delivery_recipient", "mulu_delivery", ["recipient", "channel", "created_at"])
    op.create_index("ix_mulu_delivery_waiting", "mulu_delivery", ["next_at"], postgresql_where=sa.text("sent_at is null"))
    op.create_table(
        "mulu_source",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("package_id", sa.Text, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_index("ix_mulu_source_package", "mulu_source", ["package_id"])
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger {table}_append_only before update or delete or truncate on {table} "
            "for each statement execute function mulu_append_only()"
        )


def downgrade() -> None:
    raise RuntimeError("mulu 的历史表不能通过降级删除")
