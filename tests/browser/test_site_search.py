"""Search on the large public site in a real Chromium, against the truth of substrings over real and made-up entries."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from large_site import LargeSite, Searched
from playwright.sync_api import Page, expect
from visits import Visits, shifts

from mulu_site import search
from mulu_site.text import fold, sound

EACH = 30
"""Queries of every kind, half of them out of real entries."""
EXCESS = {"digits": 0.12, "full width": 0.06}
EXCESS_OF_WORDS = 0.02
"""Of what is found, at most so much for no reason: the index knows pairs of neighbouring characters, and an abstract may hold every pair of a word
without the word. Such entries are looked up and taken out while that needs few files; among thousands of hits a few may stay. Of digits there are
only a hundred pairs, so that a numbered list holds those of many a year."""
WIDE = str.maketrans({code: code + 0xFEE0 for code in range(0x21, 0x7F)})


@pytest.fixture
def page(visits: Visits) -> Page:
    return visits.open("catalogue/")


def found(page: Page, queries: list[str]) -> dict[str, list[str]]:
    lists = page.evaluate("async (all) => { const found = []; for (const q of all) found.push(await mulu.find(q)); return found; }", queries)
    return dict(zip(queries, lists, strict=True))


# ---- what people may type


def part(text: str, chance: random.Random, longest: int = 12) -> str:
    """Two or more neighbouring characters of a text, without a blank; "" if it has none."""
    words = [word for word in text.split() if len(word) > 1]
    if not words:
        return ""
    word = chance.choice(words)
    length = min(len(word), chance.randint(2, longest))
    start = chance.randrange(len(word) - length + 1)
    return word[start : start + length]


def latin(entry: Searched, chance: random.Random) -> str:
    runs = re.findall(r"[a-z]{2,}", entry.whole)
    return chance.choice(runs) if runs else ""


def digits(entry: Searched, chance: random.Random) -> str:
    runs = re.findall(r"[0-9]{2,}", entry.whole)
    return part(chance.choice(runs), chance) if runs else ""


def words(entry: Searched, chance: random.Random) -> str:
    """Several parts of different texts, parted as people part them."""
    parts = {part(chance.choice(entry.texts), chance, 5) for _ in range(chance.randint(2, 3))} - {""}
    return chance.choice((" ", "\u3000", "  ")).join(sorted(parts)) if len(parts) > 1 else ""


def around(entry: Searched, chance: random.Random) -> str:
    """Out of the middle of the longest text, where one list of pairs is as good as another."""
    return part(max(entry.texts, key=len), chance, 20)


QUERIES: dict[str, Callable[[Searched, random.Random], str]] = {
    "title": lambda e, c: part(e.texts[0], c),
    "whole title": lambda e, c: e.title,
    "abstract": lambda e, c: part(e.texts[1], c),
    "item": lambda e, c: part(c.choice(e.texts[2:-2]), c) if e.texts[2:-2] else "",
    "department": lambda e, c: part(e.texts[-2], c),
    "code": lambda e, c: part(e.texts[-1], c),
    "longest text": around,
    "latin": latin,
    "latin in capitals": lambda e, c: latin(e, c).upper(),
    "digits": digits,
    "full width": lambda e, c: (latin(e, c) or digits(e, c)).translate(WIDE),
    "words": words,
}


def queries(kind: str, entries: list[Searched]) -> list[str]:
    chance, made = random.Random(f"{kind} 11"), dict[str, None]()
    halves = [[e for e in entries if e.real == real] for real in (True, False)]
    for entries_of in filter(None, halves):
        tries, wanted = 0, len(made) + EACH // 2
        while len(made) < wanted and tries < 50_000:
            tries += 1
            query = QUERIES[kind](chance.choice(entries_of), chance)
            if query and all(len(term) > 1 for term in fold(query).split()):
                made[query] = None
    return list(made)


def holds(entry: Searched, term: str) -> bool:
    return any(term in text for text in entry.texts)


def truth(query: str, entries: list[Searched]) -> set[str]:
    terms = fold(query).split()
    return {entry.name for entry in entries if all(holds(entry, term) for term in terms)}


@pytest.mark.parametrize("kind", QUERIES)
def test_whatever_holds_the_query_is_found_and_hardly_anything_else(page: Page, large: LargeSite, kind: str) -> None:
    asked = queries(kind, large.entries)
    assert len(asked) >= (5 if "latin" in kind else EACH // 2)  # a county writes few Latin words
    known, more, of = {entry.name: entry for entry in large.entries}, [], 0
    for query, names in found(page, asked).items():
        expected = truth(query, large.entries)
        assert expected, query
        assert expected <= set(names), (query, sorted(expected - set(names))[:3])
        assert len(names) == len(set(names)), query
        of += len(names)
        more += [(query, name) for name in set(names) - expected if not all(other_reason(known[name], term) for term in fold(query).split())]
    assert len(more) <= EXCESS.get(kind, EXCESS_OF_WORDS) * of, (len(more), of, more[:5])


def other_reason(entry: Searched, term: str) -> bool:
    """Why an entry may be found that does not hold the term: it is filed under it, sounds like it, or holds another word for the same thing."""
    if holds(entry, term) or any(term in label for label in entry.classes):
        return True
    if re.fullmatch("[a-z0-9]{2,}", term) and any(term in sound(text).initials for text in (entry.title, entry.provider)):
        return True
    return any(holds(entry, other) for other in others(term))


def others(term: str) -> set[str]:
    """The term with a word in it replaced by another that means the same."""
    found = set()
    for group in search.synonyms():
        word = max((w for w in group if w in term), key=len, default="")
        found |= {term.replace(word, other) for other in group if word and other not in term}
    return found


def test_initials_of_titles_and_departments(page: Page, large: LargeSite) -> None:
    """Parts of what a title or a department sounds like, from two letters on; real and made-up ones."""
    chance, heard = random.Random(5), {}
    for real in (True, False):
        of = [entry for entry in large.entries if entry.real == real and len(sound(entry.title).initials) > 4]
        for entry in chance.sample(of, min(len(of), 20)):
            for text in (entry.title, entry.provider):
                if query := part(sound(text).initials, chance, 6):
                    heard[query] = None
    sounds = {entry.name: (sound(entry.title).initials, _initials(entry.provider)) for entry in large.entries}
    for query, names in found(page, list(heard)).items():
        expected = {name for name, texts in sounds.items() if any(query in text for text in texts)}
        assert expected, query
        assert expected <= set(names), (query, sorted(expected - set(names))[:3])


def _initials(text: str, kept: dict[str, str] = {}) -> str:  # noqa: B006  (a few hundred departments, asked for thirty thousand times)
    if text not in kept:
        kept[text] = sound(text).initials
    return kept[text]


# ---- what the page shows of it

SHOWN = ("名录", "医疗机构名录", "行政许可 办理结果", "教育", "2023年", "公共停车场", "ylbx", "企业信用")


@pytest.mark.parametrize("query", SHOWN)
def test_the_page_tells_the_total_and_shows_the_best_first(visits: Visits, large: LargeSite, query: str) -> None:
    """A title that is the word comes before one that begins with it, this before one that holds it, this before any other hit."""
    page = visits.open(f"catalogue/?q={query}")
    [names] = found(page, [query]).values()
    expect(page.locator("#count")).to_have_text(f"共 {len(names):,} 条")
    shown = page.eval_on_selector_all("#results .name a", "(all) => all.map((a) => a.href.split('/').at(-2))")
    assert shown == names[: len(shown)] and len(shown) == min(30, len(names))
    terms, titles = fold(query).split(), {entry.name: fold(entry.title) for entry in large.entries}
    if len(terms) == 1:
        ranks = [_rank(titles[name], terms[0]) for name in names]
        assert ranks == sorted(ranks)


def _rank(title: str, term: str) -> int:
    return 0 if title == term else 1 if title.startswith(term) else 2 if term in title else 3


def test_sorted_by_date_or_by_name(visits: Visits, large: LargeSite) -> None:
    page = visits.open("catalogue/?q=名录&sort=updated")
    [newest] = found(page, ["名录"]).values()
    entries = {entry.name: entry for entry in large.entries}
    dates = [entries[name].changed for name in newest]
    assert len(dates) > 1000 and dates == sorted(dates, reverse=True)
    page.select_option("#sort", "title")
    page.wait_for_function("() => location.search.includes('sort=title')")
    [named] = found(page, ["名录"]).values()
    assert set(named) == set(newest)
    orders = [sound(entries[name].title).order for name in named]
    assert orders == sorted(orders)


def test_all_pages_of_a_result_together_are_the_result(visits: Visits) -> None:
    page = visits.open("catalogue/?q=县民政局 名录")
    [names] = found(page, ["县民政局 名录"]).values()
    assert len(names) > 60
    shown: list[str] = []
    while True:
        shown += page.eval_on_selector_all("#results .name a", "(all) => all.map((a) => a.href.split('/').at(-2))")
        following = page.locator("#results .pager a", has_text="下一页")
        if not following.count():
            break
        before = shown[-1]
        following.click()
        page.wait_for_function("(last) => [...document.querySelectorAll('#results .name a')].at(-1).href.split('/').at(-2) !== last", arg=before)
    assert shown == names


def test_nothing_moves_while_the_first_results_arrive(visits: Visits) -> None:
    """Typed by somebody who then waits: what comes after half a second counts as moved by itself."""
    for device in ("desktop", "phone"):
        page = visits.open("catalogue/", device=device)
        slow = {"offline": False, "latency": 400, "downloadThroughput": -1, "uploadThroughput": -1}
        page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)
        page.focus("#q")
        page.keyboard.type("养老")
        page.wait_for_selector("#results[data-complete='养老']")
        moved = shifts(page)
        assert sum(one["value"] for one in moved) < 0.01, (device, moved)


def test_another_word_for_the_same_thing_is_found_after_the_word_itself(page: Page, large: LargeSite) -> None:
    answers = found(page, ["医疗保险定点药店", "非遗", "敬老院名录"])
    for query, words_of in (("医疗保险定点药店", "医保定点药店"), ("非遗", "非物质文化遗产"), ("敬老院名录", "养老机构名录")):
        expected = {entry.name for entry in large.entries if words_of in fold(entry.title)}
        assert expected and expected <= set(answers[query]), query
    [names] = found(page, ["医疗保险定点"]).values()
    titles = {entry.name: fold(entry.title) for entry in large.entries}
    itself = [place for place, name in enumerate(names) if "医疗保险定点" in titles[name]]
    other = [place for place, name in enumerate(names) if "医保定点" in titles[name] and "医疗保险定点" not in titles[name]]
    assert other and max(itself, default=-1) < min(other)
    page.fill("#q", "医疗保险定点")
    expect(page.locator("#also")).to_contain_text("医保定点")


def test_a_class_is_found_by_its_name_and_a_facet_counts_it(page: Page, large: LargeSite) -> None:
    conditional = {entry.name for entry in large.entries if "有条件开放" in entry.classes}
    assert conditional <= set(found(page, ["有条件开放"])["有条件开放"])
    page.fill("#q", "养老")
    page.wait_for_selector("#results[data-complete='养老']")
    page.click("[data-facet='open=none']")
    page.wait_for_selector("[data-facet='open=none'][aria-pressed=true]")
    page.wait_for_selector("#results[data-complete='养老']")
    [names] = found(page, ["养老"]).values()
    closed = {entry.name for entry in large.entries if "不予开放" in entry.classes}
    assert names and set(names) <= closed
    expect(page.locator("#count")).to_have_text(f"共 {len(names):,} 条")
    assert page.inner_text("[data-facet='open=none'] .leaders-count") == f"{len(names):,}"


def test_interfaces_are_a_facet(visits: Visits, large: LargeSite) -> None:
    page = visits.open("catalogue/?q=名录&api=1")
    [names] = found(page, ["名录"]).values()
    interfaces = {entry.name for entry in large.entries if entry.interface}
    assert len(names) > 10 and set(names) <= interfaces
    page = visits.open("catalogue/?q=名录&api=nonsense")
    expect(page.locator("#count")).to_have_text("共 0 条")


def test_markup_in_a_query_is_text(visits: Visits) -> None:
    page = visits.open("catalogue/?q=<img src=x onerror=alert(1)>&department=<b>")
    assert page.locator("main img").count() == 0
    expect(page.locator("#count")).to_have_text("共 0 条")


def test_groups_of_synonyms_are_folded_distinct_and_of_two_or_more() -> None:
    for group in search.synonyms():
        assert len(group) == len(set(group)) > 1, group
        assert all(len(word) >= 2 for word in group), group


def test_home_search_leads_to_results(visits: Visits) -> None:
    page = visits.open()
    page.fill("#q", "养老")
    page.keyboard.press("Enter")
    page.wait_for_selector("#results[data-complete='养老']")
    assert page.locator("#results .name").count() > 0


def test_nothing_of_the_index_is_fetched_before_it_is_used(visits: Visits) -> None:
    page, asked = visits.open("about/"), []
    page.on("request", lambda request: asked.append(request.url))
    visits.go(page, "catalogue/")
    page.wait_for_timeout(300)
    assert not [url for url in asked if "/search/" in url]
    page.focus("#q")
    page.keyboard.type("养老")
    page.wait_for_selector("#results[data-complete='养老']")
    assert [url for url in asked if "/search/rows-" in url]
