"""The search of the portal: one question over all that has a page, for one reader."""

import pytest
from django.test import Client
from tests.knowledge.town import NOW, profile, send
from tests.support import create

from allmende.domain.store import DatasetRecord
from allmende.web.alerts.models import Event
from allmende.web.explorer import choosing
from allmende.web.finding import shelves
from allmende.web.house import furnish, open_profile, open_store
from allmende.web.maps import register


@pytest.fixture
def client(db) -> Client:
    for kept in (shelves, choosing, register):
        kept.forget()
    yield Client(headers={"accept-language": "de"})
    for kept in (shelves, choosing, register):
        kept.forget()


def thing(key: str, name: str) -> None:
    """A thing of an open dataset."""
    record = DatasetRecord(
        id="found", title={"de": "x"}, description={"de": "x"}, publisher="x", licence="x", attribution="x",
        access="open", simulated=False,
    )  # fmt: skip
    open_store().put_datasets([record])
    create(open_store(), "Thing", {"@iot.id": key, "name": name, "description": "steht da"}, dataset="found")


def links(page: str, group: str) -> list[str]:
    """Addresses that a group of the page leads to."""
    if f'id="found-{group}"' not in page:
        return []
    part = page.split(f'id="found-{group}"')[1].split("</section>")[0]
    return [piece.split('"')[0] for piece in part.split('<li><a href="')[1:]]


def test_without_a_question_it_says_what_can_be_found(client):
    answer = client.get("/search/")
    assert answer.status_code == 200
    assert "Ortsteile" in answer.text


def test_a_service_is_found_by_its_name_and_by_a_slip(client):
    assert "/parking/" in links(client.get("/search/", {"q": "parken"}).text, "services")
    page = client.get("/search/", {"q": "Inpressum"}).text
    assert "/imprint/" in links(page, "pages")
    assert "Gefunden wurde stattdessen" in page


def test_a_district_leads_to_its_data(client):
    name = next(iter(open_profile().geography.districts["features"]))["properties"]["name"]
    found = links(client.get("/search/", {"q": name}).text, "places")
    assert any(address.startswith("/datasets/?district=") for address in found)


def test_a_thing_is_found_in_all_forms_of_its_words(client):
    thing("brunnen", "Brunnen am Markt")
    assert links(client.get("/search/", {"q": "Brunnens"}).text, "things") == ["/transparency/brunnen/"]
    assert links(client.get("/search/", {"q": "brunnen -markt"}).text, "things") == []


def test_what_is_new_is_found_once_the_index_is_old(client):
    assert links(client.get("/search/", {"q": "Leuchtturm"}).text, "things") == []
    thing("turm", "Leuchtturm")
    assert links(client.get("/search/", {"q": "Leuchtturm"}).text, "things") == []
    shelves.forget()
    assert links(client.get("/search/", {"q": "Leuchtturm"}).text, "things") == ["/transparency/turm/"]


def test_many_answers_of_a_kind_have_pages(client):
    for number in range(31):
        thing(f"laterne-{number:02}", f"Laterne {number:02}")
    first = client.get("/search/", {"q": "Laterne"}).text
    assert len(links(first, "things")) == 5
    assert "26 weitere" in first
    second = client.get("/search/", {"q": "Laterne", "kind": "things", "page": "2"}).text
    assert len(links(second, "things")) == 6
    assert "26 weitere" not in second


@pytest.mark.parametrize("asked", ["\0", "'\"<script>", "-", '"', "x" * 5000, "%", "１"])
def test_anything_may_be_asked(client, asked):
    answer = client.get("/search/", {"q": asked, "page": asked, "kind": asked})
    assert answer.status_code == 200
    assert "<script>'" not in answer.text


def test_each_language_has_its_own_words(client):
    english = {"accept-language": "en"}
    assert "/imprint/" in links(client.get("/search/", {"q": "imprint"}, headers=english).text, "pages")
    assert "/imprint/" in links(client.get("/search/", {"q": "Impressum"}).text, "pages")
    assert links(client.get("/search/", {"q": "imprint"}).text, "pages") == []


def test_streams_are_found_by_what_they_measure_and_closed_ones_are_not(client, monkeypatch):
    made = profile("")
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: made)
    furnish(open_store(), made)
    send(open_store(), "weiher~level", {NOW: 3})
    send(open_store(), "tresor~level", {NOW: 3}, dataset="hidden")
    found = links(client.get("/search/", {"q": "Weihers level"}).text, "streams")
    assert found == ["/explorer/?stream=weiher~level"]
    for asked in ("level", "tresor", "tresr"):
        text = client.get("/search/", {"q": asked}).text
        assert "tresor~level" not in text.replace("%7E", "~"), "neither found nor proposed"
    assert links(client.get("/search/", {"q": "levle"}).text, "streams") == found, "a slip"


def test_alerts_that_everybody_is_told_are_found(client):
    dataset = next(each.id for each in open_profile().datasets.values() if each.access == "open")
    said = {"alert": "flood", "key": "x", "dataset": dataset, "thing_name": "Pegel Paradies", "reason": {},
            "severity": "severe", "since": NOW, "raised": NOW, "changed": NOW, "noted": NOW, "edition": "1",
            "streams": [], "description": {},
            "advice": {}, "category": "Met"}  # fmt: skip
    Event.objects.create(id="told", public=True, title={"de": "Hochwasser am Paradies"}, **said)
    Event.objects.create(id="kept", public=False, title={"de": "Hochwasser im Keller"}, **said)
    page = client.get("/search/", {"q": "Hochwassers"}).text
    assert links(page, "alerts") == ["/alerts/told/"]
    assert "Keller" not in page
    assert "Keller" not in client.get("/search/", {"q": "Kelller"}).text


def test_addresses_of_the_register_are_found_by_a_slip_too(client):
    assert links(client.get("/search/", {"q": "Ahornweg 3"}).text, "addresses") == []
    rows = b"street,number,postcode,place,lon,lat\nAhornweg,3,07745,,11.58,50.92\nAhornweg,5,07745,,11.581,50.92\n"
    register.import_register(rows, file="constructed.csv", source="x", licence="x")
    for asked in ("Ahornweg 3", "Ahronweg 3"):
        found = links(client.get("/search/", {"q": asked}).text, "addresses")
        assert found[0].startswith("/map/?q=Ahornweg+3")
        assert "near=11.58" in found[0]
    assert links(client.get("/search/", {"q": "Hochwasser"}).text, "addresses") == []
