"""Hands the shell of the catalogue's pages to mkdocs (see `hooks` in mkdocs.yml)."""

from __future__ import annotations

from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader

from mulu_site.render import TEMPLATES


def on_env(env: Environment, config: Any, files: Any) -> Environment:
    env.loader = ChoiceLoader([env.loader, FileSystemLoader(TEMPLATES)])  # type: ignore[list-item]
    env.autoescape = True
    env.globals["site"] = config.extra["site"]
    return env
