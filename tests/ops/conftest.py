"""The real services of this checkout (`mulu up`); the demo's data is never touched."""

from __future__ import annotations

import pytest

from mulu_ops.settings import Settings


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings.read()
