"""The people, the calendar and the small helpers of the rules' tests. No service, no file of this machine."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from mulu.case import SHANGHAI, apply, load_procedure, open_case
from mulu.files import read_yaml
from mulu.people import Person, Role
from mulu.procedure import parse
from mulu.workdays import Calendar

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared"


def person(id, *roles):
    return Person(id, f"人员{id}", frozenset(Role(*role) for role in roles))


class Town:
    """minzheng provides, jiaoyu asks."""

    editor = person("editor", ("editor", "minzheng"))
    head = person("head", ("head", "minzheng"))
    head2 = person("head2", ("head", "minzheng"), ("editor", "minzheng"))
    asker = person("asker", ("editor", "jiaoyu"))
    asking_head = person("asking_head", ("head", "jiaoyu"))
    authority = person("authority", ("authority",))
    chief = person("chief", ("authority_head",))
    higher = person("higher", ("higher_authority",))
    everything = person(
        "everything", ("editor", "minzheng"), ("head", "minzheng"), ("authority",), ("authority_head",), ("higher_authority",)
    )
    auditor = person("auditor", ("auditor",))
    operator = person("operator", ("operator",))
    citizen = person("citizen", ("public",), ("applicant",))
    nobody = person("nobody")

    @classmethod
    def all(cls):
        return [one for one in vars(cls).values() if isinstance(one, Person)]


REVIEWED = {
    "secrecy_review": {"by": "保密员", "on": "2025-01-02", "conclusion": "不涉密"},
    "privacy_review": {"by": "法制员", "on": "2025-01-02", "conclusion": "不含个人信息"},
}
FACTS = {
    "entry_problems": [], "published_entry": None, "published_version": None, "first_deciders": [], "asked_problems": [],
    "entry_published": True, "source_is_party": True, "subject_published": True, "changed_here": False,
}  # fmt: skip


def at(text):
    """``2025-09-26`` or ``2025-09-26 17:30`` in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def in_text(shared, regulation, article):
    """Whether an article, with its （item）, stands in a regulation's text."""
    text = (shared / "regulations" / f"{regulation}.txt").read_text(encoding="utf-8")
    head, _, item = article.rstrip("）").partition("（")
    start = re.search(rf"(?m)^[\s　]*{head}(?:[\s　]|、|\n)", text)
    if not start or not item:
        return bool(start)
    following = r"(?m)^[\s　]*(第[一二三四五六七八九十]+条[\s　]|[一二三四五六七八九十]、)"
    end = re.search(following, text[start.end() :])
    body = text[start.start() : start.end() + end.start()] if end else text[start.start() :]
    return bool(re.search(rf"[（(]{item}[）)]", body))


class Walk:
    """A case that is walked through: each step (event, person, day, data)."""

    def __init__(self, procedure, profile, calendar):
        self.procedure, self.profile, self.calendar = procedure, profile, calendar
        self.outcomes = []

    @property
    def case(self):
        return self.outcomes[-1].case

    @property
    def state(self):
        return self.case.state

    def open(self, actor, day, **data):
        subject = {"type": "entry", "id": "entry-1", "org": "minzheng", "title": "婚姻登记信息"}
        outcome = open_case(
            self.procedure, self.profile, self.calendar, id="case-1", subject=subject, actor=actor, data=data, now=at(day),
            facts=FACTS,
        )  # fmt: skip
        self.outcomes.append(outcome)
        return self

    def do(self, event, actor, day, facts=(), version=None, **data):
        outcome = apply(
            self.procedure, self.profile, self.calendar, self.case, event, actor, data, at(day), version=version,
            facts={**FACTS, **dict(facts)},
        )  # fmt: skip
        self.outcomes.append(outcome)
        return self

    def due(self, name):
        return self.case.clock(name).due_on.isoformat()


@pytest.fixture(scope="session")
def calendar():
    return Calendar.load()


@pytest.fixture(scope="session")
def asking():
    return parse(read_yaml(HERE / "procedures" / "asking.yml"))


@pytest.fixture
def walk(calendar, asking):
    def start(procedure, profile):
        return Walk(asking if procedure == "asking" else load_procedure(procedure), profile, calendar)

    return start


@pytest.fixture(scope="session")
def town():
    return Town


@pytest.fixture(scope="session")
def reviewed():
    return REVIEWED


@pytest.fixture(scope="session")
def facts():
    return FACTS


@pytest.fixture(scope="session")
def shared():
    if not SHARED.is_dir():
        pytest.skip("../shared is absent: the regulations and the real catalogues are not part of the repository")
    return SHARED
