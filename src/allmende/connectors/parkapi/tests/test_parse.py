"""Pages of a ParkAPI server."""

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.fetching import FetchError
from allmende.connectors.parkapi import fetch as fetching
from allmende.connectors.parkapi.parse import parse
from allmende.connectors.testing import assert_sound, assert_withstands, manifest_settings, payload, sample, values
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Position, Series
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.parkapi"
PAGE = sample(HERE, "sites-constructed.json")


def source(**settings: object) -> Source:
    given_ = manifest_settings(HERE) | settings
    address = "https://park.example/api/public/v3/parking-sites"
    return Source(id="pa", connector="parkapi", dataset="parking", settings=given_, address=address)


SOURCE = source()


def test_sites_with_live_data_have_readings_and_others_a_description() -> None:
    parsed = assert_sound(parse, payload(PAGE), SOURCE)
    assert values(parsed) == {
        "pa-101~capacity": [118],
        "pa-101~free": [47],
        "pa-101~free-disabled": [2],
        "pa-102~free": [80],
    }
    series = {record.stream: record for record in parsed.records if isinstance(record, Series)}
    assert series["pa-101~free"].times == [parse_instant("2024-11-20T05:04:30Z")]
    assert series["pa-102~free"].flags == ["closed"]
    things = {record.thing.id: record.thing for record in parsed.records if isinstance(record, Declaration)}
    assert things["pa-103"].properties["described"]["capacity"] == 30
    assert things["pa-101"].position == Position(11.586, 50.927)
    assert {record.sensor.id for record in parsed.records if isinstance(record, Declaration)} == {"pa-parkapi"}
    assert not parsed.rejections


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b'"realtime_free_capacity": 47', b'"realtime_free_capacity": 47.5', "bad-number"),
        (b'"realtime_free_capacity_disabled": 2', b'"realtime_free_capacity_disabled": "few"', "bad-number"),
        (b'"2024-11-20T05:04:30Z"', b"1732079070", "bad-time"),
        (b'"id": 101', b'"id": null', "no-identity"),
    ],
)
def test_what_cannot_be_read_is_told(old: bytes, new: bytes, code: str) -> None:
    parsed = assert_sound(parse, payload(PAGE.replace(old, new, 1)), SOURCE)
    assert [rejection.code for rejection in parsed.rejections] == [code]


def serve(monkeypatch: pytest.MonkeyPatch, pages: dict[str, str | None]) -> list[str]:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url.copy_with(query=None)) + f"?{request.url.query.decode()}")
        document = msgspec.json.decode(PAGE) | {"next_path": pages[request.url.query.decode()]}
        return httpx.Response(200, content=msgspec.json.encode(document))

    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(fetching, "open_client", lambda source: httpx.Client(transport=transport))
    return asked


def test_pages_are_followed_within_the_host_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = serve(monkeypatch, {"": "/api/public/v3/parking-sites?start=4", "start=4": None})
    assert len(list(fetching.fetch(SOURCE, now=0, since=None))) == 2
    assert asked[1] == "https://park.example/api/public/v3/parking-sites?start=4"
    asked = serve(monkeypatch, {"": "https://elsewhere.example/?start=4"})
    with pytest.raises(FetchError, match="another host"):
        list(fetching.fetch(SOURCE, now=0, since=None))
    assert len(asked) == 1
    serve(monkeypatch, {"": "?a=1", "a=1": "?a=1"})
    with pytest.raises(FetchError, match="more than 5 pages"):
        list(fetching.fetch(source(most_pages=5), now=0, since=None))


def test_it_withstands_what_damages_a_document() -> None:
    assert assert_withstands(parse, PAGE, SOURCE) > 100


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_rejection_or_nothing(body: bytes) -> None:
    assert_sound(parse, payload(body), SOURCE)
