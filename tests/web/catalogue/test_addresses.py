"""The catalogue's addresses: negotiation, paging, tags, who may know of what, and what is left of what is gone."""

import csv
import io
import json
import re
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from django.test import Client
from rdflib import Graph, URIRef
from rdflib.namespace import DCTERMS, RDF
from tests.web.catalogue.conftest import DAY, MIDNIGHT

from allmende.domain.dataset import DatasetProfile, Withdrawal
from allmende.domain.policy import Reader
from allmende.faces.dcat.names import DCAT, HYDRA
from allmende.web import house as house_module
from allmende.web.accounts import middleware
from allmende.web.accounts.tokens import create_token
from allmende.web.catalogue import gather, notes
from allmende.web.catalogue.models import Description
from allmende.web.house import open_profile

HOST = "http://testserver"
PAGES = (
    "/catalog.ttl",
    "/datasets/?simulated=1",
    "/sitemap.xml",
    "/api/3/action/package_search?q=Nahverkehr",
    "/api/3/action/package_list",
    "/api/3/action/organization_list?all_fields=true",
    "/licences/",
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def graph(answer: Any, format_: str = "turtle") -> Graph:
    assert answer.status_code == 200, answer.content
    return Graph().parse(data=answer.content, format=format_)


def names_in(answer: Any) -> set[str]:
    """The ids of the datasets of a graph."""
    return {str(node).rpartition("/")[2] for node in graph(answer).subjects(RDF.type, DCAT.Dataset)}


def change_profile(monkeypatch: pytest.MonkeyPatch, datasets: dict[str, DatasetProfile]) -> Any:
    changed = msgspec.structs.replace(house_module.open_profile(), datasets=datasets)
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: changed)
    return changed


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("text/turtle", "text/turtle"),
        ("application/rdf+xml;q=0.5, application/ld+json", "application/ld+json"),
        ("application/n-triples", "application/n-triples"),
        (BROWSER, "text/html"),
        ("", "text/html"),
        ("*/*", "text/html"),
        ("text/html;q=0.1, text/turtle;q=0.2", "text/turtle"),
    ],
)
def test_a_dataset_is_a_page_or_a_graph(client: Client, house: None, accept: str, media: str) -> None:
    answer = client.get("/dataset/parking", headers={"accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, f"{media}; charset=utf-8")
    assert "Accept" in answer["Vary"]


@pytest.mark.parametrize(("suffix", "format_"), [("ttl", "turtle"), ("rdf", "xml"), ("nt", "nt")])
def test_a_graph_has_an_address_of_its_own(client: Client, house: None, suffix: str, format_: str) -> None:
    found = graph(client.get(f"/dataset/parking.{suffix}"), format_)
    assert (URIRef(f"{HOST}/dataset/parking"), RDF.type, DCAT.Dataset) in found


def test_the_catalogue_leads_people_to_the_list(client: Client, house: None) -> None:
    answer = client.get("/catalog", headers={"accept": BROWSER})
    assert (answer.status_code, answer["Location"]) == (303, "/datasets/")
    assert graph(client.get("/catalog", headers={"accept": "text/turtle"})).value(
        predicate=RDF.type, object=DCAT.Catalog
    )


def test_hidden_and_simulated_datasets_are_not_in_it(client: Client, house: None) -> None:
    names = names_in(client.get("/catalog.ttl"))
    assert "parking" in names
    assert not names & {"transit", "buildings", "demo-parking"}
    asked = {
        str(s).rpartition("/")[2]
        for s in graph(client.get("/catalog.ttl?simulated=1")).subjects(RDF.type, DCAT.Dataset)
    }
    simulated = {key for key, dataset in open_profile().datasets.items() if dataset.simulated}
    assert asked - names == simulated >= {"demo-parking"}


@pytest.mark.parametrize("path", ["", ".ttl", "/streams.csv", "/streams.geojson"])
def test_a_hidden_dataset_is_like_none(client: Client, house: None, path: str) -> None:
    hidden, absent = client.get(f"/dataset/transit{path}"), client.get(f"/dataset/nothing{path}")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.content.replace(b"transit", b"nothing") == absent.content


def test_no_route_tells_of_a_hidden_dataset(client: Client, house: None) -> None:
    for path in PAGES:
        text = client.get(path).content.decode()
        assert "/dataset/transit" not in text, path
        assert '"transit"' not in text, path


def test_who_may_see_it_finds_it(client: Client, house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Reader(name="user:driver", datasets=frozenset({"transit"}))
    monkeypatch.setattr(middleware, "reader_of", lambda request: driver)
    answer = client.get("/dataset/transit.ttl")
    assert (URIRef(f"{HOST}/dataset/transit"), RDF.type, DCAT.Dataset) in graph(answer)
    assert answer["Cache-Control"] == "private, no-cache"
    assert b"bus~free" in client.get("/dataset/transit/streams.csv").getvalue()


def test_a_public_description_tells_nothing_that_was_measured(
    client: Client, house: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = dict(house_module.open_profile().datasets)
    datasets["transit"] = msgspec.structs.replace(datasets["transit"], public_description=True)
    change_profile(monkeypatch, datasets)
    found = graph(client.get("/dataset/transit.ttl"))
    node = URIRef(f"{HOST}/dataset/transit")
    assert (node, RDF.type, DCAT.Dataset) in found
    assert not list(found.objects(node, DCAT.distribution))
    assert "bus~free" not in client.get("/dataset/transit").content.decode()
    assert client.get("/dataset/transit/streams.csv").status_code == 404


def test_what_was_not_changed_is_not_sent_again(client: Client, house: None) -> None:
    for path in ("/catalog.ttl", "/dataset/parking.rdf"):
        first = client.get(path)
        again = client.get(path, headers={"if-none-match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert first["Last-Modified"] == "Sat, 08 Nov 2025 00:00:00 GMT"
    assert client.get("/catalog.ttl")["ETag"] != client.get("/catalog.rdf")["ETag"]


def test_pages_lead_from_one_to_the_next(client: Client, house: None) -> None:
    found: set[str] = set()
    address, pages = "/catalog.ttl?limit=7&profile=dcat-ap-de-2.0", 0
    while address:
        page = graph(client.get(address.removeprefix(HOST)))
        found |= {str(s) for s in page.subjects(RDF.type, DCAT.Dataset)}
        pages += 1
        here = page.value(predicate=RDF.type, object=HYDRA.PartialCollectionView)
        address = str(page.value(here, HYDRA.next) or "")
        assert not address or "profile=dcat-ap-de-2.0" in address
    assert (len(found), pages) == (19, 3)


def test_only_what_changed_since_a_day(client: Client, house: None) -> None:
    def since(day: str) -> set[str]:
        return names_in(client.get(f"/catalog.ttl?modified_since={day}"))

    assert since("2025-11-08") == since("2025-11-01T12:00:00%2B02:00") == {"parking"}
    assert since("2025-11-09") == set()
    assert len(since("2025-10-01")) == 19


@pytest.mark.parametrize("query", ["page=0", "page=x", "limit=-1", "modified_since=yesterday", "profile=dcat"])
def test_a_question_that_cannot_be_understood_is_told_so(client: Client, house: None, query: str) -> None:
    answer = client.get(f"/catalog.ttl?{query}")
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(query.partition("=")[0])


def test_a_profile_is_asked_for_by_header_too(client: Client, house: None) -> None:
    header = {"accept": "text/turtle", "accept-profile": "<http://dcat-ap.de/def/dcatde/2.0/>"}
    answer = client.get("/catalog", headers=header)
    assert answer["Content-Profile"] == "<http://dcat-ap.de/def/dcatde/2.0/>"


def test_a_withdrawn_dataset_keeps_its_address(client: Client, house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = dict(house_module.open_profile().datasets)
    reason = {"de": "Die Zählung wurde beendet.", "en": "The count has ended."}
    withdrawn = Withdrawal(date="2025-12-01", reason=reason, successor="parking-sites")
    datasets["parking"] = msgspec.structs.replace(datasets["parking"], withdrawn=withdrawn)
    change_profile(monkeypatch, datasets)
    page = client.get("/dataset/parking")
    assert page.status_code == 410
    assert "Die Zählung wurde beendet." in page.content.decode()
    assert "/dataset/parking-sites" in page.content.decode()
    stone = client.get("/dataset/parking.ttl")
    assert stone.status_code == 410
    found = Graph().parse(data=stone.content, format="turtle")
    node = URIRef(f"{HOST}/dataset/parking")
    assert str(found.value(found.value(node, DCTERMS.temporal), DCAT.endDate)) == "2025-11-08"
    assert found.value(node, DCTERMS.description)
    told = client.get("/api/3/action/package_show?id=parking")
    assert told.status_code == 410
    assert told.json()["error"] == {
        "__type": "Not Found Error", "message": "Withdrawn", "withdrawn": "2025-12-01", "successor": "parking-sites",
        "reason": "Die Zählung wurde beendet.", "address": f"{HOST}/dataset/parking",
    }  # fmt: skip
    for path in ("/streams.csv", "/version/1", "/version/1.ttl"):
        assert client.get(f"/dataset/parking{path}").status_code == 410, path
    assert b"/dataset/parking>" not in client.get("/catalog.ttl").content


def test_the_data_of_a_withdrawn_dataset_are_open_to_nobody(
    client: Client, house: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "/sta/v1.1/Datastreams('goethe~free')"
    assert client.get(address).status_code == 200
    datasets = dict(house_module.open_profile().datasets)
    withdrawn = Withdrawal(date="2025-12-01", reason={"de": "Beendet.", "en": "Ended."})
    datasets["parking"] = msgspec.structs.replace(datasets["parking"], withdrawn=withdrawn)
    house_module.furnish(house_module.open_store(), change_profile(monkeypatch, datasets))
    assert client.get(address).status_code == 404
    assert client.get("/ogc/v1/collections/things:parking/items").status_code == 404


def test_a_dataset_that_left_the_profile_is_gone(client: Client, house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = {
        name: each for name, each in house_module.open_profile().datasets.items() if name not in ("parking", "transit")
    }
    changed = change_profile(monkeypatch, datasets)
    notes.note_descriptions(changed, MIDNIGHT)
    page = client.get("/dataset/parking", headers={"accept-language": "de"})
    assert page.status_code == 410
    assert "Parken in Jena" in page.content.decode()
    assert client.get("/dataset/parking.ttl").status_code == 410
    assert client.get("/api/3/action/package_show?id=parking").status_code == 410
    assert client.get("/api/3/action/package_show?id=transit").status_code == 404
    # that there was one that nobody could know of is not told either
    assert client.get("/dataset/transit").status_code == 404


def test_descriptions_keep_their_dates_until_they_change(db: Any) -> None:
    profile = house_module.open_profile()
    notes.note_descriptions(profile, MIDNIGHT)
    notes.note_descriptions(profile, MIDNIGHT + DAY)
    kept = Description.objects.get(dataset="parking")
    assert (kept.issued, kept.changed) == (MIDNIGHT, MIDNIGHT)
    told = msgspec.structs.replace(profile.datasets["parking"], attribution="Somebody else")
    notes.note_descriptions(
        msgspec.structs.replace(profile, datasets={**profile.datasets, "parking": told}), MIDNIGHT + DAY
    )
    kept = Description.objects.get(dataset="parking")
    assert (kept.issued, kept.changed) == (MIDNIGHT, MIDNIGHT + DAY)


def test_streams_come_as_files(client: Client, house: None) -> None:
    text = client.get("/dataset/parking/streams.csv").getvalue().decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["id"] for row in rows] == ["goethe~free", "markt~free"]
    assert (rows[0]["result"], rows[0]["time"], rows[0]["lon"]) == ("7", "2025-11-08T00:00:00Z", "11.58")
    readings = client.get(rows[0]["readings"].removeprefix(HOST))
    assert readings.content.decode().splitlines()[1] == "2025-11-08T00:00:00.000Z,7"
    collection = json.loads(client.get("/dataset/parking/streams.geojson").getvalue())
    assert collection["features"][1]["geometry"] == {"type": "Point", "coordinates": [11.58, 50.92]}
    assert len(json.loads(client.get("/dataset/parking/streams.json").getvalue())) == 2
    assert json.loads(client.get("/dataset/weather/streams.geojson").getvalue())["features"] == []


def test_every_way_to_the_data_leads_somewhere(client: Client, house: None) -> None:
    found = graph(client.get("/dataset/parking.ttl"))
    ways = {str(address).removeprefix(HOST) for address in found.objects(None, DCAT.accessURL)}
    assert "/ogc/v1/collections/things:parking/items?f=json" in ways
    services = set(found.objects(None, DCAT.endpointURL)) | set(found.objects(None, DCAT.endpointDescription))
    for address in ways | {str(each).removeprefix(HOST) for each in services}:
        assert client.get(address).status_code == 200, address
    items = client.get("/ogc/v1/collections/things:parking/items?f=json").json()
    assert len(items["features"]) == 2


def test_a_page_holds_its_description_for_search_engines(client: Client, house: None) -> None:
    text = client.get("/dataset/parking").content.decode()
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    assert block
    said = json.loads(block[1])
    assert (said["@type"], said["name"]) == ("Dataset", "Parken in Jena: freie Plätze")
    assert said["license"] == "https://www.govdata.de/dl-de/by-2-0"
    assert said["temporalCoverage"] == "2025-11-07/2025-11-08"


def test_the_sitemap_is_what_everybody_sees(client: Client, house: None) -> None:
    tree = ElementTree.fromstring(client.get("/sitemap.xml").content)
    places = [each.text for each in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert f"{HOST}/dataset/parking" in places
    assert f"{HOST}/dataset/demo-parking" not in places
    assert f"Sitemap: {HOST}/sitemap.xml" in client.get("/robots.txt").content.decode()


def test_what_a_client_named_does_not_end_the_page_s_data(client: Client, house: None, monkeypatch) -> None:
    datasets = dict(house_module.open_profile().datasets)
    evil = "</script><script>alert(1)</script>"
    datasets["parking"] = msgspec.structs.replace(datasets["parking"], title={"de": evil, "en": evil})
    change_profile(monkeypatch, datasets)
    assert "<script>alert" not in client.get("/dataset/parking").content.decode()


def test_quality_is_measured_over_whole_days(client: Client, house: None) -> None:
    found = notes.measure_quality(house_module.open_store(), gather.contracts(), now=MIDNIGHT + DAY // 2, days=7)
    parking = found["parking"]
    assert (parking.counted, parking.flagged, parking.plausibility) == (2, 2, 0.0)
    assert parking.completeness is None
    text = client.get("/dataset/parking").content.decode()
    assert "Plausibilität" in text
    assert "2 von 2 Messwerten" in text
    assert b"dqv:value" in client.get("/dataset/parking.ttl").content


def test_a_token_reads_what_its_reader_may(client: Client, house: None) -> None:
    _, secret = create_token("harvester", actor="test")
    answer = client.get("/catalog.ttl", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200
    assert client.get("/catalog.ttl", headers={"Authorization": "Bearer wrong"}).status_code == 401
