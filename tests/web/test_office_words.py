"""The city's words in the office: properties described, merged and undone, and what is sent then; the city itself."""

import msgspec
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.web.office import living_in, make_town
from tests.web.simple import connector, payload

from allmende.domain.policy import ANONYMOUS
from allmende.web.accounts.models import User
from allmende.web.house import furnish, open_profile, open_sources, open_store
from allmende.web.intake import Intake
from allmende.web.office import revisions

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(tmp_path, settings, monkeypatch):
    monkeypatch.setattr("allmende.connectors.registry.connectors", lambda: {"simple": connector()})
    with living_in(make_town(tmp_path / "town"), settings):
        furnish(open_store(), open_profile())
        send(settings, 1)
        client = Client(headers={"accept-language": "en"})
        client.force_login(User.objects.create_superuser("anna"))
        yield client


def send(settings, number: int) -> None:
    intake = Intake(open_store(), open_profile(), settings.ALLMENDE, follow=open_sources)
    intake.take("feed", payload(f"header\na,{number},1\n".encode()))


def observed() -> tuple[str, str]:
    """Id and name of what the stream observes."""
    (stream,) = open_store().streams(ANONYMOUS, "counts")
    return stream.property_id, stream.property


def put(client: Client, kind: str, key: str, sent: dict[str, object], *, new: bool = False) -> None:
    path = f"/office/new/{kind}/" if new else f"/office/{kind}/{key}/edit/"
    answer = client.post(path, {"new.id": key, "seen": "0", **sent})
    assert answer.status_code == 302, answer.text
    revisions.release(revisions.open_revision(kind, key), "cli:x", seen=1)


CARS = {"name.de": "Fahrzeuge", "name.en": "Vehicles"}


def test_a_property_is_described_merged_and_undone(client, settings):
    page = client.get("/office/property/").text
    assert 'href="/office/new/property/?id=count"' in page
    assert 'value="count"' in client.get("/office/new/property/?id=count").text
    put(
        client,
        "property",
        "count",
        {"name.de": "Anzahl", "name.en": "Number", "synonyms.de": "Zahl\r\nMenge"},
        new=True,
    )
    assert open_profile().properties["count"].synonyms == {"de": ["Zahl", "Menge"]}
    assert "1 stream" in client.get("/office/property/count/").text
    send(settings, 2)
    assert observed() == ("count", "Anzahl")
    put(client, "property", "vehicles", CARS, new=True)
    form = {"name.de": "Anzahl", "name.en": "Number", "merged_into": "vehicles"}
    put(client, "property", "count", form)
    send(settings, 3)
    assert observed() == ("vehicles", "Fahrzeuge")
    assert "Merged into it" in client.get("/office/property/vehicles/").text
    revisions.undo(revisions.released("property", "count"), "cli:x", reason="they are not the same")
    send(settings, 4)
    assert observed() == ("count", "Anzahl")


def test_words_organisations_things_and_the_city_are_edited(client):
    put(client, "synonym", "car", {"words": "Auto\nKfz"}, new=True)
    put(client, "organisation", "parks", {"name": "Parks Department", "mail": "a@b.example"}, new=True)
    thing = {
        "name": "Market", "kind": "car-park", "description.de": "Markt", "description.en": "Market",
        "position.lon": "0,5", "position.lat": "0.5", "position.source": "seen", "position.date": "2026",
        "facts.rows": "3",
    }  # fmt: skip
    row = {"key": "capacity", "value": "40", "source": "sign", "date": "2026"}
    other = {**row, "value": "42", "source": "map"}
    levels = {**row, "key": "name", "value": "'5'"}
    facts = {f"facts.{n}.{name}": text for n, one in enumerate((row, other, levels)) for name, text in one.items()}
    put(client, "thing", "market", {**thing, **facts}, new=True)
    put(client, "city", "facts", {".rows": "1", **{f".0.{name}": text for name, text in row.items()}})
    terms = {"title.de": "Gemeinwohl", "title.en": "Common good", "attribution": "1", "compensate.purpose.de": "Gewinn"}
    terms |= {"compensate.purpose.en": "profit", "compensate.terms.de": "5 %", "compensate.terms.en": "5 %"}
    put(client, "policy", "common-good", terms, new=True)
    put(client, "dataset", "counts", {"licence": "common-good"})
    assert "Counts" in client.get("/office/policy/common-good/").text
    profile = open_profile()
    assert profile.datasets["counts"].licence == "common-good"
    assert profile.policies["common-good"].compensate is not None
    assert profile.synonyms["car"].words == ["Auto", "Kfz"]
    assert profile.organisations["parks"].name == "Parks Department"
    market = profile.thing("market")
    assert market is not None
    assert [each.value for each in market.facts["capacity"]] == [40, 42]
    assert (market.facts["name"].value, market.position.lon) == ("5", 0.5)
    assert profile.facts["capacity"].value == 40


def test_an_outline_comes_by_a_file_and_the_others_stay(client):
    page = client.get("/office/city/geography/edit/").text
    assert "outline.geojson" in page
    name = {"type": "FeatureCollection", "features": []}
    sent = {"center": "0.5, 0.5", "zoom": "10", "attribution": "nobody"}
    wrong = SimpleUploadedFile("x.geojson", b"{}")
    answer = client.post("/office/city/geography/edit/", {**sent, "seen": "0", "districts": wrong})
    assert answer.status_code == 422
    put(client, "city", "geography", {**sent, "districts": SimpleUploadedFile("x.geojson", msgspec.json.encode(name))})
    put(client, "city", "geography", {**sent, "waters": SimpleUploadedFile("x.geojson", msgspec.json.encode(name))})
    geography = open_profile().geography
    assert (geography.districts["features"], geography.center) == ([], (0.5, 0.5))
    assert len(geography.boundary["features"]) == 1
