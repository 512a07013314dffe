"""Getting a source's bytes, with manners: time-outs, retries, a pace for each host, its robots, limits on what it may send."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol


@dataclass(frozen=True)
class Answer:
    """What an address gave. ``changed`` False: it is as it was when the validators were kept (304), and there is no body.

    ``url``: after redirects. ``file``: the body, spooled, at its beginning; closed with the context.
    """

    url: str
    changed: bool
    type: str = ""
    file: IO[bytes] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Fetch(Protocol):
    """What a reader may ask for. Every failure is a ``SourceError`` that says address, what happened and what was tried."""

    def get(self, url: str, *, params: Mapping[str, Any] | None = None, accept: str = "", conditional: bool = False,
            headers: Mapping[str, str] | None = None) -> AbstractContextManager[Answer]:
        """One GET. ``conditional``: send the validators kept of this address; only then may the answer be unchanged."""
        ...

    def json(self, url: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None) -> Any:
        """A small JSON document (a page), parsed; what is none is a SourceError that shows its beginning."""
        ...

    def files(self, folder: str, patterns: tuple[str, ...]) -> Iterator[Path]:
        """Files of a folder that the installation lets harvesters read, by name."""
        ...


Stopped = Callable[[], bool]
