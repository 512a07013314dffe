"""ckanext-harvest 1.6.3 beside ours: its own environment, database and index, made for a measurement and thrown away after it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import requests

from mulu_ops import solr
from mulu_ops.settings import ROOT, Settings, clean_environment

PACKAGES = ("ckan[requirements]==2.12.0", "ckanext-harvest==1.6.3", "setuptools<81")
NAME = "mulu_bench_peer"
_INI = """[app:main]
use = egg:ckan
SECRET_KEY = bench
beaker.session.secret = bench
WTF_CSRF_SECRET_KEY = bench
api_token.jwt.encode.secret = string:bench
api_token.jwt.decode.secret = string:bench
ckan.site_id = {name}
ckan.site_url = http://127.0.0.1
sqlalchemy.url = {database}
solr_url = {solr}
ckan.redis.url = {redis}
ckan.plugins = harvest ckan_harvester
ckan.harvest.mq.type = redis
ckan.storage_path = {storage}
"""


@dataclass(frozen=True)
class Peer:
    """A CKAN with ckanext-harvest that stands empty at first."""

    python: Path
    ini: Path

    def harvest(self, url: str) -> dict[str, float]:
        """One run: {seconds, objects, datasets, peak_mib}."""
        said = _run([str(self.python), str(Path(__file__).with_name("harvest_once.py")), str(self.ini), url])
        answer: dict[str, float] = json.loads(said.strip().splitlines()[-1])
        return answer


@contextmanager
def own_peer(settings: Settings) -> Iterator[Peer]:
    """Its environment stays in var/bench for the next time; database and index go."""
    folder = settings.var / "bench" / "ckanext-harvest"
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        _run(["uv", "venv", "-q", str(folder / "venv")])
        _run(["uv", "pip", "install", "-q", *PACKAGES], VIRTUAL_ENV=str(folder / "venv"))
    core = solr.home(settings) / NAME
    address = settings.url("solr") + "/solr"
    _unload(address, core)  # what a stopped measurement left
    for name, text in solr.conf().items():
        (core / "conf").mkdir(parents=True, exist_ok=True)
        (core / "conf" / name).write_text(text, encoding="utf-8")
    database = settings.database_url("test").replace(settings.database("test"), NAME)
    ini = folder / "peer.ini"
    storage = folder / "storage"
    storage.mkdir(exist_ok=True)
    redis = settings.redis_url("test").rpartition("/")[0] + "/9"
    ini.write_text(_INI.format(name=NAME, database=database, solr=f"{address}/{NAME}", redis=redis, storage=storage), encoding="utf-8")
    ini.chmod(0o600)
    _admin(settings, f"drop database if exists {NAME}", f"create database {NAME} owner mulu encoding 'UTF8' template template0")
    requests.get(f"{address}/admin/cores", params={"action": "CREATE", "name": NAME, "instanceDir": NAME}, timeout=60).raise_for_status()
    try:
        ckan = str(python.with_name("ckan"))
        _run([ckan, "-c", str(ini), "db", "init"])
        _run([ckan, "-c", str(ini), "db", "pending-migrations", "--apply"])
        yield Peer(python, ini)
    finally:
        _unload(address, core)
        _admin(settings, f"drop database if exists {NAME}")


def _unload(address: str, core: Path) -> None:
    requests.get(f"{address}/admin/cores", params={"action": "UNLOAD", "core": NAME, "deleteInstanceDir": "true"}, timeout=60)
    shutil.rmtree(core, ignore_errors=True)


def _admin(settings: Settings, *statements: str) -> None:
    connection = psycopg2.connect(settings.admin_url())
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()


def _run(command: list[str], **environment: str) -> str:
    done = subprocess.run(command, cwd=ROOT.parent, env=clean_environment() | environment, text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


