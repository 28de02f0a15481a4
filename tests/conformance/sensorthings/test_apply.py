"""``$apply``: groups and sums, on every engine. Ours, in OData's words; docs/reference/aggregates.md."""

import statistics

import pytest

from allmende.domain.policy import Reader
from allmende.faces.sensorthings.options import make_token
from tests.conformance.sensorthings.house import House, datastream, observation, thing
from tests.support import create

FREE = "Datastreams('garage0~free')/Observations"


def rows(town: House, path: str, apply: str, **more: str) -> list[object]:
    return list(town.get(path, apply=apply, **more)["value"])


def test_one_stream_summed_up(town: House) -> None:
    measures = {
        "mean": "result with average",
        "low": "result with min",
        "high": "result with max",
        "total": "result with sum",
        "kinds": "result with countdistinct",
        "numbers": "result with allmende.count",
        "p90": "result with allmende.percentile90",
        "p12": "result with allmende.percentile12_5",
        "first": "phenomenonTime with min",
    }
    listed = ",".join(f"{method} as {name}" for name, method in measures.items())
    values = [10 * n for n in range(25)]
    assert rows(town, FREE, f"aggregate({listed},$count as n)") == [
        {
            "mean": 120,
            "low": 0,
            "high": 240,
            "total": sum(values),
            "kinds": 25,
            "numbers": 25,
            "p90": statistics.quantiles(values, n=10, method="inclusive")[8],
            "p12": statistics.quantiles(values, n=8, method="inclusive")[0],
            "first": "2024-04-30T10:00:00.000Z",
            "n": 25,
        }
    ]


def test_buckets_of_time(town: House) -> None:
    apply = (
        "filter(phenomenonTime ge 2024-04-30T10:05:00Z)"
        "/groupby((bucket(phenomenonTime,duration'PT10M') as start),aggregate(result with average as mean,$count as n))"
    )
    assert rows(town, FREE, apply) == [
        {"start": "2024-04-30T10:00:00.000Z", "mean": 70, "n": 5},
        {"start": "2024-04-30T10:10:00.000Z", "mean": 145, "n": 10},
        {"start": "2024-04-30T10:20:00.000Z", "mean": 220, "n": 5},
    ]


def test_groups_of_related_entities(town: House) -> None:
    apply = "groupby((Datastream/Thing/properties/zone,Datastream/id),aggregate($count as n,result with max as high))"
    found = rows(town, "Observations", apply, filter="Datastream/properties/kind eq 'free'")
    assert found == [
        {"Datastream": {"Thing": {"properties": {"zone": 0}}, "id": "garage0~free"}, "n": 25, "high": 240},
        {"Datastream": {"Thing": {"properties": {"zone": 0}}, "id": "garage2~free"}, "n": 3, "high": 20},
        {"Datastream": {"Thing": {"properties": {"zone": 1}}, "id": "garage1~free"}, "n": 3, "high": 20},
    ]
    assert rows(town, "Datastreams", "groupby((Thing/name as thing),aggregate($count as n))", top="1") == [
        {"thing": "Garage 0", "n": 2}
    ]
    assert rows(town, "Things", "groupby((properties/zone))") == [{"properties": {"zone": n}} for n in (0, 1)]


def test_the_columns_are_filtered_ordered_and_paged(town: House) -> None:
    apply = "groupby((Datastream/id as stream),aggregate($count as n,result with sum as total))"
    page = town.get("Observations", apply=apply, orderby="n desc,stream desc", top="2", count="true")
    assert page["@iot.count"] == 6
    assert [row["stream"] for row in town.pages(page)] == [
        "garage0~free", "garage2~state", "garage2~free", "garage1~state", "garage1~free", "garage0~state",
    ]  # fmt: skip
    assert rows(town, "Observations", apply, filter="n gt 3 and endswith(stream,'free')") == [
        {"stream": "garage0~free", "n": 25, "total": 3000}
    ]
    assert town.get("Observations", apply=apply, filter="total div n eq 10", count="true", top="0")["@iot.count"] == 5
    assert rows(town, "Observations", apply, orderby="total div n desc", skip="1", top="1")[0] == {
        "stream": "garage0~state", "n": 3, "total": 30,
    }  # fmt: skip


def test_a_filter_over_entities_holds_before(town: House) -> None:
    assert rows(town, FREE, "aggregate($count as n)", filter="result ge 100") == [{"n": 15}]


def test_results_of_all_kinds(house: House) -> None:
    readings = [1, 2.5, "high", True, None, {"a": 1}, "high", 2**53 + 1]
    made = datastream(
        **{"@iot.id": "s"}, Observations=[observation(value, minute) for minute, value in enumerate(readings)]
    )
    house.post("Things", thing(Datastreams=[made]))
    grouped = rows(house, "Observations", "groupby((result),aggregate($count as n))", orderby="result")
    assert grouped == [
        {"result": 1, "n": 1},
        {"result": 2.5, "n": 1},
        {"result": float(2**53), "n": 1},
        {"result": "high", "n": 2},
        {"result": True, "n": 1},
        {"result": None, "n": 2},
    ]
    measures = "result with allmende.count as numbers,$count as n,result with countdistinct as kinds"
    low = "result with min as low,result with average as mean"
    assert rows(house, "Observations", f"filter(result lt 9)/aggregate({measures},{low})") == [
        {"numbers": 2, "n": 2, "kinds": 2, "low": 1, "mean": 1.75}
    ]
    assert rows(house, "Observations", f"aggregate({measures})") == [{"numbers": 3, "n": 8, "kinds": 5}]


def test_nothing_is_summed_up_to_nothing(house: House) -> None:
    house.post("Things", thing(Datastreams=[datastream(**{"@iot.id": "s"})]))
    apply = (
        "aggregate(result with sum as a,result with average as b,result with allmende.percentile50 as c,$count as n)"
    )
    assert rows(house, "Observations", apply) == [{"a": None, "b": None, "c": None, "n": 0}]
    assert rows(house, "Datastreams('s')/Observations", "groupby((result),aggregate($count as n))") == []
    house.error("Datastreams('nobody')/Observations", 404, apply=apply)
    house.error("Datastreams('nobody')/Observations", 404, apply="groupby((result))")


def test_hidden_streams_take_no_part(house: House) -> None:
    keeper = Reader(name="user:eve", may_write=True, datasets=frozenset({"hidden"}), writes=frozenset({"hidden"}))
    house.post("Things", thing(Datastreams=[datastream(**{"@iot.id": "s"}, Observations=[observation(1)])]))
    apply = "groupby((Datastream/Thing/name as thing),aggregate($count as n,result with sum as total))"
    before = rows(house, "Observations", apply)
    create(house.store, "Thing", thing(name="secret", **{"@iot.id": "secret"}), dataset="hidden")
    made = datastream(**{"@iot.id": "hidden"}, Thing={"@iot.id": "secret"}, Observations=[observation(7)])
    create(house.store, "Datastream", made, dataset="hidden")
    assert rows(house, "Observations", apply) == before == [{"thing": "Garage", "n": 1, "total": 1}]
    asked = house.request("GET", "Observations", f"$apply={apply.replace(' ', '%20')}", reader=keeper)
    assert b'"secret"' in asked.body


@pytest.mark.parametrize(
    ("apply", "place"),
    [
        ("", "$apply: the text ends too early"),
        ("groupby((colour))", "$apply, character 10: Observation has no property 'colour'"),
        ("aggregate(result with mode as m)", "$apply, character 23: 'mode' is no method"),
        ("aggregate(result with allmende.percentile101 as m)", "is no method"),
        ("aggregate(result with sum as result)", "'result' is a property of Observation already"),
        ("aggregate(phenomenonTime with sum as s)", "$apply, character 11: sum takes numbers, not a time"),
        ("aggregate(Datastream/name with average as s)", "average takes numbers, not a text"),
        ("aggregate(result with sum as s,result with max as s)", "share the name 's'"),
        ("groupby((Datastream/Thing/Locations/id))", "$apply, character 10: this leads to many"),
        ("groupby((Datastream))", "$apply, character 10: Datastream is an entity"),
        ("groupby((parameters))", "$apply, character 10"),
        ("groupby((length(Datastream/name)))", "character 10: this needs a name"),
        ("filter(result gt 'a' add 1)/aggregate($count as n)", "$apply, character 18"),
        ("groupby((bucket(phenomenonTime,duration'PT0S') as t))", "$apply, character 32: a bucket is longer"),
        ("groupby((bucket(phenomenonTime,'PT1H') as t))", "$apply, character 32: bucket() takes a duration"),
        ("groupby((bucket(phenomenonTime,duration'P1D','Mars') as t))", "there is no time zone 'Mars'"),
        ("groupby((bucket(phenomenonTime,duration'P1D','../Berlin') as t))", "there is no time zone"),
        ("filter(phenomenonTime gt now() sub duration'P1M')/aggregate($count as n)", "no fixed length"),
        ("aggregate(" + "-" * 60 + "result with sum as s)", "within each other"),
        ("filter(" + " or ".join(["result eq 1"] * 400) + ")/aggregate($count as n)", "ALLMENDE_FILTER_"),
    ],
)
def test_mistakes_say_where(town: House, apply: str, place: str) -> None:
    assert place in town.error("Observations", apply=apply)


def test_mistakes_in_the_options_beside_it(town: House) -> None:
    apply = "groupby((Datastream/id as stream),aggregate($count as n))"
    assert "there is no column 'm'" in town.error("Observations", apply=apply, orderby="m")
    assert town.error("Observations", apply=apply, orderby="m").startswith("$orderby, character 1")
    assert town.error("Observations", apply=apply, filter="n gt 1 and result gt 5").startswith("$filter, character 12")
    assert "another question" in town.error("Observations", apply=apply, skiptoken=make_token((1, 2)))
    answered = town.request("GET", "Observations", f"$apply={apply.replace(' ', '%20')}&$skiptoken={make_token((5,))}")
    assert answered.status in (200, 400)  # made up: SQLite compares a text with a number, PostgreSQL refuses to
    assert "$expand" in town.error("Observations", apply=apply, expand="Datastream")
    town.error("Things('garage0')", apply=apply)
    assert "ALLMENDE_SKIP_MAX" in town.error("Observations", apply=apply, skip="999999999")


def test_one_of_many_pages(house: House) -> None:
    readings = [observation(n % 7, n % 60) for n in range(60)]
    house.post("Things", thing(Datastreams=[datastream(**{"@iot.id": "s"}, Observations=readings)]))
    apply = "groupby((phenomenonTime,result),aggregate($count as n))"
    page = house.get("Observations", apply=apply, top="7", orderby="result desc")
    found = house.pages(page)
    assert len(found) == 60
    assert [row["result"] for row in found] == sorted((n % 7 for n in range(60)), reverse=True)
    assert all(row["phenomenonTime"].startswith("2024-04-30T10:") for row in found)
