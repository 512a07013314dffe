"""Nothing is visible to anyone outside the review before it is published (requirements C3)."""

import pytest

from mulu.people import Person, Role
from mulu.visibility import NOBODY, can_see


def person(*roles):
    return Person("p", "甲", frozenset(Role(*role) for role in roles))


WHO = {
    "nobody": (NOBODY, False),
    "a member without a role": (person(), False),
    "the department's editor": (person(("editor", "minzheng")), True),
    "the department's head": (person(("head", "minzheng")), True),
    "another department's editor": (person(("editor", "jiaoyu")), False),
    "another department's head": (person(("head", "jiaoyu")), False),
    "the authority": (person(("authority",)), True),
    "the authority's head": (person(("authority_head",)), True),
    "the auditor": (person(("auditor",)), True),
    "the operator": (person(("operator",)), True),
    "the higher authority": (person(("higher_authority",)), False),
    "an applicant": (person(("applicant",)), False),
}


@pytest.mark.parametrize("who", WHO)
def test_who_sees_what(who):
    viewer, sees_unpublished = WHO[who]
    assert can_see(viewer, "published", "minzheng")
    assert can_see(viewer, "unpublished", "minzheng") is sees_unpublished
