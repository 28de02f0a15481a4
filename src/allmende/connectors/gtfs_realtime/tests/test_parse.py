"""Feeds by line and stop, without anything that names a vehicle."""

import pytest
from google.transit import gtfs_realtime_pb2 as gtfs
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.gtfs_realtime.parse import parse
from allmende.connectors.testing import (
    assert_sound,
    assert_withstands,
    captured,
    manifest_settings,
    payload,
    sample,
    values,
)
from allmende.domain.connector import Source
from allmende.domain.ingest import IngestLimits, ingest
from allmende.domain.records import Declaration, Position, Series
from allmende.domain.times import HOUR, SECOND

HERE = "allmende.connectors.gtfs_realtime"
FEED = sample(HERE, "feed-constructed.pb")
LIMITS = IngestLimits()
MADE = 1_714_636_800 * SECOND
ROUTES = b'route_id,route_short_name,route_long_name\n3,"Linie 3",""\n'
TRIPS = b"route_id,service_id,trip_id\n3,1,t-5\n"


def source(tables: dict[str, bytes] | None = None, **settings: object) -> Source:
    return Source(
        id="bus",
        connector="gtfs_realtime",
        dataset="transit",
        settings=manifest_settings(HERE) | settings,
        tables=tables or {},
        of_people=True,
    )


SOURCE = source()


def changed(**header: object) -> bytes:
    message = gtfs.FeedMessage.FromString(FEED)
    for name, value in header.items():
        setattr(message.header, name, value)
    return message.SerializeToString()


def test_a_line_has_its_trips_delay_vehicles_and_alerts() -> None:
    parsed = assert_sound(parse, payload(FEED), SOURCE)
    found = values(parsed)
    assert found["bus-line-3~running-trips"] == [2]
    assert found["bus-line-3~cancelled-trips"] == [1]
    # the one trip is 90 s late at its next stop, the other on time
    assert found["bus-line-3~departure-delay"] == [45.0]
    assert found["bus-line-5~departure-delay"] == [-30.0]
    assert found["bus-line-3~vehicles-in-service"] == [2]
    assert found["bus-line-3~service-alerts"] == [1]
    [alert] = found["bus-line-3~service-alert"]
    assert alert == [
        {"header": "Umleitung in der Innenstadt", "description": "", "cause": "construction", "effect": "detour"}
    ]
    times = {record.stream: record.times for record in parsed.records if isinstance(record, Series)}
    assert times["bus-line-3~running-trips"] == [MADE]
    assert times["bus-line-3~service-alert"] == [MADE - HOUR]
    assert [rejection.code for rejection in parsed.rejections] == ["no-line"]


def test_nothing_names_a_vehicle_or_a_trip() -> None:
    parsed = parse(payload(FEED), SOURCE)
    said = repr(parsed)
    for word in ("4711", "J-XX", "bus-0", "bus-1"):
        assert word not in said
    assert "vehicle-positions" not in said
    for rejection in parsed.rejections:
        kept = gtfs.FeedMessage.FromString(rejection.body)
        assert not any(entity.vehicle.HasField("position") for entity in kept.entity)
    batch = ingest(parse(payload(b"4711"), SOURCE), payload=payload(b"4711"), source=SOURCE, version="", limits=LIMITS)
    assert [rejection.body for rejection in batch.rejections] == [b""]


def test_places_of_vehicles_come_on_request_and_rounded() -> None:
    for digits, place in (
        (3, [11.589, 50.927]),
        (5, [11.5892, 50.9271]),
        (9, [11.589, 50.927]),
        ("x", [11.589, 50.927]),
    ):
        parsed = assert_sound(parse, payload(FEED), source(positions=True, digits=digits))
        assert values(parsed)["bus-line-3~vehicle-positions"] == [
            {"type": "MultiPoint", "coordinates": [[11.57, 50.91], place]}
        ]
    declared = {record.stream: record for record in parsed.records if isinstance(record, Declaration)}
    assert declared["bus-line-3~vehicle-positions"].properties["retention"] == "volatile"
    assert "retention" not in declared["bus-line-3~departure-delay"].properties


def test_an_alert_of_next_week_waits() -> None:
    message = gtfs.FeedMessage.FromString(FEED)
    (alert,) = [entity.alert for entity in message.entity if entity.HasField("alert")]
    for hours, told in ((22, True), (24 * 7, False)):
        alert.active_period[0].start = MADE // SECOND + hours * 3600
        alert.active_period[0].end = MADE // SECOND + 9000 * 3600
        found = values(parse(payload(message.SerializeToString()), SOURCE))
        assert ("bus-line-3~service-alert" in found) == told
        assert found["bus-line-3~service-alerts"] == [0]


def test_stops_that_are_watched_and_lines_by_their_stops() -> None:
    parsed = assert_sound(parse, payload(FEED), source(stops=["4003"]))
    # departures of the next half hour: 0 s, -30 s
    assert values(parsed)["bus-stop-4003~departure-delay"] == [-15.0]
    near = values(parse(payload(FEED), source(stop_prefixes=["4004"])))
    assert "bus-line-3~running-trips" in near
    assert "bus-line-5~running-trips" not in near
    assert set(values(parse(payload(FEED), source(lines=["5"])))) == {
        f"bus-line-5~{name}"
        for name in (
            "running-trips",
            "cancelled-trips",
            "departure-delay",
            "vehicles-in-service",
            "service-alerts",
        )
    }


def test_the_timetable_gives_names_and_the_line_of_a_trip() -> None:
    stops = captured("mobility/delfi_gtfs_weimar/stops.txt")
    message = gtfs.FeedMessage.FromString(FEED)
    id_ = "de:16053:153135::15313500"
    message.entity[1].trip_update.stop_time_update[0].stop_id = id_
    known = source({"routes.txt": ROUTES, "trips.txt": TRIPS, "stops.txt": stops}, stops=[id_])
    parsed = assert_sound(parse, payload(message.SerializeToString()), known)
    assert not parsed.rejections
    assert values(parsed)["bus-line-3~running-trips"] == [3]
    things = {record.thing.id: record.thing for record in parsed.records if isinstance(record, Declaration)}
    assert things["bus-line-3"].name == "Linie 3"
    stop = things[f"bus-stop-{id_}"]
    assert (stop.name, stop.position) == ("Jena, Löbstedter Straße", Position(11.599214, 50.940792))


def test_what_stands_twice_counts_once() -> None:
    message = gtfs.FeedMessage.FromString(FEED)
    message.MergeFrom(gtfs.FeedMessage.FromString(FEED))
    assert values(parse(payload(message.SerializeToString()), SOURCE)) == values(parse(payload(FEED), SOURCE))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (changed(timestamp=0), "no-time"),
        (changed(timestamp=2**60), "no-time"),
        (changed(incrementality=gtfs.FeedHeader.DIFFERENTIAL), "differential"),
        (b"", "unreadable"),
        (b"<html></html>", "unreadable"),
    ],
)
def test_what_is_no_state_is_refused(body: bytes, code: str) -> None:
    assert [rejection.code for rejection in assert_sound(parse, payload(body), SOURCE).rejections] == [code]


def test_it_withstands_what_damages_a_file() -> None:
    # a byte of a text may be another one: the feed has no checksum
    assert assert_withstands(parse, FEED, SOURCE, unless=["invalid UTF-8"]) > 5


@given(st.integers(0, 2000), st.integers(0, 40), st.binary(max_size=8))
def test_a_damaged_feed_is_never_an_error(at: int, length: int, put: bytes) -> None:
    at %= len(FEED)
    assert_sound(parse, payload(FEED[:at] + put + FEED[at + length :]), SOURCE)
