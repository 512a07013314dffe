"""The ways through the catalogue: by department, kind, theme, class and frequency, each a paged register in pinyin order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mulu_site import words
from mulu_site.row import Row
from mulu_site.text import one_line, slug, sound

PER_PAGE = 50


@dataclass(frozen=True)
class Dimension:
    """One way to sort the catalogue into groups; `code_list` "" means that the key is its own label (or the department's title)."""

    id: str
    label: str
    code_list: str
    key: Callable[[Row], str]
    dots: bool = False


DIMENSIONS = (
    Dimension("department", "部门", "", lambda row: row.provider),
    Dimension("theme", "主题", "theme", lambda row: row.theme),
    Dimension("kind", "目录类别", "catalogue_kind", lambda row: row.kind),
    Dimension("open", "开放属性", "open_type", lambda row: row.open, dots=True),
    Dimension("share", "共享属性", "share_type", lambda row: row.share, dots=True),
    Dimension("frequency", "更新周期", "update_frequency", lambda row: row.frequency),
)


@dataclass(frozen=True)
class Group:
    """The entries of one department, theme, class …; `rows` are positions in the list of all rows."""

    dimension: Dimension
    key: str
    label: str
    rows: tuple[int, ...]

    @property
    def path(self) -> str:
        return f"browse/{self.dimension.id}/{slug(self.key)}/"

    @property
    def count(self) -> int:
        return len(self.rows)

    def shown(self) -> dict[str, object]:
        """What a list of groups shows of it."""
        dot = self.key if self.dimension.dots else ""
        return {"label": self.label, "path": self.path, "count": self.count, "dot": dot}


def group(rows: Sequence[Row], departments: Mapping[str, str]) -> dict[str, list[Group]]:
    """All groups of all dimensions that hold an entry; coded ones in the order of their list, others by pinyin."""
    found: dict[str, list[Group]] = {}
    for dimension in DIMENSIONS:
        members: defaultdict[str, list[int]] = defaultdict(list)
        for position, row in enumerate(rows):
            if key := dimension.key(row):
                members[key].append(position)
        groups = []
        for key, positions in members.items():
            if dimension.id == "department":
                label = departments.get(key) or rows[positions[0]].provider_title or key
            else:
                label = words.label(dimension.code_list, key)
            groups.append(Group(dimension, key, label, tuple(positions)))
        order = (
            {key: number for number, key in enumerate(words.keys(dimension.code_list))} if dimension.code_list else {}
        )
        groups.sort(key=lambda g: (order.get(g.key, len(order)), sound(g.label).order))
        found[dimension.id] = groups
    return found


def department_titles(departments: Iterable[Mapping[str, object]]) -> dict[str, str]:
    return {str(d["name"]): one_line(d.get("title")) or str(d["name"]) for d in departments}


def pages_of(count: int) -> int:
    return max(1, -(-count // PER_PAGE))


def page_path(base: str, page: int) -> str:
    """browse/open/none/ for the first page, browse/open/none/2/ for the second."""
    return base if page == 1 else f"{base}{page}/"
