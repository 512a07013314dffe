"""However a site came about - entry by entry, through other templates, after a kill or a roll-back - it is what one clean build makes."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import Environment, meta

from mulu_site import render, search, shards
from mulu_site.build import build
from mulu_site.generate import generate
from mulu_site.release import BuildError, current, roll_back
from mulu_site.render import Renderer
from mulu_site.snapshot import open_snapshot, write_snapshot

SITE_URL = "https://catalogue.example"
TEMPLATES = render.TEMPLATES


def tree(out: Path) -> dict[str, bytes]:
    root = (out / "current").resolve()
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def differences(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


class Town:
    """A catalogue that changes. What is withdrawn or renamed is told in the snapshot, as the portal does."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.file, self.out = folder, folder / "snapshot.jsonl", folder / "out"
        source = open_snapshot(generate(count + 30, folder / "all.jsonl"))
        self.header = {k: v for k, v in source.header.items() if k != "mulu_snapshot"} | {"withdrawn": []}
        entries = [line.entry() for line in source.lines()]
        self.entries, self.stock = entries[:count], entries[count:]
        self.templates = folder / "templates"
        shutil.copytree(TEMPLATES, self.templates)
        self.changes = 0

    def write(self) -> Path:
        write_snapshot(self.file, self.header, sorted(self.entries, key=lambda entry: entry["name"]))
        return self.file

    def build(self, out: Path | None = None) -> Any:
        return build(self.write(), out or self.out, pages=None, site_url=SITE_URL, allow_withdrawal=True)

    def clean(self) -> dict[str, bytes]:
        out = Path(tempfile.mkdtemp(dir=self.folder))
        self.build(out)
        return tree(out)

    # What may happen, each with a number that chooses where

    def add(self, n: int) -> None:
        if self.stock:
            self.entries.append(self.stock.pop())

    def reword(self, n: int) -> None:
        self._any(n)["notes"] = f"第{self._next()}次修改的摘要，说的是别的事情。"

    def retitle(self, n: int) -> None:
        self._any(n)["title"] = f"{'甲乙丙丁戊己庚辛'[n % 8]}类改名{self._next()}"

    def update(self, n: int) -> None:
        self._any(n)["data_updated_on"] = f"2026-02-{1 + self._next() % 28:02d}"

    def withdraw(self, n: int) -> None:
        if len(self.entries) > 1:
            gone = self.entries.pop(n % len(self.entries))
            told = {key: gone[key] for key in ("id", "name", "title", "provider_title")}
            self.header["withdrawn"].append(told | {"on": "2026-03-01", "reason": "职能已调整。"})
            self.stock.append(gone)

    def come_back(self, n: int) -> None:
        if self.stock:
            back = self.stock.pop(n % len(self.stock))
            self.header["withdrawn"] = [one for one in self.header["withdrawn"] if one["id"] != back["id"]]
            self.entries.append(back)

    def rename(self, n: int) -> None:
        entry = self._any(n)
        entry["former_names"] = [*entry.get("former_names", []), entry["name"]]
        entry["name"] = f"renamed-{self._next()}"

    def reclass(self, n: int) -> None:
        self._any(n)["open_type"] = ("unconditional", "conditional", "none")[self._next() % 3]

    def redesign(self, n: int) -> None:
        file = self.templates / ("entry.html", "list.html", "macros.html", "shell.html", "withdrawn.html")[n % 5]
        file.write_text(file.read_text().replace("<div ", f'<div data-design="{self._next()}" ', 1))

    def another_place(self, n: int) -> None:
        self.header["place"] = f"示例{self._next()}县"

    def back_to_before(self, n: int) -> None:
        if current(self.out):
            with contextlib.suppress(BuildError):  # there is nothing to go back to yet
                roll_back(self.out)

    def _any(self, n: int) -> dict[str, Any]:
        return self.entries[n % len(self.entries)]

    def _next(self) -> int:
        self.changes += 1
        return self.changes


HAPPENINGS: dict[str, Callable[[Town, int], None]] = {
    name: getattr(Town, name)
    for name in (
        "add", "reword", "retitle", "update", "withdraw", "come_back", "rename", "reclass", "redesign", "another_place", "back_to_before",
    )
}  # fmt: skip


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(st.tuples(st.sampled_from(sorted(HAPPENINGS)), st.integers(0, 60)), min_size=1, max_size=3), min_size=2, max_size=5))
def test_a_site_that_grew_is_the_site_of_a_clean_build(steps: list[list[tuple[str, int]]]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        town = Town(Path(folder), 12)
        patch.setattr(render, "TEMPLATES", town.templates)
        town.build()
        for happenings in steps:
            for name, n in happenings:
                HAPPENINGS[name](town, n)
            town.build()
        assert differences(tree(town.out), town.clean()) == []


BUILD = f"""
import sys
from mulu_site.build import build
build(sys.argv[1], sys.argv[2], pages=None, site_url="{SITE_URL}", allow_withdrawal=True)
"""


def killed(town: Town, ready: Callable[[], bool]) -> None:
    """A build in a process of its own, killed as soon as `ready`."""
    process = subprocess.Popen([sys.executable, "-c", BUILD, str(town.write()), str(town.out)])
    while not ready() and process.poll() is None:
        time.sleep(0.001)
    process.kill()
    assert process.wait() in (0, -signal.SIGKILL)


@pytest.mark.parametrize("lines", [1, 2, 15, 40, 77, 100])
def test_killed_in_the_middle_and_built_again(tmp_path: Path, lines: int) -> None:
    """A first build, and one with many changes, after `lines` steps; what was half made is made of other data afterwards."""
    town, rng = Town(tmp_path, 60), random.Random(lines)
    journal = town.out / "releases" / "building.manifest"

    def far_enough() -> bool:
        return journal.exists() and journal.read_bytes().count(b"\n") >= lines + sealed

    sealed = 0
    killed(town, far_enough)
    for _ in range(25):
        HAPPENINGS[rng.choice(["reword", "retitle", "withdraw", "come_back", "rename", "update"])](town, rng.randrange(60))
    town.build()
    assert differences(tree(town.out), town.clean()) == []
    before = tree(town.out)
    sealed = journal.read_bytes().count(b"\n")
    published, undone = current(town.out), json.loads(json.dumps([town.entries, town.header, town.stock]))
    for _ in range(25):
        HAPPENINGS[rng.choice(["reword", "retitle", "withdraw", "come_back", "rename", "update"])](town, rng.randrange(60))
    killed(town, far_enough)
    assert current(town.out) == published
    town.entries, town.header, town.stock = undone
    town.build()
    assert differences(tree(town.out), before) == []


def test_killed_after_the_switch(tmp_path: Path) -> None:
    """While the start of the next release is made ready."""
    town = Town(tmp_path, 40)
    for step in range(5):
        published = current(town.out)
        town.reword(step)
        town.withdraw(step)
        killed(town, lambda published=published: current(town.out) != published)
        assert current(town.out) != published
    town.come_back(0)
    town.build()
    assert differences(tree(town.out), town.clean()) == []


def test_spoilt_memory_costs_time_only(tmp_path: Path) -> None:
    town = Town(tmp_path, 20)
    town.build()
    file = town.out / "releases" / "memory.db"
    for content in (b"", b"no database" * 500, file.read_bytes()[: file.stat().st_size // 2]):
        file.write_bytes(content)
        town.retitle(3)
        try:
            town.build()
        except BuildError as error:  # found out only when it was read
            assert "已发布的内容保持原样" in str(error)
            town.build()
        assert differences(tree(town.out), town.clean()) == []


def test_unchanged_entry_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town(tmp_path, 30)
    town.build()
    town.reword(4)
    read = []
    entry_of = sys.modules["mulu_site.snapshot"].entry_of
    monkeypatch.setattr("mulu_site.snapshot.entry_of", lambda raw: read.append(json.loads(raw)["id"]) or entry_of(raw))
    monkeypatch.setattr(search, "word_shards", lambda texts: pytest.fail("made anew"))
    town.build()
    changed = town._any(4)["id"]
    assert sorted(read) == sorted([changed, changed, *(entry["id"] for entry in town.entries)])  # all are on one page of DCAT


@given(st.lists(st.tuples(st.text("甲乙丙ab\n", max_size=12), st.none() | st.text("甲乙丙ab\n", max_size=12)), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_search_brought_up_to_date_is_search_made_anew(entries: list[tuple[str, str | None]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, content in enumerate(search.word_shards([before for before, _ in entries])):
            files.append(Path(folder, f"{number:04d}"))
            files[-1].write_bytes(content)
        changes = [shards.Change(n, before, now) for n, (before, now) in enumerate(entries) if now is not None]
        anew = list(search.word_shards([before if now is None else now for before, now in entries]))
        assert list(shards.brought_up(files, changes)) == anew


def test_every_template_that_jinja_would_load_is_in_the_fingerprint() -> None:
    renderer = Renderer(site=None)
    names = [file.relative_to(TEMPLATES).as_posix() for file in TEMPLATES.rglob("*.html")]
    assert len(names) > 10
    for name in names:
        text, found = renderer._source(name)
        assert set(meta.find_referenced_templates(Environment().parse(text))) <= found
