"""An index in memory over the documents that one reader may know of: forms of words, parts of compounds, slips.

It is made for one reader and holds nothing else, so that neither hits, counts nor proposals can tell of what is hidden.
What all readers may know of stands on a shelf that all their indexes share.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from allmende.domain.search.shelf import Part, Shelf
from allmende.domain.search.words import FILLERS, distance, fold, slips, split, stem

LONGEST, MOST_WORDS = 200, 12
"""Characters and words of a question that are looked at."""
_PREFIX, _INSIDE = 3, 4
"""Letters that the beginning of a longer word needs, and a part inside it."""
_EXACT, _SAME, _BEGINS, _SPLIT, _WITHIN, _SLIP = 1.0, 0.8, 0.7, 0.6, 0.5, 0.4
_JOINTS = ("", "s", "n", "en", "es", "er", "e")
"""What stands between the parts of a German compound."""


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
    """Shelves that are searched as one. A document may stand on several, in parts, under the same key; ``without`` are
    keys of the first shelf whose documents there hold no longer. ``same``: groups of words that mean the same; one of
    several words is found as they stand together."""

    def __init__(self, *shelves: Shelf, without: Iterable[str] = (), same: Iterable[Iterable[str]] = ()) -> None:
        self._same = tuple(frozenset(tuple(w.text for w in split(word)) for word in group) - {()} for group in same)
        self._shelves = shelves
        self._languages = tuple(dict.fromkeys(language for shelf in shelves for language in shelf.languages))
        self.notes: dict[str, Any] = {}
        """For whoever searches: what was worked out of documents, by key."""
        first = shelves[0]
        self._gone = frozenset(first.places[key] for key in without)
        self._more: list[str] = []
        """Keys of documents that do not stand on the first shelf."""
        self._numbers: list[list[int]] = []
        """Of each further shelf: our numbers of its documents."""
        self._held: dict[int, list[tuple[int, int]]] = {}
        """Where the parts of a document stand that are not on the first shelf: shelf and number there."""
        places: dict[str, int] = {}
        for turn, shelf in enumerate(shelves[1:], 1):
            numbers = []
            for place, key in enumerate(shelf.keys):
                number = first.places.get(key)
                if number is None or number in self._gone:
                    number = places.setdefault(key, len(first.keys) + len(self._more))
                    if number == len(first.keys) + len(self._more):
                        self._more.append(key)
                numbers.append(number)
                self._held.setdefault(number, []).append((turn, place))
            self._numbers.append(numbers)

    def __len__(self) -> int:
        return len(self._shelves[0].keys) - len(self._gone) + len(self._more)

    def _all(self) -> dict[int, float]:
        count = len(self._shelves[0].keys) + len(self._more)
        return {number: 0.0 for number in range(count) if number not in self._gone}

    def _key(self, number: int) -> str:
        keys = self._shelves[0].keys
        return keys[number] if number < len(keys) else self._more[number - len(keys)]

    def _parts(self, number: int) -> Iterable[Part]:
        first = self._shelves[0]
        if number < len(first.keys):
            yield from first.documents[number].parts
        for turn, place in self._held.get(number, ()):
            yield from self._shelves[turn].documents[place].parts

    def search(self, text: str) -> Hits:
        """The documents that hold all that is sought and nothing unwanted; all of them for an empty question."""
        scores: dict[int, float] | None = None
        stems: set[str] = set()
        instead: dict[str, tuple[str, ...]] = {}
        asked = read_question(text)
        for sought in sorted(asked, key=lambda each: each.unwanted):
            fits = self._phrase(sought.words) if len(sought.words) > 1 else self._word(sought.words[0], sought.unwanted)
            if sought.unwanted:
                kept = self._all() if scores is None else scores
                scores = {number: score for number, score in kept.items() if number not in fits.scores}
                continue
            stems |= fits.stems
            if fits.instead:
                instead[sought.words[0]] = fits.instead
            scores = fits.scores if scores is None else _both(scores, fits.scores)
        if scores is None:
            scores = self._all()
        found = {self._key(number): score for number, score in scores.items()}
        return Hits(scores=found, stems=frozenset(stems), instead=instead)

    def _word(self, word: str, unwanted: bool = False) -> _Fits:
        stems = self._stems(word)
        if unwanted:
            # what is not wanted is named as it is: no part of a compound, no slip
            return self._gather({one: _EXACT for one in stems if self._knows(one)})
        fits = self._gather(self._called(stems))
        for other in self._meaning_the_same(stems):
            found = self._phrase(other) if len(other) > 1 else self._gather(self._called(self._stems(other[0])))
            scores = {number: score * _SAME for number, score in found.scores.items()}
            fits = _Fits(_better(fits.scores, scores), fits.stems | found.stems)
        for one in stems:
            for first, second in self._halves(one):
                pair = _both(self._gather({first: _SPLIT}).scores, self._gather({second: _SPLIT}).scores)
                if pair:
                    halved = {number: score / 2 for number, score in pair.items()}
                    fits = _Fits(_better(fits.scores, halved), fits.stems | {first, second})
        return fits if fits.scores else self._meant(fold(word))

    def _meaning_the_same(self, stems: set[str]) -> list[tuple[str, ...]]:
        """What else is looked for with a word of these stems: the others of the groups that it is in."""
        found: dict[tuple[str, ...], None] = {}
        for group in self._same:
            if any(len(words) == 1 and self._stems(words[0]) & stems for words in group):
                found |= dict.fromkeys(sorted(words for words in group if not self._stems(" ".join(words)) & stems))
        return list(found)

    def _stems(self, word: str) -> set[str]:
        return {stem(word, language) for language in self._languages} | {fold(word)}

    def _knows(self, term: str) -> bool:
        return any(term in shelf.terms for shelf in self._shelves)

    def _called(self, stems: Iterable[str]) -> dict[str, float]:
        """Terms that are one of the stems, begin with it, or hold it, and how well they fit."""
        fitting: dict[str, float] = {}
        for one in stems:
            if len(one) >= _PREFIX:
                inside = len(one) >= _INSIDE
                for term in (term for shelf in self._shelves for term in shelf.terms if one in term):
                    if inside or term.startswith(one):
                        fit = _BEGINS if term.startswith(one) else _WITHIN
                        fitting[term] = max(fitting.get(term, 0.0), fit)
            if self._knows(one):
                fitting[one] = _EXACT
        return fitting

    def _halves(self, one: str) -> list[tuple[str, str]]:
        """How a compound may be put together of two terms that are known."""
        found = []
        for place in range(_PREFIX, len(one) - _PREFIX + 1):
            second = one[place:]
            if not self._knows(second):
                continue
            for joint in _JOINTS:
                first = one[:place].removesuffix(joint) if joint else one[:place]
                if len(first) >= _PREFIX and self._knows(first):
                    found.append((first, second))
                    break
        return found

    def _meant(self, word: str) -> _Fits:
        """What somebody may have meant by a word that nothing is called. A word that stands in no document any more is
        not proposed."""
        scores: dict[int, float] = {}
        stems: set[str] = set()
        written: dict[str, None] = {}
        for found in self._similar(word):
            for shelf in self._shelves:
                taken = self._gather(dict.fromkeys(shelf.terms_of(found), _SLIP))
                if taken.scores:
                    scores = _better(scores, taken.scores)
                    stems |= taken.stems
                    written[shelf.written(found)] = None
        return _Fits(scores, stems, tuple(written))

    def _similar(self, word: str) -> list[str]:
        """The known words nearest to one that is not known, also as the beginning or the end of a compound."""
        allowed = slips(len(word))
        if not allowed:
            return []
        shared: dict[str, int] = {}
        for shelf in self._shelves:
            for found, number in shelf.like(word, allowed):
                shared[found] = max(number, shared.get(found, 0))
        best: dict[str, int] = {}
        for found in shared:
            if self._gone and not self._stands(found):
                continue
            apart = distance(word, found) if abs(len(word) - len(found)) <= allowed else allowed + 1
            if apart > allowed and len(word) >= 6 and len(found) > len(word):
                lengths = (len(word) - 1, len(word), len(word) + 1)
                ends = [end for n in lengths for end in (found[:n], found[-n:])]
                apart = min(distance(word, end) for end in ends)
            if apart <= allowed:
                best[found] = apart
        nearest = min(best.values(), default=0)
        return sorted((found for found, apart in best.items() if apart == nearest), key=lambda f: (-shared[f], f))

    def _stands(self, word: str) -> bool:
        """Whether a folded word still stands in a document."""
        terms = (term for shelf in self._shelves for term in shelf.terms_of(word))
        return any(True for term in terms for _ in self._holding(term))

    def _gather(self, terms: Mapping[str, float]) -> _Fits:
        """The best of each document's terms; what it has of one term on several shelves is added."""
        scores: dict[int, float] = {}
        for term, fit in terms.items():
            holding = self._holding(term)
            if not scores:
                scores = {number: weight * fit for number, weight in holding}
                continue
            for number, weight in holding:
                score = weight * fit
                if score > scores.get(number, 0.0):
                    scores[number] = score
        return _Fits(scores, set(terms) if scores else set())

    def _holding(self, term: str) -> Iterable[tuple[int, float]]:
        first = self._shelves[0].holding(term)
        if self._gone:
            first = ((number, weight) for number, weight in first if number not in self._gone)
        more = [
            (numbers[number], weight)
            for shelf, numbers in zip(self._shelves[1:], self._numbers, strict=True)
            for number, weight in shelf.holding(term)
        ]
        if not more:
            return first
        found = dict(first)
        for number, weight in more:
            found[number] = found.get(number, 0.0) + weight
        return found.items()

    def _phrase(self, words: Sequence[str]) -> _Fits:
        scores: dict[int, float] | None = None
        stems: set[str] = set()
        for word in words:
            terms = [term for term in {stem(word, language) for language in self._languages} if self._knows(term)]
            fits = self._gather(dict.fromkeys(terms, _EXACT))
            stems |= set(terms)
            scores = fits.scores if scores is None else _both(scores, fits.scores)
        held = {n: s for n, s in (scores or {}).items() if any(_runs(part, words) for part in self._parts(n))}
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
