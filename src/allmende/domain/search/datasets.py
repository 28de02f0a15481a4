"""Datasets of a catalogue by words, figures and places: the one search of pages and interfaces."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple, overload

import msgspec

from allmende.domain import vocabulary
from allmende.domain.catalogue import Catalogue, Entry
from allmende.domain.errors import InvalidQuery
from allmende.domain.features import Box
from allmende.domain.search.index import Hits, Index
from allmende.domain.search.shelf import Document, Part, Shelf

TITLE, KEYWORDS, ABOUT, TEXT, NAMES = 16.0, 6.0, 3.0, 2.0, 1.0
"""Weights: all others together are less than a title."""
FACETS = ("theme", "publisher", "licence", "format", "access", "periodicity", "municipality")
ORDERS = ("relevance", "newest", "title")


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody looks for. Values of one facet are alternatives; different facets all have to hold."""

    text: str = ""
    chosen: Mapping[str, tuple[str, ...]] = {}
    """By facet."""
    bbox: Box | None = None
    """West, south, east, north in degrees: what touches it."""
    order: str = "relevance"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, in order."""

    entries: Sequence[Entry]
    facets: Mapping[str, Mapping[str, int]]
    """By facet and value: how many datasets there would be with that value, the other facets being as they are."""
    hits: Hits


class Descriptions(Sequence[Document]):
    """What is said of datasets, as documents that are made when they are read. It has nothing that was measured or
    kept, so that it is the same for all who may know of them."""

    def __init__(self, entries: Sequence[Entry], language: str) -> None:
        # an entry has figures of the moment; what is searched is held, and nothing else of it
        self.said = [(entry.dataset, entry.publisher.name) for entry in entries]
        self._language = language

    def __len__(self) -> int:
        return len(self.said)

    @overload
    def __getitem__(self, place: int) -> Document: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Document]: ...
    def __getitem__(self, place: int | slice) -> Document | Sequence[Document]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        dataset, publisher = self.said[place]
        parts = [Part(TITLE, text, each) for each, text in dataset.title.items()]
        parts += [Part(KEYWORDS, " \n".join(words), each) for each, words in dataset.keywords.items()]
        parts += [Part(KEYWORDS, dataset.id, self._language), Part(ABOUT, publisher, self._language)]
        terms = [vocabulary.find(vocabulary.THEMES, key) for key in dataset.themes]
        parts += [Part(ABOUT, text, each) for term in terms if term for each, text in term.label.items()]
        parts += [Part(TEXT, text, each) for each, text in dataset.description.items()]
        return Document(dataset.id, tuple(parts))


def language_of(catalogue: Catalogue) -> str:
    """That of names and of what has no language."""
    return catalogue.languages[0] if catalogue.languages else "de"


def contents(catalogue: Catalogue, names: Mapping[str, Iterable[str]]) -> list[Document]:
    """What stands in the datasets: names of properties and things by dataset, as the reader of the catalogue may see
    them, and collections."""
    language, found = language_of(catalogue), []
    for entry in catalogue.entries:
        collected = [text for each in entry.collections for text in (each.title, each.description)]
        text = " \n".join([*names.get(entry.id, ()), *collected])
        if text:
            found.append(Document(entry.id, (Part(NAMES, text, language),)))
    return found


def make_index(catalogue: Catalogue, names: Mapping[str, Iterable[str]], same: Iterable[Iterable[str]] = ()) -> Index:
    """Of all that is in the catalogue, and of nothing else. ``same`` are groups of words that mean the same."""
    described = Descriptions(catalogue.entries, language_of(catalogue))
    return Index(Shelf(described), Shelf(contents(catalogue, names)), same=same)


class _Row(NamedTuple):
    """What an entry is narrowed down and ordered by."""

    entry: Entry
    values: tuple[tuple[str, ...], ...]
    """By the place of the facet in FACETS."""
    title: str


def search(catalogue: Catalogue, index: Index, question: Question, language: str) -> Found:
    """The datasets that fit. ``language`` is that of the titles by which is ordered."""
    hits = index.search(question.text)
    # the index may be a little older than the catalogue: what is found is in both
    fitting = [
        _row(entry, index, language)
        for entry in catalogue.entries
        if entry.id in hits.scores and (question.bbox is None or _touches(entry, question.bbox))
    ]
    chosen = {FACETS.index(facet): frozenset(values) for facet, values in question.chosen.items() if values}
    facets: dict[str, dict[str, int]] = {}
    for place, facet in enumerate(FACETS):
        narrowed = _narrow(fitting, {other: values for other, values in chosen.items() if other != place})
        counts = Counter(chain.from_iterable(row.values[place] for row in narrowed))
        for value in chosen.get(place, ()):
            counts.setdefault(value, 0)
        facets[facet] = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    kept = _narrow(fitting, chosen)
    return Found(entries=_ordered(kept, question, hits), facets=facets, hits=hits)


def _row(entry: Entry, index: Index, language: str) -> _Row:
    """Worked out once for an entry that is kept; those that are made for each question are few."""
    key = f"{language} {entry.id}"
    row: _Row | None = index.notes.get(key)
    if row is None or row.entry is not entry:
        values = tuple(values_of(entry, facet) for facet in FACETS)
        row = index.notes[key] = _Row(entry, values, _title(entry, language))
    return row


def _narrow(rows: list[_Row], chosen: Mapping[int, frozenset[str]]) -> list[_Row]:
    for place, values in chosen.items():
        rows = [row for row in rows if not values.isdisjoint(row.values[place])]
    return rows


def _ordered(rows: list[_Row], question: Question, hits: Hits) -> list[Entry]:
    """Entries of one title, one score or one day stay in the order of their ids, which the catalogue has."""
    found = sorted(rows, key=lambda row: row.title)
    if question.order == "newest":
        found.sort(key=lambda row: row.entry.modified, reverse=True)
    elif question.order == "relevance" and question.text:
        found.sort(key=lambda row: -hits.scores[row.entry.id])
    return [row.entry for row in found]


def _title(entry: Entry, language: str) -> str:
    title = entry.dataset.title
    return (title.get(language) or next(iter(title.values()), entry.id)).casefold()


def values_of(entry: Entry, facet: str) -> tuple[str, ...]:
    """What a dataset is under in a facet, each once."""
    dataset = entry.dataset
    if facet == "theme":
        return tuple(dict.fromkeys(dataset.themes))
    if facet == "format":
        return tuple(dict.fromkeys(way.format for way in entry.distributions if way.format))
    if facet == "municipality":
        return tuple(dict.fromkeys(dataset.geocoding))
    value = {
        "publisher": entry.publisher.id,
        "licence": entry.licence.key,
        "access": dataset.access,
        "periodicity": entry.periodicity,
    }[facet]
    return (value,) if value else ()


def _touches(entry: Entry, wanted: Box | None) -> bool:
    if wanted is None:
        return True
    own = entry.bbox
    if own is None:
        return False
    return own[0] <= wanted[2] and own[2] >= wanted[0] and own[1] <= wanted[3] and own[3] >= wanted[1]


def read_box(numbers: Sequence[str]) -> Box | None:
    """West, south, east, north as texts, None where all are empty. Raises InvalidQuery with the number's name."""
    if not any(text.strip() for text in numbers):
        return None
    names = ("west", "south", "east", "north")
    read = []
    for name, text, limit in zip(names, numbers, (180.0, 90.0, 180.0, 90.0), strict=True):
        try:
            number = float(text.strip().replace(",", ".")[:40])
        except ValueError:
            raise InvalidQuery("is a number of degrees, e.g. 11.58", where=name) from None
        if not math.isfinite(number) or abs(number) > limit:
            raise InvalidQuery(f"lies between -{limit:g} and {limit:g} degrees", where=name)
        read.append(number)
    west, south, east, north = read
    if west > east:
        raise InvalidQuery("lies west of the western end", where="east")
    if south > north:
        raise InvalidQuery("lies south of the southern end", where="north")
    return west, south, east, north
