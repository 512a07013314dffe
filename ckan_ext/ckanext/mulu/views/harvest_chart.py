"""The last runs of a source as bars: height is what was read, colour and mark how it ended. Drawn here, in SVG, by the template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.mulu.harvest import words
from ckanext.mulu.harvest.sources import CHART
from ckanext.mulu.helpers import mulu_time

TONES = {"done": "ok", "held": "warn", "failed": "bad", "dropped": "warn"}
CHANGED = ("added", "changed", "removed", "restored")


@dataclass(frozen=True)
class Bar:
    """In the units of the chart's view box; ``changed``: how much of the height was no mere look; text: for who points at it."""

    x: float
    y: float
    width: float
    height: float
    changed: float
    tone: str
    text: str
    run: str


@dataclass(frozen=True)
class Chart:
    width: int
    height: int
    bars: tuple[Bar, ...]
    text: str
    most: int


def small(runs: list[dict[str, Any]]) -> Chart:
    return _drawn(runs, 120, 28)


def large(runs: list[dict[str, Any]]) -> Chart:
    return _drawn(runs, 640, 120)


def _drawn(runs: list[dict[str, Any]], width: int, height: int) -> Chart:
    """The newest at the right edge; a run that read nothing is still a mark."""
    slot = width / CHART
    most = max((run["counts"].get("read", 0) for run in runs), default=0)
    bars = []
    for place, run in enumerate(reversed(runs)):
        counts = run["counts"]
        share = counts.get("read", 0) / most if most else 0
        tall = max(3.0, share * (height - 2))
        changed = min(1.0, sum(counts.get(one, 0) for one in CHANGED) / counts["read"]) * tall if counts.get("read") else 0
        text = f"{mulu_time(run['asked_at'])} {tk._(words.RUN_STATES[run['state']][0])} {counted(counts)}".strip()
        x = width - (place + 1) * slot
        bars.append(Bar(round(x + slot * 0.15, 2), round(height - tall, 2), round(slot * 0.7, 2), round(tall, 2), round(changed, 2),
                        TONES.get(run["state"], "plain"), text, run["id"]))  # fmt: skip
    return Chart(width, height, tuple(reversed(bars)), _text(runs), most)


def _text(runs: list[dict[str, Any]]) -> str:
    """The chart in a sentence, for who does not see it."""
    if not runs:
        return tk._("还没有汇聚过")
    states = [run["state"] for run in runs]
    parts = [f"{tk._(label)} {states.count(state)}" for state, (label, _) in words.RUN_STATES.items() if state in states]
    last = runs[-1]
    return tk._("最近 {n} 次汇聚：{states}。最近一次 {time}：{counts}").format(
        n=len(runs), states="，".join(parts), time=mulu_time(last["asked_at"]), counts=counted(last["counts"]) or tk._("没有读到条目")
    )


def counted(counts: dict[str, int]) -> str:
    """「读取 2000，新增 3」: what is not 0, translated."""
    return "，".join(f"{tk._(label)} {counts[key]}" for key, label in words.COUNTS.items() if counts.get(key))
