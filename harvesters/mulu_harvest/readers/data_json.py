"""Reads a data.json: DCAT-US 1.1 (Project Open Data), its ``dataset`` array or an array of such datasets by itself.

``modified`` may be a repeating interval there (R/P1W): then it says how often, and no date. Our own data.json comes back with the
openness, frequency and code that it states.

``options.array``: where the array stands instead of ``dataset``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mulu.errors import Problem

from ..addresses import hide
from ..fetch import Fetch
from ..json_stream import Odd, records
from ..record import Page, Record
from ..source import Source
from ..text import clean
from . import words

_ACCEPT = "application/json, application/ld+json;q=0.9, */*;q=0.1"


def read(source: Source, fetch: Fetch, resume: str) -> Iterator[Page]:
    """Pages of 200 datasets; the document is read in one go, so ``resume`` begins anew.

    :raises SourceError: no JSON, no array of datasets, or a document that is cut.
    """
    address = words.address(source)
    with fetch.get(address, accept=_ACCEPT, conditional=True) as answer:
        if not answer.changed or answer.file is None:
            yield Page((), unchanged=True)
            return
        path = str(source.options.get("array") or "dataset")
        datasets = records(answer.file, path, name=hide(address))
        yield from words.pages(_record(source, number, dataset) for number, dataset in datasets)


def _record(source: Source, number: int, dataset: Any) -> Record:
    where = f"第 {number} 条"
    if isinstance(dataset, Odd) or not isinstance(dataset, Mapping):
        reason = dataset.reason if isinstance(dataset, Odd) else "不是一组字段"
        return Record(where, {}, problems=[words.problem("", "odd_record", where, f"{reason}，未读入")])
    return _Dataset(source, where, dataset).record()


class _Dataset:
    def __init__(self, source: Source, where: str, fields: Mapping[str, Any]) -> None:
        self.source, self.where, self.fields = source, where, fields
        self.problems: list[Problem] = []

    def text(self, key: str) -> str:
        return words.text(self.source, self.fields.get(key))

    def texts(self, key: str) -> list[str]:
        value = self.fields.get(key)
        return [found for one in (value if isinstance(value, list) else [value]) if (found := words.text(self.source, one))]

    def within(self, key: str, *parts: str) -> list[str]:
        """Texts of an object of the dataset; a text in its place counts as the first of them."""
        value = self.fields.get(key)
        if isinstance(value, list):
            value = next(iter(value), None)
        if isinstance(value, Mapping):
            return [words.text(self.source, value.get(part)) for part in parts]
        return [words.text(self.source, value), *("" for _ in parts[1:])]

    def record(self) -> Record:
        source, where = self.source, self.where
        identifier = self.text("identifier")
        modified = self.text("modified")
        interval = modified if modified[:2].upper() == "R/" else ""
        open_type = words.code(source, "open_type", self.text("accessLevel"))
        resources, formats, licences = self.distributions()
        licence, told = words.licence(source, [*self.texts("license"), *licences], where)
        self.problems += told
        raw: dict[str, Any] = {
            "title": self.text("title"),
            "notes": words.plain(self.text("description")),
            "provider": self.within("publisher", "name")[0],
            "resource_code": words.code_in(identifier),
            "open_type": open_type,
            "license_id": licence,
            "update_frequency": words.code(source, "update_frequency", self.text("accrualPeriodicity") or interval),
            "published_on": words.beijing_day(self.text("issued")),
            "data_updated_on": "" if interval else words.beijing_day(modified),
            "contact": words.contact(*self.within("contactPoint", "fn", "hasEmail", "hasTelephone")),
            "spatial": self.text("spatial"),
            "temporal": self.text("temporal"),
            "resources": resources,
            "formats": formats,
            **words.terms(open_type, self.text("rights")),
            **words.themes(self.texts("theme"), self.texts("keyword")),
        }
        raw |= words.overrides(source, self.fields)
        made = source.identity.field if source.identity else "identifier"
        if source.identity:
            identifier = clean(words.part(source, self.fields, source.identity))
        own = self.text(source.address) if source.address else ""
        address = own or self.text("landingPage") or self.text("@id") or identifier
        return words.record(source, where, raw, id=identifier, url=address, problems=self.problems, made=made)

    def distributions(self) -> tuple[list[dict[str, str]], list[str], list[str]]:
        """(resources in wire form, names of formats, licences), in the source's order."""
        listed = self.fields.get("distribution")
        resources: list[dict[str, str]] = []
        formats: dict[str, None] = {}
        licences: dict[str, None] = {}
        for one in listed if isinstance(listed, list) else [listed]:
            if not isinstance(one, Mapping):
                continue
            say = {key: words.text(self.source, value) for key, value in one.items()}
            form = words.file_format(say.get("format") or "") or words.file_format(say.get("mediaType") or "")
            url = say.get("downloadURL") or say.get("accessURL") or ""
            made = words.resource(say.get("title", ""), url, form, say.get("description", ""), say.get("byteSize", ""))
            resources += [made] if made else []
            formats |= dict.fromkeys(filter(None, [form]))
            licences |= dict.fromkeys(filter(None, [say.get("license", "")]))
        return resources, list(formats), list(licences)
