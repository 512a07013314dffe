"""What the demo loads, read as it reads it; that it goes through a real portal is tried by `make demo` and the browser suite."""

from __future__ import annotations

from mulu.profile import PROFILES, load
from mulu_harvest.demo import read_batches, read_departments
from mulu_ops import demo


def test_at_least_300_entries_of_at_least_10_departments_some_of_them_sound() -> None:
    departments = {department["name"] for department in read_departments(demo.LISTING)}
    batches = list(read_batches(demo.LISTING, load("huarong")))
    owners = [department for batch in batches for department, drafts in demo._by_department(batch).items() for _ in drafts]
    assert len(owners) >= 300
    assert len(set(owners)) >= 10
    assert set(owners) <= departments
    assert sum(len(batch.sound) for batch in batches) > 0


def test_every_place_can_show_something_published() -> None:
    for profile in PROFILES:
        assert any(batch.sound for batch in read_batches(demo.LISTING, load(profile))), profile


def test_both_reviews_are_signed_and_say_that_they_are_made_for_the_demo() -> None:
    for review in demo._reviews().values():
        assert set(review) == {"by", "on", "conclusion"}
        assert "演示" in review["by"] + review["conclusion"]
