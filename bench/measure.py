"""Times and what they were taken on."""

from __future__ import annotations

import functools
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """``target``: "" where the issue sets none; ``met``: None then."""

    name: str
    value: float
    unit: str
    target: str = ""
    met: bool | None = None
    note: str = ""

    def row(self) -> str:
        mark = {True: "✓", False: "✗", None: " "}[self.met]
        return f"{mark} {self.name:<44}{self.value:>10.1f} {self.unit:<10}{self.target:<12}{self.note}"


def below(name: str, value: float, limit: float, unit: str, note: str = "") -> Figure:
    return Figure(name, value, unit, f"< {limit:g}", value < limit, note)


def at_least(name: str, value: float, limit: float, unit: str, note: str = "") -> Figure:
    return Figure(name, value, unit, f"≥ {limit:g}", value >= limit, note)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def milliseconds(work: Callable[[Any], object], inputs: Iterable[Any]) -> list[float]:
    """One time for each input, in its order."""
    return [1000 * seconds(functools.partial(work, given)) for given in inputs]


def percentile(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[percent - 1]


def machine() -> dict[str, Any]:
    """Facts without which a figure says nothing. The load tells whether the machine had other work at the time."""
    cpu = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**20, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "ckan": version("ckan"),
        "load_1_minute": round(os.getloadavg()[0], 2),
    }


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []
