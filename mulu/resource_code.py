"""信息资源代码: ``类 项 目 细目/顺序号`` (政务信息资源目录编制指南（试行）).

类 one digit (1 基础, 2 主题, 3 部门), 项 two, 目 three, 细目 any number of digits, a slash, a sequence number.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

ARTICLE = "政务信息资源目录编制指南（试行） 信息资源代码"
KIND_DIGITS = {"base": "1", "theme": "2", "department": "3"}
SEQUENCE_WIDTH = 5

_CODE = re.compile(r"(?P<kind>[123])(?P<group>\d{2})(?P<item>\d{3})(?P<detail>\d*)/(?P<sequence>\d+)")


@dataclass(frozen=True)
class ResourceCode:
    """kind 类, group 项, item 目, detail 细目 ("" if none), sequence 顺序号 as written, leading zeros kept."""

    kind: str
    group: str
    item: str
    detail: str
    sequence: str

    @property
    def prefix(self) -> str:
        """All before the slash: the class under which sequence numbers are given out."""
        return self.kind + self.group + self.item + self.detail

    @property
    def classification(self) -> tuple[str, str, str, str]:
        """The four levels 类, 项, 目, 细目 as the entry keeps them."""
        return self.kind, self.group, self.item, self.detail

    @property
    def slug(self) -> str:
        """ASCII name for URLs: ``r-307001-00001``."""
        return f"r-{self.prefix}-{self.sequence}"

    def __str__(self) -> str:
        return f"{self.prefix}/{self.sequence}"

    def numbered(self, number: int) -> ResourceCode:
        """The same class with another sequence number, written with five digits or more."""
        return replace(self, sequence=str(number).zfill(SEQUENCE_WIDTH))


def parse(text: str) -> ResourceCode | None:
    """The code in any width of digits and slash, or None if it is none."""
    match = _CODE.fullmatch("".join(unicodedata.normalize("NFKC", text).split()))
    return ResourceCode(**match.groupdict()) if match else None


def first(classification: tuple[str, ...] | list[str], catalogue_kind: str = "department") -> ResourceCode:
    """The first code of a class; the portal gives ``.numbered(n)`` of it to an entry that brings none.

    classification: up to four levels; missing ones count as 00, 000 and "". A level 类 that is no digit 1-3 is taken from
    the kind of catalogue.
    """
    kind, group, item, detail = (*classification, "", "", "", "")[:4]
    return ResourceCode(
        kind=kind if kind in ("1", "2", "3") else KIND_DIGITS.get(catalogue_kind, "3"),
        group=_digits(group, 2),
        item=_digits(item, 3),
        detail=_digits(detail, 0),
        sequence="1".zfill(SEQUENCE_WIDTH),
    )


def _digits(text: str, width: int) -> str:
    found = "".join(re.findall(r"\d", unicodedata.normalize("NFKC", text)))
    return found.zfill(width)[-width:] if width else found
