"""What all pages of ours share: who asks, how a refusal becomes a list of problems, how a problem finds its control."""

from __future__ import annotations

import re
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.common import current_user

Problems = list[dict[str, Any]]


def context() -> dict[str, Any]:
    """A fresh action context for the person on the line."""
    return {"user": current_user.name, "auth_user_obj": current_user}


def call(action: str, data: dict[str, Any] | None = None) -> Any:
    """The action as this person, with CKAN's two refusals turned into the pages a browser expects.

    :raises tk.ValidationError: for the caller to show beside its form
    """
    try:
        return tk.get_action(action)(context(), data or {})
    except tk.ObjectNotFound:
        return tk.abort(404, tk._("没有这一项，或者您无权查看。"))
    except tk.NotAuthorized as error:
        return tk.abort(403, str(error.message or "") or tk._("您没有办理这一项的权限。"))


def require_login() -> Any:
    """`before_request` of every blueprint of ours: officials only; the rest is for the log-in page."""
    if not current_user.is_authenticated:
        return tk.h.redirect_to("user.login", came_from=tk.request.full_path.rstrip("?"))
    return None


def problems_of(error: tk.ValidationError) -> Problems:
    """A refusal's problems, whichever way the action gave them: `problems` (dicts) or field → messages."""
    found: Problems = []
    for field, messages in (error.error_dict or {}).items():
        if field in ("problems", "__problems") and isinstance(messages, list):
            found += [dict(one) for one in messages if isinstance(one, dict)]
        else:
            found += list(_flatten(field, messages))
    return [anchored(one) for one in _unique(found)]


def anchored(problem: dict[str, Any]) -> dict[str, Any]:
    """The problem with `anchor`, the id of the control that it speaks about: `items[2].length` → field-items-2-length.

    A list is one control, so that a member's problem is its list's; only items have a control for each of their cells, and what
    is asked for or decided on has one for each entry.
    """
    path = str(problem.get("field") or "")
    if entry := re.match(r"((?:\w+-)?(?:asked|decisions)\[\d+\])", path):
        path = entry[1]
    elif not re.match(r"items\[\d+\]\.", path):
        path = re.sub(r"\[\d+\]", "", path)
    return {**problem, "anchor": "field-" + re.sub(r"[\[\].]+", "-", path).strip("-")}


def by_field(problems: Problems) -> dict[str, Problems]:
    """Anchored problems by the control that shows them: a cell of the items by its full path, a part of a field by the field."""
    found: dict[str, Problems] = {}
    for problem in problems:
        whole = re.match(r"field-items-\d+-", problem["anchor"])
        key = problem["anchor"].removeprefix("field-") if whole else re.split(r"[\[.]", str(problem.get("field") or ""))[0]
        found.setdefault(key, []).append(problem)
    return found


def on_entry_form(possible: dict[str, Any]) -> bool:
    """An event whose content is the entry itself is pressed on the entry's form, not on the case's page."""
    return any(field["kind"] == "entry" for field in possible["fields"])


def errors_only(problems: Problems) -> Problems:
    return [one for one in problems if one.get("severity", "error") == "error"]


def _flatten(field: str, messages: Any) -> Any:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _flatten(f"{field}.{key}", inner)
    elif isinstance(messages, list):
        for index, one in enumerate(messages):
            if isinstance(one, dict):
                yield from (
                    [one] if "message" in one else [p for key, v in one.items() for p in _flatten(f"{field}[{index}].{key}", v)]
                )
            elif one:
                yield {"field": field, "message": str(one), "severity": "error"}
    elif messages:
        yield {"field": field, "message": str(messages), "severity": "error"}


def _unique(problems: Problems) -> Problems:
    seen: set[tuple[Any, Any]] = set()
    return [one for one in problems if not ((key := (one.get("field"), one.get("message"))) in seen or seen.add(key))]


def named(problems: Problems, rows: list[dict[str, Any]]) -> Problems:
    """The problems with entries by their titles instead of their ids."""
    for row in rows:
        problems = [{**one, "message": one["message"].replace(f"“{row['id']}”", f"《{row['title']}》")} for one in problems]
    return problems
