"""req/batch-request/batch-request, as JSON (OData JSON Format 4.01, 19)."""

from typing import Any

import msgspec
import pytest

from allmende.domain.face import FaceLimits
from tests.conformance.sensorthings.house import WRITER, House, datastream, observation, thing


def send(house: House, *requests: dict[str, Any], prefer: str = "", status: int = 200) -> Any:
    response = house.request("POST", "$batch", reader=WRITER, body={"requests": list(requests)}, prefer=prefer)
    assert response.status == status, response.body
    told = msgspec.json.decode(response.body)
    return told["responses"] if status == 200 else told["message"]


def ask(identifier: str, request: str, body: Any = None, **more: Any) -> dict[str, Any]:
    method, url = request.split(" ", 1)
    made = {"id": identifier, "method": method, "url": url, **more}
    return made if body is None else {**made, "body": body}


def statuses(told: Any) -> list[tuple[str, int]]:
    return [(one["id"], one["status"]) for one in told]


def test_answers_in_their_order(house: House) -> None:
    told = send(
        house,
        ask("0", "post Things", thing()),
        ask("1", "get $0/name"),
        ask("2", "get $0/name/$value"),
        ask("3", "get /sta/v1.1/Things?$count=true&$select=name"),
        ask("4", "get Nothing"),
        ask("5", "patch $0", [{"op": "remove", "path": "/properties"}], headers={"content-type": "text/plain"}),
        ask("6", "delete $0"),
    )
    assert [one["status"] for one in told] == [201, 200, 200, 200, 404, 415, 200]
    assert told[0]["headers"]["location"].endswith("/v1.1/Things(1)")
    assert [told[i]["body"] for i in (1, 2)] == [{"name": "Garage"}, "Garage"]
    assert (told[2]["headers"]["content-type"], told[3]["body"]["@iot.count"]) == ("text/plain; charset=utf-8", 1)
    assert "body" not in told[6]


def test_groups_take_effect_together(house: House) -> None:
    group = {"atomicityGroup": "g"}
    told = send(
        house,
        ask("t", "post Things", thing(**{"@iot.id": "a"}), **group),
        ask("d", "post $t/Datastreams", datastream(), **group),
        ask("o", "post Observations", observation(1, Datastream={"@iot.id": "$d"}), **group),
        ask("read", "get Datastreams?$expand=Thing,Observations"),
    )
    assert statuses(told) == [("t", 201), ("d", 201), ("o", 201), ("read", 200)]
    assert [one.get("atomicityGroup") for one in told] == ["g", "g", "g", None]
    shown = told[3]["body"]["value"][0]
    assert (shown["Thing"]["@iot.id"], shown["Observations"][0]["result"]) == ("a", 1)


def test_a_group_that_fails_leaves_nothing_and_says_so(house: House) -> None:
    group = {"atomicityGroup": "g"}
    told = send(
        house,
        ask("a", "post Things", thing(), **group),
        ask("b", "post Things", thing(name=5), **group),
        ask("c", "post Things", thing(), **group),
        ask("d", "post Things", thing(), dependsOn=["g"]),
        ask("e", "post Things", thing(), dependsOn=["b"]),
        ask("f", "post Things", thing(), dependsOn=["d"]),
        ask("h", "post Things", thing(), atomicityGroup="other"),
        ask("i", "post Things", thing(), dependsOn=["h", "other"]),
    )
    assert [one["status"] for one in told] == [424, 400, 424, 424, 424, 424, 201, 201]
    assert "'b'" in told[0]["body"]["message"]
    assert house.census()["Things"] == 2


def test_stopping_at_the_first_error(house: House) -> None:
    requests = (ask("a", "get Nothing"), ask("b", "post Things", thing()))
    for prefer, many in (
        ("", 2),
        ("continue-on-error", 2),
        ("continue-on-error=true", 2),
        ("continue-on-error=false", 1),
    ):
        assert len(send(house, *requests, prefer=prefer)) == many


def test_what_was_read_is_referred_to(house: House) -> None:
    house.post("Things", thing(**{"@iot.id": "a/b"}))
    told = send(house, ask("x", "get Things('a%2Fb')"), ask("y", "post $x/Datastreams", datastream()))
    assert statuses(told) == [("x", 200), ("y", 201)]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ([], "requests"),
        ({}, "requests"),
        ({"requests": {}}, "requests"),
        ({"requests": [5]}, "requests[0]"),
        ({"requests": [{"id": "1", "url": "Things"}]}, "requests[0].method"),
        ({"requests": [{"id": "1", "method": "get"}]}, "requests[0].url"),
        ({"requests": [{"method": "get", "url": "Things"}]}, "requests[0].id"),
        ({"requests": [ask("1", "get Things", headers={"a": 1})]}, "requests[0].headers"),
        ({"requests": [ask("1", "get Things", dependsOn="1")]}, "requests[0].dependsOn"),
        ({"requests": [ask("1", "get Things", dependsOn=["2"]), ask("2", "get Things")]}, "requests[0].dependsOn"),
        ({"requests": [ask("1", "get Things"), ask("1", "get Things")]}, "requests[1].id"),
        ({"requests": [ask("1", "get Things", **{"if": "$0"})]}, "'if'"),
        (
            {
                "requests": [
                    ask("1", "post Things", thing(), atomicityGroup="g"),
                    ask("2", "get Things"),
                    ask("3", "get Things", atomicityGroup="g"),
                ]
            },
            "requests[2].atomicityGroup",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_whole(house: House, body: Any, word: str) -> None:
    assert word in house.refuse("$batch", body)


def test_numbers_as_ids_and_nothing_at_all(house: House) -> None:
    told = send(house, {"id": 1, "method": "GET", "url": "Things"})
    assert statuses(told) == [("1", 200)]
    assert send(house) == []
    assert house.request("POST", "$batch", body=b"{").status == 400


def test_bounds_and_nesting(house: House) -> None:
    told = send(house, ask("1", "post $batch", {"requests": [ask("1", "post Things", thing())]}))
    assert told[0]["status"] == 400
    house.limits = FaceLimits(batch_size=1)
    assert "ALLMENDE_BATCH_SIZE" in send(house, ask("1", "get Things"), ask("2", "get Things"), status=400)
    assert house.census()["Things"] == 0


def test_only_post(house: House) -> None:
    assert house.request("GET", "$batch").status == 404


def test_a_group_that_only_reads_keeps_no_writer_waiting(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    together = house.store.together
    monkeypatch.setattr(house.store, "together", lambda work: begun.append("transaction") or together(work))
    group = {"atomicityGroup": "g"}
    read, write = ask("a", "get Things", **group), ask("b", "post Things", thing(), **group)
    assert statuses(send(house, read, ask("c", "get Nothing", **group))) == [("a", 424), ("c", 404)]
    body = {"requests": [read, write]}
    told = msgspec.json.decode(house.request("POST", "$batch", body=body).body)["responses"]
    assert statuses(told) == [("a", 424), ("b", 403)]  # who may not write begins none
    assert begun == []
    assert statuses(send(house, read, write)) == [("a", 200), ("b", 201)]
    assert begun == ["transaction"]


def test_too_many_requests_are_refused_before_they_are_read(house: House) -> None:
    small = House(house.store, FaceLimits(batch_size=2))
    told = send(small, *[{"atomicityGroup": str(place)} for place in range(3)], status=400)
    assert "ALLMENDE_BATCH_SIZE" in told
