"""Hands mkdocs the shell of the catalogue's pages and the words of the place (see `hooks` in mkdocs.yml)."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor

from mulu_site import words
from mulu_site.render import TEMPLATES

_markdown = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)


class _Labels(Treeprocessor):
    """Each cell of a table bears its column's heading: on a phone, where the columns stand below one another, the style sheet shows it."""

    def run(self, root: Element) -> None:
        for table in root.iter("table"):
            names = ["".join(heading.itertext()) for heading in table.iter("th")]
            for row in table.iter("tr"):
                for name, cell in zip(names, row.findall("td"), strict=False):
                    cell.set("data-label", name)


class TableLabels(Extension):
    def extendMarkdown(self, md: Markdown) -> None:
        md.treeprocessors.register(_Labels(md), "table-labels", 15)  # below 20: the headings' own marks are read by then


def on_config(config: Any) -> Any:
    config.markdown_extensions.append(TableLabels())
    return config


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """A page with `place: true` at its head may use `site`, the place's rules (`profile`) and `grounds`; others stand as they are."""
    if not page.meta.get("place"):
        return markdown
    site = config.extra["site"]
    return _markdown.from_string(markdown).render(
        site=site, profile=words.load_profile(site["profile"]), grounds=words.grounds()
    )


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:
    """Code that is wider than the page can be scrolled by keyboard."""
    return html.replace("<pre>", '<pre tabindex="0">')


def on_env(env: Environment, config: Any, files: Any) -> Environment:
    env.loader = ChoiceLoader([env.loader, FileSystemLoader(TEMPLATES)])  # type: ignore[list-item]
    env.autoescape = True
    env.globals["site"] = config.extra["site"]
    return env
