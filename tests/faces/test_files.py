"""Files of readings and objects, read back by the programs that people read them with."""

import csv
import gzip
import io
import itertools
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pyarrow as pa
import pyogrio
import pytest
import shapely
from pyarrow import parquet

from allmende.domain.batch import Batch
from allmende.domain.bounds import Bounds
from allmende.domain.errors import InvalidInput, NotFound
from allmende.domain.feature_checks import check_features
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.records import Collection, Feature, Features, Series
from allmende.domain.selection import Selection
from allmende.domain.store import Store
from allmende.domain.times import DAY, HOUR, MINUTE, from_datetime, parse_instant
from allmende.faces.files import readings, sheet
from allmende.faces.files.about import About, Rule
from allmende.faces.files.formats import FORMATS, format_of
from allmende.faces.files.make import make_file
from allmende.faces.files.readings import Source
from tests.support import HOUSE, batch, captured

AT = 1_711_846_800_000_000
"""2024-03-31T01:00:00Z: the hour that the clock is put forward in."""
EVIL = '=HYPERLINK("https://evil.example","x")'


def about(selection: Selection) -> About:
    return About(
        id=selection.dataset, title="Parken", description="Freie Plätze",
        address="https://city.example/dataset/parking", publisher="Stadt", contact="daten@city.example",
        licence="dl-de/by-2-0", licence_title="Datenlizenz Deutschland",
        licence_url="https://www.govdata.de/dl-de/by-2-0", attribution="Stadt, Verkehr", access="open", simulated=False,
        provenance="Schranken", sources={"feed": "Schranken"}, rules=[Rule(id="busy", title="Auslastung", version=3)],
        version="2", made_at=AT, made_by="Allmende test", zone="Europe/Berlin", selection=selection,
    )  # fmt: skip


def make(store: Store, folder: Path, key: str, *, reader: Reader = ANONYMOUS, **said: Any) -> Path:
    selection = Selection(**{"dataset": "parking", **said})
    path = folder / f"file.{FORMATS[key].suffix}"
    source = Source(store=store, reader=reader, zone="Europe/Berlin")
    make_file(source, about(selection), format_of(key), path, lambda rows: None)
    return path


@pytest.fixture
def town(store: Store) -> Store:
    """Two garages; one tells numbers, the other all that a result can be."""
    times = [AT + n * HOUR for n in range(3)]
    mixed = [1, 2.5, "voll", True, EVIL, 2**60 + 1, {"a": 1}, -7]
    store.append(
        batch(
            Series(stream="garage~free", times=times, results=[10, 200, 30.25], flags=["", "above-maximum", ""]),
            Series(stream="other~free", times=[AT + n * MINUTE for n in range(len(mixed))], results=mixed),
        )
    )
    return store


def rows_of(path: Path, delimiter: str = ",") -> tuple[list[dict[str, str]], dict[str, Any], str]:
    with zipfile.ZipFile(path) as archive:
        text = archive.read("data.csv").decode("utf-8-sig")
        package = json.loads(archive.read("datapackage.json"))
        letter = archive.read("LIESMICH-README.txt").decode()
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter)), package, letter


def test_german_csv_opens_in_a_german_spreadsheet_and_says_whose_it_is(town: Store, tmp_path: Path) -> None:
    path = make(town, tmp_path, "csv-de")
    with zipfile.ZipFile(path) as archive:
        assert archive.read("data.csv").startswith(b"\xef\xbb\xbfstream;")
    rows, package, letter = rows_of(path, ";")
    garage = [row for row in rows if row["stream"] == "garage~free"]
    assert [row["result"] for row in garage] == ["10", "200", "30,25"]
    assert [row["flags"] for row in garage] == ["", "above-maximum", ""]
    # the clock is put forward: 02:00 is not there
    assert [row["time_local"] for row in garage] == [
        "31.03.2024 03:00:00", "31.03.2024 04:00:00", "31.03.2024 05:00:00",
    ]  # fmt: skip
    assert garage[0]["time"] == "2024-03-31T01:00:00.000Z"
    assert garage[0]["lon"] == "11,58"
    assert package["licenses"][0]["name"] == "dl-de/by-2-0"
    assert package["allmende"]["rules"] == [{"id": "busy", "title": "Auslastung", "version": 3}]
    assert package["allmende"]["rows"] == len(rows) == 11
    assert "Quellenangabe: Stadt, Verkehr" in letter
    names = [field["name"] for field in package["resources"][0]["schema"]["fields"]]
    assert names == list(rows[0])


def test_csv_runs_no_formula_and_loses_no_number(town: Store, tmp_path: Path) -> None:
    rows, _, _ = rows_of(make(town, tmp_path, "csv", streams=("other*",)))
    assert [(row["result"], row["result_text"]) for row in rows] == [
        ("1", ""), ("2.5", ""), ("", "voll"), ("", "true"), ("", f"'{EVIL}"), ("1.152921504606847e+18", str(2**60 + 1)),
        ("", '{"a":1}'), ("-7", ""),
    ]  # fmt: skip


def test_a_sheet_holds_text_as_text_and_times_as_times(town: Store, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(make(town, tmp_path, "xlsx"))
    assert book.sheetnames == ["Über diese Daten", "Daten 1"]
    told = [row[0].value for row in book["Über diese Daten"].iter_rows()]
    assert "Lizenz: Datenlizenz Deutschland (https://www.govdata.de/dl-de/by-2-0)" in told
    head, *rows = book["Daten 1"].iter_rows()
    named = [dict(zip([cell.value for cell in head], row, strict=True)) for row in rows]
    assert named[0]["result"].value == 10
    assert named[0]["time"].value.isoformat() == "2024-03-31T01:00:00"
    assert named[0]["time_local"].value.isoformat() == "2024-03-31T03:00:00"
    evil = next(row["result_text"] for row in named if row["result_text"].value == EVIL)
    assert evil.data_type in ("s", "inlineStr")
    assert evil.quotePrefix


def test_more_rows_than_a_sheet_has_go_to_the_next_one(
    town: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet, "ROWS", 6)
    book = openpyxl.load_workbook(make(town, tmp_path, "xlsx"))
    assert [len(list(each.iter_rows())) for each in book.worksheets[1:]] == [6, 6, 2]
    monkeypatch.setattr(sheet, "SHEETS", 2)
    with pytest.raises(InvalidInput, match="CSV or Parquet"):
        make(town, tmp_path, "xlsx")


def test_parquet_is_geoparquet_with_licence_and_provenance(town: Store, tmp_path: Path) -> None:
    file = parquet.ParquetFile(make(town, tmp_path, "parquet"))
    table = file.read()
    assert table.schema.field("time").type == pa.timestamp("us", tz="UTC")
    assert table.column("result").to_pylist()[:3] == [10.0, 200.0, 30.25]
    assert table.column("time").cast(pa.int64()).to_pylist()[:3] == [AT, AT + HOUR, AT + 2 * HOUR]
    said = json.loads(file.metadata.metadata[b"allmende"])
    assert (said["licence"], said["selection"], said["made_at"]) == (
        "dl-de/by-2-0", {"dataset": "parking"}, "2024-03-31T01:00:00.000Z",
    )  # fmt: skip
    geo = json.loads(file.metadata.metadata[b"geo"])
    assert geo["columns"]["geometry"] == {
        "encoding": "WKB", "geometry_types": ["Point"], "bbox": [11.58, 50.92, 11.58, 50.92],
    }  # fmt: skip
    assert shapely.from_wkb(table.column("geometry")[0].as_py()).coords[0] == (11.58, 50.92)


def test_geojson_and_geopackage_are_read_by_gdal(town: Store, tmp_path: Path) -> None:
    path = make(town, tmp_path, "geojson")
    said = json.loads(path.read_bytes())
    assert (said["metadata"]["attribution"], said["numberReturned"]) == ("Stadt, Verkehr", 11)
    for key in ("geojson", "gpkg"):
        meta, table = pyogrio.read_arrow(make(town, tmp_path, key))
        assert table.num_rows == 11, key
        assert table.column("result").to_pylist()[:3] == [10.0, 200.0, 30.25]
        assert meta["crs"] in ("EPSG:4326", "OGC:CRS84"), key
    info = pyogrio.read_info(tmp_path / "file.gpkg")
    assert info["dataset_metadata"]["licence_url"] == "https://www.govdata.de/dl-de/by-2-0"
    assert json.loads(info["dataset_metadata"]["selection"]) == {"dataset": "parking"}


def test_what_is_chosen_is_all_that_comes(town: Store, tmp_path: Path) -> None:
    def of(**said: Any) -> list[dict[str, str]]:
        return rows_of(make(town, tmp_path, "csv", **said))[0]

    assert {row["stream"] for row in of(streams=("oth*",))} == {"other~free"}
    assert len(of(start=AT + HOUR, end=AT + 2 * HOUR)) == 1
    assert of(bbox=(0.0, 0.0, 1.0, 1.0)) == []
    assert len(of(bbox=(11.0, 50.0, 12.0, 51.0))) == 11
    assert of(properties=("rain",)) == []
    assert list(of(columns=("time", "result"))[0]) == ["time", "result"]
    with pytest.raises(InvalidInput, match="no column 'resutl'"):
        of(columns=("resutl",))


def test_pages_are_put_together_without_a_seam(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "PAGE", 7)
    times = [AT + n * MINUTE for n in range(50)]
    store.append(batch(Series(stream="garage~free", times=times, results=list(range(50)))))
    table = parquet.read_table(make(store, tmp_path, "parquet"))
    assert table.column("result").to_pylist() == [float(n) for n in range(50)]


def test_sums_go_by_the_days_of_the_city(store: Store, tmp_path: Path) -> None:
    # four hours on both sides of midnight in Jena (22:00 UTC in summer)
    times = [AT + 19 * HOUR + n * HOUR for n in range(4)]
    store.append(batch(Series(stream="garage~free", times=times, results=[1, 2, 3, "voll"])))
    rows, _, _ = rows_of(make(store, tmp_path, "csv", bucket="P1D"))
    assert [(r["time"], r["count"], r["mean"], r["min"], r["max"]) for r in rows] == [
        ("2024-03-30T23:00:00.000Z", "2", "1.5", "1", "2"),
        ("2024-03-31T22:00:00.000Z", "2", "3", "3", "3"),
    ]


@pytest.mark.parametrize("dataset", ["hidden", "simulated"])
def test_what_the_reader_may_not_see_or_did_not_ask_for_is_in_no_file(
    store: Store, tmp_path: Path, dataset: str
) -> None:
    store.append(batch(Series(stream=f"{dataset}~free", times=[AT], results=[1]), dataset=dataset))
    assert rows_of(make(store, tmp_path, "csv", dataset=dataset))[0] == []
    granted = Reader(name="user:anna", datasets=frozenset({"hidden"}))
    assert len(rows_of(make(store, tmp_path, "csv", dataset=dataset, reader=granted))[0]) == (dataset == "hidden")


def trees(store: Store) -> None:
    point = {"type": "Point", "coordinates": [11.5, 50.9]}
    line = {"type": "LineString", "coordinates": [[11.5, 50.9], [11.6, 51.0]]}
    found, faults = check_features(
        Features(
            collection="trees",
            items=[
                Feature(id="1", geometry=point, properties={"kind": "Eiche", "height": 12, "name": EVIL}),
                Feature(id="2", geometry=line, properties={"height": 3.5, "felled": False, "tags": ["a"]}),
                Feature(id="3", geometry=None, properties={"height": "hoch"}, valid_from=AT, valid_to=AT + DAY),
            ],
        ),
        Bounds(),
    )
    assert not faults
    store.append(
        Batch(
            origin="register", dataset="parking", reader=HOUSE, received_at=AT,
            collections=[Collection(id="trees", title="Bäume")], features=[found],
        )
    )  # fmt: skip


def test_objects_have_a_column_for_each_property_and_lose_nothing(store: Store, tmp_path: Path) -> None:
    trees(store)
    rows, _, _ = rows_of(make(store, tmp_path, "csv", collection="trees"))
    assert [(row["kind"], row["height"], row["felled"], row["more"]) for row in rows] == [
        ("Eiche", "12", "", ""), ("", "3.5", "false", '{"tags":["a"]}'), ("", "", "", '{"height":"hoch"}'),
    ]  # fmt: skip
    assert rows[0]["name"] == f"'{EVIL}"
    assert rows[1]["geometry"] == "LINESTRING (11.5 50.9, 11.6 51)"
    for key in ("gpkg", "geojson", "parquet"):
        table = pyogrio.read_arrow(make(store, tmp_path, key, collection="trees"))[1] if key != "parquet" else None
        table = table or parquet.read_table(make(store, tmp_path, key, collection="trees"))
        shapes = [each.as_py() for each in table.column(table.column_names[-1] if key != "parquet" else "geometry")]
        assert [shapely.from_wkb(s).geom_type if s else None for s in shapes] == ["Point", "LineString", None]
        assert table.column("height").to_pylist() == [12.0, 3.5, None]
    geo = json.loads(parquet.ParquetFile(tmp_path / "file.parquet").metadata.metadata[b"geo"])
    assert geo["columns"]["geometry"]["geometry_types"] == ["LineString", "Point"]
    with pytest.raises(NotFound):
        make(store, tmp_path, "csv", collection="none")
    assert msgspec.json.decode(rows[2]["more"]) == {"height": "hoch"}


def test_the_recorded_car_parks_come_back_from_every_format(store: Store, tmp_path: Path) -> None:
    recording = captured("parking", "jena_free_2023-11-07_2024-04-30.csv.gz")
    places: dict[str, dict[int, int]] = {}
    with gzip.open(recording, "rt") as file:
        for row in itertools.islice(csv.DictReader(file), 3_000):
            at = from_datetime(datetime.fromisoformat(row["timestamp"]))
            places.setdefault(row["place_id"], {})[at] = int(row["free"])
    store.append(
        batch(*(Series(stream=f"{name}~free", times=list(r), results=list(r.values())) for name, r in places.items()))
    )
    known = {(f"{name}~free", at): float(free) for name, r in places.items() for at, free in r.items()}
    for key in ("parquet", "gpkg", "geojson"):
        path = make(store, tmp_path, key)
        table = parquet.read_table(path) if key == "parquet" else pyogrio.read_arrow(path)[1]
        times = table.column("time").cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()
        names, results = table.column("stream").to_pylist(), table.column("result").to_pylist()
        assert dict(zip(zip(names, times, strict=True), results, strict=True)) == known, key
    for key, delimiter in (("csv", ","), ("csv-de", ";")):
        rows, _, _ = rows_of(make(store, tmp_path, key), delimiter)
        assert {(r["stream"], parse_instant(r["time"])): float(r["result"].replace(",", ".")) for r in rows} == known
    head, *cells = openpyxl.load_workbook(make(store, tmp_path, "xlsx"), read_only=True)["Daten 1"].iter_rows(
        values_only=True
    )
    at = {name: head.index(name) for name in ("stream", "time", "result")}
    read = {
        (row[at["stream"]], from_datetime(row[at["time"]].replace(tzinfo=UTC))): float(row[at["result"]])
        for row in cells
    }
    assert read == known
