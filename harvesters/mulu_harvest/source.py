"""A source is one folder with a ``source.yml``: who publishes, where it lies, and what its words mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import yaml

from mulu.errors import Problem

SOURCES = Path(__file__).resolve().parents[1] / "sources"


class SourceError(Exception):
    """The source's settings or its data are not what they must be; nothing of it is taken.

    ``problems``: of settings, all at once, each with its key as ``field``; empty where it is about data.
    """

    def __init__(self, message: str, problems: tuple[Problem, ...] = ()) -> None:
        self.problems = problems
        super().__init__(message)


@dataclass(frozen=True)
class Items:
    """Where the items of an entry are named inside a text.

    ``field``: the source's field. ``pattern``: a regular expression whose first group is the list; empty: the whole text is.
    ``separators``: what parts the names. ``minimum``: fewer parts are no list but a sentence. ``longest``: nor is it one
    when a part has more characters. ``unless``: a regular expression of texts that look like lists and are none; an item
    that is not there is worse than one that is missing.
    """

    field: str
    pattern: str = ""
    separators: str = "、，,;；\t"
    minimum: int = 2
    longest: int = 30
    unless: str = ""


@dataclass(frozen=True)
class Field:
    """Where a value of ours stands: the source's field and, where it is only a part of it, a pattern with one group."""

    field: str
    pattern: str = ""


@dataclass(frozen=True)
class Source:
    """The settings of one source; see ``harvesters/sources/README.md`` for every key."""

    name: str
    title: str
    publisher: str
    reader: str
    url: str
    licence: str
    """What is known of the licence of its metadata."""
    file: str = ""
    fields: Mapping[str, Field] = field(default_factory=dict)
    """Our key → the source's field."""
    department: str = ""
    """The source's field that names the department."""
    prefixes: Mapping[str, str] = field(default_factory=dict)
    departments: Mapping[str, str] = field(default_factory=dict)
    """The source's name of a department → its full name, where a prefix does not do."""
    slugs: Mapping[str, str] = field(default_factory=dict)
    no_department: str = ""
    """Who gets entries that name no department; empty: they keep none, which is a problem of theirs."""
    identity: Field | None = None
    """The source's own id; where there is none, department and title are the identity."""
    address: str = ""
    """The source's field with the address of the entry's page."""
    lookups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Our key → the source's word → the key of our code list; ``""``: the word says nothing of ours."""
    empty: frozenset[str] = frozenset()
    """Texts that stand for nothing: 无, 暂无."""
    items: tuple[Items, ...] = ()
    """Tried in order; the first that finds a list is it."""
    expected: tuple[int, int] = (0, 10**9)
    """Least and most entries; a run outside these bounds is held."""
    organization: str = ""
    """Slug of the department that owns all entries, or those that name none."""
    create_departments: bool = False
    """Whether departments that the portal does not have yet are made."""
    schedule: str = ""
    """When it runs, as cron's five fields in Beijing time; empty: only when somebody says so."""
    arrives: Literal["draft", "submit", "publish"] = "draft"
    """What a new entry becomes: a draft of its department; submitted to its head where it has no error; published as it is,
    because it was reviewed and published where it comes from (only the authority says so)."""
    incomplete: Literal["draft", "refuse"] = "draft"
    """What becomes of an entry with errors: a draft with its problems, or quarantine."""
    local_edits: Literal["keep", "overwrite"] = "keep"
    """Whose word counts where a field was changed here and there."""
    removed: Literal["archive", "keep"] = "archive"
    """What becomes of an entry that the source has no longer."""
    pace: float = 5.0
    """Requests a second to one host at most; the source's robots.txt may slow it further."""
    quiet_days: int = 0
    """After so many days without a change somebody is told; 0: never."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What only its reader knows: page size, filter, path, name of the variable that holds the key."""


def parse(name: str, settings: Mapping[str, Any]) -> Source:
    """A source from its settings: those of a ``source.yml``, of a form, or as :func:`to_settings` gave them.

    :raises SourceError: with every problem at once, one for each key that is unknown, missing or not what it must be.
    """
    from .settings import read

    values, problems = read(name, settings)
    if problems:
        told = "；".join(problem.message for problem in problems)
        raise SourceError(f"来源“{name}”的设置有误：{told}", tuple(problems))
    return Source(**values)


def to_settings(source: Source) -> dict[str, Any]:
    """The settings of a source, JSON-able, without what is as by default: ``parse(source.name, to_settings(source)) == source``."""
    return {
        f.name: _plain(value)
        for f in fields(Source)
        if f.name != "name" and (value := getattr(source, f.name)) not in (_default(f), "")
    }


def _default(f: Any) -> Any:
    return f.default_factory() if f.default_factory is not MISSING else f.default


def _plain(value: Any) -> Any:
    if isinstance(value, (Field, Items)):
        given = {f.name: getattr(value, f.name) for f in fields(value) if getattr(value, f.name) != _default(f)}
        return given["field"] if isinstance(value, Field) and len(given) == 1 else given
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (tuple, frozenset)):
        return [_plain(one) for one in (sorted(value) if isinstance(value, frozenset) else value)]
    return value


def load_source(name_or_folder: str | Path) -> Source:
    """The source of this name under ``harvesters/sources``, or that of a folder.

    :raises SourceError: no such folder, or settings that are wrong, all problems at once.
    """
    folder = Path(name_or_folder)
    if not (folder / "source.yml").is_file():
        folder = SOURCES / str(name_or_folder)
    path = folder / "source.yml"
    if not path.is_file():
        raise SourceError(f"没有名为“{name_or_folder}”的来源：缺少 {path.name}")
    name = folder.resolve().name
    try:
        settings = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SourceError(f"来源“{name}”的 source.yml 读不了：{error}") from error
    if not isinstance(settings, dict):
        raise SourceError(f"来源“{name}”的 source.yml 应当是“键: 值”的列表")
    try:
        return parse(name, settings)
    except SourceError as error:
        raise SourceError(f"source.yml：{error}", error.problems) from None


def source_names() -> list[str]:
    """All sources that ship with the project."""
    return sorted(path.parent.name for path in SOURCES.glob("*/source.yml"))
