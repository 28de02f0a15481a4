"""Datasets of a catalogue by words, figures and places: the one search of pages and interfaces."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from allmende.domain import vocabulary
from allmende.domain.catalogue import Catalogue, Entry
from allmende.domain.errors import InvalidQuery
from allmende.domain.features import Box
from allmende.domain.search.index import Document, Hits, Index, Part

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


def make_index(catalogue: Catalogue, names: Mapping[str, Iterable[str]], same: Iterable[Iterable[str]] = ()) -> Index:
    """Of all that is in the catalogue. ``names`` are those of properties and things by dataset, as the reader of the
    catalogue may see them; ``same`` are groups of words that mean the same."""
    language = catalogue.languages[0] if catalogue.languages else "de"
    return Index((_document(entry, names.get(entry.id, ()), language) for entry in catalogue.entries), same)


def _document(entry: Entry, names: Iterable[str], language: str) -> Document:
    dataset = entry.dataset
    parts = [Part(TITLE, text, each) for each, text in dataset.title.items()]
    parts += [Part(KEYWORDS, " \n".join(words), each) for each, words in dataset.keywords.items()]
    parts += [Part(KEYWORDS, dataset.id, language), Part(ABOUT, entry.publisher.name, language)]
    terms = [vocabulary.find(vocabulary.THEMES, key) for key in dataset.themes]
    parts += [Part(ABOUT, text, each) for term in terms if term for each, text in term.label.items()]
    parts += [Part(TEXT, text, each) for each, text in dataset.description.items()]
    collected = [text for each in entry.collections for text in (each.title, each.description)]
    parts.append(Part(NAMES, " \n".join([*names, *collected]), language))
    return Document(entry.id, tuple(parts))


def search(catalogue: Catalogue, index: Index, question: Question, language: str) -> Found:
    """The datasets that fit. ``language`` is that of the titles by which is ordered."""
    hits = index.search(question.text)
    # the index may be a little older than the catalogue: what is found is in both
    fitting = [entry for entry in catalogue.entries if entry.id in hits.scores and _touches(entry, question.bbox)]
    has = {entry.id: {facet: values_of(entry, facet) for facet in FACETS} for entry in fitting}
    chosen = {facet: set(values) for facet, values in question.chosen.items() if values}
    facets: dict[str, dict[str, int]] = {}
    for facet in FACETS:
        others = [(other, values) for other, values in chosen.items() if other != facet]
        counts = Counter(
            value
            for entry in fitting
            if all(values & set(has[entry.id][other]) for other, values in others)
            for value in has[entry.id][facet]
        )
        for value in chosen.get(facet, ()):
            counts.setdefault(value, 0)
        facets[facet] = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    kept = [entry for entry in fitting if all(values & set(has[entry.id][f]) for f, values in chosen.items())]
    return Found(entries=_ordered(kept, question, hits, language), facets=facets, hits=hits)


def _ordered(entries: list[Entry], question: Question, hits: Hits, language: str) -> list[Entry]:
    entries.sort(key=lambda entry: (_title(entry, language), entry.id))
    if question.order == "newest":
        entries.sort(key=lambda entry: entry.modified, reverse=True)
    elif question.order == "relevance":
        entries.sort(key=lambda entry: -hits.scores[entry.id])
    return entries


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
