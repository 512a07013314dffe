"""What stands on the pages: Chinese and no left-over English, English for who asks for it, a CSRF field in every form."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import polib
import pytest

import ckanext.mulu
from pages import portal  # noqa: F401

I18N = Path(ckanext.mulu.__file__).parent / "i18n"
#: Latin words that belong on a Chinese page: names of formats and products, units, what a code list itself calls so.
PROPER = {
    *["Excel", "CSV", "API", "XLSX", "XLS", "UTF", "GB", "MB", "Markdown", "OFD", "KingbaseES", "Dm", "English", "Ctrl", "Delete", "URL", "JSON", "XML", "DCAT", "CC", "BY", "ODC", "ODbL", "PDDL", "CKAN", "YAML", "Frictionless", "data", "cron", "robots", "source", "yml"],
    *["xlsx", "xls", "csv", "wps", "xml", "txt", "doc", "docx", "html", "pdf", "ppt", "json", "rdf", "et", "access", "dbf", "oracle", "sql", "server", "db", "mysql", "jpg", "gif", "bmp", "swf", "rm", "mpg"],
}


#: pages that are CKAN's own in our dress
CKANS_OWN = ("/organization/members/", "/organization/edit/", "/user/reset")


@pytest.fixture(scope="module")
def pages(portal):  # noqa: F811
    """Who → the addresses of the pages that this person works on."""
    entry = portal.publish("页面上的条目")
    name = entry.url.rsplit("/", 1)[1]
    draft = portal.draft("审核中的条目")
    case = portal.case_of(draft)
    portal.press("editor", draft, "提交部门负责人")
    return {
        "": ["/", "/dataset/", f"/dataset/{name}", "/organization/", "/organization/jiaoyu", "/organization/about/jiaoyu", "/user/login",
             "/about", "/user/reset", "/dataset/?q=没有", "/nowhere"],
        "editor": ["/", "/dataset/", "/dataset/new", f"/dataset/{name}", f"/dataset/edit/{name}", f"/mulu/entry/{name}/class",
                   f"/mulu/entry/{name}/history", f"/dataset/resources/{name}", f"/dataset/{name}/resource/new", "/mulu/inbox", "/mulu/cases",
                   "/mulu/import", "/mulu/apply", "/mulu/demands", "/mulu/grants", "/mulu/open/demand", case, draft.url],
        "head": ["/mulu/inbox", case, "/mulu/cases", "/organization/edit/jiaoyu", "/organization/members/jiaoyu"],
        "authority": ["/", "/mulu/inbox", "/mulu/cases", "/mulu/overview", "/mulu/open/rectification?type=department&id=jiaoyu", "/mulu/harvest",
                      "/mulu/harvest/new"],
    }  # fmt: skip


def visible(page):
    """Text that people see or hear, without what is theirs: names of departments' people and input values."""
    soup = page.soup
    for tag in soup.select("script, style, code, .m-account-name, option[lang=en]"):
        tag.decompose()
    told = [tag.get(key, "") for tag in soup.select("[aria-label], [title], [placeholder], [alt]") for key in ("aria-label", "title", "placeholder", "alt")]
    return soup.get_text(" ") + " " + " ".join(told)


@pytest.mark.parametrize("who", ["", "editor", "head", "authority"])
def test_no_english_is_left_on_the_pages(portal, pages, who):  # noqa: F811
    left = {}
    for url in pages[who]:
        page = portal.get(who, url)
        assert page.status in (200, 404), f"{url}: {page.status}"
        text = re.sub(r"https?://\S+|\S+@\S+|r-\d[\w-]*|jiaoyu|test_user\S*", " ", visible(page))
        words = {word for word in re.findall(r"[A-Za-z]+", text) if word not in PROPER and len(word) > 1}
        if words:
            left[url] = sorted(words)
    assert left == {}


def test_english_is_served_to_who_asks_for_it(portal, pages):  # noqa: F811
    page = portal.get("editor", "/en/mulu/inbox")
    assert "My tasks" in page.text and "Deadlines count statutory working days" in page.text and "我的待办" not in page.text
    assert "New catalogue entry" in portal.get("editor", "/en/dataset/new").text


@pytest.mark.parametrize("who", ["", "editor", "head", "authority"])
def test_every_form_that_writes_has_a_csrf_field(portal, pages, who):  # noqa: F811
    for url in pages[who]:
        for form in portal.get(who, url).soup.select("form"):
            if form.get("method", "get").lower() == "post":
                assert form.select_one("input[name=_csrf_token]"), f"{url}: {form.get('action')}"


@pytest.mark.parametrize("who", ["", "editor", "head", "authority"])
def test_every_control_has_a_name_and_every_id_is_one(portal, pages, who):  # noqa: F811
    for url in pages[who]:
        soup = portal.get(who, url).soup
        for template in soup.select("template"):
            template.decompose()
        ids = [tag["id"] for tag in soup.select("[id]")]
        assert len(ids) == len(set(ids)), f"{url}: {sorted(one for one in ids if ids.count(one) > 1)}"
        if url.startswith(CKANS_OWN) or url.endswith("/resource/new"):
            continue
        assert len(soup.select("h1")) == 1, f"{url}: one heading of the page"
        for control in soup.select(".m-head input, .main input, .main select, .main textarea"):
            if control.get("type") in ("hidden", "submit"):
                continue
            labelled = control.get("aria-label") or control.find_parent("label") or soup.select_one(f"label[for='{control.get('id')}']")
            assert labelled, f"{url}: {control}"


def test_every_text_has_its_english():
    build = runpy.run_path(str(I18N / "build.py"))
    known = {entry.msgid: entry.msgstr for entry in polib.pofile(str(build["catalogue"]("en")))}
    assert [text for text in build["texts"]() if not known.get(text)] == [], "run i18n/build.py and translate"


@pytest.mark.parametrize("locale", ["en", "zh_Hans_CN"])
def test_compiled_catalogues_are_the_written_ones(locale):
    written = I18N / locale / "LC_MESSAGES" / "ckanext-mulu.po"
    compiled = polib.mofile(str(written.with_suffix(".mo")))
    assert {e.msgid: e.msgstr for e in compiled if e.msgstr} == {e.msgid: e.msgstr for e in polib.pofile(str(written)) if e.msgstr}


def test_placeholders_survive_translation():
    for entry in polib.pofile(str(I18N / "en" / "LC_MESSAGES" / "ckanext-mulu.po")):
        assert set(re.findall(r"{\w+}", entry.msgid)) == set(re.findall(r"{\w+}", entry.msgstr)), entry.msgid
