"""Search of the public site in Chromium: from a keystroke to the first result, on indexes of made-up entries on the loopback, on a
processor as slow as a phone's, and on a slow line.

The site itself is a small one: only its index is of the size that is told, which is all that a search fetches.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import statistics
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bench.measure import Figure, below
from mulu_ops import static
from mulu_ops.settings import Settings
from mulu_site import lists, search
from mulu_site.build import build
from mulu_site.generate import generate
from mulu_site.row import full_text, row_of
from mulu_site.snapshot import open_snapshot

ENTRIES, LARGE, TIMES = 20_000, 100_000, 15
PHONE = 4
"""A middling phone takes so many times as long as this processor, by the rule of thumb of Chromium's own tools."""
LINE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8}
QUERIES = ("养老", "医保", "食品经营许可", "农机补贴名录", "yljg", "县民政局", "负责人", "统一社会信用代码", "2021年", "公共停车场 分布点位")
_TYPE = """async (query) => {
  const field = document.getElementById("q"), results = document.getElementById("results"), start = performance.now();
  field.focus();
  field.value = query;
  field.dispatchEvent(new Event("input"));
  while (results.dataset.query !== query) await new Promise((next) => setTimeout(next, 0));
  const first = performance.now() - start;
  while (results.dataset.complete !== query) await new Promise((next) => setTimeout(next, 0));
  return [first, performance.now() - start];
}"""


@dataclass
class Times:
    """Milliseconds: the first result of the first query, all of it, the first results of further ones."""

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    further: list[float] = field(default_factory=list)


def measured(settings: Settings) -> Iterator[Figure]:
    """First use (the index is fetched, then searched) in a fresh browser session each time, and further keystrokes."""
    with tempfile.TemporaryDirectory(prefix="mulu-search-") as folder, _chromium() as browser:
        site = _site(Path(folder), ENTRIES)
        with _served(site) as url:
            yield from _times(browser, url, f"site search, {ENTRIES} entries", aimed=True)
            yield from _times(browser, url, f"site search, {ENTRIES} entries, processor of a phone", slower=PHONE)
            yield from _line(browser, url, f"site search, {ENTRIES} entries, 1.6 Mbit/s")
        yield from _bytes(site, ENTRIES)
        _put_index(site, LARGE, Path(folder))
        with _served(site) as url:
            yield from _times(browser, url, f"site search, {LARGE} entries")
            yield from _times(browser, url, f"site search, {LARGE} entries, processor of a phone", slower=PHONE)
            yield from _line(browser, url, f"site search, {LARGE} entries, 1.6 Mbit/s")
            yield from _memory(browser, url, f"site search, {LARGE} entries: memory of scripts")
        yield from _bytes(site, LARGE)


def _times(browser: Browser, url: str, name: str, *, slower: int = 1, aimed: bool = False) -> Iterator[Figure]:
    times = Times()
    for _ in range(TIMES):
        with _page(browser, url) as page:
            if slower > 1:
                page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
            first, whole = page.evaluate(_TYPE, QUERIES[0])
            times.first.append(first)
            times.whole.append(whole)
            times.further += [page.evaluate(_TYPE, query)[0] for query in QUERIES[1:]]
    first, further = statistics.median(times.first), statistics.median(times.further)
    load = f"load {os.getloadavg()[0]:.1f}"
    slowest = f"slowest of {TIMES}: {max(times.first):.0f} ms; {load}", f"slowest of {len(times.further)}: {max(times.further):.0f} ms; {load}"
    if aimed:
        yield below(f"{name}: first result, index fetched", first, 300, "ms", slowest[0])
        yield below(f"{name}: first result of further keystrokes", further, 100, "ms", slowest[1])
    else:
        yield Figure(f"{name}: first result, index fetched", first, "ms", note=slowest[0])
        yield Figure(f"{name}: first result of further keystrokes", further, "ms", note=slowest[1])
    yield Figure(f"{name}: all results, both stages", statistics.median(times.whole), "ms", note=load)


def _line(browser: Browser, url: str, name: str) -> Iterator[Figure]:
    """Once: what takes the time is the line."""
    with _page(browser, url) as page:
        page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", LINE)
        first, whole = page.evaluate(_TYPE, QUERIES[0])
    yield Figure(f"{name}: first result, index fetched", first / 1000, "s")
    yield Figure(f"{name}: all results, both stages", whole / 1000, "s")


def _memory(browser: Browser, url: str, name: str) -> Iterator[Figure]:
    with _page(browser, url) as page:
        for query in QUERIES:
            page.evaluate(_TYPE, query)
        session = page.context.new_cdp_session(page)
        session.send("HeapProfiler.collectGarbage")
        used = session.send("Runtime.getHeapUsage")
    yield Figure(name, (used["usedSize"] + used.get("backingStorageSize", 0)) / 2**20, "MiB", note=f"after {len(QUERIES)} queries")


def _bytes(site: Path, entries: int) -> Iterator[Figure]:
    for stage, what in (("rows", "first stage"), ("words", "second stage, of which a query fetches some"), ("texts", "texts to quote from, of which a page of results fetches some")):
        sizes = [len(gzip.compress(file.read_bytes(), 6)) for file in (site / "search").glob(f"{stage}-*")]
        yield Figure(f"site search, {entries} entries: {what}", sum(sizes) / 2**20, "MiB", note=f"compressed; {len(sizes)} files, largest {max(sizes) / 1024:.0f} KiB")


# ---- the site


def _site(folder: Path, entries: int) -> Path:
    build(generate(300, folder / "small.jsonl"), folder / "out", pages=None)
    site = folder / "site"
    shutil.copytree(folder / "out" / "current", site)
    _put_index(site, entries, folder)
    return site


def _put_index(site: Path, entries: int, folder: Path) -> None:
    """Makes the site's index that of so many entries."""
    source = open_snapshot(generate(entries, folder / "made.jsonl"))
    found = sorted(((row_of(entry), full_text(entry)) for entry in (line.entry() for line in source.lines())), key=lambda one: (one[0].order, one[0].page))
    rows, texts = [row for row, _ in found], [text for _, text in found]
    numbers = search.numbers(rows)
    by_number = [texts[n] for n in sorted(range(len(rows)), key=numbers.__getitem__)]
    shutil.rmtree(site / "search")
    (site / "search").mkdir()
    stages: dict[str, Iterable[bytes]] = {"rows": search.pieces(rows, numbers), "words": search.word_shards(by_number), "texts": search.text_pieces(by_number)}
    files: dict[str, list[str]] = {}
    for stage, contents in stages.items():
        files[stage] = []
        for number, content in enumerate(contents):
            files[stage].append(search.file_name(stage, number, content))
            (site / files[stage][-1]).write_bytes(content)
    groups = lists.group(rows, lists.department_titles(source.departments))
    (site / "search" / "index.json").write_bytes(search.index(rows, groups, files))


@contextlib.contextmanager
def _served(site: Path) -> Iterator[str]:
    with static.server(site, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextlib.contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=os.environ.get("MULU_CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox", "--disable-quic"])
        yield browser
        browser.close()


@contextlib.contextmanager
def _page(browser: Browser, url: str) -> Iterator[Page]:
    """The search page in a session that knows nothing yet."""
    context: BrowserContext = browser.new_context(service_workers="block")
    page = context.new_page()
    page.goto(url + "catalogue/")
    yield page
    context.close()
