"""Readers: from a source, whatever it speaks, to pages of records in the source's words.

A reader is a function ``read(source, fetch, resume) -> Iterator[Page]``. It streams: what it holds does not grow with the source.
It raises ``SourceError`` (a sentence for people) where the source as a whole cannot be read; what is wrong with one record is that
record's problem, and the others go on. ``raw["provider"]`` is the department's full name, ``raw["source"]`` is
``{name, url, id}`` with the source's own id; ``raw["provider_hint"]`` may suggest the slug of a department that has to be made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location

from ..fetch import Fetch
from ..record import Page
from ..source import SOURCES, Source, SourceError

Read = Callable[[Source, Fetch, str], Iterator[Page]]

READERS = ("portal", "ckan", "dcat", "data_json", "datapackage", "form", "mulu", "own")
"""Names that ``source.yml`` may give; each is a module here with ``read``. ``own``: ``reader.py`` in the source's folder."""


def reader_of(source: Source) -> Read:
    """The source's reader.

    :raises SourceError: no reader of this name.
    """
    if source.reader not in READERS:
        raise SourceError(f"来源“{source.name}”的 reader“{source.reader}”不存在，应当是 {'、'.join(READERS)} 之一")
    if source.reader == "own":
        return _own(source)
    read: Read = import_module(f"{__name__}.{source.reader}").read
    return read


def _own(source: Source) -> Read:
    """The reader beside a shipped ``source.yml``: code comes with the project, and never from settings that people write."""
    path = SOURCES / source.name / "reader.py"
    if not path.is_file():
        raise SourceError(f"来源“{source.name}”的读取方式是 own，但是没有 sources/{source.name}/reader.py")
    spec = spec_from_file_location(f"mulu_harvest_source_{source.name.replace('-', '_')}", path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    read: Read = module.read
    return read
