"""Our own server as somebody else's: what the connector `sensorthings` asks of a real one, on both engines."""

from typing import Any

import httpx
import pytest

from allmende.connectors.sensorthings.fetch import fetch
from allmende.connectors.sensorthings.parse import parse
from allmende.connectors.testing import assert_sound, manifest_settings, values
from allmende.domain.connector import Source
from allmende.domain.records import Declaration
from allmende.domain.times import HOUR, MINUTE, format_instant, parse_instant
from tests.clients.conftest import Served

pytestmark = pytest.mark.xdist_group("served")
NOW = parse_instant("2024-05-02T09:00:00Z")
OM = "http://www.opengis.net/def/observationType/OGC-OM/2.0/"
DEGREES = {"name": "degree Celsius", "symbol": "Cel", "definition": "https://ucum.org/ucum"}


def observations(results: list[Any]) -> list[dict[str, Any]]:
    """One each ten minutes up to NOW."""
    first = NOW - 10 * MINUTE * len(results)
    return [
        {"phenomenonTime": format_instant(first + 10 * MINUTE * place), "result": result}
        for place, result in enumerate(results, 1)
    ]


@pytest.fixture(scope="module")
def stream(served: Served) -> str:
    """A Datastream with five observations and a MultiDatastream with two; gives the id of the first."""
    sensor = {"name": "s", "description": "s", "encodingType": "text/plain", "metadata": "none"}
    observed = {"name": "t", "definition": "https://example.org/t", "description": "temperature"}
    place = {"type": "Point", "coordinates": [11.6, 50.9]}
    location = {"name": "l", "description": "l", "encodingType": "application/geo+json", "location": place}
    told = {"name": "mirrored", "description": "to be mirrored", "Sensor": sensor}
    body = {
        "name": "mill",
        "description": "a mill",
        "Locations": [location],
        "Datastreams": [
            told
            | {
                "@iot.id": "it's~air",
                "observationType": f"{OM}OM_Measurement",
                "unitOfMeasurement": DEGREES,
                "ObservedProperty": observed,
                "Observations": observations([1.5, 2.5, 3.5, 4.5, 5.5]),
            }
        ],
        "MultiDatastreams": [
            told
            | {
                "observationType": f"{OM}OM_ComplexObservation",
                "multiObservationDataTypes": [f"{OM}OM_Measurement"] * 2,
                "unitOfMeasurements": [DEGREES, {"name": "percent", "symbol": "%", "definition": ""}],
                "ObservedProperties": [observed, observed | {"name": "h"}],
                "Observations": observations([[1.5, 60], [2.5, 61]]),
            }
        ],
    }
    answer = httpx.post(f"{served.url}/Things", json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    return "it's~air"


def mirrored(served: Served, since: int | None = None, **settings: Any) -> tuple[dict[str, list[Any]], list[Any], int]:
    """Values and records of all payloads, and how many payloads there were."""
    chosen = manifest_settings("allmende.connectors.sensorthings") | {"filter": "name eq 'mirrored'"} | settings
    source = Source(id="own", connector="sensorthings", dataset="d", settings=chosen, address=served.url)
    found: dict[str, list[Any]] = {}
    records: list[Any] = []
    payloads = list(fetch(source, now=NOW, since=since))
    for told in payloads:
        parsed = assert_sound(parse, told, source)
        assert not parsed.rejections
        records += parsed.records
        for name, results in values(parsed).items():
            found.setdefault(name, []).extend(results)
    return found, records, len(payloads)


def test_a_stream_is_mirrored_page_by_page(served: Served, stream: str) -> None:
    found, records, payloads = mirrored(served, page=2)
    assert found == {f"own-{stream}": [1.5, 2.5, 3.5, 4.5, 5.5]}
    assert payloads == 3
    declared = next(record for record in records if isinstance(record, Declaration))
    assert declared.thing.name == "mill"
    assert (declared.thing.position.lon, declared.unit.symbol) == (11.6, "Cel")  # type: ignore[union-attr]


def test_later_only_what_is_new_is_asked_for(served: Served, stream: str) -> None:
    found, records, _ = mirrored(served, since=NOW - 20 * MINUTE, overlap="PT1M")
    assert found == {f"own-{stream}": [3.5, 4.5, 5.5]}
    found, records, payloads = mirrored(served, since=NOW + HOUR, overlap="PT1M")
    assert (found, payloads, len(records)) == ({}, 1, 1)


def test_the_columns_of_a_multi_datastream_come_as_streams(served: Served, stream: str) -> None:
    found, _, _ = mirrored(served, multi=True)
    wide = {name.partition("~")[2]: results for name, results in found.items() if name.startswith("own-multi-")}
    assert wide == {"1": [1.5, 2.5], "2": [60, 61]}
