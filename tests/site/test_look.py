"""The page on the site's looks: every picture is there, of the size it states, in few bytes, and its colours are those of the style sheet."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from mulu_ops.shots import FOLDER, PICTURES, VIEWS
from mulu_site.render import PAGES, TEMPLATES

PAGE = (PAGES / "develop" / "look.md").read_text()
SHOWN = re.findall(r"!\[([^\]]+)\]\(shots/([\w.-]+)\)\{ width=(\d+) height=(\d+) loading=lazy \}", PAGE)


def test_every_page_is_shown_in_every_view() -> None:
    wanted = {f"{page}-{view.name}.webp" for page in PICTURES for view in VIEWS}
    assert [name for _, name, _, _ in SHOWN] == sorted(wanted, key=[name for _, name, _, _ in SHOWN].index)
    assert {file.name for file in FOLDER.iterdir()} == wanted
    assert len({alt for alt, *_ in SHOWN}) == len(SHOWN), "each picture says what it shows"


@pytest.mark.parametrize(("name", "width", "height"), [one[1:] for one in SHOWN])
def test_a_picture_has_the_proportions_it_states(name: str, width: str, height: str) -> None:
    scale = next(view.scale for view in VIEWS if f"-{view.name}." in name)
    with Image.open(FOLDER / name) as picture:
        assert picture.size == (int(width) * scale, int(height) * scale)


def test_all_pictures_together_are_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 2_500_000


def test_the_colours_told_are_those_of_the_style_sheet() -> None:
    told = re.findall(r"\| `(--\w+)` \|[^|]+\| `(#\w+)` \| `(#\w+)` \|", PAGE)
    assert len(told) >= 9
    sheet = (TEMPLATES / "assets" / "site.css").read_text()
    light, dark = (dict(re.findall(r"(--\w+): (#\w+);", sheet[sheet.index(start) :].split("}")[0])) for start in (":root {", ':root[data-theme="dark"] {'))
    full = {"#fff": "#ffffff"}
    for name, in_light, in_dark in told:
        assert (full.get(light[name], light[name]), full.get(dark[name], dark[name])) == (in_light, in_dark), name


def test_cells_of_written_tables_bear_their_columns_names(site) -> None:
    page = BeautifulSoup((site / "develop/look/index.html").read_text(), "html5lib")
    table = page.select_one(".prose table")
    names = [th.get_text() for th in table.select("th")]
    for row in table.select("tbody tr"):
        assert [td["data-label"] for td in row.select("td")] == names
    for picture in page.select(".prose img"):
        assert picture["alt"] and picture["width"] and picture["height"]
        assert (site / "develop/look" / picture["src"]).resolve().is_file()
