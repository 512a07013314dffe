"""What a member of the public holds of a request: its 受理编号 (receipt number) and its 查询码 (query code).

A receipt number names place, procedure, day and the request's number of that day, and ends in a check character (ISO/IEC 7064,
MOD 37,36): ``HUARONG-FH-20261121-00001-X``. A query code says nothing; it is drawn by lot from letters and digits that nobody
takes for each other.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable
from datetime import date

from mulu.errors import BrokenRules

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""31 characters: no 0, 1, I, L, O."""
CODE_LENGTH = 10
"""31**10 codes: nobody guesses one."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SHAPE = re.compile(r"([A-Z0-9]+-[A-Z]{1,8}-\d{8}-\d{5,9})-([0-9A-Z])")
_DASHES = re.compile(r"[‐-―−－—_]")


def check_character(text: str) -> str:
    """The character that follows ``text`` (digits and capital letters; hyphens do not count), by ISO/IEC 7064 MOD 37,36.

    :raises ValueError: for any other character
    """
    rest = 36
    for character in text.replace("-", ""):
        rest = (rest + _ALPHABET.index(character)) % 36 or 36
        rest = rest * 2 % 37
    return _ALPHABET[(37 - rest) % 36]


def prefix(place: str, letters: str, day: date) -> str:
    """All receipt numbers of one procedure on one day (Asia/Shanghai) begin so, with the hyphen."""
    return f"{place.upper()}-{letters.upper()}-{day:%Y%m%d}-"


def number(place: str, letters: str, day: date, sequence: int) -> str:
    """The receipt number. place: the profile's id; letters: of the procedure; sequence: from 1, five digits or more.

    :raises BrokenRules: when it could not be read back
    """
    body = f"{prefix(place, letters, day)}{sequence:05d}"
    try:
        made = f"{body}-{check_character(body)}"
    except ValueError:
        made = ""
    if sequence < 1 or not _SHAPE.fullmatch(made):
        raise BrokenRules(f"no receipt number from {place}, {letters}, {day}, {sequence}")
    return made


def read_number(text: str) -> str:
    """The receipt number as it was printed, from what somebody typed (small letters, full width, blanks, other dashes).

    "" if it is none: a wrong shape, or a slip that the check character finds.
    """
    typed = re.sub(r"\s", "", _DASHES.sub("-", unicodedata.normalize("NFKC", text))).upper()
    found = _SHAPE.fullmatch(typed) if typed.isascii() else None
    return typed if found and check_character(found[1]) == found[2] else ""


def make_code(choose: Callable[[str], str] = secrets.choice) -> str:
    """A new query code."""
    return "".join(choose(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def read_code(text: str) -> str:
    """The query code from what somebody typed; "" if it is none."""
    typed = re.sub(r"[\s-]", "", _DASHES.sub("-", unicodedata.normalize("NFKC", text))).upper()
    return typed if len(typed) == CODE_LENGTH and set(typed) <= set(CODE_ALPHABET) else ""


def same_title(one: str, other: str) -> bool:
    """Whether two requests ask for the same by their titles: width, case, blanks and punctuation do not count."""
    return _bare(one) == _bare(other) != ""


def _bare(title: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKC", title).casefold() if letter.isalnum())
