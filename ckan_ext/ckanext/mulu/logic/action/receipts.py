"""A receipt by API: the same answer as ``POST /mulu/public/status``."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.mulu.logic import refusal
from ckanext.mulu.public_requests import client, lookup

Context = dict[str, Any]


def mulu_receipt_show(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """A request of the public, to who has its receipt number and its query code; no account is needed. By POST only.

    :param receipt: number, e.g. ``HUARONG-FH-20261121-00001-X``
    :param code: the query code that was shown once
    :returns: as ``lookup.show``; the same error whatever is wrong with the pair, and ``too_many`` after too many tries
    """
    tk.check_access("mulu_receipt_show", context, data)
    try:
        return lookup.show(data.get("receipt"), data.get("code"))
    except client.TooMany as too_many:
        raise refusal.one("", "too_many", str(too_many)) from None
