"""Who may not see something cannot tell that it is there.

Two houses are alike, but that one also holds things, streams, places and readings of a dataset that is not open, woven
into the open ones wherever the model lets them be. Every answer to somebody who may not see them has to be the same, to
the byte: values, order, pages, counts, headers, errors; sums but for their last digits.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from allmende.domain.face import FaceLimits, Response
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.records import SensorDeclaration, Series, ThingDeclaration
from allmende.domain.times import MINUTE
from allmende.storage.sqlite import SqliteStore
from tests.conformance.sensorthings.house import (
    NOW,
    SETS,
    House,
    datastream,
    feature,
    location,
    observation,
    open_house,
    thing,
)
from tests.conformance.sensorthings.questions import aggregations, questions
from tests.conformance.sensorthings.test_same_answers import alike, furnish
from tests.support import AHEAD, DATASETS, ENGINES, PlainConnections, batch, create, declaration

EXAMPLES = int(os.environ.get("ALLMENDE_TEST_EXAMPLES", "150"))
CANARY = "canary-7f3a"
INSIDER = Reader(name="user:eve", datasets=frozenset({"hidden"}))
OUTSIDERS = (ANONYMOUS, Reader(name="user:mallory", datasets=frozenset({"simulated"})))
VALUES = (CANARY, 1, 987_654, 0.5, None, True, {"k": CANARY})
Twins = tuple[House, House]


@pytest.fixture(scope="module", params=sorted(ENGINES))
def twins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Twins:
    anytime = FaceLimits(bounds=AHEAD)
    plain, secret = (open_house(tmp_path_factory.mktemp(name), anytime, request.param) for name in ("plain", "secret"))
    for house in (plain, secret):
        furnish(house)
        create(house.store, "FeatureOfInterest", feature(**{"@iot.id": "yard"}))
        # What is observed belongs to nobody alone: a property is open, whoever named it first.
        house.store.append(batch(Series(stream="garage~free", times=[NOW], results=[3])))
    hide(secret)
    return plain, secret


def hide(house: House) -> None:
    """Weave in what is not open."""

    def add(entity: str, body: dict[str, Any], **links: str) -> None:
        create(house.store, entity, body, dataset="hidden", links=links)

    add(
        "Sensor",
        {"name": CANARY, "description": "s", "encodingType": "text/plain", "metadata": CANARY, "@iot.id": "hs"},
    )
    places = [location(11.3, name=CANARY, **{"@iot.id": "hidden-place"})]
    add(
        "Thing", thing(name=CANARY, properties={"a": 1, "list": [1], "n": 3}, Locations=places, **{"@iot.id": "hidden"})
    )
    readings = [observation(value, place, **{"@iot.id": 500_000 + place}) for place, value in enumerate(VALUES)]
    made = datastream(name="a", properties={"a": CANARY}, Observations=readings, **{"@iot.id": "hidden0"})
    made |= {"Thing": {"@iot.id": "hidden"}, "Sensor": {"@iot.id": "hs"}, "ObservedProperty": shared_property(house)}
    add("Datastream", made)
    for number, owner in enumerate(("t0", "t1", "t3"), 1):
        stream = f"hidden{number}"
        told = declaration(stream)
        told = replace(
            told, name="a", properties={"a": CANARY}, thing=ThingDeclaration(id=owner, name=owner, kept=True)
        )
        told = replace(told, sensor=SensorDeclaration(id="hidden-loop", name=CANARY))
        times = [NOW - place * MINUTE for place in range(len(VALUES))]
        series = Series(stream=stream, times=times, results=list(VALUES))
        sent = replace(batch(series, dataset="hidden"), declarations=[told])
        assert house.store.append(sent).accepted == len(VALUES)
    late = observation(987_654, **{"@iot.id": 600_000, "FeatureOfInterest": {"@iot.id": "yard"}})
    add("Observation", late, Datastream="hidden0")
    elsewhere = feature(11.2, name=CANARY, **{"@iot.id": "hidden-feature"})
    add("FeatureOfInterest", elsewhere)
    add(
        "Observation",
        observation(3, 1, **{"@iot.id": 600_001}),
        Datastream="hidden1",
        FeatureOfInterest="hidden-feature",
    )


def shared_property(house: House) -> dict[str, Any]:
    """One that open streams observe too."""
    return {"@iot.id": house.get("ObservedProperties", top="1", select="id")["value"][0]["@iot.id"]}


def ask(house: House, path: str, options: dict[str, str], reader: Reader = ANONYMOUS) -> Response:
    query = "&".join(f"${name}={quote(value)}" for name, value in options.items())
    return house.request("GET", path, query, reader=reader)


def assert_twins(twins: Twins, path: str, options: dict[str, str]) -> None:
    for reader in OUTSIDERS:
        one, other = (ask(house, path, options, reader) for house in twins)
        assert one.status == other.status < 500
        if one.status == 200 and ADDED_UP.search(options.get("apply", "")):
            assert_twin_sums(one, other)
        else:
            assert (dict(one.headers), bytes(one.body)) == (dict(other.headers), bytes(other.body))
        assert CANARY.encode() not in one.body
        assert b"987654" not in one.body


ADDED_UP = re.compile(r" with (?:sum|average) as ")


def assert_twin_sums(one: Response, other: Response) -> None:
    """PostgreSQL adds up in the order in which its plan meets the rows, which rows that are not shown may change: the
    last digits of a sum may differ, and with them the tag, which is a digest of the body. Nothing else may."""
    headers, other_headers = ({**answer.headers, "ETag": ""} for answer in (one, other))
    assert headers == other_headers
    assert alike(msgspec.json.decode(one.body), msgspec.json.decode(other.body), sums=True)


def test_the_insider_does_see_it(twins: Twins) -> None:
    for name in ("Things", "Datastreams", "Observations", "Locations", "Sensors", "FeaturesOfInterest"):
        plain, secret = (ask(house, name, {"count": "true", "top": "1000"}, INSIDER) for house in twins)
        counts = [msgspec.json.decode(answer.body)["@iot.count"] for answer in (plain, secret)]
        assert counts[0] < counts[1], name


LISTS: tuple[Callable[[str], dict[str, str]], ...] = (
    lambda name: {"count": "true", "top": "1000"},
    lambda name: {"top": "3", "count": "true", "orderby": "id desc"},
    lambda name: {"top": "0", "count": "true"},
    lambda name: {"skip": "1", "top": "2"},
    lambda name: {"filter": f"contains(name,'{CANARY}')", "count": "true"},
    lambda name: {"select": "id"},
)


@pytest.mark.parametrize("name", SETS.values())
def test_sets(twins: Twins, name: str) -> None:
    for options in LISTS:
        assert_twins(twins, name, options(name))


FORMATS = ("dataArray", "CSV", "GeoJSON", "geojson", "flat")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", ["Things", "Datastreams", "Observations", "Locations", "FeaturesOfInterest"])
def test_formats(twins: Twins, name: str, form: str) -> None:
    assert_twins(twins, name, {"resultFormat": form, "top": "1000"})


WEAVES = {
    "Things": ["Datastreams($count=true;$top=50)", "Locations($expand=Things)", "HistoricalLocations",
               "Datastreams($expand=Observations($count=true;$top=100;$orderby=result desc),Sensor,ObservedProperty)"],
    "Sensors": ["Datastreams($count=true)"],
    "ObservedProperties": ["Datastreams($count=true;$expand=Thing)"],
    "FeaturesOfInterest": ["Observations($count=true;$expand=Datastream)"],
    "Datastreams": ["Thing($expand=Datastreams($count=true))", "Observations($top=1;$orderby=phenomenonTime desc)"],
    "Observations": ["Datastream($expand=Thing($expand=Datastreams($count=true)))", "FeatureOfInterest"],
    "Locations": ["Things($expand=Datastreams($count=true))"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "expand"), [(name, expand) for name, many in WEAVES.items() for expand in many])
def test_expansions(twins: Twins, name: str, expand: str) -> None:
    assert_twins(twins, name, {"expand": expand, "top": "1000"})


PATHS = {
    "Things": ["Datastreams/name eq 'a'", f"Datastreams/Observations/result eq '{CANARY}'", "Locations/name ne null",
               f"Datastreams/Sensor/name eq '{CANARY}'", "Datastreams/Observations/result eq 987654",
               "not (Datastreams/Observations/result eq 987654)", "Datastreams/properties/a ne null"],
    "ObservedProperties": [f"Datastreams/properties/a eq '{CANARY}'", "Datastreams/Observations/result gt 900000",
                           f"Datastreams/Thing/name eq '{CANARY}'"],
    "FeaturesOfInterest": ["Observations/result eq 987654", f"Observations/Datastream/Thing/name eq '{CANARY}'"],
    "Observations": [f"Datastream/Thing/Datastreams/Sensor/name eq '{CANARY}'",
                     "Datastream/Thing/Datastreams/Observations/result eq 987654"],
    "Datastreams": ["Thing/Datastreams/Observations/result eq 987654", f"Thing/Datastreams/name eq '{CANARY}'",
                    "ObservedProperty/Datastreams/Observations/result eq 987654"],
    "Locations": ["Things/Datastreams/Observations/result eq 987654", f"Things/name eq '{CANARY}'",
                  "st_intersects(location,geography'POLYGON((11.2 50,11.4 50,11.4 51,11.2 51,11.2 50))')"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "filter"), [(name, path) for name, many in PATHS.items() for path in many])
def test_filters_over_paths(twins: Twins, name: str, filter: str) -> None:
    assert_twins(twins, name, {"filter": filter, "count": "true"})


SUMS = [
    "aggregate($count as n,result with max as m,result with sum as s,Datastream/id with countdistinct as d)",
    "groupby((Datastream/Thing/id),aggregate($count as n))",
    "groupby((Datastream/ObservedProperty/name),aggregate($count as n,result with max as m))",
    "groupby((bucket(phenomenonTime,duration'PT1H','UTC') as g),aggregate($count as n,result with min as m))",
    "filter(result gt 900000)/aggregate($count as n)",
]


@pytest.mark.parametrize("apply", SUMS)
def test_sums(twins: Twins, apply: str) -> None:
    assert_twins(twins, "Observations", {"apply": apply})


LEADS = [
    "Things('t0')/Datastreams", "Things('t0')/Datastreams/$ref", "Things('t0')/Datastreams/$latest",
    "Datastreams/$latest", "Things('t1')/Datastreams('hidden2')", "Things('t0')/Datastreams('hidden1')/Observations",
    "Sensors('hs')", "Sensors('hs')/Datastreams", "Locations('hidden-place')/Things", "Observations(500000)",
    "FeaturesOfInterest('yard')/Observations", "FeaturesOfInterest('yard')/Observations(600000)",
    "Observations(600000)",
    "Observations(600000)/FeatureOfInterest", "Things('hidden')/name", "Things('hidden')/name/$value", "",
    "Datastreams('hidden0')/Thing/Datastreams", "Things('t0')/Locations", "Things('hidden')/HistoricalLocations", "api",
]  # fmt: skip


@pytest.mark.parametrize("path", LEADS)
def test_addresses(twins: Twins, path: str) -> None:
    assert_twins(twins, path, {})


@pytest.mark.parametrize("path", [path for path in LEADS if "hid" in path or "00000" in path or "hs" in path])
def test_what_is_hidden_is_refused_in_the_words_of_what_is_absent(twins: Twins, path: str) -> None:
    absent = path
    for name, other in (("hidden-place", "absent-place"), ("hidden", "absent"), ("500000", "700000"), ("hs", "as")):
        absent = absent.replace(name, other)
    hidden, gone = (ask(twins[1], each, {}) for each in (path, absent.replace("600000", "800000")))
    assert (hidden.status, bytes(hidden.body)) == (gone.status, bytes(gone.body))


@pytest.mark.parametrize(
    "path",
    [
        "Things('hidden')",
        "Things('hidden')/Datastreams",
        "Datastreams('hidden1')/Observations",
        "Observations(500000)",
        "Things('t0')/Datastreams('hidden1')",
    ],
)
def test_what_is_hidden_runs_the_statements_of_what_is_absent(tmp_path: Path, path: str) -> None:
    """Else the time that an answer takes would tell."""
    connections = PlainConnections(tmp_path / "commons.sqlite3")
    store = SqliteStore(connections)
    store.put_datasets(DATASETS)
    house = House(store, FaceLimits(bounds=AHEAD))
    furnish(house)
    store.append(batch(Series(stream="garage~free", times=[NOW], results=[3])))
    create(store, "FeatureOfInterest", feature(**{"@iot.id": "yard"}))
    hide(house)
    ran: list[list[str]] = []
    for each in (path, path.replace("hidden", "absent").replace("500000", "700000")):
        ran.append([])
        connections.raw().set_trace_callback(ran[-1].append)
        assert ask(house, each, {}).status == 404
        connections.raw().set_trace_callback(None)
    hidden, absent = ran
    assert hidden
    assert [line.replace("hidden", "absent").replace("500000", "700000") for line in hidden] == absent


many = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


@many
@given(asked=questions())
def test_any_question(twins: Twins, asked: tuple[str, dict[str, str]]) -> None:
    assert_twins(twins, *asked)


@many
@given(asked=aggregations())
def test_any_sum(twins: Twins, asked: tuple[str, dict[str, str]]) -> None:
    assert_twins(twins, *asked)
