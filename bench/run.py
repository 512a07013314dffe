"""`make bench [WHAT="warm import search pages cases grants cold"]`: measure, print a table, store it with the machine's facts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import requests

from bench import cases, grants, harvest, made_up, measure, site, site_search
from bench.measure import Figure, at_least, below
from bench.portal import free_port, own_portal
from mulu_harvest.load import Loader
from mulu_ops import portal
from mulu_ops.settings import PORTS, ROOT, Settings, port_variable

IMPORTED, INDEXED, QUESTIONS, VISITS = 1000, 10_000, 200, 30
RESULTS = ROOT / "bench" / "results"


def warm(settings: Settings) -> Iterator[Figure]:
    """`make demo` where everything is there already: the second of two in a row."""
    _make(ROOT)
    yield below("make demo, warm", measure.seconds(lambda: _make(ROOT)), 20, "s")


def cold(settings: Settings) -> Iterator[Figure]:
    """`make demo` in a fresh clone with its own environment, database and ports; Debian's packages are there, caches as they are."""
    with tempfile.TemporaryDirectory(prefix="mulu-cold-") as folder:
        clone = Path(folder) / "mulu"
        clone.parent.chmod(0o755)
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        environment = {port_variable(name): str(free_port()) for name in PORTS} | {"MULU_VAR": str(clone / "var")}
        try:
            time = measure.seconds(lambda: _make(clone, **environment))
        finally:
            subprocess.run(["make", "-s", "down"], cwd=clone, env=os.environ | environment, check=False)
    yield below("make demo, cold (fresh clone)", time, 480, "s", "apt packages present, package caches warm")


def importing(settings: Settings) -> Iterator[Figure]:
    with own_portal(settings, free_port()) as there:
        drafts = made_up.sound_drafts(IMPORTED, "bench-one")
        time = measure.seconds(lambda: Loader(there.editor.call).load(drafts, organization="bench-one", submit=True))
        count = there.editor.call("mulu_case_list", {"state": "head_review", "limit": 1})["count"]
        assert count == IMPORTED, f"only {count} of {IMPORTED} were taken"
        yield at_least(f"import of {IMPORTED} entries, each submitted", IMPORTED / time, 20, "entries/s")
        again = measure.seconds(lambda: Loader(there.editor.call).load(drafts, organization="bench-one", submit=True))
        yield Figure("the same file again, nothing changed", IMPORTED / again, "entries/s")


def searching(settings: Settings) -> Iterator[Figure]:
    """package_search over HTTP, as a visitor, without and with facets, on 10,000 documents in the index."""
    with own_portal(settings, free_port()) as there:
        solr, site_id = settings.solr_url("test"), settings.site_id("test")
        Loader(there.editor.call).load(made_up.sound_drafts(1, "bench-one"), organization="bench-one")
        titles = made_up.fill_index(solr, site_id, INDEXED, made_up.sample_document(solr, site_id))
        session = requests.Session()

        def ask(question: str) -> int:
            answer = session.post(f"{there.url}/api/3/action/package_search", json={"q": question, "rows": 20}, timeout=60)
            answer.raise_for_status()
            return int(answer.json()["result"]["count"])

        questions = made_up.parts_of(titles, QUESTIONS)
        missed = [question for question in questions if not ask(question)]
        assert not missed, f"parts of titles that find nothing: {missed[:5]}"
        times = measure.milliseconds(ask, questions)
        yield Figure(f"search over {INDEXED} entries, p50", measure.percentile(times, 50), "ms")
        yield below(f"search over {INDEXED} entries, p95", measure.percentile(times, 95), 150, "ms")
        page = measure.milliseconds(lambda q: session.get(f"{there.url}/dataset/", params={"q": q}, timeout=60), questions[:VISITS])
        yield Figure("search page, p50", measure.percentile(page, 50), "ms")


def pages(settings: Settings) -> Iterator[Figure]:
    """Pages of the running demo, in CKAN and on the public site."""
    portal_url, site_url = settings.url("ckan"), settings.url("site")
    found = requests.post(f"{portal_url}/api/3/action/package_search", json={"rows": 1}, timeout=60).json()["result"]
    home = requests.get(site_url, timeout=60).text
    entry = next(iter(re.findall(r'href="(entry/[^"]+)"', home)), "")
    addresses = {"portal home": portal_url, "portal entry": f"{portal_url}/dataset/{found['results'][0]['name']}",
                 "site home": site_url, "site entry": f"{site_url}/{entry}"}  # fmt: skip
    session = requests.Session()
    for name, address in addresses.items():
        assert session.get(address, timeout=60).ok, address
        times = measure.milliseconds(lambda url: session.get(url, timeout=60), [address] * VISITS)
        yield Figure(f"{name}, p50", measure.percentile(times, 50), "ms")


MEASURES: dict[str, Callable[[Settings], Iterator[Figure]]] = {
    "warm": warm, "pages": pages, "search": searching, "site-search": site_search.measured, "import": importing, "cases": cases.measured, "grants": grants.measured,
    "harvest": harvest.measured, "harvest-large": harvest.large, "cold": cold,
    "site": site.measured, "site-100k": site.measured_large,
}  # fmt: skip


def main() -> None:
    settings = Settings.read()
    chosen = sys.argv[1:] or list(MEASURES)
    facts = measure.machine()
    portal.up(settings, print)
    figures: list[Figure] = []
    for name in chosen:
        print(f"… {name}", file=sys.stderr, flush=True)
        figures += MEASURES[name](settings)
    print("\n".join(figure.row() for figure in figures))
    now = datetime.now().astimezone()
    file = RESULTS / f"{now:%Y-%m-%d}.json"
    file.parent.mkdir(exist_ok=True)
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    kept.append({"at": now.isoformat(timespec="seconds"), "commit": _commit(), "machine": facts, "figures": [vars(figure) for figure in figures]})
    file.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"\n{file.relative_to(ROOT)}")


def _make(folder: Path, **environment: str) -> None:
    done = subprocess.run(["make", "-s", "demo"], cwd=folder, env=os.environ | environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _commit() -> str:
    return subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True, capture_output=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
