"""Search of the public site in Chromium: from a keystroke to the first result, on a site of 20,000 made-up entries on the loopback."""

from __future__ import annotations

import functools
import http.server
import os
import statistics
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench.measure import Figure, below
from mulu_ops.settings import Settings
from mulu_site.build import build
from mulu_site.generate import generate

ENTRIES, TIMES = 20_000, 15
QUERIES = ("养老", "医保", "食品经营许可", "农机补贴名录", "yljg", "县民政局", "负责人", "统一社会信用代码", "2021年", "公共停车场 分布点位")
_TYPE = """async (query) => {
  const field = document.getElementById("q"), results = document.getElementById("results"), start = performance.now();
  field.focus();
  field.value = query;
  field.dispatchEvent(new Event("input"));
  while (results.dataset.query !== query) await new Promise((next) => setTimeout(next, 0));
  return performance.now() - start;
}"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


def measured(settings: Settings) -> Iterator[Figure]:
    """First use (the index is fetched, then searched) in a fresh browser session each time, and further keystrokes."""
    with tempfile.TemporaryDirectory(prefix="mulu-search-") as folder:
        build(generate(ENTRIES, Path(folder) / "made.jsonl"), Path(folder) / "out", pages=None)
        site = functools.partial(_Quiet, directory=str(Path(folder) / "out" / "current"))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), site) as server, sync_playwright() as p:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            chromium = os.environ.get("MULU_CHROMIUM", "/usr/bin/chromium")
            browser = p.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-quic"])
            first, further = [], []
            for _ in range(TIMES):
                context = browser.new_context(service_workers="block")
                page = context.new_page()
                page.goto(f"http://127.0.0.1:{server.server_port}/catalogue/")
                first.append(page.evaluate(_TYPE, QUERIES[0]))
                further += [page.evaluate(_TYPE, query) for query in QUERIES[1:]]
                context.close()
            browser.close()
            server.shutdown()
    yield below(f"site search, {ENTRIES} entries: first result, index fetched", statistics.median(first), 300, "ms", f"slowest of {TIMES}: {max(first):.0f} ms")
    yield below("site search: first result of further keystrokes", statistics.median(further), 100, "ms", f"slowest of {len(further)}: {max(further):.0f} ms")
