"""The public site follows the portal by itself: what is published is there within a minute, what is withdrawn is gone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from asking import REQUESTS
from ckan import model

from ckanext.mulu import publisher, snapshot
from ckanext.mulu.publisher import Publisher, status
from mulu_site.build import build
from mulu_site.release import start

CKAN = Path(sys.executable).parent / "ckan"
MINUTE = 60.0
CLOSED = {"open_type": "none", "open_ground": "security", "open_basis": "《中华人民共和国数据安全法》第二十一条", "open_review_on": "2027-01-05", "open_mode": []}


@pytest.fixture
def site(tmp_path):
    return tmp_path / "site"


def publisher_of(site):
    model.Session.rollback()
    return Publisher(site, site.parent / "snapshot.jsonl")


def withdraw(town, package):
    subject = {"type": "entry", "id": package["id"]}
    case = town.do("editor", "mulu_case_open", procedure="withdrawal", subject=subject, data={"cause": "ceased", "reason": "不再产生（测试）"})["id"]
    town.event("head", case, "head_agree")
    town.event("authority", case, "agree", reason="数据已并入年报（测试）")
    return case


def page(site, package):
    file = site / "current" / "entry" / package["name"] / "index.html"
    return file.read_text(encoding="utf-8") if file.exists() else ""


def within_a_minute(is_so):
    end = time.monotonic() + MINUTE
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.2)
    return False


def test_the_program_follows_publication_and_withdrawal(town, site, ckan_config):
    command = [str(CKAN), "-c", ckan_config["__file__"], "mulu", "publisher", "--out", str(site), "--snapshot", str(site.parent / "s.jsonl")]
    with subprocess.Popen(command) as program:
        try:
            assert within_a_minute(lambda: status(site).get("built")), "it starts with what is there"
            package = town.published("一分钟后可见的条目")
            assert within_a_minute(lambda: "一分钟后可见的条目" in page(site, package))
            withdraw(town, package)
            assert within_a_minute(lambda: "本条目已撤下" in page(site, package))
            assert "一分钟后可见的条目" not in (site / "current" / "entries.json").read_text(encoding="utf-8")
            program.send_signal(signal.SIGTERM)
            assert program.wait(60) == 0
        finally:
            program.kill()


def test_nothing_is_built_while_nothing_changes(town, site, monkeypatch):
    package = town.published("不再变化的条目")
    assert publisher_of(site).look()
    taken = []
    monkeypatch.setattr(snapshot, "write", lambda *args, **more: taken.append(args))
    assert not publisher_of(site).look() and not taken
    assert not publisher.behind(site)
    assert "不再变化的条目" in page(site, package)


def test_what_the_site_tells_beside_entries_is_followed_too(town, site):
    package = town.published("有人要求复核的条目", **CLOSED)
    assert publisher_of(site).look()
    department = town.do("sysadmin", "organization_show", id="minzheng")
    town.do("sysadmin", "organization_patch", id="minzheng", title="改了名的民政局")
    assert publisher_of(site).look()
    assert "改了名的民政局" in page(site, package)
    town.do("sysadmin", "organization_patch", id="minzheng", title=department["title"])
    assert publisher_of(site).look()
    subject = {"type": "entry", "id": package["id"]}
    town.do("citizen", "mulu_case_open", procedure="rereview", subject=subject, data={**REQUESTS["rereview"], "reason": "应当开放（测试）"})
    assert publisher_of(site).look()
    assert "正在复核" in page(site, package)


def test_a_clean_build_knows_what_was_withdrawn(town, site):
    package = town.published("撤销后另处重建的条目")
    withdraw(town, package)
    model.Session.rollback()
    snapshot.write(site.parent / "s.jsonl")
    build(site.parent / "s.jsonl", site, pages=None)
    told = page(site, package)
    for part in ("本条目已撤下", "撤销后另处重建的条目", "机构minzheng", "数据已并入年报（测试）", "noindex"):
        assert part in told


def test_a_failed_build_is_told_and_tried_again(town, site):
    town.published("生成失败时的条目")
    site.mkdir()
    (site / "releases").write_text("这里应是文件夹")
    works = publisher_of(site)
    pauses = []
    for _ in range(3):
        assert not works.look()
        pauses.append(works.pause)
    assert pauses == sorted(set(pauses)), "the pause between two tries grows"
    assert "不能写入" in status(site)["error"] and status(site)["failed"]
    (site / "releases").unlink()
    assert works.look()
    assert "error" not in status(site) and works.pause == publisher.PAUSE


def test_another_build_is_no_failure(town, site):
    town.published("同时生成的条目")
    works = publisher_of(site)
    with start(site):
        assert not works.look()
    assert status(site) == {}
    assert works.look()


def test_a_stopped_build_goes_on(town, site):
    town.published("停下又继续的条目")
    works = Publisher(site, site.parent / "s.jsonl", stopped=lambda: True)
    assert not works.look() and status(site) == {}
    assert publisher_of(site).look()
    assert json.loads((site / publisher.STATUS).read_text())["entries"] > 0
