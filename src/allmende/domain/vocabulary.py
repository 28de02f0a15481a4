"""Lists of words that catalogues all over Europe agree on: themes, periodicities, licences and the like.

Each list is a file beside this module that says where it is from and under which licence. A term is named in profiles
by its key; ``uri`` is how the world names it.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from allmende.domain.times import MINUTE, parse_duration

THEMES, FREQUENCIES, LICENCES = "themes", "frequencies", "licences"
PUBLISHER_TYPES, AVAILABILITIES, ACCESS_RIGHTS = "publisher_types", "availabilities", "access_rights"
LANGUAGES, FORMATS, HIGH_VALUE, GEOCODING = "languages", "formats", "high_value", "geocoding"
LISTS = (
    THEMES, FREQUENCIES, LICENCES, PUBLISHER_TYPES, AVAILABILITIES, ACCESS_RIGHTS, LANGUAGES, FORMATS, HIGH_VALUE,
    GEOCODING,
)  # fmt: skip


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One word of a list."""

    key: str
    uri: str
    label: Mapping[str, str]
    more: Mapping[str, Any] = {}
    """What the list says of it besides, e.g. the media type of a format."""


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """A list, in the order in which a form offers it."""

    source: str
    licence: str
    scheme: str
    """URI of the list itself."""
    terms: Mapping[str, Term]


@cache
def vocabulary(name: str) -> Vocabulary:
    """One of LISTS. Raises KeyError for another name."""
    if name not in LISTS:
        raise KeyError(name)
    raw = tomllib.loads(files("allmende.domain").joinpath("vocabularies", f"{name}.toml").read_text("utf-8"))
    base = raw.get("base", raw["scheme"] + "/")
    terms = {key: _term(key, base, dict(body)) for key, body in raw["terms"].items()}
    return Vocabulary(source=raw["source"], licence=raw["licence"], scheme=raw["scheme"], terms=terms)


def _term(key: str, base: str, body: dict[str, Any]) -> Term:
    label = {language: body.pop(language) for language in ("de", "en")}
    return Term(key=key, uri=base + str(body.get("govdata") or body.get("code") or key), label=label, more=body)


def find(name: str, key: str) -> Term | None:
    """A term of a list, or None."""
    return vocabulary(name).terms.get(key)


def geocoding_uri(key: str) -> str:
    """``municipalityKey/16053000`` as the world names it."""
    return f"http://dcat-ap.de/def/politicalGeocoding/{key}"


def geocoding_fault(key: str) -> str:
    """What is wrong with a geocoding key in words, "" if nothing is."""
    kind, _, digits = key.partition("/")
    term = find(GEOCODING, kind)
    if term is None:
        return f'"{key}" is no key: write LIST/DIGITS, the lists are {", ".join(vocabulary(GEOCODING).terms)}'
    if not (digits.isascii() and digits.isdigit() and len(digits) == term.more["digits"]):
        return f'"{key}" is no {kind}, which has {term.more["digits"]} digits'
    return ""


def frequency_of(interval: int) -> str:
    """The periodicity of what is updated every ``interval`` microseconds: the next term that does not promise more;
    "" where a week is too short."""
    if interval < MINUTE:
        return "UPDATE_CONT"
    for key, term in vocabulary(FREQUENCIES).terms.items():
        length = term.more.get("length")
        if length is not None and parse_duration(length) >= interval:
            return key
    return ""
