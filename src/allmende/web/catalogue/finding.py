"""The search's indexes, kept in the process: one shelf of what everybody may know of, and for each set of grants what
its readers may know of besides.

Whatever is asked for at the same time is made once: who comes second waits for the first. A description that changed is
heeded at once: it goes on a shelf of its own until there are many of them.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest

from allmende.domain.catalogue import Catalogue, Entry, may_know
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.search.datasets import Descriptions, contents, language_of
from allmende.domain.search.index import Index
from allmende.domain.search.shelf import Shelf
from allmende.domain.wording import meaning_the_same

_KEPT = 16
"""Sets of grants whose indexes a process holds at the same time."""
_MOST = 4_000_000
"""Entries of eight bytes on all shelves that are not everybody's, together; the least used go first."""
_FEW = 0.05
"""The share of changed descriptions up to which the shelf of all is not made anew."""


Same = tuple[frozenset[str], ...]


class _Public(NamedTuple):
    """The shelf of what everybody may know of, with what is said on it by dataset."""

    shelf: Shelf
    said: dict[str, tuple[object, str]]


class _Made(NamedTuple):
    """An index, and what it was made of."""

    public: _Public
    same: Same
    described: list[tuple[object, str]]
    names: dict[str, list[str]]
    collected: list[object]
    read: float
    index: Index
    size: int


class _Place:
    """Where the index of one set of grants is kept, or made."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made: _Made | None = None


class Finder:
    """The indexes of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: OrderedDict[tuple[object, ...], _Place] = OrderedDict()
        self._public_lock = threading.Lock()
        self._public: _Public | None = None
        self.made = 0
        """How often an index was made."""

    def index(self, catalogue: Catalogue, store: object, reader: Reader, same: Same = ()) -> Index:
        """That of a catalogue, which is the reader's; ``same``: groups of words that mean the same."""
        with self._lock:
            key = (reader.sees_all, reader.datasets)
            place = self._places.setdefault(key, _Place())
            self._places.move_to_end(key)
        with place.lock:
            place.made = self._current(place.made, catalogue, store, reader, same)
            made = place.made
        self._forget()
        return made.index

    def _current(self, known: _Made | None, catalogue: Catalogue, store: object, reader: Reader, words: Same) -> _Made:
        described = Descriptions(catalogue.entries, "").said
        collected = [entry.collections for entry in catalogue.entries]
        same = (
            known is not None
            and known.same == words
            and known.described == described
            and _titles(known.collected) == _titles(collected)
        )
        now = time.monotonic()
        if known is not None and same and now - known.read < settings.ALLMENDE.search_age:
            return known
        names = store.names(reader, settings.ALLMENDE.search_names)  # type: ignore[attr-defined]
        if known is not None and same and known.names == names:
            return known._replace(read=now)
        self.made += 1
        public, without, rest = self._shelve(catalogue)
        shelves = (Shelf(Descriptions(rest, language_of(catalogue))), Shelf(contents(catalogue, names)))
        index = Index(public.shelf, *shelves, without=without, same=words)
        return _Made(public, words, described, names, collected, now, index, sum(shelf.size for shelf in shelves))

    def _shelve(self, catalogue: Catalogue) -> tuple[_Public, list[str], list[Entry]]:
        """The public shelf, the keys on it that do not hold for this catalogue, and what has to stand elsewhere."""
        with self._public_lock:
            public = self._public
            if public is not None:
                without, rest = _compare(public, catalogue.entries)
                own = sum(_is_public(entry) for entry in rest)
                if len(without) + own <= max(20, len(public.said) * _FEW):
                    return public, without, rest
            shown = [entry for entry in catalogue.entries if _is_public(entry)]
            descriptions = Descriptions(shown, language_of(catalogue))
            self._public = public = _Public(Shelf(descriptions), dict(zip(_ids(shown), descriptions.said, strict=True)))
        return public, *_compare(public, catalogue.entries)

    def _forget(self) -> None:
        with self._lock:
            for place in self._places.values():
                if place.made is not None and place.made.public is not self._public:
                    # else the shelf before would be kept as long as nobody asks with these grants
                    place.made = None
            size = sum(place.made.size for place in self._places.values() if place.made)
            while len(self._places) > 1 and (len(self._places) > _KEPT or size > _MOST):
                _, place = self._places.popitem(last=False)
                size -= place.made.size if place.made else 0


def _ids(entries: Sequence[Entry]) -> list[str]:
    return [entry.id for entry in entries]


def _titles(collected: list[object]) -> list[object]:
    return [(each.title, each.description) for several in collected for each in several]  # type: ignore[attr-defined]


def _is_public(entry: Entry) -> bool:
    return may_know(entry.dataset, ANONYMOUS) and not entry.dataset.simulated


def _compare(public: _Public, entries: Sequence[Entry]) -> tuple[list[str], list[Entry]]:
    """Keys of the shelf that these entries do not have, or say otherwise; and entries that are not on it so."""
    held = {
        entry.id for entry in entries if public.said.get(entry.id) == (entry.dataset, entry.publisher.name)
    }  # fmt: skip
    return [key for key in public.said if key not in held], [entry for entry in entries if entry.id not in held]


_finder = Finder()


def index_for(request: HttpRequest, catalogue: Catalogue) -> Index:
    """The index of a catalogue, which is that of whoever asks. Names are read with the reader's predicate."""
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    words = house.profile
    same = meaning_the_same(words.properties.values(), words.synonyms.values())
    return _finder.index(catalogue, house.store, house.reader, same)
