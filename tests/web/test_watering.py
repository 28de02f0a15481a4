"""From a raw uplink of a soil sensor to the colours of its site and of its reference area, by Jena's own profile."""

import json
from typing import Any

import pytest
from tests.cities.test_jena_rules import profile
from tests.knowledge.town import Clock, follow, readings, settle
from tests.web.simple import make_intake

from allmende.connectors.registry import connectors
from allmende.connectors.testing import captured, sample
from allmende.domain.times import HOUR, parse_instant
from allmende.knowledge.prepare import prepare_rules

SITE = "244"
"""Of reference area 15."""


def water(tmp_path: Any, uplink: bytes) -> tuple[Any, str, int]:
    """A device of SITE speaks; gives the store, the device and the end of the hour."""
    said = json.loads(uplink)
    device, now = said["deviceInfo"]["devEui"], parse_instant(said["time"])
    city = profile({SITE: device})
    intake = make_intake(tmp_path, profile=city, connectors=connectors())
    clock = Clock(now)
    intake.clock = clock
    prepared = prepare_rules(city)
    assert not prepared.problems
    follower = follow(intake.store, prepared.rules, clock)
    intake.message_intake()(f"application/x/device/{device}/event/up", uplink)
    settle(follower)
    clock.now = now // HOUR * HOUR + HOUR
    settle(follower)
    assert intake.store.sources()["chirpstack"].rejected == 0
    return intake.store, device, clock.now


@pytest.mark.parametrize(
    ("name", "streams", "pf", "colour"),
    [
        # Tension of 63.0 and 104.7 kPa, as a probe of the city's sent it.
        ("payloads/chirpstack/example4.json", "soil-water-tension", (2.7994, 3.0199), "green"),
        # Potential of -875.9 and -1145.6 kPa.
        ("Solidos Teros21", "soil-water-potential", (3.9425, 4.059), "red"),
    ],
)
def test_an_uplink_becomes_the_colour_of_its_site_and_area(tmp_path, name, streams, pf, colour):
    if name.endswith(".json"):
        uplink = captured(name)
    else:
        lines = sample("allmende.connectors.chirpstack", "uplinks-constructed.ndjson").splitlines()
        uplink = next(line for line in lines if name.encode() in line)
    store, device, end = water(tmp_path, uplink)
    for depth, wanted in enumerate(pf, 1):
        (found,) = readings(store, f"{device}~{streams}-{depth}~pf").values()
        assert found == pytest.approx(wanted, abs=0.0005)
    assert list(readings(store, f"soil-site-{SITE}~colour").values()) == [colour]
    assert readings(store, "soil-area-15~colour") == {end: colour}
    assert readings(store, "soil-area-15~spoke") == {end: 1}
    assert readings(store, "soil-area-15~silent") == {end: 4}
    assert readings(store, "soil-area-15~pf") == {end: pytest.approx(sum(pf) / 2, abs=0.0005)}


def test_an_uplink_of_another_family_has_no_colour(tmp_path):
    store, _, end = water(tmp_path, captured("payloads/chirpstack/example3.json"))
    assert readings(store, f"soil-site-{SITE}~colour") == {}
    assert readings(store, "soil-area-15~colour").get(end) is None
