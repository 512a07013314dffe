"""The programs of one machine as supervisor's configuration."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from mulu_ops.errors import Missing
from mulu_ops.settings import HOST, ROOT, Settings
from mulu_ops.solr import write_home

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Program:
    """name: as in supervisor; service: whose port it takes ("" for none); user: run as another one ("" for ours)."""

    name: str
    command: list[str]
    service: str = ""
    user: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"

    def section(self, log: Path) -> str:
        lines = {
            "command": shlex.join(self.command).replace("%", "%%"),
            "directory": str(ROOT),
            "autostart": "false",
            "autorestart": "unexpected",
            "startsecs": "1",
            "stopsignal": self.stop_signal,
            "stopwaitsecs": "20",
            "stopasgroup": "false" if self.name == "postgres" else "true",
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": str(log / f"{self.name}.log"),
            "stdout_logfile_maxbytes": "10MB",
            "stdout_logfile_backups": "1",
        }
        if self.user:
            lines["user"] = self.user
        if self.environment:
            lines["environment"] = ",".join(f'{key}="{value}"' for key, value in self.environment.items())
        return f"[program:{self.name}]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())


def postgres_bin() -> Path:
    """The newest server's folder; Debian keeps it out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[4]))
    if found:
        return found[-1].parent
    if initdb := shutil.which("initdb"):
        return Path(initdb).parent
    raise Missing("没有找到 PostgreSQL 服务器：请安装 postgresql，或用 CKAN_SQLALCHEMY_URL 指定已有的数据库。")


def which(command: str, hint: str) -> str:
    if path := shutil.which(command):
        return path
    raise Missing(f"没有找到 {command}：{hint}")


def postgres_user() -> str:
    """PostgreSQL refuses to run as root, rightly: then Debian's own user runs it."""
    return "postgres" if os.geteuid() == 0 else ""


def postgres_folder(settings: Settings) -> Path:
    """In var/, unless the user who runs PostgreSQL may not go there (a checkout under /root): then /var/lib/mulu."""
    if not postgres_user():
        return settings.var / "postgres"
    closed = [p for p in (settings.var, *settings.var.parents) if p.exists() and not p.stat().st_mode & 0o001]
    if closed:
        return Path("/var/lib/mulu") / str(settings.var).strip("/").replace("/", "-") / "postgres"
    return settings.var / "postgres"


def programs(settings: Settings) -> list[Program]:
    """All programs in the order in which they start, without those whose service is an external one."""
    ports = settings.ports
    ours = []
    if "postgres" not in settings.external:
        folder = postgres_folder(settings)
        command = [str(postgres_bin() / "postgres"), "-D", str(folder), "-p", str(ports["postgres"]), "-h", HOST,
                   "-c", "unix_socket_directories="]
        ours.append(Program("postgres", command, "postgres", postgres_user(), stop_signal="INT"))
    if "redis" not in settings.external:
        redis = which("redis-server", "请安装 redis-server，或用 CKAN_REDIS_URL 指定已有的 Redis。")
        folder = settings.var / "redis"
        folder.mkdir(parents=True, exist_ok=True)
        command = [redis, "--bind", HOST, "--port", str(ports["redis"]), "--dir", str(folder), "--save", "60", "1"]
        ours.append(Program("redis", command, "redis"))
    if "solr" not in settings.external:
        java = which("java", "请安装 default-jre-headless（Java 17 或更新），或用 CKAN_SOLR_URL 指定已有的 Solr。")
        command = [java, "-Xms256m", "-Xmx512m", f"-Dsolr.solr.home={write_home(settings)}",
                   f"-Dsolr.log.dir={settings.log}", "-cp", f"{settings.var}/solr/lib/*",
                   "org.eclipse.jetty.xml.XmlConfiguration", str(ROOT / "deploy/local/solr/jetty.xml"),
                   f"solr.port={ports['solr']}"]
        ours.append(Program("solr", command, "solr"))
    environment = {"CKAN_INI": str(settings.ini("demo"))}
    web = [str(BIN / "gunicorn"), "--bind", f"{HOST}:{ports['ckan']}", "--workers", "2", "--timeout", "120",
           "mulu_ops.wsgi:application"]
    ours.append(Program("ckan", web, "ckan", environment=environment))
    worker = [str(BIN / "ckan"), "-c", str(settings.ini("demo")), "jobs", "worker"]
    ours.append(Program("worker", worker, environment=environment))
    site = [sys.executable, "-m", "mulu_ops.static", str(settings.var / "site" / "current"), HOST, str(ports["site"])]
    ours.append(Program("site", site, "site"))
    return ours


def supervisord_conf(settings: Settings) -> str:
    """Text of supervisord.conf. Its socket lies in var/; the control socket is open to its owner only."""
    head = (
        f"[unix_http_server]\nfile = {socket(settings)}\nchmod = 0700\n\n"
        f"[supervisord]\nlogfile = {settings.log}/supervisord.log\npidfile = {settings.var}/supervisord.pid\n"
        f"childlogdir = {settings.log}\nnodaemon = false\n\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\n"
        f"[supervisorctl]\nserverurl = unix://{socket(settings)}\n\n"
    )
    return head + "\n".join(program.section(settings.log) for program in programs(settings))


def socket(settings: Settings) -> Path:
    return settings.var / "supervisor.sock"
