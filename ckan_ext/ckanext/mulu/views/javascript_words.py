"""CKAN's pages ask for the words of its JavaScript by half of the BCP 47 tag (zh_Hans-CN), which its own route does not know."""

from __future__ import annotations

from typing import Any

from ckan.views.api import i18n_js_translations
from flask import Blueprint

mulu_words = Blueprint("mulu_words", __name__)


@mulu_words.get("/api/i18n/zh_Hans-CN")
def chinese() -> Any:
    return i18n_js_translations("zh_Hans_CN")
