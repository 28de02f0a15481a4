"""Words of German, English and other texts as search compares them: folded, stemmed, and how far apart two are."""

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import snowballstemmer

ALGORITHMS = {
    "da": "danish", "de": "german", "en": "english", "es": "spanish", "fi": "finnish", "fr": "french",
    "it": "italian", "nb": "norwegian", "nl": "dutch", "pl": "polish", "pt": "portuguese", "sv": "swedish",
}  # fmt: skip
"""Snowball's algorithm by language. Words of other languages are folded and not stemmed."""
_WORD = re.compile(r"[^\W_]+")
_LONGEST = 60
"""Characters of a word that are looked at."""
_STEMMING = threading.Lock()
_STEMMERS = {language: snowballstemmer.stemmer(name) for language, name in ALGORITHMS.items()
             if name in snowballstemmer.algorithms()}  # fmt: skip

FILLERS = frozenset(
    [
        "aber",
        "als",
        "am",
        "an",
        "auch",
        "auf",
        "aus",
        "bei",
        "bis",
        "da",
        "das",
        "dass",
        "dem",
        "den",
        "der",
        "des",
        "die",
        "dies",
        "durch",
        "ein",
        "eine",
        "einem",
        "einen",
        "einer",
        "eines",
        "er",
        "es",
        "für",
        "gibt",
        "hat",
        "ich",
        "im",
        "in",
        "ist",
        "kann",
        "man",
        "mit",
        "nach",
        "nicht",
        "oder",
        "sich",
        "sie",
        "sind",
        "so",
        "über",
        "um",
        "und",
        "vom",
        "von",
        "vor",
        "was",
        "welche",
        "wer",
        "wie",
        "wird",
        "wo",
        "zu",
        "zum",
        "zur",
        "a",
        "all",
        "and",
        "are",
        "at",
        "by",
        "can",
        "do",
        "for",
        "from",
        "has",
        "have",
        "how",
        "i",
        "in",
        "is",
        "it",
        "of",
        "on",
        "or",
        "that",
        "the",
        "there",
        "this",
        "to",
        "was",
        "what",
        "when",
        "where",
        "which",
        "who",
        "will",
        "with",
    ]
)
"""German and English words that say nothing of what is sought."""


class Word(NamedTuple):
    """A word in a text, and where it stands there."""

    text: str
    start: int
    end: int


def split(text: str) -> Iterator[Word]:
    """The words of a text: letters and digits."""
    for found in _WORD.finditer(text):
        yield Word(found.group(), found.start(), found.end())


@lru_cache(100_000)
def fold(word: str) -> str:
    """Small letters without marks: ``Zählstraße`` is ``zahlstrasse``."""
    plain = unicodedata.normalize("NFKD", word[:_LONGEST].casefold())
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


@lru_cache(200_000)
def stem(word: str, language: str) -> str:
    """What the forms of a word have in common: ``Bäume``, ``Baeume``, ``Baum`` are ``baum`` in German."""
    stemmer = _STEMMERS.get(language)
    if stemmer is None:
        return fold(word)
    plain = unicodedata.normalize("NFKC", word[:_LONGEST].casefold())
    with _STEMMING:  # a stemmer keeps the word that it works on
        return fold(stemmer.stemWord(plain))


def trigrams(word: str) -> set[str]:
    """Its groups of three letters, with two blanks before and one behind, as pg_trgm has them."""
    padded = f"  {word} "
    return {padded[place : place + 3] for place in range(len(padded) - 2)}


def distance(one: str, other: str) -> int:
    """How many letters were left out, added, taken for another or swapped with their neighbour (optimal string
    alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, sign in enumerate(one, 1):
        line = [row]
        for column, wanted in enumerate(other, 1):
            cost = min(last[column] + 1, line[-1] + 1, last[column - 1] + (sign != wanted))
            if row > 1 and column > 1 and sign == other[column - 2] and one[row - 2] == wanted:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, last = last, line
    return last[-1]


def slips(length: int) -> int:
    """How many slips are forgiven in a word of that length."""
    return 0 if length < 4 else 1 if length < 8 else 2
