"""Sources, their runs and what each brought; withdrawn versions of entries.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "mulu_harvest_source",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("settings", JSONB, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False, server_default="true"),
        sa.Column("next_run_at", TIME),
        sa.Column("validators", JSONB, nullable=False, server_default="{}"),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("succeeded_at", TIME),
        sa.Column("content_changed_at", TIME),
    )
    op.create_table(
        "mulu_harvest_run",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("not_before", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("lease_until", TIME),
        sa.Column("worker", sa.Text, nullable=False, server_default=""),
        sa.Column("stop_asked", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("phase", sa.Text, nullable=False, server_default=""),
        sa.Column("mark", sa.Text, nullable=False, server_default=""),
        sa.Column("counts", JSONB, nullable=False, server_default="{}"),
        sa.Column("seconds", sa.Float, nullable=False, server_default="0"),
        sa.Column("reasons", JSONB, nullable=False, server_default="[]"),
        sa.Column("problems", JSONB, nullable=False, server_default="[]"),
        sa.Column("error", sa.Text, nullable=False, server_default=""),
        sa.Column("settings", JSONB, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False, server_default=""),
        sa.Column("decided_at", TIME),
        sa.CheckConstraint("state in ('waiting', 'running', 'held', 'done', 'failed', 'stopped', 'dropped')"),
    )
    op.create_index("ix_mulu_harvest_run_source", "mulu_harvest_run", ["source", "asked_at"])
    op.create_index(
        "ux_mulu_harvest_run_open", "mulu_harvest_run", ["source"], unique=True, postgresql_where=sa.text("state in ('waiting', 'running')")
    )
    op.create_table(
        "mulu_harvest_record",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("source_id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("package_id", sa.Text, nullable=False, server_default=""),
        sa.Column("hash", sa.Text, nullable=False, server_default=""),
        sa.Column("entry", JSONB, nullable=False, server_default="{}"),
        sa.Column("where", sa.Text, nullable=False, server_default=""),
        sa.Column("problems", JSONB, nullable=False, server_default="[]"),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("seen_run", sa.Text, nullable=False, server_default=""),
        sa.CheckConstraint("state in ('in', 'removed', 'quarantined')"),
    )
    op.create_index("ix_mulu_harvest_record_seen", "mulu_harvest_record", ["source", "state", "seen_run"])
    op.create_index("ix_mulu_harvest_record_package", "mulu_harvest_record", ["package_id"])
    op.create_table(
        "mulu_harvest_step",
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("source_id", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("package_id", sa.Text, nullable=False, server_default=""),
        sa.Column("case_id", sa.Text, nullable=False, server_default=""),
        sa.Column("title", sa.Text, nullable=False, server_default=""),
        sa.Column("provider", sa.Text, nullable=False, server_default=""),
        sa.Column("hash", sa.Text, nullable=False, server_default=""),
        sa.Column("entry", JSONB),
        sa.Column("changes", JSONB, nullable=False, server_default="[]"),
        sa.Column("problems", JSONB, nullable=False, server_default="[]"),
        sa.Column("reasons", JSONB, nullable=False, server_default="[]"),
        sa.Column("where", sa.Text, nullable=False, server_default=""),
        sa.CheckConstraint("kind in ('add', 'change', 'remove', 'restore', 'refuse')"),
        sa.CheckConstraint("state in ('planned', 'done', 'refused')"),
    )
    op.create_index("ix_mulu_harvest_step_seq", "mulu_harvest_step", ["run", "state", "seq"])
    op.add_column("mulu_entry_version", sa.Column("withdrawn", sa.Boolean, nullable=False, server_default="false"))
    op.create_index("ix_mulu_entry_version_published", "mulu_entry_version", ["published_at", "package_id"])


def downgrade() -> None:
    raise RuntimeError("mulu 的历史表不能通过降级删除")
