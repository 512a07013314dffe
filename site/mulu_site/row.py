"""The row of an entry: the little of it that lists, search and feeds need, small enough to hold 100,000 of them in memory."""

from __future__ import annotations

from typing import Any, NamedTuple

from mulu_site.days import day_of
from mulu_site.snapshot import Entry
from mulu_site.text import one_line, slug, sound

API_FORMATS = frozenset({"API", "接口", "服务接口"})
_API_MODES = frozenset({"api", "delivery_api", "verify", "query"})  # codes of the ways of opening, sharing and using


class Row(NamedTuple):
    """Keys are those of the code lists, dates ISO; `page` is the entry's folder under entry/, `since` the day of its first
    publication, `api` whether a program can ask for its data."""

    page: str
    id: str
    title: str
    provider: str
    provider_title: str
    code: str
    kind: str
    theme: str
    share: str
    open: str
    frequency: str
    formats: tuple[str, ...]
    updated: str
    published: str
    objection: bool
    related: tuple[str, ...]
    initials: str
    order: str
    since: str
    api: bool

    @property
    def changed(self) -> str:
        """The newer of publication and data update (ISO date)."""
        return max(self.updated, day_of(self.published))


def row_of(entry: Entry) -> Row:
    """Boils an entry down to its row."""
    title = one_line(entry.get("title")) or "（未命名）"
    formats = _formats(entry)
    heard = sound(title)
    return Row(
        page=slug(str(entry["name"]).strip()),
        id=str(entry.get("id") or entry["name"]),
        title=title,
        provider=str(entry.get("provider") or ""),
        provider_title=one_line(entry.get("provider_title") or entry.get("provider")),
        code=one_line(entry.get("resource_code")),
        kind=str(entry.get("catalogue_kind") or ""),
        theme=one_line(entry.get("theme")),
        share=str(entry.get("share_type") or ""),
        open=str(entry.get("open_type") or ""),
        frequency=str(entry.get("update_frequency") or ""),
        formats=formats,
        updated=day_of(entry.get("data_updated_on")),
        published=str(entry.get("published_at") or entry.get("published_on") or ""),
        objection=bool(entry.get("objection")),
        related=tuple(_strings(entry.get("related_codes"))),
        initials=heard.initials,
        order=heard.order,
        since=_first_published(entry),
        api=_has_api(entry, formats),
    )


def full_text(entry: Entry) -> str:
    """What the second stage of search looks through: the abstract, then a line for the name of each item."""
    parts = [one_line(entry.get("notes"))]
    parts += [one_line(item.get("name")) for item in entry.get("items") or [] if isinstance(item, dict)]
    return "\n".join(parts)


def _formats(entry: Entry) -> tuple[str, ...]:
    found = [one_line(r.get("format")).upper() for r in entry.get("resources") or [] if isinstance(r, dict)]
    if not any(found):
        found = [one_line(entry.get("format_type")).upper()]
    return tuple(dict.fromkeys(f[:20] for f in found if f))


def _first_published(entry: Entry) -> str:
    days = [day_of(h.get("published_at")) for h in entry.get("history") or [] if isinstance(h, dict)]
    return min((day for day in days if day), default=day_of(entry.get("published_at") or entry.get("published_on")))


def _has_api(entry: Entry, formats: tuple[str, ...]) -> bool:
    modes = {mode for key in ("open_mode", "share_mode", "use_mode") for mode in _strings(entry.get(key))}
    return entry.get("format_class") == "api" or not API_FORMATS.isdisjoint(formats) or not _API_MODES.isdisjoint(modes)


def _strings(value: Any) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else [str(value)] if value else []
