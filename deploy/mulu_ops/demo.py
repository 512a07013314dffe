"""The demo: the example catalogues in the portal, reviewed as officials would, and the public site made of what passed.

Every step may be repeated; one that was cut short goes on where it stopped.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from hashlib import sha256
from typing import Any

from mulu.profile import load as load_profile
from mulu_harvest.demo import Batch, read_batches, read_departments
from mulu_harvest.record import Draft
from mulu_ops import portal, publishing
from mulu_ops.api import Api
from mulu_ops.importing import Options, load, progress
from mulu_ops.settings import ROOT, Settings, write_private

LISTING = ROOT / "examples" / "demo.yml"
REVIEW = "catalogue_review"
MOST = 1000
AT_ONCE = 50
"""Decisions in one call: about ten seconds of the portal's time."""
Say = portal.Say
People = dict[str, Any]
"""What ``ckan mulu seed-demo`` gives: users (role → name, password, token) and departments (name → editor, head)."""


def install(settings: Settings, say: Say) -> None:
    """Load the demo into the running portal unless it is there; var/demo.json says who may log in."""
    stamp = settings.var / "state" / f"demo.{settings.database('demo')}"
    people_file = settings.var / "state" / f"people.{settings.database('demo')}.json"
    if not (stamp.exists() and stamp.read_text() == _examples() and people_file.exists()):
        stamp.unlink(missing_ok=True)
        say("建立演示机构和人员")
        write_private(people_file, seed(settings))
        people = json.loads(people_file.read_text(encoding="utf-8"))
        write_demo_json(settings, people)
        load_examples(settings, people, say)
        stamp.write_text(_examples())
        publishing.build_site(settings)
    elif publishing.outdated(settings):
        publishing.build_site(settings)
    write_demo_json(settings, json.loads(people_file.read_text(encoding="utf-8")))


def seed(settings: Settings) -> str:
    """Make organisations and people; gives :data:`People` as JSON."""
    departments = json.dumps(read_departments(LISTING), ensure_ascii=False)
    said = portal.ckan(settings, "demo", "mulu", "seed-demo", "--profile", settings.profile, "--departments", "-", stdin=departments)
    return said.strip().splitlines()[-1]


def write_demo_json(settings: Settings, people: People) -> None:
    """Written only when something in it is new."""
    wanted = {"ckan_url": settings.url("ckan"), "site_url": settings.url("site"), "profile": settings.profile,
              "users": people["users"]}
    text = json.dumps(wanted, ensure_ascii=False, indent=2)
    file = settings.demo_json
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        write_private(file, text)


def load_examples(settings: Settings, people: People, say: Say) -> None:
    """Each department's editor hands its entries in, its head agrees, the authority publishes.

    An entry that lacks what a rule asks for stays a draft with its problems: nothing is made up to let it pass.
    """
    departments = people["departments"]
    options = Options(incomplete="draft", submit=True)
    say("导入示例目录")
    entries = problems = 0
    for batch in read_batches(LISTING, load_profile(settings.profile)):
        for department, drafts in _by_department(batch).items():
            editor = Api(settings.url("ckan"), departments[department]["editor"]["token"])
            result = load(editor, drafts, department, dict(batch.source), options, f"{batch.label} {department}")
            entries += result.sent - len(result.refused)
            problems += len(result.drafts_with_problems)
    say(f"已导入 {entries} 条，其中 {problems} 条缺少必填内容，留作草稿待部门补正")
    for department, clerks in departments.items():
        head = Api(settings.url("ckan"), clerks["head"]["token"])
        decide_all(head, "head_review", "head_agree", _reviews(), f"部门负责人同意 {department}", say, org=department)
    authority = Api(settings.url("ckan"), people["users"]["authority"]["token"])
    published = decide_all(authority, "authority_review", "publish", {}, "主管部门发布", say)
    say(f"审核通过并发布 {published} 条")


def decide_all(api: Api, state: str, event: str, data: dict[str, Any], label: str, say: Say, **where: str) -> int:
    """One decision on every catalogue review in a state that this person sees; gives how many it was taken on.

    What the rules refuse is said and stays where it is, for its officials to look at.
    """
    listed = api.call("mulu_case_list", {"procedure": REVIEW, "state": state, "limit": MOST, **where})["results"]
    cases = [case["id"] for case in listed]
    answers: list[dict[str, Any]] = []
    with progress(label, len(cases)) as bar:
        for start in range(0, len(cases), AT_ONCE):
            chunk = cases[start : start + AT_ONCE]
            answers += api.call("mulu_case_batch", {"ids": chunk, "event": event, "data": data})["results"]
            bar.update(len(chunk))
    for refused in (answer for answer in answers if not answer["ok"]):
        reasons = "；".join(problem["message"] for problem in refused["problems"])
        say(f"  《{refused['title']}》没有通过：{reasons}")
    return sum(answer["ok"] for answer in answers)


def _by_department(batch: Batch) -> dict[str, list[Draft]]:
    """Department → its drafts; entries of nobody cannot go in and are left out, as the reading has reported."""
    found: dict[str, list[Draft]] = defaultdict(list)
    for draft in batch.drafts:
        if department := batch.organization or str(draft.entry.get("provider") or ""):
            found[department].append(draft)
    return found


def _reviews() -> dict[str, dict[str, str]]:
    """Both reviews that a head signs before the authority sees an entry; in the demo nobody real has made them."""
    on = date.today().isoformat()
    made = {"by": "部门负责人（演示）", "on": on, "conclusion": "演示：示例目录取自已公开的目录，审查通过。"}
    return {"secrecy_review": made, "privacy_review": made}


def _examples() -> str:
    """Changes with the example files, not with the code that reads them."""
    files = sorted(path for path in LISTING.parent.rglob("*") if path.is_file())
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def editor_of(settings: Settings, department: str) -> Api | None:
    """The demo's editor of a department, who may hand in its entries; None where the demo has nobody there."""
    file = settings.var / "state" / f"people.{settings.database('demo')}.json"
    people: People = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"departments": {}}
    clerks = people["departments"].get(department)
    return Api(settings.url("ckan"), clerks["editor"]["token"]) if clerks else None
