"""An index for the files that open reviews propose: whoever asks for an unknown resource must not read all open cases.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "create index ix_mulu_case_proposed_resources on mulu_case "
        "using gin ((body #> '{data,proposed,resources}') jsonb_path_ops) "
        "where is_open and procedure = 'catalogue_review'"
    )


def downgrade() -> None:
    op.execute("drop index ix_mulu_case_proposed_resources")
