"""What a card says of a forecast, a cost and a closure."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.utils import translation

from allmende.city.parking.arrival.expect import Expectation
from allmende.city.parking.drivers.choosing import Offer, Wish, judge
from allmende.city.parking.drivers.gathering import Found, closed_on
from allmende.city.parking.drivers.words import as_json, say_outlook, say_walk
from allmende.city.parking.sites import Site
from allmende.city.parking.state import Closure, Override, SiteState

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LATER = NOW + timedelta(minutes=30)
WISH = Wish(now=NOW, arrival=LATER)
STATE = SiteState(
    site=Site(id="a", name="A", kind="car-park", stands_for="a"), now=NOW, status="live", free=100, capacity=200
)
EXPECTED = Expectation(
    site="a", at=LATER, free=120, low=-3, high=141, chance_of_one=0.97, chance_of_five=0.9, issued=NOW,
    model="boosted", learned="", error=None, skill=None, held=None, judged=0,
)  # fmt: skip


def found(expected: Expectation | None, state: SiteState = STATE) -> Found:
    chance = expected.chance_of_one if expected else None
    choice = judge(Offer(id="a", free=state.free, chance=chance), WISH)
    return Found(state=state, choice=choice, cost=None, expected=expected)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (EXPECTED, "Bei Ankunft: sehr wahrscheinlich frei (0 bis 141 Plätze)"),
        (msgspec.structs.replace(EXPECTED, chance_of_one=0.2, low=None),
         "Bei Ankunft: wahrscheinlich voll (etwa 120 Plätze)"),
        (msgspec.structs.replace(EXPECTED, chance_of_one=None), "Bei Ankunft: 0 bis 141 Plätze"),
        (None, "Bei Ankunft: noch keine Vorhersage für diese Zeit"),
    ],
)  # fmt: skip
def test_a_forecast_is_said_with_its_chance_and_its_range(expected, words):
    with translation.override("de"):
        assert say_outlook(found(expected), WISH) == words


def test_no_data_is_said_as_such():
    silent = msgspec.structs.replace(STATE, status="no-data", free=None)
    with translation.override("de"):
        assert say_outlook(found(None, silent), WISH) == "Bei Ankunft: keine Daten"
        assert say_walk(1234) == "1,2 km Luftlinie, etwa 22 Minuten zu Fuß"


def test_programs_get_shares_and_null_for_what_is_not_known():
    told = as_json(found(EXPECTED), WISH)
    assert (told["expected"]["chanceOfOne"], told["expected"]["free"]) == (0.97, 120)
    assert (told["maxHeight"], told["cost"]["status"], told["cost"]["cents"]) == (None, "unknown", None)


def test_a_closure_counts_when_it_holds_on_arrival():
    closure = Closure(site="a", start=LATER, until=None, reason="market")
    assert closed_on(STATE, WISH, [closure])
    assert not closed_on(STATE, WISH, [msgspec.structs.replace(closure, spaces=20)])  # a part of it alone
    assert not closed_on(msgspec.structs.replace(STATE, status="closed", reason="closure"), WISH, [])  # over by then
    override = Override(site="a", start=NOW, until=LATER, reason="full", status="closed")
    assert not closed_on(msgspec.structs.replace(STATE, status="closed", override=override), WISH, [])


@pytest.mark.parametrize(
    ("free", "after", "words"),
    [
        (2, 0, "Platz für Menschen mit Behinderung: jetzt frei"),
        (0, 0, "Platz für Menschen mit Behinderung: jetzt voll"),
        (None, 0, "Ob dann einer frei ist, weiß niemand: Platz für Menschen mit Behinderung"),
        (2, 60, "Ob dann einer frei ist, weiß niemand: Platz für Menschen mit Behinderung"),
    ],
)
def test_free_spaces_say_nothing_of_those_for_people_with_a_disability(free, after, words):
    """A hundred are free, and that tells nobody whether one of the four is."""
    wish = Wish(now=NOW, arrival=NOW + timedelta(minutes=after), needs=frozenset({"disabled"}))
    offer = Offer(id="a", free=100, chance=0.99, spaces={"disabled": 4}, free_for={"disabled": free})
    with translation.override("de"):
        assert say_outlook(Found(state=STATE, choice=judge(offer, wish), cost=None, expected=EXPECTED), wish) == words
