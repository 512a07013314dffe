"""Who knocks without an account: the address, the page from which it comes, and how often."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

import ckan.plugins.toolkit as tk

from ckanext.mulu import rates

HOUR = 3600
LIMITS = {"challenge": 60, "request": HOUR, "entry": HOUR, "status": 600, "receipt": 600}
"""Seconds within which each is counted; how many of it, by the configuration (``mulu.public_rate_<name>``)."""


class TooMany(Exception):
    """seconds: how long to wait."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(tk._("操作过于频繁，请在{seconds}秒后再试").format(seconds=seconds))


def require(limit: str, who: str) -> None:
    """Count one more; TooMany when it is one too many."""
    if wait := rates.count(_name(limit, who), _most(limit), LIMITS[limit]):
        raise TooMany(wait)


def require_unspent(limit: str, who: str) -> None:
    """TooMany when as many as may be were counted already."""
    if wait := rates.spent(_name(limit, who), _most(limit), LIMITS[limit]):
        raise TooMany(wait)


def counted(limit: str, who: str) -> None:
    rates.count(_name(limit, who), _most(limit), LIMITS[limit])


def _name(limit: str, who: str) -> str:
    return f"public:{limit}:{who}"


def _most(limit: str) -> int:
    return int(tk.config[f"mulu.public_rate_{limit}"])


def address() -> str:
    """Of who asks, behind as many proxies of ours as ``mulu.trusted_proxies`` says; of IPv6 the network, which is one customer's.

    "" outside of a request.
    """
    if not tk.request:
        return ""
    proxies = int(tk.config["mulu.trusted_proxies"])
    forwarded = [one.strip() for one in ",".join(tk.request.headers.getlist("X-Forwarded-For")).split(",") if one.strip()]
    told = forwarded[-proxies] if 0 < proxies <= len(forwarded) else tk.request.remote_addr or ""
    try:
        found = ipaddress.ip_address(told)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)


def origin_of(url: Any) -> str:
    parts = urlsplit(str(url or ""))
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def site_origin() -> str:
    """Origin of the public site (``mulu.site_url``), from whose pages browsers may call; "" without one."""
    return origin_of(tk.config["mulu.site_url"])


def may_call() -> bool:
    """No page of somebody else makes a visitor's browser act here."""
    origin = tk.request.headers.get("Origin")
    return not origin or origin in (site_origin(), origin_of(tk.config["ckan.site_url"]))
