"""From nothing to a running portal: databases, configuration, tables, programs. Every step is safe to repeat."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import jinja2
import psycopg2
import psycopg2.extensions

from mulu.profile import PROFILES
from mulu_ops import programs, solr
from mulu_ops.errors import Missing
from mulu_ops.services import Services, http_ready, postgres_ready, redis_ready
from mulu_ops.settings import (
    DEFAULT_PROFILE,
    HOST,
    KINDS,
    ROOT,
    Settings,
    clean_environment,
    installed_profile,
    write_private,
)

Say = Callable[[str], None]


def up(settings: Settings, say: Say, *, web: bool = True) -> Services:
    """Start what does not run; with ``web=False`` only PostgreSQL, Redis and Solr (for tests)."""
    services = Services(settings)
    check_profile(settings)
    init_postgres(settings, say)
    write_inis(settings)
    services.start_daemon()
    for name in ("postgres", "redis", "solr"):
        if name in services.programs and services.start(name):
            say(f"启动 {name}")
    create_databases(settings, services)
    services.wait("redis", lambda: redis_ready(settings), 20)
    services.wait("solr", lambda: all(http_ready(f"{settings.solr_url(kind)}/select?q=*:*&rows=0") for kind in KINDS), 90)
    for kind in KINDS:
        migrate(settings, kind, say)
    reindex(settings, say)
    if web:
        for name in ("ckan", "worker", "clockwork", "harvest", "publisher", "site"):
            if services.start(name):
                say(f"启动 {name}")
        services.wait("ckan", lambda: http_ready(f"{settings.url('ckan')}/api/3/action/status_show", 60), 120)
    return services


def check_profile(settings: Settings) -> None:
    """An unknown place is refused; so is a second place in a database that is not ours to add to."""
    if settings.profile not in PROFILES:
        raise Missing(f"没有名为“{settings.profile}”的地方：可以是 {'、'.join(PROFILES)}。")
    installed = installed_profile(settings.var)
    if "postgres" in settings.external and settings.database("demo") != "mulu" and installed not in ("", settings.profile):
        raise Missing(f"CKAN_SQLALCHEMY_URL 所指的数据库已用于“{installed}”：换地方请另建一个数据库。")


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
    write_private(password, settings.secrets["superuser"])
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
def _admin(settings: Settings, database: str = "postgres") -> Iterator[psycopg2.extensions.cursor]:
    connection = psycopg2.connect(settings.admin_url(database))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def create_databases(settings: Settings, services: Services, kinds: Iterable[str] = KINDS) -> None:
    """The role ``mulu``, its databases, and ``mulu_reader``, who reads the tables; an external PostgreSQL brings its own."""
    if "postgres" in settings.external:
        for kind in KINDS:
            url = settings.database_url(kind)
            if not postgres_ready(url):
                name = url.rsplit("/", 1)[-1].partition("?")[0]
                raise Missing(f"连不上 CKAN_SQLALCHEMY_URL 所指的数据库“{name}”：请先建好它（测试用的库名加 _test）。")
            for use in ("write", "read"):
                if not postgres_ready(settings.datastore_url(kind, use)):
                    raise Missing(f"连不上 CKAN_DATASTORE_{use.upper()}_URL 所指的数据库：请先建好它（测试用的库名加 _test），并给出网址。")
        return
    services.wait("postgres", lambda: postgres_ready(settings.admin_url()), 30)
    with _admin(settings) as cursor:
        for role, secret in (("mulu", "database"), ("mulu_reader", "datastore")):
            cursor.execute("select 1 from pg_roles where rolname = %s", (role,))
            if not cursor.fetchone():
                cursor.execute(f"create role {role} login password %s", (settings.secrets[secret],))
        for kind in kinds:
            for name in (settings.database(kind), settings.datastore(kind)):
                cursor.execute("select 1 from pg_database where datname = %s", (name,))
                if not cursor.fetchone():
                    cursor.execute(f"create database {name} owner mulu encoding 'UTF8' template template0")
                    _migrated(settings, kind).unlink(missing_ok=True)
            if kind != "demo":
                cursor.execute(f"alter database {settings.database(kind)} set synchronous_commit = off")


def drop_databases(settings: Settings, kind: str) -> None:
    """Of a copy that was made for a test, whoever is still connected to them."""
    with _admin(settings) as cursor:
        for name in (settings.database(kind), settings.datastore(kind)):
            cursor.execute(f"drop database if exists {name} with (force)")


def write_inis(settings: Settings, kinds: Iterable[str] = KINDS) -> None:
    """var/ckan.ini for the demo, var/test.ini for tests; written only when something in them is new."""
    template = jinja2.Template((ROOT / "deploy/local/ckan.ini.j2").read_text(encoding="utf-8"),
                               undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    for kind in kinds:
        text = template.render(
            kind=kind,
            secret=settings.secrets["session"],
            site_id=settings.site_id(kind),
            site_url=settings.url("ckan"),
            public_url=settings.url("site"),
            database_url=settings.database_url(kind).replace("%", "%%"),
            datastore_write_url=settings.datastore_url(kind, "write").replace("%", "%%"),
            datastore_read_url=settings.datastore_url(kind, "read").replace("%", "%%"),
            solr_url=settings.solr_url(kind),
            redis_url=settings.redis_url(kind),
            storage=settings.storage(kind),
            profile=settings.profile if kind == "demo" else DEFAULT_PROFILE,
            harvest_folders=" ".join(map(str, settings.harvest_folders)),
            smtp=os.environ.get("CKAN_SMTP_SERVER", f"{HOST}:1025"),
            mail_from=os.environ.get("CKAN_SMTP_MAIL_FROM", "mulu@localhost"),
        )
        file = settings.ini(kind)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            write_private(file, text)
        settings.storage(kind).mkdir(parents=True, exist_ok=True)
    (settings.var / "harvest").mkdir(parents=True, exist_ok=True)


def migrations() -> str:
    """A fingerprint of all that decides the tables: CKAN's version and our migrations."""
    files = sorted((ROOT / "ckan_ext/ckanext/mulu/migration").rglob("*.py"))
    parts = [version("ckan"), *(file.read_text(encoding="utf-8") for file in files)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def migrate(settings: Settings, kind: str, say: Say) -> None:
    """Bring the tables up to date; done at once when nothing changed since the last time."""
    stamp = _migrated(settings, kind)
    wanted = hashlib.sha256((migrations() + settings.database_url(kind)).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say("建立数据表" if kind == "demo" else "建立测试库的数据表")
    ckan(settings, kind, "db", "upgrade")
    prepare_datastore(settings, kind)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)


def reindex(settings: Settings, say: Say) -> None:
    """Index everything again when the Solr schema is another than the one it was indexed with."""
    stamp = settings.var / "state" / f"indexed.{settings.database('demo')}"
    wanted = solr.fingerprint() + hashlib.sha256(settings.solr_url("demo").encode()).hexdigest()[:8]
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if stamp.exists():
        say("检索规则有变，重建索引")
        ckan(settings, "demo", "search-index", "rebuild", "--force", "--quiet")
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)


def prepare_datastore(settings: Settings, kind: str) -> None:
    """Who may read the tables and who may write them, as CKAN's own script says; an external database has had it already."""
    if "postgres" in settings.external:
        return
    script = ckan(settings, kind, "datastore", "set-permissions")
    with _admin(settings, settings.datastore(kind)) as cursor:
        cursor.execute("\n".join(line for line in script.splitlines() if not line.startswith("\\connect")))


def _migrated(settings: Settings, kind: str) -> Path:
    return settings.var / "state" / f"migrated.{settings.database(kind)}"


def ckan_here(settings: Settings, kind: str, *arguments: str, folder: Path = ROOT) -> int:
    """Run ``ckan -c <ini> …`` in a folder before the operator's eyes, whose every line is theirs to keep; gives its exit status."""
    command = [str(programs.BIN / "ckan"), "-c", str(settings.ini(kind)), *arguments]
    return subprocess.run(command, cwd=folder, check=False, env=clean_environment()).returncode


def ckan(settings: Settings, kind: str, *arguments: str, stdin: str | None = None) -> str:
    """Run ``ckan -c <ini> …``; gives its standard output, or stops with its last lines."""
    command = [str(programs.BIN / "ckan"), "-c", str(settings.ini(kind)), *arguments]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, input=stdin, check=False, env=clean_environment())
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise Missing(f"ckan {' '.join(arguments)} 不成功：\n{last}")
    return done.stdout
