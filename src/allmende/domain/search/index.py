"""An index in memory over the documents that one reader may know of: forms of words, parts of compounds, slips.

It is made for one reader and holds nothing else, so that neither hits, counts nor proposals can tell of what is hidden.
It is read by many threads; nothing changes in it but the table of trigrams, which is made when first needed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import msgspec

from allmende.domain.search.words import FILLERS, distance, fold, slips, split, stem, trigrams

LONGEST, MOST_WORDS = 200, 12
"""Characters and words of a question that are looked at."""
_PREFIX, _INSIDE = 3, 4
"""Letters that the beginning of a longer word needs, and a part inside it."""
_EXACT, _SAME, _BEGINS, _SPLIT, _WITHIN, _SLIP = 1.0, 0.8, 0.7, 0.6, 0.5, 0.4
_JOINTS = ("", "s", "n", "en", "es", "er", "e")
"""What stands between the parts of a German compound."""
_MOST_LIKE = 200


class Part(NamedTuple):
    """One text of a document, with its weight in the order of hits and its language."""

    weight: float
    text: str
    language: str


class Document(msgspec.Struct, frozen=True):
    """What is found, under a key that is unique in its index."""

    key: str
    parts: tuple[Part, ...]


class Sought(NamedTuple):
    """One part of a question: words that stand together where it was quoted."""

    words: tuple[str, ...]
    unwanted: bool = False


class Hits(msgspec.Struct, frozen=True):
    """What a question found."""

    scores: Mapping[str, float]
    """By key; more is better."""
    stems: frozenset[str] = frozenset()
    """Of the words that fit: see :func:`highlight`."""
    instead: Mapping[str, tuple[str, ...]] = {}
    """Words that nothing is called, and the similar ones that were taken in their place."""


class _Fits(NamedTuple):
    scores: dict[int, float]
    stems: set[str]
    instead: tuple[str, ...] = ()


def read_question(text: str) -> list[Sought]:
    """Words, ``"words that stand together"``, and ``-word`` for what is not wanted; anything can be understood."""
    found: list[Sought] = []
    for place, piece in enumerate(text[:LONGEST].split('"')):
        if place % 2:
            words = tuple(word.text for word in split(piece))
            found += [Sought(words)] if words else []
            continue
        for run in piece.split():
            unwanted = len(run) > 1 and run[0] in "-\u2212"
            found += [Sought((word.text,), unwanted) for word in split(run)]
    meaning = [each for each in found if len(each.words) > 1 or each.words[0].casefold() not in FILLERS]
    return (meaning or found)[:MOST_WORDS]


class Index:
    """See the module."""

    def __init__(self, documents: Iterable[Document], same: Iterable[Iterable[str]] = ()) -> None:
        """``same``: groups of words that mean the same; one of several words is found as they stand together."""
        self._documents = tuple(documents)
        self._same = tuple(frozenset(tuple(w.text for w in split(word)) for word in group) - {()} for group in same)
        self._terms: dict[str, dict[int, float]] = {}
        self._words: dict[str, set[str]] = {}
        self._written: dict[str, str] = {}
        languages: dict[str, None] = {}
        for number, document in enumerate(self._documents):
            seen: set[tuple[str, float]] = set()
            for part in document.parts:
                languages[part.language] = None
                self._add(number, part, seen)
        self._languages = tuple(languages)

    def _add(self, number: int, part: Part, seen: set[tuple[str, float]]) -> None:
        """``seen``: a term counts once a weight, however often and in however many languages it stands there."""
        for word in split(part.text):
            term = stem(word.text, part.language)
            if (term, part.weight) in seen:
                continue
            seen.add((term, part.weight))
            weights = self._terms.setdefault(term, {})
            weights[number] = weights.get(number, 0.0) + part.weight
            folded = fold(word.text)
            self._words.setdefault(folded, set()).add(term)
            self._written.setdefault(folded, word.text)

    def __len__(self) -> int:
        return len(self._documents)

    def search(self, text: str) -> Hits:
        """The documents that hold all that is sought and nothing unwanted; all of them for an empty question."""
        scores: dict[int, float] | None = None
        stems: set[str] = set()
        instead: dict[str, tuple[str, ...]] = {}
        asked = read_question(text)
        for sought in sorted(asked, key=lambda each: each.unwanted):
            fits = self._phrase(sought.words) if len(sought.words) > 1 else self._word(sought.words[0], sought.unwanted)
            if sought.unwanted:
                kept = dict.fromkeys(range(len(self._documents)), 0.0) if scores is None else scores
                scores = {number: score for number, score in kept.items() if number not in fits.scores}
                continue
            stems |= fits.stems
            if fits.instead:
                instead[sought.words[0]] = fits.instead
            scores = fits.scores if scores is None else _both(scores, fits.scores)
        if scores is None:
            scores = dict.fromkeys(range(len(self._documents)), 0.0)
        found = {self._documents[number].key: score for number, score in scores.items()}
        return Hits(scores=found, stems=frozenset(stems), instead=instead)

    def _word(self, word: str, unwanted: bool = False) -> _Fits:
        stems = self._stems(word)
        if unwanted:
            # what is not wanted is named as it is: no part of a compound, no slip
            return self._gather(dict.fromkeys(stems & self._terms.keys(), _EXACT))
        fitting = self._called(stems)
        fits = self._gather(fitting)
        for other in self._meaning_the_same(stems):
            found = self._phrase(other) if len(other) > 1 else self._gather(self._called(self._stems(other[0])))
            scores = {number: score * _SAME for number, score in found.scores.items()}
            fits = _Fits(_better(fits.scores, scores), fits.stems | found.stems)
        for one in stems:
            for first, second in self._halves(one):
                pair = _both(self._gather({first: _SPLIT}).scores, self._gather({second: _SPLIT}).scores)
                if pair:
                    fits = _Fits(
                        _better(fits.scores, {n: s / 2 for n, s in pair.items()}), fits.stems | {first, second}
                    )
        if fits.scores:
            return fits
        similar = self._similar(fold(word))
        terms = {term: _SLIP for found in similar for term in self._words[found]}
        taken = self._gather(terms)
        return _Fits(taken.scores, taken.stems, tuple(dict.fromkeys(self._written[found] for found in similar)))

    def _meaning_the_same(self, stems: set[str]) -> list[tuple[str, ...]]:
        """What else is looked for with a word of these stems: the others of the groups that it is in."""
        found: dict[tuple[str, ...], None] = {}
        for group in self._same:
            if any(len(words) == 1 and self._stems(words[0]) & stems for words in group):
                found |= dict.fromkeys(sorted(words for words in group if not self._stems(" ".join(words)) & stems))
        return list(found)

    def _stems(self, word: str) -> set[str]:
        return {stem(word, language) for language in self._languages} | {fold(word)}

    def _called(self, stems: Iterable[str]) -> dict[str, float]:
        """Terms that are one of the stems, begin with it, or hold it, and how well they fit."""
        fitting: dict[str, float] = {}
        for one in stems:
            if len(one) >= _PREFIX:
                inside = len(one) >= _INSIDE
                for term in self._terms:
                    if one in term and (inside or term.startswith(one)):
                        fit = _BEGINS if term.startswith(one) else _WITHIN
                        fitting[term] = max(fitting.get(term, 0.0), fit)
            if one in self._terms:
                fitting[one] = _EXACT
        return fitting

    def _halves(self, one: str) -> list[tuple[str, str]]:
        """How a compound may be put together of two terms that are known."""
        found = []
        for place in range(_PREFIX, len(one) - _PREFIX + 1):
            second = one[place:]
            if second not in self._terms:
                continue
            for joint in _JOINTS:
                first = one[:place].removesuffix(joint) if joint else one[:place]
                if len(first) >= _PREFIX and first in self._terms:
                    found.append((first, second))
                    break
        return found

    @cached_property
    def _grams(self) -> dict[str, list[str]]:
        grams: dict[str, list[str]] = {}
        for word in self._words:
            for gram in trigrams(word):
                grams.setdefault(gram, []).append(word)
        return grams

    def _similar(self, word: str) -> list[str]:
        """The known words nearest to one that is not known, also as the beginning or the end of a compound."""
        allowed = slips(len(word))
        if not allowed:
            return []
        shared = Counter(found for gram in trigrams(word) for found in self._grams.get(gram, ()))
        best: dict[str, int] = {}
        for found, _ in shared.most_common(_MOST_LIKE):
            apart = distance(word, found)
            if apart > allowed and len(word) >= 6 and len(found) > len(word):
                lengths = (len(word) - 1, len(word), len(word) + 1)
                ends = [end for n in lengths for end in (found[:n], found[-n:])]
                apart = min(distance(word, end) for end in ends)
            if apart <= allowed:
                best[found] = apart
        nearest = min(best.values(), default=0)
        return sorted((found for found, apart in best.items() if apart == nearest), key=lambda f: (-shared[f], f))

    def _gather(self, terms: Mapping[str, float]) -> _Fits:
        scores: dict[int, float] = {}
        for term, fit in terms.items():
            for number, weight in self._terms[term].items():
                scores[number] = max(scores.get(number, 0.0), weight * fit)
        return _Fits(scores, set(terms))

    def _phrase(self, words: Sequence[str]) -> _Fits:
        scores: dict[int, float] | None = None
        stems: set[str] = set()
        for word in words:
            terms = {stem(word, language) for language in self._languages} & self._terms.keys()
            fits = self._gather(dict.fromkeys(terms, _EXACT))
            stems |= terms
            scores = fits.scores if scores is None else _both(scores, fits.scores)
        held = {n: s for n, s in (scores or {}).items() if any(_runs(p, words) for p in self._documents[n].parts)}
        return _Fits(held, stems if held else set())


def _runs(part: Part, words: Sequence[str]) -> bool:
    """Whether the words stand in the text one behind the other, in any form."""
    own = [stem(word.text, part.language) for word in split(part.text)]
    wanted = [stem(word, part.language) for word in words]
    return any(own[place : place + len(wanted)] == wanted for place in range(len(own) - len(wanted) + 1))


def _both(one: Mapping[int, float], other: Mapping[int, float]) -> dict[int, float]:
    return {number: one[number] + other[number] for number in one.keys() & other.keys()}


def _better(one: Mapping[int, float], other: Mapping[int, float]) -> dict[int, float]:
    return {number: max(one.get(number, 0.0), other.get(number, 0.0)) for number in one.keys() | other.keys()}


def highlight(text: str, language: str, stems: frozenset[str]) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is a word that was found."""
    pieces: list[tuple[str, bool]] = []
    place = 0
    for word in split(text):
        if stem(word.text, language) in stems:
            if word.start > place:
                pieces.append((text[place : word.start], False))
            pieces.append((word.text, True))
            place = word.end
    if place < len(text):
        pieces.append((text[place:], False))
    return pieces
