"""When the public site has to be built anew although the catalogue has not changed."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from mulu_ops import programs, publishing
from mulu_ops.cli import main
from mulu_ops.errors import Missing
from mulu_ops.settings import Settings
from mulu_site import release
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


def test_releases_are_listed_and_the_one_before_comes_back(tmp_path: Path) -> None:
    settings = replace(Settings.read(), var=tmp_path)
    out, say = settings.site, CliRunner()
    with pytest.raises(Missing, match="没有更早的版本"):
        main.main(["site", "rollback", "--out", str(out)], standalone_mode=False)
    for count in (3, 4):
        publishing.build_site(settings, snapshot=generate(count, tmp_path / "snapshot.jsonl"))
    first, second = say.invoke(main, ["site", "releases", "--out", str(out)]).output.splitlines()
    assert first.startswith("  ") and first.endswith("目录 3 条")
    assert second.startswith("* ") and second.endswith("目录 4 条")
    assert (out / "current" / "entry" / "made-up-000003").exists()
    assert first.split()[0].partition("　")[0] in say.invoke(main, ["site", "rollback", "--out", str(out)]).output
    assert not (out / "current" / "entry" / "made-up-000003").exists()


def test_a_build_waits_for_another(tmp_path: Path) -> None:
    settings = replace(Settings.read(), var=tmp_path)
    snapshot, ended = generate(3, tmp_path / "snapshot.jsonl"), []

    def hold() -> None:
        with release.start(settings.site):
            held.set()
            time.sleep(1)
            ended.append(time.monotonic())

    held, other = threading.Event(), threading.Thread(target=hold)
    other.start()
    held.wait(10)
    publishing.build_site(settings, snapshot=snapshot)
    assert ended and time.monotonic() >= ended[0]
    other.join()
