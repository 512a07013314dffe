"""Whatever an entry holds, its page is safe, readable and at most 60 KB."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from mulu.codes import CODE_LISTS
from mulu_site import charts, dashboard, dcat, lists, package, preview, structured, words
from mulu_site.build import build
from mulu_site.entries import PAGE_BYTES, page_of
from mulu_site.ledger import Ledger
from mulu_site.place import site_of
from mulu_site.render import TEMPLATES, Renderer, readable
from mulu_site.row import row_of
from mulu_site.snapshot import entry_of, open_snapshot
from mulu_site.text import clean, slug, web_address

SCRIPT = "<script>alert(1)</script>"
ITEM = {"name": "名称", "data_type": "C", "length": "50", "kind": "business", "description": "说明" * 60}


def nasty_everywhere() -> dict[str, object]:
    bad = f'"><img src=x onerror=alert(1)>{SCRIPT}{{{{ 7*7 }}}}</title></textarea>--><!--'
    return {
        "title": f"名称{bad}", "notes": f"摘要{bad}\n第二段", "provider_title": f"部门{bad}", "theme": f"主题{bad}",
        "share_condition": bad, "open_type": "none", "open_ground": bad, "open_basis": bad, "open_review_on": bad,
        "update_frequency": bad, "contact": bad, "spatial": bad, "related_codes": [bad], "share_mode": [bad],
        "items": [{"name": bad, "data_type": bad, "length": bad, "description": bad}],
        "resources": [{"name": bad, "url": bad, "format": bad, "hash": bad, "description": bad, "size": bad}],
        "history": [{"version": bad, "published_at": bad, "summary": bad}], "version": bad,
        "class_decision": {"department": bad, "article": bad, "on": bad}, "source": {"name": bad, "url": "javascript:alert(1)"},
        "data_updated_on": bad, "published_at": bad, "resource_code": bad,
    }  # fmt: skip


def assert_safe(html: str) -> BeautifulSoup:
    page = BeautifulSoup(html, "html5lib")
    for element in page.find_all(True):
        assert not [name for name in element.attrs if name.startswith("on")], element
        for name in ("href", "src", "action"):
            assert urlsplit(element.get(name, "")).scheme in ("", "http", "https", "mailto", "tel"), element
    for script in page.find_all("script"):
        assert script.get("src", "").endswith((".js",)) or script.get("type") == "application/ld+json"
        if not script.get("src"):
            json.loads(script.string)
    assert not page.find_all(["img", "iframe", "object", "base", "style"])
    return page


def test_markup_in_every_field_stays_text(shop) -> None:
    shop.entry(**nasty_everywhere())
    shop.build()
    page = assert_safe(shop.read("entry/new/index.html"))
    assert page.h1.get_text() == nasty_everywhere()["title"]
    for path in ("index.html", "catalogue/index.html", "browse/index.html", "atom.xml"):
        assert SCRIPT not in shop.read(path)
    assert_safe(shop.read("index.html"))
    for file in shop.files():
        if file.suffix == ".html":
            assert_safe(file.read_text())


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", " javascript:alert(1)", "\x01javascript:alert(1)",
     "data:text/html,<script>", "vbscript:x", "file:///etc/passwd", "//other.example/x", "https://a b", 'https://a"onclick="x', "", None, 7],
)  # fmt: skip
def test_unsafe_addresses_are_not_links(url: object) -> None:
    assert web_address(url, "https://portal.example") == ""


@pytest.mark.parametrize(
    ("url", "address"),
    [("https://a.example/数据.csv?x=1&y=2#z", "https://a.example/数据.csv?x=1&y=2#z"), ("HTTP://A.example", "HTTP://A.example"),
     ("/dataset/x/resource/y", "https://portal.example/dataset/x/resource/y")],
)  # fmt: skip
def test_safe_addresses_stay(url: str, address: str) -> None:
    assert web_address(url, "https://portal.example/") == address


def test_unsafe_download_is_named_but_not_linked(shop) -> None:
    shop.entry(open_type="unconditional", resources=[{"name": "文件", "url": "javascript:alert(1)", "format": "CSV"}])
    shop.build()
    assert "链接不合规，未予展示" in shop.read("entry/new/index.html")
    for path in ("entry/new/entry.json", "entry/new/dcat.ttl", "entry/new/dcat.jsonld", "data.json", "entries.json"):
        assert "javascript" not in shop.read(path)


def test_three_hundred_items_and_ten_megabytes(shop) -> None:
    shop.entry(
        name="long", items=[{**ITEM, "name": f"信息项{i}"} for i in range(300)], notes="很长的摘要。" * 600_000,
        open_condition="条件" * 5000, history=[{"version": i, "published_at": "2025-01-01", "summary": "改" * 500} for i in range(300)],
        resources=[{"name": "文件" * 50, "url": f"https://x.example/{i}", "format": "CSV"} for i in range(300)],
        related_codes=[f"3{i:05d}/1" for i in range(2000)], title="长" * 200,
    )  # fmt: skip
    shop.build()
    page = shop.read("entry/long/index.html")
    assert "完整数据（JSON）" in page and "信息项0" in page
    whole = json.loads(shop.read("entry/long/entry.json"))
    assert len(whole["items"]) == 300 and len(whole["notes"]) == 3_600_000


def test_every_page_is_at_most_60_kilobytes(shop, site) -> None:
    shop.entries[0]["theme"] = ""
    for i in range(260):  # many themes: the list of groups is paged as well
        shop.entry(
            name=f"t{i}", id=f"t{i}", theme=f"自拟主题{i}", title="很长的名称" * 12, provider_title="很长的部门名称" * 4
        )
    shop.build()
    sizes = {
        p: p.stat().st_size for root in (site.resolve(), (shop.out / "current").resolve()) for p in root.rglob("*.html")
    }
    assert {p: s for p, s in sizes.items() if s > 60_000} == {}
    assert (shop.out / "current/browse/theme/-/2/index.html").exists()


def test_odd_characters(shop) -> None:
    """Half a surrogate pair cannot be written as UTF-8, but a JSON escape brings one in."""
    entry = shop.entry(title="表情😀与\u202e反向\u0000控制\ud800半个\u200f", notes="第一行\u0007\n第二行𠮷")
    lines = [json.dumps({"mulu_snapshot": 1, **shop.header}).encode(), json.dumps(entry).encode()]
    body = b"".join(line + b"\n" for line in lines)
    seal = {"end": True, "count": 1, "sha256": sha256(body).hexdigest()}
    shop.file.write_bytes(body + json.dumps(seal).encode() + b"\n")
    build(shop.file, shop.out, pages=None)
    page = assert_safe(shop.read("entry/new/index.html"))
    assert page.h1.get_text() == "表情😀与反向控制半个"
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", page.get_text())


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..", ".", "名称", "A B", "x" * 300, "con.", "-", "%2e%2e", "current", "\\\\x", "a\0b", "e" + "\u0301", "\u202egnp"])
def test_addresses_of_odd_names_stay_inside_the_site(shop, name: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,99}", slug(name))
    shop.entry(name=name, title="怪名条目")
    shop.build()
    assert "怪名条目" in shop.read(f"entry/{slug(clean(name))}/index.html")


@pytest.mark.parametrize(
    "entry",
    [{"name": "bare"}, {"name": "wrong", "items": "x", "resources": {"a": 1}, "history": "y", "notes": ["z"], "title": {"t": 1},
      "share_mode": "z", "related_codes": "3/1", "source": "w", "class_decision": [], "version": {"x": []}, "theme": ["a"],
      "open_type": ["x"], "spatial": {"x": 1}, "format_type": ["a"], "data_updated_on": 20250101, "objection": "yes"},
     {"name": "nulls", "title": None, "notes": None, "items": [None, 3], "resources": [None], "provider": None, "open_type": None}],
)  # fmt: skip
def test_entries_of_wrong_shape_still_get_a_page(shop, entry: dict[str, object]) -> None:
    shop.entries.append(entry)
    shop.build()
    assert_safe(shop.read(f"entry/{entry['name']}/index.html"))


def test_clean_keeps_what_people_write() -> None:
    text = "第一行\n第二行\t“引号”——𠮷😀 ﬁ ａ"
    assert clean({"a": [text]}) == {"a": [text]}


def test_names_that_differ_in_case_only_lie_apart_on_any_file_system(shop) -> None:
    names = ["Ab-Cd", "ab-cd", "AB-CD", "Äb", "äb"]
    for name in names:
        shop.entry(name=name, id=name, title=f"条目{name}")
    shop.build()
    folders = {slug(name) for name in names}
    assert len({folder.casefold() for folder in folders}) == len(names)
    assert all(f"条目{name}" in shop.read(f"entry/{slug(name)}/index.html") for name in names)


def test_five_thousand_items_and_one_endless_word(shop) -> None:
    shop.entry(title="长" * 200_000, provider_title="部" * 100_000, items=[{**ITEM, "name": f"信息项{n}"} for n in range(5000)], notes="x" * 100_000, resource_code="9" * 10_000)
    shop.build()
    assert len(shop.read("entry/new/index.html").encode()) <= PAGE_BYTES
    assert len(json.loads(shop.read("entry/new/entry.json"))["items"]) == 5000


# ── whatever JSON an entry is, its page is small and holds only what the template put there ──

_TEMPLATES = [*(TEMPLATES / name for name in ("entry.html", "shell.html", "macros.html")), Path(charts.__file__)]
_SOURCE = "".join(file.read_text() for file in _TEMPLATES)
TAGS = set(re.findall(r"<(\w+)", _SOURCE)) | {"tbody"}
ATTRIBUTES = set(re.findall(r"[\s\"']([\w:-]+)=[\"'{]", _SOURCE)) | set(re.findall(r" (hidden|defer|download|data-today)\b", _SOURCE))
HOSTILE = (
    "<script>alert(1)</script>", '"><svg onload=alert(1)>', "'-->]]></style><!--", "javascript:alert(1)", "https://x.example/?a=1&b=<2>", "{{ 7 * 7 }}", "\x00", "\u202e",
    "\u200b", "\ud800", "\ufeff", "😀", "a" * 5000, "名" * 3000, "</title><meta http-equiv=refresh content=0>", "&lt;b&gt;", "2025-13-99", "9" * 400, "data:text/html,x", "\n\n",
    "https://x.example/" + "y" * 3000, "tel:1\" onclick=\"x", "a@b.cn?subject=<x>",
)  # fmt: skip
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40))
HUGE = (10**400, -(10**400), 10**4000, 1e308, -1e308, 2**63, 0, -1)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(HUGE), st.floats(), texts)
anything = st.recursive(scalars, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)), max_leaves=8)
INNER = ("name", "title", "url", "format", "size", "hash", "description", "data_type", "version", "published_at", "summary", "item", "department", "department_title", "preview",
         "columns", "rows", "total", "points", "problems", "text", "count", "checked", "checked_on", "kind", "bins", "min", "max", "mean", "open_type", "code")  # fmt: skip
flat = st.dictionaries(st.sampled_from(INNER), anything, max_size=6)
deep = st.dictionaries(st.sampled_from(INNER), st.one_of(anything, flat, st.lists(flat, max_size=3)), max_size=8)
objects = st.builds(dict.__or__, deep, st.fixed_dictionaries({}, optional={"preview": deep, "format": st.sampled_from(["CSV", "API"]), "url": st.just("https://x.example/a.csv")}))
KEYS = (*(field.key for field in words.FIELDS), "provider_title", "history", "version", "published_at", "class_decision", "sources", "calls", "objection", "id", "source_department_title")
DAYS = st.one_of(st.sampled_from(["9999-12-31", "0001-01-01", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2020-02-31", "2021/2020"]), st.dates().map(str))
dated = st.fixed_dictionaries({}, optional={**dict.fromkeys(("data_updated_on", "published_at", "published_on", "open_review_on", "temporal"), DAYS),
                                            "update_frequency": st.sampled_from(CODE_LISTS["update_frequency"].keys)})  # fmt: skip
whatever = st.dictionaries(st.sampled_from(KEYS), st.one_of(anything, objects, st.lists(objects, max_size=5), st.sampled_from(["unconditional", "conditional", "none"])), max_size=12)
entries = st.builds(lambda *parts: parts[0] | parts[1] | parts[2], whatever, dated,
                    st.fixed_dictionaries({}, optional={"resources": st.lists(objects, max_size=3), "history": st.lists(deep, max_size=3)}))  # fmt: skip


@pytest.fixture(scope="module")
def render(snapshot: Path):
    site = site_of(open_snapshot(snapshot), [], portal_url="https://portal.example", site_url="https://catalogue.example")
    renderer = Renderer(site=site)

    def page(entry: dict) -> bytes:
        read = entry_of(json.dumps({"name": "e", **entry}).encode())
        row = row_of(read)
        for made in (structured.public(read, row, site), structured.dcat_us(read, row, site), package.descriptor(read, row, site), preview.report(read)):
            readable(made)
        dcat.turtle([dcat.dataset(read, row, site)])
        dashboard.view([row], lists.group([row], {}), Ledger(), site, "2026-03-02")
        return page_of(renderer, read, row, site, {})

    return page


@settings(max_examples=80, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much])
@given(entry=entries)
@example(entry={"resources": [{"preview": {"columns": [{"name": "x", "kind": "number", "bins": [1, 2], "min": "1", "max": 2, "mean": 1e308}], "rows": [[{}]]}}]})
@example(entry={"resources": [{"preview": {"columns": [{"kind": "number", "bins": [1, 2], "min": -1e308, "max": 1e308, "mean": 0}], "points": [[1e308, 1e308], [0, 0]]}}]})
@example(entry={"resources": [{"preview": {"columns": [{"name": "x"}], "rows": [["1", "2"], []], "problems": ["x"], "total": -1}}], "items": 5, "history": "x"})
@example(entry={"version": ["名" * 30_000]})
@example(entry={"data_updated_on": "9999-12-31", "update_frequency": "yearly", "resources": [{"size": 10**400}], "history": [{"version": 10**400}]})
@example(entry={"resources": [{"format": "CSV", "url": "https://x.example/a.csv", "preview": {"columns": 5}}], "items": [{"name": "x", "data_type": "C", "length": "9" * 5000}]})
@example(entry={field.key: ["<&\"'" * 400] * 50 for field in words.FIELDS if field.key not in ("items", "resources")}
         | {"resources": [{"name": "<" * 400, "url": "https://x.example/?" + "&" * 1400, "description": "&" * 900, "format": "<" * 90}] * 90, "provider_title": "&" * 900})
@example(entry={"items": [{"name": "<b>"}] * 5000, "related_codes": ["<i>"] * 5000, "notes": "<p>" * 50_000, "title": "</h1>" * 9000})
def test_any_entry_gives_a_small_page_of_the_templates_own_elements(render, entry: dict) -> None:
    page = render(entry)
    assert len(page) <= PAGE_BYTES
    for element in assert_safe(page.decode()).find_all(True):
        assert element.name in TAGS and set(element.attrs) <= ATTRIBUTES, element
