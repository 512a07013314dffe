"""What the rules want to know of the world outside a case. Each fact is found only when a rule asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ckanext.mulu import entries
from ckanext.mulu.model import versions
from mulu import asking
from mulu.entry import with_class
from mulu.people import SYSTEM
from mulu.profile import Profile


class Facts(Mapping[str, Any]):
    """Facts about one step: subject, the case's data with what is filled in now, and the place's rules.

    ``entry``: the entry of the subject in wire form, where the caller has it at hand; ``authors``: the case's.
    """

    def __init__(
        self, procedure: str, subject: Mapping[str, Any], data: Mapping[str, Any], place: Profile, entry: dict[str, Any] | None = None,
        authors: Iterable[str] = (),
    ) -> None:  # fmt: skip
        self.procedure, self.subject, self.data, self.place, self.authors = procedure, subject, data, place, authors
        self._entry, self._found = entry, dict[str, Any]()

    def __getitem__(self, name: str) -> Any:
        if name not in self._found:
            self._found[name] = FACTS[name](self)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(FACTS)

    def __len__(self) -> int:
        return len(FACTS)

    def __contains__(self, name: object) -> bool:
        return name in FACTS

    @property
    def entry(self) -> dict[str, Any]:
        """The subject's entry as it stands in CKAN."""
        if self._entry is None:
            self._entry = entries.to_entry(entries.show(self.subject["id"]))
        return self._entry


def _entry_problems(now: Facts) -> list[dict[str, Any]]:
    """Of what a review proposes, or of the entry with the class that is asked for."""
    if now.procedure == "catalogue_review":
        after = now.data.get("proposed") or now.entry
    else:
        after = with_class(now.entry, now.data.get("after") or {})
    return [problem.to_dict() for problem in entries.problems_of(after)]


def _asked_problems(now: Facts) -> list[Any]:
    asked = now.data.get("asked")
    if not asking.well_formed(asked):
        return []  # the form says so itself
    kind: asking.Kind = "sharing" if now.procedure == "sharing_application" else "opening"
    published = versions.last_of(one["id"] for one in asked)
    if kind == "opening":
        published = {key: entry for key, entry in published.items() if key == now.subject["id"]}
    share_class = str(now.data.get("share_class") or "")
    consumer = str(now.data.get("consumer") or "")
    return asking.problems(
        asked, published, kind, now.place, provider=now.subject["org"], share_class=share_class, consumer=consumer
    )


def _is_published(now: Facts) -> bool:
    linked = now.data.get("entry")
    return isinstance(linked, str) and bool(versions.last_of([linked]))


def _source_is_party(now: Facts) -> bool:
    return now.data.get("source") in (now.subject["org"], *(now.data.get("others") or ()))


FACTS: dict[str, Callable[[Facts], Any]] = {
    "entry_problems": _entry_problems,
    "published_entry": lambda now: versions.last(now.subject["id"])[1],
    "published_version": lambda now: versions.last(now.subject["id"])[0],
    "first_deciders": lambda now: versions.class_deciders(now.subject["id"]),
    "asked_problems": _asked_problems,
    "entry_published": _is_published,
    "source_is_party": _source_is_party,
    "subject_published": lambda now: bool(versions.last_of([now.subject["id"]])),
    "changed_here": lambda now: bool(set(now.authors) - {SYSTEM.id}),
}
