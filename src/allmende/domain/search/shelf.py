"""The words of many documents, packed: which term stands in which document, and with what weight.

Made once and read by many threads; nothing changes in it but the table of trigrams, which is made when first needed.
Fifty thousand descriptions of seventy words are three million entries of eight bytes.
"""

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
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
        self.terms: dict[str, tuple[array[int], array[float]]] = {}
        """Numbers of the documents that hold a term, and its weight in each: a term counts once a weight, however often
        and in however many languages it stands there."""
        self.words: dict[str, tuple[str, ...]] = {}
        """Terms by folded word."""
        self.written: dict[str, str] = {}
        """How a folded word was written first."""
        tables: dict[str, _Terms] = {}
        for number, document in enumerate(documents):
            self.keys.append(document.key)
            self._add(number, document, tables)
        self.languages = tuple(tables)
        self.size = sum(len(numbers) for numbers, _ in self.terms.values())

    def learn(self, word: str, term: str) -> str:
        """Keep a word that was not met before in its language; gives its term."""
        folded = fold(word)
        known = self.words.get(folded, ())
        if term not in known:
            self.words[folded] = (*known, term)
        self.written.setdefault(folded, word)
        if term not in self.terms:
            self.terms[term] = (array("I"), array("f"))
        return term

    def _add(self, number: int, document: Document, tables: dict[str, _Terms]) -> None:
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
        for term, weight in weights.items():
            numbers, kept = self.terms[term]
            numbers.append(number)
            kept.append(weight)

    def holding(self, term: str) -> Iterable[tuple[int, float]]:
        """The documents of a term by number, with its weight there."""
        found = self.terms.get(term)
        return zip(*found, strict=True) if found else ()

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Numbers by key."""
        return {key: number for number, key in enumerate(self.keys)}

    @cached_property
    def _grams(self) -> dict[str, list[str]]:
        grams: dict[str, list[str]] = {}
        for word in self.words:
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
