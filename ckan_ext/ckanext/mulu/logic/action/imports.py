"""Many entries at once: from forms, from other portals. One transaction a chunk, indexed once."""

from __future__ import annotations

from typing import Any

import ckan.model as model
import ckan.plugins.toolkit as tk

from ckanext.mulu import cases, entries, identities, roles, steps
from ckanext.mulu.logic import refusal
from ckanext.mulu.logic.action.packages import REVIEW
from ckanext.mulu.transaction import Touched, transaction
from mulu.entry import Entry
from mulu.errors import Problem, errors_of
from mulu.people import Person

Context = dict[str, Any]
MOST = 500
LISTS = ("created", "updated", "unchanged", "refused", "drafts_with_problems")


def mulu_entry_import(context: Context, data: dict[str, Any]) -> dict[str, Any]:
    """Take entries in as drafts under review, or as changes of those that are published. The whole chunk or nothing of it.

    :param entries: ``[{entry: wire form, where: place in the source, problems: what the reader found}]``, at most 500
    :param organization: name of the department that owns them all; without it each entry names its ``provider``
    :param incomplete: ``refuse`` (an entry with errors is reported and left out) or ``draft`` (kept, with its problems)
    :param dry_run: say what would happen, change nothing
    :param submit: hand entries without errors on to the department's head at once
    :param source: ``{name, url}`` of the file or portal
    :returns: ``created, updated, unchanged`` ``[{name, id, where, case_id}]``, ``refused`` and ``drafts_with_problems``
        ``[{where, title, name, problems}]``, and ``counts`` of each
    """
    tk.check_access("mulu_entry_import", context, data)
    rows = data.get("entries")
    if not isinstance(rows, list) or len(rows) > MOST or not all(isinstance(row, dict) for row in rows):
        raise refusal.one("entries", "batch_size", f"entries 须为列表，每次最多 {MOST} 条")
    actor, refused = roles.person(context), {}
    while True:
        run = _Import(context, data, actor)
        try:
            with transaction(context) as touched:
                identities.alone("import")  # two imports of one file: the second finds what the first brought
                for number, row in enumerate(rows):
                    run.take(row, touched, refused.get(number, []))
                if run.dry:
                    model.Session.rollback()
                    touched.ids.clear()
            return run.answer()
        except _Undone as undone:
            # CKAN's own schema refused an entry and rolled everything back: once more, without that entry.
            refused[number] = undone.problems


class _Undone(Exception):
    """One entry was refused by CKAN's schema, which rolls the whole transaction back."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems


class _Import:
    """One call: where each entry goes."""

    def __init__(self, context: Context, data: dict[str, Any], actor: Person) -> None:
        self.context, self.actor = context, actor
        self.organization = str(data.get("organization") or "")
        self.keeps_drafts = data.get("incomplete") == "draft"
        self.dry, self.submits = bool(data.get("dry_run")), bool(data.get("submit"))
        self.source = data.get("source") if isinstance(data.get("source"), dict) else {}
        self.found: dict[str, list[dict[str, Any]]] = {name: [] for name in LISTS}
        self.departments: dict[str, str] = {}
        self.allowed: dict[str, bool] = {}
        self.seen: dict[tuple[str, str], str] = {}

    def answer(self) -> dict[str, Any]:
        return {**self.found, "counts": {name: len(rows) for name, rows in self.found.items()}}

    def take(self, row: dict[str, Any], touched: Touched, refused: list[Problem]) -> None:
        """Put one entry where it goes. What the engine refuses of it is undone, and the other entries stay."""
        given, where = row.get("entry"), str(row.get("where") or "")
        if not isinstance(given, dict):
            return self._refuse({}, where, [Problem("", "wrong_type", "entry 须为一组字段（JSON 对象）", where=where)])
        if problems := refused or list(refusal.unstorable(given)):
            return self._refuse(Entry.from_dict(given).to_dict(), where, problems)
        problems = self._problems(row, given)
        entry = self._entry(given)
        known = identities.find(entry)
        if stops := self._stops(entry, where, known):
            return self._refuse(entry, where, stops)
        errors = errors_of(problems)
        if errors and not self.keeps_drafts:
            return self._refuse(entry, where, problems)
        if known is not None and self._is_there(entry, known):
            return self._add("unchanged", entry, where, known.package_id, "")
        before = dict(touched.ids)
        try:
            with model.Session.begin_nested():
                kind, package_id, case_id = self._write(entry, known, not errors, touched)
        except tk.ValidationError as error:
            touched.ids = before
            problems = refusal.problems_of(error)
            if "problems" not in error.error_dict:
                raise _Undone(problems) from error
            return self._refuse(entry, where, problems)
        self._add(kind, entry, where, package_id, case_id)
        if errors:
            self._add("drafts_with_problems", entry, where, package_id, "", problems)
        return None

    def _problems(self, row: dict[str, Any], given: dict[str, Any]) -> list[Problem]:
        """The reader's problems, and the rules' that it did not tell already; of the entry as it was given, odd values too."""
        problems = [_problem(one) for one in row.get("problems") or []]
        told = {(one.field, one.rule) for one in problems}
        found = entries.problems_of({**given, "provider": self.organization or given.get("provider")})
        return problems + [one for one in found if (one.field, one.rule) not in told]

    def _entry(self, given: dict[str, Any]) -> dict[str, Any]:
        """What of the entry can be kept, with the department and the source that this call names."""
        entry = Entry.from_dict(given).to_dict()
        entry["provider"] = self.organization or entry.get("provider", "")
        if self.source.get("name") and not entry.get("source"):
            entry["source"] = {key: str(self.source[key]) for key in ("name", "url") if self.source.get(key)}
        return entry

    def _write(self, entry: dict[str, Any], known: Any, sound: bool, touched: Touched) -> tuple[str, str, str]:
        """(list that it belongs to, dataset's id, case's id)."""
        with refusal.refusals():
            kind = "created" if known is None else "updated"
            package_id = self._create(entry) if known is None else self._update(entry, known.package_id)
            case = cases.open_case_of(package_id, REVIEW)
            if case and self.submits and sound and case.state in ("draft", "returned"):
                steps.act(case, "submit", self.actor, {}, touched, entry=None if case.data.get("proposed") else entry)
        return kind, package_id, case.id if case else ""

    def _is_there(self, entry: dict[str, Any], known: Any) -> bool:
        """Whether the catalogue says the same already, or will once all that waits is decided."""
        entry = {**entry, "resource_code": entry.get("resource_code") or known.resource_code.removeprefix(f"none:{known.package_id}")}
        stated = identities.fingerprint(entry)
        if stated == known.fingerprint:
            return True
        expected = cases.expected(known.package_id)
        return expected is not None and stated == identities.fingerprint(expected)

    def _stops(self, entry: dict[str, Any], where: str, known: Any) -> list[Problem]:
        """What keeps an entry out even as a draft: nobody's, nameless, or the same as another one."""
        stops = []
        provider, title, code = entry["provider"], str(entry.get("title") or ""), str(entry.get("resource_code") or "")
        if not title:
            stops.append(Problem("title", "required", "没有信息资源名称，无法入库", where=where))
        if provider not in self.departments:
            found = entries.organisation(provider)
            self.departments[provider] = found.id if found else ""
        if not self.departments[provider]:
            stops.append(Problem("provider", "no_such_department", f"没有名为“{provider}”的部门", provider, where=where))
        elif not self._may(provider):
            stops.append(Problem("provider", "wrong_role", f"您不是“{provider}”的编目人员，不能导入它的目录", provider, where=where))
        identity = (provider, code or f"{title}\n{entry.get('source', {}).get('id', '')}")
        if identity in self.seen:
            message = f"与{self.seen[identity]}重复：同一{'代码' if code else '名称'}出现两次"
            stops.append(Problem("resource_code" if code else "title", "doubled", message, code or title, where=where))
        self.seen.setdefault(identity, where or "前面一条")
        problem = identities.of_another(entry, known) or identities.archived(known) or identities.taken(entry, known.package_id if known else "")
        return [*stops, problem] if problem else stops

    def _may(self, provider: str) -> bool:
        if provider not in self.allowed:
            try:
                tk.check_access("package_create", dict(self.context), {"owner_org": self.departments[provider]})
                self.allowed[provider] = True
            except tk.NotAuthorized:
                self.allowed[provider] = False
        return self.allowed[provider]

    def _create(self, entry: dict[str, Any]) -> str:
        context = self._context(return_id_only=True)
        package = entries.to_package(entry) | {"owner_org": self.departments[entry["provider"]]}
        return str(tk.get_action("package_create")(context, package))

    def _update(self, entry: dict[str, Any], package_id: str) -> str:
        current = entries.show(package_id)
        emptied = {key: "" for key in entries.KEYS if current.get(key)}
        kept = {key: current.get(key) for key in ("name", "resource_code", "resources")}
        package = {**current, **emptied, **kept, **{k: v for k, v in entries.to_package(entry).items() if v}, "id": package_id}
        source = entry.get("source", {}).get("name") or "部门提交的目录"
        package["class_change_reason"] = f"{source}里的属性与已发布的不同"
        package["class_change_basis"] = entry.get("share_basis") or entry.get("open_basis") or source
        return str(tk.get_action("package_update")(self._context(return_id_only=True), package))

    def _context(self, **more: Any) -> Context:
        """For the inner calls: whether this person may enter for the department was asked once, for all of its entries."""
        kept = {key: self.context[key] for key in ("user", "auth_user_obj", "mulu_touched") if key in self.context}
        return {**kept, "ignore_auth": True, **more}

    def _refuse(self, entry: dict[str, Any], where: str, problems: list[Problem]) -> None:
        rows = [problem.to_dict() for problem in problems]
        self.found["refused"].append({"where": where, "title": entry.get("title", ""), "problems": rows})

    def _add(
        self, kind: str, entry: dict[str, Any], where: str, package_id: str, case_id: str, problems: list[Problem] | None = None
    ) -> None:
        package = model.Package.get(package_id)
        row: dict[str, Any] = {"name": package.name if package else "", "id": package_id, "where": where, "title": entry["title"]}
        if problems is not None:
            row["problems"] = [problem.to_dict() for problem in problems]
        else:
            row["case_id"] = case_id
        self.found[kind].append(row)


def _problem(row: dict[str, Any]) -> Problem:
    known = ("field", "rule", "message", "value", "article", "where", "severity")
    return Problem(**{key: row[key] for key in known if key in row})
