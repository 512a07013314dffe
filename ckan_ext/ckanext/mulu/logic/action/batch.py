"""One decision on many cases: each is its own transaction, and each has its own answer."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.mulu import cases, roles, steps
from ckanext.mulu.logic import access, refusal
from ckanext.mulu.transaction import Touched, settle, transaction

MOST = 200


def mulu_case_batch(context: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Apply one event with the same data to several cases. A refusal of one stops none of the others.

    :param ids: of the cases, at most 200
    :param event: id of the event; ``data``: its fields
    :returns: ``{"results": [{id, title, ok, state, problems}]}`` in the order of ``ids``
    """
    tk.check_access("mulu_case_event", context, data)
    refusal.require_storable(data)
    ids, event, filled_in = data.get("ids"), data.get("event"), data.get("data") or {}
    if not isinstance(ids, list) or not ids or len(ids) > MOST or not isinstance(event, str) or not isinstance(filled_in, dict):
        raise refusal.one("ids", "batch_size", f"请给出 1 到 {MOST} 个事项编号（ids）和一个操作（event）")
    actor, touched, results = roles.person(context), Touched(), []
    for case_id in map(str, ids):
        title = ""
        try:
            with refusal.refusals(), transaction({}, later=touched) as step:
                case = cases.get(case_id, lock=True)
                access.require_seen(actor, case)
                title = case.subject["title"]
                after = steps.act(case, event, actor, filled_in, step)
            results.append({"id": case_id, "title": title, "ok": True, "state": after.state, "problems": []})
        except tk.ObjectNotFound:
            problems = [{"field": "", "rule": "not_found", "message": tk._("没有这个事项。"), "article": ""}]
            results.append({"id": case_id, "title": title, "ok": False, "state": "", "problems": problems})
        except tk.ValidationError as error:
            results.append(
                {"id": case_id, "title": title, "ok": False, "state": "", "problems": error.error_dict.get("problems", [])}
            )
    settle(touched)
    return {"results": results}
