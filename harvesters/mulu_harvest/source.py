"""A source is one folder with a ``source.yml``: who publishes, where it lies, and what its words mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

SOURCES = Path(__file__).resolve().parents[1] / "sources"


class SourceError(Exception):
    """The source's settings or its data are not what they must be; nothing of it is taken."""


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


def load_source(name_or_folder: str | Path) -> Source:
    """The source of this name under ``harvesters/sources``, or that of a folder.

    :raises SourceError: no such folder, or a key that is missing or unknown.
    """
    folder = Path(name_or_folder)
    if not (folder / "source.yml").is_file():
        folder = SOURCES / str(name_or_folder)
    path = folder / "source.yml"
    if not path.is_file():
        raise SourceError(f"没有名为“{name_or_folder}”的来源：缺少 {path.name}")
    try:
        settings = yaml.safe_load(path.read_text("utf-8"))
        settings["items"] = tuple(Items(**rule) for rule in settings.get("items", ()))
        settings["fields"] = {key: _field(where) for key, where in settings["fields"].items()}
        if "identity" in settings:
            settings["identity"] = _field(settings["identity"])
        settings["empty"] = frozenset(settings.get("empty", ()))
        settings["expected"] = tuple(settings.get("expected", (0, 10**9)))
        return Source(name=folder.name, **settings)
    except (TypeError, AttributeError, KeyError, yaml.YAMLError) as error:
        raise SourceError(f"来源“{folder.name}”的 source.yml 有误：{error}") from error


def _field(where: str | dict[str, str]) -> Field:
    return Field(where) if isinstance(where, str) else Field(**where)


def source_names() -> list[str]:
    """All sources that ship with the project."""
    return sorted(path.parent.name for path in SOURCES.glob("*/source.yml"))
