"""How fast a host may be asked, and what its robots.txt allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from protego import Protego

AGENT = "Mulu"


@dataclass
class Pace:
    """Evenly spaced requests to each host: ``interval`` seconds between the beginnings of two."""

    interval: float
    slower: dict[str, float] = field(default_factory=dict)
    """Host → its own interval, where its robots.txt asks for a longer one."""
    _next: dict[str, float] = field(default_factory=dict)

    def wait(self, host: str, now: float) -> float:
        """Seconds to wait before the next request to this host, which is then taken as made."""
        due = max(now, self._next.get(host, now))
        self._next[host] = due + max(self.interval, self.slower.get(host, 0.0))
        return due - now


@dataclass(frozen=True)
class Robots:
    """One host's robots.txt. ``crawl_delay``: seconds between two requests, 0 where it names none."""

    allows: Callable[[str], bool]
    crawl_delay: float = 0.0

    @classmethod
    def parse(cls, text: str, longest: float) -> Robots:
        """The rules for us. ``longest``: a longer delay is taken as this one, or a catalogue would never be read to its end."""
        rules = Protego.parse(text)
        delay = rules.crawl_delay(AGENT) or 0.0
        return cls(lambda url: rules.can_fetch(url, AGENT), min(max(delay, 0.0), longest))


ALL_ALLOWED = Robots(lambda url: True)
