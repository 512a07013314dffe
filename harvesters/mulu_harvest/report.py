"""What was read, said to people (text) and to programs (JSON-able dict); the CLI and the upload page show the same."""

from __future__ import annotations

from collections import Counter
from typing import Any

from mulu.errors import Problem

from .form.reader import FormReport
from .record import Draft

_KINDS = {
    "entries": "目录",
    "items": "信息项",
    "demands": "需求清单",
    "notes": "说明",
    "hidden": "隐藏，未读",
    "empty": "空表",
    "other": "未认出",
}


def to_dict(report: FormReport) -> dict[str, Any]:
    """JSON-able: filename, refused, counts, sheets, problems, entries (with their problems), demands."""
    return {
        "filename": report.filename,
        "refused": report.refused,
        "counts": counts(report),
        "sheets": [
            {
                "name": s.name,
                "kind": s.kind,
                "kind_label": _KINDS[s.kind],
                "rows": s.rows,
                "note_rows": s.note_rows,
                "columns": dict(s.columns or {}),
            }
            for s in report.sheets
        ],
        "problems": [problem.to_dict() for problem in report.problems],
        "entries": [_draft(draft) for draft in report.entries],
        "demands": [dict(demand) for demand in report.demands],
    }


def counts(report: FormReport) -> dict[str, int]:
    """entries, sound (no error), with_errors, items, demands, errors and warnings (of the file and its entries together)."""
    problems = all_problems(report)
    sound = len(report.sound)
    return {
        "entries": len(report.entries),
        "sound": sound,
        "with_errors": len(report.entries) - sound,
        "items": sum(len(draft.entry.get("items", ())) for draft in report.entries),
        "demands": len(report.demands),
        "errors": sum(problem.severity == "error" for problem in problems),
        "warnings": sum(problem.severity == "warning" for problem in problems),
    }


def all_problems(report: FormReport) -> list[Problem]:
    """Those of the file, then those of each entry."""
    return [*report.problems, *(problem for draft in report.entries for problem in draft.problems)]


def by_rule(drafts: tuple[Draft, ...]) -> Counter[tuple[str, str]]:
    """(field without its index, rule) → how many entries have such an error."""
    found: Counter[tuple[str, str]] = Counter()
    for draft in drafts:
        found.update({(p.field.split("[")[0], p.rule) for p in draft.problems if p.severity == "error"})
    return found


def to_text(report: FormReport, *, limit: int = 200) -> str:
    """Lines for a terminal: the sum first, then each problem once.

    :param limit: lines of problems; what is left out is said, the JSON form holds all.
    """
    numbers = counts(report)
    lines = [f"文件《{report.filename}》：" + ("未导入" if report.refused else _sum(numbers))]
    for sheet in report.sheets:
        lines.append(
            f"  工作表《{sheet.name}》：{_KINDS[sheet.kind]}，{sheet.rows} 条"
            + (f"，表外说明 {sheet.note_rows} 行" if sheet.note_rows else "")
        )
    problems = [_line(problem) for problem in all_problems(report)]
    lines += problems[:limit]
    if len(problems) > limit:
        lines.append(f"  ……另有 {len(problems) - limit} 个问题，见完整报告")
    return "\n".join(lines)


def _sum(numbers: dict[str, int]) -> str:
    return (
        f"目录 {numbers['entries']} 条（可提交 {numbers['sound']} 条，有错误 {numbers['with_errors']} 条），"
        f"信息项 {numbers['items']} 个，需求 {numbers['demands']} 条；错误 {numbers['errors']} 个，提醒 {numbers['warnings']} 个"
    )


def _line(problem: Problem) -> str:
    """The message names its place already where the reader wrote it; a rule's message does not."""
    sign = "✗" if problem.severity == "error" else "！"
    place = "" if not problem.where or problem.message.startswith(problem.where) else f"{problem.where}："
    return f"  {sign} {place}{problem.message}" + (f"（{problem.article}）" if problem.article else "")


def _draft(draft: Draft) -> dict[str, Any]:
    return {
        "title": draft.title,
        "where": draft.where,
        "sound": draft.sound,
        "entry": draft.entry,
        "problems": [p.to_dict() for p in draft.problems],
    }
