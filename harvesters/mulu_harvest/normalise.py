"""Source words → our codes. What a word does not say is not filled in: it becomes a problem of the draft."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mulu import checks
from mulu.codes import CODE_LISTS, open_type_of
from mulu.entry import FIELD, FIELDS, ITEM_FIELDS, Field
from mulu.errors import Problem, Severity
from mulu.profile import Profile

from .classification import read_classification
from .departments import slug
from .record import Draft, Record
from .text import clean, half_width, one_line, read_date, read_length, split_list

_SLUG = re.compile(r"[a-z0-9_-]{2,100}")
Lookups = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Departments:
    """Who may own the entries of a file.

    ``organization``: slug of the department that hands the file in, ``""`` where it holds several departments' entries.
    ``known``: full name → slug; None: every name is taken and its slug made of it.
    """

    organization: str = ""
    known: Mapping[str, str] | None = None

    def slug_of(self, name: str) -> str:
        """The slug of a department by its full name, or by its slug itself; ``""`` where it is not known."""
        if self.known is None:
            return name if _SLUG.fullmatch(name) else slug(name)
        return self.known.get(name) or (name if name in self.known.values() else "")

    def owner(self, name: str, where: str) -> tuple[str, Problem | None]:
        """(slug, problem) of the provider that a cell names; an empty cell means the one that hands the file in."""
        if not name:
            return self.organization, None
        found = self.slug_of(name)
        if self.known is None and self.organization:
            return self.organization, None
        if not found:
            severity: Severity = "warning" if self.organization else "error"
            return self.organization, unknown_department("provider", "信息资源提供方", name, where, severity)
        if self.organization and found != self.organization:
            message = f"{where}的信息资源提供方“{name}”不是导入的部门，只能导入本部门的目录"
            return found, Problem("provider", "other_department", message, value=name, where=where)
        return found, None


def unknown_department(path: str, label: str, name: str, where: str, severity: Severity) -> Problem:
    """A department's name that no organisation of the portal has."""
    message = f"{where}的{label}“{name}”不在本平台的部门名单中，请按部门全称填写"
    return Problem(path, "unknown_department", message, value=name, where=where, severity=severity)


def normalise(record: Record, *, lookups: Lookups | None = None, departments: Departments | None = None) -> Draft:
    """A record as an entry in the wire form, with what could not be read as problems; the entry's own rules come after."""
    return _Normaliser(record, lookups or {}, departments).run()


def check(draft: Draft, profile: Profile, known_codes: Callable[[str], bool] | None = None) -> Draft:
    """The draft with the problems of :func:`mulu.checks.check` added, each with its place in the source.

    A field whose value could not be read is told once, as unreadable, and not as missing too.
    """
    unread = {problem.field for problem in draft.problems if problem.severity == "error"}
    added = [
        replace(problem, where=problem.where or _place(draft, problem.field))
        for problem in checks.check(draft.entry, profile, known_codes=known_codes)
        if not (problem.rule == "required" and problem.field in unread)
    ]
    return replace(draft, problems=(*draft.problems, *added))


def _place(draft: Draft, path: str) -> str:
    """Where a field stands in the source: its own cell, else that of the item it belongs to, else that of the title."""
    item = path.partition(".")[0] if path.startswith("items") else ""
    near = (path, f"{item}.name", "items[0].name" if item else "")
    return next((draft.cells[key] for key in near if key in draft.cells), draft.where)


class _Normaliser:
    def __init__(self, record: Record, lookups: Lookups, departments: Departments | None) -> None:
        self.record, self.raw, self.lookups, self.departments = record, record.raw, lookups, departments
        self.entry: dict[str, Any] = {}
        self.problems = list(record.problems)

    def run(self) -> Draft:
        for field in FIELDS:
            if field.key in self.raw and field.kind not in ("items", "source", "resources", "review"):
                self.put(field.key, self.read(field, field.key, self.raw[field.key]))
        for key in ("name", "source", "resources"):  # a reader has them in the wire form
            self.put(key, self.raw.get(key))
        self.owners()
        self.formats()
        self.openness()
        self.share_terms()
        self.share_mode()
        self.problems += read_classification(self.raw, self.entry, self.where)
        self.items()
        return Draft(self.entry, self.record.where, tuple(self.problems), self.record.cells)

    def put(self, key: str, value: Any) -> None:
        if value not in (None, "", [], {}):
            self.entry[key] = value

    def where(self, path: str) -> str:
        return self.record.cells.get(path, self.record.where)

    def tell(self, path: str, rule: str, message: str, value: object, severity: Any = "error") -> None:
        where = self.where(path)
        self.problems.append(Problem(path, rule, f"{where}{message}", value=value, where=where, severity=severity))

    def read(self, field: Field, path: str, value: Any) -> Any:
        """A value of the source as the field's kind; None where it says nothing, or nothing that can be read."""
        text = clean(value) if not isinstance(value, list) else "\n".join(clean(one) for one in value)
        looked_up = self.lookups.get(field.key, {}).get(text)
        if looked_up is not None:
            text = looked_up
        if not text:
            return None
        match field.kind:
            case "date":
                return self.date(field, path, value)
            case "choices":
                return self.codes(field, path, text)
            case "choice":
                return self.code(field, path, text)
            case "flag":
                return self.truth(field, path, text)
            case "list":
                return split_list(text, "、，,;；\n")
            case "long_text":
                return text
        if field.key == "length":
            return self.length(field, path, text)
        return (CODE_LISTS[field.code_list].parse(text) if field.code_list else None) or one_line(text)

    def date(self, field: Field, path: str, value: Any) -> str | None:
        found = read_date(value)
        if found is None:
            self.tell(
                path,
                "bad_date",
                f"的{field.label}“{clean(value)}”不是完整的日期，请写成 2022-05-09 的样子",
                clean(value),
            )
        return found

    def code(self, field: Field, path: str, text: str) -> str | None:
        key = CODE_LISTS[field.code_list].parse(text)
        if key is None:
            self.not_in_list(field, path, text)
        return key

    def codes(self, field: Field, path: str, text: str) -> list[str]:
        keys = []
        for word in split_list(text, "、，,;；\n/"):
            if key := CODE_LISTS[field.code_list].parse(word):
                keys.append(key)
            else:
                self.not_in_list(field, path, word)
        return list(dict.fromkeys(keys))

    def not_in_list(self, field: Field, path: str, text: str) -> None:
        codes = CODE_LISTS[field.code_list]
        reason = codes.why_not(text)
        hint = reason or (
            "应当是" + "、".join(code.label for code in codes) + "之一" if len(codes) <= 12 else "不在代码表中"
        )
        self.tell(path, "not_in_list", f"的{field.label}“{one_line(text)}”无法识别：{hint}", text)

    def length(self, field: Field, path: str, text: str) -> str | None:
        found = read_length(text)
        if found is None:
            self.tell(path, "bad_number", f"的{field.label}“{text}”不是整数，小数请写成“10,2”的样子", text)
        return found

    def truth(self, field: Field, path: str, text: str) -> bool | None:
        word = half_width(text)
        if word in ("是", "敏感", "1", "有", "√"):
            return True
        if word in ("否", "非敏感", "不敏感", "0", "无", "×"):
            return False
        self.tell(path, "bad_bool", f"的{field.label}“{text}”应当填“是”或“否”", text)
        return None

    def owners(self) -> None:
        """提供方 and 数源部门 by their slugs; a portal's reader has put slugs there already."""
        if self.departments is None:
            return
        name = one_line(self.raw.get("provider", ""))
        found, problem = self.departments.owner(name, self.where("provider"))
        self.entry.pop("provider", None)
        self.put("provider", found)
        if problem:
            self.problems.append(problem)
        if name := self.entry.pop("source_department", ""):
            self.put("source_department", self.departments.slug_of(name))
            if "source_department" not in self.entry:
                where = self.where("source_department")
                self.problems.append(unknown_department("source_department", "数源部门", name, where, "warning"))

    def formats(self) -> None:
        """Several formats in a source: the first that is in the list is the entry's, the others are told beside it."""
        listed = self.raw.get("formats")
        if listed:
            names = list(dict.fromkeys([listed] if isinstance(listed, str) else listed))
            codes = CODE_LISTS["format_type"]
            first = next((key for name in names if (key := codes.parse(name))), None)
            self.put("format_type", first or "other")
            self.put("format_other", "、".join(name for name in names if first is None or codes.parse(name) != first))
        key = self.entry.get("format_type")
        if key and "format_class" not in self.entry:
            self.put("format_class", CODE_LISTS["format_type"][key].group)

    def openness(self) -> None:
        """Two columns, 是否向社会开放 and 开放条件, say one thing together."""
        if "open_answer" in self.record.cells:
            self.record.cells.setdefault("open_type", self.where("open_answer"))
        answer, condition = clean(self.raw.get("open_answer", "")), clean(self.raw.get("open_condition", ""))
        if answer and "open_type" not in self.entry:
            found = open_type_of(answer, condition)
            self.put("open_type", found)
            if found is None:
                self.not_in_list(FIELD["open_type"], "open_type", answer)
        if self.entry.get("open_type") == "unconditional" and open_type_of("是", condition) != "conditional":
            self.entry.pop("open_condition", None)

    def share_terms(self) -> None:
        """One column, 共享条件/不予共享依据, is the condition or the basis, as the class says."""
        text = clean(self.raw.get("share_terms", ""))
        kind = self.entry.get("share_type")
        key = "share_basis" if kind == "none" else "share_condition"
        if "share_terms" in self.record.cells:
            self.record.cells.setdefault(key, self.where("share_terms"))
        if text and not (kind == "unconditional" and CODE_LISTS["share_type"].parse(text) == "unconditional"):
            self.entry.setdefault(key, text)

    def share_mode(self) -> None:
        """共享方式分类 alone is enough where it has no types below it (邮件, 拷盘); 共享平台 is not."""
        group = clean(self.raw.get("share_mode_group", ""))
        if "share_mode" not in self.raw and (key := CODE_LISTS["share_mode"].parse(group)):
            self.put("share_mode", [key])

    def items(self) -> None:
        items = []
        for number, raw in enumerate(self.raw.get("items", ())):
            item: dict[str, Any] = {}
            for field in ITEM_FIELDS:
                value = self.read(field, f"items[{number}].{field.key}", raw.get(field.key, ""))
                if value not in (None, ""):
                    item[field.key] = value
            for key in ("share_type", "open_type"):
                if item.get(key) and item[key] == self.entry.get(key):
                    del item[key]
            items.append(item)
        self.put("items", items)
