"""Nothing is visible to anyone outside the review before it is published (requirements C3)."""

import pytest

from mulu.people import Person, Role
from mulu.visibility import NOBODY, can_read, can_see, granted_items, holds_grant, is_open, open_items, oversees_grants


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


def entry(open_type, *items, share_type="conditional"):
    """items: (name, its own open class)."""
    rows = [{"name": name, "open_type": own} for name, own in items]
    return {"open_type": open_type, "share_type": share_type, "items": rows}


OPENNESS = {
    "open": (entry("unconditional", ("甲", ""), ("乙", "")), ["甲", "乙"], True),
    "open without items": (entry("unconditional"), [], True),
    "one item on condition": (entry("unconditional", ("甲", ""), ("乙", "conditional")), ["甲"], False),
    "one item closed": (entry("unconditional", ("甲", "none"), ("乙", "unconditional")), ["乙"], False),
    "on condition": (entry("conditional", ("甲", "")), [], False),
    "an open item does not open a conditional entry": (entry("conditional", ("甲", "unconditional")), [], False),
    "closed": (entry("none", ("甲", "")), [], False),
    "no class at all": ({"items": [{"name": "甲"}]}, [], False),
}


@pytest.mark.parametrize("case", OPENNESS)
def test_an_items_own_class_counts_before_the_entrys(case):
    given, items, whole = OPENNESS[case]
    assert (open_items(given), is_open(given)) == (items, whole)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("case", OPENNESS)
def test_who_reads_the_data(case, who):
    viewer, sees_unpublished = WHO[who]
    given, _, whole = OPENNESS[case]
    own = who.startswith("the department's")
    assert can_read(viewer, "published", "minzheng", given) is (whole or own)
    assert can_read(viewer, "unpublished", "minzheng", given) is sees_unpublished


def test_what_was_granted_ends_with_its_class():
    given = {"share_type": "conditional", "open_type": "none", "items": [{"name": "甲"}, {"name": "乙", "share_type": "none"}]}
    assert granted_items(given, ["乙", "甲", "丙"], "sharing") == ["甲"]
    assert granted_items(given, ["甲"], "opening") == []
    assert granted_items({**given, "share_type": "none"}, ["甲"], "sharing") == []
    assert granted_items({**given, "share_type": "none", "items": [{"name": "甲", "share_type": "conditional"}]}, ["甲"], "sharing") == []


def test_whose_a_grant_is_and_who_oversees_it():
    assert holds_grant(person(("head", "jiaoyu")), "jiaoyu", "")
    assert not holds_grant(person(("head", "minzheng")), "jiaoyu", "")
    assert holds_grant(person(), "", "p") and not holds_grant(person(), "", "q") and not holds_grant(NOBODY, "", "")
    sees = {who for who, (viewer, _) in WHO.items() if oversees_grants(viewer, "minzheng")}
    assert sees == {"the department's editor", "the department's head", "the authority", "the authority's head", "the auditor"}
