"""Cases: one event over HTTP, and the lists of a portal that has a hundred thousand of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2

from bench import made_up, measure
from bench.measure import Figure, below
from bench.portal import Portal, free_port, own_portal
from mulu_harvest.load import Loader
from mulu_ops.api import Api
from mulu_ops.settings import Settings

WALKED, CASES, ASKED = 40, 100_000, 60
FORM = {"purpose": "核验条件", "scenario": "义务教育入学", "basis": "《中华人民共和国义务教育法》第十二条", "scope": "全县", "way": "api",
        "until": "2035-12-31", "promise": True}  # fmt: skip
REVIEWS = {name: {"by": "某某", "on": "2026-01-05", "conclusion": "不涉密"} for name in ("secrecy_review", "privacy_review")}


def measured(settings: Settings) -> Iterator[Figure]:
    with own_portal(settings, free_port()) as there:
        entry = _published(there)
        times = _walk(there, entry)
        yield Figure("case event, p50", measure.percentile(times, 50), "ms", note=f"{len(times)} events of {WALKED} applications")
        yield below("case event, p95", measure.percentile(times, 95), 120, "ms")
        _fill(settings.database_url("test"))
        for who, api in (("head", there.head), ("authority", there.authority)):
            inbox = measure.milliseconds(lambda _, api=api: api.call("mulu_inbox", {}), range(ASKED))  # type: ignore[misc]
            yield below(f"inbox of the {who}, {CASES:,} cases, p95", measure.percentile(inbox, 95), 300, "ms")
            rows = measure.milliseconds(lambda _, api=api: api.call("mulu_case_list", {"limit": 25}), range(ASKED))  # type: ignore[misc]
            yield Figure(f"list of cases of the {who}, {CASES:,} cases, p95", measure.percentile(rows, 95), "ms", note="all of them theirs")


def _published(there: Portal) -> dict[str, Any]:
    """One entry that another department may ask for."""
    [draft] = made_up.sound_drafts(1, "bench-one")
    draft.entry.update(share_type="conditional", share_condition="用于履行法定职责", share_basis="《某某条例》第二条", open_type="conditional",
                       open_condition="用于研究", open_ground="", open_basis="")  # fmt: skip
    for item in draft.entry["items"]:
        for key in ("share_type", "open_type", "sensitive"):
            item.pop(key, None)
    Loader(there.editor.call).load([draft], organization="bench-one", submit=True)
    case = there.head.call("mulu_inbox")["results"][0]
    there.head.call("mulu_case_event", {"id": case["id"], "event": "head_agree", "data": REVIEWS})
    there.authority.call("mulu_case_event", {"id": case["id"], "event": "publish"})
    return dict(there.editor.call("package_show", {"id": case["subject_id"]}))


def _walk(there: Portal, entry: dict[str, Any]) -> list[float]:
    """Milliseconds of each event on the way of many applications."""
    times: list[float] = []

    def event(api: Api, case: str, name: str, **data: Any) -> None:
        call = {"id": case, "event": name, "data": data}
        times.append(1000 * measure.seconds(lambda: api.call("mulu_case_event", call)))

    asked = [{"id": entry["id"], "items": [entry["items"][0]["name"]]}]
    subject = {"type": "department", "id": "bench-one"}
    for _ in range(WALKED):
        opened = {"procedure": "sharing_application", "subject": subject, "data": {"asked": asked}}
        case = there.asker.call("mulu_case_open", opened)["id"]
        event(there.asker, case, "submit", **FORM)
        event(there.asking_head, case, "own_head_agree")
        event(there.editor, case, "ask_completion", missing=["申请函"])
        event(there.asker, case, "complete", supplement="已补充")
        event(there.head, case, "decide", decisions=[{"id": entry["id"], "decision": "agreed"}])
        event(there.editor, case, "deliver", delivered_by="portal")
    return times


def _fill(database_url: str) -> None:
    """The walked cases over and over under other ids: one in four open, a twentieth of them the head's turn."""
    with closing(psycopg2.connect(database_url)) as database, database.cursor() as cursor:
        database.autocommit = True
        cursor.execute("select column_name from information_schema.columns where table_name = 'mulu_case'")
        names = [row[0] for row in cursor.fetchall()]
        values = {
            "id": "c.id || '-' || n", "subject_id": "c.subject_id || '-' || n", "title": "'数据 ' || n", "is_open": "n % 4 = 0",
            "turn": "case when n % 80 = 0 then array['head@bench-one'] when n % 40 = 0 then array['authority'] else array['editor@bench-two'] end",
            "due_on": "current_date + (n % 40 - 10)", "updated_at": "c.updated_at - n * interval '1 minute'",
        }  # fmt: skip
        columns = ", ".join(values.get(name, f"c.{name}") for name in names)
        cursor.execute(
            f"insert into mulu_case ({', '.join(names)}) select {columns} from generate_series(1, {CASES}) as n join "
            "(select *, row_number() over () - 1 as k from mulu_case where procedure = 'sharing_application') as c "
            f"on c.k = n % {WALKED}"
        )
        cursor.execute("vacuum analyze mulu_case")
