"""The forms in which a visitor asks for something, made from the procedures of the rules core, and the pages around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from math import floor
from typing import Any

from mulu import attached
from mulu_site import words
from mulu_site.ledger import Count, Demand, Ledger, Rereview, Suggestion
from mulu_site.lists import page_path
from mulu_site.place import Site
from mulu_site.release import BuildError
from mulu_site.text import cut

LATEST, PER_PAGE, OUTCOME = 8, 20, 300
WHOLE, PAGE_TEXT = 6000, 36_000
"""Characters of an answer on the pages of all of them (no procedure lets one be longer), and bytes of what one such page lists."""
_KINDS = {
    "text": "text", "long_text": "long_text", "email": "email", "choice": "choice", "choices": "choices", "files": "files",
    "date": "date", "number": "number", "flag": "flag", "credit_code": "text",
}  # fmt: skip
FILES = {
    "most": attached.MOST_FILES, "bytes": attached.MOST_BYTES, "all": attached.MOST_BYTES_IN_ALL, "accepted": attached.ACCEPTED,
    "endings": list(attached.ENDINGS),
}  # fmt: skip
_KNOWN_TO_BROWSERS = {"name": "name", "email": "email", "phone": "tel"}
Page = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True)
class Form:
    """A procedure that anybody may open from the site. `guide`: the hand-written page about it; `plain`: what it is for."""

    procedure: str
    guide: str
    plain: str

    @property
    def path(self) -> str:
        return f"ask/{self.procedure}/"

    @property
    def label(self) -> str:
        return words.procedure(self.procedure).opening.label


FORMS = {
    form.procedure: form
    for form in (
        Form("rereview", "guide/object/", "认为不开放或者只部分开放的数据应当开放的，由主管部门另行审查并公开结果。"),
        Form("error_check", "guide/correct/", "目录或者数据与事实不符的，由提供部门校核并告知结果。"),
        Form("demand", "guide/demand/", "目录里没有的数据，登记需求，由主管部门分派。"),
        Form("suggestion", "guide/suggest/", "对数据、开放、本站和办理的意见建议，由主管部门答复。"),
        Form("complaint", "guide/complain/", "数据被滥用、泄露，或者有关部门不履行职责的，由主管部门处理并答复。"),
    )
}


def link(procedure: str, page: str = "") -> dict[str, Any]:
    """A link to a form, about the entry whose folder is `page`."""
    form = FORMS[procedure]
    return {"label": form.label, "href": form.path + (f"?entry={page}" if page else ""), "external": False}


def pages(site: Site, ledger: Ledger, known: Mapping[str, str]) -> Iterator[Page]:
    """(template, path, what it shows) of every form, the look-up and the ledger. `known` maps entries' ids to their pages."""
    for form in FORMS.values():
        yield "ask.html", form.path, {"form": form_view(form, site)}
    yield "status.html", "ask/status/", {"files": FILES}
    rereviews = [_shown(one, known) for one in ledger.rereviews]
    demands = [_shown(one, known) for one in ledger.demands]
    suggestions = [_shown(one, known) for one in ledger.suggestions]
    place = words.load_profile(site.profile)
    yield "ledger.html", "ledger/", {
        "counts": [_counted(one, place) for one in ledger.counts], "latest": rereviews[:LATEST], "rereview_total": len(rereviews),
        "wanted": demands[:LATEST], "demand_total": len(demands), "suggested": suggestions[:LATEST], "suggestion_total": len(suggestions),
    }  # fmt: skip
    yield from _register("rereviews", "复核申请和结果", rereviews)
    yield from _register("demands", "数据需求", demands)
    yield from _register("suggestions", "意见建议和答复", suggestions)


def _register(part: str, heading: str, rows: list[dict[str, Any]]) -> Iterator[Page]:
    base, parts = f"ledger/{part}/", _paged(rows)
    for page, shown in enumerate(parts, start=1):
        context = {"part": part, "heading": heading, "rows": shown, "page": page, "pages": len(parts), "base": base, "total": len(rows)}
        yield "ledger_list.html", page_path(base, page), context


def _paged(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """At most `PER_PAGE` rows a page, fewer where long answers would make it too large for a slow line; one page at least."""
    pages: list[list[dict[str, Any]]] = [[]]
    room = PAGE_TEXT
    for row in rows:
        size = sum(len(escape(value, quote=True).encode()) for value in row.values() if isinstance(value, str))
        if pages[-1] and (len(pages[-1]) == PER_PAGE or size > room):
            pages.append([])
            room = PAGE_TEXT
        pages[-1].append(row)
        room -= size
    return pages


def _counted(one: Count, place: Any) -> dict[str, Any]:
    """The numbers of a procedure; `term`: the deadline and whose it is; `share`: answered in time, in per cent."""
    clock = next((place.clock(c.profile) for c in words.procedure(one.procedure).clocks.values() if c.profile in place.clocks), None)
    share = None if one.in_time is None or not one.answered else floor(100 * one.in_time / one.answered)
    return one._asdict() | {"label": one.label, "ended": one.ended, "term": clock.text if clock else "", "share": share}


def _shown(one: Rereview | Demand | Suggestion, known: Mapping[str, str]) -> dict[str, Any]:
    """A row, with `lead`: the beginning of an answer that is long, else ""."""
    row = one._asdict() | {"label": one.label, "page": known.get(getattr(one, "entry", ""), "")}
    told = {key: cut(value, WHOLE if key == "outcome" else OUTCOME) if isinstance(value, str) else value for key, value in row.items()}
    outcome = told.get("outcome", "")
    return told | {"lead": cut(outcome, OUTCOME) if len(outcome) > OUTCOME else ""}


def form_view(form: Form, site: Site) -> dict[str, Any]:
    """What the page of a form shows: fields, who decides by when under which article, and how it may end."""
    procedure, place = words.procedure(form.procedure), words.load_profile(site.profile)
    needed = _needed(procedure.opening.refuse)
    fields = [f for f in words.in_place(procedure.opening.fields, place) if not f.given and (f.key != "reason" or f.required)]
    deadline = next((_deadline(place.clock(c.profile)) for c in procedure.clocks.values() if c.profile), None)
    return {
        "procedure": procedure.id,
        "title": procedure.title,
        "heading": form.label,
        "plain": form.plain,
        "guide": form.guide,
        "article": place.cite(procedure.opening.cite),
        "about": "must" if procedure.about == ("entry",) else "may" if "entry" in procedure.about else "",
        "deadline": deadline,
        "ends": [state.public for state in procedure.states.values() if state.final],
        "fields": [_field(field, needed.get(field.key), form.procedure) for field in fields],
    }


def _deadline(clock: Any) -> dict[str, Any]:
    put_off = clock.extension
    return {
        "text": clock.text,
        "article": clock.article,
        "note": clock.note,
        "extension": put_off and {"length": put_off.length, "article": put_off.article, "note": put_off.note},
    }


def _field(field: Any, needed: dict[str, Any] | None, procedure: str) -> dict[str, Any]:
    if field.kind not in _KINDS:
        raise BuildError(f"程序 {procedure} 的“{field.label}”（{field.kind}）不能在公开网站上填写。")
    return {
        "key": field.key,
        "kind": _KINDS[field.kind],
        "label": field.label,
        "help": field.help,
        "required": field.required,
        "max": field.max if field.kind in ("text", "long_text", "email", "credit_code", "number") else 0,
        "min": field.min,
        "options": list(field.options.items()),
        "needed": needed,
        "files": FILES if field.kind == "files" else None,
        "autocomplete": _KNOWN_TO_BROWSERS.get(field.key, "off"),
    }


def _needed(guards: Any) -> dict[str, dict[str, Any]]:
    """Fields that must be filled in when another has a certain value: {field: {"when": {other: value}, "message"}}."""
    found = {}
    for guard in guards:
        data = guard.get("if", {}).get("data", {})
        field = guard.get("field", "")
        others = {key: value for key, value in data.items() if key != field}
        if guard.get("rule") == "required" and data.get(field) == [None] and all(isinstance(v, str) for v in others.values()):
            found[field] = {"when": others, "message": guard["message"]}
    return found
