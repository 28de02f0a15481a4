"""The city's words: what observed properties are called and which of them are one, and which words mean the same.

Sources and rules declare properties; what the city says of one goes before that. A property that was merged into
another is declared as that one from then on, and rules and retention that name it mean both.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from allmende.domain.alerts import AlertProfile
from allmende.domain.errors import InvalidInput
from allmende.domain.ids import normalise
from allmende.domain.profile_checks import ProfileError, check_id
from allmende.domain.records import Property
from allmende.domain.rules import RuleProfile
from allmende.domain.tables import convert, mapping
from allmende.domain.units import read_unit

_MOST_SAME = 30
Reading = TypeVar("Reading", RuleProfile, AlertProfile)


class PropertyWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the city says of an observed property. Texts are by language; what is not said is the source's to say."""

    id: str
    name: dict[str, str]
    description: dict[str, str] = {}
    definition: str = ""
    """An address that says what it is."""
    unit: str = ""
    """UCUM: what it is usually told in, for those who look for it; readings stay in the units of their sources."""
    synonyms: dict[str, list[str]] = {}
    """What else people call it, by language: the search finds it by these."""
    merged_into: str = ""
    """The id of the property that it is the same as."""


class SameWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words that mean the same to whoever searches."""

    id: str
    words: list[str]


def parse_properties(value: object) -> dict[str, PropertyWords]:
    """By ids that sources give, which are freer than those of tables. Raises ProfileError."""
    found = {}
    for key, body in mapping(value, "properties").items():
        place = f"properties.{key}"
        check_property_id(key, place)
        found[key] = convert({**mapping(body, place), "id": key}, PropertyWords, place)
    return found


def check_words(properties: Mapping[str, PropertyWords], same: Mapping[str, SameWords], languages: list[str]) -> None:
    """Raises ProfileError with the place of what is wrong."""
    for key, each in properties.items():
        place = f"properties.{key}"
        for language in languages:
            if not each.name.get(language, "").strip():
                raise ProfileError(f"{place}.name.{language}", "is missing: every language of the profile has its text")
        if each.unit:
            try:
                read_unit(each.unit)
            except InvalidInput as error:
                raise ProfileError(f"{place}.unit", "%(error)s", error=error) from None
        target = properties.get(each.merged_into)
        if each.merged_into and (target is None or target.id == key):
            raise ProfileError(
                f"{place}.merged_into", 'there is no other property "%(other)s" here', other=each.merged_into
            )
        if target is not None and target.merged_into:
            raise ProfileError(
                f"{place}.merged_into",
                '"%(other)s" is merged into "%(target)s" itself; name that one',
                other=target.id,
                target=target.merged_into,
            )
    for key, group in same.items():
        check_id(key, f"synonyms.{key}")
        words = [word.strip().casefold() for word in group.words]
        if len(set(words)) < 2 or not all(words):
            raise ProfileError(f"synonyms.{key}.words", "are two different words or more, none of them empty")
        if len(words) > _MOST_SAME:
            raise ProfileError(f"synonyms.{key}.words", "are more than %(most)s", most=_MOST_SAME)


def check_property_id(value: str, place: str) -> None:
    """Raises ProfileError for what no source could call a property."""
    try:
        fits = normalise(value) == value
    except InvalidInput:
        fits = False
    if not fits or any(sign.isspace() or sign == "/" for sign in value):
        raise ProfileError(place, '"%(value)s" is no id of a property', value=value)


def said_of(properties: Mapping[str, PropertyWords], declared: Property, language: str) -> Property:
    """A declared property as the city has it."""
    own = properties.get(declared.id)
    if own is None:
        return declared
    target = properties[own.merged_into] if own.merged_into else own
    known = declared if target is own else Property(id=target.id, name="", definition=target.definition)
    return Property(
        id=target.id,
        name=target.name.get(language) or known.name or target.id,
        definition=target.definition or known.definition or f"urn:x-allmende:property:{target.id}",
        description=target.description.get(language) or known.description,
    )


def with_merged(properties: Mapping[str, PropertyWords], named: str | list[str]) -> str | list[str]:
    """The properties that are meant where some are named: those that they were merged into, too, since what was read
    before may be kept under the older name."""
    listed = [named] if isinstance(named, str) and named else list(named)
    found = dict.fromkeys(listed)
    for name in listed:
        own = properties.get(name)
        if own is not None and own.merged_into:
            found[own.merged_into] = None
        found |= dict.fromkeys(key for key, each in properties.items() if each.merged_into == name)
    return named if list(found) == listed else list(found)


def rule_with_merged(properties: Mapping[str, PropertyWords], rule: Reading) -> Reading:
    """A rule or an alert whose inputs mean what was merged with what they name, too."""
    inputs = {
        name: msgspec.structs.replace(put, property=with_merged(properties, put.property))
        for name, put in rule.inputs.items()
    }
    return msgspec.structs.replace(rule, inputs=inputs)


def meaning_the_same(properties: Iterable[PropertyWords], same: Iterable[SameWords]) -> tuple[frozenset[str], ...]:
    """Groups of words that the search takes for one: each as it is written."""
    groups = [frozenset(word.strip() for word in group.words) for group in same]
    for each in properties:
        for language, name in each.name.items():
            words = frozenset(word.strip() for word in (name, *each.synonyms.get(language, ())) if word.strip())
            if len(words) > 1:
                groups.append(words)
    return tuple(groups)
