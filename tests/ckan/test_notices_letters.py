"""Every letter that a procedure or a clock names, for cases in which everything was filled in: as page, text and PDF."""

from __future__ import annotations

import re
import uuid
import zlib

import ckan.plugins.toolkit as tk
import posting
import pytest
from ckan import model
from sqlalchemy import text
from town import ENTRY

import mulu.citations
from ckanext.mulu import entries
from ckanext.mulu.model.tables import case as case_table
from ckanext.mulu.notices import letters
from mulu import forms
from mulu.case import PROCEDURES, load_procedure
from mulu.people import OWN_ROLES
from mulu.profile import load

OF_CLOCKS = ("reminder", "overdue", "escalation", "recomputed")
WORDS = "甲<乙>&“丙”\n第二行"
ITEMS = ["姓名", "住址", "收入"]


def named():
    """(procedure, event, template) of every letter; of clocks for each procedure that has one."""
    for name in PROCEDURES:
        procedure = load_procedure(name)
        for event in (procedure.opening, *procedure.events.values()):
            for letter in event.letters:
                yield name, event.key, letter.template
        if procedure.clocks:
            yield from ((name, "clock", template) for template in OF_CLOCKS)


@pytest.fixture(scope="module")
def entry(town):
    rows = [{**ENTRY["items"][0], "name": name} for name in ITEMS]
    return town.published("困难群众信息", items=rows, share_type="conditional", share_condition="限民政业务使用")["id"]


def filled(procedure, fields, entry):
    """Something in every field, of its kind."""
    place = entries.profile()
    values = {
        "text": "甲<乙>&丙", "long_text": WORDS, "date": "2027-01-08", "flag": True, "number": 3, "list": ["营业<执照>", "授权书"],
        "asked": [{"id": entry, "items": ITEMS, "reasons": {}}], "email": "a@example.org", "department": "jiaoyu", "entry_link": entry,
        "decisions": [{"id": entry, "decision": "partly", "items": ["姓名"], "reason": "住址与申请的用途无关"}], "files": [{"id": "1", "name": "a.pdf"}],
        "review": {"by": "甲", "on": "2026-01-01", "conclusion": "不涉密"}, "class": {"open_type": "none"}, "object": {}, "entry": {}, "credit_code": "1" * 18,
    }  # fmt: skip
    found = {}
    for field in fields:
        options = list(forms.in_place((field,), place)[0].options)
        found[field.key] = options[:1] if field.kind == "choices" else options[0] if field.kind == "choice" else values[field.kind]
    return found | {key: "jiaoyu" for key in ("consumer", "asking") if key in found} | ({"entries": [entry]} if "entries" in found else {})


@pytest.fixture
def made(town, entry):
    """Makes a letter's case; gives (case id, seq)."""
    posting.forget()

    def make(name, event_key, template):
        procedure = load_procedure(name)
        event = {one.key: one for one in (procedure.opening, *procedure.events.values())}.get(event_key)
        before = filled(procedure, procedure.fields.values(), entry)
        data = filled(procedure, event.fields, entry) | {"reason": WORDS} if event else {}
        state = next(iter(event.by)) if event else next(iter(procedure.states))
        role = next((spec.name for specs in event.by.values() for spec in specs), "authority") if event else "system"
        case = str(uuid.uuid4())
        to = ["public@public:R-1"] if role in OWN_ROLES else ["editor@minzheng", "head@minzheng", "authority"]
        due = {"due_on": "2027-01-08", "provisional": True, "article": "政务数据共享条例 第十三条", "label": "办理", "reason": data.get("reason", "")}
        clock = {} if event else {"clock": "x", "clock_label": "答复"}
        about = {"id": entry, "type": "entry"} if "entry" in procedure.about else {"id": "minzheng", "type": procedure.about[0]}
        subject = {**about, "org": "minzheng", "title": "全县<中小学校>基本信息"}
        posting.notice(case, to, template, name, event_key, role, state, data, subject, earlier=before, **due, **clock)
        return case, 2

    yield make
    posting.forget()


@pytest.mark.parametrize(("name", "event", "template"), [pytest.param(*one, id="-".join(one)) for one in named()])
def test_a_letter_is_whole_as_page_and_as_text(made, name, event, template):
    case, seq = made(name, event, template)
    letter = letters.of_event(case, seq, template)
    for said in (letter.html, letter.text):
        assert "None" not in said and "{{" not in said and "Undefined" not in said
        assert "华容县" in said and re.search(r"\d{4}年\d+月\d+日", said) and load_procedure(name).title in said
    assert "甲<乙>" not in letter.html and "<p></p>" not in letter.html
    assert letter.title and letter.title in letter.html
    if template in ("decision", "refusal", "returned", "consent"):
        assert "第二行" in letter.html and "第二行" in letter.text


def inflated(pdf):
    return b"".join(zlib.decompressobj().decompress(part) for part in re.findall(rb"stream\n(x.*?)\nendstream", pdf, re.DOTALL))


@pytest.mark.parametrize("template", sorted({one[2] for one in named()}))
def test_a_letter_is_a_pdf_without_a_complaint(made, template, caplog):
    name, event, _ = next(one for one in named() if one[2] == template)
    letter = letters.of_event(*made(name, event, template), template)
    content = letter.pdf()
    assert content.startswith(b"%PDF") and b"CJK" in inflated(content), "its Chinese is set in a font that has it"
    assert not [record for record in caplog.records if record.name == "weasyprint"]


def test_a_decision_names_each_entry_its_items_the_reason_and_how_to_object(made):
    letter = letters.of_event(*made("sharing_application", "decide", "decision"), "decision")
    for said in (letter.html, letter.text):
        for part in ("困难群众信息", "部分同意", "姓名", "住址、收入", "住址与申请的用途无关", "申请协调", "第二十一条"):
            assert part in said
    assert letter.html.index("机构minzheng、华容县行政审批服务局：") < letter.html.index('<div class="sign"><p>机构minzheng</p>')


def test_a_refusal_to_a_citizen_says_how_to_have_it_reviewed(made):
    letter = letters.of_event(*made("open_application", "decide", "decision"), "decision")
    assert "申请复核（依据：华容县政务信息资源管理暂行办法 第二十八条）" in letter.text


def test_nothing_is_said_of_objections_where_all_was_given(town, entry):
    posting.forget()
    asked = {"asked": [{"id": entry, "items": ITEMS}]}
    data = {"decisions": [{"id": entry, "decision": "agreed", "reason": ""}]}
    posting.notice("L-all", ["editor@jiaoyu"], "decision", "sharing_application", "decide", "head", "deciding", data, earlier=asked)
    said = letters.of_event("L-all", 2, "decision").text
    assert "同意提供：姓名、住址、收入" in said and "异议" not in said


def test_what_is_missing_is_listed(made):
    letter = letters.of_event(*made("sharing_application", "ask_completion", "completion"), "completion")
    assert "1. 营业<执照>" in letter.text and "2. 授权书" in letter.html and "营业&lt;执照&gt;" in letter.html and "暂停计算" in letter.text


def test_a_letter_tells_what_stood_then(made):
    """What is filled in later does not change a letter that went out."""
    case, seq = made("sharing_application", "decide", "decision")
    before = letters.of_event(case, seq, "decision")
    row = model.Session.execute(text("select body from mulu_case where id = :id"), {"id": case}).scalar_one()
    row["data"] |= {"decisions": [], "asked": []}
    model.Session.execute(case_table.update().where(case_table.c.id == case).values(body=row))
    model.Session.commit()
    assert letters.of_event(case, seq, "decision") == before


def test_there_is_no_letter_that_an_event_has_not(made):
    case, seq = made("rectification", "accept", "decision")
    for number, template in ((seq, "refusal"), (1, "decision"), (9, "decision"), (seq, "../promise"), (9, "promise")):
        with pytest.raises(tk.ObjectNotFound):
            letters.of_event(case, number, template)
    with pytest.raises(tk.ObjectNotFound):
        letters.of_event("nowhere", 1, "decision")


def test_a_promise_is_drawn_before_it_is_filed_and_kept_with_the_case(town, entry):
    data = {"asked": [{"id": entry, "items": ["姓名"]}], "consumer": "jiaoyu", "purpose": "入学<核验>", "until": "2027-01-08"}
    drawn = str(letters.promise({"procedure": "sharing_application", "data": data}))
    for part in ("政务数据使用承诺书", "困难群众信息", "机构minzheng", "入学&lt;核验&gt;", "2027年1月8日", "第二十五条", "第二十七条", "湖南省政务信息资源共享管理办法 第十九条"):
        assert part in drawn, part
    assert "启东" not in drawn and "湘潭" not in drawn
    posting.forget()
    posting.notice("L-promise", ["head@jiaoyu"], "turn", "sharing_application", "submit", "editor", "draft", {**data, "promise": True})
    kept = letters.of_event("L-promise", 1, "promise")
    assert kept.title == "政务数据使用承诺书" and kept.pdf().startswith(b"%PDF")
    assert '<p class="to">机构minzheng：' in kept.html and '<div class="sign"><p>机构jiaoyu</p>' in kept.html
    assert [one["template"] for one in letters.of_case("L-promise")] == ["promise"]


@pytest.mark.parametrize("data", [{}, {"asked": "x", "until": "bald", "purpose": 7}, {"asked": [{"id": None}, 3]}, {"asked": [{"id": "gone", "items": None}]}], ids=str)
def test_a_promise_is_drawn_from_whatever_was_filled_in(town, data):
    assert "承诺事项" in letters.promise({"procedure": "open_application", "data": data})


def test_a_place_has_its_own_name_and_terms_for_the_promise(town, monkeypatch):
    monkeypatch.setitem(tk.config, "mulu.profile", "xiangtan")
    drawn = letters.promise({"procedure": "sharing_application", "data": {}})
    assert "湘潭市政务信息资源使用承诺函" in drawn and "二（四）" in drawn and "未经许可扩散" in drawn


def test_every_term_of_the_promise_cites_an_article_that_exists():
    for row in letters._terms():
        assert not row["article"] or mulu.citations.cite(row["article"])
        assert row["in"] == load(row["in"]).id and row["for"] in PROCEDURES
