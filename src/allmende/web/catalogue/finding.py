"""The search's index of each reader, kept in the process while descriptions and grants are the same."""

import threading
import time
from collections import OrderedDict
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest

from allmende.domain.catalogue import Catalogue
from allmende.domain.policy import Reader
from allmende.domain.search.datasets import make_index
from allmende.domain.search.index import Index
from allmende.domain.wording import meaning_the_same

_KEPT = 16
"""Indexes of readers with different grants that a process holds at the same time."""


class _Kept(NamedTuple):
    described: int
    read: float
    names: dict[str, list[str]]
    made: Index


_indexes: "OrderedDict[tuple[object, ...], _Kept]" = OrderedDict()
_lock = threading.Lock()


def index_for(request: HttpRequest, catalogue: Catalogue) -> Index:
    """The index of a catalogue, which is that of whoever asks. Names are read with the reader's predicate."""
    house = request.house  # type: ignore[attr-defined]
    config = settings.ALLMENDE
    reader: Reader = house.reader
    key = (house.store, reader.sees_all, reader.datasets, catalogue.root)
    words = house.profile
    same = meaning_the_same(words.properties.values(), words.synonyms.values())
    described = hash((_digest(catalogue), same))
    now = time.monotonic()
    with _lock:
        known = _indexes.get(key)
        if known is not None and known.described == described and now - known.read < config.search_age:
            _indexes.move_to_end(key)
            return known.made
    names = house.store.names(reader, config.search_names)
    if known is not None and known.described == described and known.names == names:
        index = known.made
    else:
        index = make_index(catalogue, names, same)
    with _lock:
        _indexes[key] = _Kept(described, now, names, index)
        _indexes.move_to_end(key)
        while len(_indexes) > _KEPT:
            _indexes.popitem(last=False)
    return index


def _digest(catalogue: Catalogue) -> int:
    """Another where a description that is searched is another."""
    return hash(
        tuple(
            (
                entry.id,
                entry.publisher.name,
                *entry.dataset.title.values(),
                *entry.dataset.description.values(),
                *(word for words in entry.dataset.keywords.values() for word in words),
                *entry.dataset.themes,
                *(text for each in entry.collections for text in (each.title, each.description)),
            )
            for entry in catalogue.entries
        )
    )
