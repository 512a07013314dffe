"""Start, stop and look at the programs, through supervisor."""

from __future__ import annotations

import os
import shutil
import socket as sockets
import subprocess
import time
import xmlrpc.client
from collections.abc import Callable
from dataclasses import dataclass

import psycopg2
import redis
import requests
from supervisor.xmlrpc import Faults, SupervisorTransport

from mulu_ops import programs
from mulu_ops.errors import Missing
from mulu_ops.settings import HOST, Settings, port_variable, write_private


@dataclass(frozen=True)
class State:
    """name: the program's; state: supervisor's word (RUNNING, STOPPED …), or "外部" for a service that is not ours."""

    name: str
    state: str
    pid: int
    detail: str


class Services:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.socket = programs.socket(settings)

    @property
    def _rpc(self) -> xmlrpc.client.ServerProxy:
        """A fresh connection each time: supervisor's transport cannot be used again after an error."""
        transport = SupervisorTransport(serverurl=f"unix://{self.socket}")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor  # type: ignore[return-value]

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
        return ours + [State(name, "外部", 0, url) for name, url in self.settings.external.items()]

    def running(self) -> set[str]:
        return {state.name for state in self.states() if state.state in ("RUNNING", "STARTING")}

    def start_daemon(self) -> None:
        """Start supervisord with no program yet, or let the running one read the configuration again."""
        self.settings.log.mkdir(parents=True, exist_ok=True)
        text = programs.supervisord_conf(self.settings)
        file = self.settings.var / "supervisord.conf"
        changed = not file.exists() or file.read_text() != text
        write_private(file, text)
        if not self.daemon_runs():
            command = [str(programs.BIN / "supervisord"), "-c", str(file)]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            wait_for("supervisord", self.daemon_runs, 20)
        elif changed:
            self._reread()

    def _reread(self) -> None:
        """Take over a changed configuration; a program whose section changed is stopped and started by its own ``start``."""
        ((added, changed, removed),) = self._rpc.reloadConfig()
        for name in changed + removed:
            self._stop(name)
            self._rpc.removeProcessGroup(name)
        for name in added + changed:
            self._rpc.addProcessGroup(name)

    def start(self, name: str) -> None:
        """Start one program unless it runs. A taken port is said before anything is started on it."""
        program = next(p for p in programs.programs(self.settings) if p.name == name)
        if name in self.running():
            return
        if program.service and port_taken(port := self.settings.ports[program.service]):
            raise Missing(
                f"端口 {port}（{name}）已被别的程序占用：请停掉它，或设置 {port_variable(program.service)} 换一个端口后重试。"
            )
        try:
            self._rpc.startProcess(name)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != Faults.ALREADY_STARTED:
                raise Missing(f"{name} 启动不了（{fault.faultString}）：请看日志 {self.settings.log / name}.log") from None

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
        """Stop all that supervisor started, and supervisor; False if nothing ran."""
        if not self.daemon_runs():
            return False
        for program in reversed(programs.programs(self.settings)):
            self._stop(program.name)
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


def postgres_ready(settings: Settings, url: str) -> bool:
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


def free_disk_gib(settings: Settings) -> float:
    return shutil.disk_usage(settings.var if settings.var.exists() else os.getcwd()).free / 2**30
