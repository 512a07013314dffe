"""Reading without a network: the service worker (templates/site/sw.js) with what it keeps of this release's shell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from mulu_site.place import Site
from mulu_site.render import TEMPLATES, code_digest
from mulu_site.text import digest

MOST_ENTRIES = 30_000
"""Up to so many entries a browser keeps the whole search index (some 10 MB); of a larger one it keeps the pieces that it has used."""
MOST_PAGES = 200
"""So many of the visited pages are kept, the latest: at 60 KB at most, some 12 MB."""
_PAGES = ("", "catalogue/", "offline.html")


def worker(assets: Mapping[str, bytes], site: Site) -> bytes:
    """The worker for a release with these assets (path → content). Another shell or another program makes another worker, which
    drops what the one before it kept; new entries do not: their pages and the index come from the network anyway."""
    source = (TEMPLATES / "sw.js").read_text()
    shell = [*_PAGES, *(path for path in sorted(assets) if path.endswith((".css", ".js", ".svg", ".json")))]
    version = digest(source, {path: sha256(content).hexdigest() for path, content in assets.items()}, code_digest(), site.to_dict())[:12]
    values = {"version": version, "shell": json.dumps(shell), "portal": json.dumps(site.portal_url), "pages": str(MOST_PAGES), "entries": str(MOST_ENTRIES)}
    for name, value in values.items():
        source = source.replace("{{ " + name + " }}", value)
    return source.encode()
