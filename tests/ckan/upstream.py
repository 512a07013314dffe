"""A CKAN to harvest from, on the loopback, that holds what a test puts in and fails as a test says. All of it is made up."""

from __future__ import annotations

import json
import sys
import threading
import uuid
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "harvest"))

from server import Reply, Request, Server, serving

SEARCH = "/api/3/action/package_search"


class Upstream:
    """``datasets``: id → dataset. ``fail``: start of the page → how it answers instead, or a function that gives its body.

    ``gates``: start of a page → an event that it waits for, set by the test. ``prefix``: of its path, where one server is several.
    """

    def __init__(self, server: Server, count: int = 0, prefix: str = "") -> None:
        self.server = server
        self.prefix = prefix
        self.datasets: dict[str, dict[str, Any]] = {}
        self.fail: dict[int, Reply] = {}
        self.gates: dict[int, threading.Event] = {}
        for number in range(count):
            self.put(number)
        server.on(prefix + SEARCH, self.answer)

    def put(self, number: int, **more: Any) -> None:
        key = f"{number:06d}-made-up"
        self.datasets[key] = {
            "id": key, "name": key, "title": f"某县公共设施名录{number:06d}", "notes": "各乡镇登记的公共设施，按月更新。", "type": "dataset", "state": "active",
            "private": False, "organization": {"name": "minzheng", "title": "机构minzheng"}, "share_type": "unconditional", "open_type": "unconditional",
            "catalogue_kind": "department", "format_class": "spreadsheet", "format_type": "csv", "update_frequency": "monthly", "security_level": "L1",
            "personal_information": "none", "share_mode": ["batch_download"], "items": [{"name": "名称", "data_type": "C"}, {"name": "地址", "data_type": "C"}],
            "resources": [{"id": str(uuid.uuid5(uuid.NAMESPACE_URL, key)), "name": "名录", "url": f"http://127.0.0.1/{key}.csv", "format": "CSV"}],
        } | more  # fmt: skip

    def answer(self, request: Request) -> Reply:
        start, rows = int(request.query.get("start", 0)), int(request.query["rows"])
        if gate := self.gates.get(start):
            gate.wait(60)
        if start in self.fail:
            return self.fail[start]
        found = [self.datasets[key] for key in sorted(self.datasets)]
        return Reply(json.dumps({"success": True, "result": {"count": len(found), "results": found[start : start + rows]}}))

    def starts(self) -> list[int]:
        """Which pages were asked for, in order."""
        return [int(request.query.get("start", 0)) for request in self.server.asked if request.path == self.prefix + SEARCH]

    def settings(self, **more: Any) -> dict[str, Any]:
        return {"title": "上游平台（虚构）", "publisher": "某县（虚构）", "reader": "ckan", "url": self.server.url + self.prefix, "pace": 100.0, **more}


__all__ = ["SEARCH", "Reply", "Server", "Upstream", "serving"]
