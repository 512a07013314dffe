"""Serve the published site on this machine: ``python -m mulu_ops.static FOLDER HOST PORT``.

For the demo and for tests; in production any web server or CDN serves the same folder. ``FOLDER`` may be the symlink that
a publication switches: it is followed anew at each request.
"""

from __future__ import annotations

import functools
import http.server
import sys
from http import HTTPStatus
from pathlib import Path


class Handler(http.server.SimpleHTTPRequestHandler):
    """Static files with the site's own 404 page and UTF-8 for text."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        "": "application/octet-stream", ".html": "text/html; charset=utf-8", ".json": "application/json",
        ".jsonld": "application/ld+json", ".ttl": "text/turtle; charset=utf-8", ".xml": "application/xml",
        ".csv": "text/csv; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
        ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json",
    }  # fmt: skip

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        page = Path(self.directory) / "404.html"
        if code != HTTPStatus.NOT_FOUND or not page.is_file():
            return super().send_error(code, message, explain)
        body = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        return None

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: an operator who wants access logs uses a real web server."""


def server(folder: Path, host: str, port: int) -> http.server.ThreadingHTTPServer:
    """A server for the folder, not yet running; port 0 takes a free one."""
    return http.server.ThreadingHTTPServer((host, port), functools.partial(Handler, directory=str(folder)))


def main() -> None:
    folder, host, port = sys.argv[1:]
    server(Path(folder), host, int(port)).serve_forever()


if __name__ == "__main__":
    main()
