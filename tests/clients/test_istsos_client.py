"""istSOS4's own Python client (istsos4-client), used as its documentation shows, against the running house."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from istsos4_client import (
    Client,
    Datastream,
    FeatureOfInterest,
    HistoricalLocation,
    Location,
    Observation,
    ObservedProperty,
    Sensor,
    Thing,
    TimeInterval,
    UnitOfMeasurement,
    staplus,
)

from tests.clients.conftest import Served, require_set

pytestmark = [pytest.mark.xdist_group("served"), pytest.mark.timeout(300)]
MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with Client(served.url, max_retries=0) as made:
        yield made


def stream(**more: Any) -> Datastream:
    return Datastream(
        name="Air temperature at roof",
        description="Temperature readings",
        unit_of_measurement=UnitOfMeasurement(name="degree Celsius", symbol="°C"),
        observation_type=MEASUREMENT,
        **more,
    )


def station() -> dict[str, Any]:
    definition = "http://vocab.nerc.ac.uk/collection/P07/current/CFSN0023/"
    return {
        "thing": Thing(name="Weather station", description="Station on the roof"),
        "sensor": Sensor(name="DHT22", description="d", encoding_type="application/pdf", metadata="m"),
        "observed_property": ObservedProperty(name="Air temperature", description="of the air", definition=definition),
    }


def test_create_read_patch_delete(client: Client) -> None:
    parts = station()
    for entity in parts.values():
        assert client.post(entity).iot_id
    made = client.post(stream(**parts))
    reading = client.post(Observation(phenomenon_time=NOON, result=21.3, datastream=made))
    again = client.get(Observation, reading.iot_id, expand="Datastream")
    assert (again.result, again.phenomenon_time, again.datastream.name) == (21.3, NOON, made.name)
    assert again.datastream.phenomenon_time == TimeInterval(start=NOON, end=NOON)
    client.patch(Observation(iot_id=reading.iot_id, result=1.5, result_quality="100"))
    assert client.get(Observation, reading.iot_id).result_quality == "100"
    thing = client.get(Thing, parts["thing"].iot_id)
    thing.description = "Moved to the north side of the roof"
    client.patch(thing)
    assert client.get(Thing, thing.iot_id).description == thing.description
    client.delete(Thing, thing.iot_id)
    with pytest.raises(requests.HTTPError, match="404"):
        client.get(Observation, reading.iot_id)


def test_deep_insert_lists_and_intervals(client: Client) -> None:
    parts = station()
    place = {"type": "Point", "coordinates": [8.96, 46.02]}
    parts["thing"].locations = [Location(name="roof", description="d", location=place)]
    made = client.post(stream(**parts))
    times = [datetime(2026, 7, 1, 10, minute, tzinfo=UTC) for minute in range(30)]
    for number, time in enumerate(times):
        client.post(Observation(phenomenon_time=time, result=number, datastream=made.iot_id))
    span = TimeInterval(start=NOON, end=datetime(2026, 7, 2, tzinfo=UTC))
    client.post(Observation(phenomenon_time=span, result=20.1, datastream=made.iot_id))
    mine = f"Datastream/id eq {made.iot_id}"
    listed = client.list(Observation, filter=mine, orderby="phenomenonTime", top=7)
    assert [one.result for one in listed] == [*range(30), 20.1]
    assert listed[-1].phenomenon_time == span
    hot = client.list(Observation, filter=f"{mine} and phenomenonTime ge 2026-07-01T10:00:00Z and result gt 20")
    assert len(hot) == 10
    thing = client.list(Thing, filter=f"Datastreams/id eq {made.iot_id}", expand="Locations")[0]
    assert thing.locations[0].location == place
    history = client.list(HistoricalLocation, filter=f"Thing/id eq {thing.iot_id}", expand="Thing,Locations")
    assert [one.thing.iot_id for one in history] == [thing.iot_id]
    assert client.list(FeatureOfInterest, filter=f"Observations/Datastream/id eq {made.iot_id}")[0].feature == place
    client.delete(Thing, thing.iot_id)


def test_log_in_with_a_token_as_the_password(served: Served) -> None:
    with Client(served.url, username="anybody", password=served.secret, max_retries=0) as client:
        made = client.post(Thing(name="n", description="d"), commit_message="nightly import")
        client.delete(Thing, made.iot_id)
    unknown = Client(served.url, username="admin", password="admin", max_retries=0)
    with unknown, pytest.raises(requests.HTTPError, match="401"):
        unknown.list(Thing)


def test_bulk_observations(client: Client) -> None:
    made = client.post(stream(**station()))
    times = [datetime(2026, 7, 1, 10, minute, tzinfo=UTC) for minute in range(30)]
    readings = [Observation(phenomenon_time=t, result=n, datastream=made) for n, t in enumerate(times)]
    assert client.bulk_observations(readings) == 30
    assert len(client.list(Observation, filter=f"Datastream/id eq {made.iot_id}")) == 30


def test_staplus(served: Served) -> None:
    require_set(served, "Parties")
    with Client(served.url, staplus=True, max_retries=0) as client:
        party = client.post(staplus.Party(role="individual", display_name="Jo"))
        parts = station()
        unit = UnitOfMeasurement(name="degree Celsius", symbol="Cel")
        made = client.post(
            staplus.Datastream(
                name="n", description="d", unit_of_measurement=unit, observation_type=MEASUREMENT, party=party, **parts
            )
        )
        assert client.get(staplus.Datastream, made.iot_id, expand="Party").party.display_name == "Jo"
        client.delete(
            Thing, made.thing.iot_id or client.list(Thing, filter=f"Datastreams/id eq {made.iot_id}")[0].iot_id
        )
