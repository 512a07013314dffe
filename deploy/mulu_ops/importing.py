"""`mulu import`: departments' files into the portal, with a report of every problem."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import click

from mulu.profile import load as load_profile
from mulu_harvest import report as form_report
from mulu_harvest.form import read_form
from mulu_harvest.load import Loader, LoadResult, LoadStopped
from mulu_harvest.record import Draft
from mulu_ops.api import Api
from mulu_ops.errors import Missing

Incomplete = Literal["draft", "refuse"]


@dataclass(frozen=True)
class Options:
    """How drafts are loaded; the fields are those of ``mulu_entry_import``."""

    incomplete: Incomplete = "refuse"
    dry_run: bool = False
    submit: bool = False


@dataclass
class Outcome:
    """What became of one file: what was read, and what the portal said. ``read`` is JSON-able; ``text`` is for a terminal."""

    label: str
    text: str
    read: dict[str, Any]
    refused: bool
    loaded: LoadResult = field(default_factory=LoadResult)

    @property
    def failed(self) -> bool:
        return self.refused or bool(self.loaded.refused)

    def to_dict(self) -> dict[str, Any]:
        return {"file": self.label, "failed": self.failed, "read": self.read, "counts": self.loaded.counts,
                "created": self.loaded.created, "updated": self.loaded.updated, "unchanged": self.loaded.unchanged,
                "refused": self.loaded.refused, "drafts_with_problems": self.loaded.drafts_with_problems}  # fmt: skip


def import_forms(api: Api, files: Sequence[Path], *, organization: str, profile: str, options: Options) -> Iterator[Outcome]:
    """Each file by itself: one that cannot be read does not keep the others out."""
    departments = api.departments()
    if organization and organization not in departments.values():
        raise Missing(f"门户中没有标识为“{organization}”的部门：请用 --org 给出部门页网址中的标识。")
    for path in files:
        read = read_form(path, path.name, profile=load_profile(profile), organization=organization, departments=departments)
        outcome = Outcome(path.name, form_report.to_text(read), form_report.to_dict(read), read.refused)
        if not read.refused:
            outcome.loaded = load(api, read.entries, organization, {"name": path.name, "url": ""}, options, path.name)
        yield outcome


def load(
    api: Api, drafts: Sequence[Draft], organization: str, source: dict[str, str], options: Options, label: str
) -> LoadResult:
    """Send the drafts with a progress bar; what the portal refuses is in the result, a portal that fails stops with a sentence."""
    with progress(label, len(drafts)) as bar:
        done = 0

        def advance(sent: int) -> None:
            nonlocal done
            bar.update(sent - done)
            done = sent

        try:
            return Loader(api.call).load(
                drafts, organization=organization, incomplete=options.incomplete, dry_run=options.dry_run,
                submit=options.submit, source=source, progress=advance,
            )  # fmt: skip
        except LoadStopped as stopped:
            raise Missing(str(stopped)) from None


@contextmanager
def progress(label: str, length: int) -> Iterator[Any]:
    """A bar on standard error, so that a report on standard output stays clean; silent where nobody watches."""
    stream = click.get_text_stream("stderr")
    with click.progressbar(length=length, label=label, file=stream, hidden=not stream.isatty()) as bar:
        yield bar


def result_text(outcome: Outcome) -> str:
    """The report of the reading, then what the portal did, every refusal with its place."""
    counts = outcome.loaded.counts
    lines = [outcome.text]
    if not outcome.refused:
        lines.append(
            f"  新建 {counts['created']} 条，更新 {counts['updated']} 条，没有变化 {counts['unchanged']} 条，"
            f"有问题的草稿 {counts['drafts_with_problems']} 条，未接受 {counts['refused']} 条"
        )
    for refusal in outcome.loaded.refused:
        problems = "；".join(p["message"] for p in refusal.get("problems", ()) if p.get("severity") != "warning")
        lines.append(f"  ✗ {refusal.get('where', '')}《{refusal.get('title', '')}》未接受：{problems}")
    return "\n".join(lines)


def as_json(outcomes: Sequence[Outcome]) -> str:
    return json.dumps([outcome.to_dict() for outcome in outcomes], ensure_ascii=False, indent=2)
