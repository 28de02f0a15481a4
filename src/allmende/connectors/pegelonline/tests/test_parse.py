"""Stations and series of PEGELONLINE, and what is asked of the service."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.pegelonline import fetch as fetching
from allmende.connectors.pegelonline.parse import parse
from allmende.connectors.testing import assert_sound, assert_withstands, manifest_settings, payload, sample, values
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Position
from allmende.domain.times import DAY, parse_instant

HERE = "allmende.connectors.pegelonline"
STATIONS, SERIES = sample(HERE, "stations-constructed.json"), sample(HERE, "series-constructed.json")
BASE = "https://pegel.example/rest-api/v2"
SOURCE = Source(
    id="pegel",
    connector="pegelonline",
    dataset="water",
    settings=manifest_settings(HERE),
    address=f"{BASE}/stations.json?waters=SAALE&includeTimeseries=true&includeCurrentMeasurement=true",
)
NOW = parse_instant("2024-11-20T05:00:00Z")


def test_the_current_values_of_known_series_are_taken() -> None:
    parsed = assert_sound(parse, payload(STATIONS), SOURCE)
    assert values(parsed) == {"pegel-570999~water-level": [187.0], "pegel-570999~water-discharge": [58.4]}
    assert not parsed.rejections
    level = next(r for r in parsed.records if isinstance(r, Declaration) and r.stream.endswith("~water-level"))
    assert (level.unit.symbol, level.thing.position) == ("cm", Position(11.79, 51.16))
    assert level.properties["gauge_zero"]["value"] == 98.76


def test_a_series_tells_all_of_its_measurements_and_an_outage_is_none() -> None:
    parsed = assert_sound(parse, payload(SERIES), SOURCE)
    assert values(parsed) == {"pegel-570999~water-level": [185.0, 186.5, 187.0]}
    assert not parsed.rejections


def test_a_level_in_an_unknown_unit_is_not_taken() -> None:
    body = STATIONS.replace(b'"unit": "cm"', b'"unit": "inch"')
    parsed = assert_sound(parse, payload(body), SOURCE)
    assert values(parsed) == {"pegel-570999~water-discharge": [58.4]}
    assert [rejection.code for rejection in parsed.rejections] == ["unknown-unit"]


def serve(monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any]) -> list[str]:
    """Answers GETs from a table of addresses; gives the list of what was asked."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        found = next((body for part, body in answers.items() if part in str(request.url)), None)
        return httpx.Response(404) if found is None else httpx.Response(200, content=found)

    client = httpx.Client(transport=httpx.MockTransport(answer))
    monkeypatch.setattr(fetching, "open_client", lambda source: client)
    return asked


def test_fetch_catches_up_from_the_newest_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = json.dumps(json.loads(SERIES)["measurements"]).encode()
    asked = serve(monkeypatch, {"stations.json": STATIONS, "/W/": measured, "/Q/": b"[]"})
    payloads = list(fetching.fetch(SOURCE, now=NOW, since=NOW - DAY))
    assert [address.removeprefix(BASE).split("?")[0] for address in asked] == [
        "/stations.json",
        "/stations/00000000-0000-4000-8000-000000000001/W/measurements.json",
        "/stations/00000000-0000-4000-8000-000000000001/Q/measurements.json",
    ]
    assert "start=2024-11-18T23" in asked[1], "six hours before: other gauges may be late"
    assert values(assert_sound(parse, payloads[1], SOURCE)) == {"pegel-570999~water-level": [185.0, 186.5, 187.0]}


def test_fetch_asks_for_no_more_than_the_service_has(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = serve(monkeypatch, {"stations.json": STATIONS, "/W/": b"[]", "/Q/": b"[]"})
    list(fetching.fetch(SOURCE, now=NOW, since=NOW - 100 * DAY))
    assert "start=2024-10-21T05" in asked[1]
    serve(monkeypatch, {"stations.json": b"<html>"})
    [told] = fetching.fetch(SOURCE, now=NOW, since=None)
    assert [rejection.code for rejection in parse(told, SOURCE).rejections] == ["unreadable"]


@pytest.mark.parametrize("body", [STATIONS, SERIES])
def test_it_withstands_what_damages_a_document(body: bytes) -> None:
    assert assert_withstands(parse, body, SOURCE) > 100


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_rejection_or_nothing(body: bytes) -> None:
    assert_sound(parse, payload(body), SOURCE)
