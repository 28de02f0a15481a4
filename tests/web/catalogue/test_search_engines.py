"""What search engines are told: schema.org's Dataset as Google asks for it, and where all pages are."""

import json
import re
from xml.etree import ElementTree

import pytest
from django.test import Client
from tests.web.catalogue.test_addresses import HOST

from allmende.web.catalogue import sitemap
from allmende.web.house import open_profile

_DAY = r"\d{4}(-\d\d(-\d\d)?)?"
LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"


def test_each_page_has_what_google_asks_of_a_dataset(client: Client, house: None) -> None:
    """developers.google.com/search/docs/appearance/structured-data/dataset: what is required and recommended."""
    for name, dataset in open_profile().datasets.items():
        answer = client.get(f"/dataset/{name}")
        if answer.status_code != 200:
            continue
        block = re.search(r'<script type="application/ld\+json">(.*?)</script>', answer.content.decode(), re.DOTALL)
        assert block
        said = json.loads(block[1])
        assert said["@type"] == "Dataset"
        assert said["name"]
        assert 50 <= len(said["description"]) <= 5000, name
        assert said["creator"]["@type"] == said["publisher"]["@type"] == "Organization"
        assert said["creator"]["name"]
        assert said["license"].startswith("http")
        assert said["isAccessibleForFree"] is (dataset.access == "open")
        if "temporalCoverage" in said:
            assert re.fullmatch(rf"({_DAY}|\.\.)/({_DAY}|\.\.)", said["temporalCoverage"])
        for way in said.get("distribution", []):
            assert way["@type"] == "DataDownload"
            assert way["contentUrl"].startswith("http")
        geo = said.get("spatialCoverage", {}).get("geo", {})
        if "box" in geo:
            south, west, north, east = map(float, geo["box"].split())
            assert 50 < south < north < 52, "latitude first"
            assert 11 < west < east < 12


def test_a_single_place_is_a_point(client: Client, house: None) -> None:
    text = client.get("/dataset/parking").content.decode()
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    assert block
    geo = json.loads(block[1])["spatialCoverage"]["geo"]
    assert geo == {"@type": "GeoCoordinates", "latitude": 50.92, "longitude": 11.58}


def test_a_sitemap_that_is_too_long_is_split(client: Client, house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def places(path: str) -> list[str]:
        return [str(each.text) for each in ElementTree.fromstring(client.get(path).content).iter(LOC)]

    whole = places("/sitemap.xml")
    assert places("/sitemap-1.xml") == whole
    monkeypatch.setattr(sitemap, "MOST", 4)
    parts = places("/sitemap.xml")
    assert parts == [f"{HOST}/sitemap-{number}.xml" for number in range(1, -(-len(whole) // 4) + 1)]
    assert [each for part in parts for each in places(part.removeprefix(HOST))] == whole
    assert client.get(f"/sitemap-{len(parts) + 1}.xml").status_code == 404
