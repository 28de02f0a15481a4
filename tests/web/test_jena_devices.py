"""Messages of Jena's devices on their whole way in: by topic to their source, and into the store."""

import json
from typing import Any

import pytest
from tests.support import HOUSE, ask
from tests.web.simple import make_intake

from allmende.connectors.registry import connectors
from allmende.connectors.testing import sample
from allmende.domain.connector import Payload
from allmende.domain.times import MINUTE, SECOND, format_instant, parse_instant
from allmende.web.intake import Intake
from allmende.web.profiles import load_profile

NOW = parse_instant("2026-01-07T10:00:00Z")
SETUP = "5g/ilsa/K999/config/retained"


@pytest.fixture
def intake(tmp_path: Any) -> Intake:
    intake = make_intake(tmp_path, profile=load_profile("jena"), connectors=connectors())
    intake.clock = lambda: NOW
    return intake


def ilsa(name: str) -> bytes:
    return sample("allmende.connectors.ilsa", name)


def latest(intake: Intake) -> dict[str, object]:
    return {found.stream: found.result for found in intake.store.latest(HOUSE)}


def test_messages_find_their_source_by_their_topic(intake: Intake) -> None:
    take = intake.message_intake()
    for topic, body in (
        ("5g/ilsa/K440/tk1/K3/1", ilsa("signal-constructed.json")),
        ("5g/klsa/vsr1/K440/sg/K3", b"48"),
        ("5g/miv/efd", sample("allmende.connectors.miv", "efd-constructed.json")),
        ("5g/traficam/Felsenkeller", sample("allmende.connectors.traficam", "messages-constructed.json")),
        ("5g/ibis/bus/bus359/gnss", sample("allmende.connectors.ibis_ip", "position-constructed.json")),
        ("v3/a@ttn/devices/x/up", sample("allmende.connectors.ttn", "uplinks-constructed.ndjson").splitlines()[0]),
    ):
        take(topic, body)
    found = latest(intake)
    assert found["K440~K3_1~color"] == "⚪🟡🔴"
    assert found["K440~K3~aspect"] == "green"  # two sources tell of one installation
    assert found["miv~vehicles~count"] == 3
    assert found["Felsenkeller~southbound-bicycles~count"] == 1
    assert found["bus359~admin~location"] == {"type": "Point", "coordinates": [11.5812, 50.92712]}
    assert found["00000000000000b1~noise-level"] == 54.0
    counted = intake.store.sources()
    assert {counted[source].rejected for source in ("ilsa", "klsa", "miv", "traficam", "ibis", "ttn")} == {0}


def test_a_message_that_comes_again_is_repeated_and_corrects_nothing(intake: Intake) -> None:
    take = intake.message_intake()
    for _ in range(2):
        take("5g/ilsa/K440/tk1/K3/1", ilsa("signal-constructed.json"))
    counted = intake.store.sources()["ilsa"]
    assert (counted.accepted, counted.repeated, counted.corrected) == (2, 2, 0)


def test_what_the_set_up_says_stays_when_the_signals_speak(intake: Intake) -> None:
    take = intake.message_intake()
    state = json.loads(ilsa("signal-constructed.json")) | {"id": "K1/1"}
    for place in range(3):
        take(SETUP, ilsa("setup-constructed.json"))
        moment = format_instant(NOW - MINUTE + place * SECOND)
        take("5g/ilsa/K999/tk1/K1/1", json.dumps({**state, "timestamp": moment}).encode())
    (thing,) = ask(intake.store, "Thing", select=("properties",)).rows
    properties = json.loads(thing[2])
    assert properties["intersection_name"] == "Musterkreuzung"
    assert properties["signals"]["K1_1"]["position"] == [11.5811, 50.9209]
    (place,) = ask(intake.store, "Location", select=("location",)).rows
    assert json.loads(place[2])["coordinates"] == [11.581, 50.921]
    assert len(ask(intake.store, "HistoricalLocation", select=("time",)).rows) == 1  # it never moved


def test_polls_that_overlap_store_a_value_once(intake: Intake) -> None:
    site = sample("allmende.connectors.glt", "site-constructed.json")
    for _ in range(3):
        intake.take("glt", Payload(body=site, name="glt/065", received_at=NOW))
    counted = intake.store.sources()["glt"]
    assert (counted.accepted, counted.repeated, counted.corrected, counted.rejected) == (3, 6, 0, 0)


def test_a_camera_with_a_wrong_clock_leaves_nothing_of_anybody(intake: Intake) -> None:
    body = sample("allmende.connectors.traficam", "messages-constructed.json").replace(b"2023-09-04", b"2027-09-04")
    intake.message_intake()("5g/traficam/Felsenkeller", body)
    kept = [intake.store.rejection(found.number) for found in intake.store.rejections(source="traficam")]
    assert kept
    for rejection in kept:
        assert rejection.body == b""
        assert "900001" not in rejection.reason
