"""What a reader may ask for, and the real one who answers: over HTTP (``http``) and from folders (``folders``)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import requests

from .answer import Answer
from .body import MIB
from .folders import Folders, path_of
from .http import USUAL, Http, Limits, Stopped, Stopping
from .json_stream import not_json
from .source import Source, SourceError

__all__ = ["Answer", "Fetch", "HttpFetch", "Limits", "Stopped", "Stopping"]


class Fetch(Protocol):
    """What a reader may ask for. Every failure is a ``SourceError`` that says address, what happened and what was tried."""

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        accept: str = "",
        conditional: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> AbstractContextManager[Answer]:
        """One GET. ``conditional``: send the validators kept of this address; only then may the answer be unchanged."""
        ...

    def json(
        self, url: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """A small JSON document (a page), parsed; what is none is a SourceError that shows its beginning."""
        ...

    def files(self, folder: str, patterns: tuple[str, ...]) -> Iterator[Path]:
        """Files of a folder that the installation lets harvesters read, by name."""
        ...

    def forget(self, url: str) -> None:
        """Keep no validators of this address: it turned out to be a part of the source, so that its 304 would not speak for the whole."""
        ...

    def remembered(self, address: str) -> Mapping[str, str]:
        """What a reader left at an address with ``remember`` in the last run that was wholly applied."""
        ...

    def remember(self, address: str, values: Mapping[str, str]) -> None:
        """Leave something for the next run, kept beside the validators and like them: only if this run is wholly applied."""
        ...


class HttpFetch:
    """The real ``Fetch``: addresses over HTTP, and files of the folders that the installation lets harvesters read.

    For one run and one thread.

    :param validators: address → {etag, last_modified} as kept from an earlier run; only conditional requests send them.
    :param stopped: whether the run is to stop; asked several times a second, while a request waits from another thread.
    :param folders: where files may be read; without any, none.
    """

    def __init__(
        self,
        source: Source,
        *,
        validators: Mapping[str, Mapping[str, str]] | None = None,
        stopped: Stopped = lambda: False,
        folders: tuple[Path, ...] = (),
        limits: Limits = USUAL,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._source, self._limits = source, limits
        self._http = Http(source, stopped=stopped, limits=limits, clock=clock, sleep=sleep)
        self._validators = validators or {}
        self.validators_seen: dict[str, dict[str, str]] = {}
        """Address → validators of what was read to its end. They replace what was kept, as a whole, once the run is applied."""
        self._folders = Folders(source.title, folders)
        self._max_bytes = int(source.options.get("max_bytes") or limits.max_bytes)

    @contextmanager
    def get(
        self, url: str, *, params: Mapping[str, Any] | None = None, accept: str = "", conditional: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Answer]:  # fmt: skip
        """As in ``Fetch``. The body has come to its end, and was retried until then, before it is handed on."""
        if path := path_of(url):
            with self._folders.open(
                url, path, self._max_bytes, self._validators.get(url) if conditional else None
            ) as answer:
                yield answer
            if conditional:
                self._keep(url, answer.headers, unchanged=not answer.changed)
            return
        full = self._full(url, params)
        sent = {"Accept": accept or "*/*", **(headers or {})}
        if conditional and (kept := self._validators.get(full)):
            named = {"If-None-Match": kept.get("etag"), "If-Modified-Since": kept.get("last_modified")}
            sent |= {name: value for name, value in named.items() if value}
        got = self._http.answer(full, sent, self._max_bytes)
        if got.status == 304 and not {"If-None-Match", "If-Modified-Since"} & set(sent):
            raise self._http.error(full, "没有给出内容（HTTP 304）")
        try:
            yield Answer(got.url, got.status != 304, got.headers.get("Content-Type", ""), got.file, got.headers)
        finally:
            if got.file:
                got.file.close()
        if conditional:
            self._keep(full, got.headers, unchanged=got.status == 304)

    def json(
        self, url: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """As in ``Fetch``."""
        with self.get(url, params=params, accept="application/json", headers=headers) as answer:
            assert answer.file is not None  # nothing conditional was asked
            body = answer.file.read(self._limits.page_bytes + 1)
        told = f"来源“{self._source.title}”：{self._http.told(answer.url)} "
        if len(body) > self._limits.page_bytes:
            raise SourceError(f"{told}一页超过 {self._limits.page_bytes // MIB} MiB，请把每页的条数设小些")
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise SourceError(f"{told}{not_json(body[:4096])}") from error

    def files(self, folder: str, patterns: tuple[str, ...]) -> Iterator[Path]:
        """As in ``Fetch``; see :meth:`.folders.Folders.files`."""
        return self._folders.files(folder, patterns)

    def forget(self, url: str) -> None:
        """As in ``Fetch``; after the answer's context has ended."""
        self.validators_seen.pop(url if path_of(url) else self._full(url, None), None)

    def remembered(self, address: str) -> Mapping[str, str]:
        """As in ``Fetch``."""
        return self._validators.get(address, {})

    def remember(self, address: str, values: Mapping[str, str]) -> None:
        """As in ``Fetch``."""
        self.validators_seen[address] = dict(values)

    def close(self) -> None:
        """Give up the connections."""
        self._http.close()

    def _full(self, url: str, params: Mapping[str, Any] | None) -> str:
        try:
            full = requests.Request("GET", url, params=params).prepare().url
        except (requests.RequestException, ValueError):
            full = None
        if not full:
            raise self._http.error(url, "不是可用的网址")
        return full

    def _keep(self, url: str, headers: Mapping[str, str], *, unchanged: bool) -> None:
        found = {"etag": headers.get("ETag", ""), "last_modified": headers.get("Last-Modified", "")}
        kept = dict(self._validators.get(url, {})) if unchanged else {}
        if seen := kept | {key: value for key, value in found.items() if value}:
            self.validators_seen[url] = seen
