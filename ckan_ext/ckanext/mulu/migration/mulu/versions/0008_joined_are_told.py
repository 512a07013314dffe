"""Who joins a demand is told of its answer as well: the address that they left stands with their receipt.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mulu_receipt", sa.Column("email", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("mulu_receipt", "email")
