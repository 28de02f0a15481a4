"""req/request-data/status-code and query-status-code: what cannot be answered says what was wrong, and where."""

import msgspec
import pytest

from allmende.domain import errors
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.faces.sensorthings.face import error_response
from tests.conformance.sensorthings.house import WRITER, House, thing


@pytest.mark.parametrize(
    "query",
    [
        "$colour=1",
        "top=1",
        "$TOP=1",
        "$top=1&$top=2",
        "=1",
        "$",
        "%24nothing=1",
    ],
)
def test_options_that_there_are_not(town: House, query: str) -> None:
    response = town.request("GET", "Things", query)
    assert response.status == 400
    assert "there is no such option" in response.body.decode() or "twice" in response.body.decode()


@pytest.mark.parametrize("query", ["", "&", "&&$top=1&", "%24top=1", "$filter=name%20eq%20'Garage+0'"])
def test_ways_to_write_a_query(town: House, query: str) -> None:
    assert town.request("GET", "Things", query).status == 200


@pytest.mark.parametrize(
    ("path", "option"),
    [
        ("Things('garage0')", "top"),
        ("Things('garage0')", "filter"),
        ("Datastreams('garage0~free')/Thing", "count"),
        ("Things('garage0')/name", "select"),
        ("Things('garage0')/name/$value", "expand"),
    ],
)
def test_options_of_sets_on_one_entity(town: House, path: str, option: str) -> None:
    assert f"${option}" in town.error(path, **{option: "1"})


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidInput("x"), 400),
        (errors.LimitExceeded("x", setting="S"), 400),
        (errors.Forbidden("x"), 403),
        (errors.NotFound("x"), 404),
        (errors.Conflict("x"), 409),
        (errors.StorageError("x"), 500),
        (errors.NotSupported("x"), 501),
        (errors.StorageBusy("x"), 503),
        (errors.StorageFull("x"), 507),
    ],
)
def test_every_error_has_its_status(error: errors.AllmendeError, status: int) -> None:
    response = error_response(error)
    assert (response.status, msgspec.json.decode(response.body)["code"]) == (status, status)
    assert ("Retry-After" in response.headers) == (status == 503)


@pytest.mark.parametrize("reader", [ANONYMOUS, Reader(name="user:eve", datasets=frozenset({"hidden"}))])
def test_to_write_takes_a_right(house: House, reader: Reader) -> None:
    assert "right to write" in house.refuse("Things", thing(), 403, reader=reader)
    assert "right to write" in house.refuse("Nothing", {}, 403, reader=reader)


def test_what_is_posted_where_nothing_can_be_made(house: House) -> None:
    house.post("Things", thing(**{"@iot.id": "a"}))
    for path in ("Things('a')", "Things('a')/name", "Things/$ref"):
        assert house.request("POST", path, reader=WRITER, body=thing()).status == 405
    house.refuse("Cars", {}, 404)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"nonsense", b"\xff\xfe", b"{\"name\":\"\\ud800\"}", b"{\"a\":1e999}", b"[" * 100_000,
        b"{\"a\":" * 3_000 + b"1" + b"}" * 3_000, b"null", b"5", b"[]", b"\"x\"",
    ],
)  # fmt: skip
def test_bodies_that_are_no_entity(house: House, body: bytes) -> None:
    assert house.refuse("Things", body)


def test_a_head_is_answered_like_a_get(town: House) -> None:
    assert town.request("HEAD", "Things").status == 200
    assert town.request("HEAD", "Things('nobody')").status == 404


def test_nothing_is_sent_back_to_who_asks_for_nothing(house: House) -> None:
    minimal = {"reader": WRITER, "prefer": "return=minimal"}
    made = house.request("POST", "Things", body=thing(**{"@iot.id": "t"}), **minimal)
    assert (made.status, made.body, made.headers["Preference-Applied"]) == (201, b"", "return=minimal")
    assert house.follow(made.headers["Location"])["name"] == "Garage"
    changed = house.request("PATCH", "Things('t')", body={"name": "New"}, **minimal)
    assert (changed.status, changed.body) == (204, b"")
    assert house.request("GET", "Things('t')").headers["ETag"] == changed.headers["ETag"]
