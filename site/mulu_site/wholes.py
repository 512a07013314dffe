"""The files that hold the whole catalogue: search index, data files, DCAT pages, sitemaps.

They change with every entry. What an entry adds to the large ones is a part of its own; the parts of unchanged entries are
taken from the published files.
"""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from mulu_site import dcat, machine, search, shards
from mulu_site.memory import Texts
from mulu_site.release import Writer
from mulu_site.render import code_digest
from mulu_site.text import digest
from mulu_site.work import Work

DCAT_PAGE = 100
Facts = dict[str, str]


def search_index(work: Work) -> Facts:
    """Both stages of search. Gives what the next build must know to bring the second one up to date."""
    files: dict[str, list[str]] = {}

    def stage(name: str, key: str, contents: Callable[[], Iterable[bytes]]) -> None:
        def make(write: Writer) -> None:
            for number, content in enumerate(contents()):
                write.named(search.file_name(name, number, content), content)

        files[name] = work.release.unit(f"search/{name}", key, make).files

    catalogue, numbers = work.catalogue, search.numbers(work.rows)
    by_number = sorted(range(len(numbers)), key=numbers.__getitem__)
    second = _SecondStage(work, by_number)
    rows = digest(code_digest(), sha256(b"".join(catalogue.marks)).hexdigest(), numbers)
    words = digest(code_digest(), [catalogue.text_digests[n] for n in by_number])
    stage("rows", rows, lambda: search.pieces(work.rows, numbers))
    stage("words", words, second.words)
    stage("texts", words, second.texts)
    work.file("search/index.json", search.index(work.rows, work.groups, files))
    return {"words": words, "numbers": digest([work.rows[n].page for n in by_number]), "entries": str(len(numbers))}


class _SecondStage:
    """The files of the second stage. Where every entry has kept its number and few are new or say something else, the published
    ones need only these changes."""

    def __init__(self, work: Work, by_number: list[int]) -> None:
        self._work, self._by_number = work, by_number
        digests = [work.catalogue.digests[n] for n in by_number]
        self._all, self._new = Texts(work.memory, digests), [n for n, line in enumerate(digests) if line in work.memory.new]
        self._before = self._entries_before()

    def words(self) -> Iterable[bytes]:
        published = self._published("search/words")
        if len(published) != search.shard_count(len(self._all)):
            return search.word_shards(self._all)
        return shards.brought_up(published, [shards.Change(n, self._last(n), self._all[n]) for n in self._new])

    def texts(self) -> Iterable[bytes]:
        published = self._published("search/texts")
        return shards.texts_brought_up(published, self._new, self._all) if published else search.text_pieces(self._all)

    def _published(self, unit: str) -> list[Path]:
        return self._work.release.published_files(unit, self._work.memory.facts.get("words", "")) if self._before else []

    def _entries_before(self) -> int:
        """How many entries the last build had, if these have the same numbers now and little has changed; else 0."""
        facts = self._work.memory.facts
        before = int(facts.get("entries", 0))
        pages = [self._work.rows[n].page for n in self._by_number[:before]]
        return before if len(self._new) <= shards.FEW and facts.get("numbers") == digest(pages) else 0

    def _last(self, number: int) -> str:
        return self._work.memory.last_text(self._work.rows[self._by_number[number]].page) if number < self._before else ""


def bulk(work: Work) -> Facts:
    """data.json, entries.json and entries.csv, as one unit."""
    digests = work.catalogue.digests
    key = digest(work.site_key, code_digest(), [digests[n] for n in work.by_page])

    def make(write: Writer) -> None:
        sizes: list[tuple[str, list[int]]] = []

        def parts(published: Callable[[str], machine.Parts | None]) -> Iterator[machine.Parts]:
            for n in work.by_page:
                if kept := published(digests[n]):
                    yield kept
                    continue
                ((entry, row),) = work.read([n])
                made = machine.parts(entry, row, work.site)
                sizes.append((digests[n], [len(part) for part in made]))
                yield made

        with _published_parts(work) as published:
            write.streams(machine.whole(work.site, parts(published)))
        work.memory.learn_sizes(sizes)

    work.release.unit("bulk", key, make)
    return {"bulk": key, "bulk_site": work.site_key}


@contextlib.contextmanager
def _published_parts(work: Work) -> Iterator[Callable[[str], machine.Parts | None]]:
    """A look-up by the digest of an entry's line in the published files; it finds nothing where they are not the last build's."""
    facts = work.memory.facts
    files = work.release.published_files("bulk", facts.get("bulk", ""))
    spans: dict[str, tuple[int, ...]] = {}
    with contextlib.ExitStack() as stack:
        if files and facts.get("bulk_site") == work.site_key:
            at = [len(head) for head in machine.heads(work.site)]
            for last in work.memory.last():
                if not last.sizes:
                    spans.clear()
                    break
                spans[last.digest] = (*at, *last.sizes)
                at = [a + size + len(gap) for a, size, gap in zip(at, last.sizes, machine.BETWEEN, strict=True)]
        held = [stack.enter_context(_mapped(file)) for file in files] if spans else []

        def part(line_digest: str) -> machine.Parts | None:
            if not (span := spans.get(line_digest)):
                return None
            first, second, third = (whole[a : a + size] for whole, a, size in zip(held, span[:3], span[3:], strict=True))
            return first, second, third

        yield part


@contextlib.contextmanager
def _mapped(file: Path) -> Iterator[mmap.mmap]:
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield content


def dcat_pages(work: Work) -> None:
    """Entries go to pages by a digest of their name: one that comes or goes changes one page, not all that follow."""
    count = 1
    while count * DCAT_PAGE < len(work.by_page):
        count *= 2
    buckets: list[list[int]] = [[] for _ in range(count)]
    for n in work.by_page:
        buckets[int(sha256(work.rows[n].page.encode()).hexdigest()[:8], 16) % count].append(n)
    for number, bucket in enumerate(buckets, start=1):
        total = len(work.by_page) if number == 1 else 0
        key = digest(work.site_key, code_digest(), number, count, total, [work.catalogue.digests[n] for n in bucket])

        def make(write: Writer, number: int = number, bucket: list[int] = bucket, total: int = total) -> None:
            datasets = [dcat.dataset(entry, row, work.site) for entry, row in work.read(bucket)]
            nodes = dcat.catalogue_page(work.site, number, count, total, datasets)
            write(f"dcat/catalog-{number}.ttl", dcat.turtle(nodes))
            write(f"dcat/catalog-{number}.jsonld", dcat.json_ld(nodes))

        work.release.unit(f"dcat/{number}", key, make)


def sitemaps(work: Work, more: Iterable[str]) -> None:
    """`more`: paths of pages beside the entries' and the registers'."""
    maps = []
    for number, start_at in enumerate(range(0, len(work.by_page), machine.SITEMAP_SIZE), start=1):
        part = [work.rows[n] for n in work.by_page[start_at : start_at + machine.SITEMAP_SIZE]]
        maps.append(f"sitemap-{number}.xml")
        work.file(maps[-1], machine.sitemap((work.site.url(f"entry/{r.page}/"), r.changed) for r in part))
    groups = (group.path for groups in work.groups.values() for group in groups)
    work.file("sitemap-0.xml", machine.sitemap((work.site.url(path), "") for path in ["", "catalogue/", *more, *groups]))
    work.file("sitemap.xml", machine.sitemap_index(work.site.url(path) for path in ["sitemap-0.xml", *maps]))
