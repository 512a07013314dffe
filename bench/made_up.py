"""Made-up entries: sound ones for imports, documents for the index."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

import requests

from mulu_harvest.record import Draft
from mulu_site.generate import entries

Entry = dict[str, Any]
_OF_THE_SITE = ("id", "provider_title", "version", "published_at", "history", "objection", "class_decision", "calls", "former_names")
_OF_THE_PORTAL = ("name", "resource_code", "related_codes", "resources")


def sound_drafts(count: int, department: str) -> list[Draft]:
    """So many drafts without an error by the rules of the demo's place, as a form's reader would give them."""
    return [Draft(_as_handed_in(entry, department), f"第 {n} 行", ()) for n, entry in enumerate(entries(count), 1)]


def _as_handed_in(entry: Entry, department: str) -> Entry:
    kept = {key: value for key, value in entry.items() if key not in (*_OF_THE_SITE, *_OF_THE_PORTAL)}
    return {**kept, "title": f"{entry['title']}{entry['name'][-6:]}", "provider": department}


def fill_index(solr: str, site_id: str, count: int, sample: Entry) -> list[str]:
    """So many public documents beside each other in a core: what CKAN itself indexed for ``sample``, with other texts. Gives the titles."""
    titles = []
    for chunk in _chunks(entries(count), 1000):
        documents = [_document(sample, entry, site_id) for entry in chunk]
        titles += [document["title"] for document in documents]
        requests.post(f"{solr}/update", json=documents, timeout=120).raise_for_status()
    requests.post(f"{solr}/update?commit=true", json=[], timeout=120).raise_for_status()
    return titles


def sample_document(solr: str, site_id: str) -> Entry:
    asked = {"q": "*:*", "fq": f"site_id:{site_id} AND entity_type:package", "rows": "1", "fl": "*"}
    return dict(requests.get(f"{solr}/select", params=asked, timeout=30).json()["response"]["docs"][0])


def parts_of(titles: list[str], count: int) -> list[str]:
    """What people type: two to six characters out of a title, the same in every run."""
    rng = random.Random(7)
    chosen = [rng.choice(titles) for _ in range(count)]
    starts = [rng.randrange(max(1, len(title) - 6)) for title in chosen]
    return [title[start : start + rng.randint(2, 6)] for title, start in zip(chosen, starts, strict=True)]


def _document(sample: Entry, entry: Entry, site_id: str) -> Entry:
    document = copy.copy(sample)
    for key in ("_version_", "indexed_ts", "title_ngram", "name_ngram"):
        document.pop(key, None)
    shown = {**json.loads(sample["validated_data_dict"]), "id": entry["id"], "name": entry["name"], "title": entry["title"],
             "notes": entry["notes"], "private": False}  # fmt: skip
    text = json.dumps(shown, ensure_ascii=False)
    return document | {
        "id": entry["id"], "index_id": f"{site_id}-{entry['id']}", "site_id": site_id, "name": entry["name"], "title": entry["title"],
        "notes": entry["notes"], "state": "active", "capacity": "public", "permission_labels": ["public"], "validated_data_dict": text,
        "data_dict": text, "item_names": [item["name"] for item in entry["items"]], "provider_title": entry["provider_title"],
        "share_type": entry["share_type"], "open_type": entry["open_type"], "update_frequency": entry["update_frequency"],
    }  # fmt: skip


def _chunks(given: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    while chunk := list(islice(given, size)):
        yield chunk
