"""Where a request may go, what of an address may be told, and connections that go nowhere else."""

from __future__ import annotations

import ipaddress
import re
import socket
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

Origin = tuple[str, str, int]
_PORTS = {"http": 80, "https": 443}
_METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "fd00:ec2::254")))
"""Where clouds keep the credentials of a machine, beside the link-local addresses."""
_NAMES = (
    r"(?:[a-z0-9]+[_.-])*(?:(?:api|app|access|secret|auth|private)?[_-]?(?:key|secret|token|sign|signature)"
    r"|key[_-]?id|access[_-]?key[_-]?id|sig|ak|sk|auth|authorization|credential|password|passwd|pwd)"
)
_SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)
_SECRET = re.compile(rf"(?i)((?:^|[&;]){_NAMES}=)[^&;]*")
_ADDRESS = re.compile(r"(?i)\bhttps?://[^\s\"'<>（）“”，。；、]+")


class Forbidden(Exception):
    """The address is one that no source may send us to; the message follows the address."""


def origin(url: str) -> Origin:
    """(scheme, host, port) of an http(s) address.

    :raises Forbidden: another scheme, no host, or not an address at all.
    """
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError:
        raise Forbidden("不是网址") from None
    if scheme not in _PORTS:
        raise Forbidden("不是 http 或 https 网址")
    if not host:
        raise Forbidden("缺少主机名")
    return scheme, host, port or _PORTS[scheme]


def hide(url: str) -> str:
    """The address as it may be told: user name and password left out, the query kept but for the values of keys in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "（无法识别的网址）"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host, query=_SECRET.sub(r"\1***", parts.query)))


def hide_in(value: Any) -> Any:
    """A value of settings, texts and lists of them included, as it may be told: every address in it as :func:`hide` has it."""
    if isinstance(value, str):
        return _ADDRESS.sub(lambda found: hide(found[0]), value)
    if isinstance(value, Mapping):
        secret = {key for key, one in value.items() if one and _SECRET_NAME.fullmatch(str(key))}
        return {key: "***" if key in secret else hide_in(one) for key, one in value.items()}
    return [hide_in(one) for one in value] if isinstance(value, (list, tuple)) else value


@dataclass(frozen=True)
class Reach:
    """Where, beside public addresses, a source may send us: to this machine itself, into a private network."""

    loopback: bool = False
    private: bool = False


def reach(*own: str) -> Reach:
    """As far as the source's own addresses go, which whoever set it up wrote down.

    Inside government networks sources have private addresses, and then lead on to such; a public one has no business there. This
    machine has to be meant word by word: a name that leads here may have been made to.
    """
    loopback = private = False
    for url in own:
        try:
            _, host, port = origin(url)
            loopback = loopback or host == "localhost" or _is_loopback(host)
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (Forbidden, OSError, UnicodeError):
            continue
        private = private or any(not _ip(str(entry[4][0])).is_global for entry in found)
    return Reach(loopback, private)


def _ip(address: str) -> Any:
    """:raises ValueError: it is a name."""
    ip: Any = ipaddress.ip_address(address.partition("%")[0])
    return getattr(ip, "ipv4_mapped", None) or ip


def _is_loopback(host: str) -> bool:
    try:
        return bool(_ip(host).is_loopback)
    except ValueError:
        return False


def refused(address: str, allowed: Reach) -> str:
    """Why no connection may be made to an IP address, ``""`` where it may.

    Link-local ones and some others are where clouds keep their credentials; on this machine itself are the database and the
    index, which answer whoever asks.
    """
    ip = _ip(address)
    if ip.is_link_local:
        return f"指向链路本地地址 {ip}，不允许访问"
    if ip in _METADATA:
        return f"指向云平台的元数据地址 {ip}，不允许访问"
    if ip.is_loopback or ip.is_unspecified:
        return "" if allowed.loopback else f"指向本机地址 {ip}，不允许访问"
    if not ip.is_global and not allowed.private:
        return f"指向内网地址 {ip}，来源自己的网址不在内网，不允许访问"
    return ""


def check(url: str, allowed: Reach) -> Origin:
    """The address's origin, where it may be asked for at all; whom a name reaches is looked at when it is connected.

    :raises Forbidden: not http(s), or an IP address that :func:`refused` refuses.
    """
    found = origin(url)
    try:
        reason = refused(found[1], allowed)
    except ValueError:  # a name
        reason = "" if allowed.loopback or found[1] != "localhost" else "指向本机，不允许访问"
    if reason:
        raise Forbidden(reason)
    return found


class Adapter(HTTPAdapter):
    """Connections that look at whom they reached (a name may point elsewhere each time it is asked for), and can be cut.

    :param allowed: what they may reach beside public addresses.
    """

    def __init__(self, allowed: Reach, *, pool_size: int = 4) -> None:
        self._allowed = allowed
        self._open: weakref.WeakSet[Any] = weakref.WeakSet()
        super().__init__(pool_connections=pool_size, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools(guarded=True)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pools(
            guarded=False
        )  # whom it reaches is the proxy, which the machine's keeper chose
        return manager

    def _pools(self, *, guarded: bool) -> dict[str, type]:
        plain = type("Pool", (HTTPConnectionPool,), {"ConnectionCls": self._connection(HTTPConnection, guarded)})
        tls = type("TlsPool", (HTTPSConnectionPool,), {"ConnectionCls": self._connection(HTTPSConnection, guarded)})
        return {"http": plain, "https": tls}

    def _connection(self, base: type, guarded: bool) -> type:
        adapter = self

        class Connection(base):  # type: ignore[misc]
            def _new_conn(self) -> Any:
                made = super()._new_conn()
                if guarded and (reason := refused(made.getpeername()[0], adapter._allowed)):
                    made.close()
                    raise Forbidden(reason)
                return made

            def connect(self) -> None:
                super().connect()
                self.line = self.sock  # ``sock`` is given up where the answer is the connection's last, the line is not
                adapter._open.add(self)

        return Connection

    def cut(self) -> None:
        """End whatever is being sent or received, from another thread: reading goes no further than what has come."""
        for connection in list(self._open):
            with suppress(OSError, ValueError):
                socket.socket.shutdown(connection.line, socket.SHUT_RDWR)  # past TLS, which the other thread is using
