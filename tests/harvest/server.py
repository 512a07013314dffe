"""A real HTTP server on the loopback address that answers as a test says, faults included."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Request:
    """What was asked. ``at``: by time.monotonic."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    at: float = field(default_factory=time.monotonic)


@dataclass
class Reply:
    """One answer.

    ``delay``: seconds before it. ``cut``: so many bytes of the body are sent, then the connection ends. ``announce``: what
    Content-Length says, -1 for none at all. ``drip``: seconds between single bytes. ``endless``: the body again and again,
    until nobody listens. ``etag``: answers 304 to whoever has it.
    """

    body: bytes | str = b""
    status: int = 200
    type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None
    announce: int | None = None
    drip: float = 0.0
    endless: bool = False
    etag: str = ""


Answering = Reply | Callable[[Request], Reply]


def as_json(data: Any, **more: Any) -> Reply:
    return Reply(json.dumps(data, ensure_ascii=False), **more)


def redirect(to: str, status: int = 302) -> Reply:
    return Reply(b"moved", status, "text/plain", {"Location": to})


class Server:
    """``on(path, a, b)``: the first request gets a, all others b. A path that is not set is 404, robots.txt too.

    ``asked``: every request in its order; ``sent``: bytes of bodies.
    """

    def __init__(self) -> None:
        self._answers: dict[str, list[Answering]] = {}
        self._given: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()
        self.asked: list[Request] = []
        self.sent = 0
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def on(self, path: str, *answers: Answering) -> str:
        """Set what a path answers; gives its address."""
        with self._lock:
            self._answers[path], self._given[path] = list(answers), 0
        return self.url + path

    def paths(self) -> list[str]:
        """What was asked for, without robots.txt."""
        return [request.path for request in self.asked if request.path != "/robots.txt"]

    def _reply(self, request: Request) -> Reply:
        with self._lock:
            self.asked.append(request)
            answers = self._answers.get(request.path, [Reply(b"nothing here", 404, "text/plain")])
            number = self._given[request.path]
            self._given[request.path] += 1
        answer = answers[min(number, len(answers) - 1)]
        return answer(request) if callable(answer) else answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
                reply = server._reply(Request(parts.path, query, dict(self.headers)))
                time.sleep(reply.delay)
                with suppress(OSError):
                    self.give(reply)

            def give(self, reply: Reply) -> None:
                body = reply.body.encode() if isinstance(reply.body, str) else reply.body
                same = reply.etag and self.headers.get("If-None-Match") == reply.etag
                self.send_response(304 if same else reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.etag:
                    self.send_header("ETag", reply.etag)
                if same:
                    self.end_headers()
                    return
                self.send_header("Content-Type", reply.type)
                length = len(body) if reply.announce is None else reply.announce
                if length >= 0:
                    self.send_header("Content-Length", str(length))
                ends = length != len(body) or reply.cut is not None or reply.endless
                if ends:
                    self.close_connection = True
                    self.send_header("Connection", "close")
                self.end_headers()
                self.write(reply, body)

            def write(self, reply: Reply, body: bytes) -> None:
                if reply.drip:
                    for number in range(len(body)):
                        self.part(body[number : number + 1])
                        time.sleep(reply.drip)
                    return
                self.part(body[: reply.cut])
                while reply.endless:
                    self.part(body)

            def part(self, body: bytes) -> None:
                self.wfile.write(body)
                self.wfile.flush()
                server.sent += len(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def start(self) -> None:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@contextmanager
def serving() -> Iterator[Server]:
    """A server for the length of a block."""
    server = Server()
    server.start()
    try:
        yield server
    finally:
        server.stop()
