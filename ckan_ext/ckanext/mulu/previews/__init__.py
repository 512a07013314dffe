"""What the public site shows of open files: their first rows, what is in their columns, whether they are as registered, checksum and size.

Only what everybody may have (mulu.visibility) is looked at: the whole file of an entry that is open as a whole, the open columns of a
table where some are, nothing else. A preview belongs to the file's content and to what the entry says of it; it is made once, by a
program of its own (``reader``) with limits of time and memory, and kept under ``<ckan.storage_path>/mulu-previews``.
"""

from __future__ import annotations

import json
import logging
import resource as limits
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import ckan.lib.uploader as uploader
import ckan.model as model
import ckan.plugins.toolkit as tk

from ckanext.mulu.logic import content
from ckanext.mulu.model import versions
from ckanext.mulu.previews.reader import VERSION
from mulu.visibility import is_open, open_items

LARGEST = 10_000_000
"""Bytes of a file that is looked into."""
SECONDS, MEMORY = 20, 1_500_000_000
"""What reading one file may take: of the processor, and bytes. A file that takes more has no preview."""
PATIENCE = 60.0
"""Seconds after which a reader that gets no turn is given up, for this time: the machine is busy, the file may be well."""
READER = (sys.executable, "-m", "ckanext.mulu.previews.reader")
IN_A_SNAPSHOT = 60.0
"""Seconds that a snapshot spends on files nobody has read yet; what is left over comes with the next one."""
log = logging.getLogger(__name__)
Row = dict[str, Any]


@dataclass
class Budget:
    """Time for reading files that have no preview yet."""

    seconds: float = IN_A_SNAPSHOT
    started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> bool:
        return time.monotonic() - self.started < self.seconds


def prepare(package_id: str) -> None:
    """Make the previews of a published entry's files, so that the next snapshot finds them."""
    package = model.Package.get(package_id)
    if package is None or package.private or package.state != "active":
        return
    rows = versions.of_entries([package_id])[package_id]
    if rows:
        described({**content.public_package(dict(rows[-1].entry)), "id": package_id}, Budget(seconds=600))


def described(entry: Row, budget: Budget) -> Row:
    """A published entry (wire form with its ``id``, as everybody may have it) whose resources bear ``hash``, ``size`` and ``preview`` where known."""
    only = None if is_open(entry) else open_items(entry)
    if only == [] or not entry.get("resources"):
        return entry
    return {**entry, "resources": [_described(row, entry, only, budget) for row in entry["resources"]]}


def _described(resource: Row, entry: Row, only: list[str] | None, budget: Budget) -> Row:
    if bool(resource.get("mulu_restricted")) != (only is not None):
        return resource
    path = path_of(resource, str(entry["id"]))
    if path is None:
        return resource
    found = dict(resource)
    digest, size = _digest(str(resource["id"]), path)
    if only is None:
        found |= {"hash": f"sha256:{digest}", "size": size}
    if content.is_uploaded_table({**resource, "url_type": "upload"}) and size <= LARGEST:
        preview = _preview(path, digest, content.table_format(resource), entry, only, budget)
        if preview and preview.get("columns"):
            found["preview"] = preview
    return found


def path_of(resource: Mapping[str, Any], package_id: str) -> Path | None:
    """Where an uploaded file of this package's published resource lies; None for an address elsewhere."""
    held = model.Resource.get(str(resource.get("id") or ""))
    if held is None or held.package_id != package_id or held.state != "active" or held.url_type != "upload":
        return None
    path = Path(uploader.get_resource_uploader({"id": held.id, "url": held.url, "url_type": "upload"}).get_path(held.id))
    return path if path.is_file() else None


def folder() -> Path:
    found = Path(tk.config["ckan.storage_path"]) / "mulu-previews"
    found.mkdir(parents=True, exist_ok=True)
    return found


def _digest(resource_id: str, path: Path) -> tuple[str, int]:
    """(sha256, bytes) of a file; read once, for a published resource's file stays as it is."""
    stat = path.stat()
    kept = folder() / f"{sha256(resource_id.encode()).hexdigest()}.sha256"
    known = _read(kept)
    if known and known["size"] == stat.st_size and known["changed"] == stat.st_mtime_ns:
        return known["sha256"], stat.st_size
    with path.open("rb") as stream:
        digest = file_digest(stream, "sha256").hexdigest()
    _write(kept, {"sha256": digest, "size": stat.st_size, "changed": stat.st_mtime_ns})
    return digest, stat.st_size


def _preview(path: Path, digest: str, kind: str, entry: Row, only: list[str] | None, budget: Budget) -> Row | None:
    items = [{"name": str(i.get("name") or ""), "data_type": str(i.get("data_type") or "")} for i in entry.get("items") or ()]
    asked = {"kind": kind, "items": items, "only": only}
    key = sha256(json.dumps([VERSION, digest, asked], ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    kept = folder() / f"{key}.json"
    found = _read(kept)
    if found is None and budget.left:
        found = _made(asked | {"path": str(path)})
        if found is not None:
            _write(kept, found)
    return found


def _made(asked: Row) -> Row | None:
    """What the reader says; that there is no preview, of a file at which it breaks; None where it got no turn."""
    try:
        done = subprocess.run(READER, input=json.dumps(asked), capture_output=True, text=True, timeout=PATIENCE, preexec_fn=_limit, check=True)
        return dict(json.loads(done.stdout))
    except subprocess.TimeoutExpired:
        log.warning("the preview of %s is left for the next time: the machine is busy", asked["path"])
        return None
    except (subprocess.CalledProcessError, ValueError) as error:
        log.warning("no preview of %s: %s", asked["path"], error)
        return {"refused": "文件不能在规定的时间和内存内读完，不作预览"}


def _limit() -> None:
    limits.setrlimit(limits.RLIMIT_AS, (MEMORY, MEMORY))
    limits.setrlimit(limits.RLIMIT_CPU, (SECONDS, SECONDS))


def _read(file: Path) -> Row | None:
    try:
        return dict(json.loads(file.read_text()))
    except (OSError, ValueError):
        return None


def _write(file: Path, value: Row) -> None:
    fresh = file.with_name(f"{file.name}.{time.monotonic_ns()}")
    fresh.write_text(json.dumps(value, ensure_ascii=False))
    fresh.replace(file)
