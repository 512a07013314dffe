"""What is called at an address of its own: data under a grant, and the public's requests without an account."""

from __future__ import annotations

from typing import Any

from ckanext.mulu.openapi import feeds
from ckanext.mulu.openapi.parts import FLAG, FREE, ID, MAYBE_DAY, NUMBER, TEXT, Schema, body, listed, record, ref
from mulu.case import PROCEDURES

TOLD: Schema = record({"problems": listed(ref("Problem"))})
RECEIPT: Schema = {"receipt": {**TEXT, "maxLength": 60}, "code": {**TEXT, "maxLength": 60}}
FILED: Schema = record(
    {"receipt": TEXT, "code": TEXT, "status_url": TEXT, "procedure_title": TEXT, "state": TEXT, "due_on": MAYBE_DAY, "provisional": FLAG, "article": TEXT}
)
ROWS: Schema = record({"fields": listed(TEXT), "rows": listed(FREE), "total": NUMBER, "offset": NUMBER, "limit": NUMBER})


def paths() -> dict[str, Any]:
    """OpenAPI paths. The public's are answered to anybody; their limits by address and by entry answer 429."""
    return {
        "/mulu/data/{grant}": {"get": _data("mulu_data", "授权数据：只有获准的信息项，每次调用都有记录", "grant")},
        "/mulu/data/open/{resource}": {"get": _data("mulu_data_open", "部分开放的表：只有开放的列", "resource")},
        "/mulu/public/challenge": {"get": _public("mulu_public_challenge", "安全校验（ALTCHA）", {"200": FREE})},
        "/mulu/public/procedures": {"get": _public("mulu_public_procedures", "公众可以办理的事项和要填的栏目", {"200": record({"procedures": listed(FREE)})})},
        "/mulu/public/requests": {"post": _public("mulu_public_request", "提交：复核申请、疑义校核、数据需求、意见建议、投诉举报", {"201": FILED}, body(
            {"procedure": {"enum": list(PROCEDURES)}, "data": FREE, "altcha": TEXT}, entry=ID, request=TEXT))},
        "/mulu/public/status": {"post": _public("mulu_public_status", "凭收件编号和查询码查进度", {"200": FREE}, body(RECEIPT))},
        "/mulu/public/supplement": {"post": _public("mulu_public_supplement", "补充说明", {"200": FREE}, body({**RECEIPT, "supplement": TEXT}))},
        "/mulu/public/withdraw": {"post": _public("mulu_public_withdraw", "撤回", {"200": FREE}, body(RECEIPT, reason=TEXT))},
        "/mulu/public/ledger": {"get": _public("mulu_public_ledger", "公开台账", {"200": record({"rows": listed(FREE), "counts": FREE})}, query={
            "procedure": {"enum": ["rereview", "demand", "suggestion"]}, "page": {"type": "integer", "minimum": 1, "maximum": 100_000}})},
        **feeds.paths(),
    }  # fmt: skip


def _json(description: str, schema: Schema, kind: str = "application/json") -> dict[str, Any]:
    return {"description": description, "content": {kind: {"schema": schema}}}


def _parameters(query: dict[str, Schema] | None) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in (query or {}).items()]


def _public(name: str, summary: str, answers: dict[str, Schema], sent: Schema | None = None, query: dict[str, Schema] | None = None) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "security": [],
        "parameters": _parameters(query),
        "responses": {
            **{status: _json("成功", schema) for status, schema in answers.items()},
            **{status: _json("被拒绝", TOLD) for status in ("403", "404", "413", "415", "422", "429")},
        },
    }
    if sent:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": sent}}}
    return described


def _data(name: str, summary: str, key: str) -> dict[str, Any]:
    files = {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")}
    query = {"resource": ID, "limit": NUMBER, "offset": NUMBER, "fields": ID, "sort": ID, "format": {"enum": ["json", "csv", "xlsx"]}}
    return {
        "operationId": name,
        "summary": summary,
        "security": [{"token": []}, {"key": []}],
        "parameters": [{"name": key, "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[0-9a-f-]{1,40}$"}}, *_parameters(query)],
        "responses": {
            "200": {"description": "数据", "content": {"application/json": {"schema": ROWS}, **files}},
            "304": {"description": "没有变化"},
            **{status: _json("被拒绝", TOLD, "application/problem+json") for status in ("401", "403", "404", "410", "422", "429", "503")},
        },
    }
