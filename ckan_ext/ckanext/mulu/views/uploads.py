"""Files that come with a form: kept at once, so that a form that is refused comes back with them."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.mulu import offers


def given(name: str) -> list[Any]:
    """The files that were chosen (werkzeug FileStorage)."""
    return [one for one in tk.request.files.getlist(name) if one.filename]


def kept(name: str, form: Any, case_id: str = "") -> list[dict[str, str]]:
    """[{id, name}]: those that an earlier try kept already, and the new ones. ValidationError for one that may not be kept."""
    before = [{"id": one, "name": title} for one, title in zip(form.getlist(f"{name}.id"), form.getlist(f"{name}.name"), strict=False)]
    new = given(name)
    if not new:
        return before
    from ckanext.mulu import attachments

    return before + attachments.keep(case_id, new, offers.person().id)
