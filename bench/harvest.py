"""Harvesting: ours and ckanext-harvest 1.6.3 on the same made-up source, one after the other, on the same services.

ckanext-harvest asks a CKAN only for what changed since its last run, and so never learns what is gone; ours reads the whole each time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from bench.measure import Figure, at_least, below
from bench.peer import own_peer
from bench.portal import DEPARTMENTS, free_port
from mulu_ops import portal, programs
from mulu_ops.services import http_ready, wait_for
from mulu_ops.settings import ROOT, Settings, clean_environment

NAME = "made-up"
FIRST, MIDDLE, LARGE = 2_000, 10_000, 50_000
PACE = 100
"""Requests a second that the loopback bears; a real source is asked more slowly."""


@dataclass(frozen=True)
class Ran:
    """One run of ours: its own seconds and counts, those of the whole command, the largest memory of its process."""

    seconds: float
    command: float
    peak_mib: float
    counts: dict[str, int]


def measured(settings: Settings) -> Iterator[Figure]:
    """First load, nothing changed, one in a hundred changed; memory at 2,000 and 50,000; drift of the index after each."""
    with made_up_source() as address:
        with own_peer(settings) as peer:
            stand(address, FIRST)
            theirs = peer.harvest(address)
        assert theirs["datasets"] == FIRST, theirs
        speed = FIRST / theirs["seconds"]
        yield Figure(f"ckanext-harvest 1.6.3, first load of {FIRST}", theirs["seconds"], "s", note=f"{speed:.1f}/s, {theirs['peak_mib']:.0f} MiB")
        with empty_portal(settings):
            stand(address, FIRST)
            small = harvest(settings, address)
            assert small.counts["added"] == FIRST, small
            yield Figure(f"ours, first load of {FIRST}", small.seconds, "s", note=f"{FIRST / small.seconds:.1f}/s; whole command {small.command:.1f} s")
            yield at_least("… times as fast as ckanext-harvest", FIRST / small.seconds / speed, 6, "times")
            yield _drift(settings)
        with empty_portal(settings):
            stand(address, MIDDLE)
            first = harvest(settings, address)
            assert first.counts["added"] == MIDDLE, first
            yield Figure(f"ours, first load of {MIDDLE}", first.seconds, "s", note=f"{MIDDLE / first.seconds:.1f}/s")
            yield _drift(settings)
            again = harvest(settings)
            assert again.counts["unchanged"] == MIDDLE, again
            yield below(f"ours, {MIDDLE} of which none changed", again.seconds, 20, "s", f"whole command {again.command:.1f} s")
            yield _drift(settings)
            stand(address, MIDDLE, changed=1)
            changed = harvest(settings)
            assert changed.counts["changed"] == MIDDLE // 100, changed
            yield below(f"ours, {MIDDLE} of which 1 % changed", changed.seconds, 40, "s", f"whole command {changed.command:.1f} s")
            yield _drift(settings)
        yield Figure(f"peak memory, first load of {FIRST}", small.peak_mib, "MiB")


def large(settings: Settings) -> Iterator[Figure]:
    """First loads of 2,000 and of 50,000: time and memory."""
    peaks = []
    with made_up_source() as address:
        for count in (FIRST, LARGE):
            with empty_portal(settings):
                stand(address, count)
                ran = harvest(settings, address)
                assert ran.counts["added"] == count, ran
                peaks.append(ran.peak_mib)
                yield below(f"peak memory, first load of {count}", ran.peak_mib, 400, "MiB", f"{ran.seconds:.0f} s, {count / ran.seconds:.1f}/s")
                yield _drift(settings)
    yield below("… of the large one more than of the small", 100 * (peaks[1] / peaks[0] - 1), 20, "%")


@contextmanager
def made_up_source() -> Iterator[str]:
    """Its address; a process of its own, so that its memory and time are not ours."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "bench.harvest_source", str(port)], cwd=ROOT)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for("虚构的来源", lambda: http_ready(f"{address}/1/0/api/3/action/package_search", 5), 30)
        yield address
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def empty_portal(settings: Settings) -> Iterator[None]:
    """The test database, emptied before and after, with two departments."""
    _empty(settings)
    portal.ckan(settings, "test", "mulu", "seed-demo", "--profile", "huarong", "--departments", "-", stdin=json.dumps(DEPARTMENTS))
    try:
        yield
    finally:
        _empty(settings)


def stand(address: str, count: int, *, changed: int = 0) -> None:
    """How large the made-up source is from now on, and how much of it changed since."""
    requests.get(f"{address}/set/{count}/{changed}", timeout=10).raise_for_status()


def harvest(settings: Settings, address: str = "") -> Ran:
    """Run the source; add it first where an address is given."""
    if address:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "source.yml"
            own = {"title": "性能测量用的来源", "publisher": "虚构", "licence": "", "reader": "ckan", "url": address, "pace": PACE,
                   "organization": DEPARTMENTS[0]["name"], "fields": {}, "options": {"page_size": 500}}  # fmt: skip
            file.write_text(yaml.safe_dump(own, allow_unicode=True), encoding="utf-8")
            portal.ckan(settings, "test", "mulu", "harvest", "add", NAME, "--from", str(file))
    command = [str(programs.BIN / "ckan"), "-c", str(settings.ini("test")), "mulu", "harvest", "run", NAME, "--json"]
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    answer: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return Ran(answer["seconds"], time.perf_counter() - start, usage.ru_maxrss / 1024, answer["counts"])


def _drift(settings: Settings) -> Figure:
    """How many entries the index tells otherwise than the database."""
    command = [str(programs.BIN / "ckan"), "-c", str(settings.ini("test")), "mulu", "drift"]
    said = subprocess.run(command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, text=True, check=False).stdout
    found = json.loads(said.strip().splitlines()[-1])
    wrong = sum(len(ids) for ids in found.values())
    return Figure("… drift of the index", wrong, "entries", "0", wrong == 0)


def _empty(settings: Settings) -> None:
    for command in (("db", "clean", "--yes"), ("db", "upgrade"), ("search-index", "clear")):
        portal.ckan(settings, "test", *command)
