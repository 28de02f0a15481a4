"""CKAN's API through its published client, whose requests lead to the house without a network."""

import io
from typing import Any
from urllib.parse import urlsplit

import ckanapi
import pytest
import requests
from django.test import Client


class House(requests.adapters.BaseAdapter):
    """Carries what the client sends to Django, and back."""

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        media = (request.headers or {}).get("Content-Type", "application/json")
        answer = Client().generic(
            request.method or "GET", f"{parts.path}?{parts.query}", request.body or b"", content_type=media
        )
        response = requests.Response()
        response.status_code, response.url, response.request = answer.status_code, request.url or "", request
        response.headers.update(answer.headers)
        response.raw = io.BytesIO(answer.content)
        return response

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(params=[True, False], ids=["get", "post"])
def ckan(request: pytest.FixtureRequest, house: None) -> ckanapi.RemoteCKAN:
    session = requests.Session()
    session.mount("http://testserver", House())
    return ckanapi.RemoteCKAN("http://testserver", session=session, get_only=request.param)


def test_a_harvester_finds_all_that_is_open(ckan: ckanapi.RemoteCKAN) -> None:
    names = ckan.action.package_list()
    assert "parking" in names
    assert not set(names) & {"transit", "demo-parking"}
    assert names[2:4] == ckan.action.package_list(limit=2, offset=2)
    found = {each["name"]: each for each in ckan.action.current_package_list_with_resources(limit=100)}
    assert sorted(found) == names
    parking = ckan.action.package_show(id="parking")
    assert parking == found["parking"] == ckan.action.package_show(id=parking["id"])
    assert parking["license_id"] == "dl-de/by-2-0"
    assert [each["format"] for each in parking["resources"]] == ["CSV", "JSON", "JSON", "GEOJSON"]
    assert parking["metadata_modified"] == "2025-11-08T00:00:00.000000"
    extras = {each["key"]: each["value"] for each in parking["extras"]}
    assert extras["uri"] == "http://testserver/dataset/parking"
    resource = parking["resources"][0]
    assert ckan.action.resource_show(id=resource["id"]) == resource


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"q": "parken freie"}, {"parking", "parking-guidance"}),
        ({"q": "title:parken"}, {"parking"}),
        ({"q": "*:*", "fq": "organization:deutscher-wetterdienst"}, set()),
        ({"fq": "organization:dwd"}, {"weather", "weather-forecast"}),
        ({"fq": "+organization:dwd -name:weather"}, {"weather-forecast"}),
        ({"fq": "metadata_modified:[2025-11-01T00:00:00Z TO *]"}, {"parking"}),
        ({"fq": "name:(trees OR timetable)"}, {"trees", "timetable"}),
        ({"fq": 'tags:"freie Plätze" AND groups:tran'}, {"parking", "parking-guidance"}),
        ({"q": "nahverkehr fahrplanlage"}, set()),
    ],
)
def test_datasets_are_searched(ckan: ckanapi.RemoteCKAN, asked: dict[str, Any], names: set[str]) -> None:
    found = ckan.action.package_search(rows=100, **asked)
    assert {each["name"] for each in found["results"]} == names
    assert found["count"] == len(names)


def test_results_are_sorted_paged_and_counted(ckan: ckanapi.RemoteCKAN) -> None:
    everything = ckan.action.package_search(rows=100, sort="name asc")
    page = ckan.action.package_search(rows=5, start=5, sort="name asc", **{"facet.field": '["organization", "groups"]'})
    assert page["results"] == everything["results"][5:10]
    assert page["count"] == everything["count"]
    items = {item["name"]: item for item in page["search_facets"]["organization"]["items"]}
    assert items["dwd"] == {"name": "dwd", "display_name": "Deutscher Wetterdienst", "count": 2}
    assert page["facets"]["groups"]["envi"] > 3


def test_publishers_themes_words_and_licences(ckan: ckanapi.RemoteCKAN) -> None:
    assert "dwd" in ckan.action.organization_list()
    shown = ckan.action.organization_show(id="dwd", include_datasets=True)
    assert (shown["title"], shown["package_count"], len(shown["packages"])) == ("Deutscher Wetterdienst", 2, 2)
    groups = ckan.action.group_list(all_fields=True)
    assert {"tran", "envi"} <= {group["name"] for group in groups}
    assert ckan.action.group_show(id="tran")["title"] == "Verkehr"
    assert "Bäume" in ckan.action.tag_list(query="bäu")
    assert {"dl-de/by-2-0", "CC0-1.0"} <= {each["id"] for each in ckan.action.license_list()}
    assert ckan.action.status_show()["site_url"] == "http://testserver"
    assert ckan.action.site_read() is True


def test_errors_are_ckan_s(ckan: ckanapi.RemoteCKAN) -> None:
    for hidden in ("transit", "nothing"):
        with pytest.raises(ckanapi.NotFound):
            ckan.action.package_show(id=hidden)
    with pytest.raises(ckanapi.ValidationError):
        ckan.action.package_show()
    with pytest.raises(ckanapi.NotAuthorized):
        ckan.action.package_create(name="x")
    with pytest.raises(ckanapi.SearchQueryError):
        ckan.action.package_search(q="name:[a TO b]")
    with pytest.raises(ckanapi.errors.CKANAPIError, match="Action name not known"):
        ckan.action.datastore_search()


def test_a_body_that_is_no_object_is_refused(client: Client, house: None) -> None:
    answer = client.post("/api/3/action/package_list", b"[1]", content_type="application/json")
    assert answer.status_code == 400
