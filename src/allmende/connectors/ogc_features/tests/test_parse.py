"""Roadworks of Hamburg and Berlin as GeoJSON (captured), and GML as a WFS writes it."""

import json

import pytest

from allmende.connectors.ogc_features.pages import page_name
from allmende.connectors.ogc_features.parse import parse
from allmende.connectors.testing import (
    assert_sound,
    assert_withstands,
    captured,
    features,
    kept_features,
    manifest_settings,
    payload,
    sample,
)
from allmende.domain.connector import Source
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.ogc_features"
BODY = sample(HERE, "items-constructed.json")
FOREVER = ("the year 9999", "the year 0001")
"""How some say "for ever" and "since ever": not to be told from a time."""


def source(**settings: object) -> Source:
    return Source(
        id="objects",
        connector="ogc_features",
        dataset="d",
        time_zone="Europe/Berlin",
        settings=manifest_settings(HERE) | settings,
    )


SAMPLE = source(valid_from="properties.beginn", valid_to="properties.ende", time_forms=["%d.%m.%Y"], drop=["kontakt"])
HAMBURG = source(valid_from="properties.baubeginn", valid_to="properties.bauende", time_forms="%d.%m.%Y")
BERLIN = source(
    id="properties.id",
    valid_from="properties.validity.from",
    valid_to="properties.validity.to",
    time_forms=["%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M"],
    drop=["tstore", "icon"],
)


def test_days_are_whole_and_people_are_dropped():
    parsed = assert_sound(parse, payload(BODY), SAMPLE)
    found = features(parsed)
    assert not parsed.rejections
    assert found["b-1"].valid_from == parse_instant("2026-03-02T00:00:00+01:00")
    assert found["b-1"].valid_to == parse_instant("2026-04-17T23:59:59.999999+02:00")
    assert found["b-2"].valid_to is None
    assert "example.org" not in repr(found)


def test_hamburg():
    parsed = assert_sound(parse, payload(captured("roadworks/ogc_hamburg_baustellen.json")), HAMBURG)
    found = features(parsed)
    assert not parsed.rejections
    assert found["DE.HH.UP_BAUSTELLE_3628374"].valid_to == parse_instant("2026-07-23T23:59:59.999999+02:00")
    assert found["DE.HH.UP_BAUSTELLE_916925"].properties["titel"].startswith("Wellingsbütteler Landstraße")


def test_berlin():
    parsed = assert_sound(parse, payload(captured("roadworks/berlin_baustellen_live_pull.json")), BERLIN)
    found = kept_features(parsed)
    assert not parsed.rejections
    assert len(found) == 5
    works = features(parsed)["731/2026"]
    assert works.valid_from == parse_instant("2026-07-24T07:00:00+02:00")
    assert works.geometry["type"] == "GeometryCollection"
    assert "tstore" not in works.properties


def test_other_systems_are_converted():
    document = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "EPSG:25832"}},
        "features": [
            {"type": "Feature", "id": 1, "properties": None, "geometry": {"type": "Point", "coordinates": place}}
            for place in ([679542.668613, 5646041.5832], [1e9, 1e9])
        ],
    }
    document["features"][1]["id"] = 2
    parsed = assert_sound(parse, payload(json.dumps(document).encode()), source())
    (row,) = kept_features(parsed).values()
    # what the city's own register of trees says of the same tree
    assert (row.west, row.south) == pytest.approx((11.5554664, 50.9380132), abs=1e-6)
    assert [rejection.code for rejection in parsed.rejections] == ["bad-feature"]
    unknown = json.dumps({**document, "crs": {"properties": {"name": "EPSG:999999"}}}).encode()
    assert {rejection.code for rejection in parse(payload(unknown), source()).rejections} <= {"bad-feature", "bad-crs"}


def test_one_page_alone_ends_nothing():
    page = json.loads(BODY)
    page["links"].append({"rel": "next", "href": "https://example.org/items?offset=2"})
    body = json.dumps(page).encode()
    saved = assert_sound(parse, payload(body), SAMPLE)
    assert [rejection.code for rejection in saved.rejections] == ["not-all"]
    assert not parse(payload(body, page_name("https://example.org/items", 1)), SAMPLE).rejections


GML = b"""<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:gml="http://www.opengis.net/gml/3.2"
  xmlns:app="https://example.org/app" numberMatched="1" numberReturned="1"><wfs:member>
  <app:stop gml:id="stop.4003"><app:name>Westbahnhofstra\xc3\x9fe</app:name><app:geom>
  <gml:Point srsName="urn:ogc:def:crs:EPSG::25832"><gml:pos>679542.668613 5646041.5832</gml:pos></gml:Point>
  </app:geom></app:stop></wfs:member></wfs:FeatureCollection>"""


def test_gml_of_a_wfs():
    (found,) = kept_features(assert_sound(parse, payload(GML), source())).items()
    assert found[0] == "stop.4003"
    assert (found[1].west, found[1].south) == pytest.approx((11.5554664, 50.9380132), abs=1e-6)
    assert json.loads(found[1].properties) == {"name": "Westbahnhofstraße"}


def test_gml_that_names_files_is_not_handed_on():
    outside = b'<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/hostname">]>' + GML
    inner = b"<OGRVRTLayer name='x'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>"
    virtual = b"<OGRVRTDataSource>" + inner + b"</OGRVRTDataSource>"
    for body in (outside, virtual):
        parsed = parse(payload(body), source())
        assert not parsed.records
        assert len(parsed.rejections) == 1


def test_damaged_items():
    # A beginning is a text like "02.03.2026": what stands there instead is no number and no ISO time.
    assert assert_withstands(parse, BODY, SAMPLE, unless=FOREVER) > 300


def test_damaged_captured_items():
    # The hole ends where the next feature has the same property: the text is whole again, of two halves.
    hamburg = captured("roadworks/ogc_hamburg_baustellen.json")
    assert assert_withstands(parse, hamburg, HAMBURG, unless=(*FOREVER, "a hole")) > 300
    # The parts of a geometry are a list of objects, too.
    berlin = captured("roadworks/berlin_baustellen_live_pull.json")
    parts = ("lists of objects", "objects of lists")
    assert assert_withstands(parse, berlin, BERLIN, unless=(*FOREVER, *parts)) > 300
