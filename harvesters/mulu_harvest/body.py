"""Receiving an answer's body: within a size, within a time, and no longer than anybody wants it."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, Self

from urllib3.exceptions import DecodeError, HTTPError

_CHUNK = 64 * 1024
MIB = 1024 * 1024


class TooMuch(Exception):
    """The body is larger than it may be, as announced or as unpacked; the message follows the address."""


class Broken(Exception):
    """The body ended before its end, or is not what it says; worth another try. The message follows the address."""


class Watch:
    """Ends a request that takes longer than ``seconds`` or that is no longer wanted, whatever it is waiting for.

    A time-out counts from the last byte, so that a host that sends one now and then would hold us for ever. ``stopped`` is
    asked from another thread, several times a second, while the one that uses the watch waits for the network.
    """

    def __init__(self, cut: Callable[[], None], seconds: float, stopped: Callable[[], bool]) -> None:
        self._cut, self._end, self._stopped = cut, time.monotonic() + seconds, stopped
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mulu-harvest-watch", daemon=True)
        self.late = self.unwanted = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.1):
            self.late = self.late or time.monotonic() > self._end
            with suppress(Exception):  # what cannot be asked has not said stop
                self.unwanted = self.unwanted or self._stopped()
            if self.late or self.unwanted:
                self._cut()


def receive(raw: Any, max_bytes: int, in_memory: int) -> IO[bytes]:
    """The body of urllib3's answer, unpacked, at its beginning; beyond ``in_memory`` bytes it lies in a temporary file.

    :raises TooMuch: over ``max_bytes``; :raises Broken: cut short or damaged; :raises OSError: no place for it here.
    """
    announced = str(raw.headers.get("Content-Length") or "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise TooMuch(f"内容有 {_size(int(announced))}，超过 {_size(max_bytes)} 的上限")
    file = tempfile.SpooledTemporaryFile(max_size=in_memory)  # noqa: SIM115 (handed on)
    got = 0
    try:
        for chunk in raw.stream(_CHUNK, decode_content=True):
            got += len(chunk)
            if got > max_bytes:
                raise TooMuch(f"内容超过 {_size(max_bytes)} 的上限{_packed(raw)}")
            file.write(chunk)
        if not got and not announced and not getattr(raw, "chunked", False) and raw.status == 200:
            raise Broken("还没有给出内容就断开了")  # in the middle of its headers, which are not told from whole ones
    except DecodeError as error:
        file.close()
        raise Broken(f"压缩的内容损坏，解开 {got} 字节后读不下去") from error
    except HTTPError as error:
        file.close()
        whole = f"，应有 {announced} 字节" if announced else ""
        raise Broken(f"内容没有传完：收到 {got} 字节后{_why(error)}{whole}") from error
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file  # type: ignore[return-value]


def _why(error: HTTPError) -> str:
    return "等待超时" if "timed out" in str(error).lower() else "连接断开"


def _packed(raw: Any) -> str:
    return "（压缩着传来，解开后超过）" if raw.headers.get("Content-Encoding") else ""


def _size(count: int) -> str:
    return f"{count / MIB:.0f} MiB" if count >= MIB else f"{count} 字节"
