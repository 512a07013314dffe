"""Where everything is and listens: one place, read from the environment.

    MULU_VAR              folder of all that is made at run time (default: var/ of the checkout)
    MULU_PORT_CKAN … SITE, SOLR, POSTGRES, REDIS
    CKAN_SQLALCHEMY_URL, CKAN_REDIS_URL, CKAN_SOLR_URL
                          an existing service; ours is then not started. CKAN_SOLR_URL names the core.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
PORTS = {"ckan": 5000, "site": 5080, "solr": 58983, "postgres": 55432, "redis": 56379}
KINDS = ("demo", "test")
"""Two copies on the same services, each with its own database, Solr core and Redis number: tests never touch the demo."""

_DATABASE = {"demo": "mulu", "test": "mulu_test"}
_REDIS_NUMBER = {"demo": 0, "test": 1}


def port_variable(service: str) -> str:
    return f"MULU_PORT_{service.upper()}"


@dataclass(frozen=True)
class Settings:
    """``external``: services whose URL was given; they are used, never started."""

    var: Path
    ports: dict[str, int]
    external: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, environ: dict[str, str] | None = None) -> Settings:
        env = dict(os.environ) if environ is None else environ
        ports = {name: int(env.get(port_variable(name), port)) for name, port in PORTS.items()}
        given = {"postgres": "CKAN_SQLALCHEMY_URL", "redis": "CKAN_REDIS_URL", "solr": "CKAN_SOLR_URL"}
        external = {name: env[variable] for name, variable in given.items() if env.get(variable)}
        return cls(Path(env.get("MULU_VAR", ROOT / "var")).resolve(), ports, external)

    def url(self, service: str) -> str:
        return f"http://{HOST}:{self.ports[service]}"

    def database_url(self, kind: str) -> str:
        """For tests beside an external database the same server with ``_test`` added to its name."""
        if url := self.external.get("postgres"):
            return url if kind == "demo" else _suffixed(url, "_test")
        password = self.secrets()["database"]
        return f"postgresql://mulu:{password}@{HOST}:{self.ports['postgres']}/{_DATABASE[kind]}"

    def solr_url(self, kind: str) -> str:
        if url := self.external.get("solr"):
            return url if kind == "demo" else _suffixed(url, "_test")
        return f"{self.url('solr')}/solr/{_DATABASE[kind]}"

    def redis_url(self, kind: str) -> str:
        base = self.external.get("redis") or f"redis://{HOST}:{self.ports['redis']}/0"
        return f"{base.rsplit('/', 1)[0]}/{_REDIS_NUMBER[kind]}"

    def cores(self) -> tuple[str, ...]:
        return tuple(_DATABASE.values())

    def ini(self, kind: str) -> Path:
        return self.var / ("ckan.ini" if kind == "demo" else "test.ini")

    @property
    def demo_json(self) -> Path:
        return self.var / "demo.json"

    @property
    def log(self) -> Path:
        return self.var / "log"

    def secrets(self) -> dict[str, str]:
        """Passwords and keys of this installation, made at random once and readable by its owner only."""
        file = self.var / "secrets.json"
        if not file.exists():
            made = {name: secrets.token_urlsafe(24) for name in ("superuser", "database", "session")}
            write_private(file, json.dumps(made))
        return dict(json.loads(file.read_text()))


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first moment."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(file.name + ".new")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    temporary.replace(file)


def _suffixed(url: str, suffix: str) -> str:
    address, question, query = url.partition("?")
    return address.rstrip("/") + suffix + question + query
