"""Names of departments: written out in full, and as the slug of their organisation."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from pypinyin import lazy_pinyin

_MAX_SPELT = 60
_SLUG = re.compile(r"[a-z0-9_-]{2,100}")
_RESERVED = frozenset({"new", "edit", "search"})
"""What CKAN's own addresses mean by something else (its ``name_validator``)."""


@lru_cache(maxsize=4096)
def slug(name: str) -> str:
    """The organisation's slug: the name in pinyin and a digest of it, the same on every machine and in every run.

    The digest keeps apart what sounds alike: a city's 水务局 and its 税务局 are both shuiwuju.
    """
    spelt = re.sub(r"[^a-z0-9]+", "", "".join(lazy_pinyin(name)).lower())[:_MAX_SPELT]
    return f"{spelt or 'department'}-{hashlib.sha256(name.encode()).hexdigest()[:4]}"


def usable(given: str) -> bool:
    """Whether an organisation can have this slug."""
    return bool(_SLUG.fullmatch(given)) and given not in _RESERVED


def full_name(name: str, prefixes: Mapping[str, str]) -> str:
    """市统计局 in 南通's own list is 南通市统计局 in a catalogue that holds more than one city.

    :param prefixes: beginning of a name → what stands there in full, e.g. ``{"市": "南通市"}``.
    """
    name = re.sub(r"\s+", "", name)
    for beginning, full in prefixes.items():
        if name.startswith(beginning) and not name.startswith(full):
            return full + name[len(beginning) :]
    return name


def slugs(names: Iterable[str], chosen: Mapping[str, str] | None = None) -> dict[str, str]:
    """Name → slug for all of a source's departments.

    :param chosen: slugs given by hand for some names.
    :raises ValueError: two names have one slug; one of them must then be chosen by hand.
    """
    result: dict[str, str] = {}
    owners: dict[str, str] = {}
    for name in names:
        result[name] = (chosen or {}).get(name) or slug(name)
        owner = owners.setdefault(result[name], name)
        if owner != name:
            raise ValueError(
                f"部门“{owner}”和“{name}”的标识都是 {result[name]}，请在来源设置的 departments 中指定其中一个"
            )
    return result
