"""Jena's profile: complete, every fact with source and date, every outline within its limits."""

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shapely import box, coverage_is_valid, unary_union
from shapely.geometry import Point, shape

from allmende.connectors.properties import catalogue
from allmende.domain.profile import Fact, Profile, as_list
from allmende.domain.retention import CollectionFacts, Retention, StreamFacts, listed
from allmende.web.profiles import available_profiles, load_profile

CAPACITIES = {
    "parking-city-carree": [40, 155],
    "parking-eichplatz": [290],
    "parking-goethe-galerie": [740],
    "parking-haeckelplatz": [32],
    "parking-holzmarkt": [250],
    "parking-krautgasse": [381],
    "parking-neue-mitte": [172],
    "parking-seidelparkplatz": [161],
    "parking-steinkreuz": [100],
    "parking-windberg": [75],
}


@pytest.fixture(scope="module")
def jena() -> Profile:
    return load_profile("jena")


@pytest.fixture(scope="module")
def folder() -> Path:
    return available_profiles()["jena"].parent


def coordinates(value: Any) -> Iterator[tuple[float, float]]:
    if isinstance(value[0], int | float):
        yield value[0], value[1]
    else:
        for item in value:
            yield from coordinates(item)


def test_the_ten_car_parks_and_both_capacities_of_city_carree(jena: Profile) -> None:
    found = {thing.id: [fact.value for fact in as_list(thing.facts["capacity"])] for thing in jena.things}
    assert found == CAPACITIES
    assert {thing.kind for thing in jena.things} == {"car-park"}


def test_every_fact_has_source_and_date(jena: Profile) -> None:
    entries = [*jena.facts.values(), *(entry for thing in jena.things for entry in thing.facts.values())]
    facts: list[Fact] = [fact for entry in entries for fact in as_list(entry)]
    assert len(facts) > 50
    assert all(fact.source and fact.date for fact in facts)


def test_facts_that_disagree_are_all_kept(jena: Profile) -> None:
    assert [fact.value for fact in as_list(jena.facts["parking_guidance_spaces"])] == [2180, 2500]
    assert [fact.value for fact in as_list(jena.facts["parking_guidance_sites"])] == [48, 120]


def test_no_car_park_has_an_invented_zone(jena: Profile) -> None:
    assert not [thing.id for thing in jena.things if "tariff_zone" in thing.facts]


def test_outlines_lie_in_the_city_with_four_decimals(jena: Profile) -> None:
    geography = jena.geography
    assert "OpenStreetMap" in geography.attribution
    assert "ODbL" in geography.attribution
    bounds = box(*shape(geography.boundary["features"][0]["geometry"]).bounds)
    near = bounds.buffer(0.011, join_style="mitre")
    for outline in (geography.boundary, geography.districts, geography.waters):
        for feature in outline["features"]:
            for lon, lat in coordinates(feature["geometry"]["coordinates"]):
                assert (round(lon, 4), round(lat, 4)) == (lon, lat)
                assert near.covers(Point(lon, lat))
    assert bounds.covers(Point(*geography.center))


def test_thirty_districts_fit_together_and_make_the_boundary(jena: Profile) -> None:
    districts = jena.geography.districts["features"]
    outlines = [shape(feature["geometry"]) for feature in districts]
    assert len({feature["properties"]["id"] for feature in districts}) == 30
    assert all(outline.is_valid for outline in outlines)
    assert coverage_is_valid(outlines)
    assert unary_union(outlines).equals(shape(jena.geography.boundary["features"][0]["geometry"]))
    names = {feature["properties"]["name"] for feature in districts}
    assert {"Jena-Zentrum", "Neulobeda", "Kunitz / Laasan", "Zwätzen"} <= names


def test_the_saale_is_one_line_through_the_city(jena: Profile) -> None:
    (river,) = jena.geography.waters["features"]
    assert river["properties"]["name"] == "Saale"
    assert river["geometry"]["type"] == "LineString"
    _, south, _, north = shape(jena.geography.boundary["features"][0]["geometry"]).bounds
    line = shape(river["geometry"])
    assert line.bounds[1] < south
    assert line.bounds[3] > north


def test_files_stay_small(folder: Path) -> None:
    assert (folder / "districts.geojson").stat().st_size < 120_000
    assert (folder / "demo_parking.csv").stat().st_size < 400_000


def test_car_parks_stand_in_the_city(jena: Profile) -> None:
    city = shape(jena.geography.boundary["features"][0]["geometry"])
    for thing in jena.things:
        assert thing.position is not None
        assert city.covers(Point(thing.position.lon, thing.position.lat))


def test_sources_datasets_and_services(jena: Profile) -> None:
    own = {"jena-parking": "jena_parking", "chirpstack": "chirpstack", "demo": "demo"}
    assert own.items() <= {key: source.connector for key, source in jena.sources.items()}.items()
    assert jena.sources["jena-parking"].interval_seconds == 300
    assert jena.sources["demo"].interval_seconds == 20
    assert jena.sources["chirpstack"].interval_seconds is None
    assert [key for key, dataset in jena.datasets.items() if dataset.simulated] == [
        "parking-signs-constructed",
        "demo-parking",
    ]
    assert jena.services["parking"]["kind"] == "car-park"
    places = jena.sources["jena-parking"].settings["places"]
    assert set(places.values()) == set(CAPACITIES)
    assert places["mobilitaet-jena-Goethe-Galerie"] == "parking-goethe-galerie"


def test_the_demo_table_is_complete(jena: Profile) -> None:
    source = jena.sources["demo"]
    rows = list(csv.DictReader(io.StringIO(source.tables["demo_parking.csv"].decode())))
    keys = {(row["place"], int(row["weekday"]), int(row["quarter"])) for row in rows}
    assert keys == {(place, day, quarter) for place in CAPACITIES for day in range(7) for quarter in range(96)}
    assert len(rows) == len(keys)
    for row in rows:
        assert 0 <= float(row["mean"]) <= 1
        assert 0 <= float(row["spread"]) <= 0.5 + 1e-4
        assert math.isfinite(float(row["spread"]))
    assert set(source.settings["capacities"]) == set(CAPACITIES)


@pytest.mark.parametrize(
    ("source", "observed", "rule", "keep"),
    [
        ("ilsa", "signal-aspect", "signals", "P2D"),
        ("ibis", "vehicle-position", "vehicles", "latest"),
        ("ibis", "schedule-deviation", "punctuality", "P30D"),
        ("miv", "vehicles-present", "vehicles-present", "forever"),
        ("traficam", "objects-passed", "camera-counts", "forever"),
        ("chirpstack", "soil-water-potential", None, None),
        ("rule/soil-area", "watering-colour", None, None),
        ("jena-parking", "free-spaces", None, None),
        ("sensor-community", "particulate-matter-10", None, None),
    ],
)
def test_how_long_readings_are_kept(jena: Profile, source: str, observed: str, rule: str | None, keep: str | None):
    facts = StreamFacts(id="x", dataset="x", source=source, properties=(observed,))
    found = Retention(jena.retention, jena.time_zone).rule_of(facts)
    assert (found and found.id, found and found.keep) == (rule, keep)


def test_retention_speaks_of_properties_that_there_are(jena: Profile):
    named = {name for rule in jena.retention.values() for name in listed(rule.property)}
    assert named <= catalogue().keys()


def test_roads_that_are_open_again_go_and_trees_stay(jena: Profile):
    retention = Retention(jena.retention, jena.time_zone)
    kept = {
        source: retention.rule_of_collection(CollectionFacts(id=source, dataset="x", source=source))
        for source in ("roadworks", "trees", "timetable")
    }
    assert {source: rule and rule.keep for source, rule in kept.items()} == {
        "roadworks": "P2Y", "trees": None, "timetable": None,
    }  # fmt: skip
