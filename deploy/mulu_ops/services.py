"""Start, stop and look at the programs, through supervisor."""

from __future__ import annotations

import socket as sockets
import subprocess
import time
import xmlrpc.client
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import redis
import requests
from supervisor.xmlrpc import Faults, SupervisorTransport

from mulu_ops import programs
from mulu_ops.errors import Missing
from mulu_ops.settings import EXTERNAL, HOST, Settings, clean_environment, port_variable, write_private

_STOP_ORDER = {"solr": 1, "redis": 2, "postgres": 3}
"""What the others need stops last."""


@dataclass(frozen=True)
class State:
    """name: the program's; state: supervisor's word (RUNNING, STOPPED …), or "外部" for a service that is not ours."""

    name: str
    state: str
    pid: int
    detail: str


class Services:
    """The programs of this installation. Nothing else on the machine is ever stopped: only what this supervisor started."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def programs(self) -> dict[str, programs.Program]:
        """Name → program, as they are meant to run now; read anew by :meth:`start_daemon`."""
        return {program.name: program for program in programs.programs(self.settings)}

    @property
    def _rpc(self) -> Any:
        """A fresh connection each time: supervisor's transport cannot be used again after an error."""
        transport = SupervisorTransport(serverurl=f"unix://{self.settings.socket}")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor

    def daemon_runs(self) -> bool:
        try:
            self._rpc.getState()
        except (OSError, xmlrpc.client.ProtocolError):
            return False
        return True

    def states(self) -> list[State]:
        ours = []
        if self.daemon_runs():
            ours = [State(p["name"], p["statename"], p["pid"], p["description"]) for p in self._rpc.getAllProcessInfo()]
        return ours + [State(name, "外部", 0, _without_password(url)) for name, url in self.settings.external.items()]

    def running(self) -> set[str]:
        return {state.name for state in self.states() if state.state in ("RUNNING", "STARTING")}

    def start_daemon(self) -> None:
        """Start supervisord with no program yet, or let the running one take over what changed in the configuration.

        A program whose configuration, code or ini file changed is started anew if it ran.
        """
        self.settings.log.mkdir(parents=True, exist_ok=True)
        self.__dict__.pop("programs", None)
        programs.write_configurations(self.settings)
        text = programs.supervisord_conf(self.settings, list(self.programs.values()))
        file = self.settings.var / "supervisord.conf"
        changed = not file.exists() or file.read_text(encoding="utf-8") != text
        if changed:
            write_private(file, text)
        if not self.daemon_runs():
            command = [str(programs.BIN / "supervisord"), "-c", str(file)]
            null = subprocess.DEVNULL
            subprocess.run(command, check=False, env=clean_environment(), stdin=null, stdout=null, stderr=null)
            wait_for("supervisord", self.daemon_runs, 20, f"请看日志 {self.settings.log}/supervisord.log")
        elif changed:
            self._reread()

    def _reread(self) -> None:
        ran = self.running()
        ((added, changed, removed),) = self._rpc.reloadConfig()
        for name in (*changed, *removed):
            self._stop(name)
            self._rpc.removeProcessGroup(name)
        for name in (*added, *changed):
            self._rpc.addProcessGroup(name)
        for name in changed:
            if name in ran:
                self.start(name)

    def start(self, name: str) -> bool:
        """Start one program unless it runs, without waiting for it; True if it was started now.

        A taken port is said before anything is started on it.
        """
        program = self.programs[name]
        if name in self.running():
            return False
        if program.service and port_taken(port := self.settings.ports[program.service]):
            raise Missing(
                f"端口 {port}（{name}）已被别的程序占用：请停掉它，或设置 {port_variable(program.service)} 换一个端口后重试。"
            )
        try:
            self._rpc.startProcess(name, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != Faults.ALREADY_STARTED:
                raise Missing(f"{name} 启动不了（{fault.faultString}）。{self.log_hint(name)}") from None
        return True

    def wait(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until a program answers; one that has given up is reported at once, with the last lines of its log."""
        service = name in self.programs

        def settled() -> bool:
            if ready():
                return True
            if service and any(s.name == name and s.state in ("FATAL", "EXITED") for s in self.states()):
                raise Missing(f"{name} 启动后退出了。{self.log_hint(name)}")
            return False

        hint = self.log_hint(name) if service else f"请检查 {EXTERNAL.get(name, '')} 所指的服务。"
        wait_for(name, settled, seconds, hint)

    def log_hint(self, name: str) -> str:
        file = self.settings.log / f"{name}.log"
        last = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:] if file.exists() else []
        return "\n".join([f"日志 {file} 的末尾：", *last]) if last else f"请看日志 {file}"

    def restart(self, name: str) -> None:
        self._stop(name)
        self.start(name)

    def _stop(self, name: str) -> None:
        try:
            self._rpc.stopProcess(name)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode not in (Faults.NOT_RUNNING, Faults.BAD_NAME):
                raise

    def down(self) -> bool:
        """Stop all that supervisor started, web before databases, and supervisor itself; False if nothing ran."""
        if not self.daemon_runs():
            return False
        for state in sorted(self.states(), key=lambda s: _STOP_ORDER.get(s.name, 0)):
            if state.pid:
                self._stop(state.name)
        self._rpc.shutdown()
        wait_for("supervisord 停止", lambda: not self.daemon_runs(), 30)
        return True


def port_taken(port: int) -> bool:
    with sockets.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def wait_for(what: str, ready: Callable[[], bool], seconds: float, hint: str = "") -> None:
    """Ask until it is ready; Missing names what did not come."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        time.sleep(0.1)
    raise Missing(f"{what} 在 {seconds:.0f} 秒内没有就绪。{hint}")


def postgres_ready(url: str) -> bool:
    try:
        psycopg2.connect(url, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


def redis_ready(settings: Settings) -> bool:
    try:
        return bool(redis.Redis.from_url(settings.redis_url("demo"), socket_connect_timeout=2).ping())
    except redis.RedisError:
        return False


def http_ready(url: str, timeout: float = 5) -> bool:
    try:
        return requests.get(url, timeout=timeout).ok
    except requests.RequestException:
        return False


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":…@") if parts.password else url
