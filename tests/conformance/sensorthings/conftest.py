"""Two houses: an empty one for each test, and one that is furnished and only read."""

from pathlib import Path

import pytest

from tests.conformance.sensorthings.house import (
    House,
    datastream,
    feature,
    location,
    observation,
    observed_property,
    open_house,
    sensor,
    thing,
)
from tests.support import ENGINES


@pytest.fixture(params=sorted(ENGINES))
def house(request: pytest.FixtureRequest, tmp_path: Path) -> House:
    """An empty house."""
    return open_house(tmp_path, engine=request.param)


@pytest.fixture(scope="package", params=sorted(ENGINES))
def town(request: pytest.FixtureRequest) -> House:
    """Three garages with two streams each; the first stream has 25 readings, the others three. Read only."""
    made: House = request.getfixturevalue(f"{request.param}_town")
    return made


# One fixture each: of one with parameters pytest forgets the one when it comes to the other, in every file anew.


@pytest.fixture(scope="session")
def sqlite_town(tmp_path_factory: pytest.TempPathFactory) -> House:
    return _furnished(open_house(tmp_path_factory.mktemp("town"), engine="sqlite"))


@pytest.fixture(scope="session")
def postgres_town(tmp_path_factory: pytest.TempPathFactory) -> House:
    return _furnished(open_house(tmp_path_factory.mktemp("town"), engine="postgres"))


def _furnished(made: House) -> House:
    made.post("Sensors", sensor(**{"@iot.id": "loop"}))
    made.post("ObservedProperties", observed_property(**{"@iot.id": "free"}))
    made.post("FeaturesOfInterest", feature(**{"@iot.id": "yard"}))
    links = {"Sensor": {"@iot.id": "loop"}, "ObservedProperty": {"@iot.id": "free"}}
    for number in range(3):
        place = location(11 + number, **{"@iot.id": f"place{number}"})
        streams = []
        for kind in ("free", "state"):
            many = 25 if (number, kind) == (0, "free") else 3
            readings = [
                observation(10 * i, i, resultTime=None if i % 2 else "2024-04-30T11:00:00Z") for i in range(many)
            ]
            more = {"@iot.id": f"garage{number}~{kind}", "Observations": readings, **links}
            streams.append(datastream(name=f"{kind} of {number}", properties={"kind": kind}, **more))
        facts = {"zone": number % 2, "levels": [1, {"name": "roof"}], "open": number == 0}
        garage = thing(name=f"Garage {number}", properties=facts, Locations=[place], Datastreams=streams)
        made.post("Things", {**garage, "@iot.id": f"garage{number}"})
    return made
