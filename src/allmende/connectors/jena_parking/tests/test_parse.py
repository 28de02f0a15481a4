"""The three documents of Jena's car parks."""

import time
from collections import Counter
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.jena_parking.parse import parse
from allmende.connectors.jena_parking.places import normalise
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
from allmende.domain.framing import frames
from allmende.domain.records import Declaration, Series
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.jena_parking"
CAPACITIES = {
    "City Carree": (40, 155),
    "Eichplatz": (290,),
    "Goethe-Galerie": (740,),
    "Häckelplatz": (32,),
    "Holzmarkt": (250,),
    "Krautgasse": (381,),
    "Neue Mitte": (172,),
    "Seidelparkplatz": (161,),
    "Steinkreuz": (100,),
    "Windberg": (75,),
}


def thing(name: str, capacities: tuple[int, ...]) -> ThingFacts:
    slug = name.lower().replace("ä", "ae").replace(" ", "-")
    stated = [{"value": value, "source": "a test"} for value in capacities]
    return ThingFacts(
        id=f"parking-{slug}", name=name, kind="car-park", lon=11.58, lat=50.92, facts={"capacity": stated}
    )


THINGS = {found.id: found for found in (thing(*item) for item in CAPACITIES.items())}
SOURCE = Source(
    id="jena-parking",
    connector="jena_parking",
    dataset="parking",
    settings=manifest_settings(HERE)
    | {"places": {f"mobilitaet-jena-{facts.name}": facts.id for facts in THINGS.values()}},
    things=THINGS,
)


def flags(records: object) -> dict[str, list[str] | None]:
    return {record.stream: record.flags for record in records if isinstance(record, Series)}  # type: ignore[attr-defined]


def test_names_are_compared_without_what_feeds_write_differently() -> None:
    assert normalise("Häckelplatz") == normalise("HAECKELPLATZ") == normalise("Ha\u0308ckel-Platz ")
    assert normalise("Goethe Galerie") == normalise("Goethe-Galerie")
    assert normalise("City-Carré") == normalise("city carre")
    assert normalise("Straße") == normalise("Strasse")


def test_a_name_that_two_things_share_is_nobodys() -> None:
    twins = {id_: ThingFacts(id=id_, name="Markt", kind="car-park") for id_ in ("one", "two")}
    source = Source(id="s", connector="jena_parking", dataset="d", things=twins)
    body = b"timestamp,place_id,free\n2024-01-01T00:00:00Z,Markt,1\n2024-01-01T00:00:00Z,two,2\n"
    parsed = assert_sound(parse, payload(body), source)
    assert values(parsed) == {"two~free": [2]}
    assert [rejection.code for rejection in parsed.rejections] == ["unknown-place"]


def test_the_recording_gives_series_and_says_line_by_line_what_is_wrong() -> None:
    parsed = assert_sound(parse, payload(sample(HERE, "changes-constructed.csv")), SOURCE)
    assert values(parsed) == {"parking-city-carree~free": [24, 21], "parking-haeckelplatz~free": [0]}
    assert [(rejection.where, rejection.code) for rejection in parsed.rejections] == [
        ("line 4", "unknown-place"),
        ("line 5", "bad-number"),
        ("line 6", "bad-time"),
        ("line 7", "wrong-columns"),
    ]
    assert parsed.rejections[1].body.splitlines()[1].endswith(b",-1")
    [declared] = [record for record in parsed.records if isinstance(record, Declaration) and record.high == 155]
    assert declared.thing.properties["capacity"][0]["value"] == 40
    assert declared.properties["reading"] == "step"
    assert declared.properties["silence"]["rewrite"] == "P1DT5M"
    assert (declared.unit.symbol, declared.low, declared.observed_property.id) == ("{space}", 0, "free-parking-spaces")


def test_a_block_of_a_larger_file_counts_on() -> None:
    body = b"timestamp,place_id,free\nx\n"
    assert parse(payload(body, line=4002), SOURCE).rejections[0].where == "line 4002"


def test_columns_are_found_by_name() -> None:
    body = "\ufefffree,note, Place_ID ,timestamp\r\n3,a,Holzmarkt,2024-01-01T01:00:00+01:00\r\n\r\n\r".encode()
    parsed = assert_sound(parse, payload(body), SOURCE)
    assert values(parsed) == {"parking-holzmarkt~free": [3]}
    assert parsed.records[1].times == [parse_instant("2024-01-01T00:00:00Z")]  # type: ignore[union-attr]
    assert not parsed.rejections


@pytest.mark.parametrize("number", [b"", b" 1", b"1_0", b"+1", b"1.5", b"nan", "٣".encode(), b"1" * 40])
def test_only_whole_numbers_count(number: bytes) -> None:
    body = b"timestamp,place_id,free\n2024-01-01T00:00:00Z,Holzmarkt," + number + b"\n"
    parsed = assert_sound(parse, payload(body), SOURCE)
    assert [rejection.code for rejection in parsed.rejections] == ["bad-number"]


def test_a_header_without_the_columns_refuses_the_block_as_one() -> None:
    parsed = assert_sound(parse, payload(b"time,lot,free\n1,2,3\n4,5,6\n"), SOURCE)
    assert [rejection.code for rejection in parsed.rejections] == ["bad-header"]


def test_the_live_feed_flags_what_cannot_be_and_keeps_it() -> None:
    parsed = assert_sound(parse, payload(sample(HERE, "status-constructed.xml")), SOURCE)
    found, why = values(parsed), flags(parsed.records)
    assert found["parking-holzmarkt~free"] == [52]
    assert found["parking-holzmarkt~occupied"] == [98]
    assert found["parking-holzmarkt~capacity"] == [150]
    assert why["parking-holzmarkt~free"] == [""]
    assert (found["parking-goethe-galerie~free"], why["parking-goethe-galerie~free"]) == ([523], ["closed"])
    assert why["parking-goethe-galerie~capacity"] == ["closed"]
    assert (found["parking-neue-mitte~free"], why["parking-neue-mitte~free"]) == ([190], ["above-capacity"])
    assert (found["parking-krautgasse~free"], why["parking-krautgasse~free"]) == ([7], ["full-with-free"])
    assert found["parking-windberg~capacity"] == [75]
    # what was counted before it does not hold any longer
    assert (found["parking-windberg~free"], why["parking-windberg~free"]) == ([None], ["negative"])
    assert Counter(rejection.code for rejection in parsed.rejections) == {"bad-number": 1, "unknown-place": 1}


def test_the_feeds_times_are_its_own() -> None:
    parsed = parse(payload(sample(HERE, "status-constructed.xml")), SOURCE)
    times = {record.stream: record.times for record in parsed.records if isinstance(record, Series)}
    assert times["parking-holzmarkt~free"] == [parse_instant("2024-05-02T10:04:58.123Z")]
    # without a time of its own, a car park has that of the publication
    assert times["parking-haeckelplatz~free"] == [parse_instant("2024-05-02T10:05:03.250Z")]


def test_a_rejected_car_park_can_be_replayed_once_its_name_is_known() -> None:
    [unknown] = [
        rejection
        for rejection in parse(payload(sample(HERE, "status-constructed.xml")), SOURCE).rejections
        if rejection.code == "unknown-place"
    ]
    source = Source(
        id="s",
        connector="jena_parking",
        dataset="d",
        things=THINGS,
        settings={"places": {"am anger": "parking-windberg"}},
    )
    parsed = assert_sound(parse, payload(unknown.body), source)
    assert values(parsed) == {"parking-windberg~free": [5]}
    assert parsed.records[1].times == [parse_instant("2024-05-02T10:05:03.250Z")]  # type: ignore[union-attr]


def test_namespaces_and_envelopes_do_not_matter() -> None:
    plain = sample(HERE, "status-constructed.xml")
    bare = plain.replace(b' xmlns="http://datex2.eu/schema/2/2_0"', b"")
    inner = plain.split(b"-->", 1)[1]
    soap = (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>' + inner + b"</s:Body></s:Envelope>"
    )
    prefixed = (
        inner.replace(b"</", b"</d:").replace(b"<", b"<d:").replace(b"<d:/d:", b"</d:").replace(b"xmlns=", b"xmlns:d=")
    )
    wanted = values(parse(payload(plain), SOURCE))
    assert wanted
    for other in (bare, soap, prefixed):
        assert values(assert_sound(parse, payload(other), SOURCE)) == wanted


def test_entities_are_not_resolved() -> None:
    secret = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'
    bomb = b'<!DOCTYPE a [<!ENTITY x "yyyyyyyyyy"><!ENTITY z "&x;&x;&x;&x;">]><a>&z;</a>'
    for body in (secret, bomb):
        assert [rejection.code for rejection in assert_sound(parse, payload(body), SOURCE).rejections] == ["doctype"]


def test_the_description_is_kept_apart_and_gives_no_readings() -> None:
    parsed = assert_sound(parse, payload(sample(HERE, "parking-constructed.json"), name="parking.json"), SOURCE)
    assert readings(parsed) == 0
    [declared] = parsed.records
    assert isinstance(declared, Declaration)
    described = declared.thing.properties["described"]
    assert described["capacity"] == {"value": 145, "source": "parking.json"}
    assert described["openings"]["value"]["openingTimes"][1]["dateFrom"] == 7
    assert declared.thing.properties["capacity"] == [{"value": 250, "source": "a test"}]
    assert declared.thing.position is not None
    assert declared.thing.position.lat == 50.92  # the profile's, not the description's
    assert [rejection.code for rejection in parsed.rejections] == ["unknown-place", "no-reference"]


SAMPLES = [
    sample(HERE, name) for name in ("changes-constructed.csv", "status-constructed.xml", "parking-constructed.json")
]


@pytest.mark.parametrize("body", SAMPLES, ids=["csv", "xml", "json"])
def test_damaged_documents_end_in_rejections_or_in_the_same_values(body: bytes) -> None:
    # a car park without a time of its own has that of the publication
    lacking = ("<parkingFacilityStatusTime>",)
    assert assert_withstands(parse, body, SOURCE, framing="lines", unless=lacking) > 100


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_rejection_or_nothing(body: bytes) -> None:
    assert_sound(parse, payload(body), SOURCE)


@given(st.sampled_from(SAMPLES), st.integers(0, 4000), st.integers(0, 40), st.binary(max_size=8))
def test_damaged_samples_are_never_an_error(body: bytes, at: int, length: int, put: bytes) -> None:
    at %= len(body)
    assert_sound(parse, payload(body[:at] + put + body[at + length :]), SOURCE)


_cell = st.sampled_from(["2024-01-01T00:00:00Z", "2024-01-01T00:05:00Z", "Holzmarkt", "Nirgends", "7", "-7", ""])


@given(st.lists(st.lists(_cell, min_size=2, max_size=4).map(",".join), max_size=30))
def test_every_row_is_a_reading_or_a_rejection(rows: list[str]) -> None:
    parsed = assert_sound(parse, payload("\n".join(["timestamp,place_id,free", *rows]).encode()), SOURCE)
    assert readings(parsed) + len(parsed.rejections) == len(rows)


def test_the_whole_recording_is_accounted_for_and_fast() -> None:
    stream = BytesIO(captured("parking/jena_free_2023-11-07_2024-04-30.csv.gz"))
    counts: Counter[str] = Counter()
    above: Counter[str] = Counter()
    spent = 0.0
    for block in frames(stream, framing="lines", name="recording", received_at=0):
        began = time.process_time()
        parsed = parse(block, SOURCE)
        spent += time.process_time() - began
        counts["rejections"] += len(parsed.rejections)
        high = {record.stream: record.high for record in parsed.records if isinstance(record, Declaration)}
        for record in parsed.records:
            if isinstance(record, Series):
                counts[record.stream] += len(record.times)
                above[record.stream] += sum(value > high[record.stream] for value in record.results)  # type: ignore
    assert counts.pop("rejections") == 0
    assert len(counts) == 10
    assert counts.total() == 176_535
    assert counts["parking-neue-mitte~free"] == 25_617
    # the recording shows more free than the profile's capacity says: kept, and flagged by ingest
    assert above["parking-neue-mitte~free"] > 0
    assert above["parking-city-carree~free"] == 0
    assert spent / 176_535 < 4e-6, f"{spent / 176_535 * 1e6:.2f} µs a row"
