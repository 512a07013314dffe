"""Records of a JSON document, one after the other, whatever somebody made of it."""

from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from mulu_harvest import json_stream
from mulu_harvest.json_stream import MAX_DEPTH, Odd, records
from mulu_harvest.source import SourceError


def read(content: bytes | str, path: str = "") -> list[Any]:
    body = content if isinstance(content, bytes) else content.encode()
    found = list(records(io.BytesIO(body), path, name="甲 "))
    assert [number for number, _ in found] == list(range(1, len(found) + 1))
    return [record for _, record in found]


@pytest.mark.parametrize(
    ("content", "path", "found"),
    [
        ("[]", "", []),
        (" \n[1]", "", [1]),
        (b"\xef\xbb\xbf[1]", "", [1]),
        ("[1]", "dataset", [1]),
        ('{"dataset": [1, 2]}', "dataset", [1, 2]),
        ('{"dataset": []}', "dataset", []),
        ('{"a": {"dataset": [9]}, "b": [{"dataset": [9]}], "dataset": [1], "c": [9]}', "dataset", [1]),
        ('{"result": {"count": 1, "results": [{"a": [{}]}], "facets": {}}}', "result.results", [{"a": [{}]}]),
        ('[{"a": 1, "b": 2.5, "c": -1e3, "d": null, "e": true, "f": [[]], "g": "名"}]', "", [{"a": 1, "b": 2.5, "c": -1000.0, "d": None, "e": True, "f": [[]], "g": "名"}]),
        ("[123456789012345678901234567890, 1e999]", "", [123456789012345678901234567890, "1E+999"]),
    ],
)  # fmt: skip
def test_what_is_read(content: bytes | str, path: str, found: list[Any]) -> None:
    assert read(content, path) == found
    assert [type(value) for value in read(content, path)] == [type(value) for value in found]


@pytest.mark.parametrize(
    ("content", "path", "said"),
    [
        ("", "", "甲 的内容是空的"),
        ("  ", "a", "甲 的内容是空的"),
        (
            "<!DOCTYPE html><html><head><TITLE lang=zh>\n 统一 认证\n</TITLE>",
            "",
            "甲 返回的是网页“统一 认证”，不是 JSON",
        ),
        ("<a/>", "", "返回的是网页或 XML，不是 JSON，开头是“<a/>”"),
        ("PK\x03\x04\0\0", "", "返回的不是 JSON，开头是“PK"),
        ('"text"', "", "返回的不是 JSON"),
        ('{"a": 1}', "", "应当是一个 JSON 数组"),
        ('{"a": [1]}', "dataset", "中没有“dataset”这一数组"),
        ('{"dataset": {"a": 1}}', "dataset", "中没有“dataset”这一数组"),
        ('[{"a": 1}, {"a": 2}, {"a":', "", "在第 3 条处断了或者写错了：内容不完整"),
        ("[1, 2", "", "在第 3 条处断了"),
        ("[1, 2,]", "", "在第 3 条处"),
        ("[1] x", "", "在第 2 条处"),
        ("[NaN]", "", "在第 1 条处"),
        (b'[1, "\xff\xfe"]', "", r"在第 2 条处.*UTF8"),
        ("[" * 1_000_000, "", "在第 1 条处断了"),
        ('{"a":' * 1_000_000, "dataset", "嵌套超过"),
        ("[1, " + "9" * 5000 + "]", "", "数字太长"),
        ("[1, 1e99999999999999999999999]", "", "在第 2 条处"),
        (r'["\udc00\ud800"]', "", "在第 1 条处"),
    ],
)
def test_what_is_told(content: bytes | str, path: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read(content, path)


def test_what_stands_before_a_fault_is_read() -> None:
    reading = records(io.BytesIO(b'[{"a": 1}, {"a": 2}, garbage'))
    assert [next(reading), next(reading)] == [(1, {"a": 1}), (2, {"a": 2})]
    with pytest.raises(SourceError, match="在第 3 条处"):
        next(reading)


def test_a_record_nested_beyond_reason_is_odd_and_the_next_is_none() -> None:
    just, deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH, '{"a": ' + "[" * 10_000 + "]" * 10_000 + ', "b": [1]}'
    found = read(f'[{just}, {deep}, {{"a": 1}}]')
    assert found[1:] == [Odd(f"嵌套超过 {MAX_DEPTH} 层"), {"a": 1}] and json.dumps(found[0]) == just


def test_a_record_without_end_is_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "RECORD_MAX_BYTES", 1024 * 1024)
    with pytest.raises(SourceError, match=r"在第 2 条处.*一条超过 1 MiB"):
        read("[1, [" + "1," * 2_000_000 + "1]]")


def test_memory_does_not_grow_with_the_document(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    with path.open("w") as file:
        file.write("[" + json.dumps({"标题": "目录" * 1000}))
        file.writelines("," + json.dumps({"标题": f"{number}" + "目录" * 1000}) for number in range(2000))
        file.write("]")
    tracemalloc.start()
    with path.open("rb") as file:
        count = sum(1 for _ in records(file))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 2001 and path.stat().st_size > 20_000_000 and peak < 2_000_000
