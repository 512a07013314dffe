"""The hand-written pages: Markdown through mkdocs-material's machinery, into the same shell as the catalogue's pages. The only import of mkdocs."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mulu_site.place import Site
from mulu_site.release import BuildError, Release
from mulu_site.render import ROOT, Renderer
from mulu_site.text import digest

CONFIG = ROOT / "mkdocs.yml"
_THEIRS = ("assets/", "search/", "sitemap.xml", "404.html")  # material's own files: our shell needs none of them


def unit(release: Release, pages: Path, site: Site, renderer: Renderer) -> None:
    """All hand-written pages as one unit of the release."""
    sources = {str(f.relative_to(pages)): digest(f.read_bytes().hex()) for f in sorted(pages.rglob("*")) if f.is_file()}
    key = digest(sources, CONFIG.read_text(), renderer.fingerprint("mkdocs/main.html"), site.to_dict())

    def make(write: Any) -> None:
        for path, content in render(pages, site):
            write(path, content)

    release.unit("pages", key, make)


def render(pages: Path, site: Site) -> Iterator[tuple[str, bytes]]:
    """(path, content) of every page and picture."""
    from mkdocs.commands.build import build  # half a second: only where a page has changed
    from mkdocs.config import load_config
    from mkdocs.exceptions import MkDocsException

    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        try:
            config = load_config(
                str(CONFIG),
                docs_dir=str(pages),
                site_dir=folder,
                site_name=site.title,
                extra={"site": site.to_dict()},
            )
            config.plugins.on_startup(command="build", dirty=False)
            try:
                build(config)
            finally:
                config.plugins.on_shutdown()
        except MkDocsException as error:
            raise BuildError(f"手写页面生成失败：{error}") from error
        for file in sorted(Path(folder).rglob("*")):
            path = file.relative_to(folder).as_posix()
            if file.is_file() and not path.startswith(_THEIRS) and not path.endswith(".gz"):
                yield path, file.read_bytes()
