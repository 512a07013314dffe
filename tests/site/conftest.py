"""Sites built from made-up snapshots (mulu_site.generate) and from entries that try to break a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mulu_site.build import Report, build
from mulu_site.generate import generate
from mulu_site.snapshot import open_snapshot, write_snapshot

SITE_URL = "https://catalogue.example"
Edit = Callable[[list[dict[str, Any]]], list[dict[str, Any]] | None]


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(150, tmp_path_factory.mktemp("snapshot") / "snapshot.jsonl", portal_url="https://portal.example")


@pytest.fixture(scope="session")
def site(snapshot: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole site of 150 entries with the hand-written pages; read only."""
    out = tmp_path_factory.mktemp("site")
    build(snapshot, out, site_url=SITE_URL)
    return out / "current"


class Shop:
    """A small site that a test builds again and again from entries it changes."""

    def __init__(self, folder: Path, snapshot: Path) -> None:
        self.out, self.file = folder / "out", folder / "snapshot.jsonl"
        source = open_snapshot(snapshot)
        self.header = {k: v for k, v in source.header.items() if k != "mulu_snapshot"}
        self.entries = [line.entry() for _, line in zip(range(60), source.lines(), strict=False)]
        for entry in self.entries:
            entry.pop("former_names", None)  # a test that is about addresses of former names gives them itself

    def write(self) -> Path:
        write_snapshot(self.file, self.header, self.entries)
        return self.file

    def build(self, **options: Any) -> Report:
        return build(self.write(), self.out, **{"pages": None, "site_url": SITE_URL, **options})

    def entry(self, **fields: Any) -> dict[str, Any]:
        """A new entry with these fields, published."""
        entry = {**json.loads(json.dumps(self.entries[0])), "id": "new", "name": "new", "resource_code": "", **fields}
        self.entries.append(entry)
        return entry

    def read(self, path: str) -> str:
        return (self.out / "current" / path).read_text()

    def files(self) -> Iterator[Path]:
        return (p for p in (self.out / "current").resolve().rglob("*") if p.is_file())


@pytest.fixture
def shop(tmp_path: Path, snapshot: Path) -> Shop:
    return Shop(tmp_path, snapshot)
