"""The public site over HTTP: the site's own server and the documented nginx answer the same questions in the same way."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest
import requests

from mulu_ops.static import server

NGINX = Path(__file__).resolve().parents[2] / "deploy" / "web" / "nginx.conf"
WORDS = "政务数据目录，" * 400
PIECE = "search/words-0-0123456789.json"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def own(folder: Path) -> Iterator[str]:
    web = server(folder / "current", "127.0.0.1", 0)
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{web.server_address[1]}"
    web.shutdown()
    web.server_close()


def nginx(folder: Path) -> Iterator[str]:
    """The documented server block, with another port and root, as the only one of a private nginx."""
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        pytest.skip("nginx is not installed")
    port, home = free_port(), folder / "nginx"
    home.mkdir()
    block = NGINX.read_text().replace("listen 80;", f"listen 127.0.0.1:{port};").replace("/srv/mulu/site/current", str(folder / "current"))
    user = "user root;" if os.geteuid() == 0 else ""
    places = "".join(f"{name}_temp_path {home};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf = home / "nginx.conf"
    conf.write_text(f"{user} daemon off; pid {home}/pid; error_log stderr; events {{}} http {{ access_log off; {places}\n{block}\n}}")
    process = subprocess.Popen([program, "-p", str(home), "-c", str(conf)], stderr=subprocess.PIPE)
    url = f"http://127.0.0.1:{port}"
    for _ in range(200):
        with socket.socket() as one:
            if process.poll() is not None:
                pytest.fail(process.stderr.read().decode())
            if one.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield url
    process.terminate()
    process.wait()


@pytest.fixture(params=[own, nginx], ids=["own", "nginx"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    for url in request.param(tmp_path):
        yield tmp_path, url


def publish(folder: Path, version: str, **files: str) -> Path:
    """A release whose home page names its version."""
    release = folder / version
    pages = {"index.html": f"<p>目录 {version}</p>", "404.html": "<p>没有这一页</p>", "entry/one/index.html": f"<p>{WORDS}</p>"}
    for path, content in {**pages, **files}.items():
        file = release / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    link = folder / "next"
    link.symlink_to(release)
    link.replace(folder / "current")
    return release


def get(url: str, **headers: str) -> requests.Response:
    """As it goes over the line: nothing is unpacked, no redirect followed."""
    given = {"Accept-Encoding": "identity", **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer = requests.get(url, headers=given, timeout=5, allow_redirects=False, stream=True)
    answer._content = answer.raw.read(decode_content=False)
    return answer


def test_a_new_release_is_seen_at_the_next_request(served: tuple[Path, str]) -> None:
    folder, url = served
    assert get(url).status_code == 404
    publish(folder, "one")
    first = get(f"{url}/")
    assert first.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "目录 one" in first.content.decode()
    publish(folder, "two")
    assert "目录 two" in get(f"{url}/").content.decode()


def test_what_is_not_there_shows_the_sites_own_page(served: tuple[Path, str]) -> None:
    folder, url = served
    publish(folder, "one")
    for path in ("no/such/page", "index.html/", "entry/", "%00", "entry/one/index.html/x", "entry/" + "x" * 300, "entry/" + "x" * 300 + "/"):
        missing = get(f"{url}/{path}")
        assert missing.status_code in ((400, 404) if path == "%00" else (404,)), path
        if missing.status_code == 404:
            assert "没有这一页" in missing.content.decode()


def test_nothing_outside_the_folder_is_served(served: tuple[Path, str]) -> None:
    folder, url = served
    publish(folder, "one")
    (folder / "secret").write_text("secret")
    for path in ("%2e%2e/secret", "..%2fsecret", "entry/%2e%2e/%2e%2e/secret", "/" + str(folder / "secret")):
        answer = get(f"{url}/{path}")
        assert answer.status_code in (400, 404) and b"secret" not in answer.content


def test_a_folder_without_its_slash_leads_on(served: tuple[Path, str]) -> None:
    folder, url = served
    publish(folder, "one")
    answer = get(f"{url}/entry/one")
    assert answer.status_code == 301
    assert requests.compat.urljoin(f"{url}/entry/one", answer.headers["Location"]) == f"{url}/entry/one/"
    asked = get(f"{url}/entry/one?lang=en&q=%E6%95%B0%E6%8D%AE").headers["Location"]  # what was asked for goes along
    assert requests.compat.urljoin(f"{url}/entry/one", asked) == f"{url}/entry/one/?lang=en&q=%E6%95%B0%E6%8D%AE"
    for path in ("//other.example", "//other.example/..", "//other.example/%2e%2e/entry"):
        assert "//other" not in get(f"{url}{path}").headers.get("Location", "")


@pytest.mark.parametrize(
    ("path", "kind"),
    [("entries.json", "application/json"), ("entries.csv", "text/csv; charset=utf-8"), ("x.ttl", "text/turtle; charset=utf-8"), ("x.jsonld", "application/ld+json"),
     ("atom.xml", "application/atom+xml; charset=utf-8"), ("browse/theme/x/atom.xml", "application/atom+xml; charset=utf-8"), ("sitemap.xml", "application/xml"),
     ("entries.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), ("a.svg", "image/svg+xml"), ("a.js", "text/javascript; charset=utf-8")],
)  # fmt: skip
def test_types(served: tuple[Path, str], path: str, kind: str) -> None:
    folder, url = served
    publish(folder, "one", **{path: "{}"})
    answer = get(f"{url}/{path}")
    assert answer.headers["Content-Type"] == kind and answer.headers["X-Content-Type-Options"] == "nosniff"
    machine = path.rpartition(".")[2] in ("json", "csv", "ttl", "jsonld", "xml", "xlsx")
    assert answer.headers.get("Access-Control-Allow-Origin") == ("*" if machine else None)


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_what_has_not_changed_is_not_sent_again(served: tuple[Path, str], coding: str) -> None:
    folder, url = served
    release = publish(folder, "one")
    first = get(f"{url}/entry/one/", Accept_Encoding=coding)
    tag, day = first.headers["ETag"], first.headers["Last-Modified"]
    assert first.headers["Cache-Control"] == "no-cache"
    for asked in ({"If_None_Match": tag}, {"If_None_Match": f'"other", {tag}'}, {"If_Modified_Since": day}):
        again = get(f"{url}/entry/one/", Accept_Encoding=coding, **asked)
        assert (again.status_code, again.content) == (304, b"")
    assert get(f"{url}/entry/one/", If_None_Match='"other"').status_code == 200
    page = release / "entry/one/index.html"
    page.unlink()
    page.write_text("<p>改过的</p>" + WORDS, encoding="utf-8")
    os.utime(page, (2_000_000_000, 2_000_000_000))
    changed = get(f"{url}/entry/one/", Accept_Encoding=coding, If_None_Match=tag)
    assert changed.status_code == 200 and changed.headers["ETag"] != tag


def test_a_page_that_two_releases_share_keeps_its_tag(served: tuple[Path, str]) -> None:
    folder, url = served
    one = publish(folder, "one")
    tag = get(f"{url}/entry/one/").headers["ETag"]
    two = publish(folder, "two")
    page = two / "entry/one/index.html"
    page.unlink()
    page.hardlink_to(one / "entry/one/index.html")
    assert get(f"{url}/entry/one/", If_None_Match=tag).status_code == 304


def test_texts_are_sent_compressed_to_who_takes_it(served: tuple[Path, str]) -> None:
    folder, url = served
    publish(folder, "one", **{"entries.json": '"' + WORDS + '"', "small.json": "[]", "a.xlsx": WORDS})
    for path in ("entry/one/", "entries.json"):
        plain, packed = get(f"{url}/{path}"), get(f"{url}/{path}", Accept_Encoding="gzip, deflate")
        assert gzip.decompress(packed.content) == plain.content and len(packed.content) < len(plain.content) / 5
        assert (plain.headers.get("Content-Encoding"), packed.headers["Content-Encoding"]) == (None, "gzip")
        assert "Accept-Encoding" in packed.headers["Vary"] and packed.headers["ETag"] != plain.headers["ETag"]
    for path in ("small.json", "a.xlsx"):
        assert "Content-Encoding" not in get(f"{url}/{path}", Accept_Encoding="gzip").headers


def test_only_pieces_whose_name_tells_their_content_are_kept_for_ever(served: tuple[Path, str]) -> None:
    folder, url = served
    publish(folder, "one", **{PIECE: "{}", "search/index.json": "{}", "assets/site.css": ""})
    for path, kept in ((PIECE, True), ("search/index.json", False), ("assets/site.css", False), ("", False), ("search/gone-0-0123456789.json/x", False)):
        said = get(f"{url}/{path}").headers["Cache-Control"]
        assert ("immutable" in said and "max-age=31536000" in said) if kept else said == "no-cache", path


@pytest.mark.parametrize("coding", ["identity", "gzip, deflate", "gzip, deflate, br"])
def test_a_broken_download_goes_on_where_it_stopped(served: tuple[Path, str], coding: str) -> None:
    """Whoever resumes a download says, as browsers and `requests` always do, that it takes compressed answers as well."""
    folder, url = served
    publish(folder, "one", **{"entries.csv": "0123456789" * 200, "atom.xml": "<feed>" + "目录" * 400})
    whole = get(f"{url}/entries.csv")
    rest = get(f"{url}/entries.csv", Accept_Encoding=coding, Range="bytes=1995-", If_Range=whole.headers["ETag"])
    assert (rest.status_code, rest.content, rest.headers["Content-Range"]) == (206, b"56789", "bytes 1995-1999/2000")
    assert "Content-Encoding" not in rest.headers and rest.headers["Vary"] == "Accept-Encoding"
    assert rest.headers["Access-Control-Allow-Origin"] == "*" and rest.headers["X-Content-Type-Options"] == "nosniff"
    assert get(f"{url}/entries.csv", Accept_Encoding=coding, Range="bytes=1995-", If_Range='"other"').status_code == 200
    assert get(f"{url}/entries.csv", Accept_Encoding=coding, Range="bytes=9999-").status_code == 416
    page = get(f"{url}/entry/one/", Accept_Encoding=coding, Range="bytes=0-2")
    assert (page.status_code, page.content) == (206, b"<p>")
    feed = get(f"{url}/atom.xml", Accept_Encoding=coding, Range="bytes=0-4")
    assert (feed.status_code, feed.content, feed.headers["Content-Type"]) == (206, b"<feed", "application/atom+xml; charset=utf-8")
    for path, status in (("no/such/page", 404), ("entry/", 404), ("entry/one", 301)):
        assert get(f"{url}/{path}", Accept_Encoding=coding, Range="bytes=0-2").status_code == status


def test_head_and_other_methods(served: tuple[Path, str]) -> None:
    folder, url = served
    publish(folder, "one")
    head = requests.head(f"{url}/entry/one/", headers={"Accept-Encoding": "identity"}, timeout=5)
    assert (head.status_code, head.content) == (200, b"") and int(head.headers["Content-Length"]) == len(get(f"{url}/entry/one/").content)
    for method in ("POST", "PUT", "DELETE"):
        assert requests.request(method, f"{url}/entry/one/", timeout=5).status_code in (403, 405)


def test_no_page_may_be_framed_and_no_address_leaks(served: tuple[Path, str]) -> None:
    folder, url = served
    publish(folder, "one")
    for path in ("", "no/such/page"):
        headers = get(f"{url}/{path}").headers
        assert headers["Content-Security-Policy"] == "frame-ancestors 'none'" and headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin" and not re.search(r"\d+\.\d+\.\d+", headers.get("Server", "") if "nginx" in headers.get("Server", "") else "")


def test_the_own_server_speaks_brotli(tmp_path: Path) -> None:
    publish(tmp_path, "one")
    for url in own(tmp_path):
        packed = get(f"{url}/entry/one/", Accept_Encoding="gzip, deflate, br, zstd")
        assert packed.headers["Content-Encoding"] == "br" and WORDS in brotli.decompress(packed.content).decode()
