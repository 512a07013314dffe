"""Files that come with a form: kept at once, so that a form that is refused comes back with them."""

from __future__ import annotations

import ckan.plugins.toolkit as tk

from ckanext.mulu import attachments, offers


def kept(name: str, case_id: str = "") -> list[dict[str, str]]:
    """[{id, name}] of the files that came now. ValidationError says everything that is wrong with any of them."""
    chosen = [one for one in tk.request.files.getlist(name) if one.filename]
    return attachments.keep(case_id, chosen, offers.person().id) if chosen else []
