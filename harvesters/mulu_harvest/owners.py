"""Which department of the portal a record belongs to."""

from __future__ import annotations

from mulu.errors import Problem

from .departments import full_name, slug, usable
from .normalise import Departments, unknown_department
from .port import Catalogue
from .record import Record
from .source import Source
from .text import one_line


class Owners:
    """The portal's departments by title, slug and the source's own names for them.

    A department that has to be made (``create_departments``) is given its slug at once and made when its first entry is written,
    so that a dry run makes none.
    """

    def __init__(self, source: Source, catalogue: Catalogue) -> None:
        self.source = source
        self.catalogue = catalogue
        self.known = catalogue.departments()
        self.made = set(self.known.values())
        self.titles = {value: name for name, value in self.known.items()}

    @property
    def departments(self) -> Departments:
        """For other fields that name departments (数源部门)."""
        return Departments("", self.known)

    def of(self, record: Record) -> tuple[str, str, Problem | None]:
        """(slug, name as people read it, problem); slug "" where the portal has no such department and none is to be made."""
        source, where = self.source, record.cells.get("provider", record.where)
        given = one_line(record.raw.get("provider") or "")
        name = source.departments.get(given, given) or source.no_department
        name = full_name(name, source.prefixes)
        if not name:
            return source.organization, self.titles.get(source.organization, ""), None
        found = self._slug(name, record.raw.get("provider_hint"))
        if found:
            return found, self.titles.get(found, name), None
        if source.organization:
            problem = unknown_department("provider", "信息资源提供方", name, where, "warning")
            return source.organization, self.titles.get(source.organization, name), problem
        return "", name, unknown_department("provider", "信息资源提供方", name, where, "error")

    def of_source(self, record: Record) -> tuple[str, Problem | None]:
        """(slug, problem) of the 数源部门 that a record in wire form names in full beside it; it is made like a provider."""
        given = one_line(record.raw.get("source_department") or "")
        name = full_name(self.source.departments.get(given, given), self.source.prefixes)
        found = self._slug(name, record.raw.get("source_department_hint")) if name else ""
        where = record.cells.get("source_department", record.where)
        return found, None if found or not name else unknown_department("source_department", "数源部门", name, where, "warning")

    def _slug(self, name: str, hint: object) -> str:
        found = self.source.slugs.get(name, "")
        if found in self.made:
            return found
        if name in self.known:
            return self.known[name]
        if name in self.made:
            return name
        if not self.source.create_departments:
            return ""
        found = found or self._free(one_line(hint or ""), name)
        self.known[name] = found
        self.titles[found] = name
        return found

    def _free(self, hint: str, name: str) -> str:
        """The slug that the source suggests, where the portal can take it and no other department has it."""
        return hint if usable(hint) and self.titles.get(hint, name) == name else slug(name)

    def make(self, found: str, name: str) -> None:
        """The department is there from now on."""
        if found not in self.made:
            self.catalogue.make_department(found, name or found)
            self.made.add(found)

    def make_named(self, found: str) -> None:
        """As ``make``, of a department that this run has met by its name."""
        if found in self.titles:
            self.make(found, self.titles[found])
