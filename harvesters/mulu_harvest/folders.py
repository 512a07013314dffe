"""Files that a source may be read from: those of the folders that the installation names, and no others."""

from __future__ import annotations

import fnmatch
import mimetypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .answer import Answer
from .body import MIB
from .source import SourceError


def path_of(address: str) -> Path | None:
    """The file or folder that an address names, None where it is for HTTP."""
    if address.startswith("file:"):
        return Path(unquote(urlsplit(address).path))
    return None if "://" in address else Path(address)


class Folders:
    """:param title: the source's, for messages. :param folders: where files may be read; without any, none."""

    def __init__(self, title: str, folders: tuple[Path, ...]) -> None:
        self._title, self._folders = title, tuple(Path(folder).resolve() for folder in folders)

    @contextmanager
    def open(self, told: str, path: Path, max_bytes: int, validator: Mapping[str, str] | None) -> Iterator[Answer]:
        """The file, unless the validator (time and size of an earlier reading, as ``ETag`` of the answer) says it is the same."""
        allowed = self._allowed(told, path)
        try:
            if not allowed.is_file():
                raise self._error(f"没有文件 {told}")
            stat = allowed.stat()
            if stat.st_size > max_bytes:
                raise self._error(f"{told} 超过 {max_bytes // MIB} MiB 的上限")
            kind, tag = mimetypes.guess_type(allowed.name)[0] or "", f"{stat.st_mtime_ns}-{stat.st_size}"
            if validator and validator.get("etag") == tag:
                yield Answer(told, False, kind, headers={"ETag": tag})
            else:
                with allowed.open("rb") as file:
                    yield Answer(told, True, kind, file, {"ETag": tag})
        except OSError as error:
            raise self._error(f"{told} 读不了：{error.strerror or error}") from error

    def files(self, folder: str, patterns: tuple[str, ...]) -> Iterator[Path]:
        """Files of a folder by name; what begins with ``.`` or ``~$`` (somebody has it open in Excel) is none of them.

        :param patterns: of names, whatever their case; ``*/name`` is one of a folder in it.
        :raises SourceError: no such folder, or none that may be read.
        """
        path = self._allowed(folder, path_of(folder) or Path(folder))
        if not path.is_dir():
            raise self._error(f"没有文件夹 {folder}")
        deeper = [found for pattern in patterns if "/" in pattern for found in path.glob(pattern)]
        for found in sorted([*path.iterdir(), *deeper]):
            name = found.name.lower()
            wanted = found in deeper or any(fnmatch.fnmatchcase(name, pattern.lower()) for pattern in patterns)
            if wanted and not name.startswith((".", "~$")) and found.is_file() and self._within(found.resolve()):
                yield found

    def _allowed(self, told: str, path: Path) -> Path:
        """The path, absolute; a relative one in the first folder that has it."""
        places = [path] if path.is_absolute() else [folder / path for folder in self._folders]
        try:
            within = [place for place in (one.resolve() for one in places) if self._within(place)]
        except (OSError, RuntimeError, ValueError):
            within = []
        if not within:
            raise self._error(f"{told} 不在允许采集的文件夹内，请管理员在 mulu.harvest_folders 中设置")
        return next((place for place in within if place.exists()), within[0])

    def _within(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self._folders)

    def _error(self, what: str) -> SourceError:
        return SourceError(f"来源“{self._title}”：{what}")
