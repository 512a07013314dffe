"""Keeps the translations whole: `python ckan_ext/ckanext/mulu/i18n/build.py` adds new texts to en.po and compiles all.

Texts stand in Chinese in the source. en.po gives the English; zh_Hans_CN holds only what CKAN's own Chinese catalogue leaves
in English, and our words for its things. Run as a script, never imported: a __pycache__ here would pass for a language.
"""

from __future__ import annotations

from pathlib import Path

import polib
from babel.messages.extract import extract_from_dir

HERE = Path(__file__).parent
DOMAIN = "ckanext-mulu"
METHODS = [("**.py", "python"), ("**/templates/**.html", "ckan")]


def texts() -> dict[str, str]:
    """Every marked text of the extension → where it stands."""
    found: dict[str, str] = {}
    for file, _, message, _, _ in extract_from_dir(HERE.parent, METHODS, {"**/templates/**.html": {}}):
        if isinstance(message, str) and not message.isascii():
            found.setdefault(message, file)
    return found


def catalogue(locale: str) -> Path:
    return HERE / locale / "LC_MESSAGES" / f"{DOMAIN}.po"


def update_english() -> polib.POFile:
    """en.po with every text, in the order of the source; texts that are gone are dropped."""
    known = {entry.msgid: entry.msgstr for entry in polib.pofile(str(catalogue("en")))}
    english = polib.POFile()
    english.metadata = {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Language": "en",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    for message, file in texts().items():
        english.append(polib.POEntry(msgid=message, msgstr=known.get(message, ""), occurrences=[(file, "")]))
    return english


def main() -> None:
    update_english().save(str(catalogue("en")))
    for locale in ("en", "zh_Hans_CN"):
        polib.pofile(str(catalogue(locale))).save_as_mofile(str(catalogue(locale).with_suffix(".mo")))


if __name__ == "__main__":
    main()
