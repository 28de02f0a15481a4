"""A stream of another server under our prefix. What is asked of a real one, tests/clients/test_mirror.py tells."""

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.fetching import FetchError
from allmende.connectors.sensorthings import fetch as fetching
from allmende.connectors.sensorthings.parse import parse
from allmende.connectors.testing import assert_sound, assert_withstands, manifest_settings, payload, sample, values
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Position, Series
from allmende.domain.times import DAY, parse_instant

HERE = "allmende.connectors.sensorthings"
STREAM = sample(HERE, "stream-constructed.json")
NOW = parse_instant("2024-05-02T09:00:00Z")


def source(**settings: object) -> Source:
    return Source(
        id="county",
        connector="sensorthings",
        dataset="county",
        settings=manifest_settings(HERE) | settings,
        address="https://frost.example/v1.1",
    )


SOURCE = source()


def test_a_stream_keeps_all_that_is_said_of_it_under_a_prefix() -> None:
    parsed = assert_sound(parse, payload(STREAM), SOURCE)
    assert values(parsed) == {"county-7": [12.5, 12.75, 99.5]}
    [declared] = [record for record in parsed.records if isinstance(record, Declaration)]
    assert (declared.thing.id, declared.thing.name, declared.thing.position) == (
        "county-3",
        "The mill",
        Position(11.62, 50.95),
    )
    assert (declared.unit.symbol, declared.observation_type) == ("Cel", "measurement")
    assert declared.observed_property.id == "county-2"
    assert declared.properties["mirror_of"] == "https://frost.example/v1.1/Datastreams(7)"
    [series] = [record for record in parsed.records if isinstance(record, Series)]
    assert series.flags == ["", "", "above-maximum"]
    assert series.times[1] == parse_instant("2024-05-02T08:10:00Z")


def test_forecasts_keep_their_run_and_need_one() -> None:
    parsed = assert_sound(parse, payload(STREAM), source(forecasts=True))
    [series] = [record for record in parsed.records if isinstance(record, Series)]
    assert (series.run, series.results) == (parse_instant("2024-05-02T08:00:05Z"), [12.5])
    assert [rejection.code for rejection in parsed.rejections] == ["bad-time", "bad-time"]


def test_a_multi_datastream_is_a_stream_for_each_property() -> None:
    stream = json.loads(STREAM)["datastream"]
    one = stream.pop("ObservedProperty")
    stream["ObservedProperties"] = [one, one | {"@iot.id": 9, "name": "Humidity"}]
    stream["unitOfMeasurements"] = [
        stream.pop("unitOfMeasurement"),
        {"name": "percent", "symbol": "%", "definition": ""},
    ]
    moments = [
        ("2024-05-02T08:00:00Z", [12.5, 60]),
        ("2024-05-02T08:10:00Z", [12.6, None]),
        ("2024-05-02T08:20:00Z", [1]),
    ]
    observations = [{"phenomenonTime": moment, "result": result} for moment, result in moments]
    body = json.dumps({"multi": stream, "observations": observations}).encode()
    parsed = assert_sound(parse, payload(body), SOURCE)
    assert values(parsed) == {"county-multi-7~1": [12.5, 12.6], "county-multi-7~2": [60]}
    assert [rejection.code for rejection in parsed.rejections] == ["uneven"]


def serve(monkeypatch: pytest.MonkeyPatch, link: str | None) -> list[httpx.URL]:
    asked: list[httpx.URL] = []
    stream, observations = json.loads(STREAM)["datastream"], json.loads(STREAM)["observations"]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        if "Observations" not in request.url.path:
            return httpx.Response(200, json={"value": [stream, stream | {"@iot.id": "it's"}]})
        more = {"@iot.nextLink": link} if link and "$skip" not in str(request.url) else {}
        return httpx.Response(200, json={"value": observations, **more})

    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(fetching, "open_client", lambda source: httpx.Client(transport=transport))
    return asked


def test_fetch_asks_for_what_is_new_and_quotes_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = serve(monkeypatch, None)
    payloads = list(fetching.fetch(SOURCE, now=NOW, since=NOW))
    assert [url.path for url in asked] == [
        "/v1.1/Datastreams",
        "/v1.1/Datastreams(7)/Observations",
        "/v1.1/Datastreams('it''s')/Observations",
    ]
    assert asked[1].params["$filter"] == "phenomenonTime gt 2024-05-01T09:00:00.000Z"
    assert values(assert_sound(parse, payloads[1], SOURCE)) == {"county-it's": [12.5, 12.75, 99.5]}
    asked.clear()
    list(fetching.fetch(source(filter="name eq 'a'"), now=NOW, since=NOW - 90 * DAY))
    assert asked[0].params["$filter"] == "name eq 'a'"
    assert asked[1].params["$filter"] == "phenomenonTime gt 2024-04-25T09:00:00.000Z"


def test_links_are_followed_within_the_host_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, "/v1.1/Datastreams(7)/Observations?$skip=3")
    assert len(list(fetching.fetch(SOURCE, now=NOW, since=None))) == 4
    asked = serve(monkeypatch, "https://elsewhere.example/v1.1/Observations?$skip=3")
    with pytest.raises(FetchError, match="another host"):
        list(fetching.fetch(SOURCE, now=NOW, since=None))
    assert all(url.host == "frost.example" for url in asked)


def test_it_withstands_what_damages_a_document() -> None:
    # an id is a name, and a result may be any JSON: another one is another stream, or another reading
    assert assert_withstands(parse, STREAM, SOURCE, unless=["@iot.id", "/result: ", "resultQuality"]) > 100


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_rejection_or_nothing(body: bytes) -> None:
    assert_sound(parse, payload(body), SOURCE)
