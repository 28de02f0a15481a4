"""What citizens' devices send."""

import json

import pytest

from allmende.connectors.own_sensor.parse import parse, read_time
from allmende.connectors.own_sensor.vocabulary import NAME, OWN_PROPERTY, vocabulary
from allmende.connectors.properties import catalogue
from allmende.connectors.testing import (
    RECEIVED_AT,
    assert_sound,
    assert_withstands,
    manifest_settings,
    payload,
    sample,
    values,
)
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Position, Series
from allmende.domain.times import parse_instant
from allmende.domain.units import read_unit

PACKAGE = "allmende.connectors.own_sensor"
NOON = parse_instant("2025-06-15T12:00:00+02:00")


def source_of(*names: str, **more: object) -> Source:
    """A sensor as the house makes it of what was registered."""
    measures = {}
    for name in names:
        known = vocabulary().get(name)
        if known is None:
            measures[name] = {"name": "Füllstand der Tonne", "unit": "L", "low": 0, "high": 300}
        else:
            measures[name] = {
                "property": known.property, "name": known.de, "unit": known.unit, "low": known.low, "high": known.high,
            }  # fmt: skip
    settings = {**manifest_settings(PACKAGE), "measures": measures, "name": "Balkon", **more}
    return Source(id="own-7", connector="own_sensor", dataset="own-7", settings=settings)


WEATHER = source_of("temperature", "humidity", "pressure", "pm10", "pm25")
THERMOMETER = source_of("temperature")


def read(body: bytes | str | object, source: Source = WEATHER, name: str = "own/7") -> dict[str, list[object]]:
    """What is read where nothing is refused."""
    if not isinstance(body, bytes | str):
        body = json.dumps(body)
    parsed = assert_sound(parse, payload(body.encode() if isinstance(body, str) else body, name), source)
    assert parsed.rejections == [], parsed.rejections
    return {stream.removeprefix("own-7~"): results for stream, results in values(parsed).items()}


def refused(body: bytes | str | object, source: Source = WEATHER, name: str = "own/7") -> list[str]:
    """The codes of what is refused."""
    if not isinstance(body, bytes | str):
        body = json.dumps(body)
    parsed = assert_sound(parse, payload(body.encode() if isinstance(body, str) else body, name), source)
    return [rejection.code for rejection in parsed.rejections]


def moments(body: str, source: Source = THERMOMETER) -> list[int]:
    """The times of what is read."""
    parsed = assert_sound(parse, payload(body.encode(), "own/7"), source)
    assert list(parsed.rejections) == []
    return [at for record in parsed.records if isinstance(record, Series) for at in record.times]


def test_an_object_with_and_without_a_time():
    body = sample(PACKAGE, "plain-constructed.json")
    assert read(body) == {"temperature": [21.5], "humidity": [40.2]}
    assert set(moments(body.decode(), WEATHER)) == {NOON}
    assert moments('{"temperature": 21.5}') == [RECEIVED_AT]
    assert moments(f'{{"temperature": 21.5, "time": {NOON // 1_000_000}}}') == [NOON]
    assert moments(f'{{"temperature": 21.5, "timestamp": {NOON // 1000}}}') == [NOON]


def test_a_list_and_lines_and_a_number():
    both = {"temperature": [21.5, 21.75], "humidity": [40.2, 41.0]}
    assert read(sample(PACKAGE, "list-constructed.json")) == both
    assert read(sample(PACKAGE, "lines-constructed.csv")) == both
    assert read("2025-06-15T12:00:00+02:00,21.5", THERMOMETER) == {"temperature": [21.5]}
    assert read("time;value\r\n2025-06-15T12:00:00+02:00;21.5\r\n", THERMOMETER) == {"temperature": [21.5]}
    assert read("21.5", THERMOMETER) == {"temperature": [21.5]}
    assert read("996.1\n", WEATHER, "own/7/pressure") == {"pressure": [996.1]}
    assert read({"value": 996.1}, WEATHER, "own/7/pressure") == {"pressure": [996.1]}
    assert read({"result": 20, "phenomenonTime": "2025-06-15T10:00:00Z"}, THERMOMETER) == {"temperature": [20.0]}


def test_devices_that_speak_their_own_way():
    found = read(sample(PACKAGE, "community-constructed.json"))
    assert found == {"pm10": [12.53], "pm25": [4.1], "temperature": [21.5], "pressure": [996.12]}
    assert read(sample(PACKAGE, "tasmota-constructed.json")) == {
        "temperature": [21.5], "humidity": [40.2], "pressure": [996.1],
    }  # fmt: skip
    wrapped = {"StatusSNS": json.loads(sample(PACKAGE, "tasmota-constructed.json"))}
    assert read(wrapped)["humidity"] == [40.2]
    assert refused({"Time": "x", "BME280": {"Temperature": 70.7}, "TempUnit": "F"}) == ["bad-unit"]
    assert refused({"Time": "x", "BME280": {"Temperature": 21}, "DS18B20": {"Temperature": 4}}) == ["twice"]
    assert refused({"sensordatavalues": [{"value_type": "signal", "value": "-60"}]}) == ["unknown-name"]


def test_names_of_devices_and_people():
    assert read({"Temp": 1, "Luftfeuchte": 2, "PM2.5": 3}) == {"temperature": [1.0], "humidity": [2.0], "pm25": [3.0]}
    assert read({"tank_level": 120}, source_of("tank_level")) == {"tank_level": [120.0]}


def test_what_is_wrong_is_said_and_does_not_take_the_rest_along():
    body = {"temperature": 21.5, "temprature": 3, "humidity": "viel", "pressure": None}
    parsed = assert_sound(parse, payload(json.dumps(body).encode(), "own/7"), WEATHER)
    assert values(parsed) == {"own-7~temperature": [21.5]}
    assert [r.code for r in parsed.rejections] == ["unknown-name", "bad-value"]
    assert "'temprature'; it measures temperature, humidity" in parsed.rejections[0].reason


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("", ["no-values"]),
        ("{}", ["no-values"]),
        ("[]", ["no-values"]),
        ("time,temperature\n", ["no-values"]),
        ("{", ["unreadable"]),
        (b"\xff\xfe1", ["unreadable"]),
        ("hello", ["no-name"]),
        ("21.5", ["no-name"]),
        ({"value": 3}, ["no-name"]),
        ([{"temperature": 1}], ["no-time"]),
        ([5], ["unreadable"]),
        ({"temperature": 1, "time": "2025-06-15 12:00:00"}, ["bad-time"]),
        ({"temperature": 1, "time": 12}, ["bad-time"]),
        ({"temperature": 1, "time": "now", "timestamp": 3}, ["bad-time"]),
        ({"temperature": 1, "temp": 2}, ["twice"]),
        ({"temperature": 1, "measured": "2025-06-15T12:00:00Z"}, ["no-time"]),
        ({"temperature": 1, "ts": 1749981600}, ["no-time"]),
        ({"temperature": True}, ["bad-value"]),
        ({"temperature": "NaN"}, ["bad-value"]),
        ({"temperature": "21,5"}, ["bad-value"]),
        ("time,temperature\n2025-06-15T12:00:00Z,21,5\n", ["unreadable"]),
        ("time,temperature,temperature\n2025-06-15T12:00:00Z,1,2\n", ["unreadable"]),
    ],
)
def test_refusals(body, codes):
    assert refused(body) == codes


def test_no_more_readings_than_a_message_may_hold():
    few = source_of("temperature", most=3)
    rows = [{"temperature": n, "time": NOON // 1_000_000 + n} for n in range(4)]
    assert read(rows[:1], few) == {"temperature": [0.0]}
    assert refused(rows, few) == ["too-many"]
    lines = "".join(f"2025-06-15T12:00:0{n}Z,{n}\n" for n in range(4))
    assert refused(lines, few) == ["too-many"]


def test_streams_say_whose_they_are_and_what_is_plausible():
    facts = {"coarseness": "1km", "indoor": False}
    placed = source_of("temperature", "tank_level", lon=11.586, lat=50.927, facts=facts, description="Nordseite")
    body = json.dumps({"temperature": 21, "tank_level": 7}).encode()
    declared = [r for r in parse(payload(body), placed).records if isinstance(r, Declaration)]
    warm, tank = declared
    assert (warm.stream, warm.name, warm.unit.symbol) == ("own-7~temperature", "Balkon: Temperatur", "Cel")
    assert (warm.low, warm.high, warm.observed_property.id) == (-40, 60, "air-temperature")
    assert warm.observed_property.name == "Lufttemperatur", "one property has one name in all sources"
    assert warm.thing.position == Position(11.586, 50.927)
    assert warm.thing.properties == {"kind": "citizen-sensor", **facts}
    assert warm.properties == {"source": "own-7", "dataset": "own-7", "citizens": True, "verified": False}
    assert (tank.name, tank.unit.symbol, tank.high) == ("Balkon: Füllstand der Tonne", "L", 300)
    assert tank.observed_property.id == OWN_PROPERTY
    assert "Tonne" not in str(tank.observed_property), "properties are seen by all, before anybody looked at the words"


def test_the_vocabulary_is_in_order():
    names = list(vocabulary())
    assert all(NAME.match(name) for name in names)
    others = [other for said in vocabulary().values() for other in said.other]
    assert len({*names, *others}) == len(names) + len(others)
    for said in vocabulary().values():
        assert said.property in {*catalogue(), *manifest_settings(PACKAGE)["properties"]}
        assert said.unit == "dB" or read_unit(said.unit)  # a logarithm is no factor
        assert said.low is not None
        assert said.high is not None
        assert said.low < said.high


def test_times():
    assert read_time(f" {NOON // 1_000_000} ") == NOON


@pytest.mark.parametrize("name", ["plain", "list", "community", "tasmota"])
def test_damaged_documents(name):
    # A time may be left out: the reading is then one of now.
    unless = ("time left out",) if name == "plain" else ()
    assert_withstands(parse, sample(PACKAGE, f"{name}-constructed.json"), WEATHER, framing="whole", unless=unless)


def test_damaged_lines():
    assert_withstands(parse, sample(PACKAGE, "lines-constructed.csv"), WEATHER, framing="whole")
