"""What every page needs of a text: made safe, made into an address, made sortable the Chinese way."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from functools import lru_cache
from typing import Any, NamedTuple

from pypinyin import lazy_pinyin

# Control characters, halves of surrogate pairs, and the marks that turn the direction of text around them (U+202E in a title
# would mirror the rest of the page); none of them means anything in a catalogue.
UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\u200e\u200f\ufeff\ufffe\uffff]"
)
_NOT_HANZI = "\ue000"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}\Z")
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"'\\^`{|}]+\Z", re.IGNORECASE)


def clean(value: Any) -> Any:
    """The same value without unwanted characters, in all its depth."""
    if isinstance(value, str):
        return UNWANTED.sub("", value)
    if isinstance(value, list):
        return [clean(v) for v in value]
    if isinstance(value, dict):
        return {clean(k): clean(v) for k, v in value.items()}
    return value


def one_line(value: Any) -> str:
    return " ".join(str(value or "").split())


def cut(text: str, length: int) -> str:
    """The text, shortened to about `length` characters where it is longer."""
    return text if len(text) <= length else text[:length].rstrip() + "……"


def slug(text: str) -> str:
    """A path segment for a key or a free text: ASCII keys stay, anything else becomes pinyin and a digest that keeps it unique."""
    if _NAME.match(text):
        return text
    readable = re.sub(r"[^a-z0-9]+", "-", "-".join(lazy_pinyin(text[:12])).lower()).strip("-")[:40]
    return f"{readable or 'x'}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def web_address(url: Any, base: str = "") -> str:
    """The address if a browser may follow it (http, https, or a path on the portal `base`), else ""."""
    text = str(url or "").strip()
    if text.startswith("/") and not text.startswith("//") and base:
        text = base.rstrip("/") + text
    return text if _WEB_ADDRESS.match(text) else ""


def fold(text: str) -> str:
    """What search compares: full width folded to half, lower case. `fold()` in search.js must do the same."""
    return unicodedata.normalize("NFKC", text).lower()


class Sound(NamedTuple):
    """How a text sounds: `initials` for search (教育局 → jyj; letters and digits stay), `order` for sorting as a Chinese register does."""

    initials: str
    order: str


@lru_cache(maxsize=4096)
def sound(text: str) -> Sound:
    """By pinyin; texts of equal sound are ordered by their characters."""
    parts = lazy_pinyin(fold(text), errors=lambda other: [_NOT_HANZI + other])
    first = "".join(p[1:] if p.startswith(_NOT_HANZI) else p[:1] for p in parts)
    return Sound(re.sub(r"[^a-z0-9]", "", first), " ".join(p.lstrip(_NOT_HANZI) for p in parts) + "\0" + text)


def digest(*parts: Any) -> str:
    """sha256 over the canonical JSON of the parts."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
