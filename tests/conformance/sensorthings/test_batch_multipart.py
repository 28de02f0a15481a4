"""req/batch-request/batch-request, as multipart/mixed (18-088, 11.2)."""

from email import message_from_bytes
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from allmende.domain.errors import LostRace
from allmende.domain.face import FaceLimits, Request, Response
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.faces.sensorthings.face import answer, answer_batch
from tests.conformance.sensorthings.house import (
    ROOT,
    WRITER,
    House,
    datastream,
    feature,
    location,
    observation,
    open_house,
    thing,
)
from tests.support import ENGINES


def part(request: str, body: Any = None, content_id: str = "", **headers: str) -> str:
    """A part of the batch: a request in application/http."""
    named = f"Content-ID: {content_id}\r\n" if content_id else ""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    text = "" if body is None else msgspec.json.encode(body).decode()
    kind = "" if "Content_Type" in headers else "Content-Type: application/json\r\n"
    return f"Content-Type: application/http\r\n{named}\r\n{request} HTTP/1.1\r\n{kind}{more}\r\n{text}"


def changes(*parts: str, boundary: str = "inner") -> str:
    """A change set."""
    return f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n{multipart(boundary, *parts)}'


def multipart(boundary: str, *parts: str) -> str:
    return "".join(f"--{boundary}\r\n{one}\r\n" for one in parts) + f"--{boundary}--\r\n"


def send(house: House, *parts: str, reader: Reader = WRITER, prefer: str = "", raw: bytes | None = None) -> Response:
    body = multipart("outer", *parts).encode() if raw is None else raw
    kind = "multipart/mixed; boundary=outer"
    return house.request("POST", "$batch", reader=reader, body=body, content_type=kind, prefer=prefer)


def answers(response: Response) -> list[Any]:
    """(status, JSON) for each part, (Content-ID, status, JSON) within a list for a change set."""
    assert response.status == 200, response.body
    message = message_from_bytes(f"Content-Type: {response.content_type}\r\n\r\n".encode() + response.body)
    return [_answer(one) for one in message.get_payload()]


def _answer(message: Any) -> Any:
    if message.get_content_type() == "multipart/mixed":
        return [(inner["Content-ID"], *_answer(inner)) for inner in message.get_payload()]
    assert message.get_content_type() == "application/http"
    head, _, body = message.get_payload(decode=True).partition(b"\r\n\r\n")
    version, status, _ = head.split(b" ", 2)
    assert version == b"HTTP/1.1"
    return int(status), msgspec.json.decode(body) if body.strip() else None


def test_parts_in_their_order(house: House) -> None:
    told = answers(
        send(
            house,
            part("POST Things", thing(**{"@iot.id": "a"})),
            part("GET Things('a')?$select=name"),
            part("PATCH Things('a')", {"name": "Other"}),
            part("GET Things?$filter=name eq 'Other'&$count=true"),
            part("DELETE Things('a')"),
            part("GET Things('a')"),
        )
    )
    assert [status for status, _ in told] == [201, 200, 200, 200, 200, 404]
    assert told[1][1] == {"name": "Garage"}
    assert told[3][1]["@iot.count"] == 1


def test_parts_outside_of_change_sets_are_independent(house: House) -> None:
    told = answers(send(house, part("POST Things", {"name": 5}), part("POST Things", thing()), part("GET Nothing")))
    assert [status for status, _ in told] == [400, 201, 404]
    assert house.census()["Things"] == 1
    told = answers(
        send(house, part("POST Things", {}), part("POST Things", thing()), prefer="odata.continue-on-error=false")
    )
    assert [status for status, _ in told] == [400]
    assert house.census()["Things"] == 1


def test_a_change_set_takes_effect_together(house: House) -> None:
    told = answers(
        send(
            house,
            changes(
                part("POST Things", thing(Locations=[location()]), "1"),
                part("POST $1/Datastreams", datastream(), "stream"),
                part("POST Observations", observation(5, Datastream={"@iot.id": "$stream"}), "o"),
                part("PATCH $1", {"name": "Named"}),
            ),
            part("GET Things?$expand=Datastreams($expand=Observations)"),
        )
    )
    assert [(name, status) for name, status, _ in told[0]] == [("1", 201), ("stream", 201), ("o", 201), (None, 200)]
    found = told[1][1]["value"][0]
    assert (found["name"], found["Datastreams"][0]["Observations"][0]["result"]) == ("Named", 5)


@pytest.mark.parametrize("place", range(4))
def test_a_change_set_that_fails_leaves_nothing(house: House, place: int) -> None:
    house.post("Things", thing(**{"@iot.id": "t", "Datastreams": [datastream(**{"@iot.id": "d"})]}))
    before = house.census(), house.store.newest_change(), house.get("Things('t')")
    parts = [
        part("POST Datastreams('d')/Observations", observation(1)),
        part("PATCH Things('t')", {"name": "Changed"}),
        part("POST Things", thing(Locations=[location()])),
    ]
    parts.insert(place, part("POST Datastreams('d')/Observations", observation(1, FeatureOfInterest={"@iot.id": "no"})))
    told = answers(send(house, changes(*parts), part("POST Locations", location())))
    assert [status for status, _ in told] == [400, 201]
    assert "FeatureOfInterest" in told[0][1]["message"]
    after = house.census(), house.store.newest_change(), house.get("Things('t')")
    assert after[1:] == before[1:]
    assert after[0] == {**before[0], "Locations": 1}
    assert [c.count for c in house.store.changes(0, 10)] == []


@pytest.mark.parametrize(
    "address",
    [
        "$new/Datastreams",
        "/$new/Datastreams",
        "%24new/Datastreams",
        "/sta/v1.1/$new/Datastreams",
        "/v1.1/$new/Datastreams",
        f"{ROOT}/$new/Datastreams",
        f"{ROOT.upper().replace('/STA/V1.1', '/sta/v1.1')}/%24new/Datastreams",
        "Things($new)/Datastreams",
        "Things('$new')/Datastreams",
        "./Things($new)/Datastreams",
    ],
)
def test_references_in_addresses(house: House, address: str) -> None:
    told = answers(
        send(
            house,
            changes(
                part("POST Things", thing(**{"@iot.id": "it's /a%b"}), "new"),
                part(f"POST {address}", datastream()),
            ),
        )
    )
    assert [status for _, status, _ in told[0]] == [201, 201]
    assert house.get("Datastreams", expand="Thing")["value"][0]["Thing"]["@iot.id"] == "it's /a%b"


def test_references_in_bodies(house: House) -> None:
    stream = datastream(Thing={"@iot.id": "$t"}, name="$t", properties={"id": "$t"})
    rows = {
        "Datastream": {"@iot.id": "$d"},
        "components": ["result", "FeatureOfInterest/id"],
        "dataArray": [["$f", "$f"]],
    }
    told = answers(
        send(
            house,
            changes(
                part("POST Things", thing(), "t"),
                part("POST FeaturesOfInterest", feature(), "f"),
                part("POST Datastreams", stream, "d"),
                part("POST CreateObservations", [rows]),
                part("POST Observations", observation("$t", Datastream={"@iot.id": "$unknown"})),
            ),
            changes(
                part("POST Things", thing(), "t"),
                part("POST FeaturesOfInterest", feature(), "f"),
                part("POST Datastreams", stream, "d"),
                part("POST CreateObservations", [rows]),
            ),
        )
    )
    assert told[0][0] == 400
    assert [status for _, status, _ in told[1]] == [201] * 4
    shown = house.get("Observations", expand="Datastream,FeatureOfInterest")["value"]
    assert [(o["result"], o["FeatureOfInterest"]["name"]) for o in shown] == [("$f", "Yard")]
    assert (shown[0]["Datastream"]["name"], shown[0]["Datastream"]["properties"]) == ("$t", {"id": "$t"})


def test_what_was_undone_is_not_referred_to(house: House) -> None:
    told = answers(
        send(house, changes(part("POST Things", thing(), "t"), part("GET nothing")), part("POST $t/Datastreams", {}))
    )
    assert [status for status, _ in told] == [404, 400]
    assert "'t'" in told[1][1]["message"]


def test_each_part_has_the_rights_of_the_whole(house: House) -> None:
    told = answers(send(house, part("GET Things"), part("POST Things", thing()), reader=ANONYMOUS))
    assert [status for status, _ in told] == [200, 403]
    told = answers(send(house, changes(part("GET Things"), part("POST Things", thing())), reader=ANONYMOUS))
    assert told[0][0] == 403


def test_headers_of_a_part(house: House) -> None:
    house.post("Things", thing(**{"@iot.id": "t"}))
    tag = house.request("GET", "Things('t')").headers["ETag"]
    patch = [{"op": "replace", "path": "/name", "value": "New"}]
    json_patch = {"Content_Type": "application/json-patch+json"}
    told = answers(
        send(
            house,
            part("PATCH Things('t')", patch, **json_patch, If_Match='"other"'),
            part("PATCH Things('t')", patch, **json_patch, If_Match=tag),
            part("GET Things('t')", If_None_Match=tag),
        )
    )
    assert [status for status, _ in told] == [412, 200, 200]
    assert house.get("Things('t')")["name"] == "New"


def test_no_batch_within_a_batch(house: House) -> None:
    told = answers(send(house, part("POST $batch", {"requests": []}), part("POST %24batch/", {"requests": []})))
    assert [status for status, _ in told] == [400, 400]


def test_other_hosts_are_not_asked(house: House) -> None:
    told = answers(send(house, part("GET https://elsewhere.example/sta/v1.1/Things")))
    assert told[0][0] == 400


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"--outer",
        b"--outer\r\n" + part("POST Things", thing()).encode() + b"\r\n--oute",
        b"--outer\r\n" + part("POST Things", thing()).encode() + b"\r\n",
        multipart("outer", part("POST Things", thing()), "Content-Type: text/plain\r\n\r\nPOST Things").encode(),
        multipart("outer", part("POST Things", thing()), "Content-Type: application/http\r\n\r\nhello").encode(),
        multipart("outer", part("POST Things", thing()), "Content-Type: multipart/mixed\r\n\r\n").encode(),
        multipart("outer", changes(changes(part("POST Things", thing()), boundary="x"))).encode(),
        multipart(
            "outer", part("POST Things", thing()), "Content-Type: multipart/mixed; boundary=i\r\n\r\n--i"
        ).encode(),
        b"--outer\r\nContent-Type: application/http\r\n\r\nPOST \xff HTTP/1.1\r\n\r\n{}\r\n--outer--",
    ],
)
def test_of_a_broken_batch_nothing_is_done(house: House, raw: bytes) -> None:
    assert send(house, raw=raw).status == 400
    assert house.census()["Things"] == 0


def test_line_ends_of_others(house: House) -> None:
    body = multipart("outer", part("POST Things", thing(name="a\nb")), changes(part("POST Things", thing(), "1")))
    told = answers(send(house, raw=body.replace("\r\n", "\n").encode()))
    assert (told[0][0], told[1][0][:2]) == (201, ("1", 201))
    assert answers(send(house, raw=multipart("outer").encode())) == []


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_the_operators_bound(tmp_path: Path, engine: str) -> None:
    house = open_house(tmp_path, FaceLimits(batch_size=2), engine)
    parts = [part("POST Things", thing())] * 3
    response = send(house, parts[0], changes(*parts[1:]))
    assert (response.status, b"ALLMENDE_BATCH_SIZE" in response.body) == (400, True)
    assert house.census()["Things"] == 0
    assert len(answers(send(house, *parts[1:]))) == 2


def test_other_kinds_of_bodies(house: House) -> None:
    for kind, status in (("text/plain", 415), ("multipart/mixed", 400), ("multipart/form-data; boundary=outer", 415)):
        body = multipart("outer", part("GET Things")).encode()
        assert house.request("POST", "$batch", body=body, content_type=kind).status == status


def test_a_thousand_levels_are_refused_quickly(house: House) -> None:
    body = part("POST Things", thing())
    for level in range(1000):
        body = changes(body, boundary=f"b{level}")
    assert send(house, body).status == 400


@pytest.mark.parametrize(("races", "status"), [(2, 201), (9, 503)])
def test_a_change_set_that_lost_a_race_is_run_again(house: House, races: int, status: int) -> None:
    lost = count()

    def run(part: Request) -> Response:
        made = answer(part, house.store, house.limits)
        if part.path == "Locations" and next(lost) < races:
            raise LostRace("two writers stood in each other's way")
        return made

    body = multipart("outer", changes(part("POST Things", thing(), "t"), part("POST Locations", location()))).encode()
    kind = "multipart/mixed; boundary=outer"
    question = Request(
        method="POST", path="$batch", root=ROOT, reader=WRITER, now=house.now, body=body, content_type=kind
    )
    told = answers(answer_batch(question, house.store, house.limits, run))
    assert (told[0][0][1] if status == 201 else told[0][0]) == status
    assert house.census()["Things"] == (1 if status == 201 else 0)


def test_too_many_parts_are_refused_before_they_are_read(house: House) -> None:
    part = "--b\r\nContent-Type: application/http\r\n\r\nGET Things HTTP/1.1\r\n\r\n"
    body = (part * 3 + "--b\r\n\r\nno request\r\n--b--\r\n").encode()
    small = House(house.store, FaceLimits(batch_size=2))
    answer = small.request("POST", "$batch", body=body, content_type="multipart/mixed; boundary=b")
    assert (answer.status, b"ALLMENDE_BATCH_SIZE" in answer.body) == (400, True)
