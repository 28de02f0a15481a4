"""req/request-data/filter and the functions built in: by example, on every engine."""

import pytest

from allmende.domain.errors import InvalidQuery
from allmende.domain.query import Compare, Logic, Not, Value
from allmende.faces.sensorthings.expressions import parse_filter
from allmende.storage.postgres import PostgresStore
from tests.cluster import cluster
from tests.conformance.sensorthings.house import House


def found(town: House, path: str, text: str) -> list[object]:
    return [e["@iot.id"] for e in town.get(path, filter=text, top="1000")["value"]]


@pytest.mark.parametrize(
    ("text", "garages"),
    [
        ("name eq 'Garage 0'", [0]),
        ("name ne 'Garage 0'", [1, 2]),
        ("'Garage 1' eq name", [1]),
        ("'Garage 1' le name", [1, 2]),
        ("id eq 'garage2'", [2]),
        ("@iot.id eq 'garage2'", [2]),
        ("id in ('garage0', 'garage2', 'nobody')", [0, 2]),
        ("id in ()", []),
        ("not (id eq 'garage0')", [1, 2]),
        ("not id eq 'garage0'", [1, 2]),
        ("properties/zone eq 0", [0, 2]),
        ("properties/zone eq 0.0", [0, 2]),
        ("properties/zone eq '0'", []),
        ("properties/open eq true", [0]),
        ("properties/levels[0] eq 1 and properties/levels[1]/name eq 'roof'", [0, 1, 2]),
        ("properties/nothing eq null", [0, 1, 2]),
        ("properties/zone ne null and name gt 'Garage 1'", [2]),
        ("name eq 'Garage 0' or name eq 'Garage 1' and properties/zone eq 0", [0]),
        ("(name eq 'Garage 0' or name eq 'Garage 1') and properties/zone eq 1", [1]),
        ("Datastreams/name eq 'free of 1'", [1]),
        ("Datastreams/Observations/result gt 100", [0]),
        ("Locations/id eq 'place2'", [2]),
        ("Datastreams/Sensor/name eq 'Loop'", [0, 1, 2]),
        ("name eq 'it''s'", []),
        ("  name   eq\t'Garage 0'  ", [0]),
    ],
)
def test_things(town: House, text: str, garages: list[int]) -> None:
    assert found(town, "Things", text) == [f"garage{n}" for n in garages]


@pytest.mark.parametrize(
    ("text", "many"),
    [
        ("phenomenonTime gt 2024-04-30T10:20:00Z", 4),
        ("phenomenonTime gt 2024-04-30T12:20:00+02:00", 4),
        ("phenomenonTime gt 2024-04-30T12:20:00 02:00", 4),
        ("phenomenonTime gt 2024-04-30T10:20:00", 4),
        ("phenomenonTime ge 2024-04-30T10:20:00.000Z and phenomenonTime lt 2024-04-30T10:22:00Z", 2),
        ("2024-04-30T10:20:00Z lt phenomenonTime", 4),
        ("phenomenonTime ge 2024-04-30", 40),
        ("resultTime eq null", 17),
        ("resultTime eq 2024-04-30T11:00:00Z", 23),
        ("result eq 10", 6),
        ("result eq 10.0", 6),
        ("result ge 1e2", 15),
        ("result lt -1", 0),
        ("result eq '10'", 0),
        ("result eq null", 0),
        ("Datastream/id eq 'garage0~free' and Datastream/Thing/properties/zone eq 0", 25),
        ("FeatureOfInterest/name eq 'Here'", 40),
    ],
)
def test_observations(town: House, text: str, many: int) -> None:
    assert len(found(town, "Observations", text)) == many


WHOLE = [
    "result add 5 gt 10",
    "result sub 5 mul 2 div 3 mod 4 eq 1",
    "-result lt 5",
    "(result add 1) mul 2 eq 4",
    "substringof('a',name)",
    "startswith(name,'a')",
    "endswith(name,'a')",
    "contains(name,'a')",
    "length(name) eq 5",
    "indexof(name,'a') eq 1",
    "substring(name,1,2) eq 'ar'",
    "tolower(name) eq 'a'",
    "toupper(name) eq 'A'",
    "trim(name) eq 'a'",
    "concat(concat(name,', '),description) eq 'a, b'",
    *(
        f"{part}(phenomenonTime) eq 5"
        for part in ("year", "month", "day", "hour", "minute", "second", "fractionalseconds")
    ),
    "date(phenomenonTime) eq 2024-04-30",
    "time(phenomenonTime) ge 10:00:00",
    "totaloffsetminutes(phenomenonTime) eq 120",
    "phenomenonTime le now()",
    "phenomenonTime ge mindatetime()",
    "phenomenonTime le maxdatetime()",
    "round(result) eq 1",
    "floor(result) eq 1",
    "ceiling(result) eq 1",
    *(
        f"{word}(phenomenonTime,2024-01-01T00:00:00Z/2024-01-02T00:00:00Z)"
        for word in ("before", "after", "meets", "during", "overlaps", "starts", "finishes")
    ),
    "phenomenonTime gt now() sub duration'P1D'",
    "phenomenonTime add duration'PT1H' gt 2024-01-01T00:00:00+01:00",
    "geo.distance(location,geography'POINT (11 50)') lt 0.1",
    "geo.distance(location,geography'SRID=4326;POINT (11 50)') lt 0.1",
    "geo.length(location) gt 1",
    "geo.intersects(location,geography'POLYGON ((1 1, 2 1, 2 2, 1 1))')",
    *(
        f"st_{word}(location,geometry'POINT (11 50)')"
        for word in ("equals", "disjoint", "touches", "within", "overlaps", "crosses", "intersects", "contains")
    ),
    "st_relate(location,geography'POINT (11 50)','T********')",
    "Datastreams/any(d:d/name eq 'x')",
    "Datastreams/any()",
    "'x' in properties/list",
    "properties/a eq properties/b",
    "not startswith(name,'a') and (endswith(name,'b') or name in ('c','d'))",
    "Observations/phenomenonTime lt 2024-01-01T00:00:00.123456Z",
    "true",
    "properties/and eq 1 or properties/not/or eq 2 and properties/eq ne null",
]


@pytest.mark.parametrize("text", WHOLE)
def test_the_whole_standard_is_read(text: str) -> None:
    parse_filter(text, max_length=2000)


GEO = [t for t in WHOLE if "geo.distance" in t or "geo.length" in t or "geo.intersects" in t or t.startswith("st_")]


def asked_of(text: str) -> str:
    if "(location" in text:
        return "Locations"
    if "Observations/" in text:
        return "Datastreams"
    return "Observations" if "phenomenonTime" in text or "result" in text else "Things"


@pytest.mark.parametrize("text", [t for t in WHOLE if t not in GEO])
def test_the_whole_standard_is_answered(town: House, text: str) -> None:
    town.get(asked_of(text), filter=text)


@pytest.mark.parametrize("text", GEO)
def test_places_are_compared_where_the_engine_can(town: House, text: str) -> None:
    if isinstance(town.store, PostgresStore) and not cluster().has_extension("postgis"):
        pytest.skip("PostGIS is not installed: spatial functions of PostgreSQL are left out")
    town.get("Locations", filter=text)


def test_the_place_is_where_it_stands(town: House) -> None:
    assert town.error("Things", 400, filter="id eq 'a' or startwith(name,'b')").startswith("$filter, character 14: ")


@pytest.mark.parametrize(
    ("text", "garages"),
    [
        ("substringof('rage 1',name)", [1]),
        ("startswith(name,'Garage') and endswith(name,'2')", [2]),
        ("toupper(name) eq 'GARAGE 0'", [0]),
        ("substring(name,7) eq '1'", [1]),
        ("concat(id,name) eq 'garage2Garage 2'", [2]),
        ("properties/zone add 1 gt 1", [1]),
        ("properties/zone mod 2 eq 0", [0, 2]),
        ("1 div properties/zone eq 1", [1]),
        ("1 in properties/levels", [0, 1, 2]),
        ("2 in properties/levels", []),
        ("properties/open", [0]),
        ("Datastreams/any(d: d/properties/kind eq 'state' and endswith(d/name,'1'))", [1]),
        ("Datastreams/Observations/any(o: o/result gt 100)", [0]),
        ("Datastreams/any(d: d/Observations/any(o: o/result gt 100 and d/properties/kind eq 'free'))", [0]),
        ("not Locations/any(l: l/id eq 'place2')", [0, 1]),
    ],
)
def test_things_by_function(town: House, text: str, garages: list[int]) -> None:
    assert found(town, "Things", text) == [f"garage{n}" for n in garages]


@pytest.mark.parametrize(
    ("text", "many"),
    [
        ("result div 4 eq 2.5", 6),
        ("result sub 5 mul 2 eq 0", 6),
        ("(result sub 5) mul 2 eq 10", 6),
        ("result mod 20 eq 0", 23),
        ("minute(phenomenonTime) ge 20", 5),
        ("day(phenomenonTime) eq 30 and hour(phenomenonTime) eq 10", 40),
        ("time(phenomenonTime) lt 10:02:00", 12),
        ("date(phenomenonTime) eq 2024-04-30", 40),
        ("phenomenonTime lt now() sub duration'P1D'", 40),
        ("phenomenonTime add duration'PT1H' gt 2024-04-30T11:20:00Z", 4),
        ("resultTime sub phenomenonTime le duration'PT40M'", 3),
        ("during(phenomenonTime,2024-04-30T10:20:00Z/2024-04-30T10:22:00Z)", 3),
        ("during(phenomenonTime,2024-04-30T10:20:00Z/PT2M)", 3),
        ("during(phenomenonTime,PT2M/2024-04-30T10:22:00)", 3),
        ("phenomenonTime lt 2024-04-30T10:01:00Z/P1D", 6),
        ("before(phenomenonTime,2024-04-30T10:01:00Z)", 6),
        ("after(phenomenonTime,2024-04-30T10:20:00Z/2024-04-30T10:22:00Z)", 2),
        ("overlaps(phenomenonTime,2024-04-30T10:20:00Z/2024-04-30T10:22:00Z)", 1),
        ("resultTime gt phenomenonTime", 23),
        ("totaloffsetminutes(phenomenonTime) eq 0", 40),
    ],
)
def test_observations_by_function(town: House, text: str, many: int) -> None:
    assert len(found(town, "Observations", text)) == many


def test_precedence() -> None:
    one = parse_filter("a eq 1 or b eq 2 and not c eq 3", max_length=99)
    assert isinstance(one, Logic)
    assert one.op == "or"
    inner = one.items[1]
    assert isinstance(inner, Logic)
    assert isinstance(inner.items[1], Not)
    other = parse_filter("1 add 2 mul 3 eq 7", max_length=99)
    assert isinstance(other, Compare)
    assert (other.left.op, other.left.right.op) == ("add", "mul")  # type: ignore[attr-defined]
    third = parse_filter("a sub -1 eq -2", max_length=99)
    assert isinstance(third, Compare)
    assert third.right == Value(-2, "number", 12)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("colour eq 'red'", "character 1"),
        ("name eq 5", "character 9"),
        ("name eq 'a' and colour eq 1", "character 17"),
        ("name eq", "too early"),
        ("name", "character 1"),
        ("length(name)", "character 1"),
        ("length(5) eq 5", "character 8"),
        ("name eq 'a' and nosuch(name)", "character 17"),
        ("", "too early"),
        ("name eq 'a", "character 9"),
        ("name = 'a'", "character 6"),
        ("name eq 'a' name eq 'b'", "character 13"),
        ("(name eq 'a'", "too early"),
        ("name eq 'a')", "character 12"),
        ('name eq "a"', "character 9"),
        ("name EQ 'a'", "character 6"),
        ("Datastreams eq 1", "character 1"),
        ("Datastreams/phenomenonTime gt 2024-13-01T00:00:00Z", "character 31"),
        ("Datastreams/phenomenonTime gt 2016-12-31T23:59:60Z", "leap second"),
        ("Datastreams/phenomenonTime gt duration'P1Y'", "character 31"),
        ("overlaps(Datastreams/phenomenonTime,2024-01-01T00:00:00Z/P1DT)", "character 37"),
        ("overlaps(Datastreams/phenomenonTime,2024-01-01T00:00:00Z/P1M)", "character 37"),
        ("st_equals(Locations/location,geography'SRID=31468;POINT (11 50)')", "EPSG:4326"),
        ("Datastreams/phenomenonTime gt '2024-01-01T00:00:00Z'", "without quotes"),
        ("properties/a eq 99999999999999999999", "character 17"),
        ("name gt null", "character 9"),
        ("name eq 'a'; drop table thing", "character 12"),
        ("name eq 'a' -- x", "character 13"),
        ("\x00", "character 1"),
        ("name eq 'a'\nand 1", "character 12"),
    ],
)
def test_mistakes_say_where(town: House, text: str, place: str) -> None:
    message = town.error("Things", 400, filter=text)
    assert message.startswith("$filter")
    assert place in message


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + ")" * 10_000,
        "(" * 900 + "name eq 'a'" + ")" * 900,
        "not " * 480 + "name eq 'a'",
        "-" * 1900 + "5 eq 1",
        "1" + " add 1" * 320 + " eq 5",
        "a(" * 600 + ")" * 600,
        "name eq 'a' or (" * 100 + "name eq 'b'" + ")" * 100,
        "'" * 1999,
        "a/" * 900 + "b eq 1",
        "Datastreams/Thing/" * 100 + "name eq 'b'",
        "[" * 1900,
        "name in (" + "'a'," * 450 + "'a')",
        " or ".join(["name eq 'a'"] * 130),
        " and ".join(["(name eq 'a')"] * 110),
    ],
)
def test_what_is_too_deep_or_long_is_answered(town: House, text: str) -> None:
    query = f"$filter={text}".replace(" ", "%20")
    assert town.request("GET", "Things", query).status in (200, 400, 501)
    assert town.request("GET", "Things", f"$orderby={text}".replace(" ", "%20")).status == 400


def test_extra_parentheses_are_free() -> None:
    plain = parse_filter("name eq 'a'", max_length=2000)
    wrapped = parse_filter("(" * 50 + "name eq 'a'" + ")" * 50, max_length=2000)
    assert isinstance(plain, Compare)
    assert isinstance(wrapped, Compare)
    assert (plain.op, plain.right.value) == (wrapped.op, wrapped.right.value)  # type: ignore[attr-defined]


def test_too_deep_says_so() -> None:
    with pytest.raises(InvalidQuery, match="within each other"):
        parse_filter("not " * 100 + "name eq 'a'", max_length=2000)
