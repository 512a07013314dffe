"""The engine's two ports in memory, and a source that says what a test wants it to say."""

from __future__ import annotations

import copy
from dataclasses import replace

from mulu.errors import Problem
from mulu_harvest.port import Done, Interrupted, Known, Met
from mulu_harvest.record import Page, Record
from mulu_harvest.source import Source

DEPARTMENTS = {"华容县民政局": "minzheng", "华容县水利局": "shuili"}
RAW = {
    "provider": "华容县民政局", "notes": "登记在册的养老机构及其床位，按月更新。", "share_type": "无条件共享", "open_type": "无条件开放",
    "catalogue_kind": "部门信息资源", "formats": ["CSV"], "update_frequency": "每月", "security_level": "一般数据", "personal_information": "不含个人信息",
    "items": [{"name": "机构名称", "data_type": "字符型C"}, {"name": "床位数", "data_type": "数值型N"}],
}  # fmt: skip


def source(**more) -> Source:
    return Source("ceshi", "测试来源", "测试发布单位", "portal", "http://127.0.0.1/", "", **more)


def record(number, **more) -> Record:
    """``number``: the source's id; None for none."""
    given = {"source": {"name": "ceshi", "id": f"id-{number}", "url": f"http://127.0.0.1/{number}"}} if number is not None else {}
    raw = {"title": f"养老机构名录{number}", **RAW, **given, **more}
    return Record(f"第 {number} 条", {key: value for key, value in raw.items() if value is not None})


def pages(records, size=10, **more):
    """A reader: marks are numbers of pages."""

    def read(mark):
        count = max(1, -(-len(records) // size))
        for n in range(int(mark or 0), count):
            yield Page(tuple(records[n * size : (n + 1) * size]), mark=str(n + 1), **more)

    return read


class Portal:
    """A portal: its memory of the source, and its catalogue. ``entries``: package id → entry; ``fail``: what ``apply`` raises;
    ``decided``: a person let this run pass; ``week``: the last run that is more than seven days ago."""

    addresses = ("https://own.example/",)

    def __init__(self, departments=DEPARTMENTS):
        self.orgs = dict(departments)
        self.records, self.entries, self.archived = {}, {}, set()
        self.applied, self.biggest, self.refuse, self.fail = [], 0, {}, None
        self.number, self.week = 0, 0
        self.new_run()

    def new_run(self):
        self.number += 1
        self.phase, self.mark, self.counts, self.problems = "", "", {}, []
        self.steps, self.state, self.reasons, self.lost = {}, "running", [], False
        self.fresh, self.decided = {}, False
        return self

    # memory

    def _mine(self):
        if self.lost:
            raise Interrupted

    def size(self):
        return sum(1 for one in self.records.values() if one["known"].package_id and one["known"].state != "removed")

    def known(self, ids):
        return {key: self.records[key]["known"] for key in ids if key in self.records}

    def met(self, ids):
        seen = {key: Met(one["known"].hash, one["where"]) for key, one in self.records.items() if one["seen"] == self.number}
        seen |= {key: Met(one.hash, one.where) for key, (one, _) in self.steps.items() if one.kind != "remove"}
        return {key: seen[key] for key in ids if key in seen}

    def begin(self):
        self._mine()
        self.phase, self.steps = "reading", {}
        for one in self.records.values():
            one["seen"] = 0 if one["seen"] == self.number else one["seen"]

    def turn(self, turn):
        self._mine()
        self.phase, self.mark, self.counts, self.problems = "reading", turn.mark, dict(turn.counts), list(turn.problems)
        for key, one in self.records.items():
            if key in turn.seen or (turn.all_seen and one["known"].state != "removed"):
                one["seen"] = self.number
                one["known"] = replace(one["known"], state="in")
            if fresh := turn.fresh.get(one["known"].package_id):
                self.fresh[key] = (one["known"].package_id, one["known"].entry.get("data_updated_on", ""), fresh)
        self.plan(turn.steps)

    def enter(self, phase, counts, problems, reasons=()):
        self._mine()
        self.phase, self.mark, self.counts, self.problems, self.reasons = phase, "", dict(counts), list(problems), list(reasons)

    def unseen(self, limit):
        gone = [one["known"] for key, one in sorted(self.records.items()) if one["seen"] != self.number and key not in self.steps]
        return [one for one in gone if one.package_id and one.state != "removed"][:limit]

    def plan(self, steps):
        for step in steps:
            self.steps.setdefault(step.source_id, (step, "planned"))

    def removed_lately(self):
        return sum(1 for one in self.records.values() if one["known"].state == "removed" and one.get("removed", 0) > self.week)

    def days(self, after, limit):
        return dict(sorted((key, value) for key, value in self.fresh.items() if key > after)[:limit])

    def dated(self, ids):
        for key in ids:
            one = self.records[key]
            one["known"] = replace(one["known"], entry={**one["known"].entry, "data_updated_on": self.fresh.pop(key)[2]})

    def tally(self):
        found = {}
        for step, _ in self.steps.values():
            for name in (step.kind, *(reason.rule for reason in step.reasons)):
                found[name] = found.get(name, 0) + 1
        return found

    def hold(self, counts, reasons):
        self._mine()
        self.state, self.phase, self.counts, self.reasons = "held", "loading", dict(counts), list(reasons)

    def planned(self, limit):
        return [step for step, state in self.steps.values() if state == "planned"][:limit]

    def finish(self, outcomes, counts):
        self._mine()
        self.counts = dict(counts)
        for one in outcomes:
            step = one.step
            self.steps[step.source_id] = (step, "refused" if one.refused else "done")
            before = self.records.get(step.source_id)
            if step.kind == "remove":
                known = replace(before["known"], state="removed", refused="")
            elif one.refused:
                known = before["known"] if before else Known(step.source_id, "quarantined", entry=step.entry)
                refused = "" if step.kind == "refuse" else step.hash
                known = replace(known, state="removed" if known.state == "removed" else "quarantined", refused=refused)
            else:
                known = Known(step.source_id, "in", one.package_id, step.hash, step.entry)
            removed = (0 if self.decided else self.number) if step.kind == "remove" else (before or {}).get("removed", 0)
            told = {"known": known, "where": step.where, "seen": self.number, "problems": step.problems, "removed": removed}
            self.records[step.source_id] = told

    def forget(self):
        self.records = {k: one for k, one in self.records.items() if one["known"].package_id or one["seen"] == self.number}

    # catalogue

    def departments(self):
        return dict(self.orgs)

    def make_department(self, slug, name):
        self.orgs[name] = slug

    def known_code(self, code):
        return False

    def current(self, package_ids):
        return {key: copy.deepcopy(self.entries[key]) for key in package_ids if key in self.entries}

    def left(self, package_ids):
        return self.archived & set(package_ids)

    def refresh(self, days):
        for key, (_, now) in days.items():
            self.entries[key]["data_updated_on"] = now

    def apply(self, tasks):
        self.biggest = max(self.biggest, len(tasks))
        if self.fail:
            raise self.fail
        if any(task.entry.get("title") == "毒丸" for task in tasks):
            raise RuntimeError("made up by the test")
        done = []
        for task in tasks:
            if why := self.refuse.get(task.key):
                done.append(Done(task.key, "refused", problems=(Problem("resource_code", "code_taken", why),)))
                continue
            package = task.package_id or next((k for k, e in self.entries.items() if e["source"]["id"] == task.key), f"p{len(self.applied) + 1}")
            self.applied.append((task.kind, package))
            if task.kind == "archive":
                self.archived.add(package)
            else:
                self.archived.discard(package)
                kept = {key: self.entries.get(package, {}).get(key) for key in ("resource_code", "name")}
                self.entries[package] = {"resource_code": f"300/{package}", **{k: v for k, v in kept.items() if v}, **copy.deepcopy(task.entry)}
            done.append(Done(task.key, {"create": "created", "update": "updated"}.get(task.kind, task.kind + "d"), package, ("case",)))
        return done

    def of(self, number):
        """The entry made of a record."""
        return self.entries[self.records[f"id-{number}"]["known"].package_id]
