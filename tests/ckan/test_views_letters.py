"""Every letter that a procedure or a clock names is there, as text and as HTML, and says what it must."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from mulu.case import PROCEDURES, load_procedure

FOLDER = Path(__file__).resolve().parents[2] / "templates" / "notices"
OF_CLOCKS = {"reminder", "overdue", "escalation", "recomputed"}
CONTEXT = {
    "place": "华容县", "sender": "华容县行政审批服务局", "recipient": "县教育局", "date": "2026-11-21", "url": "https://example.org/mulu/case/1",
    "case": {"id": "c-1", "title": "全县<中小学校>基本信息", "procedure_title": "目录审核"}, "event": "return_to_editor", "label": "退回修改",
    "reason": "一、摘要太短\n二、没有依据", "article": "政务数据共享条例 第十三条", "due_on": "2027-01-08", "provisional": True,
    "clock": "authority_review", "clock_label": "主管部门审核",
}  # fmt: skip


def named():
    events = [event for name in PROCEDURES for event in (load_procedure(name).opening, *load_procedure(name).events.values())]
    return sorted({letter.template for event in events for letter in event.letters} | OF_CLOCKS | {"receipt"})


def render(name, **changes):
    loader = jinja2.FileSystemLoader(FOLDER)
    env = jinja2.Environment(loader=loader, autoescape=jinja2.select_autoescape(["html"]), undefined=jinja2.StrictUndefined)
    return env.get_template(name).render(**{**CONTEXT, **changes})


@pytest.mark.parametrize("kind", ["txt", "html"])
@pytest.mark.parametrize("name", named())
def test_a_letter_says_what_it_is_about_and_who_signs(name, kind):
    letter = render(f"{name}.{kind}")
    title = CONTEXT["case"]["title"] if kind == "txt" else "全县&lt;中小学校&gt;基本信息"
    for part in (title, "c-1", "县教育局：", "华容县行政审批服务局", "2026年11月21日", "政务数据共享条例 第十三条"):
        assert part in letter
    assert "None" not in letter and "{{" not in letter


@pytest.mark.parametrize("name", ["returned", "refusal", "decision"])
def test_all_reasons_are_in_the_letter(name):
    assert "一、摘要太短" in render(f"{name}.txt") and "<p>二、没有依据</p>" in render(f"{name}.html")


def test_a_provisional_deadline_is_said_to_be_so():
    assert "2027年1月8日（暂定" in render("reminder.txt")
    assert "暂定" not in render("reminder.txt", provisional=False)


def test_a_letter_without_deadline_or_reason_is_whole():
    for name in named():
        if name not in OF_CLOCKS:
            assert "止" not in render(f"{name}.txt", due_on="", provisional=False, reason="").split("事项：")[0].replace("终止", "")
