"""Publishing: a release is built beside the published one, then a symbolic link is switched. A reader never sees half a site.

    out/current -> releases/<stamp>      what the web server serves
    out/releases/<stamp>/                the pages
    out/releases/<stamp>.manifest        which unit has which key and files, one JSON list a line
    out/releases/building(.manifest)     the start of the next release, a build under way, or one that was stopped

A *unit* is a group of files made together from the same data and template, its *key* the digest of both. A unit whose key is
unchanged is not made again. Files are replaced, never written into, so that releases may share them by hard links.

To link every file on every build would take longer than all else. So the oldest of the kept releases becomes the start of the
next one, and it is brought up to date after a publication, not before: nobody waits for that.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol, Self

from mulu_site.manifest import Manifest, Unit, line_of, read_journal, read_manifest, same, to_disk, write_manifest

KEEP = 3  # the published release, the one before it for a roll-back, and one to be taken up by the next build


class BuildError(Exception):
    """The build stopped; the published site is as it was. The message is one Chinese sentence for the operator."""


class Busy(BuildError):
    """Another build is under way."""


class Writer(Protocol):
    """What a unit's maker is given: call it with a path and its content, or `streams()` with parts of several files, mixed.

    `named()` is for files whose path tells their content: one that is there already is not written again.
    """

    def __call__(self, path: str, content: bytes) -> None: ...

    def named(self, path: str, content: bytes) -> None: ...

    def streams(self, parts: Iterable[tuple[str, bytes]]) -> None: ...


@dataclass
class Release:
    """A release under construction. Call `unit()` for every group of files, then `publish()`.

    `base`: what lies in the folder already; `current`: what is published, in `current_dir`; `made`: the units written anew.
    """

    out: Path
    base: Manifest
    current: Manifest
    current_dir: Path | None
    units: Manifest = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    owner: dict[str, str] = field(default_factory=dict)
    published: Path | None = None
    _folder: Path | None = None

    def __post_init__(self) -> None:
        self.root = self.out / "releases" / "building"
        self.journal = self.out / "releases" / "building.manifest"

    def unit(self, name: str, key: str, make: Callable[[Writer], None], note: Any = None) -> Unit:
        """Keeps the unit's files if `key` is known, else calls `make(writer)` to have them written."""
        base, published = self.base.get(name), self.current.get(name)
        if base and base.key == key:
            return self._claim(name, base if base.note == note else Unit(key, base.files, note))
        writer = _Writer(self, name, base or Unit("", []))
        writer.log()
        if published and published.key == key and self.current_dir:
            for path in published.files:
                writer.link(path, self.current_dir / path)
        else:
            make(writer)
            self.made.append(name)
        unit = Unit(key, writer.files, note)
        self.log(name, unit)
        return self._claim(name, unit)

    def published_files(self, name: str, key: str) -> list[Path]:
        """The published files of a unit, if that is its key: what has not changed in them need not be made again."""
        unit = self.current.get(name)
        return [self.current_dir / path for path in unit.files] if self.current_dir and unit and unit.key == key else []

    def _claim(self, name: str, unit: Unit) -> Unit:
        for path in unit.files:
            if path in self.owner:
                raise BuildError(f"两个页面要写同一个文件 {path}，请检查条目的 name 是否重复。")
            self.owner[path] = name
        self.units[name] = unit
        return unit

    def target(self, path: str) -> Path:
        target = self.root / path
        if path.startswith("/") or ".." in path.split("/"):
            raise BuildError(f"页面地址 {path} 越出了站点目录，已停止生成。")
        if target.parent != self._folder:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._folder = target.parent
        return target

    def log(self, name: str, unit: Unit) -> None:
        self._journal.write(line_of(name, unit))

    def __enter__(self) -> Self:
        self._journal = self.journal.open("ab", buffering=0)
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

    def tidy(self) -> None:
        """Removes what no unit owns any more."""
        for name, unit in self.base.items():
            if self.units.get(name) is unit:
                continue
            for path in unit.files:
                if path not in self.owner:
                    (self.root / path).unlink(missing_ok=True)
                    with contextlib.suppress(OSError):
                        os.removedirs((self.root / path).parent)

    def publish(self, stamp: str) -> Path:
        """Seals the manifest and switches `current` to the new release."""
        self.tidy()
        to_disk(self.root / path for path in self.written)
        release = self.out / "releases" / stamp
        write_manifest(release.with_name(stamp + ".manifest"), self.units)
        self.root.rename(release)
        self.journal.unlink()
        switch(self.out, release)
        self.published = release
        return release


@dataclass
class _Writer:
    """Writes new files, never into one that is there: it may be another release's as well.

    Of a unit that a stopped build left undone, the next one must know which files of others it had taken the place of.
    """

    release: Release
    name: str
    before: Unit
    files: list[str] = field(default_factory=list)

    def __call__(self, path: str, content: bytes) -> None:
        with self._open(path) as stream:
            stream.write(content)

    def named(self, path: str, content: bytes) -> None:
        if self.before.key and path in self.before.files:
            self.files.append(path)
        else:
            self(path, content)

    def link(self, path: str, source: Path) -> None:
        if path in self.before.files and _is_same(self.release.root / path, source):
            self.files.append(path)
        else:
            os.link(source, self._place(path))

    def streams(self, parts: Iterable[tuple[str, bytes]]) -> None:
        with contextlib.ExitStack() as stack:
            open_: dict[str, IO[bytes]] = {}
            for path, content in parts:
                if path not in open_:
                    open_[path] = stack.enter_context(self._open(path))
                open_[path].write(content)

    def _open(self, path: str) -> IO[bytes]:
        self.release.written.append(path)
        return self._place(path).open("xb")

    def _place(self, path: str) -> Path:
        """Where to write the file; nothing is there."""
        target = self.release.target(path)
        self.files.append(path)
        if target.exists():
            if path not in self.before.files:
                self.log()
            target.unlink()
        return target

    def log(self) -> None:
        taken = [path for path in self.files if path not in self.before.files]
        self.release.log(self.name, Unit("", [*self.before.files, *taken]))


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and one.samefile(other)


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


def roll_back(out: str | Path, *, wait: float = 0) -> Path:
    """Publishes the release before the current one again; raises `BuildError` where there is none."""
    out = Path(out)
    with _alone(out, wait):
        now = current(out)
        older = [r for r in releases(out) if now and r.name < now.name]
        if not older:
            raise BuildError("没有更早的版本可以回退。")
        switch(out, older[-1])
        return older[-1]


@contextlib.contextmanager
def start(out: str | Path, *, wait: float = 0) -> Iterator[Release]:
    """Opens the next release of the site in `out`; only one build at a time, another one is waited for `wait` seconds."""
    out = Path(out)
    with _alone(out, wait):
        try:
            release = _prepare(out)
        except OSError as error:
            raise BuildError(f"站点目录 {out} 不能写入：{error.strerror}。") from error
        with release:
            yield release
        if release.published:
            release.base, release.current, release.owner = {}, {}, {}
            _be_ready(out, release.units)


@contextlib.contextmanager
def _alone(out: Path, wait: float = 0) -> Iterator[None]:
    try:
        (out / "releases").mkdir(parents=True, exist_ok=True)
        lock = (out / "releases" / ".lock").open("w")
    except OSError as error:
        raise BuildError(f"站点目录 {out} 不能写入：{error.strerror}。") from error
    with lock:
        last = time.monotonic() + wait
        while not _locked(lock):
            if time.monotonic() >= last:
                raise Busy("另一个站点生成任务正在进行，请等它结束后再试。")
            time.sleep(0.2)
        yield


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _prepare(out: Path, now: Manifest | None = None) -> Release:
    """`now`: what is published, where it is known already."""
    folder = out / "releases"
    building, journal, published = folder / "building", folder / "building.manifest", current(out)
    for release in releases(out):
        if not published or release.name > published.name:
            _remove(release)  # it was rolled back, or never published: nothing a later roll-back should lead to
    for file in folder.glob("*.manifest*"):
        if not (folder / file.name.partition(".")[0]).exists():
            file.unlink()
    if building.exists() and (not journal.exists() or _before_restart(journal)):
        _remove(building)
    if not building.exists():
        _take_up(out, published, building, journal)
    manifest = published.with_name(published.name + ".manifest") if published else journal
    if now is None:
        now = read_manifest(manifest) if published else {}
    if published and same(journal, manifest):
        return Release(out, now, now, published)
    base = read_journal(journal)
    if any(not unit.key for unit in base.values()):
        _sweep(building, base)
    write_manifest(journal, base)  # one that a crash cut in the middle of a line is made whole again
    return Release(out, base, now, published)


def _before_restart(journal: Path) -> bool:
    """Whether the machine has been started since: what was written last may not have reached the disk."""
    return journal.stat().st_mtime < time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def _take_up(out: Path, published: Path | None, building: Path, journal: Path) -> None:
    """Makes `building` from a release that is no longer needed, or from the published one."""
    spare = [release for release in releases(out) if release != published][: 2 - KEEP]
    for old in spare[:-1]:
        _remove(old)
    if spare:
        spare[-1].rename(building)
        spare[-1].with_name(spare[-1].name + ".manifest").rename(journal)
    elif published:
        shutil.copytree(published, building, copy_function=os.link)
        shutil.copyfile(published.with_name(published.name + ".manifest"), journal)
    else:
        building.mkdir()
        journal.touch()


def _be_ready(out: Path, now: Manifest) -> None:
    """Brings the start of the next release up to what is published now. What fails here costs the next build time, nothing else."""

    def never(write: Writer) -> None:
        raise AssertionError("what is published is linked, not made")

    try:
        release = _prepare(out, now)
        if release.base is release.current:
            return
        with release:
            for name, unit in release.current.items():
                release.unit(name, unit.key, never, unit.note)
            release.tidy()
        published = release.current_dir
        if published:
            shutil.copyfile(published.with_name(published.name + ".manifest"), release.journal)
    except (OSError, BuildError):
        _remove(out / "releases" / "building")


def _sweep(root: Path, units: Manifest) -> None:
    """A build was stopped while it wrote files that no line of the journal names yet: they go."""
    known = {path for unit in units.values() for path in unit.files}
    for folder, _, files in os.walk(root):
        for file in files:
            path = Path(folder, file)
            if path.relative_to(root).as_posix() not in known:
                path.unlink()


def _remove(release: Path) -> None:
    release.with_name(release.name + ".manifest").unlink(missing_ok=True)
    shutil.rmtree(release, ignore_errors=True)
