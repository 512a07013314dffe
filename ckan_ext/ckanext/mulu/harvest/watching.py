"""A run looked at from a terminal until it is over: carried out here, unless a worker was quicker. Progress goes to standard error."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import click
from ckan import model
from sqlalchemy import select

from ckanext.mulu.harvest import hooks, runs, words
from ckanext.mulu.harvest.execute import Busy, execute
from ckanext.mulu.model.tables import harvest_run
from ckanext.mulu.transaction import transaction
from mulu.people import SYSTEM

PAUSE = 0.5
_COLUMNS = (harvest_run.c.state, harvest_run.c.phase, harvest_run.c.counts, harvest_run.c.error, harvest_run.c.not_before)


def to_its_end(run_id: str) -> dict[str, Any]:
    """The run as ``runs.shown``, once it is over or held."""
    over = threading.Event()
    shown = threading.Thread(target=_show, args=(run_id, over), daemon=True)
    shown.start()
    try:
        try:
            execute(run_id)
        except Busy:
            while _row(run_id).state in runs.OPEN:
                time.sleep(PAUSE)
    finally:
        over.set()
        shown.join(5)
    model.Session.rollback()  # what was read before is another transaction's past
    return runs.shown(runs.get(run_id, SYSTEM))


def give_up(run_id: str) -> None:
    """Whoever watched goes away: the run is asked to stop."""
    model.Session.rollback()
    with transaction({}):
        run = runs.get(run_id, SYSTEM)
        if run.state in runs.OPEN:
            runs.stop(run)


def _row(run_id: str) -> Any:
    """By a connection of its own: the run's may be in the middle of something."""
    with model.meta.engine.connect() as connection:
        return connection.execute(select(*_COLUMNS).where(harvest_run.c.id == run_id)).one()


def _show(run_id: str, over: threading.Event) -> None:
    """One line that changes where somebody looks; a line whenever the phase changes where it is kept in a file."""
    stream, live, before = click.get_text_stream("stderr"), sys.stderr.isatty(), ""
    while not over.wait(PAUSE):
        row = _row(run_id)
        phase = words.PHASES.get(row.phase, row.phase) if row.state == "running" else words.RUN_STATES[row.state][0]
        line = f"{phase}　{hooks.counted(row.counts)}".strip()
        if live:
            stream.write(f"\r\x1b[K{line}")
        elif phase != before:
            stream.write(f"{line}\n")
        stream.flush()
        before = phase
    if live:
        stream.write("\r\x1b[K")
        stream.flush()
