"""SensorThings over HTTP, through all of the web: tokens, audit log, errors."""

import json
from base64 import b64encode
from typing import Any

import msgspec
import pytest
from django.test import Client
from tests.support import declaration

from allmende.domain.batch import Batch
from allmende.domain.policy import house_reader
from allmende.domain.records import Series
from allmende.web.accounts.models import AuditEntry
from allmende.web.accounts.tokens import create_token
from allmende.web.house import furnish, open_profile, open_store
from allmende.web.sta import disk_floor

THING = {"name": "Bench", "description": "A bench with a sensor"}


@pytest.fixture
def house(db: Any) -> None:
    furnish(open_store(), open_profile())


@pytest.fixture
def token(house: None) -> dict[str, str]:
    _, secret = create_token("bench-maker", actor="test", may_write=True)
    return {"Authorization": f"Bearer {secret}"}


def post(client: Client, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    return client.post(f"/sta/v1.1/{path}", json.dumps(body), content_type="application/json", headers=headers or {})


def test_reading_is_open_and_writing_is_not(client: Client, house: None) -> None:
    assert client.get("/sta/v1.1/Things").json()["value"] == []
    assert post(client, "Things", THING).status_code == 401
    assert post(client, "Things", THING, {"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/sta/v1.1/Things").json()["value"] == []


def test_the_landing_page_answers_with_and_without_a_slash(client: Client, house: None) -> None:
    plain = client.get("/sta/v1.1")
    assert plain.status_code == 200
    assert plain.json() == client.get("/sta/v1.1/").json()


def test_a_page_of_somebody_else_may_read_and_not_write(client: Client, house: None) -> None:
    there = {"Origin": "https://map.example"}
    answer = client.get("/sta/v1.1/Things", headers=there)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    asked = {**there, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    allowed = client.options("/sta/v1.1/Things", headers=asked).headers
    assert "POST" not in allowed["Access-Control-Allow-Methods"]
    assert "authorization" not in allowed["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Origin" not in client.get("/accounts/login/", headers=there).headers


def test_a_page_of_somebody_else_sees_tags_and_links(client: Client, token: dict[str, str]) -> None:
    there = {"Origin": "https://map.example"}
    landing = client.get("/sta/v1.1", headers=there)
    assert {"ETag", "Link", "Location"} <= set(landing.headers["Access-Control-Expose-Headers"].split(", "))
    assert '<http://testserver/sta/v1.1/api>; rel="service-desc"' in landing.headers["Link"]
    address = post(client, "Things", THING, token).headers["Location"]
    tag = client.get(address, headers=there).headers["ETag"]
    wanted = "if-match, if-none-match, content-type"
    asked = {**there, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": wanted}
    allowed = client.options(address, headers=asked).headers
    assert set(wanted.split(", ")) <= set(allowed["Access-Control-Allow-Headers"].split(", "))
    again = client.get(address, headers={**there, "If-None-Match": tag})
    assert (again.status_code, again.headers["Access-Control-Allow-Origin"]) == (304, "*")
    # A mistake can be read there, too.
    assert client.get("/sta/v1.1/Nothing", headers=there).headers["Access-Control-Allow-Origin"] == "*"


def test_who_may_not_write_is_asked_who_it_is(client: Client, house: None) -> None:
    asked = post(client, "Things", THING)
    assert (asked.status_code, asked.json()["code"]) == (401, 401)
    assert "Basic" in asked.headers["WWW-Authenticate"]
    _, secret = create_token("reads-alone", actor="test")
    known = {"Authorization": f"Bearer {secret}"}
    assert post(client, "Things", THING, known).status_code == 403


def test_logging_in_hands_the_token_back(client: Client, house: None) -> None:
    _, secret = create_token("logs-in", actor="test", may_write=True)
    asked = {"grant_type": "password", "username": "anybody", "password": secret}
    granted = client.post("/sta/v1.1/Login", asked).json()
    assert (granted["access_token"], granted["token_type"]) == (secret, "bearer")
    assert post(client, "Things", THING, {"Authorization": f"Bearer {granted['access_token']}"}).status_code == 201
    assert client.post("/sta/v1.1/Login", {**asked, "password": "admin"}).status_code == 401
    assert client.get("/sta/v1.1/Login").status_code == 405


def test_anonymous_writes_are_for_this_machine_alone(client: Client, house: None, settings: Any) -> None:
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, anonymous_writes=True)
    assert post(client, "Things", THING).status_code == 201
    for header, value in {"Origin": "https://evil.example", "X-Forwarded-For": "1.2.3.4", "Via": "proxy"}.items():
        assert post(client, "Things", THING, {header: value}).status_code == 401
    assert post(client, "Things", THING, {"Origin": "http://testserver"}).status_code == 201


def test_a_creation_is_in_the_audit_log(client: Client, token: dict[str, str]) -> None:
    answer = post(client, "Things", THING, token)
    assert answer.status_code == 201
    assert client.get(answer.headers["Location"]).json()["name"] == "Bench"
    entry = AuditEntry.objects.get(action="sensorthings.create")
    assert (entry.actor, entry.object) == ("token:bench-maker", answer.headers["Location"])


def test_changes_and_deletions_are_in_the_audit_log(client: Client, token: dict[str, str]) -> None:
    address = post(client, "Things", THING, token).headers["Location"]
    body = json.dumps({"name": "Stool"})
    tag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    stale = client.patch(address, body, content_type="application/json", headers={**token, "If-Match": '"x"'})
    assert stale.status_code == 412
    done = client.patch(address, body, content_type="application/json", headers={**token, "If-Match": tag})
    assert (done.status_code, done.json()["name"], client.get(address).json()["name"]) == (200, "Stool", "Stool")
    patch = json.dumps([{"op": "replace", "path": "/name", "value": "Bench"}])
    patched = client.patch(address, patch, content_type="application/json-patch+json", headers=token)
    assert patched.json()["name"] == "Bench"
    assert client.put(address, json.dumps(THING), content_type="application/json", headers=token).status_code == 200
    assert client.delete("/sta/v1.1/Observations?$filter=result%20eq%201", headers=token).json() == {"@iot.count": 0}
    assert client.delete(address, headers=token).status_code == 200
    assert client.delete(address, headers=token).status_code == 404
    words = ["change", "change", "change", "delete", "delete"]
    entries = list(AuditEntry.objects.exclude(action="sensorthings.create").filter(action__startswith="sensorthings"))
    assert [e.action for e in reversed(entries)] == [f"sensorthings.{word}" for word in words]
    assert {e.actor for e in entries} == {"token:bench-maker"}
    assert (entries[0].object, entries[1].detail) == (address, {"filter": "$filter=result eq 1"})


def test_observations_change_without_the_audit_log(client: Client, token: dict[str, str]) -> None:
    stream = {
        "name": "d", "description": "d", "observationType": "https://example.org/m", "unitOfMeasurement": {},
        "Thing": THING, "Observations": [{"result": 1}],
        "Sensor": {"name": "s", "description": "s", "encodingType": "text/plain", "metadata": "m"},
        "ObservedProperty": {"name": "p", "description": "p", "definition": "https://example.org/p"},
    }  # fmt: skip
    assert post(client, "Datastreams", stream, token).status_code == 201
    address = client.get("/sta/v1.1/Observations").json()["value"][0]["@iot.selfLink"]
    changed = client.patch(address, '{"result": 2}', content_type="application/json", headers=token)
    assert changed.json()["result"] == 2
    assert client.delete(address, headers=token).status_code == 200
    assert not AuditEntry.objects.filter(action__in=["sensorthings.change", "sensorthings.delete"]).exists()


def test_a_token_writes_where_it_was_granted(client: Client, token: dict[str, str]) -> None:
    told = declaration("garage~free")
    dataset = next(iter(open_profile().datasets))
    open_store().append(
        Batch(
            origin="feed",
            dataset=dataset,
            reader=house_reader("test"),
            received_at=1,
            declarations=[told],
            series=[Series(stream="garage~free", times=[1], results=[5])],
        )
    )
    beside = post(client, "Datastreams('garage~free')/Observations", {"result": 6}, token)
    assert beside.status_code == 403
    assert dataset in beside.json()["message"]
    moved = {"name": "x", "description": "x", "encodingType": "application/geo+json"}
    place = {**moved, "location": {"type": "Point", "coordinates": [11, 50]}, "Things": [{"@iot.id": "garage"}]}
    assert post(client, "Locations", place, token).status_code == 403
    assert client.get("/sta/v1.1/Observations?$count=true").json()["@iot.count"] == 1
    _, secret = create_token("feeder", actor="test", may_write=True, datasets=[dataset])
    granted = {"Authorization": f"Bearer {secret}"}
    assert post(client, "Datastreams('garage~free')/Observations", {"result": 6}, granted).status_code == 201


def test_a_refused_creation_leaves_nothing(client: Client, token: dict[str, str]) -> None:
    broken = {**THING, "Datastreams": [{"name": "x"}]}
    answer = post(client, "Things", broken, token)
    assert answer.status_code == 400
    assert "Datastreams[0]" in answer.json()["message"]
    assert client.get("/sta/v1.1/Things").json()["value"] == []
    assert not AuditEntry.objects.filter(action="sensorthings.create").exists()


def test_ids_with_slashes_and_quotes_resolve_encoded(client: Client, token: dict[str, str]) -> None:
    for name in ("K440~BLN1/1", "it's", "a b", "ö", "a%2Fb", "x(y)z"):
        made = post(client, "Things", {**THING, "@iot.id": name}, token)
        assert made.status_code == 201, made.content
        again = client.get(made.headers["Location"].removeprefix("http://testserver"))
        assert again.json()["@iot.id"] == name
    assert client.get("/sta/v1.1/Things(K440~BLN1%2F1)").json()["@iot.id"] == "K440~BLN1/1"
    assert client.get("/sta/v1.1/Things(K440~BLN1/1)/Datastreams").json() == {"value": []}


def test_mistakes_say_where(client: Client, house: None) -> None:
    answer = client.get("/sta/v1.1/Things?$filter=name%20eq%20Bench")
    assert answer.status_code in (400, 501)
    assert "character 9" in answer.json()["message"]
    assert client.get("/sta/v1.1/Thing").status_code == 404
    assert client.delete("/sta/v1.1/Things(1)").status_code == 401
    assert client.generic("PROPFIND", "/sta/v1.1/Things(1)").status_code == 405


def test_a_disk_below_its_floor_takes_nothing(client: Client, token: dict[str, str], settings: Any) -> None:
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, disk_floor=2**62)
    disk_floor.cache_clear()
    try:
        answer = post(client, "Things", THING, token)
    finally:
        disk_floor.cache_clear()
    assert answer.status_code == 507
    assert "ALLMENDE_DISK_FLOOR" in answer.json()["message"]
    assert client.get("/sta/v1.1/Things").json()["value"] == []


def test_ways_of_writing_an_address_that_clients_have(client: Client, token: dict[str, str]) -> None:
    """As clients of FROST-Server send them."""
    made = post(client, "Things/", {**THING, "@iot.id": "bench"}, token)
    assert (made.status_code, made.headers["Location"]) == (201, "http://testserver/sta/v1.1/Things('bench')")
    numbered = post(client, "Things", {**THING, "@iot.id": "7"}, token)
    assert numbered.headers["Location"] == "http://testserver/sta/v1.1/Things(7)"
    assert post(client, "Things", {**THING, "id": 8}, token).status_code == 201
    for address in ("Things('bench')/", "Things(%27bench%27)", "Things('bench')?", "Things(bench)"):
        assert client.get(f"/sta/v1.1/{address}").json()["@iot.id"] == "bench"
    for address in ("Things(7)", "Things('7')"):
        assert client.get(f"/sta/v1.1/{address}").json()["@iot.id"] == 7
    for query in ("$count=true&$top=0", "%24count=true&%24top=0", "$top=0&$count=true&"):
        assert client.get(f"/sta/v1.1/Things/?{query}").json() == {"@iot.count": 3, "value": []}
    for kind in ("application/json;charset=UTF-8", "application/json; odata.metadata=minimal"):
        patched = client.patch("/sta/v1.1/Things(7)", '{"name": "x"}', content_type=kind, headers=token)
        assert (patched.status_code, patched.json()["name"]) == (200, "x")
    basic = b64encode(f"me:{token['Authorization'].split()[1]}".encode()).decode()
    assert post(client, "Things", THING, {"Authorization": f"Basic {basic}"}).status_code == 201


def batch(client: Client, token: dict[str, str], *requests: dict[str, Any]) -> list[int]:
    answer = post(client, "$batch", {"requests": [{"id": str(n), **r} for n, r in enumerate(requests)]}, token)
    assert answer.status_code == 200
    return [told["status"] for told in answer.json()["responses"]]


@pytest.mark.django_db(transaction=True)
def test_parts_of_a_batch_are_in_the_audit_log_and_those_undone_are_not(client: Client, token: dict[str, str]) -> None:
    good = {"method": "POST", "url": "Things", "body": {**THING, "@iot.id": "kept"}}
    bad = {"method": "POST", "url": "Things", "body": {"name": 5}}
    group = {"atomicityGroup": "g"}
    assert batch(client, token, good, bad) == [201, 400]
    patch = {"method": "PATCH", "url": "Things('kept')", "body": {"name": "Stool"}}
    gone = {"method": "POST", "url": "Things", "body": {**THING, "@iot.id": "undone"}}
    assert batch(client, token, patch | group, gone | group, bad | group) == [424, 424, 400]
    assert client.get("/sta/v1.1/Things('kept')").json()["name"] == THING["name"]
    assert client.get("/sta/v1.1/Things('undone')").status_code == 404
    assert list(AuditEntry.objects.filter(action__startswith="sensorthings").values_list("action", flat=True)) == [
        "sensorthings.create"
    ]
    assert batch(client, token, patch | group, gone | group) == [200, 201]
    assert AuditEntry.objects.filter(action__startswith="sensorthings").count() == 3
    assert batch(client, {}, good) == [403]


def test_data_arrays_are_not_in_the_audit_log(client: Client, token: dict[str, str]) -> None:
    before = AuditEntry.objects.count()
    group = {"Datastream": {"@iot.id": "nobody"}, "components": ["result"], "dataArray": [[1]]}
    told = post(client, "CreateObservations", [group], token)
    assert (told.status_code, told.json()[0][:6]) == (201, "error ")
    assert AuditEntry.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_a_batch_has_no_more_time_than_it_is_given(client: Client, token: dict[str, str], settings: Any) -> None:
    thing = {"method": "POST", "url": "Things", "body": {**THING, "@iot.id": "late"}}
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, batch_seconds=-1.0)
    assert batch(client, token, thing, {"method": "GET", "url": "Things"}, thing | {"atomicityGroup": "g"}) == [400] * 3
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, batch_seconds=60.0)
    assert client.get("/sta/v1.1/Things('late')").status_code == 404
    assert batch(client, token, thing) == [201]


@pytest.mark.django_db(transaction=True)
def test_a_batch_answers_with_no_more_than_there_is_room_for(
    client: Client, token: dict[str, str], settings: Any
) -> None:
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, batch_bytes=1024)
    read, write = {"method": "GET", "url": "api"}, {"method": "POST", "url": "Things", "body": THING}
    assert batch(client, token, write, read, read, write) == [201, 200, 400, 400]
