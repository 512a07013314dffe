"""Proof of work (ALTCHA) instead of a picture puzzle: nobody has to see or hear anything, nobody is tracked."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import altcha
import ckan.plugins.toolkit as tk
from ckan.lib.redis import connect_to_redis

LIFE = timedelta(minutes=20)
LONGEST = 2000
_SHAPE = {"algorithm": str, "challenge": str, "number": int, "salt": str, "signature": str}


def make() -> dict[str, Any]:
    """A challenge: {algorithm, challenge, maxnumber, salt, signature}; solved by the number whose SHA-256 after the salt it is."""
    options = altcha.ChallengeOptionsV1(
        max_number=int(tk.config["mulu.altcha_max_number"]), hmac_key=_key(), expires=datetime.now(UTC) + LIFE
    )
    made = altcha.create_challenge_v1(options).to_dict()
    return {**made, "maxnumber": made["maxNumber"]}


def solved(payload: Any) -> bool:
    """Whether the payload (base64 of JSON) solves a challenge of ours, in time and for the first time."""
    given = _read(payload)
    if given is None or given["algorithm"] != "SHA-256" or not altcha.verify_solution_v1(given, _key())[0]:
        return False
    name = f"mulu:altcha:{given['challenge']}"
    return bool(connect_to_redis().set(name, 1, nx=True, ex=int(LIFE.total_seconds()) + 60))


def _read(payload: Any) -> Any:
    if not isinstance(payload, str) or len(payload) > LONGEST:
        return None
    try:
        given = json.loads(base64.b64decode(payload, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None
    sound = isinstance(given, dict) and all(type(given.get(key)) is kind for key, kind in _SHAPE.items())
    return {key: given[key] for key in _SHAPE} if sound and given["salt"].isascii() else None


def _key() -> bytes:
    return hmac.digest(tk.config["SECRET_KEY"].encode(), b"mulu altcha", "sha256")
