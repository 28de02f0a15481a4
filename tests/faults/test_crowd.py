"""Sixty-four clients write and read at once, over HTTP, at a house as it is served: nobody is refused, nothing lost."""

import http.client
import json
import threading
from collections import Counter
from typing import Any

import pytest

from tests.homes import migrated_database

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("serve")]
CLIENTS, ROUNDS = 64, 3


class Client:
    """One connection, kept open."""

    def __init__(self, port: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=120)
        self.refused: list[str] = []

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        text = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        self._connection.request(method, f"/sta/v1.1/{path}", text, headers)
        answer = self._connection.getresponse()
        said = answer.read().decode()
        if answer.status not in (200, 201):
            self.refused.append(f"{method} {path}: {answer.status} {said[:300]}")
        return json.loads(said) if said else None


def thing(name: str) -> dict[str, Any]:
    return {
        "@iot.id": name,
        "name": name,
        "description": name,
        "Locations": [
            {
                "name": name,
                "description": name,
                "encodingType": "application/geo+json",
                "location": {"type": "Point", "coordinates": [11.5, 50.9]},
            }
        ],
        "Datastreams": [
            {
                "@iot.id": f"{name}~s",
                "name": name,
                "description": name,
                "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
                "unitOfMeasurement": {"name": "n", "symbol": "s", "definition": "https://example.org/u"},
                "Sensor": {"name": name, "description": name, "encodingType": "text/plain", "metadata": "m"},
                "ObservedProperty": {"name": name, "definition": "https://example.org/o", "description": name},
            }
        ],
    }


def work(client: Client, number: int) -> None:
    """Its own thing, and one stream that all write to."""
    name = f"crowd-{number}"
    client.ask("POST", "Things", thing(name))
    for turn in range(ROUNDS):
        moment = f"2024-01-01T{number // 60:02d}:{number % 60:02d}:{turn:02d}Z"
        for stream in (f"{name}~s", "shared~s"):
            client.ask("POST", f"Datastreams('{stream}')/Observations", {"result": turn, "phenomenonTime": moment})
        client.ask("GET", "Datastreams('shared~s')?$expand=Observations($top=5;$orderby=phenomenonTime%20desc)")
        client.ask("PATCH", "Things('shared')", {"description": f"{number} {turn}"})
        client.ask("GET", f"Things('{name}')?$expand=Datastreams,Locations")
    client.ask("DELETE", f"Datastreams('{name}~s')")


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_crowd_is_served(make: Any, engine: str) -> None:
    more = {"ALLMENDE_DATABASE_URL": migrated_database()} if engine == "postgres" else {}
    house = make(ALLMENDE_ANONYMOUS_WRITES="yes", ALLMENDE_RATE_LIMIT="0", ALLMENDE_WRITE_WAIT="60", **more).start()
    house.wait_for("Allmende is ready")
    clients = [Client(house.environ["PORT"]) for _ in range(CLIENTS)]
    clients[0].ask("POST", "Things", thing("shared"))
    surprises: list[BaseException] = []

    def work_on(client: Client, number: int) -> None:
        try:
            work(client, number)
        except BaseException as error:
            surprises.append(error)

    threads = [threading.Thread(target=work_on, args=pair) for pair in zip(clients, range(CLIENTS), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert surprises == []
    assert [line for client in clients for line in client.refused] == []
    kept = clients[0].ask("GET", "Datastreams('shared~s')/Observations?$top=1000&$count=true")
    assert kept["@iot.count"] == CLIENTS * ROUNDS
    assert Counter(row["result"] for row in kept["value"]) == dict.fromkeys(range(ROUNDS), CLIENTS)
    assert clients[0].ask("GET", "Things?$count=true&$top=1&$filter=startswith(id,'crowd-')")["@iot.count"] == CLIENTS
    assert "locked" not in "\n".join(house.lines)
    house.stop()
