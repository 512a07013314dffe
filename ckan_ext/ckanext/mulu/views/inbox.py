"""我的待办: what waits for this person, overdue first."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.mulu import helpers
from ckanext.mulu.views.common import require_login

mulu_inbox = Blueprint("mulu_inbox", __name__, url_prefix="/mulu/inbox")
mulu_inbox.before_request(require_login)

#: working days within which a deadline counts as near
NEAR = 2


def is_overdue(row: dict[str, Any]) -> bool:
    return bool(row.get("overdue")) or (row.get("days_left") is not None and row["days_left"] < 0)


def is_near(row: dict[str, Any]) -> bool:
    return not is_overdue(row) and row.get("days_left") is not None and row["days_left"] <= NEAR


@mulu_inbox.get("")
def index() -> str:
    rows = sorted(helpers.mulu_inbox()["results"], key=helpers.urgency)
    query = {key: tk.request.args.get(key, "").strip() for key in ("q", "procedure", "due")}
    groups = {"": lambda row: True, "overdue": is_overdue, "near": is_near, "later": lambda row: not is_overdue(row) and not is_near(row)}
    labels = {"": tk._("全部待办"), "overdue": tk._("已逾期"), "near": tk._("两个工作日内到期"), "later": tk._("时限充裕或未设时限")}
    tones = {"overdue": "m-tile-bad", "near": "m-tile-warn"}
    counts = helpers.mulu_inbox()["counts"]
    procedures = {row["procedure"]: row["procedure_title"] for row in rows}
    kept = [row for row in rows if query["procedure"] in ("", row["procedure"]) and query["q"] in str(row.get("title") or "")]
    tiles = [
        {
            "label": labels[key],
            "count": sum(1 for row in kept if test(row)),
            "tone": tones.get(key, ""),
            "current": key == query["due"],
            "url": _url({**query, "due": key}),
        }
        for key, test in groups.items()
    ]
    chosen = groups.get(query["due"], groups[""])
    return tk.render(
        "mulu/inbox.html",
        {
            "tiles": tiles,
            "rows": [row for row in kept if chosen(row)],
            "query": query,
            "filtered": any(query.values()),
            "procedures": [
                {"id": key, "title": title, "count": counts[key]["turn"], "late": counts[key]["overdue"], "url": _url({**query, "procedure": key})}
                for key, title in procedures.items()
            ],
            "all_url": _url({**query, "procedure": ""}),
            "total": sum(one["turn"] for one in counts.values()),
        },
    )


def _url(query: dict[str, str]) -> str:
    return tk.h.url_for("mulu_inbox.index", **{key: value for key, value in query.items() if value})
