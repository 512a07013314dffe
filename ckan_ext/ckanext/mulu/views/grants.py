"""授权: what was granted to this person or department, until when, how it is fetched, and every use of it."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint

from ckanext.mulu import offers
from ckanext.mulu.views import case_view
from ckanext.mulu.views.common import call, problems_of, require_login
from mulu.visibility import holds_grant

mulu_grants = Blueprint("mulu_grants", __name__, url_prefix="/mulu/grants")
mulu_grants.before_request(require_login)


@mulu_grants.get("")
def index() -> str:
    mine = tk.request.args.get("all") is None
    found = call("mulu_grant_list", {"mine": mine, "limit": 500})
    return tk.render("mulu/grants.html", {"rows": titled(found["results"]), "count": found["count"], "mine": mine})


@mulu_grants.get("/<id>")
def show(id: str) -> str:
    return _page(id)


@mulu_grants.post("/<id>/key")
def key(id: str) -> str | tuple[str, int]:
    """A new key, shown on this page and never again."""
    try:
        made = call("mulu_grant_key", {"id": id})
    except tk.ValidationError as error:
        return _page(id, wrong="；".join(one["message"] for one in problems_of(error))), 422
    return _page(id, made["key"])


def _page(id: str, key: str = "", wrong: str = "") -> str:
    grant, log = call("mulu_grant_show", {"id": id}), call("mulu_usage_list", {"grant": id, "limit": 50})
    return tk.render("mulu/grant.html", {"grant": titled([grant])[0], "log": log, "key": key, "wrong": wrong})


def titled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Grants with departments by their titles, and whether the person on the line holds them."""
    titles = case_view.departments()
    return [
        {
            **row,
            "provider_title": titles.get(row["provider"], row["provider"]),
            "org_title": titles.get(row["org"], row["org"]) if row["org"] else "",
            "holder": holds_grant(offers.person(), row["org"], row["person"]),
        }
        for row in rows
    ]
