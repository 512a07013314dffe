"""What can be said of one field by itself: its type, whether it is there, its length, its code, its date."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from mulu.codes import CODE_LISTS
from mulu.entry import FIELDS, ITEM_FIELDS, Field
from mulu.errors import Problem
from mulu.forms import read_date

TITLE_USUAL: Final = 50
"""Characters; longer ones are allowed up to the field's own limit, with a warning."""
_LENGTH = re.compile(r"\d{1,9}([,，.]\d{1,3})?")
_URL = re.compile(r"(https?|ftp)://\S+", re.IGNORECASE)
_EARLIEST: Final = date(1949, 10, 1)
_RESOURCE_TEXTS: Final = ("id", "name", "url", "format", "hash", "description")


def _names(row: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[str]:
    return (key for key in keys if row.get(key) not in (None, "") and not isinstance(row[key], str))


class FieldChecks:
    """Collects the problems of one entry, field by field. ``today``: dates after it are no publication."""

    def __init__(self, today: date | None) -> None:
        self.problems: list[Problem] = []
        self._today = today

    def say(self, field: str, rule: str, message: str, value: object = None, article: str = "", warn: bool = False) -> None:
        self.problems.append(Problem(field, rule, message, value, article, "", "warning" if warn else "error"))

    def entry(self, entry: Mapping[str, Any]) -> None:
        for field in FIELDS:
            self._field(field, entry.get(field.key), field.key)
        title = entry.get("title")
        if isinstance(title, str) and TITLE_USUAL < len(title) <= 200:
            message = f"信息资源名称有{len(title)}字，一般不超过{TITLE_USUAL}字"
            self.say("title", "title_long", message, title, "政务信息资源目录编制指南 信息资源名称", warn=True)

    def _field(self, field: Field, value: Any, path: str) -> None:
        if value is None or value == "" or value == [] or value == {} or (isinstance(value, str) and not value.strip()):
            if field.required:
                self.say(path, "required", f"请填写“{field.label}”", None, field.article)
            return
        _KINDS[field.kind](self, field, value, path)

    def _text(self, field: Field, value: Any, path: str) -> None:
        if not isinstance(value, str):
            self.say(path, "wrong_type", f"“{field.label}”应为文字", value, field.article)
        elif field.max_length and len(value) > field.max_length:
            message = f"“{field.label}”有{len(value)}{field.unit}，最多{field.max_length}{field.unit}"
            self.say(path, "too_long", message, value, field.article)

    def _choice(self, field: Field, value: Any, path: str) -> None:
        codes = CODE_LISTS[field.code_list]
        if not isinstance(value, str):
            self.say(path, "wrong_type", f"“{field.label}”应为文字", value, field.article)
        elif value not in codes:
            reason = codes.why_not(value) or f"可选：{'、'.join(code.label for code in codes)}"
            self.say(path, "not_in_list", f"“{field.label}”不能是“{value[:40]}”：{reason}", value, field.article)

    def _choices(self, field: Field, value: Any, path: str) -> None:
        if not isinstance(value, (list, tuple)):
            self.say(path, "wrong_type", f"“{field.label}”应为列表", value, field.article)
            return
        for n, one in enumerate(value):
            self._choice(field, one, f"{path}[{n}]")

    def _list(self, field: Field, value: Any, path: str) -> None:
        if not isinstance(value, (list, tuple)):
            self.say(path, "wrong_type", f"“{field.label}”应为列表", value, field.article)
            return
        for n, one in enumerate(value):
            self._text(field, one, f"{path}[{n}]")

    def _date(self, field: Field, value: Any, path: str) -> None:
        day = read_date(value)
        if day is None:
            self.say(path, "not_a_date", f"“{field.label}”应为形如 2026-01-31 的日期，不能是“{value}”", value, field.article)
        elif day < _EARLIEST or day.year > 2100:
            self.say(path, "date_not_sane", f"“{field.label}”{value}不合常理", value, field.article)
        elif self._today and day > self._today and path != "open_review_on":
            self.say(path, "date_in_future", f"“{field.label}”{value}晚于今天（{self._today}）", value, field.article)

    def _review(self, field: Field, value: Any, path: str) -> None:
        if not isinstance(value, Mapping) or any(True for _ in _names(value, ("by", "on", "conclusion"))):
            self.say(path, "wrong_type", f"“{field.label}”应写明审查人、日期和结论", value, field.article)
            return
        for key, name in (("by", "审查人"), ("on", "日期"), ("conclusion", "结论")):
            if not str(value.get(key) or "").strip():
                self.say(f"{path}.{key}", "required", f"请填写“{field.label}”的{name}", None, field.article)
        if value.get("on"):
            self._date(field, value["on"], f"{path}.on")

    def _source(self, field: Field, value: Any, path: str) -> None:
        if not isinstance(value, Mapping) or any(True for _ in _names(value, ("name", "url", "id"))):
            self.say(path, "wrong_type", f"“{field.label}”应写明名称、网址和标识", value, field.article)

    def _flag(self, field: Field, value: Any, path: str) -> None:
        if not isinstance(value, bool):
            self.say(path, "wrong_type", f"“{field.label}”应为是或否", value, field.article)

    def _items(self, field: Field, value: Any, path: str) -> None:
        if not isinstance(value, (list, tuple)):
            self.say(path, "wrong_type", f"“{field.label}”应为列表", value, field.article)
            return
        for n, item in enumerate(value):
            if not isinstance(item, Mapping):
                self.say(f"{path}[{n}]", "wrong_type", f"第{n + 1}个信息项应为一组字段", item, field.article)
                continue
            for part in ITEM_FIELDS:
                self._field(part, item.get(part.key), f"{path}[{n}].{part.key}")
            length = item.get("length")
            if isinstance(length, str) and length.strip() and not _LENGTH.fullmatch(length.strip()):
                message = f"第{n + 1}个信息项的数据长度“{length}”应为数字，小数写作“10,2”"
                self.say(f"{path}[{n}].length", "wrong_number", message, length, "政务信息资源目录编制指南 信息项信息")

    def _resources(self, field: Field, value: Any, path: str) -> None:
        if not isinstance(value, (list, tuple)) or not all(isinstance(row, Mapping) for row in value):
            self.say(path, "wrong_type", f"“{field.label}”应为列表", value, field.article)
            return
        for n, row in enumerate(value):
            for key in _names(row, _RESOURCE_TEXTS):
                self.say(f"{path}[{n}].{key}", "wrong_type", f"第{n + 1}个文件的“{key}”应为文字", row[key])
            url = row.get("url")
            if isinstance(url, str) and url and not _URL.fullmatch(url.strip()):
                self.say(f"{path}[{n}].url", "bad_url", f"第{n + 1}个文件的网址“{url[:80]}”应以 http:// 或者 https:// 开头", url)


_KINDS: Final[Mapping[str, Callable[[FieldChecks, Field, Any, str], None]]] = {
    "text": FieldChecks._text, "long_text": FieldChecks._text, "org": FieldChecks._text, "date": FieldChecks._date,
    "choice": FieldChecks._choice, "choices": FieldChecks._choices, "list": FieldChecks._list,
    "review": FieldChecks._review, "source": FieldChecks._source, "flag": FieldChecks._flag,
    "items": FieldChecks._items, "resources": FieldChecks._resources,
}  # fmt: skip
