"""The public site follows the portal: what everybody may see has changed, so the site is built again, within a minute.

A program of its own (``ckan mulu publisher``), so that a large build holds up no mail and no deadline. What it goes by is not an
event that could be lost but a fingerprint of all that is public, looked at every ``PAUSE`` seconds and kept beside the site that was
built from it: after a standstill, a crash or a failed build the next look finds the difference again.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any

import ckan.model as model
from sqlalchemy import func, select

from ckanext.mulu import cases, marks, snapshot
from ckanext.mulu.feeds import published
from ckanext.mulu.model.tables import case, source
from ckanext.mulu.public_requests.intake import procedures
from mulu.case import SHANGHAI
from mulu_site.build import build
from mulu_site.release import BuildError, Busy
from mulu_site.snapshot import SnapshotError

log = logging.getLogger(__name__)

PAUSE = 15.0
"""Seconds between two looks."""
LONGEST_PAUSE = 600.0
"""Seconds between two tries of a build that fails."""
STATUS = "publisher.json"
"""Beside ``current``: {fingerprint, programs, built, release, entries, made}; after a failure {failed, error, tried} as well."""


class Stopped(Exception):
    """The program was told to stop; the build goes on where it was when it starts again."""


def fingerprint(programs: str) -> str:
    """Changes with whatever the snapshot tells: entries, departments, objections, sources, the ledger, the day that it counts from.

    ``programs``: those that make the site, as whoever started this one calls them. Ask for it before the snapshot is taken: a change
    that falls between the two is then found at the next look.
    """
    group = model.Group
    public = {*marks.OBJECTIONS, *(procedure.id for procedure in procedures())}
    cases_told = select(func.count(), func.max(case.c.updated_at)).where(case.c.procedure.in_(public))
    departments = select(group.name, group.extras).where(group.is_organization.is_(True), group.state == "active").order_by(group.name)
    rows = [tuple(row) for query in (cases_told, select(func.max(source.c.id)), departments) for row in model.Session.execute(query)]
    today = cases.now().astimezone(SHANGHAI).date().isoformat()
    told = (published.tag("site"), rows, today, programs)
    return sha256(repr(told).encode()).hexdigest()


class Publisher:
    """Builds from a snapshot in ``file`` into ``out``; ``demo`` as in ``ckan mulu snapshot``."""

    def __init__(self, out: Path, file: Path, *, demo: bool = False, stopped: Callable[[], bool] = lambda: False) -> None:
        self.out, self.file, self.demo, self.stopped = out, file, demo, stopped
        self.programs = os.environ.get("MULU_SOURCE", "")
        self.tries = 0

    def look(self) -> bool:
        """Builds if anything has changed since the last build; whether it did. A failure is told and raises nothing."""
        before = status(self.out)
        found = fingerprint(self.programs)
        if found == before.get("fingerprint") and (self.out / "current").exists():
            return False
        try:
            self._build(found)
        except (BuildError, SnapshotError, Stopped) as error:
            if not isinstance(error, Busy | Stopped):
                self._failed(str(error))
            return False
        except Exception as error:
            log.exception("publisher")
            self._failed(f"{type(error).__name__}: {error}")
            return False
        finally:
            model.Session.remove()
        self.tries = 0
        return True

    @property
    def pause(self) -> float:
        """Seconds until the next look: longer and longer while a build fails."""
        return min(PAUSE * 2**self.tries, LONGEST_PAUSE)

    def _build(self, found: str) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        snapshot.write(self.file, demo=self.demo)
        model.Session.remove()
        report = build(self.file, self.out, progress=self._advance)
        told = {"fingerprint": found, "programs": self.programs, "built": _now(), "release": report.release.name, "entries": report.entries, "made": len(report.made)}
        self._tell(told)
        log.info("site %s: %s entries, %s parts made", report.release.name, report.entries, len(report.made))

    def _advance(self, done: int, total: int) -> None:
        if self.stopped():
            raise Stopped

    def _failed(self, error: str) -> None:
        self.tries += 1
        log.error("site: %s", error)
        before = status(self.out)
        self._tell(before | {"failed": before.get("failed") or _now(), "error": error, "tried": _now()})

    def _tell(self, told: dict[str, Any]) -> None:
        file = self.out / STATUS
        self.out.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(STATUS + ".new")
        fresh.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        fresh.replace(file)


def status(out: Path) -> dict[str, Any]:
    """What the last build told, and whether later ones failed; {} before the first."""
    try:
        found = json.loads((out / STATUS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def behind(out: Path) -> bool:
    """Whether the portal has changed since the site was built."""
    before = status(out)
    return before.get("fingerprint") != fingerprint(before.get("programs", ""))


def loop(out: Path, file: Path, *, demo: bool = False) -> None:
    """Until told to stop (SIGTERM, SIGINT)."""
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    publisher = Publisher(out, file, demo=demo, stopped=stop.is_set)
    while not stop.is_set():
        try:
            publisher.look()
        except Exception:
            log.exception("publisher")
        finally:
            model.Session.remove()
        stop.wait(publisher.pause)


def _now() -> str:
    return datetime.now(SHANGHAI).isoformat(timespec="seconds")
