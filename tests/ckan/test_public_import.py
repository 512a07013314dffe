"""Files that the public site's form saved while the portal was away, handed in by an official: taken once, or refused in words."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta

import ckan.model as model
import pytest
from asking import REQUESTS, Visitor, configured
from click.testing import CliRunner
from sqlalchemy import func, select

from ckanext.mulu.model.tables import case, receipt
from ckanext.mulu.public_requests.saved import OLDEST, check_of
from mulu.case import SHANGHAI
from mulu.workdays import Calendar

PAIR = re.compile(r"受理编号 (\S+)　查询码 (\S+)")


@pytest.fixture
def visitor(town, monkeypatch):
    configured(monkeypatch)
    return Visitor(town.app)


@pytest.fixture(scope="module")
def entry(town):
    return town.published("保存成文件的条目")


def today() -> date:
    return datetime.now(SHANGHAI).date()


def stored() -> tuple[int, ...]:
    model.Session.rollback()
    return tuple(model.Session.execute(select(func.count()).select_from(table)).scalar_one() for table in (case, receipt))


def row(number: int, procedure: str = "complaint", entry: str = "", **changed):
    """A request as the form saves it; what is changed is changed before its check is made."""
    made = {"id": f"{number:032x}", "procedure": procedure, "entry": entry, "data": REQUESTS[procedure], "saved_at": datetime.now(SHANGHAI).isoformat()}
    made |= changed
    return {"mulu_request": 1, **made, "check": check_of(made)}


def handed_in(tmp_path, *contents, options=()):
    from ckanext.mulu.cli import cases_import

    files = []
    for n, content in enumerate(contents):
        file = tmp_path / f"申请{n}.json"
        file.write_bytes(content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode())
        files.append(str(file))
    return CliRunner().invoke(cases_import, [*options, *files])


def test_each_is_taken_or_refused_by_itself(visitor, entry, tmp_path):
    rows = [row(1, "rereview", entry["id"]), row(2, "error_check", entry["id"]), row(3, "rereview", entry["id"], data={}), row(4, "rereview", "nothing")]
    done = handed_in(tmp_path, [*rows, 7], row(5, "suggestion"))
    assert done.exit_code == 1
    pairs = PAIR.findall(done.stdout)
    assert len(pairs) == 3
    assert all(visitor.post("status", {"receipt": number, "code": code}).status_code == 200 for number, code in pairs)
    assert "第3件　未收下：请填写" in done.stderr and "没有这个条目" in done.stderr and "第5件　未收下：不是公共网站存成的申请文件" in done.stderr


def test_a_request_is_taken_once_by_whichever_way(visitor, tmp_path):
    first = handed_in(tmp_path, row(10))
    assert first.exit_code == 0
    before = stored()
    again = handed_in(tmp_path, row(10), [row(10), row(10)])
    assert again.exit_code == 1 and again.stderr.count("不再重复收") == 3 and PAIR.search(first.stdout)[1] in again.stderr
    sent = visitor.ask("complaint", request=f"{10:032x}")
    assert sent.status_code == 422 and "不再重复收" in sent.json["problems"][0]["message"], "the code is the official's to hand over"
    assert stored() == before
    held = visitor.receipt("complaint", request=f"{11:032x}")
    late = handed_in(tmp_path, row(11))
    assert late.exit_code == 1 and held["receipt"] in late.stderr
    assert visitor.status(held), "its code holds"


def test_time_runs_from_the_day_on_which_the_authority_received_it(visitor, town, tmp_path):
    received, saved = today() - timedelta(days=3), datetime.now(SHANGHAI) - timedelta(days=9)
    done = handed_in(tmp_path, row(20, saved_at=saved.isoformat()), options=["--received", received.isoformat()])
    assert done.exit_code == 0, done.stderr
    number, code = PAIR.search(done.stdout).groups()
    shown = visitor.status({"receipt": number, "code": code})
    assert shown["filed_on"] == received.isoformat()
    assert shown["due_on"] == Calendar.load().add(received, 15).date.isoformat()
    assert shown["timeline"][0]["on"] == today().isoformat(), "the history tells when it was entered"
    listed = town.do("authority", "mulu_case_list", procedure="complaint")["results"]
    events = [town.do("authority", "mulu_case_show", id=one["id"])["events"] for one in listed]
    assert any(f"{received}收到，编号 {20:032x}" in one[0]["reason"] for one in events)


def test_who_joins_by_a_file_keeps_the_day_on_which_it_was_received(visitor, town, tmp_path):
    day = {n: today() - timedelta(days=n) for n in (9, 5, 3)}
    data = {**REQUESTS["demand"], "title": "历史建筑名录"}

    def received(number, ago):
        done = handed_in(tmp_path, row(number, "demand", data=data, saved_at=f"{day[9]}T08:00:00+08:00"), options=["--received", day[ago].isoformat()])
        assert done.exit_code == 0, done.stderr
        return visitor.status(dict(zip(("receipt", "code"), PAIR.search(done.stdout).groups(), strict=True)))

    first, second, third = received(80, 5), received(81, 3), received(82, 9)
    assert [one["filed_on"] for one in (first, second, third)] == [day[n].isoformat() for n in (5, 3, 9)]
    assert [one["joined"] for one in (first, second, third)] == [False, True, False]
    assert second["timeline"][0] == {**first["timeline"][0], "on": day[3].isoformat()}
    assert second["due_on"] == first["due_on"] == Calendar.load().add(day[5], 10).date.isoformat()
    assert third["due_on"] == Calendar.load().add(day[9], 10).date.isoformat(), "it was there before the other was: its days are its own"
    found = [town.do("authority", "mulu_case_show", id=one["id"]) for one in town.do("authority", "mulu_case_list", q="历史建筑")["results"]]
    [joined] = [one for one in found if one["case"]["data"].get("count") == 2]
    assert joined["events"][-1]["reason"].startswith(f"由公共网站存成的文件录入，{day[3]}收到，编号 {81:032x}")


@pytest.mark.parametrize(
    ("received", "told"),
    [("gestern", "应形如"), ("2026-13-01", "应形如"), ((today() + timedelta(days=1)).isoformat(), "不能晚于今天")],
)
def test_a_day_on_which_nothing_can_have_been_received(visitor, tmp_path, received, told):
    before = stored()
    done = handed_in(tmp_path, row(30), options=["--received", received])
    assert done.exit_code == 1 and told in done.stderr and stored() == before


def other(**changed):
    return {**row(40), **changed}


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "不是 JSON"), (b"{", "文件不完整"), (json.dumps(row(40)).encode()[:-9], "文件不完整"), (b"[]", "文件里没有申请"), (b"\xff", "不是 JSON"),
        (b"[" * 100_000, "不是 JSON"), (b" " * (6 * 2**20), "最大 5 MB"), (b"7", "不是公共网站"), (b"null", "不是公共网站"),
        ({"procedure": "demand"}, "不是公共网站"), (other(mulu_request=2), "这一版"), (other(odd=1), "这一版"), (other(id="x"), "这一版"), (other(id=None), "这一版"),
        (other(data={**REQUESTS["complaint"], "description": "改过的话"}), "校验值不符"), (other(entry="别的"), "校验值不符"),
        (other(check="0" * 64), "校验值不符"), (other(check=None), "校验值不符"),
        (row(40, saved_at="gestern"), "不是日期"), (row(40, saved_at=None), "不是日期"),
        (row(40, saved_at=(datetime.now(SHANGHAI) - OLDEST - 2 * DAY).isoformat()), "已超过180天"),
        (row(40, saved_at=(datetime.now(SHANGHAI) + 3 * DAY).isoformat()), "晚于收到的日期"),
        (row(40, procedure="complaint", data={"kind": "misuse", "description": "\0"}), "不能保存的字符"),
        (row(40, procedure="complaint", data=[]), "一组字段"), (row(40, procedure="complaint", entry=["x"]), "没有这个条目"),
        ({**(made := row(40) | {"procedure": "sharing_application"}), "check": check_of(made)}, "没有这种办理事项"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_in_words_and_nothing_stays(visitor, content, told, tmp_path):
    before = stored()
    done = handed_in(tmp_path, content)
    assert done.exit_code == 1 and told in done.stderr, done.stderr
    assert "申请0.json" in done.stderr
    assert stored() == before


def test_the_check_is_over_what_a_browser_writes():
    """The same as JSON.stringify: its escapes of control characters, of halves of surrogate pairs, nothing else."""
    made = {"id": "0" * 32, "procedure": "demand", "entry": "", "data": {"title": "一\"\\/\n\t\x01\x7f\u2028😀\ud800", "wish": ["open", True]}, "saved_at": "x"}
    assert check_of(made) == "dad7d94e040b2be92cca44d7d9af66c3288c32146016eeec14f9ede7a44bc114"  # by a browser


def test_attachments_come_with_the_only_request(visitor, town, tmp_path):
    file = tmp_path / "说明.txt"
    file.write_text("内容（虚构）", encoding="utf-8")
    none = handed_in(tmp_path, [row(50), row(51)], options=["--attach", str(file)])
    assert none.exit_code == 1 and "单独一件" in none.stderr
    bad = tmp_path / "坏.exe"
    bad.write_bytes(b"MZ" + bytes(200))
    refused = handed_in(tmp_path, row(52), options=["--attach", str(bad)])
    assert refused.exit_code == 1 and "坏.exe" in refused.stderr
    done = handed_in(tmp_path, row(52), options=["--attach", str(file)])
    assert done.exit_code == 0, done.stderr
    number, code = PAIR.search(done.stdout).groups()
    assert [one["name"] for one in visitor.status({"receipt": number, "code": code})["attachments"]] == ["说明.txt"]
