"""What `make test` makes of a suite's report: nothing that proves nothing may pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from mulu_ops.suites import Result, environment, read_report


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
