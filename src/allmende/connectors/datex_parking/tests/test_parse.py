"""Car parks in DATEX II: two generations of the standard, table and status apart or together."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.datex_parking import fetch as fetching
from allmende.connectors.datex_parking.parse import parse
from allmende.connectors.testing import (
    assert_sound,
    assert_withstands,
    captured,
    manifest_settings,
    payload,
    readings,
    sample,
    values,
)
from allmende.domain.connector import Source, ThingFacts
from allmende.domain.records import Declaration, Position, Series
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.datex_parking"
BOTH = sample(HERE, "v3-constructed.xml")
MARKET = ThingFacts(id="parking-markt", name="Markt", kind="car-park", lon=11.5, lat=50.9)


def source(**settings: object) -> Source:
    return Source(
        id="ac",
        connector="datex_parking",
        dataset="parking",
        settings=manifest_settings(HERE) | settings,
        things={MARKET.id: MARKET},
        address="https://datex.example/status.xml",
    )


SOURCE = source()


def things(parsed: object) -> dict[str, Declaration]:
    return {record.thing.id: record for record in parsed.records if isinstance(record, Declaration)}  # type: ignore[attr-defined]


def test_version_3_with_table_and_status_in_one_container() -> None:
    parsed = assert_sound(parse, payload(BOTH), SOURCE)
    assert values(parsed) == {"ac-P1~capacity": [118], "ac-P1~free": [47], "ac-P1~occupied": [71], "ac-P2~free": [92]}
    series = {record.stream: record for record in parsed.records if isinstance(record, Series)}
    assert series["ac-P1~free"].times == [parse_instant("2024-11-20T05:04:30Z")]
    # without a time of its own a car park has that of the publication with the status, not the table's
    assert series["ac-P2~free"].times == [parse_instant("2024-11-20T05:05:00.12Z")]
    assert (series["ac-P1~free"].flags, series["ac-P2~free"].flags) == (None, ["closed"])
    found = things(parsed)
    assert (found["ac-P1"].thing.name, found["ac-P1"].thing.position) == ("Am Markt", Position(11.586, 50.927))
    assert found["ac-P3"].thing.name == "Ohne Zählung"
    assert not parsed.rejections


def test_a_car_park_that_the_city_knows_keeps_its_id() -> None:
    parsed = assert_sound(parse, payload(BOTH), source(places={"P1": MARKET.id}))
    assert values(parsed)["parking-markt~free"] == [47]
    found = things(parsed)["parking-markt"].thing
    assert (found.name, found.position) == ("Markt", Position(11.5, 50.9))
    assert found.properties["described"] == {"name": "Am Markt", "capacity": 120}


def test_version_2_of_aachen_is_read_whole() -> None:
    status = captured("parking/feeds/aachen-realtime.xml")
    parsed = assert_sound(parse, payload(status), SOURCE)
    assert not parsed.rejections
    assert readings(parsed) == 3 * status.count(b"<ns2:parkingRecordStatus ")
    assert values(parsed)["ac-P1~free"] == [412]


def test_aachens_table_gives_names_and_places_to_its_status() -> None:
    table, status = captured("parking/feeds/aachen-static.xml"), captured("parking/feeds/aachen-realtime.xml")
    alone = assert_sound(parse, payload(table), SOURCE)
    assert readings(alone) == 0
    assert things(alone)["ac-P1"].thing.name == "P01-Eurogress"
    together = assert_sound(parse, payload(fetching._together(table, status)), SOURCE)
    assert values(together) == values(parse(payload(status), SOURCE))
    assert things(together)["ac-P1"].thing.position == Position(6.0927987, 50.780552)


def test_fetch_asks_for_the_table_too(monkeypatch: pytest.MonkeyPatch) -> None:
    half = BOTH.index(b'  <con:payload xsi:type="prk:ParkingStatusPublication"')
    head, end = BOTH[: BOTH.index(b"  <con:payload")], b"</con:messageContainer>"
    answers = {"/table.xml": BOTH[:half] + end, "/status.xml": head + BOTH[half:]}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=answers[request.url.path]))
    monkeypatch.setattr(fetching, "open_client", lambda source: httpx.Client(transport=transport))
    asked = source(table_address="https://datex.example/table.xml")
    [told] = fetching.fetch(asked, now=0, since=None)
    assert values(assert_sound(parse, told, asked)) == values(parse(payload(BOTH), SOURCE))
    answers["/table.xml"] = b"no table today"
    [told] = fetching.fetch(asked, now=0, since=None)
    assert values(parse(told, asked)) == values(parse(payload(BOTH), SOURCE))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b">47<", b">-47<", "bad-number"),
        (b"2024-11-20T06:04:30+01:00", b"2024-11-20T06:04:30", "bad-time"),
        (b'parkingRecordReference id="P1"', b'parkingRecordReference name="P1"', "no-identity"),
        (b"<prk:parkingNumberOfVacantSpaces>92</prk:parkingNumberOfVacantSpaces>", b"", "no-values"),
    ],
)
def test_what_cannot_be_read_is_told(old: bytes, new: bytes, code: str) -> None:
    parsed = assert_sound(parse, payload(BOTH.replace(old, new, 1)), SOURCE)
    assert [rejection.code for rejection in parsed.rejections] == [code]


def test_it_withstands_what_damages_a_document() -> None:
    # a car park that says no time of its own has the publication's, by the standard
    assert assert_withstands(parse, BOTH, SOURCE, unless=["<parkingStatusOriginTime>"]) > 100


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_rejection_or_nothing(body: bytes) -> None:
    assert_sound(parse, payload(body), SOURCE)
