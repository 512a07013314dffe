"""Articles of the regulations: written short in our YAML, shown in full to people, and checked to exist."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from mulu.errors import BrokenRules
from mulu.files import ROOT, read_yaml

_ARTICLE = re.compile(r"第(?P<number>[一二三四五六七八九十]+)条(（(?P<item>[一二三四五六七八九十]+)）)?")
_SECTION = re.compile(r"(?P<section>[一二三四五六七八九十]|附件)(（(?P<item>[一二三四五六七八九十]+)）)?")
_DIGITS: Final = "零一二三四五六七八九"


def number(text: str) -> int:
    """A Chinese numeral up to 99: 二十一 → 21."""
    tens, ten, ones = text.rpartition("十")
    return (_DIGITS.index(tens) if tens else 1) * 10 * bool(ten) + (_DIGITS.index(ones) if ones else 0)


@dataclass(frozen=True)
class Citation:
    """An article (第二十一条, 第十条（三）) or a notice's section (四（三）) of a regulation."""

    regulation: str
    article: str

    def __str__(self) -> str:
        return f"{regulations()[self.regulation]['title']} {self.article}"


@cache
def regulations() -> Mapping[str, Mapping[str, Any]]:
    """regulations.yml, by id."""
    rows: Mapping[str, Mapping[str, Any]] = read_yaml(ROOT / "regulations.yml")
    return rows


def parse(text: str) -> Citation:
    """``guojia-2025 第二十一条`` → Citation; BrokenRules when there is no such regulation or no such article."""
    regulation, _, article = text.partition(" ")
    known = regulations().get(regulation)
    if known is None:
        raise BrokenRules(f"no such regulation: {text}")
    if "articles" in known:
        match = _ARTICLE.fullmatch(article)
        if not match or not 1 <= number(match["number"]) <= known["articles"]:
            raise BrokenRules(f"no such article: {text}")
    else:
        match = _SECTION.fullmatch(article)
        items = known["sections"].get(match["section"]) if match else None
        if match is None or items is None or (match["item"] and number(match["item"]) > items):
            raise BrokenRules(f"no such section: {text}")
    return Citation(regulation, article)


def cite(text: str) -> str:
    """One or several short citations (parted by ；) in full: ``政务数据共享条例 第二十一条``."""
    return "；".join(str(parse(part.strip())) for part in text.split("；")) if text else ""
