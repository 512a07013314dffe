"""Data packages: fields as items, schemas beside the descriptor, zips, and paths that lead out of a package."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reading import drafts, pages, records, source
from server import Reply, Server, as_json, serving

from mulu.profile import Profile
from mulu_harvest.fetch import HttpFetch
from mulu_harvest.source import SourceError

FIELDS = [
    {"name": "jgmc", "title": "机构名称", "type": "string", "constraints": {"required": True, "maxLength": 100}},
    {"name": "床位数", "type": "integer", "description": "核定床位", "constraints": {"minimum": 0}},
    {"name": "类型", "type": "string", "constraints": {"enum": ["公办", "民办"]}},
    {"name": "登记日期", "type": "date"},
    {"name": "开门时刻", "type": "time"},
    {"name": "位置", "type": "geopoint"},
    {"name": "备注", "type": "any"},
    {"name": "费用"},
]
PACKAGE: dict[str, Any] = {
    "name": "yanglao", "title": "养老机构名录", "description": "登记在册的养老机构。", "version": "1.0", "created": "2024-03-04T16:30:00Z",
    "homepage": "https://data.example/yanglao", "licenses": [{"name": "CC-BY-4.0"}], "keywords": ["社会保障"],
    "contributors": [
        {"title": "测试员甲", "role": "author", "email": "a@data.example"}, {"title": "测试民政局", "role": "publisher"},
        {"title": "测试员乙", "roles": ["maintainer"], "email": "b@data.example"},
    ],
    "resources": [{"name": "list", "title": "名录", "path": "data/list.csv", "format": "csv", "bytes": 2048, "schema": {"fields": FIELDS}}],
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def folder_of(tmp_path: Path, **packages: Any) -> Path:
    for name, package in packages.items():
        (tmp_path / name).mkdir()
        content = package if isinstance(package, bytes) else json.dumps(package).encode()
        (tmp_path / name / "datapackage.json").write_bytes(content)
    return tmp_path


def test_a_package_in_our_words(server: Server, profile: Profile) -> None:
    url = server.on("/p/datapackage.json", as_json(PACKAGE))
    [record] = records("datapackage", url)
    [draft] = drafts([record], profile)
    assert draft.entry == {
        "title": "养老机构名录", "notes": "登记在册的养老机构。", "provider": "测试民政局", "published_on": "2024-03-05", "license_id": "cc-by",
        "theme": "social_security", "contact": "测试员乙，b@data.example", "format_type": "csv", "format_class": "spreadsheet",
        "source": {"name": "ceshi", "url": "https://data.example/yanglao", "id": "yanglao"},
        "resources": [{"name": "名录", "url": f"{server.url}/p/data/list.csv", "format": "CSV", "size": "2048"}],
        "items": [
            {"name": "机构名称", "data_type": "C", "length": "100", "description": "字段名 jgmc；必填"},
            {"name": "床位数", "data_type": "I", "description": "核定床位；最小 0"},
            {"name": "类型", "data_type": "C", "description": "取值 公办、民办"},
            {"name": "登记日期", "data_type": "D"}, {"name": "开门时刻"}, {"name": "位置"}, {"name": "备注"}, {"name": "费用"},
        ],
    }  # fmt: skip
    told = {(p.field, p.rule) for p in draft.problems}
    assert told >= {("items[4].data_type", "not_in_list"), ("items[5].data_type", "not_in_list"), ("items[6].data_type", "required"), ("items[7].data_type", "required")}
    assert server.paths() == ["/p/datapackage.json"]  # the data was not asked for


def test_packages_of_a_folder_of_its_folders_and_of_zips(tmp_path: Path) -> None:
    folder_of(tmp_path, a={**PACKAGE, "name": "a"}, b={**PACKAGE, "name": "b"})
    (tmp_path / "datapackage.json").write_text(json.dumps({**PACKAGE, "name": "top"}))
    with zipfile.ZipFile(tmp_path / "two.ZIP", "w") as archive:
        archive.writestr("x/datapackage.json", json.dumps({**PACKAGE, "name": "x"}))
        archive.writestr("y/datapackage.json", json.dumps({**PACKAGE, "name": "y", "resources": [{"name": "r", "schema": "s/schema.json"}]}))
        archive.writestr("y/s/schema.json", json.dumps({"fields": FIELDS[:1]}))
        archive.writestr("y/data.csv", "a,b\n")
    found = records("datapackage", tmp_path)
    assert sorted(record.id for record in found) == ["a", "b", "top", "x", "y"]
    by_id = {record.id: record for record in found}
    assert [item["name"] for item in by_id["y"].raw["items"]] == ["机构名称"]
    assert "two.ZIP 中的 y/datapackage.json" in by_id["y"].where
    assert not any("resources" in record.raw for record in found)  # a file in a folder has no address


def test_further_folders(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "datapackage.json").write_text(json.dumps({**PACKAGE, "name": name}))
    made = source("datapackage", tmp_path / "one", options={"folders": [str(tmp_path / "two")]})
    from mulu_harvest.readers.datapackage import read

    found = [record.id for page in read(made, HttpFetch(made, folders=(tmp_path,)), "") for record in page.records]
    assert found == ["one", "two"]


def test_one_that_cannot_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    folder_of(tmp_path, a=b'{"name": ', b={**PACKAGE, "name": "b"}, c=b"[1]", d={"title": "\u6ca1\u6709\u6807\u8bc6"})
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 no zip")
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    found = pages("datapackage", tmp_path)
    assert [record.id for page in found for record in page.records] == ["b", ""]
    assert [problem.rule for page in found for record in page.records for problem in record.problems] == ["no_id"]
    told = [problem for page in found for problem in page.problems]
    assert {problem.severity for problem in told} == {"error"}  # so that what was not met is not taken for removed
    for said in ("a/datapackage.json 不是完整的 JSON", "应当是一个 JSON 对象", "bad.zip 不是完整的 zip", "none.zip 中没有 datapackage.json"):
        assert any(said in problem.message for problem in told), said
    assert len(told) == 4


def test_a_schema_beside_the_descriptor(server: Server) -> None:
    package = {**PACKAGE, "resources": [{"name": "r", "schema": "schemas/r.json"}, {"name": "s", "schema": "schemas/none.json"}]}
    url = server.on("/p/datapackage.json", as_json(package, etag='"a"'))
    server.on("/p/schemas/r.json", as_json({"fields": FIELDS[:2]}))
    fetch = HttpFetch(source("datapackage", url))
    [page] = pages("datapackage", url, fetch=fetch)
    assert [item["name"] for item in page.records[0].raw["items"]] == ["机构名称", "床位数"]
    [problem] = page.records[0].problems
    assert problem.rule == "schema_unread" and "“s”的表结构没有读入" in problem.message
    assert fetch.validators_seen == {}  # the descriptor's 304 says nothing of its schemas


@pytest.mark.parametrize(
    "path", ["../other.json", "/etc/passwd", "a/../../b.json", "..\\x.json", "file:///etc/passwd", "http://127.0.0.1:1/x.json", "C:\\x.json", "a\x00b"]
)
def test_a_path_out_of_the_package_is_not_followed(tmp_path: Path, path: str) -> None:
    (tmp_path / "other.json").write_text(json.dumps({"fields": FIELDS}))
    folder_of(tmp_path, a={**PACKAGE, "resources": [{"name": "r", "schema": path}]})
    [record] = records("datapackage", tmp_path)
    assert "items" not in record.raw
    [problem] = record.problems
    assert problem.rule == "schema_unread" and "不在数据包之内" in problem.message


def test_a_resource_path_out_of_the_package_has_no_address(server: Server) -> None:
    url = server.on("/p/datapackage.json", as_json({**PACKAGE, "resources": [{"name": "r", "path": "../../secret.csv"}]}))
    [record] = records("datapackage", url)
    assert "resources" not in record.raw and [p.rule for p in record.problems] == ["unsafe_path"]


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("datapackage.json", "w", force_zip64=True) as member:
        for _ in range(64):
            member.write(b" " * 2**20)
    [page] = pages("datapackage", tmp_path)
    assert not page.records and "超过 16 MiB" in page.problems[0].message


def test_fields_of_several_resources(tmp_path: Path) -> None:
    other = [{"name": "床位数", "type": "number"}, FIELDS[0]]
    resources = [{"name": "a", "title": "甲", "schema": {"fields": FIELDS[:2]}}, {"name": "b", "title": "乙", "schema": {"fields": other}}]
    folder_of(tmp_path, p={**PACKAGE, "resources": resources})
    [record] = records("datapackage", tmp_path)
    assert [(item["name"], item["data_type"]) for item in record.raw["items"]] == [("机构名称", "C"), ("床位数", "I"), ("床位数（乙）", "N")]


def test_odd_packages(tmp_path: Path, profile: Profile) -> None:
    odd = {"name": "odd", "title": ["甲"], "resources": [None, 7, {"schema": {"fields": [None, {"name": 7, "type": ["string"], "constraints": 3}]}}, {"path": {}}],
           "contributors": "测试局", "licenses": [None, {"name": 3}], "keywords": {"a": 1}, "publisher": 7, "created": {}}  # fmt: skip
    folder_of(tmp_path, p=odd)
    found = records("datapackage", tmp_path)
    assert found[0].raw["items"] == [{"name": "7"}] and found[0].raw["title"] == "odd"
    assert len(drafts(found, profile)) == 1


def test_where_there_is_nothing(tmp_path: Path, server: Server) -> None:
    with pytest.raises(SourceError, match=r"没有 datapackage\.json 或 \.zip 数据包"):
        pages("datapackage", tmp_path)
    with pytest.raises(SourceError, match="不是完整的 JSON"):
        pages("datapackage", server.on("/datapackage.json", Reply("<html>")))
    url = server.on("/p.json", as_json(PACKAGE, etag='"a"'))
    fetch = HttpFetch(source("datapackage", url))
    pages("datapackage", url, fetch=fetch)
    [again] = pages("datapackage", url, fetch=HttpFetch(source("datapackage", url), validators=fetch.validators_seen))
    assert again.unchanged
