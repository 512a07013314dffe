"""Publishing is one switch; only what changed is made; what goes leaves a page; what fails leaves the site as it was."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mulu_site.build import build
from mulu_site.release import BuildError, releases, roll_back, start
from mulu_site.snapshot import SnapshotError


def stamps(shop) -> dict[str, tuple[int, int]]:
    """path → (inode's time, size): a file that was kept has both as before."""
    root = (shop.out / "current").resolve()
    return {str(p.relative_to(root)): (p.stat().st_mtime_ns, p.stat().st_size) for p in shop.files()}


def test_second_build_of_the_same_snapshot_makes_nothing(shop) -> None:
    shop.build()
    before = stamps(shop)
    for _ in range(4):  # past the number of kept releases, so that one is taken up again
        assert shop.build().made == ()
        assert stamps(shop) == before


def test_one_changed_entry_touches_only_what_shows_it(shop) -> None:
    shop.build()
    before = stamps(shop)
    changed = shop.entries[7]
    changed["notes"] = "摘要已经修改。"
    report = shop.build()
    assert set(report.made) == {
        f"entry/{changed['name']}", "search/words", "search/texts", "file/search/index.json", "bulk", "workbook", "dcat/1",
    }  # fmt: skip
    after = stamps(shop)
    touched = {p for p in after if before.get(p) != after[p]}
    assert {p for p in touched if p.endswith(".html")} == {f"entry/{changed['name']}/index.html"}
    assert "摘要已经修改。" in shop.read(f"entry/{changed['name']}/index.html")


def test_many_builds_leave_exactly_what_one_fresh_build_would(shop, tmp_path: Path) -> None:
    """Incremental or not, the site is the same, byte by byte."""
    for step in range(6):
        shop.entries[step]["title"] = f"第{step}次改名"
        shop.entries[step + 10]["data_updated_on"] = f"2026-01-0{step + 1}"
        if step == 3:
            shop.header["place"] = "另一个县"
        shop.build()
    incremental = {str(p.relative_to((shop.out / "current").resolve())): p.read_bytes() for p in shop.files()}
    shop.out = tmp_path / "fresh"
    shop.build()
    fresh = {str(p.relative_to((shop.out / "current").resolve())): p.read_bytes() for p in shop.files()}
    assert incremental.keys() == fresh.keys()
    assert [p for p in fresh if fresh[p] != incremental[p]] == []


def test_withdrawn_entry_keeps_a_page_and_nothing_else(shop) -> None:
    shop.build()
    gone = shop.entries.pop(5)
    shop.header["generated_at"] = "2026-04-01T08:00:00+08:00"
    assert shop.build().withdrawn == 1
    for _ in range(4):
        shop.header["generated_at"] = "2026-05-01T08:00:00+08:00"
        shop.build()
        page = shop.read(f"entry/{gone['name']}/index.html")
        assert "本条目已撤下" in page and gone["title"] in page and "2026-04-01" in page and "noindex" in page
        assert os.listdir(shop.out / "current" / "entry" / gone["name"]) == ["index.html"]
    assert gone["name"] not in shop.read("entries.json") + shop.read("sitemap-1.xml")
    shop.entries.append(gone)
    assert shop.build().withdrawn == 0
    assert "本条目已撤下" not in shop.read(f"entry/{gone['name']}/index.html")


def test_renamed_entry_leads_on_from_its_old_address(shop) -> None:
    shop.build()
    old = shop.entries[3]["name"]
    shop.entries[3]["name"] = "a-new-name"
    shop.build()
    page = shop.read(f"entry/{old}/index.html")
    assert 'content="0; url=../../entry/a-new-name/"' in page
    assert "本条目的地址已变更" in page


def test_snapshot_that_lost_most_entries_is_refused(shop) -> None:
    shop.build()
    published = (shop.out / "current").resolve()
    shop.entries = shop.entries[:20]
    with pytest.raises(BuildError, match="60 条中的 40 条"):
        shop.build()
    assert (shop.out / "current").resolve() == published
    assert shop.build(allow_withdrawal=True).withdrawn == 40


def test_cut_snapshot_leaves_the_site(shop) -> None:
    shop.build()
    before = stamps(shop)
    content = shop.write().read_bytes()
    shop.file.write_bytes(content[: len(content) // 2])
    with pytest.raises(SnapshotError, match="不完整"):
        build(shop.file, shop.out)
    assert stamps(shop) == before


def test_failed_write_leaves_the_site(shop) -> None:
    """A file that cannot be written (here: the process's own limit on file size; a full disk ends in the same place)."""
    shop.build()
    before = stamps(shop)
    for entry in shop.entries:
        entry["notes"] = "很长的摘要。" * 500
    shop.write()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(BuildError, match="已发布的内容保持原样"):
            build(shop.file, shop.out, pages=None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert stamps(shop) == before
    shop.build()
    assert "很长的摘要" in shop.read(f"entry/{shop.entries[0]['name']}/index.html")


@pytest.fixture
def small_disk(shop) -> Iterator[Path]:
    """The site on a file system of a few megabytes."""
    shop.out.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=14m", "tmpfs", str(shop.out)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("who runs this may not mount a file system")
    yield shop.out
    subprocess.run(["umount", str(shop.out)], check=True)


def test_full_disk_leaves_the_site_and_gives_the_space_back(shop, small_disk: Path) -> None:
    shop.build()
    before, free = stamps(shop), shutil.disk_usage(small_disk).free
    notes = shop.entries[0]["notes"]
    for entry in shop.entries:
        entry["notes"] = "很长的摘要。" * 2000
    with pytest.raises(BuildError, match="磁盘空间已满，站点没有更新，已发布的内容保持原样"):
        shop.build()
    assert stamps(shop) == before
    assert shutil.disk_usage(small_disk).free > free - 500_000
    for entry in shop.entries:
        entry["notes"] = notes
    shop.entries[0]["notes"] = "腾出空间之后的摘要。"
    shop.build()
    assert "腾出空间之后的摘要" in shop.read(f"entry/{shop.entries[0]['name']}/index.html")


def test_stopped_build_goes_on_where_it_stopped(shop) -> None:
    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done >= 50:
            raise Stop

    with pytest.raises(Stop):
        shop.build(progress=stop)
    assert not (shop.out / "current").exists()
    made = shop.build().made
    assert 0 < sum(name.startswith("entry/") for name in made) < 15


def test_roll_back(shop) -> None:
    with pytest.raises(BuildError, match="没有更早的版本"):
        roll_back(shop.out)
    first = shop.build().release
    title = shop.entries[0]["title"]
    shop.entries[0]["title"] = "改坏了的名称"
    shop.build()
    assert roll_back(shop.out) == first
    assert title in shop.read(f"entry/{shop.entries[0]['name']}/index.html")
    shop.build()
    assert "改坏了的名称" in shop.read(f"entry/{shop.entries[0]['name']}/index.html")
    assert len(releases(shop.out)) <= 3


def test_one_build_at_a_time(shop) -> None:
    shop.write()
    with start(shop.out), pytest.raises(BuildError, match="正在进行"):
        shop.build()


def test_two_entries_of_one_name_are_refused(shop) -> None:
    shop.entries[1]["name"] = shop.entries[0]["name"]
    with pytest.raises(BuildError, match="name 是否重复"):
        shop.build()
    assert not (shop.out / "current").exists()


def test_unknown_profile_is_one_sentence(shop) -> None:
    shop.header["profile"] = "nowhere"
    with pytest.raises(SnapshotError, match="nowhere"):
        shop.build()


def test_manifest_is_not_served(shop) -> None:
    shop.build()
    manifest = next((shop.out / "releases").glob("*.manifest"))
    assert json.loads(manifest.read_text().splitlines()[0])
    assert not list((shop.out / "current").rglob("*.manifest"))
