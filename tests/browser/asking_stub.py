"""A portal that answers as a test wants, and a site built for it: for what a real portal answers only when something is wrong."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import free_port, served
from playwright.sync_api import Browser, Page
from werkzeug.formparser import parse_form_data

from mulu_site.build import build
from mulu_site.generate import generate
from mulu_site.snapshot import open_snapshot

SALT, NUMBER = "5a17?expires=1799999999", 4321
RECEIPT = {
    "receipt": "HR-FH-20261121-0007-K", "code": "7Q2M-9XKD-4T", "status_url": "", "procedure_title": "复核申请", "state": "已收件",
    "due_on": "2026-12-04", "provisional": True, "article": "华容县政务信息资源管理暂行办法 第二十八条",
}  # fmt: skip
CASE = {
    "receipt": RECEIPT["receipt"], "procedure_title": "复核申请", "title": "某条目", "state": "已收件", "final": False,
    "filed_on": "2026-11-21", "due_on": "2026-12-04", "provisional": False, "overdue": True, "answer": None, "can": ["withdraw"],
    "timeline": [{"on": "2026-11-21", "label": "申请复核", "state": "received"}],
}  # fmt: skip
WITHDRAWN = {**CASE, "state": "已撤回", "final": True, "overdue": False, "can": []}


class Portal:
    """The stub: answers by path as a test sets them, and what it was sent."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any, dict[str, str]]] = {}
        self.sent: list[tuple[str, bytes, str]] = []
        self.silent: set[str] = set()
        self.cut: set[str] = set()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.server: http.server.ThreadingHTTPServer | None = None

    def say(self, path: str, status: int, body: Any, **headers: str) -> None:
        self.answers[path] = (status, body, headers)

    def start(self) -> None:
        portal = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def answer(self, body: bytes = b"") -> None:
                path = self.path.removeprefix("/mulu/public/")
                if body:
                    portal.sent.append((path, body, self.headers["Content-Type"]))
                if path in portal.silent:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, content, headers = portal.answers[path] if self.command != "OPTIONS" else (204, "", {})
                self.send_response(status)
                for name, value in {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Content-Type",
                                    "Access-Control-Expose-Headers": "Retry-After", "Content-Type": "application/json",
                                    **{k.replace("_", "-"): v for k, v in headers.items()}}.items():  # fmt: skip
                    self.send_header(name, value)
                self.end_headers()
                if status != 204:
                    self.wfile.write(json.dumps(content).encode()[: 20 if path in portal.cut else None])

            def do_GET(self) -> None:
                self.answer()

            do_OPTIONS = do_GET

            def do_POST(self) -> None:
                self.answer(self.rfile.read(int(self.headers["Content-Length"])))

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def form(self) -> dict[str, Any]:
        """The last request as it was sent: {part: text, or [(file name, bytes)]}."""
        _, body, kind = next(one for one in reversed(self.sent) if one[0] == "requests")
        environ = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": kind, "REQUEST_METHOD": "POST"}
        _, texts, files = parse_form_data(environ)
        sent_files = {name: [(one.filename, one.read()) for one in files.getlist(name)] for name in files}
        return texts.to_dict() | sent_files


@pytest.fixture(scope="session")
def stub() -> Iterator[Portal]:
    portal = Portal()
    yield portal
    portal.stop()


@pytest.fixture
def portal(stub: Portal) -> Iterator[Portal]:
    """A portal that takes what it is sent."""
    challenge = hashlib.sha256(f"{SALT}{NUMBER}".encode()).hexdigest()
    stub.sent.clear()
    stub.silent.clear()
    stub.cut.clear()
    stub.say("challenge", 200, {"algorithm": "SHA-256", "challenge": challenge, "maxnumber": 50_000, "salt": SALT, "signature": "sig"})
    stub.say("requests", 201, RECEIPT)
    stub.say("status", 200, CASE)
    stub.say("withdraw", 200, WITHDRAWN)
    stub.start()
    yield stub
    stub.stop()


@pytest.fixture(scope="session")
def entry(tmp_path_factory: pytest.TempPathFactory, stub: Portal) -> dict[str, Any]:
    """An entry that is not open, of a site built for the stub; `_base` is the site's folder."""
    folder = tmp_path_factory.mktemp("asking")
    snapshot = generate(40, folder / "snapshot.jsonl", portal_url=stub.url)
    build(snapshot, folder / "site")
    closed = next(e for line in open_snapshot(snapshot).lines() if (e := line.entry())["open_type"] == "none")
    return {**closed, "_base": folder / "site" / "current"}


@pytest.fixture(scope="session")
def base(entry: dict[str, Any]) -> Iterator[str]:
    with served(entry["_base"]) as url:
        yield url + "/"


@pytest.fixture
def open_page(browser: Browser, base: str) -> Iterator[Callable[..., Page]]:
    """Pages of one visitor: they share what the browser keeps. A program's fault fails the test."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    wrong: list[str] = []

    def open_page(path: str) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda one: wrong.append(one.text) if "Content Security Policy" in one.text else None)
        page.goto(base + path)
        if page.locator("#ask").count():
            page.wait_for_selector("#ask[data-ready]", state="attached")
        return page

    yield open_page
    context.close()
    assert wrong == []


def rereview(entry: dict[str, Any]) -> str:
    return f"ask/rereview/?entry={entry['name']}"
