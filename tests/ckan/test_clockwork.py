"""What happens by itself happens once: after weeks of standstill, twice in a row, two at once, with a broken case among the rest."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import posting
import pytest
from ckan import model
from ckan.lib.redis import connect_to_redis
from ckan.tests.helpers import changed_config
from sqlalchemy import text

from ckanext.mulu import entries
from ckanext.mulu.notices import clockwork
from mulu.workdays import CALENDARS

CKAN = Path(sys.executable).parent / "ckan"
WEEKS = timedelta(days=45)


def templates(case):
    model.Session.rollback()
    return model.Session.execute(text("select template from mulu_outbox where case_id = :case order by id"), {"case": case}).scalars().all()


def history(case):
    return [row["event"] for row in model.Session.execute(text("select body from mulu_case_event where case_id = :case order by seq"), {"case": case}).scalars()]


def waiting(town, title):
    """A review that waits for the authority, with its clock running."""
    case = town.draft(title)["mulu_case"]
    town.event("editor", case, "edit", cause="law", cause_on=datetime.now(UTC).date().isoformat())
    assert town.do("editor", "mulu_case_show", id=case)["due_on"]
    return case


@pytest.fixture
def mailless():
    """No mail server, and what is long overdue opens no other case: that is the finders' (test_finders.py)."""
    with changed_config("smtp.server", f"127.0.0.1:{posting.free_port()}"), changed_config("mulu.rectify_after", 0):
        yield


def test_weeks_of_standstill_are_made_up_for_once(town, mailless):
    case = waiting(town, "停机期间的事项")
    before = templates(case)
    later = datetime.now(UTC) + WEEKS
    done = clockwork.run(later)
    assert done["steps"] >= 2 and done["failed"] == [] and not done["skipped"]
    sounded = templates(case)[len(before) :]
    assert "overdue" in sounded and len(sounded) == len(set(sounded)), "each once, and no reminder of what is past"
    assert "reminder" not in sounded
    assert clockwork.run(later)["steps"] == 0 and clockwork.run(later + timedelta(minutes=5))["steps"] == 0
    assert templates(case)[len(before) :] == sounded
    assert town.do("editor", "mulu_case_show", id=case)["overdue"] is True
    assert history(case).count("clock_overdue") == 1


def test_day_by_day_each_alarm_is_sounded_once(town, mailless):
    case = waiting(town, "天天运行的事项")
    before = len(templates(case))
    start = datetime.now(UTC)
    for day in range(45):
        clockwork.let_time_pass(start + timedelta(days=day))
    sounded = templates(case)[before:]
    assert sounded.count("reminder") == 2 and sounded.count("overdue") == 1 and sounded.count("escalation") <= 1


def test_a_broken_case_stops_no_other(town, mailless, caplog):
    broken, whole = waiting(town, "坏了的事项"), waiting(town, "完好的事项")
    body = model.Session.execute(text("select body from mulu_case where id = :id"), {"id": broken}).scalar_one()
    spoil = text("update mulu_case set body = cast(:body as jsonb) where id = :id")
    model.Session.execute(spoil, {"id": broken, "body": json.dumps(body | {"procedure_version": "unknown"})})
    model.Session.commit()
    later = datetime.now(UTC) + WEEKS
    assert clockwork.run(later)["failed"] == [broken]
    assert "overdue" in templates(whole) and "overdue" not in templates(broken)
    assert clockwork.status()["last"]["failed"] == [broken]
    model.Session.execute(spoil, {"id": broken, "body": json.dumps(body)})
    model.Session.commit()
    assert clockwork.run(later)["failed"] == [] and "overdue" in templates(broken)


def test_two_at_once_do_not_overlap(town, mailless):
    case = waiting(town, "同时运行的事项")
    later = datetime.now(UTC) + WEEKS
    with clockwork._alone() as first:
        assert first
        done = clockwork.run(later)
        assert done["skipped"] and done["steps"] == 0
    assert "overdue" not in templates(case)
    assert clockwork.run(later)["steps"] > 0 and "overdue" in templates(case)


def test_a_year_that_is_announced_moves_provisional_deadlines_and_is_told_once(town, mailless, tmp_path):
    today = date.today()
    for file in CALENDARS.glob("*.yml"):
        if int(file.stem) < today.year:
            shutil.copy(file, tmp_path / file.name)
    with changed_config("mulu.calendars", str(tmp_path)):
        case = waiting(town, "跨年的事项")
        before = town.do("editor", "mulu_case_show", id=case)
        assert before["provisional"] is True
        assert clockwork.run()["failed"] == [] and "recomputed" not in templates(case)
        off = entries.calendar().add(today, 1).date
        for year in (today.year, today.year + 1):
            holidays = f"{{{off}: 临时放假}}" if off.year == year else "{}"
            (tmp_path / f"{year}.yml").write_text(f"year: {year}\nsource: test\nholidays: {holidays}\nmakeup_workdays: {{}}\n", encoding="utf-8")
        assert entries.calendar().announced(today.year), "known without a restart"
        clockwork.run()
        after = town.do("editor", "mulu_case_show", id=case)
        assert after["provisional"] is False and after["due_on"] > before["due_on"]
        assert clockwork.run()["steps"] == 0
        assert templates(case).count("recomputed") == 1 and history(case).count("clock_recomputed") == 1
    told = [one for one in town.do("editor", "mulu_notice_list", case=case)["results"] if one["template"] == "recomputed"]
    assert len(told) == 1 and "期限调整通知" in told[0]["title"]


@pytest.mark.parametrize("content", ["year: [", "holidays: 3", "- a", "year: x\nholidays: {}\nmakeup_workdays: {}", "year: 2090"], ids=str)
def test_half_a_file_of_a_year_changes_nothing(town, tmp_path, content):
    shutil.copy(CALENDARS / "2025.yml", tmp_path / "2025.yml")
    with changed_config("mulu.calendars", str(tmp_path)):
        before = entries.calendar()
        (tmp_path / "2090.yml").write_text(content, encoding="utf-8")
        assert entries.calendar() == before


def test_the_command_says_what_it_did_and_how_it_stands(town, ckan_config):
    def run(*options):
        command = [str(CKAN), "-c", ckan_config["__file__"], "mulu", "clockwork", *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, "CKAN_SMTP_SERVER": "127.0.0.1:1"})
        return done.returncode, json.loads(done.stdout.strip().splitlines()[-1]), done.stderr

    connect_to_redis().delete(clockwork._key())
    code, state, _ = run("--status")
    assert code == 1 and state["last"] is None and state["late"] is True
    code, done, told = run("--once")
    assert code == 0 and done["failed"] == [] and set(done["mail"]) == {"notices", "sent", "put_off", "given_up"}, told
    code, state, _ = run("--status")
    assert state["late"] is False and state["last"]["started"] == done["started"] and code == (1 if state["mail"]["mail_given_up"] else 0)


def test_the_loop_sends_what_waits_and_ends_when_told(town, ckan_config):
    posting.forget()
    posting.notice("c-loop", ["editor@jiaoyu"])
    with posting.mail_server() as box:
        command = [str(CKAN), "-c", ckan_config["__file__"], "mulu", "clockwork"]
        loop = subprocess.Popen(command, env={**os.environ, "CKAN_SMTP_SERVER": ckan_config["smtp.server"]})
        try:
            end = time.monotonic() + 90
            while not box.mails and time.monotonic() < end and loop.poll() is None:
                time.sleep(0.2)
            assert box.mails and loop.poll() is None
            loop.send_signal(signal.SIGTERM)
            assert loop.wait(20) == 0
        finally:
            if loop.poll() is None:
                loop.kill()
