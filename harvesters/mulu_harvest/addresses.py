"""Where a request may go, what of an address may be told, and connections that go nowhere else."""

from __future__ import annotations

import ipaddress
import re
import socket
import weakref
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

Origin = tuple[str, str, int]
_PORTS = {"http": 80, "https": 443}
_SECRET = re.compile(
    r"(?i)((?:^|&)(?:[a-z]+[_-])?(?:api[_-]?key|app[_-]?key|app[_-]?secret|key|token|secret|password|passwd|pwd|sign|signature)=)[^&]*"
)


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


def refused(address: str, *, loopback: bool) -> str:
    """Why no connection may be made to an IP address, ``""`` where it may.

    Inside government networks sources have private addresses, so that those are fine. Link-local ones are where clouds keep
    their credentials; on this machine itself are the database and the index, which answer whoever asks.
    """
    ip: Any = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_link_local:
        return f"指向链路本地地址 {ip}，不允许访问"
    if (ip.is_loopback or ip.is_unspecified) and not loopback:
        return f"指向本机地址 {ip}，不允许访问"
    return ""


def check(url: str, *, loopback: bool) -> Origin:
    """The address's origin, where it may be asked for at all; whom a name reaches is looked at when it is connected.

    :raises Forbidden: not http(s), or an IP address that :func:`refused` refuses.
    """
    found = origin(url)
    try:
        reason = refused(found[1], loopback=loopback)
    except ValueError:  # a name
        reason = "" if loopback or found[1] != "localhost" else "指向本机，不允许访问"
    if reason:
        raise Forbidden(reason)
    return found


def on_this_machine(url: str) -> bool:
    """Whether an address is one of this machine: then the source was set up so, and may send us on to it as well."""
    try:
        _, host, port = origin(url)
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (Forbidden, OSError, UnicodeError):
        return False
    return any(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_loopback for entry in found)


class Adapter(HTTPAdapter):
    """Connections that look at whom they reached (a name may point elsewhere each time it is asked for), and can be cut.

    :param loopback: whether this machine itself may be reached.
    """

    def __init__(self, *, loopback: bool, pool_size: int = 4) -> None:
        self._loopback = loopback
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
                if guarded and (reason := refused(made.getpeername()[0], loopback=adapter._loopback)):
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
