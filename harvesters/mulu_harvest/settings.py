"""Checks the settings of a source, key by key: what a form, a ``source.yml`` or the database says, into what ``Source`` takes."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from croniter import CroniterBadDateError, croniter

from mulu.codes import CODE_LISTS
from mulu.entry import FIELD, ITEM_FIELD
from mulu.errors import Problem

from .keys import key_variable
from .readers import READERS
from .source import Field, Items

RAW_KEYS: Final = frozenset(FIELD) | {
    "formats", "open_answer", "share_terms", "share_mode_group", "class_1", "class_2", "class_3", "class_4",
}  # fmt: skip
"""What ``fields`` and ``lookups`` may speak of: the entry's fields, and the columns that :mod:`.normalise` makes fields of."""


_ANY_DAY: Final = datetime(2024, 1, 1)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_SLUG = re.compile(r"[a-z0-9_-]{2,100}")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")
_FILE_READERS: Final = frozenset({"portal", "form", "datapackage", "dcat", "data_json", "ckan"})

Check = Callable[[Any], Any]


class Wrong(ValueError):
    """A value is not what its key asks for; the message follows the key."""


def read(name: str, settings: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """(arguments of ``Source``, all problems): the arguments count only where there is no problem."""
    values: dict[str, Any] = {"name": name, "title": "", "publisher": "", "url": "", "licence": ""}
    problems: list[Problem] = []

    def tell(key: str, rule: str, message: str, value: object = None) -> None:
        problems.append(Problem(key, rule, f"{key} {message}", value=value))

    if not _NAME.fullmatch(name):
        tell("name", "bad_name", "只能用小写字母、数字、“-”和“_”，以字母或数字开头，不超过 60 个字符", name)
    for key, value in settings.items():
        if key not in _CHECKS:
            tell(str(key), "unknown_key", f"不是来源设置的键{_nearest(key, _CHECKS)}")
        elif value is not None:
            try:
                values[key] = _CHECKS[key](value)
            except Wrong as error:
                tell(key, "bad_value", str(error), value)
    variable = values.get("options", {}).get("key_variable")
    if variable and variable != key_variable(name):
        message = f"的 key_variable 应当是这一来源自己的环境变量 {key_variable(name)}，现在是“{variable}”"
        tell("options", "bad_value", message, variable)
    told = {problem.field for problem in problems}
    for key in ("title", "reader"):
        if not values.get(key) and key not in told:
            tell(key, "required", "必须填写")
    reader, where = values.get("reader"), [values["url"], values.get("file"), values.get("options", {}).get("path")]
    if reader and not any(where) and not {"url", "options"} & told:
        tell("url", "required", "必须填写")
    if reader == "portal" and "fields" not in told and "title" not in values.get("fields", {}):
        tell("fields", "required", "必须写明 title（目录名称）在来源的哪个字段")
    if (
        reader
        and reader not in _FILE_READERS
        and values["url"]
        and not values["url"].startswith(("http://", "https://"))
    ):
        tell("url", "bad_value", f"应当是 http:// 或 https:// 开头的网址，读取方式“{reader}”不读文件", values["url"])
    return values, problems


def _nearest(key: object, known: Mapping[str, Any] | frozenset[str]) -> str:
    found = difflib.get_close_matches(str(key), list(known), 1)
    return f"，是不是“{found[0]}”？" if found else ""


def _word(value: Any) -> str:
    """A text; YAML reads 1 or 2.0 without quotation marks as numbers, and 是 stays a word but yes becomes true."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Wrong(f"应当是文字，现在是 {_shown(value)}；是、否一类的英文词（yes、no、on、off）请加引号")
    text = str(value)
    if "\0" in text:
        raise Wrong("含有空字符")
    return text.strip()


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"


def _one_of(*allowed: str) -> Check:
    def check(value: Any) -> str:
        if value not in allowed:
            raise Wrong(f"应当是 {'、'.join(allowed)} 之一，现在是“{value}”{_nearest(value, frozenset(allowed))}")
        return str(value)

    return check


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"应当是 true 或 false，现在是 {_shown(value)}")
    return value


def _whole(low: int, high: int = 10**9) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Wrong(f"应当是 {low} 到 {high} 的整数，现在是 {_shown(value)}")
        return value

    return check


def _pace(value: Any) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or not 0 < value <= 100
    ):
        raise Wrong(f"（每秒请求数）应当大于 0，不超过 100，现在是 {_shown(value)}")
    return float(value)


def _url(value: Any) -> str:
    text = _word(value)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Wrong(f"不是网址：{text}") from None
    if parts.username or parts.password:
        raise Wrong("中不要写用户名和密码，请用 options.key_variable 指明存放密钥的环境变量")
    if re.search(r"\s", text) and parts.scheme in ("http", "https"):
        raise Wrong(f"中有空格：{text}")
    if parts.scheme in ("http", "https"):
        if not host:
            raise Wrong(f"缺少主机名：{text}")
    elif parts.scheme == "file":
        if host:
            raise Wrong(f"是文件时应当写成 file:///文件夹/文件：{text}")
    elif "://" in text or (parts.scheme and not text.startswith(("/", "."))):
        raise Wrong(f"只能是 http、https 网址或者文件：{text}")
    return text


def _schedule(value: Any) -> str:
    text = " ".join(_word(value).split())
    if text and (len(text.split(" ")) != 5 or not croniter.is_valid(text)):
        raise Wrong(f"应当是 cron 的五段（分 时 日 月 周），如“30 2 * * *”，现在是“{text}”")
    try:
        if text:
            croniter(text, _ANY_DAY).get_next()
    except CroniterBadDateError:  # each field is right by itself, such as in “30 February”
        raise Wrong(f"“{text}”写的日期不会有，一次也不会汇聚；请改写日或月") from None
    return text


def _expected(value: Any) -> tuple[int, int]:
    number = _whole(0)
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise Wrong(f"应当是 [最少, 最多] 两个整数，现在是 {_shown(value)}")
    low, high = number(value[0]), number(value[1])
    if low > high:
        raise Wrong(f"的最少 {low} 大于最多 {high}")
    return low, high


def _slug(value: Any) -> str:
    text = _word(value)
    if text and not _SLUG.fullmatch(text):
        raise Wrong(f"应当是部门的标识（小写字母、数字、“-”“_”），现在是“{text}”")
    return text


def _pattern(value: Any, groups: int | None = None) -> str:
    text = _word(value)
    try:
        compiled = re.compile(text)
    except re.error as error:
        raise Wrong(f"的正则表达式“{text}”有误：{error}") from None
    if text and groups is not None and compiled.groups < groups:
        raise Wrong(f"的正则表达式“{text}”里没有用括号括出要取的部分")
    return text


def _field(value: Any) -> Field:
    if not isinstance(value, Mapping):
        return Field(_word(value))
    _known(value, {"field", "pattern"}, {"field"})
    return Field(_word(value["field"]), _pattern(value.get("pattern", ""), 1))


def _known(value: Mapping[Any, Any], keys: set[str], required: set[str]) -> None:
    for key in value:
        if key not in keys:
            raise Wrong(f"里的“{key}”不是可用的键{_nearest(key, frozenset(keys))}")
    for key in sorted(required - set(value)):
        raise Wrong(f"里缺少“{key}”")


def _mapping(value: Any, key: Check = _word, one: Check = _word) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Wrong(f"应当是“键: 值”的列表，现在是 {_shown(value)}")
    found, wrong = {}, []
    for name, part in value.items():
        try:
            found[key(name)] = one(part)
        except Wrong as error:
            wrong.append(f"的“{name}”{error}")
    if wrong:
        raise Wrong("；".join(wrong))
    return found


def _raw_key(value: Any) -> str:
    if value not in RAW_KEYS:
        raise Wrong(f"不是目录的字段{_nearest(value, RAW_KEYS)}")
    return str(value)


def _lookups(value: Any) -> dict[str, dict[str, str]]:
    def key_of(value: Any) -> str:
        if value not in RAW_KEYS and value not in ITEM_FIELD:
            raise Wrong(f"不是目录的字段{_nearest(value, RAW_KEYS | frozenset(ITEM_FIELD))}")
        return str(value)

    found = _mapping(value, key_of, _mapping)
    wrong = [
        f"的“{key}”里“{word}: {code}”不在代码表“{codes.title}”中"
        for key, words in found.items()
        if (field := FIELD.get(key) or ITEM_FIELD.get(key)) and (codes := CODE_LISTS.get(field.code_list))
        if field.kind != "text"  # 主题 may also be one's own word
        for word, code in words.items()
        if code and not all(codes.parse(part) for part in re.split("[、，,;；/]", code))
    ]
    if wrong:
        raise Wrong("；".join(wrong))
    return found


def _list(one: Check) -> Callable[[Any], list[Any]]:
    def check(value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise Wrong(f"应当是列表，现在是 {_shown(value)}")
        return [one(part) for part in value]

    return check


def _item_rule(value: Any) -> Items:
    if not isinstance(value, Mapping):
        raise Wrong(f"的每一条应当是“键: 值”，现在是 {_shown(value)}")
    checks: dict[str, Check] = {
        "field": _word, "pattern": lambda text: _pattern(text, 1), "separators": _separators, "minimum": _whole(1),
        "longest": _whole(1), "unless": _pattern,
    }  # fmt: skip
    _known(value, set(checks), {"field"})
    return Items(**{key: checks[key](part) for key, part in value.items()})


def _separators(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Wrong("的 separators 应当是分隔符号，如“、，”")
    return value


def _key_header(value: Any) -> str:
    text = _word(value)
    if not _HEADER.fullmatch(text):
        raise Wrong(f"应当是请求头的名称，如 Authorization，现在是“{text}”")
    return text


_OPTIONS: Final[Mapping[str, Check]] = {
    "page_size": _whole(1, 1000), "max_bytes": _whole(1, 2**40), "ignore_robots": _flag, "incremental": _flag,
    "key_variable": _word, "key_header": _key_header, "path": _word, "fq": _word,
}  # fmt: skip
"""Options that several readers know; the others are their own reader's."""


def _options(value: Any) -> dict[str, Any]:
    given = _mapping(value, _word, lambda part: part)
    found, wrong = dict(given), []
    for key, part in given.items():
        if check := _OPTIONS.get(key):
            try:
                found[key] = check(part)
            except Wrong as error:
                wrong.append(f"的 {key} {error}")
        elif near := difflib.get_close_matches(key, list(_OPTIONS), 1, 0.85):
            wrong.append(f"的“{key}”没有这个选项，是不是“{near[0]}”？")
    if wrong:
        raise Wrong("；".join(wrong))
    return found


_CHECKS: Final[Mapping[str, Check]] = {
    "title": _word, "publisher": _word, "reader": _one_of(*READERS), "url": _url, "licence": _word, "file": _word,
    "fields": lambda value: _mapping(value, _raw_key, _field), "department": _word, "prefixes": _mapping,
    "departments": _mapping, "slugs": lambda value: _mapping(value, _word, _slug), "no_department": _word, "identity": _field,
    "address": _word, "lookups": _lookups, "empty": lambda value: frozenset(_list(_word)(value)),
    "items": lambda value: tuple(_list(_item_rule)(value)), "expected": _expected, "organization": _slug,
    "create_departments": _flag, "schedule": _schedule, "arrives": _one_of("draft", "submit", "publish"),
    "incomplete": _one_of("draft", "refuse"), "local_edits": _one_of("keep", "overwrite"),
    "removed": _one_of("archive", "keep"), "pace": _pace, "quiet_days": _whole(0, 3650), "options": _options,
}  # fmt: skip
