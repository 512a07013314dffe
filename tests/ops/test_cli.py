"""The command itself, as a process: help, clear refusals, no traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

MULU = Path(sys.executable).parent / "mulu"


def mulu(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(MULU), *arguments], text=True, capture_output=True, env=os.environ | environ, check=False, timeout=120)


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.parametrize("command", ["up", "down", "status", "demo", "import", "harvest", "site", "doctor", "completion"])
def test_every_command_explains_itself(command: str) -> None:
    said = mulu(command, "--help")
    assert said.returncode == 0
    assert any("\u4e00" <= character <= "\u9fff" for character in said.stdout)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    assert "_MULU_COMPLETE" in mulu("completion", shell).stdout


def test_status_and_down_where_nothing_runs(tmp_path: Path) -> None:
    assert "没有在运行" in mulu("status", MULU_VAR=str(tmp_path)).stdout
    assert "没有在运行" in mulu("down", MULU_VAR=str(tmp_path)).stdout


def test_import_without_a_portal_says_so(tmp_path: Path) -> None:
    form = tmp_path / "form.csv"
    form.write_text("信息资源名称\n甲\n")
    said = mulu("import", str(form), "--org", "x", MULU_VAR=str(tmp_path))
    assert (said.returncode, said.stdout) == (1, "")
    assert "var/demo.json" in said.stderr
    said = mulu("import", str(form), "--url", f"http://127.0.0.1:{free_port()}", "--token", "x", MULU_VAR=str(tmp_path))
    assert said.returncode == 1
    assert "连不上" in said.stderr
    assert "Traceback" not in said.stderr


def test_harvest_without_a_portal_says_so(tmp_path: Path) -> None:
    said = mulu("harvest", "run", "nantong", MULU_VAR=str(tmp_path))
    assert said.returncode == 1
    assert "mulu up" in said.stderr and "Traceback" not in said.stderr


def test_the_commands_of_harvest_are_the_portals(tmp_path: Path) -> None:
    said = mulu("harvest", "--help").stdout
    for command in ("add", "run", "list", "show", "history", "problems", "apply", "drop", "stop", "remove"):
        assert f"  {command} " in said
        assert any("\u4e00" <= character <= "\u9fff" for character in mulu("harvest", command, "--help").stdout)
    assert "execute" not in said and " work " not in said
    wrong = mulu("harvest", "run", MULU_VAR=str(tmp_path))
    assert wrong.returncode == 2 and "NAME" in wrong.stderr, "told here, before the portal is asked"


def test_a_wrong_port_says_so(tmp_path: Path) -> None:
    said = mulu("status", MULU_VAR=str(tmp_path), MULU_PORT_CKAN="http")
    assert said.returncode == 1
    assert "MULU_PORT_CKAN" in said.stderr


def test_site_from_a_made_up_snapshot(tmp_path: Path) -> None:
    snapshot, out = tmp_path / "snapshot.jsonl", tmp_path / "site"
    assert mulu("site", "generate", "20", "--out", str(snapshot)).returncode == 0
    built = mulu("site", "build", "--snapshot", str(snapshot), "--out", str(out))
    assert built.returncode == 0, built.stderr
    assert (out / "current" / "index.html").exists()
    again = mulu("site", "build", "--snapshot", str(snapshot), "--out", str(out))
    assert "重新生成 0 个部分" in again.stdout


def test_a_snapshot_cut_short_is_refused_and_the_site_stays(tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot.jsonl"
    mulu("site", "generate", "3", "--out", str(snapshot))
    snapshot.write_bytes(snapshot.read_bytes()[:-50])
    said = mulu("site", "build", "--snapshot", str(snapshot), "--out", str(tmp_path / "site"))
    assert said.returncode == 1
    assert "不完整" in said.stderr or "损坏" in said.stderr
    assert not (tmp_path / "site" / "current").exists()
