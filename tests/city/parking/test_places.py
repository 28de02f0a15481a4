"""Which sites stand on a driver's list, for what is looked for."""

import msgspec
import pytest
from django.utils import translation

from allmende.city.parking.drivers.choosing import Offer, Wish, judge, rank
from allmende.city.parking.drivers.gathering import make_offer
from allmende.city.parking.drivers.places import WHATS, Places, is_counted, only_for
from allmende.city.parking.present import as_geojson, present
from allmende.city.parking.read import car_park
from allmende.city.parking.standing import Spaces
from tests.city.parking.test_feeds import NOON, made

FOUR = {"disabled": Spaces(free=1, occupied=3, capacity=4)}
STATES = [
    made("garage", parent="centre", spaces=FOUR),
    made("centre", kind="parking-zone"),
    made("lane", kind="parking-area", parent="centre", estimated=True, error=4.4),
    made("alley", kind="parking-area"),
    made("deck", kind="parking-area", parent="garage"),
    made("bay-1", kind="parking-bay", parent="lane", free=1, capacity=1),
    made("bay-2", kind="parking-bay", free=0, capacity=1),
    made("wheelchairs", kind="parking-area", capacity=4, free=1, spaces=FOUR),
    made("cycles", facts={"purpose": "BIKE"}),
    made("coaches", facts={"restrictions": [{"type": "BUS"}]}),
    made("edge", facts={"park_and_ride_type": ["TRAM"]}),
    made("edge-cycles", facts={"park_and_ride_type": ["YES"], "purpose": "BIKE"}),
]


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("", "garage lane alley bay-2 edge"),
        ("car-park", "garage edge"),
        ("street", "centre lane alley deck"),
        ("bay", "bay-1 bay-2"),
        ("ride", "edge"),
        ("bike", "cycles edge-cycles"),
        ("bus", "coaches"),
    ],
)
def test_each_site_is_told_to_whom_it_is_for(what, told):
    assert [state.site.id for state in Places(STATES).choose(what)] == told.split()


def test_those_who_are_meant_are_told_of_what_is_for_them_alone():
    found = Places(STATES).choose("", frozenset({"disabled"}))
    assert "wheelchairs" in {state.site.id for state in found}
    offer = make_offer(next(state for state in found if state.site.id == "wheelchairs"), None, None)
    assert (offer.only, offer.free_for["disabled"]) == ("disabled", 1)
    now = Wish(now=NOON, arrival=NOON)
    assert judge(offer, now).against == ("only-disabled",)
    asked = judge(offer, msgspec.structs.replace(now, needs=frozenset({"disabled"})))
    assert (asked.verdict, asked.outlook) == ("suitable", "free-now")
    assert judge(Offer(id="a", only="truck"), now).against == ("only-others",)


def test_below_the_car_parks_stands_what_lies_in_nothing_else():
    assert [state.site.id for state in Places(STATES).top()] == ["centre", "alley", "bay-2"]
    assert set(Places(STATES).count()) == {what for what in WHATS if what}


def test_a_car_park_that_has_never_told_anything_is_not_counted():
    nothing = {"status": "no-data", "free": None, "confirmed_at": None, "observed_at": None}
    told = made("square", reason="never", **nothing)
    assert not is_counted(told)
    with translation.override("en"):
        row = present(car_park(told), NOON)
        assert (row.level_words, row.reason) == ("80 spaces, not counted", "")
    offers = [make_offer(told, (11.5, 50.9), None), Offer(id="played", simulated=True, free=9, metres=900)]
    wish = Wish(now=NOON, arrival=NOON)
    assert [choice.offer.id for choice in rank(judge(each, wish) for each in offers)] == ["played", "square"]
    assert is_counted(made(reason="feed-silent", **nothing))


def test_a_number_of_its_own_makes_a_restriction_that_of_a_part():
    assert only_for(made(facts={"restrictions": [{"type": "DISABLED", "capacity": 2}]})) == ""
    assert only_for(made(facts={"restrictions": [{"type": "DISABLED"}]})) == "disabled"


def test_a_card_says_whether_a_bay_is_taken_what_is_estimated_and_what_is_free_for_whom():
    with translation.override("en"):
        rows = {state.site.id: present(car_park(state), NOON) for state in STATES}
        assert (rows["bay-1"].level_words, rows["bay-2"].level_words) == ("Free", "Taken")
        assert rows["lane"].estimate == "estimated, may be off by 4"
        assert rows["garage"].spaces == ("bay for people with a disability: 1 of 4 free",)
        assert rows["wheelchairs"].kind == "Parking area, only for people with a disability"
        assert rows["wheelchairs"].spaces == ()
        features = as_geojson([(row, "/") for row in rows.values()])["features"]
    shown = {each["id"]: each["properties"] for each in features}
    assert (shown["bay-1"]["label"], shown["bay-2"]["label"], shown["lane"]["label"]) == ("✓", "✗", "~5")
    assert shown["lane"]["words"] == "5 free, estimated, may be off by 4"
    assert all(rows[name].topic == "" for name in ("bay-1", "lane", "centre"))
    assert rows["garage"].topic
