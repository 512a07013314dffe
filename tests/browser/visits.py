"""How tests visit the public site: in a desktop's window or a phone's, watched for faults, requests elsewhere and shifts of the layout."""

from __future__ import annotations

import json
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request

DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}, "resultTypes": ["violations"]}
"""What another theme can break."""
_AXE = Axe().axe_script
_WATCH = """window.shifts = []; new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput)
  shifts.push({ value: e.value, of: e.sources.map((s) => { const n = s.node?.nodeType === 3 ? s.node.parentElement : s.node;
    return n ? n.tagName + '#' + n.id + '.' + n.className : '?'; }).join(' ') }); }).observe({ type: 'layout-shift', buffered: true });"""
_SETTLED = "() => document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)))))"


class Visits:
    """Pages of the site at ``base`` (with its slash). Windows of the same kind are one session, without service worker, unless ``fresh``."""

    def __init__(self, browser: Browser, base: str) -> None:
        self.browser, self.base = browser, base
        self.elsewhere = ""
        self._shared: dict[tuple[str, bool], BrowserContext] = {}
        self._fresh: list[BrowserContext] = []
        self._pages: list[Page] = []
        self._wrong: list[str] = []

    def open(self, path: str = "", *, device: str = "desktop", scripts: bool = True, fresh: bool = False, **more: Any) -> Page:
        """A page, loaded, with its results if it has a query. ``fresh``: a session of its own, with service worker."""
        page = (self._new(device, scripts, **more) if fresh or more else self._window(device, scripts)).new_page()
        self._pages.append(page)
        self._watch(page)
        self.go(page, path)
        return page

    def go(self, page: Page, path: str) -> None:
        page.goto(self.base + path)
        if "q=" in path and page.locator("#sort").is_visible():
            page.wait_for_selector("#results[data-complete]")

    def leave(self) -> list[str]:
        """Closes what a test has opened; gives what went wrong meanwhile."""
        for page in self._pages:
            page.close()
        for context in self._fresh:
            context.close()
        self._fresh, self._pages = [], []
        wrong, self._wrong = self._wrong, []
        return wrong

    def close(self) -> None:
        self.leave()
        for context in self._shared.values():
            context.close()

    def _window(self, device: str, scripts: bool) -> BrowserContext:
        if (device, scripts) not in self._shared:
            self._shared[device, scripts] = self._context(device, scripts, service_workers="block")
        return self._shared[device, scripts]

    def _new(self, device: str, scripts: bool, **more: Any) -> BrowserContext:
        self._fresh.append(self._context(device, scripts, **more))
        return self._fresh[-1]

    def _context(self, device: str, scripts: bool, **more: Any) -> BrowserContext:
        # Colours are looked at right after a change of theme: nothing may still be on its way from one to the other.
        context = self.browser.new_context(locale="zh-CN", reduced_motion="reduce", java_script_enabled=scripts, **DEVICES[device], **more)
        context.add_init_script(_WATCH)
        return context

    def _watch(self, page: Page) -> None:
        page.on("request", self._asked)
        page.on("pageerror", lambda error: self._wrong.append(str(error)))
        page.on("console", lambda said: self._wrong.append(f"{page.url}: {said.text}") if said.type == "error" else None)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.base, "data:")) and not (self.elsewhere and request.url.startswith(self.elsewhere)):
            self._wrong.append(f"request to {request.url}")


def shifts(page: Page) -> list[dict[str, Any]]:
    """What moved by itself on the page so far, once it is still."""
    page.evaluate(_SETTLED)
    return page.evaluate("shifts")


def violations(page: Page, options: dict[str, Any] = RULES) -> list[str]:
    """What axe finds, one line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    found = page.evaluate(f"axe.run({json.dumps(options)})")["violations"]
    return [f"{one['id']}: {node['target']} {node['html'][:160]} {node.get('failureSummary', '')}" for one in found for node in one["nodes"]]
