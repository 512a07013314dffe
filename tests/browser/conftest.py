"""A real portal (CKAN under gunicorn on the test database), a real site and a real Chromium.

The portal is emptied once per run. Nothing here touches the demo: database, Solr core and Redis number are the test ones.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from large_site import LargeSite, build_large
from playwright.sync_api import Browser, Page, sync_playwright
from visits import Visits

from mulu_ops.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
INI = Settings.read().ini("test")
CHROMIUM = os.environ.get("MULU_CHROMIUM", "/usr/bin/chromium")
CHROMIUM_ARGS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync"]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def ckan(*args: str, **env: str) -> str:
    """Run ``ckan -c var/test.ini …`` and give its standard output; its errors are shown when it fails."""
    done = subprocess.run([str(BIN / "ckan"), "-c", str(INI), *args], cwd=ROOT, text=True, capture_output=True,
                          env=os.environ | env, check=False)
    assert done.returncode == 0, f"ckan {' '.join(args)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Portal:
    """url without a trailing slash; users as in var/demo.json: {role: {name, password, token}}.

    site_url: where the public site stands; only its pages may send requests of the public.
    """

    url: str
    users: dict[str, dict[str, str]]
    site_url: str

    def api(self, action: str, data: dict | None = None, role: str | None = None) -> requests.Response:
        headers = {"Authorization": self.users[role]["token"]} if role else {}
        return requests.post(f"{self.url}/api/3/action/{action}", json=data or {}, headers=headers, timeout=60)


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    ckan("db", "clean", "--yes")
    ckan("db", "init")
    ckan("search-index", "clear")
    users = json.loads(ckan("mulu", "seed-demo", "--profile", "huarong"))["users"]
    folder = tmp_path_factory.mktemp("portal")
    site_url, ini = f"http://127.0.0.1:{free_port()}", folder / "portal.ini"
    ini.write_text(re.sub(r"(?m)^mulu\.site_url = .*$", f"mulu.site_url = {site_url}", INI.read_text()))
    log = (folder / "web.log").open("w")
    env = os.environ | {"CKAN_INI": str(ini), "CKAN_SITE_URL": url}
    web = subprocess.Popen([str(BIN / "gunicorn"), "--bind", f"127.0.0.1:{port}", "--workers", "2", "--timeout", "120",
                            "mulu_ops.wsgi:application"], cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        for _ in range(240):
            assert web.poll() is None, Path(log.name).read_text()
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{url}/api/3/action/status_show", timeout=60).ok:
                    break
            time.sleep(0.5)
        else:
            pytest.fail("the portal did not answer within 120 s:\n" + Path(log.name).read_text())
        yield Portal(url, users, site_url)
    finally:
        web.terminate()
        web.wait(20)
        log.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@contextlib.contextmanager
def served(folder: Path, url: str = "") -> Iterator[str]:
    """The folder over HTTP on the loopback, at this URL if one is given; gives its URL."""
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(url.rpartition(":")[2] or 0)), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def large() -> Iterator[LargeSite]:
    """The large site, served on the loopback; read only."""
    with contextlib.ExitStack() as stack:
        kept = os.environ.get("MULU_LARGE_SITE")
        folder = Path(kept or stack.enter_context(tempfile.TemporaryDirectory(prefix="mulu-large-site-")))
        folder.mkdir(parents=True, exist_ok=True)
        site = build_large(folder)
        site.url = stack.enter_context(served(site.folder)) + "/"
        yield site


@pytest.fixture(scope="session")
def _windows(browser: Browser, large: LargeSite) -> Iterator[Visits]:
    visits = Visits(browser, large.url)
    yield visits
    visits.close()


@pytest.fixture
def visits(_windows: Visits) -> Iterator[Visits]:
    """Opens pages of the large site; fails the test if one of them errs or asks any other host for anything."""
    yield _windows
    assert _windows.leave() == []


@contextlib.contextmanager
def logged_in(browser: Browser, portal: Portal, role: str) -> Iterator[Page]:
    """A page of a fresh browser session in which the demo person of this role has logged in through the form."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{portal.url}/user/login")
    page.fill("input[name=login]", portal.users[role]["name"])
    page.fill("input[name=password]", portal.users[role]["password"])
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/user/login" not in url)
    try:
        yield page
    finally:
        context.close()
