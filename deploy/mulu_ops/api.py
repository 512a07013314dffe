"""The portal's API as one person uses it: a token, an action, a dict in and out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import requests
from ckanapi import CKANAPIError, NotAuthorized, NotFound, RemoteCKAN, ValidationError

from mulu_ops.errors import Missing
from mulu_ops.settings import Settings

TIMEOUT = 600
"""Seconds for one call: a chunk of 100 entries with many items may take its time on a small machine."""
_PAGE = 25
"""CKAN gives no more organisations at once with all their fields."""


@dataclass(frozen=True)
class Api:
    """``token`` "" is the public. :meth:`call` raises :class:`Missing` with one sentence; it has ckanapi's ``call_action`` shape."""

    url: str
    token: str = ""

    @cached_property
    def _remote(self) -> RemoteCKAN:
        return RemoteCKAN(self.url, apikey=self.token or None, user_agent="mulu", session=requests.Session())

    def call(self, action: str, data: dict[str, Any] | None = None) -> Any:
        try:
            return self._remote.call_action(action, data or {}, requests_kwargs={"timeout": TIMEOUT})
        except NotAuthorized as error:
            raise Missing(f"{self.url} 不允许这个令牌做 {action}：{_reason(error)}") from None
        except (ValidationError, NotFound) as error:
            raise Missing(f"{action} 未被接受：{_reason(error)}") from None
        except requests.RequestException as error:
            raise Missing(f"连不上 {self.url}（{type(error).__name__}）：请先运行 mulu up，或用 --url 指定门户地址。") from None
        except CKANAPIError as error:
            raise Missing(f"{self.url} 没有完成 {action}：{_reason(error)[:500]}") from None

    def departments(self) -> dict[str, str]:
        """Full name → slug of all organisations."""
        return {org["title"]: org["name"] for org in self._organizations()}

    def _organizations(self) -> Iterator[dict[str, Any]]:
        offset = 0
        while page := self.call("organization_list", {"all_fields": True, "limit": _PAGE, "offset": offset}):
            yield from page
            offset += len(page)


def of_role(settings: Settings, role: str) -> Api:
    """The API as one of the demo's people, from var/demo.json."""
    if not settings.demo_json.exists():
        raise Missing("没有 var/demo.json：请先运行 mulu demo，或用 --url 和 --token 指定门户和令牌。")
    demo = json.loads(settings.demo_json.read_text(encoding="utf-8"))
    return Api(demo["ckan_url"], demo["users"][role]["token"])


def _reason(error: Exception) -> str:
    """CKAN's own words: of a validation its messages, of anything else its text."""
    found = getattr(error, "error_dict", None) or (error.args[0] if error.args else error)
    if isinstance(found, dict):
        parts = {key: value for key, value in found.items() if key != "__type"}
        return str(parts.get("message") or json.dumps(parts, ensure_ascii=False))
    return str(found)
