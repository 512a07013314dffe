"""Where everything is: read from the environment, with a sentence for what cannot be."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from mulu_ops.errors import Missing
from mulu_ops.settings import PEER, PORTS, Settings, clean_environment, installed_profile, write_private


def read(tmp_path: Path, **environ: str) -> Settings:
    return Settings.read({"MULU_VAR": str(tmp_path), **environ})


def test_usual_ports_and_another_one(tmp_path: Path) -> None:
    assert read(tmp_path).ports == PORTS
    assert read(tmp_path, MULU_PORT_CKAN="5001").url("ckan") == "http://127.0.0.1:5001"


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "５０００"])
def test_a_port_that_is_none_is_said(tmp_path: Path, port: str) -> None:
    with pytest.raises(Missing, match="MULU_PORT_SITE.*端口号.*" + port):
        read(tmp_path, MULU_PORT_SITE=port)


def test_demo_and_tests_never_share_anything(tmp_path: Path) -> None:
    settings = read(tmp_path)
    for address in (settings.database_url, settings.solr_url, settings.redis_url, settings.storage, settings.site_id, settings.ini):
        assert address("demo") != address("test")


def test_an_external_service_is_used_with_a_test_copy_beside_it(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        CKAN_SQLALCHEMY_URL="postgresql://a:b@db/portal?sslmode=require",
        CKAN_SOLR_URL="http://solr:8983/solr/portal",
        CKAN_REDIS_URL="redis://cache:6379",
    )
    assert settings.database_url("demo") == "postgresql://a:b@db/portal?sslmode=require"
    assert settings.database_url("test") == "postgresql://a:b@db/portal_test?sslmode=require"
    assert settings.solr_url("test") == "http://solr:8983/solr/portal_test"
    assert (settings.redis_url("demo"), settings.redis_url("test")) == ("redis://cache:6379/0", "redis://cache:6379/1")


def test_each_place_has_a_demo_of_its_own(tmp_path: Path) -> None:
    assert read(tmp_path).profile == "huarong"
    qidong = read(tmp_path, MULU_PROFILE="qidong")
    assert qidong.database("demo") == "mulu_qidong"
    assert qidong.database("test") == "mulu_test"
    assert qidong.site != read(tmp_path).site


def test_the_place_of_the_last_start_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "ckan.ini").write_text("[app:main]\nmulu.profile = xiayi\n")
    assert installed_profile(tmp_path) == "xiayi"
    assert read(tmp_path).profile == "xiayi"
    assert read(tmp_path, MULU_PROFILE="hunan").profile == "hunan"


def test_passwords_are_random_stay_the_same_and_are_private(tmp_path: Path) -> None:
    first = read(tmp_path / "a").secrets
    assert read(tmp_path / "a").secrets == first
    assert len(set(first.values())) == len(first)
    assert read(tmp_path / "b").secrets["database"] != first["database"]
    assert stat.S_IMODE((tmp_path / "a" / "secrets.json").stat().st_mode) == 0o600


def test_a_private_file_is_private_when_it_was_not(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    file.chmod(0o644)
    write_private(file, "new")
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("new", 0o600)


def test_a_long_path_does_not_break_the_control_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 90) / ("y" * 90)
    assert len(str(read(deep).socket)) < 100
    assert read(deep).socket != read(deep / "z").socket


def test_tests_never_inherit_the_address_of_the_portals_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CKAN_SQLALCHEMY_URL", "postgresql://a:b@db/portal")
    monkeypatch.setenv("CKAN_SMTP_SERVER", "mail:25")
    assert "CKAN_SQLALCHEMY_URL" not in clean_environment()
    assert clean_environment()["CKAN_SMTP_SERVER"] == "mail:25"


def test_the_tables_lie_in_a_database_of_their_own(tmp_path: Path) -> None:
    own = Settings.read({"MULU_VAR": str(tmp_path)})
    urls = {own.datastore_url(kind, use) for kind in ("demo", "test") for use in ("write", "read")} | {own.database_url("demo")}
    assert len(urls) == 5 and all("mulu_reader:" in own.datastore_url(kind, "read") for kind in ("demo", "test"))
    given = {"CKAN_SQLALCHEMY_URL": "postgresql://a:b@db/portal", "CKAN_DATASTORE_READ_URL": "postgresql://r:b@db/tables?sslmode=require"}
    external = Settings.read({"MULU_VAR": str(tmp_path), **given})
    assert external.datastore_url("test", "read") == "postgresql://r:b@db/tables_test?sslmode=require"
    assert external.datastore_url("demo", "write") == ""


def test_the_copy_of_a_test_that_needs_two_shares_nothing_with_the_others(tmp_path: Path) -> None:
    settings = read(tmp_path)
    for address in (settings.database_url, settings.datastore, settings.solr_url, settings.redis_url, settings.storage, settings.site_id, settings.ini):
        assert len({address(kind) for kind in ("demo", "test", PEER)}) == 3
    assert settings.core(PEER) not in settings.cores, "it is made when it is needed"
