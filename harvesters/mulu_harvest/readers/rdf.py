"""RDF in any of its spellings, read without asking the network for anything and without trusting what it says of itself.

Parsed by Oxigraph as a stream, some hundred times as fast as rdflib would and with the right line in its errors; what is kept of a page
is a dictionary of what is said of each subject.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import IO, Any
from urllib.parse import quote
from xml.parsers import expat

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat
from pyoxigraph import parse as parse_rdf

from ..addresses import hide
from ..source import SourceError

Node = NamedNode | BlankNode | Literal
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
MAX_BYTES = 32 * 1024 * 1024
"""Of one page, some 40,000 datasets: what is kept of it takes ten times as much memory. ``options.max_page_bytes`` lowers it."""
ACCEPT = (
    "text/turtle, application/rdf+xml;q=0.9, application/ld+json;q=0.8, application/n-triples;q=0.7, application/xml;q=0.3, */*;q=0.1"
)
_LOCAL_CONTEXTS: Mapping[str, Mapping[str, Any]] = {
    "https://project-open-data.cio.gov/v1.1/schema/catalog.jsonld": {
        "dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
        "org": "http://www.w3.org/ns/org#", "vcard": "http://www.w3.org/2006/vcard/ns#", "xsd": "http://www.w3.org/2001/XMLSchema#",
        "title": "dct:title", "description": "dct:description", "identifier": "dct:identifier", "issued": "dct:issued",
        "modified": "dct:modified", "publisher": "dct:publisher", "license": {"@id": "dct:license", "@type": "@id"},
        "rights": "dct:rights", "accessLevel": "dct:accessRights", "accrualPeriodicity": "dct:accrualPeriodicity",
        "spatial": "dct:spatial", "temporal": "dct:temporal", "format": "dct:format", "dataset": "dcat:dataset",
        "distribution": "dcat:distribution", "keyword": "dcat:keyword", "theme": "dcat:theme", "mediaType": "dcat:mediaType",
        "landingPage": {"@id": "dcat:landingPage", "@type": "@id"}, "contactPoint": "dcat:contactPoint",
        "accessURL": {"@id": "dcat:accessURL", "@type": "@id"}, "downloadURL": {"@id": "dcat:downloadURL", "@type": "@id"},
        "name": "foaf:name", "fn": "vcard:fn", "hasEmail": {"@id": "vcard:hasEmail", "@type": "@id"},
        "Catalog": "dcat:Catalog", "Dataset": "dcat:Dataset", "Distribution": "dcat:Distribution",
    },
}  # fmt: skip
"""JSON-LD contexts that are known by their address; none is ever fetched."""
_XML, _JSON, _TURTLE, _TRIPLES = RdfFormat.RDF_XML, RdfFormat.JSON_LD, RdfFormat.TURTLE, RdfFormat.N_TRIPLES
_NAMES = {_XML: "RDF/XML", _JSON: "JSON-LD", _TURTLE: "Turtle", _TRIPLES: "N-Triples"}
_TYPES = {"application/n-triples": _TRIPLES, "text/turtle": _TURTLE, "application/x-turtle": _TURTLE, "text/n3": _TURTLE}
_SUFFIXES = {".nt": _TRIPLES, ".ttl": _TURTLE, ".n3": _TURTLE}
_PREFIX = re.compile(r"[A-Za-z][\w.-]*")


class Graph:
    """What is said of each subject: subject → predicate's address → objects, in the order in which they were said, each once."""

    def __init__(self, quads: Iterable[Quad] = ()) -> None:
        self._said: dict[NamedNode | BlankNode, dict[str, dict[Node, None]]] = {}
        for quad in quads:  # of whatever graph: JSON-LD may stand in one of its own
            if isinstance(quad.subject, NamedNode | BlankNode) and isinstance(quad.object, Node):
                self._said.setdefault(quad.subject, {}).setdefault(quad.predicate.value, {})[quad.object] = None

    def objects(self, node: Node, predicate: str) -> list[Node]:
        """What the predicate says of this node."""
        return list(self._said.get(node, {}).get(predicate, ())) if not isinstance(node, Literal) else []

    def everywhere(self, predicate: str) -> list[Node]:
        """What the predicate says, of whatever node."""
        return list(chain.from_iterable(said.get(predicate, ()) for said in self._said.values()))

    def of_type(self, kind: str) -> list[Node]:
        """The nodes that are said to be of this class."""
        return [node for node, said in self._said.items() if NamedNode(kind) in said.get(TYPE, ())]

    def all_of(self, node: Node) -> dict[str, dict[Node, None]]:
        """Everything that is said of a node."""
        return self._said.get(node, {}) if not isinstance(node, Literal) else {}


def parse(file: IO[bytes], *, url: str, type: str, limit: int = MAX_BYTES, prefixes: Mapping[str, str] | None = None) -> Graph:
    """The graph of one document.

    :param file: seekable, at its beginning.
    :param type: the content type that its server states; the document's own beginning has more weight.
    :param prefixes: for Turtle that uses prefixes without declaring them.
    :raises SourceError: larger than ``limit``, a web page, broken (with the place where), entities in XML, an unknown context.
    """
    if file.seek(0, os.SEEK_END) > limit:
        raise SourceError(f"{hide(url)} 的一页超过 {limit // 1024 // 1024} MiB，没有读入；请来源分页提供（hydra:next）")
    file.seek(0)
    head = file.read(4096)
    start = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    form = _format(head[start:].lstrip(), url, type)
    if form == _XML:
        file.seek(start)
        _refuse_entities(file, url)
    file.seek(start)
    declared = _declared(prefixes or {}) if form == _TURTLE else b""
    try:
        return Graph(_quads(declared + file.read() if declared else file, form, url))
    except (SyntaxError, ValueError) as error:
        if form != _JSON:
            raise _broken(url, form, error) from error
    file.seek(start)
    try:  # a context that is only named makes the parser give up; those that are known are put in its place
        whole = json.dumps(_own_contexts(json.load(file), url)).encode()
        return Graph(_quads(whole, form, url))
    except (SyntaxError, ValueError, RecursionError) as error:
        raise _broken(url, form, error) from error


def _quads(content: IO[bytes] | bytes, form: RdfFormat, url: str) -> Iterator[Quad]:
    """``lenient``: an address with a blank in it is the trouble of its own dataset, and not of the others."""
    base = url if "://" in url else f"file://{quote(os.path.abspath(url))}"
    found: Iterator[Quad] = iter(parse_rdf(content, form, base_iri=base, lenient=True))
    return found


def _declared(prefixes: Mapping[str, str]) -> bytes:
    """On one line, so that the lines of an error are those of the document."""
    sound = {name: address for name, address in prefixes.items() if _PREFIX.fullmatch(name) and not re.search(r'[<>"\s\\]', str(address))}
    return "".join(f"@prefix {name}: <{address}> . " for name, address in sound.items()).encode()


def _format(head: bytes, url: str, type: str) -> RdfFormat:
    low = head[:1024].lower()
    stated = type.split(";")[0].strip().lower()
    suffix = re.search(r"\.\w+$", re.split(r"[?#]", url)[0])
    form = _TYPES.get(stated) or _SUFFIXES.get(suffix[0].lower() if suffix else "")
    if low.startswith(b"<!doctype html") or b"<html" in low:
        title = re.search(rb"<title[^>]*>(.*?)</title>", head, re.IGNORECASE | re.DOTALL)
        said = "“" + " ".join(title[1].decode("utf-8", "replace").split())[:100] + "”" if title else ""
        raise SourceError(f"{hide(url)} 返回的是网页{said}，不是 RDF")
    if low.startswith((b"<?xml", b"<!doctype", b"<rdf:rdf", b"<!--", b"\xff\xfe", b"\xfe\xff")):
        return _XML
    if low.startswith(b"{") or (low.startswith(b"[") and not form):
        return _JSON
    if not head:
        raise SourceError(f"{hide(url)} 的内容是空的")
    if not form and stated in ("application/rdf+xml", "application/xml", "text/xml"):
        return _XML
    return form or _TURTLE


class _Begun(Exception):
    """The root element has begun: what may declare entities is over."""


def _refuse_entities(file: IO[bytes], url: str) -> None:
    """A document that declares entities may grow without bound when it is read (billion laughs), or reach for other files."""

    def refuse(*_: object) -> None:
        raise SourceError(f"{hide(url)} 的 XML 声明了实体（ENTITY），为安全起见不读入；请来源改用不含实体的 RDF/XML 或 Turtle")

    def begun(*_: object) -> None:
        raise _Begun

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = begun
    try:
        parser.ParseFile(file)
    except (_Begun, expat.ExpatError):
        return  # what is not well-formed is told by who reads it


def _own_contexts(data: Any, url: str) -> Any:
    """The document with each context that it only names put in its place."""
    if isinstance(data, list):
        return [_own_contexts(one, url) for one in data]
    if not isinstance(data, dict):
        return data
    made = {}
    for key, value in data.items():
        if key == "@import":
            _unknown_context(value, url)
        if key == "@context":
            named = value if isinstance(value, list) else [value]
            value = [_context(one, url) if isinstance(one, str) else one for one in named]
        made[key] = _own_contexts(value, url)
    return made


def _context(name: str, url: str) -> Mapping[str, Any]:
    known = _LOCAL_CONTEXTS.get(re.sub(r"^http://", "https://", name))
    return known if known is not None else _unknown_context(name, url)


def _unknown_context(name: object, url: str) -> Mapping[str, Any]:
    raise SourceError(
        f"{hide(url)} 的 JSON-LD 引用了外部语境（@context）“{str(name)[:200]}”，读入时不访问外部网址；请来源写明语境或改用 Turtle"
    )


def _broken(url: str, form: RdfFormat, error: Exception) -> SourceError:
    line = getattr(error, "lineno", None)
    place = f"第 {line} 行，" if isinstance(line, int) else ""
    text = " ".join(str(getattr(error, "msg", "") or error).split())
    text = re.sub(r"^Parser error at line .*?: ", "", text)
    if unbound := re.fullmatch(r"The prefix (.+): has not been declared", text):
        text = f"用了没有声明的前缀 {unbound[1]}:，请来源补上，或者在来源设置的 options.prefixes 中写明它的网址"
    return SourceError(f"{hide(url)} 不是完整的 {_NAMES[form]}：{place}{text[:160]}")
