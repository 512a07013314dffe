"""What is written for the programs, and that a small installation of its own starts, stays, and stops on real ones."""

from __future__ import annotations

import configparser
import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mulu_ops import portal, programs, services, solr
from mulu_ops.errors import Missing
from mulu_ops.settings import Settings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def small(tmp_path: Path, settings: Settings) -> Iterator[services.Services]:
    """Redis, a static server and the two CKAN programs under a supervisor of their own; PostgreSQL and Solr are this checkout's."""
    environ = {f"MULU_PORT_{name}": str(free_port()) for name in ("CKAN", "SITE", "REDIS", "SOLR", "POSTGRES")}
    own = Settings.read(
        {**environ, "MULU_VAR": str(tmp_path / "var"), "CKAN_SQLALCHEMY_URL": settings.database_url("test"),
         "CKAN_SOLR_URL": settings.solr_url("test")}
    )  # fmt: skip
    found = services.Services(own)
    yield found
    found.down()


def test_supervisord_conf_is_readable_and_starts_nothing_by_itself(settings: Settings) -> None:
    conf = configparser.RawConfigParser()
    conf.read_string(programs.supervisord_conf(settings, programs.programs(settings)))
    names = [section.removeprefix("program:") for section in conf.sections() if section.startswith("program:")]
    assert names == ["postgres", "redis", "solr", "ckan", "worker", "clockwork", "harvest", "publisher", "site"]
    assert {conf[f"program:{name}"]["autostart"] for name in names} == {"false"}
    assert conf["unix_http_server"]["chmod"] == "0700"


def test_postgresql_never_runs_as_root(settings: Settings) -> None:
    postgres = programs.programs(settings)[0]
    assert postgres.name == "postgres"
    assert bool(postgres.user) == (os.geteuid() == 0)


def test_a_closed_folder_sends_the_database_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(programs, "postgres_user", lambda: "postgres")
    folder = programs.postgres_folder(Settings.read({"MULU_VAR": str(closed / "mulu" / "var")}))
    assert folder.is_relative_to("/var/lib/mulu")


def test_external_services_are_not_ours_to_start(small: services.Services) -> None:
    assert [program.name for program in programs.programs(small.settings)] == ["redis", "ckan", "worker", "clockwork", "harvest", "publisher", "site"]


def test_start_twice_stop_once(small: services.Services) -> None:
    portal.write_inis(small.settings)
    small.start_daemon()
    assert small.start("redis")
    small.wait("redis", lambda: services.redis_ready(small.settings), 20)
    (before,) = [state.pid for state in small.states() if state.name == "redis"]
    small.start_daemon()
    assert not small.start("redis")
    assert [state.pid for state in small.states() if state.name == "redis"] == [before]
    assert small.down()
    assert not services.port_taken(small.settings.ports["redis"])
    assert not small.down()


def test_redis_asks_for_the_password(small: services.Services) -> None:
    portal.write_inis(small.settings)
    small.start_daemon()
    small.start("redis")
    small.wait("redis", lambda: services.redis_ready(small.settings), 20)
    with socket.create_connection(("127.0.0.1", small.settings.ports["redis"]), timeout=5) as stranger:
        stranger.sendall(b"PING\r\n")
        assert stranger.recv(100).startswith(b"-NOAUTH")
    assert stat.S_IMODE((small.settings.var / "redis" / "redis.conf").stat().st_mode) == 0o600


def test_a_changed_ini_restarts_what_ran_and_nothing_else(small: services.Services) -> None:
    portal.write_inis(small.settings)
    small.start_daemon()
    small.start("redis")
    small.start("site")
    before = {state.name: state.pid for state in small.states()}
    ini = small.settings.ini("demo")
    ini.write_text(ini.read_text() + "\n")
    small.start_daemon()
    after = {state.name: state.pid for state in small.states()}
    assert after["redis"] == before["redis"]
    assert "ckan" not in small.running()


def test_a_program_that_died_is_started_again(small: services.Services) -> None:
    portal.write_inis(small.settings)
    small.start_daemon()
    small.start("redis")
    small.wait("redis", lambda: services.redis_ready(small.settings), 20)
    time.sleep(1.2)  # supervisor calls a program running after a second, and starts only such a one again
    (pid,) = [state.pid for state in small.states() if state.name == "redis"]
    os.kill(pid, signal.SIGKILL)
    small.wait("redis", lambda: services.redis_ready(small.settings) and {s.pid for s in small.states() if s.name == "redis"} != {pid}, 20)


def test_a_taken_port_is_named_with_the_setting_to_change(small: services.Services) -> None:
    portal.write_inis(small.settings)
    small.start_daemon()
    port = small.settings.ports["redis"]
    with socket.create_server(("127.0.0.1", port)), pytest.raises(Missing, match=f"端口 {port}（redis）.*MULU_PORT_REDIS"):
        small.start("redis")


def test_a_program_that_gives_up_is_reported_with_its_last_words(small: services.Services) -> None:
    portal.write_inis(small.settings)
    conf = programs.redis_conf(small.settings)
    small.start_daemon()
    conf.write_text(conf.read_text() + "no-such-setting 1\n")
    small.start("redis")
    with pytest.raises(Missing, match=r"(?s)redis 启动后退出了.*no-such-setting"):
        small.wait("redis", lambda: services.redis_ready(small.settings), 30)


def test_an_unknown_place_and_a_missing_database_are_said(small: services.Services) -> None:
    with pytest.raises(Missing, match=r"没有名为“beijing”的地方.*huarong"):
        portal.check_profile(Settings.read({"MULU_VAR": str(small.settings.var)}, profile="beijing"))
    nowhere = Settings.read({"MULU_VAR": str(small.settings.var), "CKAN_SQLALCHEMY_URL": "postgresql://a:b@127.0.0.1:1/portal"})
    with pytest.raises(Missing, match="CKAN_SQLALCHEMY_URL 所指的数据库“portal”"):
        portal.create_databases(nowhere, small)


def test_ini_files_are_private_name_their_copies_and_are_written_once(small: services.Services) -> None:
    portal.write_inis(small.settings)
    for kind in ("demo", "test"):
        ini = small.settings.ini(kind)
        conf = configparser.RawConfigParser()
        conf.read(ini)
        assert conf["app:main"]["sqlalchemy.url"] == small.settings.database_url(kind)
        assert conf["app:main"]["solr_url"] == small.settings.solr_url(kind)
        assert stat.S_IMODE(ini.stat().st_mode) == 0o600
    written = small.settings.ini("demo").stat().st_mtime_ns
    portal.write_inis(small.settings)
    assert small.settings.ini("demo").stat().st_mtime_ns == written


def test_solrs_schema_is_ckans_with_our_types(settings: Settings) -> None:
    schema = solr.schema()
    assert '<schema name="ckan-2.12"' in schema
    assert schema.count('<fieldType name="text" ') == 1
    assert 'name="title_whole"' in schema
    assert '"Ａ" => "A"' in solr.width_mapping()
    solr.write_home(settings)
    home = solr.home(settings)
    written = (home / "mulu" / "conf" / "schema.xml").stat().st_mtime_ns
    solr.write_home(settings)
    assert (home / "mulu" / "conf" / "schema.xml").stat().st_mtime_ns == written
