"""Departments: CKAN's organisations, whose function (机构职能) decides who reviews."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model


@tk.chained_action
def organization_update(next_: Any, context: dict[str, Any], data: dict[str, Any]) -> Any:
    """CKAN's; a function that is left out stays what it was (the auth function sees to it that only a sysadmin sets it)."""
    organisation = model.Group.get(data.get("id") or data.get("name") or "")
    if organisation is not None and not data.get("mulu_function"):
        data["mulu_function"] = organisation.extras.get("mulu_function") or "provider"
    return next_(context, data)
