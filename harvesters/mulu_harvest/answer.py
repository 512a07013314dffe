"""What an address gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO


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
