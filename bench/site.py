"""The public site beside mkdocs-material, from the same made-up entries in one run; then alone at sizes that the other does not reach.

    python -m bench.site ours|peer|bare|changed FOLDER COUNT     one measurement in a process of its own, as JSON

``ours``: a full build of a snapshot. ``peer``: mkdocs-material with one Markdown page per entry, holding what our entry page
shows of it as text and tables, and its own navigation, pruned (``navigation.prune``). ``bare``: the same with the entries left out
of the navigation, which nobody then finds but by its search. ``changed``: one entry's abstract is another, and the site is built again; the whole call is measured, until the start
of the next release is ready.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.measure import Figure, below
from mulu_ops.settings import ROOT, Settings
from mulu_site import words
from mulu_site.generate import generate
from mulu_site.snapshot import open_snapshot, write_snapshot

BESIDE, ALONE, LARGE = (1000, 2000), 10_000, 100_000
CHANGES = 5
PAGE_LIMIT = 60_000
"""Bytes of a page, from the issue."""


def measured(settings: Settings) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="mulu-bench-site-") as folder:
        for count in BESIDE:
            for who, name in (("peer", "mkdocs-material"), ("bare", "mkdocs-material without navigation"), ("ours", "mulu")):
                done = _child(who, Path(folder), count)
                yield Figure(f"site, {name}, {count} entries", done["seconds"], "s")
                yield Figure(f"site, {name}, {count} entries, peak memory", done["peak"], "MiB")
                yield Figure(f"site, {name}, {count} entries, mean entry page", done["mean"], "bytes")
                yield Figure(f"site, {name}, {count} entries, largest page", done["largest"], "bytes")
        done = _child("ours", Path(folder), ALONE)
        yield below(f"site, mulu, {ALONE} entries", done["seconds"], 60, "s")
        yield below(f"site, mulu, {ALONE} entries, peak memory", done["peak"], 1024, "MiB")
        yield Figure(f"site, mulu, {ALONE} entries, mean entry page", done["mean"], "bytes")
        yield below(f"site, mulu, {ALONE} entries, largest page", done["largest"], PAGE_LIMIT, "bytes")
        changed = _child("changed", Path(folder), ALONE)
        yield below(f"site, mulu, one of {ALONE} entries changed, p50 of {CHANGES}", changed["p50"], 2, "s")
        yield Figure(f"site, mulu, one of {ALONE} entries changed, first after a full build", changed["first"], "s")


def measured_large(settings: Settings) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="mulu-bench-site-") as folder:
        small = _child("ours", Path(folder), ALONE)
        done = _child("ours", Path(folder), LARGE)
        times = LARGE / ALONE
        yield Figure(f"site, mulu, {LARGE} entries", done["seconds"], "s")
        yield Figure(f"site, mulu, {LARGE} entries, peak memory", done["peak"], "MiB")
        yield below(f"site, mulu, seconds: {times:g} times the entries of {ALONE} take", done["seconds"] / small["seconds"], 1.25 * times, "times")
        yield below(f"site, mulu, memory: {times:g} times the entries of {ALONE} take", done["peak"] / small["peak"], times, "times")
        yield below(f"site, mulu, {LARGE} entries, largest page", done["largest"], PAGE_LIMIT, "bytes")
        changed = _child("changed", Path(folder), LARGE)
        yield Figure(f"site, mulu, one of {LARGE} entries changed, p50 of {CHANGES}", changed["p50"], "s")


def _child(what: str, folder: Path, count: int) -> dict[str, Any]:
    """What the measurement printed, and ``peak``: the most memory that its process held, in MiB."""
    command = [sys.executable, "-m", "bench.site", what, str(folder), str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[-2000:]}"
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def _peak() -> float:
    """MiB; from the kernel's own mark, for what ``getrusage`` tells of a child begins with its parent's."""
    mark = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(mark.split()[1]) / 1024


def ours(folder: Path, count: int) -> dict[str, float]:
    from mulu_site.build import build

    out, snapshot = folder / f"ours-{count}", _snapshot(folder, count)
    start = time.perf_counter()
    build(snapshot, out)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, **_sizes((out / "current").resolve(), "entry/*/index.html")}


def changed(folder: Path, count: int) -> dict[str, float]:
    """On the site that ``ours`` has built."""
    from mulu_site.build import build

    source, out, other = open_snapshot(_snapshot(folder, count)), folder / f"ours-{count}", folder / f"changed-{count}.jsonl"
    header = {key: value for key, value in source.header.items() if key != "mulu_snapshot"}
    times = []
    for n in range(CHANGES + 2):
        entries = (line.entry() for line in source.lines())
        write_snapshot(other, header, ({**one, "notes": f"第{n}次修改。"} if at == count // 2 else one for at, one in enumerate(entries)))
        start = time.perf_counter()
        build(other, out)
        times.append(time.perf_counter() - start)
    return {"first": times[0], "p50": statistics.median(times[2:])}


def bare(folder: Path, count: int) -> dict[str, float]:
    return peer(folder, count, {"nav": [{"目录": "index.md"}], "not_in_nav": "/entry/"})


def peer(folder: Path, count: int, more: dict[str, Any] | None = None) -> dict[str, float]:
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    site = folder / f"peer-{count}"
    shutil.rmtree(site, ignore_errors=True)
    docs = site / "docs"
    (docs / "entry").mkdir(parents=True)
    titles = []
    for line in open_snapshot(_snapshot(folder, count)).lines():
        entry = line.entry()
        (docs / "entry" / f"{entry['name']}.md").write_text(_markdown(entry), encoding="utf-8")
        titles.append(f"- [{entry['title']}](entry/{entry['name']}.md)")
    (docs / "index.md").write_text("# 目录\n\n" + "\n".join(titles[:100]) + "\n", encoding="utf-8")
    theme = {"name": "material", "language": "zh", "font": False, "features": ["navigation.prune"]}
    (site / "mkdocs.yml").write_text(json.dumps({"site_name": "目录", "theme": theme, "plugins": ["search"], **(more or {})}), encoding="utf-8")
    start = time.perf_counter()
    config = load_config(str(site / "mkdocs.yml"), docs_dir=str(docs), site_dir=str(site / "out"))
    config.plugins.on_startup(command="build", dirty=False)
    build(config)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, **_sizes(site / "out", "entry/*/index.html")}


def _markdown(entry: dict[str, Any]) -> str:
    """What our page of the entry shows, as a page of text and tables."""
    fields = [(field.label, entry.get(field.key)) for field in words.FIELDS if field.key not in ("title", "notes", "items") and entry.get(field.key)]
    facts = "\n".join(f"| {label} | {'、'.join(map(str, value)) if isinstance(value, list) else value} |" for label, value in fields)
    items = "\n".join(f"| {item['name']} | {item['data_type']} | {item['length']} | {item['description']} |" for item in entry["items"])
    files = "\n".join(f"- [{one['name']}.{one['format']}]({one['url']})" for one in entry["resources"])
    head = f"# {entry['title']}\n\n{entry['notes']}\n\n| 项 | 内容 |\n|---|---|\n{facts}\n\n## 信息项\n\n"
    return f"{head}| 名称 | 类型 | 长度 | 说明 |\n|---|---|---|---|\n{items}\n\n## 文件\n\n{files}\n"


def _snapshot(folder: Path, count: int) -> Path:
    file = folder / f"{count}.jsonl"
    return file if file.exists() else generate(count, file)


def _sizes(root: Path, entries: str) -> dict[str, float]:
    return {
        "mean": statistics.fmean(file.stat().st_size for file in root.glob(entries)),
        "largest": max(file.stat().st_size for file in root.rglob("*.html")),
    }


if __name__ == "__main__":
    measurement = {"ours": ours, "peer": peer, "bare": bare, "changed": changed}[sys.argv[1]]
    print(json.dumps({**measurement(Path(sys.argv[2]), int(sys.argv[3])), "peak": _peak()}))
