"""What a dataset has to say that tells of people, and that the house forgets in time."""

from typing import Any

import pytest

from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError
from allmende.domain.profile_files import parse_profile
from allmende.domain.retention import CollectionFacts, Retention, StreamFacts

TEXT = {"de": "Text", "en": "text"}
OUTLINE: dict[str, Any] = {"type": "FeatureCollection", "features": []}
PERSONAL = {"personal": {"purpose": TEXT, "delete_after": "P30D"}, "legal_basis": TEXT, "access": "restricted"}


def town(retention: Any = None, **dataset: Any) -> Profile:
    body = {"title": TEXT, "description": TEXT, "publisher": "Town", "licence": "CC0-1.0", "attribution": "Town"}
    return parse_profile(
        {
            "id": "town", "name": "Town", "country": "DE", "time_zone": "Europe/Berlin", "languages": ["de", "en"],
            "geography": {"center": [11.58, 50.92], "zoom": 12, "boundary": OUTLINE, "districts": OUTLINE,
                          "waters": OUTLINE, "attribution": "constructed"},
            "datasets": {"people": {**body, **dataset}, "other": body},
            "retention": retention or {},
        }
    )  # fmt: skip


def chosen(profile: Profile, dataset: str, observed: str = "plate") -> str:
    facts = StreamFacts(id="s", dataset=dataset, source="", properties=(observed,))
    found = Retention(profile.retention, "UTC").rule_of(facts)
    return found.keep if found else "forever"


def test_what_tells_of_people_is_deleted_by_itself():
    profile = town(**PERSONAL)
    assert chosen(profile, "people") == "P30D"
    assert chosen(profile, "other") == "forever"


def test_it_is_deleted_whatever_a_rule_for_all_says():
    profile = town(retention={"all": {"stream": "*", "keep": "forever"}}, **PERSONAL)
    assert chosen(profile, "people") == "P30D"


def test_a_stricter_rule_holds_and_leaves_the_rest_to_the_limit():
    own = {"plates": {"dataset": "people", "property": "plate", "keep": "P1D"}}
    profile = town(retention=own, **PERSONAL)
    assert chosen(profile, "people") == "P1D"
    assert chosen(profile, "people", "speed") == "P30D"


def test_a_rule_for_its_objects_says_nothing_of_its_readings():
    own = {"trees": {"dataset": "people", "collection": "trees*", "keep": "P1D"}}
    profile = town(retention=own, **PERSONAL)
    assert chosen(profile, "people") == "P30D"

    def of(name: str) -> str:
        found = Retention(profile.retention, "UTC").rule_of_collection(
            CollectionFacts(id=name, dataset="people", source="")
        )
        return found.keep if found else "forever"

    assert (of("trees-1"), of("benches")) == ("P1D", "P30D")


def test_the_newest_of_people_is_not_kept_for_ever():
    with pytest.raises(ProfileError, match="keeps the newest for ever") as raised:
        town(retention={"now": {"dataset": "people", "keep": "latest"}}, **PERSONAL)
    assert raised.value.place == "retention.now.keep"


@pytest.mark.parametrize("keep", ["forever", "P31D", "P1Y"])
def test_a_rule_that_keeps_it_longer_is_refused(keep: str):
    with pytest.raises(ProfileError, match="is longer than datasets") as raised:
        town(retention={"long": {"dataset": "people", "keep": keep}}, **PERSONAL)
    assert raised.value.place == "retention.long.keep"


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"personal": {"purpose": {"de": "Text"}, "delete_after": "P30D"}}, "datasets.people.personal.purpose.en"),
        ({"legal_basis": {}}, "datasets.people.legal_basis.de"),
        ({"personal": {"purpose": TEXT, "delete_after": "soon"}}, "datasets.people.personal.delete_after"),
        ({"personal": {"purpose": TEXT, "delete_after": "PT0S"}}, "datasets.people.personal.delete_after"),
        ({"personal": {"purpose": TEXT}}, "datasets.people"),
        ({"counts_of_people": 1}, "datasets.people.counts_of_people"),
        ({"counts_of_people": 10, "access": "open"}, "datasets.people.counts_of_people"),
    ],
)
def test_what_has_to_be_said(said: dict[str, Any], place: str):
    with pytest.raises(ProfileError) as raised:
        town(**{**PERSONAL, **said})
    assert raised.value.place.startswith(place)
