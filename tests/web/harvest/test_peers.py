"""Houses that harvest each other: the catalogue of a second town, by DCAT, by CKAN, and as a hub gives it."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from django.test import Client
from rdflib import BNode, Graph, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import RDF
from tests.conformance.dcat.catalogues import ROOT, ask, catalogue_of
from tests.conformance.dcat.shapes import faults
from tests.web.harvest.conftest import Harvest
from tests.web.harvest.origin import Answer, Origin
from tests.web.harvest.test_passes import live
from tests.web.harvest.test_round_trip import published, without_ours

from allmende.connectors.fetching import FetchError
from allmende.connectors.harvesting.rdf import DCAT, HYDRA
from allmende.domain.catalogue import Catalogue
from allmende.faces.ckan.face import answer
from allmende.faces.dcat.face import answer_catalogue
from allmende.faces.dcat.formats import by_suffix
from allmende.web.harvest.models import Harvested, State
from allmende.web.profiles import load_profile

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")


class Town:
    """A second town's catalogue as its interfaces give it."""

    def __init__(self, other: Origin) -> None:
        self.catalogue = catalogue_of(load_profile("example"))
        self.root = other.root
        other.ask = self.answer

    def answer(self, address: str) -> Answer | None:
        parts = urlsplit(address)
        if parts.path.startswith("/api/3/action/"):
            found = answer(parts.path.rpartition("/")[2], dict(parse_qsl(parts.query)), self.catalogue)
        elif parts.path.startswith("/catalog."):
            format_ = by_suffix(parts.path.rpartition(".")[2])
            assert format_ is not None
            found = answer_catalogue(ask(parts.query), self.catalogue, format_)
        else:
            return None
        body = found.body.replace(ROOT.encode(), self.root.encode())
        return found.status, found.content_type, body

    def without(self, *names: str) -> Catalogue:
        self.catalogue = msgspec.structs.replace(
            self.catalogue, entries=tuple(each for each in self.catalogue.entries if each.id not in names)
        )
        return self.catalogue


@pytest.fixture
def town(other: Origin) -> Town:
    return Town(other)


@pytest.mark.parametrize("suffix", ["ttl", "rdf", "jsonld"])
def test_a_city_s_whole_catalogue_by_dcat(
    client: Client, other: Origin, town: Town, harvest: Harvest, suffix: str
) -> None:
    before = published(client, "nt", "nt")
    done = harvest(address=f"{other.root}/catalog.{suffix}?limit=4&profile=dcat-ap-de-3.0")
    assert (done.new, done.pages) == (len(town.catalogue.entries), -(-len(town.catalogue.entries) // 4))
    whole = Graph().parse(data=town.answer("/catalog.nt?limit=1000")[2], format="nt")  # type: ignore[index]
    wanted = Graph()
    pages = {s for s in whole.subjects() if "/catalog." in str(s)}
    for triple in whole:
        if triple[0] not in pages and triple not in before:
            wanted.add(triple)
    found = published(client, "nt", "nt", "?limit=1000")
    assert isomorphic(without_ours(found, before), wanted)


@pytest.mark.parametrize("version", ["dcat-ap-de-3.0"])
def test_what_was_valid_is_valid_again(
    client: Client, other: Origin, town: Town, harvest: Harvest, version: str
) -> None:
    harvest(address=f"{other.root}/catalog.ttl?limit=10&profile={version}")
    mine = faults(published(client, options=f"?limit=1000&profile={version}"), version, warnings=False)
    theirs = faults(Graph().parse(data=town.answer("/catalog.ttl?limit=1000")[2], format="turtle"), version,
                    warnings=False)  # type: ignore[index]  # fmt: skip
    assert {fault.replace(other.root, "") for fault in mine} <= {fault.replace(other.root, "") for fault in theirs}


def test_by_ckan_what_is_new_changed_and_gone(client: Client, other: Origin, town: Town, harvest: Harvest) -> None:
    number = len(town.catalogue.entries)
    done = harvest(address=f"{other.root}/")
    assert (State.objects.get().kind, done.new, done.refused) == ("ckan", number, 0)
    first = town.catalogue.entries[0]
    row = Harvested.objects.get(key=f"{other.root}/dataset/{first.id}")
    assert row.said["title"]["de"] == first.dataset.title["de"]
    # within a day only what is new is asked for, and the names of all
    other.asked.clear()
    town.without(first.id)
    done = harvest(address=f"{other.root}/")
    assert (done.complete, done.withdrawn, done.changed) == (False, 1, 0)
    assert "metadata_modified" in other.asked[0]
    assert "package_list" in other.asked[-1]
    assert list(Harvested.objects.exclude(gone=None).values_list("key", flat=True)) == [row.key]
    graph = published(client)
    assert (URIRef(row.key), RDF.type, DCAT.Dataset) not in graph
    assert len([s for s in graph.subjects(RDF.type, DCAT.Dataset) if str(s).startswith(other.root)]) == number - 1


def test_ckan_is_asked_for_all_now_and_then(other: Origin, town: Town, harvest: Harvest) -> None:
    harvest(address=other.root, kind="ckan")
    other.asked.clear()
    assert harvest(address=other.root, kind="ckan", complete="PT1H").complete
    assert "metadata_modified%3A" not in other.asked[0]


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b'{"success": false}', b'{"success": true, "result": {"count": 3}}', b'{"success": true, "resu',
     b'{"success": true, "result": {"count": "many", "results": []}}'],
)  # fmt: skip
def test_what_is_no_answer_of_ckan(other: Origin, town: Town, harvest: Harvest, body: bytes) -> None:
    harvest(address=other.root, kind="ckan")
    before = live()
    other.ask = lambda address: (200, "application/json", body)
    with pytest.raises(Exception, match=r"CKAN refuses|cannot be read|holds no"):
        harvest(address=other.root, kind="ckan", complete="PT1H")
    assert live() == before


def test_odd_packages_stand_in_nobody_s_way(client: Client, other: Origin, harvest: Harvest) -> None:
    good = {
        "id": "a1", "name": "laerm", "title": "Lärm", "notes": "Karte", "license_id": "dl-de-by-2.0",
        "license_url": "https://www.govdata.de/dl-de/by-2-0", "metadata_modified": "2025-11-01T10:00:00.000001",
        "organization": {"name": "umweltamt", "title": "Umweltamt"}, "tags": [{"name": "lärm"}, {"name": 7}, "x"],
        "groups": [{"name": "envi"}], "resources": [
            {"id": "r1", "url": "https://x.example/a b?c={d}", "format": "CSV", "name": "Tabelle", "size": 12},
            {"url": "javascript:alert(1)", "name": "<script>"}, 7, {"id": None, "url": None},
        ],
        "extras": [{"key": "spatial", "value": '{"type": "Point", "coordinates": [11.5, 50.9]}'},
                   {"key": "theme", "value": '["http://publications.europa.eu/resource/authority/data-theme/ENVI"]'},
                   {"key": "temporal_start", "value": "2020-01-01"}, {"key": 7}, {"key": "x", "value": {"a": 1}},
                   {"key": "theme", "value": "["}],
    }  # fmt: skip
    odd: list[Any] = [None, 7, {}, {"id": 7, "name": "x"}, {"id": "b2", "name": "leer"}, good]
    body = json.dumps({"success": True, "result": {"count": len(odd), "results": odd}}).encode()
    names = json.dumps({"success": True, "result": ["laerm", "leer"]}).encode()
    other.ask = lambda address: (200, "application/json", names if "package_list" in address else body)
    done = harvest(address=other.root, kind="ckan")
    assert (done.new, done.refused) == (2, 4)
    said = Harvested.objects.get(name="laerm").said
    assert (said["licence"], said["publisher"], said["start"]) == ("dl-de/by-2-0", "Umweltamt", "2020-01-01")
    assert said["bbox"] == [11.5, 50.9, 11.5, 50.9]
    assert [way["address"] for way in said["ways"]] == ["https://x.example/a%20b?c=%7Bd%7D"]
    page = client.get(f"/dataset/{Harvested.objects.get(name='laerm').dataset}")
    assert "javascript:" not in page.content.decode()
    for suffix in ("ttl", "rdf", "jsonld", "nt"):
        assert client.get(f"/catalog.{suffix}").status_code == 200


def test_a_hub_is_read_by_offsets(other: Origin, harvest: Harvest) -> None:
    graphs = [Graph(), Graph()]
    for number in range(130):
        dataset = URIRef(f"https://hub.example/set/data/{number}")
        graphs[number // 100].add((dataset, RDF.type, DCAT.Dataset))
        graphs[number // 100].add((dataset, DCAT.contactPoint, BNode()))
    graphs[0].add((BNode(), HYDRA.next, URIRef("http://elsewhere.example/")))

    def hub(address: str) -> Answer | None:
        parts = urlsplit(address)
        options = dict(parse_qsl(parts.query))
        if parts.path != "/api/hub/repo/catalogues/muster/datasets" or options["valueType"] != "metadata":
            return None
        place = int(options["offset"]) // 100
        body = graphs[place].serialize(format="turtle") if place < 2 else ""
        return 200, "text/turtle", body.encode()

    other.ask = hub
    done = harvest(address=f"{other.root}/api/hub/repo/catalogues/muster")
    assert (done.new, done.pages, State.objects.get().kind) == (130, 3, "piveau")


def test_neither_rdf_nor_ckan(other: Origin, harvest: Harvest) -> None:
    other.put("/", b"<!doctype html><html><body>Portal</body></html>", "text/html")
    with pytest.raises(FetchError, match="Neither RDF nor a CKAN"):
        harvest(address=f"{other.root}/")
