"""What the published vocabularies say, in our codes, and texts as feeds write them; shared by the readers of such feeds.

A word stays the source's own where no vocabulary defines it, or where the source's ``lookups`` say what it means there:
``normalise`` then reads it, or tells that it cannot.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from html import unescape
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from mulu import resource_code
from mulu.codes import CODE_LISTS
from mulu.errors import Problem, Severity

from ..record import Page, Record
from ..source import Field, Source, SourceError
from ..text import clean, half_width, one_line

PAGE = 200
"""Records a page of a source that has no pages itself."""
_BEIJING = ZoneInfo("Asia/Shanghai")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
_BLOCKS = frozenset(("p", "div", "li", "tr", *(f"h{level}" for level in range(1, 7))))
_HIDDEN = frozenset(("script", "style"))
_NOTHING = frozenset(("none", "null", "undefined"))


@lru_cache(maxsize=1)
def _vocabulary() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("vocabulary.yml").read_text("utf-8"))
    for key in ("update_frequency", "open_type", "license_id", "data_type"):
        read[key] = {_fold(word): code for code, words in read[key].items() for word in words}
    read["licences"] = [(re.compile(pattern, re.IGNORECASE), code) for pattern, code in read["licences"].items()]
    return read


def _fold(word: str) -> str:
    return re.sub(r"[\s_]+", "_", half_width(word).strip()).casefold()


def _segment(word: str) -> str:
    """The last part of an address under one of the authorities; other words as they are."""
    plain = re.sub(r"^https://", "http://", word)
    plain = re.sub(r"^http://(www\.)?iana\.org/", "http://www.iana.org/", plain)
    for authority in _vocabulary()["authorities"]:
        if plain.startswith(authority):
            rest = plain.removeprefix(authority).rstrip("/")
            return rest if "media-types" in authority else re.split(r"[/#]", rest)[-1]
    return word


def address(source: Source) -> str:
    """Where the source lies: ``options.path`` (a file or folder of this machine), else its ``url``, else its ``file``.

    :raises SourceError: none of them is stated.
    """
    found = str(source.options.get("path") or source.url or source.file)
    if not found:
        raise SourceError(f"来源“{source.title}”没有写明网址（url）或者文件夹（options.path）")
    return found


def text(source: Source, value: Any) -> str:
    """A value of a feed as text; ``""`` for null, for "None" and "null" that programs write, and for what the source calls empty."""
    if isinstance(value, (dict, list)):
        return ""
    found = clean(value)
    return "" if found in source.empty or found.casefold() in _NOTHING else found


def plain(written: str) -> str:
    """A description without its HTML; what has none comes back as it is."""
    if not _TAG.search(written):
        return written
    parts, hidden, at = [], "", 0
    for tag in _TAG.finditer(written):
        parts.append("" if hidden else written[at : tag.start()])
        at, closes, name = tag.end(), bool(tag[1]), tag[2].lower()
        if hidden:
            hidden = "" if closes and name == hidden else hidden
        elif name in _HIDDEN:
            hidden = "" if closes else name
        elif name == "br" or (closes and name in _BLOCKS):
            parts.append("\n")
    parts.append("" if hidden else written[at:])
    lines = (line.strip() for line in unescape("".join(parts)).replace("\xa0", " ").splitlines())
    return "\n".join(line for line in lines if line)


def code(source: Source, key: str, word: str) -> str:
    """Our code for a word of a published vocabulary, ``""`` where the word says nothing; else the word itself."""
    if not word or word in source.lookups.get(key, {}):
        return word
    found = _vocabulary()[key].get(_fold(_segment(word)))
    return word if found is None else str(found)


def licence(source: Source, words: Iterable[str], where: str) -> tuple[str, list[Problem]]:
    """(our code, problems): a licence that is none of ours is a warning, as no rule asks for one."""
    problems: list[Problem] = []
    for word in filter(None, words):
        found = code(source, "license_id", word)
        if found in CODE_LISTS["license_id"] or found in source.lookups.get("license_id", {}):
            return found, []
        bare = re.sub(r"^https?://(www\.)?", "", word)
        for pattern, known in _vocabulary()["licences"]:
            if pattern.match(bare):
                return known, []
        if key := CODE_LISTS["license_id"].parse(word):
            return key, []
        if not problems:
            message = f"{where}的开放许可“{one_line(plain(word))[:80]}”不是已知的许可，未读入"
            problems.append(Problem("license_id", "not_in_list", message, word[:500], where=where, severity="warning"))
    return "", problems


def file_format(word: str) -> str:
    """The name of a format: csv for text/csv, geojson for the EU's GEOJSON; ``""`` where it says nothing."""
    name = _segment(word.strip()).split(";")[0].strip()
    known = _vocabulary()["formats"].get(name.casefold())
    if known is not None:
        return str(known)
    if re.fullmatch(r"(application|text|image|audio|video)/[\w.+-]+", name):
        return re.sub(r"^(x-|vnd\.)", "", name.rpartition("/")[2])
    if re.match(r"https?://", name):
        return re.split(r"[/#]", name.rstrip("/"))[-1]
    return name


def resource(name: str, url: str, form: str, description: str = "", size: str = "") -> dict[str, str]:
    """A file or service in wire form; ``{}`` where it has no address."""
    if not url:
        return {}
    size = str(int(float(size))) if re.fullmatch(r"\d{1,15}(\.\d+)?", size) and float(size) else ""
    made = {"name": one_line(name), "url": url, "format": form.upper(), "size": size, "description": description}
    return {key: value for key, value in made.items() if value}


def theme_name(word: str) -> str:
    """The name of an EU data theme, else the word where it is one and no address."""
    known = _vocabulary()["data_themes"].get(_segment(word))
    return str(known or ("" if "://" in word else word))


def themes(words: Iterable[str], keywords: Iterable[str]) -> dict[str, str]:
    """``open_theme``: what the source calls its themes; ``theme``: the first word that is a theme of ours."""
    named = list(dict.fromkeys(filter(None, map(theme_name, words))))
    labels = {theme.label for theme in CODE_LISTS["theme"]}
    ours = next((word for word in (*named, *keywords) if word in labels), "")
    joined = ""
    for word in named:
        if len(joined) + len(word) < 100:
            joined += f"、{word}" if joined else word
    return full({"open_theme": joined, "theme": ours})


def beijing_day(written: str) -> str:
    """The day in Beijing of an instant with a zone (16:00 UTC is the next day's midnight); any other text as it is."""
    if not re.match(r"\d{4}-\d\d-\d\dT.*([Zz]|[+-]\d\d:?\d\d)$", written):
        return written
    try:
        return dt.datetime.fromisoformat(written.upper()).astimezone(_BEIJING).date().isoformat()
    except (ValueError, OverflowError):
        return written


def contact(*parts: str) -> str:
    """Name, mailbox and telephone in one line."""
    cleaned = (re.sub(r"^(mailto|tel):", "", one_line(part), flags=re.IGNORECASE) for part in parts)
    return "，".join(dict.fromkeys(part for part in cleaned if part))


def code_in(identifier: str) -> str:
    """The identifier where it is an 信息资源代码: another catalogue under the 编制指南 keeps the code that was assigned."""
    return identifier if resource_code.parse(identifier) else ""


def terms(open_type: str, rights: str) -> dict[str, str]:
    """A statement of rights is the condition where there is one, the basis where nothing is open, and no term of ours else."""
    key = {"conditional": "open_condition", "none": "open_basis"}.get(open_type, "")
    return {key: rights} if key and rights else {}


def digest(*parts: str) -> str:
    """An identity made of texts, whatever their blanks and widths."""
    joined = "\n".join(re.sub(r"\s+", "", half_width(clean(part))) for part in parts)
    return hashlib.sha256(joined.encode()).hexdigest()[:20]


def part(source: Source, fields: Mapping[str, Any], where: Field) -> str | list[str]:
    """What ``source.yml`` takes from a field of a flat record, or from a part of it."""
    value = fields.get(where.field)
    if isinstance(value, list):
        return [found for one in value if (found := text(source, one))]
    found = text(source, value)
    if where.pattern:
        match = re.search(where.pattern, found)
        found = (match[1] or "").strip() if match else ""
    return found


def overrides(source: Source, fields: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """Our key → value for what ``source.fields`` takes from other fields of a flat record than the standard says."""
    return {key: part(source, fields, where) for key, where in source.fields.items()}


def record(
    source: Source, where: str, raw: Mapping[str, Any], *, id: str, url: str, problems: list[Problem], made: str = "identifier"
) -> Record:
    """The record, without what is empty; one that cannot be known again says so.

    :param made: the source's word for its identifier, for the message.
    """
    problems = list(problems)
    if not id:
        problems.append(problem("source", "no_id", where, f"没有标识（{made}），无法再次认出，未读入"))
    link = url if re.match(r"https?://\S+$", url) else ""
    stated = full({**raw, "source": full({"name": source.name, "url": link, "id": id})})
    return Record(where, stated, problems=problems)


def problem(field: str, rule: str, where: str, message: str, severity: Severity = "error", value: Any = None) -> Problem:
    """A problem whose message begins with its place."""
    return Problem(field, rule, f"{where}{message}", value, where=where, severity=severity)


def pages(records: Iterable[Record]) -> Iterator[Page]:
    """Records in pages, for a source that is one document; where it was left, it can only begin anew."""
    iterator = iter(records)
    batch = tuple(islice(iterator, PAGE))
    yield Page(batch)
    while batch := tuple(islice(iterator, PAGE)):
        yield Page(batch)


def full(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty."""
    return {key: value for key, value in values.items() if value not in ("", None, [], {}, ())}
