"""What other catalogues read: the feed of changes, data.json, DCAT."""

from __future__ import annotations

from typing import Any

from ckanext.mulu.feeds.catalogue import TYPES
from ckanext.mulu.feeds.changes import FORMAT, MOST
from ckanext.mulu.openapi.parts import FREE, MOMENT, NUMBER, TEXT, Schema, listed, record, ref

ENTRY = record(
    {
        "id": TEXT, "name": TEXT, "version": NUMBER, "published_at": MOMENT, "provider": TEXT, "provider_title": TEXT,
        "source_department_title": TEXT, "page": TEXT, "entry": FREE,
    }
)  # fmt: skip
WITHDRAWN = record({"id": TEXT, "withdrawn": {"const": True}, "withdrawn_at": MOMENT})
FEED = record(
    {
        "mulu_feed": {"const": FORMAT}, "place": TEXT, "portal_url": TEXT, "generated_at": MOMENT, "complete_until": MOMENT, "next": TEXT,
        "total": NUMBER, "entries": listed({"oneOf": [ENTRY, WITHDRAWN]}),
    }
)  # fmt: skip
DATA_JSON = record({"conformsTo": TEXT, "dataset": listed(FREE)})
_FORM: Schema = {"enum": list(TYPES)}


def paths() -> dict[str, Any]:
    """OpenAPI paths; all are answered to anybody, and with 304 to who has the answer already."""
    return {
        "/mulu/feed": {"get": _described(
            "mulu_feed", "已发布目录的变化，供其他目录平台汇聚", {"application/json": {"schema": FEED}},
            [_query("since", {"type": "string", "maxLength": 60}), _query("after", {"type": "string", "maxLength": 1000}), _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST})],
        )},
        "/data.json": {"get": _described("data_json", "整份目录（DCAT-US 1.1）", {"application/json": {"schema": DATA_JSON}}, [])},
        "/catalog.{form}": {"get": _described(
            "dcat_catalogue", "整份目录（DCAT，分页，hydra）", _rdf(),
            [_path("form", _FORM), _query("page", {"type": "integer", "minimum": 1}), _query("after", {"type": "string", "maxLength": 100})],
        )},
        "/dataset/{name}.{form}": {"get": _described(
            "dcat_dataset", "一个条目（DCAT）", _rdf(), [_path("name", {"type": "string", "pattern": "^[a-z0-9_-]{2,100}$"}), _path("form", _FORM)],
        )},
    }  # fmt: skip


def _rdf() -> dict[str, Any]:
    return {kind: {"schema": {}} for kind in dict.fromkeys(TYPES.values())}


def _query(name: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _path(name: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _described(name: str, summary: str, content: dict[str, Any], parameters: list[dict[str, Any]]) -> dict[str, Any]:
    refused = {"content": {"application/json": {"schema": record({"problems": listed(ref("Problem"))})}}}
    return {
        "operationId": name,
        "summary": summary,
        "security": [],
        "parameters": parameters,
        "responses": {
            "200": {"description": "成功", "content": content},
            "304": {"description": "没有变化"},
            "400": {"description": "参数有误", **refused},
            "404": {"description": "没有这一页或者这个条目", **refused},
        },
    }
