"""A request of the public is taken once, however often it is sent or handed in: it bears a number of its own.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mulu_receipt", sa.Column("request_hash", sa.Text, nullable=False, server_default=""))
    op.add_column("mulu_receipt", sa.Column("way", sa.Text, nullable=False, server_default="web"))
    op.create_index("ix_mulu_receipt_request", "mulu_receipt", ["request_hash"], unique=True, postgresql_where=sa.text("request_hash <> ''"))


def downgrade() -> None:
    op.drop_index("ix_mulu_receipt_request", "mulu_receipt")
    op.drop_column("mulu_receipt", "way")
    op.drop_column("mulu_receipt", "request_hash")
