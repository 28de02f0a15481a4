"""The words of many documents, packed: which term stands in which document, and with what weight.

Made once and read by many threads; nothing changes in it but the table of trigrams, which is made when first needed.
Fifty thousand descriptions of seventy words are three million entries of eight bytes.
"""

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import repeat
from typing import NamedTuple

import msgspec

from allmende.domain.search.words import fold, stem, trigrams

_WORD = re.compile(r"[^\W_]+")
_MOST_LIKE = 200
_SPOILT, _EDGE = 4, 3
"""Trigrams that one slip spoils at most, and that the end of a word has and its place in a compound has not."""


class Part(NamedTuple):
    """One text of a document, with its weight in the order of hits and its language."""

    weight: float
    text: str
    language: str


class Document(msgspec.Struct, frozen=True):
    """What is found, under a key that is unique on its shelf."""

    key: str
    parts: tuple[Part, ...]


_Held = tuple["array[int]", "array[int]", "array[float]"]


class _Terms(dict[str, str]):
    """A word as it is written -> its term, in one language; what is new is put on the shelf."""

    def __init__(self, language: str, shelf: "Shelf") -> None:
        super().__init__()
        self._language, self._shelf = language, shelf

    def __missing__(self, word: str) -> str:
        term = self[word] = self._shelf.learn(word, stem(word, self._language))
        return term


class Shelf:
    """See the module. ``documents`` is read once from its beginning to its end, and then by single numbers where words
    have to stand together: it may make each document anew."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        self.keys: list[str] = []
        self.terms: dict[str, int] = {}
        """Numbers of the terms, in the order in which they were met."""
        self._words: dict[str, str | tuple[str, ...]] = {}
        """The term of a folded word, or its several ones in several languages."""
        self._written: dict[str, str] = {}
        """How a folded word was written first, where it was otherwise."""
        tables: dict[str, _Terms] = {}
        held = array("I"), array("I"), array("f")
        for number, document in enumerate(documents):
            self.keys.append(document.key)
            self._add(number, document, tables, held)
        self.languages = tuple(tables)
        self._starts, self._numbers, self._weights = self._packed(*held)
        self.size = len(self._numbers)

    def learn(self, word: str, term: str) -> str:
        """Keep a word that was not met before in its language; gives its term."""
        folded = fold(word)
        known = self.terms_of(folded)
        if not known:
            self._words[folded] = term
            if word != folded:
                self._written[folded] = word
        elif term not in known:
            self._words[folded] = (*known, term)
        self.terms.setdefault(term, len(self.terms))
        return term

    def terms_of(self, folded: str) -> tuple[str, ...]:
        """The terms of a folded word; none where it does not stand here."""
        known = self._words.get(folded, ())
        return (known,) if isinstance(known, str) else known

    def written(self, folded: str) -> str:
        """A folded word as it was written first."""
        return self._written.get(folded, folded)

    def _add(self, number: int, document: Document, tables: dict[str, _Terms], held: _Held) -> None:
        by_weight: dict[float, set[str]] = {}
        for weight, text, language in document.parts:
            table = tables.get(language)
            if table is None:
                table = tables[language] = _Terms(language, self)
            by_weight.setdefault(weight, set()).update(map(table.__getitem__, _WORD.findall(text)))
        weights: dict[str, float] = {}
        for weight, terms in by_weight.items():
            for term in terms:
                weights[term] = weights.get(term, 0.0) + weight
        places, numbers, kept = held
        places.extend(map(self.terms.__getitem__, weights))
        numbers.extend(repeat(number, len(weights)))
        kept.extend(weights.values())

    def _packed(self, places: "array[int]", numbers: "array[int]", weights: "array[float]") -> _Held:
        """What came document by document, term by term: where each term begins, then numbers and weights."""
        starts = array("I", bytes(4 * (len(self.terms) + 1)))
        for place in places:
            starts[place + 1] += 1
        for place in range(1, len(starts)):
            starts[place] += starts[place - 1]
        free, packed, kept = starts[:], array("I", numbers), array("f", weights)
        for place, number, weight in zip(places, numbers, weights, strict=True):
            at = free[place]
            packed[at], kept[at] = number, weight
            free[place] = at + 1
        return starts, packed, kept

    def holding(self, term: str) -> Iterable[tuple[int, float]]:
        """The documents of a term by number, with its weight there: a term counts once a weight, however often and in
        however many languages it stands in a document."""
        place = self.terms.get(term)
        if place is None:
            return ()
        part = slice(self._starts[place], self._starts[place + 1])
        return zip(self._numbers[part], self._weights[part], strict=True)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Numbers by key."""
        return {key: number for number, key in enumerate(self.keys)}

    @cached_property
    def _grams(self) -> dict[str, list[str]]:
        grams: dict[str, list[str]] = {}
        for word in self._words:
            for gram in trigrams(word):
                grams.setdefault(gram, []).append(word)
        return grams

    def like(self, word: str, slips: int) -> Iterator[tuple[str, int]]:
        """Folded words that may be meant by one with so many slips, also as a part of a compound, with the number of
        trigrams that they share."""
        grams = trigrams(word)
        least = max(1, len(grams) - _SPOILT * slips - _EDGE)
        shared = Counter(found for gram in grams for found in self._grams.get(gram, ()))
        for found, number in shared.most_common(_MOST_LIKE):
            if number < least:
                return
            yield found, number
