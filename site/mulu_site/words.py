"""The words of the rules core that the public reads: labels of code lists, of fields, of the place. The only import of `mulu` here."""

from __future__ import annotations

from functools import lru_cache

from mulu import profile as profiles
from mulu.codes import CODE_LISTS
from mulu.entry import FIELDS, ITEM_FIELDS
from mulu.forms import in_place
from mulu.procedure import PROCEDURES, Procedure, load_procedure

# Reviews name the officials who made them; the public sees the decision, not the person.
WITHHELD = frozenset({"secrecy_review", "privacy_review"})
_NUMERALS = "一二三四五六七八九十"

__all__ = [
    "FIELDS", "ITEM_FIELDS", "PROCEDURES", "WITHHELD", "ground_article", "grounds", "in_place", "keys", "label", "load_profile",
    "procedure", "public_state",
]  # fmt: skip


@lru_cache
def _labels(code_list: str) -> dict[str, str]:
    return {code.key: code.label for code in CODE_LISTS[code_list]} if code_list in CODE_LISTS else {}


def label(code_list: str, key: str) -> str:
    """The Chinese label of a key; a key that the list does not know is shown as it is."""
    return _labels(code_list).get(key, key)


def keys(code_list: str) -> tuple[str, ...]:
    """Keys in the order of the list."""
    return tuple(_labels(code_list))


def grounds() -> list[str]:
    """The grounds for not opening, in the words and the order of the regulation."""
    return list(_labels("open_ground").values())


def ground_article(key: str) -> str:
    """The article behind a ground: the list's source cites "… 第二十六条（一）至（五）", its third ground stands under （三）."""
    if key not in _labels("open_ground"):
        return ""
    source = CODE_LISTS["open_ground"].source
    article, several, _ = source.partition("（一）至")
    return f"{article}（{_NUMERALS[keys('open_ground').index(key)]}）" if several else source


def load_profile(profile_id: str) -> profiles.Profile:
    return profiles.load(profile_id)


def procedure(procedure_id: str) -> Procedure:
    return load_procedure(procedure_id)


def public_state(procedure_id: str, state: str) -> str:
    """How the public reads a state of a case; a state that the procedure no longer knows is shown as it is."""
    states = load_procedure(procedure_id).states
    return states[state].public if state in states else state
