"""What other catalogues read, without a login and whoever asks: the feed of changes, data.json, DCAT.

``GET /mulu/feed``                      what is published, or what changed since a moment
``GET /data.json``                      the whole catalogue (DCAT-US 1.1)
``GET /catalog.{ttl,jsonld,xml}?page=``  the catalogue in pages (DCAT, hydra)
``GET /dataset/<name>.{ttl,jsonld,xml}`` one entry (DCAT)

Each bears an ETag of all that is published: an answer 304 means that nothing was, to the last page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response, request, stream_with_context

from ckanext.mulu.feeds import catalogue, changes, published
from ckanext.mulu.views.public import told
from mulu.errors import Problem

mulu_feeds = Blueprint("mulu_feeds", __name__)
FORMS = f"<any({','.join(catalogue.TYPES)}):form>"


@mulu_feeds.get("/mulu/feed")
def feed() -> Response:
    question, problems = changes.read(request.args)
    if problems:
        return told(400, *problems)
    waiting = changes.unsettled()
    return answer("application/json", lambda: json.dumps(changes.feed(question), ensure_ascii=False).encode(), question, waiting)


@mulu_feeds.get("/data.json")
def data_json() -> Response:
    return answer("application/json", lambda: stream_with_context(catalogue.data_json()))


@mulu_feeds.get(f"/catalog.{FORMS}")
def catalogue_page(form: str) -> Response:
    number, after = request.args.get("page", "1"), request.args.get("after", "")
    if not (number.isascii() and number.isdigit() and len(number) < 8 and int(number)) or "\0" in after:
        return told(400, Problem("page", "bad_page", tk._("page 应是从 1 起的整数，after 是 hydra:next 给出的"), number[:20]))
    return answer(catalogue.TYPES[form], lambda: catalogue.page(int(number), after, form), number, after, form)


@mulu_feeds.get(f"/dataset/<name>.{FORMS}")
def dataset(name: str, form: str) -> Response:
    return answer(catalogue.TYPES[form], lambda: catalogue.dataset(name, form), name, form)


def answer(kind: str, make: Callable[[], bytes | Iterable[bytes] | None], *asked: object) -> Response:
    """What is asked for, made only where the asker does not have it already; 404 where there is no such thing."""
    tag = published.tag(request.endpoint, *asked)
    if request.if_none_match.contains(tag):
        response = Response(status=304)
    elif (body := make()) is not None:
        response = Response(body, content_type=f"{kind}; charset=utf-8")
    else:
        return told(404, Problem("", "not_found", tk._("没有这一页或者这个条目，或者它没有发布。")))
    response.set_etag(tag)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
