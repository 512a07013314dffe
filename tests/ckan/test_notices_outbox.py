"""Each notice reaches each who is told, once: over a server that is down, refuses or hangs up, and with two who send."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import posting
import pytest
from asking import REQUESTS, Visitor, configured
from ckan import model
from ckan.tests.helpers import changed_config
from sqlalchemy import text

from ckanext.mulu.notices import outbox

CKAN = Path(sys.executable).parent / "ckan"


@pytest.fixture
def quiet(town):
    """The town with nothing to be told. Who set up the departments is in none of them."""
    posting.forget()
    founder = {"user": town.users["sysadmin"]["id"]}
    model.Session.execute(text("update member set state = 'deleted' where table_name = 'user' and table_id = :user"), founder)
    model.Session.commit()
    yield town
    posting.forget()


def later(**time):
    return datetime.now(UTC) + timedelta(**time)


def email(town, who):
    return model.User.get(town.users[who]["id"]).email


def test_a_notice_is_mailed_as_text_and_as_html(quiet):
    posting.notice("c-text", ["head@minzheng"], label="提交", due_on="2026-12-01")
    with posting.mail_server() as box:
        assert outbox.deliver() == {"notices": 1, "sent": 1, "put_off": 0, "given_up": 0}
        assert outbox.deliver() == {"notices": 0, "sent": 0, "put_off": 0, "given_up": 0}
    [mail] = box.mails
    assert mail["To"] == email(quiet, "head") and mail["Subject"] == "待办事项通知：全县<中小学校>基本信息"
    assert mail["Auto-Submitted"] == "auto-generated" and "华容县" in mail["From"]
    plain, page = mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()
    assert "请于2026年12月1日前办理" in plain and "/mulu/case/c-text" in plain and "全县<中小学校>" in plain
    assert "全县&lt;中小学校&gt;" in page and "机构minzheng：" in page


def test_a_server_that_is_down_delays_and_loses_nothing(quiet):
    port = posting.free_port()
    posting.notice("c-down", ["editor@minzheng", "head@minzheng"])
    with changed_config("smtp.server", f"127.0.0.1:{port}"):
        assert outbox.deliver() == {"notices": 1, "sent": 0, "put_off": 3, "given_up": 0}
        assert outbox.deliver()["put_off"] == 0, "not before a minute has passed"
        assert outbox.counts()["mail_waiting"] == 3
    with posting.mail_server(port) as box:
        assert outbox.deliver()["sent"] == 0
        assert outbox.deliver(later(minutes=2))["sent"] == 3
        assert outbox.deliver(later(days=9))["sent"] == 0
    assert sorted(mail["To"] for mail in box.mails) == sorted(email(quiet, who) for who in ("editor", "editor2", "head"))
    assert len(set(box.numbers())) == 3
    assert all(row.last_error == "" for row in posting.deliveries())


def test_it_is_tried_ever_more_rarely_then_given_up_and_shown_to_the_operator(quiet):
    posting.notice("c-rare", ["head@minzheng"])
    moment, waits = datetime.now(UTC), []
    with changed_config("smtp.server", f"127.0.0.1:{posting.free_port()}"):
        for _ in range(5):
            assert outbox.deliver(moment)["put_off"] == 1
            [row] = posting.deliveries()
            waits.append(row.next_at - moment)
            moment = row.next_at
        assert outbox.deliver(moment)["given_up"] == 1
        assert outbox.deliver(moment + timedelta(days=90)) == {"notices": 0, "sent": 0, "put_off": 0, "given_up": 0}
    assert [int(one.total_seconds()) for one in waits] == [60, 300, 1800, 7200, 43200]
    shown = quiet.do("sysadmin", "mulu_mail_failed")
    assert shown["count"] == 1 and shown["results"][0]["attempts"] == 6 and "refused" in shown["results"][0]["last_error"].lower()
    assert "没有送达的邮件" in quiet.ask("sysadmin", "/mulu/notices")[1]
    for who in ("head", "authority_head", "citizen"):
        quiet.refused(who, "mulu_mail_failed")
        quiet.refused(who, "mulu_mail_retry")
        assert "没有送达的邮件" not in quiet.ask(who, "/mulu/notices")[1]
    assert quiet.do("sysadmin", "mulu_mail_retry") == {"again": 1}
    with posting.mail_server() as box:
        assert outbox.deliver()["sent"] == 1 and len(box.mails) == 1


def test_an_address_that_is_refused_is_noted_and_stops_nobody_else(quiet):
    posting.notice("c-refused", ["editor@minzheng", "head@minzheng"])
    with posting.mail_server() as box:
        box.answers = {email(quiet, "editor"): "550 5.1.1 no such user", email(quiet, "head"): "451 4.7.1 try later"}
        assert outbox.deliver() == {"notices": 1, "sent": 1, "put_off": 1, "given_up": 1}
        assert outbox.deliver(later(days=1)) == {"notices": 0, "sent": 0, "put_off": 1, "given_up": 0}, "550 is not tried again, 451 is"
        box.answers.clear()
        assert outbox.deliver(later(days=2))["sent"] == 1
    assert [mail["To"] for mail in box.mails] == [email(quiet, "editor2"), email(quiet, "head")]
    [refused] = [row for row in posting.deliveries() if row.sent_at is None]
    assert refused.last_error == "550 5.1.1 no such user" and refused.recipient == quiet.users["editor"]["id"]


def test_a_mail_that_was_taken_and_not_confirmed_comes_again_under_the_same_number(quiet):
    posting.notice("c-twice", ["head@minzheng"])
    with posting.mail_server() as box:
        box.hang_up = True
        assert outbox.deliver()["put_off"] == 1
        box.hang_up = False
        assert outbox.deliver(later(minutes=2))["sent"] == 1
    assert len(box.mails) == 2 and len(set(box.numbers())) == 1


def test_two_who_send_at_once_send_each_mail_once(quiet, ckan_config):
    for number in range(40):
        posting.notice(f"c-both-{number}", ["editor@minzheng", "head@minzheng"])
    with posting.mail_server() as box:
        environ = {**os.environ, "CKAN_SMTP_SERVER": ckan_config["smtp.server"]}
        command = [str(CKAN), "-c", ckan_config["__file__"], "mulu", "clockwork", "--once"]
        both = [subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        said = [one.communicate(timeout=180) for one in both]
        assert [one.returncode for one in both] == [0, 0], said
    assert len(box.mails) == 120 and len(set(box.numbers())) == 120
    assert outbox.counts() == {"waiting": 0, "mail_waiting": 0, "mail_given_up": 0, "unheard": 0}
    assert len(posting.deliveries("portal")) == 120


def test_who_is_gone_or_was_never_there_is_noted(quiet):
    gone = quiet.users["editor2"]["id"]
    user = model.User.get(gone)
    user.state = "deleted"
    model.Session.commit()
    try:
        posting.notice("c-gone", ["editor@minzheng"])
        posting.notice("c-nobody", ["head@nowhere"])
        with posting.mail_server() as box:
            assert outbox.deliver() == {"notices": 2, "sent": 1, "put_off": 0, "given_up": 0}
        assert [mail["To"] for mail in box.mails] == [email(quiet, "editor")]
        assert [row.last_error for row in posting.deliveries() if row.recipient == gone] == ["账号已停用"]
        assert gone not in [row.recipient for row in posting.deliveries("portal")]
        assert outbox.counts()["unheard"] == 1 and outbox.counts()["mail_given_up"] == 1
    finally:
        model.User.get(gone).state = "active"
        model.Session.commit()


def test_who_left_between_is_not_mailed(quiet):
    posting.notice("c-left", ["head@minzheng"])
    with changed_config("smtp.server", f"127.0.0.1:{posting.free_port()}"):
        outbox.deliver()
    head = model.User.get(quiet.users["head"]["id"])
    head.state = "deleted"
    model.Session.commit()
    try:
        with posting.mail_server() as box:
            assert outbox.deliver(later(minutes=2))["given_up"] == 1 and box.mails == []
    finally:
        model.User.get(quiet.users["head"]["id"]).state = "active"
        model.Session.commit()


def test_the_public_is_told_where_an_address_was_given(quiet):
    place = {"type": "place", "id": "huarong", "org": "", "title": "道路积水数据"}
    for case, given in (("c-public", {"email": "wang@example.org", "name": "王女士"}), ("c-silent", {})):
        posting.notice(
            case, [f"public@public:R-{case}"], "refusal", "demand", "confirm_decline", "authority", "received",
            {"reason": "涉及国家安全"}, place, f"public:R-{case}", given, label="不予满足并告知", reason="涉及国家安全",
        )  # fmt: skip
    with posting.mail_server() as box:
        assert outbox.deliver() == {"notices": 2, "sent": 1, "put_off": 0, "given_up": 0}
    [mail] = box.mails
    plain = mail.get_body(("plain",)).get_content()
    assert mail["To"] == "wang@example.org" and "王女士：" in plain and "R-c-public" in plain and "涉及国家安全" in plain
    assert "/ask/status/" in plain and "/mulu/case/" not in plain
    assert "申请复核" not in plain  # there is no entry whose class could be reviewed
    [pdf] = [part for part in mail.iter_attachments() if part.get_content_type() == "application/pdf"]
    assert pdf.get_content().startswith(b"%PDF") and pdf.get_filename() == "不予同意决定书.pdf"


def test_an_applicant_with_an_account_reads_it_in_the_portal(quiet):
    citizen = quiet.users["citizen"]["id"]
    posting.notice("c-citizen", [f"public@{citizen}"], "receipt", "demand", "open", "applicant", filed_by=citizen)
    posting.notice("c-applicant", [f"applicant@{citizen}"], "decision", "open_application", "decide", "head", "deciding", filed_by=citizen)
    with posting.mail_server() as box:
        assert outbox.deliver()["sent"] == 2
    assert {mail["To"] for mail in box.mails} == {email(quiet, "citizen")}
    assert quiet.do("citizen", "mulu_notice_list")["unread"] == 2


@pytest.mark.parametrize("address", ["no at sign", "a@b\nBcc: c@example.org", "名字@example.org"])
def test_an_impossible_address_breaks_nothing(quiet, address):
    head = model.User.get(quiet.users["head"]["id"])
    before = head.email
    model.Session.execute(text('update "user" set email = :email where id = :id'), {"email": address, "id": head.id})
    model.Session.commit()
    try:
        posting.notice(f"c-odd-{abs(hash(address))}", ["head@minzheng", "editor@minzheng"])
        with posting.mail_server() as box:
            done = outbox.deliver()
        assert done["sent"] + done["given_up"] == 3 and done["put_off"] == 0 and done["sent"] >= 2
        assert all("c@example.org" not in str(mail["To"]) for mail in box.mails)
    finally:
        model.Session.execute(text('update "user" set email = :email where id = :id'), {"email": before, "id": head.id})
        model.Session.commit()


def test_a_notice_that_cannot_be_written_stops_no_other(quiet):
    posting.notice("c-broken", ["head@minzheng"], template="no_such_letter")
    posting.notice("c-whole", ["head@minzheng"])
    with posting.mail_server() as box:
        assert outbox.deliver()["sent"] == 1
    assert "c-whole" in box.mails[0].get_body(("plain",)).get_content()
    assert outbox.counts()["waiting"] == 1 and outbox.counts()["unheard"] == 1


def test_who_joins_a_demand_is_told_what_came_of_it_and_nobody_of_the_others(quiet, monkeypatch):
    configured(monkeypatch)
    visitor = Visitor(quiet.app)
    data = {**REQUESTS["demand"], "title": "湿地鸟类名录", "name": "赵甲（虚构）", "email": "jia@example.com"}
    first = visitor.receipt("demand", data=data)
    second = visitor.receipt("demand", data={**data, "name": "钱乙（虚构）", "email": "yi@example.com"})
    again = visitor.receipt("demand", data={**data, "email": "jia@example.com"})
    visitor.receipt("demand", data={key: value for key, value in data.items() if key != "email"})
    case = quiet.do("authority", "mulu_case_list", q="湿地鸟类")["results"][0]["id"]
    quiet.event("authority", case, "ask_more", reason="请第一位说明范围")
    with posting.mail_server() as box:
        outbox.deliver()
        assert [mail["Subject"].partition("：")[0] for mail in box.to("jia@example.com")] == ["收件回执", "请补充说明的通知"]
        assert box.to("yi@example.com") == [], "the receipt and the question are the first one's"
        box.mails.clear()
        quiet.event("authority", case, "confirm_decline", reason="没有部门采集")
        late = visitor.ask("demand", data={**data, "email": "late@example.com"})
        assert late.status_code == 201
        outbox.deliver()
    [one], [other] = box.to("jia@example.com"), box.to("yi@example.com")
    assert box.to("late@example.com") == [mail for mail in box.mails if "收件回执" in mail["Subject"] and mail["To"] == "late@example.com"]
    told = {mail["To"]: str(mail) + "".join(mail.get_body((kind,)).get_content() for kind in ("plain", "html")) for mail in (one, other)}
    assert first["receipt"] in told["jia@example.com"] and "赵甲" in told["jia@example.com"]
    assert second["receipt"] in told["yi@example.com"] and "没有部门采集" in told["yi@example.com"]
    assert not [word for word in ("jia@", "赵甲", "钱乙", first["receipt"], again["receipt"]) if word in told["yi@example.com"]]
    assert not [word for word in ("yi@", "钱乙", second["receipt"]) if word in told["jia@example.com"]]


def test_who_filed_with_an_account_is_asked_on_the_page_of_the_case(quiet):
    person = quiet.users["citizen" if "citizen" in quiet.users else "editor"]["id"]
    more = {"procedure": "demand", "event": "ask_more", "role": "authority", "state": "received", "filed_by": person}
    posting.notice("c-asked", [f"public@{person}"], "question", reason="请写明是哪一年", **more)
    posting.notice("c-unnamed", ["public@public:HUARONG-GX-20260105-00001-X"], "question", data={"email": "nobody@example.com"}, **more)
    with posting.mail_server() as box:
        outbox.deliver()
    told = {mail["To"]: [mail.get_body((kind,)).get_content() for kind in ("plain", "html")] for mail in box.mails}
    without = told.pop("nobody@example.com")
    [account] = told.values()
    assert all("查询码" not in text and "/mulu/case/c-asked" in text and "登录后" in text for text in account)
    assert all("查询码" in text and "/mulu/case/" not in text for text in without)
