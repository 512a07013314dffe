"""`make test`: nothing that proves nothing may pass; two lanes that do not mix; nothing that outlives it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mulu_ops.settings import ROOT
from mulu_ops.suites import ALONE, SHARING, SUITES, Children, Result, environment, paths_of, read_report


def report(tmp_path: Path, tests: int, failures: int = 0, errors: int = 0, skipped: int = 0) -> Path:
    file = tmp_path / "report.xml"
    file.write_text(
        f'<testsuites><testsuite tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}" time="1.5"/></testsuites>'
    )
    return file


def test_counts(tmp_path: Path) -> None:
    result = read_report("rules", report(tmp_path, 10, failures=1, errors=1, skipped=2), 1)
    assert result == Result("rules", passed=6, failed=2, skipped=2, seconds=1.5)


@pytest.mark.parametrize(("tests", "skipped", "code"), [(0, 0, 5), (4, 4, 0)])
def test_a_suite_without_a_passed_test_has_failed(tmp_path: Path, tests: int, skipped: int, code: int) -> None:
    result = read_report("ckan", report(tmp_path, tests, skipped=skipped), code)
    assert result.failed == 1
    assert "没有一个测试通过" in result.reason


def test_a_suite_that_never_finished_has_failed(tmp_path: Path) -> None:
    assert read_report("ckan", tmp_path / "none.xml", 139).failed == 1


def test_an_exit_code_without_a_failed_test_counts(tmp_path: Path) -> None:
    assert read_report("ckan", report(tmp_path, 3), 3).failed == 1


def test_the_suites_cannot_reach_the_portals_own_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CKAN_SQLALCHEMY_URL", "postgresql://a:b@db/portal")
    assert "CKAN_SQLALCHEMY_URL" not in environment()


# ── two lanes ──

RUNNER = """
import contextlib, sys
from mulu_ops import suites
suites.services = lambda settings: contextlib.nullcontext()
suites.paths_of = lambda suite: [f"{sys.argv[1]}/{suite}"]
suites.WITHOUT_CKAN = suites.SUITES
suites.main(["--no-lint", *sys.argv[2:]])
"""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """`make test` of made-up suites: suite → the text of its one test file."""

    def start(*asked: str, **suites: str) -> subprocess.Popen[str]:
        for suite, text in suites.items():
            (tmp_path / suite).mkdir()
            (tmp_path / suite / f"test_of_{suite}.py").write_text(text)
        plain = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "_hypothesis_pytestplugin"}  # they start the sooner
        env = os.environ | {"MULU_VAR": str(tmp_path / "var")} | plain
        return subprocess.Popen([sys.executable, "-c", RUNNER, str(tmp_path), *asked], cwd=ROOT, env=env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip

    return start


def test_what_runs_beside_is_shown_whole_and_the_report_has_its_order(tmp_path: Path, start: Start) -> None:
    wait = f"import pathlib, time\ndef test_slow():\n    while not pathlib.Path({str(tmp_path)!r}, 'site.done').exists():\n        time.sleep(0.05)\n"
    told = "def test_told():\n    print('half of a line, ' * 9)\n    assert False, 'wrong on purpose'\n"
    done = f"import pathlib\ndef test_done():\n    pathlib.Path({str(tmp_path)!r}, 'site.done').touch()\n"
    process = start("ops", "site", "rules", rules=told, site=done, ops=wait)
    said = process.communicate(timeout=300)[0]
    assert process.returncode == 1, said
    ops, rules, site = (said.index(f"=== {suite}\n") for suite in ("ops", "rules", "site"))
    assert ops < rules < site, "ops ends last and is shown as it comes; the others once it is over"
    assert "1 passed" in said[ops:rules] and "wrong on purpose" in said[rules:site] and "1 passed" in said[site:]
    report = [line.split()[:3] for line in said[site:].splitlines() if " skipped in " in line]
    assert report == [["rules", "0", "passed,"], ["site", "1", "passed,"], ["ops", "1", "passed,"]]
    assert said.rstrip().endswith("2 passed, 1 failed, 0 skipped")


def test_a_run_that_is_ended_from_outside_leaves_nothing(tmp_path: Path, start: Start) -> None:
    text = """
import os, pathlib, time, pytest
HERE = pathlib.Path(__file__).parent

@pytest.fixture
def something():
    yield
    (HERE / "stopped").touch()

def test_long(something):
    (HERE / "pid.new").write_text(str(os.getpid()))
    (HERE / "pid.new").rename(HERE / "pid")
    time.sleep(600)
"""
    process = start("rules", "ckan", rules=text, ckan=text)
    pids = [tmp_path / suite / "pid" for suite in ("rules", "ckan")]
    end = time.monotonic() + 240
    while not all(pid.exists() for pid in pids):
        assert process.poll() is None and time.monotonic() < end, process.communicate(timeout=10)[0]
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM
    for pid in pids:
        assert (pid.parent / "stopped").exists(), "pytest had the time to stop what its fixtures started"
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)


def test_who_does_not_end_is_killed_with_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Children, "PATIENCE", 0.2)
    stubborn = f"trap '' INT; sleep 600 & echo $! > {tmp_path}/pid; wait"
    with Children() as children, pytest.raises(KeyboardInterrupt):
        real = subprocess.Popen.wait

        def once(self: subprocess.Popen[bytes], timeout: float | None = None) -> int:
            monkeypatch.setattr(subprocess.Popen, "wait", real)
            while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
                time.sleep(0.02)
            raise KeyboardInterrupt

        monkeypatch.setattr(subprocess.Popen, "wait", once)
        children.call(["sh", "-c", stubborn], os.environ)
    pid = int((tmp_path / "pid").read_text())
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < end
        time.sleep(0.05)
    with pytest.raises(SystemExit):
        children.call(["true"], os.environ)


def test_the_browsers_tests_that_run_beside_others_ask_for_no_portal() -> None:
    """The real one would empty the test copy under the tests that share it."""
    pages, (folder, *left_out) = paths_of("pages"), paths_of("browser")
    assert pages and folder == "tests/browser" and left_out == [f"--ignore={one}" for one in pages]
    asking = re.compile(r"(?m)^from conftest import .*\bPortal\b")
    assert not [one for one in pages if asking.search((ROOT / one).read_text(encoding="utf-8"))]


def test_every_suite_is_in_one_lane() -> None:
    assert sorted(SUITES) == sorted({*ALONE, *SHARING})
    assert {path.name for path in (ROOT / "tests").iterdir() if any(path.glob("test_*.py"))} == {*SUITES} - {"pages"}
