"""Publishing: a release is built beside the published one, then a symbolic link is switched. A reader never sees half a site.

    out/current -> releases/<stamp>      what the web server serves
    out/releases/<stamp>/                the pages
    out/releases/<stamp>.manifest        which unit has which key and files, one JSON list a line
    out/releases/building(.manifest)     a build under way, or one that was stopped: the next build goes on from it

A *unit* is a group of files made together from the same data and template, its *key* the digest of both. A unit whose key is
unchanged is not made again. To spare the linking of every file on every build, the oldest of the kept releases becomes the
start of the new one; files are replaced, never written into, so releases may share them by hard links.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol, Self

KEEP = 3  # the published release, the one before it for a roll-back, and one to be taken up by the next build


class BuildError(Exception):
    """The build stopped; the published site is as it was. The message is one Chinese sentence for the operator."""


class Unit(NamedTuple):
    key: str
    files: list[str]
    note: Any = None  # what a later build wants to know of this unit without making it again


Manifest = dict[str, Unit]


class Writer(Protocol):
    """What a unit's maker is given: call it with a path and its content, or `streams()` with parts of several files, mixed."""

    def __call__(self, path: str, content: bytes) -> None: ...

    def streams(self, parts: Iterable[tuple[str, bytes]]) -> None: ...


def read_manifest(path: Path) -> Manifest:
    """Reads a manifest or a journal: the last line of a unit counts, a line cut short by a crash does not."""
    units: Manifest = {}
    if not path.exists():
        return units
    with path.open("rb") as stream:
        for line in stream:
            try:
                name, key, files, note = json.loads(line)
            except ValueError:
                continue
            units[name] = Unit(key, files, note)
    return units


@dataclass
class Release:
    """A release under construction. Call `unit()` for every group of files, then `publish()`."""

    out: Path
    base: Manifest
    current: Manifest
    current_dir: Path | None
    units: Manifest = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    owner: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.out / "releases" / "building"

    @property
    def journal(self) -> Path:
        return self.out / "releases" / "building.manifest"

    def unit(self, name: str, key: str, make: Callable[[Writer], None], note: Any = None) -> Unit:
        """Keeps the unit's files if `key` is known, else calls `make(writer)` to have them written."""
        base, published = self.base.get(name), self.current.get(name)
        if base and base.key == key:
            return self._claim(name, Unit(key, base.files, note))
        self._log(name, Unit("", base.files if base else []))
        if published and published.key == key and self.current_dir:
            for path in published.files:
                self._link(self.current_dir / path, path)
            files = published.files
        else:
            writer = _Writer(self)
            make(writer)
            files = writer.files
            self.made.append(name)
        unit = Unit(key, files, note)
        self._log(name, unit)
        return self._claim(name, unit)

    def _claim(self, name: str, unit: Unit) -> Unit:
        for path in unit.files:
            if path in self.owner:
                raise BuildError(f"两个页面要写同一个文件 {path}，请检查条目的 name 是否重复。")
            self.owner[path] = name
        self.units[name] = unit
        return unit

    def _link(self, source: Path, path: str) -> None:
        target = self.target(path)
        fresh = target.with_name(target.name + ".new")
        fresh.unlink(missing_ok=True)
        os.link(source, fresh)
        os.replace(fresh, target)
        fresh.unlink(missing_ok=True)  # rename does nothing when both names are already the same file

    def target(self, path: str) -> Path:
        target = self.root / path
        if path.startswith("/") or ".." in path.split("/"):
            raise BuildError(f"页面地址 {path} 越出了站点目录，已停止生成。")
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _log(self, name: str, unit: Unit) -> None:
        self._journal.write(json.dumps([name, *unit], ensure_ascii=False) + "\n")
        self._journal.flush()

    def __enter__(self) -> Self:
        self._journal = self.journal.open("a", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._journal.close()
        if isinstance(error, OSError):
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                _remove(self.root)  # give the space back: half a build is of no use on a full disk
                reason = "磁盘空间已满"
            else:
                reason = f"文件 {error.filename or ''} 读写失败：{error.strerror or error}"
            raise BuildError(f"{reason}，站点没有更新，已发布的内容保持原样。") from error

    def publish(self, stamp: str) -> Path:
        """Removes what no unit owns any more, seals the manifest and switches `current` to the new release."""
        for unit in self.base.values():
            for path in unit.files:
                if path not in self.owner:
                    (self.root / path).unlink(missing_ok=True)
                    with contextlib.suppress(OSError):
                        os.removedirs((self.root / path).parent)
        release = self.out / "releases" / stamp
        _write_manifest(release.with_name(stamp + ".manifest"), self.units)
        self.root.rename(release)
        self.journal.unlink()
        switch(self.out, release)
        for old in releases(self.out)[:-KEEP]:
            _remove(old)
        return release


@dataclass
class _Writer:
    """Writes each file beside its place and moves it there when it is whole: a file shared with another release is never written into."""

    release: Release
    files: list[str] = field(default_factory=list)

    def __call__(self, path: str, content: bytes) -> None:
        self.streams([(path, content)])

    def streams(self, parts: Iterable[tuple[str, bytes]]) -> None:
        targets: dict[str, Path] = {}
        with contextlib.ExitStack() as stack:
            open_: dict[str, IO[bytes]] = {}
            for path, content in parts:
                if path not in open_:
                    targets[path] = self.release.target(path)
                    open_[path] = stack.enter_context(_fresh(targets[path]).open("wb"))
                open_[path].write(content)
        for path, target in targets.items():
            os.replace(_fresh(target), target)
            self.files.append(path)


def _fresh(target: Path) -> Path:
    return target.with_name(target.name + ".new")


def releases(out: Path) -> list[Path]:
    """Finished releases, oldest first."""
    folder = out / "releases"
    return sorted(
        p
        for p in folder.glob("*")
        if p.is_dir() and p.name != "building" and p.with_name(p.name + ".manifest").exists()
    )


def current(out: Path) -> Path | None:
    link = out / "current"
    return link.resolve() if link.is_symlink() and link.exists() else None


def switch(out: Path, release: Path) -> None:
    """Points `current` at a release in one step."""
    fresh = out / "current.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(Path("releases") / release.name)
    os.replace(fresh, out / "current")


def roll_back(out: str | Path) -> Path:
    """Publishes the release before the current one again; raises `BuildError` where there is none."""
    out = Path(out)
    now = current(out)
    older = [r for r in releases(out) if now and r.name < now.name]
    if not older:
        raise BuildError("没有更早的版本可以回退。")
    switch(out, older[-1])
    return older[-1]


@contextlib.contextmanager
def start(out: str | Path) -> Iterator[Release]:
    """Opens the next release of the site in `out`; only one build at a time."""
    out = Path(out)
    (out / "releases").mkdir(parents=True, exist_ok=True)
    with (out / "releases" / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildError("另一个站点生成任务正在进行，请等它结束后再试。") from None
        try:
            release = _prepare(out)
        except OSError as error:
            raise BuildError(f"站点目录 {out} 不能写入：{error.strerror}。") from error
        with release:
            yield release


def _prepare(out: Path) -> Release:
    building, journal = out / "releases" / "building", out / "releases" / "building.manifest"
    published = current(out)
    if building.exists() and not journal.exists():
        _remove(building)
    if not building.exists():
        journal.unlink(missing_ok=True)
        done = releases(out)
        if len(done) >= KEEP and done[0] != published:
            done[0].rename(building)
            done[0].with_name(done[0].name + ".manifest").rename(journal)
        elif published:
            shutil.copytree(published, building, copy_function=os.link)
            shutil.copyfile(published.with_name(published.name + ".manifest"), journal)
        else:
            building.mkdir()
            journal.touch()
    base = read_manifest(journal)
    _write_manifest(journal, base)  # a journal that a crash cut in the middle of a line is made whole again
    now = read_manifest(published.with_name(published.name + ".manifest")) if published else {}
    return Release(out, base, now, published)


def _write_manifest(path: Path, units: Manifest) -> None:
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8") as stream:
        for name, unit in units.items():
            stream.write(json.dumps([name, *unit], ensure_ascii=False) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(fresh, path)


def _remove(release: Path) -> None:
    release.with_name(release.name + ".manifest").unlink(missing_ok=True)
    shutil.rmtree(release, ignore_errors=True)
