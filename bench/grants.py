"""Data under a grant: fifty programs at once, whole files, and what the look at the grant adds to a call."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from bench import made_up, measure
from bench.cases import FORM, REVIEWS
from bench.measure import Figure
from bench.portal import Portal, free_port, own_portal
from mulu_harvest.load import Loader
from mulu_ops import portal
from mulu_ops.settings import Settings

ROWS, CLIENTS, CALLS, PAGE, SINGLE = 20_000, 50, 10, 500, 60


def measured(settings: Settings) -> Iterator[Figure]:
    with own_portal(settings, free_port()) as there:
        entry = _published(there)
        portal.ckan(settings, "test", "jobs", "worker", "--burst")
        grants = [_granted(there, entry) for _ in range(CLIENTS)]
        times: list[float] = []
        with ThreadPoolExecutor(CLIENTS) as clients:
            took = measure.seconds(lambda: [times.extend(one) for one in clients.map(_client, grants)])
        read = CLIENTS * CALLS * PAGE
        yield Figure(f"granted API, {CLIENTS} clients, pages of {PAGE} rows", read / took, "rows/s", note="2 processes of the portal, same machine")
        yield Figure(f"granted API, {CLIENTS} clients, p95 of a page", measure.percentile(times, 95), "ms")
        whole = measure.seconds(lambda: _get(grants[0], "format=csv"))
        yield Figure(f"download of {ROWS:,} rows as CSV", ROWS / whole, "rows/s")
        one = measure.milliseconds(lambda _: _get(grants[0], "limit=1"), range(SINGLE))
        yield Figure("granted API, one client, one row, p50", measure.percentile(one, 50), "ms")
        asked = {"resource_id": entry["resources"][0]["id"], "limit": 1}
        bare = measure.milliseconds(lambda _: there.editor.call("datastore_search", asked), range(SINGLE))
        added = measure.percentile(one, 50) - measure.percentile(bare, 50)
        yield Figure("… more than CKAN's datastore_search", added, "ms", note="access, rate, log of use")


def _published(there: Portal) -> dict[str, Any]:
    """An entry on condition with a file of ROWS rows, each item a column."""
    [draft] = made_up.sound_drafts(1, "bench-one")
    items = [{"name": name, "data_type": "C", "length": "20", "kind": "business"} for name in ("姓名", "编号", "金额", "住址")]
    draft.entry.update(share_type="conditional", share_condition="用于履行法定职责", share_basis="《某某条例》第二条", open_type="conditional",
                       open_condition="用于研究", open_ground="", open_basis="", items=items)  # fmt: skip
    Loader(there.editor.call).load([draft], organization="bench-one")
    case = there.editor.call("mulu_inbox")["results"][0]
    lines = ["姓名,编号,金额,住址", *(f"户主{n},0{n:05d},{n}.50,某某镇某某村{n}号" for n in range(ROWS))]
    answer = requests.post(
        f"{there.url}/api/3/action/resource_create", data={"package_id": case["subject_id"], "name": "名册", "format": "CSV"},
        files={"upload": ("名册.csv", "\n".join(lines).encode("gb18030"))}, headers={"Authorization": there.editor.token}, timeout=60,
    )  # fmt: skip
    answer.raise_for_status()
    there.editor.call("mulu_case_event", {"id": case["id"], "event": "submit"})
    there.head.call("mulu_case_event", {"id": case["id"], "event": "head_agree", "data": REVIEWS})
    there.authority.call("mulu_case_event", {"id": case["id"], "event": "publish"})
    return dict(there.editor.call("package_show", {"id": case["subject_id"]}))


def _granted(there: Portal, entry: dict[str, Any]) -> dict[str, str]:
    """A grant with its key, by a whole application."""
    asked = [{"id": entry["id"], "items": ["姓名", "金额"]}]
    opened = {"procedure": "sharing_application", "subject": {"type": "department", "id": "bench-one"}, "data": {"asked": asked}}
    case = there.asker.call("mulu_case_open", opened)["id"]
    decided = {"decisions": [{"id": entry["id"], "decision": "agreed"}]}
    steps = ((there.asker, "submit", FORM), (there.asking_head, "own_head_agree", {}), (there.head, "decide", decided),
             (there.editor, "deliver", {"delivered_by": "portal"}))  # fmt: skip
    for api, event, data in steps:
        api.call("mulu_case_event", {"id": case, "event": event, "data": data})
    [grant] = there.asker.call("mulu_grant_list", {"case": case})["results"]
    return dict(there.asker.call("mulu_grant_key", {"id": grant["id"]}))


def _client(grant: dict[str, str]) -> list[float]:
    session = requests.Session()
    pages = range(0, CALLS * PAGE, PAGE)
    return measure.milliseconds(lambda offset: _get(grant, f"limit={PAGE}&offset={offset}", session), pages)


def _get(grant: dict[str, str], asked: str, session: Any = requests) -> bytes:
    answer = session.get(f"{grant['address']}?{asked}", headers={"X-Mulu-Key": grant["key"]}, timeout=120)
    answer.raise_for_status()
    return bytes(answer.content)
