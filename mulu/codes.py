"""Code lists: keys are stored, Chinese labels are shown, and the words of real sources are understood."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from mulu.errors import BrokenRules
from mulu.files import ROOT, read_yaml

_TRAILING_NOTE = re.compile(r"\([^()]*\)$")


def fold(text: object) -> str:
    """One spelling of a word: half-width, lower case, no blanks, no stars of required columns."""
    word = unicodedata.normalize("NFKC", str(text))
    return "".join(word.split()).strip("*·、;；。").casefold()


@dataclass(frozen=True)
class Code:
    """One value. ``group``: the code of its parent (a format's class) or the heading it stands under."""

    key: str
    label: str
    synonyms: tuple[str, ...] = ()
    note: str = ""
    group: str = ""


@dataclass(frozen=True)
class CodeList:
    """A list with its source. ``unmapped``: words that sources use but no code fits, with the reason."""

    name: str
    title: str
    source: str
    codes: tuple[Code, ...]
    unmapped: Mapping[str, str] = field(default_factory=dict)
    _by_key: Mapping[str, Code] = field(init=False, repr=False, compare=False)
    _by_word: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        words: dict[str, str] = {}
        for code in self.codes:
            for word in (code.key, code.label, *code.synonyms):
                other = words.setdefault(fold(word), code.key)
                if other != code.key:
                    raise BrokenRules(f"code_lists.yml: {self.name}: {word} means both {other} and {code.key}")
        for word in self.unmapped:
            if fold(word) in words:
                raise BrokenRules(f"code_lists.yml: {self.name}: {word} is mapped and unmapped at once")
        object.__setattr__(self, "_by_key", MappingProxyType({code.key: code for code in self.codes}))
        object.__setattr__(self, "_by_word", MappingProxyType(words))

    def __iter__(self) -> Iterator[Code]:
        return iter(self.codes)

    def __len__(self) -> int:
        return len(self.codes)

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def __getitem__(self, key: str) -> Code:
        return self._by_key[key]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self._by_key)

    def parse(self, text: object) -> str | None:
        """The key for a key, label or synonym in any spelling; None where no code fits. A note in brackets is dropped."""
        word = fold(text)
        return self._by_word.get(word) or self._by_word.get(_TRAILING_NOTE.sub("", word))

    def label(self, key: str) -> str:
        """The Chinese label; an unknown key stays as it is."""
        code = self._by_key.get(key)
        return code.label if code else key

    def why_not(self, text: object) -> str:
        """Why a word that sources use has no code here; "" if it has one, or if nothing is known of it."""
        if self.parse(text):
            return ""
        word = fold(text)
        for known, reason in self.unmapped.items():
            if fold(known) in (word, _TRAILING_NOTE.sub("", word)):
                return reason
        return ""


def _read() -> Mapping[str, CodeList]:
    raw: dict[str, dict[str, Any]] = read_yaml(ROOT / "code_lists.yml")
    lists = {}
    for name, spec in raw.items():
        codes = tuple(
            Code(
                key=str(key),
                label=str(row["label"]),
                synonyms=tuple(str(word) for word in row.get("synonyms", ())),
                note=str(row.get("note", "")),
                group=str(row.get("group", "")),
            )
            for key, row in spec["codes"].items()
        )
        lists[name] = CodeList(name, spec["label"], spec["source"], codes, dict(spec.get("unmapped", {})))
    return MappingProxyType(lists)


CODE_LISTS: Final[Mapping[str, CodeList]] = _read()

_NO_CONDITION: Final = frozenset(fold(word) for word in ("无", "无条件", "无条件开放", "没有条件"))
_YES: Final = frozenset(fold(word) for word in ("是", "1", "向社会开放", "开放"))
_UNSAID: Final = frozenset(fold(word) for word in ("", "暂无", "-", "/", "空"))


def open_type_of(answer: object, condition: object = "") -> str | None:
    """The openness that a form's two columns 是否向社会开放 and 开放条件 state together.

    "是" alone says only that it is open: with 无条件 it is unconditional, with a stated condition conditional, with an
    empty condition nobody knows (None), so that it is asked for and not invented. (编制指南: 开放属性 has these two columns.)
    """
    key = CODE_LISTS["open_type"].parse(answer)
    if key or fold(answer) not in _YES:
        return key
    stated = fold(condition)
    if stated in _UNSAID:
        return None
    return "unconditional" if stated in _NO_CONDITION else "conditional"
