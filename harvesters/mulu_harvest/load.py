"""Drafts → CKAN, through the one action that takes entries; knows no CKAN but that action's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from .record import Draft

Call = Callable[[str, dict[str, Any]], dict[str, Any]]
CHUNK = 100
_LISTS = ("created", "updated", "unchanged", "refused", "drafts_with_problems")


@dataclass
class LoadResult:
    """What became of the drafts, each list as ``mulu_entry_import`` returns it; ``sent``: drafts that were answered for."""

    created: list[dict[str, Any]] = field(default_factory=list)
    updated: list[dict[str, Any]] = field(default_factory=list)
    unchanged: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    drafts_with_problems: list[dict[str, Any]] = field(default_factory=list)
    sent: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {name: len(getattr(self, name)) for name in _LISTS} | {"sent": self.sent}

    def add(self, answer: Mapping[str, Any], sent: int) -> None:
        """Take in the answer for one chunk."""
        for name in _LISTS:
            getattr(self, name).extend(answer.get(name, ()))
        self.sent += sent


class LoadStopped(Exception):
    """The portal failed in the middle. Chunks before are in, whole; nothing of the failed chunk is. ``result``: so far."""

    def __init__(self, result: LoadResult, cause: Exception) -> None:
        self.result = result
        super().__init__(f"导入中断：前 {result.sent} 条已处理，其后的未导入，可重新导入同一文件继续。原因：{cause}")


class Loader:
    """Sends drafts in chunks.

    :param call: ``call(action, data) -> dict``, the shape of ckanapi's ``call_action``.
    """

    def __init__(self, call: Call, chunk: int = CHUNK) -> None:
        self._call, self._chunk = call, chunk

    def load(
        self,
        drafts: Iterable[Draft],
        *,
        organization: str = "",
        incomplete: Literal["refuse", "draft"] = "refuse",
        dry_run: bool = False,
        submit: bool = False,
        source: Mapping[str, str] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> LoadResult:
        """Load all drafts.

        :param organization: slug of the department that owns them all; ``""``: each entry names its own.
        :param incomplete: what to do with an entry that has errors: refuse it, or keep it as a draft.
        :param submit: send entries without errors on to the department's head at once.
        :param progress: told the number of drafts answered for after each chunk.
        :raises LoadStopped: the call failed; what was loaded before stays.
        """
        result = LoadResult()
        settings: dict[str, Any] = {"incomplete": incomplete, "dry_run": dry_run, "submit": submit}
        if organization:
            settings["organization"] = organization
        if source:
            settings["source"] = dict(source)
        for chunk in _chunks(drafts, self._chunk):
            entries = [
                {
                    "entry": draft.entry,
                    "where": draft.where,
                    "problems": [problem.to_dict() for problem in draft.problems],
                }
                for draft in chunk
            ]
            try:
                answer = self._call("mulu_entry_import", {"entries": entries, **settings})
            except Exception as error:
                raise LoadStopped(result, error) from error
            result.add(answer, len(chunk))
            if progress:
                progress(result.sent)
        return result


def _chunks(drafts: Iterable[Draft], size: int) -> Iterator[list[Draft]]:
    iterator = iter(drafts)
    while chunk := list(islice(iterator, size)):
        yield chunk
