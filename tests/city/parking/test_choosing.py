"""Which car parks suit a driver, and in what order."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.city.parking.drivers.choosing import (
    NEEDS,
    Offer,
    Wish,
    judge,
    look_ahead,
    rank,
    straight_line,
    walk,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
WISH = Wish(now=NOW, arrival=NOW + timedelta(minutes=30))
ORDER = ("suitable", "unknown", "unsuitable")
known = st.none() | st.booleans()
offers = st.builds(
    Offer,
    id=st.text(max_size=3),
    simulated=st.booleans(),
    closed=st.booleans(),
    free=st.none() | st.integers(0, 20),
    chance=st.none() | st.floats(0, 1),
    max_height=st.none() | st.integers(150, 300),
    spaces=st.dictionaries(st.sampled_from(NEEDS[:6]), st.none() | st.integers(0, 3)),
    purpose=st.sampled_from((None, "CAR", "BIKE")),
    park_and_ride=known,
    opens=known,
    lets_out=known,
    refused=st.sampled_from(("", "too-long", "permit")),
    metres=st.none() | st.floats(0, 5000),
    cents=st.none() | st.integers(0, 2000),
)
wishes = st.builds(
    Wish,
    now=st.just(NOW),
    arrival=st.sampled_from((NOW, NOW + timedelta(hours=1))),
    height=st.none() | st.integers(150, 300),
    needs=st.frozensets(st.sampled_from(NEEDS)),
)


@settings(max_examples=50)
@given(st.lists(offers, max_size=12), wishes)
def test_what_does_not_suit_or_is_not_known_never_stands_above_what_suits(found, wish):
    told = rank(judge(offer, wish) for offer in found)
    places = [ORDER.index(choice.verdict) for choice in told]
    assert places == sorted(places)
    assert len(told) == len(found)  # nothing is left out
    for choice in told:
        assert (choice.verdict == "unsuitable") == bool(choice.against)
        assert choice.verdict != "suitable" or not choice.unknown


@settings(max_examples=50)
@given(st.lists(offers, max_size=12), wishes)
def test_equals_keep_their_order_and_ranking_again_changes_nothing(found, wish):
    choices = [judge(msgspec.structs.replace(offer, id=str(n)), wish) for n, offer in enumerate(found)]
    told = rank(choices)
    assert rank(told) == told
    twice = [judge(msgspec.structs.replace(choices[0].offer, id=name), wish) for name in "ab"] if choices else []
    assert [choice.offer.id for choice in rank(twice)] == [*"ab"][: len(twice)]


@settings(max_examples=50)
@given(offers, wishes)
def test_to_know_less_never_makes_a_car_park_suit(offer, wish):
    """What nobody says is never a yes: without any statement nothing that was asked for holds."""
    silent = judge(Offer(id=offer.id), wish)
    if wish.height is not None or wish.needs:
        assert silent.verdict == "unknown"
        assert set(silent.unknown) == {*wish.needs, *(["height"] if wish.height is not None else [])}
    else:
        assert silent.verdict == "suitable"
    if judge(offer, wish).verdict == "suitable":
        assert not offer.closed
        assert offer.opens is not False
        assert not offer.refused


@pytest.mark.parametrize(
    ("offer", "wish", "against", "unknown"),
    [
        ({"max_height": 190}, {"height": 195}, ("too-low",), ()),
        ({"max_height": 195}, {"height": 195}, (), ()),
        ({"closed": True, "opens": False}, {}, ("closed",), ()),
        ({"opens": False, "lets_out": False}, {}, ("closed-then",), ()),
        ({"opens": True, "lets_out": False}, {"needs": frozenset({"open"})}, ("closes-before",), ()),
        ({"opens": True}, {"needs": frozenset({"open"})}, (), ("open",)),
        ({"spaces": {"disabled": 0}}, {"needs": frozenset({"disabled"})}, ("no-disabled",), ()),
        ({"spaces": {"disabled": 2}}, {"needs": frozenset({"disabled", "charging"})}, (), ("charging",)),
        ({"purpose": "BIKE"}, {}, ("for-bikes",), ()),
        ({"purpose": "BIKE"}, {"needs": frozenset({"bike"})}, (), ()),
        ({"purpose": "CAR"}, {"needs": frozenset({"bike"})}, ("no-bike",), ()),
        ({"park_and_ride": False}, {"needs": frozenset({"park-and-ride"})}, ("no-park-and-ride",), ()),
        ({"refused": "too-long"}, {}, ("too-long",), ()),
    ],
)
def test_reasons_are_told(offer, wish, against, unknown):
    told = judge(Offer(id="a", **offer), msgspec.structs.replace(WISH, **wish))
    assert (told.against, told.unknown) == (against, unknown)


@pytest.mark.parametrize(
    ("chance", "free", "minutes", "outlook"),
    [
        (0.97, 0, 30, "very-likely"),
        (0.75, None, 30, "likely"),
        (0.4, None, 30, "uncertain"),
        (0.1, 80, 30, "unlikely"),
        (None, 80, 30, "unknown"),  # what is free now says nothing of half an hour later
        (None, 80, 10, "free-now"),
        (None, 4, 0, "few-now"),
        (None, 0, 0, "full-now"),
        (None, None, 0, "unknown"),
    ],
)
def test_the_outlook_is_the_forecast_or_for_an_arrival_at_once_what_is_free(chance, free, minutes, outlook):
    wish = msgspec.structs.replace(WISH, arrival=NOW + timedelta(minutes=minutes))
    assert look_ahead(Offer(id="a", chance=chance, free=free), wish) == outlook


def test_a_likely_space_counts_more_than_a_short_walk_and_a_short_walk_more_than_a_low_cost():
    likely = Offer(id="likely", chance=0.99, metres=900, cents=800)
    near = Offer(id="near", chance=0.8, metres=100, cents=800)
    cheap = Offer(id="cheap", chance=0.8, metres=200, cents=100)
    played = Offer(id="played", chance=0.99, metres=1, cents=0, simulated=True)
    told = rank(judge(offer, WISH) for offer in (played, cheap, near, likely))
    assert [choice.offer.id for choice in told] == ["likely", "near", "cheap", "played"]


def test_distances_are_those_of_the_earth():
    holzmarkt, eichplatz = (11.585516, 50.926547), (11.586044, 50.928426)
    assert straight_line(*holzmarkt, eichplatz) == pytest.approx(212, abs=2)
    assert (walk(212), walk(0)) == (4, 1)
