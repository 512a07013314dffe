"""The programs of one machine as supervisor's configuration."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from mulu_ops import solr
from mulu_ops.errors import Missing
from mulu_ops.settings import HOST, ROOT, Settings, write_private

BIN = Path(sys.executable).parent
SOURCE_FOLDERS = ("mulu", "ckan_ext", "harvesters/mulu_harvest", "deploy/mulu_ops", "templates/notices")
SITE_FOLDERS = ("mulu", "site/mulu_site", "site/pages", "templates/site")
"""Of what the public site is made, beside the snapshot."""
SOURCE_SUFFIXES = {".py", ".yml", ".yaml", ".html", ".mo", ".js", ".css", ".md"}


@dataclass(frozen=True)
class Program:
    """name: as in supervisor; service: whose port it takes ("" for none); user: run as another one ("" for ours).

    ``folder``: where it runs; that other user may not be let into the checkout.
    """

    name: str
    command: list[str]
    service: str = ""
    user: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    folder: Path = ROOT

    def section(self, log: Path) -> str:
        lines = {
            "command": shlex.join(self.command).replace("%", "%%"),
            "directory": str(self.folder),
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
        ours.append(Program("postgres", command, "postgres", postgres_user(), stop_signal="INT", folder=folder))
    if "redis" not in settings.external:
        redis = which("redis-server", "请安装 redis-server，或用 CKAN_REDIS_URL 指定已有的 Redis。")
        ours.append(Program("redis", [redis, str(redis_conf(settings))], "redis"))
    if "solr" not in settings.external:
        java = which("java", "请安装 default-jre-headless（Java 11 或更新），或用 CKAN_SOLR_URL 指定已有的 Solr。")
        command = [java, "-Xms256m", "-Xmx512m", f"-Dsolr.solr.home={solr.home(settings)}", f"-Dsolr.log.dir={settings.log}",
                   f"-Dlog4j2.configurationFile={solr.SOURCE / 'log4j2.xml'}", "-cp", f"{solr.jars(settings)}/*",
                   "org.eclipse.jetty.xml.XmlConfiguration", str(solr.SOURCE / "jetty.xml"), f"solr.port={ports['solr']}"]
        ours.append(Program("solr", command, "solr", environment={"MULU_SOURCE": solr.fingerprint()}))
    environment = {"CKAN_INI": str(settings.ini("demo")), "MULU_SOURCE": source_fingerprint(settings)}
    web = [str(BIN / "gunicorn"), "--bind", f"{HOST}:{ports['ckan']}", "--workers", "2", "--timeout", "120",
           "--no-control-socket",
           "mulu_ops.wsgi:application"]
    ours.append(Program("ckan", web, "ckan", environment=environment))
    worker = [str(BIN / "ckan"), "-c", str(settings.ini("demo")), "jobs", "worker"]
    ours.append(Program("worker", worker, environment=environment))
    clockwork = [str(BIN / "ckan"), "-c", str(settings.ini("demo")), "mulu", "clockwork"]
    ours.append(Program("clockwork", clockwork, environment=environment))
    harvest = [str(BIN / "ckan"), "-c", str(settings.ini("demo")), "mulu", "harvest", "work"]
    ours.append(Program("harvest", harvest, environment=environment))
    follow = [str(BIN / "ckan"), "-c", str(settings.ini("demo")), "mulu", "publisher", "--demo", "--out", str(settings.site),
              "--snapshot", str(settings.var / "snapshot" / f"{settings.database('demo')}.publisher.jsonl")]  # fmt: skip
    source = fingerprint((*SOURCE_FOLDERS, *SITE_FOLDERS), environment["MULU_SOURCE"].encode())
    ours.append(Program("publisher", follow, environment=environment | {"MULU_SOURCE": source}))
    site = [sys.executable, "-m", "mulu_ops.static", str(settings.site / "current"), HOST, str(ports["site"])]
    ours.append(Program("site", site, "site"))
    return ours


def redis_conf(settings: Settings) -> Path:
    return settings.var / "redis" / "redis.conf"


def write_configurations(settings: Settings) -> None:
    """What our own Redis and Solr read when they start.

    Redis asks for a password: jobs lie in it, and who may write a job may run code as the portal.
    """
    if "redis" not in settings.external:
        file = redis_conf(settings)
        write_private(file, f"bind {HOST}\nport {settings.ports['redis']}\ndir \"{file.parent}\"\nsave 60 1\n"
                            f"requirepass {settings.secrets['redis']}\n")  # fmt: skip
    if "solr" not in settings.external:
        solr.write_home(settings)


def source_fingerprint(settings: Settings) -> str:
    """Changes with any code, template or setting that a running CKAN has read: supervisor then starts it anew."""
    ini = settings.ini("demo")
    return fingerprint(SOURCE_FOLDERS, ini.read_bytes() if ini.exists() else b"")


def fingerprint(folders: Iterable[str], more: bytes = b"") -> str:
    """Changes with any source file below the folders, which are named from the root."""
    digest = sha256()
    for file in sorted(path for folder in folders for path in (ROOT / folder).rglob("*") if _is_source(path)):
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    digest.update(more)
    return digest.hexdigest()[:16]


def _is_source(path: Path) -> bool:
    return path.suffix in SOURCE_SUFFIXES and path.is_file()


def supervisord_conf(settings: Settings, ours: list[Program]) -> str:
    """Text of supervisord.conf; the control socket is open to its owner only."""
    root = "user = root\n" if os.geteuid() == 0 else ""
    head = (
        f"[unix_http_server]\nfile = {settings.socket}\nchmod = 0700\n\n"
        f"[supervisord]\n{root}logfile = {settings.log}/supervisord.log\npidfile = {settings.var}/supervisord.pid\n"
        f"childlogdir = {settings.log}\nnodaemon = false\n\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\n"
        f"[supervisorctl]\nserverurl = unix://{settings.socket}\n\n"
    )
    return head + "\n".join(program.section(settings.log) for program in ours)
