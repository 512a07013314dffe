"""The portal's API as one person uses it: a token, an action, a dict in and out.

Plain requests: ckanapi imports the whole of CKAN where it is installed, two seconds before a command can say anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests

from mulu_ops.errors import Missing
from mulu_ops.settings import Settings

TIMEOUT = 600
"""Seconds for one call: a chunk of 100 entries with many items may take its time on a small machine."""
_PAGE = 25
"""CKAN gives no more organisations at once with all their fields."""


@dataclass(frozen=True)
class Api:
    """``token`` "" is the public. :meth:`call` has the shape of ckanapi's ``call_action``."""

    url: str
    token: str = ""
    _session: requests.Session = field(default_factory=requests.Session, repr=False, compare=False)

    def call(self, action: str, data: dict[str, Any] | None = None) -> Any:
        """What the action returns; :class:`Missing` with one sentence when it does not."""
        headers = {"Authorization": self.token} if self.token else {}
        address = f"{self.url}/api/3/action/{action}"
        try:
            answer = self._session.post(address, json=data or {}, headers=headers, timeout=TIMEOUT)
            said = answer.json()
        except requests.JSONDecodeError:
            raise Missing(f"{self.url} 没有完成 {action}（HTTP {answer.status_code}）：请确认这是门户的地址，并看门户的日志。") from None
        except requests.RequestException as error:
            raise Missing(f"连不上 {self.url}（{type(error).__name__}）：请先运行 mulu up，或用 --url 指定门户地址。") from None
        if isinstance(said, dict) and said.get("success"):
            return said["result"]
        raise Missing(f"{self.url} 没有接受 {action}（HTTP {answer.status_code}）：{_reason(said)}")

    def departments(self) -> dict[str, str]:
        """Full name → slug of all organisations."""
        return {organization["title"]: organization["name"] for organization in self._organizations()}

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


def _reason(said: Any) -> str:
    """CKAN's own words: each problem of a refusal, else its message."""
    error = said.get("error", said) if isinstance(said, dict) else said
    if not isinstance(error, dict):
        return str(error)[:500]
    if problems := error.get("problems"):
        return "；".join(str(problem.get("message", problem)) for problem in problems)
    rest = {key: value for key, value in error.items() if key != "__type"}
    return str(rest.get("message") or json.dumps(rest, ensure_ascii=False))[:500]
