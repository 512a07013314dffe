"""The catalogue as DCAT: one description of an entry, written as Turtle and as JSON-LD, after DCAT-AP 3 where its terms have a meaning here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from mulu_site import words
from mulu_site.days import day_of
from mulu_site.entry_view import provider_path
from mulu_site.place import Site
from mulu_site.row import Row
from mulu_site.snapshot import Entry
from mulu_site.terms import ACCESS, EU, FORMATS, FREQUENCY, IANA, LICENCES, File, description, files, period, reach
from mulu_site.text import one_line, slug

PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "dcatap": "http://data.europa.eu/r5r/",
    "eli": "http://data.europa.eu/eli/ontology#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_PRECISION = {4: "^^xsd:gYear", 7: "^^xsd:gYearMonth", 10: "^^xsd:date"}


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
        ("dct:description", Literal(description(entry, row), "@zh")),
        ("dct:publisher", Node(site.url(provider_path(row)), "foaf:Agent", (("foaf:name", Literal(row.provider_title or site.place, "@zh")),))),
        ("dcat:contactPoint", _contact(entry, row)),
        ("dct:issued", _date(row.published)),
        ("dct:modified", _date(row.changed)),
        ("dcat:version", Literal(one_line(entry.get("version")))),
        ("dct:accessRights", Iri(EU + "access-right/" + ACCESS[row.open]) if row.open in ACCESS else None),
        ("dct:accrualPeriodicity", Iri(EU + "frequency/" + FREQUENCY[row.frequency]) if row.frequency in FREQUENCY else None),
        ("dcat:keyword", Literal(words.label("theme", row.theme), "@zh")),
        ("dcat:theme", _theme(row, site)),
        ("dct:spatial", _named(entry.get("spatial"), "dct:Location")),
        ("dct:temporal", _period(entry)),
        ("dct:language", Iri(EU + "language/ZHO")),
        ("dcat:landingPage", Iri(page)),
    ]
    condition, basis = one_line(entry.get("open_condition")), one_line(entry.get("open_basis"))
    if row.open == "conditional" and condition:
        says.append(("dct:rights", Node("", "dct:RightsStatement", (("skos:prefLabel", Literal(condition, "@zh")),))))
    if row.open == "none" and basis:
        says.append(("dcatap:applicableLegislation", Node(page + "#class-open", "eli:LegalResource", (("dct:title", Literal(basis, "@zh")),))))
    says += [("dcat:distribution", _distribution(file, one_line(entry.get("license_id")))) for file in files(entry, site)]
    return Node(page, "dcat:Dataset", _said(says))


def _distribution(file: File, licence: str) -> Node:
    media, kind = FORMATS.get(file.format, ("", ""))
    checksum = (("spdx:algorithm", Iri(PREFIXES["spdx"] + "checksumAlgorithm_sha256")), ("spdx:checksumValue", Literal(file.sha256, "^^xsd:hexBinary")))
    says: list[tuple[str, Any]] = [
        ("dct:title", Literal(file.name, "@zh")),
        ("dct:description", Literal(file.description, "@zh")),
        ("dct:format", Iri(f"{EU}file-type/{kind}") if kind else _named(file.format, "dct:MediaTypeOrExtent", tag="")),
        ("dcat:mediaType", Iri(IANA + media) if media else None),
        ("dcat:accessURL", Iri(file.url)),
        ("dcat:downloadURL", Iri(file.url) if file.is_file else None),
        ("dcat:byteSize", Literal(file.size, "^^xsd:nonNegativeInteger")),
        ("spdx:checksum", Node("", "spdx:Checksum", checksum) if file.sha256 else None),
        ("dct:license", _licence(licence)),
    ]
    return Node("", "dcat:Distribution", _said(says))


def _contact(entry: Entry, row: Row) -> Node | None:
    email, phone = reach(entry)
    named = one_line(entry.get("contact")) if not (email or phone) else row.provider_title
    if not one_line(entry.get("contact")) or not named:
        return None
    says = [("vcard:fn", Literal(named, "@zh")), ("vcard:hasEmail", Iri(f"mailto:{email}") if email else None), ("vcard:hasTelephone", Iri(f"tel:{phone}") if phone else None)]
    return Node("", "vcard:Organization", _said(says))


def _theme(row: Row, site: Site) -> Node | None:
    label = words.label("theme", row.theme)
    return Node(site.url(f"browse/theme/{slug(row.theme)}/"), "skos:Concept", (("skos:prefLabel", Literal(label, "@zh")),)) if label else None


def _period(entry: Entry) -> Node | None:
    first, last = period(entry)
    if not (first or last):
        return _named(entry.get("temporal"), "dct:PeriodOfTime")
    ends = (("dcat:startDate", first), ("dcat:endDate", last))
    return Node("", "dct:PeriodOfTime", tuple((name, Literal(text, _PRECISION[len(text)])) for name, text in ends if text))


def _licence(key: str) -> Iri | Node | None:
    if key in LICENCES:
        return Iri(LICENCES[key])
    return Node("", "dct:LicenseDocument", (("dct:title", Literal(words.label("license_id", key), "@zh")),)) if key else None


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
        ("dct:description", Literal(f"{site.place}各政务部门登记的数据资源目录。", "@zh")),
        ("foaf:homepage", Iri(catalogue)),
        ("dct:language", Iri(EU + "language/ZHO")),
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


def _date(text: str) -> Literal | None:
    """None of what is no day: a reader would stop at it."""
    try:
        return Literal(date.fromisoformat(day_of(text)).isoformat(), "^^xsd:date")
    except ValueError:
        return None


def _named(value: Any, kind: str, *, tag: str = "@zh") -> Node | None:
    text = one_line(value) if not isinstance(value, dict | list) else ""
    return Node("", kind, (("skos:prefLabel", Literal(text, tag)),)) if text else None


def _said(says: Iterable[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    """Leaves out what is not known."""
    return tuple((p, v) for p, v in says if v is not None and not (isinstance(v, Literal) and not v.text))
