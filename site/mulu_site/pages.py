"""The pages that lead to entries: home, the ways through the catalogue, and the registers, all readable without a script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from mulu_site import charts, lists, machine
from mulu_site.dashboard import by_class
from mulu_site.lists import Group, page_path, pages_of
from mulu_site.text import clean, one_line
from mulu_site.work import Work

HOME_LATEST, HOME_GROUPS, HOME_THEMES, SIDE_GROUPS, GROUPS_PER_PAGE = 9, 48, 20, 12, 240


def overview(work: Work) -> None:
    """The home page and the overviews of groups."""
    newest = sorted(range(len(work.rows)), key=lambda n: (work.rows[n].changed, work.rows[n].id), reverse=True)[:HOME_LATEST]
    departments, themes = work.groups["department"], work.groups["theme"]
    work.page(
        "home.html",
        "",
        entries=newest,
        total=len(work.rows),
        open_groups=[g.shown() for g in work.groups["open"]],
        departments=[g.shown() for g in departments[:HOME_GROUPS]],
        department_total=len(departments),
        open_bar=charts.stacked([(str(g.key), g.count) for g in work.groups["open"]], sum(g.count for g in work.groups["open"])),
        themes=by_class(work.rows, themes)[:HOME_THEMES],
        theme_total=len(themes),
    )
    work.page(
        "browse.html", "browse/", heading="分类", trail=[("分类", "")], dimensions=_dimensions(work, HOME_GROUPS), pages=1
    )
    for dimension in lists.DIMENSIONS:
        _dimension(work, dimension)


def _dimension(work: Work, dimension: lists.Dimension) -> None:
    """All groups of a dimension; beyond GROUPS_PER_PAGE on further pages ("-" can begin no group's own address)."""
    groups, base = work.groups[dimension.id], f"browse/{dimension.id}/"
    pages = max(1, -(-len(groups) // GROUPS_PER_PAGE))
    for page in range(1, pages + 1):
        shown = [g.shown() for g in groups[(page - 1) * GROUPS_PER_PAGE : page * GROUPS_PER_PAGE]]
        work.page(
            "browse.html",
            base if page == 1 else f"{base}-/{page}/",
            heading=dimension.label,
            trail=[("分类", "browse/"), (dimension.label, "")],
            dimensions=[{"id": dimension.id, "label": f"全部{dimension.label}", "groups": shown, "more": False}],
            page=page,
            pages=pages,
            first=base,
            base=base + "-/",
        )


def _dimensions(work: Work, most: int) -> list[dict[str, Any]]:
    return [
        {
            "id": d.id,
            "label": d.label,
            "groups": [g.shown() for g in work.groups[d.id][:most]],
            "more": len(work.groups[d.id]) > most,
        }
        for d in lists.DIMENSIONS
    ]


def registers(work: Work) -> None:
    """The whole catalogue and each group of it, PER_PAGE entries a page."""
    facts = {str(d["name"]): _facts(d) for d in clean(work.source.departments)}
    for groups in work.groups.values():
        for group in groups:
            _register(work, group, facts.get(group.key, []) if group.dimension.id == "department" else [])
    # What one may use comes first, as in search.js.
    sides = sorted(_dimensions(work, SIDE_GROUPS), key=lambda d: d["id"] != "open")
    for page, entries in _paged(range(len(work.rows))):
        work.page(
            "catalogue.html",
            page_path("catalogue/", page),
            entries=entries,
            page=page,
            pages=pages_of(len(work.rows)),
            base="catalogue/",
            total=len(work.rows),
            dimensions=sides,
        )


def _register(work: Work, group: Group, facts: list[tuple[str, str]]) -> None:
    dimension = group.dimension
    feed = f"{group.path}atom.xml" if dimension.id in ("department", "theme") else ""
    for page, entries in _paged(group.rows):
        work.page(
            "list.html",
            page_path(group.path, page),
            entries=entries,
            heading=group.label,
            dimension_label=dimension.label,
            trail=[("分类", "browse/"), (dimension.label, f"browse/{dimension.id}/"), (group.label, "")],
            page=page,
            pages=pages_of(group.count),
            base=group.path,
            total=group.count,
            facts=facts if page == 1 else [],
            feed=feed,
            search_link=f"{dimension.id}={quote(group.key)}",
            show_provider=dimension.id != "department",
        )
    if feed:
        rows = [work.rows[n] for n in group.rows]
        work.file(feed, machine.atom(work.site, f"{group.label} - {work.site.title}", feed, rows))


def _paged(positions: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    for page in range(1, pages_of(len(positions)) + 1):
        yield page, positions[(page - 1) * lists.PER_PAGE : page * lists.PER_PAGE]


def _facts(department: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [("统一社会信用代码", department.get("code")), ("首席数据官", department.get("chief_data_officer"))]
    return [(label, one_line(value)) for label, value in facts if one_line(value)]
