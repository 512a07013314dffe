"""统一社会信用代码 (GB 32100-2015): 18 characters, the last a check character.

Registration authority (1) + kind of body (1) + division (6) + organisation code (9, GB 11714, with a check character of its
own) + check character. The first may be a letter (A military, N village collectives, Y others): common validators refuse
those, the standard does not.
"""

from __future__ import annotations

import random
import re

from mulu.errors import Problem

ARTICLE = "GB 32100-2015 法人和其他组织统一社会信用代码编码规则"
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""31 characters: no I, O, S, V, Z, which are read as digits."""

_SHAPE = re.compile(rf"[1-9A-Z][{ALPHABET}]\d{{6}}[{ALPHABET}]{{10}}")
_WEIGHTS = tuple(pow(3, n, 31) for n in range(17))
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def check_character(first17: str) -> str:
    """The 18th character for the first seventeen (GB 32100, mod 31)."""
    total = sum(ALPHABET.index(c) * w for c, w in zip(first17, _WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def organisation_check_character(first8: str) -> str:
    """The 9th character of an organisation code (GB 11714, mod 11; X stands for 10)."""
    total = sum(_ORGANISATION_ALPHABET.index(c) * w for c, w in zip(first8, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def validate(text: str, field: str = "provider_code") -> Problem | None:
    """None for a valid code (already half-width and upper case), else the one thing that is wrong with it."""

    def wrong(rule: str, message: str) -> Problem:
        return Problem(field, rule, message, text, ARTICLE)

    if len(text) != 18:
        return wrong("credit_code_length", f"统一社会信用代码应为18位，“{text}”有{len(text)}位")
    strange = sorted({c for c in text if c not in ALPHABET})
    if strange:
        return wrong("credit_code_character", f"统一社会信用代码“{text}”含有不使用的字符：{'、'.join(strange)}")
    if not _SHAPE.fullmatch(text):
        return wrong("credit_code_shape", f"统一社会信用代码“{text}”第3至8位应为登记机关行政区划数字码")
    if check_character(text[:17]) != text[17]:
        return wrong("credit_code_check", f"统一社会信用代码“{text}”校验位不符，请核对是否有错字")
    return None


def make(seed: int, division: str = "430623", prefix: str = "11") -> str:
    """A made-up code with valid check characters for tests and demos; the same seed gives the same code.

    prefix "11" is a government body, "91" an enterprise; division is a six-digit 行政区划代码.
    """
    first8 = "".join(random.Random(seed).choices("0123456789", k=8))
    first17 = prefix + division + first8 + organisation_check_character(first8)
    return first17 + check_character(first17)
