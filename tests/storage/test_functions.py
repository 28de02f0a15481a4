"""Functions and arithmetic of filters by example: what is true, false, or null (neither), on every engine."""

import pytest

from allmende.domain.errors import InvalidQuery, NotSupported
from allmende.domain.policy import ANONYMOUS
from allmende.domain.query import Not
from allmende.domain.store import Store
from allmende.faces.sensorthings.expressions import parse_filter
from tests.storage.town import Town, build
from tests.support import ask, create


@pytest.fixture(scope="module")
def town(shared: Store) -> Town:
    return build(shared)


def found(store: Store, entity: str, text: str) -> list[str]:
    node = parse_filter(text, max_length=2000)
    return sorted(str(row[1]) for row in ask(store, entity, filter=node, top=1000).rows)


def truth(store: Store, text: str, thing: str = "t1") -> bool | None:
    """Of one thing: it is found, or its contrary is, or neither."""
    node = parse_filter(text, max_length=2000)
    yes, no = (thing in {row[1] for row in ask(store, "Thing", filter=n, top=1000).rows} for n in (node, Not(node)))
    assert not (yes and no)
    return True if yes else False if no else None


ARITHMETIC = [
    ("1 add 2 mul 3 eq 7", True),
    ("(1 add 2) mul 3 eq 9", True),
    ("7 sub 2 sub 1 eq 4", True),
    ("5 div 2 eq 2.5", True),
    ("-5 div 2 eq -2.5", True),
    ("4 div 2 eq 2", True),
    ("12 div 3 div 2 eq 2", True),
    ("7 mod 3 eq 1", True),
    ("-7 mod 3 eq -1", True),
    ("7 mod -3 eq 1", True),
    ("5.5 mod 2 eq 1.5", True),
    ("1 div 0 eq 1", None),
    ("0 div 0 eq 0", None),
    ("1 mod 0 eq 1", None),
    ("1 div 0 eq null", True),
    ("1 div (2 sub 2) ne null", False),
    ("0 mul 5 eq 0", True),
    ("1e200 mul 1e200 gt 0", None),
    ("1e-200 mul 1e-200 eq 0", None),
    ("1e200 div 1e-200 gt 0", None),
    ("1.7e308 add 1.7e308 gt 0", None),
    ("9223372036854775807 add 1 eq 9223372036854775808.0", True),
    ("-(2 add 3) eq -5", True),
    ("--5 eq 5", True),
    ("properties/n add 1 eq 2", True),
    ("-properties/n lt 0", True),
    ("properties/n mul properties/n eq properties/n", True),
    ("properties/missing add 1 eq 1", None),
    ("null add 1 eq 1", None),
    ("1 eq 1", True),
    ("'a' lt 'b'", True),
    ("true", True),
    ("not true", False),
    ("true eq false", False),
    ("null eq null", True),
    ("(1 eq 2) eq false", True),
    ("(name eq description) ne (1 eq 1)", True),
    ("round(1.5) eq 2", True),
    ("round(2.5) eq 3", True),
    ("round(-0.5) eq -1", True),
    ("round(2.4) eq 2", True),
    ("floor(-1.5) eq -2", True),
    ("ceiling(-1.5) eq -1", True),
    ("ceiling(1.1) eq 2", True),
    ("floor(null) eq 0", None),
    ("round(properties/n) eq 1", True),
]  # fmt: skip
TEXTS = [
    ("substringof('lph',name)", True),
    ("substringof(name,'lph')", False),
    ("contains(name,'')", True),
    ("contains(name,'LPH')", False),
    ("contains('50%','%')", True),
    ("contains('50','%')", False),
    ("startswith(name,'Al')", True),
    ("startswith(name,'_l')", False),
    ("endswith(name,'pha')", True),
    ("endswith(name,'')", True),
    ("startswith(name,'A') eq true", True),
    ("startswith(name,null)", None),
    ("startswith(properties/a,'1')", None),
    ("length(name) eq 5", True),
    ("length('äß😀') eq 3", True),
    ("length('') eq 0", True),
    ("length(properties/missing) eq 0", None),
    ("indexof(name,'p') eq 2", True),
    ("indexof('😀b','b') eq 1", True),
    ("indexof(name,'x') eq -1", True),
    ("indexof(name,'') eq 0", True),
    ("substring(name,1) eq 'lpha'", True),
    ("substring(name,1,2) eq 'lp'", True),
    ("substring(name,9) eq ''", True),
    ("substring(name,-1) eq 'Alpha'", True),
    ("substring(name,1,-1) eq ''", True),
    ("substring(name,1.9,1e30) eq 'lpha'", True),
    ("substring(name,null) eq ''", None),
    ("substring(name,0,null) eq ''", None),
    ("tolower('ÄÖÜẞΣ É') eq 'äöüßς é'", True),
    ("toupper('straße é') eq 'STRASSE É'", True),
    ("tolower(name) eq 'alpha'", True),
    ("tolower(name) lt name", False),
    ("trim('  a \t ') eq 'a'", True),
    ("trim('\u00a0a') eq 'a'", False),
    ("concat(concat(name,', '),description) eq 'Alpha, d1'", True),
    ("concat(name,properties/missing) eq 'Alpha'", None),
    ("name gt description", False),
    ("name lt description", True),
    ("name eq name", True),
    ("id eq concat('t','1')", True),
    ("length(id) eq 2", True),
    ("'z' gt 'Z'", True),
    ("'it''s' eq concat('it','''s')", True),
]  # fmt: skip
_AT = "2024-02-29T23:45:02.125Z"
TIMES = [
    (f"year({_AT}) eq 2024", True),
    (f"month({_AT}) eq 2 and day({_AT}) eq 29", True),
    (f"hour({_AT}) eq 23 and minute({_AT}) eq 45 and second({_AT}) eq 2", True),
    (f"fractionalseconds({_AT}) eq 0.125", True),
    ("hour(2024-01-01T01:00:00+02:00) eq 23 and year(2024-01-01T01:00:00+02:00) eq 2023", True),
    ("year(1969-12-31T23:59:59.999999Z) eq 1969 and second(1969-12-31T23:59:59.999999Z) eq 59", True),
    ("fractionalseconds(1969-12-31T23:59:59.75Z) eq 0.75", True),
    ("year(mindatetime()) eq 1 and month(mindatetime()) eq 1 and day(mindatetime()) eq 1", True),
    ("year(maxdatetime()) eq 9999 and day(maxdatetime()) eq 31 and second(maxdatetime()) eq 59", True),
    (f"date({_AT}) eq 2024-02-29", True),
    ("date(1969-12-31T10:00:00Z) eq 1969-12-31", True),
    (f"time({_AT}) gt 23:45:02 and time({_AT}) lt 23:45:03", True),
    (f"23:45 lt time({_AT})", True),
    (f"time({_AT}) eq time({_AT})", True),
    (f"totaloffsetminutes({_AT}) eq 0", True),
    ("now() eq now()", True),  # one moment for a question
    ("now() gt 2024-01-01T00:00:00Z and now() lt maxdatetime()", True),
    (f"{_AT} add duration'PT15M' gt 2024-03-01", True),
    (f"{_AT} sub duration'P1D' eq 2024-02-28T23:45:02.125Z", True),
    (f"duration'P1D' add {_AT} eq 2024-03-01T23:45:02.125Z", True),
    ("2024-03-01 sub 2024-02-01 eq duration'P29D'", True),
    ("2024-03-01 sub 2024-02-01 gt duration'P4W'", True),
    ("duration'PT1H' add duration'PT30M' eq duration'PT90M'", True),
    ("duration'PT1H' sub duration'PT90M' eq duration'-PT30M'", True),
    ("duration'PT1H' mul 1.5 eq duration'PT90M'", True),
    ("2 mul duration'PT1H' eq duration'PT2H'", True),
    ("duration'PT1H' div 4 eq duration'PT15M'", True),
    ("duration'PT0.000001S' div 2 eq duration'PT0.000001S'", True),
    ("duration'PT1H' div duration'PT15M' eq 4", True),
    ("duration'P1D' div 0 eq null", True),
    ("duration'P1D' mul 1e300 eq null", True),
    ("duration'P1D' mul properties/missing eq duration'P1D'", None),
    ("properties/n mul duration'PT1H' eq duration'PT1H'", True),
    ("-duration'PT1H' eq duration'-PT1H'", True),
    ("now() sub duration'PT1H' mul 2 lt now()", True),
    ("bucket(2024-01-01T10:20:00Z,duration'PT15M') eq 2024-01-01T10:15:00Z", True),
    ("bucket(2024-01-01T10:20:00Z,duration'P1D','Asia/Tokyo') eq 2023-12-31T15:00:00Z", True),
    ("bucket(null,duration'P1M') eq 2024-01-01", None),
    ("maxdatetime() add duration'P1D' gt now()", None),
    ("date(maxdatetime()) add duration'P2D' eq null", True),
    ("2024-01-01T00:00:00Z/2024-01-02T00:00:00Z eq 2024-01-01T00:00:00Z/2024-01-02T00:00:00Z", True),
    ("2024-01-01T00:00:00Z/2024-01-02T00:00:00Z lt 2024-01-02T00:00:00Z/2024-01-03T00:00:00Z", False),
    ("2024-01-01T00:00:00Z/2024-01-02T00:00:00Z le 2024-01-02T00:00:00Z/2024-01-03T00:00:00Z", True),
    ("2024-01-01T00:00:00Z/2024-01-02T00:00:00Z add duration'P1D' ge 2024-01-02", True),
    ("year(null) eq 2024", None),
    ("(2024-01-01 eq 2024-01-01) and date(null) eq null", True),
]  # fmt: skip
_DAY = "2024-01-01T00:00:00Z/2024-01-02T00:00:00Z"
RELATIONS = [
    (f"before(2023-12-31,{_DAY})", True),
    (f"before(2024-01-01,{_DAY})", False),
    (f"before({_DAY},2024-01-03)", True),
    (f"after(2024-01-03,{_DAY})", True),
    (f"after(2024-01-02,{_DAY})", False),
    (f"meets(2023-12-31T00:00:00Z/2024-01-01T00:00:00Z,{_DAY})", True),
    (f"meets({_DAY},2023-12-31T00:00:00Z/2024-01-01T00:00:00Z)", False),
    (f"during(2024-01-01T12:00:00Z,{_DAY})", True),
    (f"during(2024-01-02,{_DAY})", True),
    (f"during({_DAY},2024-01-01T12:00:00Z)", False),
    (f"overlaps({_DAY},2024-01-01T12:00:00Z/2024-01-05T00:00:00Z)", True),
    (f"overlaps({_DAY},2024-01-02T00:00:00Z/2024-01-05T00:00:00Z)", False),
    (f"overlaps(2024-01-01T12:00:00Z,{_DAY})", True),
    (f"starts(2024-01-01T00:00:00Z/2024-01-01T12:00:00Z,{_DAY})", True),
    (f"starts({_DAY},2024-01-01T00:00:00Z/2024-01-01T12:00:00Z)", False),
    (f"finishes(2024-01-01T12:00:00Z/2024-01-02T00:00:00Z,{_DAY})", True),
    (f"finishes(2024-01-02,{_DAY})", True),
    (f"before(2024-01-01 sub duration'P1D',{_DAY})", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [*ARITHMETIC, *TEXTS, *TIMES, *RELATIONS])
def test_by_example(shared: Store, town: Town, text: str, expected: bool | None) -> None:
    assert truth(shared, text) is expected


@pytest.mark.parametrize(
    ("entity", "text", "same"),
    [
        ("Thing", "1 in properties/list", "properties/list[0] eq 1"),
        ("Thing", "'b' in properties/list", "properties/list[0] eq 'b'"),
        ("Thing", "true in properties/list", "properties/list[0] eq true"),
        ("Thing", "properties/a in properties/list", "properties/list[0] eq properties/a"),
        ("Thing", "1 in properties/n", "1 eq 2"),
        ("Thing", "properties/list/any(x: x eq 1)", "1 in properties/list"),
        ("Thing", "properties/list/any(x: x eq true)", "true in properties/list"),
        ("Thing", "not properties/list/any(x: x eq 'b')", "not ('b' in properties/list)"),
        ("Thing", "properties/list/any(x: length(x) eq 1)", "length(properties/list[0]) eq 1"),
        ("Thing", "properties/list/any(x: x/b eq 2 and x/b lt properties/n)",
                  "properties/list[1]/b eq 2 and properties/n gt 2"),
        ("Thing", "properties/list/any()", "properties/list ne null"),
        ("Thing", "properties/list/any(x: x eq properties/n)", "properties/list[0] eq properties/n"),
        ("Thing", "properties/list/any(x: x/any(y: y eq 2))", "properties/a[1] eq 2"),
        ("Thing", "properties/list/any(x: 2 in x)", "properties/a[1] eq 2"),
        ("Thing", "Datastreams/any(d: d/Thing/properties/list/any(x: x eq 'b' and d/id ne id))",
                  "Datastreams/any() and 'b' in properties/list"),
        ("Observation", "result/any(x: x eq 2)", "result[1] eq 2"),
        ("Thing", "properties/list[0][1] eq 2", "properties/a[1] eq 2"),
        ("Thing", "properties/list[0]/k eq properties/a/k", "properties/a/k eq 1"),
        ("Thing", "2 in (1, properties/n, 2 div 0)", "properties/n eq 2"),
        ("Thing", "tolower(name) in ('alpha', null)", "name eq 'alpha' or name eq 'Alpha'"),
        ("Thing", "Datastreams/any()", "Datastreams/id ne ''"),
        ("Thing", "Datastreams/any(d: d/name eq 'b')", "Datastreams/name eq 'b'"),
        ("Thing", "Datastreams/any(d: d/name eq name)", "Datastreams/name eq name"),
        ("Thing", "Datastreams/Observations/any(o: o/result gt 1)", "Datastreams/Observations/result gt 1"),
        ("Thing", "Datastreams/any(d: d/Observations/any(o: o/result eq true and d/name eq 'b'))",
                  "Datastreams/any(d: d/Observations/result eq true and d/name eq 'b')"),
        ("Datastream", "Thing/Datastreams/any(d: d/id eq 's1')", "Thing/Datastreams/id eq 's1'"),
        ("Datastream", "Thing/Datastreams/any(d: d/Sensor/name eq Sensor/name and d/id ne id)",
                       "Thing/Datastreams/any(d: d/id ne id and Sensor/name eq d/Sensor/name)"),
        ("Datastream", "length(Thing/name) gt 3", "length(Thing/name) ge 4"),
        ("Thing", "startswith(Datastreams/name,'al')", "Datastreams/name eq 'alpha'"),
        ("Thing", "not startswith(Datastreams/name,'al')", "not Datastreams/name eq 'alpha'"),
        ("Observation", "result eq parameters/a",
                        "result in (1, 1.5, -3, 9007199254740993, false, true, '1', '', 'b', 'B')"),
        ("Observation", "result ne parameters/a", "1 eq 2"),
        ("Observation", "result add 0 eq 1", "result eq 1"),
        ("Observation", "result mul 2 gt 2.5", "result gt 1.25"),
        ("Observation", "result", "result eq true"),
        ("Observation", "not result", "result eq false"),
        ("Observation", "length(result) eq 1", "result eq '1' or result eq 'b' or result eq 'B'"),
        ("Observation", "phenomenonTime sub phenomenonTime eq duration'PT0S'", "1 eq 1"),
        ("HistoricalLocation", "time add duration'PT1H' gt time", "time ne null"),
        ("Observation", "minute(phenomenonTime) eq 5",
                        "time(phenomenonTime) ge 00:05:00 and time(phenomenonTime) lt 00:06"),
        ("Observation", "phenomenonTime gt resultTime", "resultTime lt phenomenonTime"),
        ("Observation", "before(phenomenonTime,2024-01-01T00:05:00Z)", "phenomenonTime lt 2024-01-01T00:05:00Z"),
        ("Observation", "after(phenomenonTime,2024-01-01T00:05:00Z)", "phenomenonTime gt 2024-01-01T00:05:00Z"),
        ("Observation", "during(phenomenonTime,2024-01-01T00:05:00Z/2024-01-01T00:09:00Z)",
                        "phenomenonTime ge 2024-01-01T00:05:00Z and phenomenonTime le 2024-01-01T00:09:00Z"),
        ("Observation", "phenomenonTime eq 2024-01-01T00:00:00Z/2024-01-01T00:00:00Z",
                        "phenomenonTime eq 2024-01-01T00:00:00Z"),
        ("Observation", "before(resultTime,2030-01-01)", "resultTime ne null"),
        ("Observation", "length(id) ge 1", "true"),
    ],
)  # fmt: skip
def test_two_ways_to_ask(shared: Store, town: Town, entity: str, text: str, same: str) -> None:
    assert found(shared, entity, text) == found(shared, entity, same)


def test_a_count_without_any_value(shared: Store, town: Town) -> None:
    """Its statement binds nothing, and still holds signs that drivers look for."""
    node = parse_filter("minute(phenomenonTime) mod 2 eq second(phenomenonTime)", max_length=2000)
    same = parse_filter("date(phenomenonTime) ne phenomenonTime", max_length=2000)
    for asked in (node, same):
        page = ask(shared, "Observation", filter=asked, top=1000, count=True)
        assert page.count == len(page.rows)


def test_what_lists_hold(shared: Store, town: Town) -> None:
    lists = {t["id"]: t["properties"]["list"] for t in town.things if "list" in t.get("properties", {})}
    texts = sorted(name for name, listed in lists.items() if "b" in listed)
    assert texts
    assert found(shared, "Thing", "'b' in properties/list") == texts
    assert found(shared, "Thing", "not ('b' in properties/list)") == sorted(lists.keys() - set(texts))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name", "character 1: a condition"),
        ("length(name)", "character 1: a condition"),
        ("now()", "character 1: a condition"),
        ("5 add 3", "character 3: a condition"),
        ("length(5) eq 1", r"character 8: length\(\) takes a text here, not a number"),
        ("length(name,name) eq 1", r"character 1: length\(\) takes 1 arguments, not 2"),
        ("substring(name) eq 'a'", r"character 1: substring\(\) takes 3"),
        ("name add 1 eq 2", "character 1: add takes numbers"),
        ("1 add name eq 2", "character 7: add takes numbers"),
        ("-name eq 2", "character 2: - takes a number"),
        ("name eq length(name)", "character 9: a text is not compared with a number"),
        ("year(name) eq 2024", r"character 6: year\(\) takes a time"),
        ("before(name,2024-01-01)", r"character 8: before\(\) takes a time"),
        ("before(2024-01-01)", r"before\(\) takes 2"),
        ("foo(name) eq 1", r"character 1: there is no function foo\(\)"),
        ("time(now()) eq '25:00'", "character 16: .*time of day"),
        ("name/any(d: d/x eq 1)", "character 1: name has no parts"),
        ("properties/list/any(x: y eq 1)", "character 24: .*'y'"),
        ("properties/list/any(x: x/any(y: y eq x) and x/name/id gt now())", "character 58: JSON is not compared"),
        ("now() sub duration'P1M' lt now()", "character 11: .*no fixed length"),
        ("1 div duration'PT1S' gt 0", "character 3: a number div a duration has no meaning"),
        ("now() mul duration'PT1S' gt now()", "character 7: a time mul a duration has no meaning"),
        ("bucket(now(),duration'P1D',name) lt now()", "character 28: .*name of a time zone"),
        ("Datastreams/any(d: d eq 1)", "character 20: d is an entity"),
        ("Datastreams/any(d: d/colour eq 1)", "character 20: .*colour"),
        ("d/name eq 'x'", "character 1: .*'d'"),
        ("2024-01-01 in properties/list", "character 1: a list may hold"),
        ("'a' in name", "character 8: name has no parts"),
        ("length(name) gt null", "character 17: null"),
        ("1 lt null", "character 6: null"),
        ("concat(name,'a\x00') eq 'a'", "character 13: .*NUL"),
        ("name eq 'a\x00'", "character 9: .*NUL"),
        ("properties/n lt 1e999", "character 17: .*too large"),
        ("now() sub duration'P999999999D' lt now()", "character 11: .*longer than the calendar"),
        ("during(now(),2024-01-02T00:00:00Z/2024-01-01T00:00:00Z)", "character 14: .*ends before"),
    ],
)
def test_mistakes_say_what_and_where(shared: Store, town: Town, text: str, message: str) -> None:
    with pytest.raises(InvalidQuery, match=rf"^\$filter, .*{message}"):
        found(shared, "Thing", text)


def test_what_has_no_meaning_says_so(shared: Store, town: Town) -> None:
    with pytest.raises(NotSupported, match="character 7: "):
        found(shared, "Thing", "now() add now() gt now()")


@pytest.mark.parametrize(
    "text",
    [
        "Datastreams/any()",
        "Datastreams/any(d: d/name eq 'Free')",
        "Datastreams/any(d: 1 eq 1)",
        "not (length(Datastreams/name) eq null) and Datastreams/any()",
        "contains(Datastreams/name,'F')",
        "'x' in Datastreams/properties/list",
        "Datastreams/Observations/any(o: year(o/phenomenonTime) gt 0)",
    ],
)
def test_what_is_hidden_is_found_by_no_expression(store: Store, text: str) -> None:
    create(
        store, "ObservedProperty", {"@iot.id": "p", "name": "P", "description": "", "definition": "https://x.example"}
    )
    create(store, "Thing", {"@iot.id": "secret", "name": "Secret", "description": ""}, dataset="hidden")
    stream = {
        "name": "Free", "description": "", "observationType": "any", "properties": {"list": ["x"]},
        "unitOfMeasurement": {"name": "u", "symbol": "1", "definition": ""},
        "Sensor": {"name": "S", "description": "", "encodingType": "text/plain", "metadata": ""},
        "Observations": [{"result": 1, "phenomenonTime": "2024-01-01T00:00:00Z"}],
    }  # fmt: skip
    create(store, "Datastream", stream, links={"Thing": "secret", "ObservedProperty": "p"})
    node = parse_filter(text, max_length=2000)
    assert [row[1] for row in ask(store, "ObservedProperty", filter=node).rows] == ["p"]
    assert ask(store, "ObservedProperty", filter=node, reader=ANONYMOUS).rows == []


@pytest.mark.parametrize(
    "text",
    [
        "-" * 15 + "(properties/n) lt 5",
        "properties/n" + " mul 1" * 17 + " ge 0",
        "year(" + "date(" * 15 + "now()" + ")" * 16 + " ge 0",
        "tolower(" * 16 + "name" + ")" * 16 + " ne 'x'",
        "(" * 15 + "1 eq 1" + ") eq true" * 15,
        " or ".join(["contains(tolower(name),'x')"] * 60),
    ],
)
def test_depth_costs_no_more_than_its_length(shared: Store, town: Town, text: str) -> None:
    found(shared, "Thing", text)
