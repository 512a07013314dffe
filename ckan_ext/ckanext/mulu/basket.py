"""申请清单: the entries that a person has put aside to ask for, kept in Redis until they are asked for or 90 days have passed."""

from __future__ import annotations

import time

from ckan.lib.redis import connect_to_redis

KEEP_SECONDS = 90 * 24 * 3600
MOST = 100
"""Entries in one basket; an application of more is nobody's 最小够用."""


def _key(user_id: str) -> str:
    return f"mulu:basket:{user_id}"


def ids(user_id: str) -> list[str]:
    """Package ids, in the order in which they were put in."""
    return [one.decode() for one in connect_to_redis().zrange(_key(user_id), 0, -1)]


def count(user_id: str) -> int:
    return int(connect_to_redis().zcard(_key(user_id)))


def add(user_id: str, package_id: str) -> bool:
    """False when the basket is full. An entry that is in it already stays where it is."""
    redis = connect_to_redis()
    if redis.zcard(_key(user_id)) >= MOST and redis.zscore(_key(user_id), package_id) is None:
        return False
    redis.zadd(_key(user_id), {package_id: time.time()}, nx=True)
    redis.expire(_key(user_id), KEEP_SECONDS)
    return True


def remove(user_id: str, *package_ids: str) -> None:
    if package_ids:
        connect_to_redis().zrem(_key(user_id), *package_ids)
