"""One address asked over HTTP, with manners: time-outs, retries, a pace for each host, its robots, limits on what it may send."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any, Final
from urllib.parse import urljoin

import requests
from urllib3.exceptions import HTTPError

from .addresses import Adapter, Forbidden, check, hide, origin, reach
from .body import MIB, Broken, TooMuch, Watch, receive
from .keys import Key
from .pace import AGENT, ALL_ALLOWED, Pace, Robots
from .reasons import cause, location, retry_after, said
from .source import Source, SourceError

Stopped = Callable[[], bool]


class Stopping(Exception):
    """Somebody asked the run to stop while it was reading; it is no failure."""


@dataclass(frozen=True)
class Limits:
    """What one request may take. Times in seconds."""

    connect: float = 10.0
    read: float = 60.0
    """Between two bytes."""
    deadline: float = 600.0
    """For one answer from the first byte sent to the last received."""
    attempts: int = 5
    backoff: float = 1.0
    """Before the second attempt; twice as long before each further one, with jitter, ``longest_backoff`` at most."""
    longest_backoff: float = 60.0
    patience: float = 300.0
    """Longest Retry-After that is waited for; a host that asks for more is asked again in the next run."""
    longest_delay: float = 60.0
    """A longer Crawl-delay is taken as this."""
    redirects: int = 5
    max_bytes: int = 512 * MIB
    """Of a body once unpacked; ``options.max_bytes`` of the source sets another."""
    page_bytes: int = 64 * MIB
    """Of a page of JSON, which is parsed as a whole."""
    in_memory: int = MIB


USUAL = Limits()


_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_AGAIN: Final = frozenset({429, *range(500, 505)})
_ROBOTS_BYTES: Final = 2 * MIB
_SLICE: Final = 0.2
_OWN_HEADERS: Final = {"User-Agent": f"{AGENT}/1", "Accept-Encoding": "gzip, deflate"}


class _Again(Exception):
    """This attempt failed, another may not. ``after``: seconds that the host asked for."""

    def __init__(self, message: str, after: float = 0.0) -> None:
        self.after = after
        super().__init__(message)


@dataclass
class Got:
    """An answer whose body, if any, has come to its end. ``file``: None for 304; whoever has it closes it."""

    url: str
    status: int
    headers: Mapping[str, str]
    file: IO[bytes] | None


class Http:
    """For one source, one run and one thread; parameters as of ``HttpFetch``.

    What cannot be had is a SourceError that says address, what happened and what was tried, and no key.
    """

    def __init__(
        self,
        source: Source,
        *,
        stopped: Stopped,
        limits: Limits,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._source, self._stopped, self._limits = source, stopped, limits
        self._clock, self._sleep = clock, sleep
        self._pace = Pace(1 / source.pace)
        self._robots: dict[tuple[str, str, int], Robots] = {}
        self._reach = reach(source.url, source.file, str(source.options.get("path") or ""))
        self._key = Key.of(source)
        self._session = _Session()
        self._session.auth = _no_auth  # else requests sends what stands in ~/.netrc
        self._adapter = Adapter(self._reach)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, self._adapter)

    def answer(self, url: str, headers: Mapping[str, str], max_bytes: int) -> Got:
        """The answer to a GET, redirects followed, tried as often as it is worth it.

        :raises Stopping: the run is to stop
        """
        for attempt in range(1, self._limits.attempts + 1):
            try:
                return self._followed(url, headers, max_bytes)
            except _Again as again:
                tried = f"，共试了 {attempt} 次"
                if again.after > self._limits.patience:
                    raise self.error(url, f"{again}，要求 {again.after:.0f} 秒后再来{tried}") from again
                if attempt == self._limits.attempts:
                    raise self.error(url, f"{again}{tried}") from again
                doubled = min(self._limits.backoff * 2 ** (attempt - 1), self._limits.longest_backoff)
                self._pause(max(doubled * random.uniform(0.5, 1.5), again.after))
        raise AssertionError("unreachable")

    def _followed(self, url: str, headers: Mapping[str, str], max_bytes: int) -> Got:
        seen: list[str] = []
        while True:
            if url in seen:
                raise self.error(seen[0], f"重定向成了循环：{' → '.join(map(self.told, [*seen, url]))}", 302)
            seen.append(url)
            if len(seen) > self._limits.redirects + 1:
                raise self.error(seen[0], f"重定向超过 {self._limits.redirects} 次，最后到 {self.told(url)}", 302)
            try:
                check(url, self._reach)
            except Forbidden as error:
                raise self.error(seen[0], self._led_to(seen, str(error))) from None
            self._ask_robots(url)
            got = self._once(url, self._key.added(url, _OWN_HEADERS | headers), max_bytes, seen)
            if got.status not in _REDIRECTS:
                return got
            try:
                url = urljoin(url, location(got.headers))
            except ValueError:
                raise self.error(seen[0], "重定向到的不是网址") from None

    def _once(self, url: str, headers: Mapping[str, str], max_bytes: int, seen: list[str]) -> Got:
        """One request and its whole body. A redirect's body is left; other answers than 2xx and 304 are failures."""
        _, host, port = origin(url)
        self._pause(self._pace.wait(f"{host}:{port}", self._clock()))
        limits = self._limits
        with Watch(self._adapter.cut, limits.deadline, self._stopped) as watch:
            try:
                with self._session.get(
                    url,
                    headers=dict(headers),
                    stream=True,
                    allow_redirects=False,
                    timeout=(limits.connect, limits.read),
                ) as answer:
                    file = self._body(answer, max_bytes)
                    if not (watch.late or watch.unwanted):
                        return Got(url, answer.status_code, answer.headers, file)
                    if file:
                        file.close()
            except (Forbidden, TooMuch) as error:
                raise self.error(seen[0], self._led_to(seen, str(error))) from error
            except (requests.RequestException, HTTPError, Broken, OSError, _Again) as error:
                if not (watch.late or watch.unwanted):
                    raise self._failed(url, error) from error
        if watch.unwanted:
            raise Stopping
        raise self.error(url, f"{limits.deadline:.0f} 秒内没有收完，太慢")

    def _body(self, answer: Any, max_bytes: int) -> IO[bytes] | None:
        status = answer.status_code
        if status == 304 or (status in _REDIRECTS and answer.headers.get("Location")):
            return None
        if status in _AGAIN:
            raise _Again(f"返回 HTTP {status}（{answer.reason}）", retry_after(answer.headers.get("Retry-After", "")))
        if not 200 <= status < 300:
            head = next(answer.iter_content(4096), b"")
            raise _Refused(status, f"返回 HTTP {status}（{answer.reason}）{said(head)}")
        return receive(answer.raw, max_bytes, self._limits.in_memory)

    def _failed(self, url: str, error: Exception) -> Exception:
        """What an exception of a request comes to: another attempt, or the end."""
        match error:
            case _Again():
                return error
            case Broken():
                return _Again(str(error))
            case _Refused():
                return self.error(url, str(error), status=error.status)
            case requests.exceptions.SSLError():
                return self.error(url, f"的证书或加密连接有问题：{cause(error)}")
            case requests.exceptions.ConnectTimeout():
                return _Again(f"连接不上（{self._limits.connect:.0f} 秒超时）")
            case requests.exceptions.ReadTimeout():
                return _Again(f"{self._limits.read:.0f} 秒没有回应")
            case requests.exceptions.ConnectionError() | HTTPError():
                return _Again(f"连接不上或中途断开：{cause(error)}")
            case requests.RequestException():
                return self.error(url, f"不能访问：{cause(error)}")
        return self.error(url, f"的内容在本机存不下：{error}")

    def _ask_robots(self, url: str) -> None:
        """See that robots.txt of the address's host lets us have it. Inside government networks it may be left out, as stated."""
        place = origin(url)
        if self._source.options.get("ignore_robots"):
            return
        if place not in self._robots:
            self._robots[place] = ALL_ALLOWED  # while robots.txt itself is asked for
            try:
                self._robots[place] = self._read_robots(url)
            except BaseException:
                del self._robots[place]
                raise
            if delay := self._robots[place].crawl_delay:
                self._pace.slower[f"{place[1]}:{place[2]}"] = delay
        if not self._robots[place].allows(url):
            raise self.error(
                url, "的 robots.txt 不允许采集；经对方同意的，可以在来源设置的 options 中写 ignore_robots: true"
            )

    def _read_robots(self, url: str) -> Robots:
        """RFC 9309: what is not there (4xx, redirects without end) allows everything; what cannot be reached (5xx), nothing."""
        address = urljoin(url, "/robots.txt")
        try:
            got = self.answer(address, {"Accept": "text/plain"}, _ROBOTS_BYTES)
        except _Unreadable as error:
            if 300 <= error.status < 500:
                return ALL_ALLOWED
            raise
        assert got.file is not None
        with got.file:
            return Robots.parse(got.file.read().decode("utf-8", "replace"), self._limits.longest_delay)

    def _pause(self, seconds: float) -> None:
        """Wait, and notice soon when nobody wants the answer any more.

        :raises Stopping: asked to.
        """
        end = self._clock() + seconds
        while True:
            if self._stopped():
                raise Stopping
            left = end - self._clock()
            if left <= 0:
                return
            self._sleep(min(left, _SLICE))

    def close(self) -> None:
        """Give up the connections."""
        self._session.close()

    # ── what is told ──

    def error(self, url: str, what: str, status: int = 0) -> SourceError:
        """What happened at an address, to be raised."""
        return _Unreadable(f"来源“{self._source.title}”：{self.told(url)} {self._key.hidden(what)}", status)

    def told(self, url: str) -> str:
        """An address as it may be told."""
        return self._key.hidden(hide(url))

    def _led_to(self, seen: list[str], reason: str) -> str:
        return reason if len(seen) == 1 else f"重定向到 {self.told(seen[-1])}，{reason}"


class _Unreadable(SourceError):
    """``status``: of the answer, 0 where there was none."""

    def __init__(self, message: str, status: int) -> None:
        self.status = status
        super().__init__(message)


class _Refused(OSError):
    """An answer that another attempt won't change."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class _Session(requests.Session):
    """Follows no redirect, not even to see where it would lead: requests would read a redirect's body without end for that."""

    def get_redirect_target(self, resp: Any) -> None:
        return None


def _no_auth(request: Any) -> Any:
    return request
