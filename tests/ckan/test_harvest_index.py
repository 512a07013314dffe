"""The index follows the database: a commit that fails leaves nothing there, an index that is away loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from ckan import model
from ckan.common import config
from ckan.lib.search.common import make_connection
from sqlalchemy import select, text
from test_harvest_change import sid
from test_harvest_load import DRAFT, NO_DRIFT, PUBLISH, one, task

from ckanext.mulu import documents, drift, transaction
from ckanext.mulu.harvest import bulk
from ckanext.mulu.harvest.load import apply
from ckanext.mulu.model.tables import index_note

NOW = timedelta(0)


def notes() -> list[str]:
    model.Session.rollback()
    return list(model.Session.execute(select(index_note.c.package_id)).scalars())


def solr_pid() -> int:
    """The Solr of this test's own portal: the process that has its port on its command line."""
    port = config["solr_url"].split(":")[2].partition("/")[0]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if f"solr.port={port}" in line:
            return int(folder.name)
    raise AssertionError("no Solr of this portal runs here")


@pytest.fixture
def no_solr(town):
    """Solr does not answer: its process is stopped and nothing connects in time, as when its machine hangs."""
    pid, before = solr_pid(), config["solr_timeout"]
    os.kill(pid, signal.SIGSTOP)
    config["solr_timeout"] = 2
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
        config["solr_timeout"] = before


def test_a_commit_that_fails_leaves_nothing(town, monkeypatch):
    count, made = model.Session.query(model.Package).count(), sid()

    def broken(*_: object) -> None:
        model.Session.execute(text("select 1/0"))  # PostgreSQL itself breaks the transaction, after all rows were written

    with monkeypatch.context() as patch:
        patch.setattr(bulk, "_publish", broken)
        [done] = apply([task(made, title="写不成的")], DRAFT)
    assert (done.result, done.problems[0].rule) == ("refused", "not_storable")
    assert model.Session.query(model.Package).count() == count
    assert notes() == [] and drift.compare() == NO_DRIFT
    assert one(DRAFT, made, title="写不成的").result == "created"


def test_an_index_that_is_away_loses_nothing_and_is_mended(town, no_solr):
    first, second = apply([task(sid(), title="索引不在时"), task(sid(), title="索引不在时采认")], PUBLISH)
    gone = one(PUBLISH, sid(), title="索引不在时撤销")
    one(PUBLISH, "", "archive", gone.package_id)
    made = town.draft("索引不在时手工编制")  # nobody is told that it failed: it did not
    assert {first.package_id, second.package_id, gone.package_id, made["id"]} == set(notes())
    assert transaction.catch_up() == 0  # not yet: whoever wrote them may still be at it
    with pytest.raises(transaction.AWAY):
        transaction.catch_up(NOW)
    model.Session.rollback()
    os.kill(solr_pid(), signal.SIGCONT)
    config["solr_timeout"] = 60
    assert transaction.catch_up(NOW) == 4
    assert notes() == [] and drift.compare() == NO_DRIFT
    assert town.found(q="索引不在时") == ["索引不在时", "索引不在时采认"] or set(town.found(q="索引不在时")) == {"索引不在时", "索引不在时采认"}


def test_a_process_killed_between_commit_and_index_loses_nothing(town):
    """A real process, killed with SIGKILL after its commit; what it noted is indexed by whoever comes next."""
    key, ini = sid(), config["__file__"]
    program = f"""
import os, signal, sys
from ckan.cli import load_config
from ckan.config.middleware import make_app
make_app(load_config({ini!r}))
sys.path.insert(0, {str(Path(__file__).parent)!r})
from ckanext.mulu import transaction
transaction.settle = lambda touched: os.kill(os.getpid(), signal.SIGKILL)
from ckanext.mulu.harvest.load import Policy, Task, apply
from test_harvest_load import task
apply([task({key!r}, title="被杀死时在写")], Policy("county", "某县数据平台", "publish"))
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=120)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()[-2000:]
    [waiting] = notes()
    assert drift.compare()["missing"] == [waiting]
    assert transaction.catch_up(NOW) == 1
    assert drift.compare() == NO_DRIFT and "被杀死时在写" in town.found()
    assert one(PUBLISH, key, title="被杀死时在写").result == "unchanged"


def test_one_document_that_solr_refuses_keeps_no_other_out(town, monkeypatch):
    good, bad = apply([task(sid(), title="好文档"), task(sid(), title="坏文档")], DRAFT)
    real = documents.document

    def spoiled(both):
        made = real(both)
        return {**made, "metadata_modified": "不是日期"} if made["id"] == bad.package_id else {**made, "title": "好文档二"}

    monkeypatch.setattr(documents, "document", spoiled)
    assert documents.update([bad.package_id, good.package_id]) == {bad.package_id}
    monkeypatch.undo()
    assert make_connection().search(f"id:{good.package_id}", fl="title").docs[0]["title"] == "好文档二"
    assert documents.update([bad.package_id, good.package_id]) == set()
