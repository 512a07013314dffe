"""One dataset of a CKAN as a record: this portal's own schema, CKAN's fields, those of ckanext-dcat, and scheming's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mulu.codes import CODE_LISTS
from mulu.entry import FIELD, FIELDS, ITEM_FIELD
from mulu.errors import Problem

from ..json_stream import MAX_DEPTH
from ..record import Record
from ..source import Source
from ..text import clean
from . import wire, words

_FREQUENCY: Final = ("update_frequency", "frequency", "accrual_periodicity", "frequency-of-update")
_SPECIAL: Final = frozenset({"title", "name", "notes", "provider", "license_id", "resources", "items", "source", "open_theme", "theme",
                             "spatial", "update_frequency", "open_type", "published_on", "data_updated_on", "contact", "temporal"})  # fmt: skip
"""Fields of ours that are read in their own way."""


def record_of(source: Source, where: str, dataset: Mapping[str, Any], base: str) -> Record:
    """:param base: the CKAN's address, ``""`` where it is not known."""
    return _Dataset(source, where, dataset, base).record()


class _Dataset:
    def __init__(self, source: Source, where: str, dataset: Mapping[str, Any], base: str) -> None:
        self.source, self.where, self.dataset, self.base = source, where, dataset, base
        self.flat = _flat(dataset)
        self.problems: list[Problem] = []

    def text(self, *keys: str) -> str:
        """The first of these fields that says something; of several languages, Chinese."""
        return next((found for key in keys if (found := words.text(self.source, _one_language(self.flat.get(key))))), "")

    def texts(self, key: str) -> str | list[str]:
        value = self.flat.get(key)
        if isinstance(value, list):
            return [found for one in value if (found := words.text(self.source, one))]
        return self.text(key)

    def record(self) -> Record:
        organization = self.dataset.get("organization")
        owner = organization if isinstance(organization, Mapping) else {}
        raw: dict[str, Any] = {
            "provider": words.text(self.source, owner.get("title") or owner.get("name")) or self.text("publisher_name"),
            "provider_hint": words.text(self.source, owner.get("name")),
        }
        if self.source.department:
            raw["provider"] = self.text(self.source.department)
        entry = None
        if self.ours() and not self.source.fields and not self.source.lookups:
            entry, told = wire.entry_of(self.flat, self.where)
            self.problems += told
        else:
            raw |= self.described()
        made = words.record(self.source, self.where, raw, id=self.id(), url=self.address(), problems=self.problems, made="id")
        return Record(made.where, made.raw, made.cells, made.problems, entry)

    def id(self) -> str:
        if self.source.identity:
            return clean(words.part(self.source, self.flat, self.source.identity))
        return clean(self.dataset.get("id")) if isinstance(self.dataset.get("id"), str) else ""

    def address(self) -> str:
        if self.source.address:
            return self.text(self.source.address)
        name = self.text("name") or self.id()
        return f"{self.base}/dataset/{name}" if self.base and name else self.text("url")

    def ours(self) -> bool:
        """Whether both classes are stated in our codes, which no other schema does."""
        return all(isinstance(self.flat.get(key), str) and self.flat[key] in CODE_LISTS[key] for key in ("share_type", "open_type"))

    def described(self) -> dict[str, Any]:
        """Our key → the source's words."""
        licence, told = words.licence(self.source, [self.text("license_id"), self.text("license_url")], self.where)
        self.problems += told
        resources, formats, newest = self.resources()
        open_type = words.code(self.source, "open_type", self.text("open_type", "access_rights"))
        span = [self.text("temporal_start"), self.text("temporal_end")]
        raw: dict[str, Any] = {key: self.texts(key) for key in self.own_keys()}
        raw |= {
            "title": self.text("title_translated", "title") or self.text("name"),
            "notes": words.plain(self.text("notes_translated", "notes")),
            "license_id": licence,
            "open_type": open_type,
            "update_frequency": words.code(self.source, "update_frequency", self.text(*_FREQUENCY)),
            "published_on": words.beijing_day(self.text("published_on", "issued", "dcat_issued") or self.instant("metadata_created")),
            "data_updated_on": words.beijing_day(
                self.text("data_updated_on", "modified", "dcat_modified") or newest or self.instant("metadata_modified")
            ),
            "contact": self.text("contact") or words.contact(*self.people()),
            "spatial": "" if (place := self.text("spatial_text", "spatial")).startswith(("{", "[")) else place,
            "temporal": self.text("temporal") or ("/".join(span) if any(span) else ""),
            "items": self.items(),
            "resources": resources,
            "formats": "" if self.text("format_type") else formats,
        }
        raw |= words.themes(_listed(self.texts("open_theme")) or self.names("groups"), [*_listed(self.texts("theme")), *self.names("tags")])
        return raw | words.overrides(self.source, self.flat)

    def own_keys(self) -> Iterable[str]:
        return (f.key for f in FIELDS if f.key in self.flat and f.key not in _SPECIAL and f.kind not in ("review", "org"))

    def instant(self, key: str) -> str:
        """A time of CKAN's own, which is UTC without saying so."""
        found = self.text(key)
        return f"{found}Z" if "T" in found and "+" not in found and not found.endswith("Z") else found

    def people(self) -> list[str]:
        for role in ("contact", "maintainer", "author"):
            found = [self.text(f"{role}_name" if role == "contact" else role), self.text(f"{role}_email", f"{role}-email")]
            if any(found):
                return found
        return []

    def names(self, key: str) -> list[str]:
        """Of tags or groups, as people read them."""
        found = self.dataset.get(key)
        rows = found if isinstance(found, list) else []
        titles = ((row.get("display_name") or row.get("title") or row.get("name")) if isinstance(row, Mapping) else row for row in rows)
        return [text for title in titles if (text := words.text(self.source, title))]

    def items(self) -> list[dict[str, str]]:
        rows = self.flat.get("items")
        if not isinstance(rows, list):
            return []
        found = [
            {key: words.text(self.source, value) for key, value in row.items() if key in ITEM_FIELD}
            for row in rows
            if isinstance(row, Mapping)
        ]
        if len(found) < len(rows):
            self.problems.append(words.problem("items", "odd_items", self.where, f"有 {len(rows) - len(found)} 个信息项无法识别，未读入"))
        return found

    def resources(self) -> tuple[list[dict[str, str]], list[str], str]:
        """(files and services in wire form, names of their formats, when the newest was changed)."""
        listed = self.dataset.get("resources")
        made, formats, newest = [], {}, ""
        for row in listed if isinstance(listed, list) else []:
            if not isinstance(row, Mapping) or row.get("state", "active") != "active":
                continue
            say = {key: words.text(self.source, _one_language(value)) for key, value in row.items()}
            form = words.file_format(say.get("format") or say.get("mimetype") or "")
            formats |= dict.fromkeys(filter(None, [form]))
            newest = max(newest, say.get("last_modified", ""))
            found = words.resource(say.get("name", ""), say.get("url", ""), form, say.get("description", ""), say.get("size", ""))
            if found and say.get("hash"):
                found["hash"] = say["hash"]
            made += [found] if found else []
        return made, list(formats), f"{newest}Z" if "T" in newest and newest[-1] != "Z" else newest


def _flat(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """The dataset with its extras beside its fields (which come first), and what scheming stores as JSON text read."""
    extras = dataset.get("extras")
    if isinstance(extras, list):
        pairs = [(row.get("key"), row.get("value")) for row in extras if isinstance(row, Mapping)]
    else:
        pairs = list(extras.items()) if isinstance(extras, Mapping) else []
    flat = {str(key): value for key, value in pairs if isinstance(key, str)}
    flat |= {key: value for key, value in dataset.items() if value not in (None, "", [], {}) or key not in flat}
    return {key: _parsed(value) if key not in FIELD or FIELD[key].kind not in ("text", "long_text") else value for key, value in flat.items()}


def _parsed(value: Any) -> Any:
    """A list or object that stands as JSON in a text; anything else, and what is nested beyond reason, as it is."""
    if not isinstance(value, str) or not value.startswith(("[", "{")) or value.count("[") + value.count("{") > 100_000:
        return value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return found if _depth(found) <= MAX_DEPTH else value


def _depth(value: Any) -> int:
    layers, level = 0, [value]
    while level:
        level = [part for one in level for part in (one.values() if isinstance(one, dict) else one) if isinstance(part, (dict, list))]
        layers += 1
        if layers > MAX_DEPTH:
            break
    return layers


def _one_language(value: Any) -> Any:
    """Of a text in several languages, as ckanext-fluent has it, Chinese where it is among them."""
    if not isinstance(value, Mapping):
        return value
    by = {str(key).lower().replace("-", "_"): text for key, text in value.items() if text}
    return next((by[key] for key in ("zh", "zh_cn", "zh_hans", "zh_hans_cn", "en") if key in by), next(iter(by.values()), ""))


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []
