"""A member of the public at the portal's door: solves the proof of work and sends requests, over HTTP, without an account."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.lib.redis import connect_to_redis

CALM = {"mulu.altcha_max_number": 50} | {f"mulu.public_rate_{name}": 10_000 for name in ("challenge", "request", "entry", "status", "receipt")}
"""Little work and wide limits, for tests about something else."""

REQUESTS: dict[str, dict[str, Any]] = {
    "rereview": {"request": "申请公开各乡镇登记面积，秘密句子甲", "name": "张秘密", "email": "secret.person@example.com", "phone": "13900001111"},
    "error_check": {"about": "entry", "description": "第三行与实际不符，秘密句子甲", "name": "张秘密", "email": "secret.person@example.com"},
    "demand": {"title": "公交车实时位置", "description": "用于到站提示，秘密句子甲", "wish": "open", "email": "secret.person@example.com"},
    "suggestion": {"kind": "site", "description": "检索页的字号偏小，秘密句子甲", "name": "张秘密", "phone": "13900001111"},
    "complaint": {"kind": "misuse", "description": "数据被拿去推销，秘密句子甲", "phone": "13900001111"},
}
"""Data of each public procedure that its rules are content with."""
SECRETS = ("张秘密", "secret.person@example.com", "13900001111", "秘密句子甲")


class Visitor:
    """A browser without cookies. ``headers``: sent with every request."""

    def __init__(self, app: Any, **headers: str) -> None:
        self.app, self.headers = app, {name.replace("_", "-"): value for name, value in headers.items()}

    def get(self, path: str, **headers: str) -> Any:
        return self._client().get(f"/mulu/public/{path}", headers=self.headers | headers)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        headers = self.headers | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        return self._client().post(f"/mulu/public/{path}", headers=headers, **more)

    def solve(self) -> str:
        return solution(self.get("challenge").json)

    def ask(self, procedure: str, entry: str = "", data: Any = None, files: Any = (), **more: Any) -> Any:
        """The answer to a request sent as the public site's form sends it."""
        filled = REQUESTS[procedure] if data is None else data
        form = {"procedure": procedure, "entry": entry, "data": json.dumps(filled), "altcha": self.solve(), "website": "", **more}
        form["files[]"] = [(io.BytesIO(content), name) for name, content in files]
        return self.post("requests", data=form, content_type="multipart/form-data")

    def receipt(self, procedure: str, entry: str = "", **more: Any) -> dict[str, Any]:
        """The receipt of a request that must be taken."""
        answer = self.ask(procedure, entry, **more)
        assert answer.status_code == 201, answer.get_data(as_text=True)[:2000]
        return answer.json

    def status(self, held: dict[str, Any]) -> dict[str, Any]:
        answer = self.post("status", {"receipt": held["receipt"], "code": held["code"]})
        assert answer.status_code == 200, answer.get_data(as_text=True)[:2000]
        return answer.json

    def _client(self) -> Any:
        return self.app.test_client(use_cookies=False)


def solution(task: dict[str, Any]) -> str:
    """The payload that solves a challenge, found as a browser finds it."""
    wanted, salt = task["challenge"], task["salt"]
    number = next(n for n in range(task["maxnumber"] + 1) if hashlib.sha256(f"{salt}{n}".encode()).hexdigest() == wanted)
    payload = {key: task[key] for key in ("algorithm", "challenge", "salt", "signature")} | {"number": number}
    return base64.b64encode(json.dumps(payload).encode()).decode()


def rules(answer: Any) -> set[str]:
    return {one["rule"] for one in answer.json["problems"]}


def configured(monkeypatch: Any, **values: Any) -> None:
    """Calm, and nothing counted yet: Redis remembers earlier runs."""
    redis = connect_to_redis()
    for key in redis.scan_iter("mulu:rate:public:*"):
        redis.delete(key)
    for key, value in (CALM | values).items():
        monkeypatch.setitem(tk.config, key, value)
