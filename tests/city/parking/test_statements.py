"""Facts in ParkAPI's types and units, whatever was said: nothing is guessed in silence, nothing crashes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.city.parking.statements import NAMES, chosen, from_profile, from_properties, merge, state
from allmende.domain.profile import Fact


def said(name: str, value: object, unit: str = "") -> tuple[object, str]:
    made = state(name, value, source="test", date="2026", by="source", unit=unit)
    return made.value, made.note


@pytest.mark.parametrize(
    ("name", "value", "unit", "read", "note"),
    [
        ("capacity", 110, "", 110, ""),
        ("capacity", "110", "", 110, ""),
        ("capacity", 110.0, "", 110, ""),
        ("capacity", "viele", "", None, "not-a-number"),
        ("capacity", True, "", None, "not-a-number"),
        ("capacity", -1, "", None, "out-of-range"),
        ("capacity", 7.5, "", None, "not-whole"),
        ("capacity_disabled", "3", "", 3, ""),
        ("max_height", 1.8, "", 180, "metres-taken"),
        ("max_height", "2,10 m", "", 210, ""),
        ("max_height", 2.1, "m", 210, ""),
        ("max_height", 210, "", 210, ""),
        ("max_height", 1900, "mm", 190, ""),
        ("max_height", 19, "", None, "unit-unclear"),
        ("max_height", 2.1, "ft", None, "unit-unclear"),
        ("max_height", 0, "", None, "unit-unclear"),
        ("max_height", 21000, "cm", None, "out-of-range"),
        ("max_stay", "PT2H", "", 7200, ""),
        ("max_stay", 2, "h", 7200, ""),
        ("max_stay", "120 min", "", 7200, ""),
        ("max_stay", 7200, "", 7200, ""),
        ("max_stay", "P1X", "", None, "not-a-duration"),
        ("has_fee", "J", "", True, ""),
        ("has_fee", 0, "", False, ""),
        ("has_fee", "vielleicht", "", None, "not-yes-or-no"),
        ("type", "lot", "", "OFF_STREET_PARKING_GROUND", ""),
        ("type", "garage", "", "CAR_PARK", ""),
        ("type", "UNDERGROUND", "", "UNDERGROUND", ""),
        ("type", "Luftschloss", "", None, "unknown-word"),
        ("park_and_ride_type", True, "", ["YES"], ""),
        ("park_and_ride_type", ["BUS", "tram"], "", ["BUS", "TRAM"], ""),
        ("public_url", "javascript:alert(1)", "", None, "not-an-address"),
        ("greatest_free", 40, "", 40, ""),
    ],
)
def test_a_fact_is_read_in_its_own_type_and_unit(name, value, unit, read, note):
    assert said(name, value, unit) == (read, note)


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(NAMES)),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.integers()),
    st.text(max_size=4),
)
def test_nothing_that_is_said_breaks_the_reading(name, value, unit):
    found = state(name, value, source="test", date="2026", by="source", unit=unit)
    assert (found.value is not None) or found.note


def test_the_operator_counts_more_than_the_profile_and_it_more_than_a_source():
    profile = from_profile(
        {"capacity": [Fact(value=40, source="a", date="2022"), Fact(value=155, source="b", date="2024")]}
    )
    source = from_properties({"capacity": 99, "kind": "car-park", "has_fee": None}, "feed")
    assert [each.value for each in merge(profile, source)["capacity"]] == [40, 155, 99]
    own = {"capacity": [state("capacity", 38, source="Operator", date="2026-11-22", by="operator")]}
    assert [each.value for each in merge(own, profile, source)["capacity"]] == [38, 40, 155, 99]
    assert "has_fee" not in source


def test_what_cannot_be_read_is_kept_and_does_not_count():
    merged = merge(
        from_profile({"capacity": Fact(value="viele", source="a", date="2022")}),
        from_properties({"capacity": [{"value": "52", "source": "b", "date": "2023"}]}, "feed"),
    )
    found = chosen(merged, "capacity")
    assert found is not None
    assert (found.value, found.said, found.source, found.date) == (52, "52", "b", "2023")
    assert [(each.said, each.note) for each in merged["capacity"]][1] == ("viele", "not-a-number")
    assert chosen(merged, "max_height") is None


def test_names_of_a_profile_become_parkapis():
    found = from_profile({"longest_stay": Fact(value="PT2H", source="a", date="2022")})
    assert [each.value for each in found["max_stay"]] == [7200]
