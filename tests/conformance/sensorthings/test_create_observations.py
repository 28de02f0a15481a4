"""req/data-array/create-observations (18-088, 12.2): many observations in one request, an answer for each row."""

from typing import Any

import msgspec
import pytest

from allmende.domain import times
from allmende.domain.face import FaceLimits
from allmende.domain.policy import ANONYMOUS, Reader
from tests.conformance.sensorthings.house import (
    ROOT,
    WRITER,
    House,
    datastream,
    feature,
    location,
    multi_datastream,
    thing,
)

COUNT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_CountObservation"


@pytest.fixture
def street(house: House) -> House:
    """Two streams of a thing that stands somewhere; the second one counts."""
    counting = datastream(**{"@iot.id": "cars", "observationType": COUNT})
    streams = [datastream(**{"@iot.id": "air"}), counting]
    house.post("Things", thing(**{"@iot.id": "mast", "Locations": [location()], "Datastreams": streams}))
    house.post("FeaturesOfInterest", feature(12, **{"@iot.id": "crossing"}))
    return house


def send(house: House, *groups: Any, reader: Reader = WRITER, status: int = 201) -> Any:
    response = house.request("POST", "CreateObservations", reader=reader, body=list(groups))
    assert response.status == status, response.body
    return msgspec.json.decode(response.body)


def group(stream: Any, components: list[str], *rows: list[Any]) -> dict[str, Any]:
    return {"Datastream": {"@iot.id": stream}, "components": components, "dataArray": list(rows)}


def minute(number: int) -> str:
    return f"2024-04-30T10:{number:02}:00Z"


def shown(house: House, stream: str, **options: str) -> list[Any]:
    return house.get(f"Datastreams('{stream}')/Observations", **{"orderby": "phenomenonTime", **options})["value"]


def test_a_link_for_each_row_in_its_order(street: House) -> None:
    names = ["phenomenonTime", "result"]
    told = send(
        street,
        {**group("air", names, [minute(2), 1.5], [minute(1), 2]), "dataArray@iot.count": 2},
        group("cars", names, [minute(1), 7]),
    )
    assert [street.follow(link)["result"] for link in told] == [1.5, 2, 7]
    assert all(link.startswith(f"{ROOT}/Observations(") for link in told)
    assert [o["result"] for o in shown(street, "air")] == [2, 1.5]
    assert street.follow(f"{told[2]}/Datastream")["@iot.id"] == "cars"


def test_all_components(street: House) -> None:
    names = [
        "id", "phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters",
        "FeatureOfInterest/id",
    ]  # fmt: skip
    span = f"{minute(1)}/{minute(5)}"
    told = send(
        street,
        group(
            "air",
            names,
            ["mine", span, minute(6), {"a": [1]}, "good", span, {"p": 1}, "crossing"],
            [700, minute(2), None, "x", None, None, None, None],
            [None, None, None, True, {"q": 1}, minute(7), None, "crossing"],
        ),
    )
    assert told[:2] == [f"{ROOT}/Observations('mine')", f"{ROOT}/Observations(700)"]
    first, second, third = (street.follow(f"{link}?$expand=FeatureOfInterest") for link in told)
    assert (first["phenomenonTime"], first["validTime"]) == ("2024-04-30T10:01:00.000Z/2024-04-30T10:05:00.000Z",) * 2
    assert (first["resultTime"], first["result"]) == ("2024-04-30T10:06:00.000Z", {"a": [1]})
    assert (first["resultQuality"], first["parameters"]) == ("good", {"p": 1})
    assert [o["FeatureOfInterest"]["name"] for o in (first, second, third)] == ["Yard", "Here", "Yard"]
    assert (second["result"], second["resultTime"], second.get("resultQuality")) == ("x", None, None)
    assert (third["result"], third["phenomenonTime"]) == (True, "2024-04-30T12:00:00.000Z")


def test_what_the_stream_knows_of_itself_is_true(street: House) -> None:
    names = ["phenomenonTime", "result", "resultTime", "FeatureOfInterest/id"]
    send(
        street,
        group("air", names, [minute(5), 1, minute(9), None], [f"{minute(1)}/{minute(30)}", 2, None, "crossing"]),
        group("air", names, [minute(3), 3, minute(8), None]),
    )
    stream = street.get("Datastreams('air')")
    assert stream["phenomenonTime"] == "2024-04-30T10:01:00.000Z/2024-04-30T10:30:00.000Z"
    assert stream["resultTime"] == "2024-04-30T10:08:00.000Z/2024-04-30T10:09:00.000Z"
    assert stream["observedArea"]["coordinates"][0][0] == [11.58, 50.92]
    latest = next(one for one in street.store.latest(WRITER) if one.stream == "air")
    assert (latest.count, latest.result, latest.start) == (3, 1, times.parse_instant(minute(5)))
    lines = [(c.stream, c.kind, c.count) for c in street.store.changes(0, 10)]
    assert lines == [("air", "append", 2), ("air", "append", 1)]


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ([minute(1)], "2 values"),
        ([minute(1), 1, 1], "2 values"),
        ("row", "2 values"),
        (["yesterday", 1], "phenomenonTime"),
        ([5, 1], "phenomenonTime"),
        (["1799-12-31T00:00:00Z", 1], "phenomenonTime"),
        (["2024-05-02T00:00:00Z", 1], "ALLMENDE_FUTURE_SECONDS"),
        ([minute(1), "many"], "OM_CountObservation"),
        ([minute(1), 1.5], "OM_CountObservation"),
        ([minute(1), 2**64], "64 bits"),
        ([minute(1), "\x00"], "NUL"),
        ([minute(1), ["x" * 300_000]], "ALLMENDE_RESULT_BYTES"),
    ],
)
def test_a_bad_row_keeps_no_other_out(street: House, row: Any, word: str) -> None:
    told = send(street, group("cars", ["phenomenonTime", "result"], [minute(1), 1], row, [minute(3), None]))
    assert told[1].startswith("error ")
    assert word in told[1]
    assert [o["result"] for o in shown(street, "cars")] == [1, None]
    assert [street.follow(told[i])["result"] for i in (0, 2)] == [1, None]


def test_each_row_of_an_unknown_stream_is_an_error(street: House) -> None:
    names = ["result"]
    told = send(street, group("nobody", names, [1], [2]), group("air", names, [3]))
    assert [line.startswith("error ") for line in told] == [True, True, False]
    assert "nobody" in told[0]


def test_features_and_ids_that_cannot_be(street: House) -> None:
    names = ["result", "FeatureOfInterest/id", "@iot.id"]
    told = send(
        street,
        group("air", names, [1, "nowhere", None], [2, None, 9], [3, None, 9], [4, None, "a"], [5, [], None]),
        group("air", names, [6, None, "a"], [7, None, None], [8, None, "9"]),
    )
    assert [line.startswith("error ") for line in told] == [True, False, True, False, True, True, False, True]
    assert [street.follow(told[i])["result"] for i in (1, 3, 6)] == [2, 4, 7]
    assert street.census()["Observations"] == 3


def test_chosen_numbers_and_given_ones_do_not_meet(street: House) -> None:
    rows = [[i, i if i % 2 else None] for i in range(1, 30)]
    told = send(street, group("air", ["result", "id"], *rows))
    assert len(set(told)) == 29
    assert [street.follow(link)["result"] for link in told] == list(range(1, 30))
    assert len(send(street, group("air", ["result"], *([1] for _ in range(30))))) == 30


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "list"),
        ([5], "[0]"),
        ([{"components": ["result"], "dataArray": []}], "[0]: Datastream"),
        ([{"Datastream": {}, "components": ["result"], "dataArray": []}], "[0].Datastream"),
        ([{"Datastream": {"@iot.id": "air"}, "dataArray": []}], "[0].components"),
        ([group("air", ["phenomenonTime"])], "result"),
        ([group("air", ["result", "results"])], "[0].components[1]"),
        ([group("air", ["result", "result"])], "twice"),
        ([group("air", ["result"], [1]), {**group("air", ["result"]), "dataArray": 5}], "[1].dataArray"),
    ],
)
def test_what_cannot_be_understood_is_refused_whole(street: House, body: Any, word: str) -> None:
    assert word in street.refuse("CreateObservations", body)


def test_nothing_is_as_good_as_something(street: House) -> None:
    assert send(street) == []
    assert send(street, group("air", ["result"])) == []


def test_more_rows_than_a_transaction_may_hold_are_refused_whole(street: House) -> None:
    house = House(street.store, FaceLimits(bulk_rows=3))
    rows = [[minute(n), n] for n in range(3)]
    names = ["phenomenonTime", "result"]
    said = send(house, group("air", names, *rows), group("cars", names, rows[0]), status=400)
    assert "ALLMENDE_BULK_ROWS" in said["message"]
    assert "ALLMENDE_BULK_ROWS" in send(house, *[group("air", names)] * 4, status=400)["message"]
    assert shown(house, "air") == []
    assert len(send(house, group("air", names, *rows))) == 3


def test_rights(street: House) -> None:
    body = group("air", ["result"], [1])
    assert "right to write" in send(street, body, reader=ANONYMOUS, status=403)["message"]
    elsewhere = Reader(name="token:elsewhere", may_write=True, writes=frozenset({"parking"}))
    assert "commons" in send(street, body, reader=elsewhere)[0]
    assert street.census()["Observations"] == 0


def test_many_rows_of_all_kinds(street: House) -> None:
    results = [1, 2.5, "a\tb\\n\nc\r", True, None, {"a": "ü" * 2500}, [1, "\\"], -(2**63), 1e300, "", "\\N"] * 50
    told = send(
        street, group("air", ["result", "phenomenonTime"], *([r, minute(i % 60)] for i, r in enumerate(results)))
    )
    assert [street.follow(link)["result"] for link in told[:22]] == results[:22]
    assert len(set(told)) == len(results) == street.census()["Observations"]


def test_streams_of_several_properties(street: House) -> None:
    street.post("Things('mast')/MultiDatastreams", multi_datastream(**{"@iot.id": "wind"}))
    rows = {
        **group("", ["result"], [[1, 2, True]], [5], [[1]], [[3, None, False]]),
        "MultiDatastream": {"@iot.id": "wind"},
    }
    del rows["Datastream"]
    told = send(street, rows)
    assert [line.startswith("error ") for line in told] == [False, True, True, False]
    assert [o["result"] for o in street.get("MultiDatastreams('wind')/Observations", orderby="id")["value"]] == [
        [1, 2, True], [3, None, False],
    ]  # fmt: skip
    assert "error" in send(street, group("wind", ["result"], [[1, 2, True]]))[0]
