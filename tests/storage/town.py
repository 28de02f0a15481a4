"""A small town of odd values, in the store and as plain Python, for properties of questions."""

from typing import Any, NamedTuple

from allmende.domain import times
from allmende.domain.store import Store
from tests.support import create

NAMES = ["alpha", "Alpha", "älpha", "b", "b", "", "z'z", "%", "_", "😀", "\uffff"]
VALUES: list[Any] = [None, 1, 1.0, 1.5, -3, 2**53 + 1, True, False, "1", "", "b", "B", [1, 2], {"k": 1}, "absent"]
BASE = times.parse_instant("2024-01-01T00:00:00Z")


class Town(NamedTuple):
    """Entities as dictionaries: attributes by name, relations as the dictionaries themselves."""

    things: list[dict[str, Any]]
    streams: list[dict[str, Any]]
    observations: list[dict[str, Any]]

    def __repr__(self) -> str:
        """Short: each entity holds all that it is related to."""
        return "Town(…)"


def _properties(number: int) -> dict[str, Any] | None:
    if number % 7 == 6:
        return None
    value = VALUES[number % len(VALUES)]
    return {"n": number} if value == "absent" else {"a": value, "list": [value, {"b": number % 3}], "n": number}


def build(store: Store) -> Town:
    """Fill the store; gives what is in it."""
    town = Town([], [], [])
    for number in range(15):
        body: dict[str, Any] = {
            "name": NAMES[number % len(NAMES)],
            "description": f"d{number % 2}",
            "@iot.id": f"t{number}",
        }
        if _properties(number) is not None:
            body["properties"] = _properties(number)
        create(store, "Thing", body)
        town.things.append({**body, "id": body["@iot.id"], "Datastreams": []})
    for number in range(10):
        _build_stream(store, town, number)
    for number in range(90):
        _build_observation(store, town, number)
    return town


def _build_stream(store: Store, town: Town, number: int) -> None:
    thing = town.things[number % 6]
    body: dict[str, Any] = {
        "name": NAMES[(number * 3) % len(NAMES)],
        "description": "d",
        "@iot.id": f"s{number}",
        "observationType": "any",
        "unitOfMeasurement": {"name": "u", "symbol": "1", "definition": ""},
    }
    related = {
        "Thing": {"@iot.id": thing["id"]},
        "Sensor": {"name": f"S{number % 3}", "description": "s", "encodingType": "text/plain", "metadata": None},
        "ObservedProperty": {"name": "P", "description": "p", "definition": "https://example.org/p"},
    }
    create(store, "Datastream", {**body, **related})
    stream = {**body, **related, "id": f"s{number}", "Thing": thing, "Observations": []}
    thing["Datastreams"].append(stream)
    town.streams.append(stream)


def _build_observation(store: Store, town: Town, number: int) -> None:
    stream = town.streams[(number * number) % 8]
    value = VALUES[(number * 5) % len(VALUES)]
    start = BASE + (number * 37 % 20) * times.MINUTE
    end = start + (number % 4) * times.MINUTE if number % 3 == 0 else None
    when = BASE + (number % 5) * times.HOUR if number % 4 else None
    body = {
        "result": value,
        "phenomenonTime": times.format_interval(start, end),
        "resultTime": times.format_instant(when) if when is not None else None,
        "parameters": {"a": value},
    }
    created = create(store, "Observation", body, links={"Datastream": stream["id"]}).created
    observation = {
        "id": created[-1][1],
        "result": value,
        "phenomenonTime": (start, end),
        "resultTime": None if when is None else (when, None),
        "parameters": {"a": value},
        "Datastream": stream,
    }
    stream["Observations"].append(observation)
    town.observations.append(observation)
