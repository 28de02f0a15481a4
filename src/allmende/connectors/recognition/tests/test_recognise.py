"""Captured and constructed files: what they are taken for, and that the connector reads them with what is proposed."""

import gzip
import io
import json
from datetime import datetime
from importlib import import_module
from pathlib import Path

import pytest
from openpyxl import Workbook

from allmende.connectors.recognition.recognise import name_of
from allmende.connectors.recognition.tests.looking import look
from allmende.connectors.testing import captured, features, payload, values
from allmende.domain.connector import Source
from allmende.domain.framing import frames, framing_of
from allmende.domain.recognition.model import Recognition
from allmende.domain.recognition.plan import settings_of
from allmende.domain.records import Rejection


def read(body: bytes, known: Recognition, most: int = 10) -> tuple[dict, dict, list[Rejection]]:
    """What the connector makes of it with the proposal: values by stream, features, rejections."""
    parse = import_module(f"allmende.connectors.{known.connector}.parse").parse
    said = settings_of(known.plan)
    source = Source(id="s", connector=known.connector, dataset="d", time_zone="Europe/Berlin", settings=said)
    framing = {"table": "lines"}.get(known.connector, "whole")
    streams: dict = {}
    objects: dict = {}
    rejections: list[Rejection] = []
    cut = frames(io.BytesIO(body), framing=framing_of(framing, said), name="f", received_at=1)
    for _, each in zip(range(most), cut, strict=False):
        parsed = parse(each, source)
        for stream, found in values(parsed).items():
            streams.setdefault(stream, []).extend(found)
        objects |= features(parsed)
        rejections += parsed.rejections
    return streams, objects, rejections


def columns(known: Recognition) -> dict[str, str]:
    return {column.name: column.meaning for column in known.columns if column.meaning not in ("leave", "attribute")}


# --- captured ---


def test_car_parks_of_jena():
    body = captured("parking/jena_free_2023-11-07_2024-04-30.csv.gz")
    known = look(body, "jena_free.csv.gz")
    assert (known.what, known.connector, known.warnings) == ("CSV", "table", ())
    assert settings_of(known.plan) == {
        "separator": ",",
        "time": "timestamp",
        "thing_column": "place_id",
        "values": {"free": "free-parking-spaces"},
        "properties": {"free-parking-spaces": {"name": "Freie Plätze", "unit": "{space}", "type": "count"}},
    }
    streams, _, rejections = read(body, known, 2)
    assert streams["s-mobilitaet-jena-Eichplatz~free-parking-spaces"][:1] == [0]
    assert not rejections


def test_trees_of_jena():
    body = captured("geo/jena_trees_2022.csv.gz")
    known = look(body, "jena_trees_2022.csv.gz")
    assert known.plan.shape == "objects"
    assert columns(known) == {"treeid": "id", "lon": "x", "lat": "y"}
    said = settings_of(known.plan)
    assert {key: said[key] for key in said if key != "attributes"} == {
        "separator": ",",
        "id": "treeid",
        "x": "lon",
        "y": "lat",
    }
    assert said["attributes"]["baumhoehe"] == "baumhoehe"
    assert "alknummer" not in said["attributes"]  # it is empty
    _, objects, rejections = read(body, known, 2)
    assert len(objects) > 3900
    assert not rejections


def test_the_easting_of_trees_is_known_where_degrees_are_missing():
    lines = gzip.decompress(captured("geo/jena_trees_2022.csv.gz")).decode().split("\n")[:50]
    body = "\n".join(line.rsplit(",", 2)[0] for line in lines if line).encode()
    known = look(body, "trees.csv")
    assert columns(known) == {"treeid": "id", "rechtswert": "x", "hochwert": "y"}
    assert known.plan.base["crs"] == "EPSG:25832"


def test_weather_of_jena_is_on_the_clock_of_utc():
    body = captured("weather/jena_sternwarte_hourly_2022-10_2024-04.csv")
    known = look(body, "weather.csv")
    assert settings_of(known.plan) == {
        "separator": ",",
        "time_forms": ["%Y-%m-%d %H:%M:%S"],
        "zone": "UTC",
        "time": "Date_time",
        "thing_column": "Weather_station",
        "values": {"Temperature": "air-temperature", "Humidity": "air-humidity", "Rainfall": "rain-accumulation"},
        "properties": {
            "air-temperature": {"name": "Lufttemperatur", "unit": "Cel"},
            "air-humidity": {"name": "Luftfeuchte", "unit": "%"},
            "rain-accumulation": {"name": "Niederschlag, aufsummiert", "unit": "mm"},
        },
    }
    streams, _, rejections = read(body, known)
    assert (len(streams), len(streams["s-Jena~air-temperature"]), rejections) == (3, 13200, [])


def test_bicycles_of_muenster_are_wide():
    body = captured("mobility/muenster_bicycle_counts/100034983/2025-01.csv")
    known = look(body, "2025-01.csv")
    assert known.plan.shape == "wide"
    said = settings_of(known.plan)
    assert said["columns"] == [
        "100034983 (Warendorfer Straße)",
        "101034983 (Warendorfer Straße stadteinwärts)",
        "102034983 (Warendorfer Straße stadtauswärts)",
    ]
    assert said["properties"] == {"count": {"name": "Anzahl", "unit": "1", "type": "count"}}
    streams, _, rejections = read(body, known)
    assert len(streams) == 3
    assert not rejections


@pytest.mark.parametrize(
    ("path", "what", "connector", "settings"),
    [
        ("parking/feeds/aachen-realtime.xml", "DATEX II", "datex_parking", {}),
        ("parking/feeds/aachen-static.xml", "DATEX II", "datex_parking", {}),
        ("roadworks/luxembourg_chantiers.xml", "DATEX II", "datex_situation", {}),
        ("roadworks/wzdx_wsdot.json", "WZDx", "wzdx", {}),
        ("parking/feeds/esslingen.geojson", "GeoJSON", "geofile", {"id": "properties.fid"}),
        ("parking/feeds/freiburg_disabled_sensors.geojson", "GeoJSON", "geofile", {"id": "properties.name"}),
        ("parking/feeds/freiburg_disabled_static.geojson", "GeoJSON", "geofile", {"id": "properties.fid"}),
        ("parking/jena_live_lots.geojson", "GeoJSON", "geofile", {"id": "properties.id", "drop": ["address"]}),
        ("parking/jena_all_car_parks.geojson", "GeoJSON", "geofile", {"id": "properties.id"}),
        ("geo/jena_ortsteile_osm.geojson", "GeoJSON", "geofile", {"id": "id"}),
        ("geo/jena_fluesse_osm.geojson", "GeoJSON", "geofile", {"id": "id"}),
        ("geo/jena_strassenbahn_osm.geojson", "GeoJSON", "geofile", {"id": "id"}),
        ("roadworks/berlin_baustellen_live_pull.json", "GeoJSON", "geofile", {"id": "properties.id"}),
        ("roadworks/ogc_hamburg_baustellen.json", "GeoJSON", "geofile", {"id": "id"}),
    ],
)
def test_documents(path, what, connector, settings):
    known = look(captured(path), Path(path).name)
    assert (known.what, known.connector) == (what, connector)
    assert settings_of(known.plan) == settings


@pytest.mark.parametrize(
    ("path", "count", "first"),
    [
        ("parking/feeds/esslingen.geojson", 244, "1"),
        ("parking/jena_all_car_parks.geojson", 103, "185"),
        ("parking/feeds/reutlingen.csv", 114, "76997"),
        ("parking/feeds/bielefeld.csv", 853, "620-1"),
        ("parking/feeds/goldbeck.xlsx", 11, "3"),
        ("parking/feeds/konstanz.json", 11, "1"),
        ("geo/jena_strassenbahn_osm.geojson", 109, "node/255680285"),
    ],
)
def test_objects_are_read_as_proposed(path, count, first):
    body = captured(path)
    known = look(body, Path(path).name)
    _, objects, rejections = read(body, known)
    assert len(objects) == count
    assert len(rejections) == (6 if "esslingen" in path else 0)  # six have an empty shape
    assert objects[first].geometry is not None


def test_car_parks_of_heidelberg_are_readings_of_a_list():
    body = captured("parking/feeds/heidelberg.json")
    known = look(body, "heidelberg.json")
    said = settings_of(known.plan)
    assert (said["time"], said["thing_column"]) == ("observationDateTime.value", "id")
    assert said["values"]["availableSpotNumber.value"] == "free-parking-spaces"
    streams, _, _ = read(body, known)
    assert len([stream for stream in streams if stream.endswith("~free-parking-spaces")]) == 23


def test_addresses_without_header_and_id():
    known = look(captured("geo/jena_addresses_2017.tsv.gz"), "jena_addresses_2017.tsv.gz")
    assert known.plan.base == {"separator": "\t", "head": 0}
    assert columns(known) == {"column-4": "x", "column-5": "y"}
    assert any("No column tells every row" in str(words) for words in known.warnings)


# --- constructed ---


def test_a_german_table_with_words_above_and_units_below():
    body = (
        "Stadt Jena, Umweltamt\r\nStand: 1.3.2026\r\n\r\n"
        "Datum;Uhrzeit;Messstelle;Temperatur (°C);Luftdruck [hPa];PM10 in µg/m³;Bemerkung;Freie Plätze\r\n"
        "01.03.2026;10:00;Nord;1,5;1.013,2;12;;1.204\r\n"
        "01.03.2026;10:00;Süd;-;1.011,0;-999;Ausfall;3\r\n"
        "01.03.2026;11:00;Nord;2,25;1.013,0;15;;1.190\r\n"
        "01.03.2026;11:00;Süd;2,5;1.012,5;11;;2\r\n"
        "01.03.2026;12:00;Süd;2,5;1.012,5;11;;2\r\n"
    ).encode("windows-1252")
    known = look(body, "Messwerte Stadt.csv")
    said = settings_of(known.plan)
    assert {key: said[key] for key in said if key != "properties"} == {
        "separator": ";",
        "encoding": "windows-1252",
        "head": 4,
        "decimal": ",",
        "thousands": ".",
        "missing": ["-", "-999"],
        "time_forms": ["%d.%m.%Y %H:%M"],
        "time": ["Datum", "Uhrzeit"],
        "thing_column": "Messstelle",
        "values": {
            "Temperatur (°C)": "air-temperature",
            "Luftdruck [hPa]": "air-pressure",
            "PM10 in µg/m³": "pm10",
            "Freie Plätze": "free-parking-spaces",
        },
    }
    assert said["properties"]["pm10"] == {"name": "Feinstaub PM10", "unit": "ug/m3"}
    streams, _, rejections = read(body, known)
    assert not rejections
    assert streams["s-Nord~air-pressure"] == [1013.2, 1013.0]
    assert streams["s-Süd~air-temperature"] == [2.5, 2.5]
    assert streams["s-Nord~free-parking-spaces"] == [1204, 1190]


def test_positions_that_are_swapped_are_noticed():
    body = b"nr,lon,lat\n1,50.92,11.58\n2,50.93,11.59\n"
    known = look(body, "x.csv")
    assert columns(known) == {"nr": "id", "lon": "y", "lat": "x"}
    assert any("swapped" in str(words) for words in known.warnings)
    _, objects, _ = read(body, known)
    assert objects["1"].geometry["coordinates"] == [11.58, 50.92]


def test_utf_16_without_header():
    body = "\ufeff".encode("utf-16-le") + "01.03.2026 10:00\t1,5\n01.03.2026 11:00\t2,5\n".encode("utf-16-le")
    known = look(body, "log.txt")
    assert known.plan.base["head"] == 0
    streams, _, rejections = read(body, known)
    assert (list(streams.values()), rejections) == ([[1.5, 2.5]], [])


def test_a_row_of_units():
    body = b"Zeit;Temp;Regen\n;\xc2\xb0C;mm\n2026-03-01T10:00Z;1.5;0\n2026-03-01T11:00Z;2.5;0\n"
    known = look(body, "x.csv")
    assert {column.name: column.unit for column in known.columns} == {"Zeit": "", "Temp": "Cel", "Regen": "mm"}
    assert any("units" in str(words) for words in known.warnings)


def test_a_workbook_with_several_sheets():
    book = Workbook()
    book.active.append(["Hinweise"])
    sheet = book.create_sheet("Werte")
    sheet.append(["Zeit", "Wert"])
    for hour in range(3):
        sheet.append([datetime(2026, 3, 1, hour), 1.5 + hour])  # noqa: DTZ001  sheets have no zones
    out = io.BytesIO()
    book.save(out)
    known = look(out.getvalue(), "x.xlsx")
    assert [choice.value for choice in known.choices] == ["Sheet", "Werte"]
    known = look(out.getvalue(), "x.xlsx", sheet="Werte")
    assert known.plan.base["sheet"] == "Werte"
    streams, _, rejections = read(out.getvalue(), known)
    assert (list(streams.values()), rejections) == ([[1.5, 2.5, 3.5]], [])


def test_parquet():
    import pyarrow as arrow
    from pyarrow import parquet

    out = io.BytesIO()
    parquet.write_table(
        arrow.table({"time": ["2026-03-01T10:00:00Z"] * 2, "station": ["a", "b"], "no2": [1.5, 2.5]}), out
    )
    known = look(out.getvalue(), "x.parquet")
    assert (known.what, columns(known)) == ("Parquet", {"time": "time", "station": "id", "no2": "value"})
    streams, _, _ = read(out.getvalue(), known)
    assert streams == {"s-a~nitrogen-dioxide": [1.5], "s-b~nitrogen-dioxide": [2.5]}


@pytest.mark.parametrize("driver", ["GPKG", "FlatGeobuf"])
def test_files_of_objects(driver):
    pyogrio = pytest.importorskip("pyogrio")
    import numpy
    import shapely

    out = io.BytesIO()
    shapes = shapely.to_wkb(shapely.points([[681700, 5645000], [681800, 5645100]]))
    pyogrio.raw.write(
        out,
        shapes,
        [numpy.array(["a", "b"])],
        ["nr"],
        driver=driver,
        layer="trees",
        geometry_type="Point",
        crs="EPSG:25832",
    )
    known = look(out.getvalue(), "x")
    assert known.connector == "geofile"
    assert any("EPSG:25832" in str(words) for words in known.reasons)
    _, objects, rejections = read(out.getvalue(), known)
    assert (len(objects), rejections) == (2, [])


def test_geojson_that_names_no_system():
    point = {"type": "Point", "coordinates": [681700.0, 5645000.0]}
    body = json.dumps(
        {"type": "FeatureCollection", "features": [{"type": "Feature", "id": 1, "geometry": point, "properties": {}}]}
    )
    known = look(body.encode(), "x.geojson")
    assert known.plan.base == {"crs": "EPSG:25832"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><p>", "page for people"),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 100, "Old spreadsheets"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04nonsense", "cannot be read"),
        (b"{", "no JSON"),
        (b'{"a": 1}', "neither GeoJSON"),
        (b"<a/>", "none that a bundled"),
        (b"\x1f\x8bnonsense", "damaged"),
        (b"hello", "neither a table"),
    ],
)
def test_what_cannot_be_read_is_told(body, words):
    known = look(body, "x")
    assert known.plan is None
    assert any(words in str(each) for each in known.warnings), known.warnings


def test_names_of_files():
    assert name_of("https://example.org/data/Bäume 2024.csv.gz?x=1") == "Bäume 2024"
    assert payload(b"").body == b""
