"""The catalogue for machines: an entry as a DCAT dataset (one description, written as Turtle and as JSON-LD), as schema.org and as DCAT-US.

Access rights come from openness, never from sharing between departments; frequencies are those of the EU vocabulary.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mulu_site import words
from mulu_site.entry_view import provider_path
from mulu_site.place import Site
from mulu_site.row import Row
from mulu_site.snapshot import Entry
from mulu_site.text import one_line, web_address

_EU = "http://publications.europa.eu/resource/authority/"
PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "dcatap": "http://data.europa.eu/r5r/",
    "eli": "http://data.europa.eu/eli/ontology#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
ACCESS = {"unconditional": "PUBLIC", "conditional": "RESTRICTED", "none": "NON_PUBLIC"}
FREQUENCY = {
    "realtime": "CONT", "daily": "DAILY", "weekly": "WEEKLY", "monthly": "MONTHLY", "quarterly": "QUARTERLY",
    "half_yearly": "ANNUAL_2", "yearly": "ANNUAL", "irregular": "IRREG", "never": "NEVER",
}  # fmt: skip
_US_ACCESS = {"unconditional": "public", "conditional": "restricted public", "none": "non-public"}
_ISO_FREQUENCY = {
    "realtime": "R/PT1S", "daily": "R/P1D", "weekly": "R/P1W", "monthly": "R/P1M", "quarterly": "R/P3M",
    "half_yearly": "R/P6M", "yearly": "R/P1Y", "irregular": "irregular",
}  # fmt: skip

# What leaves in an entry's JSON is named, not what stays: a key that nobody thought of is not public.
_PUBLIC = ("id", "name", *(f.key for f in words.FIELDS if f.key not in words.WITHHELD), "provider_title", "version", "published_at",
           "history", "objection", "class_decision")  # fmt: skip


@dataclass(frozen=True)
class Literal:
    text: str
    tag: str = ""  # "@zh" or "^^xsd:date"


@dataclass(frozen=True)
class Iri:
    value: str


@dataclass(frozen=True)
class Node:
    """A resource and what is said of it; `iri` "" makes it a blank node."""

    iri: str
    type: str
    says: tuple[tuple[str, Any], ...]


def dataset(entry: Entry, row: Row, site: Site) -> Node:
    """The entry as a dcat:Dataset."""
    page = site.url(f"entry/{row.page}/")
    says: list[tuple[str, Any]] = [
        ("dct:identifier", Literal(row.code or row.id)),
        ("dct:title", Literal(row.title, "@zh")),
        ("dct:description", Literal(str(entry.get("notes") or ""), "@zh")),
        (
            "dct:publisher",
            Node(site.url(provider_path(row)), "foaf:Agent", (("foaf:name", Literal(row.provider_title, "@zh")),)),
        ),
        ("dct:issued", _date(row.published)),
        ("dct:modified", _date(row.changed)),
        ("dct:accessRights", Iri(_EU + "access-right/" + ACCESS[row.open]) if row.open in ACCESS else None),
        (
            "dct:accrualPeriodicity",
            Iri(_EU + "frequency/" + FREQUENCY[row.frequency]) if row.frequency in FREQUENCY else None,
        ),
        ("dcat:keyword", Literal(words.label("theme", row.theme), "@zh")),
        ("dct:spatial", _named(entry.get("spatial"), "dct:Location")),
        ("dcat:landingPage", Iri(page)),
    ]
    basis = one_line(entry.get("open_basis"))
    if row.open == "none" and basis:
        says.append(
            ("dcatap:applicableLegislation", Node("", "eli:LegalResource", (("dct:title", Literal(basis, "@zh")),)))
        )
    for resource in _resources(entry, site):
        says.append(("dcat:distribution", _distribution(resource)))
    return Node(page, "dcat:Dataset", _said(says))


def _distribution(resource: dict[str, str]) -> Node:
    return Node(
        "",
        "dcat:Distribution",
        _said(
            [
                ("dct:title", Literal(resource["name"], "@zh")),
                ("dct:format", Literal(resource["format"])),
                ("dcat:accessURL", Iri(resource["url"])),
                ("dcat:byteSize", Literal(resource["size"], "^^xsd:nonNegativeInteger")),
            ]
        ),
    )


def catalogue_page(
    site: Site, number: int, pages: int, total: int, datasets: Iterable[Node], *, address: Callable[[int], str] | None = None
) -> list[Node]:
    """One page of the catalogue, tied to its neighbours by hydra as CKAN's own DCAT feed is; the first one states the total.

    address: of a page by its number, where it is not the public site's file.
    """

    def at(page: int) -> Iri:
        return Iri(address(page) if address else site.url(f"dcat/catalog-{page}.ttl"))

    catalogue = site.url("")
    content = list(datasets)
    says = [
        ("dct:title", Literal(site.title, "@zh")),
        ("dct:language", Iri(_EU + "language/ZHO")),
        ("dct:publisher", Node("", "foaf:Agent", (("foaf:name", Literal(site.authority or site.place, "@zh")),))),
        *(("dcat:dataset", Iri(node.iri)) for node in content),
    ]
    view = [
        ("hydra:totalItems", Literal(str(total), "^^xsd:integer") if number == 1 else None),
        ("hydra:first", at(1)),
        ("hydra:previous", at(number - 1) if number > 1 else None),
        ("hydra:next", at(number + 1) if number < pages else None),
        ("hydra:last", at(pages)),
    ]
    page = Node(at(number).value, "hydra:PartialCollectionView", _said(view))
    return [Node(catalogue, "dcat:Catalog", _said(says)), page, *content]


def turtle(nodes: Iterable[Node]) -> bytes:
    head = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
    extra: list[Node] = []
    body = []
    for node in nodes:
        body.append(f"\n<{node.iri}> a {node.type}{_turtle_says(node, extra)} .\n")
    seen: set[str] = set()
    for node in extra:
        if node.iri not in seen:
            seen.add(node.iri)
            body.append(f"\n<{node.iri}> a {node.type}{_turtle_says(node, extra)} .\n")
    return (head + "".join(body)).encode()


def _turtle_says(node: Node, extra: list[Node]) -> str:
    return "".join(f" ;\n  {predicate} {_turtle_value(value, extra)}" for predicate, value in node.says)


def _turtle_value(value: Any, extra: list[Node]) -> str:
    if isinstance(value, Iri):
        return f"<{value.value}>"
    if isinstance(value, Literal):
        return json.dumps(value.text, ensure_ascii=False) + value.tag
    if value.iri:  # a resource of its own is described after the one that names it
        extra.append(value)
        return f"<{value.iri}>"
    return f"[ a {value.type}{_turtle_says(value, extra)} ]"


def json_ld(nodes: Iterable[Node]) -> bytes:
    graph = {"@context": PREFIXES, "@graph": [_json_node(node) for node in nodes]}
    return json.dumps(graph, ensure_ascii=False, separators=(",", ":")).encode()


def _json_node(node: Node) -> dict[str, Any]:
    made: dict[str, Any] = {"@id": node.iri} if node.iri else {}
    made["@type"] = node.type
    for predicate, value in node.says:
        made.setdefault(predicate, []).append(_json_value(value))
    return {key: value[0] if isinstance(value, list) and len(value) == 1 else value for key, value in made.items()}


def _json_value(value: Any) -> Any:
    if isinstance(value, Iri):
        return {"@id": value.value}
    if isinstance(value, Node):
        return _json_node(value)
    if value.tag.startswith("@"):
        return {"@value": value.text, "@language": value.tag[1:]}
    return {"@value": value.text, "@type": value.tag[2:]} if value.tag else value.text


def schema_org(entry: Entry, row: Row, site: Site) -> dict[str, Any]:
    """schema.org/Dataset, for search engines."""
    notes = one_line(entry.get("notes"))
    return _full(
        {
            "@context": "https://schema.org",
            "@type": "Dataset",
            "@id": site.url(f"entry/{row.page}/"),
            "url": site.url(f"entry/{row.page}/"),
            "name": row.title,
            "description": (notes or row.title)[:1000],
            "identifier": row.code,
            "inLanguage": "zh-CN",
            "creator": {"@type": "GovernmentOrganization", "name": row.provider_title or site.place},
            "datePublished": row.published[:10],
            "dateModified": row.changed,
            "isAccessibleForFree": True,
            "conditionsOfAccess": words.label("open_type", row.open),
            "keywords": words.label("theme", row.theme),
            "variableMeasured": [
                one_line(i.get("name"))[:60] for i in (entry.get("items") or [])[:20] if isinstance(i, dict)
            ],
            "includedInDataCatalog": {"@type": "DataCatalog", "name": site.title, "url": site.url("")},
            "distribution": [
                {
                    "@type": "DataDownload",
                    "contentUrl": r["url"],
                    "encodingFormat": r["format"],
                    "name": r["name"][:100],
                }
                for r in _resources(entry, site)[:20]
            ],
        }
    )


def dcat_us(entry: Entry, row: Row, site: Site) -> dict[str, Any]:
    """One dataset of data.json (DCAT-US 1.1 where its fields have a meaning here)."""
    return _full(
        {
            "@type": "dcat:Dataset",
            "identifier": row.code or row.id,
            "title": row.title,
            "description": str(entry.get("notes") or row.title),
            "keyword": [k for k in (words.label("theme", row.theme), words.label("catalogue_kind", row.kind)) if k],
            "modified": row.changed,
            "issued": row.published[:10],
            "accrualPeriodicity": _ISO_FREQUENCY.get(row.frequency, ""),
            "publisher": {"@type": "org:Organization", "name": row.provider_title},
            "contactPoint": {"@type": "vcard:Contact", "fn": one_line(entry.get("contact")) or row.provider_title},
            "accessLevel": _US_ACCESS.get(row.open, "non-public"),
            "rights": one_line(entry.get("open_condition")) or one_line(entry.get("open_basis")),
            "landingPage": site.url(f"entry/{row.page}/"),
            "theme": [words.label("theme", row.theme)] if row.theme else [],
            "language": ["zh-CN"],
            "distribution": [
                {"@type": "dcat:Distribution", "title": r["name"], "format": r["format"], "accessURL": r["url"]}
                for r in _resources(entry, site)
            ],
        }
    )


def public(entry: Entry, row: Row, site: Site) -> dict[str, Any]:
    """The entry as its JSON shows it: every public field, addresses a browser may follow, and where its page is."""
    shown = {key: entry[key] for key in _PUBLIC if entry.get(key) not in (None, "", [], {})}
    resources = [r for r in entry.get("resources") or [] if isinstance(r, dict)]
    shown["resources"] = [
        {**{k: v for k, v in r.items() if k != "preview"}, "url": web_address(r.get("url"), site.portal_url)} for r in resources
    ]
    return {**shown, "page": site.url(f"entry/{row.page}/")}


def _resources(entry: Entry, site: Site) -> list[dict[str, str]]:
    return [
        {
            "name": one_line(r.get("name")) or one_line(entry.get("title")),
            "format": one_line(r.get("format")).upper(),
            "url": web_address(r.get("url"), site.portal_url),
            "size": str(r["size"]) if isinstance(r.get("size"), int) and r["size"] > 0 else "",
        }
        for r in entry.get("resources") or []
        if isinstance(r, dict) and web_address(r.get("url"), site.portal_url)
    ]


def _date(text: str) -> Literal:
    return Literal(text[:10], "^^xsd:date")


def _named(value: Any, kind: str) -> Node | None:
    text = one_line(value) if not isinstance(value, dict | list) else ""
    return Node("", kind, (("skos:prefLabel", Literal(text, "@zh")),)) if text else None


def _said(says: Iterable[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    """Leaves out what is not known."""
    return tuple((p, v) for p, v in says if v is not None and not (isinstance(v, Literal) and not v.text))


def _full(value: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in value.items() if v not in ("", [], None)}
