"""The words of the rules core that the public reads: labels of code lists, of fields, of the place. The only import of `mulu` here."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from mulu import profile as profiles
from mulu.codes import CODE_LISTS
from mulu.entry import FIELDS, ITEM_FIELDS
from mulu.errors import Problem

# Reviews name the officials who made them; the public sees the decision, not the person (个人信息最小必要).
WITHHELD = frozenset({"secrecy_review", "privacy_review"})

__all__ = ["FIELDS", "ITEM_FIELDS", "Problem", "WITHHELD", "ground_article", "has_code", "keys", "label", "load_profile"]


@lru_cache(maxsize=65536)
def label(code_list: str, key: str) -> str:
    """The Chinese label of a key; a key that the list does not know is shown as it is."""
    if not key or code_list not in CODE_LISTS:
        return key
    return _labels(code_list).get(key, key)


@lru_cache
def _labels(code_list: str) -> dict[str, str]:
    return {code.key: code.label for code in CODE_LISTS[code_list]}


def keys(code_list: str) -> Iterator[str]:
    """Keys in the order of the list."""
    return iter(_labels(code_list))


def has_code(code_list: str, key: str) -> bool:
    return key in _labels(code_list)


def ground_article(key: str) -> str:
    """The article behind a ground for not opening, as the code list cites it."""
    return next((code.note for code in CODE_LISTS["open_ground"] if code.key == key), "")


def load_profile(profile_id: str) -> profiles.Profile:
    return profiles.load(profile_id)
