"""A made-up CKAN portal on the loopback, as large as one likes: every record is made when it is asked for.

    python -m bench.harvest_source PORT

``/set/<count>/<changed>`` makes it a portal of ``count`` datasets of which ``changed`` in a hundred were changed since.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SUBJECTS = ("企业信用信息公示", "医疗机构名录", "公交线路站点", "空气质量日报", "义务教育学校", "不动产登记信息", "食品经营许可", "行政处罚决定")
PLACES = ("城关镇", "东山镇", "北景港镇", "三封寺镇", "治河渡镇", "鲇鱼须镇", "万庾镇", "注滋口镇")
ITEMS = "统一社会信用代码、名称、地址、登记日期、有效期至、主管部门"
FIRST, LATER = "2024-01-01T00:00:00.000000", "2034-01-01T00:00:00.000000"


def dataset(number: int, changed: int) -> dict[str, Any]:
    """The dataset of this number as ``package_search`` gives it; its id is always the same."""
    is_changed = number % 100 < changed
    title = f"{PLACES[number % len(PLACES)]}{SUBJECTS[number // 8 % len(SUBJECTS)]}{number:06d}"
    name = f"bench-source-{number:06d}"
    package_id = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    note = f"{title}，按月由各乡镇上报，含{ITEMS}。" * 3 + ("（已修订）" if is_changed else "")
    return {
        "id": package_id, "name": name, "title": title, "notes": note, "type": "dataset", "state": "active", "private": False,
        "metadata_created": FIRST, "metadata_modified": LATER if is_changed else FIRST, "author": "", "maintainer": "信息中心",
        "license_id": "", "url": f"http://127.0.0.1/dataset/{name}", "version": "", "groups": [], "relationships_as_object": [],
        "relationships_as_subject": [], "isopen": False, "num_tags": 2, "num_resources": 2,
        "organization": {"id": "bench-org", "name": "bench-org", "title": "性能测量一局", "type": "organization", "state": "active"},
        "owner_org": "bench-org", "extras": [{"key": "update_frequency", "value": "每月"}, {"key": "spatial_text", "value": "全县"}],
        "tags": [{"name": word, "display_name": word, "state": "active", "id": word, "vocabulary_id": None} for word in ("政务", "民生")],
        "resources": [
            {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{form}")), "package_id": package_id, "name": f"{title}.{form}",
             "url": f"http://127.0.0.1/files/{name}.{form}", "format": form.upper(), "description": "", "state": "active", "position": at}
            for at, form in enumerate(("csv", "xlsx"))
        ],
    }  # fmt: skip


def search(count: int, changed: int, asked: dict[str, str]) -> dict[str, Any]:
    """``package_search`` of a portal of this size. A filter on ``metadata_modified`` leaves the changed ones, or none."""
    rows, start = min(int(asked.get("rows") or 10), 1000), int(asked.get("start") or 0)
    if re.search(r"metadata_modified:\[(?!\*)", asked.get("fq") or ""):
        numbers = [n for n in range(count) if n % 100 < changed]
    else:
        numbers = range(count)  # type: ignore[assignment]
    page = [dataset(n, changed) for n in numbers[start : start + rows]]
    return {"count": len(numbers), "results": page, "facets": {}, "search_facets": {}, "sort": asked.get("sort", "")}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    count, changed = 0, 0

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(address.query).items()}
        action = address.path.rpartition("/action/")[2]
        if state := re.fullmatch(r"/set/(\d+)/(\d+)", address.path):
            Handler.count, Handler.changed = int(state[1]), int(state[2])
            result: Any = {}
        elif action == "package_search":
            result = search(self.count, self.changed, asked)
        elif action in ("status_show", "site_read"):
            result = {"ckan_version": "2.12.0", "site_title": "性能测量用的门户", "extensions": []}
        elif action == "organization_show":
            result = {"id": "bench-org", "name": "bench-org", "title": "性能测量一局"}
        else:
            return self._say(404, b"not found", "text/plain")
        body = json.dumps({"success": True, "result": result}).encode()
        return self._say(200, body, "application/json")

    do_POST = do_GET

    def _say(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def main() -> None:
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()


if __name__ == "__main__":
    main()
