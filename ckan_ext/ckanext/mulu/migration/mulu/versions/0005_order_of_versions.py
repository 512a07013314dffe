"""When a version was published is the moment of its writing, not of its transaction's beginning; and who is at it can be seen.

A feed that tells what changed since a moment must not tell of it before all that belongs before it is there to be told. A transaction
that began long ago may still publish: its versions get the time at which they are written, and a lock that it holds until it ends
says that it is writing (``ckanext.mulu.feeds.settled``). Writers do not wait for each other.

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create or replace function mulu_entry_version_written() returns trigger language plpgsql as $$
        begin
            perform pg_advisory_xact_lock_shared(1836411989, 1);
            new.published_at := clock_timestamp();
            return new;
        end $$
        """
    )
    op.execute(
        "create trigger mulu_entry_version_written before insert on mulu_entry_version "
        "for each row execute function mulu_entry_version_written()"
    )


def downgrade() -> None:
    op.execute("drop trigger mulu_entry_version_written on mulu_entry_version")
    op.execute("drop function mulu_entry_version_written()")
