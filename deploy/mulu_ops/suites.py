"""All tests on the real services: ``python -m mulu_ops.suites [SUITE…]``, called by `make test`.

The suites run one after the other, each in a process of its own. A suite in which no test passed has failed: one that is
skipped as a whole proves nothing. What was started here is stopped here; what ran before is left running. The demo's
database, Solr core and Redis number are never touched.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from mulu_ops import portal, programs
from mulu_ops.errors import Missing
from mulu_ops.services import Services
from mulu_ops.settings import ROOT, Settings, clean_environment

SUITES = ("rules", "harvest", "site", "ops", "ckan", "browser")
WITHOUT_CKAN = ("rules", "harvest", "site", "ops")
"""Run without CKAN's pytest plugins, which ask every run for an ini file."""
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


def lint() -> list[str]:
    """Names of the linters that found something; they print what."""
    return [command[0] for command in LINTERS if subprocess.run([str(programs.BIN / command[0]), *command[1:]], cwd=ROOT, check=False).returncode]


def run(suite: str, settings: Settings) -> Result:
    report = settings.var / "test" / f"{suite}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    plain = ("-p", "no:ckan", "-p", "no:ckan_fixtures")
    mode = plain if suite in WITHOUT_CKAN else (f"--ckan-ini={settings.ini('test')}",)
    same = "--hypothesis-profile=ci"  # the same made-up examples in every run; without it pytest looks for new ones
    command = [str(programs.BIN / "python"), "-m", "pytest", "-q", "--color=no", same, f"--junitxml={report}", *mode, f"tests/{suite}"]
    code = subprocess.run(command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, check=False).returncode
    return read_report(suite, report, code)


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
    os.environ.pop("PYTEST_ADDOPTS", None)
    settings = Settings.read()
    complaints = [] if no_lint else lint()
    results: list[Result] = []
    with services(settings):
        for suite in suites or SUITES:
            click.echo(f"\n=== {suite}")
            results.append(run(suite, settings))
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
