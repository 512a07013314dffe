"""When the public site has to be built anew although the catalogue has not changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mulu_ops import programs, publishing
from mulu_ops.settings import Settings
from mulu_site.generate import generate


def test_a_site_made_by_other_templates_is_outdated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(Settings.read(), var=tmp_path)
    assert publishing.outdated(settings), "there is none"
    publishing.build_site(settings, snapshot=generate(3, tmp_path / "snapshot.jsonl"))
    assert not publishing.outdated(settings)
    monkeypatch.setattr(programs, "fingerprint", lambda folders, more=b"": "other")
    assert publishing.outdated(settings)


def test_the_fingerprint_follows_a_pages_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "ROOT", tmp_path)
    page = tmp_path / "site" / "pages" / "about.md"
    page.parent.mkdir(parents=True)
    page.write_text("一", encoding="utf-8")
    before = programs.fingerprint(["site/pages"])
    assert programs.fingerprint(["site/pages"]) == before
    page.write_text("二", encoding="utf-8")
    assert programs.fingerprint(["site/pages"]) != before
