"""Guesses about columns: numbers, times, units, positions; and that none of them ever raises."""

import io
import math
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.connectors.recognition.recognise import Found, recognise
from allmende.domain.errors import InvalidInput
from allmende.domain.recognition.clocks import times_of, zone_of
from allmende.domain.recognition.model import OWN_ID, ColumnPlan, Plan
from allmende.domain.recognition.names import is_id, is_x, is_y, quantity_of, slug
from allmende.domain.recognition.numbers import Style, missing_of, plain, style_of
from allmende.domain.recognition.places import find_place
from allmende.domain.recognition.plan import settings_of
from allmende.domain.recognition.quantities import QUANTITIES
from allmende.domain.recognition.units import _ENDINGS, _EXACT, SPELLINGS, UNCONVERTED, as_ucum, bare_name, unit_of
from allmende.domain.units import read_unit

JENA = (11.586, 50.927)


@pytest.mark.parametrize(
    ("cells", "decimal", "thousands", "sure"),
    [
        (["1,5", "2"], ",", "", True),
        (["1.234,5", "7"], ",", ".", True),
        (["1.234.567"], ",", ".", True),
        (["1.234", "5,25"], ",", ".", True),
        (["1,234.5"], ".", ",", True),
        (["1.5"], ".", "", True),
        (["1.234", "2.345"], ".", "", False),
        (["1,234"], ",", "", False),
        (["1'234", "5"], ".", "'", True),
        (["1 234", "5,5"], ",", " ", True),
        (["12", "x", ""], ".", "", True),
    ],
)
def test_how_numbers_are_written(cells, decimal, thousands, sure):
    style = style_of([cells])
    assert (style.decimal, style.thousands, style.sure) == (decimal, thousands, sure)


def test_numbers_are_read_by_their_style():
    german = Style(",", ".")
    assert [plain(text, german) for text in ("1.234,5", "12.34,5", "-7", "1,5e3", "1.5", "")] == [
        1234.5, None, -7.0, 1500.0, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "missing"),
    [
        (["1", "2", "3", "4", "-"], ["-"]),
        (["1", "2", "3", "4", "-999"], ["-999"]),
        (["-980", "-999", "-1000", "3", "4"], []),
        (["a", "b", "-"], []),
        (["NaN", "1.5", "2.5", "3.5", "k.A.", "1", "2", "3", "4", "5"], ["NaN", "k.A."]),
    ],
)
def test_what_stands_for_no_value(cells, missing):
    assert missing_of(cells, Style()) == missing


@pytest.mark.parametrize(
    ("cell", "name", "form"),
    [
        ("2026-03-01T10:00:00+01:00", "x", ""),
        ("01.03.2026 10:00", "x", "%d.%m.%Y %H:%M"),
        ("2026-03-01 10:00:00", "x", "%Y-%m-%d %H:%M:%S"),
        ("03/31/2026 10:00", "x", "%m/%d/%Y %H:%M"),
        ("20260301", "Datum", "%Y%m%d"),
        ("20260301", "Hausnummer", None),
        ("1772359200", "timestamp", "epoch"),
        ("1772359200000", "updated_at", "epoch-ms"),
        ("1772359200", "id", None),
        ("10:15", "Uhrzeit", "%H:%M"),
        ("12.5", "x", None),
        ("192.168.2.1", "x", None),
    ],
)
def test_how_times_are_written(cell, name, form):
    found = times_of([cell, "", cell], name)
    assert (found.form if found else None) == form


def test_day_and_month_that_cannot_be_told_apart_are_unsure():
    assert not times_of(["03/04/2026 10:00"], "x").sure
    assert times_of(["31/12/2026 10:00"], "x").sure


def test_on_which_clock_times_are():
    form = "%Y-%m-%d %H:%M"
    assert zone_of("Zeit", ["2026-07-01 10:00"], form, "Europe/Berlin")[0] == "Europe/Berlin"
    assert zone_of("time_utc", ["2026-07-01 10:00"], form, "Europe/Berlin")[0] == "UTC"
    assert zone_of("Zeit (MEZ)", ["2026-07-01 10:00"], form, "Europe/Berlin")[0] == "Etc/GMT-1"
    zone, why = zone_of("Zeit", ["2026-03-29 01:30", "2026-03-29 02:30"], form, "Europe/Berlin")
    assert zone == "UTC"
    assert "2026-03-29 02:30" in str(why)


@pytest.mark.parametrize(
    ("name", "unit", "bare"),
    [
        ("Temperatur (°C)", "Cel", "Temperatur"),
        ("pm10_µg/m3", "ug/m3", "pm10"),
        ("pm25_ug_m3", "ug/m3", "pm25"),
        ("Feuchte in %", "%", "Feuchte"),
        ("Wind [m/s]", "m/s", "Wind"),
        ("temp_c", "Cel", "temp"),
        ("capacity_c", "", "capacity_c"),
        ("Niederschlag mm", "mm", "Niederschlag mm"),
        ("Verkehrsstärke (Kfz/h)", "{vehicle}/h", "Verkehrsstärke"),
        ("Anzahl (2024)", "", "Anzahl (2024)"),
        ("in", "", "in"),
    ],
)
def test_units_in_names(name, unit, bare):
    assert (unit_of(name)[0], bare_name(name)) == (unit, bare)


def test_every_unit_that_is_proposed_is_known():
    for unit in {*SPELLINGS.values(), *_EXACT.values(), *_ENDINGS.values(), *(each.unit for each in QUANTITIES)}:
        if unit not in UNCONVERTED:
            read_unit(unit)
    assert as_ucum("kWh") == "kWh"
    assert as_ucum("Blumen") == ""


def test_names_of_quantities_in_both_languages():
    named = {
        "Lufttemperatur": "air-temperature",
        "air temp": "air-temperature",
        "Bodenfeuchte_20cm": "soil-moisture",
        "rel. Feuchte": "air-humidity",
        "PM2,5": "pm25",
        "pm2_5": "pm25",
        "PM10": "pm10",
        "Radfahrende": "bicycle-count",
        "freie Plätze": "free-parking-spaces",
        "Wasserstand": "water-level",
        "windspeed": "wind-speed",
        "foo": None,
    }
    assert {name: (found.id if (found := quantity_of(name)) else None) for name in named} == named


def test_names_of_ids_and_positions():
    assert all(map(is_id, ["id", "treeid", "place_id", "OBJECTID", "Nr", "devEui", "station-id"]))
    assert not any(map(is_id, ["hoehe", "breite", "width"]))
    assert all(map(is_x, ["lon", "Längengrad", "x", "Rechtswert", "utm_x", "X_25832", "geoLon"]))
    assert all(map(is_y, ["lat", "Breitengrad", "y", "Hochwert", "utm_y", "stop_lat"]))
    assert slug("Straße & Plätze (µg)") == "strasse-plaetze-ug"
    assert slug("…") == "value"


def convert(code, x, y):
    from allmende.connectors.geodesy import to_degrees

    return to_degrees(code)([(x, y)])[0]


@pytest.mark.parametrize(
    ("columns", "crs", "swapped"),
    [
        ({"lon": [11.58], "lat": [50.92]}, 4326, False),
        ({"lon": [50.92], "lat": [11.58]}, 4326, True),
        ({"x": [681700.0], "y": [5645000.0]}, 25832, False),
        ({"x": [5645000.0], "y": [681700.0]}, 25832, True),
        ({"Rechtswert": [4470000.0], "Hochwert": [5643000.0]}, 31468, False),
        ({"x": [260_000.0], "y": [5648000.0]}, 25833, False),
        ({"x": [1289700.0], "y": [6606000.0]}, 3857, False),
        ({"x": [32681700.0], "y": [5645000.0]}, 4647, False),
    ],
)
def test_coordinate_systems_by_their_ranges(columns, crs, swapped):
    place = find_place(columns, convert, JENA)
    assert (place.crs, place.swapped) == (crs, swapped)
    assert place.confidence > 0.9
    lon, lat = convert(crs, columns[place.x][0], columns[place.y][0])
    assert math.hypot(lon - JENA[0], lat - JENA[1]) < 1


def test_positions_without_names_are_those_near_the_city():
    fine = {"c4": [11.58123, 11.59321], "c5": [50.92123, 50.93321]}
    assert find_place(fine, convert, JENA).crs == 4326
    assert find_place({"a": [1.5, 2.5], "b": [3.5, 4.5]}, convert, JENA) is None
    assert find_place({"width": [12.123456], "height": [3.654321]}, convert, JENA) is None


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(connector="table", shape="readings"), "No column is the time."),
        (Plan(connector="table", shape="readings", columns=[ColumnPlan(column="t", meaning="time")]), "holds readings"),
        (Plan(connector="table", shape="objects"), "the id of the object"),
        (
            Plan(
                connector="table",
                shape="readings",
                columns=[
                    ColumnPlan(column="t", meaning="time"),
                    ColumnPlan(column="a", meaning="value", property="p"),
                    ColumnPlan(column="b", meaning="value", property="P"),
                ],
            ),
            "same property: p",
        ),
        (
            Plan(
                connector="table",
                shape="readings",
                columns=[
                    ColumnPlan(column="t", meaning="time"),
                    ColumnPlan(column="a", meaning="value", property="p", unit="furlong"),
                ],
            ),
            "furlong",
        ),
        (
            Plan(
                connector="table",
                shape="objects",
                columns=[ColumnPlan(column="i", meaning="id"), ColumnPlan(column="x", meaning="x")],
            ),
            "one of them is missing",
        ),
    ],
)
def test_plans_that_cannot_be_are_told(plan, words):
    with pytest.raises(InvalidInput, match=words):
        settings_of(plan)


def test_plans_of_features():
    plan = Plan(
        connector="geofile",
        shape="objects",
        columns=[
            ColumnPlan(column=OWN_ID, meaning="id"),
            ColumnPlan(column="bis", meaning="valid_to"),
            ColumnPlan(column="telefon", meaning="leave"),
        ],
    )
    assert settings_of(plan) == {"id": "id", "valid_to": "properties.bis", "drop": ["telefon"]}
    plan.columns[0].column = "nr"
    assert settings_of(plan)["id"] == "properties.nr"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_whatever_comes_is_told_and_never_raises(body):
    known = recognise(io.BytesIO(body), Found("f.csv", centre=JENA))
    assert known.what
    if known.plan is not None:
        with suppress(InvalidInput):
            settings_of(known.plan)


CELLS = st.sampled_from(
    ["", "1", "1,5", "1.5", "x", "01.03.2026", "10:00", "2026-03-01T10:00Z", "-", "POINT (1 2)", "ja"]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8), st.sampled_from(";,\t|"))
def test_what_is_proposed_is_read_by_the_connector(rows, sign):
    from allmende.connectors.table.parse import parse
    from allmende.connectors.testing import payload
    from allmende.domain.connector import Source

    body = "\n".join([sign.join(["Zeit", "Ort", "Wert"]), *(sign.join(row) for row in rows)]).encode()
    known = recognise(io.BytesIO(body), Found("f.csv", centre=JENA))
    if known.connector != "table" or known.plan is None:
        return
    try:
        said = settings_of(known.plan)
    except InvalidInput:
        return
    parsed = parse(payload(body), Source(id="s", connector="table", dataset="d", settings=said))
    assert all(rejection.code != "bad-header" for rejection in parsed.rejections), parsed.rejections
