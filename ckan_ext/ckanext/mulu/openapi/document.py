"""The document, built from the actions' own docstrings and the procedures' own schemas."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.mulu import entries
from ckanext.mulu.logic.action import ACTIONS
from ckanext.mulu.openapi import addresses
from ckanext.mulu.openapi.parts import (
    CLOCK,
    COMPONENTS,
    DAY,
    FLAG,
    FREE,
    ID,
    NUMBER,
    Schema,
    body,
    listed,
    record,
    ref,
)
from mulu.case import PROCEDURES, load_procedure


@dataclass(frozen=True)
class Operation:
    """An action: what is sent and what comes back. reads: also by GET, changes nothing."""

    sent: Schema
    result: Schema
    reads: bool = False


def operations() -> dict[str, Operation]:
    """The contract, action by action. Every action of the portal must be here: a test compares."""
    subject = body({"type": {"enum": ["entry", "department", "case", "place", "source"]}, "id": {"type": "string", "maxLength": 1000}})
    lists = {"limit": NUMBER, "offset": NUMBER}
    case_event = {"id": ID, "event": ID}
    asked = body({"id": ID, "items": listed(ID)}, reasons=FREE)
    return {
        "mulu_case_open": Operation(
            body({"procedure": {"enum": list(PROCEDURES)}, "subject": subject}, data=FREE), ref("Case")
        ),
        "mulu_case_event": Operation(body(case_event, data=FREE, version=NUMBER), ref("Case")),
        "mulu_case_batch": Operation(
            body({"ids": {**listed(ID), "minItems": 1, "maxItems": 200}, "event": ID}, data=FREE),
            record({"results": listed(record({"id": ID, "ok": FLAG}))}),
        ),
        "mulu_case_show": Operation(body({"id": ID}), ref("Case"), reads=True),
        "mulu_case_list": Operation(
            body({}, procedure=ID, state=ID, org=ID, party=ID, subject_id=ID, q=ID, turn=ID, since=ID, until=ID, mine=FLAG, open=FLAG,
                 overdue=FLAG, provisional=FLAG, **lists),
            ref("CaseList"), reads=True,
        ),
        "mulu_sharing_apply": Operation(
            body({"asked": listed(asked)}, consumer=ID, data=FREE, submit=FLAG), record({"cases": listed(ID)})
        ),
        "mulu_case_overview": Operation(body({}), record({"total": FREE, "procedures": listed(FREE), "departments": listed(FREE)}), reads=True),
        "mulu_demand_list": Operation(body({}), record({"results": listed(record({"id": ID, "title": ID, "count": NUMBER}))}), reads=True),
        "mulu_grant_show": Operation(body({"id": ID}), {"allOf": [ref("Grant"), record({"resources": listed(FREE)})]}, reads=True),
        "mulu_grant_list": Operation(
            body({}, mine=FLAG, package=ID, case=ID, org=ID, status={"enum": ["active", "suspended", "ended"]}, **lists),
            record({"count": NUMBER, "results": listed(ref("Grant"))}), reads=True,
        ),
        "mulu_grant_key": Operation(body({"id": ID}), record({"id": ID, "key": ID, "address": ID})),
        "mulu_usage_list": Operation(
            body({}, grant=ID, package=ID, since=DAY, until=DAY, **lists), record({"count": NUMBER, "results": listed(FREE)}), reads=True
        ),
        "mulu_entry_import": Operation(
            body({"entries": {**listed(FREE), "maxItems": 500}}, organization=ID, incomplete={"enum": ["refuse", "draft"]}, dry_run=FLAG,
                 submit=FLAG, source=FREE),
            record({"created": listed(FREE), "updated": listed(FREE), "unchanged": listed(FREE), "refused": listed(FREE), "counts": FREE}),
        ),
        **_harvest(lists),
        "mulu_notice_list": Operation(
            body({}, unread=FLAG, case=ID, id=NUMBER, **lists), record({"count": NUMBER, "unread": NUMBER, "results": listed(FREE)}), reads=True
        ),
        "mulu_notice_read": Operation(body({}, ids=listed(NUMBER), all=FLAG), record({"marked": NUMBER, "unread": NUMBER})),
        "mulu_mail_failed": Operation(body({}), record({"count": NUMBER, "results": listed(FREE)}), reads=True),
        "mulu_mail_retry": Operation(body({}), record({"again": NUMBER})),
        "mulu_inbox": Operation(body({}), record({"counts": FREE, "results": listed(ref("CaseRow"))}), reads=True),
        "mulu_procedure_list": Operation(body({}), listed(ref("Procedure")), reads=True),
        "mulu_procedure_show": Operation(body({"id": {"enum": list(PROCEDURES)}}), ref("Procedure"), reads=True),
        "mulu_profile_list": Operation(body({}), listed(ref("Place")), reads=True),
        "mulu_profile_show": Operation(body({"id": ID}), {"allOf": [ref("Place"), record({"clocks": listed(CLOCK)})]}, reads=True),
        "mulu_receipt_show": Operation(body({"receipt": ID, "code": ID}), ref("Receipt")),
        "mulu_entry_check": Operation(body({"entry": FREE}), record({"problems": listed(ref("Problem"))}), reads=True),
        "mulu_entry_history": Operation(body({"id": ID}), listed(record({"version": NUMBER, "published_at": ID, "summary": ID})), reads=True),
    }


def _harvest(lists: dict[str, Schema]) -> dict[str, Operation]:
    name = {"name": ID}
    found = {"count": NUMBER}
    return {
        "mulu_harvest_source_list": Operation(body({}), listed(ref("HarvestSource")), reads=True),
        "mulu_harvest_source_show": Operation(body(name), ref("HarvestSource"), reads=True),
        "mulu_harvest_source_create": Operation(body({**name, "settings": FREE}), ref("HarvestSource")),
        "mulu_harvest_source_update": Operation(body(name, settings=FREE, enabled=FLAG), ref("HarvestSource")),
        "mulu_harvest_source_delete": Operation(body(name), ref("HarvestSource")),
        "mulu_harvest_run_create": Operation(body(name, dry_run=FLAG), ref("HarvestRun")),
        "mulu_harvest_run_list": Operation(body(name, real=FLAG, **lists), record({**found, "results": listed(ref("HarvestRun"))}), reads=True),
        "mulu_harvest_run_show": Operation(body({"id": ID}), ref("HarvestRun"), reads=True),
        "mulu_harvest_run_stop": Operation(body({"id": ID}), ref("HarvestRun")),
        "mulu_harvest_step_list": Operation(
            body({"run": ID}, kind={"enum": ["add", "change", "remove", "restore", "refuse"]}, state={"enum": ["planned", "done", "refused"]},
                 held=FLAG, **lists),
            record({**found, "results": listed(ref("HarvestStep"))}), reads=True,
        ),
        "mulu_harvest_problem_list": Operation(body(name, **lists), record({**found, "results": listed(ref("HarvestProblem"))}), reads=True),
        "mulu_harvest_preview": Operation(
            body({**name, "settings": FREE}), record({"entries": listed(FREE), "problems": listed(ref("Problem")), "whole": FLAG})
        ),
    }  # fmt: skip


def document() -> dict[str, Any]:
    """OpenAPI 3.1: the portal's actions as they are called by POST, with what each procedure takes at its opening."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "目录 Mulu",
            "version": "1",
            "description": "政务数据目录的登记、审核、共享与开放申请。动作（action）返回 {success, result|error}；被规则拒绝时 error.problems 逐条写明栏目、规则与条款。",
        },
        "servers": [{"url": tk.config["ckan.site_url"].rstrip("/")}],
        "paths": {f"/api/3/action/{name}": {"post": _post(name, one)} for name, one in operations().items()} | addresses.paths(),
        "components": {
            "schemas": COMPONENTS | {f"Open_{name}": _opening(name) for name in PROCEDURES},
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "Authorization"}, "key": {"type": "apiKey", "in": "header", "name": "X-Mulu-Key"}},
        },
        "security": [{"token": []}, {}],
    }


def _post(name: str, operation: Operation) -> dict[str, Any]:
    text = inspect.getdoc(ACTIONS[name]) or ""
    refused = {"description": "被拒绝", "content": {"application/json": {"schema": ref("Refused")}}}
    answer = record({"help": {"type": "string"}, "success": {"const": True}, "result": operation.result})
    return {
        "operationId": name,
        "summary": text.splitlines()[0],
        "description": text,
        "requestBody": {"required": True, "content": {"application/json": {"schema": operation.sent}}},
        "responses": {
            "200": {"description": "成功", "content": {"application/json": {"schema": answer}}},
            "400": {"description": "不是 JSON", "content": {"application/json": {"schema": {}}}},
            "403": refused,
            "404": refused,
            "409": refused,
        },
    }


def _opening(procedure: str) -> Schema:
    """What ``mulu_case_open`` takes as ``data`` for one procedure, with this place's own choices."""
    loaded = load_procedure(procedure)
    schema: Mapping[str, Any] = loaded.json_schema(entries.profile())["properties"]["opening"]
    return {**schema, "title": loaded.title}
