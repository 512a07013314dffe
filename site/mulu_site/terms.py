"""What the catalogue's own words are called in the vocabularies of the world, and the facts of an entry that several of them ask for.

Access rights come from openness, never from sharing between departments; frequencies and formats are those of the EU's vocabularies.
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from mulu_site.place import Site
from mulu_site.row import API_FORMATS, Row
from mulu_site.snapshot import Entry
from mulu_site.text import one_line, web_address

EU = "http://publications.europa.eu/resource/authority/"
IANA = "https://www.iana.org/assignments/media-types/"
ACCESS = {"unconditional": "PUBLIC", "conditional": "RESTRICTED", "none": "NON_PUBLIC"}
FREQUENCY = {
    "realtime": "CONT", "daily": "DAILY", "weekly": "WEEKLY", "monthly": "MONTHLY", "quarterly": "QUARTERLY",
    "half_yearly": "ANNUAL_2", "yearly": "ANNUAL", "irregular": "IRREG", "never": "NEVER",
}  # fmt: skip
LICENCES = {
    "cc-zero": "https://creativecommons.org/publicdomain/zero/1.0/", "cc-by": "https://creativecommons.org/licenses/by/4.0/",
    "cc-by-sa": "https://creativecommons.org/licenses/by-sa/4.0/", "cc-nc": "https://creativecommons.org/licenses/by-nc/4.0/",
    "odc-by": "https://opendatacommons.org/licenses/by/1-0/", "odc-odbl": "https://opendatacommons.org/licenses/odbl/1-0/",
    "odc-pddl": "https://opendatacommons.org/licenses/pddl/1-0/",
}  # fmt: skip
"""Of the licences in the code list those that have an address; the others are called by their names."""
FORMATS = {
    "CSV": ("text/csv", "CSV"), "XLSX": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "XLSX"),
    "XLS": ("application/vnd.ms-excel", "XLS"), "JSON": ("application/json", "JSON"), "GEOJSON": ("application/geo+json", "GEOJSON"),
    "XML": ("application/xml", "XML"), "PDF": ("application/pdf", "PDF"), "DOC": ("application/msword", "DOC"),
    "DOCX": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "DOCX"), "ZIP": ("application/zip", "ZIP"),
    "TXT": ("text/plain", "TXT"), "HTML": ("text/html", "HTML"), "JPG": ("image/jpeg", "JPEG"), "GIF": ("image/gif", "GIF"), "BMP": ("image/bmp", "BMP"),
}  # fmt: skip
"""(media type, name in the EU's list of file types)"""

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_PHONE = re.compile(r"(?<!\d)(\+86[-－ ]?)?(0\d{2,3}[-－ ]?\d{7,8}|1\d{10}|\d{7,8}|12345)(?!\d)", re.ASCII)
_YEAR_ON = re.compile(r"\d{4}(-\d\d(-\d\d)?)?", re.ASCII)


class File(NamedTuple):
    """A file or an interface that may be had. `format` in capitals, `size` in bytes as digits, `sha256` in hex; "" where not known."""

    name: str
    url: str
    format: str
    size: str
    sha256: str
    description: str

    @property
    def is_file(self) -> bool:
        return self.format not in API_FORMATS

    @property
    def media_type(self) -> str:
        return FORMATS[self.format][0] if self.format in FORMATS else ""


def files(entry: Entry, site: Site) -> list[File]:
    """What an entry offers at an address that a browser may follow."""
    found = []
    for resource in entry.get("resources") or []:
        if isinstance(resource, dict) and (url := web_address(resource.get("url"), site.portal_url)):
            name = one_line(resource.get("name")) or one_line(entry.get("title"))
            kind, size = one_line(resource.get("format")).upper()[:20], bytes_of(resource)
            found.append(File(name, url, kind, str(size or ""), sha256_of(resource), one_line(resource.get("description"))))
    return found


def bytes_of(resource: Entry) -> int:
    """The size of a resource in bytes, 0 where it is not known; harvested ones say it as text."""
    size = resource.get("size")
    if isinstance(size, str) and re.fullmatch(r"\d{1,15}", size, re.ASCII):
        return int(size)
    return size if isinstance(size, int) and not isinstance(size, bool) and 0 < size < 10**15 else 0


def sha256_of(resource: Entry) -> str:
    found = re.fullmatch(r"sha256:([0-9a-f]{64})", one_line(resource.get("hash")).lower())
    return found[1] if found else ""


def period(entry: Entry) -> tuple[str, str]:
    """时间范围 as (first, last): a year, a month or a day, ISO; "" where there is none or it is told in words."""
    first, slash, last = one_line(entry.get("temporal")).partition("/")
    first = first.strip().removesuffix("年")
    last = last.strip().removesuffix("年") if slash else first
    if not all(not part or _is_date(part) for part in (first, last)):
        return "", ""
    shared = min(len(first), len(last))  # 2020-05/2020 ends in the year in which it begins
    return (first, last) if first[:shared] <= last[:shared] else ("", "")


def _is_date(text: str) -> bool:
    """A year, a month or a day that the calendar has; there is no year 0."""
    try:
        return bool(_YEAR_ON.fullmatch(text)) and bool(date.fromisoformat(text + "-01-01"[len(text) - 4 :]))
    except ValueError:
        return False


def reach(entry: Entry) -> tuple[str, str]:
    """(mailbox, telephone) out of 联系方式, which departments write as one text."""
    text = one_line(entry.get("contact"))[:300]
    email, phone = _EMAIL.search(text), _PHONE.search(_EMAIL.sub(" ", text))
    return (email[0] if email else ""), (_dialled(*phone.groups("")) if phone else "")


def _dialled(country: str, number: str) -> str:
    """As it is dialled: behind +86 an area code has no 0 (RFC 3966 wants it so as well)."""
    number = re.sub(r"[－ ]", "-", number)
    return f"+86-{number.removeprefix('0')}" if country else number


def description(entry: Entry, row: Row) -> str:
    """The abstract, or what stands for it."""
    return str(entry.get("notes") or "").strip() or row.title
