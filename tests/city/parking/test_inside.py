"""What a page says of bays in an area, of areas in a zone, and of estimates."""

from datetime import timedelta

import pytest
from django.utils import translation

from allmende.city.parking.inside import tell
from allmende.city.parking.state import Parts
from tests.city.parking.test_feeds import made


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def test_an_area_tells_of_its_bays_and_of_how_much_is_known():
    parts = Parts(count=3, known=2, free=1, capacity=2, share=2 / 3)
    lane = made("lane", kind="parking-area", parent="centre", parts=parts)
    nothing = {"free": None, "status": "no-data", "confirmed_at": None, "observed_at": None}
    bays = [
        made("bay-1", kind="parking-bay", parent="lane", free=1),
        made("bay-2", kind="parking-bay", parent="lane", free=0),
        made("bay-3", kind="parking-bay", parent="lane", **nothing),
    ]
    found = tell([lane, *bays, made("centre", kind="parking-zone")], lane)
    assert [(part.name, part.words, part.age) for part in found.parts] == [
        ("Bay-1", "Free", "2 minutes ago"),
        ("Bay-2", "Taken", "2 minutes ago"),
        ("Bay-3", "No data", ""),
    ]
    assert found.known == "Known now: 2 of 3, that is 67 % of the spaces."
    assert (found.above, found.estimate, found.more) == (("centre", "Centre"), "", 0)


def test_an_estimate_says_how_far_it_may_be_off():
    lane = made("lane", estimated=True, error=4.0, confirmed_at=made().now - timedelta(hours=3))
    assert tell([lane], lane).estimate == "This number is an estimate, not a count: it may be off by about 4 spaces."
