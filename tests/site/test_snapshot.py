"""A snapshot is whole or it is refused, with one sentence that says what is wrong."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from mulu_site.build import build
from mulu_site.snapshot import SnapshotError, open_snapshot, write_snapshot

ENTRIES = [{"name": f"e{i}", "title": f"条目{i}"} for i in range(5)]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "snapshot.jsonl"
    write_snapshot(path, {"profile": "huarong", "place": "华容县"}, ENTRIES)
    return path


def test_reads_back_what_was_written(whole: Path) -> None:
    snapshot = open_snapshot(whole)
    assert snapshot.count == 5
    assert snapshot.header["place"] == "华容县"
    lines = list(snapshot.lines())
    assert [line.entry() for line in lines] == ENTRIES
    assert list(snapshot.read([lines[3].offset, lines[0].offset])) == [ENTRIES[3], ENTRIES[0]]
    assert len({line.digest for line in lines}) == 5


def test_empty_catalogue_is_a_whole_snapshot(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "s", {"profile": "huarong"}, [])
    assert open_snapshot(tmp_path / "s").count == 0


def test_cut_anywhere_is_refused(whole: Path) -> None:
    content = whole.read_bytes()
    for length in range(1, len(content) - 1):
        whole.write_bytes(content[:length])
        with pytest.raises(SnapshotError, match=r"不是本系统的目录快照|不完整|已损坏"):
            open_snapshot(whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b.replace("条目3".encode(), "条目9".encode()), "已损坏"),
        (lambda b: b.replace(b'"count": 5', b'"count": 6'), "已损坏"),
        (lambda b: b"".join(b.splitlines(True)[:2] + b.splitlines(True)[3:]), "已损坏"),
        (lambda b: b + b"more\n", "不完整"),
        (lambda b: b"PK\x03\x04" + b, "不是本系统的目录快照"),
        (lambda b: b'{"mulu_snapshot": 2}\n' + b, "较新版本.*请先升级"),
        (lambda b: b'{"mulu_snapshot": 0}\n' + b, "mulu_snapshot 为 1"),
        (lambda b: b'{"profile": "huarong"}\n' + b"".join(b.splitlines(True)[1:]), "mulu_snapshot 为 1"),
        (lambda b: b"", "不是本系统的目录快照"),
    ],
)
def test_damage_is_named(whole: Path, change: object, message: str) -> None:
    whole.write_bytes(change(whole.read_bytes()))  # type: ignore[operator]
    with pytest.raises(SnapshotError, match=message):
        open_snapshot(whole)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="找不到快照文件"):
        open_snapshot(tmp_path / "none")
    with pytest.raises(SnapshotError, match="读不出来"):
        open_snapshot(tmp_path)


def test_line_that_is_no_entry(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "s", {}, [{"title": "没有 name"}])
    with pytest.raises(SnapshotError, match="缺少 name"):
        [line.entry() for line in open_snapshot(tmp_path / "s").lines()]


@pytest.mark.parametrize("line", [b"{", b'{"name": "x", "title": "' , b"[" * 100_000, b'{"name": ' + b"9" * 5000 + b"}", b'"x"', b"\xff\xfe", b"null"])
def test_a_sealed_line_that_is_no_json_is_one_sentence(tmp_path: Path, line: bytes) -> None:
    body = b'{"mulu_snapshot": 1, "profile": "huarong"}\n' + line + b"\n"
    file = tmp_path / "s"
    file.write_bytes(body + json.dumps({"end": True, "count": 1, "sha256": sha256(body).hexdigest()}).encode() + b"\n")
    with pytest.raises(SnapshotError, match="请重新生成快照") as refused:
        build(file, tmp_path / "out", pages=None)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 200
    assert not (tmp_path / "out" / "current").exists()
