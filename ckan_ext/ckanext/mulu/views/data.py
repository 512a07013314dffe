"""Data under a grant, and the open columns of a table whose other columns are not; downloads of files, closed to outsiders.

``GET /mulu/data/<grant>``: a page of rows as JSON (``limit, offset, fields, sort, <item>=value``), with ``format`` all rows as a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from itertools import chain
from typing import Any
from urllib.parse import quote

import ckan.lib.uploader as uploader
import ckan.plugins.toolkit as tk
from ckan.common import current_user
from ckan.views import resource as core
from flask import Blueprint, Response, request, stream_with_context

from ckanext.mulu import roles
from ckanext.mulu.grants import query as questions
from ckanext.mulu.grants import source as sources
from ckanext.mulu.grants import tables, use, writers
from ckanext.mulu.grants.source import NotServed, Source
from ckanext.mulu.logic import content, refusal
from mulu.errors import Problem
from mulu.people import Person

mulu_data = Blueprint("mulu_data", __name__)
WAIT = 5
"""Seconds after which a table that is being loaded may be asked for again."""


def person() -> Person:
    return roles.person_of(current_user)


@mulu_data.get("/mulu/data/<grant_id>")
def read(grant_id: str) -> Response:
    """Every call leaves a line in the log, also the refused; only a grant that does not exist has none."""
    grant = sources.find(grant_id) if "\0" not in grant_id else None
    if grant is None:
        return problem(sources.refused(404, "no_grant", tk._("没有这项授权")))
    who = ""
    try:
        who = sources.caller(grant, person(), presented_key())
        source = sources.of_grant(grant_id)
        use.require_rate(grant_id)
        return answer(source, who)
    except NotServed as refused:
        form, resource = (request.args.get(*one).replace("\0", "") for one in (("format", "json"), ("resource", "")))
        log(grant, resource[:100], who, form[:20], 0, 0, refused.status)
        return problem(refused)


@mulu_data.get("/mulu/data/open/<resource_id>")
def open_columns(resource_id: str) -> Response:
    try:
        return answer(sources.of_open_table(resource_id), "")
    except NotServed as refused:
        return problem(refused)


@mulu_data.get("/dataset/<id>/resource/<resource_id>/download")
@mulu_data.get("/dataset/<id>/resource/<resource_id>/download/<filename>")
def download(id: str, resource_id: str, filename: str | None = None) -> Any:
    """CKAN's download, once it is the asker's to have; says what to do where it is not."""
    try:
        shown = tk.get_action("resource_show")({"user": current_user.name, "auth_user_obj": current_user}, {"id": resource_id})
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return tk.abort(404, tk._("没有这个资源。"))
    if shown.get("mulu_restricted"):
        return tk.abort(403, tk._("这一数据不是无条件开放的，须经申请取得授权后通过本平台使用。"))
    return core.download("dataset", id, resource_id, filename)


def presented_key() -> str:
    header = request.headers.get("Authorization", "")
    return request.headers.get("X-Mulu-Key", "") or (header[7:].strip() if header.lower().startswith("bearer ") else "")


def answer(source: Source, who: str) -> Response:
    args = list(request.args.items(multi=True))
    if bad := list(refusal.unstorable(dict(args))):
        raise NotServed(422, *bad)
    resource = sources.choose(source, request.args.get("resource", ""))
    tag = sha256(repr((source.id, source.stamp, resource["id"], sorted(args))).encode()).hexdigest()[:32]
    table = content.is_uploaded_table(resource) and tables.state(resource["id"])
    if table and table["state"] != "error":
        if table["state"] != "complete":
            tables.enqueue([source.package_id])
            raise sources.refused(503, "loading", tk._("数据正在装入，请稍后再试"), Retry_After=str(WAIT))
        query = questions.read(source, resource["id"], args)
        if request.if_none_match.contains(tag):
            log(source.grant, resource["id"], who, query.form or "json", 0, 0, 304)
            return finished(Response(status=304), tag)
        if not query.form:
            return finished(page(source, query, who), tag)
        return finished(stream(source, resource, who, query.form, writers.write(query), writers.TYPES[query.form]), tag)
    if not source.whole:
        why = table["error"] if table else tk._("这一文件不是表格，不能按信息项提供")
        raise sources.refused(422, "only_whole", tk._("{why}；授权没有包含全部信息项，不能整个提供，请与提供部门联系").format(why=why), "apply_share")
    path = uploader.get_resource_uploader(resource).get_path(resource["id"])
    return finished(stream(source, resource, who, "", writers.file_blocks(path), "application/octet-stream"), tag)


def page(source: Source, query: questions.Query, who: str) -> Response:
    rows, total = questions.page(query)
    source.require()
    links = {}
    if query.offset + len(rows) < total:
        links["next"] = at_offset(query.offset + query.limit)
    if query.offset:
        links["prev"] = at_offset(max(0, query.offset - query.limit))
    body = {
        "grant": source.id if source.grant is not None else None,
        "resource": query.resource_id, "fields": query.items, "unmatched": list(query.unmatched),
        "total": total, "offset": query.offset, "limit": query.limit, **links,
        "rows": [dict(zip(query.items, row, strict=True)) for row in rows],
    }  # fmt: skip
    text = json.dumps(body, ensure_ascii=False).encode()
    log(source.grant, query.resource_id, who, "json", len(rows), len(text), 200)
    response = Response(text, content_type="application/json")
    if links:
        response.headers["Link"] = ", ".join(f'<{url}>; rel="{name}"' for name, url in links.items())
    return response


def stream(source: Source, resource: dict[str, Any], who: str, form: str, pieces: Iterator[writers.Piece], kind: str) -> Response:
    """The pieces, each after a look at the grant. One that stops in the middle breaks the answer off: it must not look whole."""

    first = next(pieces)  # a question that the table cannot answer is refused before anything is sent

    def body() -> Iterator[bytes]:
        rows = size = 0
        status = 499  # unless the reader takes all of it
        try:
            for count, block in sources.chunks(source, chain([first], pieces)):
                rows, size = rows + count, size + len(block)
                yield block
            status = 200
        except NotServed as stopped:
            status = stopped.status
            raise
        finally:
            log(source.grant, resource["id"], who, form or content.table_format(resource), rows, size, status, how="download")

    name = f"{resource['name'] or resource['id']}.{form}" if form else resource["url"].rpartition("/")[2]
    response = Response(stream_with_context(body()), content_type=kind)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response


def log(grant: Any, resource_id: str, who: str, form: str, rows: int, size: int, status: int, how: str = "") -> None:
    if grant is not None:
        how = how or ("download" if request.args.get("format") else "api")
        use.record(grant, resource_id=resource_id, who=who, how=how, form=form, rows=rows, size=size, status=status)


def finished(response: Response, tag: str) -> Response:
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def problem(refused: NotServed) -> Response:
    """application/problem+json: status, title, and ``problems`` as everywhere."""
    rows: list[Problem] = list(refused.problems)
    body = {
        "type": "about:blank", "status": refused.status, "title": rows[0].message, "rule": rows[0].rule, "article": rows[0].article,
        "problems": [row.to_dict() for row in rows],
    }  # fmt: skip
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status=refused.status, content_type="application/problem+json", headers=refused.headers)


def at_offset(offset: int) -> str:
    args = [(key, value) for key, value in request.args.items(multi=True) if key != "offset"]
    asked = "&".join(f"{quote(key)}={quote(value)}" for key, value in [*args, ("offset", str(offset))])
    return f"{tk.config['ckan.site_url'].rstrip('/')}{request.path}?{asked}"
