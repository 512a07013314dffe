"""The public site: a snapshot of what is published, and pages made of it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import click

from mulu_ops import portal, programs
from mulu_ops.errors import Missing
from mulu_ops.importing import progress
from mulu_ops.settings import Settings
from mulu_site import release
from mulu_site.build import Report, build
from mulu_site.generate import generate
from mulu_site.manifest import read_manifest
from mulu_site.release import BuildError
from mulu_site.snapshot import SnapshotError

WAIT = 1800.0
"""Seconds for which a build under way, the publisher's for one, is waited for."""


def take_snapshot(settings: Settings) -> Path:
    """All that is published now, sealed, as a file in var/."""
    file = settings.var / "snapshot" / f"{settings.database('demo')}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    portal.ckan(settings, "demo", "mulu", "snapshot", "--demo", str(file))
    return file


def build_site(
    settings: Settings, *, snapshot: Path | None = None, out: Path | None = None, allow_withdrawal: bool = False
) -> Report:
    """Build from a snapshot (a fresh one of the running portal unless given) and publish it in one step.

    ``allow_withdrawal``: even where more than half of what is published is gone.
    """
    file = snapshot or take_snapshot(settings)
    # The parts of the work are not of equal length and their number is known only when the builder tells it.
    with progress("公共站点", 1) as bar:

        def advance(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        own = snapshot is None
        try:
            report = build(
                file,
                out or settings.site,
                portal_url=settings.url("ckan") if own else "",
                site_url=settings.url("site") if own else "",
                allow_withdrawal=allow_withdrawal,
                wait=WAIT,
                progress=advance,
            )
        except (SnapshotError, BuildError) as error:
            raise Missing(str(error)) from None
    if out is None:
        _stamp(settings).write_text(programs.fingerprint(programs.SITE_FOLDERS))
    return report


def outdated(settings: Settings) -> bool:
    """No site was built here yet, or its pages were made by other templates."""
    stamp = _stamp(settings)
    built = (settings.site / "current").exists() and stamp.exists()
    return not built or stamp.read_text() != programs.fingerprint(programs.SITE_FOLDERS)


def _stamp(settings: Settings) -> Path:
    file = settings.var / "state" / "site.source"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


class Kept(NamedTuple):
    """A finished release. ``current``: it is what readers see."""

    name: str
    entries: int
    current: bool


def kept(out: Path) -> list[Kept]:
    """Releases of the site in ``out``, the oldest first."""
    now = release.current(out)
    return [Kept(one.name, _entries(one), one == now) for one in release.releases(out.resolve())]


def _entries(one: Path) -> int:
    return sum(name.startswith("entry/") for name in read_manifest(one.with_name(one.name + ".manifest")))


def roll_back(out: Path) -> str:
    """Publish the release before the current one; gives its name."""
    try:
        return release.roll_back(out, wait=WAIT).name
    except BuildError as error:
        raise Missing(str(error)) from None


def generate_snapshot(count: int, out: Path) -> None:
    """A made-up snapshot for benches and tests; no portal needed."""
    generate(count, out)
    click.echo(f"{out}：虚构的目录 {count} 条")
