"""The key that a source asks for: sent to its own host only, and told to nobody."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .addresses import Forbidden, origin
from .source import Source, SourceError


def key_variable(name: str) -> str:
    """The one environment variable that a source may name: neither the portal's own secrets nor other sources' keys are its to send."""
    return f"MULU_HARVEST_KEY_{name.upper().replace('-', '_')}"


@dataclass(frozen=True)
class Key:
    """``header``, ``value``: empty where the source asks for none; ``home``: the source's own address."""

    home: str
    header: str = ""
    value: str = ""

    @classmethod
    def of(cls, source: Source) -> Key:
        """From the environment variable that the source's options name.

        :raises SourceError: it is not set, or not the source's own.
        """
        variable = str(source.options.get("key_variable") or "")
        if not variable:
            return cls(source.url)
        if variable != key_variable(source.name):
            raise SourceError(f"来源“{source.title}”的密钥应当在环境变量 {key_variable(source.name)} 中，设置里写的是 {variable}")
        value = os.environ.get(variable, "").strip()
        if not value:
            raise SourceError(f"来源“{source.title}”的密钥没有设置：环境变量 {variable} 是空的")
        return cls(source.url, str(source.options.get("key_header") or "Authorization"), value)

    def added(self, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers of a request to an address, with the key where it belongs."""
        if not self.value:
            return dict(headers)
        others = {name: one for name, one in headers.items() if name.lower() != self.header.lower()}
        return others | ({self.header: self.value} if _same_place(self.home, url) else {})

    def hidden(self, text: str) -> str:
        """A text that may be told."""
        return text.replace(self.value, "***") if self.value else text


def _same_place(home: str, url: str) -> bool:
    """The same origin, or the same host asked with encryption where the source's address has none."""
    try:
        mine, other = origin(home), origin(url)
    except Forbidden:
        return False
    return mine == other or (mine[:1] + mine[2:] == ("http", 80) and other == ("https", mine[1], 443))
