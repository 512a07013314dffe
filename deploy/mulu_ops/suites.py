"""All tests on the real services: ``python -m mulu_ops.suites [SUITE…]``, called by `make test`.

Each suite is a process of its own. Those that need no service run beside those that share the test copy of the portal, which come
one after the other; what the former print is kept and shown whole. A suite in which no test passed has failed: one that is skipped as
a whole proves nothing. What was started here is stopped here; what ran before is left running. The demo's database, Solr core and
Redis number are never touched.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import click

from mulu_ops import portal, programs
from mulu_ops.errors import Missing
from mulu_ops.services import Services
from mulu_ops.settings import ROOT, Settings, clean_environment

ALONE = ("rules", "harvest", "site", "pages")
"""Ask no service for anything; they are told of none."""
SHARING = ("ops", "ckan", "browser")
"""Empty the test copy, or stop what it runs on: never two at once."""
SUITES = (*ALONE, *SHARING)
WITHOUT_CKAN = (*ALONE, "ops")
"""Run without CKAN's pytest plugins, which ask every run for an ini file."""
PAGES = ("test_asking.py", "test_site_*.py")
"""Of tests/browser: the public site by itself. They are the suite ``pages``, all others ``browser``."""
LINTERS = (
    ("ruff", "check", "--quiet"),
    ("mypy", "mulu", "deploy/mulu_ops"),
    ("lint-imports", "--no-logo"),
)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Result:
    """``reason``: why the suite failed as a whole; "" when it did not."""

    suite: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    reason: str = ""

    def __str__(self) -> str:
        said = f"{self.suite:<8} {self.passed:>5} passed, {self.failed} failed, {self.skipped} skipped in {self.seconds:.0f} s"
        return f"{said} — {self.reason}" if self.reason else said


class Children:
    """The processes of one lane. Leaving ends the one that still runs, so that nothing outlives a run that is ended from outside."""

    PATIENCE = 30.0
    """Seconds that pytest has to stop what its fixtures started."""

    def __init__(self) -> None:
        self._running: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()
        self._over = False

    def call(self, command: Sequence[str], environ: Mapping[str, str], log: Path | None = None) -> int:
        """The exit code of a command. log: where its output is kept; None: it is shown as it comes.

        :raises SystemExit: all is being ended
        """
        with open(log, "ab") if log else nullcontext() as kept:
            with self._changing:
                if self._over:
                    raise SystemExit(1)
                self._running = process = subprocess.Popen(
                    command, cwd=ROOT, env=dict(environ), stdin=subprocess.DEVNULL, stdout=kept, stderr=kept, process_group=0
                )
            return process.wait()

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *failure: object) -> None:
        with self._changing:
            self._over = True
        if self._running and self._running.poll() is None:
            self._running.send_signal(signal.SIGINT)
            try:
                self._running.wait(self.PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self._running.pid, signal.SIGKILL)
                self._running.wait()


def lint(children: Children, log: Path | None = None) -> list[str]:
    """Names of the linters that found something; they print what."""
    return [name for name, *options in LINTERS if children.call([str(programs.BIN / name), *options], os.environ, log)]


def run(suite: str, settings: Settings, children: Children, log: Path | None = None) -> Result:
    report = settings.var / "test" / f"{suite}.xml"
    report.unlink(missing_ok=True)
    plain = ("-p", "no:ckan", "-p", "no:ckan_fixtures")
    mode = plain if suite in WITHOUT_CKAN else (f"--ckan-ini={settings.ini('test')}",)
    same = "--hypothesis-profile=ci"  # the same made-up examples in every run; without it pytest looks for new ones
    command = [str(programs.BIN / "python"), "-m", "pytest", "-q", "--color=no", same, f"--junitxml={report}", *mode, *paths_of(suite)]
    environ = environment()
    if suite in ALONE:  # a test that asks for the portal all the same finds none, and fails
        environ["MULU_VAR"] = str(settings.var / "test" / "none")
    return read_report(suite, report, children.call(command, environ, log))


def paths_of(suite: str) -> list[str]:
    """What pytest is given."""
    pages = sorted(f"tests/browser/{file.name}" for pattern in PAGES for file in (ROOT / "tests/browser").glob(pattern))
    match suite:
        case "pages":
            return pages
        case "browser":
            return ["tests/browser", *(f"--ignore={one}" for one in pages)]
    return [f"tests/{suite}"]


class Beside:
    """The linters and the suites that need no service, on a thread. What they print waits until it is shown, unless they are alone."""

    def __init__(self, suites: Sequence[str], settings: Settings, children: Children, *, linted: bool, alone: bool) -> None:
        self.suites, self.settings, self.children, self.linted, self.alone = suites, settings, children, linted, alone
        self.complaints: list[str] = []
        self.results: list[Result] = []
        self._ended: list[tuple[str, Path]] = []

    def run(self) -> None:
        if self.linted:
            with self._log("lint") as log:
                self.complaints = lint(self.children, log)
        for suite in self.suites:
            with self._log(suite) as log:
                self.results.append(run(suite, self.settings, self.children, log))

    def show(self) -> None:
        """Whatever has ended since the last time; while nobody else prints."""
        while self._ended:
            name, log = self._ended.pop(0)
            if said := log.read_text(encoding="utf-8", errors="replace").strip():
                click.echo(f"\n=== {name}\n{said}")

    @contextmanager
    def _log(self, name: str) -> Iterator[Path | None]:
        if self.alone:
            click.echo(f"\n=== {name}")
            yield None
            return
        log = self.settings.var / "test" / f"{name}.log"
        log.write_bytes(b"")
        yield log
        self._ended.append((name, log))


def environment() -> dict[str, str]:
    """For the tests: nothing that CKAN would take over var/test.ini, and a browser where the suite finds it."""
    env = clean_environment() | {"PYTHONUNBUFFERED": "1"}
    if "MULU_CHROMIUM" not in env and (found := next(filter(None, map(shutil.which, CHROMIUM)), None)):
        env["MULU_CHROMIUM"] = found
    return env


def read_report(suite: str, report: Path, code: int) -> Result:
    """Counts of one suite from pytest's JUnit file; ``code`` is pytest's own exit code."""
    if not report.exists():
        return Result(suite, failed=1, reason=f"pytest 没有跑完（退出码 {code}）")
    root = ElementTree.parse(report).getroot()
    tests, failed, skipped, seconds = 0, 0, 0, 0.0
    for one in root.iter("testsuite"):
        tests += int(one.get("tests", 0))
        failed += int(one.get("failures", 0)) + int(one.get("errors", 0))
        skipped += int(one.get("skipped", 0))
        seconds += float(one.get("time", 0))
    passed = tests - failed - skipped
    if passed <= 0:
        return Result(suite, max(passed, 0), max(failed, 1), skipped, seconds, "没有一个测试通过：整套跳过等于没有测试")
    if code and not failed:
        return Result(suite, passed, 1, skipped, seconds, f"pytest 以 {code} 退出")
    return Result(suite, passed, failed, skipped, seconds)


@contextmanager
def services(settings: Settings) -> Iterator[None]:
    """PostgreSQL, Redis and Solr for the tests; stopped again unless they ran before."""
    ran = Services(settings).running()
    mine = Services(settings)
    try:
        mine = portal.up(settings, click.echo, web=False)
        yield
    finally:
        if not ran:
            mine.down()


@click.command()
@click.argument("suites", nargs=-1, type=click.Choice(SUITES))
@click.option("--no-lint", is_flag=True)
def main(suites: tuple[str, ...], no_lint: bool) -> None:
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, as for a shell's job in the background, pytest would ignore it too
    os.environ.pop("PYTEST_ADDOPTS", None)
    settings = Settings.read()
    (settings.var / "test").mkdir(parents=True, exist_ok=True)
    wanted = suites or SUITES
    sharing = [suite for suite in SHARING if suite in wanted]
    results: list[Result] = []
    with ThreadPoolExecutor(1) as thread, Children() as others:
        beside = Beside([suite for suite in ALONE if suite in wanted], settings, others, linted=not no_lint, alone=not sharing)
        lane = thread.submit(beside.run)
        if sharing:
            with services(settings), Children() as children:
                for suite in sharing:
                    click.echo(f"\n=== {suite}")
                    results.append(run(suite, settings, children))
                    beside.show()
        lane.result()
        beside.show()
    results, complaints = beside.results + results, beside.complaints
    click.echo("\n" + "\n".join(map(str, results)))
    if complaints:
        click.echo(f"lint     {'、'.join(complaints)} 有意见（见上）")
    passed, failed, skipped = (sum(getattr(result, name) for result in results) for name in ("passed", "failed", "skipped"))
    click.echo(f"{passed} passed, {failed + len(complaints)} failed, {skipped} skipped")
    sys.exit(bool(failed or complaints))


def _stop(number: int, frame: object) -> None:
    """Let `services` clean up when the run is ended from outside."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except Missing as missing:
        missing.show()
        sys.exit(1)
