"""A second portal beside the one under test: a web process with a database, a Solr core and a Redis number of its own.

It is made on the services that the tests run on, and dropped again. Its people are those of the demo, made up.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import redis
import requests
from town import ENTRY, REVIEWS

from mulu_ops import portal, programs, solr
from mulu_ops.services import Services, http_ready, wait_for
from mulu_ops.settings import HOST, PEER, ROOT, Settings, clean_environment

DEPARTMENTS = [{"name": "linxiang-mz", "title": "机构minzheng"}, {"name": "linxiang-sl", "title": "临湘水利局（虚构）"}]
"""The first bears the name of a department of the other portal, with another slug; the second is unknown there."""


@dataclass
class Peer:
    """``url``: where it is; ``tokens``: of its people, by their part."""

    url: str
    tokens: dict[str, str]

    def do(self, who: str, action: str, **data: Any) -> Any:
        """The result of an action that must succeed; with ``upload`` as a form."""
        sent = {"json": data}
        if upload := data.pop("upload", None):
            sent = {"data": data, "files": {"upload": upload}}
        answer = requests.post(f"{self.url}/api/3/action/{action}", headers={"Authorization": self.tokens[who]}, timeout=60, **sent)
        assert answer.status_code == 200, f"{action}: {answer.text[:2000]}"
        return answer.json()["result"]

    def draft(self, title: str, department: int = 0, **more: Any) -> dict[str, Any]:
        return self.do(f"editor {department}", "package_create", **{**ENTRY, "title": title, "owner_org": DEPARTMENTS[department]["name"], **more})

    def publish(self, package_id: str, department: int = 0) -> dict[str, Any]:
        """Walk the open review of an entry to its end; the package as a visitor sees it."""
        case = self.do(f"editor {department}", "package_show", id=package_id)["mulu_case"]
        for who, event, data in ((f"editor {department}", "submit", {}), (f"head {department}", "head_agree", REVIEWS), ("authority", "publish", {})):
            self.do(who, "mulu_case_event", id=case, event=event, data=data)
        return self.do("citizen", "package_show", id=package_id)

    def published(self, title: str, department: int = 0, **more: Any) -> dict[str, Any]:
        return self.publish(self.draft(title, department, **more)["id"], department)

    def change(self, package_id: str, department: int = 0, **fields: Any) -> None:
        """Publish an entry anew with other content."""
        self.do(f"editor {department}", "package_patch", id=package_id, **fields)
        self.publish(package_id, department)

    def change_class(self, package_id: str, after: dict[str, Any]) -> None:
        before = dict.fromkeys(after, "") | {key: value for key, value in self.do("citizen", "package_show", id=package_id).items() if key in after}
        told = {"before": before, "after": after, "reason": "依法调整（测试）", "basis": "《测试用的依据》第一条"}
        case = self.open("editor 0", "classification_change", package_id, told)
        self.do("authority", "mulu_case_event", id=case, event="agree", data={"reason": "同意（测试）"})

    def withdraw(self, package_id: str, department: int = 0) -> None:
        case = self.open(f"editor {department}", "withdrawal", package_id, {"cause": "ceased", "reason": "不再产生（测试）"})
        self.do(f"head {department}", "mulu_case_event", id=case, event="head_agree")
        self.do("authority", "mulu_case_event", id=case, event="agree", data={"reason": "同意（测试）"})

    def open(self, who: str, procedure: str, package_id: str, data: dict[str, Any]) -> str:
        """The id of a new case about an entry."""
        subject = {"type": "entry", "id": package_id}
        return str(self.do(who, "mulu_case_open", procedure=procedure, subject=subject, data=data)["id"])

    def get(self, path: str) -> requests.Response:
        """Of a page or an address, as everybody gets it."""
        return requests.get(path if path.startswith("http") else f"{self.url}{path}", timeout=60)


@contextmanager
def running() -> Iterator[Peer]:
    """The second portal, empty but for its people and departments."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    settings = Settings.read()
    if settings.external:
        pytest.skip("databases and Solr cores for a second portal are made on services of our own only")
    settings = replace(settings, ports={**settings.ports, "ckan": port})
    drop(settings)
    make(settings)
    environment = clean_environment() | {"CKAN_INI": str(settings.ini(PEER))}
    command = [str(programs.BIN / "gunicorn"), "--bind", f"{HOST}:{port}", "--workers", "2", "--timeout", "120", "mulu_ops.wsgi:application"]
    with (settings.log / "peer.log").open("wb") as log:
        web = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        people = json.loads(portal.ckan(settings, PEER, "mulu", "seed-demo", "--departments", "-", stdin=json.dumps(DEPARTMENTS)))
        wait_for("peer", lambda: http_ready(f"{settings.url('ckan')}/api/3/action/status_show", 60), 120)
        yield Peer(settings.url("ckan"), _tokens(people))
    finally:
        web.terminate()
        web.wait(30)
        drop(settings)


def _tokens(people: dict[str, Any]) -> dict[str, str]:
    tokens = {role: user["token"] for role, user in people["users"].items()}
    clerks = [people["departments"][one["name"]] for one in DEPARTMENTS]
    return tokens | {f"{part} {number}": clerk[part]["token"] for number, clerk in enumerate(clerks) for part in ("editor", "head")}


def make(settings: Settings) -> None:
    portal.create_databases(settings, Services(settings), (PEER,))
    portal.write_inis(settings, (PEER,))
    core = settings.core(PEER)
    solr.write_conf(settings, core)
    assert cores(settings, action="CREATE", name=core, instanceDir=core).ok
    portal.migrate(settings, PEER, lambda said: None)


def drop(settings: Settings) -> None:
    """All of it, also what a test that was killed has left."""
    core = settings.core(PEER)
    cores(settings, action="UNLOAD", core=core, deleteInstanceDir="true")
    redis.Redis.from_url(settings.redis_url(PEER)).flushdb()
    portal.drop_databases(settings, PEER)


def cores(settings: Settings, **asked: str) -> requests.Response:
    return requests.get(f"{settings.url('solr')}/solr/admin/cores", params=asked, timeout=60)
