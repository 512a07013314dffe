"""An entry's open files as a frictionless data package: what they are called, where they lie, how to check them, what their columns are.

Data Package 1.0 (specs.frictionlessdata.io), which the readers at hand (frictionless-py, R, OpenRefine) understand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mulu_site import words
from mulu_site.place import Site
from mulu_site.row import API_FORMATS, Row
from mulu_site.snapshot import Entry
from mulu_site.terms import FORMATS, LICENCES, bytes_of, sha256_of
from mulu_site.text import fold, one_line, slug, web_address

Fields = list[dict[str, Any]]
_TABLES = frozenset({"csv", "xlsx", "xls"})
_COPIED = frozenset({"xlsx", "xls"})
"""frictionless reads a workbook at an address from a copy of which it knows neither size nor checksum: held against `bytes` and `hash`,
every workbook would be damaged. Both stand beside, under names of our own."""
_TYPES = {
    "C": "string", "N": "number", "Y": "number", "D": "date", "T": "datetime", "L": "boolean", "M": "string", "G": "any", "B": "number",
    "I": "integer", "F": "number",
}  # fmt: skip


def descriptor(entry: Entry, row: Row, site: Site) -> dict[str, Any] | None:
    """The package (datapackage.json); None of an entry that offers no file to everybody."""
    files = _files(entry, site)
    if not files:
        return None
    items = [(one_line(i["name"]), i) for i in entry.get("items") or [] if isinstance(i, dict) and i.get("name")]
    known = {fold(name): item for name, item in items}
    fields = [_field(name, known[fold(name)]) for name in dict.fromkeys(name for name, _ in items)]
    resources = [_resource(r, n, known, fields, site) for n, r in files]
    license_ = one_line(entry.get("license_id"))
    page = site.url(f"entry/{row.page}/")
    return _full(
        {
            "profile": "data-package",
            "name": row.page,
            "id": row.code or row.id,
            "title": row.title,
            "description": str(entry.get("notes") or ""),
            "homepage": page if site.site_url else "",
            "version": one_line(entry.get("version")),
            "created": str(entry.get("published_at") or ""),
            "keywords": [label for label in (words.label("theme", row.theme),) if label],
            "licenses": [_full({"name": slug(license_), "title": words.label("license_id", license_), "path": LICENCES.get(license_, "")})] if license_ else [],
            "contributors": [{"title": row.provider_title or site.place, "role": "publisher"}],
            "sources": [{"title": site.title, "path": page}] if site.site_url else [],
            "resources": resources,
        }
    )


def is_offered(entry: Entry, site: Site) -> bool:
    """Whether the entry has a package."""
    return bool(_files(entry, site))


def _files(entry: Entry, site: Site) -> list[tuple[int, Entry]]:
    """Files that anybody may fetch, each with its place among the files."""
    files = [r for r in entry.get("resources") or [] if isinstance(r, dict) and _format(r).upper() not in API_FORMATS]
    return [(n, r) for n, r in enumerate(files, start=1) if web_address(r.get("url"), site.portal_url)]


def _resource(resource: Entry, number: int, known: Mapping[str, Entry], fields: Fields, site: Site) -> dict[str, Any]:
    kind, hash_ = _format(resource).lower(), one_line(resource.get("hash"))
    preview = resource["preview"] if isinstance(resource.get("preview"), dict) else {}
    described = {
        "profile": "tabular-data-resource" if kind in _TABLES else "data-resource",
        "name": f"file-{number}",
        "title": one_line(resource.get("name")),
        "path": web_address(resource.get("url"), site.portal_url),
        "format": kind,
        "mediatype": FORMATS[kind.upper()][0] if kind.upper() in FORMATS else "",
        "encoding": one_line(preview.get("encoding")),
        "bytes": bytes_of(resource) or "",
        "hash": hash_ if ":" in hash_ or len(hash_) == 32 else "",  # without its algorithm a hash is md5 by the specification
    }
    if kind in _COPIED:
        described |= {"bytes": "", "hash": "", "byteSize": bytes_of(resource) or "", "sha256": sha256_of(resource)}
    if kind in _TABLES:
        described["schema"] = {"fields": _read(preview, known) or fields}
    return _full(described)


def _read(preview: Entry, known: Mapping[str, Entry]) -> Fields:
    """The columns in the file's order where the portal has read it, with their types as registered; none where it has not."""
    columns = preview.get("columns") if isinstance(preview.get("columns"), list) else []
    names = dict.fromkeys(one_line(c.get("name")) for c in columns or [] if isinstance(c, dict))
    return [_field(name, known.get(fold(name), {})) for name in names]


def _field(name: str, item: Entry) -> dict[str, Any]:
    type_, length = _TYPES.get(str(item.get("data_type") or ""), "string" if item else "any"), str(item.get("length") or "")
    field = {"name": name, "type": type_, "description": one_line(item.get("description"))}
    if type_ in ("date", "datetime"):
        field["format"] = "any"
    if type_ == "string" and length.isascii() and length.isdigit() and len(length) < 10 and int(length):
        field["constraints"] = {"maxLength": int(length)}
    return _full(field)


def _format(resource: Entry) -> str:
    return one_line(resource.get("format"))


def _full(value: dict[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in value.items() if part not in ("", [], None)}
