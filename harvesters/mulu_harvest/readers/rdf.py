"""RDF in any of its spellings, read without asking the network for anything and without trusting what it says of itself."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Mapping
from typing import IO, Any
from xml.parsers import expat

from rdflib import Dataset, Graph
from rdflib.parser import PythonInputSource

from ..source import SourceError

MAX_BYTES = 64 * 1024 * 1024
"""Of one page: its graph takes some ten times as much memory. ``options.max_page_bytes`` lowers it."""
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
_NAMES = {"xml": "RDF/XML", "json-ld": "JSON-LD", "turtle": "Turtle", "nt": "N-Triples"}
_TYPES = {"application/n-triples": "nt", "text/turtle": "turtle", "application/x-turtle": "turtle", "text/n3": "turtle"}
_SUFFIXES = {".nt": "nt", ".ttl": "turtle", ".n3": "turtle"}

# A date that is none is a problem of its entry, told there; rdflib would write a stack trace of it into the log as well.
logging.getLogger("rdflib.term").setLevel(logging.ERROR)


def parse(file: IO[bytes], *, url: str, type: str, limit: int = MAX_BYTES, prefixes: Mapping[str, str] | None = None) -> Graph:
    """The graph of one document.

    :param type: the content type that its server states; the document's own beginning has more weight.
    :param prefixes: for Turtle that uses prefixes without declaring them.
    :raises SourceError: larger than ``limit``, a web page, broken (with the place where), entities in XML, an unknown context.
    """
    content = file.read(limit + 1)
    if len(content) > limit:
        raise SourceError(f"{url} 的一页超过 {limit // 1024 // 1024} MiB，没有读入；请来源分页提供（hydra:next）")
    content = content.removeprefix(b"\xef\xbb\xbf")
    form = _format(content[:4096].lstrip(), url, type)
    try:
        graph = Dataset(default_union=True) if form == "json-ld" else Graph()  # JSON-LD may stand in a named graph
        if form == "xml":
            _refuse_entities(content, url)
            graph.parse(io.BytesIO(content), format="xml", publicID=url)
        elif form == "json-ld":
            data = json.loads(content)
            graph.parse(PythonInputSource(_own_contexts(data, url), url), format="json-ld", base=url)
        else:
            # On one line, so that the lines of an error are those of the document.
            declared = "".join(f"@prefix {name}: <{address}> . " for name, address in (prefixes or {}).items())
            graph.parse(data=(declared if form == "turtle" else "") + content.decode("utf-8"), format=form, publicID=url)
    except SourceError:
        raise
    except RecursionError as error:
        raise SourceError(f"{url} 嵌套太深，没有读入") from error
    except Exception as error:  # each of rdflib's parsers has its own exceptions, some of them bare
        raise SourceError(f"{url} 不是完整的 {_NAMES[form]}：{_reason(error)}") from error
    return graph


def _format(head: bytes, url: str, type: str) -> str:
    low = head[:1024].lower()
    stated = type.split(";")[0].strip().lower()
    suffix = re.search(r"\.\w+$", re.split(r"[?#]", url)[0])
    form = _TYPES.get(stated) or _SUFFIXES.get(suffix[0].lower() if suffix else "", "")
    if low.startswith(b"<!doctype html") or b"<html" in low:
        title = re.search(rb"<title[^>]*>(.*?)</title>", head, re.IGNORECASE | re.DOTALL)
        said = "“" + " ".join(title[1].decode("utf-8", "replace").split())[:100] + "”" if title else ""
        raise SourceError(f"{url} 返回的是网页{said}，不是 RDF")
    if low.startswith((b"<?xml", b"<!doctype", b"<rdf:rdf", b"<!--", b"\xff\xfe", b"\xfe\xff")):
        return "xml"
    if low.startswith(b"{") or (low.startswith(b"[") and not form):
        return "json-ld"
    if not head:
        raise SourceError(f"{url} 的内容是空的")
    if not form and stated in ("application/rdf+xml", "application/xml", "text/xml"):
        return "xml"
    return form or "turtle"


class _Begun(Exception):
    """The root element has begun: what may declare entities is over."""


def _refuse_entities(content: bytes, url: str) -> None:
    """A document that declares entities may grow without bound when it is read (billion laughs), or reach for other files."""

    def refuse(*_: object) -> None:
        raise SourceError(f"{url} 的 XML 声明了实体（ENTITY），为安全起见不读入；请来源改用不含实体的 RDF/XML 或 Turtle")

    def begun(*_: object) -> None:
        raise _Begun

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = begun
    try:
        parser.Parse(content, True)
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
        f"{url} 的 JSON-LD 引用了外部语境（@context）“{str(name)[:200]}”，读入时不访问外部网址；请来源写明语境或改用 Turtle"
    )


def _reason(error: Exception) -> str:
    line = getattr(error, "lines", None)
    place = f"第 {line + 1} 行，" if isinstance(line, int) else ""
    text = " ".join(str(getattr(error, "_why", "") or error).split())
    if unbound := re.fullmatch(r'Prefix "(.+):" not bound', text):
        return f"{place}用了没有声明的前缀 {unbound[1]}:，请来源补上，或者在来源设置的 options.prefixes 中写明它的网址"
    return f"{place}{text[:160]}" if text else type(error).__name__
