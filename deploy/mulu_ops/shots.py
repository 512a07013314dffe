"""Pictures of the public site for site/pages/develop/look.md, taken anew: `make shots` (needs `make demo` running, and Chromium).

Home, search, dashboard and an entry with a preview come from a made-up catalogue (mulu_site.generate: the pages say so); the form of a
re-review and its receipt from the running demo: the request is really sent to the portal, in the name of a person who is made up and says so.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.request import urlopen

import click

from mulu_ops.errors import Missing
from mulu_ops.settings import HOST, ROOT, Settings
from mulu_ops.static import server
from mulu_site.build import build
from mulu_site.generate import generate
from mulu_site.snapshot import open_snapshot

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = ROOT / "site" / "pages" / "develop" / "shots"
ENTRIES = 2000
"""Of the made-up catalogue: enough for lists, search and board to be full."""
FIELDS = {
    "request": "（演示）希望在去除个人信息后，按街道、按年度向社会开放。", "purpose": "（演示）研究公共服务的分布", "name": "欧阳测试（虚构）",
}  # fmt: skip
"""What the made-up person writes."""


class View(NamedTuple):
    """One way to look at a page; a picture has `scale` pixels for each of the page's."""

    name: str
    width: int
    height: int
    dark: bool
    scale: int = 1

    def size(self, page: str) -> tuple[int, int]:
        """Width and height of the window: on a desktop pages that go on below are shown further down."""
        return self.width, self.height * 2 if self.scale == 1 and page in LONG else self.height


VIEWS = (
    View("desktop-light", 1280, 900, False), View("desktop-dark", 1280, 900, True),
    View("phone-light", 390, 844, False, 2), View("phone-dark", 390, 844, True, 2),
)  # fmt: skip
PICTURES = ("home", "search", "entry", "dashboard", "rereview", "receipt")
LONG = frozenset({"home", "entry", "dashboard"})


def take(settings: Settings, folder: Path) -> list[Path]:
    """All pictures, written to `folder` (`<page>-<view>.webp`). Missing with one sentence where the demo or Chromium is not there."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ModuleNotFoundError:
        raise Missing("没有安装 playwright：先运行 make test，或者 uv pip install playwright。") from None
    asked = _asked_about(settings)
    folder.mkdir(parents=True, exist_ok=True)
    with made_up() as (base, entry), sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=os.environ.get("MULU_CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox", "--lang=zh-CN"])
        except Error as error:
            raise Missing(f"Chromium 没有启动：{str(error).splitlines()[0]}") from None
        written = [*_pages(browser, base, entry, folder), *_request(browser, f"{settings.url('site')}/ask/rereview/?entry={asked}", folder)]
        browser.close()
    return written


@contextmanager
def made_up() -> Iterator[tuple[str, str]]:
    """A site of ENTRIES made-up entries, served while it is needed: its URL and the page of an entry with a preview and a map."""
    with tempfile.TemporaryDirectory() as folder:
        snapshot = generate(ENTRIES, Path(folder) / "snapshot.jsonl", portal_url="https://portal.example")
        build(snapshot, Path(folder) / "site", pages=None)
        serving = server(Path(folder) / "site" / "current", HOST, 0)
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        try:
            yield f"http://{HOST}:{serving.server_port}/", _richest(snapshot)
        finally:
            serving.shutdown()
            serving.server_close()


def _richest(snapshot: Path) -> str:
    """The name of the open entry of which most is to be seen: points, charts, an interface."""

    def worth(entry: dict[str, Any]) -> tuple[int, ...]:
        previews = [r["preview"] for r in entry.get("resources") or [] if r.get("preview")]
        return (entry.get("open_type") == "unconditional", any(p.get("points") for p in previews), bool(previews), len(entry["title"]) < 20, len(entry.get("items") or []))

    return str(max((line.entry() for line in open_snapshot(snapshot).lines()), key=worth)["name"])


def _asked_about(settings: Settings) -> str:
    """An entry of the running demo that is not open as a whole."""
    try:
        with urlopen(f"{settings.url('site')}/entries.json", timeout=30) as answer:
            entries = json.load(answer)
    except OSError as error:
        raise Missing(f"公共站点没有应答（{settings.url('site')}：{error}）。先运行 make demo。") from None
    found = next((one["name"] for one in entries if one.get("open_type") in ("none", "conditional")), None)
    if found is None:
        raise Missing("演示目录里没有可以申请复核的条目（不予开放或者有条件开放）。")
    return str(found)


def _pages(browser: Browser, base: str, entry: str, folder: Path) -> Iterator[Path]:
    paths = {"home": "", "search": "catalogue/?q=养老", "entry": f"entry/{entry}/", "dashboard": "dashboard/"}
    for view in VIEWS:
        context = browser.new_context(**_window(view))
        page = context.new_page()
        for name, path in paths.items():
            _resize(page, view, name)
            page.goto(base + path)
            if name == "search":
                page.wait_for_selector("#results[data-complete]")
            yield _picture(page, folder / f"{name}-{view.name}.webp")
        context.close()


def _request(browser: Browser, url: str, folder: Path) -> Iterator[Path]:
    """One request from a desktop and one from a phone, each filled in and answered in the light and in the dark."""
    for scale in sorted({view.scale for view in VIEWS}):
        views = [view for view in VIEWS if view.scale == scale]
        context = browser.new_context(**_window(views[0]))
        page = context.new_page()
        page.goto(url)
        page.wait_for_selector("#ask[data-ready]", state="attached")
        for field, text in FIELDS.items():
            page.fill(f"#f-{field}", text)
        yield from _each(page, views, "rereview", folder)
        page.locator("#ask button[type=submit]").click()
        page.locator("#receipt").wait_for(timeout=60_000)
        yield from _each(page, views, "receipt", folder)
        context.close()


def _each(page: Page, views: list[View], name: str, folder: Path) -> Iterator[Path]:
    for view in views:
        _resize(page, view, name)
        page.emulate_media(color_scheme="dark" if view.dark else "light")
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        if name == "receipt":
            page.evaluate("scrollTo(0, document.getElementById('receipt').getBoundingClientRect().top - innerHeight * .15)")
        yield _picture(page, folder / f"{name}-{view.name}.webp")


def _resize(page: Page, view: View, name: str) -> None:
    width, height = view.size(name)
    page.set_viewport_size({"width": width, "height": height})


def _window(view: View) -> dict[str, Any]:
    return {
        "viewport": {"width": view.width, "height": view.height}, "device_scale_factor": view.scale, "locale": "zh-CN",
        "color_scheme": "dark" if view.dark else "light", "reduced_motion": "reduce",
    }  # fmt: skip


def _picture(page: Page, file: Path) -> Path:
    from PIL import Image

    page.wait_for_timeout(150)  # a change of colours is drawn in the next frames
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB").save(file, "WEBP", lossless=True, method=6)
    return file


def main() -> None:
    try:
        written = take(Settings.read(), FOLDER)
    except Missing as error:
        click.echo(f"✗ {error}", err=True)
        sys.exit(1)
    size = sum(file.stat().st_size for file in written)
    click.echo(f"{len(written)} 张图片，共 {size / 1e6:.1f} MB，在 {FOLDER.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
