"""Where everything is and listens: one place, read from the environment.

    MULU_VAR              folder of all that is made at run time (default: var/ of the checkout)
    MULU_PORT_CKAN … SITE, SOLR, POSTGRES, REDIS
    MULU_PROFILE          the place whose rules apply (default: that of the installation, else huarong)
    MULU_HARVEST_FOLDERS  folders of which harvests may read files, parted by ":" (default: harvest/ in MULU_VAR)
    CKAN_DATASTORE_WRITE_URL, CKAN_DATASTORE_READ_URL
                          the database of tables beside an external CKAN_SQLALCHEMY_URL; the second user may only read
    CKAN_SQLALCHEMY_URL, CKAN_REDIS_URL, CKAN_SOLR_URL
                          an existing service; ours is then not started. CKAN_SOLR_URL names the core.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from mulu_ops.errors import Missing

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
PORTS: Mapping[str, int] = {"ckan": 5000, "site": 5080, "solr": 58983, "postgres": 55432, "redis": 56379}
EXTERNAL: Mapping[str, str] = {"postgres": "CKAN_SQLALCHEMY_URL", "redis": "CKAN_REDIS_URL", "solr": "CKAN_SOLR_URL"}
KINDS = ("demo", "test")
"""Two copies on the same services, each with its own database, Solr core and Redis number: tests never touch the demo."""
PEER = "peer"
"""A third one, of a test that harvests one portal from another: made and dropped by that test."""
DEFAULT_PROFILE = "huarong"

_CORE = {"demo": "mulu", "test": "mulu_test", PEER: "mulu_peer"}
_REDIS_NUMBER = {"demo": 0, "test": 1, PEER: 2}
DATASTORE: Mapping[str, str] = {"datastore-write": "CKAN_DATASTORE_WRITE_URL", "datastore-read": "CKAN_DATASTORE_READ_URL"}
_OVERRIDES = (*EXTERNAL.values(), *DATASTORE.values(), "CKAN_SITE_ID", "CKAN_SITE_URL", "CKAN_STORAGE_PATH", "CKAN_INI")
_LONGEST_SOCKET = 100
"""A Unix socket's path may have 107 bytes; supervisor adds a few while it starts."""


def port_variable(service: str) -> str:
    return f"MULU_PORT_{service.upper()}"


@dataclass(frozen=True)
class Settings:
    """``external``: services whose URL was given; they are used, never started."""

    var: Path
    ports: Mapping[str, int]
    profile: str
    external: Mapping[str, str] = field(default_factory=dict)
    harvest_folders: tuple[Path, ...] = ()

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None, *, profile: str = "") -> Settings:
        """The environment's settings; a port that is no number stops with one sentence."""
        env = dict(os.environ) if environ is None else environ
        ports = {name: _port(env, name, port) for name, port in PORTS.items()}
        external = {name: env[variable] for name, variable in {**EXTERNAL, **DATASTORE}.items() if env.get(variable)}
        var = Path(env.get("MULU_VAR") or ROOT / "var").resolve()
        return cls(var, ports, profile or env.get("MULU_PROFILE") or installed_profile(var) or DEFAULT_PROFILE, external, _folders(env, var))

    def url(self, service: str) -> str:
        return f"http://{HOST}:{self.ports[service]}"

    def database(self, kind: str) -> str:
        """Each place has a demo of its own, so that trying another one loses nothing."""
        return f"mulu_{kind}" if kind != "demo" else "mulu" + ("" if self.profile == DEFAULT_PROFILE else f"_{self.profile}")

    def site_id(self, kind: str) -> str:
        """CKAN keeps apart by it what several portals have in one Solr core and one Redis."""
        return self.database(kind)

    def database_url(self, kind: str) -> str:
        """For tests beside an external database the same server with ``_test`` added to its name."""
        if url := self.external.get("postgres"):
            return url if kind == "demo" else _suffixed(url, f"_{kind}")
        return f"postgresql://mulu:{self.secrets['database']}@{HOST}:{self.ports['postgres']}/{self.database(kind)}"

    def datastore(self, kind: str) -> str:
        """The database that holds published files as tables."""
        return f"{self.database(kind)}_datastore"

    def datastore_url(self, kind: str, use: str) -> str:
        """use: ``write`` (the portal's own) or ``read`` (a user who may do no more)."""
        if "postgres" in self.external:
            url = self.external.get(f"datastore-{use}", "")
            return url if kind == "demo" or not url else _suffixed(url, f"_{kind}")
        user, secret = ("mulu", "database") if use == "write" else ("mulu_reader", "datastore")
        return f"postgresql://{user}:{self.secrets[secret]}@{HOST}:{self.ports['postgres']}/{self.datastore(kind)}"

    def admin_url(self, database: str = "postgres") -> str:
        """The superuser of our own PostgreSQL."""
        return f"postgresql://mulu_admin:{self.secrets['superuser']}@{HOST}:{self.ports['postgres']}/{database}"

    def solr_url(self, kind: str) -> str:
        if url := self.external.get("solr"):
            return url if kind == "demo" else _suffixed(url, f"_{kind}")
        return f"{self.url('solr')}/solr/{_CORE[kind]}"

    def redis_url(self, kind: str) -> str:
        base = self.external.get("redis") or f"redis://:{self.secrets['redis']}@{HOST}:{self.ports['redis']}/0"
        address, slash, number = base.rpartition("/")
        return f"{address if number.isdigit() and slash else base.rstrip('/')}/{_REDIS_NUMBER[kind]}"

    @property
    def cores(self) -> tuple[str, ...]:
        return tuple(_CORE[kind] for kind in KINDS)

    def core(self, kind: str) -> str:
        """The name of a copy's core in our own Solr."""
        return _CORE[kind]

    def ini(self, kind: str) -> Path:
        return self.var / ("ckan.ini" if kind == "demo" else f"{kind}.ini")

    def storage(self, kind: str) -> Path:
        return self.var / "storage" / (self.database(kind) if kind == "demo" else kind)

    @property
    def demo_json(self) -> Path:
        """Who may log in, of the place that is running now."""
        return self.var / "demo.json"

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def site(self) -> Path:
        """The public site's releases, ``current`` among them; of another place in a folder beside it."""
        return self.var / ("site" if self.profile == DEFAULT_PROFILE else f"site-{self.profile}")

    @property
    def socket(self) -> Path:
        """supervisor's control socket: in var/, unless that path is too long for a socket."""
        near = self.var / "supervisor.sock"
        if len(os.fsencode(near)) <= _LONGEST_SOCKET:
            return near
        return Path(tempfile.gettempdir()) / f"mulu-{sha256(os.fsencode(self.var)).hexdigest()[:12]}.sock"

    @cached_property
    def secrets(self) -> dict[str, str]:
        """Passwords and keys of this installation, made at random once and readable by its owner only."""
        file = self.var / "secrets.json"
        known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        wanted = {name: known.get(name) or secrets.token_urlsafe(24) for name in ("superuser", "database", "datastore", "redis", "session")}
        if wanted != known:
            write_private(file, json.dumps(wanted))
        return wanted


def installed_profile(var: Path) -> str:
    """The profile of the portal that was started last in this folder; "" before the first time."""
    ini = var / "ckan.ini"
    lines = ini.read_text(encoding="utf-8").splitlines() if ini.exists() else []
    return next((line.split("=", 1)[1].strip() for line in lines if line.startswith("mulu.profile")), "")


def clean_environment() -> dict[str, str]:
    """The environment for CKAN and its tests, without what CKAN would take over its ini file.

    With CKAN_SQLALCHEMY_URL set, a test run on var/test.ini would empty the database of the portal itself.
    """
    return {name: value for name, value in os.environ.items() if name not in _OVERRIDES}


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first moment, and whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(file.name + ".new")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    temporary.replace(file)


def _folders(env: Mapping[str, str], var: Path) -> tuple[Path, ...]:
    """CKAN's configuration parts them by blanks, so that none may have one in its path."""
    given = env.get("MULU_HARVEST_FOLDERS", "")
    if any(blank.isspace() for blank in given):
        raise Missing(f"MULU_HARVEST_FOLDERS 的路径里不能有空格：{given}")
    return tuple(Path(one).resolve() for one in given.split(os.pathsep) if one) or (var / "harvest",)


def _port(env: Mapping[str, str], service: str, usual: int) -> int:
    variable = port_variable(service)
    text = env.get(variable) or str(usual)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**16):
        raise Missing(f"{variable} 应当是 1 到 65535 之间的端口号，现在是“{text}”。")
    return int(text)


def _suffixed(url: str, suffix: str) -> str:
    address, question, query = url.partition("?")
    return address.rstrip("/") + suffix + question + query
