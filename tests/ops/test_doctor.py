"""`mulu doctor` on the real services, and on an installation where nothing runs."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from mulu_ops import doctor
from mulu_ops.doctor import CHECKS, Verdict
from mulu_ops.settings import Settings

NEED_NO_PORTAL = ("Python 软件包", "系统软件", "端口", "磁盘", "文件权限", "Solr", "工作日历")
"""True whenever the tests run; the portal itself need not be up for them."""


def test_the_services_of_this_checkout_are_sound(settings: Settings) -> None:
    for part in NEED_NO_PORTAL:
        verdict, found, mend = CHECKS[part](settings)
        assert verdict is Verdict.OK, f"{part}：{found}"
        assert found
        assert not mend


def test_where_nothing_runs_every_finding_says_how_to_mend_it(tmp_path: Path) -> None:
    settings = Settings.read({"MULU_VAR": str(tmp_path), **{f"MULU_PORT_{name}": "1" for name in ("CKAN", "SITE", "SOLR", "POSTGRES", "REDIS")}})
    findings = {finding.part: finding for finding in doctor.examine(settings)}
    assert list(findings) == list(CHECKS)
    for part in ("数据库", "Redis", "Solr", "门户", "索引", "公共站点"):
        assert findings[part].verdict is Verdict.ERROR
        assert findings[part].mend
    assert findings["工作日历"].verdict is Verdict.OK


def test_a_secret_that_others_may_read_is_found(tmp_path: Path) -> None:
    settings = Settings.read({"MULU_VAR": str(tmp_path)})
    assert settings.secrets
    (tmp_path / "secrets.json").chmod(0o644)
    verdict, found, mend = CHECKS["文件权限"](settings)
    assert verdict is Verdict.ERROR
    assert "secrets.json" in found
    subprocess.run(shlex.split(mend), check=True)
    assert CHECKS["文件权限"](settings)[0] is Verdict.OK


def test_a_lock_may_hold_one_package_for_several_pythons() -> None:
    lock = (
        "# made by uv\na-b==1.0 ; python_version < '3.0' \\\n    --hash=sha256:00\n"
        "a-b==2.0 ; python_version >= '3.0' \\\n    --hash=sha256:00\nc[x]==3.1 \\\n    --hash=sha256:00\n"
    )
    assert doctor._locked(lock) == {"a-b": "2.0", "c": "3.1"}


def test_what_waits_with_no_harvest_worker_is_told_in_a_sentence(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"enabled": 3, "running": 0, "due": 2, "waiting": 0, "left": 1, "since": "2026-03-02T02:30:00+08:00", "late": True}
    monkeypatch.setattr(doctor, "_status", lambda settings, name: told if name == "harvest" else {})
    verdict, found, mend = CHECKS["汇聚"](settings)
    assert verdict is Verdict.WARNING
    assert found == "2026-03-02T02:30 起没有汇聚进程在工作：到了时间没有开始的来源 2 个、中断了没有接手的 1 次；汇聚进程启动后会补上"
    assert "mulu up" in mend and "harvest.log" in mend
    told |= {"due": 0, "left": 0, "waiting": 1, "running": 1, "late": False}
    assert CHECKS["汇聚"](settings)[0] is Verdict.OK
