"""How names of streets and places are compared: as people write them, not as the register does."""

import re
import unicodedata
from typing import NamedTuple

_WORD = re.compile(r"[^\W_]+")
_MARKS = (("ae", "a"), ("oe", "o"), ("ue", "u"))
_STREET = re.compile(r"(?:st(?=[as]*r)[ars]{1,5}e?|stasse|srasse|(?<=\w{3})trasse)\Z")
"""``straße`` at the end of a word: shortened, with one s, with letters swapped or left out."""
_SHORT = {"pl": "platz", "sankt": "st", "doktor": "dr", "professor": "prof", "ob": "ober"}
_LONGEST = 200
_POSTCODE = re.compile(r"(?<![\w.])\d{5}(?!\w)")
_NUMBERED = re.compile(
    r"(?P<name>.*?[^\d\s,].*?|[^\d\s,])[\s,.]*?(?<!\d)(?P<number>\d{1,4})\s*(?P<suffix>[a-z])?"
    r"(?:\s*[-\u2013/+]\s*\d{1,4}\s*[a-z]?)?\b(?P<rest>[^\d]*)\Z",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(\d+)\s*([a-z]?)(?:\s*[-\u2013]\s*(\d+)\s*([a-z]?))?", re.IGNORECASE)


def key(name: str) -> str:
    """What spellings of one name have in common: ``Friedrich-Engels-Straße``, ``friedrich engels str.`` are one, as are
    ``Müller``, ``Mueller`` and ``Muller``."""
    plain = unicodedata.normalize("NFKD", name[:_LONGEST].casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    for written, meant in _MARKS:
        plain = plain.replace(written, meant)
    words = [_SHORT.get(word, word) for word in _WORD.findall(plain)]
    return "".join(_STREET.sub("str", word) for word in words)


class Wanted(NamedTuple):
    """An address as somebody typed it, taken apart. ``said`` is the key of all but the postcode, ``whole`` that without
    the city's name, for names that hold numbers; ``rest`` is the key of what stands behind the number."""

    said: str
    whole: str
    name: str
    number: int | None
    suffix: str
    rest: str
    postcode: str


def read_wanted(text: str, city: str = "") -> Wanted:
    """Take apart what was typed; the city's own name says nothing within it."""
    text = text[:_LONGEST]
    found = _POSTCODE.search(text)
    postcode = found.group() if found else ""
    plain = _POSTCODE.sub(" ", text)
    said = key(plain)
    if city:
        without = re.sub(rf"(?<!\w){re.escape(city)}(?!\w)", " ", plain, flags=re.IGNORECASE)
        plain = without if _WORD.search(without) else plain
    plain = plain.strip(" ,;")
    whole = key(plain)
    parted = _NUMBERED.fullmatch(plain)
    if parted is None:
        return Wanted(said, whole, whole, None, "", "", postcode)
    suffix = (parted["suffix"] or "").lower()
    return Wanted(said, whole, key(parted["name"]), int(parted["number"]), suffix, key(parted["rest"]), postcode)


class HouseNumber(NamedTuple):
    """The first and last number of a house, and the letter of the first."""

    first: int
    last: int
    suffix: str


def read_number(text: str) -> HouseNumber | None:
    """``17 d``, ``12-14``; None where there is no number in it."""
    found = _NUMBER.match(text.strip())
    if found is None:
        return None
    first = int(found[1])
    return HouseNumber(first, max(first, int(found[3] or first)), found[2].lower())
