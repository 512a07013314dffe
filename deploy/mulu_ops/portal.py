"""From nothing to a running portal: databases, configuration, tables, programs. Every step is safe to repeat."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version

import jinja2
import psycopg2
import psycopg2.extensions

from mulu_ops import programs
from mulu_ops.errors import Missing
from mulu_ops.services import Services, http_ready, postgres_ready, redis_ready, wait_for
from mulu_ops.settings import HOST, KINDS, ROOT, Settings, write_private

Say = Callable[[str], None]


def up(settings: Settings, say: Say, *, profile: str, web: bool = True) -> Services:
    """Start what does not run; with ``web=False`` only PostgreSQL, Redis and Solr (for tests)."""
    services = Services(settings)
    init_postgres(settings, say)
    write_inis(settings, profile)
    services.start_daemon()
    own = [p.name for p in programs.programs(settings)]
    for name in ("postgres", "redis", "solr"):
        if name in own and name not in services.running():
            say(f"启动 {name}")
            services.start(name)
    wait_for("Redis", lambda: redis_ready(settings), 20)
    create_databases(settings)
    wait_for("Solr", lambda: all(http_ready(f"{settings.solr_url(kind)}/select?q=*:*&rows=0") for kind in KINDS), 90,
             f"请看日志 {settings.log}/solr.log")
    for kind in KINDS:
        migrate(settings, kind, say)
    if web:
        for name in ("ckan", "worker", "site"):
            if name not in services.running():
                say(f"启动 {name}")
                services.start(name)
        wait_for("CKAN", lambda: http_ready(f"{settings.url('ckan')}/api/3/action/status_show", 60), 120,
                 f"请看日志 {settings.log}/ckan.log")
    return services


def init_postgres(settings: Settings, say: Say) -> None:
    """Make the data folder once: UTF-8, passwords asked of everybody, owned by who runs the server (never root)."""
    if "postgres" in settings.external:
        return
    folder = programs.postgres_folder(settings)
    if (folder / "PG_VERSION").exists():
        return
    say("建立数据库目录")
    folder.mkdir(parents=True, exist_ok=True)
    password = folder.parent / "postgres.pw"
    write_private(password, settings.secrets()["superuser"])
    command = [str(programs.postgres_bin() / "initdb"), "-D", str(folder), "-U", "mulu_admin", "-E", "UTF8",
               "--locale=C.UTF-8", "-A", "scram-sha-256", f"--pwfile={password}"]
    try:
        if user := programs.postgres_user():
            for path in (folder, password):
                subprocess.run(["chown", user, str(path)], check=True)
            command = ["runuser", "-u", user, "--", *command]
        done = subprocess.run(command, text=True, capture_output=True, cwd="/", check=False)
        if done.returncode:
            raise Missing(f"建立数据库目录不成功：{done.stderr.strip()}")
    finally:
        password.unlink(missing_ok=True)


@contextmanager
def _admin(settings: Settings) -> Iterator[psycopg2.extensions.cursor]:
    url = (f"postgresql://mulu_admin:{settings.secrets()['superuser']}@{HOST}:{settings.ports['postgres']}/postgres")
    wait_for("PostgreSQL", lambda: postgres_ready(settings, url), 30, f"请看日志 {settings.log}/postgres.log")
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def create_databases(settings: Settings) -> None:
    """The role ``mulu`` and its two databases; an external PostgreSQL brings its own."""
    if "postgres" in settings.external:
        for kind in KINDS:
            url = settings.database_url(kind)
            if not postgres_ready(settings, url):
                name = url.rsplit("/", 1)[-1].partition("?")[0]
                raise Missing(f"连不上 CKAN_SQLALCHEMY_URL 所指的数据库“{name}”：请先建好它（测试用的库名加 _test）。")
        return
    with _admin(settings) as cursor:
        cursor.execute("select 1 from pg_roles where rolname = 'mulu'")
        if not cursor.fetchone():
            cursor.execute("create role mulu login password %s", (settings.secrets()["database"],))
        for kind in KINDS:
            name = settings.database_url(kind).rsplit("/", 1)[1]
            cursor.execute("select 1 from pg_database where datname = %s", (name,))
            if not cursor.fetchone():
                cursor.execute(f"create database {name} owner mulu encoding 'UTF8' template template0")


def write_inis(settings: Settings, profile: str) -> None:
    """var/ckan.ini for the demo, var/test.ini for tests; written only when something in them is new."""
    template = jinja2.Template((ROOT / "deploy/local/ckan.ini.j2").read_text(encoding="utf-8"),
                               undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    for kind in KINDS:
        text = template.render(
            kind=kind,
            secret=settings.secrets()["session"],
            site_id="mulu" if kind == "demo" else "mulu_test",
            site_url=settings.url("ckan"),
            public_url=settings.url("site"),
            database_url=settings.database_url(kind).replace("%", "%%"),
            solr_url=settings.solr_url(kind),
            redis_url=settings.redis_url(kind),
            storage=settings.var / "storage" / kind,
            profile=profile if kind == "demo" else "huarong",
            smtp=os.environ.get("CKAN_SMTP_SERVER", f"{HOST}:1025"),
            mail_from=os.environ.get("CKAN_SMTP_MAIL_FROM", "mulu@localhost"),
        )
        file = settings.ini(kind)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            write_private(file, text)
        (settings.var / "storage" / kind).mkdir(parents=True, exist_ok=True)


def migrations() -> str:
    """A fingerprint of all that decides the tables: CKAN's version and our migrations."""
    files = sorted((ROOT / "ckan_ext/ckanext/mulu/migration").rglob("*.py"))
    parts = [version("ckan"), *(file.read_text(encoding="utf-8") for file in files)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def migrate(settings: Settings, kind: str, say: Say) -> None:
    """Bring the tables up to date; done at once when nothing changed since the last time."""
    stamp = settings.var / f"migrated.{kind}"
    wanted = hashlib.sha256((migrations() + settings.database_url(kind)).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say("建立数据表" if kind == "demo" else "建立测试库的数据表")
    ckan(settings, kind, "db", "init")
    ckan(settings, kind, "db", "upgrade")
    stamp.write_text(wanted)


def ckan(settings: Settings, kind: str, *arguments: str, stdin: str | None = None) -> str:
    """Run ``ckan -c <ini> …``; gives its standard output, or stops with its last lines."""
    command = [str(programs.BIN / "ckan"), "-c", str(settings.ini(kind)), *arguments]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, input=stdin, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise Missing(f"ckan {' '.join(arguments)} 不成功：\n{last}")
    return done.stdout


def current_profile(settings: Settings) -> str | None:
    """The profile of the installed demo, or None before the first `mulu up`."""
    ini = settings.ini("demo")
    lines: list[str] = ini.read_text(encoding="utf-8").splitlines() if ini.exists() else []
    return next((line.split("=", 1)[1].strip() for line in lines if line.startswith("mulu.profile")), None)


