"""Whose site this is: the words of the place that the shell of every page shows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from mulu.imprint import Imprint
from mulu.outline import Line
from mulu_site import outline
from mulu_site.snapshot import Snapshot, SnapshotError
from mulu_site.text import clean, one_line, web_address
from mulu_site.words import load_profile

_ORIGIN = re.compile(r"https?://[\w.:\[\]-]+", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Site:
    """Everything here is on every page, so a change of it makes every page anew; nothing that changes daily belongs here."""

    title: str
    place: str
    profile: str
    rules: str  # version of the profile: other rules, other pages
    authority: str
    regulation: str
    portal_url: str
    site_url: str  # "" while nobody has said where the site will stand: then no page states an absolute address
    demo: bool
    demo_sources: tuple[dict[str, str], ...]
    imprint: Imprint
    outline: tuple[Line, ...] = ()
    """The place's own, for maps; `outline_approval` is its number (审图号), `outline_source` who published it."""
    outline_approval: str = ""
    outline_source: str = ""
    filed: tuple[tuple[str, str], ...] = ()

    def url(self, path: str) -> str:
        """An absolute address, or the path itself while the site's address is unknown."""
        return f"{self.site_url}/{path}" if self.site_url else f"/{path}"

    @property
    def portal_origin(self) -> str:
        """What a page may send requests to, as its security policy names it; "" without a portal."""
        found = _ORIGIN.match(self.portal_url)
        return found.group() if found else ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def site_of(
    snapshot: Snapshot, sources: Iterable[tuple[str, str]], *, portal_url: str = "", site_url: str = ""
) -> Site:
    """`sources` are the (name, url) that entries say they came from; they stand in for a header that names none."""
    header = clean(dict(snapshot.header))
    try:
        profile = load_profile(str(header.get("profile") or ""))
    except KeyError as error:
        raise SnapshotError(f"快照写明的地区“{header.get('profile')}”没有对应的规则，无法生成站点。") from error
    lines, reviewed = outline.of_place(profile), profile.outline
    place = one_line(header.get("place")) or profile.name
    named = [(one_line(s.get("name")), s.get("url")) for s in header.get("demo_sources") or [] if isinstance(s, dict)]
    return Site(
        title=f"{place}政务数据目录",
        place=place,
        profile=profile.id,
        rules=profile.version,
        authority=profile.authority_name,
        regulation=profile.regulation,
        portal_url=web_address(portal_url or header.get("portal_url")).rstrip("/"),
        site_url=web_address(site_url or header.get("site_url")).rstrip("/"),
        demo=bool(header.get("demo")),
        demo_sources=tuple({"name": n, "url": web_address(u)} for n, u in (named or list(sources)[:8]) if n),
        outline=lines,
        outline_approval=reviewed.approval if reviewed else "",
        outline_source=reviewed.source if reviewed else "",
        imprint=profile.imprint,
        filed=tuple(profile.imprint.filed),
    )
