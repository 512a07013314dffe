"""Reads a DCAT feed: Turtle, RDF/XML, JSON-LD or N-Triples, page by page as hydra ties them; one page's graph is held at a time.

A dataset is known by its dct:identifier, else by its address, else by a digest of publisher and title, which is told.
``options.identity: uri`` takes the address first, for a source whose identifiers are not unique; ``options.prefixes`` (name → address)
completes a Turtle document that forgot to declare some; ``options.max_page_bytes`` lowers the size that a page may have.
Texts in several languages: Chinese first, then the one without a language, then English. Openness is dct:accessRights alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

from pyoxigraph import BlankNode, Literal, NamedNode

from mulu.errors import Problem

from ..addresses import hide
from ..fetch import Fetch
from ..record import Page, Record
from ..source import Source, SourceError
from . import rdf, words
from .rdf import Graph, Node

ADMS = "http://www.w3.org/ns/adms#"
DC = "http://purl.org/dc/elements/1.1/"
DCAT = "http://www.w3.org/ns/dcat#"
DCATAP = "http://data.europa.eu/r5r/"
DCT = "http://purl.org/dc/terms/"
FOAF = "http://xmlns.com/foaf/0.1/"
HYDRA = "http://www.w3.org/ns/hydra/core#"
LOCN = "http://www.w3.org/ns/locn#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
SCHEMA = "http://schema.org/"
SKOS = "http://www.w3.org/2004/02/skos/core#"
VCARD = "http://www.w3.org/2006/vcard/ns#"
MAX_PAGES = 100_000
_PREFIXES = {"dct": DCT, "dcterms": DCT, "dcat": DCAT, "foaf": FOAF, "adms": ADMS, "dcatap": DCATAP, "schema": SCHEMA}
_VALUE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#value"
_NAME = (
    f"{FOAF}name", f"{VCARD}fn", f"{VCARD}organization-name", f"{SKOS}prefLabel", f"{RDFS}label", f"{DCT}title", f"{SCHEMA}name",
    f"{LOCN}geographicName",
)  # fmt: skip
_OUR_DEPARTMENT = re.compile(r"/browse/department/([a-z0-9][a-z0-9_-]{1,99})/$")


def read(source: Source, fetch: Fetch, resume: str) -> Iterator[Page]:
    """Pages of up to 200 datasets, of one page of the source after the other; ``resume`` is the number and the address of the page to go on with.

    :raises SourceError: a page that is no RDF, is cut or too large, or pages that lead back to one that was read.
    """
    number, url = _place(source, resume)
    limit, prefixes = source.options.get("max_page_bytes", rdf.MAX_BYTES), source.options.get("prefixes", {})
    if not isinstance(limit, int) or limit < 1:
        raise SourceError(f"来源“{source.title}”的 options.max_page_bytes 应当是字节数，现在是“{limit}”")
    if not isinstance(prefixes, dict):
        raise SourceError(f"来源“{source.title}”的 options.prefixes 应当写成“前缀: 网址”")
    limit = min(limit, rdf.MAX_BYTES)
    seen: set[bytes] = set()
    while url:
        with fetch.get(url, accept=rdf.ACCEPT, conditional=number == 1) as answer:
            if not answer.changed or answer.file is None:
                yield Page((), unchanged=True)
                return
            here = answer.url or url
            graph = rdf.parse(answer.file, url=here, type=answer.type, limit=limit, prefixes=prefixes)
        seen |= {_short(url), _short(here)}
        onward, total = _paging(graph, here)
        if onward and (_short(onward) in seen or number >= MAX_PAGES):
            raise SourceError(f"第 {number} 页（{hide(url)}）之后的下一页 {hide(onward)} 已经读过，来源的分页绕成了圈")
        if onward and number == 1:
            fetch.forget(url)
        catalogue = _Catalogue(source, graph, f"第 {number} 页")
        # A large page is handed on in parts; going on from the middle of one means reading that page again.
        again = f"{number} {url}" if number > 1 else ""
        parts = words.pages(catalogue.records())
        part = next(parts)
        for further in parts:
            yield replace(part, mark=again, total=total)
            part = further
        yield replace(part, mark=f"{number + 1} {onward}" if onward else "", total=total)
        number, url = number + 1, onward


def _place(source: Source, resume: str) -> tuple[int, str]:
    number, _, url = resume.partition(" ")
    return (int(number), url) if number.isdigit() and url else (1, words.address(source))


def _short(url: str) -> bytes:
    return hashlib.sha256(url.encode()).digest()[:12]


def _paging(graph: Graph, here: str) -> tuple[str, int | None]:
    """(address of the next page or "", entries in all). ckanext-dcat writes addresses as texts and the old names beside the new."""
    onward = next((value for name in (f"{HYDRA}next", f"{HYDRA}nextPage") for value in sorted(one.value for one in graph.everywhere(name))), "")
    totals = [value.value for value in graph.everywhere(f"{HYDRA}totalItems")]
    total = int(totals[0]) if totals and re.fullmatch(r"\d{1,9}", totals[0]) else None
    return (urljoin(here, onward) if onward else ""), total


class _Catalogue:
    """The datasets of one graph."""

    def __init__(self, source: Source, graph: Graph, place: str) -> None:
        self.source, self.graph, self.place = source, graph, place

    def records(self) -> Iterator[Record]:
        """In the order of their addresses, as a graph has none; nodes that are only mentioned as datasets elsewhere are left out."""
        members = set(self.graph.everywhere(f"{DCAT}dataset"))
        described = {node for node in self.graph.of_type(f"{DCAT}Dataset") if len(self.graph.all_of(node)) > 1} | members
        for number, node in enumerate(sorted(described, key=self._order), 1):
            named = isinstance(node, NamedNode)
            where = f"{self.place}的数据集 <{node.value}>" if named else f"{self.place}第 {number} 个数据集（没有网址）"
            yield _Dataset(self.source, self.graph, node, where).record()

    def _order(self, node: Node) -> tuple[bool, str]:
        """A blank node's own name is another in each reading; what is said of it is not."""
        if not isinstance(node, BlankNode):
            return False, node.value
        return True, "\n".join(sorted(one.value for said in self.graph.all_of(node).values() for one in said if isinstance(one, Literal)))


class _Dataset:
    def __init__(self, source: Source, graph: Graph, node: Node, where: str) -> None:
        self.source, self.graph, self.node, self.where = source, graph, node, where
        self.problems: list[Problem] = []

    def values(self, node: Node, *predicates: str) -> list[Node]:
        """What the first of the predicates that is used says, in an order that stays."""
        for predicate in predicates:
            if found := self.graph.objects(node, predicate):
                return sorted(found, key=lambda one: (one.value, (isinstance(one, Literal) and one.language) or ""))
        return []

    def literal(self, node: Node, *predicates: str) -> str:
        """The text in the language that people here read."""
        texts = [value for value in self.values(node, *predicates) if isinstance(value, Literal)]
        best = min(texts, key=_language, default=None)
        return words.text(self.source, best.value) if best is not None else ""

    def word(self, node: Node, *predicates: str) -> str:
        """A term: its address, else its text; a blank node by its label."""
        for value in self.values(node, *predicates):
            if found := self.name(value) if isinstance(value, BlankNode) else words.text(self.source, value.value):
                return found
        return ""

    def name(self, value: Node) -> str:
        """The name of an agent, a place or a concept, or the text that stands in its place."""
        if isinstance(value, Literal):
            return words.text(self.source, value.value)
        return self.literal(value, _VALUE) or next((found for p in _NAME if (found := self.literal(value, p))), "")

    def record(self) -> Record:
        source, node, where = self.source, self.node, self.where
        uri = node.value if isinstance(node, NamedNode) else ""
        title = self.literal(node, f"{DCT}title", f"{DC}title")
        provider, hint = self.publisher()
        identifier = self.word(node, f"{DCT}identifier", f"{DCAT}identifier", f"{DC}identifier")
        open_type = words.code(source, "open_type", self.word(node, f"{DCT}accessRights"))
        resources, formats, licences = self.distributions()
        licence, told = words.licence(source, [*self.licences(node), *licences], where)
        self.problems += told
        frequency = words.code(source, "update_frequency", self.word(node, f"{DCT}accrualPeriodicity"))
        raw: dict[str, Any] = {
            "title": title,
            "notes": words.plain(self.literal(node, f"{DCT}description", f"{DC}description")),
            "provider": provider,
            "provider_hint": hint,
            "resource_code": words.code_in(identifier),
            "open_type": open_type,
            "license_id": licence,
            "update_frequency": frequency,
            "published_on": words.beijing_day(self.literal(node, f"{DCT}issued")),
            "data_updated_on": words.beijing_day(self.literal(node, f"{DCT}modified")),
            "contact": self.contact(),
            "spatial": self.first(node, f"{DCT}spatial")[:200],
            "temporal": self.temporal(),
            "resources": resources,
            "formats": formats,
            **words.terms(open_type, self.rights(open_type)),
            **words.themes(self.themes(), sorted(one.value for one in self.values(node, f"{DCAT}keyword"))),
        }
        for key, field in source.fields.items():
            if predicate := _predicate(field.field):
                raw[key] = words.part(source, {field.field: self.first(node, predicate) or self.word(node, predicate)}, field)
        address = self.word(node, f"{DCAT}landingPage") or uri
        return words.record(source, where, raw, id=self.identity(uri, identifier, provider, title), url=address, problems=self.problems,
                            made="dct:identifier")  # fmt: skip

    def identity(self, uri: str, identifier: str, provider: str, title: str) -> str:
        known = (uri or identifier) if self.source.options.get("identity") == "uri" else (identifier or uri)
        if known or not title:
            return known
        message = "既没有标识（dct:identifier）也没有网址，按部门和名称识别；改名后会当作另一条目录"
        self.problems.append(words.problem("source", "id_made", self.where, message, "warning"))
        return words.digest(provider, title)

    def publisher(self) -> tuple[str, str]:
        """(name, slug that this portal gives it, where the source is one of ours)."""
        for value in self.values(self.node, f"{DCT}publisher", f"{DC}publisher"):
            ours = _OUR_DEPARTMENT.search(value.value) if isinstance(value, NamedNode) else None
            if name := self.name(value) or (value.value if value.value in self.source.departments else ""):
                return name, ours[1] if ours else ""
            if isinstance(value, NamedNode):
                message = f"的发布者只有网址 {value.value}，没有名称；可在来源设置的 departments 中写明它是哪个部门"
                self.problems.append(words.problem("provider", "publisher_unnamed", self.where, message, "warning", value.value))
        return "", ""

    def first(self, node: Node, *predicates: str) -> str:
        """The first that has a name; addresses without one say nothing to people."""
        return next((name for value in self.values(node, *predicates) if (name := self.name(value))), "")

    def contact(self) -> str:
        for value in self.values(self.node, f"{DCAT}contactPoint", f"{ADMS}contactPoint"):
            said = [self.name(value)]
            if not isinstance(value, Literal):
                said += [self.reach(value, name) for name in ("hasEmail", "email", "hasTelephone", "tel")]
            if found := words.contact(*said):
                return found
        return ""

    def reach(self, node: Node, name: str) -> str:
        """A mailbox or number: mailto:…, a text, or a node with vcard:hasValue."""
        values = self.values(node, f"{VCARD}{name}")
        if not values:
            return ""
        held = self.values(values[0], f"{VCARD}hasValue")
        found = held[0] if held else values[0]
        return "" if isinstance(found, BlankNode) else found.value

    def temporal(self) -> str:
        for value in self.values(self.node, f"{DCT}temporal"):
            start, end = self.literal(value, f"{DCAT}startDate", f"{SCHEMA}startDate"), self.literal(value, f"{DCAT}endDate", f"{SCHEMA}endDate")
            if start or end:
                return f"{start}/{end}"
            if name := self.name(value):
                return name
        return ""

    def themes(self) -> list[str]:
        return [self.name(value) or value.value for value in self.values(self.node, f"{DCAT}theme") if not isinstance(value, BlankNode)]

    def licences(self, node: Node) -> list[str]:
        return [found for value in self.values(node, f"{DCT}license") if (found := self.licence(value))]

    def licence(self, value: Node) -> str:
        return self.name(value) if isinstance(value, (BlankNode, Literal)) else value.value

    def rights(self, open_type: str) -> str:
        """The law that forbids, where our own portal states it, else the statement of rights."""
        basis = self.first(self.node, f"{DCATAP}applicableLegislation") if open_type == "none" else ""
        return basis or self.first(self.node, f"{DCT}rights")

    def distributions(self) -> tuple[list[dict[str, str]], list[str], list[str]]:
        """(resources in wire form, names of formats, licences), in an order that stays."""
        found: list[tuple[dict[str, str], list[str], list[str]]] = []
        for node in self.values(self.node, f"{DCAT}distribution"):
            if isinstance(node, Literal):
                continue
            forms = [words.file_format(self.term(value)) for value in self.values(node, f"{DCT}format", f"{DC}format")]
            forms = [form for form in forms if form] or [words.file_format(self.term(v)) for v in self.values(node, f"{DCAT}mediaType")]
            if not any(forms) and self.values(node, f"{DCAT}accessService"):
                forms = ["api"]
            url = self.word(node, f"{DCAT}downloadURL") or self.word(node, f"{DCAT}accessURL")
            made = words.resource(
                self.literal(node, f"{DCT}title"), url, next(filter(None, forms), ""),
                words.plain(self.literal(node, f"{DCT}description")), self.literal(node, f"{DCAT}byteSize"),
            )  # fmt: skip
            found.append((made, [form for form in forms if form], self.licences(node)))
        found.sort(key=lambda one: (one[0].get("url", ""), one[0].get("name", ""), one[0].get("format", ""), one[1]))
        resources = [made for made, _, _ in found if made]
        formats = dict.fromkeys(form for _, forms, _ in found for form in forms)
        return resources, list(formats), [licence for _, _, licences in found for licence in licences]

    def term(self, value: Node) -> str:
        """A format: an address, a text, or a dct:IMT node with its value."""
        return value.value if isinstance(value, (NamedNode, Literal)) and not self.name(value) else self.name(value)

def _predicate(name: str) -> str:
    """The address of a predicate that ``source.fields`` names, whole or as prefix:name of those used here; else ""."""
    prefix, _, local = name.partition(":")
    return name if "://" in name else f"{_PREFIXES[prefix]}{local}" if prefix in _PREFIXES and local else ""


def _language(value: Literal) -> tuple[int, str, str]:
    """Chinese first (simplified before others), then no language, then English, then any; among equals an order that stays."""
    tag = (value.language or "").lower()
    if tag.startswith("zh"):
        rank = 1 if re.search(r"hant|tw|hk|mo", tag) else 0
    else:
        rank = {"": 2}.get(tag, 3 if tag.startswith("en") else 4)
    return rank, tag, value.value
