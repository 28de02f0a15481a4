"""The city's words: properties named and merged, words that mean the same, and what of it is refused."""

from typing import Any

import pytest
from tests.domain.test_profile import DATA, FILES

from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError
from allmende.domain.profile_files import parse_profile
from allmende.domain.records import Property
from allmende.domain.search.index import Index
from allmende.domain.search.shelf import Document, Part, Shelf
from allmende.domain.wording import meaning_the_same, said_of, with_merged

WATER = {"name": {"de": "Saugspannung", "en": "Water potential"}, "definition": "https://example.org/potential"}
TENSION = {"name": {"de": "Bodenwasserspannung", "en": "Water tension"}, "merged_into": "potential"}
BOTH = {"potential": WATER, "tension": TENSION}


def with_words(properties: dict[str, Any], synonyms: dict[str, Any] | None = None, **more: Any) -> Profile:
    return parse_profile({**DATA, "properties": properties, "synonyms": synonyms or {}, **more}, FILES)


def test_what_a_source_declares_is_called_as_the_city_calls_it() -> None:
    words = with_words(BOTH).properties
    declared = Property(id="potential", name="wp", definition="https://source.example/wp", description="by the source")
    assert said_of(words, declared, "de") == Property(
        id="potential", name="Saugspannung", definition="https://example.org/potential", description="by the source"
    )
    merged = said_of(words, Property(id="tension", name="t", definition="x", description="of tension"), "en")
    assert (merged.id, merged.name, merged.description) == ("potential", "Water potential", "")
    other = Property(id="rain", name="Rain", definition="x")
    assert said_of(words, other, "de") is other


def test_rules_and_retention_that_name_one_mean_both() -> None:
    words = with_words(BOTH).properties
    assert with_merged(words, "tension") == ["tension", "potential"]
    assert with_merged(words, ["potential", "rain"]) == ["potential", "rain", "tension"]
    assert with_merged(words, "rain") == "rain"
    kept = with_words(BOTH, retention={"water": {"property": "tension", "keep": "P1Y"}}).retention["water"]
    assert kept.property == ["tension", "potential"]


@pytest.mark.parametrize(
    ("properties", "synonyms", "place"),
    [
        ({"potential": {"name": {"de": "x"}}}, {}, "properties.potential.name.en"),
        ({"potential": {**WATER, "unit": "furlong"}}, {}, "properties.potential.unit"),
        ({"tension": TENSION}, {}, "properties.tension.merged_into"),
        ({"potential": {**WATER, "merged_into": "potential"}}, {}, "properties.potential.merged_into"),
        ({"a": {**WATER, "merged_into": "tension"}, **BOTH}, {}, "properties.a.merged_into"),
        ({"a b": WATER}, {}, "properties.a b"),
        ({}, {"car": {"words": ["Auto", "auto"]}}, "synonyms.car.words"),
        ({}, {"car": {"words": ["Auto", " "]}}, "synonyms.car.words"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(
    properties: dict[str, Any], synonyms: dict[str, Any], place: str
) -> None:
    with pytest.raises(ProfileError) as told:
        with_words(properties, synonyms)
    assert told.value.place == place


def test_the_search_finds_what_is_called_otherwise() -> None:
    documents = [
        Document("cars", (Part(1, "Parkplätze für Autos", "de"),)),
        Document("bus", (Part(1, "Fahrten im öffentlichen Nahverkehr", "de"),)),
        Document("soil", (Part(1, "Saugspannung im Boden", "de"),)),
    ]
    water = {**WATER, "synonyms": {"de": ["Durst"]}}
    same = {"car": {"words": ["Auto", "Kfz"]}, "transit": {"words": ["ÖPNV", "öffentlicher Nahverkehr"]}}
    words = with_words({"potential": water}, same)
    index = Index(Shelf(documents), same=meaning_the_same(words.properties.values(), words.synonyms.values()))
    for asked, found in (("Kfz", "cars"), ("öpnv", "bus"), ("Durst", "soil"), ("Auto", "cars")):
        assert set(index.search(asked).scores) == {found}, asked
    assert not Index(Shelf(documents)).search("Kfz").scores
