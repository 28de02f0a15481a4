"""SQLite and PostgreSQL give the same answers to the same questions over the same data.

``ALLMENDE_TEST_EXAMPLES`` is the number of examples of each test, for a longer look at night; the seed is fixed by the
profile in tests/conftest.py. What the engines treat each in its way is written down in docs/reference/engines.md.
"""

import math
import os
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from allmende.domain import times
from allmende.domain.face import FaceLimits
from tests.conformance.sensorthings.house import WRITER, House, datastream, location, observation, open_house, thing
from tests.conformance.sensorthings.questions import NAMES, aggregations, questions
from tests.support import AHEAD

EXAMPLES = int(os.environ.get("ALLMENDE_TEST_EXAMPLES", "400"))
BASE = times.parse_instant("2024-01-01T00:00:00Z")
NESTED: list[Any] = [[1, 2], [], {}, {"k": 1}, {"k": "b", "a": [True, None]}, [[1], {"b": 2}], ["b", "B"], [1.0, "1"]]
WHOLE = [0, 1, -1, 2, 7, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 10, 100]
DECIMAL = [0.0, -0.0, 0.1, 0.5, 1.0, -1.5, 2.5, 1e16, 1e300, -1e300, 1e-300, 1e308, 5e-324, 0.1 + 0.2, 1 / 3]
VALUES: list[Any] = [None, True, False, *WHOLE, *DECIMAL, *NAMES, *NESTED]


def furnish(house: House) -> None:
    """Things, streams and observations of all the odd values there are."""
    for number, name in enumerate(NAMES[:12]):
        facts = {"n": number, "list": [VALUES[number * 5 % len(VALUES)], {"b": number % 3}], "a": VALUES[-number]}
        more = {} if number == 5 else {"properties": facts}
        place = location(11 + number / 7, name=NAMES[-number], **{"@iot.id": f"place{number}"})
        house.post("Things", thing(name=name, **{"@iot.id": f"t{number}"}, Locations=[place], **more))
    for number in range(9):
        readings = [_reading(number, place) for place in range(3 if number == 4 else 12)] if number != 7 else []
        made = datastream(
            name=NAMES[number * 3], Observations=readings, properties={"a": VALUES[number * 7]},
            **{"@iot.id": f"s{number}", "Thing": {"@iot.id": f"t{number % 5}"}},
        )  # fmt: skip
        house.post("Datastreams", made)


def _reading(stream: int, place: int) -> dict[str, Any]:
    number = stream * 12 + place
    start = BASE + (number * 37 % 50) * 13 * times.MINUTE + (number % 3) * 500_001
    if number in (20, 21):
        start = times.LATEST if number == 20 else times.EARLIEST
    end = start + (number % 4) * 20 * times.MINUTE if number % 5 == 0 and start < times.LATEST else None
    said: dict[str, Any] = {"parameters": {"a": VALUES[number * 11 % len(VALUES)]}} if number % 6 else {}
    if number % 4:
        said["resultTime"] = times.format_instant(BASE + (number % 7) * times.DAY + number)
    if number % 9 == 0:
        said["validTime"] = times.format_interval(BASE, BASE + number * times.HOUR)
    if number % 8 == 0:
        said["resultQuality"] = {"a": number}
    body = observation(VALUES[number % len(VALUES)], **said)
    return {
        **body,
        "phenomenonTime": times.format_interval(start, end),
        "@iot.id": f"o{number}" if number % 7 == 0 else 1000 + number,
    }


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> list[House]:
    anytime = FaceLimits(bounds=AHEAD)
    made = [open_house(tmp_path_factory.mktemp(engine), anytime, engine) for engine in ("sqlite", "postgres")]
    for house in made:
        furnish(house)
    return made


def answer(house: House, path: str, options: dict[str, str]) -> tuple[int, Any]:
    query = "&".join(f"${name}={quote(value)}" for name, value in options.items())
    response = house.request("GET", path, query)
    return response.status, msgspec.json.decode(response.body)


def alike(one: Any, other: Any, sums: bool = False) -> bool:
    """Exactly the same, but for the last digits of sums. Tokens of next pages differ: both are followed."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(
            name.endswith("nextLink") or alike(one[name], other[name], sums) for name in one
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(alike(a, b, sums) for a, b in zip(one, other, strict=True))
    if sums and {type(one), type(other)} <= {int, float}:
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return type(one) is type(other) and bool(one == other)


def assert_same(houses: list[House], path: str, options: dict[str, str]) -> None:
    answers = [answer(house, path, options) for house in houses]
    note(str(options))
    (status, one), (other_status, other) = answers
    assert status < 500, one
    assert status == other_status, (one, other)
    if status != 200:
        assert one["message"] == other["message"]
        return
    for _ in range(3):
        assert alike(one, other, "apply" in options), f"\nSQLite: {one}\nPostgreSQL: {other}"
        if "@iot.nextLink" not in one:
            return
        one, other = (house.follow(page["@iot.nextLink"]) for house, page in zip(houses, (one, other), strict=True))


many = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


@many
@given(asked=questions())
def test_questions(houses: list[House], asked: tuple[str, dict[str, str]]) -> None:
    assert_same(houses, *asked)


@many
@given(asked=aggregations())
def test_aggregations(houses: list[House], asked: tuple[str, dict[str, str]]) -> None:
    assert_same(houses, *asked)


# --- generated data ---

SIGNS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(SIGNS, max_size=6),
    st.sampled_from(VALUES),
)
RESULTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(SIGNS, max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
MOMENTS = st.one_of(
    st.integers(times.EARLIEST, times.LATEST), st.integers(BASE, BASE + times.DAY), st.sampled_from([BASE, BASE + 1])
)
READINGS = st.fixed_dictionaries(
    {"result": RESULTS, "start": MOMENTS},
    optional={
        "length": st.integers(0, times.DAY),
        "resultTime": MOMENTS.map(times.format_instant),
        "parameters": st.dictionaries(st.sampled_from(["a", "b"]), RESULTS, max_size=2),
        "resultQuality": RESULTS,
    },
)
SUMS = "result with average as a,result with allmende.percentile37_5 as c"
ABOUT: list[dict[str, str]] = [
    {"orderby": "result,id", "count": "true"},
    {"orderby": "parameters/a desc,phenomenonTime", "top": "2"},
    {"orderby": "resultTime desc,result desc"},
    {"filter": "result add 1 gt 0 or length(result) gt 1 or result/a ne null"},
    {"filter": "result eq parameters/a or result ge parameters/b or 1 in result"},
    {"filter": "phenomenonTime add duration'PT1S' gt resultTime", "orderby": "phenomenonTime desc"},
    {"apply": "groupby((result),aggregate($count as n,parameters/a with max as high))", "orderby": "result desc"},
    {"apply": "groupby((bucket(phenomenonTime,duration'P1M','Europe/Berlin') as m),aggregate($count as n))"},
    {"apply": f"filter(result lt 1e100 and result gt -1e100)/aggregate({SUMS})"},
]
_numbers = iter(range(10**9))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> list[House]:
    made = [open_house(tmp_path_factory.mktemp(engine), engine=engine) for engine in ("sqlite", "postgres")]
    for house in made:
        house.post("Things", thing(**{"@iot.id": "t"}))
    return made


@settings(max_examples=max(25, EXAMPLES // 16), suppress_health_check=list(HealthCheck))
@given(readings=st.lists(READINGS, min_size=1, max_size=8))
def test_generated_data(bare: list[House], readings: list[dict[str, Any]]) -> None:
    name = f"s{next(_numbers)}"
    bodies = []
    for reading in readings:
        said = {key: value for key, value in reading.items() if key not in ("start", "length")}
        end = min(reading["start"] + reading["length"], times.LATEST) if "length" in reading else None
        bodies.append({**said, "phenomenonTime": times.format_interval(reading["start"], end)})
    made = msgspec.json.encode(datastream(**{"@iot.id": name, "Thing": {"@iot.id": "t"}, "Observations": bodies}))
    taken = [house.request("POST", "Datastreams", reader=WRITER, body=made) for house in bare]
    assert [response.status for response in taken] == [taken[0].status] * 2, [response.body for response in taken]
    assert taken[0].status in (201, 400)
    if taken[0].status == 400:
        assert taken[0].body == taken[1].body
        return
    for options in ABOUT:
        assert_same(bare, f"Datastreams('{name}')/Observations", options)
    newest = "Observations($orderby=phenomenonTime desc;$top=1)"
    assert_same(bare, "Datastreams", {"filter": f"id eq '{name}'", "expand": newest})
    assert_same(bare, "Datastreams/latest", {"filter": f"id eq '{name}'"})
