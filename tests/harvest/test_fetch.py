"""Fetching over real connections: what goes wrong between two machines, and what it comes to."""

from __future__ import annotations

import gzip
import resource
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from server import Reply, Server, as_json, redirect, serving

from mulu_harvest import addresses
from mulu_harvest.body import MIB
from mulu_harvest.fetch import HttpFetch, Limits, Stopping
from mulu_harvest.source import Source, SourceError, parse

QUICK = Limits(connect=2, read=2, deadline=5, attempts=3, backoff=0.01)


def source(url: str, **options: Any) -> Source:
    made = parse("x", {"title": "某市", "reader": "ckan", "url": url, "pace": 100})
    return replace(made, options=options)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


def fetching(server: Server, limits: Limits = QUICK, **given: Any) -> HttpFetch:
    return HttpFetch(source(server.url, **given.pop("options", {})), limits=limits, **given)


def body(fetch: HttpFetch, url: str, **given: Any) -> bytes:
    with fetch.get(url, **given) as answer:
        assert answer.file is not None
        return answer.file.read()


# ── answers ──


def test_a_page_of_json(server: Server) -> None:
    url = server.on("/api", lambda request: as_json({"asked": request.query, "名": "目录"}))
    assert fetching(server).json(url, params={"rows": 2}) == {"asked": {"rows": "2"}, "名": "目录"}
    asked = server.asked[-1].headers
    assert asked["User-Agent"].startswith("Mulu") and asked["Accept"] == "application/json"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Reply("<html><title>系统\n维护</title>", type="text/html"), "返回的是网页“系统 维护”，不是 JSON"),
        (Reply("<?xml version='1.0'?><a/>"), "网页或 XML，不是 JSON，开头是“<"),
        (Reply(b"\x00\xff\x93garbage"), "返回的不是 JSON"),
        (Reply(b""), "内容是空的"),
        (Reply("[" * 100_000), "返回的不是 JSON"),
        (Reply(b"gone", 404, "text/plain"), r"返回 HTTP 404（Not Found）：gone"),
        (Reply(b"<h1>no", 403, "text/html"), r"返回 HTTP 403（Forbidden）$"),
    ],
)
def test_what_is_no_json_is_told_and_not_tried_again(server: Server, given: Reply, said: str) -> None:
    url = server.on("/api", given)
    with pytest.raises(SourceError, match=said) as told:
        fetching(server).json(url)
    assert str(told.value).startswith("来源“某市”：" + url)
    assert server.paths() == ["/api"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(server: Server, status: int) -> None:
    url = server.on("/api", Reply(b"no", status), Reply(b"no", status), as_json([1]))
    assert fetching(server).json(url) == [1]
    assert len(server.paths()) == 3


def test_what_does_not_pass_is_told_with_how_often_it_was_tried(server: Server) -> None:
    url = server.on("/api", Reply(b"no", 500))
    with pytest.raises(SourceError, match=r"返回 HTTP 500（Internal Server Error），共试了 3 次"):
        fetching(server).json(url, params={"q": "目录"})
    assert len(server.paths()) == 3


@pytest.mark.parametrize(
    "cut",
    [Reply(b"[1, 2, 3]", cut=4), Reply(b"[1, 2, 3]", announce=400), Reply(gzip.compress(b"[1]")[:-9] + b"garbage..", headers={"Content-Encoding": "gzip"})],
)  # fmt: skip
def test_a_body_that_is_cut_is_read_again(server: Server, cut: Reply) -> None:
    url = server.on("/api", cut, as_json([1, 2, 3]))
    assert fetching(server).json(url) == [1, 2, 3]
    server.on("/api", cut)
    with pytest.raises(SourceError, match=r"没有传完|损坏"):
        fetching(server).json(url)


def test_a_host_that_is_not_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SourceError, match="对方拒绝连接，共试了 3 次"):
        HttpFetch(source(f"http://127.0.0.1:{port}"), limits=QUICK).json(f"http://127.0.0.1:{port}/")


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(SourceError, match="连接不上"):
        HttpFetch(source("http://nowhere.invalid"), limits=QUICK).json("http://nowhere.invalid/")


def test_a_host_that_hangs_up_in_the_middle_of_its_headers() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]

    def answer() -> None:
        for _ in range(4):
            line, _ = listening.accept()
            line.recv(4096)
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Len")
            line.close()

    threading.Thread(target=answer, daemon=True).start()
    with pytest.raises(SourceError, match="共试了 3 次"):
        HttpFetch(source(f"http://127.0.0.1:{port}", ignore_robots=True), limits=QUICK).json(
            f"http://127.0.0.1:{port}/"
        )
    listening.close()


# ── limits ──


def test_two_gigabytes_announced_are_not_begun(server: Server) -> None:
    url = server.on("/big", Reply(b"x" * MIB, announce=2 * 1024 * MIB, endless=True))
    with pytest.raises(SourceError, match="内容有 2048 MiB，超过 512 MiB 的上限"):
        body(fetching(server), url)
    assert server.paths() == ["/big"]


def test_a_body_without_end_stops_at_the_limit_and_lies_on_disk(server: Server) -> None:
    url = server.on("/big", Reply(b"x" * MIB, announce=-1, endless=True))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SourceError, match="超过 100 MiB 的上限"):
        body(fetching(server, options={"max_bytes": 100 * MIB}), url)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 40 * 1024  # KiB
    assert server.sent < 130 * MIB and server.paths() == ["/big"]


def test_a_gzip_bomb_counts_as_unpacked(server: Server) -> None:
    bomb = gzip.compress(b"\0" * (80 * MIB), 1)
    assert len(bomb) < 2 * MIB
    url = server.on("/bomb", Reply(bomb, headers={"Content-Encoding": "gzip"}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SourceError, match="超过 20 MiB 的上限（压缩着传来"):
        body(fetching(server, options={"max_bytes": 20 * MIB}), url)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 * 1024


def test_a_redirect_with_a_body_without_end_is_left(server: Server) -> None:
    server.on("/there", as_json([1]))
    url = server.on("/here", Reply(b"x" * MIB, 302, headers={"Location": "/there"}, announce=-1, endless=True))
    assert fetching(server).json(url) == [1]
    assert server.sent < 40 * MIB


@pytest.mark.parametrize("slow", [Reply(b"[1, 2, 3]" * 100, drip=0.05), Reply(b"[1]", delay=8)])
def test_a_slow_drip_ends_at_the_deadline(server: Server, slow: Reply) -> None:
    url = server.on("/slow", slow)
    begun = time.monotonic()
    with pytest.raises(SourceError, match="1 秒内没有收完"):
        body(fetching(server, replace(QUICK, read=10, deadline=1)), url)
    assert time.monotonic() - begun < 4 and server.paths() == ["/slow"]


def test_silence_is_a_time_out_and_tried_again(server: Server) -> None:
    url = server.on("/silent", Reply(b"[1]", delay=1), as_json([2]))
    assert fetching(server, replace(QUICK, read=0.3)).json(url) == [2]


# ── stopping ──


@pytest.mark.parametrize("given", [Reply(b"x" * 1000, drip=0.05), Reply(b"", delay=8), Reply(b"", 503, headers={"Retry-After": "100"})])  # fmt: skip
def test_stop_in_the_middle_of_waiting(server: Server, given: Reply) -> None:
    url = server.on("/slow", given)
    asked = threading.Event()
    threading.Timer(0.3, asked.set).start()
    begun = time.monotonic()
    with pytest.raises(Stopping):
        body(fetching(server, replace(QUICK, read=30, deadline=30), stopped=asked.is_set), url)
    assert time.monotonic() - begun < 4


# ── manners ──


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now, self.slept = 1000.0, 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@pytest.mark.parametrize("given", ["7", "a date"])
def test_retry_after_is_kept_to(server: Server, given: str) -> None:
    given = formatdate(time.time() + 8, usegmt=True) if given == "a date" else given
    url = server.on("/api", Reply(b"", 429, headers={"Retry-After": given}), as_json([1]))
    clock = Clock()
    assert fetching(server, clock=clock, sleep=clock.sleep).json(url) == [1]
    assert 6 <= clock.slept < 10


def test_a_host_that_asks_for_too_long_is_asked_in_the_next_run(server: Server) -> None:
    url = server.on("/api", Reply(b"", 503, headers={"Retry-After": "7200"}))
    with pytest.raises(SourceError, match="要求 7200 秒后再来，共试了 1 次"):
        fetching(server).json(url)


def test_back_off_doubles_with_jitter(server: Server) -> None:
    url = server.on("/api", Reply(b"", 500))
    clock = Clock()
    with pytest.raises(SourceError, match="共试了 5 次"):
        fetching(server, Limits(), clock=clock, sleep=clock.sleep).json(url)
    assert 7.5 <= clock.slept <= 22.6 + 0.1  # 1 + 2 + 4 + 8, each half to one and a half times


def test_requests_to_one_host_keep_their_distance(server: Server) -> None:
    url = server.on("/api", as_json([1]))
    clock = Clock()
    fetch = HttpFetch(replace(source(server.url), pace=4), limits=QUICK, clock=clock, sleep=clock.sleep)
    for _ in range(5):
        fetch.json(url)
    assert clock.slept == pytest.approx(5 / 4)  # robots.txt is the first


def test_robots(server: Server) -> None:
    server.on("/robots.txt", Reply("User-agent: *\nDisallow: /private\nCrawl-delay: 3\n", type="text/plain"))
    free, private = server.on("/api", as_json([1])), server.on("/private/api", as_json([2]))
    clock = Clock()
    fetch = fetching(server, clock=clock, sleep=clock.sleep)
    assert fetch.json(free) == fetch.json(free) == [1]
    assert clock.slept >= 3
    with pytest.raises(SourceError, match=r"/private/api 的 robots.txt 不允许采集"):
        fetch.json(private)
    assert [request.path for request in server.asked].count("/robots.txt") == 1
    assert "/private/api" not in server.paths()
    assert fetching(server, options={"ignore_robots": True}).json(private) == [2]


def test_robots_for_others_are_not_for_us(server: Server) -> None:
    server.on("/robots.txt", Reply("User-agent: Mulu\nAllow: /\n\nUser-agent: *\nDisallow: /\n", type="text/plain"))
    assert fetching(server).json(server.on("/api", as_json([1]))) == [1]


@pytest.mark.parametrize(
    "answers",
    [
        (Reply(b"", 403),),
        (redirect("/robots.txt"),),
        (Reply("<html>app</html>", type="text/html"),),
        (Reply(b"\xff\x00"),),
    ],
)
def test_a_host_without_robots_lets_us_in(server: Server, answers: tuple[Reply, ...]) -> None:
    server.on("/robots.txt", *answers)
    assert fetching(server).json(server.on("/api", as_json([1]))) == [1]


def test_robots_that_cannot_be_read_let_nobody_in(server: Server) -> None:
    server.on("/robots.txt", Reply(b"", 503))
    url = server.on("/api", as_json([1]))
    with pytest.raises(SourceError, match=r"robots.txt 返回 HTTP 503（Service Unavailable），共试了 3 次"):
        fetching(server).json(url)
    assert server.paths() == []


# ── redirects ──


def test_redirects_are_followed(server: Server) -> None:
    server.on("/目录", as_json([1]))
    server.on("/%E7%9B%AE%E5%BD%95", as_json([1]))
    url = server.on("/a", redirect("/b", 301))
    server.on("/b", redirect(f"{server.url}/%E7%9B%AE%E5%BD%95", 307))
    with fetching(server).get(url) as answer:
        assert answer.url.endswith("/%E7%9B%AE%E5%BD%95")


def test_a_redirect_loop_is_told_as_one(server: Server) -> None:
    url = server.on("/a", redirect("/b"))
    server.on("/b", redirect("/a"))
    with pytest.raises(SourceError, match=f"重定向成了循环：{url} → {server.url}/b → {url}"):
        fetching(server).json(url)
    assert server.paths() == ["/a", "/b"]


def test_redirects_without_end(server: Server) -> None:
    url = server.on("/0", redirect("/1"))
    for number in range(1, 20):
        server.on(f"/{number}", redirect(f"/{number + 1}"))
    with pytest.raises(SourceError, match="重定向超过 5 次"):
        fetching(server).json(url)
    assert len(server.paths()) == 6


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("file:///etc/passwd", "不是 http 或 https 网址"),
        ("ftp://example.org/", "不是 http 或 https 网址"),
        ("http://169.254.169.254/latest/meta-data/", "链路本地地址 169.254.169.254"),
        ("http://[fe80::1]/", "链路本地地址 fe80::1"),
        ("http://[::ffff:169.254.169.254]/", "链路本地地址"),
        ("http://[", "不是网址"),
        ("https://:8080/x", "缺少主机名"),
    ],
)
def test_redirects_that_lead_nowhere_good(server: Server, to: str, said: str) -> None:
    url = server.on("/a", redirect(to))
    with pytest.raises(SourceError, match=said) as told:
        fetching(server).json(url)
    assert str(told.value).startswith(f"来源“某市”：{url} ")


def test_a_name_that_leads_to_where_nobody_may_go(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the address that was reached that counts, not the name: a name may point elsewhere each time it is asked for."""
    port = server.url.rpartition(":")[2]
    monkeypatch.setattr(
        "urllib3.util.connection.socket.getaddrinfo",
        lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", int(port)))],
    )
    with pytest.raises(SourceError, match=r"指向本机地址 127.0.0.1，不允许访问"):
        HttpFetch(source("http://example.org"), limits=QUICK).json("http://example.org/api")
    assert server.asked == []


@pytest.mark.parametrize(
    ("address", "own", "allowed"),
    [
        ("10.1.2.3", "10.9.9.9", True),
        ("10.1.2.3", "127.0.0.1", True),
        ("10.1.2.3", "1.1.1.1", False),
        ("192.168.1.1", "1.1.1.1", False),
        ("172.16.0.1", "[fd12::1]", True),
        ("fd12::1", "1.1.1.1", False),
        ("::ffff:10.1.2.3", "1.1.1.1", False),
        ("127.0.0.1", "1.1.1.1", False),
        ("127.0.0.1", "10.9.9.9", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "localhost", True),
        ("127.0.0.1", "[::1]", True),
        ("127.0.0.1", "127.1", False),
        ("::1", "10.9.9.9", False),
        ("0.0.0.0", "10.9.9.9", False),
        ("::ffff:127.0.0.1", "10.9.9.9", False),
        ("169.254.1.1", "127.0.0.1", False),
        ("fe80::1%eth0", "127.0.0.1", False),
        ("100.100.100.200", "127.0.0.1", False),
        ("100.100.100.200", "100.100.100.200", False),
        ("fd00:ec2::254", "[fd00:ec2::254]", False),
        ("2606:4700::1111", "1.1.1.1", True),
    ],
)
def test_whom_a_source_may_send_us_to(address: str, own: str, allowed: bool) -> None:
    assert bool(addresses.refused(address, addresses.reach(f"http://{own}:8080/list"))) is not allowed


def test_a_name_that_means_this_machine_is_not_this_machine(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever keeps the name could have it lead to the database and the index."""
    meant = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]
    monkeypatch.setattr("mulu_harvest.addresses.socket.getaddrinfo", lambda *_, **__: meant)
    assert addresses.reach("http://data.example.org/") == addresses.Reach(loopback=False, private=True)


# ── keys ──


def test_a_key_goes_to_its_own_host_only_and_into_no_message(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULU_HARVEST_KEY_X", "very-secret\n")  # the source is called x
    with serving() as other:
        away = other.on("/b", as_json([1]))
        url = server.on("/a", redirect(away))
        fetch = fetching(server, options={"key_variable": "MULU_HARVEST_KEY_X", "key_header": "X-Api-Key"})
        assert fetch.json(url, headers={"X-Api-Key": "another"}) == [1]
        assert server.asked[-1].headers["X-Api-Key"] == "very-secret"
        assert not any("X-Api-Key" in request.headers for request in other.asked)
        denied = server.on("/c", Reply(b"bad key very-secret", 401, "text/plain"))
        with pytest.raises(SourceError, match=r"HTTP 401（Unauthorized）：bad key \*\*\*"):
            fetch.json(denied)


def test_a_key_that_is_not_set_is_told(server: Server) -> None:
    with pytest.raises(SourceError, match="环境变量 MULU_HARVEST_KEY_X 是空的"):
        fetching(server, options={"key_variable": "MULU_HARVEST_KEY_X"})


def test_the_key_of_another_source_is_not_sent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """As settings that were kept before this was asked of them may still say."""
    monkeypatch.setenv("MULU_HARVEST_KEY_OTHER", "very-secret")
    with pytest.raises(SourceError, match="应当在环境变量 MULU_HARVEST_KEY_X 中"):
        fetching(server, options={"key_variable": "MULU_HARVEST_KEY_OTHER"})


def test_what_stands_in_netrc_is_not_sent(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    fetching(server).json(server.on("/api", as_json([1])))
    assert "Authorization" not in server.asked[-1].headers


def test_passwords_in_addresses_are_not_told() -> None:
    told = addresses.hide("https://user:pw@example.org:8/a?token=t&q=目录&appkey=k&keyword=w")
    assert told == "https://example.org:8/a?token=***&q=目录&appkey=***&keyword=w"
    for name in (
        "key", "appkey", "AppKey", "app_key", "api-key", "accessKey", "access_token", "X-Amz-Signature", "sign", "client_secret", "secretKey",
        "AccessKeyId", "ak", "sk", "auth", "pwd", "password",
    ):  # fmt: skip
        assert addresses.hide(f"http://example.org/?a=1&{name}=hush&b=2") == f"http://example.org/?a=1&{name}=***&b=2"
    for name in ("keyword", "task", "design", "keys_of", "author", "monkeys"):
        assert addresses.hide(f"http://example.org/?{name}=w") == f"http://example.org/?{name}=w"


def test_settings_as_they_are_told_to_those_who_only_look() -> None:
    settings = {
        "title": "某市", "url": "http://example.org/?page=1&appkey=hush", "expected": [1, 5], "create_departments": True,
        "options": {"path": "https://u:hush@example.org/l.json?token=hush", "token": "hush", "key_variable": "MULU_HARVEST_KEY_X", "fq": "key:a"},
    }  # fmt: skip
    told = addresses.hide_in(settings)
    assert "hush" not in str(told) and "hush" in str(settings)
    assert told["url"] == "http://example.org/?page=1&appkey=***" and told["options"]["token"] == "***"
    assert {key: told[key] for key in ("title", "expected", "create_departments")} == {key: settings[key] for key in ("title", "expected", "create_departments")}
    assert (told["options"]["fq"], told["options"]["key_variable"]) == ("key:a", "MULU_HARVEST_KEY_X")


# ── unchanged ──


def test_validators_are_sent_when_asked_and_seen_when_read_to_the_end(server: Server) -> None:
    url = server.on("/list", Reply(b"[1]", etag='"a"', headers={"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}))
    first = fetching(server)
    with pytest.raises(RuntimeError), first.get(url, conditional=True):
        raise RuntimeError
    assert first.validators_seen == {}
    assert body(first, url) == b"[1]" and first.validators_seen == {}
    assert body(first, url, conditional=True) == b"[1]"
    kept = {url: {"etag": '"a"', "last_modified": "Mon, 01 Jan 2024 00:00:00 GMT"}}
    assert first.validators_seen == kept
    second = fetching(server, validators=kept)
    with second.get(url, conditional=True) as answer:
        assert (answer.changed, answer.file) == (False, None)
    assert second.validators_seen == kept
    assert body(second, url) == b"[1]"
    server.on("/list", Reply(b"[2]", etag='"b"'))
    assert body(second, url, conditional=True) == b"[2]"
    assert second.validators_seen == {url: {"etag": '"b"'}}


def test_304_that_nobody_asked_for(server: Server) -> None:
    with pytest.raises(SourceError, match="HTTP 304"):
        fetching(server).json(server.on("/a", Reply(b"", 304)))


# ── files ──


def test_files_of_the_allowed_folders_only(tmp_path: Path, server: Server) -> None:
    folder, outside = tmp_path / "共享", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (folder / "a.json").write_text("[1]")
    (outside / "b.json").write_text("[2]")
    (folder / "link.json").symlink_to(outside / "b.json")
    fetch = HttpFetch(source(server.url), folders=(folder,), limits=QUICK)
    assert fetch.json("a.json") == fetch.json(str(folder / "a.json")) == fetch.json((folder / "a.json").as_uri()) == [1]
    for told in (str(outside / "b.json"), "../outside/b.json", "link.json", "/etc/passwd", "file:///etc/passwd"):
        with pytest.raises(SourceError, match="不在允许采集的文件夹内"):
            fetch.json(told)
    with pytest.raises(SourceError, match="没有文件"):
        fetch.json("none.json")
    with pytest.raises(SourceError, match="不在允许采集的文件夹内"):
        HttpFetch(source(server.url), limits=QUICK).json("a.json")


def test_a_file_is_unchanged_while_its_time_and_size_are(tmp_path: Path, server: Server) -> None:
    (tmp_path / "a.json").write_text("[1]")
    first = HttpFetch(source(server.url), folders=(tmp_path,))
    body(first, "a.json", conditional=True)
    second = HttpFetch(source(server.url), folders=(tmp_path,), validators=first.validators_seen)
    with second.get("a.json", conditional=True) as answer:
        assert not answer.changed
    (tmp_path / "a.json").write_text("[1, 2]")
    assert body(second, "a.json", conditional=True) == b"[1, 2]"


def test_files_by_name(tmp_path: Path, server: Server) -> None:
    for name in ("乙.xlsx", "甲.XLSX", "c.csv", "~$甲.xlsx", ".hidden.xlsx", "d.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "e.xlsx").mkdir()
    (tmp_path / "away.xlsx").symlink_to("/etc/passwd")
    fetch = HttpFetch(source(server.url), folders=(tmp_path,))
    assert [path.name for path in fetch.files(str(tmp_path), ("*.xlsx", "*.csv"))] == ["c.csv", "乙.xlsx", "甲.XLSX"]
    with pytest.raises(SourceError, match="没有文件夹"):
        list(fetch.files("none", ("*",)))
