"""The demo's web server: UTF-8, the site's own 404 page, and a publication seen at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from mulu_ops.static import server


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    web = server(tmp_path / "current", "127.0.0.1", 0)
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield tmp_path, f"http://127.0.0.1:{web.server_address[1]}"
    web.shutdown()
    web.server_close()


def publish(folder: Path, version: str) -> None:
    release = folder / version
    release.mkdir()
    (release / "index.html").write_text(f"<p>目录 {version}</p>", encoding="utf-8")
    (release / "404.html").write_text("<p>没有这一页</p>", encoding="utf-8")
    link = folder / "next"
    link.symlink_to(release)
    link.replace(folder / "current")


def test_a_new_release_is_seen_at_the_next_request(served: tuple[Path, str]) -> None:
    folder, url = served
    assert requests.get(url, timeout=5).status_code == 404
    publish(folder, "one")
    first = requests.get(url, timeout=5)
    assert first.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "目录 one" in first.text
    publish(folder, "two")
    assert "目录 two" in requests.get(url, timeout=5).text


def test_what_is_not_there_shows_the_sites_own_page(served: tuple[Path, str]) -> None:
    folder, url = served
    publish(folder, "one")
    missing = requests.get(f"{url}/no/such/page", timeout=5)
    assert (missing.status_code, missing.text) == (404, "<p>没有这一页</p>")


def test_nothing_outside_the_folder_is_served(served: tuple[Path, str]) -> None:
    folder, url = served
    publish(folder, "one")
    (folder / "secret").write_text("secret")
    answer = requests.get(f"{url}/%2e%2e/secret", timeout=5)
    assert answer.status_code == 404
