"""`mulu import` and `mulu harvest`: files and portals' lists into the portal, with a report of every problem."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import click

from mulu.profile import load as load_profile
from mulu_harvest import report as form_report
from mulu_harvest.form import read_form
from mulu_harvest.load import Loader, LoadResult, LoadStopped
from mulu_harvest.normalise import check, normalise
from mulu_harvest.readers.portal import PortalReading, read_portal
from mulu_harvest.record import Draft
from mulu_harvest.source import Source, SourceError, load_source
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


def harvest(
    api: Api, folder: Path, *, file: Path | None, partial: bool, profile: str, create_departments: bool, options: Options
) -> Outcome:
    """A portal's list by its ``source.yml``; the list lies beside it unless ``file`` names another.

    ``partial``: the file holds only some of the source, so its number of entries says nothing.
    """
    try:
        source = load_source(folder)
        path = file or folder / source.file
        reading = read_portal(source, path, known=api.departments(), expected=(0, sys.maxsize) if partial else None)
    except SourceError as error:
        raise Missing(str(error)) from None
    if create_departments and not options.dry_run:
        add_departments(api, [{"name": slug, "title": title} for slug, title in reading.departments.items()])
    drafts = tuple(check(normalise(record, lookups=source.lookups), load_profile(profile)) for record in reading.records)
    said = {"rows": reading.rows, "repeated": reading.repeated, "entries": len(drafts),
            "sound": sum(draft.sound for draft in drafts), "departments": dict(reading.departments)}  # fmt: skip
    outcome = Outcome(source.title, _said(reading, drafts), said, refused=False)
    outcome.loaded = load(api, drafts, "", {"name": source.name, "url": source.url}, options, source.title)
    return outcome


def add_departments(api: Api, departments: Iterable[dict[str, str]]) -> int:
    """Make the organisations that are not there yet; dicts of ``name`` (slug) and ``title``. Gives how many were made."""
    there = set(api.departments().values())
    missing = [department for department in departments if department["name"] not in there]
    for department in missing:
        api.call("organization_create", dict(department))
    return len(missing)


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


def _said(reading: PortalReading, drafts: Sequence[Draft]) -> str:
    source: Source = reading.source
    sound = sum(draft.sound for draft in drafts)
    return (f"来源“{source.title}”：{reading.rows} 行，重复 {reading.repeated} 行，目录 {len(drafts)} 条"
            f"（可提交 {sound} 条），部门 {len(reading.departments)} 个")  # fmt: skip
