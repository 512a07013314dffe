"""Schemas that several operations share (JSON Schema 2020-12, as OpenAPI 3.1 takes it)."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
ID: Schema = {"type": "string", "minLength": 1, "maxLength": 1000}
DAY: Schema = {"type": "string", "format": "date"}
MAYBE_DAY: Schema = {"type": ["string", "null"], "format": "date"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
FREE: Schema = {"type": "object"}


def listed(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def record(required: Schema, **optional: Schema) -> Schema:
    """An object with these properties; others may follow as the API grows."""
    return {"type": "object", "properties": {**required, **optional}, "required": list(required)}


def body(required: Schema, **optional: Schema) -> Schema:
    """What is sent: nothing but these."""
    return {**record(required, **optional), "additionalProperties": False}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


PROBLEM = record(
    {"field": TEXT, "rule": TEXT, "message": TEXT, "article": {"type": ["string", "null"]}},
    value={}, where={"type": ["string", "null"]}, severity={"enum": ["error", "warning"]},
)  # fmt: skip
CASE_ROW = record(
    {
        "id": TEXT, "procedure": TEXT, "procedure_title": TEXT, "title": TEXT, "subject_type": {"enum": ["entry", "department", "case", "place", "source"]},
        "subject_id": TEXT, "org": TEXT, "org_title": TEXT, "state": TEXT, "state_label": TEXT, "is_open": FLAG, "due_on": MAYBE_DAY,
        "days_left": {"type": ["integer", "null"]}, "overdue": FLAG, "provisional": FLAG, "my_turn": FLAG, "opened_at": TEXT,
        "updated_at": TEXT, "version": NUMBER,
    }
)  # fmt: skip
CASE = {
    "allOf": [
        ref("CaseRow"),
        record({"case": FREE, "events": listed(FREE), "available": listed(FREE), "diff": listed(FREE), "problems": listed(ref("Problem"))}),
    ]
}
PROCEDURE = record(
    {"id": TEXT, "title": TEXT, "version": TEXT, "states": listed(record({"id": TEXT, "label": TEXT, "public": TEXT, "final": FLAG}))}
)
PLACE = record({"id": TEXT, "name": TEXT, "regulation": TEXT, "level": TEXT, "parent": TEXT, "current": FLAG})
CLOCK = record({"name": TEXT, "label": TEXT, "length": NUMBER, "unit": TEXT, "text": TEXT, "article": TEXT, "note": TEXT, "why": TEXT})
COMPONENTS: dict[str, Schema] = {
    "Problem": PROBLEM, "CaseRow": CASE_ROW, "Case": CASE, "Procedure": PROCEDURE, "Place": PLACE, "Clock": CLOCK,
    "Grant": record({
        "id": TEXT, "case_id": TEXT, "package_id": TEXT, "title": TEXT, "kind": {"enum": ["sharing", "opening"]}, "items": listed(TEXT),
        "until": DAY, "status": {"enum": ["active", "suspended", "ended"]},
    }),
    "Receipt": record({
        "receipt": TEXT, "procedure": TEXT, "procedure_title": TEXT, "title": TEXT, "state": TEXT, "final": FLAG, "filed_on": DAY,
        "due_on": MAYBE_DAY, "provisional": FLAG, "overdue": FLAG, "article": TEXT, "term": TEXT, "extended_by": NUMBER, "joined": FLAG, "waits_for": TEXT,
        "timeline": listed(record({"on": DAY, "label": TEXT, "state": TEXT, "text": TEXT})), "question": {"type": ["object", "null"]},
        "answer": {"type": ["object", "null"]}, "attachments": listed(FREE), "can": listed(TEXT),
    }),
    "HarvestSource": record({
        "name": TEXT, "title": TEXT, "reader": TEXT, "url": TEXT, "organization": TEXT, "schedule": TEXT,
        "arrives": {"enum": ["draft", "submit", "publish"]}, "enabled": FLAG, "settings": FREE, "runs": listed(FREE), "may": FREE,
        "state": {"enum": ["failed", "held", "refused", "running", "new", "well", "disabled"]},
        "records": record({"in": NUMBER, "removed": NUMBER, "quarantined": NUMBER}),
    }),
    "HarvestRun": record({
        "id": TEXT, "source": TEXT, "dry_run": FLAG, "phase": TEXT, "counts": FREE, "seconds": {"type": "number"},
        "reasons": listed(record({"rule": TEXT, "message": TEXT})), "problems": listed(ref("Problem")), "error": TEXT, "case_id": TEXT,
        "state": {"enum": ["waiting", "running", "held", "done", "failed", "stopped", "dropped"]},
    }),
    "HarvestStep": record({
        "source_id": TEXT, "kind": {"enum": ["add", "change", "remove", "restore", "refuse"]}, "state": {"enum": ["planned", "done", "refused"]},
        "title": TEXT, "provider": TEXT, "where": TEXT, "problems": listed(ref("Problem")), "reasons": listed(FREE),
        "changes": listed(record({"field": TEXT, "label": TEXT, "before": TEXT, "after": TEXT, "local": TEXT})),
    }),
    "HarvestProblem": record({"source_id": TEXT, "title": TEXT, "where": TEXT, "problems": listed(ref("Problem")), "tries": NUMBER}),
    "CaseList": record({"count": NUMBER, "results": listed(ref("CaseRow"))}),
    "Refused": record({
        "help": TEXT,
        "success": {"const": False},
        "error": record({"__type": TEXT}, message=TEXT, problems=listed(ref("Problem"))),
    }),
}  # fmt: skip
