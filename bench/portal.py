"""A portal on the test database, for as long as a measurement takes; the demo is never touched."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mulu_ops import portal, programs
from mulu_ops.api import Api
from mulu_ops.services import http_ready, wait_for
from mulu_ops.settings import ROOT, Settings, clean_environment

DEPARTMENTS = [{"name": "bench-one", "title": "性能测量一局"}, {"name": "bench-two", "title": "性能测量二局"}]


@dataclass(frozen=True)
class Portal:
    """``editor`` and ``head``: of the department bench-one; ``asker`` and ``asking_head``: of bench-two."""

    url: str
    editor: Api
    head: Api
    authority: Api
    asker: Api
    asking_head: Api


@contextmanager
def own_portal(settings: Settings, port: int) -> Iterator[Portal]:
    """Emptied before and after."""
    _empty(settings)
    said = portal.ckan(settings, "test", "mulu", "seed-demo", "--profile", "huarong", "--departments", "-", stdin=json.dumps(DEPARTMENTS))
    people = json.loads(said.strip().splitlines()[-1])
    url = f"http://127.0.0.1:{port}"
    environment = clean_environment() | {"CKAN_INI": str(settings.ini("test")), "CKAN_SITE_URL": url}
    command = [str(programs.BIN / "gunicorn"), "--bind", f"127.0.0.1:{port}", "--workers", "2", "--timeout", "300", "--no-control-socket",
               "mulu_ops.wsgi:application"]  # fmt: skip
    with tempfile.TemporaryFile() as log:
        web = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=log, stderr=log)
        try:
            wait_for("测量用的门户", lambda: http_ready(f"{url}/api/3/action/status_show", 60), 180)
            one, two = (
                {role: Api(url, person["token"]) for role, person in people["departments"][name].items()} for name in ("bench-one", "bench-two")
            )
            authority = Api(url, people["users"]["authority"]["token"])
            yield Portal(url, one["editor"], one["head"], authority, two["editor"], two["head"])
        finally:
            web.terminate()
            web.wait(30)
            _empty(settings)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _empty(settings: Settings) -> None:
    for command in (("db", "clean", "--yes"), ("db", "upgrade"), ("search-index", "clear")):
        portal.ckan(settings, "test", *command)
