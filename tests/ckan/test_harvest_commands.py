"""Sources tried out and harvested for real, from the pages' action and from the command line, against a CKAN on the loopback."""

from __future__ import annotations

import json
from datetime import timedelta

import ckan.plugins.toolkit as tk
import harvesting
import pytest
import yaml
from ckan import model
from ckan.tests.helpers import CKANCliRunner
from sqlalchemy import func, select, text
from upstream import Upstream

from ckanext.mulu.cli import mulu
from ckanext.mulu.harvest import leases
from ckanext.mulu.model.tables import harvest_record


@pytest.fixture(scope="module")
def server():
    from server import serving

    with serving() as server:
        yield server


@pytest.fixture
def upstream(town, server):
    harvesting.forget()
    return Upstream(server, 25)


def typed(*words, status=0):
    """A command's standard output; of one that fails what it says on standard error too. status None: whichever."""
    done = CKANCliRunner().invoke(mulu, ["harvest", *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    model.Session.rollback()
    assert status in (None, done.exit_code), done.stdout + done.stderr
    return done.stdout + done.stderr if status == 1 else done.stdout


def add(upstream, *more, name="up"):
    return typed("add", name, "--reader", "ckan", "--url", upstream.server.url, "--title", "上游平台（虚构）", *more)


def known():
    return model.Session.execute(select(func.count()).select_from(harvest_record)).scalar()


def test_a_source_is_tried_out_and_nothing_is_written(town, upstream):
    upstream.put(3, title="", notes="没有名称")
    upstream.put(4, organization={"name": "nowhere", "title": "没有这个部门"})
    shown = town.do("authority", "mulu_harvest_preview", name="up", settings=upstream.settings())
    assert (len(shown["entries"]), shown["total"], shown["whole"]) == (20, 25, False)
    first = shown["entries"][0]
    assert (first["title"], first["provider"], first["problems"]) == ("某县公共设施名录000000", "minzheng", [])
    assert {fact["label"] for fact in first["facts"]} >= {"共享类型", "开放类型", "信息项"}
    assert [one["rule"] for one in shown["entries"][3]["problems"]] == ["required"]
    assert "没有这个部门" in shown["entries"][4]["problems"][0]["message"] and shown["entries"][4]["provider"] == ""
    assert known() == 0 and town.found("authority", q="公共设施名录") == []
    assert town.do("authority", "mulu_harvest_source_list") == []


def test_what_cannot_be_read_is_told_in_the_preview(town, upstream, monkeypatch):
    from upstream import Reply

    from ckanext.mulu.harvest import preview

    upstream.fail[0] = Reply("<html><title>维护中</title></html>", type="text/html")
    shown = town.do("authority", "mulu_harvest_preview", name="up", settings=upstream.settings())
    assert shown["entries"] == [] and "维护中" in shown["problems"][0]["message"]
    upstream.fail[0] = Reply("{}", delay=20)
    monkeypatch.setattr(preview, "SECONDS", 1.0)
    shown = town.do("authority", "mulu_harvest_preview", name="up", settings=upstream.settings())
    assert shown["problems"][0]["rule"] == "too_slow" and shown["seconds"] < 10


def test_added_tried_and_run_by_command(town, upstream):
    assert "mulu harvest run up --dry-run" in add(upstream, "--department", "minzheng", "--schedule", "30 2 * * *")
    tried = json.loads(typed("run", "up", "--dry-run", "--json"))
    assert (tried["state"], tried["dry_run"], tried["counts"]["added"], known()) == ("done", True, 25, 0)
    done = json.loads(typed("run", "up", "--json"))
    assert (done["state"], done["counts"]["read"], done["counts"]["added"]) == ("done", 25, 25) and done["seconds"] > 0
    assert "不变25" in typed("run", "up")
    assert "up " in typed("list") and "正常" in typed("list")
    assert json.loads(typed("show", "up"))["records"]["in"] == 25
    lines = typed("history", "up").splitlines()
    assert len(lines) == 3 and "试运行已完成" in lines[2]
    assert [one["name"] for one in json.loads(typed("list", "--json"))] == ["up"]
    assert len(json.loads(typed("history", "up", "--limit", "1", "--json"))) == 1


def test_held_applied_and_dropped_by_command(town, upstream):
    add(upstream)
    typed("run", "up")
    kept = {key: upstream.datasets.pop(f"{key:06d}-made-up") for key in range(5)}
    held = json.loads(typed("run", "up", "--json", status=3))
    assert held["state"] == "held" and held["case_id"] and held["reasons"][0]["rule"] == "too_many_removed"
    assert "须核对" in typed("run", "up", status=3), "another run takes its place and is held as well"
    user = town.users["authority"]["name"]
    assert "没有用户" in typed("apply", "up", "--as", "nobody-here", "--reason", "写入", status=1)
    assert "不予写入" in typed("drop", "up", "--as", user, "--reason", "来源当天在维护")
    assert json.loads(typed("show", "up"))["records"] == {"in": 25, "removed": 0, "quarantined": 0}
    typed("run", "up", status=3)
    applied = json.loads(typed("apply", "up", "--as", user, "--reason", "已与部门核实", "--json"))
    assert (applied["state"], applied["counts"]["removed"]) == ("done", 5)
    assert json.loads(typed("show", "up"))["records"] == {"in": 20, "removed": 5, "quarantined": 0}
    assert "没有待核对" in typed("apply", "up", "--as", user, "--reason", "再来", status=1)
    upstream.datasets |= {f"{key:06d}-made-up": one for key, one in kept.items()}
    assert "恢复5" in typed("run", "up")


def test_who_may_not_decide_is_told_by_command_too(town, upstream):
    add(upstream)
    typed("run", "up")
    for key in range(5):
        upstream.datasets.pop(f"{key:06d}-made-up")
    typed("run", "up", status=3)
    said = typed("apply", "up", "--as", town.users["sysadmin"]["name"], "--reason", "写入", status=1)
    assert "须由主管部门审核人员" in said and json.loads(typed("show", "up"))["state"] == "held"


def test_what_fails_says_so_and_why(town, upstream):
    add(upstream)
    from upstream import Reply

    upstream.fail[0] = Reply("坏了", status=404)
    failed = typed("run", "up", status=1)
    assert "失败" in failed and "404" in failed
    assert town.do("authority", "mulu_harvest_source_list")[0]["state"] == "failed"
    assert "没有这个来源" in typed("run", "nowhere", status=1)
    assert "reader" in typed("add", "x", "--reader", "gopher", "--url", "http://x.example", status=1)
    assert "已有名为" in typed("add", "up", "--reader", "ckan", "--url", "http://x.example", status=1)


def test_quarantine_is_listed_with_places(town, upstream):
    upstream.put(3, title="")
    add(upstream)
    assert "未收下1" in typed("run", "up")
    assert "名称" in typed("problems", "up") and json.loads(typed("problems", "up", "--json"))["count"] == 1
    assert "没有在等待" in typed("stop", "up", status=1)
    town.do("authority", "mulu_harvest_run_create", name="up")
    assert "已停止" in typed("stop", "up")
    assert "已停用" in typed("remove", "up") and "已停用" in typed("run", "up", status=1)


def test_nobody_at_work_is_seen_by_what_waits(town, upstream):
    """Nothing needs a process to be found: the worker may sit on another machine."""

    def late(**columns):
        for name, value in columns.items():
            for table in ("source", "run"):
                if name in MOMENTS[table]:
                    model.Session.execute(text(f"update mulu_harvest_{table} set {name} = now() + :value"), {"value": timedelta(minutes=value)})
        model.Session.commit()
        found = json.loads(typed("work", "--status", status=None))
        return {key: found[key] for key in ("due", "waiting", "left")}, found["late"], bool(found["since"])

    nothing = ({"due": 0, "waiting": 0, "left": 0}, False, False)
    assert late() == nothing
    add(upstream, "--schedule", "30 2 * * *")
    assert late() == nothing and late(next_run_at=-1) == nothing, "a worker may be about to look"
    assert late(next_run_at=-6) == ({"due": 1, "waiting": 0, "left": 0}, True, True)
    assert late(next_run_at=60) == nothing
    run = town.do("authority", "mulu_harvest_run_create", name="up")["id"]
    assert late() == nothing
    assert late(not_before=-6) == ({"due": 0, "waiting": 1, "left": 0}, True, True)
    lease = leases.claim(run)
    assert late() == nothing, "somebody is at it"
    add(upstream, name="next")
    following = town.do("authority", "mulu_harvest_run_create", name="next")["id"]
    assert late(not_before=-6) == ({"due": 0, "waiting": 1, "left": 0}, False, True), "waits for its turn"
    leases.claim(following)
    model.Session.execute(text("update mulu_harvest_run set lease_until = now() - interval '6 minutes' where id = :run"), {"run": following})
    assert late() == ({"due": 0, "waiting": 0, "left": 1}, False, True), "is taken over when its turn comes"
    model.Session.execute(text("update mulu_harvest_run set state = 'waiting', lease_until = null where id = :run"), {"run": following})
    assert late(not_before=60, lease_until=-6) == ({"due": 0, "waiting": 0, "left": 1}, True, True)
    leases.end(lease, "done")
    town.do("authority", "mulu_harvest_run_stop", id=following)
    assert late() == nothing
    town.do("authority", "mulu_harvest_source_delete", name="up")
    assert late(next_run_at=-60)[0]["due"] == 1, "next has no schedule, and is on"
    harvesting.forget()


MOMENTS = {"source": ("next_run_at",), "run": ("not_before", "lease_until")}


def test_from_a_folder_with_its_list(town, upstream, tmp_path):
    folder = tmp_path / "sources" / "town-list"
    folder.mkdir(parents=True)
    settings = {"title": "某县开放平台（虚构）", "publisher": "某县（虚构）", "reader": "portal", "url": "https://town.example", "licence": "未注明",
                "file": "list.json", "fields": {"title": "名称", "notes": "简介"}, "organization": "minzheng"}  # fmt: skip
    (folder / "source.yml").write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    rows = [{"名称": f"公园名录{n}", "简介": "某县公园"} for n in range(3)]
    (folder / "list.json").write_text(json.dumps([*rows, rows[0]], ensure_ascii=False), "utf-8")
    assert "mulu.harvest_folders" in typed("add", "town-list", "--from", str(folder), status=1), "not where harvests may read"
    tk.config["mulu.harvest_folders"] = str(tmp_path)
    typed("add", "town-list", "--from", str(folder / "source.yml"))
    done = json.loads(typed("run", "town-list", "--json"))
    assert (done["counts"]["read"], done["counts"]["repeated"], done["counts"]["added"]) == (3, 1, 3)
    (folder / "other.json").write_text(json.dumps(rows[:2], ensure_ascii=False), "utf-8")
    typed("add", "other-list", "--from", str(folder), "--file", str(folder / "other.json"))
    assert json.loads(typed("run", "other-list", "--dry-run", "--json"))["counts"]["read"] == 2
    assert "未注明" in typed("show", "town-list")
    typed("add", "nantong", "--from", "nantong")
    assert json.loads(typed("show", "nantong"))["title"] == "南通市公共数据开放平台", "one that ships with the portal, by its name"
    assert "没有名为" in typed("add", "x", "--from", "nowhere-at-all", status=1)


def test_publishing_needs_the_authority(town, upstream, tmp_path):
    file = tmp_path / "up" / "source.yml"
    file.parent.mkdir()
    file.write_text(yaml.safe_dump(upstream.settings(arrives="publish"), allow_unicode=True), "utf-8")
    assert "主管部门" in typed("add", "public-up", "--from", str(file), status=1)
    typed("add", "public-up", "--from", str(file), "--as", town.users["authority"]["name"])
    assert "新增25" in typed("run", "public-up")
    assert len(town.found(q="公共设施名录")) == 25, "published where it comes from, and here"
