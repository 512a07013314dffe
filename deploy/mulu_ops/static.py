"""Serve the published site on this machine: ``python -m mulu_ops.static FOLDER HOST PORT``.

For the demo and for tests; in production any web server or CDN serves the same folder, by the same rules: ``deploy/web/nginx.conf``
says them for nginx, tests/ops holds both to the same answers. ``FOLDER`` may be the symlink that a publication switches: it is
followed once for each request, so that an answer is of one release.

What a reader's cache may do: a piece of the search index bears the digest of its content in its name and is kept for ever; all else
is asked for again each time, which costs a 304 while it is the same (ETag, Last-Modified).
"""

from __future__ import annotations

import gzip
import mimetypes
import re
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import brotli  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.security import safe_join
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.utils import redirect, send_file
from werkzeug.wrappers import Request, Response

TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".csv": "text/csv; charset=utf-8",
    ".txt": "text/plain; charset=utf-8", ".ttl": "text/turtle; charset=utf-8", ".json": "application/json", ".jsonld": "application/ld+json",
    ".xml": "application/xml", ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip
FEED = "application/atom+xml; charset=utf-8"
FOR_PROGRAMS = frozenset({".json", ".jsonld", ".ttl", ".csv", ".xlsx", ".xml"})
"""What a page of another site may read as well."""
TEXTS = frozenset({".html", ".css", ".js", ".csv", ".txt", ".ttl", ".json", ".jsonld", ".xml", ".svg", ".webmanifest"})
NAMED = re.compile(r"/search/[\w-]+-[0-9a-f]{8,}\.\w+\Z", re.ASCII)
"""The path of a file whose name tells its content."""
SQUEEZED = range(512, 4_000_000)
"""Bytes of a text that is sent compressed: less is not worth it, and more would be held in memory."""
_SQUEEZE: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda content: brotli.compress(content, quality=5),
    "gzip": lambda content: gzip.compress(content, compresslevel=6, mtime=0),
}
_SAFE = {
    "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "frame-ancestors 'none'",  # the rest of the policy stands in each page; this part counts only here
}  # fmt: skip


def answer(folder: Path, request: Request) -> Response:
    """What ``folder`` has for a request."""
    if request.method not in ("GET", "HEAD"):
        return MethodNotAllowed(["GET", "HEAD"]).get_response(request.environ)
    root = folder.resolve()
    found = safe_join(str(root), *filter(None, request.path.split("/")))
    if found is None or "\0" in found:
        return _missing(root)
    file = Path(found)
    try:
        if file.is_dir():
            if not request.path.endswith("/"):
                return _headed(redirect(_with_slash(request), HTTPStatus.MOVED_PERMANENTLY), request.path)
            file /= "index.html"
        elif request.path.endswith("/"):
            return _missing(root)
        return _headed(_sent(file, request), request.path)
    except OSError:  # a name that is too long among them
        return _missing(root)
    except HTTPException as refused:  # a range that the file does not have
        return refused.get_response(request.environ)


def _with_slash(request: Request) -> str:
    """The address of a folder, relative to the one asked for; its query goes along."""
    query = request.query_string.decode("latin-1")
    return f"./{quote(request.path.rpartition('/')[2])}/" + (f"?{query}" if query else "")


def _sent(file: Path, request: Request) -> Response:
    kind = _type(file)
    stat = file.stat()
    coding = request.accept_encodings.best_match(list(_SQUEEZE)) if file.suffix in TEXTS and stat.st_size in SQUEEZED else None
    if not coding or "Range" in request.headers:  # a range is of the file as it lies there
        sent = send_file(file, request.environ, mimetype=kind, conditional=True, etag=f"{stat.st_mtime_ns:x}-{stat.st_size:x}")
        sent.headers["Content-Type"] = kind
    else:
        content = _squeezed(str(file), stat.st_mtime_ns, coding)
        sent = Response(content, content_type=kind)
        sent.headers["Content-Encoding"] = coding
        sent.last_modified = datetime.fromtimestamp(stat.st_mtime, UTC)
        sent.set_etag(f"{stat.st_mtime_ns:x}-{stat.st_size:x}-{coding}")
        sent.make_conditional(request.environ)
    if file.suffix in TEXTS:
        sent.vary.add("Accept-Encoding")
    if file.suffix in FOR_PROGRAMS:
        sent.headers["Access-Control-Allow-Origin"] = "*"
    return sent


@lru_cache(maxsize=128)
def _squeezed(path: str, changed: int, coding: str) -> bytes:
    """`changed` tells one content of the file from the next."""
    return _SQUEEZE[coding](Path(path).read_bytes())


def _headed(sent: Response, path: str) -> Response:
    sent.headers["Cache-Control"] = "public, max-age=31536000, immutable" if NAMED.search(path) else "no-cache"
    sent.headers.update(_SAFE)
    return sent


def _missing(root: Path) -> Response:
    """The site's own page for wrong addresses; asked for again, as the page may come."""
    page = root / "404.html"
    content = page.read_bytes() if page.is_file() else b"404"
    return _headed(Response(content, HTTPStatus.NOT_FOUND, content_type=TYPES[".html"]), "")


def _type(file: Path) -> str:
    if file.name == "atom.xml":
        return FEED
    return TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"


class _Quiet(WSGIRequestHandler):
    """An operator who wants access logs uses a real web server."""

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


def server(folder: Path, host: str, port: int) -> BaseWSGIServer:
    """A server for the folder, not yet running; port 0 takes a free one."""

    def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        return answer(folder, Request(environ))(environ, start)

    return make_server(host, port, application, threaded=True, request_handler=_Quiet)


def main() -> None:
    folder, host, port = sys.argv[1:]
    server(Path(folder), host, int(port)).serve_forever()


if __name__ == "__main__":
    main()
