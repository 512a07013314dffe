"""``mulu cases import``: files that people brought, each request taken or refused by itself, one line of words for each."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import ckan.plugins.toolkit as tk
from werkzeug.datastructures import FileStorage

from ckanext.mulu.logic import refusal
from ckanext.mulu.public_requests import saved


class Line(NamedTuple):
    """What became of a request, or of a whole file that could not be read."""

    text: str
    taken: bool


def lines(files: Sequence[Path], received: str | None = None, attach: Sequence[Path] = ()) -> list[Line]:
    """Take what can be taken. received: the day on which it was handed in, None for today; attach: files for the only request."""
    try:
        day = saved.day_received(received)
    except tk.ValidationError as error:
        return [Line(_words(error), False)]
    found, rows = list[Line](), list[tuple[str, Any]]()
    for file in files:
        try:
            given = saved.read(file.read_bytes())
            rows += [(file.name if len(given) == 1 else tk._("{name} 第{n}件").format(name=file.name, n=n), row) for n, row in enumerate(given, start=1)]
        except tk.ValidationError as error:
            found.append(Line(f"{file.name}　{_words(error)}", False))
    if attach and len(rows) + len(found) != 1:
        return [Line(tk._("附件只能随单独一件申请录入；请一次只给一个文件"), False)]
    return found + [_filed(name, row, day, attach) for name, row in rows]


def _filed(name: str, row: Any, day: Any, attach: Sequence[Path]) -> Line:
    with contextlib.ExitStack() as opened:
        uploads = [FileStorage(opened.enter_context(path.open("rb")), path.name) for path in attach]
        try:
            done = saved.file(row, day, uploads)
        except (tk.ValidationError, tk.ObjectNotFound) as error:
            return Line(tk._("{name}　未收下：{why}").format(name=name, why=_words(error)), False)
    due = tk._("，应于{day}前答复").format(day=done["due_on"]) if done["due_on"] else ""
    told = tk._("{name}　{procedure}　受理编号 {receipt}　查询码 {code}　{day}收到{due}")
    return Line(told.format(name=name, procedure=done["procedure_title"], receipt=done["receipt"], code=done["code"], day=done["filed_on"], due=due), True)


def _words(error: Any) -> str:
    told = refusal.problems_of(error) if isinstance(error, tk.ValidationError) else [error.message]
    return "；".join(map(str, told))
