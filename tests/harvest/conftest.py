"""What the harvest tests share: a profile, and the real catalogues where they are on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mulu import profile as profiles
from mulu.profile import Profile

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("MULU_SHARED_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def profile() -> Profile:
    return profiles.load("huarong")


@pytest.fixture(scope="session")
def examples() -> Path:
    return ROOT / "examples"


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the folder ../shared/data with the real catalogues is not on this machine")
    return SHARED
