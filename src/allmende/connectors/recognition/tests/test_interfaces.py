"""What answers at an address: which interface it is, where that begins, and what has to be chosen of it."""

import json

import pytest

from allmende.connectors.recognition.tests.looking import look

INTERFACES = [
    ({"last_updated": 1, "ttl": 60, "version": "2.3", "data": {"de": {"feeds": []}}}, "GBFS", "gbfs"),
    (
        {"value": [{"name": "Things", "url": "x"}, {"name": "Datastreams", "url": "x"}]},
        "OGC SensorThings",
        "sensorthings",
    ),
    ({"items": [{"id": 1, "source_id": 2, "original_uid": "a"}], "total_count": 1}, "ParkAPI", "parkapi"),
]


@pytest.mark.parametrize(("document", "what", "connector"), INTERFACES)
def test_interfaces(document, what, connector):
    known = look(json.dumps(document).encode(), "x", "https://example.org/x")
    assert (known.what, known.connector, known.address) == (what, connector, "https://example.org/x")


def test_sensorthings_deeper_inside_leads_to_its_root():
    body = json.dumps({"value": [{"@iot.id": 1}]}).encode()
    known = look(body, "x", "https://example.org/FROST/v1.1/Things?$top=1")
    assert (known.connector, known.address) == ("sensorthings", "https://example.org/FROST/v1.1")


def test_a_collection_of_ogc_api_is_followed_by_pages():
    item = {"type": "Feature", "id": 1, "geometry": None, "properties": {}}
    body = json.dumps({"type": "FeatureCollection", "features": [item]}).encode()
    known = look(body, "items", "https://example.org/collections/trees/items?f=json")
    assert (known.connector, known.plan.base) == ("ogc_features", {"service": "ogc-api"})
    known = look(body, "x.geojson", "https://example.org/x.geojson")
    assert (known.connector, known.plan.base) == ("ogc_features", {"service": "plain"})


def test_what_has_to_be_chosen_of():
    collections = {"collections": [{"id": "trees", "title": "Bäume"}], "links": []}
    known = look(json.dumps(collections).encode(), "x", "https://example.org/collections?f=json")
    assert [choice.value for choice in known.choices] == ["https://example.org/collections/trees/items"]
    package = {
        "success": True,
        "result": {"resources": [{"url": "https://example.org/a.csv", "name": "A", "format": "CSV"}]},
    }
    known = look(json.dumps(package).encode(), "x", "https://example.org/api/3/action/package_show")
    assert [(choice.value, choice.label) for choice in known.choices] == [("https://example.org/a.csv", "A (CSV)")]
    landing = {"links": [{"rel": "data", "href": "https://example.org/collections"}]}
    assert (
        look(json.dumps(landing).encode(), "x", "https://example.org/").choices[0].value
        == "https://example.org/collections"
    )


def test_a_wfs():
    body = b"""<WFS_Capabilities xmlns="http://www.opengis.net/wfs/2.0" xmlns:ows="http://www.opengis.net/ows/1.1">
    <ows:Value>application/json</ows:Value><FeatureTypeList><FeatureType><Name>a:trees</Name><Title>B</Title></FeatureType>
    </FeatureTypeList></WFS_Capabilities>"""
    known = look(body, "x", "https://example.org/wfs?request=GetCapabilities")
    assert (known.connector, known.address) == ("ogc_features", "https://example.org/wfs")
    assert [(choice.key, choice.value) for choice in known.choices] == [("type_names", "a:trees")]
