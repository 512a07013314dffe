"""Requests that the public site's form kept as a file while the portal was away; an operator hands them in, without proof of work."""

from __future__ import annotations

import json
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.mulu.logic import refusal
from ckanext.mulu.public_requests import intake
from mulu.errors import Problem

VERSION = 1
_KEYS = {"mulu_request", "procedure", "entry", "data", "saved_at"}


def read(content: bytes) -> list[dict[str, Any]]:
    """The requests of a file, one or a list: ``{"mulu_request": 1, procedure, entry, data, saved_at}``.

    :raises tk.ValidationError: when it is no such file; then none of it is handed in
    """
    try:
        given = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise refusal.one("", "not_json", tk._("不是公共网站存成的申请文件：内容不是 JSON")) from None
    rows = given if isinstance(given, list) else [given]
    problems = [
        Problem("", "not_a_request", tk._("不是公共网站存成的申请文件：须有 mulu_request、procedure、data"), None, where=tk._("第{n}件").format(n=n))
        for n, row in enumerate(rows, start=1)
        if not isinstance(row, dict) or row.get("mulu_request") != VERSION or not {"procedure", "data"} <= set(row) or set(row) - _KEYS
    ]
    if problems or not rows:
        raise refusal.error(problems or [Problem("", "empty", tk._("文件里没有申请"))])
    return rows


def file(row: dict[str, Any]) -> dict[str, Any]:
    """Hand one in, under the same rules as at the door; gives and raises as ``intake.file``."""
    return intake.file(row["procedure"], row.get("entry"), row["data"])
