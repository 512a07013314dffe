"""How often somebody may do something: counted in Redis, in windows of a fixed length."""

from __future__ import annotations

import time

from ckan.lib.redis import connect_to_redis


def count(name: str, most: int, window: int) -> int:
    """Count one more of ``name``: 0 if it is among the first ``most`` of this window, else the seconds until the next begins.

    :param window: length in seconds
    """
    key, left = _key(name, window)
    with connect_to_redis().pipeline() as pipe:
        counted, _ = pipe.incr(key).expire(key, 2 * window).execute()
    return left if counted > most else 0


def spent(name: str, most: int, window: int) -> int:
    """As ``count``, without counting: the seconds to wait once ``most`` were counted, else 0."""
    key, left = _key(name, window)
    return left if int(connect_to_redis().get(key) or 0) >= most else 0


def _key(name: str, window: int) -> tuple[str, int]:
    now = int(time.time())
    return f"mulu:rate:{name}:{now // window}", window - now % window
