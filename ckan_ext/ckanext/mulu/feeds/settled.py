"""Up to which moment the published catalogue will not change any more."""

from __future__ import annotations

from datetime import datetime

import ckan.model as model
from sqlalchemy import text

_SETTLED = text(
    """
    select least(statement_timestamp(), min(activity.xact_start))
    from pg_locks held join pg_stat_activity activity using (pid)
    where held.locktype = 'advisory' and (held.classid, held.objid, held.objsubid) = (1836411989, 1, 2)
      and held.database = (select oid from pg_database where datname = current_database())
    """
)


def settled() -> datetime:
    """All versions before this moment are there to be read in the next query; none will come to stand among them.

    Whoever writes a version takes a lock first, keeps it until the commit can be seen, and gives the version the time of its writing
    (migration 0005). So a version that is not there yet belongs to a transaction that holds the lock, and is not older than that
    transaction; or its writing has not begun, and it will be newer than this statement.
    """
    return model.Session.execute(_SETTLED).scalar_one()
