"""A house that speaks SensorThings, without a web around it: the face itself over a real store."""

from typing import Any
from urllib.parse import quote, unquote

import msgspec

from allmende.domain import times
from allmende.domain.face import FaceLimits, Request, Response
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.store import Store
from allmende.faces.sensorthings.face import answer
from tests.support import DATASETS, ENGINES

ROOT = "https://city.example/sta/v1.1"
NOW = times.parse_instant("2024-04-30T12:00:00Z")
WRITER = Reader(name="user:anna", may_write=True)
GEOJSON = "application/geo+json"
SETS = {
    "Thing": "Things",
    "Location": "Locations",
    "HistoricalLocation": "HistoricalLocations",
    "Datastream": "Datastreams",
    "MultiDatastream": "MultiDatastreams",
    "Sensor": "Sensors",
    "ObservedProperty": "ObservedProperties",
    "Observation": "Observations",
    "FeatureOfInterest": "FeaturesOfInterest",
    "TaskingCapability": "TaskingCapabilities",
    "Task": "Tasks",
    "Actuator": "Actuators",
    "Party": "Parties",
    "License": "Licenses",
    "Campaign": "Campaigns",
    "Project": "Projects",
    "ObservationGroup": "ObservationGroups",
    "Relation": "Relations",
}

EMPTY = ("MultiDatastreams", *list(SETS.values())[9:])
"""Sets of which the town has nothing: extensions have tests of their own."""


class House:
    """Asks as a client would: by address, with encoded options."""

    def __init__(self, store: Store, limits: FaceLimits | None = None) -> None:
        self.store = store
        self.limits = limits or FaceLimits()
        self.now = NOW

    def request(
        self,
        method: str,
        path: str,
        query: str = "",
        *,
        reader: Reader = ANONYMOUS,
        body: Any = None,
        content_type: str = "application/json",
        if_match: str = "",
        if_none_match: str = "",
        prefer: str = "",
        accept: str = "",
    ) -> Response:
        """One request. ``path`` and ``query`` are as they stand in an address; ``body`` is JSON or bytes."""
        return answer(
            Request(
                method=method,
                path=unquote(path),
                query=query,
                root=ROOT,
                reader=reader,
                now=self.now,
                body=body if isinstance(body, bytes) else msgspec.json.encode(body),
                content_type=content_type,
                if_match=if_match,
                if_none_match=if_none_match,
                prefer=prefer,
                accept=accept,
            ),
            self.store,
            self.limits,
        )

    def get(self, path: str, status: int = 200, **options: str) -> Any:
        """The JSON of an answer; options without their ``$``."""
        query = "&".join(f"${name}={quote(value)}" for name, value in options.items())
        response = self.request("GET", path, query)
        assert response.status == status, response.body
        return msgspec.json.decode(response.body) if response.body else None

    def follow(self, link: str) -> Any:
        """The JSON behind a link that the house gave."""
        assert link.startswith(f"{ROOT}/")
        path, _, query = link.removeprefix(f"{ROOT}/").partition("?")
        response = self.request("GET", path, query)
        assert response.status == 200, (link, response.body)
        return msgspec.json.decode(response.body)

    def pages(self, page: Any) -> list[Any]:
        """All entities from a page on."""
        found = list(page["value"])
        while "@iot.nextLink" in page:
            page = self.follow(page["@iot.nextLink"])
            assert page["value"]
            found += page["value"]
        return found

    def error(self, path: str, status: int = 400, **options: str) -> str:
        """The message of a refusal."""
        answered = self.get(path, status, **options)
        assert (answered["code"], answered["type"]) == (status, "error")
        return str(answered["message"])

    def post(self, path: str, body: Any, *, reader: Reader = WRITER) -> str:
        """Create; gives the link to the new entity."""
        response = self.request("POST", path, reader=reader, body=body)
        assert response.status == 201, response.body
        assert msgspec.json.decode(response.body)["@iot.selfLink"] == response.headers["Location"]
        return response.headers["Location"]

    def change(self, path: str, body: Any, method: str = "PATCH", **more: Any) -> Any:
        """Change one entity; gives it as it is then, after a look that it really is."""
        response = self.request(method, path, reader=WRITER, body=body, **more)
        assert response.status == 200, response.body
        assert msgspec.json.decode(response.body) == self.get(path)
        return msgspec.json.decode(response.body)

    def patch(self, path: str, *operations: Any) -> Any:
        """The same by a JSON Patch."""
        return self.change(path, list(operations), content_type="application/json-patch+json")

    def unchanged(
        self, method: str, path: str, body: Any = None, status: int = 400, *, query: str = "", **more: Any
    ) -> str:
        """Try to change or delete; gives the message, after a look that nothing is different."""
        before = [self.get(name, top="1000") for name in SETS.values()]
        response = self.request(method, path, query, body=body, **{"reader": WRITER, **more})
        assert response.status == status, response.body
        assert [self.get(name, top="1000") for name in SETS.values()] == before
        return str(msgspec.json.decode(response.body)["message"])

    def delete(self, path: str, query: str = "") -> Any:
        """Delete; gives the answer's JSON, None where there is none."""
        response = self.request("DELETE", path, query, reader=WRITER)
        assert response.status == 200, response.body
        return msgspec.json.decode(response.body) if response.body else None

    def refuse(self, path: str, body: Any, status: int = 400, *, reader: Reader = WRITER) -> str:
        """Try to create; gives the message, after a look that nothing was created."""
        before = self.census()
        response = self.request("POST", path, reader=reader, body=body)
        assert response.status == status, response.body
        assert self.census() == before
        return str(msgspec.json.decode(response.body)["message"])

    def census(self) -> dict[str, int]:
        """How many there are of each."""
        return {name: self.get(name, top="0", count="true")["@iot.count"] for name in SETS.values()}


def open_house(folder: Any, limits: FaceLimits | None = None, engine: str = "sqlite") -> House:
    """An empty house on one of the engines."""
    store = ENGINES[engine](folder)
    store.put_datasets(DATASETS)
    return House(store, limits)


# --- bodies ---


def thing(**more: Any) -> dict[str, Any]:
    return {"name": "Garage", "description": "A garage", **more}


def location(lon: float = 11.58, **more: Any) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [lon, 50.92]}
    return {"name": "Here", "description": "here", "encodingType": GEOJSON, "location": point, **more}


def sensor(**more: Any) -> dict[str, Any]:
    return {"name": "Loop", "description": "in the ground", "encodingType": "text/plain", "metadata": "none", **more}


def observed_property(**more: Any) -> dict[str, Any]:
    return {"name": "Free", "description": "free spaces", "definition": "https://example.org/free", **more}


def feature(lon: float = 11.58, **more: Any) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [lon, 50.92]}
    return {"name": "Yard", "description": "yard", "encodingType": GEOJSON, "feature": point, **more}


def datastream(**more: Any) -> dict[str, Any]:
    """Without its Thing."""
    return {
        "name": "Free spaces",
        "description": "free spaces of the garage",
        "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Observation",  # takes any result
        "unitOfMeasurement": {"name": "spaces", "symbol": "{space}", "definition": "https://example.org/unit"},
        "Sensor": sensor(),
        "ObservedProperty": observed_property(),
        **more,
    }


def multi_datastream(**more: Any) -> dict[str, Any]:
    """Wind: direction, speed and whether it blows at all; without its Thing."""
    om = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_"
    return {
        "name": "Wind",
        "description": "wind at the mast",
        "observationType": f"{om}ComplexObservation",
        "multiObservationDataTypes": [f"{om}Measurement", f"{om}Measurement", f"{om}TruthObservation"],
        "unitOfMeasurements": [
            {"name": "degree", "symbol": "deg", "definition": "https://example.org/deg"},
            {"name": "metre per second", "symbol": "m/s", "definition": "https://example.org/m/s"},
            {"name": None, "symbol": None, "definition": None},
        ],
        "Sensor": sensor(),
        "ObservedProperties": [observed_property(name=name) for name in ("direction", "speed", "blows")],
        **more,
    }


def observation(result: Any, minute: int = 0, **more: Any) -> dict[str, Any]:
    return {"result": result, "phenomenonTime": f"2024-04-30T10:{minute:02}:00Z", **more}
