"""What is on every page or stands beside them all: styles and scripts, the page for wrong addresses, the hand-written pages."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from mulu_site import docs, offline
from mulu_site.render import TEMPLATES
from mulu_site.work import Work


def make(work: Work) -> None:
    prefix = urlsplit(work.site.site_url).path.rstrip("/") + "/"
    work.page("404.html", "404.html", root=prefix)
    work.page("offline.html", "offline.html")
    assets = {f"assets/{file.name}": file.read_bytes() for file in sorted((TEMPLATES / "assets").iterdir())}
    english = yaml.safe_load((Path(__file__).parent / "i18n" / "en.yml").read_text())
    assets["assets/en.json"] = json.dumps(english, ensure_ascii=False, separators=(",", ":")).encode()
    for path, content in (assets | {"sw.js": offline.worker(assets, work.site)}).items():
        work.file(path, content)
    if work.pages:
        docs.unit(work.release, work.pages, work.site, work.renderer)
