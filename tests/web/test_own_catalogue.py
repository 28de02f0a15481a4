"""Citizens' sensors in the catalogue and on the page of transparency: marked, licensed, kept by a rule of their own."""

import pytest
from django.test import Client
from msgspec.structs import replace
from rdflib import Graph, URIRef
from rdflib.namespace import DCTERMS, FOAF, RDF
from tests.conformance.dcat.shapes import faults

from allmende.domain.policy import house_reader
from allmende.domain.retention import RetentionProfile
from allmende.faces.dcat.names import DCAT
from allmende.web.accounts.models import User
from allmende.web.catalogue.own import described
from allmende.web.citizens import intake, keeping
from allmende.web.citizens.models import OPEN, OwnSensor
from allmende.web.house import furnish, open_profile, open_store

pytestmark = pytest.mark.django_db(transaction=True)
HOST = "http://testserver"
HOUSE = house_reader("test")


@pytest.fixture
def sensor(transactional_db, settings):
    """A sensor that was given, released, and has a reading."""
    intake._bucket.cache_clear()
    furnish(open_store(), open_profile())
    giver = User.objects.create_user("anna", "anna@city.example")
    made = OwnSensor(
        name="Balkon", description="Nordseite.", shown_name="Anna Gärtner", licence="dl-de/by-2-0",
        measures={"temperature": {}}, precision="1km", lon=11.583, lat=50.926,
    )  # fmt: skip
    keeping.register(giver, made, settings.ALLMENDE)
    intake.take(made, b'{"temperature": 21.5}')
    keeping.decide(User.objects.create_superuser("chief"), made, OPEN)
    yield made
    open_store().forget_source(made.id_, made.id_, reader=HOUSE, origin="test", at=0)


def graph(client: Client, path: str) -> Graph:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return Graph().parse(data=answer.content, format="turtle")


def test_it_is_a_dataset_of_a_series_under_its_giver_s_licence(client: Client, sensor: OwnSensor) -> None:
    found = graph(client, f"/dataset/{sensor.id_}.ttl")
    node, series = URIRef(f"{HOST}/dataset/{sensor.id_}"), URIRef(f"{HOST}/dataset/own-sensors")
    assert (node, RDF.type, DCAT.Dataset) in found
    assert (node, DCAT.inSeries, series) in found
    assert (series, RDF.type, DCAT.DatasetSeries) in found
    licences = {found.value(way, DCTERMS.license) for way in found.objects(node, DCAT.distribution)}
    assert licences == {URIRef("http://dcat-ap.de/def/licenses/dl-by-de/2.0")}
    giver = found.value(node, DCTERMS.creator)
    assert (giver, RDF.type, FOAF.Person) in found
    assert "nicht geprüft" in {str(text) for text in found.objects(node, DCTERMS.description)}.__str__()
    for profile in ("dcat-ap-de-2.0", "dcat-ap-de-3.0"):
        wrong = faults(graph(client, f"/dataset/{sensor.id_}.ttl?profile={profile}"), profile, warnings=False)
        assert {fault for fault in wrong if "K12&13" not in fault} == set()
    assert client.get(f"/dataset/{sensor.id_}/streams.csv").status_code == 200
    for address in found.objects(None, DCAT.accessURL):
        assert client.get(str(address).removeprefix(HOST)).status_code == 200, address
    page = client.get("/dataset/own-sensors", headers={"accept-language": "de"}).content.decode()
    assert f"/dataset/{sensor.id_}" in page
    assert "Balkon" in client.get("/datasets/?q=balkon", headers={"accept-language": "de"}).content.decode()


def test_what_waits_is_in_no_catalogue(client: Client, sensor: OwnSensor) -> None:
    OwnSensor.objects.update(state="waiting")
    assert described(open_profile()) is open_profile()
    for path in (f"/dataset/{sensor.id_}", f"/dataset/{sensor.id_}.ttl", f"/dataset/{sensor.id_}/streams.csv"):
        assert client.get(path).status_code == 404
    assert "own-sensors" not in client.get("/catalog.ttl").content.decode()
    assert client.get(f"/transparency/{sensor.id_}/").status_code == 404


def test_it_is_told_of_with_the_rule_that_it_is_kept_by(client: Client, sensor: OwnSensor, monkeypatch) -> None:
    rules = {"own": RetentionProfile(id="own", stream="own-*", keep="P3Y")}
    profile = replace(open_profile(), retention=rules)
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: profile)
    page = client.get("/transparency/", headers={"accept-language": "de"}).content.decode()
    assert "Balkon" in page
    assert f"/transparency/{sensor.id_}/" in page
    page = client.get(f"/transparency/{sensor.id_}/", headers={"accept-language": "de"}).content.decode()
    assert "3 Jahre" in page


def test_the_city_s_profile_has_a_rule_of_their_own() -> None:
    rules = [rule for rule in open_profile().retention.values() if rule.stream == "own-*"]
    assert [rule.keep for rule in rules] == ["P10Y"]
