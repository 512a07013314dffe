"""An entry as other programs' JSON: schema.org for search engines, DCAT-US for data.json, and the entry's own."""

from __future__ import annotations

from typing import Any

from mulu_site import words
from mulu_site.days import day_of
from mulu_site.entry_view import provider_path
from mulu_site.place import Site
from mulu_site.row import Row
from mulu_site.snapshot import Entry
from mulu_site.terms import LICENCES, description, files, period, reach
from mulu_site.text import cut, one_line, web_address

_US_ACCESS = {"unconditional": "public", "conditional": "restricted public", "none": "non-public"}
_ISO_FREQUENCY = {
    "realtime": "R/PT1S", "daily": "R/P1D", "weekly": "R/P1W", "monthly": "R/P1M", "quarterly": "R/P3M",
    "half_yearly": "R/P6M", "yearly": "R/P1Y", "irregular": "irregular",
}  # fmt: skip
_SHORTEST, _LONGEST = 50, 600
"""Characters of a description: search engines leave out what is shorter than 50, and read 5,000; the page has the whole text anyway."""

# What leaves in an entry's JSON is named, not what stays: a key that nobody thought of is not public.
_PUBLIC = ("id", "name", *(f.key for f in words.FIELDS if f.key not in words.WITHHELD), "provider_title", "version", "published_at",
           "history", "objection", "class_decision", "source_department_title", "sources", "calls")  # fmt: skip


def schema_org(entry: Entry, row: Row, site: Site, most: int = 20) -> dict[str, Any]:
    """schema.org/Dataset, with what Google's rules for data sets require and recommend; `most`: files and columns that it names."""
    row = row._replace(title=cut(row.title, 300), provider_title=cut(row.provider_title, 120), code=row.code[:120])
    most = min(most, 20)
    page, licence = site.url(f"entry/{row.page}/"), one_line(entry.get("license_id"))
    return _full(
        {
            "@context": "https://schema.org",
            "@type": "Dataset",
            "@id": page,
            "url": page,
            "name": row.title,
            "description": _described(entry, row, site),
            "identifier": row.code,
            "inLanguage": "zh-CN",
            "creator": {"@type": "GovernmentOrganization", "name": row.provider_title or site.place, "url": site.url(provider_path(row))},
            "version": one_line(entry.get("version"))[:20],
            "datePublished": day_of(row.published),
            "dateModified": row.changed,
            "isAccessibleForFree": True if row.open == "unconditional" else None,
            "conditionsOfAccess": cut(words.label("open_type", row.open), 40),
            "license": LICENCES.get(licence) or ({"@type": "CreativeWork", "name": cut(words.label("license_id", licence), 120), "url": site.url("about/")} if licence else ""),
            "keywords": cut(words.label("theme", row.theme), 120),
            "spatialCoverage": cut(_text(entry.get("spatial")), 200) or site.place,
            "temporalCoverage": _interval(entry),
            "variableMeasured": [one_line(i.get("name"))[:60] for i in _items(entry)[:most]],
            "includedInDataCatalog": {"@type": "DataCatalog", "name": site.title, "url": site.url("")},
            "distribution": [
                _full({
                    "@type": "DataDownload", "contentUrl": f.url, "encodingFormat": f.media_type or f.format, "name": cut(f.name, 100) if f.name != row.title else "",
                    "contentSize": f"{f.size} B" if f.size else "", "sha256": f.sha256,
                })
                for f in files(entry, site)[:most]
                if len(f.url) <= 1500
            ],
        }
    )  # fmt: skip


def _described(entry: Entry, row: Row, site: Site) -> str:
    """The abstract; one that says too little for a search engine goes on with what the entry states anyway."""
    text = cut(one_line(description(entry, row)), _LONGEST)
    if len(text) >= _SHORTEST:
        return text
    items = [cut(one_line(i["name"]), 30) for i in _items(entry) if i.get("name")]
    frequency = cut(words.label("update_frequency", row.frequency), 40)
    more = [
        f"《{row.title}》由{row.provider_title or site.place}提供" if text != row.title or row.provider_title else "",
        f"含{'、'.join(items[:8])}{'等' if len(items) > 8 else ''}{len(items)}个信息项" if items else "",
        f"更新周期：{frequency}" if frequency else "",
        cut(words.label("open_type", row.open), 40),
        f"登记于{site.title}，可查看其信息项、开放条件、共享条件和历次发布的版本",
    ]
    return f"{text.rstrip('。')}。{'，'.join(part for part in more if part)}。"


def dcat_us(entry: Entry, row: Row, site: Site) -> dict[str, Any]:
    """One dataset of data.json (DCAT-US 1.1 where its fields have a meaning here)."""
    licence, email = one_line(entry.get("license_id")), reach(entry)[0]
    kinds = [words.label("theme", row.theme), words.label("catalogue_kind", row.kind)]
    contact = {"@type": "vcard:Contact", "fn": one_line(entry.get("contact")) or row.provider_title or site.place}
    return _full(
        {
            "@type": "dcat:Dataset",
            "identifier": row.code or row.id,
            "title": row.title,
            "description": description(entry, row),
            "keyword": [k for k in kinds if k] or [row.provider_title or site.place],
            "modified": row.changed,
            "issued": day_of(row.published),
            "accrualPeriodicity": _ISO_FREQUENCY.get(row.frequency, ""),
            "publisher": {"@type": "org:Organization", "name": row.provider_title or site.place},
            "contactPoint": contact | ({"hasEmail": f"mailto:{email}"} if email else {}),
            "accessLevel": _US_ACCESS.get(row.open, "non-public"),
            "rights": cut(one_line(entry.get("open_condition")) or one_line(entry.get("open_basis")), 250),
            "license": LICENCES.get(licence, ""),
            "spatial": _text(entry.get("spatial")),
            "temporal": _interval(entry),
            "landingPage": site.url(f"entry/{row.page}/"),
            "theme": [words.label("theme", row.theme)] if row.theme else [],
            "language": ["zh-CN"],
            "distribution": [
                _full({"@type": "dcat:Distribution", "title": f.name, "description": f.description, "format": f.format, "mediaType": f.media_type if f.is_file else "",
                       "downloadURL" if f.is_file and f.media_type else "accessURL": f.url})
                for f in files(entry, site)
            ],
        }
    )  # fmt: skip


def public(entry: Entry, row: Row, site: Site) -> dict[str, Any]:
    """The entry as its JSON shows it: every public field, addresses a browser may follow, and where its page is."""
    shown = {key: entry[key] for key in _PUBLIC if entry.get(key) not in (None, "", [], {})}
    resources = [r for r in entry.get("resources") or [] if isinstance(r, dict)]
    shown["resources"] = [
        {**{k: v for k, v in r.items() if k != "preview"}, "url": web_address(r.get("url"), site.portal_url)} for r in resources
    ]
    return {**shown, "page": site.url(f"entry/{row.page}/")}


def _items(entry: Entry) -> list[Entry]:
    given = entry.get("items")
    return [i for i in given if isinstance(i, dict)] if isinstance(given, list) else []


def _interval(entry: Entry) -> str:
    first, last = period(entry)
    return f"{first or '..'}/{last or '..'}" if first != last else first


def _text(value: Any) -> str:
    return one_line(value) if not isinstance(value, dict | list) else ""


def _full(value: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in value.items() if v not in ("", [], None)}
