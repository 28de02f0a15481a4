"""CSV and GeoJSON as FROST-Server writes them, Parquet and Arrow: read back by the libraries that people use."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa
import pytest
import shapely
from pyarrow import parquet

from allmende.domain.batch import Batch
from allmende.domain.face import Response
from allmende.domain.model import ENTITIES
from allmende.domain.policy import ANONYMOUS, Reader, house_reader
from allmende.domain.records import SensorDeclaration, Series
from tests.conformance.sensorthings.house import ROOT, House, datastream, location, observation, sensor, thing
from tests.support import declaration

RESULTS = [1, 2.5, 'a, "b"\nc', True, False, {"a": 1}, [1, None], None, 2**53 + 1, "é€😀"]


def ask(house: House, path: str, format: str, *, reader: Reader = ANONYMOUS, **options: str) -> Response:
    query = "&".join(f"${name}={value}" for name, value in {**options, "resultFormat": format}.items())
    response = house.request("GET", path, query.replace(" ", "%20"), reader=reader)
    assert response.status == 200, response.body
    return response


def read_csv(response: Response) -> list[dict[str, str]]:
    text = response.body.decode()
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def read_table(response: Response) -> pa.Table:
    if response.content_type == "application/vnd.apache.parquet":
        return parquet.read_table(io.BytesIO(response.body))
    assert response.content_type == "application/vnd.apache.arrow.stream"
    return pa.ipc.open_stream(response.body).read_all()


def rows_of(response: Response) -> int:
    """How many entities there are in an answer of any format."""
    if response.content_type.startswith("text/csv"):
        return len(read_csv(response))
    if response.content_type == "application/geo+json":
        return len(msgspec.json.decode(response.body)["features"])
    if response.content_type == "application/json":
        groups = msgspec.json.decode(response.body)["value"]
        return sum(group["dataArray@iot.count"] for group in groups)
    return read_table(response).num_rows


@pytest.fixture
def mixed(house: House) -> House:
    """A stream with a result of each kind, an interval, and all optional properties."""
    readings = [observation(r, i) for i, r in enumerate(RESULTS)]
    more = {"resultTime": "2024-04-30T11:00:00.5Z", "parameters": {"run": 7}, "resultQuality": "good"}
    span = {"phenomenonTime": "2024-04-30T09:00:00Z/2024-04-30T09:30:00.000001Z"}
    readings.append(observation(-3, **{**span, **more, "validTime": "2024-04-30T10:00:00Z/2024-04-30T11:00:00Z"}))
    place = location(properties={"floor": {"level": 2}})
    stream = datastream(Observations=readings, Sensor=sensor(metadata={"sheet": "https://example.org"}))
    house.post("Things", thing(properties={"zone": 1}, Locations=[place], Datastreams=[stream]))
    return house


def test_csv_has_a_line_for_each_entity(mixed: House) -> None:
    response = ask(mixed, "Observations", "CSV", orderby="phenomenonTime")
    assert response.content_type.startswith("text/csv")
    rows = read_csv(response)
    assert list(rows[0]) == [
        "id", "phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters",
    ]  # fmt: skip
    assert rows[0] == {
        "id": rows[0]["id"],
        "phenomenonTime": "2024-04-30T09:00:00.000Z/2024-04-30T09:30:00.000001Z",
        "resultTime": "2024-04-30T11:00:00.500Z",
        "result": "-3",
        "resultQuality": "good",
        "validTime": "2024-04-30T10:00:00.000Z/2024-04-30T11:00:00.000Z",
        "parameters": '{"run":7}',
    }
    shown = [row["result"] for row in rows[1:]]
    assert shown == [
        "1", "2.5", "a, \"b\"\nc", "true", "false", '{"a":1}', "[1,null]", "", str(2**53 + 1), "é€😀",
    ]  # fmt: skip


def test_csv_puts_what_is_expanded_beside_it(mixed: House) -> None:
    stream = "Datastream($select=name,unitOfMeasurement;$expand=Thing($select=id,properties/zone),Sensor)"
    rows = read_csv(ask(mixed, "Observations", "csv", select="result,id", expand=stream, top="1"))
    assert list(rows[0].items())[:7] == [
        ("result", "1"),
        ("id", rows[0]["id"]),
        ("Datastream/name", "Free spaces"),
        ("Datastream/unitOfMeasurement/name", "spaces"),
        ("Datastream/unitOfMeasurement/symbol", "{space}"),
        ("Datastream/unitOfMeasurement/definition", "https://example.org/unit"),
        ("Datastream/Thing/id", "1"),
    ]
    assert rows[0]["Datastream/Thing/properties/zone"] == "1"
    assert rows[0]["Datastream/Sensor/metadata"] == '{"sheet":"https://example.org"}'
    (one,) = read_csv(ask(mixed, "Things", "CSV", expand="Locations($top=1)", select="name"))
    assert one["Locations/name"] == "Here"
    assert msgspec.json.decode(one["Locations/location"]) == {"type": "Point", "coordinates": [11.58, 50.92]}


@pytest.mark.parametrize("format", ["CSV", "Parquet", "Arrow"])
def test_a_line_has_no_room_for_many(town: House, format: str) -> None:
    for path, expand in {"Things": "Datastreams", "Datastreams": "Thing($expand=Locations($top=2))"}.items():
        assert "$top=1" in town.error(path, resultFormat=format, expand=expand)


def test_a_related_entity_that_is_not_there_is_empty(house: House) -> None:
    house.post("Things", thing())
    house.post("Things", thing(name="Second", Locations=[location()]))
    rows = read_csv(ask(house, "Things", "CSV", expand="Locations($top=1;$expand=Things($top=1))", orderby="name"))
    assert [row["Locations/name"] for row in rows] == ["", "Here"]
    assert [row["Locations/Things/name"] for row in rows] == ["", "Second"]
    table = read_table(ask(house, "Things", "Arrow", expand="Locations($top=1)", orderby="name"))
    assert table.column("Locations/id").to_pylist() == [None, "1"]


def test_spreadsheets_find_no_formulas(house: House) -> None:
    texts = ["=1+1", "+49 3641", "-5", "-5,5", "-cmd|x", "@SUM(A1)", "\t=1", "a=b", "1", "＝1", "'quoted'"]
    for text in texts:
        house.post("Things", thing(name=text, properties={"a": text}))
    rows = read_csv(ask(house, "Things", "CSV", select="name,properties/a", top="100"))
    guarded = ["'=1+1", "'+49 3641", "-5", "-5,5", "'-cmd|x", "'@SUM(A1)", "'\t=1", "a=b", "1", "'＝1", "'quoted'"]
    assert [row["name"] for row in rows] == [row["properties/a"] for row in rows] == guarded
    table = read_table(ask(house, "Things", "Parquet", select="name", top="100"))
    assert table.column("name").to_pylist() == texts


def test_geojson_takes_the_first_geometry(mixed: House) -> None:
    response = ask(mixed, "Locations", "GeoJSON", count="true")
    assert response.content_type == "application/geo+json"
    whole = msgspec.json.decode(response.body)
    assert (whole["type"], whole["@iot.count"]) == ("FeatureCollection", 1)
    (feature,) = whole["features"]
    assert shapely.from_geojson(msgspec.json.encode(feature["geometry"]).decode()) == shapely.Point(11.58, 50.92)
    assert feature["properties"] == {
        "@iot.selfLink": f"{ROOT}/Locations(1)",
        "id": 1,
        "name": "Here",
        "description": "here",
        "encodingType": "application/geo+json",
        "properties/floor/level": 2,
    }
    (feature,) = msgspec.json.decode(
        ask(mixed, "Things(1)", "geojson", expand="Datastreams($expand=Observations($top=2;$select=result)),Locations",
            resultMetadata="none").body
    )["features"]  # fmt: skip
    shown = feature["properties"]
    assert feature["geometry"]["type"] == "Point"
    assert shown["Datastreams/0/unitOfMeasurement/symbol"] == "{space}"
    assert shown["Datastreams/0/Observations/1/result"] == 1
    assert shown["Locations/0/name"] == "Here"
    assert not any("Link" in name for name in shown)


def test_geojson_of_other_places(house: House) -> None:
    shape = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    inner = {"type": "Feature", "geometry": shape, "properties": {"roof": {"kind": "flat"}}}
    house.post("Locations", {**location(), "name": "a", "location": inner})
    house.post("Locations", {**location(), "name": "b", "encodingType": "text/plain", "location": "behind the house"})
    many = {"type": "FeatureCollection", "features": [inner, inner]}
    house.post("Locations", {**location(), "name": "c", "location": many})
    house.post("Things", thing())
    one, two, three = msgspec.json.decode(ask(house, "Locations", "GeoJSON", orderby="name").body)["features"]
    assert (one["geometry"], one["properties"]["location/properties/roof/kind"]) == (shape, "flat")
    assert (two["geometry"], two["properties"]["location"]) == (None, "behind the house")
    assert three["geometry"] == {"type": "GeometryCollection", "geometries": [shape, shape]}
    (bare,) = msgspec.json.decode(ask(house, "Things", "GeoJSON", select="name").body)["features"]
    assert bare == {"type": "Feature", "properties": {"name": "Garage"}, "geometry": None}


@pytest.mark.parametrize("format", ["Parquet", "Arrow"])
def test_typed_columns(mixed: House, format: str) -> None:
    table = read_table(ask(mixed, "Observations", format, orderby="phenomenonTime"))
    instant = pa.timestamp("us", tz="UTC")
    assert dict(zip(table.schema.names, table.schema.types, strict=True)) == {
        "id": pa.string(),
        "phenomenonTime_start": instant,
        "phenomenonTime_end": instant,
        "resultTime": instant,
        "result_number": pa.float64(),
        "result_integer": pa.int64(),
        "result_text": pa.string(),
        "result_boolean": pa.bool_(),
        "result_json": pa.string(),
        "resultQuality": pa.string(),
        "validTime_start": instant,
        "validTime_end": instant,
        "parameters": pa.string(),
    }
    first = table.slice(0, 1).to_pylist()[0]
    assert first["phenomenonTime_start"] == datetime(2024, 4, 30, 9, tzinfo=UTC)
    assert first["phenomenonTime_end"] == datetime(2024, 4, 30, 9, 30, 0, 1, tzinfo=UTC)
    assert (first["resultQuality"], first["parameters"]) == ('"good"', '{"run":7}')
    values = {name: table.column(f"result_{name}").to_pylist()[1:] for name in ("number", "integer", "text", "json")}
    assert values["number"] == [1.0, 2.5, *[None] * 6, float(2**53 + 1), None]
    assert values["integer"] == [1, *[None] * 7, 2**53 + 1, None]
    assert values["text"] == [*[None] * 2, RESULTS[2], *[None] * 6, "é€😀"]
    assert [v and msgspec.json.decode(v) for v in values["json"]] == [*[None] * 5, {"a": 1}, [1, None], *[None] * 3]
    assert table.column("result_boolean").to_pylist()[4:6] == [True, False]
    assert table.schema.field("result_json").metadata == {b"format": b"json"}


@pytest.mark.parametrize("format", ["Parquet", "Arrow"])
def test_the_shape_of_a_table_depends_on_the_question_alone(mixed: House, format: str) -> None:
    """So that pages of one question fit together."""
    options = {"expand": "Datastream($select=name,properties/a)", "select": "id,result,phenomenonTime"}
    some = read_table(ask(mixed, "Observations", format, **options))
    none = read_table(ask(mixed, "Observations", format, **options, filter="result eq 4711"))
    assert (none.num_rows, some.num_rows) == (0, 11)
    assert some.schema.equals(none.schema, check_metadata=True)
    assert pa.concat_tables([some, none]).num_rows == 11


@pytest.mark.parametrize("format", ["dataArray", "CSV", "GeoJSON", "Parquet", "Arrow"])
def test_pages_of_each_format(town: House, format: str) -> None:
    response = ask(town, "Observations", format, top="16", count="true", orderby="result desc")
    assert rows_of(response) == 16
    if format == "dataArray":
        assert msgspec.json.decode(response.body)["@iot.count"] == 40
        return
    assert response.headers["X-Total-Count"] == "40"
    found = 16
    while "Link" in response.headers:
        link, _, kind = response.headers["Link"].partition(";")
        assert kind.strip() == 'rel="next"'
        path, _, query = link.strip("<>").removeprefix(f"{ROOT}/").partition("?")
        response = town.request("GET", path, query)
        found += rows_of(response)
    assert found == 40


@pytest.mark.parametrize("format", ["dataArray", "CSV", "GeoJSON", "Parquet", "Arrow"])
def test_each_format_hides_what_is_hidden(house: House, format: str) -> None:
    secret = msgspec.structs.replace(declaration("secret~free"), sensor=SensorDeclaration(id="other", name="Other"))
    told = [(declaration("seen~free"), "parking"), (secret, "hidden")]
    for record, dataset in told:
        series = Series(stream=record.stream, times=[1, 2], results=[5, 6])
        house.store.append(
            Batch(origin="t", dataset=dataset, reader=house_reader("t"), received_at=1, declarations=[record],
                  series=[series])
        )  # fmt: skip
    insider = Reader(name="user:eve", datasets=frozenset({"hidden"}))
    for reader, rows, word in ((ANONYMOUS, 2, False), (insider, 4, True)):
        expand = {} if format == "dataArray" else {"expand": "Datastream"}
        response = ask(house, "Observations", format, reader=reader, **expand)
        assert rows_of(response) == rows
        if format not in ("Parquet", "Arrow"):
            assert (b"secret" in response.body) is word


def test_one_entity_and_its_tag(mixed: House) -> None:
    response = ask(mixed, "Things(1)", "CSV")
    assert [row["name"] for row in read_csv(response)] == ["Garage"]
    again = mixed.request("GET", "Things(1)", "$resultFormat=CSV", if_none_match=response.headers["ETag"])
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", response.headers["ETag"])
    assert mixed.request("GET", "Things(1)", if_none_match=response.headers["ETag"]).status == 200


def test_sets_have_tags_of_what_is_in_them(mixed: House) -> None:
    for query in ("", "$resultFormat=Parquet", "$resultFormat=dataArray"):
        tag = mixed.request("GET", "Observations", query).headers["ETag"]
        assert mixed.request("GET", "Observations", query, if_none_match=f'"x", W/{tag}').status == 304
    mixed.post("Datastreams(1)/Observations", observation(1, 50))
    assert mixed.request("GET", "Observations", query, if_none_match=tag).status == 200


def test_unknown_formats_are_told(town: House) -> None:
    message = town.error("Things", resultFormat="XML")
    assert all(name in message for name in ("JSON", "dataArray", "CSV", "GeoJSON", "Parquet", "Arrow"))
    assert "$resultFormat" in town.error("Things", resultFormat="")
    assert "$resultFormat" in town.error("Things/$ref", resultFormat="CSV")
    assert town.get("Things", resultFormat="json") == town.get("Things")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV;q=0.5, application/json;q=0.4", "text/csv"),
        ("text/csv;q=0.4, application/json;q=0.5", "application/json"),
        ("text/csv, */*", "text/csv"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=x, */*;q=0.1", "application/json"),
        ("application/geo+json", "application/geo+json"),
        ("application/vnd.apache.parquet, text/csv;q=0.9", "application/vnd.apache.parquet"),
        ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream"),
        ("image/png", "application/json"),
        (",;,q=", "application/json"),
    ],
)
def test_the_header_chooses_where_the_option_is_silent(town: House, accept: str, expected: str) -> None:
    found = town.request("GET", "Things", accept=accept)
    assert (found.status, found.content_type.partition(";")[0]) == (200, expected)
    assert town.request("GET", "Things", "$resultFormat=JSON", accept=accept).content_type == "application/json"
    for path in ("Things('garage0')/name", "Things/$ref", ""):
        assert town.request("GET", path, accept=accept).content_type == "application/json"


@pytest.mark.parametrize("format", ["dataArray", "CSV", "GeoJSON", "Parquet", "Arrow"])
def test_every_set_and_every_property_goes_into_every_format(town: House, format: str) -> None:
    for entity in ENTITIES.values():
        if format == "dataArray" and entity.name != "Observation":
            continue
        options: dict[str, Any] = {"top": "50"}
        if format != "dataArray":
            options["expand"] = ",".join(f"{r.name}($top=1)" if r.many else r.name for r in entity.relations)
        assert rows_of(ask(town, entity.set_name, format, **options)) == min(
            town.get(entity.set_name, top="0", count="true")["@iot.count"], 50
        )


@pytest.mark.parametrize("format", ["CSV", "Parquet", "Arrow"])
def test_groups_are_tables_too(town: House, format: str) -> None:
    apply = (
        "groupby((Datastream/id,bucket(phenomenonTime,duration'PT10M') as start),"
        "aggregate(result with average as mean,$count as n))"
    )
    order = "Datastream/id,start"
    whole = town.get("Observations", apply=apply, orderby=order)["value"]
    response = ask(town, "Observations", format, apply=apply, orderby=order, top="5", count="true")
    assert response.headers["X-Total-Count"] == str(len(whole)) == "8"
    found = []
    while True:
        found += read_csv(response) if format == "CSV" else read_table(response).to_pylist()
        if "Link" not in response.headers:
            break
        path, _, query = response.headers["Link"].partition(">")[0].removeprefix(f"<{ROOT}/").partition("?")
        response = town.request("GET", path, query)
    if format == "CSV":
        assert found[0] == {
            "Datastream/id": "garage0~free",
            "start": "2024-04-30T10:00:00.000Z",
            "mean": "45",
            "n": "10",
        }
    else:
        start = datetime(2024, 4, 30, 10, tzinfo=UTC)
        assert found[0] == {"Datastream/id": "garage0~free", "start": start, "mean": 45.0, "n": 10.0}
    shown = [(row["Datastream"]["id"], row["mean"], row["n"]) for row in whole]
    assert [(row["Datastream/id"], float(row["mean"]), float(row["n"])) for row in found] == shown


def test_groups_have_no_places(town: House) -> None:
    for format in ("GeoJSON", "dataArray"):
        assert "$resultFormat" in town.error("Observations", apply="aggregate($count as n)", resultFormat=format)
    query = "$apply=aggregate($count%20as%20n)"
    found = town.request("GET", "Observations", query, accept="application/geo+json")
    assert found.content_type == "application/json"
    assert town.request("GET", "Observations", query, accept="text/csv").body == b"n\r\n40\r\n"
    again = town.request("GET", "Observations", query, if_none_match=found.headers["ETag"])
    assert again.status == 304


@pytest.mark.parametrize("format", ["CSV", "Arrow"])
def test_groups_of_any_type(mixed: House, format: str) -> None:
    apply = "groupby((result,validTime),aggregate($count as n))"
    whole = mixed.get("Observations", apply=apply)["value"]
    response = ask(mixed, "Observations", format, apply=apply)
    if format == "CSV":
        found = [(row["result"], row["validTime"], row["n"]) for row in read_csv(response)]
        as_text = {None: "", True: "true", False: "false"}
        assert found == [
            (as_text[r] if r is None or isinstance(r, bool) else str(r), row["validTime"] or "", str(row["n"]))
            for row in whole
            for r in [row["result"]]
        ]
        return
    table = read_table(response)
    assert [n for n in table.schema.names if n != "n"] == [
        "result_number", "result_text", "result_boolean", "validTime_start", "validTime_end",
    ]  # fmt: skip
    for shown, row in zip(whole, table.to_pylist(), strict=True):
        values = [row[f"result_{name}"] for name in ("number", "text", "boolean") if row[f"result_{name}"] is not None]
        assert values == ([] if shown["result"] is None else [shown["result"]])
        assert (row["validTime_start"] is None) is (shown["validTime"] is None)


def test_the_newest_of_each_is_a_table_too(town: House) -> None:
    whole = town.get("Datastreams/latest", orderby="name")["value"]
    rows = read_csv(ask(town, "Datastreams/latest", "CSV", orderby="name"))
    assert [(r["Datastream/id"], r["phenomenonTime"], r["result"], r["resultQuality"]) for r in rows] == [
        (o["Datastream"]["id"], o["phenomenonTime"], str(o["result"]), "") for o in whole
    ]
    table = read_table(ask(town, "Datastreams/latest", "Parquet", orderby="name"))
    assert table.column("result_number").to_pylist() == [float(o["result"]) for o in whole]
    assert table.column("resultQuality").to_pylist() == [None] * len(whole)
    assert "$resultFormat" in town.error("Datastreams/latest", resultFormat="GeoJSON")
