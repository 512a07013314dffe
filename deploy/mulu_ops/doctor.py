"""`mulu doctor`: every part looked at for itself, with what was found and how to mend it. Changes nothing."""

from __future__ import annotations

import enum
import importlib.metadata
import json
import shutil
import smtplib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import redis
import requests
from alembic.script import ScriptDirectory
from packaging.requirements import Requirement

from mulu.workdays import Calendar
from mulu_ops import portal, programs, solr
from mulu_ops.errors import Missing
from mulu_ops.services import Services, http_ready, port_taken
from mulu_ops.settings import KINDS, ROOT, Settings, clean_environment, port_variable

LEAST_DISK = 2.0
"""GiB; below it PostgreSQL and Solr may stop in the middle of a write."""


class Verdict(enum.Enum):
    OK = "✓"
    WARNING = "！"
    ERROR = "✗"

    @property
    def sign(self) -> str:
        return self.value


@dataclass(frozen=True)
class Finding:
    """``mend`` says what to do; "" when all is well."""

    part: str
    verdict: Verdict
    found: str
    mend: str = ""

    def to_dict(self) -> dict[str, str]:
        return {"part": self.part, "verdict": self.verdict.name.lower(), "found": self.found, "mend": self.mend}


def examine(settings: Settings) -> Iterator[Finding]:
    """All checks, in the order in which one part needs the one before. A check that cannot be made is an error of its part."""
    for part, look in CHECKS.items():
        try:
            verdict, found, mend = look(settings)
        except (OSError, Missing, psycopg2.Error, redis.RedisError, requests.RequestException, ValueError) as error:
            message = error.message if isinstance(error, Missing) else " ".join(str(error).split())
            verdict, found, mend = Verdict.ERROR, f"查不了：{message[:300]}", "先修复前面的错误；服务没有启动时运行 mulu up"
        yield Finding(part, verdict, found, mend)


Answer = tuple[Verdict, str, str]


def _verdict(fine: bool, found: str, mend: str, otherwise: Verdict = Verdict.ERROR) -> Answer:
    return (Verdict.OK, found, "") if fine else (otherwise, found, mend)


def _packages(settings: Settings) -> Answer:
    locked = _locked((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    other = [f"{name} {here}（应为 {locked[name]}）" for name in locked if (here := _installed(name)) not in ("", locked[name])]
    found = f"与 requirements.lock 不同的有 {len(other)} 个：{'、'.join(other[:5])}" if other else f"CKAN {locked['ckan']} 等与锁定版本一致"
    return _verdict(not other, found, "删除 .venv/mulu.stamp 后运行 deploy/local/bootstrap.sh")


def _locked(lock: str) -> dict[str, str]:
    """Package → version for this Python and system; the lock may hold several, each with its marker."""
    lines = (line.removesuffix("\\").strip() for line in lock.splitlines() if line[:1].isalnum())
    wanted = [requirement for line in lines if (requirement := Requirement(line)).marker is None or requirement.marker.evaluate()]
    return {requirement.name: str(requirement.specifier).removeprefix("==") for requirement in wanted}


def _installed(name: str) -> str:
    """The version that is here; "" for one that this system does not need."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _system(settings: Settings) -> Answer:
    said = []
    if "postgres" not in settings.external:
        said.append(_first_line([str(programs.postgres_bin() / "postgres"), "--version"]))
    if "redis" not in settings.external:
        said.append(_first_line([programs.which("redis-server", "请安装 redis-server"), "--version"])[:19])
    if "solr" not in settings.external:
        said.append(_first_line([programs.which("java", "请安装 default-jre-headless"), "-version"]))
        solr.jars(settings)
    return Verdict.OK, "；".join(said) or "都用已有的服务", ""


def _first_line(command: list[str]) -> str:
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    return (done.stdout or done.stderr).strip().splitlines()[0]


def _programs(settings: Settings) -> Answer:
    states = Services(settings).states()
    wanted = {program.name for program in programs.programs(settings)}
    idle = wanted - {state.name for state in states if state.state == "RUNNING"}
    return _verdict(not idle, f"没有运行：{'、'.join(sorted(idle))}" if idle else f"{len(wanted)} 个都在运行",
                    f"mulu up；起不来的看 {settings.log} 下的日志")  # fmt: skip


def _ports(settings: Settings) -> Answer:
    running = Services(settings).running()
    taken = [p for p in programs.programs(settings) if p.service and p.name not in running and port_taken(settings.ports[p.service])]
    if taken:
        said = "、".join(f"{settings.ports[p.service]}（{p.name}）" for p in taken)
        return Verdict.ERROR, f"被别的程序占用：{said}", f"停掉它，或设置 {port_variable(taken[0].service)} 等换端口"
    return Verdict.OK, "、".join(f"{name} {port}" for name, port in settings.ports.items() if name not in settings.external), ""


def _database(settings: Settings) -> Answer:
    behind = []
    for kind in KINDS:
        with psycopg2.connect(settings.database_url(kind), connect_timeout=5) as connection, connection.cursor() as cursor:
            for table, folder in _migration_folders().items():
                head = ScriptDirectory(str(folder)).get_current_head()
                cursor.execute("select to_regclass(%s)", (table,))
                exists = (cursor.fetchone() or (None,))[0]
                cursor.execute(f"select version_num from {table}" if exists else "select null")
                here = (cursor.fetchone() or (None,))[0]
                if here != head:
                    behind.append(f"{settings.database(kind)} 的 {table} 为 {here}，应为 {head}")
    return _verdict(not behind, "；".join(behind) or "数据表都是最新的", "ckan -c var/ckan.ini db upgrade（或 mulu up）")


def _migration_folders() -> dict[str, Path]:
    """Alembic's table → the folder of its scripts."""
    core = Path(str(importlib.metadata.distribution("ckan").locate_file("ckan/migration")))
    return {"alembic_version": core, "mulu_alembic_version": ROOT / "ckan_ext/ckanext/mulu/migration/mulu"}


def _redis(settings: Settings) -> Answer:
    client = redis.Redis.from_url(settings.redis_url("demo"), socket_connect_timeout=5)
    client.ping()
    workers = client.scard("rq:workers")
    return _verdict(bool(workers), f"可用，后台任务进程 {workers} 个", "mulu up（worker 没有登记到 Redis）")


def _solr(settings: Settings) -> Answer:
    for kind in KINDS:
        url = settings.solr_url(kind)
        answer = requests.get(f"{url}/schema?wt=json", timeout=10)
        answer.raise_for_status()
        schema = answer.json()["schema"]
        fields = {field["name"] for field in schema["fields"]}
        if schema["name"] != "ckan-2.12" or not {"title_whole", "title_one", "parts"} <= fields:
            return (Verdict.ERROR, f"{url} 的 schema 是 {schema['name']}，没有中文检索的字段",
                    "用 var/solr/home/mulu/conf 作为该 core 的 conf，再运行 ckan search-index rebuild")  # fmt: skip
    return Verdict.OK, "schema 是 ckan-2.12 加中文检索", ""


def _drift(settings: Settings) -> Answer:
    command = [str(programs.BIN / "ckan"), "-c", str(settings.ini("demo")), "mulu", "drift"]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, env=clean_environment(), check=False)
    said = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr.strip()[-300:]
    return _verdict(not done.returncode, "索引与数据库一致" if not done.returncode else said, "ckan -c var/ckan.ini mulu reindex")


def _chain(settings: Settings) -> Answer:
    said = portal.ckan(settings, "demo", "mulu", "verify-chain").strip().splitlines()[-1]
    return Verdict.OK, said, ""


def _calendar(settings: Settings) -> Answer:
    calendar, today = Calendar.load(), date.today()
    wanted = [today.year] + [today.year + 1] * (today.month == 12)
    missing = [str(year) for year in wanted if not calendar.announced(year)]
    found = f"没有 {'、'.join(missing)} 年的放假安排，跨入该年的期限是暂定的" if missing else f"{today.year} 年的放假安排已载入"
    return _verdict(not missing, found, "国务院办公厅公布后运行 deploy/make_calendars.py，时钟下次运行时重新计算", Verdict.WARNING)


def _disk(settings: Settings) -> Answer:
    folders = {settings.var, programs.postgres_folder(settings).parent}
    free = min(shutil.disk_usage(folder).free / 2**30 for folder in folders if folder.exists())
    return _verdict(free >= LEAST_DISK, f"剩余 {free:.1f} GiB", f"腾出空间，至少 {LEAST_DISK:.0f} GiB")


def _private_files(settings: Settings) -> Answer:
    files = [settings.var / "secrets.json", settings.ini("demo"), settings.ini("test"), settings.demo_json,
             settings.var / "supervisord.conf", settings.var / "redis" / "redis.conf",
             *(settings.var / "state").glob("people.*")]  # fmt: skip
    open_ones = [str(file) for file in files if file.exists() and file.stat().st_mode & 0o077]
    return _verdict(not open_ones, f"别人可读：{'、'.join(open_ones)}" if open_ones else "只有本人可读", f"chmod 600 {' '.join(open_ones)}")


def _clockwork(settings: Settings) -> Answer:
    state = _status(settings, "clockwork")
    ran, mail = state["last"], state["mail"]
    if state["late"]:
        found = f"上次运行在 {ran['started'][:16]}" if ran else "还没有运行过"
        return Verdict.WARNING, f"{found}；提醒和逾期会在下次运行时补上", f"mulu up；起不来的看 {settings.log}/clockwork.log"
    if ran["failed"]:
        return Verdict.ERROR, f"没有办成的事项 {len(ran['failed'])} 件：{'、'.join(ran['failed'][:5])}", f"看 {settings.log}/clockwork.log"
    found = f"上次运行 {ran['started'][:16]}；待发邮件 {mail['mail_waiting']} 封，没有送达 {mail['mail_given_up']} 封，没有收件人的通知 {mail['unheard']} 件"
    return _verdict(not mail["mail_given_up"], found, "ckan mulu clockwork --status 列出原因；修复后 ckan mulu clockwork --retry", Verdict.WARNING)


def _status(settings: Settings, name: str) -> dict[str, Any]:
    """What one of our programs tells of itself with ``--status``."""
    command = [*next(one for one in programs.programs(settings) if one.name == name).command, "--status"]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, env=clean_environment(), check=False)
    if not done.stdout.strip():
        raise ValueError(done.stderr.strip()[-300:])
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def _harvest(settings: Settings) -> Answer:
    """By what waits, not by processes: a worker may sit on another machine, and one that is there may hang."""
    state = _status(settings, "harvest")
    if state["late"]:
        waits = {"到了时间没有开始的来源 {} 个": state["due"], "等待的汇聚 {} 次": state["waiting"], "中断了没有接手的 {} 次": state["left"]}
        told = "、".join(words.format(count) for words, count in waits.items() if count)
        return (Verdict.WARNING, f"{state['since'][:16]} 起没有汇聚进程在工作：{told}；汇聚进程启动后会补上",
                f"mulu up；起不来的看 {settings.log}/harvest.log")  # fmt: skip
    return Verdict.OK, f"启用的来源 {state['enabled']} 个，正在汇聚 {state['running']} 次，没有到了时间而无人执行的", ""


def _publisher(settings: Settings) -> Answer:
    state = _status(settings, "publisher")
    if error := state.get("error"):
        return Verdict.ERROR, f"{state['failed'][:16]} 起没有生成成：{error}", f"修复后会自动再试；详情看 {settings.log}/publisher.log"
    built = state.get("built", "")
    found = f"上次生成 {built[:16]}，目录 {state['entries']} 条" if built else "还没有跟随目录生成过"
    return _verdict(bool(built) and not state["behind"], found + ("；目录又有变化，一分钟内应重新生成" if state["behind"] else ""),
                    f"mulu up；起不来的看 {settings.log}/publisher.log", Verdict.WARNING)  # fmt: skip


def _mail(settings: Settings) -> Answer:
    text = settings.ini("demo").read_text(encoding="utf-8")
    host = next((line.split("=", 1)[1].strip() for line in text.splitlines() if line.startswith("smtp.server")), "")
    try:
        with smtplib.SMTP(host, timeout=5) as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        return Verdict.WARNING, f"{host} 没有应答（{error}），通知留在待发箱里", "设置 CKAN_SMTP_SERVER 后重新运行 mulu up"
    return Verdict.OK, host, ""


def _portal(settings: Settings) -> Answer:
    url = f"{settings.url('ckan')}/api/3/action/status_show"
    answer = requests.get(url, timeout=30)
    answer.raise_for_status()
    plugins = answer.json()["result"]["extensions"]
    return _verdict("mulu" in plugins, f"CKAN 应答，插件：{' '.join(plugins)}", "检查 var/ckan.ini 的 ckan.plugins")


def _site(settings: Settings) -> Answer:
    built = (settings.site / "current" / "index.html").exists()
    serves = built and http_ready(settings.url("site"))
    found = "可以打开" if serves else "没有应答" if built else "还没有生成"
    return _verdict(serves, f"{settings.url('site')} {found}", "mulu site build，再 mulu up")


CHECKS: dict[str, Callable[[Settings], Answer]] = {
    "Python 软件包": _packages,
    "系统软件": _system,
    "端口": _ports,
    "程序": _programs,
    "磁盘": _disk,
    "文件权限": _private_files,
    "数据库": _database,
    "Redis": _redis,
    "Solr": _solr,
    "门户": _portal,
    "索引": _drift,
    "记录校验链": _chain,
    "公共站点": _site,
    "站点更新": _publisher,
    "工作日历": _calendar,
    "时钟和通知": _clockwork,
    "汇聚": _harvest,
    "邮件": _mail,
}
