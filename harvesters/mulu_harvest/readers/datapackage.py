"""Reads Frictionless data packages: a datapackage.json or a .zip at an address, or those of a folder and of the folders in it.

Only what describes the data is read, never the data: ``datapackage.json`` and the table schemas that it names beside it. The
descriptors are read as plain JSON, not with frictionless, which would open the data, follow addresses that a stranger wrote into a
descriptor, and refuse a package for one wrong property.

A package is known by its ``id``, else by its ``name``. Its fields become 信息项: the types of the standard that we have a code for, the
others are told. ``version`` has no place in an entry. ``options.folders``: further folders beside ``options.path``.
"""

from __future__ import annotations

import json
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

from mulu.errors import Problem

from ..fetch import Fetch
from ..record import Page, Record
from ..source import Source, SourceError
from ..text import clean, one_line
from . import words

NAME = "datapackage.json"
PATTERNS = (NAME, "*.zip", f"*/{NAME}")
MAX_BYTES = 16 * 1024 * 1024
"""Of one descriptor or schema."""
MAX_PACKAGES = 1_000
"""In one zip."""
MAX_SCHEMAS = 200
"""That one descriptor may name."""
_ZIP = b"PK\x03\x04"
_CONSTRAINTS = {"minLength": "最短", "minimum": "最小", "maximum": "最大", "pattern": "格式", "enum": "取值"}
Beside = Callable[[str], bytes]
"""The bytes of a file beside the descriptor, by its path there.

:raises SourceError: there is none, or it cannot be read."""


def read(source: Source, fetch: Fetch, resume: str) -> Iterator[Page]:
    """Pages of packages; a descriptor that cannot be read is an error of its page, and the others go on. Reading begins anew.

    :raises SourceError: no such address or folder, nothing of this kind in it, or the one descriptor at an address is none.
    """
    address = words.address(source)
    if "://" in address.removeprefix("file://") or re.search(r"\.(json|zip)$", address.lower()):
        with fetch.get(address, accept="application/json, application/zip;q=0.9, */*;q=0.1", conditional=True) as answer:
            if not answer.changed or answer.file is None:
                yield Page((), unchanged=True)
                return
            here = answer.url or address
            beside = _Beside(fetch, here)
            yield from _pages(source, answer.file, here, beside)
        if beside.asked:
            fetch.forget(address)
        return
    found = 0
    for folder in (address, *(str(one) for one in _listed(source.options.get("folders")))):
        for path in fetch.files(folder, PATTERNS):
            found += 1
            try:
                with fetch.get(str(path)) as answer:
                    assert answer.file is not None  # nothing conditional was asked
                    yield from _pages(source, answer.file, str(path), _Beside(fetch, str(path)))
            except SourceError as error:
                yield Page((), problems=(Problem("", "package_unread", str(error), where=str(path)),))
    if not found:
        raise SourceError(f"来源“{source.title}”的文件夹 {address} 中没有 {NAME} 或 .zip 数据包，没有读入")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _safe(path: str) -> str:
    """The path within the package.

    :raises SourceError: it leads out of it, as the standard forbids.
    """
    plain = posixpath.normpath(path.replace("\\", "/"))
    if "://" in path or plain.startswith(("/", "..")) or re.match(r"[a-zA-Z]:", plain) or "\0" in path:
        raise SourceError(f"“{path[:200]}”不在数据包之内，没有读入")
    return plain


class _Beside:
    """Files beside a descriptor, from where the descriptor came."""

    def __init__(self, fetch: Fetch, descriptor: str) -> None:
        self.fetch, self.descriptor, self.asked = fetch, descriptor, False

    def __call__(self, path: str) -> bytes:
        path, here = _safe(path), self.descriptor
        place = urljoin(here, path) if "://" in here else posixpath.join(posixpath.dirname(here), path)
        self.asked = True
        with self.fetch.get(place) as answer:
            assert answer.file is not None  # nothing conditional was asked
            return _bytes(answer.file, place)


def _bytes(file: IO[bytes], told: str) -> bytes:
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise SourceError(f"{told} 超过 {MAX_BYTES // 1024 // 1024} MiB，没有读入")
    return content


def _pages(source: Source, file: IO[bytes], told: str, beside: Beside) -> Iterator[Page]:
    head = file.read(4)
    file.seek(0)
    if head == _ZIP:
        yield from _zipped(source, file, told)
        return
    yield Page((_Package(source, told, _json(_bytes(file, told), told), beside).record(),))


def _zipped(source: Source, file: IO[bytes], told: str) -> Iterator[Page]:
    """Each package of a zip. Nothing is unpacked onto the disk, and no more of a member is read than a descriptor may be long."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = sorted(name for name in archive.namelist() if posixpath.basename(name) == NAME)
            if not names:
                raise SourceError(f"{told} 中没有 {NAME}")
            if len(names) > MAX_PACKAGES:
                raise SourceError(f"{told} 中有 {len(names)} 个数据包，最多 {MAX_PACKAGES} 个")
            for name in names:
                where = f"{told} 中的 {name}"
                try:
                    content = _member(archive, name, where)
                    folder = posixpath.dirname(name)

                    def beside(path: str, folder: str = folder) -> bytes:
                        inside = posixpath.join(folder, _safe(path))
                        return _member(archive, inside, f"{told} 中的 {inside}")

                    yield Page((_Package(source, where, _json(content, where), beside).record(),))
                except SourceError as error:
                    yield Page((), problems=(Problem("", "package_unread", str(error), where=where),))
    except (zipfile.BadZipFile, OSError) as error:
        raise SourceError(f"{told} 不是完整的 zip 文件：{error}") from error


def _member(archive: zipfile.ZipFile, name: str, told: str) -> bytes:
    try:
        with archive.open(name) as member:
            return _bytes(member, told)
    except KeyError:
        raise SourceError(f"没有 {told}") from None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        raise SourceError(f"{told} 读不出来（损坏或者加密）：{error}") from error


def _json(content: bytes, told: str) -> Mapping[str, Any]:
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{told} 不是完整的 JSON：{str(error)[:120]}") from error
    if not isinstance(found, Mapping):
        raise SourceError(f"{told} 应当是一个 JSON 对象")
    return found


class _Package:
    def __init__(self, source: Source, place: str, fields: Mapping[str, Any], beside: Beside) -> None:
        self.source, self.place, self.fields, self.beside = source, place, fields, beside
        self.where = f"数据包 {place} "
        self.problems: list[Problem] = []
        self.schemas = 0

    def text(self, fields: Mapping[str, Any], key: str) -> str:
        return words.text(self.source, fields.get(key))

    def objects(self, fields: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
        return [one for one in _listed(fields.get(key)) if isinstance(one, Mapping)]

    def record(self) -> Record:
        source, fields = self.source, self.fields
        resources = self.objects(fields, "resources")
        formats = [words.file_format(self.text(r, "format") or self.text(r, "mediatype") or _suffix(r)) for r in resources]
        terms = [self.text(r, key) for r in (fields, *resources) for r in self.objects(r, "licenses") for key in ("name", "path", "title")]
        licence, told = words.licence(source, terms, self.where)
        self.problems += told
        people = [(self.roles(one), one) for one in self.objects(fields, "contributors")]
        home = self.text(fields, "homepage")
        raw: dict[str, Any] = {
            "title": self.text(fields, "title") or self.text(fields, "name"),
            "notes": words.plain(self.text(fields, "description")),
            "provider": self.publisher(people),
            "license_id": licence,
            "published_on": words.beijing_day(self.text(fields, "created")),
            "contact": self.contact(people),
            "formats": [form for form in dict.fromkeys(formats) if form],
            "resources": [made for r, form in zip(resources, formats, strict=True) if (made := self.resource(r, form))],
            "items": self.items(resources),
            **words.themes([], [self.said(one) for one in _listed(fields.get("keywords"))]),
        }
        raw |= words.overrides(source, fields)
        id = self.text(fields, "id") or self.text(fields, "name")
        if source.identity:
            id = clean(words.part(source, fields, source.identity))
        return words.record(source, self.where, raw, id=id, url=home, problems=self.problems, made="id 或 name")

    def said(self, value: Any) -> str:
        return words.text(self.source, value)

    def roles(self, person: Mapping[str, Any]) -> set[str]:
        """``role`` in the first version of the standard, ``roles`` in the second; who has none stated has none."""
        return {self.said(one).casefold() for key in ("role", "roles") for one in _listed(person.get(key))} - {""}

    def publisher(self, people: list[tuple[set[str], Mapping[str, Any]]]) -> str:
        stated = self.fields.get("publisher")
        if isinstance(stated, Mapping):
            stated = stated.get("name") or stated.get("title")
        found = self.said(stated)
        return found or next((self.text(one, "title") for roles, one in people if "publisher" in roles), "")

    def contact(self, people: list[tuple[set[str], Mapping[str, Any]]]) -> str:
        """Who looks after it, else who publishes it."""
        for wanted in ("contact", "maintainer", "publisher"):
            for roles, one in people:
                if wanted in roles and (email := self.text(one, "email")):
                    return words.contact(self.text(one, "title"), email)
        return ""

    def resource(self, resource: Mapping[str, Any], form: str) -> dict[str, str]:
        """A file that lies at an address; what lies in a folder or in a zip has none."""
        path = self.said(next(iter(_listed(resource.get("path"))), None))
        url = path if re.match(r"https?://", path) else ""
        if path and not url and re.match(r"https?://\S+$", self.place):
            try:
                url = urljoin(self.place, _safe(path))
            except SourceError as error:
                self.problems.append(words.problem("resources", "unsafe_path", self.where, str(error), "warning", path))
        name = self.text(resource, "title") or self.text(resource, "name")
        return words.resource(name, url, form, self.text(resource, "description"), self.text(resource, "bytes"))

    def items(self, resources: list[Mapping[str, Any]]) -> list[dict[str, str]]:
        """Fields of all resources. The same field in two files stands once; two of one name that differ say of which file they are."""
        found: dict[str, dict[str, str]] = {}
        for resource in resources:
            for field in self.objects(self.schema(resource), "fields"):
                item = self.item(field)
                if found.get(item["name"], item) != item:
                    item["name"] += f"（{self.text(resource, 'title') or self.text(resource, 'name')}）"
                found.setdefault(item["name"], item)
        return [words.full(item) for item in found.values()]

    def schema(self, resource: Mapping[str, Any]) -> Mapping[str, Any]:
        stated = resource.get("schema")
        if isinstance(stated, Mapping) or not isinstance(stated, str):
            return stated if isinstance(stated, Mapping) else {}
        self.schemas += 1
        if self.schemas > MAX_SCHEMAS:
            return {}
        try:
            return _json(self.beside(stated), stated)
        except SourceError as error:
            message = f"的资源“{self.text(resource, 'name')}”的表结构没有读入：{error}"
            self.problems.append(words.problem("items", "schema_unread", self.where, message, value=stated))
            return {}

    def item(self, field: Mapping[str, Any]) -> dict[str, str]:
        """``title`` is what people call a field; its ``name`` in the file is then told in the description."""
        constraints = field.get("constraints")
        rules: Mapping[str, Any] = constraints if isinstance(constraints, Mapping) else {}
        name, title = self.text(field, "name"), self.text(field, "title")
        kind = words.code(self.source, "data_type", self.text(field, "type"))
        said = [self.text(field, "description"), f"字段名 {name}" if title and name and title != name else ""]
        said += ["必填" if rules.get("required") is True else "", "唯一" if rules.get("unique") is True else ""]
        for key, label in _CONSTRAINTS.items():
            if value := "、".join(self.said(one) for one in _listed(rules.get(key))):
                said.append(f"{label} {value}")
        if unit := self.text(field, "unit"):
            said.append(f"单位 {unit}")
        length = rules.get("maxLength")
        return {
            "name": one_line(title or name),
            "data_type": kind,
            "length": str(length) if isinstance(length, int) and length is not True and length > 0 else "",
            "description": "；".join(one_line(part) for part in said if part),
        }


def _suffix(resource: Mapping[str, Any]) -> str:
    path = next(iter(_listed(resource.get("path"))), None)
    return posixpath.splitext(urlsplit(path).path)[1].lstrip(".") if isinstance(path, str) else ""
