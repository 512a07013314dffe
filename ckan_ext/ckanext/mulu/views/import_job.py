"""An upload between its dry run and its end, kept in Redis so that any web process can go on with it.

A job is a dict: id, user, filename, organization, problems and sheets (of the file), rows ({where, title, outcome, problems}), entries
({entry, where}), incomplete (draft|refuse), next (index of the next entry to load), result ({created, updated, unchanged,
refused, drafts_with_problems}), submitting (bool), submitted ([{title, ok, message}]).
"""

from __future__ import annotations

import json
import secrets
import zlib
from typing import Any

from ckan.lib.redis import connect_to_redis

#: an upload that nobody confirms is forgotten after a working day
KEEP_SECONDS = 12 * 3600

Job = dict[str, Any]


def _key(job_id: str) -> str:
    return f"mulu:import:{job_id}"


def new(**facts: Any) -> Job:
    job = {"id": secrets.token_urlsafe(16), "next": 0, "result": {}, "submitting": False, "submitted": [], **facts}
    save(job)
    return job


def save(job: Job) -> None:
    connect_to_redis().set(_key(job["id"]), zlib.compress(json.dumps(job, ensure_ascii=False).encode()), ex=KEEP_SECONDS)


def load(job_id: str, user: str) -> Job | None:
    """The person's own job; somebody else's is not there."""
    stored = connect_to_redis().get(_key(job_id))
    job = json.loads(zlib.decompress(stored)) if stored else None
    return job if job and job["user"] == user else None


def forget(job: Job) -> None:
    connect_to_redis().delete(_key(job["id"]))


def lock(job_id: str) -> Any:
    """Held while a part is loaded, so that two tabs do not load it twice."""
    return connect_to_redis().lock(f"{_key(job_id)}:lock", timeout=300, blocking=False)


def merge(into: dict[str, Any], part: dict[str, Any]) -> None:
    """Add the lists of one import answer to those that came before."""
    for name in ("created", "updated", "unchanged", "refused", "drafts_with_problems"):
        into.setdefault(name, []).extend(part.get(name) or [])
