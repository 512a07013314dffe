"""What goes into the index beside CKAN's own, and how it is asked. How fields are weighed stands in Solr's solrconfig.xml."""

from __future__ import annotations

import json
from typing import Any

import ckan.plugins.toolkit as tk
from pypinyin import Style, lazy_pinyin

from ckanext.mulu import entries
from ckanext.mulu.logic import content
from mulu.codes import CODE_LISTS

FACETED = ("catalogue_kind", "theme", "share_type", "open_type", "update_frequency", "format_class")
"""Fields of an entry that are filtered by, each a string field of the same name in the index."""
TITLE = 200
"""Characters of a title that are spelled in pinyin; the rules let none be longer, but a draft may be."""
LONGEST = 8000
"""Characters of any value that are searched."""
WHOLE = ("data_dict", "validated_data_dict")
"""Stored, never searched."""


def before_index(package: dict[str, Any]) -> dict[str, Any]:
    """Adds pinyin and the key to sort by, the department's and the items' names, and the fields that are filtered by.

    What not everybody may have of a published entry, its closed files and addresses, does not get into the index at all.
    """
    stored = json.loads(package["validated_data_dict"])
    shown = content.public_package(stored)
    if shown is not stored:
        for key in WHOLE:
            package[key] = json.dumps({**json.loads(package[key]), "resources": shown["resources"]})
        for key in [key for key in package if key == "res_url" or key.startswith("res_extras_")]:
            package.pop(key)
    title = (stored.get("title") or "")[:TITLE]
    syllables = lazy_pinyin(title, errors=lambda other: list(other))
    initials = "".join(part[0] for part in lazy_pinyin(title, style=Style.FIRST_LETTER, errors="ignore") if part)
    package["title_pinyin"] = ["".join(syllables), initials]
    package["title_sort"] = " ".join(syllables).lower()[:400]
    package["title_string"] = package["title_sort"]
    organisation = entries.organisation(stored.get("owner_org"))
    package["provider_title"] = organisation.title if organisation else ""
    items = stored.get("items") or []
    package["item_names"] = [item["name"] for item in items if item.get("name")]
    for key in FACETED:
        if stored.get(key):
            package[key] = stored[key]
    # What is kept as a structure is searched by the names above; its JSON would only be found by its keys.
    for key in ("items", "secrecy_review", "privacy_review", "source"):
        package.pop(key, None)
        package.pop(f"extras_{key}", None)
    return {key: value if key in WHOLE else _shortened(value) for key, value in package.items()}


def _shortened(value: Any) -> Any:
    """Solr refuses a document with a term of more than 32,766 bytes; a draft may hold any text."""
    if isinstance(value, list):
        return [_shortened(part) for part in value]
    return value[:LONGEST] if isinstance(value, str) else value


def before_search(params: dict[str, Any]) -> dict[str, Any]:
    """Free text is asked with edismax, so that the weights of solrconfig.xml count; a query by field stays as it is."""
    query = (params.get("q") or "").strip()
    if query and query not in ("*:*", "*") and "defType" not in params:
        params["defType"] = "edismax"
    return params


def facets() -> list[tuple[str, str]]:
    """The filters of a list, in order, with their titles."""
    titles = [(name, CODE_LISTS[name].title if name in CODE_LISTS else name) for name in FACETED]
    return [("organization", tk._("部门")), *titles, ("res_format", tk._("格式"))]
